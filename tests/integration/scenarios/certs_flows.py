# SPDX-License-Identifier: BSD-3-Clause
"""From hosts without certificates to a cluster with votes: the packaged flow, its mixtures, and what pcs calls."""

import re
import shutil
import stat
import subprocess

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


@scenario(ours_only=True)
def certs_converted(lab):
    """Databases that the packaged tools made are converted to PEM files and serve our daemons; converted back they serve the packaged
    device again. Serial numbers go on."""
    hands = Hands(lab)
    hands.packaged_flow("packaged", "packaged")
    for to_form, gone in (("pem", "nssdb"), ("nss", "pem")):
        hands.qnetd("ours", "--convert", to_form)
        run(hands.arbiter.host, "/bin/mv", f"/etc/corosync/qnetd/{gone}", f"/etc/corosync/{gone}.old")
        for node in hands.nodes:
            hands.device(node, "ours", "--convert", to_form)
            hands.device(node, "ours", "--convert", to_form, status=1)
            run(node, "/bin/mv", f"/etc/corosync/qdevice/net/{gone}", f"/etc/corosync/{gone}.old")
        if to_form == "pem":
            hands.start()
    serial = seen_from_outside(hands.arbiter.host, f"{ARBITER_DB}/serial.txt").read_text()
    check_equal(serial, "103\n", "last serial number")
    lab.device_flavour = "packaged"
    for node in hands.cluster.nodes.values():
        check_equal(node.device.stop(), 0, "exit status of our device")
        node.start_device_alone()
    hands.arbiter.stop()
    hands.arbiter.start()
    hands.cluster.wait_all()


def _foreign_certificates(folder, cluster):
    """Root, issuing authority, and certificates of arbiter and cluster, as a company's authority makes them; with the faults that
    must be found: no name, another purpose, without the issuing authority."""
    def openssl(*argv):
        subprocess.run(["/usr/bin/openssl", *argv], cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True)

    def sign(name, subject, extensions, issuer):
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", subject)
        (folder / "extensions").write_text(extensions, encoding="ascii")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key", "-CAcreateserial", "-days",
                "90", "-extfile", "extensions", "-out", f"{name}.crt")

    folder.mkdir()
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.crt", "-days", "90", "-subj",
            "/O=Company/CN=Company Root")
    sign("issuing", "/O=Company/CN=Issuing", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n", "root")
    issuing = (folder / "issuing.crt").read_text()
    for name, subject, purpose in (("arbiter", "/CN=Qnetd Server", "serverAuth"), ("node", f"/O=Company/CN={cluster}", "clientAuth"),
                                   ("no-name", "/CN=arbiter.example.org", "serverAuth"), ("purpose", "/CN=Qnetd Server", "clientAuth")):
        sign(name, subject, f"extendedKeyUsage={purpose}\n", "issuing")
        (folder / f"{name}-alone.crt").write_text((folder / f"{name}.crt").read_text(), encoding="ascii")
        (folder / f"{name}.crt").write_text((folder / f"{name}.crt").read_text() + issuing, encoding="ascii")


@scenario(ours_only=True)
def certs_of_a_company(lab):
    """Certificates from someone else's authority, with an issuing one between: what devices would not accept is refused with the
    field that is at fault; the rest serves our arbiter and the packaged device."""
    hands = Hands(lab, device="packaged")
    arbiter, folder = hands.arbiter.host, lab.scratch / "company"
    _foreign_certificates(folder, hands.name)
    for host in (arbiter, *hands.nodes):
        shutil.copytree(folder, host.path("etc", "company"))

    def files(name, key=None, ca="root.crt"):
        return ["--import", "--cert", f"/etc/corosync/company/{name}.crt", "--key", f"/etc/corosync/company/{key or name}.key",
                "--ca", f"/etc/corosync/company/{ca}"]

    for arguments, field in ((files("no-name"), "field subject"), (files("purpose"), "extendedKeyUsage"),
                             (files("arbiter", key="node"), "subjectPublicKey"), (files("arbiter-alone", key="arbiter"), "field issuer"),
                             (files("arbiter", ca="node-alone.crt"), "basicConstraints")):
        refused = hands.qnetd("ours", *arguments, status=None)
        check(refused.status != 0 and field in refused.err, f"{field} in {refused}")
        check(not seen_from_outside(arbiter, f"{ARBITER_DB}/cert9.db").exists(), "no database of what was refused")
    hands.qnetd("ours", *files("arbiter"))
    wrong = hands.device(hands.nodes[0], "ours", *files("node"), "-n", "another", status=3)
    check("field subject" in wrong.err, f"a cluster of another name: {wrong}")
    for node in hands.nodes:
        hands.device(node, "ours", *files("node"), "-n", hands.name)
    hands.start()
