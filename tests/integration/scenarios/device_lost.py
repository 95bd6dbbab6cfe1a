# SPDX-License-Identifier: BSD-3-Clause
"""Whole nodes lost with our device: killed without a goodbye, halves cut off, our device beside the packaged one."""

from lab.our_device import DEFAULT_LEASE_MS, HOLD_MS, check_no_overlap, lost_after_ms, our_cluster, wait_cast
from lab.wait import check, now_ns, wait_for

from . import register, scenario

_SLACK_MS = 1500


def _node_killed(arbiter):
    def run(lab):
        the_arbiter, cluster = our_cluster(lab, arbiter, timeout_ms=0)
        the_arbiter.wait_all_known()
        start = now_ns()
        cluster.nodes[1].kill()
        cluster.wait_quorate([2])
        took_ms = (now_ns() - start) / 1e6
        limit_ms = DEFAULT_LEASE_MS + HOLD_MS + _SLACK_MS
        check(took_ms < limit_ms, f"the survivor was settled after {took_ms:.0f} ms, {limit_ms} allowed")
        cluster.nodes[1].start()
        cluster.wait_all()
        check_no_overlap(lab)
    return run


for _arbiter in ("ours", "packaged"):
    register(f"device_node_killed_{_arbiter}",
             f"{_arbiter} arbiter, times by default: device and core of the favourite are killed, no goodbye; the survivor is "
             "settled in seconds.",
             _node_killed(_arbiter), ours_only=True)


@scenario(ours_only=True)
def device_half_cut_off(lab):
    """Four nodes, times by default: the favourite half loses the other half and the arbiter; the other half takes over in
    seconds, never do both believe in quorum."""
    arbiter, cluster = our_cluster(lab, nodes=4, timeout_ms=0)
    arbiter.wait_all_known()
    start = now_ns()
    cluster.cut_arbiter(1, 2)
    cluster.cut([1, 2], [3, 4])
    cluster.wait_quorate([3, 4], not_quorate=[1, 2])
    took_ms = (now_ns() - start) / 1e6
    limit_ms = DEFAULT_LEASE_MS + HOLD_MS + _SLACK_MS
    check(took_ms < limit_ms, f"settled after {took_ms:.0f} ms, {limit_ms} allowed")
    cluster.heal()
    cluster.wait_all()
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_killed_before_cut(lab):
    """The favourite's device is killed right before the LAN is cut: its voter, which outlives it, answers for the new ring
    at once, where the packaged device leaves the node frozen and quorate for sync_timeout."""
    _, cluster = our_cluster(lab, timeout_ms=10000, sync_timeout_ms=30000)
    wait_cast(cluster.nodes[1], "yes")
    cluster.nodes[1].kill_device()
    start = now_ns()
    cluster.cut([1], [2])
    wait_for("node 1 to lose quorum", lambda: 1 not in cluster.quorate(), 20)
    lost_ms = lost_after_ms(cluster, 1, start)
    check(lost_ms < 2200 + _SLACK_MS, f"node 1 was quorate for {lost_ms:.0f} ms")
    cluster.wait_quorate([2], not_quorate=[1])
    check_no_overlap(lab)


def _mixed(arbiter):
    def run(lab):
        lab.arbiter(arbiter)
        cluster = lab.cluster(start=False, timeout_ms=5000)
        for node in cluster.nodes.values():
            node.start_corosync()
        for i, flavour in ((1, "ours"), (2, "packaged")):
            lab.device_flavour = flavour
            cluster.nodes[i].start_device()
        cluster.wait_all()
        cluster.cut([1], [2])
        cluster.wait_quorate([1], not_quorate=[2])
        cluster.heal()
        cluster.wait_all()
        cluster.cut_host(1)
        cluster.wait_quorate([2], not_quorate=[1])
        cluster.heal()
        cluster.wait_all()
        check_no_overlap(lab)
    return run


for _arbiter in ("ours", "packaged"):
    register(f"device_mixed_{_arbiter}",
             f"{_arbiter} arbiter, our device on the favourite, the packaged one on the other: a LAN cut, then the favourite "
             "loses everything; never are both quorate.",
             _mixed(_arbiter), ours_only=True)


@scenario(ours_only=True)
def device_corosync_crashes_default_token(lab):
    """Four nodes, times by default, the token's too, split two and two; in the half that holds the vote one corosync crashes.
    The node left behind goes on until its ring has formed anew, which takes longer than our device's lease: the other half
    waits for it."""
    arbiter, cluster = our_cluster(lab, nodes=4, timeout_ms=0, token_ms=3000, totem={"token_coefficient": 650})
    arbiter.wait_all_known()
    cluster.cut([1, 2], [3, 4])
    cluster.wait_quorate([1, 2], not_quorate=[3, 4])
    cluster.hold("settled", [1, 2], 1)
    cluster.nodes[2].corosync.kill()  # its device waits for the next one
    cluster.nodes[2].watch.update().died(now_ns())
    lab.note("corosync of node 2 killed")
    cluster.wait_quorate([3, 4], not_quorate=[1])
    check_no_overlap(lab)
