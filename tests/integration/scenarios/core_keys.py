# SPDX-License-Identifier: BSD-3-Clause
"""Keys of our core that do something when they change, and versions of configurations that do not go together."""

from lab.wait import check, now_ns, wait_for

from . import register
from .core_twins import Follower

SETTLED_S = 20
NOBODY = "65534"


def _cmapctl(node, *options):
    return node.host.run(["/usr/sbin/corosync-cmapctl", *options])


def _set(node, key, kind, value):
    result = _cmapctl(node, "-s", key, kind, value)
    check(result.status == 0, f"set {key}: {result}")


def _wait_value(node, key, value):
    wait_for(f"{key} to be {value} on node {node.id}",
             lambda: _cmapctl(node, "-g", key).out.rstrip("\n").endswith(f" = {value}"), SETTLED_S)


def _wait_logged(node, words):
    wait_for(f"{words!r} in the log of node {node.id}", lambda: words in node.corosync.text(), SETTLED_S)


def _ring_id(node):
    out = node.host.run(["/usr/sbin/corosync-quorumtool", "-s"]).out
    return next(line for line in out.splitlines() if line.startswith("Ring ID:"))


def _keys_take_effect(lab):
    cluster = lab.cluster(nodes=2, device=False, cores={1: "ours", 2: "packaged"})
    one = cluster.nodes[1]

    _set(one, "totem.token", "u32", "1500")
    _wait_value(one, "runtime.config.totem.token", "1500")
    _set(one, "totem.token", "u32", "1")
    _wait_logged(one, "the ring keeps its settings")
    _wait_value(one, "runtime.config.totem.token", "1500")

    _set(one, "totem.config_version", "u64", "9")
    for node in cluster.nodes.values():
        _wait_value(node, "runtime.members.1.config_version", "9")

    _set(one, "totem.token", "u32", "1500")
    _set(one, "totem.knet_mtu", "u32", "1200")
    _wait_logged(one, "MTU manually set to: 1200")

    check(" debug " not in one.corosync.text(), "debug messages though nobody wants them")
    _set(one, "logging.debug", "str", "on")
    _set(one, "totem.knet_mtu", "u32", "0")
    _wait_logged(one, " debug ")

    ask = ["/usr/bin/setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "/usr/sbin/corosync-cmapctl", "-g", "totem.version"]
    check(one.host.run(ask).status != 0, "a stranger is let in")
    _set(one, f"uidgid.uid.{NOBODY}", "u8", "1")
    result = one.host.run(ask)
    check(result.status == 0, f"who was let in is refused: {result}")

    before = _ring_id(one)
    _set(one, "runtime.force_gather", "str", "yes")
    wait_for("another ring", lambda: _ring_id(one) != before, SETTLED_S)
    _wait_value(one, "runtime.force_gather", "no")
    cluster.wait_all()

    # The packaged core dies of this (spec/corosync-ipc.md section 11).
    tracker = Follower(one, "cmapctl", "-T", "quorum.").marked(one, "quorum.mark")
    _set(one, "quorum.cancel_wait_for_all", "u8", "1")
    _wait_value(one, "quorum.cancel_wait_for_all", "0")
    tracker.printed(1, "quorum.cancel_wait_for_all (u8) = 1")
    tracker.printed(1, "quorum.cancel_wait_for_all (u8) = 0")
    tracker.end()
    cluster.wait_all()


register("core_keys_take_effect", "Keys that a client sets take effect at once on our core: timers, version, transport, logging, "
         "who is let in, a new ring, and the end of waiting under the eyes of a tracker.", _keys_take_effect)


def _older_leaves(letters):
    """A scenario function: node 1 has the older configuration."""
    def run(lab):
        cores = {i + 1: {"o": "ours", "p": "packaged"}[letter] for i, letter in enumerate(letters)}
        cluster = lab.cluster(nodes=2, device=False, cores=cores, start=False)
        for node in cluster.nodes.values():
            path = node.host.path("etc", "corosync.conf")
            text = path.read_text(encoding="ascii")
            path.write_text(text.replace("version: 2\n", f"version: 2\n    config_version: {node.id + 2}\n", 1), encoding="ascii")
        one, two = cluster.nodes[1], cluster.nodes[2]
        two.start_corosync()
        _wait_value(two, "runtime.members.2.status", "joined")
        one.start_corosync()
        status = one.corosync.wait(SETTLED_S)
        one.watch.update().died(now_ns())
        check(status == 0, f"it ends with status {status}")
        check("Received config version (4) is different than my config version (3)! Exiting" in one.corosync.text(),
              one.corosync.text())
        _wait_value(two, "runtime.members.1.config_version", "3")
        _wait_value(two, "runtime.members.1.status", "left")
        check(two.corosync.running, "the newer one has ended too")
    return run


for _letters in ("op", "po", "oo"):
    register(f"core_older_configuration_{_letters}", "A node whose config_version is lower than that of the cluster it joins says so "
             f"and leaves ({_letters}).", _older_leaves(_letters))
