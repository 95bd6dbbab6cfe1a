/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core/services/sync_wire.h"

#define HEADER_ID 0
#define HEADER_LENGTH 8
#define RING_NODE 16
#define RING_SEQ 20 /* not aligned: the ring id is packed */
#define BARRIER_SIZE 32

#define SERVICES_COUNT 32
#define SERVICES_IDS 40
#define SERVICES_ROOM 128
#define SERVICES_SIZE 552

size_t sync_message_encode(const struct sync_message *message, enum totem_order order,
                           uint8_t bytes[SYNC_MESSAGE_SIZE_MAX])
{
    size_t size = message->type == SYNC_BARRIER ? BARRIER_SIZE : SERVICES_SIZE;
    uint32_t count = 0;

    memset(bytes, 0, size);
    totem_put_u32(bytes + HEADER_ID, (uint32_t)message->type, order);
    totem_put_u32(bytes + HEADER_LENGTH, (uint32_t)size, order);
    totem_put_u32(bytes + RING_NODE, message->ring_id.rep, order);
    totem_put_u64(bytes + RING_SEQ, message->ring_id.seq, order);
    if (message->type == SYNC_BARRIER)
        return size;
    for (uint32_t id = 0; id < SYNC_SERVICES_MAX; id++)
        if ((message->services >> id & 1) != 0)
            totem_put_u32(bytes + SERVICES_IDS + 4 * (size_t)count++, id, order);
    totem_put_u32(bytes + SERVICES_COUNT, count, order);
    return size;
}

static enum q_err get_services(const uint8_t *bytes, enum totem_order order, struct sync_message *message)
{
    uint32_t count = totem_get_u32(bytes + SERVICES_COUNT, order);

    if (count > SERVICES_ROOM)
        return Q_ERR_INVALID;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = totem_get_u32(bytes + SERVICES_IDS + 4 * (size_t)i, order);

        if (id >= SYNC_SERVICES_MAX)
            return Q_ERR_INVALID;
        message->services |= UINT64_C(1) << id;
    }
    return Q_OK;
}

enum q_err sync_message_decode(const uint8_t *bytes, size_t size, enum totem_order order,
                               struct sync_message *message)
{
    uint32_t id;
    uint32_t meant;
    size_t layout_size;

    if (size < BARRIER_SIZE)
        return Q_ERR_INVALID;
    id = totem_get_u32(bytes + HEADER_ID, order);
    if (id != SYNC_BARRIER && id != SYNC_SERVICES)
        return Q_ERR_NOT_FOUND;
    memset(message, 0, sizeof(*message));
    message->type = (enum sync_message_type)id;
    layout_size = message->type == SYNC_BARRIER ? BARRIER_SIZE : SERVICES_SIZE;
    meant = totem_get_u32(bytes + HEADER_LENGTH, order);
    if (size < layout_size || meant < layout_size || meant > size)
        return Q_ERR_INVALID;
    message->ring_id.rep = totem_get_u32(bytes + RING_NODE, order);
    message->ring_id.seq = totem_get_u64(bytes + RING_SEQ, order);
    return message->type == SYNC_SERVICES ? get_services(bytes, order, message) : Q_OK;
}
