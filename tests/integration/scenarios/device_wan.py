# SPDX-License-Identifier: BSD-3-Clause
"""Our device, times by default, with the arbiter far away: 50 ms to it and back, and a line that loses frames.

"A 50 ms WAN" is read as what ping would say, the round trip. It is the line to the arbiter; the nodes share a LAN.
"""

from lab.our_device import check_no_overlap, leases_ended, reconnections, split, wan
from lab.wait import check, check_equal, now_ns, pause_ms, wait_for

from . import register, scenario

FAILOVER_MS = 4500
BLACKOUT_MS = 1500


def _check_round_trip(cluster):
    """TCP itself has measured 50 ms."""
    for node in cluster.nodes.values():
        fastest_ms = min(node.round_trips_ms())
        check(50 <= fastest_ms < 60, f"the fastest round trip of node {node.id} was {fastest_ms} ms")


def _cut_off(cluster):
    """The favourite loses LAN and arbiter; how long until the other half is quorate, from the cut on."""
    start = now_ns()
    cluster.cut_host(1)
    cluster.wait_quorate([2], not_quorate=[1])
    took_ms = (now_ns() - start) / 1e6
    cluster.lab.note(f"settled after {took_ms:.0f} ms")
    return took_ms


def _wan(flavour):
    def run(lab):
        arbiter, cluster, _ = wan(lab, flavour)
        _check_round_trip(cluster)
        start = split(cluster, 1, 2)
        cluster.heal()
        cluster.wait_all()
        cluster.check_quorate_since([1], start)
        arbiter.wait_all_known()
        took_ms = _cut_off(cluster)
        check(took_ms < FAILOVER_MS, f"settled after {took_ms:.0f} ms, {FAILOVER_MS} allowed")
        check_no_overlap(lab)
    return run


for _flavour in ("ours", "packaged"):
    register(f"device_wan_{_flavour}",
             f"Our device, times by default, {_flavour} arbiter 50 ms away: a LAN cut leaves the favourite quorate without a gap; "
             "when it loses LAN and arbiter, the other takes over within 4.5 s, and never do both believe in quorum.",
             _wan(_flavour), ours_only=True)


def _after_next_echo(line, delay_ms):
    """Return this long after the device has sent an echo: the first frame after a silence."""
    carried, since = line.carried, now_ns()
    while True:
        pause_ms(2)
        if line.carried != carried:
            if now_ns() - since > 150e6:
                pause_ms(delay_ms)
                return
            carried, since = line.carried, now_ns()


def _conversation(line):
    """Wait until echoes and answers go over the line again."""
    carried = line.carried
    wait_for("echoes and answers", lambda: line.carried > carried + 6, 20)


def _check_no_alarm(cluster, start_ns):
    """Since that time node 1 was quorate, and no device has lost its arbiter or its lease at any time."""
    cluster.check_quorate_since([1], start_ns)
    for node in cluster.nodes.values():
        check_equal(leases_ended(node), 0, f"false alarms of node {node.id}")
        check_equal(reconnections(node), 0, f"reconnections of node {node.id}")


@scenario(ours_only=True)
def device_lossy(lab):
    """Our device, times by default, arbiter 50 ms away. 2 % of the frames are lost in each direction while node 1 lives on the
    arbiter's vote: no false alarm. Then node 1 loses the arbiter for good: the other takes over, over the same line."""
    # With these seeds three of the first 60 frames of each node are lost, in both directions.
    arbiter, cluster, lines = wan(lab, seeds=(26, 71))
    start = split(cluster, 1, 2)
    for line in lines.values():
        line.lose(2)
    wait_for("three lost frames in each line", lambda: all(line.lost > 2 for line in lines.values()), 30)
    lab.note(f"lost {[line.lost for line in lines.values()]} of {[line.carried for line in lines.values()]} frames")
    arbiter.wait_all_known()
    _check_no_alarm(cluster, start)
    failover = now_ns()
    cluster.cut_arbiter(1)
    cluster.wait_quorate([2], not_quorate=[1])
    took_ms = (now_ns() - failover) / 1e6
    check(took_ms < FAILOVER_MS, f"settled after {took_ms:.0f} ms, {FAILOVER_MS} allowed")
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_blackout(lab):
    """Our device, times by default, arbiter 50 ms away. The line of a node that lives on the arbiter's vote is dead for 1.5 s,
    twice: from just before an echo leaves, and from just before its answer does. The vote stays. (TCP left to itself would
    wait for 1 s after four lost attempts, and be too late for the lease.)"""
    _, cluster, lines = wan(lab)
    start = split(cluster, 1, 2)
    for moment_ms in (430, 10):
        _after_next_echo(lines[1], moment_ms)
        lines[1].lose(100)
        pause_ms(BLACKOUT_MS)
        lines[1].lose(0)
        lab.note(f"node 1 had no line to the arbiter for {BLACKOUT_MS} ms")
        _conversation(lines[1])
    _check_no_alarm(cluster, start)
