# SPDX-License-Identifier: BSD-3-Clause
"""--check: a healthy node and arbiter have no problem, and each thing that is broken is found, with its remedy."""

import json
import shutil

from lab.certs_by_hand import ARBITER_DB, NODE_DB, Hands, run, seen_from_outside
from lab.wait import check, check_equal, wait_for

from . import scenario

HOUR_S = 3600


def _problems(result):
    """{what was looked at: sentence}, of a --check with --format=json."""
    return {one["what"]: one["text"] for one in json.loads(result.out) if one["level"] == "problem"}


@scenario(ours_only=True)
def certs_check(lab):
    """On a cluster with votes nothing is found, the device is not disturbed, and the clients at the arbiter stay the same. Then: the
    node's clock is wrong, harmlessly and not, loose permissions, wrong cluster, wrong port, no arbiter, a packaged arbiter, a revoked certificate, another arbiter's authority,
    nothing there at all."""
    hands = Hands(lab)
    hands.packaged_flow("ours", "ours")
    hands.start()
    node, arbiter = hands.nodes[0], hands.arbiter.host
    before = hands.arbiter.client_addresses(hands.name)

    def node_check(*options, status=1):
        return _problems(hands.device(node, "ours", "--check", "--format=json", *options, status=status))

    check_equal(node_check(status=0), {}, "problems of a healthy node")
    check_equal(_problems(hands.qnetd("ours", "--check", "--format=json")), {}, "problems of a healthy arbiter")
    check("shows the certificate above" in hands.qnetd("ours", "--check").out, "the daemon's certificate")
    text = hands.device(node, "ours", "--check").out
    check("speaks TLSv1.3" in text and "says that it accepts" in text and "away from the arbiter's" in text, text)

    text = hands.device_at(node, 3 * HOUR_S, "--check").out
    check("warning  clock          this node's clock is 3 hours ahead of the arbiter's: a certificate made now may not be valid yet" in text
          and "best by NTP on both hosts" in text, f"a clock that is wrong: {text}")
    found = json.loads(hands.device_at(node, -48 * HOUR_S, "--check", "--format=json", status=1).out)
    clock = [one["text"] for one in found if one["what"] == "clock" and one["level"] == "problem"]
    check(any("2 days behind the arbiter's, and /CN=" in one and "is valid by the clock of the arbiter only. Set the clock that is wrong"
              in one for one in clock), f"a clock by which no certificate is valid: {found}")

    key = seen_from_outside(node, f"{NODE_DB}/key4.db")
    key.chmod(0o644)
    check("chmod o=" in node_check()["permissions"], "the remedy for loose permissions")
    key.chmod(0o640)
    found = node_check("-n", "another")
    check("field subject" in found["name"] and 'is in cluster "another"' in found["acceptance"], f"another cluster's certificate: {found}")
    check("Connection refused" in node_check("--port", "5999")["address"], "a port that nobody listens on")
    check("has no address" in node_check("--host", "no-such-host.invalid")["address"], "a name without address")
    check_equal(hands.arbiter.client_addresses(hands.name), before, "the cluster's connections")
    hands.cluster.wait_quorate([1, 2])

    # The daemon has other certificates than the ones that are checked.
    hands.qnetd("ours", "-i", "--pem")
    found = _problems(hands.qnetd("ours", "--check", "--pem", "--format=json", status=1))
    check("does not show a certificate of this authority" in found["daemon"], f"another authority's daemon: {found}")

    # A packaged arbiter cannot be asked; ours knows what is revoked.
    hands.arbiter.stop()
    hands.arbiter.start(flavour="packaged")
    text = hands.device(node, "ours", "--check").out
    check("does not object" in text and "date -u" in text, text)
    hands.arbiter.stop()
    hands.arbiter.start(flavour="ours")
    hands.qnetd("ours", "--revoke", hands.name)
    wait_for("the revocation to be known", lambda: "is revoked" in node_check().get("acceptance", ""), 5)
    # A list copied back by root, as it comes from a backup.
    seen_from_outside(arbiter, f"{ARBITER_DB}/revoked").chmod(0o600)
    found = _problems(hands.qnetd("ours", "--check", "--format=json", status=1))
    check("/revoked cannot be read" in found["daemon"], f"a list that only root can read: {found}")

    # The arbiter's certificates are made anew.
    hands.arbiter.stop()
    shutil.rmtree(seen_from_outside(arbiter, ARBITER_DB))
    hands.qnetd("ours", "-i")
    hands.arbiter.start()
    check("new authority" in node_check()["TLS"], "another authority at the arbiter")
    seen_from_outside(arbiter, f"{ARBITER_DB}/key4.db").chmod(0o600)
    found = _problems(hands.qnetd("ours", "--check", "--format=json", status=1))
    check("chgrp" in found["daemon"], f"what the daemon cannot read: {found}")
    run(node, "/bin/rm", "-rf", NODE_DB)
    check("-i" in node_check()["files"], "a node without certificates")
