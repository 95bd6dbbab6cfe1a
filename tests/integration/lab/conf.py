# SPDX-License-Identifier: BSD-3-Clause
"""corosync.conf of a cluster under test."""

import dataclasses

from .net import Wires


@dataclasses.dataclass
class ClusterConfig:  # pylint: disable=too-many-instance-attributes
    """What a scenario may vary. Times in milliseconds. The device's heartbeat interval H is 0.8 x `timeout_ms`; 0 leaves
    both timeouts to the programs' defaults."""

    nodes: int = 2
    algorithm: str = "ffsplit"
    tie_breaker: str = "lowest"
    name: str = "alpha"
    transport: str = "knet"
    tls: str = "on"
    host: str = ""
    timeout_ms: int = 1250
    sync_timeout_ms: int = 12000
    token_ms: int = 1000
    wait_for_all: bool = False
    keep_active_partition: bool = True
    heuristics: dict = dataclasses.field(default_factory=dict)
    """Options of the heuristics section, e.g. {"mode": "on", "interval": 1000, "exec_a": "/bin/true"}."""
    totem: dict = dataclasses.field(default_factory=dict)
    """More options of the totem section."""
    net: dict = dataclasses.field(default_factory=dict)
    """More options of the device's net section."""
    device: bool = True
    """False: no quorum device, and no arbiter."""
    real_time: bool = False
    """Without a device: cores at real-time priority, as is their default. Clients that flood a ring make them starve all
    scenarios that run beside."""
    quorum: dict = dataclasses.field(default_factory=dict)
    """More options of the quorum section."""
    votes: dict = dataclasses.field(default_factory=dict)
    """{node id: its votes}, where they are written down."""
    cores: dict = dataclasses.field(default_factory=dict)
    """{node id: "ours" or "packaged"}, where it is not the lab's."""
    links: int = 1
    """2: the nodes also reach each other over the arbiter's net (knet only)."""
    family: int = 4
    first_host: int = 0
    """Added to a node id it gives the number of the node's host: lets two clusters share a lab."""

    @property
    def heartbeat_ms(self):
        """H."""
        return max(1000, self.timeout_ms * 8 // 10)

    @property
    def consensus_ms(self):
        """How long a node waits for others to agree on the members of a ring."""
        return self.totem.get("consensus", self.token_ms * 6 // 5)

    @property
    def device_votes(self):
        """One vote for ffsplit, as many as all other nodes together for the last-man-standing algorithms."""
        return 1 if self.algorithm in ("ffsplit", "test") else self.nodes - 1

    @property
    def node_ids(self):
        return list(range(1, self.nodes + 1))

    def host_number(self, node_id):
        return self.first_host + node_id

    def text(self, arbiter_address):
        """The file; the same on every node."""
        net = {"host": self.host or arbiter_address, "algorithm": self.algorithm, "tie_breaker": self.tie_breaker,
               "tls": self.tls, "keep_active_partition_tie_breaker": "on" if self.keep_active_partition else "off",
               **self.net}
        device = {"model": "net", "votes": self.device_votes}
        if self.timeout_ms:
            device.update({"timeout": self.timeout_ms, "sync_timeout": self.sync_timeout_ms})
        device["net"] = net
        if self.heuristics:
            device["heuristics"] = self.heuristics
        quorum = {"provider": "corosync_votequorum", **self.quorum}
        if self.device:
            quorum["device"] = device
        if self.wait_for_all:
            quorum["wait_for_all"] = 1
        nodes = [("node", {**{f"ring{link}_addr": Wires.address(net, self.host_number(i), self.family)
                              for link, net in list(enumerate(Wires.NETS))[:self.links]},
                           "nodeid": i, "name": f"n{i}", **({"quorum_votes": self.votes[i]} if i in self.votes else {})})
                 for i in self.node_ids]
        totem = {"version": 2, "cluster_name": self.name, "transport": self.transport, "token": self.token_ms,
                 "token_coefficient": 0, **self.totem}
        logging = {"to_stderr": "yes", "to_syslog": "no", "to_logfile": "no"}
        sections = [("totem", totem), ("nodelist", nodes), ("quorum", quorum), ("logging", logging)]
        if not self.device and not self.real_time:
            sections.append(("system", {"sched_rr": "no", "priority": -10}))
        lines = []
        for name, content in sections:
            _section(lines, name, content, "")
        return "\n".join(lines) + "\n"


def _section(lines, name, content, indent):
    lines.append(f"{indent}{name} {{")
    for key, value in content.items() if isinstance(content, dict) else content:
        if isinstance(value, dict):
            _section(lines, key, value, indent + "    ")
        else:
            lines.append(f"{indent}    {key}: {value}")
    lines.append(f"{indent}}}")
