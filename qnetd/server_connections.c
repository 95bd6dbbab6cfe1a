/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's lists of connections: where each is waited for, and how it leaves. */
#include <stddef.h>
#include <sys/epoll.h>

#include "qnetd/server_internal.h"

/* As many on the way to TLS from one address are no crowd: a site's gateway may stand for several nodes. */
#define ADDRESS_SECURING_MAX 16

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

void server_unwatch(struct connection *connection)
{
    if (connection->epoll_fd >= 0)
        epoll_ctl(connection->epoll_fd, EPOLL_CTL_DEL, connection->stream.fd, NULL);
    connection->epoll_fd = -1;
}

static void list_add(struct connection_list *list, struct connection *connection)
{
    connection->list_previous = list->newest;
    connection->list_next = NULL;
    if (list->newest != NULL)
        list->newest->list_next = connection;
    else
        list->oldest = connection;
    list->newest = connection;
    list->count++;
}

static void list_add_first(struct connection_list *list, struct connection *connection)
{
    connection->list_previous = NULL;
    connection->list_next = list->oldest;
    if (list->oldest != NULL)
        list->oldest->list_previous = connection;
    else
        list->newest = connection;
    list->oldest = connection;
    list->count++;
}

static void list_remove(struct connection_list *list, struct connection *connection)
{
    if (connection->list_previous != NULL)
        connection->list_previous->list_next = connection->list_next;
    else
        list->oldest = connection->list_next;
    if (connection->list_next != NULL)
        connection->list_next->list_previous = connection->list_previous;
    else
        list->newest = connection->list_previous;
    list->count--;
}

static bool is_securing(enum connection_phase phase)
{
    return phase == CONNECTION_GREETING || phase == CONNECTION_IN_LINE || phase == CONNECTION_HANDSHAKING;
}

/* The count of connections on the way to TLS from where this one comes. */
static uint32_t *securing_count(struct server *server, const struct connection *connection)
{
    return &server->securing_counts[connection->origin % SERVER_ADDRESS_BUCKETS];
}

int server_handshake_fd(const struct server *server, const struct connection *connection)
{
    return connection->crowded ? server->crowd_fd : server->handshake_fd;
}

void server_set_phase(struct server *server, struct connection *connection, enum connection_phase phase)
{
    if (!is_securing(connection->phase) && is_securing(phase))
        connection->crowded = ++*securing_count(server, connection) > ADDRESS_SECURING_MAX;
    else if (is_securing(connection->phase) && !is_securing(phase))
        --*securing_count(server, connection);
    if (connection->phase == CONNECTION_IN_LINE)
        list_remove(&server->in_line, connection);
    else if (connection->phase == CONNECTION_HANDSHAKING)
        list_remove(&server->handshakes, connection);
    connection->phase = phase;
    if (phase == CONNECTION_IN_LINE && connection->crowded)
        list_add(&server->in_line, connection);
    else if (phase == CONNECTION_IN_LINE)
        list_add_first(&server->in_line, connection);
    else if (phase == CONNECTION_HANDSHAKING)
        list_add(&server->handshakes, connection);
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
    server_set_phase(server, connection, CONNECTION_TALKING);
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
