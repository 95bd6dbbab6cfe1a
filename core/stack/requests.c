/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients: who is let in, and which of their requests may be executed now (spec/corosync-ipc.md sections 1.3 and 1.4). */
#include <stdio.h>

#include "core/services/ipc_wire.h"
#include "core/stack/stack_internal.h"

/* More than any service puts around what a client has sent. */
#define ENVELOPE_SIZE 4096

#define BIT(id) (1u << (id))

static const struct {
    uint32_t count;  /* request ids are below it */
    uint32_t always; /* those that do not need the ring */
} rules[SERVICE_COUNT] = {
    [SERVICE_CMAP] = {10, UINT32_MAX},
    [SERVICE_CFG] = {12, BIT(5) | BIT(6) | BIT(8) | BIT(9)},
    [SERVICE_CPG] = {13, BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7)},
    [SERVICE_QUORUM] = {5, UINT32_MAX},
    [SERVICE_VOTEQUORUM] = {10, UINT32_MAX},
};

#define CPG_MCAST 2 /* the one request that is not answered */

/* ---- admission ---------------------------------------------------------------------------------------------- */

bool stack_has_service(const struct stack *stack, enum service_id service)
{
    switch (service) {
    case SERVICE_CMAP:
    case SERVICE_CFG:
    case SERVICE_CPG:
    case SERVICE_QUORUM:
        return true;
    case SERVICE_VOTEQUORUM:
        return stack->votequorum != NULL;
    case SERVICE_COUNT:
    case SERVICE_SYNC:
    case SERVICE_MAIN:
        break;
    }
    return false;
}

static bool is_listed(const struct stack *stack, const char *format, uint32_t id)
{
    char name[CMAP_NAME_MAX + 1];
    uint64_t number;

    snprintf(name, sizeof(name), format, id);
    return cmap_store_number(&stack->keys, name, CMAP_U8, &number) && number == 1;
}

enum stack_admission stack_admits(const struct stack *stack, enum service_id service, uint32_t uid, uint32_t gid)
{
    if (!stack->was_ready)
        return STACK_NOT_YET;
    if (!stack_has_service(stack, service))
        return STACK_NOT_LOADED;
    if (uid == 0 || gid == 0 || is_listed(stack, "uidgid.uid.%u", uid) || is_listed(stack, "uidgid.config.uid.%u", uid) ||
        is_listed(stack, "uidgid.gid.%u", gid) || is_listed(stack, "uidgid.config.gid.%u", gid))
        return STACK_ADMIT;
    return STACK_REFUSE;
}

/* ---- requests ----------------------------------------------------------------------------------------------- */

static void refuse(struct stack *stack, const struct connection *connection, uint32_t id, enum cs_error error)
{
    if (connection->service == SERVICE_CPG && id == CPG_MCAST)
        outbox_note(&stack->out->services, SERVICE_CPG, OUTBOX_DEBUG, "a message of client %llu was dropped: error %d",
                    (unsigned long long)connection->id, (int)error);
    else
        outbox_answer(&stack->out->services, connection->id, 0, error);
}

static bool has_room(const struct stack *stack, size_t size)
{
    return !stack->synchronising && stack->mail.first == NULL && totem_has_room(stack->totem, size + ENVELOPE_SIZE);
}

static void execute(struct stack *stack, const struct connection *connection, const uint8_t *bytes, size_t size)
{
    struct service_event event = {.type = SERVICE_EV_REQUEST,
                                  .u.client = {.conn = connection->id, .bytes = bytes, .size = size}};

    switch (connection->service) {
    case SERVICE_CMAP:
        if (cmap_service_wants_statistics(stack->cmap, connection->id))
            statistics_refresh(stack);
        else
            keys_refresh_counters(stack);
        stack_service_step(stack, SERVICE_CMAP, &event);
        break;
    case SERVICE_CFG:
    case SERVICE_CPG:
        stack_service_step(stack, connection->service, &event);
        break;
    case SERVICE_QUORUM:
        votes_on_quorum_request(stack, connection->id, bytes, size);
        break;
    case SERVICE_VOTEQUORUM:
        votes_on_request(stack, connection->id, bytes, size);
        break;
    case SERVICE_COUNT:
    case SERVICE_SYNC:
    case SERVICE_MAIN:
        break;
    }
}

void requests_on_request(struct stack *stack, uint64_t conn, const uint8_t *bytes, size_t size)
{
    const struct connection *connection = connections_find(&stack->connections, conn);
    uint32_t id;

    if (connection == NULL)
        return;
    if (size < IPC_REQUEST_SIZE) {
        refuse(stack, connection, UINT32_MAX, CS_ERROR_INVALID_PARAM);
        return;
    }
    id = (uint32_t)ipc_request_id(bytes);
    if (id >= rules[connection->service].count || size > IPC_MESSAGE_MAX)
        refuse(stack, connection, id, CS_ERROR_INVALID_PARAM);
    else if ((rules[connection->service].always >> id & 1) == 0 && !has_room(stack, size))
        refuse(stack, connection, id, CS_ERROR_TRY_AGAIN);
    else
        execute(stack, connection, bytes, size);
}

/* ---- coming and going --------------------------------------------------------------------------------------- */

void requests_on_connect(struct stack *stack, uint64_t conn, enum service_id service, uint32_t pid)
{
    if (!connections_add(&stack->connections, conn, service)) {
        stack_failed(stack, Q_ERR_NO_MEMORY);
        return;
    }
    cmap_service_hasten(stack->cmap);
    stack_service_step(stack, service,
                       &(struct service_event){.type = SERVICE_EV_CONNECT, .u.client = {.conn = conn, .pid = pid}});
}

void requests_on_gone(struct stack *stack, uint64_t conn)
{
    const struct connection *connection = connections_find(&stack->connections, conn);
    enum service_id service;

    if (connection == NULL)
        return;
    service = connection->service;
    connections_remove(&stack->connections, conn);
    cmap_service_hasten(stack->cmap);
    if (service == SERVICE_QUORUM)
        votes_quorum_step(stack, &(struct quorum_event){.type = QUORUM_EV_CLIENT_GONE, .u.gone = {conn}});
    else if (service == SERVICE_VOTEQUORUM)
        votes_step(stack, &(struct votequorum_event){.type = VOTEQUORUM_EV_CLIENT_GONE, .u.gone = {conn}});
    else
        stack_service_step(stack, service, &(struct service_event){.type = SERVICE_EV_GONE, .u.client = {.conn = conn}});
}
