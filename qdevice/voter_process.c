/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/voter_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <corosync/corotypes.h>
#include <corosync/votequorum.h>

#include "common/clock.h"
#include "qdevice/logic/voting.h"
#include "qdevice/voter.h"

#define PROCESS_NAME "qdevice-voter"
#define ORPHAN_LOOK_MS 200 /* for another daemon */

struct process {
    int fd; /* -1: the agent has gone */
    char device_name[VOTER_DEVICE_NAME_SIZE];
    char lock_file[PATH_MAX];
    struct voting voting;
    bool attached;
    votequorum_handle_t handle;
    struct voting_report report;
};

/* ---- votequorum ---- */

static void on_nodelist(votequorum_handle_t handle, uint64_t context, votequorum_ring_id_t ring_id, uint32_t count,
                        uint32_t nodes[])
{
    struct process *process = NULL;

    (void)context;
    (void)count;
    (void)nodes;
    if (votequorum_context_get(handle, (void **)&process) == CS_OK)
        voting_on_ring(&process->voting, (struct wire_ring_id){ring_id.nodeid, ring_id.seq});
}

static void detach(struct process *process)
{
    if (process->attached)
        votequorum_finalize(process->handle);
    process->attached = false;
}

static cs_error_t attach(struct process *process)
{
    static votequorum_callbacks_t callbacks = {.votequorum_nodelist_notify_fn = on_nodelist};
    cs_error_t result;

    if (process->attached)
        return CS_OK;
    result = votequorum_initialize(&process->handle, &callbacks);
    if (result != CS_OK)
        return result;
    process->attached = true;
    votequorum_context_set(process->handle, process);
    result = votequorum_trackstart(process->handle, 0, CS_TRACK_CHANGES);
    if (result != CS_OK)
        detach(process);
    return result;
}

static bool handle_is_dead(cs_error_t result)
{
    return result == CS_ERR_LIBRARY || result == CS_ERR_BAD_HANDLE;
}

static cs_error_t poll_once(struct process *process, const struct voting_poll *poll)
{
    votequorum_ring_id_t ring_id = {.nodeid = poll->ring_id.node_id, .seq = poll->ring_id.seq};
    cs_error_t result = attach(process);

    if (result != CS_OK)
        return result;
    return votequorum_qdevice_poll(process->handle, process->device_name, poll->yes, ring_id);
}

static enum voting_result cast(struct process *process, const struct voting_poll *poll)
{
    cs_error_t result = poll_once(process, poll);

    if (handle_is_dead(result)) {
        /* The core may just have been restarted: once more, from the beginning. */
        detach(process);
        result = poll_once(process, poll);
    }
    process->report.result = (int32_t)result;
    process->report.cast = poll->yes ? AGENT_CAST_YES : AGENT_CAST_NO;
    process->report.polled_wall_ms = (uint64_t)clock_wall_ms();
    if (result == CS_OK)
        return VOTING_ACCEPTED;
    if (result == CS_ERR_TRY_AGAIN)
        return VOTING_TRY_AGAIN;
    return result == CS_ERR_MESSAGE_ERROR ? VOTING_FORMER_RING : VOTING_FAILED;
}

/* Notifications are only looked at for the ring's sake. */
static void look_at_core(struct process *process)
{
    if (process->attached && handle_is_dead(votequorum_dispatch(process->handle, CS_DISPATCH_ALL)))
        detach(process);
}

static int core_fd(const struct process *process)
{
    int fd = -1;

    if (!process->attached || votequorum_fd_get(process->handle, &fd) != CS_OK)
        return -1;
    return fd;
}

/* True if anything was polled. */
static bool vote(struct process *process)
{
    struct voting_poll poll;
    bool any = false;

    /* The newest ring is known before its wait is answered. */
    look_at_core(process);
    while (voting_next_poll(&process->voting, clock_monotonic_ms(), &poll)) {
        voting_on_polled(&process->voting, &poll, cast(process, &poll), clock_monotonic_ms());
        any = true;
    }
    return any;
}

/* ---- the agent ---- */

static void report(struct process *process)
{
    process->report.number = process->voting.command.number;
    process->report.sequence = process->voting.done;
    process->report.accepted = process->voting.accepted;
    /* If the agent does not read, it is stopped; it will hear of the next one. */
    (void)!send(process->fd, &process->report, sizeof(process->report), MSG_NOSIGNAL);
}

/* Takes all commands there are. True if there were any. */
static bool take_commands(struct process *process)
{
    bool any = false;

    for (;;) {
        struct voting_command command;
        ssize_t size = recv(process->fd, &command, sizeof(command), MSG_DONTWAIT);

        if (size == (ssize_t)sizeof(command)) {
            if (command.end)
                _exit(0);
            voting_on_command(&process->voting, &command, clock_monotonic_ms());
            any = true;
            continue;
        }
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return any;
        close(process->fd);
        process->fd = -1;
        return any;
    }
}

static int time_left_ms(const struct process *process)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t at_ms = voting_deadline_ms(&process->voting, now_ms);

    if (at_ms <= now_ms)
        return 0;
    return at_ms - now_ms > INT_MAX ? INT_MAX : (int)(at_ms - now_ms);
}

/* Rings are followed from the first command on that names one: without an agent they must be known. */
static void follow_rings(struct process *process)
{
    if (process->voting.command.ring_id.seq != 0)
        (void)attach(process);
}

static void serve(struct process *process)
{
    while (process->fd >= 0) {
        struct pollfd fds[2] = {{.fd = process->fd, .events = POLLIN}, {.fd = core_fd(process), .events = POLLIN}};
        bool news;

        if (poll(fds, 2, time_left_ms(process)) < 0 && errno != EINTR)
            return;
        news = fds[0].revents != 0 && take_commands(process);
        if (process->fd < 0)
            return;
        if (news)
            follow_rings(process);
        if (vote(process) || news)
            report(process);
    }
}

/* ---- without an agent ---- */

static bool another_daemon_runs(const struct process *process)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(process->lock_file, O_RDWR | O_CLOEXEC);
    bool held;

    if (fd < 0)
        return false;
    held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}

static void outlive_agent(struct process *process)
{
    /* Votequorum takes the device for alive for two poll intervals after a poll. */
    uint64_t alive_ms = 2 * (uint64_t)process->voting.command.poll_ms;
    uint64_t until_ms = clock_monotonic_ms() + alive_ms;

    voting_on_agent_gone(&process->voting);
    vote(process);
    while (clock_monotonic_ms() < until_ms && process->attached) {
        struct pollfd core = {.fd = core_fd(process), .events = POLLIN};
        int left_ms = time_left_ms(process);

        poll(&core, 1, left_ms < ORPHAN_LOOK_MS ? left_ms : ORPHAN_LOOK_MS);
        if (vote(process))
            until_ms = clock_monotonic_ms() + alive_ms;
        if (voting_is_withdrawn(&process->voting) && another_daemon_runs(process))
            return;
    }
}

/* ---- the process ---- */

static void keep_only(int fd)
{
    if (fd > 0)
        close_range(0, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
    /* Libraries expect the first three to be open. */
    for (int i = 0; i < 3; i++)
        if (i != fd)
            (void)!open("/dev/null", O_RDWR);
}

/* So that neither memory pressure nor load delays a NO. Without the right to, it works all the same. */
static void be_prompt(void)
{
    struct sched_param priority = {.sched_priority = sched_get_priority_min(SCHED_RR)};

    (void)mlockall(MCL_CURRENT | MCL_FUTURE);
    (void)sched_setscheduler(0, SCHED_RR, &priority);
}

_Noreturn void voter_process_run(int fd, const char *device_name, const char *lock_file)
{
    static struct process process;

    voting_init(&process.voting);
    process.fd = fd;
    snprintf(process.device_name, sizeof(process.device_name), "%s", device_name);
    snprintf(process.lock_file, sizeof(process.lock_file), "%s", lock_file);
    setsid();
    prctl(PR_SET_NAME, PROCESS_NAME);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    keep_only(fd);
    be_prompt();
    serve(&process);
    outlive_agent(&process);
    detach(&process);
    _exit(0);
}
