# SPDX-License-Identifier: BSD-3-Clause
"""Process groups over rings of our core and the packaged one: what is told, and in which order (lab/cpg.py)."""

import signal

from lab.cpg import Groups
from lab.wait import check, check_equal, wait_for

from . import register

_LETTERS = {"o": "ours", "p": "packaged"}

_LARGEST = 3 << 20
"""Beyond 1 MiB libcpg cuts a message into pieces."""


def _cluster(lab, letters, transport):
    cores = {i + 1: _LETTERS[letter] for i, letter in enumerate(letters)}
    return lab.cluster(nodes=len(letters), device=False, cores=cores, transport=transport)


def _check_tool(cluster, groups):
    """corosync-cpgtool lists all members on every node."""
    wanted = sorted((client.group, *client.lives()[-1].address.split(":")) for client in groups.present())
    for node in cluster.nodes.values():
        listed = []
        name = None
        for line in node.host.run(["/usr/sbin/corosync-cpgtool"], ok=True).out.splitlines()[1:]:
            fields = line.split()
            if not line.startswith("\t") and fields:
                name = fields[0]
            elif fields:
                listed.append((name, fields[1], fields[0]))
        check_equal(sorted(listed), wanted, f"corosync-cpgtool of node {node.id}")


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
        _check_tool(cluster, groups)
        compared = groups.check()
        check(compared > 500, f"only {compared} messages compared")
    return run


def _members_come_and_go(letters, transport):
    """A scenario function: processes join, talk and leave, or are killed, while others talk."""
    def run(lab):
        cluster = _cluster(lab, letters, transport)
        groups = Groups(cluster)
        residents = [groups.add(node_id, "g", _LARGEST, 10000) for node_id in cluster.nodes]
        groups.settle()
        ends = {}
        for turn in range(6):
            guests = [groups.add(node_id, "g", _LARGEST, 5000) for node_id in cluster.nodes]
            for guest in guests:
                wait_for(f"{guest.name} to be a member", guest.is_settled, 20)
            groups.talk(10)
            for index, guest in enumerate(guests):
                address = guest.lives()[-1].address
                if (turn + index) % 2 == 0:
                    guest.leave()
                    ends[address] = 2
                else:
                    guest.kill()
                    ends[address] = 5
        groups.settle()
        _check_tool(cluster, groups)
        groups.check()
        for client in residents:
            lines = client.lines()
            for address, reason in ends.items():
                told = [line.split()[3] for line in lines if line.startswith("change ") and f"{address}/" in line.split()[3]]
                check_equal(told, [f"{address}/{reason}"], f"{client.name}: how {address} ended")
    return run


def _form_anew(cluster):
    """All go together from their ring to the next one: then all that they were told in it is compared."""
    rings = {watch: len(watch.rings) for watch in cluster.watches()}
    cluster.nodes[1].host.run(["/usr/sbin/corosync-cmapctl", "-s", "runtime.force_gather", "str", "yes"], ok=True)

    def formed():
        return all(len(watch.rings) > rings[watch] and len(watch.rings[-1][1]) == len(rings) for watch in cluster.watches())
    wait_for("a new ring of all", formed, 20)


def _pauses(letters, transport):
    """A scenario function: node 2's core stands still for so long that the others form a ring without it, again and again, while all
    have more to say than the ring can take, so that messages are on their way in pieces whenever it comes back."""
    def run(lab):
        lab.safety_demanded = False     # who stands still goes on to believe what it did
        cluster = _cluster(lab, letters, transport)
        core = cluster.nodes[2].corosync
        groups = Groups(cluster)
        for node_id in cluster.nodes:
            groups.add(node_id, "g", _LARGEST, 1000)
            groups.add(node_id, "h", 1400, 300)
        groups.settle()
        for _ in range(5):
            groups.talk(20)
            core.signal(signal.SIGSTOP)
            lab.note("core of node 2 stopped (SIGSTOP)")
            cluster.wait_belief(1, [1, 3])
            core.signal(signal.SIGCONT)
            cluster.wait_belief(1, [1, 2, 3])
            groups.talk(20)
            _form_anew(cluster)
        groups.settle()
        compared = groups.check()
        check(compared > 500, f"only {compared} messages compared")
    return run


for _letters, _transport in (("oo", "knet"), ("op", "udpu"), ("po", "knet")):
    register(f"core_group_members_{_letters}_{_transport}",
             f"Two cores ({_letters}) over {_transport}: processes join a group, talk, leave or are killed, in the middle of "
             "each other's messages; all are told the same, and why.", _members_come_and_go(_letters, _transport))

for _letters in ("ooo", "opo", "pop"):
    for _transport in ("udpu", "knet"):
        register(f"core_groups_{_letters}_{_transport}",
                 f"Three cores ({_letters}: o is ours, p packaged) over {_transport}: all members of a process group are told "
                 "the same in the same order, messages of all sizes, while nodes are cut off, killed and stopped.",
                 _come_and_go(_letters, _transport))

for _letters, _transport in (("opo", "knet"), ("ppo", "udpu")):
    register(f"core_group_pauses_{_letters}_{_transport}",
             f"Three cores ({_letters}) over {_transport}: node 2 stands still and comes back in the middle of everybody's messages, and "
             "misses none but those that began before.", _pauses(_letters, _transport))
