/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set of up to TOTEM_NODES_MAX nodes, ascending, in place: the ring's lists (candidates, failed, members). Pure. Unlike
 * common/node_set.h it never allocates, because a membership change must not fail for want of memory.
 */
#ifndef QUORATE_CORE_TOTEM_NODES_H
#define QUORATE_CORE_TOTEM_NODES_H

#include "core/totem/wire.h"

struct totem_nodes {
    uint32_t count;
    uint32_t ids[TOTEM_NODES_MAX];
};

void totem_nodes_clear(struct totem_nodes *nodes);
void totem_nodes_set_one(struct totem_nodes *nodes, uint32_t id);
void totem_nodes_copy(struct totem_nodes *nodes, const struct totem_nodes *from);
/* Of ids in any order, duplicates allowed; count is at most TOTEM_NODES_MAX. */
void totem_nodes_assign(struct totem_nodes *nodes, const uint32_t *ids, uint32_t count);
bool totem_nodes_has(const struct totem_nodes *nodes, uint32_t id);
/* False if there is no room; nothing is changed then. */
bool totem_nodes_add(struct totem_nodes *nodes, uint32_t id);
void totem_nodes_remove(struct totem_nodes *nodes, uint32_t id);
/* False if not all had room. */
bool totem_nodes_unite(struct totem_nodes *nodes, const struct totem_nodes *other);
/* Becomes `from` without what is in `without`; may be `from` itself. */
void totem_nodes_subtract(struct totem_nodes *nodes, const struct totem_nodes *from, const struct totem_nodes *without);
bool totem_nodes_equal(const struct totem_nodes *a, const struct totem_nodes *b);
bool totem_nodes_is_subset(const struct totem_nodes *part, const struct totem_nodes *whole);

#endif
