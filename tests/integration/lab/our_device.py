# SPDX-License-Identifier: BSD-3-Clause
"""Clusters with our device, and what can be seen of it from outside: its status as JSON, its two helper processes."""

import json
import pathlib
import re

from .cluster import program
from .wait import Failure, check, now_ns, poll_pause, wait_for
from .watch import quorate_ms

NOISE_MS = 50
"""Two notifications that travel through two corosyncs and two watchers are compared no finer than this."""

HOLD_MS = 200
"""Longest time between the end of the lease, or of the device, and the NO of its voter."""

DEFAULT_LEASE_MS = 2500
"""Of a device without quorum.device.timeout: 1.25 H, H = 2 s."""


def our_cluster(lab, arbiter="ours", wait=True, start=True, **config):
    """A cluster whose nodes run our device, with an arbiter of that flavour; (arbiter, cluster). With default times the arbiter
    has been running for long: its caution after a start would be the longest part of every scenario."""
    lab.device_flavour = "ours"
    the_arbiter = lab.arbiter(arbiter)
    if config.get("timeout_ms") == 0:
        the_arbiter.know_all()
    return the_arbiter, lab.cluster(wait=wait, start=start, **config)


def wan(lab, arbiter="ours", delay_ms=25, seeds=(1, 2), **config):
    """A cluster at default times whose nodes reach the arbiter over a bad line each; settled; (arbiter, cluster, {node id:
    line}). The lines lose nothing yet; `seeds` say which frames they will."""
    the_arbiter, cluster = our_cluster(lab, arbiter, start=False, timeout_ms=0, **config)
    lines = cluster.bad_lines(delay_ms, seeds)
    cluster.start()
    cluster.wait_all()
    return the_arbiter, cluster, lines


def leases_ended(node):
    """How often the device has withdrawn its vote because the arbiter seemed silent."""
    return node.device.text().count("the vote's lease has ended")


def watch_lease(node):
    """Have the device's tool note ten times a second how much of the lease is left; `leases_left_ms` reads it."""
    return node.host.start([program("corosync-qdevice-tool", "ours"), "--watch=0.1", "--format=json"], log="lease")


def leases_left_ms(watching):
    """All that `watch_lease` has seen while the device cast its vote."""
    return [int(left) for left in re.findall(r'"cast": *"yes",\s*"verdict": *"\w+",\s*"lease_left_ms": *([0-9]+)',
                                             watching.text())]


def reconnections(node):
    """How often the device has connected again."""
    return node.device.text().count(": connected over TLS") - 1


def split(cluster, holder, other):
    """Cut two nodes apart; `holder` lives on the arbiter's vote from here on. Returns the time of the cut."""
    start = now_ns()
    cluster.cut([holder], [other])
    cluster.wait_quorate([holder], not_quorate=[other])
    cluster.check_quorate_since([holder], start)
    return start


def check_no_overlap(lab):
    """At no time did two nodes believe in quorum apart, frozen beliefs included."""
    worst_ms = lab.worst_ms()
    check(worst_ms <= NOISE_MS, f"both quorate apart for {worst_ms:.0f} ms")


def lost_after_ms(cluster, node_id, start_ns):
    """How long after `start_ns` the node, which is not quorate now, was quorate at all."""
    return quorate_ms(cluster.nodes[node_id].watch.update(), start_ns, now_ns())


def status(node):
    """The device's status as JSON; {} while it does not answer."""
    result = node.device_tool("-s", "--format=json")
    return json.loads(result.out) if result.status == 0 else {}


def wait_cast(node, cast, deadline_s=20):
    """Wait until the device casts "yes", "no" or "nothing"."""
    wait_for(f"device of node {node.id} to cast {cast}", lambda: status(node).get("vote", {}).get("cast") == cast, deadline_s)


def wait_attached(node, deadline_s=20):
    """Wait until the device is connected to its arbiter and has a verdict."""
    def attached():
        found = status(node)
        return found and found["arbiter"]["state"] == "connected" and found["vote"]["verdict"] != "none"
    wait_for(f"device of node {node.id} with a verdict", attached, deadline_s)


def always_quorate(cluster, node_id, what, condition, deadline_s=20):
    """Wait for a condition during which the node must be quorate."""
    start = now_ns()
    wait_for(what, condition, deadline_s)
    cluster.check_quorate_since([node_id], start)


def reload(cluster, *ids):
    """Write the changed configuration on all nodes, and have corosync read it on these (default: all, each by itself)."""
    for node in cluster.nodes.values():
        cluster.write_config(node)
    for i in ids or cluster.nodes:
        cluster.nodes[i].host.run(["/usr/sbin/corosync-cfgtool", "-R"], ok=True)
    cluster.lab.note("configuration reloaded")


# ---- processes ----

def _read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _stat(pid):
    """(name, state, parent) of a process, or None."""
    text = _read(f"/proc/{pid}/stat").decode(errors="replace")
    if not text:
        return None
    name = text[text.index("(") + 1:text.rindex(")")]
    fields = text[text.rindex(")") + 2:].split()
    return name, fields[0], int(fields[1])


def processes():
    """{pid: (name, state, parent)} of the sandbox."""
    found = {int(path.name): _stat(path.name) for path in pathlib.Path("/proc").iterdir() if path.name.isdigit()}
    return {pid: stat for pid, stat in found.items() if stat}


def helper(node, name):
    """Pid of the device's child of that name, "qdevice-voter" or "qdevice-heur"; None if there is none."""
    for pid, (found, state, parent) in processes().items():
        if parent == node.device.pid and found == name and state != "Z":
            return pid
    return None


def zombies(node):
    """Children of the device that nobody has reaped."""
    return [pid for pid, (_, state, parent) in processes().items() if parent == node.device.pid and state == "Z"]


def running_with(marker):
    """Pids of living processes with this text in their command line."""
    return [pid for pid, (_, state, _) in processes().items()
            if state != "Z" and marker.encode() in _read(f"/proc/{pid}/cmdline")]


def watch_for(what, bad, duration_s):
    """For this long `bad()` must stay false (time itself is the subject)."""
    end = now_ns() + int(duration_s * 1e9)
    while now_ns() < end:
        found = bad()
        if found:
            raise Failure(f"{what}: {found}")
        poll_pause()
