/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the map of statistics tells of the clients (spec/corosync-ipc.md section 5.9), under the packaged names; where those
 * have an address in the daemon's memory, ours have the connection's id.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <qb/qbdefs.h>

#include "core/ipc_server_internal.h"

#define PREFIX "stats.ipcs."

struct group {
    struct cmap_store *keys;
    char prefix[96];
};

static void set_number(const struct group *group, const char *name, enum cmap_type type, uint64_t number)
{
    char key[CMAP_NAME_MAX + 1];

    snprintf(key, sizeof(key), "%s%s", group->prefix, name);
    cmap_store_set_number(group->keys, key, type, number, NULL);
}

static void begin_connection(struct group *group, const struct ipc_connection *connection)
{
    snprintf(group->prefix, sizeof(group->prefix), PREFIX "service%d.%" PRIu32 ".0x%" PRIx64 ".", (int)connection->service,
             connection->pid, connection->id);
}

static void set_connection(struct group *group, const struct ipc_connection *connection)
{
    struct qb_ipcs_connection_stats statistics = {0};
    char key[CMAP_NAME_MAX + 1];

    (void)qb_ipcs_connection_stats_get(connection->qb, &statistics, QB_FALSE);
    begin_connection(group, connection);
    snprintf(key, sizeof(key), "%sprocname", group->prefix);
    cmap_store_set_text(group->keys, key, connection->process_name, NULL);
    set_number(group, "dispatched", CMAP_U64, connection->events_sent);
    set_number(group, "flow_control", CMAP_U32, (uint32_t)statistics.flow_control_state);
    set_number(group, "flow_control_count", CMAP_U64, statistics.flow_control_count);
    set_number(group, "invalid_request", CMAP_U64, connection->invalid_requests);
    set_number(group, "overload", CMAP_U64, connection->overloads);
    set_number(group, "queued", CMAP_U32, connection->queues[IPC_EVENT].count);
    set_number(group, "queueing", CMAP_I32, connection->queues[IPC_EVENT].first != NULL);
    set_number(group, "recv_retries", CMAP_U64, statistics.recv_retries);
    set_number(group, "requests", CMAP_U64, statistics.requests);
    set_number(group, "responses", CMAP_U64, statistics.responses);
    set_number(group, "send_retries", CMAP_U64, statistics.send_retries);
    set_number(group, "sent", CMAP_U32, statistics.events);
}

/* Keys of a connection that has ended. */
static void delete_old(struct ipc_server *server, struct group *group)
{
    char name[CMAP_NAME_MAX + 1] = PREFIX "service";
    struct cmap_value value;
    const char *next;

    while ((next = cmap_store_next(group->keys, PREFIX "service", name, &value)) != NULL) {
        const char *id_text = strstr(next, ".0x");
        uint64_t id = 0;
        size_t slot;

        snprintf(name, sizeof(name), "%s", next);
        if (id_text == NULL || sscanf(id_text, ".0x%" SCNx64, &id) != 1)
            continue;
        slot = id & IPC_CONNECTIONS_MAX;
        if (slot >= server->slot_count || server->slots[slot] == NULL || server->slots[slot]->id != id)
            cmap_store_delete(group->keys, name, NULL);
    }
}

void ipc_server_statistics(struct ipc_server *server, struct cmap_store *keys)
{
    struct group group = {.keys = keys, .prefix = PREFIX};

    delete_old(server, &group);
    set_number(&group, "global.active", CMAP_U64, server->active_count);
    set_number(&group, "global.closed", CMAP_U64, server->closed_count);
    for (size_t i = 0; i < server->slot_count; i++) {
        if (server->slots[i] != NULL && server->slots[i]->is_announced)
            set_connection(&group, server->slots[i]);
    }
}

void ipc_server_clear_statistics(struct ipc_server *server)
{
    server->closed_count = 0;
    for (size_t i = 0; i < server->slot_count; i++) {
        struct ipc_connection *connection = server->slots[i];
        struct qb_ipcs_connection_stats statistics;

        if (connection == NULL)
            continue;
        (void)qb_ipcs_connection_stats_get(connection->qb, &statistics, QB_TRUE);
        connection->events_sent = connection->invalid_requests = connection->overloads = 0;
    }
}
