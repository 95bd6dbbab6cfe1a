/* SPDX-License-Identifier: BSD-3-Clause */
/* What the arbiter wants done, done. Never calls the arbiter: what comes of it waits as a follow-up. */
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "qnetd/client_hello.h"
#include "qnetd/server_internal.h"

static void follow_up(struct server *server, const struct server_follow_up *event)
{
    if (server->follow_up_count == server->follow_up_capacity) {
        size_t capacity = server->follow_up_capacity == 0 ? 16 : server->follow_up_capacity * 2;
        void *grown = realloc(server->follow_ups, capacity * sizeof(*server->follow_ups));

        /* Losing one would break the contract with the arbiter: a vote could be given twice. */
        if (grown == NULL) {
            log_line(LOG_CRIT, "Out of memory");
            abort();
        }
        server->follow_ups = grown;
        server->follow_up_capacity = capacity;
    }
    server->follow_ups[server->follow_up_count++] = *event;
}

void server_lose(struct server *server, struct connection *connection)
{
    struct server_follow_up event = {.type = ARBITER_EV_DISCONNECTED, .conn = connection->id};

    server_drop(server, connection);
    follow_up(server, &event);
}

static void carry_out_send(struct server *server, size_t index)
{
    const struct arbiter_actions *actions = &server->actions;
    const struct arbiter_action *action = &actions->items[index];
    struct connection *connection = connection_table_get(&server->connections, action->conn);
    /* Two messages to the same peer leave in one segment. */
    bool more = index + 1 < actions->count && actions->items[index + 1].type == ARBITER_ACT_SEND &&
                actions->items[index + 1].conn == action->conn;
    enum q_err err;

    if (connection == NULL) /* failed a moment ago, the arbiter is about to learn */
        return;
    err = message_stream_send(&connection->stream, &server->limits,
                              arbiter_actions_bytes(actions, action->data), action->data.size, more);
    if (err == Q_OK)
        err = more ? Q_OK : server_watch(connection, connection->epoll_fd);
    if (err == Q_OK)
        return;
    if (err == Q_ERR_LIMIT)
        note_log_closed(&server->note_log, connection->peer, "it does not take its messages (max_client_send_buffers)",
                        clock_monotonic_ms());
    else if (log_enabled(LOG_DEBUG))
        log_line(LOG_DEBUG, "client %s: cannot send: %s", connection->peer,
                 tls_channel_error(&connection->stream.channel));
    server_lose(server, connection);
}

enum q_err server_begin_handshake(struct server *server, struct connection *connection)
{
    int fd = connection->stream.fd;
    enum q_err err;

    if (connection->phase != CONNECTION_IN_LINE) {
        server_set_phase(server, connection, CONNECTION_GREETING);
        err = client_hello_arrived(fd, &connection->hello_awaited);
        if (err != Q_OK)
            return err == Q_ERR_AGAIN ? server_watch(connection, server_handshake_fd(server, connection))
                                      : err;
    }
    if (server->handshakes.count >= server->settings->max_handshakes) {
        server_set_phase(server, connection, CONNECTION_IN_LINE);
        return server_watch(connection, server_handshake_fd(server, connection));
    }
    if (connection->hello_awaited > 0)
        client_hello_finish(fd);
    err = tls_channel_start(&connection->stream.channel, server->identity->credentials);
    if (err != Q_OK)
        return err;
    server_set_phase(server, connection, CONNECTION_HANDSHAKING);
    connection->handshake_since_ms = clock_monotonic_ms();
    return server_watch(connection, server_handshake_fd(server, connection));
}

static void carry_out_start_tls(struct server *server, uint64_t conn)
{
    struct connection *connection = connection_table_get(&server->connections, conn);
    enum q_err err = Q_OK;

    if (connection == NULL)
        return;
    if (wire_framer_buffered(&connection->stream.framer) > 0 || server->identity->credentials == NULL) {
        note_log_closed(&server->note_log, connection->peer, "plain text behind STARTTLS", clock_monotonic_ms());
        server_lose(server, connection);
        return;
    }
    if (message_stream_has_output(&connection->stream)) {
        server_set_phase(server, connection, CONNECTION_FLUSHING);
        err = server_watch(connection, connection->epoll_fd);
    } else {
        err = server_begin_handshake(server, connection);
    }
    if (err != Q_OK)
        server_lose(server, connection);
}

static void carry_out_close(struct server *server, const struct arbiter_action *action)
{
    struct connection *connection = connection_table_get(&server->connections, action->conn);

    note_log_write(&server->note_log, server->arbiter, &server->actions, action,
                   connection == NULL ? "(gone)" : connection->peer, clock_monotonic_ms());
    if (connection != NULL)
        server_drop(server, connection);
}

static void carry_out_persist(struct server *server, const struct arbiter_action *action)
{
    const struct arbiter_actions *actions = &server->actions;
    struct wire_bytes name = {arbiter_actions_bytes(actions, action->name), action->name.size};
    struct server_follow_up event = {
        .type = ARBITER_EV_PERSISTED, .cluster_id = action->cluster_id, .generation = action->generation};

    event.result = state_dir_persist(server->state, name, arbiter_actions_bytes(actions, action->data),
                                     action->data.size);
    follow_up(server, &event);
}

static void carry_out_note(struct server *server, const struct arbiter_action *action)
{
    const struct arbiter_actions *actions = &server->actions;
    struct connection *connection = connection_table_get(&server->connections, action->conn);

    struct wire_bytes name = {arbiter_actions_bytes(actions, action->name), action->name.size};

    if (note_log_write(&server->note_log, server->arbiter, actions, action,
                       connection == NULL ? NULL : connection->peer, clock_monotonic_ms()) &&
        action->kind == ARBITER_NOTE_DECISION)
        decisions_add(server->decisions, clock_wall_ms(), note_log_priority(action->level), name, action->node_id,
                      arbiter_actions_text(actions, action->data));
}

void server_carry_out(struct server *server)
{
    for (size_t i = 0; i < server->actions.count; i++) {
        const struct arbiter_action *action = &server->actions.items[i];
        struct wire_bytes name;

        switch (action->type) {
        case ARBITER_ACT_SEND:
            carry_out_send(server, i);
            break;
        case ARBITER_ACT_START_TLS:
            carry_out_start_tls(server, action->conn);
            break;
        case ARBITER_ACT_CLOSE:
            carry_out_close(server, action);
            break;
        case ARBITER_ACT_PERSIST:
            carry_out_persist(server, action);
            break;
        case ARBITER_ACT_FORGET:
            name =
                (struct wire_bytes){arbiter_actions_bytes(&server->actions, action->name), action->name.size};
            state_dir_forget(server->state, name);
            break;
        case ARBITER_ACT_NOTE:
            carry_out_note(server, action);
            break;
        }
    }
    arbiter_actions_reset(&server->actions);
}
