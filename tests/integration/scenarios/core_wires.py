# SPDX-License-Identifier: BSD-3-Clause
"""Our core's transports in a ring with packaged cores: every kind, links that are cut, keys that change, and garbage."""

import json
import pathlib
import sys

from lab.net import Wires
from lab.wait import check, now_ns, wait_for

from . import register

_LETTERS = {"o": "ours", "p": "packaged"}
_CRYPTO = {"crypto_cipher": "aes256", "crypto_hash": "sha256"}
_SPRAY = pathlib.Path(__file__).resolve().parent.parent / "lab" / "spray.py"
_KEYS = (b"a" * 256, b"b" * 300)
_LINK_UP_S = 10
_TRUSTED_S = 6
"""libknet gives a link that has come up ten times its ping timeout, and less with each pong: ten pings later it notices in
time that the link is gone."""


def _cluster(lab, letters, transport, start=True, **options):
    cores = {i + 1: _LETTERS[letter] for i, letter in enumerate(letters)}
    cluster = lab.cluster(nodes=len(letters), device=False, cores=cores, transport=transport, start=False, **options)
    for node in cluster.nodes.values():
        node.host.path("etc", "authkey").write_bytes(_KEYS[0])
    if start:
        cluster.start()
        cluster.wait_all()
    return cluster


def _ours(cluster):
    return [node for node in cluster.nodes.values() if node.core_flavour == "ours"]


def _was_quiet_since(cluster, since_ns):
    """No client has been told of another membership since then."""
    for node in cluster.nodes.values():
        told = [sorted(belief.members) for belief in node.watch.update().beliefs if belief.since_ns > since_ns]
        check(not told, f"node {node.id} has been told of the memberships {told}")


# ---- every kind ----

def _kind(letters, transport, **options):
    """A scenario function: a ring forms, is cut, heals, and a node of it begins anew."""
    def run(lab):
        cluster = _cluster(lab, letters, transport, **options)
        cluster.cut([1], [2, 3])
        cluster.wait_quorate([2, 3], not_quorate=[1])
        cluster.heal()
        cluster.wait_all()
        for i in (1, 2):
            cluster.nodes[i].kill_corosync()
            cluster.nodes[i].start_corosync()
            cluster.wait_all()
    return run


_KINDS = {
    "udp": ("udp", {}),
    "broadcast": ("udp", {"totem": {"interface": {"broadcast": "yes"}}}),
    "udp6": ("udp", {"family": 6, "totem": {"ip_version": "ipv6"}}),
    "udpu6": ("udpu", {"family": 6}),
    "knet6": ("knet", {"family": 6}),
    "zlib": ("knet", {"totem": {"knet_compression_model": "zlib", "knet_compression_threshold": 1}}),
    "openssl": ("knet", {"totem": {**_CRYPTO, "crypto_model": "openssl"}}),
    "active": ("knet", {"links": 2, "totem": {"link_mode": "active"}}),
    "rr": ("knet", {"links": 2, "totem": {"link_mode": "rr", **_CRYPTO}}),
}

for _name, (_transport, _options) in _KINDS.items():
    for _letters in ("opo", "pop"):
        if _options.get("links", 1) == 1:
            register(f"core_wires_{_name}_{_letters}",
                     f"Cores of ours and packaged ones ({_letters}) in a ring over {_name}.",
                     _kind(_letters, _transport, **_options))


# ---- links ----

def _connected(node, link):
    """Ids of the other nodes to which a node's link is connected, as corosync-cfgtool -s tells."""
    here, ids = None, []
    for line in node.host.run(["/usr/sbin/corosync-cfgtool", "-s"]).out.splitlines():
        words = line.split()
        if words[:2] == ["LINK", "ID"]:
            here = int(words[2])
        elif words[:1] == ["nodeid:"] and words[2] == "connected" and here == link:
            ids.append(int(words[1].rstrip(":")))
    return ids


def _wait_link(cluster, link, is_up):
    for node in cluster.nodes.values():
        wanted = [i for i in cluster.nodes if i != node.id] if is_up else []
        wait_for(f"node {node.id} to see link {link} {'up' if is_up else 'down'}",
                 lambda node=node, wanted=wanted: _connected(node, link) == wanted, _LINK_UP_S)


def _two_links(letters, **totem):
    """A scenario function: each link alone carries the ring, which does not notice; without both it falls apart."""
    def run(lab):
        cluster = _cluster(lab, letters, "knet", links=2, token_ms=2000, totem=totem)
        names = [node.host.name for node in cluster.nodes.values()]
        for link, net in enumerate(("lan", "arb")):
            _wait_link(cluster, 0, True)
            _wait_link(cluster, 1, True)
            start = now_ns()
            cluster.hold("until libknet trusts its links", list(cluster.nodes), _TRUSTED_S)
            lab.wires.split(net, [[name] for name in names])
            lab.note(f"{net} cut")
            _wait_link(cluster, link, False)
            cluster.hold("with one link", list(cluster.nodes), 2.5)
            _was_quiet_since(cluster, start)
            cluster.heal()
            _wait_link(cluster, link, True)
            _was_quiet_since(cluster, start)
        for net in ("lan", "arb"):
            lab.wires.split(net, [names[:1], names[1:]])
        lab.note("both cut")
        cluster.wait_quorate([2, 3], not_quorate=[1])
        cluster.heal()
        cluster.wait_all()
    return run


for _letters in ("oop", "pop"):
    register(f"core_links_{_letters}", f"Two encrypted links ({_letters}): one may be cut, then the other, unnoticed by "
             "the ring.", _two_links(_letters, **_CRYPTO))
register("core_links_active", "The same with both links in use at a time, in the clear.", _two_links("opo", link_mode="active"))
register("core_links_rr", "The same with the links in use in turn.", _two_links("opo", link_mode="rr", **_CRYPTO))


def _interface_goes(transport):
    """A scenario function: the interface of a node goes down and comes back."""
    def run(lab):
        cluster = _cluster(lab, "opo", transport)
        host = cluster.nodes[1].host
        for _ in range(2):
            host.run(["/usr/sbin/ip", "link", "set", "lan", "down"], ok=True)
            lab.note("interface of node 1 down")
            cluster.wait_quorate([2, 3], not_quorate=[1])
            host.run(["/usr/sbin/ip", "link", "set", "lan", "up"], ok=True)
            lab.note("interface of node 1 up")
            cluster.wait_all()
        host.run(["/usr/sbin/ip", "addr", "flush", "dev", "lan"], ok=True)
        cluster.wait_quorate([2, 3], not_quorate=[1])
        host.run(["/usr/sbin/ip", "addr", "add", f"{Wires.address('lan', 1)}/24", "dev", "lan"], ok=True)
        cluster.wait_all()
        # It may also be down when the core begins.
        cluster.nodes[1].kill_corosync()
        host.run(["/usr/sbin/ip", "link", "set", "lan", "down"], ok=True)
        cluster.nodes[1].start_corosync()
        wait_for("node 1 to serve clients alone", lambda: cluster.nodes[1].watch.update().connected, 15)
        host.run(["/usr/sbin/ip", "link", "set", "lan", "up"], ok=True)
        cluster.wait_all()
    return run


for _transport in ("udpu", "udp", "knet"):
    register(f"core_interface_{_transport}", f"The interface of a node of ours goes down and comes back, over {_transport}.",
             _interface_goes(_transport))


# ---- reload ----

def _reload(node):
    node.host.run(["/usr/sbin/corosync-cfgtool", "-R"], ok=True)


def _key_changes(letters):
    """A scenario function: another key, for all at once. Among ours no node notices; a packaged node forgets the former key
    before others must have stopped using it, so a node that is slow may be lost for a moment."""
    def run(lab):
        cluster = _cluster(lab, letters, "knet", totem=_CRYPTO)
        start = now_ns()
        for turn, key in enumerate((_KEYS[1], _KEYS[0])):
            for node in cluster.nodes.values():
                node.host.path("etc", "authkey").write_bytes(key)
            _reload(cluster.nodes[1 + turn])
            for node in _ours(cluster):
                wait_for(f"node {node.id} to forget the former key",
                         lambda node=node, turn=turn: node.corosync.text().count("former crypto is forgotten") == turn + 1, 20)
            cluster.wait_all()
        if letters == "ooo":
            _was_quiet_since(cluster, start)
        cluster.nodes[1].stop_corosync()
        cluster.wait_quorate([2, 3], not_quorate=[1])
        cluster.nodes[1].start_corosync()
        cluster.wait_all()
    return run


for _letters in ("ooo", "opo", "pop"):
    register(f"core_key_{_letters}", f"Another key for a running cluster ({_letters}), twice.", _key_changes(_letters))


def _node_comes_and_goes(transport, letters):
    """A scenario function: a third node gets into the list of two that run, and out of it again."""
    def run(lab):
        cluster = _cluster(lab, letters, transport, start=False)
        full = cluster.nodes[1].host.path("etc", "corosync.conf").read_text(encoding="ascii")
        cut = full.rindex("    node {")
        short = full[:cut] + full[full.index("    }\n", cut) + 6:]
        both = (cluster.nodes[1], cluster.nodes[2])

        def write(text):
            for node in both:
                node.host.path("etc", "corosync.conf").write_text(text, encoding="ascii")
        write(short)
        for node in both:
            node.start_corosync()
        cluster.wait_quorate([1, 2])
        start = now_ns()
        write(full)
        _reload(cluster.nodes[2])
        cluster.nodes[3].start_corosync()
        cluster.wait_all()
        cluster.check_quorate_since([1, 2], start)
        cluster.nodes[3].stop_corosync()
        cluster.wait_quorate([1, 2], not_quorate=[3])
        write(short)
        _reload(cluster.nodes[1])
        # What it says is not heard any more: the two stay among themselves.
        cluster.nodes[3].start_corosync()
        quiet = now_ns()
        cluster.hold("without the third node", [1, 2], 3)
        for node in both:
            told = [belief.members for belief in node.watch.update().beliefs if belief.since_ns > quiet]
            check(not any(3 in members for members in told), f"node {node.id} has been told of {told}")
    return run


for _transport in ("udpu", "knet"):
    register(f"core_node_added_{_transport}", f"A node comes into the running cluster by a reload and goes again, over "
             f"{_transport}.", _node_comes_and_goes(_transport, "opp"))


# ---- garbage ----

def _ring_ids(cluster):
    """The ring id that each node tells."""
    return [line.split()[-1] for node in cluster.nodes.values()
            for line in node.host.run(["/usr/sbin/corosync-quorumtool", "-s"]).out.splitlines() if line.startswith("Ring ID")]


def _sprayed(transport, **totem):
    """A scenario function: node 1 is sprayed by a stranger and in the name of node 2, and stays with its members. With
    keys it even stays in its ring, whatever is done to what a member has said: without, whoever speaks in the name of a member
    can make all of them gather anew, and say what he likes."""
    def run(lab):
        cluster = _cluster(lab, "oop", transport, totem=totem)
        stranger = lab.host("n9", {"lan": 9})
        go = stranger.path("output", "go")
        kinds = ["rubbish", "headed"]
        sprays = [host.start([sys.executable, _SPRAY, "lan", Wires.address("lan", 1), "5405", "6", go, *kinds, *more], log="spray")
                  for host, more in ((cluster.nodes[2].host, ["replayed"] + (["altered"] if totem else [])), (stranger, []))]
        for spray in sprays:
            wait_for("the spray to listen", lambda spray=spray: "listening" in spray.text(), 10)
        # Something of every kind is to be heard: a node goes and comes.
        cluster.nodes[3].stop_corosync()
        cluster.wait_quorate([1, 2], not_quorate=[3])
        cluster.nodes[3].start_corosync()
        cluster.wait_all()
        rings = _ring_ids(cluster)
        start = now_ns()
        used = cluster.nodes[1].corosync.threads_in_user_s()
        go.touch()
        for spray in sprays:
            check(spray.wait(20) == 0, f"the spray failed: {spray.text()}")
        counts = [json.loads(spray.text().splitlines()[-1]) for spray in sprays]
        for count in counts:
            lab.note(f"sprayed: {count}")
        check(counts[0]["heard"] > 10, "the spray has heard nothing that it could send again")
        cluster.hold("after the spray", list(cluster.nodes), 2)
        _was_quiet_since(cluster, start)
        cluster.check_quorate_since(list(cluster.nodes), start)
        if totem:
            check(_ring_ids(cluster) == rings, f"the ring was {rings}, is {_ring_ids(cluster)}")
        lab.note(f"node 1 took {cluster.nodes[1].corosync.threads_in_user_s() - used:.2f} s of processor time")
    return run


register("core_sprayed_udpu", "A node of ours is sprayed with garbage and replayed datagrams over udpu.", _sprayed("udpu"))
register("core_sprayed_udp", "The same over udp.", _sprayed("udp"))
register("core_sprayed_knet", "The same over knet in the clear.", _sprayed("knet"))
register("core_sprayed_crypto", "The same over knet, encrypted.", _sprayed("knet", **_CRYPTO))
