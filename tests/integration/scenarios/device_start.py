# SPDX-License-Identifier: BSD-3-Clause
"""How our device starts and ends: what the packaged one reports wrongly or not at all."""

import signal

from lab import certs
from lab.cluster import program
from lab.our_device import our_cluster, status, wait_attached
from lab.wait import check, check_equal, wait_for

from . import scenario

_RUN = "/run/corosync-qdevice"


def _run_files(node):
    return node.host.run(["/usr/bin/ls", "-A", _RUN]).out.split()


@scenario(ours_only=True)
def device_stopped_early(lab):
    """SIGTERM while there is no core yet, and while the first heuristics are awaited: exit status 0, no file is left."""
    lab.device_flavour = "ours"
    lab.arbiter("ours")
    cluster = lab.cluster(start=False, heuristics={"mode": "on", "timeout": 20000, "sync_timeout": 20000,
                                                   "exec_a": "/usr/bin/sleep 864217"})
    node = cluster.nodes[1]
    node.start_device_alone()
    node.wait_device_answers()
    check_equal(node.device.stop(), 0, "exit status without a core")
    check_equal(_run_files(node), [], "files left")
    node.start_corosync()
    node.start_device()
    wait_for("a device that knows its configuration", lambda: status(node), 10)
    check_equal(node.device.stop(), 0, "exit status while heuristics run")
    check_equal(_run_files(node), [], "files left")


@scenario(ours_only=True)
def device_bad_configuration(lab):
    """A configuration that is not valid at the start: status 1 and a sentence, in the foreground and to whoever starts it
    as a daemon; the node is not left with a registered device."""
    lab.device_flavour = "ours"
    lab.arbiter("ours")
    cluster = lab.cluster(start=False, algorithm="majority")
    node = cluster.nodes[1]
    node.start_corosync()
    node.start_device()
    check_equal(node.device.wait(10), 1, "exit status")
    check("quorum.device.net.algorithm" in node.device.text(), f"a sentence: {node.device.text()[-300:]}")
    result = node.host.run([program("corosync-qdevice", "ours")])
    check(result.status != 0, "exit status of a daemonising start")
    check("quorum.device.net.algorithm" in result.err, f"a sentence for whoever starts it: {result.err}")
    quorum = node.host.run(["/usr/sbin/corosync-quorumtool", "-s"]).out
    check("Qdevice" not in quorum.split("Membership information")[0], f"no device registered: {quorum}")


@scenario(ours_only=True)
def device_words(lab):
    """What is wrong with a connection is in the log in the right words: refused, and a certificate of another cluster."""
    lab.device_flavour = "ours"
    arbiter = lab.arbiter("ours", start=False)
    cluster = lab.cluster(wait=False)
    node = cluster.nodes[1]
    wait_for("refused in the log", lambda: "Connection refused" in node.device.text(), 10)
    check("in use" not in node.device.text(), "and nothing about an address in use")
    arbiter.start()
    cluster.wait_all()
    check_equal(node.device.stop(), 0, "exit status")
    certs.install_device(node.host, lab.certificates, "beta")
    node.start_device()
    wait_for("the arbiter's objection in the log",
             lambda: "does not accept our certificate, or not for this cluster" in node.device.text(), 10)
    cluster.hold("one device is refused", [1, 2], 1)
    check(node.device.running, "the device goes on trying")


@scenario(ours_only=True)
def device_daemonised(lab):
    """Without -f the parent returns 0 once the device is up, and nothing keeps its caller's pipes open; SIGHUP reloads,
    SIGTERM ends it, its files vanish."""
    _, cluster = our_cluster(lab)
    node = cluster.nodes[1]
    check_equal(node.device.stop(), 0, "exit status")
    node.host.run([program("corosync-qdevice", "ours")], ok=True)
    wait_attached(node)
    pid = int(node.host.run(["/usr/bin/cat", f"{_RUN}/corosync-qdevice.pid"], ok=True).out)
    for number in (signal.SIGHUP, signal.SIGTERM):
        node.host.run(["/usr/bin/kill", f"-{number.name[3:]}", str(pid)], ok=True)
        if number == signal.SIGHUP:
            wait_attached(node)
    wait_for("the files to vanish", lambda: not _run_files(node), 10)
