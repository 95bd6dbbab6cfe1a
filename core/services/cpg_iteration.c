/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "core/services/cpg_machine.h"
#include "core/services/ipc_wire.h"

/* Spec corosync-ipc.md section 6.10. The values are those of requests. */
enum iteration_type { ITERATION_NAMES = 1, ITERATION_GROUP = 2, ITERATION_ALL = 3 };

#define START_GROUP 16
#define START_TYPE 152

#define ANSWER_START 9
#define ANSWER_START_SIZE 32
#define ANSWER_START_HANDLE 24
#define ANSWER_NEXT 10
#define ANSWER_NEXT_SIZE 168
#define ANSWER_NEXT_ENTRY 24
#define ANSWER_FINISH 11

/* An entry as clients know it, behind the name of its group. */
#define ENTRY_SIZE 144
#define ENTRY_NODE 136
#define ENTRY_PID 140

/* What was there when it was started. */
struct cpg_iteration {
    struct cpg_iteration *next;
    uint64_t handle;
    size_t index; /* the next entry */
    size_t count;
    uint8_t entries[];
};

static size_t bytes_of(const struct cpg_iteration *iteration)
{
    return sizeof(*iteration) + iteration->count * ENTRY_SIZE;
}

static size_t entries_of(const struct cpg_group *group, enum iteration_type type)
{
    return type == ITERATION_NAMES && group->member_count > 0 ? 1 : group->member_count;
}

static void add_entries(struct cpg_iteration *iteration, const struct cpg_group *group,
                        enum iteration_type type)
{
    size_t count = entries_of(group, type);

    for (size_t i = 0; i < count; i++) {
        uint8_t *entry = iteration->entries + ENTRY_SIZE * iteration->count++;

        memcpy(entry, group->name, CPG_NAME_SIZE);
        if (type == ITERATION_NAMES)
            continue;
        ipc_put_u32(entry, ENTRY_NODE, group->members[i].node_id);
        ipc_put_u32(entry, ENTRY_PID, group->members[i].pid);
    }
}

static size_t count_entries(const struct cpg *cpg, enum iteration_type type)
{
    size_t count = 0;

    for (const struct cpg_group *group = cpg_group_after(cpg, NULL); group != NULL;
         group = cpg_group_after(cpg, group))
        count += entries_of(group, type);
    return count;
}

/* `only`: NULL for all groups, or for one that is not there. */
static enum cs_error take_snapshot(struct cpg *cpg, struct cpg_conn *conn, enum iteration_type type,
                                   const struct cpg_group *only)
{
    size_t count = 0;
    struct cpg_iteration *iteration;

    if (type != ITERATION_GROUP)
        count = count_entries(cpg, type);
    else if (only != NULL)
        count = entries_of(only, type);
    if (conn->iteration_count >= CPG_ITERATIONS_MAX ||
        cpg->iteration_bytes + sizeof(*iteration) + count * ENTRY_SIZE > CPG_ITERATION_BYTES_MAX)
        return CS_ERROR_NO_RESOURCES;
    iteration = calloc(1, sizeof(*iteration) + count * ENTRY_SIZE);
    if (iteration == NULL)
        return CS_ERROR_NO_MEMORY;
    if (type == ITERATION_GROUP) {
        if (only != NULL)
            add_entries(iteration, only, type);
    } else {
        for (const struct cpg_group *group = cpg_group_after(cpg, NULL); group != NULL;
             group = cpg_group_after(cpg, group))
            add_entries(iteration, group, type);
    }
    iteration->handle = ++cpg->next_iteration;
    iteration->next = conn->iterations;
    conn->iterations = iteration;
    conn->iteration_count++;
    cpg->iteration_bytes += bytes_of(iteration);
    return CS_ERROR_OK;
}

void cpg_iteration_start(struct cpg *cpg, struct cpg_conn *conn, const uint8_t *bytes)
{
    uint32_t type = ipc_get_u32(bytes, START_TYPE);
    enum cs_error error = CS_ERROR_INVALID_PARAM;
    struct cpg_name name;
    uint8_t *head;

    if (type == ITERATION_NAMES || type == ITERATION_ALL)
        error = take_snapshot(cpg, conn, (enum iteration_type)type, NULL);
    else if (type == ITERATION_GROUP && cpg_get_name(bytes + START_GROUP, TOTEM_ORDER_OURS, &name))
        error = take_snapshot(cpg, conn, ITERATION_GROUP, cpg_group_find(cpg, name));
    outbox_add(cpg->out, OUTBOX_ANSWER)->conn = conn->id;
    head = outbox_head(cpg->out, ANSWER_START_SIZE);
    ipc_put_answer(head, ANSWER_START, ANSWER_START_SIZE, error);
    if (error == CS_ERROR_OK)
        ipc_put_u64(head, ANSWER_START_HANDLE, conn->iterations->handle);
}

static struct cpg_iteration **find(struct cpg_conn *conn, uint64_t handle)
{
    struct cpg_iteration **place = &conn->iterations;

    while (*place != NULL && (*place)->handle != handle)
        place = &(*place)->next;
    return place;
}

void cpg_iteration_next(struct cpg *cpg, struct cpg_conn *conn, uint64_t handle)
{
    struct cpg_iteration *iteration = *find(conn, handle);
    uint8_t *head;

    outbox_add(cpg->out, OUTBOX_ANSWER)->conn = conn->id;
    head = outbox_head(cpg->out, ANSWER_NEXT_SIZE);
    if (iteration == NULL) {
        ipc_put_answer(head, ANSWER_NEXT, ANSWER_NEXT_SIZE, CS_ERROR_LIBRARY);
    } else if (iteration->index == iteration->count) {
        iteration->index = 0;
        ipc_put_answer(head, ANSWER_NEXT, ANSWER_NEXT_SIZE, CS_ERROR_NO_SECTIONS);
    } else {
        ipc_put_answer(head, ANSWER_NEXT, ANSWER_NEXT_SIZE, CS_ERROR_OK);
        memcpy(head + ANSWER_NEXT_ENTRY, iteration->entries + ENTRY_SIZE * iteration->index++, ENTRY_SIZE);
    }
}

static void remove_iteration(struct cpg *cpg, struct cpg_conn *conn, struct cpg_iteration **place)
{
    struct cpg_iteration *iteration = *place;

    *place = iteration->next;
    conn->iteration_count--;
    cpg->iteration_bytes -= bytes_of(iteration);
    free(iteration);
}

void cpg_iteration_finish(struct cpg *cpg, struct cpg_conn *conn, uint64_t handle)
{
    struct cpg_iteration **place = find(conn, handle);
    bool found = *place != NULL;

    if (found)
        remove_iteration(cpg, conn, place);
    outbox_answer(cpg->out, conn->id, ANSWER_FINISH, found ? CS_ERROR_OK : CS_ERROR_LIBRARY);
}

void cpg_iterations_free(struct cpg *cpg, struct cpg_conn *conn)
{
    while (conn->iterations != NULL)
        remove_iteration(cpg, conn, &conn->iterations);
}
