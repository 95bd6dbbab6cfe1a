/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/knet_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libknet.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "core/logging.h"

#define BUDGET_MAX 5000 /* lines: some for each link of a large cluster that starts */
#define BUDGET_PER_S 20
#define MESSAGES_AT_ONCE 64

static int priority_of(uint8_t level)
{
    switch (level) {
    case KNET_LOG_ERR:
        return LOG_ERR;
    case KNET_LOG_WARN:
        return LOG_WARNING;
    case KNET_LOG_INFO:
        return LOG_INFO;
    default:
        return LOG_DEBUG;
    }
}

static void refill(struct knet_log *log)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t lines = (now_ms - log->refilled_ms) * BUDGET_PER_S / 1000;

    if (lines == 0)
        return;
    log->budget = log->budget + lines < BUDGET_MAX ? log->budget + lines : BUDGET_MAX;
    log->refilled_ms = now_ms;
    if (log->left_out > 0)
        logging_line(LOGGING_KNET, LOG_WARNING, "%" PRIu64 " lines were left out", log->left_out);
    log->left_out = 0;
}

static void take(struct knet_log *log, struct knet_log_msg *message)
{
    int priority = priority_of(message->msglevel);

    if (!logging_wants(LOGGING_KNET, priority))
        return;
    if (log->budget == 0 && priority != LOG_DEBUG) {
        log->left_out++;
        return;
    }
    if (priority != LOG_DEBUG)
        log->budget--;
    message->msg[sizeof(message->msg) - 1] = '\0';
    message->msg[strcspn(message->msg, "\n")] = '\0';
    logging_line(LOGGING_KNET, priority, "%s: %s", knet_log_get_subsystem_name(message->subsystem),
                 message->msg);
}

/* False: the pipe is empty. Messages are whole: they are shorter than what a pipe takes at once. */
static bool read_some(struct knet_log *log)
{
    struct knet_log_msg messages[MESSAGES_AT_ONCE];
    ssize_t got = read(log->read_fd, messages, sizeof(messages));

    if (got <= 0)
        return got < 0 && errno == EINTR;
    refill(log);
    for (size_t i = 0; i < (size_t)got / sizeof(messages[0]); i++)
        take(log, &messages[i]);
    return (size_t)got == sizeof(messages);
}

static int32_t on_readable(int32_t fd, int32_t events, void *data)
{
    (void)fd;
    (void)events;
    read_some(data);
    return 0;
}

enum q_err knet_log_init(struct knet_log *log, qb_loop_t *loop)
{
    int fds[2];

    *log = (struct knet_log){.loop = loop,
                             .read_fd = -1,
                             .write_fd = -1,
                             .budget = BUDGET_MAX,
                             .refilled_ms = clock_monotonic_ms()};
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return Q_ERR_IO;
    int result = qb_loop_poll_add(loop, QB_LOOP_LOW, fds[0], POLLIN, log, on_readable);
    if (result != 0) {
        close(fds[0]);
        close(fds[1]);
        errno = -result;
        return Q_ERR_IO;
    }
    log->read_fd = fds[0];
    log->write_fd = fds[1];
    return Q_OK;
}

void knet_log_drain(struct knet_log *log)
{
    while (log->read_fd >= 0 && read_some(log))
        ;
}

void knet_log_fini(struct knet_log *log)
{
    knet_log_drain(log);
    if (log->read_fd >= 0) {
        qb_loop_poll_del(log->loop, log->read_fd);
        close(log->read_fd);
        close(log->write_fd);
    }
    log->read_fd = log->write_fd = -1;
}
