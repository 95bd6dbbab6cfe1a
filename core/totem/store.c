/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/store.h"

#include <assert.h>
#include <stdlib.h>

struct store *store_new(void)
{
    return calloc(1, sizeof(struct store));
}

void store_free(struct store *store)
{
    if (store == NULL)
        return;
    store_clear(store);
    free(store);
}

/* Only slots in use are touched: an idle ring never needs most of the pages. */
void store_clear(struct store *store)
{
    store_release(store, store->highest);
    store->released = 0;
    store->highest = 0;
}

static void note_highest(struct store *store, uint32_t seq)
{
    if (seq - store->released > store->highest - store->released)
        store->highest = seq;
}

void store_put(struct store *store, uint32_t seq, struct datagram *datagram)
{
    assert(store_in_window(store, seq) && store->slots[seq % TOTEM_WINDOW] == NULL);
    store->slots[seq % TOTEM_WINDOW] = datagram;
    note_highest(store, seq);
}

void store_release(struct store *store, uint32_t seq)
{
    if (!store_in_window(store, seq))
        return;
    if (seq - store->released > store->highest - store->released)
        store->highest = seq;
    while (store->released != seq) {
        uint32_t slot = ++store->released % TOTEM_WINDOW;

        datagram_unref(store->slots[slot]);
        store->slots[slot] = NULL;
        store->missed[slot] = 0;
    }
}

uint32_t store_miss(struct store *store, uint32_t seq)
{
    assert(store_in_window(store, seq));
    note_highest(store, seq);
    return ++store->missed[seq % TOTEM_WINDOW];
}
