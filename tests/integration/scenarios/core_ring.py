# SPDX-License-Identifier: BSD-3-Clause
"""Our core in a ring, alone and mixed with the packaged one: nodes come, go, die and lose each other."""

from lab.wait import now_ns, poll_pause, wait_for

from . import register

_LETTERS = {"o": "ours", "p": "packaged"}

_CRYPTO = {"crypto_cipher": "aes256", "crypto_hash": "sha256", "key": "k" * 128}
_TRANSPORTS = {"udpu": ("udpu", {}), "knet": ("knet", {}), "crypto": ("knet", _CRYPTO)}


def _cores(letters):
    """{node id: flavour} of e.g. "opp"."""
    return {i + 1: _LETTERS[letter] for i, letter in enumerate(letters)}


def _cluster(lab, letters, transport, start=True, wait=True, **options):
    kind, totem = _TRANSPORTS[transport]
    return lab.cluster(nodes=len(letters), device=False, cores=_cores(letters), transport=kind, totem=totem, start=start,
                       wait=wait, **options)


def _members_seen(node, since_ns):
    """The memberships that clients of this node were told since then, in order, without repetitions."""
    seen = []
    for belief in node.watch.update().beliefs:
        if belief.since_ns >= since_ns and (not seen or seen[-1] != belief.members):
            seen.append(belief.members)
    return seen


def _tools_agree(cluster):
    """corosync-quorumtool says the same on all nodes, but for what is the node's own."""
    def status(node):
        out = node.host.run(["/usr/sbin/corosync-quorumtool", "-s"]).out
        return [line.replace(" (local)", "") for line in out.splitlines() if not line.startswith(("Date:", "Node ID:"))]

    def same():
        said = [status(node) for node in cluster.nodes.values()]
        return all(one == said[0] for one in said)
    wait_for("the same output of corosync-quorumtool on all nodes", same, 10)


def _life(letters, transport):
    """A scenario function: three nodes boot one after the other, last first; a cut, a crash, a restart, a farewell."""
    def run(lab):
        cluster = _cluster(lab, letters, transport, start=False)
        nodes = cluster.nodes
        for i in sorted(nodes, reverse=True):
            nodes[i].start_corosync()
        cluster.wait_all()
        _tools_agree(cluster)

        start = now_ns()
        cluster.cut([1], [2, 3])
        cluster.wait_quorate([2, 3], not_quorate=[1])
        cluster.heal()
        cluster.wait_all()
        cluster.check_quorate_since([2, 3], start)

        nodes[3].kill_corosync()
        cluster.wait_quorate([1, 2], not_quorate=[3])
        nodes[3].start_corosync()
        cluster.wait_all()

        nodes[1].stop_corosync()
        cluster.wait_quorate([2, 3], not_quorate=[1], deadline_s=5)
        nodes[1].start_corosync()
        cluster.wait_all()
        _tools_agree(cluster)
        # Node 2 was there all the time, whatever its core is, and so were the changes that it saw.
        seen = _members_seen(nodes[2], start)
        wanted = [frozenset(one) for one in ((2, 3), (1, 2, 3), (1, 2), (1, 2, 3), (2, 3), (1, 2, 3))]
        if [one for one in seen if one != frozenset((1, 2, 3))] != wanted[::2]:
            raise AssertionError(f"node 2 saw {[sorted(one) for one in seen]}")
    return run


for _letters in ("ooo", "opp", "pop", "ppo", "oop", "poo"):
    for _transport in _TRANSPORTS:
        register(f"core_life_{_letters}_{_transport}",
                 f"Three cores, {', '.join(_cores(_letters).values())}, over {_transport}: boot, cut, heal, kill -9, "
                 "restart and an orderly stop; every membership is told once and in order.",
                 _life(_letters, _transport))


def _all_at_once(letters, transport):
    """A scenario function: all boot at the same time, then again."""
    def run(lab):
        cluster = _cluster(lab, letters, transport)
        for node in cluster.nodes.values():
            node.kill_corosync()
        for node in cluster.nodes.values():
            node.start_corosync()
        cluster.wait_all()
        _tools_agree(cluster)
    return run


register("core_five_ours_knet", "Five of our cores boot at once, die at once and boot again.", _all_at_once("ooooo", "knet"))
register("core_five_mixed_knet", "Five cores, ours and packaged in turn, boot at once, die at once and boot again.",
         _all_at_once("opopo", "knet"))
register("core_five_mixed_udpu", "The same over udpu.", _all_at_once("popop", "udpu"))


def _alone(lab):
    """A lone core with every tool."""
    cluster = _cluster(lab, "o", "knet")
    host = cluster.nodes[1].host
    for command, words in ((["corosync-quorumtool", "-s"], "Quorate:          Yes"),
                           (["corosync-cfgtool", "-s"], "Local node ID 1, transport knet"),
                           (["corosync-cmapctl", "runtime.members.1.status"], "= joined"),
                           (["corosync-cmapctl", "-m", "stats", "stats.ipcs.global.active"], "(u64) = 2"),
                           (["corosync-cpgtool"], "Group Name"),
                           (["corosync-cfgtool", "-R"], "Done")):
        out = host.run([f"/usr/sbin/{command[0]}", *command[1:]], ok=True).out
        if words not in out:
            raise AssertionError(f"{' '.join(command)} says {out!r}")
    cluster.nodes[1].stop_corosync()


register("core_alone", "A lone core of ours serves every packaged tool and ends in order.", _alone)


def _kill_order(lab):
    """corosync-cfgtool -k ends a node at once, with a status that says so."""
    cluster = _cluster(lab, "op", "knet", quorum={"two_node": 1})
    cluster.nodes[2].host.run(["/usr/sbin/corosync-cfgtool", "-k", "1"], ok=True)
    status = cluster.nodes[1].corosync.wait(10)
    cluster.nodes[1].watch.update().died(now_ns())
    if status != 255:
        raise AssertionError(f"told to die it ends with status {status}")
    cluster.wait_quorate([2], not_quorate=[1])


register("core_killed_by_order", "A node of ours that another tells to end does so, as the packaged one.", _kill_order)


def _reload(lab):
    """A node more by reload, in a mixed ring."""
    cluster = _cluster(lab, "op", "knet", quorum={"two_node": 1})
    for node in cluster.nodes.values():
        path = node.host.path("etc", "corosync.conf")
        text = path.read_text(encoding="ascii").replace("token: 1000", "token: 1700")
        path.write_text(text, encoding="ascii")
    cluster.nodes[2].host.run(["/usr/sbin/corosync-cfgtool", "-R"], ok=True)

    def token(node):
        return node.host.run(["/usr/sbin/corosync-cmapctl", "-g", "runtime.config.totem.token"]).out.split()[-1:]
    for node in cluster.nodes.values():
        wait_for(f"node {node.id} to have read its configuration", lambda node=node: token(node) == ["1700"], 10)
    start = now_ns()
    while now_ns() - start < 2e9:
        if cluster.quorate() != [1, 2]:
            raise AssertionError("the ring did not survive the reload")
        poll_pause()


register("core_reload_token", "A reload asked for on a packaged node reaches ours, and the ring goes on.", _reload)
