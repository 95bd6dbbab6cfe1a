/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/client_hello.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define RECORD_HEADER_SIZE 5
#define RECORD_TYPE_HANDSHAKE 0x16
#define RECORD_SIZE_MAX 16384

/* Size of the record, header included; RECORD_HEADER_SIZE as long as that is missing; 0: not TLS; -1: the peer has gone. */
static int record_size(int fd)
{
    uint8_t header[RECORD_HEADER_SIZE];
    ssize_t count = recv(fd, header, sizeof(header), MSG_PEEK | MSG_DONTWAIT);
    int length;

    if (count < 0)
        return errno == EAGAIN || errno == EINTR ? RECORD_HEADER_SIZE : -1;
    if (count == 0)
        return -1;
    if (header[0] != RECORD_TYPE_HANDSHAKE)
        return 0;
    if (count < RECORD_HEADER_SIZE)
        return RECORD_HEADER_SIZE;
    length = header[3] << 8 | header[4];
    return length > RECORD_SIZE_MAX ? 0 : RECORD_HEADER_SIZE + length;
}

enum q_err client_hello_arrived(int fd, int *awaited)
{
    int size = record_size(fd), present = 0;

    if (size < 0)
        return Q_ERR_CLOSED;
    if (size == 0 || ioctl(fd, FIONREAD, &present) != 0)
        return Q_OK;
    if (size > RECORD_HEADER_SIZE && present >= size)
        return Q_OK;
    /* Ready without the bytes that were asked for: the stream has ended, or the kernel holds no more. */
    if (*awaited == size)
        return Q_ERR_CLOSED;
    *awaited = size;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &size, sizeof(size)) != 0)
        return Q_OK;
    return Q_ERR_AGAIN;
}

void client_hello_finish(int fd)
{
    int one = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
}
