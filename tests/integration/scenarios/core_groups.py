# SPDX-License-Identifier: BSD-3-Clause
"""Process groups over rings of our core and the packaged one: what is told, and in which order (lab/cpg.py)."""

from lab.cpg import Groups
from lab.wait import check

from . import register

_LETTERS = {"o": "ours", "p": "packaged"}

_LARGEST = 3 << 20
"""Beyond 1 MiB libcpg cuts a message into pieces."""


def _cluster(lab, letters, transport):
    cores = {i + 1: _LETTERS[letter] for i, letter in enumerate(letters)}
    return lab.cluster(nodes=len(letters), device=False, cores=cores, transport=transport)


def _come_and_go(letters, transport):
    """A scenario function."""
    def run(lab):
        cluster = _cluster(lab, letters, transport)
        nodes = cluster.nodes
        groups = Groups(cluster)
        for node_id in nodes:
            groups.add(node_id, "g", _LARGEST, 10000)
            groups.add(node_id, "h", 1400, 2000)
        groups.settle()
        groups.talk(100)

        cluster.cut([1, 2], [3])
        cluster.wait_quorate([1, 2], not_quorate=[3])
        groups.talk(50)
        cluster.heal()
        cluster.wait_all()
        groups.talk(50)

        nodes[3].kill_corosync()
        cluster.wait_quorate([1, 2], not_quorate=[3])
        nodes[3].start_corosync()
        cluster.wait_all()
        groups.talk(50)

        nodes[2].stop_corosync()
        cluster.wait_quorate([1, 3], not_quorate=[2])
        nodes[2].start_corosync()
        cluster.wait_all()
        groups.talk(50)

        groups.settle()
        compared = groups.check()
        check(compared > 1000, f"only {compared} messages compared")
    return run


for _letters in ("ooo", "opo", "pop"):
    for _transport in ("udpu", "knet"):
        register(f"core_groups_{_letters}_{_transport}",
                 f"Three cores ({_letters}: o is ours, p packaged) over {_transport}: all members of a process group are told "
                 "the same in the same order, messages of all sizes, while nodes are cut off, killed and stopped.",
                 _come_and_go(_letters, _transport))
