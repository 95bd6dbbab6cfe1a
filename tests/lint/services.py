#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Units: systemd understands every line, and the sandbox stays as tight as it is."""
import glob
import os
import re
import shutil
import subprocess
import tempfile

import tree

EXPOSURE_MAX = 20  # in tenths, what `systemd-analyze security` calls OK
SANDBOXED = ("corosync-qnetd.service",)  # the device runs the administrator's heuristics: they may do anything
DEVICE = "corosync-qdevice.service"
CORE = "corosync-core.service"


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", "--no-pager", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, encoding="utf-8")


def check_syntax(path):
    done = analyze("verify", "--man=no", path)
    return done.stdout.splitlines() or (["exit status %d" % done.returncode] if done.returncode else [])


def check_sandbox(path):
    done = analyze("security", "--offline=yes", "--threshold=%d" % EXPOSURE_MAX, path)
    return [line for line in done.stdout.splitlines() if "✗" in line or "→" in line] if done.returncode else []


def check_settings(path):
    """What an outage has taught: a daemon that fails is started again, and what it prints can be read."""
    sandbox = {"NoNewPrivileges=yes", "ProtectSystem=strict", "RuntimeDirectoryPreserve=yes"}
    with open(path) as file:
        lines = set(file.read().splitlines())
    wanted = {"Restart=on-failure", "StandardError=journal"}
    if os.path.basename(path) in SANDBOXED:
        wanted |= sandbox
    if os.path.basename(path) == DEVICE:
        wanted |= {"KillMode=process", "OOMPolicy=continue"}  # the voter outlives the daemon (docs/safety.md)
    if os.path.basename(path) == CORE:
        wanted |= {"StateDirectory=corosync", "Alias=corosync.service"}  # where the packaged core never was
    return ["%s is missing" % line for line in sorted(wanted - lines)]


def write(folder, text, name=SANDBOXED[0]):
    """As a unit of this name; the program it starts need not be installed here."""
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M))
    return path


def main():
    if not shutil.which("systemd-analyze"):
        tree.skip_all("systemd-analyze is not installed")
    with tree.Tap() as tap, tempfile.TemporaryDirectory() as folder:
        text = sandboxed = device = core = ""
        for unit in sorted(glob.glob(os.path.join(tree.BUILD, "init", "*.service"))):
            name = os.path.basename(unit)
            with open(unit) as file:
                text = file.read()
            tree.tell(tap, "%s has no place left to fill in" % name, re.findall(r"@\w+@", text))
            path = write(folder, text, name)
            tree.tell(tap, "%s is understood by systemd" % name, check_syntax(path))
            if name in SANDBOXED:
                tree.tell(tap, "%s is sandboxed" % name, check_sandbox(path))
                sandboxed = text
            if name == DEVICE:
                device = text
            if name == CORE:
                core = text
            tree.tell(tap, "%s restarts and says why" % name, check_settings(path))
        tap.ok(text != "", "there is a unit to check")
        text = sandboxed

        tree.tell_sample(tap, "an unknown setting", check_syntax(write(folder, text + "\n[Service]\nRestarts=no\n")))
        loose = re.sub(r"^(?:Protect|Restrict|SystemCall|Capability|Private|Memory).*$", "", text, flags=re.M)
        tree.tell_sample(tap, "a loose sandbox", check_sandbox(write(folder, loose)))
        tree.tell_sample(tap, "a unit that is not restarted",
                         check_settings(write(folder, text.replace("Restart=on-failure", "Restart=on-abnormal"))))
        tree.tell_sample(tap, "a core without a place for its ring",
                         check_settings(write(folder, core.replace("StateDirectory=corosync", ""), CORE)))
        tree.tell_sample(tap, "a voter that is killed with its daemon",
                         check_settings(write(folder, device.replace("KillMode=process", "KillMode=mixed"), DEVICE)))


main()
