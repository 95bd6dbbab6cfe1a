#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Pure code calls nothing that could see or change the world: `nm` on the objects of its libraries.

What a library leaves undefined must be defined by another pure library or be on the list below.
"""
import os
import subprocess
import tempfile

import tree

LIBRARIES = ("libwire.a", "libcommon.a", "libqnetd_logic.a", "libqdevice_logic.a", "libcore_logic.a", "libcerts_logic.a")
ALLOWED = set("""
    memchr memcmp memcpy memmove memset strchr strrchr strcmp strncmp strcasecmp strncasecmp strlen strnlen
    strcpy strncpy stpcpy strcat strncat strstr strspn strcspn strpbrk strtok_r
    strtol strtoll strtoul strtoull __isoc23_strtol __isoc23_strtoul __isoc23_strtoull
    __ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc tolower toupper
    malloc calloc realloc reallocarray strdup strndup free qsort bsearch tsearch tfind tdelete twalk tdestroy
    snprintf vsnprintf bcmp
    __assert_fail __stack_chk_fail __errno_location _GLOBAL_OFFSET_TABLE_
""".split())
FORTIFIED = {"__%s_chk" % name for name in ALLOWED}


def symbols(archive, *options):
    out = subprocess.run(["nm", "--format=posix", *options, archive], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=True, encoding="ascii").stdout
    member = ""
    for line in out.splitlines():
        if line.endswith("]:"):
            member = line[line.index("[") + 1:-2]
        elif line.strip():
            yield member, line.split()[0]


def check(archives):
    defined = {name for archive in archives for _, name in symbols(archive, "--defined-only", "--extern-only")}
    return ["%s(%s) calls %s" % (os.path.basename(archive), member, name)
            for archive in archives
            for member, name in symbols(archive, "--undefined-only")
            if name not in defined | ALLOWED | FORTIFIED]


def sample(folder, name, text):
    """Compiles text into an archive."""
    source, archive = (os.path.join(folder, name + ending) for ending in (".c", ".a"))
    with open(source, "w") as file:
        file.write(text)
    subprocess.run(["cc", "-O2", "-c", "-o", source + ".o", source], check=True)
    subprocess.run(["ar", "cr", archive, source + ".o"], check=True)
    return archive


def main():
    if os.environ.get("Q_SANITIZED"):
        tree.skip_all("sanitizers call what they like")
    with tree.Tap() as tap:
        tree.tell(tap, "pure code calls nothing but other pure code and a short list",
                  check([os.path.join(tree.BUILD, name) for name in LIBRARIES]))
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (
                    ("the clock", "#include <time.h>\nlong f(void) { return (long)time(0); }\n"),
                    ("randomness", "#include <stdlib.h>\nint f(void) { return rand(); }\n"),
                    ("output", '#include <stdio.h>\nvoid f(int i) { printf("%d", i); }\n'),
                    ("the end of the process", "#include <stdlib.h>\nvoid f(void) { exit(1); }\n"),
                    ("a library", "int SSL_read(void *);\nint f(void) { return SSL_read(0); }\n")):
                tree.tell_sample(tap, name, check([sample(folder, "bad", text)]))
            one = sample(folder, "one", "int other(void);\nint f(void) { return other(); }\n")
            two = sample(folder, "two", "int other(void) { return 1; }\n")
            tree.tell(tap, "accepts calls between pure libraries", check([one, two]))


main()
