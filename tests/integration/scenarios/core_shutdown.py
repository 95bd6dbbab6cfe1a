# SPDX-License-Identifier: BSD-3-Clause
"""Shutdowns that clients of libcfg may object to: what the packaged core decides, ours decides."""

import os
import signal

from lab.wait import check_equal, now_ns, wait_for

from . import register

SETTLED_S = 20
TIMEOUT_MS = 3000

# argv: yes, no or silent.
_VOTER = """
import ctypes, sys
cfg = ctypes.CDLL("libcfg.so.7")
handle = ctypes.c_uint64()
@ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_int)
def asked(handle, flags):
    print("asked", flags, flush=True)
    if sys.argv[1] != "silent":
        print("replied", cfg.corosync_cfg_replyto_shutdown(ctypes.c_uint64(handle), int(sys.argv[1] == "yes")), flush=True)
callbacks = (ctypes.c_void_p * 1)(ctypes.cast(asked, ctypes.c_void_p))
print("connected", cfg.corosync_cfg_initialize(ctypes.byref(handle), callbacks))
print("tracks", cfg.corosync_cfg_trackstart(handle, ctypes.c_uint8(0)), flush=True)
print("ended", cfg.corosync_cfg_dispatch(handle, 3), flush=True)
"""

# argv: flags.
_REQUESTER = """
import ctypes, sys, time
cfg = ctypes.CDLL("libcfg.so.7")
handle = ctypes.c_uint64()
cfg.corosync_cfg_initialize(ctypes.byref(handle), None)
start = time.monotonic()
print(cfg.corosync_cfg_try_shutdown(handle, int(sys.argv[1])), (time.monotonic() - start) * 1000)
"""

REQUEST, REGARDLESS, IMMEDIATE = "0", "1", "2"
OK, BUSY = "1", "10"


class _Voter:
    def __init__(self, node, reply):
        self.process = node.host.start(["/usr/bin/python3", "-c", _VOTER, reply], log="voter")
        self.wait("tracks 1")

    def wait(self, words):
        wait_for(f"{words!r} from a voter: {self.process.text()!r}", lambda: words in self.process.text(), SETTLED_S)

    def end(self):
        """Kill it; what it has said."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SETTLED_S)
        return self.process.text()


def _ask(node, flags):
    """What the requester is answered, and whether that took as long as the timeout, but for what clocks are rounded by."""
    answer, took_ms = node.host.run(["/usr/bin/python3", "-c", _REQUESTER, flags], ok=True).out.split()
    return answer, float(took_ms) > TIMEOUT_MS - 10


def _round(node, replies):
    voters = [_Voter(node, reply) for reply in replies]
    answer = _ask(node, REQUEST)
    for voter, reply in zip(voters, replies, strict=True):
        voter.wait("asked 0" if reply == "silent" else "replied 1")
    return answer, [voter.end() for voter in voters]


def _act(cluster, flavour):
    node = cluster.nodes[1]
    node.start_corosync(flavour)
    cluster.wait_quorate([1])
    node.host.run(["/usr/sbin/corosync-cmapctl", "-s", "cfg.shutdown_timeout", "u32", str(TIMEOUT_MS)], ok=True)
    said = {}
    for replies in (("yes", "no"), ("no", "no"), ("yes", "silent"), ("silent",)):
        said[f"{replies}"] = _round(node, replies)
        check_equal(said[f"{replies}"][0], (BUSY, "silent" in replies), f"{flavour}: a shutdown with {replies}")
    for replies, flags in ((("yes", "yes"), REQUEST), (("no", "yes"), REGARDLESS), (("no", "silent"), REGARDLESS), (("no",), IMMEDIATE)):
        voters = [_Voter(node, reply) for reply in replies]
        answer = _ask(node, flags)
        check_equal(answer, (OK, "silent" in replies), f"{flavour}: a shutdown with {replies}, flags {flags}")
        said[f"{replies} {flags}"] = answer, node.corosync.wait(SETTLED_S)
        for voter in voters:
            voter.wait("ended 2")
        said[f"{replies} {flags} voters"] = [voter.process.text() for voter in voters]
        node.watch.update().died(now_ns())
        node.start_corosync()
        cluster.wait_quorate([1])
        node.host.run(["/usr/sbin/corosync-cmapctl", "-s", "cfg.shutdown_timeout", "u32", str(TIMEOUT_MS)], ok=True)
    node.stop_corosync()
    return said


def _votes(lab):
    cluster = lab.cluster(nodes=1, device=False, start=False)
    packaged = _act(cluster, "packaged")
    check_equal(_act(cluster, "ours"), packaged, "what is said of shutdowns")


register("core_shutdown_votes", "Clients of libcfg object to a shutdown, agree, keep silent or are not asked: our core decides and "
         "answers as the packaged one, and ends with status 0.", _votes)
