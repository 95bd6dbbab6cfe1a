/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's lists of connections: where each is waited for, and how it leaves. */
#include <stddef.h>
#include <sys/epoll.h>

#include "qnetd/server_internal.h"

enum q_err server_watch(struct connection *connection, int epoll_fd)
{
    struct epoll_event event = {.events = connection_wanted_events(connection), .data.u64 = connection->id};

    if (connection->epoll_fd == epoll_fd) {
        if (event.events == connection->epoll_events)
            return Q_OK;
        if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->stream.fd, &event) != 0)
            return Q_ERR_IO;
    } else {
        if (connection->epoll_fd >= 0)
            epoll_ctl(connection->epoll_fd, EPOLL_CTL_DEL, connection->stream.fd, NULL);
        connection->epoll_fd = -1;
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->stream.fd, &event) != 0)
            return Q_ERR_IO;
        connection->epoll_fd = epoll_fd;
    }
    connection->epoll_events = event.events;
    return Q_OK;
}

void server_leave_handshake(struct server *server, struct connection *connection)
{
    if (!connection->handshaking)
        return;
    connection->handshaking = false;
    server->handshake_count--;
    if (connection->handshake_previous != NULL)
        connection->handshake_previous->handshake_next = connection->handshake_next;
    else
        server->handshake_oldest = connection->handshake_next;
    if (connection->handshake_next != NULL)
        connection->handshake_next->handshake_previous = connection->handshake_previous;
    else
        server->handshake_newest = connection->handshake_previous;
}

void server_enter_handshake(struct server *server, struct connection *connection)
{
    connection->handshaking = true;
    connection->handshake_previous = server->handshake_newest;
    connection->handshake_next = NULL;
    if (server->handshake_newest != NULL)
        server->handshake_newest->handshake_next = connection;
    else
        server->handshake_oldest = connection;
    server->handshake_newest = connection;
    server->handshake_count++;
}

static void leave_turn_list(struct server *server, struct connection *connection)
{
    struct connection *previous = NULL, *at = server->turn_first;

    if (!connection->turn_pending)
        return;
    while (at != connection) {
        previous = at;
        at = at->turn_next;
    }
    if (previous == NULL)
        server->turn_first = connection->turn_next;
    else
        previous->turn_next = connection->turn_next;
    if (server->turn_last == connection)
        server->turn_last = previous;
    connection->turn_pending = false;
}

/* Closes; the struct stays until free_closed, because callers up the stack may still look at it. */
void server_drop(struct server *server, struct connection *connection)
{
    connection_table_remove(&server->connections, connection->id);
    leave_turn_list(server, connection);
    connection_close(connection); /* while it is known whether a handshake was under way */
    server_leave_handshake(server, connection);
    connection->epoll_fd = -1; /* the kernel forgets a closed descriptor by itself */
    connection->closed_next = server->closed;
    server->closed = connection;
}

void server_free_closed(struct server *server)
{
    while (server->closed != NULL) {
        struct connection *connection = server->closed;

        server->closed = connection->closed_next;
        connection_free(connection);
        server->closed_count++;
    }
}
