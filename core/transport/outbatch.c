/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/outbatch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "core/logging.h"

#define QUIET_MS 10000 /* between lines about what could not be sent */

void outbatch_init(struct outbatch *batch)
{
    memset(batch, 0, sizeof(*batch));
    batch->fd = -1;
}

static void note_fault(struct outbatch *batch, int fault)
{
    uint64_t now_ms = clock_monotonic_ms();

    if (now_ms < batch->quiet_until_ms)
        return;
    batch->quiet_until_ms = now_ms + QUIET_MS;
    logging_line(LOGGING_TOTEM, LOG_WARNING,
                 "transport: a datagram could not be sent and was dropped (%" PRIu64 " so far): %s",
                 batch->dropped, strerror(fault));
}

void outbatch_send(struct outbatch *batch)
{
    unsigned done = 0;

    while (done < batch->count && batch->fd >= 0) {
        int sent =
            sendmmsg(batch->fd, batch->messages + done, batch->count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        int fault = errno;
        unsigned lost;
        if (sent > 0) {
            done += (unsigned)sent;
            batch->sent += (unsigned)sent;
            continue;
        }
        if (sent < 0 && fault == EINTR)
            continue;
        /* Without room none of them goes out; else it is the first that cannot be sent, others may go elsewhere. */
        lost = fault == EAGAIN || fault == ENOBUFS ? batch->count - done : 1;
        batch->dropped += lost;
        done += lost;
        note_fault(batch, fault);
    }
    batch->count = 0;
}

void outbatch_add(struct outbatch *batch, const struct sockaddr_storage *address, socklen_t address_size,
                  const uint8_t *bytes, size_t size)
{
    unsigned i = batch->count++;

    /* The kernel only reads them. */
    batch->pieces[i] = (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    batch->messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = (void *)(uintptr_t)address,
                                                      .msg_namelen = address_size,
                                                      .msg_iov = &batch->pieces[i],
                                                      .msg_iovlen = 1}};
    if (batch->count == OUTBATCH_MAX)
        outbatch_send(batch);
}
