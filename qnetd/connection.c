/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/connection.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Enough for an echo or a node list of a usual cluster, small enough for the allocator's fast bins. */
#define READ_SIZE_MIN 512
#define READ_SIZE_MAX 16384

struct connection *connection_new(uint64_t id, int fd, const char *peer, const struct connection_limits *limits)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        return NULL;
    connection->id = id;
    connection->fd = fd;
    connection->epoll_fd = -1;
    tls_channel_init(&connection->channel, fd);
    wire_framer_init(&connection->framer, limits->receive_size);
    q_buf_init(&connection->out);
    snprintf(connection->peer, sizeof(connection->peer), "%s", peer);
    return connection;
}

void connection_close(struct connection *connection)
{
    assert(connection->fd >= 0);
    if (tls_channel_state(&connection->channel) != TLS_CHANNEL_DEAD && !connection->handshaking &&
        connection_flush(connection) == Q_OK && !connection_has_output(connection))
        tls_channel_shutdown(&connection->channel);
    tls_channel_fini(&connection->channel);
    close(connection->fd);
    connection->fd = -1;
}

void connection_free(struct connection *connection)
{
    assert(connection->fd < 0);
    wire_framer_fini(&connection->framer);
    q_buf_fini(&connection->out);
    free(connection);
}

static enum q_err read_more(struct connection *connection, struct connection_turn *turn)
{
    bool plain = tls_channel_state(&connection->channel) == TLS_CHANNEL_PLAIN;
    size_t size = wire_framer_wanted(&connection->framer);
    size_t room, count;
    uint8_t *into;
    enum q_err err;

    if (!plain && size < READ_SIZE_MIN)
        size = READ_SIZE_MIN;
    if (size > READ_SIZE_MAX)
        size = READ_SIZE_MAX;
    into = wire_framer_room(&connection->framer, size, &room);
    if (into == NULL)
        return Q_ERR_NO_MEMORY;
    err = tls_channel_read(&connection->channel, into, room, &count);
    if (err != Q_OK) {
        turn->drained = true;
        return err;
    }
    wire_framer_fed(&connection->framer, count);
    /* A short read has emptied the socket, or at least the poll will say so if it has not. */
    turn->drained = count < room && !tls_channel_pending(&connection->channel);
    return Q_OK;
}

enum q_err connection_receive(struct connection *connection, struct connection_turn *turn, enum wire_frame *frame,
                              struct wire_frame_message *message)
{
    for (;;) {
        enum q_err err;

        if (turn->messages_left == 0) {
            bool hidden = wire_framer_buffered(&connection->framer) > 0 ||
                          tls_channel_pending(&connection->channel);

            return hidden ? Q_ERR_BUSY : Q_ERR_AGAIN;
        }
        *frame = wire_framer_next(&connection->framer, message);
        switch (*frame) {
        case WIRE_FRAME_MESSAGE:
        case WIRE_FRAME_SKIPPED:
            turn->messages_left--;
            /* In plain text nothing can lie ready behind the message; save the read that finds nothing. */
            if (tls_channel_state(&connection->channel) == TLS_CHANNEL_PLAIN)
                turn->drained = true;
            return Q_OK;
        case WIRE_FRAME_NO_MEMORY:
            return Q_ERR_NO_MEMORY;
        case WIRE_FRAME_MORE:
            break;
        }
        if (turn->drained)
            return Q_ERR_AGAIN;
        err = read_more(connection, turn);
        if (err != Q_OK)
            return err;
    }
}

/* The size of the message at `bytes`, header included: what leaves here is always whole messages. */
static size_t message_size(const uint8_t *bytes)
{
    return WIRE_HEADER_SIZE + ((size_t)bytes[2] << 24 | (size_t)bytes[3] << 16 | (size_t)bytes[4] << 8 | bytes[5]);
}

static void count_sent(struct connection *connection, size_t count)
{
    while (count >= connection->out_first_remaining && connection->out_messages > 0) {
        count -= connection->out_first_remaining;
        q_buf_consume(&connection->out, connection->out_first_remaining);
        connection->out_messages--;
        if (connection->out_messages > 0)
            connection->out_first_remaining = message_size(q_buf_bytes(&connection->out));
        else
            connection->out_first_remaining = 0;
    }
    if (count > 0) {
        connection->out_first_remaining -= count;
        q_buf_consume(&connection->out, count);
    }
}

bool connection_has_output(const struct connection *connection)
{
    return connection->out.size > 0;
}

enum q_err connection_flush(struct connection *connection)
{
    while (connection->out.size > 0) {
        size_t count;
        enum q_err err = tls_channel_write(&connection->channel, q_buf_bytes(&connection->out),
                                           connection->out.size, &count);

        if (err == Q_ERR_AGAIN)
            return Q_OK;
        if (err != Q_OK)
            return err;
        count_sent(connection, count);
    }
    q_buf_release(&connection->out);
    return Q_OK;
}

enum q_err connection_send(struct connection *connection, const struct connection_limits *limits,
                           const uint8_t *bytes, size_t size, bool more)
{
    size_t count = 0;

    assert(size >= WIRE_HEADER_SIZE && size == message_size(bytes));
    if (connection->out.size == 0 && !more) {
        enum q_err err = tls_channel_write(&connection->channel, bytes, size, &count);

        if (err != Q_OK && err != Q_ERR_AGAIN)
            return err;
        if (count == size)
            return Q_OK;
    }
    if (connection->out_messages >= limits->queued_messages ||
        connection->out.size + size - count > limits->queued_bytes)
        return Q_ERR_LIMIT;
    q_buf_append(&connection->out, bytes + count, size - count);
    if (connection->out.failed)
        return Q_ERR_NO_MEMORY;
    if (connection->out_messages++ == 0)
        connection->out_first_remaining = size - count;
    return more ? Q_OK : connection_flush(connection);
}

uint32_t connection_wanted_events(const struct connection *connection)
{
    enum tls_want want = tls_channel_want(&connection->channel);

    if (connection->handshaking)
        return want == TLS_WANT_WRITE ? EPOLLOUT : EPOLLIN;
    if (connection->tls_start_pending)
        return EPOLLOUT;
    return connection->out.size > 0 || want == TLS_WANT_WRITE ? EPOLLIN | EPOLLOUT : EPOLLIN;
}
