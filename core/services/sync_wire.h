/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What synchronisations tell one another: the two messages of the group "sync", from their header on
 * (spec/totem-wire.md section 9). Pure; owns nothing. Services are bits of a set: their ids are 0 to 63 (no
 * real node has others, nor could one take messages for them).
 *
 * Packaged nodes never convert these messages, so they cannot share a ring with nodes of the other byte
 * order; ours read them in their sender's.
 */
#ifndef QUORATE_CORE_SERVICES_SYNC_WIRE_H
#define QUORATE_CORE_SERVICES_SYNC_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "core/totem/octets.h"
#include "core/totem/wire.h"

#define SYNC_SERVICES_MAX 64
#define SYNC_MESSAGE_SIZE_MAX 552

/* The values are ids. */
enum sync_message_type {
    SYNC_BARRIER = 0,
    SYNC_SERVICES = 1 /* "service build": who takes part in what */
};

struct sync_message {
    enum sync_message_type type;
    struct totem_ring_id ring_id; /* that is being synchronised */
    uint64_t services;            /* SERVICES: bit i is service i */
};

/* The number of bytes written; padding is zero. */
size_t sync_message_encode(const struct sync_message *message, enum totem_order order,
                           uint8_t bytes[SYNC_MESSAGE_SIZE_MAX]);

/* Q_ERR_NOT_FOUND: neither of the two. Q_ERR_INVALID: damaged, or with a service that cannot be. */
enum q_err sync_message_decode(const uint8_t *bytes, size_t size, enum totem_order order,
                               struct sync_message *message);

#endif
