/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/token_wait.h"

#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define US_TO_NS 1000

static int32_t on_timer(int32_t fd, int32_t events, void *data)
{
    struct token_wait *wait = data;
    uint64_t count;

    (void)events;
    if (read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count) || !wait->running)
        return 0;
    wait->running = false;
    wait->on_datagram(wait->context, wait->bytes, wait->size);
    return 0;
}

enum q_err token_wait_init(struct token_wait *wait, qb_loop_t *loop, void *context,
                           void (*on_datagram)(void *context, const uint8_t *bytes, size_t size))
{
    *wait = (struct token_wait){.context = context, .on_datagram = on_datagram};
    wait->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (wait->fd < 0)
        return Q_ERR_IO;
    if (qb_loop_poll_add(loop, QB_LOOP_HIGH, wait->fd, POLLIN, wait, on_timer) == 0)
        return Q_OK;
    close(wait->fd);
    wait->fd = -1;
    return Q_ERR_IO;
}

void token_wait_fini(struct token_wait *wait, qb_loop_t *loop)
{
    if (wait->fd < 0)
        return;
    qb_loop_poll_del(loop, wait->fd);
    close(wait->fd);
    wait->fd = -1;
}

bool token_wait_keep(struct token_wait *wait, const uint8_t *bytes, size_t size, uint32_t us)
{
    const struct itimerspec when = {.it_value = {.tv_nsec = (long)us * US_TO_NS}};

    if (wait->running || size > sizeof(wait->bytes) || timerfd_settime(wait->fd, 0, &when, NULL) != 0)
        return false;
    wait->running = true;
    wait->size = size;
    memcpy(wait->bytes, bytes, size);
    return true;
}

void token_wait_drop(struct token_wait *wait)
{
    wait->running = false;
}
