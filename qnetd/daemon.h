/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter's process: everything that is opened at start and closed at the end, in order, and the signals and
 * clock ticks that concern the process as a whole. One, owned by main.
 */
#ifndef QUORATE_QNETD_DAEMON_H
#define QUORATE_QNETD_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include <qb/qbloop.h>

#include "common/control/server.h"
#include "common/pid_lock.h"
#include "qnetd/decisions.h"
#include "qnetd/enrolment.h"
#include "qnetd/identity.h"
#include "qnetd/revocation.h"
#include "qnetd/server.h"
#include "qnetd/settings.h"
#include "qnetd/state_dir.h"

struct daemon {
    const struct settings *settings;
    qb_loop_t *loop;
    struct pid_lock lock;
    struct identity identity;
    struct enrolment enrolment;
    struct revocation_watch revoked;
    struct state_dir state;
    struct decisions decisions;
    struct arbiter *arbiter;
    struct server server;
    bool server_started;
    struct control_server *control;
    int64_t started_wall_ms;
    uint64_t watchdog_ms; /* 0: none */
};

#define DAEMON_ERR_SIZE 1200

/* Opens everything. On failure err_text is the line for the log; daemon_stop is needed in any case. */
enum q_err daemon_start(struct daemon *daemon, const struct settings *settings, char *err_text, size_t size);

/* Runs until SIGTERM, SIGINT or a shutdown request. */
void daemon_run(struct daemon *daemon);

/* Ends daemon_run. */
void daemon_quit(struct daemon *daemon);

void daemon_stop(struct daemon *daemon);

#endif
