# SPDX-License-Identifier: BSD-3-Clause
"""What a TLS peer may do and Python's ssl module does not offer: key updates and renegotiation, by libssl itself.

    peer = Peer(probe.socket, certificate_path)    TLS 1.3, or 1.2 with `renegotiates=True`; handshake done
    peer.update_keys()                              False once the other side has had enough
    peer.renegotiate()
"""

import ctypes
import socket
import struct

from .wait import check

_METHOD_MIN, _METHOD_MAX = 123, 124
_TLS_1_2, _TLS_1_3 = 0x0303, 0x0304
_PEM = 1
_TIMEOUT_S = 5


def _load():
    library = ctypes.CDLL("libssl.so.3")
    for name, result, *arguments in (
            ("TLS_client_method", "p"), ("SSL_CTX_new", "p", "p"), ("SSL_CTX_free", None, "p"),
            ("SSL_CTX_ctrl", "l", "p", "i", "l", "p"), ("SSL_CTX_use_certificate_file", "i", "p", "s", "i"),
            ("SSL_CTX_use_PrivateKey_file", "i", "p", "s", "i"), ("SSL_new", "p", "p"), ("SSL_free", None, "p"),
            ("SSL_set_fd", "i", "p", "i"), ("SSL_connect", "i", "p"), ("SSL_do_handshake", "i", "p"),
            ("SSL_write", "i", "p", "s", "i"), ("SSL_key_update", "i", "p", "i"), ("SSL_renegotiate", "i", "p")):
        kinds = {"p": ctypes.c_void_p, "i": ctypes.c_int, "l": ctypes.c_long, "s": ctypes.c_char_p, None: None}
        function = getattr(library, name)
        function.restype = kinds[result]
        function.argtypes = [kinds[argument] for argument in arguments]
    return library


class Peer:
    """The client's side of TLS over a connected socket. `close` frees it, the socket stays the caller's."""

    _library = None

    def __init__(self, connection, certificate, renegotiates=False):
        cls = type(self)
        cls._library = cls._library or _load()
        lib = self._library
        version = _TLS_1_2 if renegotiates else _TLS_1_3
        self.context = lib.SSL_CTX_new(lib.TLS_client_method())
        for command in (_METHOD_MIN, _METHOD_MAX):
            lib.SSL_CTX_ctrl(self.context, command, version, None)
        path = str(certificate).encode()
        check(lib.SSL_CTX_use_certificate_file(self.context, path, _PEM) == 1
              and lib.SSL_CTX_use_PrivateKey_file(self.context, path, _PEM) == 1, f"libssl cannot read {certificate}")
        connection.setblocking(True)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            connection.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", _TIMEOUT_S, 0))
        self.ssl = lib.SSL_new(self.context)
        lib.SSL_set_fd(self.ssl, connection.fileno())
        check(lib.SSL_connect(self.ssl) == 1, "TLS handshake by libssl failed")

    def write(self, data):
        return self._library.SSL_write(self.ssl, data, len(data)) == len(data)

    def update_keys(self, answer=False):
        """Send a KeyUpdate, perhaps asking for one in return."""
        return (self._library.SSL_key_update(self.ssl, int(answer)) == 1
                and self._library.SSL_do_handshake(self.ssl) == 1)

    def renegotiate(self):
        """Ask for a new handshake."""
        return (self._library.SSL_renegotiate(self.ssl) == 1
                and self._library.SSL_do_handshake(self.ssl) == 1)

    def close(self):
        self._library.SSL_free(self.ssl)
        self._library.SSL_CTX_free(self.context)
