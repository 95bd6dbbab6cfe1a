/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/deadline_heap.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

void deadline_heap_init(struct deadline_heap *heap)
{
    heap->entries = NULL;
    heap->count = 0;
    heap->capacity = 0;
    heap->next_order = 0;
}

void deadline_heap_fini(struct deadline_heap *heap)
{
    free(heap->entries);
    deadline_heap_init(heap);
}

enum q_err deadline_heap_reserve(struct deadline_heap *heap, size_t count)
{
    size_t capacity = heap->capacity > 0 ? heap->capacity : 16;
    struct deadline **entries;

    while (capacity < count)
        capacity *= 2;
    if (capacity == heap->capacity)
        return Q_OK;
    entries = realloc(heap->entries, capacity * sizeof(struct deadline *));
    if (entries == NULL)
        return Q_ERR_NO_MEMORY;
    heap->entries = entries;
    heap->capacity = capacity;
    return Q_OK;
}

void deadline_init(struct deadline *deadline, int kind)
{
    deadline->at_ms = DEADLINE_NEVER;
    deadline->order = 0;
    deadline->index = 0;
    deadline->kind = kind;
}

static bool earlier(const struct deadline *a, const struct deadline *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void place(struct deadline_heap *heap, size_t position, struct deadline *deadline)
{
    heap->entries[position] = deadline;
    deadline->index = position + 1;
}

static void sift_up(struct deadline_heap *heap, struct deadline *deadline)
{
    size_t position = deadline->index - 1;

    while (position > 0) {
        size_t parent = (position - 1) / 2;

        if (!earlier(deadline, heap->entries[parent]))
            break;
        place(heap, position, heap->entries[parent]);
        position = parent;
    }
    place(heap, position, deadline);
}

static void sift_down(struct deadline_heap *heap, struct deadline *deadline)
{
    size_t position = deadline->index - 1;

    for (;;) {
        size_t child = 2 * position + 1;

        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && earlier(heap->entries[child + 1], heap->entries[child]))
            child++;
        if (!earlier(heap->entries[child], deadline))
            break;
        place(heap, position, heap->entries[child]);
        position = child;
    }
    place(heap, position, deadline);
}

void deadline_set(struct deadline_heap *heap, struct deadline *deadline, uint64_t at_ms)
{
    if (at_ms == DEADLINE_NEVER) {
        deadline_clear(heap, deadline);
        return;
    }
    if (deadline->index != 0 && deadline->at_ms == at_ms)
        return;
    if (deadline->index == 0) {
        assert(heap->count < heap->capacity);
        place(heap, heap->count++, deadline);
    }
    deadline->at_ms = at_ms;
    deadline->order = heap->next_order++;
    sift_up(heap, deadline);
    sift_down(heap, deadline);
}

void deadline_clear(struct deadline_heap *heap, struct deadline *deadline)
{
    struct deadline *last;
    size_t position;

    if (deadline->index == 0)
        return;
    position = deadline->index - 1;
    last = heap->entries[--heap->count];
    deadline->index = 0;
    deadline->at_ms = DEADLINE_NEVER;
    if (last == deadline)
        return;
    place(heap, position, last);
    sift_up(heap, last);
    sift_down(heap, last);
}

struct deadline *deadline_heap_first(const struct deadline_heap *heap)
{
    return heap->count > 0 ? heap->entries[0] : NULL;
}
