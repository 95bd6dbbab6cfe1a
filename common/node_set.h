/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set of node ids, kept as an ascending array without duplicates. Pure. Embedded; owns its array.
 * Sets are compared and printed, never mutated in place except by assignment, so that two views of a
 * membership either are the same set or are not.
 */
#ifndef QUORATE_COMMON_NODE_SET_H
#define QUORATE_COMMON_NODE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct node_set {
    uint32_t *ids; /* ascending, unique; NULL when empty */
    uint32_t count;
};

void node_set_init(struct node_set *set);
void node_set_fini(struct node_set *set);

/* Becomes the set of ids[0..count-1] (any order, duplicates allowed). Unchanged on Q_ERR_NO_MEMORY. */
enum q_err node_set_assign(struct node_set *set, const uint32_t *ids, size_t count);
enum q_err node_set_copy(struct node_set *set, const struct node_set *from);
/* Adds every element of `other`. */
enum q_err node_set_unite(struct node_set *set, const struct node_set *other);
enum q_err node_set_add(struct node_set *set, uint32_t id);
/* Keeps only the elements that are also in `other`. Cannot fail. */
void node_set_intersect(struct node_set *set, const struct node_set *other);
/* Takes over the array of `from`, which becomes empty. */
void node_set_move(struct node_set *set, struct node_set *from);

bool node_set_has(const struct node_set *set, uint32_t id);
bool node_set_equal(const struct node_set *a, const struct node_set *b);
bool node_set_is_subset(const struct node_set *part, const struct node_set *whole);
bool node_set_overlap(const struct node_set *a, const struct node_set *b);
uint32_t node_set_lowest(const struct node_set *set);  /* 0 when empty */
uint32_t node_set_highest(const struct node_set *set); /* 0 when empty */

/* "1,2,7" into text (always terminated; ends in "..." when it does not fit). "none" for the empty set. */
void node_set_text(const struct node_set *set, char *text, size_t size);

#endif
