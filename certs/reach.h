/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TCP connection from a node to its arbiter, for tools: each address of the name in turn, with a limit of time. Blocks; used by
 * enrolment and by --check.
 */
#ifndef QUORATE_CERTS_REACH_H
#define QUORATE_CERTS_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/failure.h"

/* A connected, non-blocking socket. Q_ERR_NOT_FOUND: the name has no address; Q_ERR_CLOSED: none of them answers. */
enum q_err certs_reach(const char *host, uint16_t port, int *fd, struct certs_failure *why);

/* Until poll(2) reports one of the events; false: not by then (of clock_monotonic_ms). */
bool certs_wait(int fd, short events, uint64_t until_ms);

#endif
