/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A min-heap of absolute deadlines, so that one machine needs one timer. Pure. Entries are embedded in their
 * owners; an entry is in at most one heap. All operations are O(log n), reading the earliest is O(1). Equal
 * deadlines come out in the order in which they were set, so that the same events give the same actions.
 */
#ifndef QUORATE_COMMON_DEADLINE_HEAP_H
#define QUORATE_COMMON_DEADLINE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define DEADLINE_NEVER UINT64_MAX

struct deadline {
    uint64_t at_ms;
    uint64_t order; /* ties */
    size_t index;   /* position + 1 in the heap; 0: not in it */
    int kind;       /* for the owner */
};

struct deadline_heap {
    struct deadline **entries;
    size_t count;
    size_t capacity;
    uint64_t next_order;
};

void deadline_heap_init(struct deadline_heap *heap);
void deadline_heap_fini(struct deadline_heap *heap);

/* Prepares memory for one more entry than there are, so that deadline_set cannot fail afterwards. */
enum q_err deadline_heap_reserve(struct deadline_heap *heap, size_t count);

void deadline_init(struct deadline *deadline, int kind);
/* Inserts or moves; DEADLINE_NEVER removes. Asserts that room was reserved. */
void deadline_set(struct deadline_heap *heap, struct deadline *deadline, uint64_t at_ms);
void deadline_clear(struct deadline_heap *heap, struct deadline *deadline);

/* The earliest entry, NULL if none. */
struct deadline *deadline_heap_first(const struct deadline_heap *heap);

#endif
