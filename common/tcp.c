/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

void tcp_be_prompt(int fd)
{
    static const char congestion_control[] = "reno";
    int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, &on, sizeof(on));
    /* With BBR a connection never leaves what the kernel takes for its slow start, in which the even pace is not kept. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion_control, sizeof(congestion_control) - 1);
}
