# SPDX-License-Identifier: BSD-3-Clause
"""Debian's Pacemaker, unmodified, on three nodes of our core: it elects, runs a service with its address, moves it away from a
node that dies, and stops it where there is no quorum."""

import re

from lab.wait import wait_for

from . import register

ADDRESS = "10.29.199.77"
ONLINE_S = 90  # it waits 20 s for others before it elects
MOVE_S = 60
DIRECTORIES = ("/var/lib/pacemaker/cib", "/var/lib/pacemaker/pengine", "/var/lib/pacemaker/blackbox",
               "/var/lib/pacemaker/cores", "/run/crm", "/var/log/pacemaker")
RESOURCES = f"""
<group id="service">
  <primitive id="address" class="ocf" provider="heartbeat" type="IPaddr2">
    <instance_attributes id="address-attributes">
      <nvpair id="address-ip" name="ip" value="{ADDRESS}"/>
      <nvpair id="address-mask" name="cidr_netmask" value="32"/>
      <nvpair id="address-nic" name="nic" value="lo"/>
    </instance_attributes>
  </primitive>
  <primitive id="dummy" class="ocf" provider="pacemaker" type="Dummy"/>
</group>"""


def _start(node):
    """Pacemaker on a node whose core runs; its directories are those that the package would have made."""
    for directory in DIRECTORIES:
        node.host.run(["/usr/bin/install", "-d", "-m", "770", "-o", "hacluster", "-g", "haclient", directory], ok=True)
    return node.host.start(["/usr/sbin/pacemakerd"], log="pacemakerd")


def _online(node):
    """The names of the nodes that this one takes for online, and whether somebody was elected."""
    out = node.host.run(["/usr/sbin/crm_mon", "-1", "-n"]).out
    names = re.findall(r"Node (n\d): online", out)
    return sorted(names), bool(re.search(r"Current DC: n\d", out))


def _holders(nodes):
    """The nodes whose host has the address."""
    return [i for i, node in nodes.items() if f" {ADDRESS}/" in node.host.run(["/usr/sbin/ip", "-o", "address"]).out]


def _runs_dummy(node):
    return node.host.run(["/usr/sbin/crm_resource", "-r", "dummy", "-W"]).out


def _wait_running(nodes, among):
    """The one node of these that runs the service now."""
    def found():
        holders = _holders(nodes)
        if len(holders) != 1 or holders[0] not in among:
            return None
        name = nodes[holders[0]].host.name
        return holders[0] if f"running on: {name}" in _runs_dummy(nodes[holders[0]]) else None
    return wait_for(f"the service on one of {among}", found, MOVE_S)


def _pacemaker(lab):
    cluster = lab.cluster(nodes=3, device=False, cores={i: "ours" for i in (1, 2, 3)}, transport="knet",
                          totem={"crypto_cipher": "none", "crypto_hash": "none"})
    nodes = cluster.nodes
    daemons = {i: _start(node) for i, node in nodes.items()}
    everybody = ["n1", "n2", "n3"]
    wait_for("all nodes online with one elected", lambda: all(_online(node) == (everybody, True) for node in nodes.values()),
             ONLINE_S)
    lab.note("Pacemaker has elected")

    first = nodes[1].host
    first.run(["/usr/sbin/crm_attribute", "-n", "stonith-enabled", "-v", "false"], ok=True)
    first.run(["/usr/sbin/crm_attribute", "-n", "no-quorum-policy", "-v", "stop"], ok=True)
    first.run(["/usr/sbin/cibadmin", "-C", "-o", "resources", "-X", RESOURCES], ok=True)
    holder = _wait_running(nodes, [1, 2, 3])
    lab.note(f"the service runs on node {holder}")

    # A host that loses its network: the others have the quorum and take over, it has none and stops what it ran.
    rest = [i for i in nodes if i != holder]
    cluster.cut([holder], rest)
    cluster.wait_quorate(rest, not_quorate=[holder])
    wait_for("the half without quorum to stop the service", lambda: holder not in _holders(nodes), MOVE_S)
    second = _wait_running(nodes, rest)
    lab.note(f"it has moved to node {second}")
    cluster.heal()
    cluster.wait_quorate(list(nodes))
    wait_for("all nodes online again", lambda: all(_online(node) == (everybody, True) for node in nodes.values()), ONLINE_S)

    # A node that dies: its core and Pacemaker on it are killed, and nothing of it is heard any more.
    second = _wait_running(nodes, list(nodes))
    rest = [i for i in nodes if i != second]
    nodes[second].kill_corosync()
    cluster.cut([second], rest)
    daemons[second].kill()
    cluster.wait_quorate(rest, not_quorate=[second])
    third = _wait_running({i: nodes[i] for i in rest}, rest)
    lab.note(f"it has moved to node {third}")
    for i in rest:
        daemons[i].stop(MOVE_S)
    wait_for("the service to be stopped with Pacemaker", lambda: not _holders({i: nodes[i] for i in rest}), MOVE_S)


register("core_pacemaker", "Pacemaker elects, runs a service, moves it from a dead node, stops it without quorum",
         _pacemaker, no_device=True)
