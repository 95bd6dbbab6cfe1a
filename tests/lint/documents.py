#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Documents: what they link to in the tree is there, and the make targets they name exist."""
import os
import re

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


def main():
    with tree.Tap() as tap:
        targets = STANDARD | set(re.findall(r"^([a-z][a-z-]*):", tree.read("GNUmakefile"), re.MULTILINE))
        documents = tree.files(".md")
        tree.tell(tap, "documents link to what is there",
                  [finding for path in documents for finding in check_links(path, tree.read(path))])
        tree.tell(tap, "documents name make targets that exist",
                  [finding for path in documents for finding in check_targets(path, tree.read(path), targets)])
        tree.tell_sample(tap, "a link to nowhere", check_links("docs/a.md", "see [b](nowhere.md)"))
        tree.tell_sample(tap, "a target that does not exist", check_targets("a.md", "`make coffee`", targets))


main()
