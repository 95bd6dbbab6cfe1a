/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Integers in the byte order of whoever sent them (spec/totem-wire.md section 2). Pure, no state. Everything on the
 * ring is in its sender's order, which the first two bytes of each datagram tell; we send in our machine's own.
 */
#ifndef QUORATE_CORE_TOTEM_OCTETS_H
#define QUORATE_CORE_TOTEM_OCTETS_H

#include <stdint.h>

enum totem_order { TOTEM_LITTLE_ENDIAN, TOTEM_BIG_ENDIAN };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TOTEM_ORDER_OURS TOTEM_LITTLE_ENDIAN
#else
#define TOTEM_ORDER_OURS TOTEM_BIG_ENDIAN
#endif

static inline uint16_t totem_get_u16(const uint8_t *at, enum totem_order order)
{
    return order == TOTEM_LITTLE_ENDIAN ? (uint16_t)(at[0] | at[1] << 8) : (uint16_t)(at[1] | at[0] << 8);
}

static inline uint32_t totem_get_u32(const uint8_t *at, enum totem_order order)
{
    uint32_t first = totem_get_u16(at, order);
    uint32_t second = totem_get_u16(at + 2, order);

    return order == TOTEM_LITTLE_ENDIAN ? first | second << 16 : second | first << 16;
}

static inline uint64_t totem_get_u64(const uint8_t *at, enum totem_order order)
{
    uint64_t first = totem_get_u32(at, order);
    uint64_t second = totem_get_u32(at + 4, order);

    return order == TOTEM_LITTLE_ENDIAN ? first | second << 32 : second | first << 32;
}

static inline void totem_put_u16(uint8_t *at, uint16_t value, enum totem_order order)
{
    at[order == TOTEM_LITTLE_ENDIAN ? 0 : 1] = (uint8_t)value;
    at[order == TOTEM_LITTLE_ENDIAN ? 1 : 0] = (uint8_t)(value >> 8);
}

static inline void totem_put_u32(uint8_t *at, uint32_t value, enum totem_order order)
{
    totem_put_u16(at + (order == TOTEM_LITTLE_ENDIAN ? 0 : 2), (uint16_t)value, order);
    totem_put_u16(at + (order == TOTEM_LITTLE_ENDIAN ? 2 : 0), (uint16_t)(value >> 16), order);
}

static inline void totem_put_u64(uint8_t *at, uint64_t value, enum totem_order order)
{
    totem_put_u32(at + (order == TOTEM_LITTLE_ENDIAN ? 0 : 4), (uint32_t)value, order);
    totem_put_u32(at + (order == TOTEM_LITTLE_ENDIAN ? 4 : 0), (uint32_t)(value >> 32), order);
}

#endif
