#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""peek.py ADDRESS PORT CLUSTER: print the SHA-256 fingerprint of the certificate an arbiter shows a new connection."""

import hashlib
import socket
import ssl
import struct
import sys

_PREINIT, _STARTTLS = 0, 2
_OPTION_SEQ, _OPTION_CLUSTER_NAME = 0, 1


def _message(kind, *options):
    body = b"".join(struct.pack(">HH", option, len(value)) + value for option, value in options)
    return struct.pack(">HI", kind, len(body)) + body


def main():
    address, port, cluster = sys.argv[1:4]
    with socket.create_connection((address, int(port)), timeout=5) as plain:
        plain.sendall(_message(_PREINIT, (_OPTION_SEQ, struct.pack(">I", 1)), (_OPTION_CLUSTER_NAME, cluster.encode())))
        header = plain.recv(6, socket.MSG_WAITALL)
        plain.recv(struct.unpack(">HI", header)[1], socket.MSG_WAITALL)
        plain.sendall(_message(_STARTTLS, (_OPTION_SEQ, struct.pack(">I", 2))))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(plain, server_hostname=None) as secure:
            print(hashlib.sha256(secure.getpeercert(binary_form=True)).hexdigest())


if __name__ == "__main__":
    main()
