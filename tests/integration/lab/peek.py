#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""peek.py ADDRESS CLUSTER: print the SHA-256 fingerprint of the certificate an arbiter shows a new connection. Runs on a host of the lab."""

import hashlib
import pathlib
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True

from lab import qnet  # noqa: E402  pylint: disable=wrong-import-position


def main():
    address, cluster = sys.argv[1:3]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with qnet.Probe(address, context) as probe:
        probe.secure(cluster)
        print(hashlib.sha256(probe.tls.getpeercert(binary_form=True)).hexdigest())


if __name__ == "__main__":
    main()
