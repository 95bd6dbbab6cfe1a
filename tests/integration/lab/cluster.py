# SPDX-License-Identifier: BSD-3-Clause
"""The cast: an arbiter, nodes, and the lab they live in.

    with Lab(scratch, certificates) as lab:
        arbiter = lab.arbiter("ours", ["-s", "req"])         starts it; "packaged" for Debian's
        cluster = lab.cluster(nodes=2, tie_breaker="highest")  corosync + device on each node, waits for quorum
        cluster.cut([1], [2])                                  LAN cut, the arbiter stays reachable from both
        cluster.wait_quorate([2], not_quorate=[1])
        lab.verdict()                                          safety: was there ever a contradiction?

Only one lab may exist per sandbox (`isolate.enter()`). Programs: "packaged" ones come from the system, "ours" from the
directory named by Q_BUILD.
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess

from . import certs, stalls, tooltext
from .bad_line import BadLine
from .conf import ClusterConfig
from .host import Host, wait_gone
from .net import Wires
from .timeline import Timeline
from .wait import Failure, check, now_ns, poll_pause, wait_for
from .watch import Watch, overlaps, quorate_ms, relapses_ms

ARBITER_NUMBER = 254
"""Host number of the arbiter; of node i it is i."""

READY_S = 10
QUORATE_S = 40
KNOWN_S = 40

TOLERANCE_MS = 300
"""Contradictions up to this long are measurement: the two notifications travel through two corosyncs and watchers that
share two processors with everything else."""

PACKAGED = {
    "corosync-qnetd": "/usr/bin/corosync-qnetd",
    "corosync-qnetd-tool": "/usr/bin/corosync-qnetd-tool",
    "corosync-qdevice": "/usr/sbin/corosync-qdevice",
    "corosync-qdevice-tool": "/usr/sbin/corosync-qdevice-tool",
    "corosync-core": "/usr/sbin/corosync",
    "corosync-qnetd-certutil": "/usr/bin/corosync-qnetd-certutil",
    "corosync-qdevice-net-certutil": "/usr/sbin/corosync-qdevice-net-certutil",
}

STALLS = "stalls"
"""What the witness of stalls says, in the lab's scratch directory."""

_COMPLAINT = re.compile(r"^.*(?:Sanitizer|runtime error:|Assertion .* failed).*$", re.MULTILINE)


def program(name, flavour):
    """Path of a program; flavour is "ours" or "packaged"."""
    if flavour == "packaged":
        return PACKAGED[name]
    build = os.environ.get("Q_BUILD")
    if not build:
        raise Failure("Q_BUILD does not name the directory of our build")
    path = pathlib.Path(build, name).resolve()
    if not os.access(path, os.X_OK):
        raise Failure(f"no {name} in {build}")
    return str(path)


def check_complaints(host):
    """No sanitizer and no assertion has complained in any program of this host."""
    for process in host.processes:
        complaint = _COMPLAINT.search(process.text())
        check(not complaint, f"{process.log}: {complaint and complaint[0]}")


class Arbiter:
    """An arbiter on the host "arbiter". After `kill` or `stop`, `start` runs it again."""

    SOCKET = "/run/corosync-qnetd/corosync-qnetd.sock"

    def __init__(self, lab, host, flavour, options):
        self.lab = lab
        self.host = host
        self.flavour = flavour
        self.options = list(options)
        self.process = None
        self.wrapper = []
        self.meant_to_run = False
        self.quiet = False

    def start(self, flavour=None, options=None, expect_ready=True):
        """Start it (again), perhaps as the other flavour; returns when its tool answers."""
        self.flavour = flavour or self.flavour
        self.options = list(self.options if options is None else options)
        argv = self.wrapper + [program("corosync-qnetd", self.flavour), "-f", *([] if self.quiet else ["-d"]), *self.options]
        if self.flavour == "ours":
            argv += ["-S", f"enrol_program={program('corosync-qnetd-enrol', 'ours')}"]
        self.process = self.host.start(argv, log=f"corosync-qnetd.{self.flavour}")
        self.meant_to_run = True
        if expect_ready:
            wait_for(f"the {self.flavour} arbiter to answer its tool", self._answers, READY_S)
            self.lab.note(f"arbiter started ({self.flavour})")
        return self

    def _answers(self):
        check(self.process.running, f"arbiter ended at once: {self.process.text()}")
        return self.tool("-s").status == 0

    def kill(self):
        """SIGKILL."""
        self.meant_to_run = False
        self.process.kill()
        self.lab.note("arbiter killed (SIGKILL)")

    def stop(self):
        """SIGTERM; its exit status must be 0."""
        self.meant_to_run = False
        if self.flavour == "packaged":
            self.process.wait_asleep()
        status = self.process.stop()
        self.lab.note("arbiter stopped")
        check(status == 0, f"arbiter's exit status after SIGTERM is {status}")

    def shut_down(self, tool=None):
        """By corosync-qnetd-tool -H; both exit statuses must be 0."""
        self.meant_to_run = False
        result = self.tool("-H", flavour=tool)
        check(result.status == 0, f"corosync-qnetd-tool -H: {result}")
        status = self.process.wait(READY_S)
        self.lab.note("arbiter shut down by its tool")
        check(status == 0, f"arbiter's exit status after shutdown is {status}")

    def freeze(self):
        """SIGSTOP."""
        self.process.signal(signal.SIGSTOP)
        self.lab.note("arbiter frozen (SIGSTOP)")

    def thaw(self):
        """SIGCONT."""
        self.process.signal(signal.SIGCONT)
        self.lab.note("arbiter goes on (SIGCONT)")

    def reload(self):
        """SIGHUP."""
        self.process.signal(signal.SIGHUP)
        self.lab.note("arbiter told to reload (SIGHUP)")

    def start_another(self, options):
        """A second daemon on the same host; returns the `Process`."""
        return self.host.start([program("corosync-qnetd", self.flavour), "-f", *options], log="corosync-qnetd.second")

    def start_detached(self):
        """Start it the way an init script does, without -f; returns when its tool answers."""
        self.host.run([program("corosync-qnetd", self.flavour), *self.options], ok=True)
        wait_for("the detached arbiter to answer its tool", lambda: self.tool("-s").status == 0, READY_S)

    def shut_down_detached(self):
        """End a daemon started by `start_detached`."""
        pid = int(self.host.run(["/usr/bin/cat", "/run/corosync-qnetd/corosync-qnetd.pid"], ok=True).out)
        check(self.tool("-H").status == 0, "corosync-qnetd-tool -H")
        wait_gone(pid, READY_S)

    def ask(self, request):
        """Send raw bytes to its local socket; returns all it answers until it closes (b"" if it resets)."""
        answer = b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.settimeout(READY_S)
            control.connect(f"/proc/{self.host.pid}/root{self.SOCKET}")
            try:
                control.sendall(request)
                while chunk := control.recv(65536):
                    answer += chunk
            except (ConnectionResetError, BrokenPipeError):
                pass
        return answer

    @property
    def address(self):
        """Its IPv4 address."""
        return Wires.address("arb", ARBITER_NUMBER)

    def tool(self, *options, flavour=None):
        """Run corosync-qnetd-tool beside it (default: of the same flavour); returns a `Result`."""
        return self.host.run([program("corosync-qnetd-tool", flavour or self.flavour), *options],
                             env={"LC_ALL": "C"})

    def start_tool(self, *options):
        """Run our corosync-qnetd-tool beside it without waiting for its end; returns the `Process`."""
        return self.host.start([program("corosync-qnetd-tool", "ours"), *options])

    def know_all(self):
        """Become an arbiter that has been running for long: it knows that no votes are out from before its start, and need not
        wait for their end (19 s). Only where no cluster has been served yet."""
        if self.flavour != "ours":
            return
        self.kill()
        for marker in pathlib.Path(f"/proc/{self.host.pid}/root/run/corosync-qnetd").glob("*/marker"):
            text, found = re.subn(r"(?m)^unknown [0-9]+$", f"unknown {0:020}", marker.read_text(encoding="ascii"))
            check(found == 1, f"no start is noted in {marker}")
            marker.write_text(text, encoding="ascii")
        self.start()

    def wait_all_known(self):
        """Wait until every vote is known: an arbiter that starts without records waits longer for votes than later on."""
        def known():
            return json.loads(self.tool("-s", "--format=json").out)["quarantine_until"] is None
        if self.flavour == "ours":
            wait_for("the end of the caution after the arbiter's start", known, KNOWN_S)

    def listing(self, cluster_name, *options):
        """What it lists of a cluster: {node id: {field: text}}."""
        return tooltext.clusters(self.tool("-l", *options).out).get(cluster_name, {"nodes": {}})["nodes"]

    def status(self, *options):
        """Its status: {field: text}."""
        return tooltext.fields(self.tool("-s", *options).out)

    def nodes_connected(self, cluster_name):
        """Ids of the nodes it lists for a cluster."""
        return sorted(self.listing(cluster_name))

    def client_addresses(self, cluster_name):
        """{node id: address and port of its connection}."""
        return {node: fields["Client address"] for node, fields in self.listing(cluster_name).items()}

    def votes(self, cluster_name):
        """{node id: "ACK" or "NACK" as last sent, or None}."""
        return {node: _effective_vote(fields.get("Vote", "")) for node, fields in self.listing(cluster_name).items()}

    @property
    def log(self):
        return self.process.text()

    def check_health(self):
        """It has not ended by itself, and no sanitizer has complained in any of its lives."""
        check(not self.meant_to_run or self.process.running, f"arbiter ended: status {self.process.popen.poll()}")
        check_complaints(self.host)


def _effective_vote(text):
    """Of `No change (ACK)` or `ACK (ACK)` the word in brackets."""
    return text[text.index("(") + 1:-1] if "(" in text else (text if text in ("ACK", "NACK") else None)


class Node:
    """A cluster node: host, core ("corosync", be it ours or the packaged one), device, and the watcher of its belief."""

    def __init__(self, lab, cluster, node_id):
        self.lab = lab
        self.cluster = cluster
        self.id = node_id
        number = cluster.config.host_number(node_id)
        self.host = lab.host(f"n{number}", {"lan": number, "arb": number})
        self.core_flavour = cluster.config.cores.get(node_id, lab.core_flavour)
        self.corosync = None
        self.device = None
        watcher = self.host.start([lab.watcher], log="watch")
        self.watch = Watch(node_id, watcher.log)

    def start_corosync(self, flavour=None):
        """Start the core (again), perhaps as the other flavour."""
        self.core_flavour = flavour or self.core_flavour
        self.corosync = self.host.start([program("corosync-core", self.core_flavour), "-f"],
                                        log=f"corosync.{self.core_flavour}")

    def kill_corosync(self):
        """SIGKILL the core of a node without device."""
        self.corosync.kill()
        self.watch.update().died(now_ns())
        self.lab.note(f"core of node {self.id} killed (SIGKILL)")

    def stop_corosync(self):
        """SIGTERM the core of a node without device: it leaves in order."""
        status = self.corosync.stop()
        self.watch.update().died(now_ns())
        self.lab.note(f"core of node {self.id} stopped")
        check(status == 0, f"core of node {self.id} ends with status {status}")

    def start_device(self):
        wait_for(f"corosync of node {self.id}", lambda: self.watch.update().connected, READY_S)
        self.start_device_alone()

    def start_device_alone(self):
        """Start the device whether or not there is a core."""
        self.lab.devices.add(self.lab.device_flavour)
        self.device = self.host.start([program("corosync-qdevice", self.lab.device_flavour), "-f", "-d"])

    def start_second_device(self):
        """Another device beside the one that runs; returns the `Process`."""
        return self.host.start([program("corosync-qdevice", self.lab.device_flavour), "-f"], log="corosync-qdevice.second")

    def wait_device_answers(self):
        """Wait until the device answers its tool, be it that it knows nothing yet."""
        wait_for(f"device of node {self.id} to answer", lambda: self.device_tool("-s").status in (0, 4), READY_S)

    def start(self):
        """Start both."""
        self.start_corosync()
        self.start_device()

    def kill_device(self):
        """SIGKILL the device only; corosync lives on."""
        self.device.kill()
        self.lab.note(f"device of node {self.id} killed (SIGKILL)")

    def freeze_device(self):
        """SIGSTOP the device only."""
        self.device.signal(signal.SIGSTOP)
        self.lab.note(f"device of node {self.id} stopped (SIGSTOP)")

    def thaw_device(self):
        """SIGCONT."""
        self.device.signal(signal.SIGCONT)
        self.lab.note(f"device of node {self.id} goes on (SIGCONT)")

    def kill(self):
        """SIGKILL the device and corosync, in this order: a device that sees corosync die first ends in order."""
        self.device.popen.kill()
        self.corosync.popen.kill()
        self.corosync.wait(10)
        self.device.wait(10)
        self.watch.update().died(now_ns())
        self.lab.note(f"node {self.id} killed (SIGKILL)")

    def crash_corosync(self):
        """SIGKILL corosync; the device notices, says goodbye to the arbiter and ends (ours waits for another corosync)."""
        self.corosync.kill()
        self.watch.update().died(now_ns())
        self.lab.note(f"corosync of node {self.id} killed (SIGKILL)")
        if self.lab.device_flavour == "packaged":
            self.device.wait(READY_S)

    def stop(self):
        """Stop both in order, as systemd does."""
        if self.lab.device_flavour == "packaged":
            self.device.wait_asleep()
        check(self.device.stop() == 0, f"device of node {self.id} did not end cleanly")
        self.corosync.stop()
        self.lab.note(f"node {self.id} stopped")

    def round_trips_ms(self):
        """The shortest round trip of each TCP connection of this host, as TCP has measured it."""
        return [float(rtt) for rtt in re.findall(r"\bminrtt:([0-9.]+)", self.host.run(["/usr/bin/ss", "-tin"], ok=True).out)]

    def device_tool(self, *options):
        return self.host.run([program("corosync-qdevice-tool", self.lab.device_flavour), *options])

    def connected(self):
        """True while its device says it is connected to the arbiter."""
        return tooltext.fields(self.device_tool("-s").out).get("State") == "Connected"


class Cluster:
    """Nodes with a common configuration."""

    def __init__(self, lab, config):
        self.lab = lab
        self.config = config
        self.nodes = {i: Node(lab, self, i) for i in config.node_ids}
        for node in self.nodes.values():
            self.write_config(node)
            if lab.certificates and config.device and config.tls != "off":
                certs.install_device(node.host, lab.certificates, config.name)

    def write_config(self, node):
        address = Wires.address("arb", ARBITER_NUMBER, self.config.family)
        node.host.path("etc", "corosync.conf").write_text(self.config.text(address), encoding="ascii")

    def start(self):
        """Start the cores everywhere, then the devices."""
        for node in self.nodes.values():
            node.start_corosync()
        for node in self.nodes.values():
            if self.config.device:
                node.start_device()

    def bad_lines(self, delay_ms, seeds=(1, 2)):
        """Give each node a bad line of its own to the arbiter; returns {node id: line}."""
        return {i: self.lab.bad_line("arb", node.host.name, delay_ms, seed)
                for (i, node), seed in zip(self.nodes.items(), seeds, strict=True)}

    def _hosts(self, ids):
        return [self.nodes[i].host.name for i in ids]

    def cut(self, *groups):
        """LAN cut: only nodes of the same group hear each other."""
        self.lab.wires.split("lan", [self._hosts(group) for group in groups])
        self.lab.note("LAN cut: " + " | ".join(",".join(map(str, group)) for group in groups))

    def heal(self):
        """Plug everything in again, LAN and arbiter net."""
        self.lab.wires.heal("lan", *self._hosts(self.nodes))
        self.lab.wires.heal("arb", *self._hosts(self.nodes))
        self.lab.note("network healed")

    def cut_arbiter(self, *ids):
        """These nodes no longer reach the arbiter; packets vanish."""
        self.lab.wires.unplug("arb", *self._hosts(ids))
        self.lab.note(f"arbiter unreachable from {','.join(map(str, ids))} (silent)")

    def heal_arbiter(self, *ids):
        self.lab.wires.heal("arb", *self._hosts(ids))
        self.lab.note(f"arbiter reachable again from {','.join(map(str, ids))}")

    def cut_host(self, node_id):
        """Power failure as the others see it: neither LAN nor arbiter."""
        self.lab.wires.unplug("arb", *self._hosts([node_id]))
        self.lab.wires.unplug("lan", *self._hosts([node_id]))
        self.lab.note(f"node {node_id} cut off from everything")

    def watches(self):
        return [node.watch.update() for node in self.nodes.values()]

    def quorate(self):
        """Ids of the nodes that believe they are quorate now."""
        return [watch.node_id for watch in self.watches() if watch.quorate]

    def wait_quorate(self, ids, not_quorate=(), members=None, deadline_s=QUORATE_S):
        """Wait until exactly these are quorate (with exactly these members, default themselves) and those are not."""
        wanted = frozenset(ids if members is None else members)

        def settled():
            states = {watch.node_id: watch for watch in self.watches()}
            return (all(states[i].quorate and states[i].members == wanted for i in ids)
                    and not any(states[i].quorate for i in not_quorate))
        try:
            wait_for(f"nodes {list(ids)} quorate, {list(not_quorate)} not", settled, deadline_s)
        except Failure as failure:
            raise Failure(f"{failure}; quorate are {self.quorate()}") from None
        self.lab.note(f"quorate: {','.join(map(str, self.quorate())) or 'nobody'}")

    def wait_belief(self, node_id, members, deadline_s=QUORATE_S):
        """Wait until this node is quorate with these members, whatever the others believe."""
        watch = self.nodes[node_id].watch
        wait_for(f"node {node_id} quorate with {sorted(members)}",
                 lambda: watch.update().quorate and watch.members == frozenset(members), deadline_s)

    def wait_one_quorate(self, deadline_s=QUORATE_S):
        """Wait until exactly one node is quorate."""
        wait_for("exactly one node quorate", lambda: len(self.quorate()) == 1, deadline_s)
        self.lab.note(f"quorate: {self.quorate()[0]}")

    def wait_all(self, deadline_s=QUORATE_S):
        """Wait until all nodes are one quorate membership with every device connected."""
        self.wait_quorate(list(self.nodes), deadline_s=deadline_s)
        if self.config.device:
            self.wait_connected(list(self.nodes), deadline_s)

    def wait_connected(self, ids, deadline_s=QUORATE_S):
        """Wait until the arbiter lists these nodes, each with a vote."""
        arbiter = self.lab.the_arbiter

        def listed():
            votes = arbiter.votes(self.config.name)
            return all(votes.get(i) for i in ids)
        wait_for(f"nodes {ids} at the arbiter", listed, deadline_s)

    def wait_listed(self, ids, deadline_s=QUORATE_S):
        """Wait until the arbiter lists exactly these nodes of the cluster."""
        wait_for(f"exactly nodes {ids} at the arbiter",
                 lambda: self.lab.the_arbiter.nodes_connected(self.config.name) == sorted(ids), deadline_s)

    def wait_votes(self, votes, deadline_s=QUORATE_S):
        """Wait until the arbiter shows these votes: {node id: "ACK" or "NACK"}."""
        arbiter = self.lab.the_arbiter

        def shown():
            current = arbiter.votes(self.config.name)
            return all(current.get(i) == vote for i, vote in votes.items())
        try:
            wait_for(f"votes {votes}", shown, deadline_s)
        except Failure as failure:
            raise Failure(f"{failure}; shown are {arbiter.votes(self.config.name)}") from None

    def hold(self, what, ids, duration_s):
        """Nodes `ids` must stay quorate, all the others not, for this long (the one place where time itself is the
        subject: something must not happen)."""
        start = now_ns()
        end = start + int(duration_s * 1e9)
        wanted = sorted(ids)
        while now_ns() < end:
            got = self.quorate()
            if got != wanted:
                raise Failure(f"{what}: quorate are {got}, not {wanted}, {(now_ns() - start) / 1e9:.1f} s later")
            poll_pause()

    @property
    def tolerance_ms(self):
        """How long settled beliefs may contradict each other. Without a device no arbiter holds the winners back, and Totem does
        not either: who is cut off keeps its old membership until it has missed the token for a token timeout and has waited for
        consensus, both counted from its last token, which it has had before the cut. The others can be done as soon as they have
        counted from theirs, up to a rotation of the token earlier, and that may take nearly a token timeout on a busy machine."""
        return TOLERANCE_MS + (0 if self.config.device else self.config.token_ms + self.config.consensus_ms)

    @property
    def disconnected_frozen_ms(self):
        """How long a packaged device that has no arbiter leaves its node frozen: up to half of
        quorum.device.timeout between two polls, up to 0.45 of it asleep before a new connection."""
        return self.config.timeout_ms * 0.95 + TOLERANCE_MS

    def relapses_ms(self, ids=None):
        """How long each relapse of votequorum lasted, on these nodes or any (see watch.py). In a node that wins in the
        end it may also be an ACK that came at once."""
        return [lasted for watch in self.watches() if ids is None or watch.node_id in ids
                for lasted in relapses_ms(watch, now_ns())]

    def check_quorate_since(self, ids, since_ns):
        """These nodes must have been quorate all the time since then."""
        until = now_ns()
        for i in ids:
            lost = (until - since_ns) / 1e6 - quorate_ms(self.nodes[i].watch.update(), since_ns, until)
            check(lost < 1, f"node {i} was not quorate for {lost:.0f} ms")

    def check_not_quorate_since(self, ids, since_ns):
        """These nodes must not have been quorate at any time since then."""
        for i in ids:
            had = quorate_ms(self.nodes[i].watch.update(), since_ns, now_ns())
            check(had < 1, f"node {i} was quorate for {had:.0f} ms")


class Lab:
    """See the module."""

    def __init__(self, scratch, certificates=None, device_flavour="packaged", watcher=None, core_flavour="ours",
                 witness=None):
        self.scratch = pathlib.Path(scratch)
        self.certificates = certificates
        self.device_flavour = device_flavour
        self.core_flavour = core_flavour
        self.watcher = watcher
        self.witness = witness
        self.hosts = []
        self.lines = []
        self.clusters = []
        self.the_arbiter = None
        self.flavour = "ours"
        self.timeline = Timeline()
        self.wires = Wires()
        self.devices = set()
        """Flavours of the devices that have been started."""
        self.safety_demanded = True
        self.frozen_allowed_ms = 0
        """How long a frozen belief (watch.py) may contradict the other side. Set by scenarios in which no arbiter can
        help it: the winner has a majority of its own, or the loser's device had lost the arbiter already and
        repeats its NACK for the new ring only when its timer fires (`Cluster.disconnected_frozen_ms`). Not asked where all
        nodes run our device."""

    def __enter__(self):
        self.scratch.mkdir(parents=True, exist_ok=True)
        if self.witness:
            with open(self.scratch / STALLS, "wb") as output:
                self.witness = subprocess.Popen([self.witness], stdin=subprocess.DEVNULL, stdout=output)
        return self

    def __exit__(self, *_):
        if self.witness:
            self.witness.kill()
            self.witness.wait()
        for line in self.lines:
            line.close()
        for host in self.hosts:
            host.close()

    def host(self, name, plugs):
        """A host on the given nets: {net: number}."""
        host = Host(name, self.scratch)
        for net, number in plugs.items():
            self.wires.plug(host, net, number)
        host.hosts_file.write_text(self._hosts_text(), encoding="ascii")
        self.hosts.append(host)
        return host

    def bad_line(self, net, name, delay_ms, seed=1):
        """Make the cable of this host to that net a bad line; `delay_ms` is one way. It loses nothing until told to."""
        line = BadLine(self.wires.loose_ends(net, name), delay_ms, seed)
        self.lines.append(line)
        self.note(f"{name}: {delay_ms:g} ms each way on its {net} cable")
        return line

    @staticmethod
    def _hosts_text():
        lines = ["127.0.0.1 localhost", "::1 localhost"]
        lines += [f"{Wires.address('lan', i)} n{i}" for i in range(1, 20)]
        lines += [f"{Wires.address('arb', ARBITER_NUMBER)} arbiter arbiter4",
                  f"{Wires.address('arb', ARBITER_NUMBER, 6)} arbiter arbiter6"]
        return "\n".join(lines) + "\n"

    def arbiter(self, flavour="ours", options=(), start=True, quiet=False):
        """The arbiter and its host; started unless `start=False`, without debug messages if `quiet`."""
        host = self.host("arbiter", {"arb": ARBITER_NUMBER})
        if self.certificates:
            certs.install_arbiter(host, self.certificates)
        self.the_arbiter = Arbiter(self, host, flavour, options)
        self.the_arbiter.quiet = quiet
        if start:
            self.the_arbiter.start()
        return self.the_arbiter

    def cluster(self, wait=True, start=True, **options):
        """A cluster with `ClusterConfig(**options)`, started; waits until all are quorate and at the arbiter."""
        cluster = Cluster(self, ClusterConfig(**options))
        self.clusters.append(cluster)
        if start:
            cluster.start()
        if wait and start:
            cluster.wait_all()
        return cluster

    def note(self, text):
        """Put something into the timeline."""
        self.timeline.add(now_ns(), text)

    def contradictions(self, **which):
        """All overlaps so far, of all clusters; `which` as in `watch.overlaps`."""
        end = now_ns()
        return [overlap for cluster in self.clusters for overlap in overlaps(cluster.watches(), end, **which)]

    def verdict(self):
        """The safety assertion. No two nodes of a cluster contradict each other for longer than its `tolerance_ms`, nor,
        where a scenario allows for frozen beliefs, longer than `frozen_allowed_ms`. A relapse of votequorum, which is not
        the arbiter's doing, must end when the device polls next. And the arbiter must be well."""
        if self.the_arbiter and self.the_arbiter.process:
            self.the_arbiter.check_health()
        for host in self.hosts:
            check_complaints(host)
        if not self.safety_demanded:
            return
        for cluster in self.clusters:
            self._verdict_of(cluster)

    def _verdict_of(self, cluster):
        def demand(allowed, what, **which):
            for overlap in overlaps(cluster.watches(), now_ns(), **which):
                check(overlap.ms <= allowed, f"{what}: {overlap} ({allowed:.0f} ms allowed)")
        settled = cluster.tolerance_ms
        frozen = settled if self.devices == {"ours"} else max(settled, self.frozen_allowed_ms)
        demand(settled, "unsafe", frozen=False, relapses=False)
        demand(frozen, "unsafe", relapses=False)
        demand(max(frozen, cluster.config.timeout_ms / 2 + TOLERANCE_MS), "a relapse of votequorum took too long")

    def worst_ms(self, frozen=True):
        """Longest contradiction; without `frozen` of settled beliefs only."""
        return max((overlap.ms for overlap in self.contradictions(frozen=frozen, relapses=False)), default=0.0)

    def measured(self):
        """Longest contradiction and relapses, in words."""
        relapses = [f"{lasted:.0f}" for cluster in self.clusters for lasted in cluster.relapses_ms()]
        return (f"longest contradiction {self.worst_ms():.0f} ms, of settled beliefs {self.worst_ms(False):.0f} ms; "
                f"relapses of votequorum: {', '.join(relapses) or 'none'}")

    def story(self):
        """The timeline with the nodes' beliefs, as text, and when nothing could happen (stall-witness.c)."""
        for stall in stalls.read(self.scratch / STALLS):
            self.timeline.add(stall.end_ns, str(stall))
        return self.timeline.text(self.clusters)
