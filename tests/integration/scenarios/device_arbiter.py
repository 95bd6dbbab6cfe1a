# SPDX-License-Identifier: BSD-3-Clause
"""Our device and arbiters that come, go, fall silent or refuse; names that stop resolving; several hosts; orderly ends."""

from lab.names import Names
from lab.our_device import (HOLD_MS, check_no_overlap, lost_after_ms, our_cluster, split, status, wait_attached, watch_for)
from lab.wait import check, check_equal, now_ns, wait_for

from . import register, scenario

_PATIENT = {"timeout_ms": 5000}
_NAME = "arbiter4"
_DEAD = "10.2.0.250"
_REFUSING = "10.2.0.2"
"""Node 2: no arbiter runs there."""


@scenario(ours_only=True)
def device_arbiter_restarted(lab):
    """The arbiter is killed and comes back, twice, while one node lives on its vote: quorum is never lost."""
    arbiter, cluster = our_cluster(lab, **_PATIENT)
    start = split(cluster, 1, 2)
    for _ in range(2):
        arbiter.kill()
        arbiter.start()
        cluster.wait_votes({1: "ACK", 2: "NACK"})
        cluster.hold("the arbiter is back", [1], 2)
    arbiter.stop()
    arbiter.start()
    cluster.wait_votes({1: "ACK", 2: "NACK"})
    cluster.check_quorate_since([1], start)
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_arbiter_refusing(lab):
    """The arbiter is stopped (connections are refused) while one node lives on its vote: the vote ends with the lease, and
    is back soon after the arbiter."""
    arbiter, cluster = our_cluster(lab)
    split(cluster, 1, 2)
    lease_ms = cluster.config.heartbeat_ms * 5 // 4
    start = now_ns()
    arbiter.stop()
    wait_for("node 1 to lose quorum", lambda: 1 not in cluster.quorate(), 20)
    lost_ms = lost_after_ms(cluster, 1, start)
    check(lost_ms < lease_ms + HOLD_MS + 500, f"the vote lived for {lost_ms:.0f} ms without an arbiter")
    why = status(cluster.nodes[1])["vote"]["why"]
    check("no arbiter is reached" in why, f"the device says why it does not have the vote: {why}")
    arbiter.start()
    cluster.wait_one_quorate()
    check_no_overlap(lab)
    cluster.heal()
    cluster.wait_all()
    check_no_overlap(lab)


@scenario(ours_only=True)
def device_no_route(lab):
    """The holder's host says "no route" to the arbiter instead of silence: as silence, the vote moves with the lease."""
    arbiter, cluster = our_cluster(lab)
    split(cluster, 1, 2)
    lab.wires.refuse("n1", [arbiter.address])
    lab.note("no route from node 1 to the arbiter")
    cluster.wait_quorate([2], not_quorate=[1])
    check_no_overlap(lab)
    lab.wires.accept("n1", [arbiter.address])
    cluster.wait_votes({1: "NACK", 2: "ACK"})
    cluster.heal()
    cluster.wait_all()
    check_no_overlap(lab)


def _arbiter_frozen(arbiter_flavour):
    def run(lab):
        arbiter, cluster = our_cluster(lab, arbiter_flavour, **_PATIENT)
        split(cluster, 1, 2)
        start = now_ns()
        arbiter.freeze()
        wait_for("the vote to end with the lease", lambda: not cluster.quorate(), 12)
        lost_ms = lost_after_ms(cluster, 1, start)
        check(lost_ms < cluster.config.heartbeat_ms * 5 // 4 + HOLD_MS + 500, f"the vote lived for {lost_ms:.0f} ms")
        arbiter.thaw()
        cluster.wait_one_quorate()
        check_no_overlap(lab)
    return run


for _arbiter in ("ours", "packaged"):
    register(f"device_arbiter_frozen_{_arbiter}",
             f"SIGSTOP of the {_arbiter} arbiter for more than the lease: nobody has the vote until it goes on, after which one "
             "has. (For less: frozen_arbiter_briefly.)", _arbiter_frozen(_arbiter), ours_only=True)


def _votequorum_status(node):
    """What votequorum says of the node and its device: "A,NV" while it hears NO of it in time."""
    return node.host.run(["/usr/sbin/corosync-quorumtool", "-s"]).out


def _name_fails(how, words):
    def run(lab):
        arbiter, cluster = our_cluster(lab, start=False, host=_NAME, **_PATIENT)
        node = cluster.nodes[1]
        names = Names(node.host, arbiter.address)
        cluster.start()
        cluster.wait_all()
        start = split(cluster, 1, 2)
        names.say(how)
        lab.note(f"name server of node 1: {how}")
        cluster.hold("the name does not resolve", [1], 1)
        check_equal(names.asked(how), 0, "questions of a device that is connected")
        # Reconnecting: the address of before is used, and the vote is kept.
        arbiter.kill()
        arbiter.start()
        cluster.wait_votes({1: "ACK", 2: "NACK"})
        check(names.asked(how), "the name was looked up")
        check("trying the address it had" in node.device.text(), "the log says what is done instead")
        cluster.hold("connected without the name", [1], 1)
        cluster.check_quorate_since([1], start)
        # The arbiter is gone too: the vote ends with its lease, NO is polled in time, and the status says why.
        gone = now_ns()
        arbiter.stop()
        wait_for("node 1 to lose quorum", lambda: 1 not in cluster.quorate(), 20)
        lost_ms = lost_after_ms(cluster, 1, gone)
        check(lost_ms < cluster.config.heartbeat_ms * 5 // 4 + HOLD_MS + 500, f"the vote lived for {lost_ms:.0f} ms without an arbiter")
        wait_for("the reason in the status", lambda: f"No: no arbiter is reached ({words}" in status(node)["vote"]["why"], 20)
        asked = now_ns()
        check(status(node), "the device answers its tool")
        check(now_ns() - asked < 2e9, "without waiting for the lookup")
        watch_for("the device is not heard of", lambda: "A,NV" not in _votequorum_status(node), cluster.config.timeout_ms / 1000 + 0.5)
        names.say(arbiter.address)
        lab.note("the name resolves again")
        arbiter.start()
        cluster.wait_connected([1], 20)
        cluster.wait_one_quorate()
        check_no_overlap(lab)
    return run


register("device_name_server_silent",
         "The arbiter's name is asked of a name server that falls silent: a connected device does not care; one that connects anew "
         "goes by the former address and keeps the vote; without the arbiter the vote ends with the lease, votequorum hears NO in "
         "time, status says why, and all is well when the name resolves again.",
         _name_fails("silent", "the name service does not answer"), ours_only=True)
register("device_name_unknown", "The same with a name server that says there is no such name.",
         _name_fails("unknown", "name cannot be resolved"), ours_only=True)


def _second_host(first):
    def run(lab):
        arbiter, cluster = our_cluster(lab, host=f"{first}, {_NAME}", **_PATIENT)
        check_equal(status(cluster.nodes[1])["arbiter"]["host"], _NAME, "the host in use")
        start = split(cluster, 1, 2)
        arbiter.kill()
        arbiter.start()
        cluster.wait_votes({1: "ACK", 2: "NACK"})
        cluster.hold("the second host is back", [1], 1)
        cluster.check_quorate_since([1], start)
        check_no_overlap(lab)
    return run


for _how, _first in (("silent", _DEAD), ("refusing", _REFUSING), ("unknown", "nobody.invalid")):
    register(f"device_second_host_{_how}",
             f"host: a,b with a first one that is {_how}: the second is used; after a restart of that one, again, and the "
             "node that lives on its vote keeps quorum.", _second_host(_first), ours_only=True)


def _orderly_stop(arbiter_flavour):
    def run(lab):
        arbiter, cluster = our_cluster(lab, arbiter_flavour)
        arbiter.wait_all_known()
        split(cluster, 1, 2)
        start = now_ns()
        check_equal(cluster.nodes[1].device.stop(), 0, "exit status of the device")
        lab.note("device of node 1 stopped (SIGTERM)")
        cluster.wait_quorate([2], not_quorate=[1])
        took_ms = (now_ns() - start) / 1e6
        check(took_ms < cluster.config.heartbeat_ms, f"the rival waited {took_ms:.0f} ms for the vote of a device that said goodbye")
        check_no_overlap(lab)
        cluster.nodes[1].start_device()
        cluster.wait_votes({1: "NACK", 2: "ACK"})
        cluster.heal()
        cluster.wait_all()
        check_no_overlap(lab)
    return run


for _arbiter in ("ours", "packaged"):
    register(f"device_orderly_stop_{_arbiter}",
             f"{_arbiter} arbiter, two nodes split: the holder's device is stopped in order: it casts NO, then says goodbye, "
             "so the rival has the vote at once.",
             _orderly_stop(_arbiter), ours_only=True)


@scenario(ours_only=True)
def device_never_reached(lab):
    """No arbiter at all from the start: nodes become quorate without it where votes suffice, and the device says why it
    has no vote; when the arbiter comes, it is used within seconds."""
    lab.device_flavour = "ours"
    arbiter = lab.arbiter("ours", start=False)
    cluster = lab.cluster(wait=False)
    cluster.wait_quorate([1, 2])
    wait_for("an explanation", lambda: "no arbiter is reached" in status(cluster.nodes[1]).get("vote", {}).get("why", ""), 20)
    watch_for("a device without an arbiter ends", lambda: not cluster.nodes[1].device.running, 1)
    arbiter.start()
    wait_attached(cluster.nodes[1], 5)
    cluster.wait_all()
