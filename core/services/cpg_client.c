/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core/services/cpg_machine.h"
#include "core/services/ipc_wire.h"

/* Spec corosync-ipc.md sections 3, 4 and 6. */
enum request_id {
    REQUEST_JOIN = 0,
    REQUEST_LEAVE = 1,
    REQUEST_MCAST = 2,
    REQUEST_MEMBERSHIP = 3,
    REQUEST_LOCAL = 4,
    REQUEST_ITERATION_START = 5,
    REQUEST_ITERATION_NEXT = 6,
    REQUEST_ITERATION_FINISH = 7,
    REQUEST_FINALIZE = 8,
    REQUEST_BUFFER_ALLOC = 9,
    REQUEST_BUFFER_FREE = 10,
    REQUEST_BUFFER_SEND = 11,
    REQUEST_FRAGMENT = 12
};

/* By request: the id of its answer, and the end of its last field, which it must reach. */
static const struct {
    int32_t answer_id;
    size_t size;
} requests[] = {
    [REQUEST_JOIN] = {0, 164},
    [REQUEST_LEAVE] = {1, IPC_REQUEST_SIZE},
    [REQUEST_MCAST] = {0, 40},
    [REQUEST_MEMBERSHIP] = {3, 152},
    [REQUEST_LOCAL] = {7, IPC_REQUEST_SIZE},
    [REQUEST_ITERATION_START] = {9, 156},
    [REQUEST_ITERATION_NEXT] = {10, 24},
    [REQUEST_ITERATION_FINISH] = {11, 24},
    [REQUEST_FINALIZE] = {12, IPC_REQUEST_SIZE},
    [REQUEST_BUFFER_ALLOC] = {0, 152},
    [REQUEST_BUFFER_FREE] = {0, IPC_REQUEST_SIZE},
    [REQUEST_BUFFER_SEND] = {2, IPC_REQUEST_SIZE},
    [REQUEST_FRAGMENT] = {18, 56},
};

#define REQUEST_COUNT (sizeof(requests) / sizeof(requests[0]))

#define REQUEST_SIZE 8 /* in every header */
#define GROUP 16       /* in JOIN, MEMBERSHIP */
#define HANDLE 16
#define JOIN_PID 152
#define JOIN_FLAGS 160
#define JOIN_WANTS_RING 1
#define MCAST_LENGTH 32
#define MCAST_DATA 40
#define FRAGMENT_WHOLE 32
#define FRAGMENT_LENGTH 40
#define FRAGMENT_TYPE 48
#define FRAGMENT_DATA 56
#define BUFFER_PATH 24
#define BUFFER_PATH_SIZE 128

#define MEMBERSHIP_SIZE 9248
#define MEMBERSHIP_COUNT 24
#define MEMBERSHIP_LIST 32
#define MEMBERSHIP_ROOM 384
#define ADDRESS_SIZE 24
#define ADDRESS_PID 8
#define LOCAL_SIZE 32
#define LOCAL_NODE 24

/* More of them in a group than stock libraries have room for is more than there may be (section 2.5). */
#define GROUP_MEMBERS_MAX 128

static void answer(struct cpg *cpg, const struct cpg_conn *conn, enum request_id id, enum cs_error error)
{
    outbox_answer(cpg->out, conn->id, requests[id].answer_id, error);
}

/* ---- joining and leaving ------------------------------------------------------------------------------------------ */

static enum cs_error may_join(const struct cpg *cpg, const struct cpg_conn *conn, struct cpg_name name,
                              uint32_t pid)
{
    const struct cpg_group *group = cpg_group_find(cpg, name);
    const struct cpg_conn *other = group == NULL ? NULL : cpg_group_conn(group, pid);

    if (conn->state == CPG_LEAVING)
        return CS_ERROR_BUSY;
    if (conn->state != CPG_UNJOINED || (other != NULL && other->state != CPG_LEAVING))
        return CS_ERROR_EXIST;
    if (other != NULL || (group != NULL && cpg_member_find(group, cpg->node_id, pid) != NULL))
        return CS_ERROR_TRY_AGAIN;
    if (cpg->local_count >= CPG_LOCAL_MEMBERS_MAX ||
        (group != NULL && group->member_count >= GROUP_MEMBERS_MAX))
        return CS_ERROR_NO_RESOURCES;
    return CS_ERROR_OK;
}

static void send_process(struct cpg *cpg, const struct cpg_conn *conn, enum cpg_message_type type,
                         enum cpg_reason reason)
{
    outbox_add(cpg->out, OUTBOX_MULTICAST);
    cpg_put_process(outbox_head(cpg->out, CPG_PROCESS_SIZE), type, cpg_group_name(conn->group), conn->pid,
                    reason);
}

void cpg_send_leave(struct cpg *cpg, const struct cpg_conn *conn, enum cpg_reason reason)
{
    send_process(cpg, conn, CPG_LEAVE, reason);
}

static enum cs_error join(struct cpg *cpg, struct cpg_conn *conn, const uint8_t *bytes)
{
    uint32_t pid = ipc_get_u32(bytes, JOIN_PID);
    struct cpg_group *group;
    struct cpg_name name;
    enum cs_error error;

    if (!cpg_get_name(bytes + GROUP, TOTEM_ORDER_OURS, &name))
        return CS_ERROR_NAME_TOO_LONG;
    error = may_join(cpg, conn, name, pid);
    if (error != CS_ERROR_OK)
        return error;
    group = cpg_group_get(cpg, name);
    if (group == NULL)
        return CS_ERROR_NO_MEMORY;
    conn->state = CPG_JOINING;
    conn->pid = pid;
    conn->wants_ring = (ipc_get_u32(bytes, JOIN_FLAGS) & JOIN_WANTS_RING) != 0;
    cpg_group_enter(group, conn);
    cpg->local_count++;
    send_process(cpg, conn, CPG_JOIN, CPG_REASON_JOIN);
    return CS_ERROR_OK;
}

static enum cs_error leave(struct cpg *cpg, struct cpg_conn *conn)
{
    if (conn->state == CPG_JOINING)
        return CS_ERROR_BUSY;
    if (conn->state != CPG_JOINED)
        return CS_ERROR_NOT_EXIST;
    conn->state = CPG_LEAVING;
    cpg_send_leave(cpg, conn, CPG_REASON_LEAVE);
    return CS_ERROR_OK;
}

/* ---- messages ------------------------------------------------------------------------------------------------------ */

static bool may_send(const struct cpg_conn *conn)
{
    return conn->state == CPG_JOINING || conn->state == CPG_JOINED;
}

static struct cpg_source source_of(const struct cpg *cpg, const struct cpg_conn *conn)
{
    return (struct cpg_source){cpg_group_name(conn->group), cpg->node_id, conn->pid, conn->id};
}

static void send_data(struct cpg *cpg, const uint8_t *data, size_t size)
{
    struct outbox *out = cpg->out;

    if (size == 0 || out->count == 0)
        return;
    out->items[out->count - 1].body = data;
    out->items[out->count - 1].body_size = size;
}

static void mcast(struct cpg *cpg, const struct cpg_conn *conn, const uint8_t *bytes, size_t size)
{
    uint32_t length = ipc_get_u32(bytes, MCAST_LENGTH);
    struct cpg_source source;

    if (length > size - MCAST_DATA || length > CPG_PAYLOAD_MAX) {
        cpg_complain(cpg, &cpg->clients, "message of a client that is not as long as it says");
        return;
    }
    if (!may_send(conn)) {
        cpg_complain(cpg, &cpg->clients, "message of a client that is in no group");
        return;
    }
    source = source_of(cpg, conn);
    outbox_add(cpg->out, OUTBOX_MULTICAST);
    cpg_put_mcast(outbox_head(cpg->out, CPG_MCAST_SIZE), &source, length);
    send_data(cpg, bytes + MCAST_DATA, length);
}

static enum cs_error fragment(struct cpg *cpg, struct cpg_conn *conn, const uint8_t *bytes, size_t size)
{
    uint32_t whole = ipc_get_u32(bytes, FRAGMENT_WHOLE);
    uint32_t length = ipc_get_u32(bytes, FRAGMENT_LENGTH);
    uint32_t type = ipc_get_u32(bytes, FRAGMENT_TYPE);
    struct cpg_source source;

    if (length > size - FRAGMENT_DATA || length > CPG_PAYLOAD_MAX || length > whole ||
        type < CPG_FRAGMENT_FIRST || type > CPG_FRAGMENT_LAST)
        return CS_ERROR_INVALID_PARAM;
    if (!may_send(conn))
        return CS_ERROR_NOT_EXIST;
    if (type == CPG_FRAGMENT_FIRST)
        conn->interrupted = false;
    else if (conn->sent.open && conn->interrupted)
        return CS_ERROR_INTERRUPT;
    if (!cpg_pieces_take(&conn->sent, (enum cpg_fragment)type, whole, length))
        return CS_ERROR_INVALID_PARAM;
    source = source_of(cpg, conn);
    outbox_add(cpg->out, OUTBOX_MULTICAST);
    cpg_put_fragment(outbox_head(cpg->out, CPG_FRAGMENT_SIZE), &source, (enum cpg_fragment)type, whole,
                     length);
    send_data(cpg, bytes + FRAGMENT_DATA, length);
    return CS_ERROR_OK;
}

/* ---- questions ------------------------------------------------------------------------------------------------------ */

static void tell_members(struct cpg *cpg, const struct cpg_conn *conn, const uint8_t *bytes)
{
    const struct cpg_group *group;
    struct cpg_name name;
    uint8_t *head;
    size_t count = 0;

    if (!cpg_get_name(bytes + GROUP, TOTEM_ORDER_OURS, &name)) {
        answer(cpg, conn, REQUEST_MEMBERSHIP, CS_ERROR_INVALID_PARAM);
        return;
    }
    group = cpg_group_find(cpg, name);
    if (group != NULL)
        count = group->member_count < MEMBERSHIP_ROOM ? group->member_count : MEMBERSHIP_ROOM;
    outbox_add(cpg->out, OUTBOX_ANSWER)->conn = conn->id;
    head = outbox_head(cpg->out, MEMBERSHIP_SIZE);
    ipc_put_answer(head, requests[REQUEST_MEMBERSHIP].answer_id, MEMBERSHIP_SIZE, CS_ERROR_OK);
    ipc_put_u32(head, MEMBERSHIP_COUNT, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        ipc_put_u32(head, MEMBERSHIP_LIST + i * ADDRESS_SIZE, group->members[i].node_id);
        ipc_put_u32(head, MEMBERSHIP_LIST + i * ADDRESS_SIZE + ADDRESS_PID, group->members[i].pid);
    }
}

static void tell_local(struct cpg *cpg, const struct cpg_conn *conn)
{
    uint8_t *head;

    outbox_add(cpg->out, OUTBOX_ANSWER)->conn = conn->id;
    head = outbox_head(cpg->out, LOCAL_SIZE);
    ipc_put_answer(head, requests[REQUEST_LOCAL].answer_id, LOCAL_SIZE, CS_ERROR_OK);
    ipc_put_u32(head, LOCAL_NODE, cpg->node_id);
}

/* ---- buffers that clients share with the daemon -------------------------------------------------------------------- */

static const char buffer_prefix[] = "/dev/shm/corosync_zerocopy-";

/*
 * Not offered, as in newer releases. The client has made a file, which the daemon is expected to remove; the shell will
 * look whose it is.
 */
static void refuse_buffer(struct cpg *cpg, const struct cpg_conn *conn, const uint8_t *bytes)
{
    const char *path = (const char *)bytes + BUFFER_PATH;
    size_t prefix_size = sizeof(buffer_prefix) - 1;

    answer(cpg, conn, REQUEST_BUFFER_ALLOC, CS_ERROR_NOT_SUPPORTED);
    if (memchr(path, '\0', BUFFER_PATH_SIZE) == NULL || strncmp(path, buffer_prefix, prefix_size) != 0 ||
        path[prefix_size] == '\0' || strchr(path + prefix_size, '/') != NULL)
        return;
    outbox_task(cpg->out, OUTBOX_UNLINK_FILE, 0, path);
    if (cpg->out->count > 0)
        cpg->out->items[cpg->out->count - 1].conn = conn->id;
}

/* ---- all of them ---------------------------------------------------------------------------------------------------- */

static void execute(struct cpg *cpg, struct cpg_conn *conn, enum request_id id, const uint8_t *bytes,
                    size_t size)
{
    switch (id) {
    case REQUEST_JOIN:
        answer(cpg, conn, id, join(cpg, conn, bytes));
        break;
    case REQUEST_LEAVE:
        answer(cpg, conn, id, leave(cpg, conn));
        break;
    case REQUEST_MCAST:
        mcast(cpg, conn, bytes, size);
        break;
    case REQUEST_MEMBERSHIP:
        tell_members(cpg, conn, bytes);
        break;
    case REQUEST_LOCAL:
        tell_local(cpg, conn);
        break;
    case REQUEST_ITERATION_START:
        cpg_iteration_start(cpg, conn, bytes);
        break;
    case REQUEST_ITERATION_NEXT:
        cpg_iteration_next(cpg, conn, ipc_get_u64(bytes, HANDLE));
        break;
    case REQUEST_ITERATION_FINISH:
        cpg_iteration_finish(cpg, conn, ipc_get_u64(bytes, HANDLE));
        break;
    case REQUEST_FINALIZE:
        conn->silent = true;
        answer(cpg, conn, id, CS_ERROR_OK);
        break;
    case REQUEST_BUFFER_ALLOC:
        refuse_buffer(cpg, conn, bytes);
        break;
    case REQUEST_BUFFER_FREE:
    case REQUEST_BUFFER_SEND:
        answer(cpg, conn, id, CS_ERROR_NOT_SUPPORTED);
        break;
    case REQUEST_FRAGMENT:
        answer(cpg, conn, id, fragment(cpg, conn, bytes, size));
        break;
    }
}

void cpg_on_request(struct cpg *cpg, struct cpg_conn *conn, const uint8_t *bytes, size_t size)
{
    uint32_t id = ipc_get_u32(bytes, 0);
    uint32_t said = ipc_get_u32(bytes, REQUEST_SIZE);

    if (id >= REQUEST_COUNT) {
        outbox_answer(cpg->out, conn->id, 0, CS_ERROR_INVALID_PARAM);
        return;
    }
    if (said <= size && said >= requests[id].size)
        execute(cpg, conn, (enum request_id)id, bytes, said);
    else if (id == REQUEST_MCAST)
        cpg_complain(cpg, &cpg->clients, "message of a client that is cut off");
    else
        answer(cpg, conn, (enum request_id)id, CS_ERROR_INVALID_PARAM);
}
