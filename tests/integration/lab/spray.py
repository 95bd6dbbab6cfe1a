#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""spray.py INTERFACE ADDRESS PORT SECONDS GO KIND...: datagrams that nobody has asked for, to one node's port.

First it says "listening" and listens, until the file GO exists, to what this host sends to this port. Then it sends for that long, a few thousand each
second, of these kinds: rubbish; headed, headers of the ring with rubbish behind them; altered, cut and altered copies of what
it has heard; replayed, what it has heard as it was, in any order. Prints how many of each, as JSON.
"""

import json
import os
import random
import select
import socket
import sys
import time

_ETHERTYPE_IPV4 = 0x0800
_ETHERTYPE_ALL = 3
"""Others are not told of what goes out."""
_UDP = 17
_OUTGOING = 4
_HEARD_MAX = 4000
_BATCH = 50
_PAUSE_S = 0.01
_LOOK_S = 0.02


def _payload(packet, port):
    """UDP payload of an IPv4 packet to that port, else None. Fragments are left out."""
    header = (packet[0] & 15) * 4
    if packet[9] != _UDP or packet[6] & 0x3f or packet[7]:
        return None
    if int.from_bytes(packet[header + 2:header + 4], "big") != port:
        return None
    return packet[header + 8:]


def listen(interface, port, go):
    """What is sent to the port until the file exists."""
    heard = []
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETHERTYPE_ALL)) as tap:
        tap.bind((interface, _ETHERTYPE_ALL))
        print("listening", flush=True)
        while not os.path.exists(go):
            if not select.select([tap], [], [], _LOOK_S)[0]:
                continue
            packet, source = tap.recvfrom(65536)
            payload = _payload(packet, port) if source[1] == _ETHERTYPE_IPV4 and source[2] == _OUTGOING else None
            if payload and len(heard) < _HEARD_MAX:
                heard.append(payload)
    return heard


class Spray:
    """Draws datagrams."""

    def __init__(self, heard, seed):
        self.heard = heard
        self.random = random.Random(seed)

    def rubbish(self):
        return self.random.randbytes(self.random.choice((0, 1, 12, 13, 45, 57, 200, 1400)))

    def headed(self):
        kind = self.random.randrange(7)
        sender = self.random.choice((0, 1, 2, 3, 9)).to_bytes(4, "little")
        return b"\x70\xc0\x03" + bytes((kind, self.random.randrange(3))) + sender + self.rubbish()

    def altered(self):
        copy = bytearray(self.random.choice(self.heard))
        for _ in range(self.random.randrange(1, 4)):
            copy[self.random.randrange(len(copy))] = self.random.randrange(256)
        return bytes(copy[:self.random.randrange(1, len(copy) + 1)] if self.random.random() < 0.3 else copy)

    def replayed(self):
        return self.random.choice(self.heard)


def main():
    interface, text, port, seconds, go, *kinds = sys.argv[1:]
    port, seconds = int(port), float(seconds)
    spray = Spray(listen(interface, port, go), 1)
    draws = [getattr(spray, kind) for kind in kinds]
    counts = {draw.__name__: 0 for draw in draws}
    counts["heard"] = len(spray.heard)
    end = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while time.monotonic() < end:
            for _ in range(_BATCH):
                draw = spray.random.choice(draws)
                try:
                    out.sendto(draw(), (text, port))
                    counts[draw.__name__] += 1
                except (BlockingIOError, ConnectionRefusedError):
                    pass
            time.sleep(_PAUSE_S)
    print(json.dumps(counts))


main()
