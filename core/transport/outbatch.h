/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams that are to be sent with one call. Embedded in a transport; bytes and addresses belong to others and stay
 * until they have been sent. A descriptor of -1 sends nothing: all is dropped.
 */
#ifndef QUORATE_CORE_TRANSPORT_OUTBATCH_H
#define QUORATE_CORE_TRANSPORT_OUTBATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define OUTBATCH_MAX 64

struct outbatch {
    int fd;
    struct iovec pieces[OUTBATCH_MAX];
    struct mmsghdr messages[OUTBATCH_MAX];
    unsigned count;
    uint64_t sent, dropped;
    uint64_t quiet_until_ms; /* when the log may be told again that something was dropped */
};

void outbatch_init(struct outbatch *batch);
/* Sends what is in it if it is full. address: NULL for a socket that is connected. */
void outbatch_add(struct outbatch *batch, const struct sockaddr_storage *address, socklen_t address_size,
                  const uint8_t *bytes, size_t size);
void outbatch_send(struct outbatch *batch);

#endif
