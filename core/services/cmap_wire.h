/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one message between the services cmap of a cluster: what totem.config_version a node has (spec/totem-wire.md
 * section 8.5). Pure, no state. The format has room for any keys; real nodes send just this one, and so do we.
 */
#ifndef QUORATE_CORE_SERVICES_CMAP_WIRE_H
#define QUORATE_CORE_SERVICES_CMAP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/totem/octets.h"

#define CMAP_WIRE_SIZE_MAX 336
#define CMAP_WIRE_ITEMS_MAX 32

enum cmap_wire_reason { CMAP_WIRE_SYNC = 0, CMAP_WIRE_CHANGED = 1 };

/* Into zeroed bytes; has_version false: there is no such key. Returns the size. In this machine's order. */
size_t cmap_wire_encode(uint8_t bytes[CMAP_WIRE_SIZE_MAX], enum cmap_wire_reason reason, bool has_version,
                        uint64_t version);

/* From the exec header on. The version is 0 if there is none or it is no u64. False: not such a message, or not of it. */
bool cmap_wire_decode(const uint8_t *bytes, size_t size, enum totem_order order, uint64_t *version);

#endif
