# SPDX-License-Identifier: BSD-3-Clause
"""LAN cuts, healed again: every algorithm and tie-breaker, two and four nodes."""

from lab.wait import now_ns

from . import register, scenario


def _cut_and_heal(groups, winner, **config):
    """A scenario function: cut the LAN into `groups`, expect the one at index `winner` to stay quorate, heal."""
    def run(lab):
        lab.arbiter(lab.flavour)
        cluster = lab.cluster(**config)
        start = now_ns()
        cluster.cut(*groups)
        losers = [i for index, group in enumerate(groups) if index != winner for i in group]
        cluster.wait_quorate(groups[winner] if winner is not None else [], not_quorate=losers)
        if winner is not None:
            cluster.wait_votes({i: "ACK" for i in groups[winner]} | {i: "NACK" for i in losers})
            cluster.check_quorate_since(groups[winner], start)
        cluster.heal()
        cluster.wait_all()
    return run


_ONE = ([1], [2])
_TWO = ([1, 2], [3, 4])

for _algorithm in ("ffsplit", "lms"):
    for _tie, _two_winner, _four_winner in (("lowest", 0, 0), ("highest", 1, 1), (2, 1, 0), (3, None, 1)):
        if _two_winner is not None:
            register(f"two_{_algorithm}_{_tie}",
                     f"Two nodes, {_algorithm}, tie-breaker {_tie}: after a LAN cut node {_two_winner + 1} is quorate, the "
                     "other is not; healed, both are.",
                     _cut_and_heal(_ONE, _two_winner, algorithm=_algorithm, tie_breaker=_tie))
        # With lms and a node id the packaged arbiter acknowledges only the named node itself.
        register(f"four_{_algorithm}_{_tie}",
                 f"Four nodes cut two and two, {_algorithm}, tie-breaker {_tie}: the half holding the preferred node is "
                 "quorate.",
                 _cut_and_heal(_TWO, _four_winner, nodes=4, algorithm=_algorithm, tie_breaker=_tie),
                 ours_only=_algorithm == "lms" and isinstance(_tie, int))

register("two_2nodelms_lowest", "Two nodes, 2nodelms, tie-breaker lowest: as lms.",
         _cut_and_heal(_ONE, 0, algorithm="2nodelms"))
register("two_2nodelms_highest", "Two nodes, 2nodelms, tie-breaker highest: as lms.",
         _cut_and_heal(_ONE, 1, algorithm="2nodelms", tie_breaker="highest"))
register("two_ffsplit_udpu", "Two nodes over udpu instead of knet: the transport makes no difference.",
         _cut_and_heal(_ONE, 0, transport="udpu"))
register("four_ffsplit_three_way", "Four nodes cut into {1} {2} {3,4}: the exact half wins over the single nodes.",
         _cut_and_heal(([1], [2], [3, 4]), 2, nodes=4))
register("four_lms_three_way", "Four nodes, lms, cut into {1} {2} {3,4}: the largest part wins, not the tie-breaker.",
         _cut_and_heal(([1], [2], [3, 4]), 2, nodes=4, algorithm="lms"))
register("four_lms_one_three", "Four nodes, lms, cut into {1} {2,3,4}: size beats the tie-breaker.",
         _cut_and_heal(([1], [2, 3, 4]), 1, nodes=4, algorithm="lms"))
register("three_lms_single", "Three nodes, lms, cut into single ones: the tie-breaker decides, one node goes on.",
         _cut_and_heal(([1], [2], [3]), 0, nodes=3, algorithm="lms"))
register("three_lms_one_two", "Three nodes, lms, cut into {1} {2,3}: size beats the tie-breaker.",
         _cut_and_heal(([1], [2, 3]), 1, nodes=3, algorithm="lms"))
register("three_ffsplit_one_two", "Three nodes, ffsplit (odd, not recommended): two of three need the arbiter's vote and get it.",
         _cut_and_heal(([1], [2, 3]), 1, nodes=3))
register("two_lms_wait_for_all", "Two nodes, lms with wait_for_all: a LAN cut is decided as without it.",
         _cut_and_heal(_ONE, 0, algorithm="lms", wait_for_all=True))
register("four_ffsplit_nobody", "Four nodes cut into single ones: nobody holds half, nobody is quorate.",
         _cut_and_heal(([1], [2], [3], [4]), None, nodes=4))


@scenario()
def four_ffsplit_one_three(lab):
    """Four nodes, ffsplit, cut into {1} {2,3,4}: the majority wins although the tie-breaker is in the other part."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster(nodes=4)
    cluster.cut([1], [2, 3, 4])
    cluster.wait_quorate([2, 3, 4], not_quorate=[1])
    cluster.heal()
    cluster.wait_all()


@scenario()
def keep_active_partition(lab):
    """With keep-active-partition on, a half that won by score keeps the vote when scores are equal again, even against
    the tie-breaker."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster(nodes=2, tie_breaker="lowest")
    lab.frozen_allowed_ms = cluster.disconnected_frozen_ms
    cluster.cut_arbiter(1)
    cluster.wait_listed([2])
    cluster.cut([1], [2])
    cluster.wait_quorate([2], not_quorate=[1])
    cluster.heal_arbiter(1)
    cluster.wait_votes({1: "NACK", 2: "ACK"})
    cluster.hold("node 1 is back at the arbiter", [2], 2)
    cluster.heal()
    cluster.wait_all()
