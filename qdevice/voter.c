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

enum q_err voter_tell(struct voter *voter, const struct voter_command *command)
{
    if (send(voter->fd, command, sizeof(*command), MSG_NOSIGNAL) == (ssize_t)sizeof(*command))
        return Q_OK;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? Q_ERR_AGAIN : Q_ERR_CLOSED;
}

enum q_err voter_hear(struct voter *voter, struct voter_report *report)
{
    ssize_t size = recv(voter->fd, report, sizeof(*report), 0);

    if (size == (ssize_t)sizeof(*report))
        return Q_OK;
    return size < 0 && (errno == EAGAIN || errno == EINTR) ? Q_ERR_AGAIN : Q_ERR_CLOSED;
}

void voter_stop(struct voter *voter, uint32_t timeout_ms)
{
    struct pollfd nothing = {.fd = -1};

    struct voter_command end = {.end = true};

    if (voter->pid < 0)
        return;
    (void)voter_tell(voter, &end);
    close(voter->fd);
    voter->fd = -1;
    for (uint32_t waited = 0; waitpid(voter->pid, NULL, WNOHANG) == 0 && waited < timeout_ms; waited += 10)
        poll(&nothing, 1, 10);
    voter->pid = -1;
}
