/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/nodes.h"

#include <string.h>

void totem_nodes_clear(struct totem_nodes *nodes)
{
    nodes->count = 0;
}

void totem_nodes_set_one(struct totem_nodes *nodes, uint32_t id)
{
    nodes->count = 1;
    nodes->ids[0] = id;
}

void totem_nodes_copy(struct totem_nodes *nodes, const struct totem_nodes *from)
{
    if (nodes == from)
        return;
    nodes->count = from->count;
    memcpy(nodes->ids, from->ids, from->count * sizeof(nodes->ids[0]));
}

void totem_nodes_assign(struct totem_nodes *nodes, const uint32_t *ids, uint32_t count)
{
    nodes->count = 0;
    for (uint32_t i = 0; i < count; i++)
        totem_nodes_add(nodes, ids[i]);
}

/* Index of the first id that is not below `id`. */
static uint32_t position(const struct totem_nodes *nodes, uint32_t id)
{
    uint32_t low = 0;
    uint32_t high = nodes->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (nodes->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool totem_nodes_has(const struct totem_nodes *nodes, uint32_t id)
{
    uint32_t at = position(nodes, id);

    return at < nodes->count && nodes->ids[at] == id;
}

bool totem_nodes_add(struct totem_nodes *nodes, uint32_t id)
{
    uint32_t at = position(nodes, id);

    if (at < nodes->count && nodes->ids[at] == id)
        return true;
    if (nodes->count == TOTEM_NODES_MAX)
        return false;
    memmove(&nodes->ids[at + 1], &nodes->ids[at], (nodes->count - at) * sizeof(nodes->ids[0]));
    nodes->ids[at] = id;
    nodes->count++;
    return true;
}

void totem_nodes_remove(struct totem_nodes *nodes, uint32_t id)
{
    uint32_t at = position(nodes, id);

    if (at == nodes->count || nodes->ids[at] != id)
        return;
    nodes->count--;
    memmove(&nodes->ids[at], &nodes->ids[at + 1], (nodes->count - at) * sizeof(nodes->ids[0]));
}

bool totem_nodes_unite(struct totem_nodes *nodes, const struct totem_nodes *other)
{
    bool complete = true;

    for (uint32_t i = 0; i < other->count; i++)
        complete = totem_nodes_add(nodes, other->ids[i]) && complete;
    return complete;
}

void totem_nodes_subtract(struct totem_nodes *nodes, const struct totem_nodes *from, const struct totem_nodes *without)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < from->count; i++) {
        uint32_t id = from->ids[i];

        if (!totem_nodes_has(without, id))
            nodes->ids[count++] = id;
    }
    nodes->count = count;
}

bool totem_nodes_equal(const struct totem_nodes *a, const struct totem_nodes *b)
{
    return a->count == b->count && memcmp(a->ids, b->ids, a->count * sizeof(a->ids[0])) == 0;
}

bool totem_nodes_is_subset(const struct totem_nodes *part, const struct totem_nodes *whole)
{
    for (uint32_t i = 0; i < part->count; i++) {
        if (!totem_nodes_has(whole, part->ids[i]))
            return false;
    }
    return true;
}
