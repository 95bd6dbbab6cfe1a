# SPDX-License-Identifier: BSD-3-Clause
"""An arbiter under attack, and what must be true of it all the while.

    siege = Siege(lab)                       starts our arbiter and warms it up
    with siege.probe("alpha") as probe: ...  a peer with the certificate of that name
    siege.served("with 3000 silent peers")   a good client gets INIT_REPLY and an echo within a second
    siege.unharmed()                         served, nothing left open, not grown, idle, alive; at the end also: a clean exit

Good clients come from an address of their own.

A second is meant on a machine that has time for us. On one that has not, ten times what a good client needed before the
attack is allowed.
"""

import contextlib
import os
import ssl
import time

from . import qnet
from .wait import Failure, check, wait_for

SERVED_S = 1.0
GROWTH_KIB = 2048
"""What the allocator may keep; every attack leaves less than this behind, however long it is."""
SETTLED_S = 40
TIDIED_S = 5.5
"""The arbiter gives freed memory back every 5 s."""
IDLE_SHARE = 0.05
ATTACKER_NUMBER = 250
GOOD_NUMBER = 251


def sanitized():
    """Whether our programs are built with sanitizers: memory is theirs then, and everything takes longer."""
    return bool(os.environ.get("Q_SANITIZED"))


class Siege:
    """See the module."""

    def __init__(self, lab, *options, growth_kib=GROWTH_KIB):
        self.lab = lab
        self.growth_kib = growth_kib
        self.arbiter = lab.arbiter("ours", options or ["-s", "req"], quiet=True)
        self.address = self.arbiter.address
        lab.wires.attach("arb", ATTACKER_NUMBER)
        lab.wires.attach("arb", GOOD_NUMBER)
        self.contexts = {}
        self.warm_s = 0.0
        self.files = self.rss_kib = 0
        self._next_node = 1000
        times = [self._serve() for _ in range(5)]
        self.warm_s = max(times)
        self.settle()

    # ---- peers ----

    def context(self, who, version=None):
        """TLS context of the probe `who` (certs.PROBES, "" for none); `version` fixes the TLS version."""
        key = (who, version)
        if key not in self.contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.load_verify_locations(self.lab.certificates / "qnetd-pem" / "ca.pem")
            if who:
                context.load_cert_chain(self.lab.certificates / "probe" / f"{who}.pem")
            if version is not None:
                context.minimum_version = context.maximum_version = version
            self.contexts[key] = context
        return self.contexts[key]

    def probe(self, who=None, version=None):
        """A new connection; `who` names its certificate, None is a peer without TLS."""
        return qnet.Probe(self.address, None if who is None else self.context(who, version))

    def member(self, node_id, cluster="alpha", **options):
        """A peer that has joined with the certificate of its cluster."""
        return self.probe(cluster).join(cluster, node_id, **options)

    @contextlib.contextmanager
    def crowd(self, count, begin):
        """`count` connections on which `begin(probe)` was called; closed in the end."""
        peers = []
        try:
            for _ in range(count):
                peers.append(self.probe())
                begin(peers[-1])
            yield peers
        finally:
            for peer in peers:
                peer.close()

    # ---- what must be true ----

    def rounds(self, attack, count=3):
        """The same attack several times. What the first one leaves behind (buffers that are kept, nodes that may still
        hold a vote) it may, the others must not add to it."""
        attack()
        if not sanitized():
            time.sleep(TIDIED_S)
        self.settle()
        for _ in range(count - 1):
            attack()

    def _serve(self):
        """Be a good client once; returns the seconds it took."""
        start = time.monotonic()
        self._next_node += 1
        source = self.lab.wires.address("arb", GOOD_NUMBER)
        with qnet.Probe(self.address, self.context("beta"), source) as probe:
            probe.join("beta", self._next_node, heartbeat_ms=1000).echo()
            return time.monotonic() - start

    def served(self, when):
        """A good client is served in time."""
        limit_s = max(SERVED_S, 10 * self.warm_s)
        took_s = self._serve()
        check(took_s <= limit_s, f"{when}: a good client waited {took_s:.2f} s for its echo ({limit_s:.2f} s allowed)")

    def alive(self):
        check(self.arbiter.process.running, f"the arbiter has ended: {self.arbiter.log[-2000:]}")

    def open_files(self):
        return len(os.listdir(f"/proc/{self.arbiter.process.pid}/fd"))

    def grown_kib(self):
        return self.arbiter.process.rss_kib() - self.rss_kib

    def settle(self):
        """What it is like from here on is what it must be like after the attack; call it once everything an attack
        needs once, and the arbiter keeps, was there."""
        self.idle()
        self.files = self.open_files()
        self.rss_kib = self.arbiter.process.rss_kib()

    def idle(self):
        """A second in which nobody says anything costs next to nothing, whoever is connected."""
        process = self.arbiter.process

        def calm():
            start, before = time.monotonic(), process.threads_in_user_s()
            time.sleep(1)
            return process.threads_in_user_s() - before <= IDLE_SHARE * (time.monotonic() - start)
        wait_for("an idle arbiter", calm, SETTLED_S)

    def unharmed(self, last=True):
        """All the demands after an attack whose connections have been closed."""
        self.alive()
        self.served("right after the attack")
        try:
            wait_for("descriptors to be given back", lambda: self.open_files() <= self.files, SETTLED_S)
        except Failure as failure:
            raise Failure(f"{failure}: {self.open_files()} open, {self.files} before") from None
        self.idle()
        try:
            wait_for("memory to be given back", lambda: sanitized() or self.grown_kib() <= self.growth_kib, SETTLED_S)
        except Failure as failure:
            raise Failure(f"{failure}: grew by {self.grown_kib()} KiB ({self.growth_kib} allowed)") from None
        self.alive()
        if last:
            self.arbiter.stop()
            self.arbiter.check_health()
