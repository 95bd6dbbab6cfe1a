/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon's end of the voter: starting it, telling it, hearing it. The process itself is voter_process.c.
 */
#include "qdevice/voter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qdevice/voter_process.h"

#define REAP_MS 100 /* what was killed has ended at once, as a rule */

enum q_err voter_start(struct voter *voter, const char *device_name, const char *lock_file)
{
    int ends[2];

    voter->pid = -1;
    voter->fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return Q_ERR_IO;
    voter->pid = fork();
    if (voter->pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return Q_ERR_IO;
    }
    if (voter->pid == 0)
        voter_process_run(ends[1], device_name, lock_file);
    close(ends[1]);
    voter->fd = ends[0];
    return Q_OK;
}

enum q_err voter_tell(struct voter *voter, const struct voting_command *command)
{
    if (send(voter->fd, command, sizeof(*command), MSG_NOSIGNAL) == (ssize_t)sizeof(*command))
        return Q_OK;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? Q_ERR_AGAIN : Q_ERR_CLOSED;
}

enum q_err voter_hear(struct voter *voter, struct voting_report *report)
{
    ssize_t size = recv(voter->fd, report, sizeof(*report), 0);

    if (size == (ssize_t)sizeof(*report))
        return Q_OK;
    return size < 0 && (errno == EAGAIN || errno == EINTR) ? Q_ERR_AGAIN : Q_ERR_CLOSED;
}

/* True if it has ended within that time. */
static bool reap_within(pid_t pid, uint32_t timeout_ms)
{
    struct pollfd nothing = {.fd = -1};

    for (uint32_t waited_ms = 0;; waited_ms++) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return true;
        if (waited_ms >= timeout_ms)
            return false;
        poll(&nothing, 1, 1);
    }
}

void voter_reap(pid_t pid)
{
    (void)reap_within(pid, REAP_MS);
}

static void close_socket(struct voter *voter)
{
    if (voter->fd >= 0)
        close(voter->fd);
    voter->fd = -1;
}

void voter_kill(struct voter *voter)
{
    if (voter->pid > 0)
        kill(voter->pid, SIGKILL);
    close_socket(voter);
    voter->pid = -1;
}

void voter_stop(struct voter *voter, uint32_t timeout_ms)
{
    struct voting_command end = {.end = true};
    pid_t pid = voter->pid;

    if (pid < 0)
        return;
    (void)voter_tell(voter, &end);
    close_socket(voter);
    if (!reap_within(pid, timeout_ms)) {
        voter_kill(voter);
        voter_reap(pid);
    }
    voter->pid = -1;
}
