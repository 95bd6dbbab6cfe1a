# SPDX-License-Identifier: BSD-3-Clause
"""Our device and heuristics that hang, fail, fork, print for ever or do not exist; the worker killed and stopped."""

import os
import signal

from lab.our_device import (check_no_overlap, helper, our_cluster, processes, running_with, status, wait_cast, zombies)
from lab.wait import check, check_equal, now_ns, wait_for

from . import register, scenario

_TIMES = {"mode": "on", "interval": 1000, "timeout": 1000, "sync_timeout": 1000}
_PATIENT = {"timeout_ms": 5000}
_WORKER = "qdevice-heur"

# Sleeps nobody else sleeps: found again by these numbers.
_HANG, _CHILD, _DAEMON = "864211", "864212", "864213"

_SCRIPT = f"""#!/bin/sh
# Leaves behind a child in the background, one in a session of its own, and an orphan; then hangs.
/usr/bin/sleep {_CHILD} &
/usr/bin/setsid /usr/bin/sleep {_DAEMON} &
(/usr/bin/sleep {_CHILD} &)
(trap '' TERM; exec /usr/bin/sleep {_CHILD}) &
exec /usr/bin/sleep {_HANG}
"""

_BRIEF_SCRIPT = f"""#!/bin/sh
# Passes, and leaves a daemon behind.
/usr/bin/setsid /usr/bin/sleep {_DAEMON} >/dev/null 2>&1 &
/usr/bin/sleep {_CHILD} >/dev/null 2>&1 &
exit 0
"""


def _script(cluster, name, text):
    for node in cluster.nodes.values():
        path = node.host.path("etc", name)
        path.write_text(text, encoding="ascii")
        path.chmod(0o755)


def _left_behind():
    return [pid for marker in (_HANG, _CHILD, _DAEMON) for pid in running_with(marker)]


def _begin(lab, commands, arbiter="ours", **config):
    """Start a cluster with these commands on both nodes."""
    _, cluster = our_cluster(lab, arbiter, wait=False, start=False, heuristics={**_TIMES, **commands}, **_PATIENT, **config)
    _script(cluster, "forks", _SCRIPT)
    _script(cluster, "brief", _BRIEF_SCRIPT)
    return cluster


def _wait_result(cluster, result):
    wait_for(f"heuristics {result}", lambda: status(cluster.nodes[1]).get("heuristics", {}).get("result") == result, 15)


def _none_survive(cluster):
    """The devices end in order; nothing that they ever started is left."""
    for node in cluster.nodes.values():
        check_equal(node.device.stop(), 0, "exit status of the device")
    wait_for("no process left behind", lambda: not _left_behind(), 5)


def _misbehaving(command, words):
    def run(lab):
        cluster = _begin(lab, {"exec_good": "/usr/bin/true", "exec_bad": command})
        cluster.start()
        cluster.wait_all()
        _wait_result(cluster, "fail")
        wait_for(f"{words!r} in the log", lambda: words in cluster.nodes[1].device.text(), 10)
        before_kib = cluster.nodes[1].device.rss_kib()
        count = cluster.nodes[1].device.text().count("Heuristics fail: exec_bad")
        wait_for("three more runs", lambda: cluster.nodes[1].device.text().count("Heuristics fail: exec_bad") >= count + 3, 20)
        grown_kib = cluster.nodes[1].device.rss_kib() - before_kib
        check(grown_kib < 1024, f"the device grew by {grown_kib} KiB")
        check(len(cluster.nodes[1].device.text()) < 200000, "what a command prints does not fill the log")
        check(len(_left_behind()) < 30, f"left behind while running: {len(_left_behind())}")
        cluster.hold("heuristics misbehave", [1, 2], 0.5)
        _none_survive(cluster)
    return run


for _name, _command, _words, _what in (
        ("hang", f"/usr/bin/sleep {_HANG}", "has not ended in time", "hang"),
        ("fail", "/usr/bin/ls /nonexistent-864210", "cannot access", "fail: what they said is in the log"),
        ("missing", "/nonexistent/program", "cannot be executed", "do not exist"),
        ("print", "/usr/bin/yes 864214", "has not ended in time", "print for ever: memory and log stay small"),
        ("fork", "/etc/corosync/forks", "has not ended in time", "fork grandchildren, in sessions of their own too")):
    register(f"device_heuristics_{_name}",
             f"Heuristics that {_what}: each run fails in time, votes are not disturbed, no process is left.",
             _misbehaving(_command, _words), ours_only=True)


@scenario(ours_only=True)
def device_heuristics_leave(lab):
    """A command that passes but leaves daemons behind: they are gone after the run."""
    cluster = _begin(lab, {"exec_brief": "/etc/corosync/brief"})
    cluster.start()
    cluster.wait_all()
    _wait_result(cluster, "pass")
    end = now_ns() + 4_000_000_000
    wait_for("four seconds of runs", lambda: now_ns() > end, 6)
    most = len(_left_behind())
    check(most <= 8, f"{most} processes left behind")
    _none_survive(cluster)


def _slow_split(arbiter):
    def run(lab):
        cluster = _begin(lab, {"exec_flag": "/etc/corosync/flag"}, arbiter=arbiter)
        _script(cluster, "flag", "#!/bin/sh\nexit 0\n")
        cluster.start()
        cluster.wait_all()
        _wait_result(cluster, "pass")
        cluster.nodes[1].host.path("etc", "flag").write_text(f"#!/bin/sh\nexec /usr/bin/sleep {_HANG}\n", encoding="ascii")
        start = now_ns()
        cluster.cut([1], [2])
        cluster.wait_quorate([2], not_quorate=[1])
        took_ms = (now_ns() - start) / 1e6
        check(took_ms < 9000, f"settled after {took_ms:.0f} ms")
        check_no_overlap(lab)
        _none_survive(cluster)
    return run


for _arbiter in ("ours", "packaged"):
    register(f"device_heuristics_slow_split_{_arbiter}",
             f"{_arbiter} arbiter, heuristics hang on the favourite when the LAN is cut: they fail after their sync_timeout, the other "
             "node wins, well within votequorum's own wait.",
             _slow_split(_arbiter), ours_only=True)


@scenario(ours_only=True)
def device_heuristics_worker(lab):
    """The worker is killed, then stopped for good (SIGSTOP): another takes over, the device lives, results keep coming.
    (A run that was under way has failed, which may cost the node the vote in a split: not shown here.)"""
    cluster = _begin(lab, {"exec_good": "/usr/bin/test -e /etc/corosync/corosync.conf"})
    cluster.start()
    cluster.wait_all()
    _wait_result(cluster, "pass")
    start = now_ns()
    node = cluster.nodes[1]
    for number in (signal.SIGKILL, signal.SIGSTOP):
        worker = helper(node, _WORKER)
        os.kill(worker, number)
        lab.note(f"worker of node 1: {number.name}")
        wait_for("another worker", lambda: helper(node, _WORKER) not in (None, worker), 10)  # pylint: disable=cell-var-from-loop
        _wait_result(cluster, "pass")
        wait_for("all processes to be reaped", lambda: zombies(node) == [], 10)
    wait_cast(node, "yes")
    cluster.check_quorate_since([1, 2], start)
    check(sum(name == _WORKER for name, _, parent in processes().values() if parent == node.device.pid) == 1, "one worker")


@scenario(ours_only=True)
def device_heuristics_device_killed(lab):
    """The device is killed while commands hang: worker and commands end with it."""
    cluster = _begin(lab, {"exec_bad": "/etc/corosync/forks"})
    cluster.start()
    cluster.wait_all()
    wait_for("commands at work", _left_behind, 15)
    for node in cluster.nodes.values():
        node.kill_device()
    wait_for("no process left behind", lambda: not _left_behind(), 8)
