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


def agent():
    """Programs in the language of fuzz_agent.c: the low five bits of a byte are the operation."""
    def op(operation, *arguments, variant=0):
        return bytes((variant << 5 | operation,) + arguments)

    def vote(kind, flags, variant=0):
        return op(12, kind, flags, 0, variant=variant)

    ack, nack, later, of_another_ring = 0, 1, 2, 0xc3
    no_words, words, long_words = 0, 0x90, 0xd0
    ring, other_ring = op(1, 0, 3), op(1, 4, 1)
    go_on = op(23, variant=7)
    told = op(19, variant=1)
    up = ring + go_on + vote(ack, words) + told
    echo = op(26) + op(10, 0, 0)
    lose = op(17) + op(26)
    changed = [op(0, kind, times) for kind, times in ((0x19, 0), (0x51, 1), (0x85, 0x38), (0x01, 0x40))]
    programs = [
        up + echo * 3,
        up + vote(nack, words) + op(19) + told + echo,
        up + vote(nack, no_words, variant=1) + vote(ack, long_words, variant=2) + vote(later, words) + told,
        up + other_ring + vote(of_another_ring, words) + vote(ack, no_words, variant=1) + op(3, 0x82) + told,
        up + lose + go_on + op(27, 0x8f) * 4,
        up + op(27, 0x07) + vote(ack, words) + go_on + told,
        up + op(4) + ring + go_on + vote(ack, words),
        up + b"".join(change + go_on + told for change in changed),
        up + op(22, 0xff) + op(19) + vote(nack, words) + op(4) + ring + op(27, 0x82),
        ring + op(5, 2, variant=1) + op(27, 0x80) + op(5, 3) + op(6) + op(8, 7, 0) + op(7) + op(9, 0x86, 0),
        ring + op(5, 0) + op(27, 0x80) * 6,
        ring + op(23, variant=4) + op(9, 0x81, 3, 0) + op(27, 0x80) * 2,
        ring + op(21, 0) + go_on + op(21, 5) + op(21, 4) + op(3, 3) + op(15, 0, 0) + op(16, 14, 9) + bytes(9),
        ring + op(23, variant=2) + op(18, 0x81) + op(18, 3) + op(16, 1, 60) + bytes(20) + op(27, 0xff),
    ]
    # One for each rule that agent_model.c watches over and that the others do not come across.
    packaged = op(23, variant=3) + op(9, 0, 0)
    rules = [
        (1, ring + packaged + op(23, variant=1) + vote(ack, words) + op(17)),
        (1, ring + op(23, variant=3) + op(9, 0x81, 3, 0) + op(23) + vote(ack, words)),
        (1, ring + op(23, variant=3) + op(9, 0xf9, 0xff, 0)),
        (1, ring + go_on + op(18, 3)),
        (1, up + op(4) + op(1, 0x84, 3)),
        (1, up + op(26) + op(27, 1) + op(10, 0, 0)),
        (1, up + op(26) + op(10, 0xf8, 0) + op(10, 0, 0) + op(26) * 5),
        (2, ring + op(23, variant=1) + op(8, 3, 0)),
        (5, ring + op(5, 0) + op(4) + op(0, 1, 0)),
        (0x41, ring + op(23, variant=4) + vote(ack, words)),
    ]
    configurations = ((1, 0), (0x46, 1), (0x88, 5), (1, 2))
    return [bytes(configuration) + program for configuration in configurations for program in programs] + [
        bytes((kind, 0)) + program for kind, program in rules
    ]


def device_config():
    """Lines in the language of fuzz_device_config.c."""
    commands = b"Ron\nT1000\nU5000\nV3600000\nZ/bin/ping -c 1 \x01'a b'\n"
    nodes = b"Xnode1\n4nodelist.node.1.nodeid=2\ntnodelist.node.1.name=n\n4nodelist.node.1.datacenterid=7\n"
    return [
        b"",
        b"-",
        b"Anet\nB2\nC10000\nD30000\nEa, 10.0.0.9 ,c\nF5403\nGrequired\nHlab\nIlms\nJ2\nK8000\nL4\nMoff\nN3\n",
        b"O1\nPyes\nQ18446744073709551615\n" + commands + nodes,
        b"tnodelist.node.2.ring0_addr=192.0.2.7\ntnodelist.node.3.ring0_addr=n3\n",
        b"Snet_heartbeat_interval_min=1,net_test_algorithm_enabled=on\nItest\nC0\nD0\n" + commands,
        b"Sheuristics_max_execs=1\ntquorum.device.heuristics.exec_y=y\n" + commands,
        b"Snet_min_connect_timeout=1,net_max_connect_timeout=4294967295\nK4294967295\nJhighest\nGon\n",
        b"Rsync\nWtrace\ntlogging.debug=maybe\n",
        b"Ron\ntquorum.device.heuristics.exec_a.b=x\n1quorum.device.heuristics.exec_b=1\n",
        b"E1,2,3,4,5,6,7,8,9\nF0\nG\x07\n",
        b"Jx\nL5\nM2\nRboth\nV1\nN2\nI\xff\n",
        b"F0\n",
        b"F65536\n",
        b"Itest\n",
        b"C0\n",
        b"H" + 7 * b"\2" + b"\n",
        b"H" + 14 * b"\2" + b"\n",
        b"E\2\n",
        b"K4294968296\n",
        b"tnodelist.node.1.name=n\n4nodelist.node.1.nodeid=1\n",
    ]


def heuristics():
    return [
        b"/bin/ping -c 1 10.0.0.1",
        b"sh -c \"a \\\"b\\\\ \\c\" 'd \\ e'\t'' \"\"",
        b"\\ a\\ b\\\"c x\"y z\"'1 2'w\r\v\f",
        b"a\nb",
        b"\"open",
        b"'open",
        b"a \\",
        b"'' a",
        b" ",
        b"'a' \"open",
        b"\\",
        b"a " * 1025,
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


def core_configs():
    """The files that are compared with the packaged daemon, alone and as what a running one is given to read again."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
    sys.dont_write_bytecode = True
    import core_config_cases as cases
    files = [text for table in cases.CASES.values() for text in table.values()] + list(cases.STRICTER.values())
    texts = [text.replace("@DIR@", "/files").encode("utf-8", "surrogateescape") for text in files]
    good = cases.conf(totem="cluster_name: x").encode("ascii")
    # Two of a kind are as good as one for a start.
    return texts[::3] + [good + b"\xff" + text for text in texts[1::5]]


def votequorum():
    """Configurations of some kinds, then a ring, a device that registers and polls, and whatever comes."""
    ring = bytes((6, 0, 7, 0, 6, 2))
    device = bytes((9, 5, 0, 0, 0, 0, 0)) + bytes((13, 3, 0, 2, 1, 1, 0)) + bytes((9, 8, 8, 0, 0, 0, 0))
    return [bytes((bits, 3, device_on, 1, 1)) + ring + device + ring + bytes(range(64))
            for bits in (0, 4, 24, 32, 64, 128) for device_on in (0, 1)]


def quorum_ipc():
    """One request of each kind, and all of them in a row."""
    name = b"Qdevice".ljust(255, b"\0")

    def request(vote, number, body):
        size = -(-(16 + len(body)) // 8) * 8
        return bytes((size // 8 << 1 | vote,)) + struct.pack("<iiii", number, 0, size, 0) + body.ljust(size - 16, b"\0")

    numbers = struct.pack("<QI", 3, 3)
    seeds = [request(0, number, numbers) for number in (4, 3, 1, 0, 2)]
    seeds += [request(1, number, numbers) for number in (3, 0, 1, 2)]
    seeds += [request(1, 5, name), request(1, 7, name + name), request(1, 9, name + bytes(1) + numbers),
              request(1, 8, name + bytes(1) + struct.pack("<iiIIQ", 1, 0, 0, 0, 0)), request(1, 6, name), request(1, 4, b"")]
    return seeds + [b"".join(seeds)]


def cpg():
    """Programs of tests/fuzz/fuzz_cpg.c: an operation and its argument in a byte, then what it needs."""
    def op(number, argument=0, *more):
        return bytes((argument << 4 | number, *more))

    def raw(number, argument, size, body):
        return op(number, argument, size) + body

    def request(number, size, at=None):
        body = bytearray(size)
        struct.pack_into("<iiI", body, 0, number, 0, size)
        for offset, value in (at or {}).items():
            struct.pack_into("<I", body, offset, value)
        return raw(1, 0, size - 16, bytes(body))

    def message(function, size, order, at):
        body = bytearray(size)
        struct.pack_into(order + "III", body, 0, 2 << 16 | function, 0, size)
        for offset, value in at.items():
            struct.pack_into(order + "I", body, offset, value)
        return raw(6 if order == "<" else 7, 0, (size - 16) // 2, bytes(body))

    ring = lambda bits: op(9, 0, bits) + op(10) + op(5) + op(5) + op(11)
    start = ring(0x04) + op(0) + op(0, 1)
    joined = start + op(2, 0, 1, 1, 1) + op(5) + op(2, 1, 1, 2, 0) + op(5)
    peer = op(8, 0, 0, 1, 3, 1)
    asks = (request(3, 152, {16: 1}) + request(4, 16) + request(5, 160, {152: 3}) + request(6, 24, {16: 1}) +
            request(5, 160, {152: 1}) + request(5, 160, {152: 2, 16: 1}) + request(7, 24, {16: 1}))
    zero_copy = bytearray(152)
    struct.pack_into("<iiI", zero_copy, 0, 9, 0, 152)
    zero_copy[24:56] = b"/dev/shm/corosync_zerocopy-a1B2c"
    fragments = op(4, 0, 1, 8, 4) + op(5) + op(4, 0, 2, 8, 2) + op(5) + op(4, 0, 3, 8, 2) + op(5)
    return [joined + op(3, 0, 9) + op(5) + op(3, 1, 0) + op(5),
            joined + fragments + op(4, 0, 1, 8, 4) + op(5) + peer + op(4, 0, 2, 8, 2),
            joined + peer + asks + op(0) + op(5) + op(0),
            joined + request(1, 16) + op(5) + op(2, 0, 2, 1, 0) + op(5) + request(8, 16) + request(10, 32) + request(11, 24),
            joined + raw(1, 0, 136, bytes(zero_copy)) + ring(0x0c) + op(8, 0, 3, 1, 16, 8, 3, 0),
            joined + op(9, 0, 0x84) + op(8, 0, 2, 3, 1, 3, 2) + op(10) + op(12) + op(9, 0, 0x84) + op(8, 0, 2, 3, 1, 3, 2) +
            op(10) + op(0) + op(11) + op(5) + op(13, 5)] + [
                joined + message(0, 168, order, {16: 0, 152: 7, 160: 1}) + message(3, 188, order, {152: 4, 160: 7}) +
                message(6, 204, order, {152: 9, 160: 4, 168: 7, 176: 1}) +
                message(6, 206, order, {152: 9, 160: 5, 168: 7, 176: 3}) + message(1, 168, order, {152: 7, 160: 5})
                for order in "<>"]


def cfg():
    """Requests of each kind with what becomes of them."""
    def ask(number, value=0, version=1, client=0):
        return bytes((2, client, number, value, version, 0))

    own, reload_done, time = b"\x07", b"\x08\0", b"\x09\xff"
    joined = bytes((10, 1, 0, 5))
    plain = [ask(number, value) for number in (0, 1, 5, 6, 8, 9) for value in (0, 1, 2, 9)]
    vote = ask(10) + ask(10, client=1) + ask(3, client=2)
    kill = joined + ask(2, 1) + own
    messages = [bytes((6, order, 0, 0, number, 2, 4)) + b"abcd" for number in range(1, 5) for order in (0, 1)]
    return [b"".join(plain), kill, b"".join(messages), vote + ask(4, 1) + ask(4, 1, client=1) + own,
            vote + ask(4, 1) + ask(4, 0, client=1), vote + time * 3, vote + ask(11) + ask(11, client=1) + own,
            vote + b"\x01\x02", vote + ask(3, 2, client=3) + own, ask(3, 1) + own, ask(7) + ask(7, client=1) + own * 2 + reload_done * 2,
            ask(7) + b"\x01\0" + own + reload_done, b"\x0b\x01" + own * 2, b"\x0b\0" + time * 60, b"\x0b\0" + own]


def cmap_service():
    """Requests of each kind in both maps, rings, and messages."""
    def named(number, name, first=0, last=0, value=b"", client=0):
        return bytes((2, client, number, name, first, 0, last, len(value))) + value

    def handle(number, index=0, client=0):
        return bytes((2, client, number, index))

    set_a = named(0, 2, 3, 11, b"abc")
    walk = named(4, 4) + handle(5) * 2 + handle(6) * 2
    track = named(7, 4, 15) + named(7, 5, 15, client=1)
    changes = set_a + named(0, 2, 4, 6, b"abcd") + named(3, 2, 1) + named(1, 2)
    to_statistics = handle(9, 1)
    statistics = to_statistics + named(7, 8, 7) + named(7, 10, 13) + b"\x0a\0\x05\x0a\x01\x05" + b"\x0b\xff" + named(2, 8, 16) \
        + b"\x0a\0\0" + b"\x0b\xff" + named(0, 11) + named(1, 11) + handle(8) + handle(8, 1)
    ring = bytes((7, 3, 2, 1, 7, 6, 2, 1, 7, 2, 2, 0))
    hear = b"".join(bytes((8, order, 0, 1, 0, 0, 5, 0, 0, 6, 1, 1)) for order in (0, 1))
    return [set_a + named(2, 2, 16) + named(2, 2) + named(2, 2, 1), walk, set_a + walk, track + changes, track + changes + handle(8),
            statistics, ring + hear, ring + bytes((9, 1, 5)) + ring + hear, track + ring, named(0, 0, 4, 6, b"abcd"), named(0, 6) + named(0, 7),
            track + b"\x01\0" + changes, b"".join((track, changes, ring, hear, statistics))]


def enrolments():
    """For each kind of input of fuzz_enrol (its first byte) some good ones."""
    cluster, request = tlv(2, b"alpha"), tlv(4, b"a request")

    def said(kind, *fields):
        body = b"".join(fields)
        return struct.pack(">BBH", kind, 0, len(body)) + body
    join = said(1, tlv(1, bytes(16)), cluster, tlv(3, b"n1"), request, tlv(9, bytes(64)))
    messages = [join, said(2, request), said(3, cluster, tlv(5, b"c"), tlv(6, b"a"), tlv(6, b"b")),
                said(4, tlv(7, b"\3"), tlv(8, b"it expired"))]
    invitation = (b"quorate-invitation 1\nid %s\nverifier %s\ncluster alpha\nnode n1\ncreated 1\nexpires 2\nserial 103\n"
                  % (b"0f" * 16, b"0f" * 32))
    claimed = b"claimed 2\nkey %s\nby 192.0.2.1:5\n" % (b"0f" * 32)
    files = [invitation, invitation + claimed, invitation + claimed + b"certificate 0102\n"]
    yield b"\0Q000G-40R40-M30E2-09093-8NKRK-AYDAW"
    for one in messages:
        yield b"\1" + one
        yield b"\4" + one
        for choices in range(0, 256, 37):
            yield b"\3" + bytes([choices % 8, choices]) + one
    for one in files:
        yield b"\2" + one + b"end\n"
    revoked = [b"serial 105 1800000000 alpha\n", b"up-to 110 1800000001 beta\n", b"up-to-of-node 111 1800000002 * n1/gamma\n",
               b"up-to-of-node 112 1800000003 - n 2/gamma\n",
               b"up-to-of-node 113 1800000004 01010101-0101-4101-8101-010101010101 n3/gamma\n"]
    for count in (2, len(revoked)):
        yield b"\5quorate-revocations 1\n" + b"".join(revoked[:count]) + b"end\n"


SEEDS = {
    "enrol": enrolments,
    "cpg": cpg,
    "cfg": cfg,
    "cmap_service": cmap_service,
    "core_config": core_configs,
    "wire_decode": wire_decode,
    "framer": framer,
    "state": state,
    "session": session,
    "control": control,
    "agent": agent,
    "device_config": device_config,
    "heuristics": heuristics,
    "totem_wire": totem_wire,
    "quorum_ipc": quorum_ipc,
    "votequorum": votequorum,
    "votequorum_wire": votequorum_wire,
}


def main():
    for target, make in SEEDS.items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for index, data in enumerate(make()):
            with open(os.path.join(folder, "seed-%03d" % index), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()
