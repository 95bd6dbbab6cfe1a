#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tests/run.py counts right: what fails in any way is a failure, and nothing is counted twice."""
import importlib.util
import os
import subprocess
import sys
import tempfile

import tree

CASES = (
    # what it is, output, exit status, the closing line
    ("two that pass", "ok 1 - a\nok 2 - b\n1..2\n", 0, "2 passed, 0 failed"),
    ("one of each", "1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no root\n", 1, "1 passed, 1 failed, 1 skipped"),
    ("cmocka's way to skip", "1..2\nok 1 - a\nnot ok 2 # SKIP b\n", 0, "1 passed, 0 failed, 1 skipped"),
    ("two groups of cmocka", "1..1\nok 1 - a\n# ok - g\n1..2\nok 1 - b\nok 2 - c\n", 0, "3 passed, 0 failed"),
    ("everything skipped", "1..0 # SKIP needs root\n", 0, "0 passed, 0 failed, 1 skipped"),
    ("a script that dies half way", "ok 1 - a\n", 1, "1 passed, 1 failed"),
    ("a program that crashes", "1..2\nok 1 - a\n", -11, "1 passed, 1 failed"),
    ("a leak after the last test", "1..1\nok 1 - a\n", 23, "1 passed, 1 failed"),
    ("silence", "", 0, "0 passed, 1 failed"),
    ("words that look like results", "1..1\nokay\nok 1 - a\n# not ok 2\nnot okay\n", 0, "1 passed, 0 failed"),
)


def load_runner():
    spec = importlib.util.spec_from_file_location("run", os.path.join(tree.SRC, "tests/run.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    runner = load_runner()
    with tree.Tap() as tap, tempfile.TemporaryDirectory() as build:
        for name, output, status, wanted in CASES:
            tally = runner.Tally()
            for line in output.splitlines():
                tally.line(line)
            tally.end(status, None)
            tap.ok(tally.closing_line() == wanted, "counts " + name, "%r instead of %r" % (tally.closing_line(), wanted))
        late = runner.Tally()
        late.end(-9, 300)
        tap.ok(late.failed == 1, "counts a test that does not finish")

        # The whole way once: a program in a build, a failing one, one that is not there, one that cannot run.
        for name, text in (("good", "echo ok 1 - a; echo 1..1"), ("bad", "echo not ok 1 - a; echo 1..1; exit 1")):
            with open(os.path.join(build, name), "w") as file:
                file.write("#!/bin/sh\n%s\n" % text)
            os.chmod(os.path.join(build, name), 0o755)
        for listed, wanted, status in (
                ("unit good\n", "1 passed, 0 failed", 0),
                ("unit good\nsim bad\n", "1 passed, 1 failed", 1),
                ("unit good\nfuzz missing\n", "1 passed, 1 failed", 1),
                ("unit good\nintegration good needs something\n", "1 passed, 0 failed, 1 skipped", 0),
                ("", "0 passed, 0 failed", 1)):
            with open(os.path.join(build, "tests.list"), "w") as file:
                file.write(listed)
            done = subprocess.run([sys.executable, os.path.join(tree.SRC, "tests/run.py"), build],
                                  stdout=subprocess.PIPE, check=False, encoding="utf-8")
            tap.ok(done.stdout.splitlines()[-1] == wanted and done.returncode == status,
                   "ends with %r, status %d" % (wanted, status), done.stdout)


main()
