/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/cpg_wire.h"

#include <string.h>

#include "core/services/ipc_wire.h"
#include "core/services/service.h"

#define HEADER_ID 0
#define HEADER_LENGTH 8
#define GROUP 16
#define NAME_BYTES 8 /* in a name, behind its length */

#define PROCESS_PID 152
#define PROCESS_REASON 160

#define ENTRY_PID 0
#define ENTRY_GROUP 8

#define MCAST_LENGTH 152
#define MCAST_PID 160
#define MCAST_SOURCE 168 /* node id, and at 8 the cookie */

#define FRAGMENT_WHOLE 152
#define FRAGMENT_LENGTH 160
#define FRAGMENT_PID 168
#define FRAGMENT_TYPE 176
#define FRAGMENT_SOURCE 184

#define OLD_DOWN_LIST_SIZE 1560
#define DOWN_LIST_OLD 16
#define DOWN_LIST_COUNT 24
#define DOWN_LIST_NODES 32
#define DOWN_LIST_ROOM 384

/* The fixed part of each message, by its function number. */
static const size_t sizes[] = {
    [CPG_JOIN] = CPG_PROCESS_SIZE,
    [CPG_LEAVE] = CPG_PROCESS_SIZE,
    [CPG_JOIN_LIST] = CPG_JOIN_LIST_SIZE,
    [CPG_MCAST] = CPG_MCAST_SIZE,
    [CPG_OLD_DOWN_LIST] = OLD_DOWN_LIST_SIZE,
    [CPG_DOWN_LIST] = CPG_DOWN_LIST_SIZE,
    [CPG_FRAGMENT] = CPG_FRAGMENT_SIZE,
};

#define TYPE_COUNT (sizeof(sizes) / sizeof(sizes[0]))

bool cpg_get_name(const uint8_t *bytes, enum totem_order order, struct cpg_name *name)
{
    name->size = totem_get_u32(bytes, order);
    name->bytes = bytes + NAME_BYTES;
    return name->size <= CPG_NAME_MAX;
}

void cpg_put_name(uint8_t *bytes, struct cpg_name name)
{
    ipc_put_u32(bytes, 0, name.size);
    if (name.size > 0)
        memcpy(bytes + NAME_BYTES, name.bytes, name.size);
}

struct cpg_entry cpg_message_entry(const struct cpg_message *message, size_t index)
{
    const uint8_t *bytes = message->entries + index * CPG_ENTRY_SIZE;
    struct cpg_entry entry = {.pid = totem_get_u32(bytes + ENTRY_PID, message->order)};

    (void)cpg_get_name(bytes + ENTRY_GROUP, message->order, &entry.group);
    return entry;
}

static bool decode_entries(const uint8_t *bytes, size_t size, struct cpg_message *message)
{
    message->entries = bytes + CPG_JOIN_LIST_SIZE;
    message->entry_count = (size - CPG_JOIN_LIST_SIZE) / CPG_ENTRY_SIZE;
    if ((size - CPG_JOIN_LIST_SIZE) % CPG_ENTRY_SIZE != 0)
        return false;
    for (size_t i = 0; i < message->entry_count; i++)
        if (cpg_message_entry(message, i).group.size > CPG_NAME_MAX)
            return false;
    return true;
}

static bool decode_process(const uint8_t *bytes, struct cpg_message *message)
{
    uint32_t reason = totem_get_u32(bytes + PROCESS_REASON, message->order);

    message->pid = totem_get_u32(bytes + PROCESS_PID, message->order);
    message->reason = (enum cpg_reason)reason;
    return reason >= CPG_REASON_JOIN && reason <= CPG_REASON_PROCESS_DOWN &&
           cpg_get_name(bytes + GROUP, message->order, &message->group);
}

static bool decode_mcast(const uint8_t *bytes, size_t size, struct cpg_message *message)
{
    message->pid = totem_get_u32(bytes + MCAST_PID, message->order);
    message->data = bytes + CPG_MCAST_SIZE;
    message->data_size = totem_get_u32(bytes + MCAST_LENGTH, message->order);
    return message->data_size <= size - CPG_MCAST_SIZE &&
           cpg_get_name(bytes + GROUP, message->order, &message->group);
}

static bool decode_fragment(const uint8_t *bytes, size_t size, struct cpg_message *message)
{
    uint32_t type = totem_get_u32(bytes + FRAGMENT_TYPE, message->order);

    message->fragment = (enum cpg_fragment)type;
    message->pid = totem_get_u32(bytes + FRAGMENT_PID, message->order);
    message->whole_size = totem_get_u32(bytes + FRAGMENT_WHOLE, message->order);
    message->data = bytes + CPG_FRAGMENT_SIZE;
    message->data_size = totem_get_u32(bytes + FRAGMENT_LENGTH, message->order);
    return type >= CPG_FRAGMENT_FIRST && type <= CPG_FRAGMENT_LAST &&
           message->data_size <= size - CPG_FRAGMENT_SIZE && message->data_size <= message->whole_size &&
           cpg_get_name(bytes + GROUP, message->order, &message->group);
}

enum q_err cpg_message_decode(const uint8_t *bytes, size_t size, enum totem_order order,
                              struct cpg_message *message)
{
    bool good = true;
    uint32_t id;
    uint32_t meant;

    if (size < SERVICE_MESSAGE_HEADER_SIZE)
        return Q_ERR_INVALID;
    id = totem_get_u32(bytes + HEADER_ID, order) - service_message_id(SERVICE_CPG, 0);
    meant = totem_get_u32(bytes + HEADER_LENGTH, order);
    if (id >= TYPE_COUNT)
        return Q_ERR_NOT_FOUND;
    if (meant > size || meant < sizes[id])
        return Q_ERR_INVALID;
    *message = (struct cpg_message){.type = (enum cpg_message_type)id, .order = order};
    switch (message->type) {
    case CPG_JOIN:
    case CPG_LEAVE:
        good = decode_process(bytes, message);
        break;
    case CPG_JOIN_LIST:
        good = decode_entries(bytes, meant, message);
        break;
    case CPG_MCAST:
        good = decode_mcast(bytes, meant, message);
        break;
    case CPG_FRAGMENT:
        good = decode_fragment(bytes, meant, message);
        break;
    case CPG_OLD_DOWN_LIST:
        break;
    case CPG_DOWN_LIST:
        good = totem_get_u32(bytes + DOWN_LIST_COUNT, order) <= DOWN_LIST_ROOM;
        break;
    }
    return good ? Q_OK : Q_ERR_INVALID;
}

static void put_header(uint8_t *bytes, enum cpg_message_type type, size_t size)
{
    ipc_put_u32(bytes, HEADER_ID, service_message_id(SERVICE_CPG, (uint32_t)type));
    ipc_put_u32(bytes, HEADER_LENGTH, (uint32_t)size);
}

static void put_source(uint8_t *bytes, size_t offset, const struct cpg_source *source)
{
    ipc_put_u32(bytes, offset, source->node_id);
    ipc_put_u64(bytes, offset + 8, source->cookie);
}

void cpg_put_process(uint8_t bytes[CPG_PROCESS_SIZE], enum cpg_message_type type, struct cpg_name group,
                     uint32_t pid, enum cpg_reason reason)
{
    put_header(bytes, type, CPG_PROCESS_SIZE);
    cpg_put_name(bytes + GROUP, group);
    ipc_put_u32(bytes, PROCESS_PID, pid);
    ipc_put_u32(bytes, PROCESS_REASON, (uint32_t)reason);
}

void cpg_put_join_list(uint8_t bytes[CPG_JOIN_LIST_SIZE], size_t entry_count)
{
    put_header(bytes, CPG_JOIN_LIST, CPG_JOIN_LIST_SIZE + entry_count * CPG_ENTRY_SIZE);
}

void cpg_put_entry(uint8_t bytes[CPG_ENTRY_SIZE], struct cpg_name group, uint32_t pid)
{
    ipc_put_u32(bytes, ENTRY_PID, pid);
    cpg_put_name(bytes + ENTRY_GROUP, group);
}

void cpg_put_down_list(uint8_t bytes[CPG_DOWN_LIST_SIZE], uint32_t old_count, const uint32_t *left,
                       uint32_t left_count)
{
    put_header(bytes, CPG_DOWN_LIST, CPG_DOWN_LIST_SIZE);
    ipc_put_u32(bytes, DOWN_LIST_OLD, old_count);
    ipc_put_u32(bytes, DOWN_LIST_COUNT, left_count);
    for (uint32_t i = 0; i < left_count; i++)
        ipc_put_u32(bytes, DOWN_LIST_NODES + 4 * (size_t)i, left[i]);
}

void cpg_put_mcast(uint8_t bytes[CPG_MCAST_SIZE], const struct cpg_source *source, uint32_t size)
{
    put_header(bytes, CPG_MCAST, CPG_MCAST_SIZE + (size_t)size);
    cpg_put_name(bytes + GROUP, source->group);
    ipc_put_u32(bytes, MCAST_LENGTH, size);
    ipc_put_u32(bytes, MCAST_PID, source->pid);
    put_source(bytes, MCAST_SOURCE, source);
}

void cpg_put_fragment(uint8_t bytes[CPG_FRAGMENT_SIZE], const struct cpg_source *source,
                      enum cpg_fragment type, uint32_t whole_size, uint32_t size)
{
    put_header(bytes, CPG_FRAGMENT, CPG_FRAGMENT_SIZE + (size_t)size);
    cpg_put_name(bytes + GROUP, source->group);
    ipc_put_u32(bytes, FRAGMENT_WHOLE, whole_size);
    ipc_put_u32(bytes, FRAGMENT_LENGTH, size);
    ipc_put_u32(bytes, FRAGMENT_PID, source->pid);
    ipc_put_u32(bytes, FRAGMENT_TYPE, (uint32_t)type);
    put_source(bytes, FRAGMENT_SOURCE, source);
}
