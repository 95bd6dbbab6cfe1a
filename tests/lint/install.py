#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `make install` puts where the packaged programs are, and that the programs are hardened."""
import os
import re
import subprocess
import tempfile

import tree

# For --prefix=/usr --sysconfdir=/etc, which GNUmakefile passes. pcs has /usr/bin/corosync-qnetd-tool built in.
PACKAGED = {
    "corosync-qnetd": "/usr/bin/corosync-qnetd",
    "corosync-qnetd-tool": "/usr/bin/corosync-qnetd-tool",
    "corosync-qnetd-certutil": "/usr/bin/corosync-qnetd-certutil",
    "corosync-qdevice-net-certutil": "/usr/sbin/corosync-qdevice-net-certutil",
    "corosync-qdevice": "/usr/sbin/corosync-qdevice",
    "corosync-qdevice-tool": "/usr/sbin/corosync-qdevice-tool",
    "corosync-core": "/usr/sbin/corosync-core",
}
FILES = (r"(/usr)?/lib/systemd/system/corosync-(qnetd|qdevice|core)\.service", r"/usr/lib/sysusers\.d/corosync-qnetd\.conf",
         r"/usr/share/doc/quorate/examples/corosync-(qnetd|qdevice|core)\.default")


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
                          encoding="utf-8").stdout


def check_hardened(path):
    """Position independent, everything bound before main, no executable stack, fortified, stack protected."""
    header, dynamic, segments, symbols = (output("readelf", "-W", option, path)
                                          for option in ("-h", "-d", "-l", "--dyn-syms"))
    stack = re.search(r"GNU_STACK.*\bRWE\b", segments)
    # A program so small that it has no array and no copy has no such symbols either.
    facts = (
        (re.search(r"Type:\s+DYN", header), "is not position independent"),
        ("GNU_RELRO" in segments and re.search(r"BIND_NOW|\bNOW\b", dynamic), "lacks full RELRO"),
        (not stack, "has an executable stack"),
        ("__stack_chk_fail" in symbols, "lacks the stack protector"),
        (re.search(r"__\w+_chk\b", symbols), "is not fortified"),
        (not re.search(r"RPATH|RUNPATH", dynamic), "has a run path"),
    )
    return ["%s %s" % (os.path.basename(path), fault) for good, fault in facts if not good]


def installed(top):
    return {os.path.join(folder, name)[len(top):]
            for folder, _, names in os.walk(top) for name in names}


def main():
    if os.environ.get("Q_SANITIZED"):
        tree.skip_all("programs with sanitizers are not installed")
    with open(os.path.join(tree.BUILD, "Makefile")) as makefile:
        prefix = re.search(r"^prefix = (.*)$", makefile.read(), re.M).group(1)
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    with tree.Tap() as tap, tempfile.TemporaryDirectory() as top:
        done = subprocess.run(["make", "-C", tree.BUILD, "install", "DESTDIR=" + top], env=env, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        tap.ok(done.returncode == 0, "make install with DESTDIR", done.stdout)
        paths = installed(top)
        programs = sorted(path for path in paths if os.path.basename(path) in PACKAGED)
        if prefix == "/usr":
            tree.tell(tap, "programs are where the packaged ones are",
                      [path for path in programs if path != PACKAGED[os.path.basename(path)]])
            tree.tell(tap, "units and their company are where the packaged ones are",
                      [wanted for wanted in FILES if not any(re.fullmatch(wanted, path) for path in paths)])
        for path in programs:
            tree.tell(tap, "%s is hardened" % os.path.basename(path), check_hardened(top + path))
        done = subprocess.run(["make", "-C", tree.BUILD, "uninstall", "DESTDIR=" + top], env=env, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        tree.tell(tap, "make uninstall leaves nothing", sorted(installed(top)))

        weak = os.path.join(top, "weak")
        subprocess.run(["cc", "-no-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-Wl,-z,lazy", "-o", weak, "-x", "c",
                        "-"], input="int main(void) { return 0; }", check=True, encoding="utf-8")
        tree.tell_sample(tap, "a program that is not hardened", check_hardened(weak))


main()
