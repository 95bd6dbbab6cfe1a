/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct connection *connection_new(uint64_t id, int fd, const struct listener_peer *peer,
                                  const struct message_stream_limits *limits)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        return NULL;
    connection->id = id;
    connection->epoll_fd = -1;
    message_stream_init(&connection->stream, fd, limits);
    snprintf(connection->peer, sizeof(connection->peer), "%s", peer->text);
    connection->origin = peer->origin;
    return connection;
}

void connection_close(struct connection *connection)
{
    message_stream_close(&connection->stream, connection->phase != CONNECTION_HANDSHAKING && !connection->passed_on);
}

void connection_free(struct connection *connection)
{
    message_stream_fini(&connection->stream);
    free(connection);
}

uint32_t connection_wanted_events(const struct connection *connection)
{
    enum tls_want want = tls_channel_want(&connection->stream.channel);

    switch (connection->phase) {
    case CONNECTION_HANDSHAKING:
        return want == TLS_WANT_WRITE ? EPOLLOUT : EPOLLIN;
    case CONNECTION_FLUSHING:
        return EPOLLOUT;
    case CONNECTION_GREETING:
        return EPOLLIN;
    case CONNECTION_IN_LINE:
        return 0;
    case CONNECTION_TALKING:
        break;
    }
    if (connection_is_behind(connection))
        return EPOLLOUT;
    return connection->stream.out.size > 0 || want == TLS_WANT_WRITE ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

bool connection_is_behind(const struct connection *connection)
{
    return connection->stream.out_messages > 1 && !connection->stream.channel.send_broken;
}
