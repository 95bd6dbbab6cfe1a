/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/log_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"

#define STACK_SIZE (128u << 10)
#define DRAIN_S 1

struct record {
    int fd;
    uint32_t size; /* of the line behind it; 0: close */
};

static struct {
    bool running;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wanted, idle;
    struct q_buf waiting; /* records; what follows is under the mutex too */
    uint64_t lost_count;
    bool stopping, busy;
} state;

/* ---- writing ---- */

static void write_all(int fd, const void *bytes, size_t size)
{
    const char *next = bytes;

    while (size > 0) {
        ssize_t written = write(fd, next, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* a full disk is no reason to stop */
        next += written;
        size -= (size_t)written;
    }
}

static void carry_out(const struct record *record, const void *line)
{
    if (record->size == 0)
        close(record->fd);
    else
        write_all(record->fd, line, record->size);
}

static void write_records(const struct q_buf *records, uint64_t lost_count)
{
    const uint8_t *bytes = q_buf_bytes(records);
    struct record record = {.fd = -1};

    for (size_t at = 0; at < records->size; at += sizeof(record) + record.size) {
        memcpy(&record, bytes + at, sizeof(record));
        carry_out(&record, bytes + at + sizeof(record));
        if (lost_count > 0 && record.size > 0) {
            char told[96];
            int length = snprintf(told, sizeof(told), "%" PRIu64 " lines were left out: they were not taken fast enough\n",
                                  lost_count);

            write_all(record.fd, told, (size_t)length);
            lost_count = 0;
        }
    }
}

/* ---- the thread ---- */

static void *run(void *data)
{
    struct q_buf taken;

    (void)data;
    q_buf_init(&taken);
    pthread_mutex_lock(&state.mutex);
    while (!state.stopping || state.waiting.size > 0) {
        struct q_buf swapped = taken;
        uint64_t lost_count = state.lost_count;

        if (state.waiting.size == 0) {
            pthread_cond_signal(&state.idle);
            pthread_cond_wait(&state.wanted, &state.mutex);
            continue;
        }
        taken = state.waiting;
        state.waiting = swapped;
        state.lost_count = 0;
        state.busy = true;
        pthread_mutex_unlock(&state.mutex);
        write_records(&taken, lost_count);
        q_buf_reset(&taken);
        pthread_mutex_lock(&state.mutex);
        state.busy = false;
    }
    pthread_mutex_unlock(&state.mutex);
    q_buf_fini(&taken);
    return NULL;
}

/* The loop must not wait for a thread that others keep from the processor. */
static void init_mutex(void)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&state.mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

void log_writer_start(void)
{
    sigset_t all, before;
    pthread_attr_t attributes;

    q_buf_init(&state.waiting);
    state.stopping = state.busy = false;
    init_mutex();
    pthread_cond_init(&state.wanted, NULL);
    pthread_cond_init(&state.idle, NULL);
    pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    state.running = pthread_create(&state.thread, &attributes, run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

/* Whether nothing waits any more. */
static bool drain(void)
{
    struct timespec until;
    bool is_idle;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DRAIN_S;
    pthread_mutex_lock(&state.mutex);
    while ((state.busy || state.waiting.size > 0) &&
           pthread_cond_timedwait(&state.idle, &state.mutex, &until) != ETIMEDOUT)
        ;
    is_idle = !state.busy && state.waiting.size == 0;
    pthread_mutex_unlock(&state.mutex);
    return is_idle;
}

void log_writer_drain(void)
{
    if (state.running)
        (void)drain();
}

void log_writer_stop(void)
{
    if (!state.running)
        return;
    state.running = false;
    if (!drain()) {
        pthread_detach(state.thread); /* it hangs in a write: the process ends without it */
        return;
    }
    pthread_mutex_lock(&state.mutex);
    state.stopping = true;
    pthread_cond_signal(&state.wanted);
    pthread_mutex_unlock(&state.mutex);
    pthread_join(state.thread, NULL);
    q_buf_fini(&state.waiting);
}

/* ---- what is to be written ---- */

static void add(struct record record, const char *line)
{
    if (!state.running) {
        carry_out(&record, line);
        return;
    }
    pthread_mutex_lock(&state.mutex);
    if (record.size > 0 && state.waiting.size > LOG_WRITER_MAX) {
        state.lost_count++;
    } else if (q_buf_reserve(&state.waiting, sizeof(record) + record.size) == NULL) {
        state.waiting.failed = false;
        state.lost_count++;
    } else {
        q_buf_append(&state.waiting, &record, sizeof(record));
        q_buf_append(&state.waiting, line, record.size);
        pthread_cond_signal(&state.wanted);
    }
    pthread_mutex_unlock(&state.mutex);
}

void log_writer_add(int fd, const char *line, size_t size)
{
    if (size > 0)
        add((struct record){.fd = fd, .size = (uint32_t)size}, line);
}

void log_writer_close(int fd)
{
    add((struct record){.fd = fd}, "");
}
