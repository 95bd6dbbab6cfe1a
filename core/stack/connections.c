/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/stack/connections.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void connections_fini(struct connections *connections)
{
    free(connections->items);
    *connections = (struct connections){0};
}

bool connections_add(struct connections *connections, uint64_t id, enum service_id service)
{
    assert(id != 0);
    assert(connections->count == 0 || connections->items[connections->count - 1].id < id);
    if (connections->count == connections->capacity) {
        size_t capacity = connections->capacity > 0 ? 2 * connections->capacity : 32;
        struct connection *items = realloc(connections->items, capacity * sizeof(*items));

        if (items == NULL)
            return false;
        connections->items = items;
        connections->capacity = capacity;
    }
    connections->items[connections->count++] = (struct connection){id, service};
    return true;
}

/* The index of the first whose id is not smaller. */
static size_t find(const struct connections *connections, uint64_t id)
{
    size_t low = 0;
    size_t high = connections->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (connections->items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct connection *connections_find(const struct connections *connections, uint64_t id)
{
    size_t at = find(connections, id);

    return at < connections->count && connections->items[at].id == id ? &connections->items[at] : NULL;
}

void connections_remove(struct connections *connections, uint64_t id)
{
    size_t at = find(connections, id);

    if (at == connections->count || connections->items[at].id != id)
        return;
    memmove(&connections->items[at], &connections->items[at + 1],
            (connections->count - at - 1) * sizeof(connections->items[0]));
    connections->count--;
}
