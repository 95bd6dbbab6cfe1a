#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the scenarios of process groups find in clients' logs (tests/integration/lab/cpg.py): each promise that is broken, and
nothing where only what is excused is missing."""
import os
import sys

import tree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(tree.SRC, "tests/integration"))

# pylint: disable=wrong-import-position
from lab import cpg  # noqa: E402
from lab.wait import Failure  # noqa: E402


class Client:
    """What check_promises needs of one: its log."""

    def __init__(self, node_id, is_packaged, log):
        self.node_id = node_id
        self.is_packaged = is_packaged
        self.group = "g"
        self.name = f"client of node {node_id}"
        self.log = log

    def lives(self):
        return cpg.lives(self.log.splitlines(), self.name)


def _said(words):
    """"1/3-5" are messages 3 to 5 of node 1, "2/7" is one."""
    lines = []
    for word in words.split():
        node, numbers = word.split("/")
        first, _, last = numbers.partition("-")
        lines += [f"message {node}:9 {number} 50" for number in range(int(first), int(last or first) + 1)]
    return lines


def _change(members, left, joined):
    """One change; `members` are node ids, the others have reasons."""
    now = ",".join(f"{i}:9" for i in members)
    return f"change {now} left {','.join(left) or '-'} joined {','.join(joined) or '-'}"


def _log(node_id, rings):
    """A client's log of (ring, members, what was told in it). In the first ring all join, in the order of their ids."""
    (ring, members, words), *others = rings
    joins = [_change(members[:k + 1], [], [f"{i}:9/1"]) for k, i in enumerate(members)][members.index(node_id):]
    lines = [f"up {node_id}:9", joins[0], f"ring {ring} {','.join(map(str, members))}", *joins[1:], *_said(words)]
    for ring, now, words in others:
        if now != members:
            lines.append(_change(now, [f"{i}:9/3" for i in members if i not in now], [f"{i}:9/4" for i in now if i not in members]))
            members = now
        lines += [f"ring {ring} {','.join(map(str, members))}", *_said(words)]
    return "\n".join(lines)


def _verdict(cores, told_1, told_2, told_3):
    """Nodes 1 and 2 were without 3, which comes back in ring 1.9; all go on to 1.13. What each was told there."""
    both, every = [1, 2], [1, 2, 3]
    clients = [Client(1, cores[0] == "p", _log(1, (("1.5", both, "1/1-9 2/1-9"), ("1.9", every, told_1), ("1.13", every, "")))),
               Client(2, cores[1] == "p", _log(2, (("1.5", both, "1/1-9 2/1-9"), ("1.9", every, told_2), ("1.13", every, "")))),
               Client(3, cores[2] == "p", _log(3, (("3.5", [3], "3/1-9"), ("1.9", every, told_3), ("1.13", every, ""))))]
    try:
        cpg.check_promises(clients)
    except Failure as failure:
        return str(failure)
    return ""


ALL = "1/10-19 2/10-19 3/10-19"

CASES = (
    # what it is, cores, what nodes 1, 2 and 3 were told, whether that is excused
    ("the same everywhere", "ooo", ALL, ALL, ALL, True),
    ("a message whose begin a node has not heard", "ooo", ALL, ALL, "1/11-19 2/11-19 3/10-19", True),
    ("the same, the other way", "ooo", "1/10-19 2/10-19 3/11-19", "1/10-19 2/10-19 3/11-19", ALL, True),
    ("another order", "ooo", ALL, ALL, "2/10-19 1/10-19 3/10-19", False),
    ("a message missing in the middle", "ooo", ALL, ALL, "1/10-12 1/14-19 2/10-19 3/10-19", False),
    ("several messages missing at the begin, all cores ours", "ooo", ALL, ALL, "1/12-19 2/10-19 3/10-19", False),
    ("several missing, of our sender to a packaged node", "oop", ALL, ALL, "1/12-19 2/10-19 3/10-19", False),
    ("several missing, of a packaged sender to our node", "ppo", ALL, ALL, "1/12-19 2/10-19 3/10-19", False),
    ("several missing, between packaged nodes that come together", "pop", ALL, ALL, "1/14-19 2/11-19 3/10-19", True),
    ("all missing, between packaged nodes that come together", "pop", ALL, ALL, "2/10-19 3/10-19", True),
    ("several missing, of who comes, on a packaged node that was there", "pop", "1/10-19 2/10-19 3/15-19", ALL, ALL, True),
    ("several missing, and one more behind", "pop", ALL, ALL, "1/14-15 1/17-19 2/10-19 3/10-19", False),
    ("several missing, between packaged nodes that were together", "ppp", "1/10-19 2/13-19 3/10-19", ALL, ALL, False),
    ("a message twice", "ppp", ALL, ALL, "1/10-19 1/19 2/10-19 3/10-19", False),
)


def main():
    with tree.Tap() as tap:
        for name, cores, one, two, three, excused in CASES:
            found = _verdict(cores, one, two, three)
            tap.ok((not found) == excused, f"{'excuses' if excused else 'finds'}: {name}", found)


main()
