#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Includes point one way: main -> shell -> logic -> common/wire, and components never at one another; but certs/, which
itself uses no other component, is a library to all of them.

Pure files (common/wire, all of common but libshell.a, every logic folder) see each other and a short list
of C's headers; the time, descriptors, and the libraries that do I/O are out of their sight.
"""
import re

import tree

COMPONENTS = ("qnetd", "qdevice", "core", "certs")
LOGIC = ("qnetd/logic", "qdevice/logic", "core/totem", "core/services", "core/config", "core/stack", "certs/logic")
C_HEADERS = {"assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "search.h", "stdalign.h", "stdarg.h",
             "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.MULTILINE)


def shell_common():
    """The files of libshell.a, from the fragment that lists them, each with its header."""
    text = tree.read("common/local.mk").replace("\\\n", " ")
    listed = re.findall(r"common/\S+\.[ch]\b", " ".join(re.findall(r"^libshell_a_SOURCES.*$", text, re.M)))
    return set(listed) | {path[:-1] + "h" for path in listed}


def folder(path):
    return path.rsplit("/", 1)[0] if "/" in path else ""


def layer(path, shell):
    """wire, pure (what else of common is not in libshell.a), logic (of one component), or shell."""
    if folder(path) == "common/wire":
        return "wire"
    if folder(path) == "common" and path not in shell:
        return "pure"
    if folder(path) in LOGIC:
        return "logic"
    return "shell"


def check(path, text, shell, known):
    findings = []
    own = path.split("/")[0]
    mine = layer(path, shell)
    for kind, header in INCLUDE.findall(text):
        wrong = None
        if kind == "<":
            if mine != "shell" and header not in C_HEADERS:
                wrong = "is not for pure code"
        elif header == "config.h":
            wrong = "comes by itself"
        elif header not in known:
            wrong = "is not a path from the top of the tree"
        else:
            other = header.split("/")[0]
            if own in COMPONENTS and other in COMPONENTS and other not in (own, "certs"):
                wrong = "belongs to another component"
            elif own == "common" and other != "common":
                wrong = "depends on common, not the other way round"
            elif own != "tests" and other == "tests":
                wrong = "belongs to the tests"
            elif mine in ("wire", "pure") and layer(header, shell) not in ("wire", "pure"):
                wrong = "is not pure"
            elif mine == "logic" and layer(header, shell) == "shell":
                wrong = "is shell"
        if wrong:
            findings.append("%s: %s %s" % (path, header, wrong))
    return findings


def main():
    with tree.Tap() as tap:
        shell = shell_common()
        sources = tree.files(".c", ".h")
        known = set(sources)
        findings = []
        for path in sources:
            findings += check(path, tree.read(path), shell, known)
        tree.tell(tap, "includes point from main to shell to logic to common/wire", findings)

        samples = [
            ("the time in logic", "qnetd/logic/a.c", "#include <time.h>"),
            ("libqb in logic", "qnetd/logic/a.c", "#include <qb/qbloop.h>"),
            ("OpenSSL in logic", "qnetd/logic/a.h", "# include <openssl/ssl.h>"),
            ("NSS in logic", "qnetd/logic/a.c", "#include <nss/nss.h>"),
            ("system calls on the wire", "common/wire/a.c", "#include <unistd.h>"),
            ("sockets in pure common code", "common/err.c", "#include <sys/socket.h>"),
            ("shell in logic", "qnetd/logic/a.c", '#include "qnetd/shell.h"'),
            ("shell of common in logic", "qnetd/logic/a.c", '#include "common/shell.h"'),
            ("shell of common in pure common code", "common/err.c", '#include "common/shell.h"'),
            ("logic on the wire", "common/wire/a.c", '#include "qnetd/logic/a.h"'),
            ("a component in common", "common/shell.c", '#include "qnetd/shell.h"'),
            ("a component in another", "qdevice/main.c", '#include "qnetd/shell.h"'),
            ("a component in certs", "certs/main.c", '#include "qnetd/shell.h"'),
        ("tests in a program", "qnetd/main.c", '#include "tests/a.h"'),
            ("a path from the folder", "qnetd/main.c", '#include "shell.h"'),
        ]
        known = {"common/err.h", "common/shell.h", "qnetd/shell.h", "qnetd/logic/a.h", "tests/a.h"}
        samples_shell = {"common/shell.c", "common/shell.h"}
        for name, path, text in samples:
            tree.tell_sample(tap, name, check(path, text + "\n", samples_shell, known))
        good = '#include <stdint.h>\n#include "common/err.h"\n#include "qnetd/logic/a.h"\n'
        tree.tell(tap, "accepts logic that includes what it may",
                  check("qnetd/logic/a.c", good, samples_shell, known))


main()
