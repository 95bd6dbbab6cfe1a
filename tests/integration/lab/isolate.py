# SPDX-License-Identifier: BSD-3-Clause
"""Puts the calling process into namespaces of its own.

`enter()` returns in a new process that has its own process ids, network, mounts, host name and IPC. Whatever it starts,
daemons included, dies with it, and it dies with the process that called `enter()`: the kernel does the cleaning up,
whichever way a test ends. The caller itself stays outside and only passes the exit status on.

Inside, process 1 is a plain reaper, so that daemons that detach do not stay behind as zombies.
"""

import ctypes
import os
import signal
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        err = ctypes.get_errno()
        raise OSError(err, f"{what}: {os.strerror(err)}")


def unshare(flags):
    """unshare(2)."""
    _check(_libc.unshare(flags), "unshare")


def mount(source, target, fstype=None, flags=0, data=None):
    """mount(2)."""
    def text(value):
        return None if value is None else os.fsencode(value)
    _check(_libc.mount(text(source), text(target), text(fstype), ctypes.c_ulong(flags), text(data)),
           f"mount on {target}")


def die_with_parent():
    """SIGKILL for this process when the one that created it ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def _exit_like(status):
    """End as the child did."""
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _wait_for(pid):
    """Reap everything until `pid` has ended; return its status."""
    while True:
        try:
            ended, status = os.wait()
        except InterruptedError:
            continue
        if ended == pid:
            return status


def enter():
    """Continue in a sandbox; returns only there. Needs root. Call it before any thread exists."""
    if os.geteuid() != 0:
        raise PermissionError("namespaces need root")
    sys.stdout.flush()
    sys.stderr.flush()
    # From here a signal's default action is what we want: the process ends and the kernel takes the rest with it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    unshare(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)
    reaper = os.fork()
    if reaper != 0:
        _exit_like(_wait_for(reaper))
    die_with_parent()
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc")
    worker = os.fork()
    if worker != 0:
        _exit_like(_wait_for(worker))
    os.setsid()
    # Ctrl-C reaches the process outside; SIGTERM from inside unwinds normally.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
