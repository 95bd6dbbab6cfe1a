# SPDX-License-Identifier: BSD-3-Clause
"""Who must not get in by enrolment: guessers, replayers, men in the middle. They live in the sandbox itself, on addresses of
their own, and speak the protocol of docs/enrolment.md as they like.

    attach(lab, 240)                                an address for them
    say(arbiter, join(id, proof=...))               one message, and what the arbiter answers: an `Answer`, or None
    with Middle(lab, arbiter, context) as middle    listens at middle.address and ends TLS itself
    with Relay(lab, arbiter) as relay               listens too, and notes the bytes that pass both ways
"""

import contextlib
import dataclasses
import select
import socket
import ssl
import struct
import subprocess
import threading

from .net import Wires
from .qnet import PORT

ALPN = "quorate-enrol/01"
TIMEOUT_S = 10
ID, CLUSTER, NODE, REQUEST, CERTIFICATE, AUTHORITY, REASON, TEXT, PROOF, TIME = range(1, 11)
JOIN, RENEW, GRANTED, REFUSED, ASK, VERDICT = range(1, 7)
BAD_MESSAGE, UNKNOWN, EXPIRED, USED, OTHER_CLUSTER, BAD_PROOF, FAILED, NOT_ENTITLED = range(1, 9)


def attach(lab, number):
    """An address on the arbiter's net."""
    lab.wires.attach("arb", number)
    return Wires.address("arb", number)


# ---- messages ----

def field(tag, value):
    return struct.pack(">HH", tag, len(value)) + value


def message(kind, *fields):
    body = b"".join(fields)
    return struct.pack(">BBH", kind, 0, len(body)) + body


def join(invitation, proof=bytes(64), request=b"no request", cluster=None):
    """A JOIN; `invitation` is an id."""
    return message(JOIN, field(ID, invitation), field(CLUSTER, cluster) if cluster else b"", field(REQUEST, request),
                   field(PROOF, proof))


@dataclasses.dataclass
class Answer:
    """What the arbiter said."""

    kind: int
    reason: int = 0
    text: str = ""


def _decode(data):
    answer = Answer(data[0])
    at = 4
    while at < len(data):
        tag, size = struct.unpack_from(">HH", data, at)
        value = data[at + 4:at + 4 + size]
        if tag == REASON:
            answer.reason = value[0]
        elif tag == TEXT:
            answer.text = value.decode()
        at += 4 + size
    return answer


# ---- connections ----

def trusting_context(alpn=ALPN, certificate=None):
    """TLS 1.3 that believes anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if alpn:
        context.set_alpn_protocols([alpn])
    if certificate:
        context.load_cert_chain(certificate)
    return context


def say(arbiter, data, source="", context=None):
    """Connect, send these bytes under TLS; returns the `Answer`, or None if the connection ended without one."""
    try:
        with socket.create_connection((arbiter, PORT), TIMEOUT_S, (source, 0)) as plain, \
                (context or trusting_context()).wrap_socket(plain) as secure:
            secure.sendall(data)
            received = b""
            while chunk := secure.recv(65536):
                received += chunk
    except (ssl.SSLError, ConnectionError):
        return None
    return _decode(received) if received else None


class _Listener:
    """Accepts connections on an address of the sandbox, one thread each."""

    def __init__(self, lab, number, upstream):
        self.address = attach(lab, number)
        self.upstream = upstream
        self.socket = socket.create_server((self.address, PORT))
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self._serve_quietly, args=(client,), daemon=True).start()

    def _serve_quietly(self, client):
        with client, contextlib.suppress(OSError):
            client.settimeout(TIMEOUT_S)
            self.serve(client)

    def serve(self, client):
        """One connection."""
        raise NotImplementedError


class Middle(_Listener):
    """A man in the middle who ends TLS with a certificate of his own, and passes on what he hears."""

    def __init__(self, lab, upstream, certificate, number=241):
        super().__init__(lab, number, upstream)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.context.set_alpn_protocols([ALPN])
        self.heard = b""
        self.handshakes = 0

    def serve(self, client):
        with self.context.wrap_socket(client, server_side=True) as secure:
            self.handshakes += 1
            self.heard += secure.recv(65536)
            say(self.upstream, self.heard)


class Relay(_Listener):
    """Passes bytes on, and notes what the node sent."""

    def __init__(self, lab, upstream, number=242):
        super().__init__(lab, number, upstream)
        self.noted = b""

    def serve(self, client):
        with socket.create_connection((self.upstream, PORT), TIMEOUT_S) as arbiter:
            while True:
                for ready in select.select([client, arbiter], [], [], TIMEOUT_S)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if ready is client:
                        self.noted += data
                    (arbiter if ready is client else client).sendall(data)


def play_again(arbiter, data):
    """Send recorded bytes on a new connection; returns all that comes back."""
    received = b""
    with socket.create_connection((arbiter, PORT), TIMEOUT_S) as plain, contextlib.suppress(OSError):
        plain.sendall(data)
        while chunk := plain.recv(65536):
            received += chunk
    return received


def forge(directory):
    """An authority and an arbiter's certificate that look like the real ones; returns the file for `Middle`."""
    def openssl(*words):
        subprocess.run(["/usr/bin/openssl", *words], cwd=directory, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=QNet CA",
            "-days", "30")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=Qnetd Server")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "102", "-days", "30",
            "-out", "server.pem")
    forged = directory / "forged.pem"
    forged.write_text("".join((directory / name).read_text() for name in ("server.key", "server.pem", "ca.pem")))
    return forged


class Flood:
    """Connections that begin an enrolment and say no more, from several addresses, as fast as one thread can; `count` of them
    have been made."""

    def __init__(self, lab, arbiter, numbers=range(200, 208), held=400):
        self.sources = [attach(lab, number) for number in numbers]
        self.arbiter = arbiter
        self.held = held
        self.count = 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.hello = self._hello()

    @staticmethod
    def _hello():
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusting_context().wrap_bio(incoming, outgoing)
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        return outgoing.read()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()

    def _run(self):
        open_ones = []
        while not self.stopped.is_set():
            one = socket.socket()
            one.bind((self.sources[self.count % len(self.sources)], 0))
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect((self.arbiter, PORT))
            select.select([], [one], [], 0.2)
            with contextlib.suppress(OSError):
                one.send(self.hello[:-1] if self.count % 2 else self.hello)
            open_ones.append(one)
            self.count += 1
            if len(open_ones) > self.held:
                open_ones.pop(0).close()
        for one in open_ones:
            one.close()
