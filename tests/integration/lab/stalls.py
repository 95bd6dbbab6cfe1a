# SPDX-License-Identifier: BSD-3-Clause
"""Whether a scenario's programs had a processor at all: what the stall-witness (stall-witness.c) saw.

Scenarios demand that votes are repeated and rings formed within some seconds of real time. Where the machine itself is
stopped for such a time, as virtual machines are, or its processors are taken by others, they show nothing, and to
fail is the programs' duty. The witness tells that from a fault of ours: it has no part in anything, nothing but the machine can keep
its one half from running, and it knows whether the scenario's own programs took the processors from the other half.
"""

import dataclasses
import pathlib

VOID_MACHINE_MS = 300
"""Stops of the whole machine that add up to this make a failure void."""
VOID_PROGRAMS_MS = 1000
"""So does one time like this in which no program of ordinary priority ran, unless it was the scenario's own that took the
processors: for half of the time or more."""


@dataclasses.dataclass(frozen=True)
class Stall:
    """One line of the witness."""

    end_ns: int
    who: str
    ms: int
    used_ms: int
    """Processor time of the scenario's own programs in a stall of programs."""

    def __str__(self):
        who = "the whole machine" if self.who == "machine" else "programs of ordinary priority"
        used = "" if self.who == "machine" else f"; those of the scenario used {self.used_ms} ms of processors"
        return f"({who} stood still for {self.ms} ms until now{used})"


def read(path):
    """All stalls in the witness's file; none if there is no such file."""
    file = pathlib.Path(path)
    lines = file.read_text(encoding="ascii").split("\n")[:-1] if file.exists() else []
    return [Stall(int(at), who, int(ms), int(used)) for at, who, ms, used in (line.split() for line in lines)]


def excuse(stalls):
    """Why a scenario that failed meanwhile says nothing; empty if it does say something."""
    stopped = sum(stall.ms for stall in stalls if stall.who == "machine")
    starved = max((stall.ms for stall in stalls if stall.who == "programs" and stall.used_ms < stall.ms / 2), default=0)
    if stopped >= VOID_MACHINE_MS:
        return f"the machine stood still for {stopped} ms"
    if starved >= VOID_PROGRAMS_MS:
        return f"no program of ordinary priority ran for {starved} ms"
    return ""
