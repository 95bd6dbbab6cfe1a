# SPDX-License-Identifier: BSD-3-Clause
"""The arbiter itself goes away and comes back: killed, stopped, swapped for the other make."""

from lab.cluster import TOLERANCE_MS
from lab.wait import check, now_ns, pause_ms

from . import register, scenario


def _end(arbiter, how):
    """End the arbiter: "killed", "stopped" (SIGTERM) or "shut_down" (by its tool)."""
    if how == "killed":
        arbiter.kill()
    elif how == "stopped":
        arbiter.stop()
    else:
        arbiter.shut_down()


def _outside_split(how, algorithm):
    def run(lab):
        arbiter = lab.arbiter(lab.flavour)
        cluster = lab.cluster(algorithm=algorithm)
        start = now_ns()
        _end(arbiter, how)
        cluster.hold("the arbiter is away", [1, 2], 1.5)
        arbiter.start()
        cluster.wait_all()
        cluster.check_quorate_since([1, 2], start)
        cluster.cut([1], [2])
        cluster.wait_quorate([1], not_quorate=[2])
    return run


def _in_split(how, **config):
    def run(lab):
        arbiter = lab.arbiter(lab.flavour)
        cluster = lab.cluster(**config)
        ids = list(cluster.nodes)
        half = len(ids) // 2
        winners, losers = ids[:half], ids[half:]
        cluster.cut(winners, losers)
        cluster.wait_quorate(winners, not_quorate=losers)
        start = now_ns()
        _end(arbiter, how)
        cluster.wait_quorate([], not_quorate=ids)
        arbiter.start()
        cluster.wait_quorate(winners, not_quorate=losers)
        cluster.check_not_quorate_since(losers, start)
        cluster.heal()
        cluster.wait_all()
    return run


for _how in ("killed", "stopped", "shut_down"):
    for _algorithm in ("ffsplit", "lms"):
        register(f"arbiter_{_how}_outside_split_{_algorithm}",
                 f"{_algorithm}: the arbiter is {_how.replace('_', ' ')} and started again outside a split: nobody "
                 "loses quorum, and the next split is decided as ever.",
                 _outside_split(_how, _algorithm))
        register(f"arbiter_{_how}_in_split_{_algorithm}",
                 f"{_algorithm}: the arbiter is {_how.replace('_', ' ')} and started again during a split: the same "
                 "half is quorate again, the other never.",
                 _in_split(_how, algorithm=_algorithm),
                 ours_only=True)
register("arbiter_killed_in_split_four", "Four nodes, two and two: as with two nodes.",
         _in_split("killed", nodes=4), ours_only=True)


@scenario(ours_only=True)
def restart_serves_the_old_holder_at_once(lab):
    """The holder of the vote is not the tie-breaker's choice. The arbiter is killed and started: it knows the holder,
    gives it the vote again without waiting for old leases to end, and does not give it to the favourite."""
    arbiter = lab.arbiter(lab.flavour)
    cluster = lab.cluster(timeout_ms=5000, sync_timeout_ms=20000)
    lab.frozen_allowed_ms = cluster.disconnected_frozen_ms
    cluster.cut_arbiter(1)
    cluster.wait_listed([2])
    cluster.cut([1], [2])
    cluster.wait_quorate([2], not_quorate=[1])
    cluster.heal_arbiter(1)
    cluster.wait_votes({1: "NACK", 2: "ACK"})
    start = now_ns()
    arbiter.kill()
    arbiter.start()
    cluster.wait_quorate([2], not_quorate=[1], deadline_s=6)
    cluster.hold("after the restart", [2], 2)
    cluster.check_not_quorate_since([1], start)


@scenario(ours_only=True)
def restart_with_the_holder_gone(lab):
    """The arbiter is killed during a split and the holder vanishes with it. Started again, it gives the vote to the
    other half, but only when the vanished holder must have given up."""
    arbiter = lab.arbiter(lab.flavour)
    cluster = lab.cluster()
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.cut_arbiter(1)
    arbiter.kill()
    arbiter.start()
    cluster.wait_quorate([2], not_quorate=[1])


@scenario()
def frozen_arbiter_briefly(lab):
    """The arbiter is stopped (SIGSTOP) during a split for less than the lease, or the device's patience: nobody notices."""
    arbiter = lab.arbiter(lab.flavour)
    cluster = lab.cluster(timeout_ms=5000, sync_timeout_ms=20000)
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    start = now_ns()
    arbiter.freeze()
    cluster.hold("the arbiter is stopped", [1], 1.5)
    arbiter.thaw()
    cluster.hold("the arbiter goes on", [1], 1.5)
    cluster.check_quorate_since([1], start)
    cluster.wait_votes({1: "ACK", 2: "NACK"})


@scenario(ours_only=True)
def frozen_arbiter(lab):
    """The arbiter is stopped (SIGSTOP) for longer than every lease during a split, then goes on: whatever it does then,
    never are both halves quorate, and the split is decided again."""
    arbiter = lab.arbiter(lab.flavour)
    cluster = lab.cluster()
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    arbiter.freeze()
    cluster.wait_quorate([], not_quorate=[1, 2])
    arbiter.thaw()
    cluster.wait_one_quorate()


@scenario()
def swapped_outside_split(lab):
    """Packaged arbiter, ours, packaged again, under a live cluster: nobody loses quorum, each decides a split alike."""
    arbiter = lab.arbiter("packaged")
    cluster = lab.cluster()
    for flavour in (lab.flavour, "packaged"):
        start = now_ns()
        arbiter.stop()
        arbiter.start(flavour)
        cluster.wait_all()
        cluster.check_quorate_since([1, 2], start)
        cluster.cut([1], [2])
        cluster.wait_quorate([1], not_quorate=[2])
        cluster.heal()
        cluster.wait_all()


@scenario(ours_only=True)
def swapped_in_split(lab):
    """The packaged arbiter is swapped for ours during a split: the same half is quorate again, the other never."""
    arbiter = lab.arbiter("packaged")
    cluster = lab.cluster()
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    start = now_ns()
    arbiter.stop()
    arbiter.start(lab.flavour)
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.check_not_quorate_since([2], start)
    cluster.heal()
    cluster.wait_all()
    arbiter.stop()
    arbiter.start("packaged")
    cluster.wait_all()


@scenario(ours_only=True)
def killed_again_and_again(lab):
    """During a split the arbiter is killed ever sooner after its start, in the middle of connecting, deciding and
    recording. Left alone at last it serves the half that had the vote; the other never had it."""
    arbiter = lab.arbiter(lab.flavour)
    cluster = lab.cluster()
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    start = now_ns()
    for life_ms in (700, 500, 350, 250, 180, 120, 80, 50, 30, 20, 10, 5):
        arbiter.kill()
        arbiter.start(expect_ready=False)
        pause_ms(life_ms)
    arbiter.kill()
    arbiter.start()
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.check_not_quorate_since([2], start)


@scenario(ours_only=True)
def relapse_repaired(lab):
    """The devices cast ACK after the LAN was cut but before the nodes notice: votequorum of the loser then turns its
    withdrawn vote on again (docs/observed.md). The arbiter sees it and repeats its NACK: the relapse ends at once, not
    when the device polls next."""
    arbiter = lab.arbiter(lab.flavour)
    cluster = lab.cluster(timeout_ms=5000, token_ms=3000, sync_timeout_ms=20000, net={"connect_timeout": 1000})
    arbiter.stop()
    cluster.cut([1], [2])
    arbiter.start()
    cluster.wait_votes({1: "ACK", 2: "ACK"})
    lab.note("both devices have ACK for the old ring")
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.hold("the loser keeps quiet", [1], 3)
    for lasted in cluster.relapses_ms([2]):
        check(lasted <= TOLERANCE_MS, f"votequorum relapsed for {lasted:.0f} ms")


@scenario()
def two_clusters_apart(lab):
    """Two clusters with different algorithms and tie-breakers at one arbiter: each is decided by its own rules, a split
    of one costs the other nothing."""
    lab.arbiter(lab.flavour, ["-s", "req"])
    alpha = lab.cluster(wait=False)
    beta = lab.cluster(wait=False, name="beta", first_host=10, algorithm="lms", tie_breaker="highest")
    alpha.wait_all()
    beta.wait_all()
    start = now_ns()
    alpha.cut([1], [2])
    alpha.wait_quorate([1], not_quorate=[2])
    beta.check_quorate_since([1, 2], start)
    beta.cut([1], [2])
    beta.wait_quorate([2], not_quorate=[1])
    alpha.heal()
    alpha.wait_all()
    beta.heal()
    beta.wait_all()
