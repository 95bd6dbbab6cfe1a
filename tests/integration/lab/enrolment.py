# SPDX-License-Identifier: BSD-3-Clause
"""Enrolment as an administrator does it, and as others would like to.

    door = Door(lab)                        an arbiter with certificates, running, and nodes without any
    code = door.invite()[0]                 corosync-qnetd-certutil --invite
    door.join(host, code)                   corosync-qdevice-net-certutil --join on that host
    door.refused(host, code, "expired")     the same, and it must fail with these words, on the node and in the arbiter's log
    door.start_cluster()                    cores and devices, until all have votes
"""

import re

from .certs_by_hand import NODE_DB, Hands, run
from .wait import check, check_equal, wait_for

CODE = re.compile(r"^Q[0-9A-Z]{4}(-[0-9A-Z]{5}){5}$", re.M)


class Door:
    """See the module."""

    def __init__(self, lab, device="ours", options=(), start=True, **config):
        self.lab = lab
        self.hands = Hands(lab, device=device, **config)
        self.arbiter = self.hands.arbiter
        self.nodes = self.hands.nodes
        self.name = self.hands.name
        self.hands.qnetd("ours", "-i", *options)
        if start:
            self.arbiter.start()

    def invite(self, cluster=None, nodes=(), expires=None):
        """The codes, one per node named, else one."""
        result = self.hands.qnetd("ours", "--invite", cluster or self.name, *[word for node in nodes for word in ("--node", node)],
                                  *(["--expires", expires] if expires else []))
        codes = [match[0] for match in CODE.finditer(result.out)]
        check_equal(len(codes), max(1, len(nodes)), f"number of codes in {result}")
        check_equal(result.out.split(), codes, "nothing but codes on standard output")
        return codes

    def try_join(self, host, code, *options, where=None):
        """Run --join; returns the `Result`."""
        return self.hands.device(host, "ours", "--join", code, "--host", where or self.arbiter.address, *options, status=None)

    def join(self, host, code, *options, where=None):
        """Run --join, which must succeed."""
        result = self.try_join(host, code, *options, where=where)
        check_equal(result.status, 0, f"status of --join on {host.name}: {result}")
        return result

    def refused(self, host, code, words, *options, logged=None, where=None):
        """Run --join, which must fail with these words; `logged` must then be in the arbiter's log (default: the words)."""
        before = len(self.arbiter.log)
        result = self.try_join(host, code, *options, where=where)
        check(result.status != 0 and words in result.err, f"--join on {host.name} says {words!r}: {result}")
        if logged != "":
            wait_for(f"{logged or words!r} in the arbiter's log", lambda: (logged or words) in self.arbiter.log[before:], 5)
        return result

    def fingerprint(self, host):
        """Of the node's public key."""
        text = run(host, "/usr/bin/certutil", "-L", "-d", NODE_DB, "-n", "Cluster Cert").out
        found = re.search(r"Fingerprint \(SHA-256\):\s+(\S+)", text)
        check(found, f"a certificate on {host.name}: {text}")
        return found[1]

    def start_cluster(self):
        """Cores and devices on all nodes; returns when all are quorate with votes."""
        cluster = self.hands.cluster
        cluster.start()
        cluster.wait_all()
