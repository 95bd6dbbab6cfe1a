#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""name_server.py FILE: a name server on 127.0.0.1 that says about every name what FILE says at that moment: an IPv4 address,
"unknown" (there is no such name), or "silent" (no answer at all). Prints a line for each question."""

import pathlib
import socket
import struct
import sys

_TYPE_A, _CLASS_IN, _TTL_S = 1, 1, 0
_ANSWER, _NO_SUCH_NAME = 0x8180, 0x8183


def _question(datagram):
    """(the question's bytes, its type)."""
    end = 12
    while datagram[end]:
        end += 1 + datagram[end]
    return datagram[12:end + 5], struct.unpack_from(">H", datagram, end + 1)[0]


def _reply(datagram, says):
    question, kind = _question(datagram)
    flags = _NO_SUCH_NAME if says == "unknown" else _ANSWER
    answer = b""
    if flags == _ANSWER and kind == _TYPE_A:
        answer = struct.pack(">HHHIH", 0xc00c, _TYPE_A, _CLASS_IN, _TTL_S, 4) + socket.inet_aton(says)
    return datagram[:2] + struct.pack(">HHHHH", flags, 1, 1 if answer else 0, 0, 0) + question + answer


def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        print("ready", flush=True)
        while True:
            datagram, client = server.recvfrom(512)
            says = pathlib.Path(sys.argv[1]).read_text(encoding="ascii").strip()
            print(f"asked: {says}", flush=True)
            if says != "silent":
                server.sendto(_reply(datagram, says), client)


if __name__ == "__main__":
    main()
