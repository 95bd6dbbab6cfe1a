/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of the wire codec share: messages put together TLV by TLV, right or wrong, and taken apart.
 * Include after cmocka.h.
 */
#ifndef QUORATE_TESTS_UNIT_WIRE_HELP_H
#define QUORATE_TESTS_UNIT_WIRE_HELP_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/wire/tables.h"
#include "common/wire/wire.h"

static struct wire_message decoded; /* too large for the stack */

static inline void append_hex(struct q_buf *buf, const char *hex)
{
    for (size_t i = 0; hex[i] != '\0'; i += 2) {
        char digits[3] = {hex[i], hex[i + 1], '\0'};
        q_buf_append_u8(buf, (uint8_t)strtoul(digits, NULL, 16));
    }
}

/* Starts a message in an empty buffer; message_end puts the length in. */
static inline void message_begin(struct q_buf *buf, uint16_t type)
{
    q_buf_reset(buf);
    q_buf_append_u16(buf, type);
    q_buf_append_u32(buf, 0);
}

static inline void message_end(struct q_buf *buf)
{
    q_buf_put_u32(buf, 2, (uint32_t)(buf->size - WIRE_HEADER_SIZE));
}

static inline void append_tlv(struct q_buf *buf, uint16_t type, const void *value, size_t size)
{
    q_buf_append_u16(buf, type);
    q_buf_append_u16(buf, (uint16_t)size);
    q_buf_append(buf, value, size);
}

static inline void append_tlv_u32(struct q_buf *buf, uint16_t type, uint32_t value)
{
    q_buf_append_u16(buf, type);
    q_buf_append_u16(buf, 4);
    q_buf_append_u32(buf, value);
}

static inline void append_tlv_u8(struct q_buf *buf, uint16_t type, uint8_t value)
{
    append_tlv(buf, type, &value, 1);
}

/* A value that obeys the slot's rule. */
static inline void append_valid_tlv(struct q_buf *buf, uint32_t slot)
{
    static const uint8_t node_info[] = {0, WIRE_TLV_NODE_ID, 0, 4, 0, 0, 0, 7};
    const struct wire_tlv_rule *rule = &wire_tlv_rules[slot];
    uint8_t value[16] = {0};

    if (slot == WIRE_TLV_NODE_INFO) {
        append_tlv(buf, WIRE_TLV_NODE_INFO, node_info, sizeof(node_info));
        return;
    }
    value[0] = rule->byte_min;
    append_tlv(buf, wire_slot_tlv[slot], value, rule->length == WIRE_LENGTH_EXACT ? rule->size : 2);
}

/* Decodes from memory of exactly that size, so that a sanitizer sees every read beyond. */
static inline bool decode(const struct q_buf *buf)
{
    uint8_t *bytes = malloc(buf->size);
    bool ok;

    memcpy(bytes, q_buf_bytes(buf), buf->size);
    memset(&decoded, 0xa5, sizeof(decoded));
    ok = wire_decode(bytes, buf->size, &decoded);
    free(bytes);
    return ok;
}

#endif
