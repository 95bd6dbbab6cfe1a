# SPDX-License-Identifier: BSD-3-Clause
"""Runs one piece of work in a sandbox of its own, as a child process: what run.py and the demo share.

`prepare(scratch)` compiles the tests' own programs and makes the certificates; `Scratch` is the directory a run works in.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

from . import certs
from .cluster import program
from .wait import Failure

HERE = pathlib.Path(__file__).resolve().parent
NEEDS = {
    "/usr/sbin/corosync": "corosync",
    "/usr/sbin/corosync-qdevice": "corosync-qdevice",
    "/usr/bin/corosync-qnetd": "corosync-qnetd",
    "/usr/bin/certutil": "libnss3-tools",
    "/usr/bin/nsenter": "util-linux",
    "/usr/bin/openssl": "openssl",
    "/usr/bin/strace": "strace",
    "/usr/sbin/ip": "iproute2",
    "/usr/include/corosync/cpg.h": "libcpg-dev",
    "/usr/include/corosync/votequorum.h": "libvotequorum-dev",
}


PATHS = {"prefix": "/usr", "sysconfdir": "/etc", "localstatedir": "/var", "runstatedir": "/run"}
"""What configure was told for the build that the lab uses; each host has these folders to itself."""


def foreign_paths(build):
    """Why the programs in the folder `build` cannot play: elsewhere they would read and write the machine's own files. Empty if they can."""
    try:
        lines = (pathlib.Path(build) / "Makefile").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        return f"a build: {error}"
    said = dict(line.split(" = ", 1) for line in lines if line.split(" = ")[0] in PATHS and " = " in line)
    for inner in PATHS:
        said = {name: value.replace("${%s}" % inner, said.get(inner, "")) for name, value in said.items()}
    if all(said.get(name) == path for name, path in PATHS.items()):
        return ""
    wrong = " ".join(f"{name}={said.get(name, '?')}" for name, path in PATHS.items() if said.get(name) != path)
    options = " ".join(f"--{name}={path}" for name, path in PATHS.items())
    return f"a build with the packaged paths, and this one has {wrong}: configure it with {options} (or use `make` in a fresh clone)"


def missing():
    """What this machine, or the build that Q_BUILD names, lacks, in words; empty if nothing."""
    if os.geteuid() != 0:
        return "root (network namespaces): run it with sudo"
    probe = subprocess.run(["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "true"],
                           stderr=subprocess.DEVNULL, check=False)
    if probe.returncode != 0:
        return "a kernel that lets root make namespaces (a container without CAP_SYS_ADMIN does not)"
    packages = sorted({package for path, package in NEEDS.items() if not os.path.exists(path)})
    if packages:
        return "Debian packages: apt-get install " + " ".join(packages)
    return foreign_paths(os.environ["Q_BUILD"]) if "Q_BUILD" in os.environ else ""


def make_scratch():
    """A new directory for a run."""
    return pathlib.Path(tempfile.mkdtemp(prefix="qr-"))


def watcher_path(scratch):
    return scratch / "quorum-watcher"


def witness_path(scratch):
    return scratch / "stall-witness"


def cpg_client_path(scratch):
    return scratch / "cpg-client"


def clock_shift_path(scratch):
    return scratch / "clock-shift.so"


def certificates_path(scratch):
    return scratch / "certificates"


def _compile(source, target, *options):
    done = subprocess.run([os.environ.get("CC", "cc").split()[0], "-std=gnu17", "-O2", "-Wall", "-o", target, HERE / source,
                           *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"cannot compile {source}: {done.stderr}")


def prepare(scratch, flavour="ours"):
    """Compile the tests' own programs and make the certificates, with our tools or the packaged ones; call it inside the
    sandbox."""
    _compile("quorum-watcher.c", watcher_path(scratch), "-lvotequorum")
    _compile("stall-witness.c", witness_path(scratch), "-lpthread")
    _compile("cpg-client.c", cpg_client_path(scratch), "-lcpg")
    _compile("clock-shift.c", clock_shift_path(scratch), "-shared", "-fPIC")
    certificates_path(scratch).mkdir()
    tools = certs.Tools(program("corosync-qnetd-certutil", flavour), program("corosync-qdevice-net-certutil", flavour))
    certs.make(certificates_path(scratch), scratch / "ca", tools)
    shutil.rmtree(scratch / "ca")
