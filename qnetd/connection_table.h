/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All connections by their id: a slot index in the low 32 bits and a generation above, so that an id kept by the
 * arbiter or by the kernel's event list never means a later connection. Slots are reused, the lowest free one
 * that was given back last first, which keeps the arbiter's array small. Owned by the server.
 */
#ifndef QUORATE_QNETD_CONNECTION_TABLE_H
#define QUORATE_QNETD_CONNECTION_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct connection;

struct connection_slot {
    struct connection *connection; /* NULL: free */
    uint32_t generation;           /* of the present or the next owner; never 0 */
    uint32_t next_free;
};

struct connection_table {
    struct connection_slot *slots;
    uint32_t slot_count;
    uint32_t count; /* in use */
    uint32_t first_free;
};

void connection_table_init(struct connection_table *table);
void connection_table_fini(struct connection_table *table);

/* Reserves a slot; its id goes into *id. To be followed by _put or _remove. Q_ERR_NO_MEMORY. */
enum q_err connection_table_reserve(struct connection_table *table, uint64_t *id);
void connection_table_put(struct connection_table *table, uint64_t id, struct connection *connection);
void connection_table_remove(struct connection_table *table, uint64_t id);

/* NULL: there is none of that id any more. */
struct connection *connection_table_get(const struct connection_table *table, uint64_t id);

#endif
