/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cpg_machine.h"

#define NOTE_SIZE 256
#define FIRST_CAPACITY 8

/* ---- what everybody needs --------------------------------------------------------------------------------------- */

void *cpg_grow(struct cpg *cpg, void *items, size_t *capacity, size_t count, size_t item_size)
{
    size_t wanted = *capacity > 0 ? 2 * *capacity : FIRST_CAPACITY;
    void *grown;

    if (count < *capacity)
        return items;
    grown = realloc(items, wanted * item_size);
    if (grown == NULL)
        cpg->no_memory = true;
    else
        *capacity = wanted;
    return grown;
}

bool cpg_list_add(struct cpg *cpg, uint32_t node_id, uint32_t pid, enum cpg_reason reason)
{
    struct cpg_address *list = cpg_grow(cpg, cpg->list, &cpg->list_capacity, cpg->list_count, sizeof(*list));

    if (list == NULL)
        return false;
    cpg->list = list;
    cpg->list[cpg->list_count++] = (struct cpg_address){node_id, pid, reason};
    return true;
}

void cpg_complain(struct cpg *cpg, struct cpg_complaints *complaints, const char *format, ...)
{
    char text[NOTE_SIZE];
    va_list arguments;

    if (cpg->now_ms < complaints->next_ms) {
        complaints->silent_count++;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (complaints->silent_count == 0)
        outbox_note(cpg->out, SERVICE_CPG, OUTBOX_WARNING, "%s: ignored", text);
    else
        outbox_note(cpg->out, SERVICE_CPG, OUTBOX_WARNING, "%s: ignored, and %" PRIu64 " others before", text,
                    complaints->silent_count);
    complaints->next_ms = cpg->now_ms + CPG_COMPLAINT_MS;
    complaints->silent_count = 0;
}

/* ---- connections -------------------------------------------------------------------------------------------------- */

static size_t find_place(const struct cpg *cpg, uint64_t id)
{
    size_t low = 0;
    size_t high = cpg->conn_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (cpg->conns[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct cpg_conn *find_conn(const struct cpg *cpg, uint64_t id)
{
    size_t index = find_place(cpg, id);

    assert(index < cpg->conn_count && cpg->conns[index]->id == id);
    return cpg->conns[index];
}

static void on_connect(struct cpg *cpg, uint64_t id)
{
    size_t index = find_place(cpg, id);
    struct cpg_conn **conns = cpg_grow(cpg, cpg->conns, &cpg->conn_capacity, cpg->conn_count, sizeof(*conns));
    struct cpg_conn *conn = calloc(1, sizeof(*conn));

    if (conns != NULL)
        cpg->conns = conns;
    if (conns == NULL || conn == NULL) {
        cpg->no_memory = true;
        free(conn);
        return;
    }
    assert(id != 0 && (index == cpg->conn_count || conns[index]->id != id));
    memmove(conns + index + 1, conns + index, (cpg->conn_count - index) * sizeof(*conns));
    conn->id = id;
    conns[index] = conn;
    cpg->conn_count++;
}

void cpg_conn_unjoin(struct cpg *cpg, struct cpg_conn *conn)
{
    cpg_group_exit(conn->group, conn);
    cpg->local_count--;
    if (conn->gone) {
        free(conn);
        return;
    }
    conn->state = CPG_UNJOINED;
    conn->wants_ring = false;
    conn->sent = (struct cpg_pieces){0};
}

static void on_gone(struct cpg *cpg, uint64_t id)
{
    size_t index = find_place(cpg, id);
    struct cpg_conn *conn = find_conn(cpg, id);

    cpg->conn_count--;
    memmove(cpg->conns + index, cpg->conns + index + 1, (cpg->conn_count - index) * sizeof(conn));
    cpg_iterations_free(cpg, conn);
    conn->gone = true;
    switch (conn->state) {
    case CPG_UNJOINED:
        free(conn);
        break;
    case CPG_JOINING:
    case CPG_JOINED:
        cpg_send_leave(cpg, conn, CPG_REASON_PROCESS_DOWN);
        conn->state = CPG_LEAVING;
        break;
    case CPG_LEAVING:
        break;
    }
}

/* ---- the machine -------------------------------------------------------------------------------------------------- */

struct cpg *cpg_new(uint32_t node_id)
{
    struct cpg *cpg = calloc(1, sizeof(*cpg));

    if (cpg == NULL)
        return NULL;
    cpg->node_id = node_id;
    node_set_init(&cpg->sync.members);
    node_set_init(&cpg->sync.carried);
    return cpg;
}

static void free_group(struct cpg *cpg, struct cpg_group *group)
{
    while (group->first != NULL) {
        struct cpg_conn *conn = group->first;

        cpg_group_exit(group, conn);
        if (conn->gone)
            free(conn);
    }
    group->member_count = 0;
    cpg_group_tidy(cpg, group);
}

void cpg_free(struct cpg *cpg)
{
    struct cpg_group *group;

    if (cpg == NULL)
        return;
    while ((group = cpg_group_after(cpg, NULL)) != NULL)
        free_group(cpg, group);
    for (size_t i = 0; i < cpg->conn_count; i++) {
        cpg_iterations_free(cpg, cpg->conns[i]);
        free(cpg->conns[i]);
    }
    cpg_sync_fini(cpg);
    free(cpg->conns);
    free(cpg->nodes);
    free(cpg->list);
    free(cpg);
}

enum q_err cpg_step(struct cpg *cpg, const struct service_event *event, struct outbox *out)
{
    uint64_t conn = event->u.client.conn;

    cpg->out = out;
    cpg->now_ms = event->now_ms;
    switch (event->type) {
    case SERVICE_EV_SYNC_INIT:
        cpg_on_sync_init(cpg, event);
        break;
    case SERVICE_EV_SYNC_PROCESS:
        cpg_on_sync_process(cpg);
        break;
    case SERVICE_EV_SYNC_ACTIVATE:
        cpg_on_sync_activate(cpg);
        break;
    case SERVICE_EV_SYNC_ABORT:
        cpg_on_sync_abort(cpg);
        break;
    case SERVICE_EV_DELIVERED:
        cpg_on_delivered(cpg, event);
        break;
    case SERVICE_EV_CONNECT:
        on_connect(cpg, conn);
        break;
    case SERVICE_EV_REQUEST:
        cpg_on_request(cpg, find_conn(cpg, conn), event->u.client.bytes, event->u.client.size);
        break;
    case SERVICE_EV_GONE:
        on_gone(cpg, conn);
        break;
    case SERVICE_EV_TIME:
        break;
    }
    cpg->out = NULL;
    return cpg->no_memory || out->no_memory ? Q_ERR_NO_MEMORY : Q_OK;
}
