/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/handover.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for some ten connections on their way: more than wait so long are not worth waiting for. */
#define BUFFER_SIZE 8192

union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int))];
};

void handover_address(const struct handover *handover, uint8_t address[16])
{
    static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
    const char *port = strrchr(handover->peer, ':');
    char host[HANDOVER_PEER_SIZE];

    snprintf(host, sizeof(host), "%.*s", port == NULL ? 0 : (int)(port - handover->peer), handover->peer);
    memset(address, 0, 16);
    if (inet_pton(AF_INET6, host, address) != 1 && inet_pton(AF_INET, host, address + sizeof(v4_mapped)) == 1)
        memcpy(address, v4_mapped, sizeof(v4_mapped));
}

enum q_err handover_pair(int fds[2])
{
    int size = BUFFER_SIZE;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return Q_ERR_IO;
    (void)setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return Q_OK;
}

enum q_err handover_send(int channel, const struct handover *handover, int fd)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)handover, .iov_len = sizeof(*handover)};
    union control control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *header;

    memset(&control, 0, sizeof(control));
    header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(int));
    if (sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return Q_OK;
    return errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN ? Q_ERR_CLOSED : Q_ERR_AGAIN;
}

enum q_err handover_receive(int channel, struct handover *handover, int *fd)
{
    struct iovec part = {.iov_base = handover, .iov_len = sizeof(*handover)};
    union control control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *header;
    ssize_t count;

    *fd = -1;
    count = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR ? Q_ERR_AGAIN : Q_ERR_IO;
    if (count == 0)
        return Q_ERR_CLOSED;
    header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(fd, CMSG_DATA(header), sizeof(int));
    if (count == (ssize_t)sizeof(*handover) && *fd >= 0) {
        handover->peer[HANDOVER_PEER_SIZE - 1] = '\0';
        return Q_OK;
    }
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return Q_ERR_AGAIN;
}
