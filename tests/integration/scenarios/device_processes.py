# SPDX-License-Identifier: BSD-3-Clause
"""Our device's processes killed while one node lives on the vote; the core restarted under the device. (SIGSTOP: failures.py,
with either device.)"""

import os
import signal

from lab.our_device import (always_quorate, check_no_overlap, helper, lost_after_ms, our_cluster, split, status, wait_cast,
                            watch_for, zombies)
from lab.wait import check, check_equal, now_ns, wait_for

from . import register, scenario

# Long enough that what happens within the lease certainly does, on a loaded machine too: H = 4 s, lease 5 s.
_PATIENT = {"timeout_ms": 5000}

_VOTER = "qdevice-voter"


def _device_killed(arbiter):
    def run(lab):
        _, cluster = our_cluster(lab, arbiter, **_PATIENT)
        split(cluster, 1, 2)
        start = now_ns()
        cluster.nodes[1].kill_device()
        wait_for("node 1 to lose quorum", lambda: 1 not in cluster.quorate(), 10)
        lost_ms = lost_after_ms(cluster, 1, start)
        check(lost_ms < 1000, f"the vote outlived the device by {lost_ms:.0f} ms")
        if arbiter == "ours":
            # Back before the arbiter could give the vote away, which is bound to the lease: it has it again.
            cluster.nodes[1].start_device()
            cluster.wait_quorate([1], not_quorate=[2])
            cluster.check_not_quorate_since([2], start)
        else:
            cluster.wait_quorate([2], not_quorate=[1])
            cluster.nodes[1].start_device()
            cluster.wait_votes({1: "NACK", 2: "ACK"})
        check_no_overlap(lab)
        cluster.heal()
        cluster.wait_all()
        check_no_overlap(lab)
    return run


for _arbiter in ("ours", "packaged"):
    register(f"device_killed_{_arbiter}",
             f"{_arbiter} arbiter, two nodes split: the holder's device is killed (SIGKILL); its voter withdraws the vote "
             "within a second, where the packaged device's lives on for quorum.device.timeout. Restarted, it "
             + ("gets the vote back." if _arbiter == "ours" else "finds it given to the other."),
             _device_killed(_arbiter), ours_only=True)


@scenario(ours_only=True)
def device_voter_killed(lab):
    """The holder's voter is killed: the device starts another, and the vote is kept."""
    _, cluster = our_cluster(lab, **_PATIENT)
    node = cluster.nodes[1]
    split(cluster, 1, 2)
    for _ in range(2):
        voter = helper(node, _VOTER)
        os.kill(voter, signal.SIGKILL)
        lab.note("voter of node 1 killed")
        always_quorate(cluster, 1, "another voter", lambda: helper(node, _VOTER) not in (None, voter))  # pylint: disable=cell-var-from-loop
        wait_cast(node, "yes")
        cluster.hold("the voter was killed", [1], 1)
        check_equal(zombies(node), [], "processes nobody reaped")
    check("The voter has died" in node.device.text(), "the log says so")
    # The new voter does all that the old one did.
    start = now_ns()
    node.kill_device()
    wait_for("node 1 to lose quorum", lambda: 1 not in cluster.quorate(), 10)
    check(lost_after_ms(cluster, 1, start) < 1000, "the new voter withdraws the vote of a dead device")
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_and_voter_killed(lab):
    """Agent and voter killed at once, which takes two SIGKILLs by pid: votequorum drops the vote after its timeout, and
    the other node gets it. (The case in which the vote outlives the device, docs/safety.md; not judged for overlap.)"""
    _, cluster = our_cluster(lab)
    lab.safety_demanded = False
    node = cluster.nodes[1]
    split(cluster, 1, 2)
    # Stopped first, so that it does not start another voter between the two.
    node.device.signal(signal.SIGSTOP)
    os.kill(helper(node, _VOTER), signal.SIGKILL)
    start = now_ns()
    node.kill_device()
    wait_for("node 1 to lose quorum", lambda: 1 not in cluster.quorate(), 20)
    lost_ms = lost_after_ms(cluster, 1, start)
    # The newest poll was up to half a timeout ago.
    check(cluster.config.timeout_ms / 2 - 100 < lost_ms < cluster.config.timeout_ms + 500,
          f"the vote lived for {lost_ms:.0f} ms: somebody withdrew it, or nobody dropped it")
    cluster.wait_quorate([2], not_quorate=[1])


def _core_restarted(arbiter):
    def run(lab):
        _, cluster = our_cluster(lab, arbiter, timeout_ms=0)
        node = cluster.nodes[1]
        for _ in range(2):
            pid, start = node.device.pid, now_ns()
            node.corosync.kill()
            node.watch.update().died(now_ns())
            lab.note("corosync of node 1 killed")
            cluster.wait_quorate([2])
            check("The core has gone" in node.device.text(), "the log says so")
            node.start_corosync()
            cluster.wait_all()
            cluster.check_quorate_since([2], start)
            wait_cast(node, "yes")
            check(node.device.running and node.device.pid == pid, "the device lived through it")
        check_no_overlap(lab)
        check_equal(status(node)["members"], [1, 2], "members as the device sees them")
    return run


for _arbiter in ("ours", "packaged"):
    register(f"device_core_restarted_{_arbiter}",
             f"{_arbiter} arbiter: corosync is killed and restarted under the device, twice: the same process attaches again and "
             "votes, while the other node lives on the arbiter's vote meanwhile.",
             _core_restarted(_arbiter), ours_only=True)


@scenario(ours_only=True)
def device_before_core(lab):
    """The device is started before corosync is there: it waits for it, answers its tool meanwhile, and then votes."""
    lab.device_flavour = "ours"
    lab.arbiter("ours")
    cluster = lab.cluster(start=False)
    for node in cluster.nodes.values():
        node.start_device_alone()
    cluster.nodes[1].wait_device_answers()
    watch_for("a device that waits for the core ends", lambda: not cluster.nodes[1].device.running, 1)
    for node in cluster.nodes.values():
        node.start_corosync()
    cluster.wait_all()
    wait_cast(cluster.nodes[1], "yes")


@scenario(ours_only=True)
def device_second_instance(lab):
    """A second device on the same node says so, ends with status 1, and does not harm the first one's vote."""
    _, cluster = our_cluster(lab, **_PATIENT)
    node = cluster.nodes[1]
    split(cluster, 1, 2)
    start, first = now_ns(), node.device
    second = node.start_second_device()
    check_equal(second.wait(10), 1, "exit status of the second device")
    cluster.hold("a second device was started", [1], 1)
    cluster.check_quorate_since([1], start)
    check(first.running and helper(node, _VOTER), "the first device and its voter live")
