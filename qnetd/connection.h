/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One client's TCP connection: its stream of messages, and its places in the server's lists. Made by the server when it
 * accepts, freed by it after the connection was closed. Knows nothing of votes.
 */
#ifndef QUORATE_QNETD_CONNECTION_H
#define QUORATE_QNETD_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/message_stream.h"
#include "qnetd/listener.h"

enum connection_phase {
    CONNECTION_TALKING,  /* messages, in plain text or under TLS */
    CONNECTION_FLUSHING, /* TLS is to start when the queue has gone */
    CONNECTION_GREETING, /* when the client's first record has come as a whole */
    CONNECTION_IN_LINE,  /* when other handshakes have ended */
    CONNECTION_HANDSHAKING
};

struct connection {
    uint64_t id; /* slot and generation, see connection_table.h */
    struct message_stream stream;
    uint32_t epoll_events; /* registered now */
    int epoll_fd;          /* where */

    enum connection_phase phase;
    bool turn_pending; /* in the server's list of those with input left over */
    struct connection *turn_next;
    struct connection *list_previous; /* the server's list of those in line, or of handshakes under way */
    struct connection *list_next;
    int hello_awaited; /* bytes of the first record */
    bool member;       /* it may send large messages */
    bool begun;        /* its first byte has been looked at */
    bool passed_on;    /* another process has its socket now */
    bool crowded;      /* many from its address were on the way to TLS when it joined them */
    uint64_t handshake_since_ms;
    struct connection *closed_next; /* the server's list of those to be freed */
    char peer[LISTENER_PEER_SIZE];
    uint32_t origin; /* see listener_peer */
};

/* Takes the descriptor over. NULL without memory (the descriptor then stays the caller's). */
struct connection *connection_new(uint64_t id, int fd, const struct listener_peer *peer,
                                  const struct message_stream_limits *limits);

/* Sends what the socket takes right now, says goodbye under TLS, closes the descriptor. */
void connection_close(struct connection *connection);

/* After connection_close. */
void connection_free(struct connection *connection);

/* What to wait for (EPOLLIN, EPOLLOUT; 0: only for its end). */
uint32_t connection_wanted_events(const struct connection *connection);

/* It does not take what it is sent: until it does, it is not listened to either. */
bool connection_is_behind(const struct connection *connection);

#endif
