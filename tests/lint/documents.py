#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Documents: what they link to in the tree is there, and the make targets and tests they name exist."""
import fnmatch
import os
import re
import subprocess
import sys

import tree

LINK = re.compile(r"\]\(([^)\s]+)\)")
TARGET = re.compile(r"\bmake ((?:[a-z][a-z-]*)(?: |`|$))", re.MULTILINE)
# What automake gives by itself.
STANDARD = {"install", "uninstall", "dist", "distcheck", "all", "clean"}


def check_links(path, text):
    findings = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:|#", link):
            continue
        target = os.path.normpath(os.path.join(os.path.dirname(path), link.split("#")[0]))
        if not os.path.exists(os.path.join(tree.SRC, target)):
            findings.append("%s: %s is not there" % (path, link))
    return findings


def check_targets(path, text, targets):
    """In code only: prose has other uses for the word."""
    code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    return ["%s: make %s is no target" % (path, name.strip(" `"))
            for block in code for name in TARGET.findall(block) if name.strip(" `") not in targets]


def check_tests(path, text):
    """Those named test_FILE.c:TEST, and traces."""
    findings = []
    for name, test in re.findall(r"`(test_\w+\.c):(\w+)`", text):
        source = os.path.join("tests/unit", name)
        if not os.path.exists(os.path.join(tree.SRC, source)) or not re.search(r"\b%s\b" % test, tree.read(source)):
            findings.append("%s: %s has no test %s" % (path, name, test))
    for name in re.findall(r"`(\w+\.trace)`", text):
        if not os.path.exists(os.path.join(tree.SRC, "tests/trace/scenarios", name)):
            findings.append("%s: there is no %s" % (path, name))
    return findings


def scenario_names():
    listed = subprocess.run([sys.executable, os.path.join(tree.SRC, "tests/integration/run.py"), "--list"],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line for line in listed.splitlines() if not line.startswith(" ")]


def check_scenarios(path, text, names):
    """What stands in code in a table of faults, and in docs/ what is called device_..., with or without wildcards."""
    table = text[text.find("| fault |"):] if "| fault |" in text else ""
    named = re.findall(r"`([a-z0-9_]*[*a-z0-9_]*_[*a-z0-9_]*)`", table)
    if path.startswith("docs/"):
        named += re.findall(r"`(device_[a-z0-9_]*\*?)`", text)
    return ["%s: there is no scenario %s" % (path, name)
            for name in sorted(set(named)) if not fnmatch.filter(names, name)]


def main():
    with tree.Tap() as tap:
        targets = STANDARD | set(re.findall(r"^([a-z][a-z-]*):", tree.read("GNUmakefile"), re.MULTILINE))
        documents = tree.files(".md")
        tree.tell(tap, "documents link to what is there",
                  [finding for path in documents for finding in check_links(path, tree.read(path))])
        tree.tell(tap, "documents name make targets that exist",
                  [finding for path in documents for finding in check_targets(path, tree.read(path), targets)])
        tree.tell(tap, "documents name unit tests and traces that exist",
                  [finding for path in documents for finding in check_tests(path, tree.read(path))])
        names = scenario_names()
        tree.tell(tap, "documents name scenarios that exist",
                  [finding for path in documents for finding in check_scenarios(path, tree.read(path), names)])
        tree.tell_sample(tap, "a test that does not exist", check_tests("a.md", "`test_lease.c:nobody_wrote_this`"))
        tree.tell_sample(tap, "a trace that does not exist", check_tests("a.md", "`S99_nothing.trace`"))
        tree.tell_sample(tap, "a scenario that does not exist", check_scenarios("docs/a.md", "`device_dances`", names))
        tree.tell_sample(tap, "a scenario of the table that does not exist",
                         check_scenarios("a.md", "| fault |\n|---|\n| `chaos_0_*` |", names))
        tree.tell_sample(tap, "a link to nowhere", check_links("docs/a.md", "see [b](nowhere.md)"))
        tree.tell_sample(tap, "a target that does not exist", check_targets("a.md", "`make coffee`", targets))


main()
