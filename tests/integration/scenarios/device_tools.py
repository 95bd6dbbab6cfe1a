# SPDX-License-Identifier: BSD-3-Clause
"""corosync-qdevice-tool: ours and the packaged one, against either device: same text, same exit statuses; JSON."""

import json
import re

from lab import tooltext
from lab.cluster import program
from lab.our_device import our_cluster
from lab.wait import check, check_equal, wait_for

from . import scenario

_QUERIES = (("-s",), ("-s", "-v"), ("-sv",))
_OURS_ONLY = ("Echo interval", "Vote lease", "Vote lease left", "Arbiter address", "Vote")


def _tool(node, flavour, *options):
    return node.host.run([program("corosync-qdevice-tool", flavour), *options], env={"LC_ALL": "C"})


def _shape(text):
    """Text with what differs between two moments masked."""
    text = re.sub(r"(Ring ID:\t+)\S+", r"\1RING", text)
    text = re.sub(r"(Connect timeout:\t+)\d+", r"\1N", text)  # ours is longer on purpose
    text = re.sub(r"(Vote lease left:\t+)\d+", r"\1N", text)
    text = re.sub(r"(Arbiter address:\t+\S+):\d+", r"\1:PORT", text)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "TIME", text)


def _wait_settled(node):
    """Quorum of all nodes needs no vote: it does not tell whether the device has heard the arbiter and casts its vote."""
    signs = ("Echo reply received", "Poll timer running:\tYes (cast vote)")

    def settled():
        text = _tool(node, "packaged", "-s", "-v").out
        return all(sign in text for sign in signs)
    wait_for("a device that casts a vote and has had an echo answered", settled, 10)


@scenario(ours_only=True)
def device_tools_crossed(lab):
    """Both tools against both devices: each device gives both tools the same answer, and ours answers with all lines of
    the packaged one, in its order and with its words; in verbose text it has more."""
    lab.arbiter("packaged", ["-s", "req"])
    lab.device_flavour = "packaged"
    cluster = lab.cluster(timeout_ms=5000)
    node = cluster.nodes[1]
    _wait_settled(node)
    wanted = {query: _tool(node, "packaged", *query) for query in _QUERIES}
    for query, answer in wanted.items():
        ours = _tool(node, "ours", *query)
        check_equal((ours.status, _shape(ours.out)), (answer.status, _shape(answer.out)), f"our tool, packaged device, {query}")
    check_equal(_tool(node, "ours", "-s", "--format=json").status, 4, "JSON asked of the packaged device")
    lab.device_flavour = "ours"
    for each in cluster.nodes.values():
        check_equal(each.device.stop(), 0, "exit status of the packaged device")
        each.start_device()
    cluster.wait_all()
    _wait_settled(node)
    for query, answer in wanted.items():
        packaged, ours = _tool(node, "packaged", *query), _tool(node, "ours", *query)
        check_equal((ours.status, _shape(ours.out)), (packaged.status, _shape(packaged.out)), f"our device, both tools, {query}")
        lines = [line for line in _shape(packaged.out).splitlines() if line.split(":")[0] not in _OURS_ONLY]
        check_equal("\n".join(lines), _shape(answer.out).rstrip("\n"), f"our device's text, {query}")
    fields = tooltext.fields(_tool(node, "packaged", "-s", "-v").out)
    for name, value in {"Model": "Net", "Node ID": "1", "Algorithm": "Fifty-Fifty split", "State": "Connected",
                        "HB interval": "4000ms", "Quorate": "Yes", "TLS": "Supported",
                        "TLS active": "Yes (client certificate sent)"}.items():
        check_equal(fields.get(name), value, name)


@scenario(ours_only=True)
def device_tool_json(lab):
    """Status as JSON says what the text says, and more: timing, lease, and in one sentence why there is, or is not, a
    vote, on both sides of a split and without an arbiter."""
    arbiter, cluster = our_cluster(lab, timeout_ms=5000, tie_breaker="highest")
    cluster.cut([1], [2])
    cluster.wait_quorate([2], not_quorate=[1])
    cluster.wait_votes({1: "NACK", 2: "ACK"})
    found = {i: json.loads(_tool(cluster.nodes[i], "ours", "-s", "--format=json").out) for i in (1, 2)}
    for i, (cast, verdict) in {1: ("no", "NACK"), 2: ("yes", "ACK")}.items():
        one = found[i]
        check_equal((one["node_id"], one["cluster"], one["algorithm"]), (i, "alpha", "ffsplit"), "who it is")
        check_equal((one["vote"]["cast"], one["vote"]["verdict"]), (cast, verdict), f"vote of node {i}")
        check("ffsplit: 1 against 1" in one["vote"]["why"], f"the arbiter's reason: {one['vote']['why']}")
        check_equal((one["members"], one["quorate"]), ([i], i == 2), f"members and quorum of node {i}")
        check_equal([entry["node_id"] for entry in one["configured_nodes"]], [1, 2], "configured nodes")
        check_equal((one["arbiter"]["state"], one["arbiter"]["tls_active"], one["arbiter"]["honours_leases"]),
                    ("connected", True, True), "arbiter")
        check_equal((one["timing"]["heartbeat_ms"], one["timing"]["lease_ms"]), (4000, 5000), "timing")
    check(0 < found[2]["vote"]["lease_left_ms"] <= 5000, "what is left of the lease")
    arbiter.kill()
    wait_for("the grant that still holds", lambda: "its grant still holds" in _tool(cluster.nodes[2], "ours", "-s", "-v").out, 4)
    wait_for("no arbiter", lambda: "no arbiter is reached" in _tool(cluster.nodes[2], "ours", "-s", "-v").out, 15)


@scenario(ours_only=True)
def device_tool_exits(lab):
    """No device, a dead device's socket, usage errors: our tool's exit status is the packaged tool's, with its words; each
    tool shuts the other make's device down."""
    lab.arbiter("ours")
    cluster = lab.cluster()
    node = cluster.nodes[1]

    def compare(when):
        for case in (("-s",), ("-H",), (), ("-h",), ("-Z",), ("-p",), ("-s", "-p", ""), ("-s", "-p", "/" + "x" * 120)):
            wanted, got = _tool(node, "packaged", *case), _tool(node, "ours", *case)
            check_equal(got.status, wanted.status, f"exit status of {case} {when}")
            if wanted.status != 1:
                check_equal((got.out, got.err), (wanted.out, wanted.err), f"words of {case} {when}")
    node.kill_device()
    compare("after a crash")
    check_equal(_tool(node, "ours", "-s").status, 3, "exit status without a device")
    told = _tool(node, "ours", "--help")
    check(told.status == 0 and "--format" in told.out and not told.err, f"--help: {told}")
    for device, tool in (("ours", "packaged"), ("packaged", "ours"), ("ours", "ours")):
        lab.device_flavour = device
        node.start_device()
        cluster.wait_all()
        check_equal(_tool(node, tool, "-H").status, 0, f"the {tool} tool shuts the {device} device down")
        check_equal(node.device.wait(10), 0, f"exit status of the {device} device")
    compare("without a device")
