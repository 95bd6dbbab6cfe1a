/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual time: what will happen, ordered by (time, order of scheduling). Embedded in the world. An
 * occurrence is a function, whom it concerns, and three numbers; those who change their mind compare the
 * numbers with their state when it fires. A timer is the other way round: one per owner, moved as often as
 * the owner likes.
 */
#ifndef QUORATE_TESTS_SIM_SCHEDULE_H
#define QUORATE_TESTS_SIM_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_NEVER UINT64_MAX

struct occurrence;
typedef void occurrence_fn(const struct occurrence *occurrence);

struct occurrence {
    uint64_t at_ms;
    uint64_t order;
    occurrence_fn *fn;
    void *who;
    uint64_t a, b, c;
};

struct schedule {
    struct occurrence *heap;
    size_t count;
    size_t capacity;
    uint64_t next_order;
};

void schedule_init(struct schedule *schedule);
void schedule_fini(struct schedule *schedule);
void schedule_clear(struct schedule *schedule);
void schedule_add(struct schedule *schedule, uint64_t at_ms, occurrence_fn *fn, void *who, uint64_t a,
                  uint64_t b, uint64_t c);
/* Takes the earliest; false when there is none. */
bool schedule_take(struct schedule *schedule, struct occurrence *out);

struct timer {
    struct schedule *schedule;
    void (*fn)(void *owner);
    void *owner;
    uint64_t due_ms;    /* what the owner wants; SIM_NEVER: nothing */
    uint64_t queued_ms; /* the occurrence that counts; SIM_NEVER: none */
};

void timer_init(struct timer *timer, struct schedule *schedule, void (*fn)(void *owner), void *owner);
/* Moves the timer; times in the past fire as soon as possible. */
void timer_set(struct timer *timer, uint64_t now_ms, uint64_t due_ms);

#endif
