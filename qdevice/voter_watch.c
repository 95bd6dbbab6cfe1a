/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/voter_watch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "qdevice/logic/timing.h"

#define NS_PER_MS UINT64_C(1000000)
/* Half of what the arbiter allows for: the other half is the successor's. It grows while that does not help, as when the core
 * hangs and every voter in it. */
#define PATIENCE_MS (TIMING_HOLD_MS / 2)
#define PATIENCE_MS_MAX 3200
#define ASK_MS 250

static void arm(struct voter_watch *watch);
static void watch_socket(struct voter_watch *watch);

/* ---- telling ---- */

static void send_command(struct voter_watch *watch)
{
    enum q_err err;

    watch->command.number++;
    err = voter_tell(&watch->voter, &watch->command);
    watch->unsent = err == Q_ERR_AGAIN;
    if (watch->owes_since_ms == 0)
        watch->owes_since_ms = clock_monotonic_ms();
    if (err != Q_ERR_CLOSED) /* its socket says so too, and is served */
        watch_socket(watch);
    arm(watch);
}

void voter_watch_tell(struct voter_watch *watch, const struct voting_command *command)
{
    uint64_t number = watch->command.number;
    bool poll = watch->unsent && watch->command.poll; /* one that could not be sent must still be polled for */

    watch->command = *command;
    watch->command.number = number;
    watch->command.poll = command->poll || poll;
    send_command(watch);
}

/* ---- another voter ---- */

static void replace(struct voter_watch *watch)
{
    pid_t former = watch->voter.pid;

    qb_loop_poll_del(watch->loop, watch->voter.fd);
    voter_kill(&watch->voter);
    if (voter_start(&watch->voter, watch->device_name, watch->lock_file) != Q_OK) {
        log_line(LOG_CRIT, "The voter cannot be started: %s", strerror(errno));
        watch->handlers->on_failed(watch->context);
        return;
    }
    watch->owes_since_ms = 0;
    watch->command.poll = true;
    watch_socket(watch);
    if (watch->command.sequence != 0)
        send_command(watch);
    voter_reap(former);
}

/* ---- hearing ---- */

static void on_report(struct voter_watch *watch, const struct voting_report *report)
{
    bool progress = report->sequence > watch->report.sequence;

    watch->report = *report;
    watch->owes_since_ms = report->number == watch->command.number ? 0 : clock_monotonic_ms();
    if (watch->owes_since_ms == 0)
        watch->patience_ms = PATIENCE_MS;
    if (progress)
        watch->handlers->on_carried_out(watch->context, report->sequence);
}

/* Takes what there is; Q_ERR_CLOSED: the voter has died. */
static enum q_err hear(struct voter_watch *watch)
{
    struct voting_report report;
    enum q_err err;

    while ((err = voter_hear(&watch->voter, &report)) == Q_OK)
        on_report(watch, &report);
    return err;
}

static int32_t on_socket(int32_t fd, int32_t revents, void *data)
{
    struct voter_watch *watch = data;

    (void)fd;
    if ((revents & POLLOUT) != 0 && watch->unsent)
        send_command(watch);
    if (hear(watch) == Q_ERR_CLOSED) {
        log_line(LOG_ERR, "The voter has died: starting another");
        replace(watch);
    }
    arm(watch);
    return 0;
}

static void watch_socket(struct voter_watch *watch)
{
    int32_t events = watch->unsent ? POLLIN | POLLOUT : POLLIN;

    if (qb_loop_poll_mod(watch->loop, QB_LOOP_HIGH, watch->voter.fd, events, watch, on_socket) != 0)
        qb_loop_poll_add(watch->loop, QB_LOOP_HIGH, watch->voter.fd, events, watch, on_socket);
}

/* ---- time ---- */

static void on_time(void *data)
{
    struct voter_watch *watch = data;

    watch->timer_armed = false;
    /* This process may have been stopped itself: what was said meanwhile counts. */
    if (hear(watch) == Q_ERR_CLOSED) {
        arm(watch);
        return; /* the socket is served next */
    }
    if (watch->owes_since_ms == 0) {
        watch->command.poll = false;
        send_command(watch);
    } else if (clock_monotonic_ms() >= watch->owes_since_ms + watch->patience_ms) {
        log_line(LOG_ERR, "The voter does not answer for %u ms (stopped?): starting another", (unsigned)watch->patience_ms);
        watch->patience_ms = watch->patience_ms * 2 < PATIENCE_MS_MAX ? watch->patience_ms * 2 : PATIENCE_MS_MAX;
        replace(watch);
    }
    arm(watch);
}

static void arm(struct voter_watch *watch)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t at_ms = now_ms + ASK_MS;

    if (watch->timer_armed)
        qb_loop_timer_del(watch->loop, watch->timer);
    watch->timer_armed = false;
    if (watch->owes_since_ms != 0)
        at_ms = watch->owes_since_ms + watch->patience_ms;
    else if (watch->command.cast != AGENT_CAST_YES)
        return;
    watch->timer_armed = qb_loop_timer_add(watch->loop, QB_LOOP_HIGH, ((at_ms > now_ms ? at_ms - now_ms : 0) + 1) * NS_PER_MS,
                                           watch, on_time, &watch->timer) == 0;
}

/* ---- life ---- */

enum q_err voter_watch_start(struct voter_watch *watch, const char *device_name, const char *lock_file)
{
    memset(watch, 0, sizeof(*watch));
    watch->device_name = device_name;
    watch->lock_file = lock_file;
    watch->patience_ms = PATIENCE_MS;
    return voter_start(&watch->voter, device_name, lock_file);
}

void voter_watch_attach(struct voter_watch *watch, qb_loop_t *loop, const struct voter_watch_handlers *handlers,
                        void *context)
{
    watch->loop = loop;
    watch->handlers = handlers;
    watch->context = context;
    watch_socket(watch);
}

bool voter_watch_is_voter(const struct voter_watch *watch, pid_t pid)
{
    return pid == watch->voter.pid;
}

void voter_watch_stop(struct voter_watch *watch, uint32_t timeout_ms)
{
    if (watch->timer_armed)
        qb_loop_timer_del(watch->loop, watch->timer);
    watch->timer_armed = false;
    voter_stop(&watch->voter, timeout_ms);
}
