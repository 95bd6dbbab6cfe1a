/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int completed_fd = -1;

/* The parent waits for the child's word, or for its end. */
static _Noreturn void await_child(pid_t child, int fd)
{
    char word;
    ssize_t got;
    int status;

    do {
        got = read(fd, &word, 1);
    } while (got < 0 && errno == EINTR);
    if (got == 1)
        _exit(0);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    _exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1);
}

enum q_err daemonize_begin(void)
{
    int fds[2];
    pid_t child;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return Q_ERR_IO;
    child = fork();
    if (child < 0) {
        int error = errno;

        close(fds[0]);
        close(fds[1]);
        errno = error;
        return Q_ERR_IO;
    }
    if (child > 0) {
        close(fds[1]);
        await_child(child, fds[0]);
    }
    close(fds[0]);
    completed_fd = fds[1];
    setsid();
    return Q_OK;
}

void daemonize_completed(void)
{
    int null_fd;

    if (completed_fd < 0)
        return;
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd >= 0) {
        dup2(null_fd, 0);
        dup2(null_fd, 1);
        dup2(null_fd, 2);
        if (null_fd > 2)
            close(null_fd);
    }
    /* If the parent has gone there is nobody to tell. SIGPIPE is ignored by every daemon of ours. */
    while (write(completed_fd, "1", 1) < 0 && errno == EINTR)
        ;
    close(completed_fd);
    completed_fd = -1;
}
