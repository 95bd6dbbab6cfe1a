/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole qnet messages over one TCP connection: the socket, its TLS channel, the framer for what comes in and the queue of
 * what could not be sent yet. Embedded by whoever owns the connection, on both sides of the protocol; must not move once
 * it is in use. Knows neither votes nor readiness loops. Invariants: in plain text never a byte beyond the current message
 * is read, so that a TLS handshake stays in the socket; the queue never holds more than the two limits; once an operation
 * has failed the stream is only good for closing.
 */
#ifndef QUORATE_COMMON_MESSAGE_STREAM_H
#define QUORATE_COMMON_MESSAGE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/tls/channel.h"
#include "common/wire/framer.h"

struct message_stream_limits {
    size_t receive_size;      /* of one message */
    uint32_t queued_messages; /* waiting to be sent */
    size_t queued_bytes;
};

struct message_stream {
    int fd; /* -1: closed */
    struct tls_channel channel;
    struct wire_framer framer;

    struct q_buf out;           /* whole messages, of which the first may have gone in part */
    uint32_t out_messages;      /* how many */
    size_t out_first_remaining; /* bytes missing of the first one */
};

/* Takes the descriptor over: connected and non-blocking, or (to be closed only) still connecting. */
void message_stream_init(struct message_stream *stream, int fd, const struct message_stream_limits *limits);

/*
 * Closes the descriptor. `goodbye`: first sends what the socket takes right now and, under TLS, close_notify,
 * and drops what has come in; without it, the peer sees a connection that just ends.
 */
void message_stream_close(struct message_stream *stream, bool goodbye);

/* Frees the rest; after message_stream_close. */
void message_stream_fini(struct message_stream *stream);

/* Bookkeeping of one turn of reading, so that no peer keeps the others waiting. */
struct message_stream_turn {
    uint32_t messages_left;
    bool drained; /* the last read left the socket empty, or readiness announces what it left */
};

/*
 * The next message of this turn. Q_OK: *frame is WIRE_FRAME_MESSAGE or WIRE_FRAME_SKIPPED with *message (valid
 * until the next call). Q_ERR_AGAIN: no whole message now; Q_ERR_BUSY: the turn is over and input is left that no
 * readiness of the socket may announce; Q_ERR_CLOSED, Q_ERR_INVALID, Q_ERR_IO, Q_ERR_NO_MEMORY: it is lost.
 */
enum q_err message_stream_receive(struct message_stream *stream, struct message_stream_turn *turn,
                                  enum wire_frame *frame, struct wire_frame_message *message);

/*
 * Sends one whole message, as much as goes right now (nothing if `more` is to follow at once), and queues the rest.
 * Q_ERR_LIMIT: the peer does not take its messages and the queue is full; others: the connection is lost.
 */
enum q_err message_stream_send(struct message_stream *stream, const struct message_stream_limits *limits,
                               const uint8_t *bytes, size_t size, bool more);

/* Sends from the queue. Q_OK: what the socket took, see message_stream_has_output. Else: lost. */
enum q_err message_stream_flush(struct message_stream *stream);

bool message_stream_has_output(const struct message_stream *stream);

#endif
