# SPDX-License-Identifier: BSD-3-Clause
"""What the certificate tools refuse, say and list: command lines, names, requests, lifetimes. No daemons."""

import json
import re

from lab.certs_by_hand import ARBITER_DB, NODE_DB, Hands, run, seen_from_outside, stored
from lab.cluster import program
from lab.wait import check, check_equal, wait_for

from . import scenario


def _refused(result, status, *words):
    """It ended with that status, named no path, and said these words on standard error."""
    check_equal(result.status, status, f"status of {result}")
    check(" stored in " not in result.out, f"no path in {result}")
    for word in words:
        check(word in result.err, f"{word!r} in {result.err!r}")


@scenario(ours_only=True, no_device=True)
def certs_command_lines(lab):
    """Statuses, streams and words of wrong command lines are the packaged scripts', run beside them."""
    hands = Hands(lab)
    node = hands.nodes[0]
    calls = (("qnetd", ["-x"]), ("qnetd", ["-c"]), ("qnetd", ["-s"]), ("qnetd", ["-s", "-c", "/nowhere", "-n", "a"]),
             ("qnetd", ["-s", "-c", "/etc/passwd"]), ("device", ["-x"]), ("device", ["-n"]), ("device", ["-i", "-c", "/nowhere"]),
             ("device", ["-r"]), ("device", ["-m", "-c", "/nowhere"]), ("device", ["-M", "-c", "/nowhere"]), ("device", ["-Q"]),
             ("device", ["-Q", "-n", "a"]), ("device", ["-Q", "-n", "a", "arbiter"]), ("device", ["-r", "-n", "a"]))
    for tool, words in calls:
        ours, packaged = (hands.qnetd(flavour, *words, status=None) if tool == "qnetd" else
                          hands.device(node, flavour, *words, status=None) for flavour in ("ours", "packaged"))
        check_equal(ours.status, packaged.status, f"{tool} {words}: status")
        first = packaged.err.split("\n", 1)[0].split(" Use ")[0].rstrip(".")
        check(first in ours.err, f"{tool} {words}: {first!r} in {ours.err!r}")
    for result in (hands.qnetd("ours"), hands.qnetd("ours", "-h"), hands.device(node, "ours"), hands.device(node, "ours", "--help")):
        check("Usage:" in result.out, f"usage: {result}")
    # One that forgot the operation.
    hands.qnetd("ours", "-c", "/etc/passwd", status=1)
    hands.device(node, "ours", "-n", "a", status=1)
    check("-s" not in re.findall(r"\s(-\w)\b", hands.device(node, "ours").out), "an option that is not there")


@scenario(ours_only=True, no_device=True)
def certs_requests_refused(lab):
    """A request with CA:TRUE and the arbiter's name gives a certificate for the cluster and clients only; files that are no
    requests, weak keys and wrong steps are refused with a status, words, and without a path; a former certificate stays."""
    hands = Hands(lab)
    arbiter, node = hands.arbiter.host, hands.nodes[0]
    made = arbiter.path("etc", "made")
    made.mkdir()
    _refused(hands.qnetd("ours", "-s", "-c", "/etc/passwd", "-n", "a", status=None), 3, "no certificate request")
    hands.qnetd("ours", "-i")
    _refused(hands.qnetd("ours", "-i", status=None), 1, "already exists. Delete it to initialize new db")

    def request(name, *options):
        run(arbiter, "/usr/bin/openssl", "req", "-new", "-nodes", "-keyout", f"/etc/corosync/made/{name}.key", "-out",
            f"/etc/corosync/made/{name}", *options)
        return f"/etc/corosync/made/{name}"

    evil = request("evil", "-newkey", "rsa:2048", "-subj", "/CN=Qnetd Server", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
                   "subjectAltName=DNS:Qnetd Server")
    signed = stored(hands.qnetd("ours", "-s", "-c", evil, "-n", "alpha"))
    text = run(arbiter, "/usr/bin/openssl", "x509", "-inform", "DER", "-in", signed, "-noout", "-text").out
    check("Subject: CN = alpha" in text and "CA:TRUE" not in text and "Alternative Name" not in text, text)
    check("TLS Web Client Authentication" in text and "Server Authentication" not in text, text)
    before = seen_from_outside(arbiter, signed).read_bytes()
    weak = request("weak", "-newkey", "rsa:1024", "-subj", "/CN=alpha")
    _refused(hands.qnetd("ours", "-s", "-c", weak, "-n", "alpha", status=None), 3, "1024 bits")
    for name in ("Qnetd Server", "QNet CA", "../x", "a*", " a", "ALPHA"):
        result = hands.qnetd("ours", "-s", "-c", evil, "-n", name, status=None)
        _refused(result, 1 if name == "ALPHA" else 2, "cluster")
    check_equal(seen_from_outside(arbiter, signed).read_bytes(), before, "the certificate there was")
    # Codes, too: the node would hear of it when it is too late.
    _refused(hands.qnetd("ours", "--invite", "ALPHA", status=None), 1, 'a certificate for the cluster "alpha"')
    hands.qnetd("ours", "--invite", "beta")
    _refused(hands.qnetd("ours", "--invite", "Beta", status=None), 1, 'codes for the cluster "beta"', "--revoke beta")
    hands.qnetd("ours", "--revoke", "beta")
    hands.qnetd("ours", "--invite", "Beta")

    ca = f"{ARBITER_DB}/qnetd-cacert.crt"
    for path in (ca, signed):
        hands.carry(arbiter, path, node, f"/etc/corosync/{path.rsplit('/', 1)[1]}")
    _refused(hands.device(node, "ours", "-i", "-c", "/etc/passwd", status=None), 255, "no certificate")
    check(not seen_from_outside(node, f"{NODE_DB}/cert9.db").exists(), "a database without authority")
    _refused(hands.device(node, "ours", "-i", "-c", "/etc/corosync/cluster-alpha.crt", status=None), 1, "basicConstraints")
    hands.device(node, "ours", "-i", "-c", "/etc/corosync/qnetd-cacert.crt")
    _refused(hands.device(node, "ours", "-m", "-c", "/etc/passwd", status=None), 18, "PKCS #12")
    _refused(hands.device(node, "ours", "-M", "-c", "/etc/passwd", status=None), 3, "no certificate")
    _refused(hands.device(node, "ours", "-M", "-c", "/etc/corosync/cluster-alpha.crt", status=None), 1, "does not belong to any key")


@scenario(ours_only=True, no_device=True)
def certs_identity_lost(lab):
    """An arbiter that has lost its register of clusters takes a whole identity at its word, says so, and knows it afterwards; another
    cluster's it does not take. What it cannot know is revoked by it all the same."""
    hands = Hands(lab)
    register = hands.arbiter.host.path("lib", "corosync-qnetd", "invitations", "clusters")

    def identities():
        return {one["identity"] for one in json.loads(hands.qnetd("ours", "--list", "--format=json").out) if one["name"] == "alpha"}
    hands.qnetd("ours", "-i")
    hands.qnetd("ours", "--invite", "alpha")
    identity = identities().pop()
    hands.qnetd("ours", "--revoke", "alpha")
    register.unlink()
    _refused(hands.qnetd("ours", "--invite", "alpha", "--identity", identity[:8], status=None), 1, "has to be given in full")
    said = hands.qnetd("ours", "--invite", "alpha", "--identity", identity)
    check("takes your word for it" in said.err and f"--revoke alpha --identity {identity}" in said.err, f"the note: {said}")
    said = hands.qnetd("ours", "--invite", "alpha", "--identity", identity[:8])
    check("your word" not in said.err, f"known afterwards: {said}")
    check_equal(identities(), {identity}, "identities of alpha")
    _refused(hands.qnetd("ours", "--invite", "beta", "--identity", identity, status=None), 1, 'is that of the cluster "alpha"')
    _refused(hands.qnetd("ours", "--revoke", "beta", "--identity", identity, status=None), 1, 'is that of the cluster "alpha"')
    lost = "5" * 8 + identity[8:]
    said = hands.qnetd("ours", "--revoke", "alpha", "--identity", lost)
    check(f'knows no cluster "alpha" with the identity {lost}' in said.err and "(0 on record)" in said.out, f"what it cannot know: {said}")
    check(lost in hands.arbiter.host.path("etc", "qnetd", "nssdb", "revoked").read_text(), "the list of what is revoked")


@scenario(ours_only=True, no_device=True)
def certs_names(lab):
    """Names with every character that the packaged script chokes on come through request, signing and packing, and the same
    arrives at the other node."""
    hands = Hands(lab)
    arbiter, (first, second) = hands.arbiter.host, hands.nodes
    hands.qnetd("ours", "-i")
    for node in hands.nodes:
        hands.carry(arbiter, f"{ARBITER_DB}/qnetd-cacert.crt", node, "/etc/corosync/ca")
        hands.device(node, "ours", "-i", "-c", "/etc/corosync/ca")
    for name in ('a,b "c"+d=e', "Universität", "..", "-s"):
        hands.carry(first, stored(hands.device(first, "ours", "-r", "-n", name)), arbiter, "/etc/corosync/request")
        hands.carry(arbiter, stored(hands.qnetd("ours", "-s", "-c", "/etc/corosync/request", "-n", name)), first, "/etc/corosync/signed")
        hands.carry(first, stored(hands.device(first, "ours", "-M", "-c", "/etc/corosync/signed")), second, "/etc/corosync/packed")
        hands.device(second, "ours", "-m", "-c", "/etc/corosync/packed")
        listed = json.loads(hands.device(second, "ours", "--list", "--format=json").out)
        check_equal([one["name"] for one in listed], ["QNet CA", name], "names on the other node")


@scenario(ours_only=True, no_device=True)
def certs_lifetimes_and_list(lab):
    """--days and --server-name: the list of the arbiter says who has what until when; OpenSSL's own client verifies the
    arbiter's certificate by host name and by address."""
    hands = Hands(lab)
    arbiter = hands.arbiter.host
    hands.qnetd("ours", "-i", "--days", "400", "--server-name", "arbiter4", "--server-name", hands.arbiter.address)
    run(arbiter, "/usr/bin/openssl", "req", "-new", "-nodes", "-newkey", "rsa:2048", "-keyout", "/dev/null", "-subj", "/CN=x", "-out",
        "/etc/corosync/request")
    for name, days in (("alpha", "30"), ("beta", "20000")):
        hands.qnetd("ours", "-s", "-c", "/etc/corosync/request", "-n", name, "--days", days)
    listed = json.loads(hands.qnetd("ours", "--list", "--format=json").out)
    check_equal([(one["serial"], one["role"], one["name"]) for one in listed],
                [("101", "authority", "QNet CA"), ("102", "arbiter", "Qnetd Server"), ("103", "cluster", "alpha"),
                 ("104", "cluster", "beta")], "the list")
    for one, days in zip(listed, (400, 400, 30, 400), strict=True):
        check(days - 1 <= one["days_left"] <= days, f"nothing outlives its issuer: {one}")
    check(re.search(r"^103 +cluster +alpha .*expires 20\d\d-\d\d-\d\d", hands.qnetd("ours", "--list").out, re.M), "the list as text")
    # Another key for the same name, as a second cluster of that name would bring: said, and the former stays on record, of which
    # the packaged script would not have kept a copy.
    seen_from_outside(arbiter, f"{ARBITER_DB}/issued/103.crt").unlink()
    run(arbiter, "/usr/bin/openssl", "req", "-new", "-nodes", "-newkey", "rsa:2048", "-keyout", "/dev/null", "-subj", "/CN=x", "-out",
        "/etc/corosync/another")
    said = [hands.qnetd("ours", "-s", "-c", "/etc/corosync/another", "-n", "alpha").err for _ in range(2)]
    check_equal(["had a certificate for another key" in words for words in said], [True, False], "whether there was another key")
    serials = [one["serial"] for one in json.loads(hands.qnetd("ours", "--list", "--format=json").out) if one["name"] == "alpha"]
    check_equal(serials, ["103", "105", "106"], "certificates of alpha on record")
    _refused(hands.qnetd("ours", "-i", "--days", "0", status=None), 1, "no number of days")
    # In the arbiter's own protocol TLS comes after words of its own; here a server of OpenSSL's shows the certificate.
    run(arbiter, program("corosync-qnetd-certutil", "ours"), "--convert", "pem")
    server = arbiter.start(["/usr/bin/openssl", "s_server", "-accept", "5999", "-cert", "/etc/corosync/qnetd/pem/server.pem", "-key",
                            "/etc/corosync/qnetd/pem/server.pem", "-quiet"], log="s_server")

    def verified(*options):
        return run(arbiter, "/usr/bin/openssl", "s_client", "-connect", f"{hands.arbiter.address}:5999", "-CAfile",
                   "/etc/corosync/qnetd/pem/ca.pem", "-verify_return_error", *options, status=None).status == 0
    wait_for("a verified handshake", lambda: verified("-verify_hostname", "arbiter4"), 10)
    check(verified("-verify_ip", hands.arbiter.address), "verified by address")
    check(not verified("-verify_hostname", "elsewhere"), "another name is refused")
    server.kill()
