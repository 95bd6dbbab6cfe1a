#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Options: what a program takes (its tables in the source), what its --help shows and what its manual page describes are the same.
Of the settings of -S, each is in the page."""
import os
import re
import subprocess

import tree

CERTS = ("certs/tools/common_options.c",)
DAEMON = ("common/daemon_options.c", "common/daemon_options.h")
TOOL = ("common/control/tool_options.c", "common/control/tool_options.h")
# program: (where its tables are, the words that make it show all options)
PROGRAMS = {
    "corosync-qnetd": (("qnetd/settings.c",) + DAEMON, ["-h"]),
    "corosync-qdevice": (("qdevice/settings.c",) + DAEMON, ["-h"]),
    "corosync-core": (("core/settings.c", "core/settings.h"), ["-h"]),
    "corosync-qnetd-tool": (("qnetd/tool.c", "qnetd/tool.h", "qnetd/what_if_main.c") + TOOL, ["--help"], ["--what-if", "--help"]),
    "corosync-qdevice-tool": (("qdevice/tool.c",) + TOOL, ["--help"]),
    "corosync-qnetd-certutil": (("certs/tools/qnetd_main.c",) + CERTS, ["--help"]),
    "corosync-qdevice-net-certutil": (("certs/tools/device_main.c",) + CERTS, ["--help"]),
}


def spelled(word):
    return "-" + word if len(word) == 1 else "--" + word


def in_tables(text):
    """Options of all tables of struct program_option."""
    letters = dict(re.findall(r"\b([A-Z_]+) = '(.)'", text))
    found = set()
    for table in re.findall(r"struct program_option \w+\[\] = \{(.*?)\n *\};", text, re.DOTALL):
        for key, name in re.findall(r"^ +\{('.'|\w[^,]*),(?: \"([\w-]+)\")?", table, re.MULTILINE):
            letter = key[1] if key.startswith("'") else letters.get(key)
            found |= {spelled(word) for word in (letter, name) if word}
    return found


def in_page(text):
    """What stands behind .Fl, but for another program's: "Fl x No of Xr program"."""
    found = set()
    for line in re.sub(r"^.* of Xr .*$", "", text, flags=re.MULTILINE).splitlines():
        macro = ""
        for word in line.lstrip(".").split() if line.startswith(".") else []:
            if re.fullmatch(r"[A-Z][a-z]", word):
                macro = word
            elif macro == "Fl" and re.fullmatch(r"[A-Za-z0-9]|-[a-z][a-z-]+", word):
                found.add("-" + word)
    return found


def in_help(text, others=()):
    """-x, --name, and letters that stand together in brackets; but for those of other programs, behind their names."""
    for other in others:
        text = re.sub(re.escape(other) + r" --?[a-z-]+", "", text)
    found = {"--" + name for name in re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text)}
    for letters in re.findall(r"(?<![\w-])-([A-Za-z0-9])\b|\[-([A-Za-z0-9]+)\]", text):
        found |= {"-" + letter for letter in "".join(letters)}
    return found


def settings(text):
    """Names of -S."""
    return set(re.findall(r"SETTING\(OPTION_\w+, \"(\w+)\"|DEF\(OPTION_\w+, (\w+), |\.name = \"(\w+)\"", text))


def compare(program, taken, page, shown):
    findings = ["%s takes %s, its page does not say so" % (program, option) for option in taken - page]
    findings += ["%s does not take %s, but its page says so" % (program, option) for option in page - taken]
    if shown is not None:
        findings += ["%s takes %s, its help does not say so" % (program, option) for option in taken - shown]
        findings += ["%s does not take %s, but its help says so" % (program, option) for option in shown - taken]
    return sorted(findings)


def check_document(path, text, taken):
    """Commands in code: the options behind our programs' names are options of theirs. `taken`: {program: options}."""
    findings = []
    for block in re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL):
        for line in block.strip("`").replace("\\\n", " ").splitlines():
            for program, words in re.findall(r"(?<![\w/-])(corosync-[a-z-]+)((?: +[^\s|;&#)]+)*)", line):
                findings += ["%s: %s takes no %s" % (path, program, word) for word in re.findall(r" (--?[A-Za-z][\w-]*)", words)
                             if program in taken and not known(word, taken[program])]
    return findings


def known(word, taken):
    """--name, -x, or letters that stand together, -xyARGUMENT too."""
    return word in taken if word.startswith("--") else word[:2] in taken


def main():
    with tree.Tap() as tap:
        for program, (sources, *calls) in PROGRAMS.items():
            source = "\n".join(tree.read(path) for path in sources)
            page = tree.read("docs/man/%s.8" % program)
            path = os.path.join(tree.BUILD, program)
            shown = None
            if os.path.exists(path):
                shown = in_help("".join(subprocess.run([path, *call], stdout=subprocess.PIPE, text=True, check=False).stdout
                                        for call in calls), [other for other in PROGRAMS if other != program])
            tree.tell(tap, "%s: options, manual page%s agree" % (program, "" if shown is None else " and --help"),
                      compare(program, in_tables(source), in_page(page), shown))
            names = {name for names in settings(source) for name in names if name}
            if "daemon_options.c" in " ".join(sources):
                tree.tell(tap, "%s: each setting of -S is in the manual page" % program,
                          sorted(name for name in names if not re.search(r"\b%s\b" % name, page)))
        taken = {program: in_tables("\n".join(tree.read(path) for path in sources)) for program, (sources, *_) in PROGRAMS.items()}
        for path in tree.files(".md"):
            tree.tell(tap, "%s: our programs have the options" % path, check_document(path, tree.read(path), taken))
        tree.tell_sample(tap, "a command with an option that is none", check_document("x", "`corosync-qnetd-tool --nonsense`", taken))
        sample = "struct program_option own[] = {\n    {'x', \"extra\", .flag = 1},\n    {KEY, \"more\"},\n};\n"
        tree.tell_sample(tap, "an option that the page lacks", compare("p", in_tables(sample), in_page(".It Fl x , -more\n"), None))
        tree.tell_sample(tap, "an option that help lacks", compare("p", {"-x", "--more"}, {"-x", "--more"}, in_help("[-x]")))
        tree.tell_sample(tap, "an option that is none", compare("p", {"-x"}, in_page(".Op Fl x\n.Op Fl y Ar file\n"), {"-x"}))


main()
