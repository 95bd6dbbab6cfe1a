/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon's side of heuristics: keeps the worker alive and informed, and times the regular runs.
 */
#include "qdevice/heuristics.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "qdevice/heuristics_protocol.h"

#define NS_PER_MS UINT64_C(1000000)
#define RESTART_MS 1000
#define ORPHANS_MS 200
#define ANSWER_MS 1000 /* the worker's own time, beyond the timeout of the run */

struct heuristics {
    bool use_path;
    uint32_t processes_max;
    pid_t pid;
    int fd; /* -1: no worker */
    qb_loop_t *loop;
    struct heuristics_handlers handlers;
    void *context;
    enum heuristics_mode mode;
    uint32_t timeout_ms;
    uint32_t sync_timeout_ms;
    uint32_t interval_ms;
    struct heuristics_exec *execs;
    uint32_t exec_count;

    bool pending; /* a run is under way */
    enum agent_run run;
    uint64_t sequence;  /* the agent's */
    uint64_t number;    /* ours: grows with every run, so that late results are recognised */
    uint32_t run_timeout_ms;
    qb_loop_timer_handle regular_timer;
    bool regular_armed;
    qb_loop_timer_handle restart_timer;
    bool restart_armed;
    qb_loop_timer_handle answer_timer;
    bool answer_armed;
    qb_loop_timer_handle orphan_timer;
    bool orphan_armed;
    uint64_t started_ms; /* the present worker, or the last one */
};

static void attach_worker(struct heuristics *h);

/* ---- the worker process ---- */

static enum q_err start_worker(struct heuristics *h)
{
    int ends[2];

    h->fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return Q_ERR_IO;
    h->pid = fork();
    if (h->pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return Q_ERR_IO;
    }
    if (h->pid == 0)
        heuristics_worker_run(ends[1], h->use_path, h->processes_max);
    close(ends[1]);
    h->fd = ends[0];
    h->started_ms = clock_monotonic_ms();
    return Q_OK;
}

/* It kills what runs, and ends, when its socket closes. */
static void let_worker_go(struct heuristics *h)
{
    struct pollfd nothing = {.fd = -1};

    if (h->fd < 0)
        return;
    if (h->loop != NULL)
        qb_loop_poll_del(h->loop, h->fd);
    close(h->fd);
    h->fd = -1;
    for (int i = 0; i < 100; i++) {
        if (waitpid(h->pid, NULL, WNOHANG) != 0)
            return;
        poll(&nothing, 1, 10);
    }
    kill(h->pid, SIGKILL);
}

/*
 * A worker that does not listen has another list of commands than we, or does not know of a run. It is killed, which shows
 * when its socket closes.
 */
static void send_message(struct heuristics *h, const struct heuristics_message *message, const void *text, size_t size)
{
    struct iovec parts[2] = {{(void *)message, sizeof(*message)}, {(void *)text, size}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};

    if (h->fd < 0 || sendmsg(h->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        return;
    log_line(LOG_ERR, "The heuristics worker does not listen: %s", strerror(errno));
    kill(h->pid, SIGKILL);
}

static void send_commands(struct heuristics *h)
{
    struct heuristics_message message = {.kind = HEURISTICS_CLEAR};

    send_message(h, &message, NULL, 0);
    message.kind = HEURISTICS_ADD;
    for (uint32_t i = 0; i < h->exec_count; i++) {
        size_t name_size = strlen(h->execs[i].name) + 1;
        size_t size = name_size + strlen(h->execs[i].command);
        char *text = malloc(size);

        if (text == NULL) {
            log_line(LOG_ERR, "Out of memory: exec_%s is not run", h->execs[i].name);
            continue;
        }
        memcpy(text, h->execs[i].name, name_size);
        memcpy(text + name_size, h->execs[i].command, size - name_size);
        send_message(h, &message, text, size);
        free(text);
    }
}

/* ---- runs ---- */

static void on_regular_timer(void *data);

static void arm_regular(struct heuristics *h)
{
    if (h->regular_armed)
        qb_loop_timer_del(h->loop, h->regular_timer);
    h->regular_armed = false;
    if (h->mode != HEURISTICS_ON || h->exec_count == 0)
        return;
    h->regular_armed = qb_loop_timer_add(h->loop, QB_LOOP_LOW, h->interval_ms * NS_PER_MS, h, on_regular_timer,
                                         &h->regular_timer) == 0;
}

static uint32_t timeout_of(const struct heuristics *h, enum agent_run run)
{
    return run == AGENT_RUN_MEMBERSHIP ? h->sync_timeout_ms : h->timeout_ms;
}

static void on_no_answer(void *data);

static void disarm_answer(struct heuristics *h)
{
    if (h->answer_armed)
        qb_loop_timer_del(h->loop, h->answer_timer);
    h->answer_armed = false;
}

static void send_run(struct heuristics *h)
{
    struct heuristics_message message = {.kind = HEURISTICS_RUN, .timeout_ms = h->run_timeout_ms};

    message.number = ++h->number;
    send_message(h, &message, NULL, 0);
    disarm_answer(h);
    h->answer_armed = qb_loop_timer_add(h->loop, QB_LOOP_MED, ((uint64_t)h->run_timeout_ms + ANSWER_MS) * NS_PER_MS, h,
                                        on_no_answer, &h->answer_timer) == 0;
}

static void begin(struct heuristics *h, enum agent_run run, uint64_t sequence, uint32_t timeout_ms)
{
    h->pending = true;
    h->run = run;
    h->sequence = sequence;
    h->run_timeout_ms = timeout_ms != 0 ? timeout_ms : timeout_of(h, run);
    send_run(h);
}

static void on_regular_timer(void *data)
{
    struct heuristics *h = data;

    h->regular_armed = false;
    if (h->pending) /* its result arms the timer again */
        return;
    begin(h, AGENT_RUN_REGULAR, 0, 0);
}

static void finish(struct heuristics *h, enum wire_heuristics result)
{
    h->pending = false;
    disarm_answer(h);
    arm_regular(h);
    h->handlers.on_result(h->context, h->run, h->sequence, result);
}

/* ---- what the worker says ---- */

static void restart_worker(void *data);

static void arm_restart(struct heuristics *h)
{
    if (!h->restart_armed)
        h->restart_armed = qb_loop_timer_add(h->loop, QB_LOOP_LOW, RESTART_MS * NS_PER_MS, h, restart_worker,
                                             &h->restart_timer) == 0;
}

static void restart_worker(void *data)
{
    struct heuristics *h = data;

    h->restart_armed = false;
    if (start_worker(h) != Q_OK) {
        log_line(LOG_ERR, "The heuristics worker cannot be started: %s", strerror(errno));
        arm_restart(h);
        return;
    }
    attach_worker(h);
    send_commands(h);
}

static void on_orphan_timer(void *data);

/*
 * What a worker has left behind is ours: it is killed, and reaped when it has ended. A command that waits for a dead disk
 * ends when the disk comes back, perhaps never: nobody waits for it.
 */
static void kill_orphans(struct heuristics *h)
{
    FILE *children = fopen("/proc/thread-self/children", "re");
    bool some_left = false;
    int pid;

    while (children != NULL && fscanf(children, "%d", &pid) == 1) {
        if (pid == h->pid || (h->handlers.is_other_child != NULL && h->handlers.is_other_child(h->context, pid)))
            continue;
        kill(pid, SIGKILL);
        some_left = waitpid(pid, NULL, WNOHANG) == 0 || some_left;
    }
    if (children != NULL)
        fclose(children);
    if (some_left && !h->orphan_armed)
        h->orphan_armed = qb_loop_timer_add(h->loop, QB_LOOP_LOW, ORPHANS_MS * NS_PER_MS, h, on_orphan_timer,
                                            &h->orphan_timer) == 0;
}

static void on_orphan_timer(void *data)
{
    struct heuristics *h = data;

    h->orphan_armed = false;
    kill_orphans(h);
}

/* It has died, or is of no use any more. One that dies at once is not started again at once. */
static void replace_worker(struct heuristics *h)
{
    bool at_once = clock_monotonic_ms() - h->started_ms >= RESTART_MS;

    qb_loop_poll_del(h->loop, h->fd);
    close(h->fd);
    h->fd = -1;
    kill(h->pid, SIGKILL);
    h->pid = 0;
    kill_orphans(h);
    if (at_once)
        restart_worker(h);
    else
        arm_restart(h);
    if (h->pending)
        finish(h, WIRE_HEURISTICS_FAIL);
}

/* Stopped, hanging, or never started: the daemon must have a result all the same. */
static void on_no_answer(void *data)
{
    struct heuristics *h = data;

    h->answer_armed = false;
    if (h->fd < 0) {
        finish(h, WIRE_HEURISTICS_FAIL);
        return;
    }
    log_line(LOG_ERR, "The heuristics worker does not answer: starting another");
    replace_worker(h);
}

static int32_t on_readable(int32_t fd, int32_t revents, void *data)
{
    struct heuristics *h = data;
    struct heuristics_message message;
    char text[1100];
    struct iovec parts[2] = {{&message, sizeof(message)}, {text, sizeof(text) - 1}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t size = recvmsg(fd, &header, MSG_DONTWAIT);

    (void)revents;
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (size < (ssize_t)sizeof(message)) {
        log_line(LOG_ERR, "The heuristics worker has died: starting another");
        replace_worker(h);
        return 0;
    }
    text[(size_t)size - sizeof(message)] = '\0';
    if (message.kind == HEURISTICS_LOG)
        log_line((int)message.number, "%s", text);
    else if (message.kind == HEURISTICS_RESULT && h->pending && message.number == h->number)
        finish(h, message.passed ? WIRE_HEURISTICS_PASS : WIRE_HEURISTICS_FAIL);
    return 0;
}

static void attach_worker(struct heuristics *h)
{
    if (qb_loop_poll_add(h->loop, QB_LOOP_MED, h->fd, POLLIN, h, on_readable) != 0)
        log_line(LOG_CRIT, "Cannot listen to the heuristics worker");
}

/* ---- for the daemon ---- */

enum q_err heuristics_new(bool use_path, uint32_t processes_max, struct heuristics **out)
{
    struct heuristics *h = calloc(1, sizeof(*h));
    enum q_err err;

    if (h == NULL)
        return Q_ERR_NO_MEMORY;
    h->use_path = use_path;
    h->processes_max = processes_max;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    err = start_worker(h);
    if (err != Q_OK) {
        free(h);
        return err;
    }
    *out = h;
    return Q_OK;
}

enum q_err heuristics_attach(struct heuristics *heuristics, qb_loop_t *loop, const struct heuristics_handlers *handlers,
                             void *context)
{
    heuristics->loop = loop;
    heuristics->handlers = *handlers;
    heuristics->context = context;
    attach_worker(heuristics);
    return Q_OK;
}

static void free_execs(struct heuristics *h)
{
    for (uint32_t i = 0; i < h->exec_count; i++) {
        free(h->execs[i].name);
        free(h->execs[i].command);
    }
    free(h->execs);
    h->execs = NULL;
    h->exec_count = 0;
}

static bool same_commands(const struct heuristics *h, const struct heuristics_config *config)
{
    if (h->exec_count != config->exec_count)
        return false;
    for (uint32_t i = 0; i < h->exec_count; i++)
        if (strcmp(h->execs[i].name, config->execs[i].name) != 0 ||
            strcmp(h->execs[i].command, config->execs[i].command) != 0)
            return false;
    return true;
}

static enum q_err copy_commands(struct heuristics *h, const struct heuristics_config *config)
{
    free_execs(h);
    h->execs = calloc(config->exec_count > 0 ? config->exec_count : 1, sizeof(*h->execs));
    if (h->execs == NULL)
        return Q_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < config->exec_count; i++) {
        h->execs[i].name = strdup(config->execs[i].name);
        h->execs[i].command = strdup(config->execs[i].command);
        h->exec_count++;
        if (h->execs[i].name == NULL || h->execs[i].command == NULL)
            return Q_ERR_NO_MEMORY;
    }
    return Q_OK;
}

enum q_err heuristics_configure(struct heuristics *heuristics, const struct heuristics_config *config)
{
    struct heuristics *h = heuristics;
    bool same_timing = h->mode == config->mode && h->interval_ms == config->interval_ms;
    bool same = same_commands(h, config);

    h->mode = config->mode;
    h->timeout_ms = config->timeout_ms;
    h->sync_timeout_ms = config->sync_timeout_ms;
    h->interval_ms = config->interval_ms;
    if (!same) {
        if (copy_commands(h, config) != Q_OK)
            return Q_ERR_NO_MEMORY;
        send_commands(h);
        if (h->pending)
            send_run(h);
    }
    if (!h->pending && (!same || !same_timing))
        arm_regular(h);
    return Q_OK;
}

enum q_err heuristics_run(struct heuristics *heuristics, enum agent_run run, uint64_t sequence, uint32_t timeout_ms)
{
    begin(heuristics, run, sequence, timeout_ms);
    return Q_OK;
}

void heuristics_free(struct heuristics *heuristics)
{
    struct heuristics *h = heuristics;

    if (h == NULL)
        return;
    if (h->regular_armed)
        qb_loop_timer_del(h->loop, h->regular_timer);
    if (h->restart_armed)
        qb_loop_timer_del(h->loop, h->restart_timer);
    if (h->answer_armed)
        qb_loop_timer_del(h->loop, h->answer_timer);
    if (h->orphan_armed)
        qb_loop_timer_del(h->loop, h->orphan_timer);
    let_worker_go(h);
    free_execs(h);
    free(h);
}
