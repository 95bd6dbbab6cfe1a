# SPDX-License-Identifier: BSD-3-Clause
"""TAP output for the tests that are written in Python.

    with tap.Tap() as t:
        t.ok(value == 3, "the value is three", "got %r" % value)
        with t.test("a longer one"):       # an exception is the failure, its traceback the diagnostic
            ...
        t.skip("needs root")

The plan is printed at the end, so a script that dies half way is noticed by tests/run.py.
Leaving the block ends the program with status 1 if anything failed.
"""
import contextlib
import sys
import traceback


class SkipTest(Exception):
    """Raised inside test() to skip it; the text is the reason."""


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and not issubclass(kind, Exception):
            return False
        if kind is not None:
            self.ok(False, "the script runs to its end", "".join(traceback.format_exception(kind, value, trace)))
        print("1..%d" % self.count, flush=True)
        sys.exit(1 if self.failed else 0)

    def ok(self, good, name, diagnostic=""):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name.replace("#", "")), flush=True)
        if not good and diagnostic:
            self.comment(diagnostic)
        return good

    def skip(self, name, reason=""):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name.replace("#", ""), reason), flush=True)

    def comment(self, text):
        for line in str(text).splitlines():
            print("# " + line, flush=True)

    @contextlib.contextmanager
    def test(self, name):
        try:
            yield
        except SkipTest as reason:
            self.skip(name, str(reason))
        except Exception:
            self.ok(False, name, traceback.format_exc())
        else:
            self.ok(True, name)


def skip_all(reason):
    """Ends the program: none of its tests can run here."""
    print("1..0 # SKIP " + reason, flush=True)
    sys.exit(0)
