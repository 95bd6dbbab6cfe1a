/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/loop_timer.h"

#include <assert.h>
#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int32_t on_ready(int32_t fd, int32_t revents, void *data)
{
    struct loop_timer *timer = data;
    uint64_t count;

    (void)revents;
    if (read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
        return 0; /* it was set anew meanwhile */
    timer->at_ms = LOOP_TIMER_NEVER;
    timer->on_due(timer->data);
    return 0;
}

enum q_err loop_timer_open(struct loop_timer *timer, qb_loop_t *loop, enum qb_loop_priority priority,
                           void (*on_due)(void *data), void *data)
{
    *timer = (struct loop_timer){.loop = loop, .at_ms = LOOP_TIMER_NEVER, .on_due = on_due, .data = data};
    timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer->fd < 0)
        return Q_ERR_IO;
    return qb_loop_poll_add(loop, priority, timer->fd, POLLIN, timer, on_ready) == 0 ? Q_OK : Q_ERR_IO;
}

void loop_timer_close(struct loop_timer *timer)
{
    if (timer->fd < 0)
        return;
    qb_loop_poll_del(timer->loop, timer->fd);
    close(timer->fd);
    timer->fd = -1;
}

static void set(struct loop_timer *timer, int flags, const struct itimerspec *when)
{
    if (timerfd_settime(timer->fd, flags, when, NULL) != 0)
        assert(0); /* it is ours and the time is a time */
}

void loop_timer_set(struct loop_timer *timer, uint64_t at_ms)
{
    struct itimerspec when = {{0, 0}, {0, 0}}; /* never */

    if (at_ms == timer->at_ms)
        return;
    timer->at_ms = at_ms;
    if (at_ms != LOOP_TIMER_NEVER) {
        when.it_value.tv_sec = (time_t)(at_ms / 1000);
        when.it_value.tv_nsec = (long)(at_ms % 1000) * 1000000;
        if (at_ms == 0)
            when.it_value.tv_nsec = 1; /* long ago, where 0 means never */
    }
    set(timer, TFD_TIMER_ABSTIME, &when);
}

void loop_timer_set_in_us(struct loop_timer *timer, uint32_t us)
{
    assert(us > 0 && us < 1000000);
    timer->at_ms = 0;
    set(timer, 0, &(struct itimerspec){.it_value.tv_nsec = (long)us * 1000});
}
