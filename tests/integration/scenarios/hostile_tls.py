# SPDX-License-Identifier: BSD-3-Clause
"""Peers that misuse TLS: wrong certificates, bytes where they must not be, floods of handshakes and key updates, and the
holder of one cluster's certificate who wants to act in another (defect P3)."""

import contextlib
import socket
import ssl
import struct

from lab import libssl, qnet
from lab.qnet import Error, Option, Type
from lab.siege import Siege
from lab.wait import Failure, check, check_equal

from . import scenario

_HANDSHAKES = 2000
_KEY_UPDATES = 400000
"""Far more than fit into the buffers of two sockets: whoever gets rid of so many has found somebody who takes them."""


def _refused(siege, who, cluster, version):
    """This certificate opens nothing: the connection ends without a message."""
    with siege.probe(who, version) as probe:
        probe.introduce(cluster)
        probe.send_raw(qnet.starttls() + probe.client_hello())
        with contextlib.suppress(qnet.Closed):
            probe.handshake()
            # Under TLS 1.3 a client is done before the server has looked at its certificate.
            probe.send(qnet.init(1), qnet.lists([1]))
        probe.expect_closed(f"certificate {who or 'none'} for cluster {cluster}")


@scenario(ours_only=True)
def hostile_certificates(lab):
    """No certificate, one of a foreign CA of the same name, expired, not yet valid, of another cluster; over TLS 1.2 and
    1.3; 1.1 and below are not spoken."""
    siege = Siege(lab)
    with siege.member(1) as member:
        member.send(qnet.lists([1]))
        member.wait_vote(qnet.ACK)
        before = siege.arbiter.listing("alpha")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for who in ("", "foreign", "expired", "not-yet-valid", "beta"):
                for _ in range(20):
                    _refused(siege, who, "alpha", version)
                siege.served(f"with certificate {who or 'none'}")
            siege.probe("alpha", version).join("alpha", 2).close()
        with siege.probe("alpha") as probe:
            probe.introduce("alpha")
            hello = bytearray(probe.client_hello())
            hello[1:3] = hello[9:11] = b"\3\2"
            at = hello.find(b"\0\x2b\0")
            hello[at:at + 2] = b"\xff\x2b"
            probe.send_raw(qnet.starttls() + bytes(hello))
            try:
                probe.handshake()
            except qnet.Closed:
                pass
            else:
                raise Failure("TLS 1.1 was accepted")
        for words in ("certificate has expired", "certificate is not yet valid", "peer did not return a certificate"):
            check(words in siege.arbiter.log, f"the log says: {words}")
        member.echo()
        listing = siege.arbiter.listing("alpha")
        check_equal({key: listing.get(key) for key in before}, before, "what the arbiter knows of the member")
    siege.unharmed()


@scenario(ours_only=True)
def hostile_bytes_behind_starttls(lab):
    """Plain messages behind STARTTLS, in the same segment or later, alone or around a ClientHello, end the connection
    unanswered; a ClientHello in the same segment works, and so does one that comes byte by byte."""
    siege = Siege(lab)
    for kind, data in qnet.every_request().items():
        for begin in (qnet.preinit("alpha") + qnet.starttls(), None):
            with siege.probe() as probe:
                if begin is None:
                    probe.introduce("alpha")
                    probe.send(qnet.starttls())
                    probe.send(data * 3)
                else:
                    probe.send(begin + data * 3)
                    probe.expect(Type.PREINIT_REPLY)
                probe.expect_closed(f"{kind.name} behind STARTTLS")
    for before, after in ((qnet.init(1), b""), (b"", qnet.init(1)), (b"\0", b""), (b"", b"\0" * 40)):
        with siege.probe("alpha") as probe:
            probe.introduce("alpha")
            probe.send_raw(qnet.starttls() + before + probe.client_hello() + after)
            with contextlib.suppress(qnet.Closed):
                probe.handshake()
                probe.send(qnet.init(1))
            probe.expect_closed("a ClientHello among plain text")
    siege.served("after plain text behind STARTTLS")
    with siege.probe("alpha") as probe:
        probe.send_raw(qnet.preinit("alpha") + qnet.starttls() + probe.client_hello())
        size = len(qnet.message(Type.PREINIT_REPLY, qnet.u32(0, 1), qnet.u8(2, 2), qnet.u8(3, 1)))
        check_equal(probe.socket.recv(size, socket.MSG_WAITALL)[1], Type.PREINIT_REPLY, "answer in plain text")
        probe.handshake()
        probe.send(qnet.init(1), qnet.lists([1]))
        probe.wait_vote(qnet.ACK)
    with siege.probe("alpha") as probe:
        probe.introduce("alpha")
        for byte in qnet.starttls() + probe.client_hello():
            probe.send_raw(bytes([byte]))
        probe.handshake()
        check_equal(probe.init(1).error, Error.NONE, "INIT after a handshake in single bytes")
        for byte in probe.seal(qnet.lists([1]) + qnet.echo()):
            probe.send_raw(bytes([byte]))
        probe.receive_until(Type.ECHO_REPLY)
    siege.unharmed()


def _record(kind, data, version=0x0301):
    return struct.pack(">BHH", kind, version, len(data)) + data


_NOT_HELLOS = (
    b"GET / HTTP/1.1\r\n\r\n", b"\x16", b"\x16\3\1", b"\x16\3\1\xff\xff", b"\x16\3\1\0\0" * 5000,
    _record(22, b"\x01\xff\xff\xff"), _record(22, b"\x01"), _record(21, b"\2\x28"), _record(21, b"\1\x5a") * 5000,
    _record(20, b"\1") * 5000, _record(23, bytes(16000)), _record(22, b"\x01\0\0\0"), _record(22, b"\0\0\0\0") * 5000,
    b"\x80\x2e\1\0\2" + bytes(60), bytes(100000), _record(22, b"\x01\xff\xff\xff" + bytes(16000)) + _record(22, bytes(16384)) * 64,
    b"".join(_record(22, bytes([byte])) for byte in b"\x01\0\xff\xff" + bytes(65535)),
)


@scenario(ours_only=True)
def hostile_not_a_handshake(lab):
    """Behind STARTTLS comes anything but a ClientHello: text, alerts, empty and tiny records by the thousand, hellos of
    16 MiB, hellos cut off or damaged in any byte."""
    siege = Siege(lab)

    def garbage(data):
        with siege.probe() as probe:
            probe.introduce("alpha")
            probe.send_raw(qnet.starttls() + data)

    def attack():
        for data in _NOT_HELLOS:
            for _ in range(5):
                garbage(data)
            siege.served(f"after {data[:8]!r}... instead of a ClientHello")
        with siege.crowd(50, lambda probe: probe.send_raw(qnet.preinit("alpha") + qnet.starttls() + _NOT_HELLOS[-2])):
            siege.served("while 50 peers send endless hellos")
    attack()
    with siege.probe("alpha") as probe:
        hello = probe.client_hello()
    for at in range(len(hello)):
        garbage(hello[:at])
        garbage(hello[:at] + bytes([hello[at] ^ 0xff]) + hello[at + 1:])
    siege.settle()
    siege.rounds(attack, 2)
    siege.unharmed()


@scenario(ours_only=True)
def hostile_damaged_records(lab):
    """A member whose TLS records are damaged on the way, cut off, or repeated: only its own connection ends."""
    siege = Siege(lab)
    with siege.member(1) as other:
        for at in range(0, 60, 3):
            with siege.member(2) as member:
                record = bytearray(member.seal(qnet.echo()))
                record[at % len(record)] ^= 0x10
                member.send_raw(bytes(record) + member.seal(qnet.echo()) * 2 + bytes(66000))
                member.expect_closed("a damaged record")
            with siege.member(2) as member:
                member.send_raw(member.seal(qnet.echo())[:at % 30])
        with siege.member(2) as member:
            record = member.seal(qnet.echo())
            member.send_raw(record * 2)
            member.receive_until(Type.ECHO_REPLY)
            member.expect_closed("a record played again")
        other.echo()
    siege.unharmed()


@scenario(ours_only=True)
def hostile_handshake_flood(lab):
    """Thousands of ClientHellos, and then silence: a good client is served all the while, with the flood in progress and
    with all of those connections open."""
    siege = Siege(lab)
    with siege.probe("alpha") as probe:
        begin = qnet.preinit("alpha") + qnet.starttls() + probe.client_hello()

    def attack():
        count = 0

        def hello(probe):
            nonlocal count
            count += 1
            probe.send_raw(begin)
            if count % 600 == 0:
                siege.served(f"after {count} ClientHellos")
        with siege.crowd(_HANDSHAKES, hello):
            siege.served("with the whole flood waiting")
            siege.idle()
            siege.served("with all of them silent")
    siege.rounds(attack, 2)
    siege.unharmed()


@scenario(ours_only=True)
def hostile_key_updates(lab):
    """Members that update their keys for ever, with and without asking for an answer, or want to renegotiate: they are
    thrown out, or refused, and nobody waits."""
    siege = Siege(lab)
    certificate = lab.certificates / "probe" / "alpha.pem"

    def flood(renegotiates, act):
        with siege.probe() as probe:
            probe.introduce("alpha")
            probe.send(qnet.starttls())
            peer = libssl.Peer(probe.socket, certificate, renegotiates)
            check(peer.write(qnet.init(1) + qnet.lists([1])), "INIT over libssl")
            done = 0
            while done < _KEY_UPDATES and act(peer):
                done += 1
            siege.served("during key updates")
            peer.close()
            return done

    def attack():
        for answer in (False, True):
            done = flood(False, lambda peer, answer=answer: peer.update_keys(answer))
            check(done < _KEY_UPDATES, f"{_KEY_UPDATES} key updates in a row were taken")
        for _ in range(20):
            check_equal(flood(True, lambda peer: peer.renegotiate()), 0, "renegotiations")
        # With messages between them they are legal, and must cost no more than messages do.
        flood(False, lambda peer: peer.update_keys(False) and peer.write(qnet.echo()) and False)
    siege.rounds(attack, 2)
    siege.unharmed()


@scenario(ours_only=True)
def hostile_other_cluster(lab):
    """The holder of alpha's certificate tries to act in cluster beta by every trick; beta's members do not notice (P3)."""
    siege = Siege(lab)
    context = siege.context("alpha")
    with siege.member(1, "beta") as victim, siege.member(2, "beta") as second:
        for member in (victim, second):
            member.send(qnet.lists([1, 2]))
            member.wait_vote(qnet.ACK)
        before = siege.arbiter.listing("beta")
        # The other name from the start, and names that look like one or the other.
        for name in ("beta", "BETA", "beta\0alpha", "alpha\0beta", "alpha\0", "alpha.", "alpha ", " alpha", "*", "", "alph",
                     "alphaa", "CN=alpha", "a" * 300):
            with siege.probe("alpha") as probe:
                with contextlib.suppress(qnet.Closed):
                    probe.secure(name)
                    probe.send(qnet.init(1), qnet.lists([1]))
                probe.expect_closed(f"PREINIT for {name!r} with alpha's certificate")
        # One name for the certificate, another one for INIT, at every point where PREINIT can be sent.
        with siege.probe("alpha") as probe:
            probe.introduce("alpha")
            probe.send(qnet.preinit("beta"))
            probe.expect_error(Error.UNEXPECTED)
            probe.send_raw(qnet.starttls() + probe.client_hello())
            probe.handshake()
            probe.send(qnet.preinit("beta"))
            probe.expect_error(Error.UNEXPECTED)
            init = qnet.init(1)
            probe.send(qnet.message(Type.INIT, init[qnet.HEADER_SIZE:], qnet.tlv(Option.CLUSTER_NAME, b"beta")))
            check_equal(probe.expect(Type.INIT_REPLY).error, Error.NONE, "INIT into alpha")
            probe.send(qnet.preinit("beta"))
            probe.expect_error(Error.UNEXPECTED)
            probe.send(qnet.lists([1, 2], ring=(1, 99)))
            for seq in range(1, 20):
                probe.send(qnet.message(Type.VOTE_INFO_REPLY, qnet.u32(Option.SEQ, seq)))
            probe.echo()
            check_equal(siege.arbiter.nodes_connected("alpha"), [1], "nodes of alpha")
        # A TLS session of alpha's, taken up again for beta.
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = siege.context("alpha", version)
            with siege.probe("alpha", version) as probe:
                probe.join("alpha", 1).echo()
                session = probe.tls.session
            with siege.probe("alpha", version) as probe:
                probe.introduce("beta")
                probe.tls = context.wrap_bio(probe.incoming, probe.outgoing, session=session)
                probe.send_raw(qnet.starttls())
                with contextlib.suppress(qnet.Closed):
                    probe.handshake()
                    probe.send(qnet.init(1))
                probe.expect_closed("a session of alpha's used for beta")
        for member in (victim, second):
            member.echo()
        check_equal(siege.arbiter.listing("beta"), before, "what the arbiter knows of beta")
    siege.unharmed()
