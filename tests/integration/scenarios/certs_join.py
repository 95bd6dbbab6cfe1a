# SPDX-License-Identifier: BSD-3-Clause
"""Enrolment: from empty hosts to a cluster with votes by invitation alone, and everybody who must not get in."""

from lab.enrolment import Door
from lab.wait import check

from . import scenario


@scenario(ours_only=True)
def certs_join_from_nothing(lab):
    """From empty hosts to a cluster with votes: -i and --invite on the arbiter, --join on each node, nothing carried. Each
    node has a key of its own."""
    door = Door(lab)
    codes = door.invite(nodes=["n1", "n2"])
    for host, code in zip(door.nodes, codes):
        door.join(host, code)
    keys = {door.fingerprint(host) for host in door.nodes}
    check(len(keys) == 2, f"each node has a key of its own: {keys}")
    door.start_cluster()
