/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/assembly.h"

#include <stdlib.h>
#include <string.h>

#define PARTIAL_CAPACITY_MIN 4096

struct assembly {
    uint32_t node_id;
    uint8_t fragment;         /* number of the last frame's unfinished message; 0: none */
    bool beginning_lost;      /* of that message: its pieces are dropped */
    struct datagram *partial; /* what there is of it; NULL: nothing yet */
    size_t capacity;          /* of partial, whose size is what is filled */
};

static void forget_partial(struct assembly *assembly)
{
    datagram_unref(assembly->partial);
    assembly->partial = NULL;
    assembly->capacity = 0;
}

void assembly_table_fini(struct assembly_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        forget_partial(table->items[i]);
        free(table->items[i]);
    }
    free(table->items);
    *table = (struct assembly_table){0};
}

void assembly_forget(struct assembly_table *table, const struct totem_nodes *left)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < table->count; i++) {
        if (totem_nodes_has(left, table->items[i]->node_id)) {
            forget_partial(table->items[i]);
            free(table->items[i]);
        } else {
            table->items[count++] = table->items[i];
        }
    }
    table->count = count;
}

static struct assembly *insert(struct assembly_table *table, uint32_t at, uint32_t node_id)
{
    struct assembly *assembly;

    if (table->count == table->capacity) {
        uint32_t capacity = table->capacity > 0 ? 2 * table->capacity : 8;
        struct assembly **items = realloc(table->items, capacity * sizeof(items[0]));

        if (items == NULL)
            return NULL;
        table->items = items;
        table->capacity = capacity;
    }
    assembly = calloc(1, sizeof(*assembly));
    if (assembly == NULL)
        return NULL;
    assembly->node_id = node_id;
    memmove(&table->items[at + 1], &table->items[at], (table->count - at) * sizeof(table->items[0]));
    table->items[at] = assembly;
    table->count++;
    return assembly;
}

static struct assembly *find_or_insert(struct assembly_table *table, uint32_t node_id)
{
    uint32_t low = 0;
    uint32_t high = table->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (table->items[middle]->node_id < node_id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < table->count && table->items[low]->node_id == node_id)
        return table->items[low];
    return insert(table, low, node_id);
}

/* A message that grows beyond what any may have is given up, like one without beginning. False without memory. */
static bool append_piece(struct assembly *assembly, const uint8_t *piece, size_t size)
{
    size_t filled = assembly->partial != NULL ? assembly->partial->size : 0;

    if (filled + size > TOTEM_MESSAGE_MAX) {
        forget_partial(assembly);
        assembly->beginning_lost = true;
        return true;
    }
    if (assembly->partial == NULL || filled + size > assembly->capacity) {
        size_t capacity = assembly->capacity > 0 ? assembly->capacity : PARTIAL_CAPACITY_MIN;
        struct datagram *larger;

        while (capacity < filled + size)
            capacity *= 2;
        larger = datagram_new(capacity);
        if (larger == NULL)
            return false;
        if (filled > 0)
            memcpy(larger->bytes, assembly->partial->bytes, filled);
        datagram_unref(assembly->partial);
        assembly->partial = larger;
        assembly->capacity = capacity;
    }
    memcpy(assembly->partial->bytes + filled, piece, size);
    assembly->partial->size = (uint32_t)(filled + size);
    return true;
}

/*
 * Whole messages of a sender between the pieces of another of its messages: those it said while its services synchronised, which
 * overtook the rest of what a change of the ring had cut in two, and came after the end of the synchronisation. The pieces go on.
 */
static bool stands_between(const struct assembly *assembly, const struct totem_frame *frame)
{
    return assembly->partial != NULL && frame->continuation == 0 && frame->fragmented == 0 && frame->item_count > 0;
}

bool assembly_add(struct assembly_table *table, uint32_t sender, const struct totem_frame *frame, struct datagram *holder,
                  assembly_deliver_fn *deliver, void *context)
{
    struct assembly *assembly = find_or_insert(table, sender);
    const uint8_t *item = frame->items;

    if (assembly == NULL)
        return false;
    if (stands_between(assembly, frame)) {
        for (uint16_t i = 0; i < frame->item_count; i++) {
            deliver(context, sender, holder, item, totem_frame_item_size(frame, i));
            item += totem_frame_item_size(frame, i);
        }
        return true;
    }
    if (frame->continuation != assembly->fragment) {
        forget_partial(assembly);
        assembly->beginning_lost = true;
    }
    for (uint16_t i = 0; i < frame->item_count; i++) {
        uint16_t size = totem_frame_item_size(frame, i);
        bool continues = i == 0 && frame->continuation != 0;
        bool unfinished = i == frame->item_count - 1 && frame->fragmented != 0;

        if (!continues) {
            forget_partial(assembly);
            assembly->beginning_lost = false;
        }
        if (continues || unfinished) {
            if (!assembly->beginning_lost && !append_piece(assembly, item, size))
                return false;
            if (!unfinished && !assembly->beginning_lost && assembly->partial != NULL)
                deliver(context, sender, assembly->partial, assembly->partial->bytes, assembly->partial->size);
            if (!unfinished)
                forget_partial(assembly);
        } else {
            deliver(context, sender, holder, item, size);
        }
        item += size;
    }
    if (frame->item_count == 0)
        assembly->beginning_lost = true;
    assembly->fragment = frame->fragmented;
    return true;
}
