# SPDX-License-Identifier: BSD-3-Clause
"""Plays cases in sandboxes, ours and the packaged program in turn: what the benchmarks of real daemons share.

A benchmark's program runs itself as a child for each measurement (`--inside INDEX FLAVOUR SCRATCH`), which prints one line
"measured NUMBER...".
"""

import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

# pylint: disable=wrong-import-position
from lab import runner  # noqa: E402

FLAVOURS = ("ours", "packaged")


def measure(argv, timeout_s):
    """The numbers of one run of `argv`, or None with an explanation on stderr."""
    try:
        done = subprocess.run([sys.executable, *argv], capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        print("timed out", file=sys.stderr)
        return None
    for line in done.stdout.splitlines():
        if line.startswith("measured "):
            return tuple(float(word) for word in line.split()[1:])
    print(done.stdout[-2000:], done.stderr[-2000:], file=sys.stderr)
    return None


def play(cases, arguments, measure_one):
    """
    Each of the cases whose name contains `arguments.only`, `arguments.runs` times, for each flavour (or `arguments.flavour`):
    `measure_one(index, flavour, scratch, run)` gives its numbers or None. Returns {(index, flavour): [numbers]}; None if the
    machine lacks something, with an explanation on stderr.
    """
    lacking = runner.missing() or ("" if "Q_BUILD" in os.environ else "Q_BUILD, the directory of our build")
    if lacking:
        print(f"this needs {lacking}", file=sys.stderr)
        return None
    scratch = runner.make_scratch()
    results = {}
    try:
        preparing = subprocess.run([sys.executable, str(HERE.parent / "integration" / "run.py"), "--inside", "prepare",
                                    str(scratch)], check=False)
        if preparing.returncode != 0:
            return None
        for run in range(arguments.runs):
            for index, name in enumerate(cases):
                if arguments.only not in name:
                    continue
                for flavour in (arguments.flavour,) if arguments.flavour else FLAVOURS:
                    numbers = measure_one(index, flavour, scratch, run)
                    print(f"run {run + 1} of {arguments.runs}: {name}: {flavour}: {numbers}", file=sys.stderr)
                    if numbers is not None:
                        results.setdefault((index, flavour), []).append(numbers)
        return results
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
