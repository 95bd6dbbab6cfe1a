#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Does pcs work unchanged where our programs are installed? The same commands twice: with ours, and with the packaged ones.

Three hosts made of namespaces, each with Debian's pcs and pcsd: an arbiter and two nodes (a third one joins later). Our
programs and unit files are mounted over the packaged ones, as `make install` puts them. There is no systemd in a namespace;
lab/systemctl.py stands in for it, and a sleeping process for pacemaker, which pcs wants to be there. Every command's exit
status and answer are compared; docs/pcs.md tells what came of it. Needs root, pcs (apt-get install --no-install-recommends
pcs) and two minutes; not a part of `make check`. Q_BUILD names the directory of our build (default: build/).
"""

import argparse
import dataclasses
import difflib
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
from lab.cluster import ARBITER_NUMBER, PACKAGED, Lab, program  # noqa: E402
from lab.wait import Failure, wait_for  # noqa: E402

PASSWORD = "secret"
COMMAND_TIMEOUT_S = 120
SETTLE_S = 40
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}
NEEDS = {"/usr/sbin/pcs": "pcs", "/usr/bin/killall": "psmisc"}
PACEMAKER_UNIT = "[Service]\nExecStart=/usr/bin/sleep infinity\nRequires=corosync.service\n"

# Answers differ between two runs of the same programs in these.
_VOLATILE = [(re.compile(pattern, re.MULTILINE), replacement) for pattern, replacement in (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+\+00:00)?", "TIME"),
    (r"\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}", "TIME"),
    (r"(Client address:\s+\S+):\d+$", r"\1:PORT"),
    (r"(Ring ID:\s+\d+)\.[0-9a-f]+", r"\1.SEQ"),
    (r"(Last poll call:\s+TIME).*$", r"\1"),
    (r"^n\d: (Corosync configuration reloaded)$", r"n0: \1"),
    (r"(Vote lease left:\s+)\d+ms$", r"\1SOME"),
)]


@dataclasses.dataclass
class Answer:
    """What a command said on the host `where`: first its errors and pcs's progress reports, then its output."""

    where: str
    command: str
    status: int
    text: str

    def steady(self):
        """Without what differs in every run; what the nodes answer in any order is sorted."""
        text = self.text
        for pattern, replacement in _VOLATILE:
            text = pattern.sub(replacement, text)
        lines = text.splitlines()
        return _sorted_runs(lines)


def _sorted_runs(lines):
    """Neighbouring lines that begin with a node's name, in the order of the names."""
    done, run = [], []
    for line in lines + [""]:
        if re.match(r"((Error|Warning): )?(n\d|arbiter): ", line):
            run.append(line)
            continue
        done += sorted(run) + [line]
        run = []
    return done[:-1]


class Machine:
    """A host of the lab with process ids of its own (pcs kills by name), pcsd, and the account pcs speaks to its peers as."""

    INIT = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nwhile True: signal.pause()"

    def __init__(self, lab, name, number, flavour):
        self.name = name
        self.host = lab.host(name, {"arb": number} if name == "arbiter" else {"lan": number, "arb": number})
        holder = self.host.start(["/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, "-c",
                                  self.INIT])
        children = pathlib.Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
        self.init = int(wait_for(f"process 1 of {name}", children.read_text, SETTLE_S))
        self._account()
        for directory in (self.host.path("lib", "pcsd"), self.host.path("log", "pcsd"), self.host.path("etc", "qnetd")):
            directory.mkdir()
        self.run("mkdir -p /run/systemd/system")
        self.run("cat >/run/systemd/system/pacemaker.service", stdin=PACEMAKER_UNIT)
        self._bind(HERE / "lab" / "systemctl.py", "/usr/bin/systemctl")
        if flavour == "ours":
            for program_name, target in PACKAGED.items():
                self._bind(program(program_name, "ours"), target)
            for unit in ("corosync-qnetd.service", "corosync-qdevice.service"):
                self._bind(pathlib.Path(os.environ["Q_BUILD"], "init", unit).resolve(), f"/lib/systemd/system/{unit}")
        self.run("systemctl start pcsd-ruby pcsd")

    def run(self, command, ok=True, stdin=None):
        """Run a command line here; with `ok` another status than 0 is a `Failure`."""
        return self.host.run(["/usr/bin/nsenter", f"--pid=/proc/{self.init}/ns/pid", f"--mount=/proc/{self.init}/ns/mnt", "--",
                              "/bin/sh", "-c", command], timeout_s=COMMAND_TIMEOUT_S, env=ENVIRONMENT, ok=ok, stdin=stdin)

    def _bind(self, source, target):
        self.run(f"mount --bind '{source}' {target}")

    def _account(self):
        """The user hacluster, which the package pacemaker would make."""
        hashed = subprocess.run(["/usr/bin/openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True,
                                check=True).stdout.strip()
        for name, line in (("passwd", "hacluster:x:64999:64999::/:/usr/sbin/nologin"), ("group", "haclient:x:64999:"),
                           ("shadow", f"hacluster:{hashed}:19000:0:99999:7:::")):
            lines = [old for old in pathlib.Path("/etc", name).read_text(encoding="utf-8").splitlines()
                     if not old.startswith(("hacluster:", "haclient:"))]
            path = self.host.path(name)
            path.touch(mode=0o600 if name == "shadow" else 0o644)
            path.write_text("\n".join([*lines, line]) + "\n", encoding="utf-8")
            self._bind(path, f"/etc/{name}")


class Trial:
    """One cluster with the programs of one flavour, and what pcs said about it."""

    def __init__(self, lab, flavour):
        self.lab = lab
        self.answers = []
        self.arbiter = Machine(lab, "arbiter", ARBITER_NUMBER, flavour)
        self.nodes = {i: Machine(lab, f"n{i}", i, flavour) for i in (1, 2, 3)}

    def pcs(self, host, *words):
        """Run a pcs command and keep its answer."""
        return self.shell(host, "pcs " + " ".join(words))

    def shell(self, host, command):
        """Run a command line and keep its answer."""
        done = host.run(command, ok=False)
        answer = Answer(host.name, command, done.status, done.err + done.out)
        self.answers.append(answer)
        print(f"[{answer.where}]# {answer.command}   -> {answer.status}", flush=True)
        for line in answer.text.rstrip().splitlines():
            print(f"    {line}")
        return answer

    def settle(self, *ids, arbiter=True):
        """Wait until these nodes are quorate together and, if there is an arbiter, have its vote."""
        wanted = ", ".join(map(str, ids))

        def settled():
            for i in ids:
                quorum = self.nodes[i].run("corosync-quorumtool -s", ok=False).out
                if not re.search(r"^Quorate: +Yes$", quorum, re.MULTILINE) or f"Nodes:            {len(ids)}\n" not in quorum:
                    return False
                if arbiter and not re.search(r" +0 +1 +Qdevice", quorum):
                    return False
            listed = self.arbiter.run("corosync-qnetd-tool -l -v", ok=False).out
            return not arbiter or (listed.count(f"Membership node list:\t{wanted}\n") == len(ids)
                                   and listed.count("ACK (ACK)") + listed.count("No change (ACK)") == len(ids))
        wait_for(f"nodes {wanted} together, with the arbiter's vote" if arbiter else f"nodes {wanted} together", settled, SETTLE_S)


def commands(trial):
    """What an administrator types from nothing to a cluster with an arbiter and back."""
    arbiter, nodes = trial.arbiter, trial.nodes
    n1, n2 = nodes[1], nodes[2]

    trial.pcs(arbiter, "qdevice", "status", "net")
    # As the Debian package leaves it: the packaged daemon may not read what pcs makes in a directory of root's; ours may.
    trial.pcs(arbiter, "qdevice", "setup", "model", "net", "--enable", "--start")
    trial.pcs(arbiter, "qdevice", "destroy", "net")
    trial.shell(arbiter, "chown coroqnetd:coroqnetd /etc/corosync/qnetd")
    trial.pcs(arbiter, "qdevice", "setup", "model", "net", "--enable", "--start")
    trial.pcs(arbiter, "qdevice", "setup", "model", "net")
    trial.pcs(arbiter, "qdevice", "status", "net")
    trial.pcs(arbiter, "qdevice", "status", "net", "--full")

    trial.pcs(n1, "host", "auth", "n1", "n2", "n3", "arbiter", "-u", "hacluster", "-p", PASSWORD)
    trial.pcs(n1, "cluster", "setup", "alpha", "n1", "n2")
    trial.pcs(n1, "cluster", "start", "--all")
    trial.pcs(n1, "cluster", "enable", "--all")
    trial.settle(1, 2, arbiter=False)
    trial.pcs(n1, "quorum", "device", "status")
    trial.pcs(n1, "quorum", "device", "add", "model", "net", "host=arbiter", "algorithm=ffsplit")
    trial.settle(1, 2)
    trial.pcs(n1, "quorum", "config")
    trial.pcs(n1, "quorum", "status")
    for node in (n1, n2):
        trial.pcs(node, "quorum", "device", "status")
        trial.pcs(node, "quorum", "device", "status", "--full")
    trial.pcs(arbiter, "qdevice", "status", "net")
    trial.pcs(arbiter, "qdevice", "status", "net", "--full", "alpha")
    trial.pcs(arbiter, "qdevice", "stop", "net")
    trial.pcs(arbiter, "qdevice", "destroy", "net")

    trial.pcs(n1, "quorum", "device", "update", "model", "tie_breaker=highest")
    trial.pcs(n1, "quorum", "device", "update", "sync_timeout=20000")
    trial.pcs(n1, "quorum", "device", "update", "heuristics", "mode=on", "exec_true=/bin/true")
    trial.settle(1, 2)
    wait_for("passing heuristics", lambda: arbiter.run("corosync-qnetd-tool -l -v").out.count("Heuristics:\t\tPass") == 2, SETTLE_S)
    trial.pcs(n2, "quorum", "device", "status")
    trial.pcs(arbiter, "qdevice", "status", "net", "--full")
    trial.pcs(n1, "quorum", "device", "heuristics", "remove")

    trial.pcs(n1, "cluster", "stop", "n2")
    trial.settle(1)
    trial.pcs(n1, "quorum", "status")
    trial.pcs(n1, "cluster", "stop", "n1")
    trial.pcs(n1, "cluster", "start", "n2")
    trial.settle(1, 2)
    trial.pcs(n1, "cluster", "node", "add", "n3", "--start", "--enable", "--force")
    trial.settle(1, 2, 3)
    trial.pcs(nodes[3], "quorum", "device", "status")
    trial.pcs(n1, "cluster", "node", "remove", "n3", "--force")
    trial.settle(1, 2)

    trial.pcs(arbiter, "qdevice", "kill", "net")
    trial.pcs(arbiter, "qdevice", "start", "net")
    trial.settle(1, 2)
    trial.pcs(n1, "quorum", "device", "remove")
    trial.settle(1, 2, arbiter=False)
    trial.pcs(n1, "quorum", "device", "status")
    trial.pcs(n1, "quorum", "device", "add", "model", "net", "host=arbiter", "algorithm=lms", "tie_breaker=lowest")
    trial.settle(1, 2)
    trial.pcs(n1, "quorum", "device", "status")
    trial.pcs(n1, "cluster", "destroy", "--all")
    trial.pcs(arbiter, "qdevice", "destroy", "net")


def inside(scratch, flavour):
    """In the sandbox: one flavour; leaves the answers in a file."""
    isolate.enter()
    with Lab(scratch / flavour, core_flavour="packaged") as lab:
        trial = Trial(lab, flavour)
        try:
            commands(trial)
        except Failure as failure:
            print(f"This is how far it gets: {failure}")
            return 1
        finally:
            for machine in (trial.arbiter, *trial.nodes.values()):
                machine.run(f"cp -r /run/units {machine.host.path('log')}")
            (scratch / f"{flavour}.json").write_text(json.dumps([dataclasses.asdict(answer) for answer in trial.answers]))
    return 0


def compare(scratch):
    """Print how the answers differ; the number of commands that ended with another status."""
    ours, packaged = ([Answer(**answer) for answer in json.loads((scratch / f"{flavour}.json").read_text())]
                      for flavour in ("ours", "packaged"))
    failed = abs(len(ours) - len(packaged))
    equal = 0
    for mine, theirs in zip(ours, packaged):
        difference = list(difflib.unified_diff(theirs.steady(), mine.steady(), lineterm="", n=0))[2:]
        if not difference and mine.status == theirs.status:
            equal += 1
            continue
        print(f"\n[{mine.where}]# {mine.command}   -> {mine.status}"
              + (f" ({theirs.status} with the packaged programs)" if mine.status != theirs.status else ""))
        for line in difference:
            if not line.startswith("@@"):
                print(f"    {line}")
        failed += mine.status != theirs.status
    print(f"\n{len(ours)} commands with our programs, {len(packaged)} with the packaged ones (-); {equal} answers are the same, "
          f"{failed} ended with another status.")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flavour", choices=("ours", "packaged"), help="only with these, and nothing is compared")
    parser.add_argument("--keep", metavar="DIRECTORY", help="work in this directory and leave it, with all logs")
    parser.add_argument("--inside", nargs=2, metavar=("SCRATCH", "FLAVOUR"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ.setdefault("Q_BUILD", str(HERE.parent.parent / "build"))
    if arguments.inside:
        return inside(pathlib.Path(arguments.inside[0]), arguments.inside[1])
    lacking = runner.missing() or ", ".join(package for path, package in NEEDS.items() if not os.path.exists(path))
    if lacking:
        print(f"1..0 # SKIP the trial of pcs needs {lacking}")
        return 0
    scratch = pathlib.Path(arguments.keep) if arguments.keep else runner.make_scratch()
    scratch.mkdir(exist_ok=True)
    try:
        for flavour in (arguments.flavour,) if arguments.flavour else ("packaged", "ours"):
            print(f"==== {flavour}")
            if subprocess.run([sys.executable, __file__, "--inside", scratch, flavour], check=False).returncode:
                return 1
        return 0 if arguments.flavour or not compare(scratch) else 1
    finally:
        if not arguments.keep:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
