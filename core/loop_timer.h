/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One deadline in the loop, kept by a descriptor: libqb, which counts in milliseconds, spins through the last one before a
 * timer of its own, and that would be most of what an idle node does. Embedded.
 */
#ifndef QUORATE_CORE_LOOP_TIMER_H
#define QUORATE_CORE_LOOP_TIMER_H

#include <stdint.h>

#include <qb/qbloop.h>

#include "common/err.h"

#define LOOP_TIMER_NEVER UINT64_MAX

struct loop_timer {
    qb_loop_t *loop;
    int fd; /* -1: not open */
    uint64_t at_ms;
    void (*on_due)(void *data);
    void *data;
};

/* Q_ERR_IO: errno says why. */
enum q_err loop_timer_open(struct loop_timer *timer, qb_loop_t *loop, enum qb_loop_priority priority,
                           void (*on_due)(void *data), void *data);
void loop_timer_close(struct loop_timer *timer);

/* on_due is called once, at at_ms of the monotonic clock or soon after, instead of when it was set for before. */
void loop_timer_set(struct loop_timer *timer, uint64_t at_ms);

/* The same, so many microseconds from now: 1 .. 999,999. */
void loop_timer_set_in_us(struct loop_timer *timer, uint32_t us);

#endif
