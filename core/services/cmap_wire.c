/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/cmap_wire.h"

#include <string.h>

#include "core/services/cmap_value.h"
#include "core/services/service.h"

#define HEADER_ID 0
#define HEADER_SIZE 8
#define REASON 16
#define ITEM_COUNT 24
#define ITEMS 48

#define ITEM_NAME_LENGTH 0
#define ITEM_NAME 8
#define ITEM_TYPE 264
#define ITEM_VALUE_LENGTH 272
#define ITEM_VALUE 280

static const char version_key[] = "totem.config_version";

size_t cmap_wire_encode(uint8_t bytes[CMAP_WIRE_SIZE_MAX], enum cmap_wire_reason reason, bool has_version,
                        uint64_t version)
{
    uint8_t *item = bytes + ITEMS;
    size_t size = ITEMS + ITEM_VALUE + (has_version ? sizeof(version) : 0);

    totem_put_u32(bytes + HEADER_ID, service_message_id(SERVICE_CMAP, 0), TOTEM_ORDER_OURS);
    totem_put_u32(bytes + HEADER_SIZE, (uint32_t)size, TOTEM_ORDER_OURS);
    bytes[REASON] = (uint8_t)reason;
    bytes[ITEM_COUNT] = 1;
    totem_put_u16(item + ITEM_NAME_LENGTH, (uint16_t)strlen(version_key), TOTEM_ORDER_OURS);
    memcpy(item + ITEM_NAME, version_key, strlen(version_key));
    if (has_version) {
        item[ITEM_TYPE] = CMAP_U64;
        totem_put_u64(item + ITEM_VALUE_LENGTH, sizeof(version), TOTEM_ORDER_OURS);
        totem_put_u64(item + ITEM_VALUE, version, TOTEM_ORDER_OURS);
    }
    return size;
}

static bool is_version(const uint8_t *item, enum totem_order order)
{
    size_t length = totem_get_u16(item + ITEM_NAME_LENGTH, order);

    return length == strlen(version_key) && memcmp(item + ITEM_NAME, version_key, length) == 0;
}

bool cmap_wire_decode(const uint8_t *bytes, size_t size, enum totem_order order, uint64_t *version)
{
    bool found = false;
    size_t at = ITEMS;

    if (size < ITEMS || bytes[ITEM_COUNT] > CMAP_WIRE_ITEMS_MAX)
        return false;
    for (unsigned i = 0; i < bytes[ITEM_COUNT]; i++) {
        const uint8_t *item = bytes + at;
        uint64_t length;

        if (size - at < ITEM_VALUE)
            return false;
        length = totem_get_u64(item + ITEM_VALUE_LENGTH, order);
        if (length > size - at - ITEM_VALUE)
            return false;
        if (is_version(item, order)) {
            bool is_number = item[ITEM_TYPE] == CMAP_U64 && length == sizeof(*version);

            *version = is_number ? totem_get_u64(item + ITEM_VALUE, order) : 0;
            found = true;
        }
        /* Padded to eight bytes; whoever leaves that out at the very end is forgiven. */
        length += ITEM_VALUE + (8 - length % 8) % 8;
        at = length > size - at ? size : at + (size_t)length;
    }
    return found;
}
