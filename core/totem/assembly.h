/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames back into messages, per sender (spec/totem-wire.md section 6.3). Pure, but for memory. A table belongs to the
 * machine, which has two: frames delivered during a synchronisation must not meet the half message of before.
 *
 * After a frame that does not continue the one before (its sender began while we were not in its ring), what has lost its
 * beginning is dropped and everything else delivered. (The packaged daemon drops more: every item up to a frame that
 * ends or begins a message, and the rest of that one.)
 */
#ifndef QUORATE_CORE_TOTEM_ASSEMBLY_H
#define QUORATE_CORE_TOTEM_ASSEMBLY_H

#include "core/totem/datagram.h"
#include "core/totem/frame.h"
#include "core/totem/nodes.h"

struct assembly;

struct assembly_table {
    struct assembly **items; /* by node id, ascending */
    uint32_t count;
    uint32_t capacity;
};

/* A message of `sender` is whole: `size` bytes at `bytes`, inside of `holder`. */
typedef void assembly_deliver_fn(void *context, uint32_t sender, struct datagram *holder, const uint8_t *bytes, size_t size);

void assembly_table_fini(struct assembly_table *table);

/* Delivers the whole messages that end in this frame, which lies in `holder`. False without memory. */
bool assembly_add(struct assembly_table *table, uint32_t sender, const struct totem_frame *frame, struct datagram *holder,
                  assembly_deliver_fn *deliver, void *context);

/* Nodes that have left will not finish what they began. */
void assembly_forget(struct assembly_table *table, const struct totem_nodes *left);

#endif
