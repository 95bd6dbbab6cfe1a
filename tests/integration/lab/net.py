# SPDX-License-Identifier: BSD-3-Clause
"""The wires: bridges in the sandbox's own network namespace, a virtual cable from each host to each net it is on.

Two nets: "lan" joins the nodes, "arb" joins every node with the arbiter's host. A cable is plugged into a bridge of its
net; hosts plugged into different bridges do not hear each other. So a cut is silent (packets vanish, no error, no
carrier loss), takes effect at once, and paths are cut independently:

    wires.split("lan", [["n1"], ["n2"]])     n1 and n2 no longer hear each other
    wires.unplug("arb", "n1")                n1 no longer reaches the arbiter, nor it n1
    wires.refuse("n1", addresses)            n1 gets "no route to host" at once instead of silence
    wires.heal("lan")                        one net again
    wires.loose_ends("arb", "n1")            cuts a cable in two, for something that carries frames between (bad_line.py)

Addresses: lan 10.1.0.<number> / fd01::<number>, arb 10.2.0.<number> / fd02::<number>.
"""

import subprocess

from .wait import Failure


def _ip(*lines):
    done = subprocess.run(["/usr/sbin/ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise Failure(f"ip: {done.stderr.strip()} in {lines}")


class Wires:
    """All nets of one lab."""

    NETS = {"lan": 1, "arb": 2}

    def __init__(self):
        self.bridges = {net: [] for net in self.NETS}
        self.plugs = {net: {} for net in self.NETS}
        self.hosts = {}
        self.cut_cables = []
        _ip("link set lo up")

    def _bridge(self, net, index):
        """Name of the index-th bridge of a net, made when first needed."""
        while len(self.bridges[net]) <= index:
            name = f"qr-{net}{len(self.bridges[net])}"
            _ip(f"link add {name} type bridge forward_delay 0 stp_state 0 mcast_snooping 0", f"link set {name} up")
            self.bridges[net].append(name)
        return self.bridges[net][index]

    @classmethod
    def address(cls, net, number, family=4):
        """Address of host `number` on `net`."""
        if family == 4:
            return f"10.{cls.NETS[net]}.0.{number}"
        return f"fd0{cls.NETS[net]}::{number:x}"

    def plug(self, host, net, number):
        """Lay a cable: the host gets an interface named after the net, with its IPv4 and IPv6 address."""
        port = f"qr-{host.name}-{net}"
        _ip(f"link add {port} type veth peer name {net} netns {host.pid}",
            f"link set {port} master {self._bridge(net, 0)} up")
        host.run(["/usr/sbin/ip", "-batch", "-"], stdin="\n".join([
            "link set lo up",
            f"addr add {self.address(net, number)}/24 dev {net}",
            f"addr add {self.address(net, number, 6)}/64 dev {net} nodad",
            f"link set {net} up"]) + "\n", ok=True)
        self.plugs[net][host.name] = port
        self.hosts[host.name] = host

    def attach(self, net, number):
        """Put the sandbox itself on a net, as host `number`: peers that are no cluster nodes live there."""
        _ip(f"addr add {self.address(net, number)}/24 dev {self._bridge(net, 0)}")

    def split(self, net, groups):
        """Hosts named in the same group hear each other, nobody else does. Hosts not named stay where they are."""
        lines = []
        for index, group in enumerate(groups):
            bridge = self._bridge(net, index)
            lines += [f"link set {self.plugs[net][name]} master {bridge}" for name in group]
        _ip(*lines)

    def unplug(self, net, *names):
        """Silence: nothing reaches these hosts over this net, nothing they send arrives."""
        _ip(*[f"link set {self.plugs[net][name]} nomaster" for name in names])

    def heal(self, net, *names):
        """Plug the named hosts (default: all) into the first bridge of the net again."""
        bridge = self._bridge(net, 0)
        _ip(*[f"link set {self.plugs[net][name]} master {bridge}" for name in (names or self.plugs[net])])

    def loose_ends(self, net, name):
        """Cut a host's cable in two. Returns both ends, (host's, net's), between which nothing passes by itself; from
        now on the net's part is what `split`, `unplug` and `heal` move. No bundles of segments come out of either."""
        near = self.plugs[net][name]
        plug, far = f"qr-{len(self.cut_cables)}-plug", f"qr-{len(self.cut_cables)}-end"
        self.cut_cables.append(near)
        _ip(f"link set {near} nomaster",
            f"link add {plug} type veth peer name {far}",
            f"link set {plug} gso_max_segs 1 master {self._bridge(net, 0)} up",
            f"link set {far} up")
        self.hosts[name].run(["/usr/sbin/ip", "link", "set", net, "gso_max_segs", "1"], ok=True)
        self.plugs[net][name] = plug
        return near, far

    def refuse(self, name, addresses):
        """This host cannot reach the addresses and is told so at once (no route to host)."""
        self._routes(name, addresses, "replace")

    def accept(self, name, addresses):
        """Undo `refuse`."""
        self._routes(name, addresses, "del")

    def _routes(self, name, addresses, verb):
        lines = []
        for address in addresses:
            family = "-6" if ":" in address else "-4"
            lines.append((family, f"route {verb} unreachable {address}"))
        for family, line in lines:
            self.hosts[name].run(["/usr/sbin/ip", family, *line.split()], ok=True)
