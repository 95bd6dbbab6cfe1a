# SPDX-License-Identifier: BSD-3-Clause
"""Each option of votequorum side by side: a cluster of packaged cores and one of ours go through the same; the packaged tools and
clients must say the same of both at every step (lab/twins.py says what is compared, and how steps are written)."""

from lab.twins import Twins

from . import register


def _case(name, doc, steps, **config):
    def run(lab):
        Twins(lab, device=False, **config).play(steps)
    register(f"core_options_{name}", f"Side by side with the packaged core: {doc}", run)


_case("two_node", "two_node, which implies wait_for_all: a start alone, a crash, a cut, orderly ends, a restart alone.", (
    ("boot 1", "1: no 2 1 1"),
    ("boot 2", "1,2: yes 2 2 1"),
    ("kill 2", "1: yes 2 1 1"),
    ("boot 2", "1,2: yes 2 2 1"),
    ("cut 1 | 2", "1,2: yes 2 1 1"),
    ("heal", "1,2: yes 2 2 1"),
    ("leave 1", "2: yes 2 1 1"),
    ("leave 2", ""),
    ("boot 1", "1: no 2 1 1"),
    ("boot 2", "1,2: yes 2 2 1"),
), nodes=2, quorum={"two_node": 1})

_case("two_node_alone", "two_node that does not wait for all; two_node switched off and on again by reload.", (
    ("boot 1", "1: yes 2 1 1"),
    ("boot 2", "1,2: yes 2 2 1"),
    ("reload 2: two_node: 1 -> two_node: 0", "1,2: yes 2 2 2"),
    ("kill 1", "2: no 2 1 2"),
    ("reload 2: two_node: 0 -> two_node: 1", "2: yes 2 1 1"),
    ("boot 1", "1,2: yes 2 2 1"),
), nodes=2, quorum={"two_node": 1, "wait_for_all": 0})

_case("wait_for_all", "wait_for_all: the first start, less than all after quorum was lost, a restart of all, who joins a "
      "quorate partition.", (
          ("boot 1", "1: no 3 1 2"),
          ("boot 2", "1,2: no 3 2 2"),
          ("boot 3", "1,2,3: yes 3 3 2"),
          ("kill 3", "1,2: yes 3 2 2"),
          ("boot 3", "1,2,3: yes 3 3 2"),
          ("leave 3", "1,2: yes 3 2 2"),
          ("cut 1 | 2", "1,2: no 3 1 2"),
          ("heal", "1,2: no 3 2 2"),
          ("boot 3", "1,2,3: yes 3 3 2"),
          ("kill 1 2 3", ""),
          ("boot 2 3", "2,3: no 3 2 2"),
      ), nodes=3, quorum={"wait_for_all": 1})

_case("wait_for_all_cancelled", "waiting for all is cancelled by a key on one node; it begins anew when quorum is lost.", (
    ("boot 1", "1: no 3 1 2"),
    ("boot 2", "1,2: no 3 2 2"),
    ("key 2: quorum.cancel_wait_for_all u8 1", "1,2: yes 3 2 2"),
    ("boot 3", "1,2,3: yes 3 3 2"),
    ("leave 2", "1,3: yes 3 2 2"),
    ("leave 1", "3: no 3 1 2"),
    ("boot 1", "1,3: no 3 2 2"),
    ("tool 1: -e 4", "1,3: no 4 2 3"),
    ("key 3: quorum.cancel_wait_for_all u8 1", "1,3: yes 3 2 2"),
), nodes=3, quorum={"wait_for_all": 1})

_WINDOW = {"last_man_standing": 1, "last_man_standing_window": 3000}

_case("last_man_standing", "last_man_standing: expected votes fall after the window, and rise with who returns.", (
    ("boot 1 2 3 4", "1,2,3,4: yes 4 4 3"),
    ("leave 4", "1,2,3: yes 3 3 2"),
    ("kill 3", "1,2: yes 2 2 2"),
    ("boot 3", "1,2,3: yes 3 3 2"),
    ("leave 3", "1,2: yes 2 2 2"),
    ("leave 2", "1: no 2 1 2"),
), nodes=4, quorum=_WINDOW)

_case("last_man_standing_window", "last_man_standing: within the window expected votes are what they were.", (
    ("boot 1 2 3 4", "1,2,3,4: yes 4 4 3"),
    ("leave 4", "1,2,3: yes 4 3 3"),
), nodes=4, quorum={**_WINDOW, "last_man_standing_window": 60000})

_case("last_man_standing_tie", "last_man_standing with auto_tie_breaker and wait_for_all: down to the last one.", (
    ("boot 1 2 3 4", "1,2,3,4: yes 4 4 3"),
    ("leave 4", "1,2,3: yes 3 3 2"),
    ("leave 3", "1,2: yes 2 2 2"),
    ("leave 2", "1: yes 1 1 1"),
    ("boot 2", "1,2: yes 2 2 2"),
), nodes=4, quorum={**_WINDOW, "wait_for_all": 1, "auto_tie_breaker": 1})

_case("last_man_standing_votes", "last_man_standing is switched off where a node has more than one vote.", (
    ("boot 1 2 3", "1,2,3: yes 4 4 3"),
    ("leave 3", "1,2: yes 4 3 3"),
    ("hold 4", "1,2: yes 4 3 3"),
), nodes=3, votes={1: 2}, quorum=_WINDOW)

_case("tie_breaker_lowest", "auto_tie_breaker, lowest: halves, less than half, the favourites crash.", (
    ("boot 1 2 3 4", "1,2,3,4: yes 4 4 3"),
    ("cut 1 2 | 3 4", "1,2: yes 4 2 3; 3,4: no 4 2 3"),
    ("heal", "1,2,3,4: yes 4 4 3"),
    ("cut 1 | 2 3 4", "1: no 4 1 3; 2,3,4: yes 4 3 3"),
    ("heal", "1,2,3,4: yes 4 4 3"),
    ("kill 1 2", "3,4: no 4 2 3"),
), nodes=4, quorum={"auto_tie_breaker": 1})

_case("tie_breaker_highest", "auto_tie_breaker, highest: two nodes, a cut, crashes, restarts alone.", (
    ("boot 1", "1: no 2 1 2"),
    ("boot 2", "1,2: yes 2 2 2"),
    ("cut 1 | 2", "1: no 2 1 2; 2: yes 2 1 2"),
    ("heal", "1,2: yes 2 2 2"),
    ("kill 1", "2: yes 2 1 2"),
    ("boot 1", "1,2: yes 2 2 2"),
    ("kill 2", "1: no 2 1 2"),
), nodes=2, quorum={"auto_tie_breaker": 1, "auto_tie_breaker_node": "highest"})

_case("tie_breaker_list", "auto_tie_breaker with a list of nodes: the first of those who were there decides.", (
    ("boot 1 2 3 4", "1,2,3,4: yes 4 4 3"),
    ("cut 1 2 | 3 4", "1,2: yes 4 2 3; 3,4: no 4 2 3"),
    ("heal", "1,2,3,4: yes 4 4 3"),
    ("cut 1 3 | 2 4", "1,3: no 4 2 3; 2,4: yes 4 2 3"),
    ("heal", "1,2,3,4: yes 4 4 3"),
    ("leave 2", "1,3,4: yes 4 3 3"),
    ("cut 1 | 3 4", "1: no 4 1 3; 3,4: yes 4 2 3"),
), nodes=4, quorum={"auto_tie_breaker": 1, "auto_tie_breaker_node": "2 3"})

_case("tie_breaker_odd", "auto_tie_breaker is switched off where the sum of the votes is odd.", (
    ("boot 1 2 3", "1,2,3: yes 3 3 2"),
    ("leave 3", "1,2: yes 3 2 2"),
    ("leave 2", "1: no 3 1 2"),
), nodes=3, quorum={"auto_tie_breaker": 1})

_case("tie_breaker_and_two_node", "auto_tie_breaker switches two_node off.", (
    ("boot 1 2", "1,2: yes 2 2 2"),
    ("kill 2", "1: yes 2 1 2"),
    ("boot 2", "1,2: yes 2 2 2"),
    ("leave 1", "2: no 2 1 2"),
    ("boot 1", "1,2: yes 2 2 2"),
    ("reload 1: token: 1000 -> token: 1100", "1,2: yes 2 2 2"),
    ("reload 1: two_node: 1 -> two_node: 0", "1,2: yes 2 2 2"),
    ("reload 1: two_node: 0 -> two_node: 1", "1,2: yes 2 2 2"),
), nodes=2, quorum={"auto_tie_breaker": 1, "two_node": 1})

_case("downscale", "allow_downscale: who leaves in order is no longer expected, who crashes is.", (
    ("boot 1 2 3 4", "1,2,3,4: yes 4 4 3"),
    ("leave 4", "1,2,3: yes 3 3 3"),
    ("boot 4", "1,2,3,4: yes 4 4 3"),
    ("shutdown 2", "1,3,4: yes 3 3 3"),
    ("kill 4", "1,3: no 3 2 3"),
), nodes=4, quorum={"allow_downscale": 1})

_case("expected", "expected votes set at run time: too many, too few, fewer, more; they rise with who returns.", (
    ("boot 1 2 3", "1,2,3: yes 3 3 2"),
    ("tool 1: -e 6", "1,2,3: yes 3 3 2"),
    ("tool 1: -e 5", "1,2,3: yes 5 3 3"),
    ("leave 3", "1,2: no 5 2 3"),
    ("tool 2: -e 1", "1,2: no 5 2 3"),
    ("tool 2: -e 2", "1,2: yes 2 2 2"),
    ("boot 3", "1,2,3: yes 3 3 2"),
    ("kill 3", "1,2: yes 3 2 2"),
), nodes=3)

_case("expected_configured", "expected_votes in the configuration: more than the nodes, then as many, by reload.", (
    ("boot 1 2", "1,2: no 5 2 3"),
    ("boot 3", "1,2,3: yes 5 3 3"),
    ("reload 1: expected_votes: 5 -> expected_votes: 3", "1,2,3: yes 3 3 2"),
    ("leave 3", "1,2: yes 3 2 2"),
), nodes=3, quorum={"expected_votes": 5})

_case("expected_late", "expected_votes lowered by a reload that one node reads before the others: in the end they are low for all.", (
    ("boot 1 2 3", "1,2,3: yes 5 3 3"),
    ("reload-late 1 by 3: expected_votes: 5 -> expected_votes: 3", "1,2,3: yes 3 3 2"),
    ("leave 2", "1,3: yes 3 2 2"),
), nodes=3, quorum={"expected_votes": 5})

_case("expected_too_few", "expected_votes in the configuration, fewer than the nodes: they rise.", (
    ("boot 1", "1: no 2 1 2"),
    ("boot 2", "1,2: yes 2 2 2"),
    ("boot 3", "1,2,3: yes 3 3 2"),
    ("leave 1", "2,3: yes 3 2 2"),
), nodes=3, quorum={"expected_votes": 2})

_case("expected_tracking", "expected_votes_tracking: expected votes rise and never fall. (What is kept on disk: docs/observed.md.)", (
    ("boot 1", "1: no 3 1 2"),
    ("boot 2 3", "1,2,3: yes 3 3 2"),
    ("tool 1: -e 5", "1,2,3: yes 5 3 3"),
    ("tool 1: -e 4", "1,2,3: yes 5 3 3"),
    ("leave 3", "1,2: no 5 2 3"),
    ("tool 2: -e 2", "1,2: no 5 2 3"),
), nodes=3, quorum={"expected_votes_tracking": 1})

_case("votes", "votes in the configuration, also none; changed by reload.", (
    ("boot 1 2", "1,2: yes 5 4 3"),
    ("boot 3", "1,2,3: yes 5 5 3"),
    ("boot 4", "1,2,3,4: yes 5 5 3"),
    ("cut 1 | 2 3 4", "1: yes 5 3 3; 2,3,4: no 5 2 3"),
    ("heal", "1,2,3,4: yes 5 5 3"),
    ("reload 4: quorum_votes: 0 -> quorum_votes: 2", "1,2,3,4: yes 7 7 4"),
    ("leave 1", "2,3,4: yes 7 4 4"),
), nodes=4, votes={1: 3, 4: 0})

_case("votes_set", "votes of a node set at run time, here and there, and of none; a node forgets them when it starts anew.", (
    ("boot 1 2 3", "1,2,3: yes 3 3 2"),
    ("tool 1: -v 3 -n 2", "1,2,3: yes 5 5 3"),
    ("tool 1: -v 2 -n 1", "1,2,3: yes 6 6 4"),
    ("tool 1: -v 2 -n 7", "1,2,3: yes 6 6 4"),
    ("kill 3", "1,2: yes 6 5 4"),
    ("boot 3", "1,2,3: yes 6 6 4"),
    ("leave 2", "1,3: no 6 3 4"),
), nodes=3)

_case("ends", "the ways to end: crash, SIGTERM, corosync-cfgtool -H and -k; and how the others see it.", (
    ("boot 1 2 3 4", "1,2,3,4: yes 4 4 3"),
    ("order 4 from 1", "1,2,3: yes 4 3 3"),
    ("boot 4", "1,2,3,4: yes 4 4 3"),
    ("shutdown 3", "1,2,4: yes 4 3 3"),
    ("leave 2", "1,4: no 4 2 3"),
    ("boot 2", "1,2,4: yes 4 3 3"),
    ("kill 1 2", "4: no 4 1 3"),
), nodes=4)

_case("keys", "what clients may change of the configuration while it runs, on one node.", (
    ("boot 1 2 3", "1,2,3: yes 3 3 2"),
    ("key 1: nodelist.node.1.quorum_votes u32 3", "1,2,3: yes 3 3 2"),
    ("key 2: nodelist.node.1.quorum_votes u32 3", "1,2,3: yes 3 3 2"),
    ("key 1: quorum.expected_votes u32 5", "1,2,3: yes 5 3 3"),
    ("key 1: quorum.two_node u8 1", "1,2,3: yes 5 3 3"),
    ("key 1: quorum.wait_for_all u8 1", "1,2,3: yes 5 3 3"),
    ("key 1: quorum.votes u32 4", "1,2,3: yes 5 3 3"),
), nodes=3)
