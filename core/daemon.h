/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core's process: what is opened at the start and closed at the end, in order, and the signals and clock ticks that
 * concern the process as a whole. One, owned by main.
 */
#ifndef QUORATE_CORE_DAEMON_H
#define QUORATE_CORE_DAEMON_H

#include "common/pid_lock.h"
#include "core/node.h"
#include "core/settings.h"

struct daemon {
    const struct settings *settings;
    qb_loop_t *loop;
    struct pid_lock lock;
    struct node node;
    bool node_started;
    uint64_t watchdog_ms; /* 0: none */
};

/* Opens everything; what is wrong has been logged. 0, or the exit status. daemon_stop is needed in any case. */
int daemon_start(struct daemon *daemon, const struct settings *settings);
/* Runs until the ring has been left. The exit status. */
int daemon_run(struct daemon *daemon);
void daemon_stop(struct daemon *daemon);

/* -t: reads the configuration and says on standard error what is wrong. The exit status. */
int daemon_test_configuration(const struct settings *settings);

#endif
