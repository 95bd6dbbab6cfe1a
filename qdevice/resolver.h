/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Name lookup that never blocks the daemon: a child process asks the resolver and sends the addresses back through a pipe. One
 * lookup at a time; a new one, or resolver_cancel, kills the former. (Pain point 9 of spec/qdevice-daemon.md.)
 */
#ifndef QUORATE_QDEVICE_RESOLVER_H
#define QUORATE_QDEVICE_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <qb/qbloop.h>

#include "common/err.h"

#define RESOLVER_ADDRESSES_MAX 16
#define RESOLVER_TEXT_SIZE 128

struct resolver_answer {
    uint32_t count; /* 0: text says why */
    struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MAX];
    char text[RESOLVER_TEXT_SIZE];
};

struct resolver {
    qb_loop_t *loop;
    pid_t pid; /* 0: none under way */
    int fd;
    void (*on_answer)(void *context, const struct resolver_answer *answer);
    void *context;
};

void resolver_init(struct resolver *resolver, qb_loop_t *loop,
                   void (*on_answer)(void *context, const struct resolver_answer *answer), void *context);

/* ip_version 0 (both), 4 or 6. The answer comes from the loop, unless this fails: Q_ERR_IO with errno. */
enum q_err resolver_ask(struct resolver *resolver, const char *host, uint16_t port, int ip_version);
void resolver_cancel(struct resolver *resolver);

#endif
