/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decoder of ring messages on arbitrary datagrams. What it accepts the encoder writes, no larger than it was, and
 * that decodes to the same bytes again, in either byte order. Frames and groups inside are walked to their ends.
 */
#include <assert.h>
#include <string.h>

#include "core/totem/frame.h"
#include "core/totem/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct totem_message message;
static struct totem_message again;
static uint8_t first[TOTEM_DATAGRAM_MAX];
static uint8_t second[TOTEM_DATAGRAM_MAX];

static void walk_frame(const uint8_t *bytes, size_t size, enum totem_order order)
{
    struct totem_frame frame;
    struct totem_groups groups;
    const uint8_t *item;

    if (!totem_frame_decode(bytes, size, order, &frame))
        return;
    item = frame.items;
    for (uint16_t i = 0; i < frame.item_count; i++) {
        uint16_t item_size = totem_frame_item_size(&frame, i);

        if (totem_groups_decode(item, item_size, order, &groups)) {
            assert(groups.body + groups.body_size == item + item_size);
            totem_groups_has(&groups, "sync");
        }
        item += item_size;
    }
    assert(item == bytes + size);
}

static void check_round_trip(size_t size, enum totem_order order)
{
    size_t encoded = totem_encoded_size(&message);

    assert(encoded <= size);
    message.header.order = order;
    totem_encode(first, &message);
    assert(totem_decode(first, encoded, &again) == TOTEM_WIRE_OK);
    assert(again.header.order == order && again.header.type == message.header.type);
    assert(totem_encoded_size(&again) == encoded);
    totem_encode(second, &again);
    assert(memcmp(first, second, encoded) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum totem_wire_error error = totem_decode(data, size, &message);
    enum totem_order order = message.header.order;

    walk_frame(data, size, TOTEM_LITTLE_ENDIAN);
    walk_frame(data, size, TOTEM_BIG_ENDIAN);
    assert(totem_wire_error_text(error)[0] != '\0');
    if (error != TOTEM_WIRE_OK || size > TOTEM_DATAGRAM_MAX)
        return 0;
    if (message.header.type == TOTEM_MCAST)
        walk_frame(message.u.mcast.payload, message.u.mcast.payload_size, order);
    check_round_trip(size, TOTEM_LITTLE_ENDIAN);
    check_round_trip(size, TOTEM_BIG_ENDIAN);
    return 0;
}
