#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the tests of one or several builds and adds up what they say in TAP.

    tests/run.py [--suites "unit sim"] [--jobs N] [--verbose] BUILD...

Each BUILD folder has a tests.list (made by its Makefile) of suite, path and, if the test cannot run, the
reason. The path is a program in the build or a script in the source tree. Tests get Q_BUILD, Q_SRC, and
Q_SANITIZED=1 in a build with sanitizers. Integration tests run one after the other, the others side by
side. The last line is the sum: "N passed, N failed, N skipped".
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time

SRC = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUITES = ("lint", "unit", "trace", "fuzz", "sim", "program", "integration")
SERIAL = ("integration",)       # these measure time and own the machine's network namespaces
ONCE = ("lint",)                # these look at the source tree: one build is enough
TIMEOUT_S = {"integration": 900, "sim": 600, "program": 600}
EXCERPT_LINES = 60
RESULT = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*skip\S*\s*(.*))?$", re.IGNORECASE)


class Tally:
    """The results of one test program."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.planned = None
        self.reasons = []
        self.failures = []

    def fail(self, name):
        self.failed += 1
        self.failures.append(name)

    def line(self, text):
        """One line of output. A program may print several TAP groups, each with a plan of its own."""
        plan = PLAN.match(text)
        if plan:
            self.planned = (self.planned or 0) + int(plan.group(1))
            if int(plan.group(1)) == 0:
                self.skipped += 1
                self.reasons.append(plan.group(2) or "")
            return
        result = RESULT.match(text)
        if not result:
            return
        # cmocka says "not ok N # SKIP name" for a skipped test.
        skip = re.search(r"#\s*skip\S*\s*(.*)", result.group(3), re.IGNORECASE)
        if skip:
            self.skipped += 1
            self.reasons.append(skip.group(1))
        elif result.group(1):
            self.fail(result.group(3).removeprefix("- "))
        else:
            self.passed += 1

    def end(self, status, timeout_s):
        """What the exit status and the plan say beyond the single results."""
        run = self.passed + self.failed + (self.skipped if self.planned else 0)
        if timeout_s is not None:
            self.fail("finishes within %d s" % timeout_s)
        elif self.planned is None:
            self.fail("prints a TAP plan (exit status %d)" % status)
        elif run != self.planned:
            self.fail("runs the %d tests of its plan (it ran %d, exit status %d)" % (self.planned, run, status))
        elif status != 0 and self.failed == 0:
            self.fail("exits with status 0 (it was %d)" % status)

    def closing_line(self):
        skipped = ", %d skipped" % self.skipped if self.skipped else ""
        return "%d passed, %d failed%s" % (self.passed, self.failed, skipped)


def environment(build):
    env = dict(os.environ, Q_BUILD=build, Q_SRC=SRC, CMOCKA_MESSAGE_OUTPUT="TAP", PYTHONDONTWRITEBYTECODE="1")
    env["PYTHONPATH"] = os.path.join(SRC, "tests")
    if sanitized(build):
        env["Q_SANITIZED"] = "1"
        env.setdefault("ASAN_OPTIONS", "detect_leaks=1:strict_string_checks=1")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    return env


def sanitized(build):
    try:
        with open(os.path.join(build, "config.h")) as config:
            return "#define Q_SANITIZED 1" in config.read()
    except OSError:
        return False


def command(suite, path, build):
    found = os.path.join(build, path)
    if not os.path.exists(found):
        found = os.path.join(SRC, path)
    if suite == "fuzz":
        corpus = os.path.basename(path).replace("fuzz_", "", 1)
        return [found, os.path.join(SRC, "tests/fuzz/corpus", corpus)]
    return [found]


def run(suite, path, build):
    """Runs one test program; gives its tally, its output and the seconds it took."""
    timeout_s = TIMEOUT_S.get(suite, 300)
    tally = Tally()
    start = time.monotonic()
    late = None
    try:
        process = subprocess.Popen(command(suite, path, build), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env=environment(build), cwd=build, start_new_session=True)
    except OSError as error:
        tally.fail("starts (%s)" % error)
        return tally, "", 0.0
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        late = timeout_s
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    output = output.decode(errors="replace")
    for text in output.splitlines():
        tally.line(text)
    tally.end(process.returncode, late)
    return tally, output, time.monotonic() - start


def read_list(build):
    with open(os.path.join(build, "tests.list")) as lines:
        for line in lines:
            suite, path, *reason = line.split(None, 2)
            yield suite, path, reason[0].strip() if reason else None


def excerpt(output, tally):
    """What one needs to see of the output: each failed test with what belongs to it, else the end."""
    lines = output.splitlines()
    shown, inside = [], False
    for text in lines:
        if RESULT.match(text):
            inside = text.startswith("not ok") and not re.search(r"#\s*skip", text, re.IGNORECASE)
        if inside:
            shown.append(text)
    if not shown or tally.failed > sum(text.startswith("not ok") for text in shown):
        shown += ["..."] + lines[-EXCERPT_LINES:]
    return shown[:10 * EXCERPT_LINES]


def report(total, label, tally, output, seconds, verbose):
    total.passed += tally.passed
    total.failed += tally.failed
    total.skipped += tally.skipped
    words = ["%d passed" % tally.passed]
    if tally.failed:
        words.append("%d FAILED" % tally.failed)
    if tally.skipped:
        words.append("%d skipped" % tally.skipped)
    print("%-58s %6.1f s  %s" % (label, seconds, ", ".join(words)))
    for reason in sorted(set(tally.reasons)):
        print("    skipped: %s" % (reason or "(no reason given)"))
    shown = output.splitlines() if verbose else excerpt(output, tally) if tally.failed else []
    print("".join("    | %s\n" % text for text in shown), end="")
    for name in tally.failures:
        print("    FAILED: %s: %s" % (label, name))
        total.failures.append("%s: %s" % (label, name))
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description="run the tests of one or several builds")
    parser.add_argument("--suites", default=" ".join(SUITES), help="which, separated by spaces")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--verbose", action="store_true", help="print the output of what passed as well")
    parser.add_argument("builds", nargs="+", metavar="BUILD")
    options = parser.parse_args()
    suites = options.suites.split()
    unknown = set(suites) - set(SUITES)
    if unknown:
        parser.error("no such suite: %s (there are: %s)" % (" ".join(unknown), " ".join(SUITES)))

    total = Tally()
    jobs = {False: [], True: []}
    seen = set()
    for build in (os.path.abspath(b) for b in options.builds):
        for suite, path, reason in read_list(build):
            if suite not in suites or (suite in ONCE and path in seen):
                continue
            seen.add(path)
            label = "%s %s" % (os.path.basename(build), path)
            if reason:
                tally = Tally()
                tally.line("1..0 # SKIP " + reason)
                report(total, label, tally, "", 0.0, False)
            else:
                jobs[suite in SERIAL].append((SUITES.index(suite), label, (suite, path, build)))

    for serial in (False, True):
        workers = 1 if serial else max(1, options.jobs)
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            work = sorted(jobs[serial], key=lambda job: job[0])
            running = [(label, pool.submit(run, *job)) for _, label, job in work]
            for label, future in running:
                tally, output, seconds = future.result()
                report(total, label, tally, output, seconds, options.verbose)

    if total.failures:
        print("\nFailed:")
        for name in total.failures:
            print("    " + name)
    print(total.closing_line())
    return 1 if total.failed or not total.passed + total.skipped else 0


if __name__ == "__main__":
    sys.exit(main())
