# SPDX-License-Identifier: BSD-3-Clause
"""Our device's processes stopped (SIGSTOP) around a membership change, default times: votequorum shows its old answer until
somebody votes for the new ring, for sync_timeout (30 s) if need be. Nobody may be kept waiting, no two halves be quorate."""

import os
import signal

from lab.our_device import check_no_overlap, helper, our_cluster, split, status, wait_cast
from lab.wait import check, now_ns, wait_for

from . import register, scenario

_VOTER = "qdevice-voter"


def _goes_on(lab, cluster):
    """The stopped device goes on: it finds the vote given to the other, and all is well after healing."""
    check_no_overlap(lab)
    cluster.nodes[1].device.signal(signal.SIGCONT)
    lab.note("device of node 1 goes on (SIGCONT)")
    cluster.wait_votes({1: "NACK", 2: "ACK"})
    cluster.hold("the device goes on", [2], 1)
    check_no_overlap(lab)
    cluster.heal()
    cluster.wait_all()
    check_no_overlap(lab)


def _stop_agent(lab, cluster):
    cluster.nodes[1].device.signal(signal.SIGSTOP)
    lab.note("device of node 1 stopped (SIGSTOP)")


@scenario(ours_only=True)
def device_stopped_before_cut(lab):
    """The favourite's device is stopped, then the LAN is cut: its voter, which knows when the lease ends and sees the new
    ring itself, answers votequorum's wait; the other node wins."""
    _, cluster = our_cluster(lab, timeout_ms=0)
    wait_cast(cluster.nodes[1], "yes")
    _stop_agent(lab, cluster)
    cluster.cut([1], [2])
    cluster.wait_quorate([2], not_quorate=[1])
    _goes_on(lab, cluster)


@scenario(ours_only=True)
def device_stopped_after_cut(lab):
    """The same, the device being stopped between the cut and the new ring."""
    _, cluster = our_cluster(lab, timeout_ms=0)
    wait_cast(cluster.nodes[1], "yes")
    cluster.cut([1], [2])
    cluster.hold("the LAN is cut, Totem has not noticed", [1, 2], 1)
    _stop_agent(lab, cluster)
    cluster.wait_quorate([2], not_quorate=[1])
    _goes_on(lab, cluster)


def _with_heuristics(lab):
    """A settled cluster at default times, and the path of each node's heuristics command, which passes."""
    _, cluster = our_cluster(lab, wait=False, start=False, timeout_ms=0,
                             heuristics={"mode": "sync", "timeout": 1000, "sync_timeout": 20000,
                                         "exec_flag": "/etc/corosync/flag"})
    flags = {i: node.host.path("etc", "flag") for i, node in cluster.nodes.items()}
    for path in flags.values():
        path.write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
        path.chmod(0o755)
    cluster.start()
    cluster.wait_all()
    wait_cast(cluster.nodes[1], "yes")
    return cluster, flags


@scenario(ours_only=True)
def device_stopped_in_sync(lab):
    """The favourite's device is stopped while it waits for its verdict on the new ring (its heuristics are slow): what it
    had told its voter to cast is nothing, and not even that without an end."""
    cluster, flags = _with_heuristics(lab)
    flags[1].write_text("#!/bin/sh\nexec /usr/bin/sleep 864215\n", encoding="ascii")
    cluster.cut([1], [2])
    wait_for("node 1 to synchronise", lambda: status(cluster.nodes[1]).get("synchronising"), 10)
    _stop_agent(lab, cluster)
    cluster.wait_quorate([2], not_quorate=[1])
    check_no_overlap(lab)


def _voter_stopped(cut_first):
    def run(lab):
        _, cluster = our_cluster(lab, timeout_ms=0)
        node = cluster.nodes[1]
        split(cluster, 1, 2)
        voter, start = helper(node, _VOTER), now_ns()
        if cut_first:
            cluster.cut_arbiter(1)
        os.kill(voter, signal.SIGSTOP)
        lab.note("voter of node 1 stopped (SIGSTOP)")
        wait_for("another voter", lambda: helper(node, _VOTER) not in (None, voter), 3)
        check("The voter does not answer" in node.device.text(), "the log says so")
        if not cut_first:
            wait_cast(node, "yes")
            cluster.hold("the voter was stopped", [1], 1)
            cluster.check_quorate_since([1], start)
            cluster.cut_arbiter(1)
        cluster.wait_quorate([2], not_quorate=[1])
        check(status(node)["vote"]["cast"] == "no", "status tells what was carried out")
        check_no_overlap(lab)
    return run


register("device_voter_stopped", "The holder's voter is stopped (SIGSTOP): it is replaced at once, the vote is kept; then the "
         "arbiter's path goes silent, and the vote ends with the lease.", _voter_stopped(False), ours_only=True)
register("device_voter_stopped_in_silence", "The same, the path going silent first: the vote ends with the lease.",
         _voter_stopped(True), ours_only=True)


@scenario(ours_only=True)
def device_voter_stopped_before_cut(lab):
    """The favourite's voter is stopped in a healthy cluster, and the LAN is cut at once: the favourite keeps quorum all the
    same, and the other never has it."""
    _, cluster = our_cluster(lab, timeout_ms=0)
    wait_cast(cluster.nodes[1], "yes")
    start = now_ns()
    os.kill(helper(cluster.nodes[1], _VOTER), signal.SIGSTOP)
    lab.note("voter of node 1 stopped (SIGSTOP)")
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.check_quorate_since([1], start)
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_voter_stopped_in_sync(lab):
    """The favourite's voter is stopped while votequorum waits for its device: another one is told the verdict in time."""
    cluster, flags = _with_heuristics(lab)
    node, start = cluster.nodes[1], now_ns()
    flags[1].write_text("#!/bin/sh\nexec /usr/bin/sleep 2\n", encoding="ascii")
    voter = helper(node, _VOTER)
    cluster.cut([1], [2])
    wait_for("node 1 to synchronise", lambda: status(node).get("synchronising"), 10)
    os.kill(voter, signal.SIGSTOP)
    lab.note("voter of node 1 stopped (SIGSTOP)")
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.check_quorate_since([1], start)
    check(helper(node, _VOTER) not in (None, voter), "another voter")
    check_no_overlap(lab)
