#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tests/run.py counts right: what fails in any way is a failure, and nothing is counted twice. And of the integration scenarios only
those are played again that failed while the machine stood still (tests/integration/lab/stalls.py)."""
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


STALLS = (
    # what the witness noted, its lines (end in ns, who, ms, processor time of the scenario's programs in ms), why that is an excuse
    ("nothing", "", ""),
    ("one stop of the machine, too short", "1 machine 299 0\n", ""),
    ("one that is long enough", "1 machine 300 0\n", "the machine stood still for 300 ms"),
    ("short ones that add up", "1 machine 150 0\n9 machine 151 0\n", "the machine stood still for 301 ms"),
    ("a stop, whatever the scenario's programs used", "1 machine 300 300\n", "the machine stood still for 300 ms"),
    ("programs without a processor, too short", "1 programs 999 0\n", ""),
    ("long enough", "1 programs 1000 0\n", "no program of ordinary priority ran for 1000 ms"),
    ("such times do not add up", "1 programs 900 0\n9 programs 900 0\n", ""),
    ("the longest of them counts", "1 programs 1200 0\n9 programs 900 0\n", "no program of ordinary priority ran for 1200 ms"),
    ("the scenario's own programs took half of it", "1 programs 2000 1000\n", ""),
    ("they took less", "1 programs 2000 999\n", "no program of ordinary priority ran for 2000 ms"),
    ("a spinning program hides no shorter time", "1 programs 5000 4900\n9 programs 1000 0\n", "no program of ordinary priority ran for 1000 ms"),
    ("a stop does not add to the other kind", "1 machine 299 0\n9 programs 999 0\n", ""),
    ("a line that is not finished yet", "1 machine 200 0\n9 machine 400", ""),
)


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, os.path.join(tree.SRC, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    return module


def check_stalls(tap, directory):
    stalls = load("stalls", "tests/integration/lab/stalls.py")
    path = os.path.join(directory, "stalls")
    tap.ok(stalls.read(path) == [], "no witness has seen no stall")
    for name, lines, wanted in STALLS:
        with open(path, "w") as file:
            file.write(lines)
        excuse = stalls.excuse(stalls.read(path))
        tap.ok(excuse == wanted, "%s: %s" % (name, "void" if wanted else "counts"), repr(excuse))


def check_paths(tap, build):
    """The lab does not play with programs that would write outside of it."""
    sys.path.insert(0, os.path.join(tree.SRC, "tests/integration"))
    from lab import runner
    packaged = "prefix = /usr\nsysconfdir = /etc\nlocalstatedir = /var\nrunstatedir = /run\n"
    usual = "prefix = /usr/local\nsysconfdir = ${prefix}/etc\nlocalstatedir = ${prefix}/var\nrunstatedir = ${localstatedir}/run\n"
    for name, lines, wanted in (("the packaged paths", packaged, ""),
                                ("configure's own", usual, "runstatedir=/usr/local/var/run"),
                                ("another folder for the configuration", packaged.replace("/etc", "/opt/etc"), "sysconfdir=/opt/etc"),
                                ("no paths", "", "prefix=?")):
        with open(os.path.join(build, "Makefile"), "w") as file:
            file.write(lines)
        why = runner.foreign_paths(build)
        tap.ok(wanted in why and ("--sysconfdir=/etc" in why if wanted else not why), "the lab and a build with " + name, why)
    tap.ok(runner.foreign_paths(os.path.join(build, "nowhere")) != "", "the lab and a build that is not there")


def main():
    runner = load("run", "tests/run.py")
    with tree.Tap() as tap, tempfile.TemporaryDirectory() as build:
        for name, output, status, wanted in CASES:
            tally = runner.Tally()
            for line in output.splitlines():
                tally.line(line)
            tally.end(status, None)
            tap.ok(tally.closing_line() == wanted, "counts " + name, "%r instead of %r" % (tally.closing_line(), wanted))
        check_stalls(tap, build)
        check_paths(tap, build)
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
