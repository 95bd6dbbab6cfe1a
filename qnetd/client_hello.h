/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether a client's first TLS record lies in its socket as a whole. Until it does the client gets no TLS state: one
 * that is silent, or sends its hello byte by byte, costs a descriptor and not the tens of kilobytes of a handshake.
 * Looks without taking; used by the server between STARTTLS and the handshake.
 */
#ifndef QUORATE_QNETD_CLIENT_HELLO_H
#define QUORATE_QNETD_CLIENT_HELLO_H

#include "common/err.h"

/*
 * Q_OK: the handshake can begin (or fail at once: what has come is no TLS). Q_ERR_AGAIN: wait for readiness, which now
 * means as many bytes as are missing. Q_ERR_CLOSED: they will not come. *awaited is memory of the connection, 0 at first.
 */
enum q_err client_hello_arrived(int fd, int *awaited);

/* Readiness means a single byte again. */
void client_hello_finish(int fd);

#endif
