/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of the qnet protocol as tables, shared by the decoder, the encoder and the tests; not for others.
 * A "slot" numbers the TLV types we know densely: 0..23 are the standard types themselves, then come our
 * extensions. Slot s is bit 1 << s of wire_message.present. Constant data only. spec/qnet-protocol.md
 * sections 3, 3.1 and 4.
 */
#ifndef QUORATE_COMMON_WIRE_TABLES_H
#define QUORATE_COMMON_WIRE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/wire.h"

#define WIRE_SLOT_LEASE 24
#define WIRE_SLOT_REASON 25
#define WIRE_SLOT_INSTANCE 26
#define WIRE_SLOT_COUNT 27
#define WIRE_SLOT_NONE UINT32_MAX

/* Which lengths a value may have. */
enum wire_length {
    WIRE_LENGTH_ANY,   /* 0..65535 */
    WIRE_LENGTH_EXACT, /* exactly `size` */
    WIRE_LENGTH_PAIRS, /* a multiple of 2, 0 included */
    WIRE_LENGTH_UP_TO, /* at most `size` */
    WIRE_LENGTH_NESTED /* a non-empty list of TLVs, checked by the decoder */
};

struct wire_tlv_rule {
    enum wire_length length;
    uint16_t size;
    bool ranged;      /* the first byte of the value is limited to ... */
    uint8_t byte_min; /* ... this */
    uint8_t byte_max; /* ... to this */
};

/* One row: a message of `type` must carry all TLVs of `mask`. */
struct wire_required {
    enum wire_type type;
    int32_t when; /* only if the discriminator has this value; WIRE_ALWAYS */
    uint32_t mask;
};
#define WIRE_ALWAYS (-1)

#define WIRE_ORDER_MAX 11 /* slots in the longest order, the end mark included */

extern const struct wire_tlv_rule wire_tlv_rules[WIRE_SLOT_COUNT];
extern const uint16_t wire_slot_tlv[WIRE_SLOT_COUNT]; /* slot to TLV type */
/* The TLVs a message type may carry, in the packaged programs' order, ended by WIRE_SLOT_COUNT. */
extern const uint8_t wire_tlv_order[WIRE_TYPE_COUNT][WIRE_ORDER_MAX];
extern const struct wire_required wire_required[];
extern const size_t wire_required_count;

/* The slot of a TLV type; WIRE_SLOT_NONE for a type we do not know. */
uint32_t wire_slot(uint16_t tlv);

/* The bits of all TLVs in a type's order. */
uint32_t wire_type_mask(enum wire_type type);

/* Whether a TLV of the type's order is written: by its bit, but HEURISTICS of NODE_LIST by its field. */
bool wire_is_written(const struct wire_message *message, uint32_t slot);

/* Whether a value obeys its rule; the inside of WIRE_LENGTH_NESTED is not looked at. */
bool wire_value_is_valid(uint32_t slot, const uint8_t *data, size_t size);

#endif
