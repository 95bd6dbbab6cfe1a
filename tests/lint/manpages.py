#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Manual pages: mandoc has nothing to warn about, and every program has one."""
import os
import re
import shutil
import subprocess
import tempfile

import tree


def check(path):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, encoding="utf-8", errors="replace")
    return [line for line in done.stdout.splitlines() if line.strip()]


def programs():
    """What the fragments install, and the pages they install."""
    text = "\n".join(tree.read(path) for path in tree.files("local.mk")).replace("\\\n", " ")
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    words = lambda name: " ".join(re.findall(r"^%s \+= (.*)$" % name, text, re.M)).split()  # noqa: E731
    return words("bin_PROGRAMS") + words("sbin_PROGRAMS"), words("man_MANS")


def main():
    if not shutil.which("mandoc"):
        tree.skip_all("mandoc is not installed")
    with tree.Tap() as tap:
        pages = [path for path in tree.files() if re.fullmatch(r"docs/man/[^/]+\.[1-8]", path)]
        for path in pages:
            tree.tell(tap, "%s is without warnings" % path, check(os.path.join(tree.SRC, path)))
        names, installed = programs()
        tree.tell(tap, "every program has a manual page that is installed",
                  [name for name in names if pages and not any(
                      os.path.basename(page).startswith(name + ".") for page in installed)])
        tree.tell(tap, "every manual page is installed", sorted(set(pages) - set(installed)))
        with tempfile.NamedTemporaryFile("w", suffix=".8") as sample:
            sample.write(".Dd January 1, 2026\n.Dt BAD 8\n.Os\n.Sh NAME\n.Nm bad\n.Nd x\n.Bl\n.Zz\n")
            sample.flush()
            tree.tell_sample(tap, "an unknown macro in a page", check(sample.name))


main()
