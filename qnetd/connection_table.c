/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/connection_table.h"

#include <assert.h>
#include <stdlib.h>

#define NO_SLOT UINT32_MAX

void connection_table_init(struct connection_table *table)
{
    *table = (struct connection_table){.first_free = NO_SLOT};
}

void connection_table_fini(struct connection_table *table)
{
    assert(table->count == 0);
    free(table->slots);
    connection_table_init(table);
}

static enum q_err grow(struct connection_table *table)
{
    uint32_t count = table->slot_count == 0 ? 64 : table->slot_count * 2;
    struct connection_slot *slots = realloc(table->slots, count * sizeof(*slots));

    if (slots == NULL)
        return Q_ERR_NO_MEMORY;
    table->slots = slots;
    for (uint32_t i = count; i-- > table->slot_count;) {
        slots[i] = (struct connection_slot){.generation = 1, .next_free = table->first_free};
        table->first_free = i;
    }
    table->slot_count = count;
    return Q_OK;
}

enum q_err connection_table_reserve(struct connection_table *table, uint64_t *id)
{
    struct connection_slot *slot;
    uint32_t index;

    if (table->first_free == NO_SLOT && grow(table) != Q_OK)
        return Q_ERR_NO_MEMORY;
    index = table->first_free;
    slot = &table->slots[index];
    table->first_free = slot->next_free;
    table->count++;
    *id = (uint64_t)slot->generation << 32 | index;
    return Q_OK;
}

static struct connection_slot *find(const struct connection_table *table, uint64_t id)
{
    uint32_t index = (uint32_t)id;

    if (index >= table->slot_count || table->slots[index].generation != id >> 32)
        return NULL;
    return &table->slots[index];
}

void connection_table_put(struct connection_table *table, uint64_t id, struct connection *connection)
{
    struct connection_slot *slot = find(table, id);

    assert(slot != NULL && slot->connection == NULL);
    slot->connection = connection;
}

void connection_table_remove(struct connection_table *table, uint64_t id)
{
    struct connection_slot *slot = find(table, id);

    assert(slot != NULL);
    slot->connection = NULL;
    if (++slot->generation == 0)
        slot->generation = 1;
    slot->next_free = table->first_free;
    table->first_free = (uint32_t)id;
    table->count--;
}

struct connection *connection_table_get(const struct connection_table *table, uint64_t id)
{
    struct connection_slot *slot = find(table, id);

    return slot == NULL ? NULL : slot->connection;
}
