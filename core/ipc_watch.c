/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/ipc_watch.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PRIORITY QB_LOOP_MED

/* About 30 small requests, or one large, at a time: well below a millisecond. */
#define TURN_BYTES (32u << 10)
#define REQUEST_BYTES 1024 /* what a request costs whatever its size */

struct watch {
    bool used, paused;
    int32_t events;
    void *data;
    qb_ipcs_dispatch_fn_t dispatch;
};

static struct {
    qb_loop_t *loop;
    struct watch *watches; /* by descriptor */
    int count;
    size_t spent;
} state;

void ipc_watch_init(qb_loop_t *loop)
{
    assert(state.loop == NULL);
    state.loop = loop;
}

void ipc_watch_fini(void)
{
    free(state.watches);
    memset(&state, 0, sizeof(state));
}

static struct watch *find(int fd)
{
    return fd >= 0 && fd < state.count && state.watches[fd].used ? &state.watches[fd] : NULL;
}

static int32_t wanted_events(const struct watch *watch)
{
    return watch->paused ? watch->events & ~(POLLIN | POLLPRI) : watch->events;
}

static int32_t on_ready(int32_t fd, int32_t revents, void *data)
{
    struct watch *watch = find(fd);
    int32_t result;

    (void)data;
    if (watch == NULL)
        return -EBADF;
    state.spent = 0;
    result = watch->dispatch(fd, revents, watch->data);
    watch = find(fd); /* the table may have moved, and the watch may be gone */
    if (result < 0 && watch != NULL)
        watch->used = false;
    return result;
}

static int32_t on_add(enum qb_loop_priority priority, int32_t fd, int32_t events, void *data, qb_ipcs_dispatch_fn_t dispatch)
{
    int32_t result;

    (void)priority;
    if (fd >= state.count) {
        int count = fd + 64;
        struct watch *larger = realloc(state.watches, (size_t)count * sizeof(*larger));

        if (larger == NULL)
            return -ENOMEM;
        memset(larger + state.count, 0, (size_t)(count - state.count) * sizeof(*larger));
        state.watches = larger;
        state.count = count;
    }
    state.watches[fd] = (struct watch){.used = true, .events = events, .data = data, .dispatch = dispatch};
    result = qb_loop_poll_add(state.loop, PRIORITY, fd, events, NULL, on_ready);
    if (result != 0)
        state.watches[fd].used = false;
    return result;
}

static int32_t on_modify(enum qb_loop_priority priority, int32_t fd, int32_t events, void *data,
                         qb_ipcs_dispatch_fn_t dispatch)
{
    struct watch *watch = find(fd);
    int32_t before;

    (void)priority;
    if (watch == NULL)
        return -EBADF;
    before = wanted_events(watch);
    watch->events = events;
    watch->data = data;
    watch->dispatch = dispatch;
    if (wanted_events(watch) == before)
        return 0;
    return qb_loop_poll_mod(state.loop, PRIORITY, fd, wanted_events(watch), NULL, on_ready);
}

static int32_t on_delete(int32_t fd)
{
    struct watch *watch = find(fd);

    if (watch == NULL)
        return 0;
    watch->used = false;
    return qb_loop_poll_del(state.loop, fd);
}

static int32_t on_job(enum qb_loop_priority priority, void *data, qb_loop_job_dispatch_fn dispatch)
{
    return qb_loop_job_add(state.loop, priority, data, dispatch);
}

struct qb_ipcs_poll_handlers *ipc_watch_handlers(void)
{
    static struct qb_ipcs_poll_handlers handlers = {
        .job_add = on_job, .dispatch_add = on_add, .dispatch_mod = on_modify, .dispatch_del = on_delete};

    return &handlers;
}

int ipc_watch_find(const qb_ipcs_connection_t *connection)
{
    for (int fd = 0; fd < state.count; fd++) {
        if (state.watches[fd].used && state.watches[fd].data == connection)
            return fd;
    }
    return -1;
}

void ipc_watch_pause(int fd, bool paused)
{
    struct watch *watch = find(fd);

    if (watch == NULL || watch->paused == paused)
        return;
    watch->paused = paused;
    (void)qb_loop_poll_mod(state.loop, PRIORITY, fd, wanted_events(watch), NULL, on_ready);
}

bool ipc_watch_spend(size_t size)
{
    state.spent += REQUEST_BYTES + size;
    return state.spent < TURN_BYTES;
}
