# SPDX-License-Identifier: BSD-3-Clause
"""A bad line: a host's cable on which every frame takes its time and some are lost, both ways.

    line = lab.bad_line("arb", "arbiter", delay_ms=25)   25 ms each way: a round trip of 50 ms, for all who talk to it
    line.lose(2)                                         from now on 2 of 100 frames, in each direction
    line.lose(100)                                       silence, until line.lose(0)
    line.lost, line.carried                              frames so far

The cable is cut in two and a process of ours carries real Ethernet frames from one loose end to the other, so both TCPs
do what they do on a real line: retransmit, back off, probe. Which frames are lost follows from the seed: of all frames that
a direction takes while it loses some, the n-th has the same fate in every run. ARP is carried but never lost: on a real line
the next router answers it.

A frame is what a wire would carry, at most an MTU long (the ends take no bundles of segments), except that its checksum may
be left to be filled in; the header that says so (PACKET_VNET_HDR) travels with the frame.
"""

import collections
import mmap
import os
import random
import select
import signal
import socket
import struct
import sys
import time

from . import isolate

_ETH_P_ALL = 0x0003
_ETH_P_ARP = b"\x08\x06"
_SOL_PACKET = 263
_PACKET_VNET_HDR = 15
_PACKET_IGNORE_OUTGOING = 23
_VNET_HDR_SIZE = 10
_FRAME_MAX = 65536

_BOARD = struct.Struct("@dQQ")
"""What line and scenario share: share of frames to lose, frames carried, frames lost."""


class _Direction:
    """Frames that came out of `source` and are due at `sink`."""

    def __init__(self, source, sink, chances):
        self.source = source
        self.sink = sink
        self.chances = chances
        self.under_way = collections.deque()

    def take(self, delay_s, share):
        """Take what has arrived; returns (carried, lost)."""
        carried = lost = 0
        while True:
            try:
                frame = self.source.recv(_FRAME_MAX)
            except (BlockingIOError, InterruptedError):
                return carried, lost
            unlucky = share > 0 and self.chances.random() < share
            if unlucky and frame[_VNET_HDR_SIZE + 12:_VNET_HDR_SIZE + 14] != _ETH_P_ARP:
                lost += 1
                continue
            carried += 1
            self.under_way.append((time.monotonic() + delay_s, frame))

    def deliver(self):
        """Pass on what is due; returns when the next frame is, or None."""
        while self.under_way and self.under_way[0][0] <= time.monotonic():
            frame = self.under_way.popleft()[1]
            try:
                self.sink.send(frame)
            except OSError:
                pass  # the other side has no room: lost, as on any line
        return self.under_way[0][0] if self.under_way else None


def _end(interface):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    end.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    end.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    end.bind((interface, _ETH_P_ALL))
    return end


def _carry(near, far, delay_s, seed, board):
    """The line's process; never returns."""
    directions = [_Direction(near, far, random.Random(f"{seed} near")), _Direction(far, near, random.Random(f"{seed} far"))]
    while True:
        due = [at for at in (direction.deliver() for direction in directions) if at is not None]
        select.select([near, far], [], [], max(0.0, min(due) - time.monotonic()) if due else None)
        for direction in directions:
            share, carried, lost = _BOARD.unpack_from(board)
            more_carried, more_lost = direction.take(delay_s, share)
            struct.pack_into("@QQ", board, 8, carried + more_carried, lost + more_lost)


class BadLine:
    """See the module. `ends` are the two interfaces between which frames are carried. It ends with `close()`, or with
    the process that made it."""

    def __init__(self, ends, delay_ms, seed=1):
        self._board = mmap.mmap(-1, _BOARD.size)
        near, far = (_end(interface) for interface in ends)
        self._pid = os.fork()
        if self._pid == 0:
            try:
                isolate.die_with_parent()
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                _carry(near, far, delay_ms / 1000, seed, self._board)
            except BaseException as error:  # pylint: disable=broad-except
                os.write(sys.stderr.fileno(), f"bad line: {error}\n".encode())
            finally:
                os._exit(1)
        near.close()
        far.close()

    def lose(self, percent):
        """Lose this share of the frames that are sent from now on."""
        struct.pack_into("@d", self._board, 0, percent / 100)

    @property
    def carried(self):
        return _BOARD.unpack_from(self._board)[1]

    @property
    def lost(self):
        return _BOARD.unpack_from(self._board)[2]

    def close(self):
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0
