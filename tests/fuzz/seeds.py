#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes seeds for the fuzz targets: `tests/fuzz/seeds.py DIR` makes DIR/<target>/seed-*.

tests/fuzz/run.sh starts from these. What the fuzzers make of them, minimised, is kept in tests/fuzz/corpus.
"""
import os
import re
import struct
import sys
import zlib


def tlv(kind, value):
    return struct.pack(">HH", kind, len(value)) + value


def u8(kind, value):
    return tlv(kind, struct.pack(">B", value))


def u16(kind, value):
    return tlv(kind, struct.pack(">H", value))


def u32(kind, value):
    return tlv(kind, struct.pack(">I", value))


def ring(node, seq):
    return tlv(13, struct.pack(">IQ", node, seq))


def u16s(kind, values):
    return tlv(kind, b"".join(struct.pack(">H", v) for v in values))


def node(node_id, data_center=0, state=0):
    inside = u32(9, node_id)
    if data_center:
        inside += u32(15, data_center)
    if state:
        inside += u8(16, state)
    return tlv(17, inside)


def message(kind, *tlvs):
    body = b"".join(tlvs)
    return struct.pack(">HI", kind, len(body)) + body


def messages():
    """One of each kind and variant that matters."""
    seq = u32(0, 7)
    arrays = u16s(4, range(18)) + u16s(5, range(24))
    lease = tlv(0x5101, struct.pack(">II", 8000, 12000))
    reason = tlv(0x5102, b"ffsplit: 2 against 2")
    vote = seq + u8(19, 1) + ring(1, 5)
    init = u32(9, 1) + u16(11, 1) + u32(12, 3200) + tlv(21, struct.pack(">BI", 1, 0)) + ring(1, 5)
    sizes = u32(7, 32768) + u32(8, 32768) + u16s(10, range(4))
    return [
        message(0, seq, tlv(1, b"lab")),
        message(1, seq, u8(2, 1), u8(3, 1)),
        message(2, seq),
        message(3, seq, arrays, init, lease, tlv(0x5103, b"instance")),
        message(3, seq, init),
        message(3, u32(9, 2), u16(11, 3), u32(12, 8000), tlv(21, struct.pack(">BI", 3, 2)), ring(1, 5)),
        message(4, u16(6, 0), arrays, seq, sizes, lease),
        message(4, u16(6, 17), seq),
        message(5, seq, u16(6, 9)),
        message(6, seq, u32(12, 5000), u8(23, 1)),
        message(7, seq, u32(12, 5000), u8(23, 0)),
        message(8, seq),
        message(8, seq, tlv(1000, b"hello")),
        message(9, seq),
        message(10, seq, u8(18, 0), node(1), node(2)),
        message(10, seq, u8(18, 1), tlv(14, struct.pack(">Q", 7)), node(1, 10), node(2, 20)),
        message(10, seq, u8(18, 2), ring(1, 8), node(1), node(2), u8(22, 1)),
        message(10, seq, u8(18, 3), u8(20, 1), node(1, 0, 1), node(2, 0, 2), node(3, 0, 3)),
        message(11, seq, u8(18, 2), ring(1, 8), u8(19, 5), reason),
        message(12, seq),
        message(13, vote),
        message(14, vote, reason),
        message(15, seq),
        message(16, seq, u8(22, 2)),
        message(17, vote, u8(22, 2)),
    ]


def wire_decode():
    broken = [
        message(8),
        message(8, u32(0, 1), b"\0\0\0"),
        message(8, u32(0, 1), u8(19, 0)),
        message(10, u32(0, 1), tlv(17, b"")),
        message(10, u32(0, 1), tlv(17, u32(9, 0))),
        message(10, u32(0, 1), tlv(17, u32(9, 1) + tlv(17, u32(9, 2)))),
        message(99, u32(0, 1)),
    ]
    return messages() + broken


def framer():
    stream = b"".join(messages()[:8])
    junk = message(99) + message(500, b"x" * 50) + message(0, b"x" * 3000)
    heads = [b"\xff\x00\x00", b"\x40\x01\x02\x07", b"\x02\x03\x00\x01\x00\xff"]
    return [head + data for head in heads for data in (stream, junk + stream, stream[:100], b"\0\0\xff\xff\xff\xffx")]


def record(body):
    """A grant record with its checksum."""
    return body + b"end %08x\n" % zlib.crc32(body)


def state():
    first = b"quorate-grants 1\ncluster 6c6162\n"
    bodies = [
        first + b"active 1,2\nconfig 1,2\nholder 1 19000\nholder 2 19000\n",
        first + b"active -\nconfig -\n",
        b"quorate-grants 1\ncluster \nactive 4294967295\nconfig -\nholder 4294967295 4294967295\n",
        first + b"active 1,2\nconfig 2,1\nholder 2 1\nholder 1 1\n",
        first + b"active 01\n",
    ]
    return [record(body) for body in bodies] + bodies


def session():
    """Programs in the language of fuzz_session.c: the low five bits of a byte are the operation, the others
    the device."""
    def op(device, operation, *arguments):
        return bytes((device << 5 | operation,) + arguments)

    def lists(device, kind, nodes):
        return op(device, 24, kind, nodes, 0)

    def answer(times=1):
        return b"".join(op(cluster, 12, 7) for cluster in range(3)) * times

    def confirm(device):
        return op(device, 19, 0, 0)

    membership = 2
    programs = []
    for cluster in (0, 64, 128):
        nodes = range(2) if cluster == 64 else range(4)
        everybody = sum(1 << n for n in nodes)
        half = sum(1 << n for n in list(nodes)[: len(nodes) // 2])
        up = b"".join(op(n, 5, cluster + 2) for n in nodes)
        up += b"".join(lists(n, membership + 4, everybody) for n in nodes) + answer(2)
        up += b"".join(confirm(n) for n in nodes)
        cut = b"".join(lists(n, membership + 8, half if half >> n & 1 else everybody - half) for n in nodes)
        cut += b"".join(confirm(n) for n in nodes) + answer(2) + b"".join(confirm(n) for n in nodes)
        die = op(0, 11, 0) + lists(1, membership + 12, everybody - 1) + op(0, 14, 200) * 3 + answer()
        again = op(0, 16, 255) + op(0, 14, 2) + up
        for settings in (0, 1):
            programs += [bytes([settings]) + program for program in (up, up + cut, up + cut + die, up + again + cut)]
    return programs


def control():
    return [
        b"status\n",
        b"status verbose cluster \"my \\\"cluster\\\\\" \r\n",
        b"list cluster lab\nstatus\n",
        b"  LIST\tverbose\x0b\x0ccluster \\a\"b c\"d \"\"\n",
        b"shutdown",
        b"\"unfinished \\\n",
        b"a\0b \"c\0d\" e\n",
        b"w " * 40 + b"\n",
    ]


def totem_wire():
    """The datagrams that the unit tests have (tests/unit/totem_vectors.h), and an MCAST with several items."""
    header = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit", "totem_vectors.h")
    with open(header, encoding="ascii") as file:
        entries = re.findall(r'\{"[^"]*", \w+,((?:\s*"[0-9a-f]+")+)\}', file.read())
    datagrams = [bytes.fromhex("".join(re.findall(r'"([0-9a-f]+)"', entry))) for entry in entries]
    mcast = next(datagram for datagram in datagrams if datagram[3:5] == b"\1\2")
    group = b"\1\0\4\0sync"
    frame = struct.pack("<hhBBH3H", 0, 0, 1, 2, 3, 8, 0, 9) + group + group + b"x"
    return datagrams + [mcast[:45] + frame]


def votequorum_wire():
    """One of each kind, in both byte orders."""
    name = b"Qdevice".ljust(255, b"\0")

    def exec_message(order, function, size, body):
        return struct.pack(order + "iiii", 5 << 16 | function, 0, size, 0) + body

    seeds = []
    for first, order in ((b"\0", "<"), (b"\1", ">")):
        seeds += [first + exec_message(order, 0, 32, struct.pack(order + "IIII", 1, 1, 3, 0x71)),
                  first + exec_message(order, 1, 32, struct.pack(order + "IIB7x", 1, 4, 1)),
                  first + exec_message(order, 2, 280, struct.pack(order + "I", 1) + name + bytes(5)),
                  first + exec_message(order, 3, 528, name + name + bytes(2))]
    return seeds


SEEDS = {"wire_decode": wire_decode, "framer": framer, "state": state, "session": session, "control": control,
         "totem_wire": totem_wire, "votequorum_wire": votequorum_wire}


def main():
    for target, make in SEEDS.items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for index, data in enumerate(make()):
            with open(os.path.join(folder, "seed-%03d" % index), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()
