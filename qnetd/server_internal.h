/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server's insides, shared by server.c (events), server_actions.c and server_connections.c, and by nobody else.
 * A connection that is dropped stays in memory until server_free_closed, because callers up the stack may hold it.
 */
#ifndef QUORATE_QNETD_SERVER_INTERNAL_H
#define QUORATE_QNETD_SERVER_INTERNAL_H

#include "qnetd/server.h"

/* Waits, in that epoll instance, for what the connection wants now. Q_ERR_IO. */
enum q_err server_watch(struct connection *connection, int epoll_fd);

/* Moves the connection to a phase, and between the lists that go with it. */
void server_set_phase(struct server *server, struct connection *connection, enum connection_phase phase);

/*
 * Where a connection on its way to TLS is waited for. A flood of handshakes from one address must not keep others
 * waiting, so those have an epoll instance of their own, and each instance its share of the time.
 */
int server_handshake_fd(const struct server *server, const struct connection *connection);

/* Closes the connection; the arbiter is not told. */
void server_drop(struct server *server, struct connection *connection);
void server_free_closed(struct server *server);

/* It is another process's to wait for: the kernel would go on telling of it as long as that one has its socket. */
void server_unwatch(struct connection *connection);

/* A connection that failed while actions are carried out: gone at once, reported after them. */
void server_lose(struct server *server, struct connection *connection);

/*
 * Everything in plain text has gone, or something has changed since: the handshake begins, if the client has sent its
 * part and there is room for it. A handshake takes memory and, with a slow peer or worse, time: so few at once.
 */
enum q_err server_begin_handshake(struct server *server, struct connection *connection);

/* Carries out all actions of a step, in their order. */
void server_carry_out(struct server *server);

#endif
