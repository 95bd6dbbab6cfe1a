# SPDX-License-Identifier: BSD-3-Clause
"""What the lint tests have in common: the files of the source tree and how findings are told.

A check is a function that gives a list of findings, as text. Each is run twice: over the tree, where it
must find nothing, and over samples that are wrong, where it must find something.
"""
import os
import subprocess
import sys

SRC = os.path.abspath(os.environ.get("Q_SRC") or os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.abspath(os.environ.get("Q_BUILD") or os.path.join(SRC, "build"))
GENERATED = ("aclocal.m4", "configure", "config.h.in", "Makefile.in")
sys.path.insert(0, os.path.join(SRC, "tests"))

from tap import Tap, skip_all  # noqa: E402,F401  (for the tests that import this)


def files(*endings):
    """The paths from the top of all files of the tree, or of those that end in one of endings."""
    # A clone of somebody else's is fine to read.
    git = subprocess.run(["git", "-c", "safe.directory=*", "-C", SRC, "ls-files", "-z", "--cached", "--others",
                          "--exclude-standard"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if git.returncode == 0:
        found = [path for path in git.stdout.decode().split("\0") if path]
    else:  # an unpacked tarball
        found = []
        for top, folders, names in os.walk(SRC):
            folders[:] = [f for f in folders if not f.startswith(("build", "_build", ".", "autom4te", "__"))]
            found += [os.path.relpath(os.path.join(top, name), SRC) for name in names
                      if name not in GENERATED and not name.endswith("~")]
    return sorted(path for path in found
                  if (not endings or path.endswith(endings)) and os.path.isfile(os.path.join(SRC, path)))


def read(path):
    with open(os.path.join(SRC, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def tell(tap, name, findings):
    """The tree passes if there are no findings."""
    return tap.ok(not findings, name, "\n".join(findings))


def tell_sample(tap, name, findings):
    """A wrong sample passes if there is a finding."""
    return tap.ok(bool(findings), "finds: " + name)
