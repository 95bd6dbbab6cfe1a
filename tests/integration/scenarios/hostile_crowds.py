# SPDX-License-Identifier: BSD-3-Clause
"""Peers in bulk: slow, silent, deaf, half-closed, reset, with thousands of cluster names."""

import socket
import time

from lab import qnet
from lab.qnet import Error, Option, Type
from lab.siege import Siege, sanitized
from lab.wait import check, check_equal, wait_for

from . import scenario

_CROWD = 3200
_DEAF = 16
_CLUSTERS_OF_ONE_ADDRESS = 256
_PROVOKING = (Type.PREINIT_REPLY, Type.STARTTLS, Type.INIT, Type.ECHO_REQUEST, Type.NODE_LIST, 18, 0xffff)


@scenario(ours_only=True)
def hostile_silent_crowd(lab):
    """3200 connections that say nothing, half of a header, or half of a message, all at once, twice."""
    siege = Siege(lab)
    begins = (b"", b"\0", qnet.preinit("alpha")[:9], qnet.preinit("alpha"), qnet.preinit("alpha") + qnet.starttls(),
              qnet.preinit("alpha") + qnet.starttls() + b"\x16\3\1\2", b"\0\x0a\0\0\x70\0" + bytes(100))
    number = 0

    def begin(probe):
        nonlocal number
        number += 1
        probe.send_raw(begins[number % len(begins)])

    def attack():
        with siege.crowd(_CROWD, begin):
            siege.served("with 3200 silent peers")
            siege.idle()
    siege.rounds(attack, 2)
    siege.unharmed()


@scenario(ours_only=True)
def hostile_slow_crowd(lab):
    """3200 connections that send one byte per second each, of messages and of a ClientHello."""
    siege = Siege(lab)
    with siege.probe("alpha") as probe:
        hello = probe.client_hello()
    slow = (qnet.preinit("alpha"), qnet.preinit("alpha") + qnet.starttls() + hello)

    def attack():
        with siege.crowd(_CROWD, lambda probe: None) as peers:
            start = time.monotonic()
            for second in range(4):
                for index, peer in enumerate(peers):
                    text = slow[index % 2]
                    # The second half of the crowd is in the middle of its ClientHello.
                    at = second + (0 if index % 2 == 0 else len(slow[0]) + 14 + 9)
                    peer.send_raw(text[:at + 1] if second == 0 else text[at:at + 1])
                siege.served(f"with 3200 slow peers, byte {second + 1}")
                while time.monotonic() < start + second + 1:
                    time.sleep(0.02)
    siege.rounds(attack, 2)
    siege.unharmed()


@scenario(ours_only=True)
def hostile_slow_crowd_runs_out_of_time(lab):
    """Peers that do not introduce themselves in time are closed, however busily they drip: init_timeout ends them all."""
    siege = Siege(lab, "-s", "req", "-S", "init_timeout=3000")
    text = qnet.preinit("alpha") + qnet.preinit("alpha") * 100
    with siege.probe("alpha") as probe:
        hello = qnet.preinit("alpha") + qnet.starttls() + probe.client_hello()
    with siege.crowd(100, lambda probe: None) as peers:
        start = time.monotonic()
        at = 0

        def ended():
            nonlocal at
            for index, peer in enumerate(peers):
                peer.send_raw((text if index % 2 else hello)[at:at + 1])
            at += 1
            return siege.open_files() <= siege.files
        wait_for("all of them to be closed", ended, 3 + siege.warm_s + 7)
        check(time.monotonic() - start > 2.5, "they were closed too early")
    siege.unharmed()


def _ask_and_never_read(peer, count, padding):
    """Send echo requests until `count` have gone or the arbiter closes."""
    data = peer.seal(qnet.echo(1, padding))
    peer.socket.settimeout(0.2)
    try:
        for _ in range(count):
            peer.socket.sendall(data)
            if peer.tls:
                data = peer.seal(qnet.echo(1, padding))
    except OSError:
        return


@scenario(ours_only=True)
def hostile_deaf_members(lab):
    """Members that ask for megabytes of echoes and never read: cut off alone, each at a bounded cost; another member of
    the same cluster is served meanwhile."""
    siege = Siege(lab)

    def attack():
        with siege.member(1) as good:
            peers = [siege.probe("alpha") for _ in range(_DEAF)]
            for node_id, peer in enumerate(peers, 2):
                peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                peer.join("alpha", node_id)
            for index, peer in enumerate(peers):
                _ask_and_never_read(peer, 20000 if index % 2 else 150, 0 if index % 2 else 30000)
                if index % 10 == 0:
                    good.echo()
                    siege.served(f"with {index + 1} deaf members")
            good.echo()
            siege.idle()
            siege.served("with deaf members")
            resident_kib = siege.arbiter.process.rss_kib()
            check(resident_kib < siege.rss_kib + _DEAF * 1200 + 300000 * sanitized(),
                  f"{_DEAF} deaf members cost {resident_kib - siege.rss_kib} KiB")
            for peer in peers:
                peer.close()
    siege.rounds(attack, 2)
    siege.unharmed()


@scenario(ours_only=True)
def hostile_deaf_strangers(lab):
    """Peers without INIT that provoke error replies by the ten thousand and never read them."""
    siege = Siege(lab)

    def attack():
        with siege.crowd(_DEAF, lambda probe: probe.socket.settimeout(0.2)) as peers:
            for index, peer in enumerate(peers):
                data = qnet.message(_PROVOKING[index % len(_PROVOKING)], qnet.u32(Option.SEQ, 1)) * 1000
                try:
                    for _ in range(10):
                        peer.socket.sendall(data)
                except OSError:
                    continue
            siege.served("with deaf strangers")
            siege.idle()
    siege.rounds(attack, 2)
    siege.unharmed()


@scenario(ours_only=True)
def hostile_half_closed_and_reset(lab):
    """Connections by the thousand that are half-closed or reset at every stage, those of members included."""
    siege = Siege(lab)
    stages = (b"", qnet.preinit("alpha"), qnet.preinit("alpha") + qnet.starttls(), qnet.preinit("alpha")[:7],
              qnet.init(1), qnet.preinit("alpha") + qnet.starttls() + b"\x16\3\1")

    def attack():
        for i in range(1200):
            peer = siege.probe()
            peer.send_raw(stages[i % len(stages)])
            peer.reset()
        half = []
        for i in range(1200):
            peer = siege.probe()
            peer.send_raw(stages[i % len(stages)])
            peer.socket.shutdown(socket.SHUT_WR)
            half.append(peer)
        siege.served("with half-closed peers")
        wait_for("half-closed peers to be closed", lambda: siege.open_files() <= siege.files, 10)
        for peer in half:
            peer.close()
        for i in range(40):
            peer = siege.member(1 + i % 20)
            if i % 3 == 0:
                peer.send(qnet.lists([1, 2]))
            if i % 2:
                peer.reset()
            else:
                peer.socket.shutdown(socket.SHUT_WR)
                wait_for("the arbiter to close a half-closed member", lambda one=peer: _ended(one), 10)
                peer.close()
        siege.served("after half-closed and reset members")
    siege.rounds(attack, 2)
    siege.unharmed()


def _ended(peer):
    try:
        peer.receive()
    except qnet.Closed:
        return True
    return False


@scenario(ours_only=True)
def hostile_cluster_names(lab):
    """Arbiter -s on: plain clients would found thousands of clusters, with names of any bytes; from one place they get so
    many. Members of other clusters do not notice, and all is forgotten when its time is over."""
    siege = Siege(lab, "-s", "on", "-S", "lease_margin=0")
    with siege.probe() as other:
        other.join("gamma", 1)

        def attack():
            with siege.probe() as probe:
                probe.send(qnet.preinit("x" * 300))
                probe.expect_closed("a name no certificate can have")
            founders = []
            for i in range(_CLUSTERS_OF_ONE_ADDRESS - 1):
                founders.append(siege.probe())
                founders[-1].send(qnet.preinit(f"c{i}" if i % 20 else f"\0/../{i}\n" + "x" * 200),
                                  qnet.init(1, heartbeat_ms=4000), qnet.lists([1]))
                founders[-1].expect(Type.PREINIT_REPLY)
                founders[-1].expect(Type.INIT_REPLY)
                if i % 50 == 0:
                    other.echo()
            for i in range(50):
                with siege.probe() as probe:
                    probe.send(qnet.preinit(f"d{i}"), qnet.init(1, heartbeat_ms=1000))
                    probe.expect(Type.PREINIT_REPLY)
                    probe.expect_closed("one cluster too many")
            siege.probe("alpha").join("alpha", 1).close()
            other.echo()
            siege.served("with hundreds of clusters")
            for founder in founders:
                founder.close()
            wait_for("the clusters to be forgotten", lambda: siege.arbiter.status()["Connected clusters"] == "1", 20)
        siege.rounds(attack, 2)
        other.echo()
    siege.unharmed()


@scenario(ours_only=True)
def hostile_no_descriptors_left(lab):
    """More connections than the arbiter may have descriptors: strangers give way, members stay, a good client gets in."""
    siege = Siege(lab, "-s", "req")
    siege.arbiter.stop()
    siege.arbiter.wrapper = ["/usr/bin/prlimit", "--nofile=600:600"]
    siege.arbiter.start()
    siege.settle()
    with siege.member(1) as member:
        member.send(qnet.lists([1]))
        member.wait_vote(qnet.ACK)
        with siege.crowd(1500, lambda probe: None):
            siege.served("with more strangers than descriptors")
            member.echo()
            siege.idle()
            check_equal(siege.arbiter.votes("alpha"), {1: "ACK"}, "votes")
            with siege.probe("alpha") as probe:
                probe.secure("alpha")
                check_equal(probe.init(1).error, Error.DUPLICATE_NODE_ID, "the member is still there")
    siege.unharmed()
