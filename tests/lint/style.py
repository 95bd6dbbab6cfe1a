#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What every file must have and must not have: licence, the header's paragraph, length, foreign paths."""
import os
import re

import tree

CODE = (".c", ".h", ".py", ".sh", ".mk", ".am", ".ac")
SPDX = "SPDX-License-Identifier: BSD-3-Clause"
LINES_MAX = 800
SIZE_MAX = 300 * 1024
PARAGRAPH_MIN = 80
OPENING = re.compile(r"\A/\*[^\n]*\*/\s*/\*(.*?)\*/", re.DOTALL)
# Directories that are somebody's: they mean nothing on another machine.
FOREIGN = re.compile(r"(?<![\w.$)}])/(?:home|root|work|Users|tmp/w)/\w[^\s\"']*")
# In halves, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")


def check_licence(path, text):
    if path.endswith(CODE) and SPDX not in "\n".join(text.splitlines()[:3]):
        return ["%s: no line with %s at the top" % (path, SPDX)]
    return []


def check_paragraph(path, text):
    opening = OPENING.match(text)
    if path.endswith(".h") and (not opening or len(opening.group(1)) < PARAGRAPH_MIN):
        return ["%s: no paragraph on what it owns, who calls it, lifetime, invariants" % path]
    return []


def check_length(path, text):
    opening = OPENING.match(text)
    lines = text.count("\n")
    if path.endswith((".c", ".h", ".py")) and lines > LINES_MAX:
        if not opening or "Long because" not in opening.group(1):
            return ["%s: %d lines; split it, or say at the top: Long because ..." % (path, lines)]
    return []


def check_paths(path, text):
    return ["%s: %s is a path of one machine" % (path, found) for found in FOREIGN.findall(text)]


def check_finished(path, text):
    if path.endswith(CODE):
        return ["%s: %s" % (path, found) for found in UNFINISHED.findall(text)]
    return []


def main():
    with tree.Tap() as tap:
        texts = {path: tree.read(path) for path in tree.files()}
        checks = (
            ("every source names its licence", check_licence),
            ("every header opens with a paragraph", check_paragraph),
            ("no file is over %d lines without a reason" % LINES_MAX, check_length),
            ("no path of one machine", check_paths),
            ("nothing is marked as unfinished", check_finished),
        )
        for name, check in checks:
            tree.tell(tap, name, [finding for path in texts for finding in check(path, texts[path])])
        tree.tell(tap, "no file is over %d bytes" % SIZE_MAX,
                  [path for path in texts if os.path.getsize(os.path.join(tree.SRC, path)) > SIZE_MAX])

        spdx = "/* %s */\n" % SPDX
        samples = (
            ("a source without licence", check_licence, "a.c", "int a;\n"),
            ("a script without licence", check_licence, "a.py", "#!/usr/bin/python3\nprint()\n"),
            ("a header without paragraph", check_paragraph, "a.h", spdx + "#ifndef A\n"),
            ("a header with a word only", check_paragraph, "a.h", spdx + "/* Things. */\n#ifndef A\n"),
            ("a long file", check_length, "a.c", spdx + "int a;\n" * LINES_MAX),
            ("a home directory", check_paths, "a.py", 'open("/ho' 'me/me/x")'),
            ("a working directory", check_paths, "a.md", "cd /wo" "rk/tree"),
            ("an unfinished place", check_finished, "a.c", "/* TO" "DO: later */"),
        )
        for name, check, path, text in samples:
            tree.tell_sample(tap, name, check(path, text))
        tree.tell(tap, "accepts a long file with a reason",
                  check_length("a.c", spdx + "/* Long because it is a table. */\n" + "int a;\n" * LINES_MAX))


main()
