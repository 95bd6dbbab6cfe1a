/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way to the system's log daemon that never waits for it: syslog(3) blocks while journald is busy or stuck, and
 * an arbiter that waits for a log takes votes from healthy clusters. Lines that the socket does not take are
 * queued up to a limit and sent with later ones; what exceeds it is counted and told. One, owned by common/log.
 */
#ifndef QUORATE_COMMON_SYSLOG_SOCKET_H
#define QUORATE_COMMON_SYSLOG_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define SYSLOG_SOCKET_PATH "/dev/log"
#define SYSLOG_SOCKET_QUEUE_MAX                                                                              \
    (16u << 20) /* bytes: the lines of thousands of clusters that decide at once */

struct syslog_socket {
    int fd;              /* -1: not connected */
    const char *path;    /* borrowed */
    const char *ident;   /* borrowed */
    struct q_buf queue;  /* each entry: u32 size, then the datagram */
    uint64_t lost_count; /* lines left out since the last one that was taken */
    uint64_t retry_ms;   /* no earlier attempt to connect */
};

void syslog_socket_init(struct syslog_socket *log, const char *path, const char *ident);
void syslog_socket_fini(struct syslog_socket *log);

/* One line with its priority (syslog(3)), and a facility unless it is daemon. Never blocks. */
void syslog_socket_write(struct syslog_socket *log, int priority, const char *text);

/* Sends what is queued, as far as it goes. Returns whether anything is left. */
bool syslog_socket_flush(struct syslog_socket *log);

/* At the end of a program: gives the log daemon up to `wait_ms` to take the rest. */
void syslog_socket_drain(struct syslog_socket *log, uint64_t wait_ms);

#endif
