/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One client's TCP connection: the socket, its TLS channel, the framer for what comes in and the queue of what
 * could not be sent yet. Made by the server when it accepts, freed by it after the connection was closed.
 * Knows nothing of votes. Invariants: in plain text never a byte beyond the current message is read, so that a
 * ClientHello stays in the socket; the queue never holds more than the two limits; once an operation failed the
 * connection is only good for closing.
 */
#ifndef QUORATE_QNETD_CONNECTION_H
#define QUORATE_QNETD_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/tls/channel.h"
#include "common/wire/framer.h"
#include "qnetd/listener.h"

struct connection_limits {
    size_t receive_size;      /* of one message */
    uint32_t queued_messages; /* max_client_send_buffers */
    size_t queued_bytes;
};

struct connection {
    uint64_t id; /* slot and generation, see connection_table.h */
    int fd;
    uint32_t epoll_events; /* registered now */
    int epoll_fd;          /* where */
    struct tls_channel channel;
    struct wire_framer framer;

    struct q_buf out;          /* whole messages, of which the first may have gone in part */
    uint32_t out_messages;     /* how many */
    size_t out_first_remaining; /* bytes missing of the first one */

    bool tls_start_pending; /* the handshake begins when the queue has gone */
    bool turn_pending;      /* in the server's list of those with input left over */
    struct connection *turn_next;
    struct connection *handshake_previous; /* the server's list of handshakes under way */
    struct connection *handshake_next;
    bool handshaking;
    struct connection *closed_next; /* the server's list of those to be freed */
    char peer[LISTENER_PEER_SIZE];
};

/* Takes the descriptor over. NULL without memory (the descriptor then stays the caller's). */
struct connection *connection_new(uint64_t id, int fd, const char *peer, const struct connection_limits *limits);

/* Sends what the socket takes right now, says goodbye under TLS, closes the descriptor. */
void connection_close(struct connection *connection);

/* After connection_close. */
void connection_free(struct connection *connection);

/* Bookkeeping of one turn of reading, so that no client keeps the others waiting. */
struct connection_turn {
    uint32_t messages_left;
    bool drained; /* the socket has nothing more for now, as far as known */
};

/*
 * The next message of this turn. Q_OK: *frame is WIRE_FRAME_MESSAGE or WIRE_FRAME_SKIPPED with *message (valid
 * until the next call). Q_ERR_AGAIN: no whole message now; Q_ERR_BUSY: the turn is over and input is left that no
 * readiness of the socket may announce; Q_ERR_CLOSED, Q_ERR_INVALID, Q_ERR_IO, Q_ERR_NO_MEMORY: it is lost.
 */
enum q_err connection_receive(struct connection *connection, struct connection_turn *turn, enum wire_frame *frame,
                              struct wire_frame_message *message);

/*
 * Sends one whole message, as much as goes right now (nothing if `more` is to follow at once), and queues the rest.
 * Q_ERR_LIMIT: the peer does not take its messages and the queue is full; others: the connection is lost.
 */
enum q_err connection_send(struct connection *connection, const struct connection_limits *limits,
                           const uint8_t *bytes, size_t size, bool more);

/* Sends from the queue. Q_OK: what the socket took, see connection_has_output. Else: lost. */
enum q_err connection_flush(struct connection *connection);

bool connection_has_output(const struct connection *connection);

/* What to wait for (EPOLLIN, EPOLLOUT). */
uint32_t connection_wanted_events(const struct connection *connection);

#endif
