/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What libknet says, from any of its threads through a pipe into our log. Embedded in the transport. Somebody who
 * sends garbage makes it say a line for each datagram, so there is a budget: what is beyond it is counted and left out.
 */
#ifndef QUORATE_CORE_TRANSPORT_KNET_LOG_H
#define QUORATE_CORE_TRANSPORT_KNET_LOG_H

#include <stdint.h>

#include <qb/qbloop.h>

#include "common/err.h"

struct knet_log {
    qb_loop_t *loop;
    int read_fd, write_fd; /* -1: none; libknet gets the latter */
    uint64_t budget, refilled_ms;
    uint64_t left_out;
};

/* Q_ERR_IO: errno. */
enum q_err knet_log_init(struct knet_log *log, qb_loop_t *loop);
/* After libknet's handle is gone. Takes over what is still in the pipe. */
void knet_log_fini(struct knet_log *log);
/* Takes over what is in the pipe, for when the loop does not run. */
void knet_log_drain(struct knet_log *log);

#endif
