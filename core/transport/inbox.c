/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/transport/transport.h"

/* Whoever floods us does not keep us here: what a socket's buffer can hold is less. */
#define DRAIN_BATCHES_MAX 1024

enum q_err inbox_init(struct inbox *inbox)
{
    memset(inbox, 0, sizeof(*inbox));
    inbox->buffer = malloc((size_t)INBOX_BATCH * TRANSPORT_DATAGRAM_MAX);
    if (inbox->buffer == NULL)
        return Q_ERR_NO_MEMORY;
    for (size_t i = 0; i < INBOX_BATCH; i++) {
        inbox->pieces[i] = (struct iovec){.iov_base = inbox->buffer + i * TRANSPORT_DATAGRAM_MAX,
                                          .iov_len = TRANSPORT_DATAGRAM_MAX};
        inbox->messages[i].msg_hdr.msg_name = &inbox->sources[i];
        inbox->messages[i].msg_hdr.msg_iov = &inbox->pieces[i];
        inbox->messages[i].msg_hdr.msg_iovlen = 1;
    }
    return Q_OK;
}

void inbox_fini(struct inbox *inbox)
{
    free(inbox->buffer);
    inbox->buffer = NULL;
}

unsigned inbox_read(struct inbox *inbox, int fd)
{
    int count;

    for (size_t i = 0; i < INBOX_BATCH; i++)
        inbox->messages[i].msg_hdr.msg_namelen = sizeof(inbox->sources[i]);
    do {
        count = recvmmsg(fd, inbox->messages, INBOX_BATCH, MSG_DONTWAIT, NULL);
    } while (count < 0 && errno == EINTR);
    inbox->next = 0;
    inbox->count = count > 0 ? (unsigned)count : 0;
    return inbox->count;
}

bool inbox_take(struct inbox *inbox, struct inbox_datagram *datagram)
{
    while (inbox->next < inbox->count) {
        unsigned i = inbox->next++;
        const struct mmsghdr *message = &inbox->messages[i];
        if ((message->msg_hdr.msg_flags & MSG_TRUNC) != 0)
            continue;
        *datagram = (struct inbox_datagram){
            .bytes = inbox->pieces[i].iov_base, .size = message->msg_len, .source = &inbox->sources[i]};
        return true;
    }
    return false;
}

void inbox_drop(struct inbox *inbox)
{
    inbox->next = inbox->count;
}

void inbox_drain(int fd)
{
    uint8_t byte[INBOX_BATCH];
    struct iovec pieces[INBOX_BATCH];
    struct mmsghdr messages[INBOX_BATCH];
    int count = 1;

    memset(messages, 0, sizeof(messages));
    for (size_t i = 0; i < INBOX_BATCH; i++) {
        pieces[i] = (struct iovec){.iov_base = &byte[i], .iov_len = 1};
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (int batch = 0; batch < DRAIN_BATCHES_MAX && count > 0; batch++)
        count = recvmmsg(fd, messages, INBOX_BATCH, MSG_DONTWAIT, NULL);
}
