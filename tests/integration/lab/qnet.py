# SPDX-License-Identifier: BSD-3-Clause
"""The qnet protocol as a peer speaks it that may do as it likes: a codec and a probe client.

    probe = Probe(address, context=identity.context())     TCP connection
    probe.join("alpha", 1)                                  PREINIT, STARTTLS, handshake, INIT; checks INIT_REPLY
    probe.echo()                                            one echo there and back

A `Probe` sends whatever bytes it is given. TLS runs over memory, so that what leaves in one segment is up to the test,
and the records can be damaged on their way.
"""

import enum
import socket
import ssl
import struct

from .wait import Failure, check_equal

PORT = 5403
HEADER_SIZE = 6
TIMEOUT_S = 10
"""Of any single answer; how fast is the business of whoever measures it."""


class Type(enum.IntEnum):
    """Message types."""

    PREINIT = 0
    PREINIT_REPLY = 1
    STARTTLS = 2
    INIT = 3
    INIT_REPLY = 4
    SERVER_ERROR = 5
    SET_OPTION = 6
    SET_OPTION_REPLY = 7
    ECHO_REQUEST = 8
    ECHO_REPLY = 9
    NODE_LIST = 10
    NODE_LIST_REPLY = 11
    ASK_FOR_VOTE = 12
    ASK_FOR_VOTE_REPLY = 13
    VOTE_INFO = 14
    VOTE_INFO_REPLY = 15
    HEURISTICS_CHANGE = 16
    HEURISTICS_CHANGE_REPLY = 17


class Option(enum.IntEnum):
    """TLV types."""

    SEQ = 0
    CLUSTER_NAME = 1
    SUPPORTED_MESSAGES = 4
    SUPPORTED_OPTIONS = 5
    ERROR = 6
    NODE_ID = 9
    ALGORITHM = 11
    HEARTBEAT = 12
    RING_ID = 13
    CONFIG_VERSION = 14
    NODE_STATE = 16
    NODE_INFO = 17
    LIST_TYPE = 18
    VOTE = 19
    QUORATE = 20
    TIE_BREAKER = 21
    HEURISTICS = 22
    KEEP_ACTIVE_PARTITION = 23


class Error(enum.IntEnum):
    """Error codes."""

    NONE = 0
    TLS_REQUIRED = 3
    UNSUPPORTED_MESSAGE = 4
    TOO_LONG = 5
    PREINIT_REQUIRED = 6
    MISSING_OPTION = 7
    UNEXPECTED = 8
    DECODING = 9
    INIT_REQUIRED = 11
    DUPLICATE_NODE_ID = 17
    INVALID_CONFIG_LIST = 18
    INVALID_MEMBERSHIP_LIST = 19


ACK, NACK = 1, 2
FFSPLIT, LMS = 1, 3
CONFIG, CHANGED_CONFIG, MEMBERSHIP, QUORUM = range(4)


def tlv(option, value):
    """One TLV; the value as bytes."""
    return struct.pack(">HH", option, len(value)) + value


def u8(option, value):
    return tlv(option, struct.pack(">B", value))


def u16(option, value):
    return tlv(option, struct.pack(">H", value))


def u32(option, value):
    return tlv(option, struct.pack(">I", value))


def message(kind, *tlvs):
    """A message of these TLVs."""
    body = b"".join(tlvs)
    return struct.pack(">HI", kind, len(body)) + body


def ring_id(node_id, number):
    return tlv(Option.RING_ID, struct.pack(">IQ", node_id, number))


def preinit(cluster, seq=1):
    return message(Type.PREINIT, u32(Option.SEQ, seq), tlv(Option.CLUSTER_NAME, cluster.encode()))


def starttls(seq=2):
    return message(Type.STARTTLS, u32(Option.SEQ, seq))


def init(node_id, seq=3, algorithm=FFSPLIT, heartbeat_ms=8000, ring=(1, 1), tie_breaker=(1, 0)):
    """INIT as the packaged device sends it."""
    return message(
        Type.INIT, u32(Option.SEQ, seq),
        tlv(Option.SUPPORTED_MESSAGES, struct.pack(">18H", *range(18))),
        tlv(Option.SUPPORTED_OPTIONS, struct.pack(">24H", *range(24))),
        u32(Option.NODE_ID, node_id), u16(Option.ALGORITHM, algorithm), u32(Option.HEARTBEAT, heartbeat_ms),
        tlv(Option.TIE_BREAKER, struct.pack(">BI", *tie_breaker)), ring_id(*ring))


def echo(seq=1, padding=0):
    """ECHO_REQUEST, with an unknown TLV of that many bytes if not 0."""
    return message(Type.ECHO_REQUEST, u32(Option.SEQ, seq), *([tlv(1000, bytes(padding))] if padding else []))


def node(node_id, state=None):
    return tlv(Option.NODE_INFO, u32(Option.NODE_ID, node_id)
               + (b"" if state is None else u8(Option.NODE_STATE, state)))


def node_list(kind, ids, seq=4, ring=(1, 1)):
    """NODE_LIST of any kind."""
    extra = [ring_id(*ring)] if kind == MEMBERSHIP else [u8(Option.QUORATE, 1)] if kind == QUORUM else []
    states = 1 if kind == QUORUM else None
    return message(Type.NODE_LIST, u32(Option.SEQ, seq), u8(Option.LIST_TYPE, kind), *extra,
                   *[node(i, states) for i in ids])


def lists(ids, ring=(1, 1)):
    """What a device sends after INIT_REPLY."""
    return node_list(CONFIG, ids, 4) + node_list(MEMBERSHIP, ids, 5, ring) + node_list(QUORUM, ids, 6)


def every_request(cluster="alpha", node_id=1):
    """One good message of every type a client sends: {type: bytes}."""
    return {
        Type.PREINIT: preinit(cluster),
        Type.STARTTLS: starttls(),
        Type.INIT: init(node_id),
        Type.SET_OPTION: message(Type.SET_OPTION, u32(Option.SEQ, 7), u32(Option.HEARTBEAT, 8000),
                                 u8(Option.KEEP_ACTIVE_PARTITION, 1)),
        Type.ECHO_REQUEST: echo(),
        Type.NODE_LIST: message(
            Type.NODE_LIST, u32(Option.SEQ, 8), u8(Option.LIST_TYPE, MEMBERSHIP), ring_id(1, 1),
            tlv(Option.CONFIG_VERSION, struct.pack(">Q", 7)), node(1, 1), node(2), u8(Option.HEURISTICS, 1)),
        Type.ASK_FOR_VOTE: message(Type.ASK_FOR_VOTE, u32(Option.SEQ, 9)),
        Type.VOTE_INFO_REPLY: message(Type.VOTE_INFO_REPLY, u32(Option.SEQ, 1)),
        Type.HEURISTICS_CHANGE: message(Type.HEURISTICS_CHANGE, u32(Option.SEQ, 10), u8(Option.HEURISTICS, 1)),
    }


class Message:
    """A message received: `type`, `raw`, and the last value of each TLV as bytes in `options`."""

    def __init__(self, raw):
        self.raw = raw
        self.type = Type(struct.unpack_from(">H", raw)[0])
        self.options = {}
        at = HEADER_SIZE
        while at < len(raw):
            option, size = struct.unpack_from(">HH", raw, at)
            self.options[option] = raw[at + 4:at + 4 + size]
            at += 4 + size

    def number(self, option):
        """An integer value, None if it is not there."""
        value = self.options.get(option)
        return None if value is None else int.from_bytes(value, "big")

    @property
    def error(self):
        return self.number(Option.ERROR)

    @property
    def vote(self):
        return self.number(Option.VOTE)

    def __repr__(self):
        return f"{self.type.name}({self.raw[HEADER_SIZE:HEADER_SIZE + 60].hex(' ')})"


class Closed(Failure):
    """The arbiter has closed the connection."""


class Probe:
    """One connection. Without `context` it can only speak plain text. `close` or `reset` ends it."""

    def __init__(self, address, context=None, source="", port=PORT, timeout_s=TIMEOUT_S):
        self.context = context
        self.tls = None
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.received = b""
        self.timeout_s = timeout_s
        self.echoes = 0xec000000
        self.socket = socket.create_connection((address, port), timeout_s, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """FIN, without close_notify."""
        self.socket.close()

    def reset(self):
        """RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # ---- bytes ----

    def send_raw(self, data):
        """Bytes as they are on the wire; a connection that has gone is found out when reading."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def seal(self, data):
        """Bytes as TLS records (in plain text: as they are)."""
        if self.tls is None:
            return data
        self.tls.write(data)
        return self.outgoing.read()

    def send(self, *data):
        self.send_raw(self.seal(b"".join(data)))

    def _receive_raw(self):
        """Bytes from the socket; `Closed` at their end."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        except TimeoutError:
            raise Failure(f"no answer within {self.timeout_s} s") from None
        if not data:
            raise Closed("the arbiter has closed the connection")
        return data

    def _receive_more(self):
        if self.tls is None:
            self.received += self._receive_raw()
            return
        while True:
            try:
                data = self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.incoming.write(self._receive_raw())
                continue
            except ssl.SSLError as error:
                raise Closed(f"the arbiter has ended TLS: {error}") from None
            if not data:
                raise Closed("the arbiter has said goodbye")
            self.received += data
            return

    def receive(self):
        """The next message."""
        size = None
        while size is None or len(self.received) < size:
            if size is None and len(self.received) >= HEADER_SIZE:
                size = HEADER_SIZE + struct.unpack_from(">HI", self.received)[1]
                continue
            self._receive_more()
        raw, self.received = self.received[:size], self.received[size:]
        return Message(raw)

    def receive_until(self, kind):
        """The next message of that type; the others before it are dropped."""
        while True:
            answer = self.receive()
            if answer.type == kind:
                return answer

    def expect(self, kind):
        answer = self.receive()
        check_equal(answer.type, kind, f"type of the answer {answer}")
        return answer

    def expect_error(self, error):
        """A SERVER_ERROR with that code."""
        answer = self.receive()
        check_equal((answer.type, answer.error), (Type.SERVER_ERROR, error), f"answer {answer}")
        return answer

    def expect_closed(self, what):
        """No further message, the connection ends. Returns how, in words."""
        try:
            answer = self.receive()
        except Closed as closed:
            return str(closed)
        raise Failure(f"{what}: the arbiter answered {answer} instead of closing")

    # ---- conversations ----

    def client_hello(self):
        """Begin TLS on this side; returns the ClientHello, which is the caller's to send."""
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing, server_side=False)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def handshake(self):
        """Go on until TLS is complete on this side; `Closed` if it fails."""
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.send_raw(self.outgoing.read())
                self.incoming.write(self._receive_raw())
            except ssl.SSLError as error:
                self.send_raw(self.outgoing.read())
                raise Closed(f"TLS handshake: {error}") from None
        self.send_raw(self.outgoing.read())

    def introduce(self, cluster):
        """PREINIT and its reply."""
        self.send(preinit(cluster))
        return self.expect(Type.PREINIT_REPLY)

    def secure(self, cluster):
        """PREINIT, STARTTLS, handshake."""
        self.introduce(cluster)
        self.send_raw(starttls() + self.client_hello())
        self.handshake()

    def init(self, node_id, **options):
        """INIT; returns its reply."""
        self.send(init(node_id, **options))
        return self.expect(Type.INIT_REPLY)

    def join(self, cluster, node_id, **options):
        """Everything up to a good INIT_REPLY."""
        if self.context is None:
            self.introduce(cluster)
        else:
            self.secure(cluster)
        check_equal(self.init(node_id, **options).error, Error.NONE, "error in INIT_REPLY")
        return self

    def echo(self):
        """One echo there and back, with a number of its own; whatever comes before it is dropped."""
        self.echoes += 1
        self.send(echo(self.echoes))
        while self.receive_until(Type.ECHO_REPLY).number(Option.SEQ) != self.echoes:
            pass

    def wait_vote(self, vote):
        """Until VOTE_INFO with this vote, each one confirmed."""
        while True:
            answer = self.receive_until(Type.VOTE_INFO)
            self.send(message(Type.VOTE_INFO_REPLY, u32(Option.SEQ, answer.number(Option.SEQ))))
            if answer.vote == vote:
                return answer
