# SPDX-License-Identifier: BSD-3-Clause
"""From hosts without certificates to a cluster with votes: the packaged flow, its mixtures, and what pcs calls."""

import re
import stat

from lab.certs_by_hand import ARBITER_DB, NODE_DB, Hands, run, seen_from_outside, stored
from lab.cluster import program
from lab.wait import check, check_equal

from . import scenario

ARBITER_NICKNAMES = {"QNet CA": "CTu,u,u", "QNetd Cert": "u,u,u"}
NODE_NICKNAMES = {"QNet CA": "CT,c,c", "Cluster Cert": "u,u,u"}


def _mode(host, path):
    return stat.S_IMODE(seen_from_outside(host, path).stat().st_mode)


@scenario(ours_only=True)
def certs_ours_for_packaged_daemons(lab):
    """Certificates made with our tools on all hosts serve the packaged arbiter and the packaged device; databases, nicknames
    and trust are the packaged ones."""
    hands = Hands(lab, arbiter="packaged", device="packaged")
    hands.packaged_flow("ours", "ours")
    check_equal(hands.nicknames(hands.arbiter.host, ARBITER_DB), ARBITER_NICKNAMES, "the arbiter's database")
    for node in hands.nodes:
        check_equal(hands.nicknames(node, NODE_DB), NODE_NICKNAMES, "a node's database")
    hands.start()
    check("client certificate verified" in hands.arbiter.tool("-l", "-v").out, "certificates of clients are verified")


@scenario(ours_only=True)
def certs_packaged_tools_on_nodes(lab):
    """Our tool on the arbiter, the packaged one on the nodes; our daemons."""
    hands = Hands(lab)
    hands.packaged_flow("ours", "packaged")
    hands.start()


@scenario(ours_only=True)
def certs_packaged_tool_on_arbiter(lab):
    """The packaged tool on the arbiter, ours on the nodes; the packaged device. Then ours signs in the database that the
    packaged one made, goes on with its serial numbers, and the packaged one goes on after it."""
    hands = Hands(lab, device="packaged")
    hands.packaged_flow("packaged", "ours")
    serial = seen_from_outside(hands.arbiter.host, f"{ARBITER_DB}/serial.txt")
    before = int(serial.read_text())
    for number, flavour in enumerate(("ours", "packaged", "ours"), before + 1):
        hands.qnetd(flavour, "-s", "-c", "/etc/corosync/answer", "-n", hands.name)
        check_equal(int(serial.read_text()), number, f"serial number after {flavour}")
    hands.start()


@scenario(ours_only=True)
def certs_pcs_calls(lab):
    """The calls that pcs makes, in its environment (certificates.md 6): setup, client set-up over what a former cluster left,
    request, signing, import on all nodes, a node that is added later, and the check of deployment tools."""
    hands = Hands(lab, nodes=3, device="packaged")
    arbiter, first = hands.arbiter.host, hands.nodes[0]
    hands.qnetd("ours", "-i")
    check_equal(_mode(arbiter, f"{ARBITER_DB}/key4.db"), 0o640, "mode of the arbiter's keys")
    ca = seen_from_outside(arbiter, f"{ARBITER_DB}/qnetd-cacert.crt").read_bytes()

    def client_setup(node):
        run(node, "/bin/rm", "-rf", NODE_DB)
        run(node, "/bin/mkdir", "-m", "700", NODE_DB)
        seen_from_outside(node, f"{NODE_DB}/qnetd-cacert.crt").write_bytes(ca)
        hands.device(node, "ours", "-i", "-c", f"{NODE_DB}/qnetd-cacert.crt")
        check_equal(_mode(node, NODE_DB), 0o700, "mode of the directory, as pcs made it")

    def certificate_for(nodes):
        request = stored(hands.device(first, "ours", "-r", "-n", hands.name))
        hands.carry(first, request, arbiter, "/etc/corosync/request.pcs")
        signed = stored(hands.qnetd("ours", "-s", "-c", "/etc/corosync/request.pcs", "-n", hands.name))
        hands.carry(arbiter, signed, first, "/etc/corosync/signed.pcs")
        packed = stored(hands.device(first, "ours", "-M", "-c", "/etc/corosync/signed.pcs"))
        for node in nodes:
            hands.carry(first, packed, node, "/etc/corosync/packed.pcs")
            hands.device(node, "ours", "-m", "-c", "/etc/corosync/packed.pcs")

    for node in hands.nodes[:2]:
        client_setup(node)
        client_setup(node)
    certificate_for(hands.nodes[:2])
    # pcs makes a new request on an old node whenever it adds one: nothing piles up, and the other nodes go on with theirs.
    client_setup(hands.nodes[2])
    certificate_for([first, hands.nodes[2]])
    for node in hands.nodes:
        check_equal(hands.nicknames(node, NODE_DB), NODE_NICKNAMES, "nicknames")
        check_equal(hands.keys(node, NODE_DB), 1, "number of keys")
        shown = run(node, "/usr/bin/certutil", "-d", NODE_DB, "-L", "-n", "Cluster Cert").out
        check(f'Subject: "CN={hands.name}"' in shown, shown)
        exported = run(node, "/usr/bin/certutil", "-d", NODE_DB, "-L", "-n", "QNet CA", "-a").out
        pem = re.compile(r"-----BEGIN CERTIFICATE-----\s+(.*?)\s+-----END CERTIFICATE-----", re.S)
        check_equal(pem.search(exported)[1], pem.search(ca.decode().replace("\r", ""))[1], "authority as certutil exports it, and in the file")
    hands.start()


_FAKE = """#!/bin/sh
# ssh HOST LINE or scp FROM TO between namespaces: a host is the process that holds it.
pid_of() {{ case ${{1#root@}} in {cases} *) exit 1;; esac; }}
case "$*" in *"{broken}"*) echo "no such luck" >&2; exit 1;; esac
if [ "$1" = ssh ]; then
    pid_of "$2"; shift 2
    exec nsenter --net=/proc/$pid/ns/net --mount=/proc/$pid/ns/mnt --uts=/proc/$pid/ns/uts -- sh -c "$*"
fi
case $2 in root@*) pid_of "${{2%%:*}}"; from=/proc/$pid/root${{2#*:}};; *) from=$2;; esac
case $3 in root@*) pid_of "${{3%%:*}}"; to=/proc/$pid/root${{3#*:}};; *) to=$3;; esac
exec cp "$from" "$to"
"""


@scenario(ours_only=True)
def certs_quick_start(lab):
    """-Q sets up all hosts by ssh and scp; stopped half way, because the arbiter cannot sign, it says which step failed, and the
    same command again finishes. Nodes that are set up are then refused."""
    hands = Hands(lab)
    hosts = {host.name: host.pid for host in [hands.arbiter.host, *hands.nodes]}
    script = lab.scratch / "fake"
    cases = " ".join(f"{name}) pid={pid};;" for name, pid in hosts.items())
    first = hands.nodes[0]

    def quick(broken="nothing", status=0):
        script.write_text(_FAKE.format(cases=cases, broken=broken), encoding="ascii")
        script.chmod(0o755)
        return hands.device(first, "ours", "-Q", "-n", hands.name, "-S", f"{script} ssh", "-C", f"{script} scp", "arbiter",
                            *[node.name for node in hands.nodes], status=status)

    # The arbiter's tool is found by its name: ours stands where the packaged one is.
    run(hands.arbiter.host, "/usr/bin/mount", "--bind", program("corosync-qnetd-certutil", "ours"), "/usr/bin/corosync-qnetd-certutil")
    failed = quick(broken="corosync-qnetd-certutil' '-s'", status=1)
    check("Signing the request on arbiter failed" in failed.err, f"which step failed: {failed}")
    quick()
    again = quick(status=1)
    check("already initialized" in again.err, f"a second quick start: {again}")
    hands.start()


@scenario(ours_only=True)
def certs_pem_flow(lab):
    """The same flow with PEM files: our daemons find them by themselves; each node can have a key of its own."""
    hands = Hands(lab)
    hands.packaged_flow("ours", "ours", "--pem")
    second, arbiter = hands.nodes[1], hands.arbiter.host
    # A certificate of its own for the second node, instead of the first one's key.
    request = stored(hands.device(second, "ours", "-r", "-n", hands.name))
    hands.carry(second, request, arbiter, "/etc/corosync/request")
    signed = stored(hands.qnetd("ours", "-s", "-c", "/etc/corosync/request", "-n", hands.name))
    hands.carry(arbiter, signed, second, "/etc/corosync/signed")
    hands.device(second, "ours", "-M", "-c", "/etc/corosync/signed")
    keys = {run(node, "/usr/bin/openssl", "pkey", "-in", "/etc/corosync/qdevice/net/pem/node.pem", "-pubout").out
            for node in hands.nodes}
    check_equal(len(keys), 2, "number of different keys")
    for host, path in ((arbiter, "/etc/corosync/qnetd/pem/server.pem"), (arbiter, "/etc/corosync/qnetd/pem/ca.key"),
                       (second, "/etc/corosync/qdevice/net/pem/node.pem")):
        check_equal(_mode(host, path), 0o640, f"mode of {path}")
    hands.start()
