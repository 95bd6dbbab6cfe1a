#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A real two-node cluster loses its link: who goes on, and why, on a timeline.

Debian's corosync and corosync-qdevice on two hosts made of namespaces, our arbiter on a third. Needs root and about a
minute; leaves nothing behind. Q_BUILD names the directory in which our programs were built (default: build/).
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from lab import isolate, runner  # noqa: E402
from lab.cluster import Lab  # noqa: E402
from lab.wait import Failure, call_while_waiting, check, now_ns  # noqa: E402

PICTURE = """
        node 1 ───────── LAN ───────── node 2        Debian's corosync and corosync-qdevice
            \\                          /
             └──────── arbiter ───────┘              our corosync-qnetd, TLS required

  Three votes: one for each node, one the arbiter gives. Two make quorum. Services run only where there is quorum,
  so when the nodes lose sight of each other exactly one of them must have it.
"""

# What the arbiter says about a cluster, or about a node's connection, that an administrator should read.
_SAID = re.compile(r'^\S+ +\S+ \S+ +(?:notice|warning) +cluster "[^"]*"(?: (node \d+)(?: ring \S+)?)?: (.*)$', re.MULTILINE)
_COLOURS = {"head": "1", "good": "1;32", "bad": "1;31", "event": "1;33", "why": "36"}


class Screen:
    """Prints with colours if somebody looks."""

    def __init__(self):
        self.coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def paint(self, style, text):
        return f"\033[{_COLOURS[style]}m{text}\033[0m" if self.coloured and style in _COLOURS else text

    def line(self, text="", style=""):
        print(self.paint(style, text) if style else text, flush=True)


class Narrator:
    """Tells what happens while it happens: our own actions, the arbiter's decisions, the nodes' beliefs."""

    def __init__(self, lab, screen):
        self.lab = lab
        self.screen = screen
        self.start_ns = now_ns()
        self.told_beliefs = {}
        self.told_entries = 0
        self.log_read = 0
        self.log_path = None
        self.state = {1: "down", 2: "down"}
        self.last_look_ns = self.start_ns

    def head(self):
        """The columns' titles."""
        self.screen.line(f"{'time':>8}  {'node 1':<12}{'node 2':<12}what happens", "head")

    def chapter(self, text):
        """A line of explanation between two things that happen."""
        self.tell()
        self.screen.line()
        self.screen.line(text, "head")

    def row(self, at_ns, text, style=""):
        states = "".join(self.screen.paint("good" if word == "QUORATE" else "bad", f"{word:<12}")
                         for word in self.state.values())
        self.screen.line(f"{(at_ns - self.start_ns) / 1e9:7.2f}s  {states}{self.screen.paint(style, text)}")

    def tell(self):
        """Everything new, oldest first."""
        news = [(at, 0, text, "event", None) for at, text in self.lab.timeline.entries[self.told_entries:]
                if not text.startswith("quorate:")]
        self.told_entries = len(self.lab.timeline.entries)
        news += self._decisions()
        for cluster in self.lab.clusters:
            for watch in cluster.watches():
                told = self.told_beliefs.get(watch.node_id, 1)
                for belief in watch.beliefs[told:]:
                    news.append((belief.since_ns, 2, _belief_text(watch.node_id, belief), "",
                                 (watch.node_id, _state_word(belief))))
                self.told_beliefs[watch.node_id] = len(watch.beliefs)
        self.last_look_ns = now_ns()
        for at, _, text, style, state in sorted(news, key=lambda item: item[:2]):
            if state:
                self.state[state[0]] = state[1]
            self.row(at, text, style)

    def _decisions(self):
        """Decisions the arbiter has logged since the last look."""
        process = self.lab.the_arbiter.process if self.lab.the_arbiter else None
        if process is None:
            return []
        if process.log != self.log_path:
            self.log_path, self.log_read = process.log, 0
        with open(process.log, errors="replace") as log:
            log.seek(self.log_read)
            text = log.read()
        complete = text[:text.rfind("\n") + 1]
        self.log_read += len(complete.encode())
        # Logged some time since the last look; what it led to must not be told before it.
        return [(self.last_look_ns, 1, "arbiter: " + (f"{match[1]}: " if match[1] else "") + match[2], "why", None)
                for match in _SAID.finditer(complete)]


def _state_word(belief):
    if belief.quorate:
        return "QUORATE"
    return "no quorum" if belief.members else "down"


def _belief_text(node_id, belief):
    alone = len(belief.members) == 1
    if belief.quorate:
        return f"node {node_id} has quorum, " + ("alone with the arbiter's vote" if alone else "together with its peer")
    if not belief.members:
        return f"node {node_id} is down"
    return f"node {node_id} has no quorum" + (": it sees only itself" if alone else "")


def _show(screen, title, text):
    screen.line()
    screen.line(title, "head")
    for line in text.rstrip().splitlines():
        screen.line(f"    {line}")
    screen.line()


def story(lab, screen, flavour):
    """The play itself."""
    narrator = Narrator(lab, screen)
    call_while_waiting(narrator.tell)
    narrator.head()
    arbiter = lab.arbiter(flavour, ["-s", "req"])
    cluster = lab.cluster(timeout_ms=5000, sync_timeout_ms=20000)
    narrator.tell()
    _show(screen, "$ corosync-qnetd-tool -s", arbiter.tool("-s").out)

    narrator.chapter("The link between the nodes is cut. The arbiter hears both: it takes the vote from one before it gives "
                     "it to the other.")
    cluster.cut([1], [2])
    cluster.wait_quorate([1], not_quorate=[2])
    cluster.wait_votes({1: "ACK", 2: "NACK"})
    cluster.hold("node 1 goes on", [1], 1)
    _show(screen, "$ corosync-qnetd-tool -l", arbiter.tool("-l").out)
    if flavour == "ours":
        clusters = json.loads(arbiter.tool("-l", "--format=json").out)["clusters"]
        _show(screen, "$ corosync-qnetd-tool -l --format=json | jq '.clusters[] | .name, .reason, .winner'",
              "\n".join(json.dumps(cluster[key]) for cluster in clusters for key in ("name", "reason", "winner")))

    narrator.chapter("The link is repaired.")
    cluster.heal()
    cluster.wait_all()
    cluster.hold("together again", [1, 2], 1)

    narrator.chapter("Node 1, the tie-breaker's favourite, falls silent. Perhaps it is dead, perhaps it still runs and votes: "
                     "the arbiter\nwaits until that vote must have ended, then node 2 may go on.")
    cluster.cut_host(1)
    cluster.wait_quorate([2], not_quorate=[1])
    cluster.hold("node 2 goes on", [2], 1)
    narrator.chapter("Node 1 is back. Then all is stopped in order: a vote that is given back is nothing to wait for.")
    cluster.heal()
    cluster.wait_all()
    if flavour == "ours":
        _show(screen, "The same questions can be asked beforehand, without a cluster:\n"
              "$ corosync-qnetd-tool --what-if --nodes 2", arbiter.tool("--what-if", "--nodes", "2").out)
    for node in cluster.nodes.values():
        node.stop()
    arbiter.stop()
    narrator.tell()
    screen.line()
    if flavour == "ours":
        lab.verdict()
    screen.line(f"Both nodes were quorate without each other for {lab.worst_ms():.0f} ms in all this time.", "good")
    screen.line("Everything is stopped and removed again.")


def inside(scratch, flavour):
    """In the sandbox."""
    isolate.enter()
    screen = Screen()
    screen.line(PICTURE)
    screen.line("Making certificates with the packaged tools ...")
    runner.prepare(scratch)
    with Lab(scratch / "lab", runner.certificates_path(scratch), watcher=runner.watcher_path(scratch)) as lab:
        try:
            story(lab, screen, flavour)
        except Failure as failure:
            screen.line(f"This did not go as it should: {failure}", "bad")
            return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arbiter", choices=("ours", "packaged"), default="ours", help="whose arbiter (default ours)")
    parser.add_argument("--inside", metavar="SCRATCH", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ.setdefault("Q_BUILD", str(HERE.parent.parent / "build"))
    if arguments.inside:
        return inside(pathlib.Path(arguments.inside), arguments.arbiter)
    lacking = runner.missing()
    if lacking:
        print(f"The demo needs {lacking}.")
        return 1
    scratch = runner.make_scratch()
    try:
        return subprocess.run([sys.executable, __file__, "--arbiter", arguments.arbiter, "--inside", scratch],
                              check=False).returncode
    except KeyboardInterrupt:
        print("\nInterrupted; everything is removed.")
        return 130
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
