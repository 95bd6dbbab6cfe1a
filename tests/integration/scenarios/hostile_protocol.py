# SPDX-License-Identifier: BSD-3-Clause
"""Peers that break the protocol: wrong order, wrong lengths, damaged bytes, lists beyond all bounds. Each may harm itself
at most; a good client is served all the while and the arbiter is as it was before (lab/siege.py)."""

import random
import struct

from lab import qnet
from lab.qnet import Error, Option, Type
from lab.siege import Siege, sanitized
from lab.wait import check, check_equal

from . import scenario

_MIB = 1 << 20


@scenario(ours_only=True)
def hostile_plain_text_where_tls_is_required(lab):
    """Arbiter -s req: every message type in plain text, before and after PREINIT, is refused with TLS_REQUIRED (or an
    error that comes first); the connection lives and may still start TLS."""
    siege = Siege(lab)
    for introduced in (False, True):
        for kind, data in qnet.every_request().items():
            if kind in (Type.PREINIT, Type.STARTTLS):
                continue
            with siege.probe() as probe:
                if introduced:
                    probe.introduce("alpha")
                probe.send(data)
                probe.expect_error(Error.TLS_REQUIRED)
    for kind in Type:
        with siege.probe() as probe:
            probe.introduce("alpha")
            probe.send(qnet.message(kind, qnet.u32(Option.SEQ, 5)) * 3)
            if kind == Type.STARTTLS:
                probe.expect_closed("STARTTLS and then plain text")
                continue
            for _ in range(3):
                check_equal(probe.receive().type, Type.SERVER_ERROR, f"answer to {kind.name}")
    with siege.probe("alpha") as probe:
        probe.send(qnet.init(1))
        probe.expect_error(Error.TLS_REQUIRED)
        probe.join("alpha", 1).echo()
    check_equal(siege.arbiter.nodes_connected("alpha"), [], "nodes after the attack")
    siege.unharmed()


@scenario(ours_only=True)
def hostile_second_introduction(lab):
    """PREINIT, STARTTLS or INIT a second time, at any point, changes nothing for the sender or for others (P2, P3)."""
    siege = Siege(lab)
    with siege.member(2) as other, siege.member(1) as member:
        other.send(qnet.lists([1, 2]))
        member.send(qnet.lists([1, 2]))
        other.wait_vote(qnet.ACK)
        before = siege.arbiter.listing("alpha", "-v")
        for data, error in ((qnet.preinit("beta"), Error.UNEXPECTED), (qnet.preinit("alpha"), Error.UNEXPECTED),
                            (qnet.starttls(), Error.UNEXPECTED)):
            member.send(data)
            check_equal(member.receive_until(Type.SERVER_ERROR).error, error, "error")
        for options in ({"algorithm": 3}, {"algorithm": 0}, {"tie_breaker": (2, 0)}, {"heartbeat_ms": 1000}, {}):
            for node_id in (1, 2, 77):
                member.send(qnet.init(node_id, ring=(9, 9), **options))
                check_equal(member.receive_until(Type.INIT_REPLY).error, Error.DUPLICATE_NODE_ID, "error of INIT")
        member.send(qnet.node_list(qnet.MEMBERSHIP, [1, 2], 40))
        check_equal(member.receive_until(Type.NODE_LIST_REPLY).number(Option.SEQ), 40, "list after that")
        member.echo()
        other.echo()
        check_equal(siege.arbiter.listing("alpha", "-v"), before, "what the arbiter knows")
        siege.served("with such a member")
    for stage in ("introduced", "secured"):
        with siege.probe("alpha") as probe:
            probe.introduce("alpha") if stage == "introduced" else probe.secure("alpha")
            probe.send(qnet.preinit("beta"))
            probe.expect_error(Error.UNEXPECTED)
            if stage == "secured":
                probe.send(qnet.starttls())
                probe.expect_error(Error.UNEXPECTED)
                check_equal(probe.init(5).error, Error.NONE, "INIT after the refused ones")
                check_equal(siege.arbiter.nodes_connected("alpha"), [5], "nodes of the cluster of the first PREINIT")
                check_equal(siege.arbiter.nodes_connected("beta"), [], "nodes of the cluster of the second PREINIT")
    siege.unharmed()


@scenario(ours_only=True)
def hostile_duplicate_node_ids(lab):
    """Hundreds of connections that claim the id of a live node: refused, the first one keeps its vote."""
    siege = Siege(lab)
    with siege.member(1) as member:
        member.send(qnet.lists([1]))
        member.wait_vote(qnet.ACK)
        before = siege.arbiter.listing("alpha")
        for i in range(200):
            with siege.probe("alpha") as probe:
                probe.secure("alpha")
                check_equal(probe.init(1).error, Error.DUPLICATE_NODE_ID, "INIT of a duplicate")
                probe.send(qnet.lists([1]))
                probe.expect_error(Error.INIT_REQUIRED)
                if i == 100:
                    siege.served("with duplicates")
        member.echo()
        check_equal(siege.arbiter.listing("alpha"), before, "what the arbiter knows")
    siege.unharmed()


@scenario(ours_only=True)
def hostile_truncated_messages(lab):
    """Every message type cut off after every byte, then closed: in plain text before anything else and after PREINIT,
    and inside TLS by a member."""
    siege = Siege(lab)
    for data in qnet.every_request().values():
        for size in range(1, len(data)):
            with siege.probe() as probe:
                probe.send(data[:size])
        siege.served("after truncated messages")
    for kind, data in qnet.every_request().items():
        for size in range(1, len(data), 1 if len(data) < 40 else 7):
            with siege.probe("alpha") as probe:
                probe.join("alpha", 1 if kind != Type.INIT else 3)
                probe.send(data[:size])
    check_equal(siege.arbiter.nodes_connected("alpha"), [], "nodes after the attack")
    siege.unharmed()


@scenario(ours_only=True)
def hostile_shortened_bodies(lab):
    """Every message type from a member with the body cut off at every byte and the length made to fit: an answer or
    an error to each, in order, and the connection lives."""
    siege = Siege(lab)
    with siege.member(1) as member, siege.member(2) as other:
        for data in qnet.every_request().values():
            for size in range(len(data) - qnet.HEADER_SIZE):
                member.send(data[:2], struct.pack(">I", size), data[qnet.HEADER_SIZE:qnet.HEADER_SIZE + size])
            member.echo()
        other.echo()
        siege.served("after shortened bodies")
    siege.unharmed()


@scenario(ours_only=True)
def hostile_corrupted_bytes(lab):
    """Each byte of each message set to other values, sent by a member and followed by an echo; where the damage is in
    the length, the connection is just closed."""
    siege = Siege(lab)
    chance = random.Random(1)
    node_id = 10
    member = siege.member(node_id)
    for data in qnet.every_request(node_id=10).values():
        for at in range(len(data)):
            for value in {0, 0xff, data[at] ^ 1, data[at] ^ 0x80, chance.randrange(256)} - {data[at]}:
                member.send(data[:at] + bytes([value]) + data[at + 1:])
                if 2 <= at < qnet.HEADER_SIZE:
                    member.close()
                    member = siege.probe("alpha")
                    member.secure("alpha")
                    member.init(node_id)
            if not 2 <= at < qnet.HEADER_SIZE:
                member.echo()
    siege.served("during corruption")
    member.close()
    siege.unharmed()


@scenario(ours_only=True)
def hostile_lengths_and_unknown_types(lab):
    """Announced lengths of up to 4 GiB, of known and unknown types, and up to megabytes of such bodies: nothing is
    kept, and what follows a skipped message is answered."""
    siege = Siege(lab)
    zeros = bytes(65536)
    for kind in (*Type, 18, 99, 0xffff):
        for size in (0x7fffffff, 0xffffffff, 0xfffffffa, 32763):
            with siege.probe() as probe:
                probe.send_raw(struct.pack(">HI", kind, size) + zeros[:1000])
    with siege.crowd(50, lambda probe: probe.send_raw(struct.pack(">HI", 10, 0xffffffff))) as peers:
        for _ in range(16):
            for peer in peers:
                peer.send_raw(zeros)
        siege.served("while 50 peers send endless messages")
    with siege.probe() as probe:
        for kind, size, error in ((99, 0, Error.UNSUPPORTED_MESSAGE), (99, 16 * _MIB, Error.UNSUPPORTED_MESSAGE),
                                  (18, 1, Error.UNSUPPORTED_MESSAGE), (10, 32763, Error.TOO_LONG),
                                  (0, 4 * _MIB, Error.TOO_LONG)):
            probe.send_raw(struct.pack(">HI", kind, size) + bytes(size))
            probe.expect_error(error)
        probe.introduce("alpha")
    with siege.member(1) as member:
        for kind in (18, 99, 0xffff):
            member.send(struct.pack(">HI", kind, _MIB) + bytes(_MIB))
            check_equal(member.receive_until(Type.SERVER_ERROR).error, Error.UNSUPPORTED_MESSAGE, "error")
        member.send(struct.pack(">HI", Type.ECHO_REQUEST, 0xffffffff) + bytes(_MIB))
        siege.served("while a member sends an endless message")
    siege.unharmed()


_BAD_TLVS = (
    b"", b"\0", b"\0\0\0", b"\0\0\0\4", b"\0\0\xff\xff\0\0\0\1", b"\0\x11\0\0", b"\0\x11\0\3\0\x09\0",
    qnet.tlv(Option.SEQ, b"\0" * 3), qnet.tlv(Option.SEQ, b"\0" * 5), qnet.tlv(Option.RING_ID, b"\0" * 11),
    qnet.u8(Option.LIST_TYPE, 4), qnet.u8(Option.VOTE, 0), qnet.u8(Option.QUORATE, 2), qnet.u8(Option.HEURISTICS, 3),
    qnet.u8(Option.KEEP_ACTIVE_PARTITION, 2), qnet.tlv(Option.TIE_BREAKER, b"\0\0\0\0\0"),
    qnet.tlv(Option.SUPPORTED_MESSAGES, b"\0"), qnet.node(0), qnet.tlv(Option.NODE_INFO, qnet.u8(Option.NODE_STATE, 9)),
    qnet.tlv(Option.NODE_INFO, qnet.node(1)), qnet.tlv(Option.NODE_INFO, qnet.u32(Option.NODE_ID, 1) + b"\0"),
)


@scenario(ours_only=True)
def hostile_malformed_tlvs(lab):
    """Members whose TLVs are malformed, nested wrongly, missing or in excess: an error to each message, no vote is lost."""
    siege = Siege(lab)
    with siege.member(1) as member, siege.member(2) as other:
        for peer in (member, other):
            peer.send(qnet.lists([1, 2]))
            peer.wait_vote(qnet.ACK)
        before = siege.arbiter.votes("alpha")
        requests = [kind for kind in qnet.every_request() if kind not in (Type.PREINIT, Type.STARTTLS, Type.INIT)]
        for kind in requests:
            for bad in _BAD_TLVS:
                member.send(qnet.message(kind, bad))
                check_equal(member.receive_until(Type.SERVER_ERROR).error, Error.DECODING, f"{kind.name} with {bad.hex()}")
            for lacking in (qnet.u32(1000, 1), qnet.u32(Option.NODE_ID, 1)):
                member.send(qnet.message(kind, lacking))
            member.send(qnet.message(kind, *[qnet.tlv(2000 + i, b"") for i in range(2000)]))
            member.send(qnet.message(kind, qnet.u32(Option.SEQ, 1) * 3000))
            member.echo()
        other.echo()
        check_equal(siege.arbiter.votes("alpha"), before, "votes")
        siege.served("after malformed TLVs")
    siege.unharmed()


@scenario(ours_only=True)
def hostile_node_lists(lab):
    """Huge, empty and absurd node lists, and thousands of node ids in one cluster: lists and cluster have a limit, and
    neither costs the other members or another cluster anything."""
    siege = Siege(lab)
    with siege.member(1) as good, siege.member(2) as evil:
        for peer in (good, evil):
            peer.send(qnet.lists([1, 2]))
            peer.wait_vote(qnet.ACK)
        most = [i + 1 for i in range(2700)]
        kinds = (qnet.CONFIG, qnet.CHANGED_CONFIG, qnet.MEMBERSHIP, qnet.QUORUM)
        for _ in range(20):
            for kind in kinds:
                for ids in (most[:1600], [], [2] * 1600, [0xffffffff, 2], most[2:129]):
                    evil.send(qnet.node_list(kind, ids, ring=(1, 1)))
            evil.echo()
        good.echo()
        siege.served("during absurd lists")
    # A lone member, so that it gets what it asks for: as many ids as there may be, again and again.
    with siege.member(1) as member:
        for i in range(50):
            member.send(qnet.lists(range(1, 129), ring=(1, 10 + i)))
            member.echo()
    siege.rounds(lambda: _overfill(siege), 2)
    siege.unharmed()


def _overfill(siege):
    """More nodes in one cluster than it may have."""
    peers = [siege.probe("alpha") for _ in range(136)]
    refused = 0
    for node_id, peer in enumerate(peers, 1):
        peer.secure("alpha")
        peer.send(qnet.init(node_id))
        try:
            check_equal(peer.receive().error, Error.NONE, "INIT")
            peer.send(qnet.lists(range(1, 129)))
        except qnet.Closed:
            refused += 1
    check_equal(refused, 8, "nodes beyond max_nodes_per_cluster")
    siege.served("with a cluster that is full")
    for peer in peers:
        peer.close()


@scenario(ours_only=True)
def hostile_expensive_decisions(lab):
    """A whole cluster of members whose lists have nothing in common, each as long as may be, and who change their minds
    all the time: every change is decided upon, and nobody else waits for it."""
    siege = Siege(lab, growth_kib=4096)  # what 128 nodes have reported
    victim = siege.member(1, "beta")
    members = []
    for node_id in range(1, 129):
        members.append(siege.probe("alpha").join("alpha", node_id, algorithm=qnet.LMS, heartbeat_ms=120000))
        members[-1].send(qnet.lists([node_id] + [1000 * node_id + i for i in range(1, 128)], ring=(node_id, 1)))
        members[-1].send(qnet.node_list(qnet.MEMBERSHIP, [node_id, 1000 * node_id], ring=(node_id, 2)))
    siege.served("with lists that have nothing in common")
    changes = [qnet.message(Type.HEURISTICS_CHANGE, qnet.u32(Option.SEQ, 9), qnet.u8(Option.HEURISTICS, 1 + i % 2))
               for i in range(100)]
    for member in members:
        member.send(*changes)
    before_s = siege.arbiter.process.threads_in_user_s()
    victim.echo()
    worked_s = siege.arbiter.process.threads_in_user_s() - before_s
    check(worked_s < (2.5 if sanitized() else 0.5), f"the arbiter worked for {worked_s:.2f} s before it answered a member of another cluster")
    log_size = len(siege.arbiter.log)
    check(log_size < 1000000, f"{log_size} bytes of log")
    for member in [victim, *members]:
        member.close()
    siege.idle()
    siege.unharmed()


@scenario(ours_only=True)
def hostile_crashes_of_the_packaged(lab):
    """What kills the packaged arbiter: P1, two ffsplit clients that did nothing but INIT, of which one disconnects; P2, a
    second INIT with another algorithm, then a node list."""
    siege = Siege(lab)
    for tie_breaker in ((1, 0), (2, 0), (3, 1)):
        for leaver_has_lists in (False, True):
            with siege.member(1, tie_breaker=tie_breaker) as stays:
                with siege.member(2, tie_breaker=tie_breaker) as leaves:
                    if leaver_has_lists:
                        leaves.send(qnet.lists([1, 2]))
                    leaves.echo()
                stays.echo()
                stays.echo()
    for first in range(4):
        for second in range(4):
            with siege.member(1, algorithm=first) as member:
                check_equal(member.init(1, algorithm=second).error, Error.DUPLICATE_NODE_ID, "second INIT")
                member.send(qnet.lists([1, 2]))
                member.send(qnet.message(Type.HEURISTICS_CHANGE, qnet.u32(Option.SEQ, 9), qnet.u8(Option.HEURISTICS, 1)))
                member.echo()
    siege.unharmed()
