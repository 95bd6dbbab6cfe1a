/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/schedule.h"

#include <assert.h>
#include <stdlib.h>

void schedule_init(struct schedule *schedule)
{
    *schedule = (struct schedule){.next_order = 1};
}

void schedule_fini(struct schedule *schedule)
{
    free(schedule->heap);
}

void schedule_clear(struct schedule *schedule)
{
    schedule->count = 0;
    schedule->next_order = 1;
}

static bool earlier(const struct occurrence *left, const struct occurrence *right)
{
    if (left->at_ms != right->at_ms) {
        return left->at_ms < right->at_ms;
    }
    return left->order < right->order;
}

void schedule_add(struct schedule *schedule, uint64_t at_ms, occurrence_fn *fn, void *who, uint64_t a,
                  uint64_t b, uint64_t c)
{
    struct occurrence added = {at_ms, schedule->next_order++, fn, who, a, b, c};
    size_t i = schedule->count++;

    if (schedule->count > schedule->capacity) {
        schedule->capacity = schedule->capacity ? schedule->capacity * 2 : 1024;
        schedule->heap = realloc(schedule->heap, schedule->capacity * sizeof *schedule->heap);
        assert(schedule->heap != NULL);
    }
    while (i > 0 && earlier(&added, &schedule->heap[(i - 1) / 2])) {
        schedule->heap[i] = schedule->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    schedule->heap[i] = added;
}

bool schedule_take(struct schedule *schedule, struct occurrence *out)
{
    struct occurrence last;
    size_t i = 0;

    if (schedule->count == 0) {
        return false;
    }
    *out = schedule->heap[0];
    last = schedule->heap[--schedule->count];
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= schedule->count) {
            break;
        }
        if (child + 1 < schedule->count && earlier(&schedule->heap[child + 1], &schedule->heap[child])) {
            child++;
        }
        if (!earlier(&schedule->heap[child], &last)) {
            break;
        }
        schedule->heap[i] = schedule->heap[child];
        i = child;
    }
    schedule->heap[i] = last;
    return true;
}

static void on_timer(const struct occurrence *occurrence)
{
    struct timer *timer = occurrence->who;

    if (occurrence->at_ms != timer->queued_ms) {
        return; /* superseded by an earlier one */
    }
    timer->queued_ms = SIM_NEVER;
    if (timer->due_ms == SIM_NEVER) {
        return;
    }
    if (timer->due_ms > occurrence->at_ms) {
        timer_set(timer, occurrence->at_ms, timer->due_ms);
        return;
    }
    timer->due_ms = SIM_NEVER;
    timer->fn(timer->owner);
}

void timer_init(struct timer *timer, struct schedule *schedule, void (*fn)(void *owner), void *owner)
{
    *timer = (struct timer){schedule, fn, owner, SIM_NEVER, SIM_NEVER};
}

void timer_set(struct timer *timer, uint64_t now_ms, uint64_t due_ms)
{
    timer->due_ms = due_ms;
    if (due_ms == SIM_NEVER) {
        return;
    }
    if (due_ms < now_ms) {
        due_ms = timer->due_ms = now_ms;
    }
    if (due_ms < timer->queued_ms) {
        timer->queued_ms = due_ms;
        schedule_add(timer->schedule, due_ms, on_timer, timer, 0, 0, 0);
    }
}
