# SPDX-License-Identifier: BSD-3-Clause
"""The arbiter's certificate, and then its authority, are changed under clusters that vote (docs/certificates.md, "When the authority
ends")."""

import json

from lab.certs_by_hand import ARBITER_DB, NODE_DB, Hands, run, stored
from lab.enrolment import Door
from lab.our_device import leases_ended
from lab.wait import check, check_equal, now_ns, wait_for

from . import scenario

LOADED = "new connections use the credentials just loaded"
NEXT = "/etc/corosync/next.crt"


class _Arbiter:
    """Steps at the arbiter, each until the daemon has what it changed. By itself it would within seconds (certs_arbiter_takes_new_files)."""

    def __init__(self, hands):
        self.hands = hands

    def done(self, *options):
        before = self.hands.arbiter.log.count(LOADED)
        result = self.hands.qnetd("ours", *options)
        self.hands.arbiter.reload()
        wait_for(f"the daemon to take what {options} has made", lambda: self.hands.arbiter.log.count(LOADED) > before, 40)
        return result

    def refused(self, *options, words=(), not_words=()):
        result = self.hands.qnetd("ours", *options, status=1)
        check(all(word in result.err for word in words), f"{words} in {result}")
        check(not any(word in result.err for word in not_words), f"none of {not_words} in {result}")

    def trust_by_hand(self, host):
        """What docs/certificates.md says for nodes with packaged tools."""
        self.hands.carry(self.hands.arbiter.host, f"{ARBITER_DB}/qnetd-cacert-next.crt", host, NEXT)
        run(host, "/usr/bin/certutil", "-A", "-d", NODE_DB, "-f", f"{NODE_DB}/pwdfile.txt", "-n", "QNet CA 2", "-t", "CT,c,c", "-i", NEXT)


def _issuers(hands):
    """{node: roles of the authorities that have signed its certificates, in the order of their numbers}, by fingerprint: the names of
    both authorities are the same."""
    listed = json.loads(hands.qnetd("ours", "--list", "--format=json").out)
    roles = {one["sha256"]: one["role"] for one in listed if one["role"] in ("authority", "former")}
    found = {}
    for one in listed:
        if one["role"] in ("cluster", "dropped"):
            found.setdefault(one["node"], []).append(roles.get(one["issuer_sha256"]))
    return found


@scenario(ours_only=True)
def certs_roll_over(lab):
    """A new certificate for the arbiter, then another authority from begin to finish, nodes renewing in between: no vote is lost and no
    lease ends. Steps out of order, and such that would lock out a node, are refused with its name. At the end a node with a former
    certificate is refused, and the log says why; the others come back after a restart."""
    door = Door(lab)
    arbiter, (first, second) = _Arbiter(door.hands), door.nodes
    guest = lab.host("guest", {"arb": 77})
    guest.path("etc", "qdevice", "net").mkdir(parents=True)
    for host, code in zip((first, second), door.invite(nodes=["n1", "n2"])):
        door.join(host, code)
    door.join(guest, door.invite("guests", nodes=["g1"])[0])
    door.start_cluster()
    cluster, start = door.hands.cluster, now_ns()

    arbiter.done("--renew")
    arbiter.refused("--roll-over", "change", words=["begin first"])
    arbiter.done("--roll-over", "begin")
    unused = door.invite(nodes=["n3"])[0]
    door.hands.device(first, "ours", "--renew", "--host", door.arbiter.address)
    arbiter.refused("--roll-over", "change", words=["n2", "g1"], not_words=["n1"])
    arbiter.refused("--roll-over", "finish", words=["change first"])
    arbiter.refused("--roll-over", "cancel", words=["n1", "would lock these out"], not_words=["n2"])
    door.hands.device(second, "ours", "--renew", "--host", door.arbiter.address)
    arbiter.trust_by_hand(guest)
    arbiter.refused("--roll-over", "change", words=["g1"], not_words=["n1", "n2"])
    check_equal(_issuers(door.hands), {"n1": ["former", "authority"], "n2": ["former", "authority"], "g1": ["former"]},
                "who has signed the nodes' certificates")
    check("Withdrawn: 1 codes" in arbiter.done("--roll-over", "change", "--force").out, "the code is withdrawn")
    door.refused(guest, unused, "trusted here", "--replace", logged="")
    arbiter.refused("--roll-over", "finish", words=["g1"], not_words=["n1", "n2"])
    arbiter.done("--roll-over", "finish", "--force")
    check_equal(_issuers(door.hands), {"n1": [None, "authority"], "n2": [None, "authority"], "g1": [None]}, "in the end")
    cluster.check_quorate_since([1, 2], start)
    check_equal([leases_ended(node) for node in cluster.nodes.values()], [0, 0], "leases that ended meanwhile")

    refused = door.hands.device(guest, "ours", "--check", "--host", door.arbiter.address, "-n", "guests", status=1)
    check("problem" in refused.out, str(refused))
    wait_for("the reason in the arbiter's log", lambda: "not of an authority that is trusted here" in door.arbiter.log, 20)
    door.arbiter.stop()
    door.arbiter.start()
    wait_for("both nodes to be back", lambda: door.arbiter.nodes_connected(door.name) == [1, 2], 40)
    door.arbiter.check_health()


@scenario(ours_only=True)
def certs_roll_over_packaged(lab):
    """Packaged tools and devices on the nodes: they are given the new authority by hand, then a new certificate by the packaged flow.
    At each step the devices, started anew, are accepted."""
    hands = Hands(lab, device="packaged")
    arbiter, address = _Arbiter(hands), "/etc/corosync/answer"
    hands.packaged_flow("ours", "packaged")
    hands.start()
    first, second = hands.nodes

    def connect_anew():
        before = set(hands.arbiter.client_addresses(hands.name).values())
        for node in hands.cluster.nodes.values():
            node.kill_device()
            node.start_device()
        wait_for("both nodes at the arbiter, by other connections", lambda: hands.arbiter.nodes_connected(hands.name) == [1, 2] and
                 before.isdisjoint(hands.arbiter.client_addresses(hands.name).values()), 40)

    arbiter.done("--roll-over", "begin")
    for host in (first, second):
        arbiter.trust_by_hand(host)
    arbiter.refused("--roll-over", "change", words=[hands.name])
    arbiter.done("--roll-over", "change", "--force")
    connect_anew()
    request = stored(hands.device(first, "packaged", "-r", "-n", hands.name))
    hands.carry(first, request, hands.arbiter.host, address)
    signed = stored(hands.qnetd("ours", "-s", "-c", address, "-n", hands.name))
    hands.carry(hands.arbiter.host, signed, first, address)
    packed = stored(hands.device(first, "packaged", "-M", "-c", address))
    hands.carry(first, packed, second, address)
    hands.device(second, "packaged", "-m", "-c", address)
    arbiter.refused("--roll-over", "finish", words=[hands.name, "may be left"])
    arbiter.done("--roll-over", "finish", "--force")
    connect_anew()
