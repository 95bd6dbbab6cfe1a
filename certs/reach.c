/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

#define CONNECT_MS 5000

bool certs_wait(int fd, short events, uint64_t until_ms)
{
    struct pollfd interest = {.fd = fd, .events = events};
    uint64_t now_ms = clock_monotonic_ms();

    return now_ms < until_ms && poll(&interest, 1, (int)(until_ms - now_ms)) > 0;
}

/* Returns the descriptor, or -1 with errno. */
static int connect_to(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
    socklen_t size = sizeof(error);

    if (fd < 0)
        return -1;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        error = errno;
        if (error == EINPROGRESS) {
            error = ETIMEDOUT;
            if (certs_wait(fd, POLLOUT, clock_monotonic_ms() + CONNECT_MS))
                getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        }
    }
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

enum q_err certs_reach(const char *host, uint16_t port, int *fd, struct certs_failure *why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    char service[8];
    int error;

    *fd = -1;
    snprintf(service, sizeof(service), "%u", port);
    error = getaddrinfo(host, service, &hints, &found);
    if (error != 0)
        return certs_fail(why, Q_ERR_NOT_FOUND, "The arbiter's name \"%s\" has no address: %s. Check --host.",
                          host, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    for (const struct addrinfo *at = found; at != NULL && *fd < 0; at = at->ai_next)
        *fd = connect_to(at);
    error = errno;
    freeaddrinfo(found);
    if (*fd >= 0)
        return Q_OK;
    return certs_fail(
        why, Q_ERR_CLOSED,
        "The arbiter cannot be reached at %s, port %u: %s. Check that corosync-qnetd runs there, and that no "
        "firewall is between.",
        host, port, strerror(error));
}
