/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A counted block of bytes: a datagram as it was sent or received, or a message put together from several. The ring
 * keeps a multicast until everybody has it, sends it again as it is, and hands pieces of it up; all that refers to the one
 * block. Pure, but for memory.
 */
#ifndef QUORATE_CORE_TOTEM_DATAGRAM_H
#define QUORATE_CORE_TOTEM_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "core/totem/wire.h"

struct datagram {
    uint32_t references;
    uint32_t size;
    uint8_t bytes[];
};

/* With one reference; contents are not set. NULL without memory. */
struct datagram *datagram_new(size_t size);
struct datagram *datagram_ref(struct datagram *datagram);
/* Gives one reference back; NULL is fine. */
void datagram_unref(struct datagram *datagram);

/* Of an MCAST in our byte order: */
static inline enum totem_encapsulation datagram_encapsulated(const struct datagram *mcast)
{
    return (enum totem_encapsulation)mcast->bytes[4];
}

static inline uint32_t datagram_sender(const struct datagram *mcast) /* header.node_id */
{
    return totem_get_u32(mcast->bytes + 5, TOTEM_ORDER_OURS);
}

static inline uint32_t datagram_originator(const struct datagram *mcast) /* system_from */
{
    return totem_get_u32(mcast->bytes + TOTEM_HEADER_SIZE, TOTEM_ORDER_OURS);
}

/* First in, first out. */
struct datagram_queue {
    struct datagram **items;
    size_t first;
    size_t count;
    size_t capacity; /* a power of two, or 0 */
};

void datagram_queue_fini(struct datagram_queue *queue);
void datagram_queue_clear(struct datagram_queue *queue);
/* Takes the reference over, also when it fails: false without memory. */
bool datagram_queue_push(struct datagram_queue *queue, struct datagram *datagram);
/* The caller gets the reference; NULL if the queue is empty. */
struct datagram *datagram_queue_pop(struct datagram_queue *queue);

/* The caller gets no reference; 0 is the one that is popped next. */
static inline struct datagram *datagram_queue_at(const struct datagram_queue *queue, size_t index)
{
    return queue->items[(queue->first + index) & (queue->capacity - 1)];
}

#endif
