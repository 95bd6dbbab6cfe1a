# SPDX-License-Identifier: BSD-3-Clause
"""Two clusters of one name, told apart by an identity in the certificates that come of invitations."""

import json
import re

from lab.certs_by_hand import NODE_DB, run
from lab.enrolment import CODE, Door
from lab.wait import check, check_equal, wait_for

from . import scenario


def _identity(host):
    """In the certificate of a node."""
    der = run(host, "/bin/sh", "-c", f"certutil -L -d {NODE_DB} -n 'Cluster Cert' -a | openssl x509 -noout -ext subjectAltName").out
    found = re.findall(r"URI:quorate-cluster:([0-9a-f-]{36})\s", der)
    check_equal(len(found), 1, f"identities in the certificate of {host.name}: {der}")
    return found[0]


@scenario(ours_only=True)
def certs_identity_packaged(lab):
    """Certificates with an identity serve the packaged arbiter and the packaged device."""
    door = Door(lab, device="packaged")
    for host, code in zip(door.nodes, door.invite(nodes=["n1", "n2"])):
        door.join(host, code)
    check_equal(_identity(door.nodes[0]), _identity(door.nodes[1]), "one cluster, one identity")
    door.arbiter.stop()
    door.arbiter.start("packaged")
    door.start_cluster()


@scenario(ours_only=True)
def certs_identity_two_of_one_name(lab):
    """Two nodes whose certificates are of two clusters of one name: the first at the arbiter is served, the other is told what to
    do, there and on the arbiter. With a code for the first one's cluster it gets in. A certificate renewed keeps its identity."""
    door = Door(lab)
    hosts, cluster = door.nodes, door.hands.cluster
    door.join(hosts[0], door.invite(nodes=["n1"])[0])
    code = CODE.search(door.hands.qnetd("ours", "--invite", door.name, "--another", "--node", "n2").out)[0]
    door.join(hosts[1], code)
    identities = [_identity(host) for host in hosts]
    check(identities[0] != identities[1], f"two identities: {identities}")
    ambiguous = door.hands.qnetd("ours", "--invite", door.name, status=1)
    check(all(identity in ambiguous.err for identity in identities), f"which there are: {ambiguous}")
    check("--identity" in door.hands.qnetd("ours", "--revoke", door.name, status=1).err, "nobody is thrown out by a guess")

    cluster.start()
    wait_for("one of them to be served", lambda: len(door.arbiter.nodes_connected(door.name)) == 1, 60)
    served = door.arbiter.nodes_connected(door.name)[0] - 1
    refused = cluster.nodes[2 - served]
    wait_for("the other to be refused", lambda: "these are two clusters of one name" in door.arbiter.log, 30)
    wait_for("its device to say why", lambda: "rename one of them (totem.cluster_name)" in refused.device_tool("-s", "-v").out, 30)
    shown = json.loads(door.arbiter.tool("-l", "--format=json").out)["clusters"][0]
    check_equal(shown["identity"], identities[served], "the identity that is served")

    before = identities[served]
    code = CODE.search(door.hands.qnetd("ours", "--invite", door.name, "--identity", before[:8]).out)[0]
    door.join(hosts[1 - served], code, "--replace")
    cluster.wait_all()
    door.hands.device(hosts[served], "ours", "--renew", "--host", door.arbiter.address)
    check_equal([_identity(host) for host in hosts], [before, before], "identities in the end")
    other = identities[1 - served]
    said = door.hands.qnetd("ours", "--revoke", door.name, "--identity", other[:6]).out
    check("(1 on record)" in said, f"the other cluster's only certificate: {said}")
    listed = [(one["role"], one.get("node"), one["state"], one["identity"])
              for one in json.loads(door.hands.qnetd("ours", "--list", "--format=json").out)]
    for row in (("cluster", f"n{2 - served}", "revoked", other), ("cluster", f"n{served + 1}", "valid", before)):
        check(row in listed, f"{row} in the list: {listed}")
    check_equal(sorted(one[2] for one in listed if one[0] == "invitation"), ["used"] * 3, f"what became of the codes: {listed}")
    wait_for("the list in force", lambda: "revocations in force" in door.arbiter.log, 10)
    check_equal(door.arbiter.nodes_connected(door.name), [1, 2], "nodes of the cluster that was not revoked")
