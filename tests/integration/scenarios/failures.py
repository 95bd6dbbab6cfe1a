# SPDX-License-Identifier: BSD-3-Clause
"""Nodes, devices and paths that fail: killed, stopped, cut off, or failing their heuristics."""

from lab.cluster import TOLERANCE_MS
from lab.wait import check, now_ns, wait_for
from lab.watch import quorate_ms

from . import register, scenario

_HEALTHY = "healthy"
_HEURISTICS = {"mode": "on", "interval": 1000, "timeout": 1000, "sync_timeout": 1000,
               "exec_healthy": f"/usr/bin/test -e /etc/corosync/{_HEALTHY}"}

# The lease outlasts the forming of a ring (2.2 s): a node that is cut off still has its lease when it is alone, and
# gives up the moment that ends. Were it the other way round, it would be frozen for a while longer (watch.py).
_LONG_LEASE = {"timeout_ms": 5000, "sync_timeout_ms": 20000}


def _set_health(cluster, node_id, healthy):
    """Make a node's heuristics pass or fail."""
    path = cluster.nodes[node_id].host.path("etc", _HEALTHY)
    if healthy:
        path.touch()
    else:
        path.unlink(missing_ok=True)


def _wait_heuristics(lab, cluster, results):
    """Wait until the arbiter shows these heuristics: {node id: "Pass" or "Fail"}."""
    def shown():
        nodes = lab.the_arbiter.listing(cluster.config.name)
        return all(nodes.get(i, {}).get("Heuristics") == result for i, result in results.items())
    wait_for(f"heuristics {results} at the arbiter", shown, 20)


def _heuristics(groups, failing, winner, **config):
    """The nodes in `failing` fail their heuristics; then the LAN is cut and group `winner` must win."""
    def run(lab):
        lab.arbiter(lab.flavour)
        cluster = lab.cluster(wait=False, start=False, heuristics=_HEURISTICS, **config)
        for i in cluster.nodes:
            _set_health(cluster, i, i not in failing)
        cluster.start()
        cluster.wait_all()
        _wait_heuristics(lab, cluster, {i: "Fail" if i in failing else "Pass" for i in cluster.nodes})
        cluster.cut(*groups)
        losers = [i for index, group in enumerate(groups) if index != winner for i in group]
        cluster.wait_quorate(groups[winner], not_quorate=losers)
        cluster.heal()
        cluster.wait_all()
    return run


for _algorithm in ("ffsplit", "lms"):
    register(f"heuristics_two_{_algorithm}",
             f"Two nodes, {_algorithm}, heuristics fail on the favourite: the other node wins.",
             _heuristics(([1], [2]), {1}, 1, algorithm=_algorithm))
    register(f"heuristics_four_{_algorithm}",
             f"Four nodes, {_algorithm}, heuristics fail on one node of the favourite half: the other half wins.",
             _heuristics(([1, 2], [3, 4]), {2}, 1, nodes=4, algorithm=_algorithm))


@scenario()
def heuristics_move_the_vote(lab):
    """Two nodes split: when the heuristics of the holder begin to fail, the vote moves; when they pass again, it stays
    where it went (keep-active-partition)."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster(wait=False, start=False, heuristics=_HEURISTICS)
    for i in cluster.nodes:
        _set_health(cluster, i, True)
    cluster.start()
    cluster.wait_all()
    _wait_heuristics(lab, cluster, {1: "Pass", 2: "Pass"})
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    _set_health(cluster, 1, False)
    lab.note("heuristics of node 1 fail from here")
    cluster.wait_quorate([2], not_quorate=[1])
    _set_health(cluster, 1, True)
    lab.note("heuristics of node 1 pass from here")
    _wait_heuristics(lab, cluster, {1: "Pass", 2: "Pass"})
    cluster.hold("scores are equal again", [2], 1.5)


def _favourite_killed(algorithm):
    def run(lab):
        lab.arbiter(lab.flavour)
        cluster = lab.cluster(algorithm=algorithm)
        start = now_ns()
        cluster.nodes[1].kill()
        cluster.wait_quorate([2])
        cluster.check_quorate_since([2], start)
        cluster.nodes[1].start()
        cluster.wait_all()
    return run


def _favourite_stopped(algorithm):
    def run(lab):
        lab.arbiter(lab.flavour)
        cluster = lab.cluster(algorithm=algorithm)
        start = now_ns()
        cluster.nodes[1].stop()
        cluster.wait_quorate([2])
        cluster.check_quorate_since([2], start)
        cluster.nodes[1].start()
        cluster.wait_all()
    return run


def _favourite_cut_off(algorithm):
    def run(lab):
        lab.arbiter(lab.flavour)
        cluster = lab.cluster(algorithm=algorithm, **_LONG_LEASE)
        start = now_ns()
        cluster.cut_host(1)
        cluster.wait_quorate([2], not_quorate=[1])
        cluster.check_quorate_since([2], start)
        cluster.heal()
        cluster.wait_all()
    return run


for _algorithm in ("ffsplit", "lms"):
    register(f"favourite_killed_{_algorithm}",
             f"{_algorithm}: corosync and device of the favourite are killed; the other node takes over; back, both are.",
             _favourite_killed(_algorithm))
    register(f"favourite_stopped_{_algorithm}",
             f"{_algorithm}: the favourite is stopped in order; the other node stays quorate.",
             _favourite_stopped(_algorithm))
    register(f"favourite_cut_off_{_algorithm}",
             f"{_algorithm}: the favourite loses LAN and arbiter at once (as in a power failure, but it lives and "
             "believes): the other takes over, yet never while the first is still quorate.",
             _favourite_cut_off(_algorithm))


@scenario()
def favourite_half_cut_off(lab):
    """Four nodes: the favourite half is cut off from the other half and from the arbiter; the other half takes over."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster(nodes=4, **_LONG_LEASE)
    cluster.cut_arbiter(1, 2)
    cluster.cut([1, 2], [3, 4])
    cluster.wait_quorate([3, 4], not_quorate=[1, 2])
    cluster.heal()
    cluster.wait_all()


@scenario()
def one_of_four_cut_off(lab):
    """Four nodes: one is cut off from everything; the majority needs no arbiter and goes on, the one gives up when its
    device notices, at most two heartbeat intervals later."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster(nodes=4)
    lab.frozen_allowed_ms = 2 * cluster.config.heartbeat_ms + TOLERANCE_MS
    cluster.cut_host(1)
    cluster.wait_quorate([2, 3, 4], not_quorate=[1])
    cluster.heal()
    cluster.wait_all()


@scenario()
def device_killed_in_split(lab):
    """Two nodes split, the holder's device is killed: its vote lives on in corosync until the device's timeout, so the
    other node may have it only after that."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster()
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.nodes[1].kill_device()
    cluster.wait_quorate([2], not_quorate=[1])
    cluster.nodes[1].start_device()
    cluster.wait_listed([1, 2])
    cluster.heal()
    cluster.wait_all()


@scenario()
def device_frozen_briefly_in_split(lab):
    """Two nodes split, SIGSTOP of the holder's device for less than its lease, or its heartbeat interval: nobody notices."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster(**_LONG_LEASE)
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    start = now_ns()
    cluster.nodes[1].freeze_device()
    cluster.hold("the device is stopped", [1], 1.5)
    cluster.nodes[1].thaw_device()
    cluster.hold("the device goes on", [1], 1.5)
    cluster.check_quorate_since([1], start)
    cluster.wait_votes({1: "ACK", 2: "NACK"})


@scenario()
def device_frozen_in_split(lab):
    """Two nodes split, SIGSTOP of the holder's device for more than its lease: the vote ends although nobody is there to end
    it, moves, and does not come back with SIGCONT. (The packaged device's vote ends quorum.device.timeout after its last poll;
    of ours the voter says NO when the lease has ended.)"""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster()
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    start = now_ns()
    cluster.nodes[1].freeze_device()
    cluster.wait_quorate([2], not_quorate=[1])
    lost_ms = quorate_ms(cluster.nodes[1].watch.update(), start, now_ns())
    check(lost_ms < cluster.config.timeout_ms + TOLERANCE_MS, f"a stopped device's vote lived for {lost_ms:.0f} ms")
    cluster.nodes[1].thaw_device()
    cluster.wait_votes({1: "NACK", 2: "ACK"})
    cluster.hold("the device goes on", [2], 1)
    cluster.heal()
    cluster.wait_all()


@scenario()
def device_killed_outside_split(lab):
    """Two nodes, one device is killed: the two nodes are a majority without it; a split then goes to the other."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster()
    cluster.nodes[1].kill_device()
    cluster.wait_listed([2])
    cluster.hold("a device is dead", [1, 2], 2)
    cluster.cut([1], [2])
    cluster.wait_quorate([2], not_quorate=[1])
    cluster.heal()
    cluster.wait_quorate([1, 2])


@scenario()
def arbiter_unreachable_from_favourite(lab):
    """The favourite loses the arbiter in silence: both stay quorate while the LAN holds; cut, the other wins."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster()
    lab.frozen_allowed_ms = cluster.disconnected_frozen_ms
    cluster.cut_arbiter(1)
    cluster.wait_listed([2])
    cluster.hold("one node without arbiter", [1, 2], 2)
    cluster.cut([1], [2])
    cluster.wait_quorate([2], not_quorate=[1])
    cluster.heal()
    cluster.wait_all()


@scenario()
def arbiter_refused_to_favourite(lab):
    """The same with "no route to host" instead of silence."""
    arbiter = lab.arbiter(lab.flavour)
    cluster = lab.cluster()
    lab.frozen_allowed_ms = cluster.disconnected_frozen_ms
    lab.wires.refuse("n1", [arbiter.address])
    lab.note("arbiter unreachable from 1 (refused)")
    cluster.wait_listed([2])
    cluster.hold("one node without arbiter", [1, 2], 2)
    cluster.cut([1], [2])
    cluster.wait_quorate([2], not_quorate=[1])
    lab.wires.accept("n1", [arbiter.address])
    cluster.heal()
    cluster.wait_all()


@scenario()
def holder_loses_arbiter_in_split(lab):
    """Two nodes split, then the holder loses the arbiter: the vote moves, but not before the holder has given up."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster()
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.cut_arbiter(1)
    cluster.wait_quorate([2], not_quorate=[1])
    cluster.heal_arbiter(1)
    cluster.wait_listed([1, 2])
    cluster.heal()
    cluster.wait_all()


@scenario()
def short_arbiter_outage_in_split(lab):
    """Two nodes split, the holder's path to the arbiter is silent for less than the device's patience: nothing moves."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster(timeout_ms=5000)
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    start = now_ns()
    cluster.cut_arbiter(1)
    cluster.hold("a short outage", [1], 2)
    cluster.heal_arbiter(1)
    cluster.hold("after a short outage", [1], 3)
    cluster.check_quorate_since([1], start)


@scenario(ours_only=True)
def packaged_timing_on_request(lab):
    """With -S vote_lease=packaged, for clusters that fence, the other node need not wait until the vote of a node that
    fell silent must have ended. (Not judged for safety: that is what the setting gives up.)"""
    lab.safety_demanded = False
    arbiter = lab.arbiter(lab.flavour, ["-S", "vote_lease=packaged"])
    cluster = lab.cluster(**_LONG_LEASE)
    cluster.cut_host(1)
    start = now_ns()
    cluster.wait_belief(2, {2})
    took_ms = (now_ns() - start) / 1e6
    limit_ms = 1.5 * cluster.config.heartbeat_ms + 1000
    check(took_ms < limit_ms, f"node 2 waited {took_ms:.0f} ms, more than {limit_ms:.0f}")
    check("packaged" in arbiter.log, "the log says which timing is in force")


@scenario(ours_only=True)
def corosync_crashes_beside_holder(lab):
    """Four nodes split two and two; in the half that holds the vote one corosync crashes. Its device says goodbye, the
    vote moves to the other half. The node left behind casts NACK at once, but its votequorum only hears of that when
    the ring, which has just lost a member, has formed anew: until then it goes on, and the other half has to wait."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster(nodes=4)
    cluster.cut([1, 2], [3, 4])
    cluster.wait_quorate([1, 2], not_quorate=[3, 4])
    cluster.hold("settled", [1, 2], 1)
    cluster.nodes[2].crash_corosync()
    cluster.wait_quorate([3, 4], not_quorate=[1])
