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
#include "qdevice/voter.h"

#define PROCESS_NAME "qdevice-voter"
#define TRY_AGAIN_MS 20
#define POLL_MS_UNTIL_TOLD 1000

struct voting {
    int fd; /* -1: the agent has gone */
    char device_name[VOTER_DEVICE_NAME_SIZE];
    char lock_file[PATH_MAX];
    struct voter_command command;
    bool attached;
    votequorum_handle_t handle;
    votequorum_ring_id_t newest_ring; /* as votequorum says; used when the agent has gone */
    bool ring_is_new;
    uint64_t poll_at_ms;  /* the next repetition; UINT64_MAX: none */
    uint64_t orphan_until_ms;
    struct voter_report report;
};

/* ---- votequorum ---- */

static void on_nodelist(votequorum_handle_t handle, uint64_t context, votequorum_ring_id_t ring_id, uint32_t count,
                        uint32_t nodes[])
{
    struct voting *voting = NULL;

    (void)context;
    (void)count;
    (void)nodes;
    if (votequorum_context_get(handle, (void **)&voting) != CS_OK)
        return;
    voting->ring_is_new = voting->newest_ring.nodeid != ring_id.nodeid || voting->newest_ring.seq != ring_id.seq;
    voting->newest_ring = ring_id;
}

static void detach(struct voting *voting)
{
    if (voting->attached)
        votequorum_finalize(voting->handle);
    voting->attached = false;
}

static cs_error_t attach(struct voting *voting)
{
    static votequorum_callbacks_t callbacks = {.votequorum_nodelist_notify_fn = on_nodelist};
    cs_error_t result;

    if (voting->attached)
        return CS_OK;
    result = votequorum_initialize(&voting->handle, &callbacks);
    if (result != CS_OK)
        return result;
    voting->attached = true;
    votequorum_context_set(voting->handle, voting);
    result = votequorum_trackstart(voting->handle, 0, CS_TRACK_CHANGES);
    if (result != CS_OK)
        detach(voting);
    return result;
}

static bool handle_is_dead(cs_error_t result)
{
    return result == CS_ERR_LIBRARY || result == CS_ERR_BAD_HANDLE;
}

static cs_error_t cast(struct voting *voting, bool yes, votequorum_ring_id_t ring_id)
{
    cs_error_t result = attach(voting);

    if (result == CS_OK)
        result = votequorum_qdevice_poll(voting->handle, voting->device_name, yes, ring_id);
    if (!handle_is_dead(result))
        return result;
    /* The core may just have been restarted: once more, from the beginning. */
    detach(voting);
    result = attach(voting);
    return result == CS_OK ? votequorum_qdevice_poll(voting->handle, voting->device_name, yes, ring_id) : result;
}

/* ---- what the agent wants ---- */

static bool may_say_yes(const struct voting *voting)
{
    return voting->fd >= 0 && voting->command.cast == AGENT_CAST_YES &&
           clock_monotonic_ms() < voting->command.until_ms;
}

static votequorum_ring_id_t told_ring(const struct voting *voting)
{
    return (votequorum_ring_id_t){voting->command.ring_id.node_id, voting->command.ring_id.seq};
}

static void cast_as_told(struct voting *voting)
{
    bool yes = may_say_yes(voting);
    cs_error_t result;

    if (voting->command.cast == AGENT_CAST_NOTHING) {
        voting->poll_at_ms = UINT64_MAX;
        return;
    }
    result = cast(voting, yes, told_ring(voting));
    voting->report.result = (int32_t)result;
    voting->report.cast = yes ? AGENT_CAST_YES : AGENT_CAST_NO;
    voting->report.polled_wall_ms = (uint64_t)clock_wall_ms();
    voting->poll_at_ms = clock_monotonic_ms() + (result == CS_ERR_TRY_AGAIN ? TRY_AGAIN_MS : voting->command.poll_ms);
}

static void report(struct voting *voting)
{
    voting->report.sequence = voting->command.sequence;
    /* If the agent does not read, it is stopped; it will hear of the next one. */
    (void)!send(voting->fd, &voting->report, sizeof(voting->report), MSG_NOSIGNAL);
}

/* Takes all commands there are; what the last of them says counts, but a poll asked for by any of them is made. */
static void take_commands(struct voting *voting)
{
    bool poll_now = false;
    bool any = false;

    for (;;) {
        struct voter_command command;
        ssize_t size = recv(voting->fd, &command, sizeof(command), MSG_DONTWAIT);

        if (size == (ssize_t)sizeof(command)) {
            voting->command = command;
            poll_now = poll_now || command.poll;
            any = true;
            continue;
        }
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (voting->command.end)
            _exit(0);
        close(voting->fd);
        voting->fd = -1;
        return;
    }
    if (voting->command.end)
        _exit(0);
    /* The lease had ended here before the agent heard of its prolongation: votequorum has a NO. */
    if (any && may_say_yes(voting) && voting->report.cast == AGENT_CAST_NO)
        poll_now = true;
    if (poll_now)
        cast_as_told(voting);
    if (any)
        report(voting);
}

static void on_time(struct voting *voting)
{
    uint64_t now_ms = clock_monotonic_ms();

    if (voting->command.cast == AGENT_CAST_YES && now_ms >= voting->command.until_ms) {
        voting->command.cast = AGENT_CAST_NO;
        voting->poll_at_ms = now_ms;
    }
    if (now_ms >= voting->poll_at_ms) {
        cast_as_told(voting);
        report(voting);
    }
}

static int time_left_ms(const struct voting *voting)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t at_ms = voting->poll_at_ms;

    if (voting->command.cast == AGENT_CAST_YES && voting->command.until_ms < at_ms)
        at_ms = voting->command.until_ms;
    if (at_ms <= now_ms)
        return 0;
    return at_ms - now_ms > INT_MAX ? INT_MAX : (int)(at_ms - now_ms);
}

/* Notifications are only looked at for the ring's sake. */
static void look_at_core(struct voting *voting)
{
    if (voting->attached && handle_is_dead(votequorum_dispatch(voting->handle, CS_DISPATCH_ALL)))
        detach(voting);
}

static int core_fd(const struct voting *voting)
{
    int fd = -1;

    if (!voting->attached || votequorum_fd_get(voting->handle, &fd) != CS_OK)
        return -1;
    return fd;
}

static void serve(struct voting *voting)
{
    while (voting->fd >= 0) {
        struct pollfd fds[2] = {{.fd = voting->fd, .events = POLLIN}, {.fd = core_fd(voting), .events = POLLIN}};

        if (poll(fds, 2, time_left_ms(voting)) < 0 && errno != EINTR)
            return;
        if (fds[0].revents != 0)
            take_commands(voting);
        if (fds[1].revents != 0)
            look_at_core(voting);
        if (voting->fd >= 0)
            on_time(voting);
    }
}

/* ---- without an agent ---- */

static bool another_daemon_runs(const struct voting *voting)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(voting->lock_file, O_RDWR | O_CLOEXEC);
    bool held;

    if (fd < 0)
        return false;
    held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}

static void outlive_agent(struct voting *voting)
{
    bool was_alive = voting->command.cast != AGENT_CAST_NOTHING || voting->report.polled_wall_ms != 0;

    if (!was_alive)
        return;
    look_at_core(voting);
    cast(voting, false, voting->newest_ring.seq != 0 ? voting->newest_ring : told_ring(voting));
    voting->orphan_until_ms = clock_monotonic_ms() + 2 * (uint64_t)voting->command.poll_ms;
    while (clock_monotonic_ms() < voting->orphan_until_ms && voting->attached) {
        struct pollfd core = {.fd = core_fd(voting), .events = POLLIN};

        poll(&core, 1, 200);
        if (another_daemon_runs(voting))
            return;
        voting->ring_is_new = false;
        look_at_core(voting);
        if (voting->ring_is_new)
            cast(voting, false, voting->newest_ring);
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
    static struct voting voting;

    voting.fd = fd;
    snprintf(voting.device_name, sizeof(voting.device_name), "%s", device_name);
    snprintf(voting.lock_file, sizeof(voting.lock_file), "%s", lock_file);
    voting.poll_at_ms = UINT64_MAX;
    voting.command.poll_ms = POLL_MS_UNTIL_TOLD;
    setsid();
    prctl(PR_SET_NAME, PROCESS_NAME);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    keep_only(fd);
    be_prompt();
    serve(&voting);
    outlive_agent(&voting);
    detach(&voting);
    _exit(0);
}
