/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The messages of one ring by sequence number, from the one behind the newest that everybody has ("released") up to
 * TOTEM_WINDOW further. Pure, but for memory. Each number also counts how often it was missed.
 */
#ifndef QUORATE_CORE_TOTEM_STORE_H
#define QUORATE_CORE_TOTEM_STORE_H

#include "core/totem/datagram.h"

#define TOTEM_WINDOW 16384

struct store {
    uint32_t released; /* every number up to this has been given back */
    uint32_t highest;  /* that was put or missed; at least `released` */
    struct datagram *slots[TOTEM_WINDOW];
    uint32_t missed[TOTEM_WINDOW];
};

/* Empty, nothing released. NULL without memory. */
struct store *store_new(void);
void store_free(struct store *store);
/* Empty, nothing released. */
void store_clear(struct store *store);

/* Released numbers are not in the window. */
static inline bool store_in_window(const struct store *store, uint32_t seq)
{
    return seq - store->released - 1 < TOTEM_WINDOW;
}

/* NULL if it is not there. */
static inline struct datagram *store_get(const struct store *store, uint32_t seq)
{
    return store_in_window(store, seq) ? store->slots[seq % TOTEM_WINDOW] : NULL;
}

/* Takes the reference over; the number is in the window and not taken. */
void store_put(struct store *store, uint32_t seq, struct datagram *datagram);
/* Gives back all up to and with this number; does nothing if that is behind. */
void store_release(struct store *store, uint32_t seq);
/* How often this number has been missed, this time included. It is in the window. */
uint32_t store_miss(struct store *store, uint32_t seq);

#endif
