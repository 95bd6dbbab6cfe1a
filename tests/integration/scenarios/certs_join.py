# SPDX-License-Identifier: BSD-3-Clause
"""Enrolment: from empty hosts to a cluster with votes by invitation alone, and everybody who must not get in."""

import os
import time

from lab import certs, strangers
from lab.certs_by_hand import ARBITER_DB, NODE_DB, run, seen_from_outside
from lab.cluster import program
from lab.enrolment import Door
from lab.our_device import leases_ended
from lab.strangers import Flood, Middle, Relay, attach, forge, join, say
from lab.wait import check, check_equal, now_ns, pause_ms, wait_for

from . import scenario

INVITATIONS = "corosync-qnetd/invitations"


def _invitations(door):
    return sorted(door.arbiter.host.path("lib", INVITATIONS).glob("*.invitation"))


def _id(path):
    return bytes.fromhex(path.name.split(".")[0])


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


@scenario(ours_only=True)
def certs_join_pem(lab):
    """The same with PEM files on all hosts, codes in lower case without hyphens, and the packaged flow's arbiter not asked."""
    door = Door(lab, options=["--pem"])
    for host in door.nodes:
        door.join(host, door.invite()[0].replace("-", "").lower(), "--pem")
    door.start_cluster()


@scenario(ours_only=True)
def certs_join_as_packaged_user(lab):
    """The arbiter runs as Debian's user, who can read the database of the packaged layout and write nothing in it; so does what
    it starts. A node joins, renews, is revoked."""
    door = Door(lab, start=False)
    arbiter = door.arbiter
    user = run(arbiter.host, "/usr/bin/id", "-u", "coroqnetd").out.strip()
    run(arbiter.host, "/usr/bin/chown", f"{user}:{user}", "/run/corosync-qnetd")
    arbiter.wrapper = ["/usr/bin/setpriv", "--reuid=coroqnetd", "--regid=coroqnetd", "--init-groups"]
    arbiter.start()
    host, other = door.nodes
    database = {path: path.stat().st_mtime_ns for path in arbiter.host.path("etc", "qnetd", "nssdb").rglob("*")}
    code, second = door.invite(nodes=["n1", "n2"])
    changed = [path.name for path in arbiter.host.path("etc", "qnetd", "nssdb").rglob("*")
               if path.is_file() and path.stat().st_mtime_ns != database.get(path)]
    check_equal(changed, ["serial.txt"], "files of the database that --invite has changed")
    door.join(host, code)
    door.hands.device(host, "ours", "--renew", "--host", arbiter.address)
    owners = {path.stat().st_uid for path in _invitations(door)}
    check_equal(owners, {int(user)}, "owners of invitations")
    check_equal({path.stat().st_mode & 0o777 for path in _invitations(door)}, {0o600}, "modes of invitations")
    door.hands.qnetd("ours", "--revoke", door.name, "--node", "n1")
    wait_for("the list in force", lambda: "revocations in force: 1" in arbiter.log, 2)
    check("is revoked" in door.hands.device(host, "ours", "--renew", "--host", arbiter.address, status=None).err, "no renewal")
    door.join(other, second)


@scenario(ours_only=True)
def certs_join_refused(lab):
    """A code that is mistyped, withdrawn, expired, used, or of another cluster: each is refused for its own reason, on the node
    and in the arbiter's log, and leaves nothing behind."""
    door = Door(lab)
    first, second = door.nodes
    used, withdrawn, other = door.invite()[0], door.invite()[0], door.invite("elsewhere")[0]
    short = door.invite(expires="1s")[0]
    made = time.monotonic()

    mistyped = used[:20] + ("A" if used[20] != "A" else "B") + used[21:]
    door.refused(first, mistyped, "mistyped: look at group 4", logged="")
    door.refused(first, used[:-1], "fewer than 30 characters", logged="")
    os.unlink(next(path for path in _invitations(door) if _code_is(door, path, 1)))
    door.refused(first, withdrawn, "no invitation has this code")
    door.refused(first, other, f'the code is for cluster "elsewhere", the node is in cluster "{door.name}"')
    pause_ms(1000 * (made + 1.1 - time.monotonic()))
    door.refused(first, short, "the code expired")
    check_equal(list(seen_from_outside(first, "/etc/corosync/qdevice/net").iterdir()), [], "what a refused node keeps")

    door.join(first, used)
    door.refused(second, used, "the code has been used")
    door.refused(first, used, "the code has been used")
    check(not seen_from_outside(second, NODE_DB).exists(), "a refused node has no database")
    check_equal(len(_invitations(door)), 3, "invitations left: used, other, expired")


def _code_is(door, path, number):
    """Whether this is the invitation made as the number-th: serial numbers count them."""
    serials = sorted(int(one.read_text().split("serial ")[1].split("\n")[0]) for one in _invitations(door))
    return f"serial {serials[number]}\n" in path.read_text()


@scenario(ours_only=True)
def certs_join_interrupted(lab):
    """A node whose disk fails it after the arbiter has granted: the same code again, with the same key, gets the same
    certificate; another node does not. Then the arbiter takes it into its record."""
    door = Door(lab)
    first, second = door.nodes
    code = door.invite()[0]
    in_the_way = seen_from_outside(first, NODE_DB)
    in_the_way.write_text("in the way")
    check(door.try_join(first, code).status != 0, "it cannot be installed")
    wait_for("the grant in the arbiter's log", lambda: "has got a certificate" in door.arbiter.log, 5)
    in_the_way.unlink()
    door.refused(second, code, "the code has been used")
    door.join(first, code)
    check("gets the certificate made for it before" in door.arbiter.log, "the same certificate again")
    check_equal(list(seen_from_outside(first, "/etc/corosync/qdevice/net").glob("*.key")), [], "keys left behind")
    door.invite()
    record = list(door.arbiter.host.path("etc", "qnetd", "nssdb", "issued").glob("*.crt"))
    shown = [run(door.arbiter.host, "/usr/bin/openssl", "x509", "-inform", "DER", "-noout", "-subject", "-in",
                 f"/etc/corosync/qnetd/nssdb/issued/{path.name}").out for path in record]
    check(any("OU = n1" in text and f"CN = {door.name}" in text for text in shown), f"the node in the record: {shown}")


@scenario(ours_only=True)
def certs_join_stranger(lab):
    """Guesses from one address get slower and slower answers, then none, and are logged; a thief who has read the arbiter's disk
    does not get in either; good nodes elsewhere do meanwhile."""
    door = Door(lab)
    source = attach(lab, 240)
    code, stolen = door.invite(nodes=["n1", "n2"])
    thief = attach(lab, 239)
    for path in _invitations(door):
        answer = say(door.arbiter.address, join(_id(path), proof=os.urandom(64)), thief)
        check_equal(answer and answer.reason, strangers.BAD_PROOF, f"answer to a thief: {answer}")
    answers = [say(door.arbiter.address, join(os.urandom(16)), source) for _ in range(12)]
    check_equal([answer and answer.reason for answer in answers[:6]], [strangers.UNKNOWN] * 6, f"first answers: {answers}")
    check_equal(answers[6:], [None] * 6, "further answers")
    for words in ("nothing is accepted from its address for 10 s", "its address or network has shown too many wrong codes",
                  "does not belong to this connection"):
        check(words in door.arbiter.log, f"the log says: {words}")
    for data in (b"\1\0\xff\xff", b"\0\0\0\0", strangers.message(strangers.GRANTED), strangers.message(strangers.JOIN)):
        answer = say(door.arbiter.address, data, thief)
        check_equal(answer and answer.reason, strangers.BAD_MESSAGE, f"answer to {data!r}")
    answer = say(door.arbiter.address, strangers.message(strangers.ASK, strangers.field(strangers.CLUSTER, b"any")), thief)
    check_equal((answer.kind, answer.reason), (strangers.VERDICT, strangers.NOT_ENTITLED), "answer to who asks without a certificate")
    for alpn in ("http/1.1", None):
        check_equal(say(door.arbiter.address, join(bytes(16)), thief, strangers.trusting_context(alpn)), None, f"ALPN {alpn}")
    for host, one in zip(door.nodes, (code, stolen)):
        door.join(host, one)
    door.arbiter.stop()
    door.arbiter.check_health()


@scenario(ours_only=True)
def certs_join_man_in_the_middle(lab):
    """Somebody between node and arbiter who ends TLS himself hears nothing, and the node says why it does not go on; one who
    passes the bytes on and plays them again gets nothing; the code is still good."""
    door = Door(lab)
    first, second = door.nodes
    code, another = door.invite(nodes=["n1", "n2"])
    with Middle(lab, door.arbiter.address, forge(lab.scratch)) as middle:
        door.refused(first, code, "is not the arbiter that this code is from", where=middle.address, logged="")
        door.refused(first, code, "Nothing has been sent to it", where=middle.address, logged="")
        check_equal((middle.handshakes, middle.heard), (0, b""), "what the man in the middle got")
    with Relay(lab, door.arbiter.address) as relay:
        door.join(first, code, where=relay.address)
        check(len(relay.noted) > 1000, "the relay has noted the bytes")
        before = [path.read_bytes() for path in _invitations(door)]
        for _ in range(3):
            back = strangers.play_again(door.arbiter.address, relay.noted)
            check(back[:1] in (b"", b"\x16", b"\x15"), f"what comes back of a replay: {back[:40]!r}")
        check_equal([path.read_bytes() for path in _invitations(door)], before, "invitations after the replay")
    check("TLS handshake failed" in door.arbiter.log or "TLS failed" in door.arbiter.log, "the replay is logged")
    door.join(second, another)


@scenario(ours_only=True)
def certs_join_renewed_and_revoked(lab):
    """Under a live cluster: a node renews its certificate; it is revoked and thrown out within a second, can neither come back nor
    renew, and joins anew with a code; its device takes the new certificate by itself. The other node does not notice. Then the whole cluster is revoked."""
    door = Door(lab)
    for host, code in zip(door.nodes, door.invite(nodes=["n1", "n2"])):
        door.join(host, code)
    door.start_cluster()
    first, start = door.nodes[0], now_ns()

    def renew(status):
        return door.hands.device(first, "ours", "--renew", "--host", door.arbiter.address, status=status)

    def connected():
        return door.arbiter.nodes_connected(door.name)

    before = door.fingerprint(first)
    renew(0)
    check(door.fingerprint(first) != before, "another certificate")
    check_equal(door.hands.qnetd("ours", "--list").out.split("\nCodes\n")[0].count("n1"), 2, "certificates of n1 on record")
    check_equal(connected(), [1, 2], "nodes that stay connected")

    revoked = time.monotonic()
    door.hands.qnetd("ours", "--revoke", door.name, "--node", "n1")
    wait_for("n1 to be gone", lambda: connected() == [2], 1 + time.monotonic() - revoked)
    wait_for("the reason in the log", lambda: door.arbiter.log.count("its certificate has been revoked") >= 2, 20)
    check("is revoked" in renew(None).err, "a revoked node does not renew")
    door.join(first, door.invite(nodes=["n1"])[0])
    wait_for("n1 to be back", lambda: connected() == [1, 2], 20)
    door.hands.cluster.check_quorate_since([1, 2], start)

    door.hands.qnetd("ours", "--revoke", door.name)
    wait_for("both to be gone", lambda: connected() == [], 2)
    # Renewals included, whose numbers are not counted.
    listed = seen_from_outside(door.arbiter.host, f"{ARBITER_DB}/revoked").read_text().splitlines()[1:-1]
    check(len(listed) == 1 and listed[0].startswith("up-to "), f"one entry for all: {listed}")
    door.arbiter.stop()
    door.arbiter.start()
    check_equal(connected(), [], "nodes that come back after a restart")


@scenario(ours_only=True)
def certs_join_revoked_in_renewal(lab):
    """A node is revoked while its renewal is being signed: it gets nothing, and the certificate that was made is of no use."""
    door = Door(lab)
    host = door.nodes[0]
    door.join(host, door.invite(nodes=["n1"])[0])
    children = f"/proc/{door.arbiter.process.pid}/task/{door.arbiter.process.pid}/children"
    with open(children, encoding="ascii") as list_of_children:
        pid = list_of_children.read().split()[0]
    tracer = door.arbiter.host.start(
        ["/usr/bin/strace", "-f", "-o", "/var/log/trace", "-e", "trace=close_range",
         "-e", "inject=close_range:delay_enter=4000000", "-p", pid])
    wait_for("strace to attach", lambda: "attached" in tracer.text(), 5)
    before = door.fingerprint(host)
    renewal = host.start([program("corosync-qdevice-net-certutil", "ours"), "--renew", "--host", door.arbiter.address])
    trace = door.arbiter.host.path("log", "trace")
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as signers:
        wait_for("it to be signed", lambda: signers.seek(0) == 0 and signers.read().split(), 8)
    door.hands.qnetd("ours", "--revoke", door.name, "--node", "n1")
    check(renewal.running, f"the renewal is under way when the node has been revoked: {trace.read_text()}")
    wait_for("the renewal to end", lambda: not renewal.running, 15)
    check("is revoked" in renewal.text(), f"the renewal is refused: {renewal.text()}")
    check_equal(door.fingerprint(host), before, "the certificate of the node")


@scenario(ours_only=True)
def certs_arbiter_made_anew(lab):
    """The arbiter's certificates are made anew under the running arbiter, as after a theft. Codes of the former authority are gone,
    its certificates do not get into the record, where numbers begin again; a node that joins anew is on record, and can be
    revoked within a second."""
    door = Door(lab)
    first = door.invite(nodes=["n1", "n2"])[0]
    door.join(door.nodes[0], first)
    before = len(door.arbiter.log)
    run(door.arbiter.host, "/usr/bin/rm", "-r", "/etc/corosync/qnetd/nssdb")
    door.hands.qnetd("ours", "-i")
    wait_for("the arbiter to load them", lambda: "new connections use the credentials just loaded" in door.arbiter.log[before:], 20)
    check_equal(len(_invitations(door)), 1, "codes of the former authority, but for the used one")
    for host, code in zip(door.nodes, door.invite(nodes=["n2", "n1"])):
        door.join(host, code, "--replace")
    door.start_cluster()
    listed = door.hands.qnetd("ours", "--list").out.split("\nCodes\n")[0]
    check_equal((listed.count("n1"), listed.count("n2")), (1, 1), f"certificates of either on record: {listed}")
    door.hands.qnetd("ours", "--revoke", door.name, "--node", "n2")
    wait_for("the node to be gone", lambda: door.arbiter.nodes_connected(door.name) == [2], 1)


@scenario(ours_only=True)
def certs_arbiter_takes_new_files(lab):
    """The arbiter's database is replaced, directory and all: within seconds, and untold, it shows the new certificate; the database
    it had before it keeps while there is none."""
    arbiter = lab.arbiter("ours")

    def shown():
        return run(arbiter.host, "/bin/sh", "-c", "printf '\\0\\0\\0\\0' | timeout 5 openssl s_client -connect 127.0.0.1:5403 -alpn "
                   "quorate-enrol/01 2>/dev/null | openssl x509 -noout -serial").out
    before = shown()
    certs.install_arbiter(arbiter.host, lab.certificates, "qnetd-renewed")
    wait_for("the arbiter to load them", lambda: "new connections use the credentials just loaded" in arbiter.log, 20)
    wait_for("another serial number", lambda: shown() not in ("", before), 10)
    arbiter.stop()
    arbiter.check_health()


@scenario(ours_only=True)
def certs_join_flood(lab):
    """A flood of beginning enrolments from eight addresses: the cluster that votes does not notice, the arbiter stays idle but
    for its door-keeper, and a good node gets in."""
    door = Door(lab)
    for host, code in zip(door.nodes, door.invite(nodes=["n1", "n2"])):
        door.join(host, code)
    door.start_cluster()
    cluster = door.hands.cluster
    guest = lab.host("guest", {"arb": 77})
    guest.path("etc", "qdevice", "net").mkdir(parents=True)
    code = door.invite("guests")[0]
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    start = now_ns()
    with Flood(lab, door.arbiter.address) as flood:
        wait_for("the flood", lambda: flood.count > 600, 20)
        wait_for("the flood to be refused", lambda: "refused: too many connections" in door.arbiter.log, 20)
        door.join(guest, code)
    cluster.check_quorate_since([1], start)
    check_equal([leases_ended(node) for node in cluster.nodes.values()], [0, 0], "leases that ended in the flood")
    wait_for("descriptors to be given back", lambda: len(os.listdir(f"/proc/{door.arbiter.process.pid}/fd")) < 40, 15)
    door.arbiter.check_health()
