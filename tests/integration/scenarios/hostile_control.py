# SPDX-License-Identifier: BSD-3-Clause
"""Local peers that misuse the control socket."""

import random
import socket
import struct
import time

from lab.siege import Siege
from lab.wait import check, check_equal

from . import scenario

_ANSWERED_S = 2.0


def _connect(siege):
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.connect(f"/proc/{siege.arbiter.host.pid}/root{siege.arbiter.SOCKET}")
    control.settimeout(5)
    return control


def _send(control, data):
    try:
        control.sendall(data)
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        pass


def _tool_answers(siege, when):
    start = time.monotonic()
    check_equal(siege.arbiter.tool("-s").status, 0, f"exit status of the tool {when}")
    took_s = time.monotonic() - start
    check(took_s < max(_ANSWERED_S, 10 * siege.warm_s), f"{when}: the tool waited {took_s:.1f} s")


@scenario(ours_only=True)
def hostile_control_socket(lab):
    """Local clients that are silent (more than ipc_max_clients), oversized, binary, cut off, half-closed, or do not read
    the answer: the tool is answered all the while, and so are clients."""
    siege = Siege(lab)
    chance = random.Random(1)
    garbage = [b"\0" * 100, b"\n" * 5000, bytes(chance.randrange(256) for _ in range(3000)), b"x" * 100000,
               b"x" * 4095 + b"\n", b"x" * 4096 + b"\n", b"status" + b" verbose" * 10000, b"status\0verbose\n", b"status",
               b"\xff\xfe\n", b"list cluster=" + b"a" * 3000 + b"\n", b"list cluster=\"\n", b"quit quit\n", b"\n"]

    def attack():
        silent = [_connect(siege) for _ in range(40)]
        _tool_answers(siege, "with 40 silent local clients")
        siege.served("with 40 silent local clients")
        siege.idle()
        for control in silent:
            control.close()
        for data in garbage:
            for end in ("close", "half", "reset", "answer"):
                control = _connect(siege)
                _send(control, data)
                if end == "half":
                    control.shutdown(socket.SHUT_WR)
                if end == "reset":
                    control.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if end == "answer" and data.endswith(b"\n"):
                    try:
                        control.recv(65536)
                    except ConnectionResetError:
                        pass
                control.close()
            _tool_answers(siege, f"after {data[:20]!r}")
        for _ in range(500):
            with _connect(siege) as control:
                _send(control, b"status verbose\nlist verbose\n")
        deaf = [_connect(siege) for _ in range(9)]
        for control in deaf:
            _send(control, b"list verbose\n")
        _tool_answers(siege, "with deaf local clients")
        siege.served("with deaf local clients")
        for control in deaf:
            control.close()
    siege.rounds(attack, 2)
    siege.unharmed()
