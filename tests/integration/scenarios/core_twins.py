# SPDX-License-Identifier: BSD-3-Clause
"""Our core and the packaged one in the same play: the packaged tools must say the same of both.

Two nodes run the packaged core, then ours, on the same hosts with the same files. What the tools print, and the changes
that those see that track keys, is compared once what can never be the same has been made so: dates, counters, process
ids. What ours does not have on purpose is listed in ABSENT; docs/man/corosync-core.8 says why.
"""

import os
import re
import signal

from lab.net import Wires
from lab.wait import check, check_equal, now_ns, wait_for

from . import register

# Keys of services and statistics that ours does not have. Either core has those of schedmiss when it was not scheduled.
ABSENT = re.compile(r"internal_configuration\.service\.[467]\.|runtime\.services\.(?:pload|mon|wd)\.|resources\.|stats\.schedmiss\.|"
                    r"stats\.srp\.(?:avg_backlog_calc|avg_token_workload|mtt_rx_token|continuous_sendmsg_failures|"
                    r"firewall_enabled_or_nic_failure) ")
# What counts or measures has a value of its own in every run.
LATE = re.compile(r".*\.knet_ping_(?:interval|timeout) .*\n")  # in the packaged core, by one reload
COUNTERS = re.compile(r"^(runtime\.services\.\w+\.\d+\.[rt]x|stats\.[^ ]*) \((?!str)(\w+)\) = \S+$")
CONNECTION = re.compile(r"^(stats\.ipcs\.service\d)\.\d+\.0x[0-9a-f]+\.")
RING = re.compile(r"^(Ring ID: +|Cluster ring ID: +)\S+")
SETTLED_S = 20

QUERIES = (
    ["cmapctl"], ["cmapctl", "-b"], ["cmapctl", "-m", "stats"], ["cmapctl", "totem.", "quorum."], ["cmapctl", "none.such"],
    ["cmapctl", "-g", "totem.version"], ["cmapctl", "-q", "-g", "totem.cluster_name"], ["cmapctl", "-g", "none.such"],
    ["cmapctl", "-g", "ab"], ["cmapctl", "-m", "none"],
    ["cmapctl", "-s", "own.number", "u8", "7"], ["cmapctl", "-s", "own.number", "i64", "-7"], ["cmapctl", "-s", "own.text", "str", "a b"],
    ["cmapctl", "-s", "own.float", "flt", "1.5"], ["cmapctl", "-s", "own.double", "dbl", "2.5"], ["cmapctl", "own."],
    ["cmapctl", "-s", "ab", "u8", "7"], ["cmapctl", "-s", "own key", "u8", "7"], ["cmapctl", "-s", "own." + "x" * 260, "u8", "7"],
    ["cmapctl", "-s", "totem.version", "u32", "3"], ["cmapctl", "-s", "nodelist.node.0.nodeid", "u32", "3"],
    ["cmapctl", "-s", "quorum.wait_for_all", "u8", "1"], ["cmapctl", "-d", "nodelist.node.0.name"],
    ["cmapctl", "-d", "own.number"], ["cmapctl", "-d", "own.number"], ["cmapctl", "-D", "own."], ["cmapctl", "-D", "totem.trans"],
    ["cmapctl", "own."],
    ["cmapctl", "-m", "stats", "-s", "stats.clear.knet", "u8", "1"], ["cmapctl", "-m", "stats", "-s", "stats.clear.none", "u8", "1"],
    ["cmapctl", "-m", "stats", "-s", "stats.srp.mcast_tx", "u64", "1"], ["cmapctl", "-m", "stats", "-d", "stats.srp.mcast_tx"],
    ["cfgtool", "-s"], ["cfgtool", "-s", "-b"], ["cfgtool", "-s", "-i", "0"], ["cfgtool", "-s", "-i", "5"], ["cfgtool", "-n"],
    ["cfgtool", "-a", "1"], ["cfgtool", "-a", "2"], ["cfgtool", "-a", "3"], ["cfgtool", "-k", "3"], ["cfgtool", "-L"],
    ["quorumtool", "-s"], ["quorumtool", "-l"], ["quorumtool", "-i", "-l"], ["quorumtool", "-s", "-n", "2"], ["quorumtool", "-s", "-n", "3"],
    ["quorumtool", "-p", "-s"], ["quorumtool", "-o", "n", "-s"], ["quorumtool", "-e", "1"], ["quorumtool", "-e", "0"],
    ["quorumtool", "-e", "9"], ["quorumtool", "-v", "1", "-n", "3"], ["quorumtool", "-V"], ["quorumtool", "-f"],
    ["cpgtool"], ["cpgtool", "-e"],
)


def _even(text):
    """Lines with what is of one run only made the same."""
    lines = []
    for line in text.splitlines():
        line = CONNECTION.sub(r"\1.P.C.", line)
        line = RING.sub(r"\1R", COUNTERS.sub(r"\1 (\2) = N", line))
        if line.startswith("Date:"):
            line = "Date:"
        if not ABSENT.match(line):
            lines.append(line)
    return "\n".join(lines)


def _run(node, *command):
    result = node.host.run([f"/usr/sbin/corosync-{command[0]}", *command[1:]])
    return result.status, _even(result.out), _even(result.err)


class Follower:
    """A tool that runs for a while; `end` gives what it has printed. Some end with their input, so that stays open."""

    def __init__(self, node, *command):
        line = " ".join([f"/usr/sbin/corosync-{command[0]}", *command[1:]])
        self.process = node.host.start(["/bin/sh", "-c", f"/usr/bin/sleep infinity | /usr/bin/stdbuf -oL {line}"], log="follower")
        self.line = line
        self.mark = ""

    def marked(self, node, key):
        """Wait until it follows this key, which nobody else uses; it is deleted again."""
        def seen():
            node.host.run(["/usr/sbin/corosync-cmapctl", "-s", key, "u32", str(now_ns() % 1000000)], ok=True)
            return key in self.process.text()
        wait_for(f"{self.line} to be told of {key}", seen, SETTLED_S)
        node.host.run(["/usr/sbin/corosync-cmapctl", "-d", key], ok=True)
        self.printed(1, f"delete> {key}")
        self.mark = key
        return self

    def printed(self, count, words):
        """Wait until these words are there that often."""
        wait_for(f"{count} times {words!r} from {self.line}", lambda: self.process.text().count(words) >= count, SETTLED_S)

    def end(self):
        """What it has printed."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SETTLED_S)
        text = self.process.text()
        return _even(text[text.rindex(self.mark):].partition("\n")[2] if self.mark else text)


def _wait_value(node, key, value):
    wait_for(f"{key} to be {value} on node {node.id}",
             lambda: node.host.run(["/usr/sbin/corosync-cmapctl", "-g", key]).out.rstrip("\n").endswith(f" = {value}"), SETTLED_S)


def _settle(cluster):
    """All is told that is told about this membership."""
    cluster.wait_all()
    for node in cluster.nodes.values():
        for other in cluster.nodes:
            _wait_value(node, f"runtime.members.{other}.status", "joined")
            wait_for(f"node {node.id} to see the links of {other}",
                     lambda node=node: "disconnected" not in node.host.run(["/usr/sbin/corosync-cfgtool", "-n"]).out, SETTLED_S)


def _rewrite(cluster, old, new):
    for node in cluster.nodes.values():
        path = node.host.path("etc", "corosync.conf")
        text = path.read_text(encoding="ascii")
        check(old in text, f"{old} in {path}")
        path.write_text(text.replace(old, new), encoding="ascii")


def _act(cluster, flavour):
    """The play with one of the two; {what: what was said}."""
    said = {}
    one, two = cluster.nodes[1], cluster.nodes[2]
    for node in cluster.nodes.values():
        node.start_corosync(flavour)
    _settle(cluster)
    for number, query in enumerate(QUERIES):
        said[f"{number}: {' '.join(query)}"] = _run(one, *query)

    # Node 2 dies and comes back.
    members = Follower(one, "cmapctl", "-T", "runtime.members.").marked(one, "runtime.members.mark")
    two.kill_corosync()
    members.printed(1, "left")
    cluster.wait_quorate([], not_quorate=[1])
    for query in (["cfgtool", "-s"], ["cfgtool", "-n"], ["quorumtool", "-s"], ["quorumtool", "-l"], ["cmapctl", "runtime."],
                  ["cfgtool", "-k", "2"]):
        said["alone: " + " ".join(query)] = _run(one, *query)
    two.start_corosync()
    _settle(cluster)
    members.printed(1, "joined")
    said["members"] = members.end()
    said["again: runtime"] = _run(one, "cmapctl", "runtime.members.")

    # Votes, while somebody watches.
    watch = Follower(one, "quorumtool", "-m")
    watch.printed(1, "Membership information")
    said["setvotes"] = _run(two, "quorumtool", "-v", "2", "-n", "2")
    wait_for("two votes of node 2", lambda: "Total votes:      3" in one.host.run(["/usr/sbin/corosync-quorumtool", "-s"]).out, SETTLED_S)
    said["quorumtool -s"] = _run(one, "quorumtool", "-s")
    said["setvotes back"] = _run(two, "quorumtool", "-v", "1", "-n", "2")
    watch.end()

    # Reloads: a good one, a bad one.
    config = Follower(one, "cmapctl", "-T", "runtime.config.totem.", "config.").marked(one, "config.mark")
    _rewrite(cluster, "token: 1000", "token: 1200")
    said["reload"] = _run(two, "cfgtool", "-R")
    _wait_value(one, "runtime.config.totem.token", "1200")
    config.printed(1, "> config.reload_in_progress (u8) = 0")
    _rewrite(cluster, "token: 1200", "token: 12")
    said["bad reload"] = _run(one, "cfgtool", "-R")
    config.printed(2, "> config.reload_in_progress (u8) = 0")
    said["config"] = LATE.sub("", config.end() + "\n")
    _rewrite(cluster, "token: 12", "token: 1000")
    said["reload back"] = _run(one, "cfgtool", "-R")
    cluster.wait_all()

    # Ends: one is told to, one asks for it itself.
    said["kill"] = _run(one, "cfgtool", "-k", "2")
    said["kill status"] = two.corosync.wait(SETTLED_S)
    two.watch.update().died(now_ns())
    cluster.wait_quorate([], not_quorate=[1])
    said["shutdown"] = _run(one, "cfgtool", "-H")
    said["shutdown status"] = one.corosync.wait(SETTLED_S)
    one.watch.update().died(now_ns())
    said["nobody"] = [_run(one, *query) for query in (["cfgtool", "-s"], ["cmapctl"], ["quorumtool", "-s"])]
    return said


def _differences(packaged, ours):
    """In words, line by line."""
    found = []
    for what, wanted in packaged.items():
        got = ours[what]
        if got == wanted:
            continue
        theirs, mine = (str(one).replace("\\n", "\n").splitlines() for one in (wanted, got))
        found.append(f"{what}:")
        found += [f"  packaged: {line}" for line in theirs if line not in mine]
        found += [f"  ours:     {line}" for line in mine if line not in theirs]
        if not set(theirs) ^ set(mine):
            found += [f"  another order: {mine}"]
    return "\n".join(found)


def _twins(transport, links, totem):
    """A scenario function."""
    def run(lab):
        cluster = lab.cluster(nodes=2, device=False, transport=transport, totem=totem, start=False)
        for i in cluster.nodes if links > 1 else ():
            address = f"ring0_addr: {Wires.address('lan', i)}\n"
            _rewrite(cluster, address, f"{address}ring1_addr: {Wires.address('arb', i)}\n")
        packaged = _act(cluster, "packaged")
        ours = _act(cluster, "ours")
        check_equal(_differences(packaged, ours), "", "the packaged core and ours in the same play")
    return run


for _name, _kind in (("knet", ("knet", 1, {})), ("udpu", ("udpu", 1, {})),
                     ("links", ("knet", 2, {"crypto_cipher": "aes256", "crypto_hash": "sha256", "key": "k" * 128}))):
    register(f"core_twins_{_name}", f"The packaged tools say the same of our core and the packaged one over {_kind[0]} with "
             f"{_kind[1]} link(s): every query, a node that dies and returns, votes, reloads, and both ways to end.", _twins(*_kind))
