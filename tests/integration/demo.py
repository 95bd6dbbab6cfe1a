#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A real two-node cluster loses its link: who goes on, and why, on a timeline.

Our core and our device on two hosts made of namespaces, our arbiter on a third; --core, --device and --arbiter packaged show
Debian's in the same play. Needs root and less than a minute; leaves nothing behind. Q_BUILD names the directory in which our
programs were built (default: build/).
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from lab import isolate, runner  # noqa: E402
from lab.cluster import Lab  # noqa: E402
from lab.wait import Failure, call_while_waiting, now_ns  # noqa: E402
from lab.watch import quorate_ms  # noqa: E402

PICTURE = """
        node 1 ───────── LAN ───────── node 2        {core}, {device} corosync-qdevice
            \\                          /
             └──────── arbiter ───────┘              {arbiter} corosync-qnetd, TLS required

  Three votes: one for each node, one the arbiter gives. Two make quorum. Services run only where there is quorum,
  so when the nodes lose sight of each other exactly one of them must have it.
"""
OWNER = {"ours": "our", "packaged": "Debian's"}
CORE = {"ours": "our corosync-core", "packaged": "Debian's corosync"}

# What the arbiter says about a cluster, or about a node's connection, that an administrator should read.
_SAID = re.compile(r'^\S+ +\S+ \S+ +(?:notice|warning) +cluster "[^"]*"(?: (node \d+)(?: ring \S+)?)?: (.*)$', re.MULTILINE)
# What a device of ours says that is not an echo of the arbiter's decision.
_DEVICE_SAID = re.compile(r'^\S+ +\S+ \S+ +(?:notice|warning) +((?:arbiter|the vote).*)$', re.MULTILINE)
_COLUMNS_BEFORE_TEXT = 34
_COLOURS = {"head": "1", "good": "1;32", "bad": "1;31", "event": "1;33", "why": "36"}


class Screen:
    """Prints with colours, and folded to the width, if somebody looks."""

    def __init__(self):
        self.coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.text_width = 1000
        if sys.stdout.isatty():
            self.text_width = max(40, shutil.get_terminal_size().columns - _COLUMNS_BEFORE_TEXT)

    def paint(self, style, text):
        return f"\033[{_COLOURS[style]}m{text}\033[0m" if self.coloured and style in _COLOURS else text

    def line(self, text="", style=""):
        print(self.paint(style, text) if style else text, flush=True)

    def row(self, columns, text, style):
        """A line of the table; `columns` are what stands before its text."""
        for folded in textwrap.wrap(text, self.text_width):
            print(columns + self.paint(style, folded), flush=True)
            columns = " " * _COLUMNS_BEFORE_TEXT


class LogReader:
    """What a program has logged since the last look."""

    def __init__(self):
        self.path = None
        self.position = 0

    def news(self, process):
        """New complete lines of the process, which may be another one than at the last look, or None."""
        if process is None:
            return ""
        if process.log != self.path:
            self.path, self.position = process.log, 0
        with open(self.path, "rb") as log:
            log.seek(self.position)
            text = log.read()
        complete = text[:text.rfind(b"\n") + 1]
        self.position += len(complete)
        return complete.decode(errors="replace")


class Narrator:
    """Tells what happens while it happens: our own actions, the arbiter's decisions, the devices' troubles, the nodes'
    beliefs."""

    def __init__(self, lab, screen):
        self.lab = lab
        self.screen = screen
        self.start_ns = now_ns()
        self.told_beliefs = {}
        self.told_entries = 0
        self.arbiter_log = LogReader()
        self.device_logs = {1: LogReader(), 2: LogReader()}
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
        self.screen.row(f"{(at_ns - self.start_ns) / 1e9:7.2f}s  {states}", text, style)

    def tell(self):
        """Everything new, oldest first."""
        news = [(at, 0, text, "event", None) for at, text in self.lab.timeline.entries[self.told_entries:]
                if not text.startswith("quorate:")]
        self.told_entries = len(self.lab.timeline.entries)
        news += [(self.last_look_ns, *rest, "why", None) for rest in self._said()]
        for cluster in self.lab.clusters:
            for watch in cluster.watches():
                told = self.told_beliefs.get(watch.node_id, 1)
                for belief in watch.beliefs[told:]:
                    news.append((belief.since_ns, 3, _belief_text(watch.node_id, belief), "",
                                 (watch.node_id, _state_word(belief))))
                self.told_beliefs[watch.node_id] = len(watch.beliefs)
        self.last_look_ns = now_ns()
        for at, _, text, style, state in sorted(news, key=lambda item: item[:2]):
            if state:
                self.state[state[0]] = state[1]
            self.row(at, text, style)

    def _said(self):
        """(order, text) of what arbiter and devices logged some time since the last look; what it led to must not be
        told before it."""
        arbiter = self.lab.the_arbiter
        for match in _SAID.finditer(self.arbiter_log.news(arbiter.process if arbiter else None)):
            yield 1, "arbiter: " + (f"{match[1]}: " if match[1] else "") + match[2]
        for cluster in self.lab.clusters:
            for node in cluster.nodes.values():
                for match in _DEVICE_SAID.finditer(self.device_logs[node.id].news(node.device)):
                    yield 2, f"device of node {node.id}: {match[1]}"


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


class Play:
    """The acts, and what is shown between them."""

    def __init__(self, lab, screen, flavour):
        self.lab = lab
        self.screen = screen
        self.narrator = Narrator(lab, screen)
        call_while_waiting(self.narrator.tell)
        self.narrator.head()
        self.arbiter = lab.arbiter(flavour, ["-s", "req"])
        self.cluster = lab.cluster(timeout_ms=0)
        self.narrator.tell()
        self.show("arbiter", "corosync-qnetd-tool -s", self.arbiter.tool("-s").out)

    def show(self, where, command, text):
        """A command and its answer."""
        self.screen.line()
        self.screen.line(f"[{where}]$ {command}", "head")
        for line in text.rstrip().splitlines():
            self.screen.line(f"    {line}")

    def ask_devices(self, *ids):
        """Ask these nodes' devices whether they have the vote; ours say why in a sentence, Debian's whether they cast one."""
        wanted = "Vote" if self.lab.device_flavour == "ours" else "Last poll call"
        for i in ids:
            status = self.cluster.nodes[i].device_tool("-s", "-v").out.splitlines()
            answer = "\n".join(line for line in status if line.startswith(f"{wanted}:"))
            self.show(f"node {i}", f"corosync-qdevice-tool -s -v | grep '^{wanted}:'", answer)

    def link_cut(self):
        self.narrator.chapter("The link between the nodes is cut. The arbiter hears both: it takes the vote from one before "
                              "it gives it to the other.")
        self.cluster.cut([1], [2])
        self.cluster.wait_quorate([1], not_quorate=[2])
        self.cluster.wait_votes({1: "ACK", 2: "NACK"})
        self.cluster.hold("node 1 goes on", [1], 1)
        self.ask_devices(1, 2)
        if self.arbiter.flavour == "ours":
            clusters = json.loads(self.arbiter.tool("-l", "--format=json").out)["clusters"]
            self.show("arbiter", "corosync-qnetd-tool -l --format=json | jq '.clusters[] | .name, .reason, .winner'",
                      "\n".join(json.dumps(cluster[key]) for cluster in clusters for key in ("name", "reason", "winner")))
        else:
            self.show("arbiter", "corosync-qnetd-tool -l", self.arbiter.tool("-l").out)

    def arbiter_restarted(self):
        self.narrator.chapter("The arbiter is killed (-9) and started again. Node 1 lives on its vote.")
        start = now_ns()
        self.arbiter.kill()
        self.narrator.last_look_ns = now_ns()  # what the devices say about it comes after it
        self.arbiter.start()
        self.cluster.wait_connected([1, 2])
        self.cluster.wait_one_quorate()
        end = now_ns()
        self.narrator.tell()
        lost_ms = max(0.0, (end - start) / 1e6 - quorate_ms(self.cluster.nodes[1].watch.update(), start, end))
        self.screen.line(f"Node 1 was without quorum for {lost_ms:.0f} ms."
                         if 1 in self.cluster.quorate() else "Node 1 lost quorum to node 2, which was the first to return.",
                         "good" if lost_ms < 1 else "bad")

    def link_repaired(self):
        self.narrator.chapter("The link is repaired.")
        self.cluster.heal()
        self.cluster.wait_all()
        self.cluster.hold("together again", [1, 2], 1)
        self.arbiter.wait_all_known()

    def favourite_lost(self):
        self.narrator.chapter("Node 1, the tie-breaker's favourite, loses LAN and arbiter at once. Perhaps it is dead, perhaps "
                              "it still runs and votes:\nnobody can ask it. Its vote must have ended before node 2 may go on.")
        start = now_ns()
        self.cluster.cut_host(1)
        self.cluster.wait_quorate([2], not_quorate=[1])
        self.cluster.hold("node 2 goes on", [2], 1)
        self.narrator.tell()
        first = {node.id: next(belief.since_ns for belief in node.watch.beliefs
                               if belief.since_ns > start and belief.quorate == (node.id == 2))
                 for node in self.cluster.nodes.values()}
        self.screen.line(f"Node 1 gave up after {(first[1] - start) / 1e9:.1f} s, node 2 took over after "
                         f"{(first[2] - start) / 1e9:.1f} s; both believed in quorum for "
                         f"{max(0.0, (first[1] - first[2]) / 1e6):.0f} ms.", "good" if first[1] <= first[2] else "bad")
        self.ask_devices(1, 2)

    def end(self):
        self.narrator.chapter("Node 1 is back. Then all is stopped in order: a vote that is given back is nothing to wait for.")
        self.cluster.heal()
        self.cluster.wait_all()
        self.cluster.hold("together again", [1, 2], 0.2)
        for node in self.cluster.nodes.values():
            node.stop()
            self.narrator.tell()
        self.arbiter.stop()
        self.narrator.tell()
        if self.arbiter.flavour == "ours":
            self.screen.line()
            self.screen.line("What would happen can be asked beforehand, without a cluster:")
            self.show("arbiter", "corosync-qnetd-tool --what-if --nodes 2", self.arbiter.tool("--what-if", "--nodes", "2").out)


def story(lab, screen, flavour):
    """All acts, and the balance."""
    play = Play(lab, screen, flavour)
    play.link_cut()
    play.arbiter_restarted()
    play.link_repaired()
    play.favourite_lost()
    play.end()
    screen.line()
    if flavour == "ours":
        lab.verdict()
    screen.line(f"The longest time in which both nodes were quorate without each other: {lab.worst_ms():.0f} ms.",
                "good" if lab.worst_ms() < 1 else "bad")
    screen.line("Everything is stopped and removed again.")


def inside(scratch, arbiter, device, core):
    """In the sandbox."""
    isolate.enter()
    screen = Screen()
    screen.line(PICTURE.format(arbiter=OWNER[arbiter], device=OWNER[device], core=CORE[core]))
    screen.line(f"Making certificates with {'our' if arbiter == 'ours' else 'the packaged'} tools ...")
    runner.prepare(scratch, arbiter)
    with Lab(scratch / "lab", runner.certificates_path(scratch), device, runner.watcher_path(scratch), core) as lab:
        try:
            story(lab, screen, arbiter)
        except Failure as failure:
            screen.line(f"This did not go as it should: {failure}", "bad")
            return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arbiter", choices=OWNER, default="ours", help="whose arbiter (default ours)")
    parser.add_argument("--device", choices=OWNER, default="ours", help="whose device (default ours)")
    parser.add_argument("--core", choices=OWNER, default="ours", help="whose core (default ours)")
    parser.add_argument("--inside", metavar="SCRATCH", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ.setdefault("Q_BUILD", str(HERE.parent.parent / "build"))
    if arguments.inside:
        return inside(pathlib.Path(arguments.inside), arguments.arbiter, arguments.device, arguments.core)
    lacking = runner.missing()
    if lacking:
        print(f"The demo needs {lacking}.")
        return 1
    scratch = runner.make_scratch()
    try:
        return subprocess.run([sys.executable, __file__, "--arbiter", arguments.arbiter, "--device", arguments.device,
                               "--core", arguments.core, "--inside", scratch], check=False).returncode
    except KeyboardInterrupt:
        print("\nInterrupted; everything is removed.")
        return 130
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
