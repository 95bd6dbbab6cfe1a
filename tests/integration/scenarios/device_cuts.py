# SPDX-License-Identifier: BSD-3-Clause
"""Our device: nodes that lose LAN and arbiter at once, or the arbiter after a cut, with our arbiter and with the packaged one.
(LAN cuts alone: cuts.py, with either device.)"""

from lab.our_device import DEFAULT_LEASE_MS, HOLD_MS, check_no_overlap, our_cluster
from lab.wait import check, now_ns

from . import register

# A ring takes 2.2 s to form; every bound below starts then or at the cut, and the machine is shared.
_SLACK_MS = 1500


def _cut_off(arbiter, **config):
    """The favourite loses LAN and arbiter; the times are the programs' defaults."""
    def run(lab):
        the_arbiter, cluster = our_cluster(lab, arbiter, timeout_ms=0, **config)
        the_arbiter.wait_all_known()
        start = now_ns()
        cluster.cut_host(1)
        cluster.wait_quorate([2], not_quorate=[1])
        took_ms = (now_ns() - start) / 1e6
        lab.note(f"settled after {took_ms:.0f} ms")
        check_no_overlap(lab)
        # Our arbiter waits for the lease and the hold, the packaged one for 1.5 H at the granularity of its own timer.
        limit_ms = DEFAULT_LEASE_MS + HOLD_MS + _SLACK_MS if arbiter == "ours" else 12000
        check(took_ms < limit_ms, f"settled after {took_ms:.0f} ms, {limit_ms} allowed")
        cluster.heal()
        cluster.wait_all()
        check_no_overlap(lab)
    return run


for _arbiter in ("ours", "packaged"):
    for _algorithm in ("ffsplit", "lms"):
        register(f"device_cut_off_{_arbiter}_{_algorithm}",
                 f"Our device, {_arbiter} arbiter, {_algorithm}, times by default: the favourite loses LAN and arbiter at "
                 "once; the other takes over in seconds, and never do both believe in quorum.",
                 _cut_off(_arbiter, algorithm=_algorithm), ours_only=True)


def _holder_cut_off(arbiter):
    def run(lab):
        _, cluster = our_cluster(lab, arbiter, timeout_ms=0)
        cluster.cut([1], [2])
        cluster.wait_quorate([1], not_quorate=[2])
        cluster.cut_arbiter(1)
        cluster.wait_quorate([2], not_quorate=[1])
        check_no_overlap(lab)
        cluster.heal_arbiter(1)
        cluster.wait_votes({1: "NACK", 2: "ACK"})
        cluster.heal()
        cluster.wait_all()
        check_no_overlap(lab)
    return run


for _arbiter in ("ours", "packaged"):
    register(f"device_holder_loses_{_arbiter}",
             f"Our device, {_arbiter} arbiter: two nodes split, then packets between holder and arbiter vanish; the vote "
             "moves only when the holder has given it up.",
             _holder_cut_off(_arbiter), ours_only=True)
