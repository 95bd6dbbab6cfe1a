/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams that have been read from a socket, several with one call, and not been handed over yet. Embedded in a
 * transport; owns one buffer for a batch. A batch may be dropped while one of its datagrams is looked at: that one stays.
 */
#ifndef QUORATE_CORE_TRANSPORT_INBOX_H
#define QUORATE_CORE_TRANSPORT_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"

#define INBOX_BATCH 16

struct inbox_datagram {
    const uint8_t *bytes;
    size_t size;
    const struct sockaddr_storage *source; /* of internet sockets */
};

struct inbox {
    uint8_t *buffer;
    struct sockaddr_storage sources[INBOX_BATCH];
    struct iovec pieces[INBOX_BATCH];
    struct mmsghdr messages[INBOX_BATCH];
    unsigned count, next;
};

/* Q_ERR_NO_MEMORY. */
enum q_err inbox_init(struct inbox *inbox);
void inbox_fini(struct inbox *inbox);

/* Reads a batch, without waiting; the former one is gone. Returns how many there are; 0: nothing waits. */
unsigned inbox_read(struct inbox *inbox, int fd);
/* Datagrams that were too large for the buffer are left out. False: the batch has been taken. */
bool inbox_take(struct inbox *inbox, struct inbox_datagram *datagram);
/* Drops the rest of the batch. */
void inbox_drop(struct inbox *inbox);
/* Drops what waits in the socket. */
void inbox_drain(int fd);

#endif
