/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/message_stream.h"

#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

/* Enough for an echo or a node list of a usual cluster, small enough for the allocator's fast bins. */
#define READ_SIZE_MIN 512
#define READ_SIZE_MAX 16384

#define DISCARDED_READS_MAX 16 /* more than a well-behaved peer ever has on its way */

void message_stream_init(struct message_stream *stream, int fd, const struct message_stream_limits *limits)
{
    stream->fd = fd;
    tls_channel_init(&stream->channel, fd);
    wire_framer_init(&stream->framer, limits->receive_size);
    q_buf_init(&stream->out);
    stream->out_messages = 0;
    stream->out_first_remaining = 0;
}

/* A socket closed over unread bytes resets the connection, and with it what was sent last. */
static void discard_input(int fd)
{
    char scratch[4096];

    for (int reads = 0; reads < DISCARDED_READS_MAX; reads++)
        if (recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT) <= 0)
            return;
}

void message_stream_close(struct message_stream *stream, bool goodbye)
{
    enum tls_channel_state state = tls_channel_state(&stream->channel);
    bool works = state == TLS_CHANNEL_PLAIN || state == TLS_CHANNEL_SECURE;

    assert(stream->fd >= 0);
    if (goodbye && works && message_stream_flush(stream) == Q_OK && !message_stream_has_output(stream)) {
        tls_channel_shutdown(&stream->channel);
        discard_input(stream->fd);
    }
    tls_channel_fini(&stream->channel);
    close(stream->fd);
    stream->fd = -1;
}

void message_stream_fini(struct message_stream *stream)
{
    assert(stream->fd < 0);
    wire_framer_fini(&stream->framer);
    q_buf_fini(&stream->out);
}

static enum q_err read_more(struct message_stream *stream, struct message_stream_turn *turn)
{
    bool plain = tls_channel_state(&stream->channel) == TLS_CHANNEL_PLAIN;
    size_t size = wire_framer_wanted(&stream->framer);
    size_t room, count;
    uint8_t *into;
    enum q_err err;

    if (!plain && size < READ_SIZE_MIN)
        size = READ_SIZE_MIN;
    if (size > READ_SIZE_MAX)
        size = READ_SIZE_MAX;
    into = wire_framer_room(&stream->framer, size, &room);
    if (into == NULL)
        return Q_ERR_NO_MEMORY;
    err = tls_channel_read(&stream->channel, into, room, &count);
    if (err != Q_OK) {
        wire_framer_fed(&stream->framer, 0); /* an idle connection keeps no room to read into */
        turn->drained = true;
        return err;
    }
    wire_framer_fed(&stream->framer, count);
    /* A short read has emptied the socket, or at least the poll will say so if it has not. */
    turn->drained = count < room && !tls_channel_pending(&stream->channel);
    return Q_OK;
}

enum q_err message_stream_receive(struct message_stream *stream, struct message_stream_turn *turn, enum wire_frame *frame,
                              struct wire_frame_message *message)
{
    for (;;) {
        enum q_err err;

        if (turn->messages_left == 0) {
            bool hidden = wire_framer_buffered(&stream->framer) > 0 ||
                          tls_channel_pending(&stream->channel);

            return hidden ? Q_ERR_BUSY : Q_ERR_AGAIN;
        }
        *frame = wire_framer_next(&stream->framer, message);
        switch (*frame) {
        case WIRE_FRAME_MESSAGE:
        case WIRE_FRAME_SKIPPED:
            turn->messages_left--;
            /* In plain text nothing can lie ready behind the message; save the read that finds nothing. */
            if (tls_channel_state(&stream->channel) == TLS_CHANNEL_PLAIN)
                turn->drained = true;
            return Q_OK;
        case WIRE_FRAME_NO_MEMORY:
            return Q_ERR_NO_MEMORY;
        case WIRE_FRAME_MORE:
            break;
        }
        if (turn->drained)
            return Q_ERR_AGAIN;
        err = read_more(stream, turn);
        if (err != Q_OK)
            return err;
    }
}

/* The size of the message at `bytes`, header included: what leaves here is always whole messages. */
static size_t message_size(const uint8_t *bytes)
{
    return WIRE_HEADER_SIZE + ((size_t)bytes[2] << 24 | (size_t)bytes[3] << 16 | (size_t)bytes[4] << 8 | bytes[5]);
}

static void count_sent(struct message_stream *stream, size_t count)
{
    while (count >= stream->out_first_remaining && stream->out_messages > 0) {
        count -= stream->out_first_remaining;
        q_buf_consume(&stream->out, stream->out_first_remaining);
        stream->out_messages--;
        if (stream->out_messages > 0)
            stream->out_first_remaining = message_size(q_buf_bytes(&stream->out));
        else
            stream->out_first_remaining = 0;
    }
    if (count > 0) {
        stream->out_first_remaining -= count;
        q_buf_consume(&stream->out, count);
    }
}

bool message_stream_has_output(const struct message_stream *stream)
{
    return stream->out.size > 0;
}

enum q_err message_stream_flush(struct message_stream *stream)
{
    while (stream->out.size > 0) {
        size_t count;
        enum q_err err = tls_channel_write(&stream->channel, q_buf_bytes(&stream->out),
                                           stream->out.size, &count);

        if (err == Q_ERR_AGAIN)
            return Q_OK;
        if (err != Q_OK)
            return err;
        count_sent(stream, count);
    }
    q_buf_release(&stream->out);
    return Q_OK;
}

enum q_err message_stream_send(struct message_stream *stream, const struct message_stream_limits *limits,
                           const uint8_t *bytes, size_t size, bool more)
{
    size_t count = 0;

    assert(size >= WIRE_HEADER_SIZE && size == message_size(bytes));
    if (stream->out.size == 0 && !more) {
        enum q_err err = tls_channel_write(&stream->channel, bytes, size, &count);

        if (err != Q_OK && err != Q_ERR_AGAIN)
            return err;
        if (count == size)
            return Q_OK;
    }
    if (stream->out_messages >= limits->queued_messages ||
        stream->out.size + size - count > limits->queued_bytes)
        return Q_ERR_LIMIT;
    q_buf_append(&stream->out, bytes + count, size - count);
    if (stream->out.failed)
        return Q_ERR_NO_MEMORY;
    if (stream->out_messages++ == 0)
        stream->out_first_remaining = size - count;
    return more ? Q_OK : message_stream_flush(stream);
}
