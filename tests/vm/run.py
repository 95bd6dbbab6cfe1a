#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Our units under a real systemd: a Debian 12 of its own is made, booted, given our programs, and asked what came of it.

The machine is a container (systemd-nspawn: two seconds to boot, the kernel of this host) or with --machine qemu a whole one
with Debian's kernel, emulated in software where there is no KVM. In each boot one PLAY runs in it (guest.py has them). Needs
root, a finished build (Q_BUILD, default build/) and mmdebstrap with systemd-container, or qemu-system-x86. Not a part of
`make check`. What is downloaded stays in build-vm/ for the next run; all else is removed.
"""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
SRC = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("Q_BUILD") or SRC / "build").resolve()
FOLDER = SRC / "build-vm"

LIBRARIES = ["libqb100", "libknet1", "libssl3", "libnss3", "libnss3-tools", "libsystemd0", "libjansson4", "libquorum5",
             "libvotequorum8", "libcfg7", "libcpg4", "libcmap4", "libcorosync-common4"]
BASE = ["systemd", "systemd-sysv", "dbus", "udev", "kmod", "iproute2", "procps", "openssl", "python3"] + LIBRARIES
KERNEL = ["linux-image-cloud-amd64"]
PACKAGED = ["corosync", "corosync-qdevice", "corosync-qnetd", "pacemaker", "pacemaker-cli-utils", "resource-agents"]
# What is installed in the machine where a play is given.
PLAYS = {"fresh": BASE, "beside": BASE + PACKAGED}
TOOLS = ("corosync-quorumtool", "corosync-cfgtool", "corosync-cmapctl")  # not ours: the packaged core's, without its package
LIMIT_S = {"container": 600, "qemu": 1800}
UNIT = """[Unit]
Description=What is tried in this machine
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -B /opt/trial/guest.py {play} {machine}
StandardOutput={output}
StandardError={output}
Environment=LC_ALL=C.UTF-8 PYTHONUNBUFFERED=1
"""


class Failure(Exception):
    """The machine cannot be made, or does not boot."""


def say(text):
    print(f"# {text}", flush=True)


def call(*command, log=None):
    with open(log, "ab") if log else open(os.devnull, "wb") as out:
        if subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                          stderr=subprocess.STDOUT, check=False).returncode != 0:
            raise Failure(f"failed: {' '.join(str(word) for word in command[:4])} ...; see {log}")


def need(program, package):
    if not shutil.which(program):
        raise Failure(f"{program} is missing: apt-get install --no-install-recommends {package}")


def base(play, machine):
    """A tree of Debian packages without anything of ours; made once."""
    packages = PLAYS[play] + (KERNEL if machine == "qemu" else [])
    tree = FOLDER / f"base-{play}-{machine}"
    made_of = tree.with_suffix(".packages")
    if made_of.exists() and made_of.read_text().split() == packages:
        return tree
    need("mmdebstrap", "mmdebstrap")
    say(f"{tree.name}: installing {len(packages)} packages and what they need, once; two minutes")
    shutil.rmtree(tree, ignore_errors=True)
    log = FOLDER / f"{tree.name}.log"
    log.unlink(missing_ok=True)
    call("mmdebstrap", "--variant=apt", "--mode=root", "--include=" + ",".join(packages), "bookworm", tree,
         "deb http://deb.debian.org/debian bookworm main",
         "deb http://deb.debian.org/debian-security bookworm-security main", log=log)
    made_of.write_text("\n".join(packages))
    return tree


def prepare(tree, play, machine):
    """Our programs lie ready in /opt/ours, as `make install` leaves them; the guest copies them over its own."""
    log = FOLDER / "install.log"
    log.unlink(missing_ok=True)
    call("make", "-s", "-C", BUILD, "install", f"DESTDIR={tree}/opt/ours", log=log)
    trial = tree / "opt/trial"
    trial.mkdir(parents=True)
    shutil.copy(HERE / "guest.py", trial)
    if play == "fresh":
        for tool in TOOLS:
            if not os.path.exists(f"/usr/sbin/{tool}"):
                raise Failure(f"/usr/sbin/{tool} is missing: apt-get install --no-install-recommends corosync")
            shutil.copy(f"/usr/sbin/{tool}", tree / "usr/sbin")
    output = "file:/dev/ttyS1" if machine == "qemu" else "append:/opt/trial/answers"
    units = tree / "etc/systemd/system"
    (units / "trial.service").write_text(UNIT.format(play=play, machine=machine, output=output))
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants/trial.service").symlink_to("../trial.service")
    (tree / "etc/hostname").write_text("trial\n")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 trial\n")
    (tree / "etc/machine-id").write_text("")


def container(tree):
    need("systemd-nspawn", "systemd-container")
    answers = tree / "opt/trial/answers"
    answers.touch()
    return answers, ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--capability=all",
                     "--console=pipe", f"--machine=trial-{os.getpid()}", f"--directory={tree}", "--boot"]


def qemu(tree):
    need("qemu-system-x86_64", "qemu-system-x86")
    kernel, initrd = (next((tree / "boot").glob(name + "*")) for name in ("vmlinuz", "initrd"))
    boot = tree.with_suffix(".boot")
    boot.mkdir()
    for path in (kernel, initrd):
        shutil.copy(path, boot)
    image, answers = boot / "image", boot / "answers"
    answers.touch()
    (tree / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    with open(image, "wb") as file:
        file.truncate(3 << 30)
    call("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", tree, image)
    return answers, ["qemu-system-x86_64", "-accel", "tcg", "-smp", "2", "-m", "2048", "-cpu", "max", "-nodefaults",
                     "-display", "none", "-no-reboot", "-serial", "stdio", "-serial", f"file:{answers}",
                     "-drive", f"file={image},format=raw,if=virtio,cache=unsafe", "-device", "virtio-rng-pci",
                     "-kernel", boot / kernel.name, "-initrd", boot / initrd.name,
                     "-append", "root=/dev/vda rw console=ttyS0 panic=-1 quiet systemd.show_status=yes"]


def follow(process, answers, limit_s):
    """Show what the guest says while it says it; then what it said in all."""
    deadline = time.monotonic() + limit_s
    text = ""
    with open(answers, encoding="utf-8", errors="replace", newline="") as file:
        while True:
            ended = process.poll() is not None
            more = file.read().replace("\r", "")
            text += more
            print(more, end="", flush=True)
            if ended:
                return text
            if time.monotonic() > deadline:
                raise Failure(f"not done after {limit_s} s")
            time.sleep(0.2)


def play_one(play, machine, keep):
    tree = FOLDER / f"run-{play}-{os.getpid()}"
    console = FOLDER / f"console-{play}-{machine}.log"
    process = None
    try:
        call("cp", "-a", "--reflink=auto", base(play, machine), tree)
        prepare(tree, play, machine)
        answers, command = (qemu if machine == "qemu" else container)(tree)
        say(f"{play}: booting ({machine})")
        with open(console, "wb") as out:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT)
        text = follow(process, answers, LIMIT_S[machine])
    finally:
        if process and process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if not keep:
            shutil.rmtree(tree, ignore_errors=True)
            shutil.rmtree(tree.with_suffix(".boot"), ignore_errors=True)
    lines = text.splitlines()
    bad = [line for line in lines if line.startswith("not ok")]
    if not any(line == "end" for line in lines):
        bad.append(f"not ok - {play}: the guest did not come to its end; see {console}")
    return sum(line.startswith("ok ") for line in lines), bad


def on_terminate(*_):
    """As by the keyboard: what was made is removed. Once is enough."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", choices=sorted(LIMIT_S), default="container")
    parser.add_argument("--only", choices=sorted(PLAYS), action="append", help="only this play")
    parser.add_argument("--keep", action="store_true", help="leave the tree of the machine in build-vm/")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("Only root can make and boot a machine: sudo tests/vm/run.py")
    if not (BUILD / "corosync-core").exists():
        sys.exit(f"{BUILD} has no programs: make")
    signal.signal(signal.SIGTERM, on_terminate)
    FOLDER.mkdir(exist_ok=True)
    good, bad = 0, []
    for play in options.only or PLAYS:
        try:
            passed, failed = play_one(play, options.machine, options.keep)
        except Failure as failure:
            passed, failed = 0, [f"not ok - {play}: {failure}"]
        good += passed
        bad += failed
    print("\n".join([f"{good} passed, {len(bad)} failed ({options.machine})"] + bad))
    sys.exit(1 if bad else 0)


main()
