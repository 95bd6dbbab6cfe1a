/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The listening TCP socket: one wildcard socket for both address families, or the one that -4, -6 and -l ask
 * for (spec/qnet-protocol.md section 1). Opened once at start by main.
 */
#ifndef QUORATE_QNETD_LISTENER_H
#define QUORATE_QNETD_LISTENER_H

#include <stddef.h>

#include "common/err.h"
#include "qnetd/settings.h"

/* "::ffff:10.77.0.1:33390": address and port as the tools show them. */
#define LISTENER_PEER_SIZE 64

/* Non-blocking and close-on-exec in *fd. Q_ERR_IO: err_text says which step failed and what to do. */
enum q_err listener_open(const struct settings *settings, int *fd, char *err_text, size_t size);

/* Where a connection comes from. */
struct listener_peer {
    char text[LISTENER_PEER_SIZE]; /* address and port */
    uint32_t origin; /* hash of the IPv4 address, or of the IPv6 network (64 bits) that one customer usually has */
};

/*
 * Accepts one connection: non-blocking, close-on-exec, without Nagle's delay. Q_ERR_AGAIN: none is waiting;
 * Q_ERR_LIMIT: no descriptor or memory left; Q_ERR_IO: this one was lost, try the next.
 */
enum q_err listener_accept(int listener_fd, int *fd, struct listener_peer *peer);

#endif
