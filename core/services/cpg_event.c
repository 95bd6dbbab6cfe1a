/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/cpg_machine.h"
#include "core/services/ipc_wire.h"

#include <string.h>

/* Spec corosync-ipc.md sections 4, 6.6 to 6.8. */
#define EVENT_CHANGE 4
#define EVENT_MCAST 5
#define EVENT_RING 13
#define EVENT_FRAGMENT 17

#define EVENT_GROUP 24 /* of all but EVENT_RING */

#define CHANGE_MEMBERS 160
#define CHANGE_JOINED 168
#define CHANGE_LEFT 176
#define CHANGE_SIZE 184
#define ADDRESS_SIZE 24
#define ADDRESS_PID 8
#define ADDRESS_REASON 16

#define MCAST_LENGTH 160
#define MCAST_NODE 168
#define MCAST_PID 176
#define MCAST_SIZE 184

#define FRAGMENT_WHOLE 160
#define FRAGMENT_LENGTH 168
#define FRAGMENT_NODE 176
#define FRAGMENT_PID 184
#define FRAGMENT_TYPE 192
#define FRAGMENT_SIZE 200

#define RING_NODE 24
#define RING_SEQ 32
#define RING_COUNT 40
#define RING_NODES 44 /* before the padded end of the rest */
#define RING_SIZE 48

/* Stock libraries have room for that many in each list, and do not look. */
#define LIST_MAX 128

static bool listens(const struct cpg_conn *conn)
{
    return !conn->gone && !conn->silent && (conn->state == CPG_JOINED || conn->state == CPG_LEAVING);
}

/* The next after `conn`, or the first, of those that get the group's events and have joined before `sequence`. */
static const struct cpg_conn *next_listener(const struct cpg_group *group, const struct cpg_conn *conn,
                                            uint64_t sequence)
{
    conn = conn == NULL ? group->first : conn->next;
    while (conn != NULL && !(listens(conn) && conn->joined_at < sequence))
        conn = conn->next;
    return conn;
}

/* To all that follow the newest item's receiver. */
static void repeat(struct cpg *cpg, const struct cpg_group *group, const struct cpg_conn *first,
                   uint64_t sequence)
{
    for (const struct cpg_conn *conn = next_listener(group, first, sequence); conn != NULL;
         conn = next_listener(group, conn, sequence))
        outbox_repeat(cpg->out, conn->id);
}

/* A header and, but for `size` 0, the name of the group. */
static uint8_t *begin(struct cpg *cpg, uint64_t conn, int32_t id, size_t head_size, size_t size)
{
    uint8_t *head;

    outbox_add(cpg->out, OUTBOX_EVENT)->conn = conn;
    head = outbox_head(cpg->out, head_size);
    ipc_put_answer(head, id, size, CS_ERROR_OK);
    return head;
}

/* ---- the ring --------------------------------------------------------------------------------------------------- */

static void tell_ring(struct cpg *cpg, uint64_t conn)
{
    size_t size = RING_SIZE + 4 * cpg->node_count;
    uint8_t *head = begin(cpg, conn, EVENT_RING, size, size);

    ipc_put_u32(head, RING_NODE, cpg->ring_id.rep);
    ipc_put_u64(head, RING_SEQ, cpg->ring_id.seq);
    ipc_put_u32(head, RING_COUNT, (uint32_t)cpg->node_count);
    for (size_t i = 0; i < cpg->node_count; i++)
        ipc_put_u32(head, RING_NODES + 4 * i, cpg->nodes[i].id);
}

void cpg_tell_ring(struct cpg *cpg)
{
    bool told = false;

    for (size_t i = 0; i < cpg->conn_count; i++) {
        if (cpg->conns[i]->silent)
            continue;
        if (told)
            outbox_repeat(cpg->out, cpg->conns[i]->id);
        else
            tell_ring(cpg, cpg->conns[i]->id);
        told = true;
    }
}

/* ---- changes of a group ------------------------------------------------------------------------------------------- */

static size_t at_most(size_t count)
{
    return count < LIST_MAX ? count : LIST_MAX;
}

static void put_address(uint8_t *bytes, uint32_t node_id, uint32_t pid, enum cpg_reason reason)
{
    ipc_put_u32(bytes, 0, node_id);
    ipc_put_u32(bytes, ADDRESS_PID, pid);
    ipc_put_u32(bytes, ADDRESS_REASON, (uint32_t)reason);
}

static void tell_part(struct cpg *cpg, const struct cpg_group *group, bool joined, size_t start, size_t count)
{
    const struct cpg_conn *first = next_listener(group, NULL, UINT64_MAX);
    size_t member_count = at_most(group->member_count);
    size_t size = CHANGE_SIZE + (member_count + count) * ADDRESS_SIZE;
    uint8_t *head;
    uint8_t *address;

    if (first == NULL)
        return;
    head = begin(cpg, first->id, EVENT_CHANGE, size, size);
    memcpy(head + EVENT_GROUP, group->name, CPG_NAME_SIZE);
    ipc_put_u32(head, CHANGE_MEMBERS, (uint32_t)member_count);
    ipc_put_u32(head, joined ? CHANGE_JOINED : CHANGE_LEFT, (uint32_t)count);
    address = head + CHANGE_SIZE;
    for (size_t i = 0; i < member_count; i++, address += ADDRESS_SIZE)
        put_address(address, group->members[i].node_id, group->members[i].pid, (enum cpg_reason)0);
    for (size_t i = start; i < start + count; i++, address += ADDRESS_SIZE)
        put_address(address, cpg->list[i].node_id, cpg->list[i].pid, cpg->list[i].reason);
    repeat(cpg, group, first, UINT64_MAX);
}

void cpg_tell_change(struct cpg *cpg, struct cpg_group *group, bool joined)
{
    if (cpg->list_count == 0)
        return;
    for (size_t start = 0; start < cpg->list_count; start += LIST_MAX)
        tell_part(cpg, group, joined, start, at_most(cpg->list_count - start));
    cpg->list_count = 0;
    for (struct cpg_conn *conn = group->first; conn != NULL; conn = conn->next) {
        conn->interrupted = true;
        if (!conn->wants_ring || !listens(conn))
            continue;
        conn->wants_ring = false;
        tell_ring(cpg, conn->id);
    }
}

/* ---- messages ------------------------------------------------------------------------------------------------------ */

static void set_body(struct cpg *cpg, const struct cpg_message *message)
{
    struct outbox *out = cpg->out;

    if (message->data_size == 0 || out->count == 0)
        return;
    out->items[out->count - 1].body = message->data;
    out->items[out->count - 1].body_size = message->data_size;
}

void cpg_tell_mcast(struct cpg *cpg, const struct cpg_group *group, uint32_t sender,
                    const struct cpg_message *message)
{
    const struct cpg_conn *first = next_listener(group, NULL, UINT64_MAX);
    uint8_t *head;

    if (first == NULL)
        return;
    head = begin(cpg, first->id, EVENT_MCAST, MCAST_SIZE, MCAST_SIZE + (size_t)message->data_size);
    memcpy(head + EVENT_GROUP, group->name, CPG_NAME_SIZE);
    ipc_put_u32(head, MCAST_LENGTH, message->data_size);
    ipc_put_u32(head, MCAST_NODE, sender);
    ipc_put_u32(head, MCAST_PID, message->pid);
    set_body(cpg, message);
    repeat(cpg, group, first, UINT64_MAX);
}

void cpg_tell_fragment(struct cpg *cpg, const struct cpg_group *group, uint32_t sender,
                       const struct cpg_message *message, uint64_t first_at)
{
    const struct cpg_conn *first = next_listener(group, NULL, first_at);
    uint8_t *head;

    if (first == NULL)
        return;
    head = begin(cpg, first->id, EVENT_FRAGMENT, FRAGMENT_SIZE, FRAGMENT_SIZE + (size_t)message->data_size);
    memcpy(head + EVENT_GROUP, group->name, CPG_NAME_SIZE);
    ipc_put_u32(head, FRAGMENT_WHOLE, message->whole_size);
    ipc_put_u32(head, FRAGMENT_LENGTH, message->data_size);
    ipc_put_u32(head, FRAGMENT_NODE, sender);
    ipc_put_u32(head, FRAGMENT_PID, message->pid);
    ipc_put_u32(head, FRAGMENT_TYPE, (uint32_t)message->fragment);
    set_body(cpg, message);
    repeat(cpg, group, first, first_at);
}
