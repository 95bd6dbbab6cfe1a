# SPDX-License-Identifier: BSD-3-Clause
"""Certificates made in a scenario, from hosts that have none, as an administrator or a front end does it.

    hands = Hands(lab)                             an arbiter and two nodes without certificates, nothing started
    hands.packaged_flow("ours", "packaged")        whose tool on the arbiter, whose on the nodes
    hands.start()                                  until the cluster is quorate and every node is at the arbiter

Files are carried between hosts by the test: there is no network between the tools.
"""

import re
import shutil

from . import runner
from .cluster import program
from .wait import Failure, check

ARBITER_DB = "/etc/corosync/qnetd/nssdb"
NODE_DB = "/etc/corosync/qdevice/net/nssdb"
NODE_PEM = "/etc/corosync/qdevice/net/pem"
ARBITER_PEM = "/etc/corosync/qnetd/pem"
AS_PCS = {"LC_ALL": "C"}
"""The environment in which pcs runs everything."""


class Hands:
    """See the module."""

    def __init__(self, lab, arbiter="ours", device="ours", **config):
        self.lab = lab
        lab.certificates = None
        lab.device_flavour = device
        self.arbiter = lab.arbiter(arbiter, start=False)
        self.cluster = lab.cluster(start=False, **config)
        self.name = self.cluster.config.name
        self.nodes = [node.host for node in self.cluster.nodes.values()]
        self.arbiter.host.path("etc", "qnetd").mkdir(exist_ok=True)
        for node in self.nodes:
            node.path("etc", "qdevice", "net").mkdir(parents=True, exist_ok=True)

    def start(self):
        """Everything; returns when all nodes are quorate, connected, and have a vote."""
        self.arbiter.start()
        self.cluster.start()
        self.cluster.wait_all()

    def qnetd(self, flavour, *options, status=0):
        """Run corosync-qnetd-certutil on the arbiter; returns the `Result`."""
        return run(self.arbiter.host, program("corosync-qnetd-certutil", flavour), *options, status=status)

    @staticmethod
    def device(host, flavour, *options, status=0):
        """Run corosync-qdevice-net-certutil on a node; returns the `Result`."""
        return run(host, program("corosync-qdevice-net-certutil", flavour), *options, status=status)

    def device_at(self, host, shift_s, *options, status=0):
        """Our corosync-qdevice-net-certutil where the node's clock is wrong by so many seconds; returns the `Result`."""
        library = runner.clock_shift_path(self.lab.scratch.parent)
        # A build with sanitizers wants nothing loaded before them, unless told that it may be.
        return run(host, "/usr/bin/env", f"LD_PRELOAD={library}", f"CLOCK_SHIFT_S={shift_s}", "ASAN_OPTIONS=verify_asan_link_order=0",
                   program("corosync-qdevice-net-certutil", "ours"), *options, status=status)

    @staticmethod
    def carry(source, path, target, to):
        """Copy a file (absolute paths under /etc/corosync) from host to host."""
        shutil.copy(seen_from_outside(source, path), seen_from_outside(target, to))

    def packaged_flow(self, arbiter_tool, node_tool, *options):
        """The five steps of certificates.md section 1. `options`: of all calls, such as --pem."""
        first, ca, answer = self.nodes[0], "/etc/corosync/ca.crt", "/etc/corosync/answer"
        made = self.qnetd(arbiter_tool, "-i", *options)
        exported = re.search(r"^QNetd CA certificate is exported as (/.+)$", made.out, re.M)
        check(exported, f"where the authority is: {made}")
        for node in self.nodes:
            self.carry(self.arbiter.host, exported[1], node, ca)
            self.device(node, node_tool, "-i", "-c", ca, *options)
        request = stored(self.device(first, node_tool, "-r", "-n", self.name, *options))
        self.carry(first, request, self.arbiter.host, answer)
        signed = stored(self.qnetd(arbiter_tool, "-s", "-c", answer, "-n", self.name, *options))
        self.carry(self.arbiter.host, signed, first, answer)
        packed = stored(self.device(first, node_tool, "-M", "-c", answer, *options))
        for node in self.nodes[1:]:
            self.carry(first, packed, node, answer)
            self.device(node, node_tool, "-m", "-c", answer, *options)

    def nicknames(self, host, database):
        """{nickname: trust} as certutil lists them."""
        text = run(host, "/usr/bin/certutil", "-L", "-d", database).out
        return dict(re.findall(r"^(\S.*?) +([A-Za-z]*,[A-Za-z]*,[A-Za-z]*)\s*$", text, re.M))

    def keys(self, host, database):
        """How many private keys there are."""
        return len(re.findall(r"^<", run(host, "/usr/bin/certutil", "-K", "-d", database, "-f", f"{database}/pwdfile.txt").out, re.M))


def run(host, *argv, status=0):
    """As pcs runs programs; the exit status must be this one (None: any)."""
    result = host.run(argv, env=AS_PCS)
    if status is not None and result.status != status:
        raise Failure(f"{' '.join(map(str, argv))} on {host.name}: status {result.status}, not {status}: {result}")
    return result


def stored(result):
    """The path that pcs takes from the output: of the last line that says so."""
    paths = re.findall(r"^Certificate(?: request)? stored in (.+)$", result.out, re.M)
    check(paths and paths[-1].startswith("/"), f"a path in {result}")
    return paths[-1]


def seen_from_outside(host, path):
    """The file of a host, for this process."""
    check(path.startswith("/etc/corosync/"), f"{path} is not in a host's own directory")
    return host.path("etc", path[len("/etc/corosync/"):])
