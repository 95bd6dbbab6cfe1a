#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Scripts: shellcheck has nothing to warn about, Python compiles, both are executable where they are run."""
import os
import shutil
import subprocess
import tempfile

import tree


def interpreter(path):
    first = tree.read(path).split("\n", 1)[0]
    return first[2:].split()[0] if first.startswith("#!") else ""


def check_shell(path):
    done = subprocess.run(["shellcheck", "--severity=warning", "--format=gcc", path], stdout=subprocess.PIPE,
                          check=False, encoding="utf-8")
    return done.stdout.splitlines()


def check_python(path, text):
    try:
        compile(text, path, "exec")
    except SyntaxError as error:
        return ["%s: %s" % (path, error)]
    return []


def main():
    with tree.Tap() as tap:
        started = {path: interpreter(path) for path in tree.files() if interpreter(path)}
        tree.tell(tap, "what starts with a shebang is executable",
                  [path for path in started if not os.access(os.path.join(tree.SRC, path), os.X_OK)])
        tree.tell(tap, "Python compiles",
                  [finding for path in tree.files(".py") for finding in check_python(path, tree.read(path))])
        tree.tell_sample(tap, "broken Python", check_python("a.py", "if:\n"))
        if not shutil.which("shellcheck"):
            tap.skip("shellcheck has no warnings", "shellcheck is not installed")
            return
        shell = [path for path, program in started.items() if program in ("/bin/sh", "/bin/bash")]
        tree.tell(tap, "shellcheck has no warnings",
                  [finding for path in shell for finding in check_shell(os.path.join(tree.SRC, path))])
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as sample:
            sample.write("#!/bin/sh\ncd $1\nrm -rf *\n")
            sample.flush()
            tree.tell_sample(tap, "a careless script", check_shell(sample.name))


main()
