# SPDX-License-Identifier: BSD-3-Clause
"""The tools: ours against the packaged daemon, the packaged one against ours, same words, same exit codes."""

import json

from lab import tooltext
from lab.wait import Failure, check, check_equal, wait_for

from . import scenario

_QUERIES = (("-s",), ("-s", "-v"), ("-l",), ("-l", "-v"), ("-l", "-c", "alpha"), ("-l", "-v", "-c", "alpha"),
            ("-l", "-c", "nosuch"), ("-l", "-c", ""))

_RAW_REQUESTS = (b"\n", b"nonsense\n", b"STATUS\n", b"status verbose\n", b"status \t verbose junk\n",
                 b"list cluster \"alpha\"\n", b"list verbose cluster \"al\"pha\n", b"list cluster nosuch\n",
                 b"list junk verbose\n", b"list cluster \"\"\n", b"  status\r\nshutdown\n",
                 b"list cluster alpha" + b" " * (4095 - 18) + b"\n")


def _answers(arbiter, tool):
    """{query: (status, shape of stdout)} of all queries with one tool. On stderr ours may say more."""
    answers = {}
    for query in _QUERIES:
        result = arbiter.tool(*query, flavour=tool)
        answers[query] = (result.status, tooltext.shape(result.out))
    return answers


def _compare(wanted, got, what):
    for key, value in wanted.items():
        check_equal(got[key], value, f"{what}, {key}")


def _without_additions(wanted, got):
    """`got` without lines of our own, if all of `wanted` is in it in the same order; else `got` as it is."""
    lines = iter(got.splitlines(keepends=True))
    return wanted if all(line in lines for line in wanted.splitlines(keepends=True)) else got


def _compare_daemons(wanted, got, what):
    """Of the same tool: verbose text may have lines of our own in between, all else must be equal."""
    for key, (status, out) in wanted.items():
        got_status, got_out = got[key]
        if "-v" in key:
            got_out = _without_additions(out, got_out)
        check_equal((got_status, got_out), (status, out), f"{what}, {key}")


def _in_split(cluster):
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.wait_votes({1: "ACK", 2: "NACK"})


@scenario(ours_only=True)
def tools_crossed(lab):
    """All four pairs of daemon and tool, whole and split: text has the same shape line by line, the same exit status,
    and parses the way pcs parses it."""
    arbiter = lab.arbiter("packaged", ["-s", "req"])
    cluster = lab.cluster()
    whole = _answers(arbiter, "packaged")
    _compare(whole, _answers(arbiter, "ours"), "our tool, packaged daemon, whole")
    _in_split(cluster)
    split = _answers(arbiter, "packaged")
    _compare(split, _answers(arbiter, "ours"), "our tool, packaged daemon, split")
    arbiter.stop()
    arbiter.start("ours")
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.wait_votes({1: "ACK", 2: "NACK"})
    for tool in ("packaged", "ours"):
        _compare_daemons(split, _answers(arbiter, tool), f"{tool} tool, our daemon, split")
    cluster.heal()
    cluster.wait_all()
    for tool in ("packaged", "ours"):
        _compare_daemons(whole, _answers(arbiter, tool), f"{tool} tool, our daemon, whole")
    parsed = tooltext.clusters(arbiter.tool("-l", "-v", flavour="packaged").out)
    check_equal(sorted(parsed["alpha"]["nodes"]), [1, 2], "nodes as pcs would read them")


@scenario(ours_only=True, no_device=True)
def tool_without_daemon(lab):
    """No daemon, a dead daemon's socket, usage errors: our tool's words and exit status are the packaged tool's."""
    arbiter = lab.arbiter("packaged", start=False)
    cases = [("-s",), ("-l",), ("-H",), (), ("-h",), ("-Z",), ("-c",), ("-s", "-p", ""), ("-s", "-p", "/" + "x" * 120)]

    def compare(when):
        for case in cases:
            wanted = arbiter.tool(*case, flavour="packaged")
            got = arbiter.tool(*case, flavour="ours")
            check_equal(got.status, wanted.status, f"exit status of {case} {when}")
            if wanted.status != 1:
                check_equal((got.out, got.err), (wanted.out, wanted.err), f"words of {case} {when}")
    compare("without a daemon")
    check_equal(arbiter.tool("-s", flavour="ours").status, 3, "exit status without a daemon")
    told = arbiter.tool("--help", flavour="ours")
    check(told.status == 0 and "--format" in told.out and not told.err, f"--help: {told}")
    arbiter.start()
    arbiter.kill()
    compare("after a crash")


@scenario(ours_only=True)
def socket_requests(lab):
    """Raw requests on the local socket, odd ones too: both daemons answer alike."""
    arbiter = lab.arbiter("packaged", ["-s", "req"])
    cluster = lab.cluster()

    def answers():
        return {request: tooltext.shape(arbiter.ask(request).decode()) for request in _RAW_REQUESTS}
    wanted = answers()
    too_long = b"x" * 4096 + b"\n"
    check_equal(arbiter.ask(too_long), b"", "packaged daemon's answer to a request that is too long")
    arbiter.stop()
    arbiter.start("ours")
    cluster.wait_all()
    for request, answer in answers().items():
        if b"verbose" in request:
            answer = _without_additions(wanted[request], answer)
        check_equal(answer, wanted[request], f"our daemon, {request}")
    check_equal(arbiter.ask(too_long), b"", "our daemon's answer to a request that is too long")
    check_equal(arbiter.tool("-s").status, 0, "status afterwards")


@scenario(ours_only=True, no_device=True)
def crossed_shutdown(lab):
    """Each tool shuts the other make's daemon down: exit status 0 on both sides, the socket is gone."""
    arbiter = lab.arbiter("packaged")
    for daemon, tool in (("packaged", "ours"), ("ours", "packaged"), ("ours", "ours")):
        if not arbiter.process.running:
            arbiter.start(daemon)
        arbiter.shut_down(tool)
        result = arbiter.tool("-s", flavour=tool)
        check_equal(result.status, 3, "status of a daemon that is down")
        check("No such file or directory" in result.err, f"socket gone: {result.err}")


@scenario(ours_only=True)
def json_and_decisions(lab):
    """What the text leaves out: reasons, effective votes, partitions and certificates as JSON, and the decisions, asked
    for afterwards and watched while they are made."""
    arbiter = lab.arbiter(lab.flavour)
    cluster = lab.cluster(tie_breaker="highest")
    watching = arbiter.start_tool("--watch")
    cluster.cut([1], [2])
    cluster.wait_quorate([2], not_quorate=[1])
    cluster.wait_votes({1: "NACK", 2: "ACK"})
    reason = "ffsplit: 1 against 1, tie-breaker highest=2: ACK 2 NACK 1"
    listed = json.loads(arbiter.tool("-l", "--format=json").out)
    check_equal(listed["schema"], 1, "schema")
    alpha = listed["clusters"][0]
    check_equal((alpha["name"], alpha["reason"], alpha["winner"]), ("alpha", reason, [2]), "name, reason, winner")
    check_equal([node["effective_vote"] for node in alpha["nodes"]], ["NACK", "ACK"], "votes")
    check_equal([(part["nodes"], part["winner"]) for part in alpha["partitions"]], [([1], False), ([2], True)], "parts")
    status = json.loads(arbiter.tool("-s", "--format=json").out)
    check_equal((status["clients"], status["clusters"], status["tls"]["mode"]), (2, 1, "required"), "status")
    check(status["tls"]["certificate"]["days_left"] > 30000, "expiry of the certificate")
    check(reason in arbiter.tool("--decisions").out, "the decision is told afterwards")
    wait_for("the decision on the watching screen", lambda: reason in watching.text(), 5)


@scenario()
def device_tool_against_arbiter(lab):
    """The packaged corosync-qdevice-tool shows its device connected, with the arbiter's algorithm and tie-breaker."""
    lab.arbiter(lab.flavour)
    cluster = lab.cluster(tie_breaker="highest")
    fields = tooltext.fields(cluster.nodes[1].device_tool("-s", "-v").out)
    for name, value in {"State": "Connected", "Algorithm": "Fifty-Fifty split", "KAP Tie-breaker": "Enabled",
                        "Tie-breaker": "Node with highest node ID", "TLS active": "Yes (client certificate sent)"}.items():
        check_equal(fields.get(name), value, name)
    if "Echo reply received" not in fields:
        wait_for("an echo reply", lambda: "Echo reply received" in cluster.nodes[1].device_tool("-s", "-v").out, 5)


@scenario()
def daemonised(lab):
    """Without -f the parent exits 0 and the daemon serves; it can be shut down by its tool."""
    arbiter = lab.arbiter(lab.flavour, start=False)
    arbiter.start_detached()
    lab.cluster()
    try:
        arbiter.shut_down_detached()
    except Failure:
        raise Failure("the detached daemon does not end") from None
