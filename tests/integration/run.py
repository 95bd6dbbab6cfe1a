#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the integration scenarios and prints TAP. Needs root.

Each scenario runs in a process of its own, inside a sandbox of its own (lab/isolate.py); several run at the same time,
since they mostly wait. Q_BUILD names the directory in which our programs were built.

Unless told whose programs to use, it runs each scenario with our arbiter, the packaged device and our core, and some once more
with another cast (CASTS, plays() below; the table in README.md). What is run depends on the build: under sanitizers, where it
is our own memory that is watched, as much as possible is ours; `make check`, which has both builds, runs all mixes in which something
is ours. --mix all runs everything in one build.

A scenario that fails while the machine stood still (lab/stalls.py) runs again, and this is said; any other failure is one.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import scenarios  # noqa: E402
from lab import isolate, runner, stalls  # noqa: E402
from lab.cluster import STALLS, Lab  # noqa: E402

DEFAULT_JOBS = 8
SCENARIO_TIMEOUT_S = 180
RUNS_MAX = 3
"""Of a scenario whose failures are void (lab/stalls.py)."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="list the scenarios and what they show")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="only names containing TEXT")
    parser.add_argument("--mix", choices=("all", "check"), default="check",
                        help="all casts, or those that make check runs in this build (default)")
    parser.add_argument("--arbiter", choices=("ours", "packaged"), help="only this arbiter (with the packaged device, safety "
                        "is reported, not demanded)")
    parser.add_argument("--device", choices=("ours", "packaged"), help="only this device")
    parser.add_argument("--core", choices=("ours", "packaged"), help="only this core, on the nodes of scenarios that do not choose")
    parser.add_argument("--unsettled", action="store_true", help="run also what cannot pass yet")
    parser.add_argument("--jobs", type=int, default=DEFAULT_JOBS, help="scenarios at a time (default %(default)s)")
    parser.add_argument("--repeat", type=int, default=1, help="run everything this often")
    parser.add_argument("--keep", action="store_true", help="keep the logs of successful scenarios too")
    parser.add_argument("--story", action="store_true", help="print every scenario's timeline")
    parser.add_argument("--inside", nargs=2, metavar=("WORK", "SCRATCH"), help=argparse.SUPPRESS)
    return parser.parse_args()


def work_inside(arguments):
    """In the child: one scenario, or the preparation. The exit status is the outcome."""
    work, scratch = arguments.inside[0], pathlib.Path(arguments.inside[1])
    isolate.enter()
    if work == "prepare":
        runner.prepare(scratch)
        return 0
    with Lab(scratch / work, runner.certificates_path(scratch), device_flavour=arguments.device, core_flavour=arguments.core,
             watcher=runner.watcher_path(scratch), witness=runner.witness_path(scratch)) as lab:
        lab.flavour = arguments.arbiter
        try:
            scenarios.load()[re.split("[+@]", work)[0]].function(lab)
            if "ours" in (arguments.arbiter, arguments.device):
                lab.verdict()
            print(lab.measured())
            failed = False
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc(file=sys.stdout)
            failed = True
        if failed or arguments.story:
            print(lab.story())
    return 1 if failed else 0


@dataclasses.dataclass(frozen=True)
class Cast:
    """Whose arbiter, device and core play; `tail` tells the scenario's name from the same one with another cast."""

    arbiter: str
    device: str
    core: str
    tail: str = ""


PLAIN = Cast("ours", "packaged", "ours")
ALL_OURS = Cast("ours", "ours", "ours", "+all_ours")
ONLY_DEVICE = Cast("packaged", "ours", "packaged", "+only_our_device")
PACKAGED_CORE = Cast("ours", "packaged", "packaged", "+packaged_core")
CASTS = (PLAIN, ALL_OURS, ONLY_DEVICE, PACKAGED_CORE)
SANITIZED = os.environ.get("Q_SANITIZED") == "1"


def casts(arguments):
    """Those that may play, in order."""
    if arguments.arbiter or arguments.device or arguments.core:
        return (Cast(arguments.arbiter or "ours", arguments.device or "packaged", arguments.core or "ours"),)
    return CASTS


def possible(scenario, cast):
    """Whether a scenario says anything with this cast. (PLAIN, or what the command line asks for, always.)"""
    return not cast.tail or cast is PACKAGED_CORE and scenario.either_core or cast is not PACKAGED_CORE and scenario.either_device


def plays(scenario, cast):
    """Whether a scenario plays with this cast in this build. Of those of core, device and certificates each plays in one of the
    builds over our core; in the other, over the packaged core, if it is one of those that do. The arbiter's play twice in the plain
    build, under sanitizers every second one does."""
    is_second = zlib.crc32(scenario.name.encode()) % 2 == 1
    if scenario.one_build:
        return (is_second == SANITIZED) == (cast is PLAIN)
    if cast is PACKAGED_CORE:
        return SANITIZED and is_second
    return not scenario.either_device or SANITIZED == (cast is ALL_OURS)


class Running:
    """A child at work; `run` counts from 1 (RUNS_MAX)."""

    def __init__(self, work, cast, run, scratch, arguments):
        self.work = work
        self.cast = cast
        self.run = run
        self.scratch = scratch / work
        self.output_path = scratch / f"{work}.output"
        argv = [sys.executable, str(HERE / "run.py"), "--arbiter", cast.arbiter, "--device", cast.device,
                "--core", cast.core, "--inside", work, str(scratch)]
        if arguments.story:
            argv.append("--story")
        with open(self.output_path, "wb") as output:
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                          start_new_session=True)
        self.started = time.monotonic()

    def over(self):
        """True once it has ended; one that takes too long is ended."""
        if self.child.poll() is None and time.monotonic() - self.started > SCENARIO_TIMEOUT_S:
            self.child.kill()
            self.child.wait()
            with open(self.output_path, "a", encoding="utf-8") as output:
                output.write(f"took longer than {SCENARIO_TIMEOUT_S} s\n")
        return self.child.poll() is not None

    @property
    def good(self):
        return self.child.returncode == 0

    @property
    def void(self):
        """Why it is to run again, though it failed; empty if it is not."""
        return stalls.excuse(stalls.read(self.scratch / STALLS)) if not self.good and self.run < RUNS_MAX else ""

    @property
    def seconds(self):
        return time.monotonic() - self.started

    def output(self):
        return self.output_path.read_text(errors="replace")


def say(line):
    print(line, flush=True)


def report(number, running, arguments):
    """One TAP line, and on failure what happened; returns True if it passed."""
    good = running.good
    say(f"{'ok' if good else 'not ok'} {number} - {running.work} # {running.seconds:.1f} s")
    if not good or arguments.story:
        for line in running.output().splitlines():
            say(f"# {line}")
    if not good:
        say(f"# logs: {running.scratch}")
    elif not arguments.keep:
        shutil.rmtree(running.scratch, ignore_errors=True)
        running.output_path.unlink()
    return good


def run_all(works, scratch, arguments):
    """Run these (name, cast), `jobs` at a time; returns the number of failures."""
    waiting, active, number, failures = [(*work, 1) for work in works], [], 0, 0
    try:
        while waiting or active:
            while waiting and len(active) < arguments.jobs:
                active.append(Running(*waiting.pop(0), scratch, arguments))
            for running in [one for one in active if one.over()]:
                active.remove(running)
                if why := running.void:
                    say(f"# {running.work} failed after {running.seconds:.1f} s, but {why}: it says nothing, and runs again")
                    shutil.rmtree(running.scratch, ignore_errors=True)
                    waiting.append((running.work, running.cast, running.run + 1))
                    continue
                number += 1
                failures += not report(number, running, arguments)
            time.sleep(0.05)
    finally:
        for running in active:
            running.child.kill()
            running.child.wait()
    return failures


def selected(arguments):
    """([(name, cast) to run], {name skipped: why})."""
    known = scenarios.load()
    works, skipped = [], {}
    for cast in casts(arguments):
        for name, one in known.items():
            label = name + cast.tail
            if arguments.only and not any(text in label for text in arguments.only) or not possible(one, cast):
                continue
            if cast in CASTS and arguments.mix == "check" and not (arguments.only and cast is PLAIN) and not plays(one, cast):
                continue
            if cast.tail and one.ours_only and cast.arbiter == "packaged":
                continue
            if one.ours_only and cast.arbiter == "packaged":
                skipped[label] = "not what the packaged arbiter does"
            elif one.unsettled and not arguments.unsettled:
                skipped[label] = f"not settled yet: {one.unsettled}"
            else:
                works.append((label, cast))
    if arguments.repeat > 1:
        works = [(f"{label}@{i}", cast) for i in range(arguments.repeat) for label, cast in works]
    return works, skipped


def main():
    arguments = parse_arguments()
    if arguments.inside:
        return work_inside(arguments)
    if arguments.list:
        for name, one in scenarios.load().items():
            say(f"{name}\n    {one.doc}")
        return 0
    lacking = runner.missing()
    if any("ours" in (cast.arbiter, cast.device, cast.core) for cast in casts(arguments)) and "Q_BUILD" not in os.environ:
        lacking = "Q_BUILD, the directory in which our programs were built"
    if lacking:
        say(f"1..0 # SKIP needs {lacking}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    works, skipped = selected(arguments)
    scratch = runner.make_scratch()
    failures = 1
    try:
        say("TAP version 13")
        say(f"1..{len(works) + len(skipped)}")
        preparing = Running("prepare", PLAIN, RUNS_MAX, scratch, arguments)
        if preparing.child.wait() != 0:
            say(f"Bail out! {preparing.output()}")
            return 1
        failures = run_all(works, scratch, arguments)
        for index, (name, why) in enumerate(skipped.items()):
            say(f"ok {len(works) + index + 1} - {name} # SKIP {why}")
        return 1 if failures else 0
    except KeyboardInterrupt:
        return 130
    finally:
        if failures == 0 and not arguments.keep:
            shutil.rmtree(scratch, ignore_errors=True)
        else:
            say(f"# everything kept in {scratch}")


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
