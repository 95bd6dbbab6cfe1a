/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/frame.h"

#include <string.h>

bool totem_frame_decode(const uint8_t *bytes, size_t size, enum totem_order order, struct totem_frame *frame)
{
    size_t head;
    size_t items_size = 0;

    if (size < TOTEM_FRAME_SIZE)
        return false;
    frame->order = order;
    frame->fragmented = bytes[4];
    frame->continuation = bytes[5];
    frame->item_count = totem_get_u16(bytes + 6, order);
    head = TOTEM_FRAME_SIZE + (size_t)frame->item_count * TOTEM_FRAME_ITEM_SIZE;
    if (size < head)
        return false;
    frame->sizes = bytes + TOTEM_FRAME_SIZE;
    frame->items = bytes + head;
    for (uint16_t i = 0; i < frame->item_count; i++)
        items_size += totem_frame_item_size(frame, i);
    frame->items_size = items_size;
    return size - head == items_size;
}

uint16_t totem_frame_item_size(const struct totem_frame *frame, uint16_t index)
{
    return totem_get_u16(frame->sizes + (size_t)index * TOTEM_FRAME_ITEM_SIZE, frame->order);
}

void totem_frame_encode_header(uint8_t *out, uint8_t fragmented, uint8_t continuation, uint16_t item_count)
{
    memset(out, 0, 4);
    out[4] = fragmented;
    out[5] = continuation;
    totem_put_u16(out + 6, item_count, TOTEM_ORDER_OURS);
}

bool totem_groups_decode(const uint8_t *message, size_t size, enum totem_order order, struct totem_groups *groups)
{
    size_t head;
    size_t names_size = 0;

    if (size < 2)
        return false;
    groups->order = order;
    groups->count = totem_get_u16(message, order);
    head = 2 + 2 * (size_t)groups->count;
    if (size < head)
        return false;
    groups->sizes = message + 2;
    groups->names = message + head;
    for (uint16_t i = 0; i < groups->count; i++)
        names_size += totem_get_u16(groups->sizes + 2 * (size_t)i, order);
    if (size - head < names_size)
        return false;
    groups->body = groups->names + names_size;
    groups->body_size = size - head - names_size;
    return true;
}

bool totem_groups_has(const struct totem_groups *groups, const char *name)
{
    const uint8_t *at = groups->names;
    size_t wanted = strlen(name);

    for (uint16_t i = 0; i < groups->count; i++) {
        size_t size = totem_get_u16(groups->sizes + 2 * (size_t)i, groups->order);

        if (size == wanted && memcmp(at, name, size) == 0)
            return true;
        at += size;
    }
    return false;
}

size_t totem_group_prefix_size(const char *name)
{
    return 4 + strlen(name);
}

void totem_group_prefix_encode(uint8_t *out, const char *name)
{
    totem_put_u16(out, 1, TOTEM_ORDER_OURS);
    totem_put_u16(out + 2, (uint16_t)strlen(name), TOTEM_ORDER_OURS);
    memcpy(out + 4, name, strlen(name));
}
