/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the arbiter passes a client's connection on to the enrolment program: one datagram with the connection's descriptor
 * and where it comes from, over a socket that both were born with. Neither ever waits: when the program is busy the
 * socket is full, and the connection is the arbiter's to close. Used by both.
 */
#ifndef QUORATE_CERTS_ENROL_HANDOVER_H
#define QUORATE_CERTS_ENROL_HANDOVER_H

#include <stdint.h>

#include "common/err.h"

#define HANDOVER_PEER_SIZE 64

struct handover {
    char peer[HANDOVER_PEER_SIZE]; /* address and port as in struct listener_peer of the arbiter, terminated */
};

/* The address in it; an IPv4 one in the form ::ffff:a.b.c.d; all zero if there is none. */
void handover_address(const struct handover *handover, uint8_t address[16]);

/* A connected pair: [0] is the arbiter's, [1] the program's; both non-blocking and close-on-exec. Q_ERR_IO with errno. */
enum q_err handover_pair(int fds[2]);

/* Passes a copy of `fd`; the caller closes its own in any case. Q_ERR_AGAIN: busy; Q_ERR_CLOSED: the program has gone. */
enum q_err handover_send(int channel, const struct handover *handover, int fd);

/* The next connection. Q_ERR_AGAIN: none; Q_ERR_CLOSED: the arbiter has gone, or wants the program to end; Q_ERR_IO. */
enum q_err handover_receive(int channel, struct handover *handover, int *fd);

#endif
