/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device as a running daemon: the agent, and around it everything that acts for it and reports to it: the core, the link
 * to the arbiter, the voter, heuristics, the control socket, one timer. Made by main, lives until the loop ends.
 */
#ifndef QUORATE_QDEVICE_DEVICE_H
#define QUORATE_QDEVICE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "common/control/server.h"
#include "common/pid_lock.h"
#include "common/tls/credentials.h"
#include "common/tls/stamp.h"
#include "qdevice/arbiter_link.h"
#include "qdevice/core.h"
#include "qdevice/heuristics.h"
#include "qdevice/logic/agent.h"
#include "qdevice/logic/device_config.h"
#include "qdevice/settings.h"
#include "qdevice/voter_watch.h"

#define DEVICE_ERR_SIZE 1024
#define DEVICE_FOLLOW_UPS_MAX 8

/* What came of an action at once; told to the agent when all actions of the step have been carried out. */
struct device_follow_up {
    enum agent_event_type type;
    uint64_t conn;
    char text[AGENT_TEXT_SIZE];
};

struct device {
    const struct settings *settings;
    qb_loop_t *loop;
    struct pid_lock lock;
    struct control_server *control;
    struct core *core;
    struct arbiter_link link;
    struct voter_watch voter;
    struct heuristics *heuristics;
    struct tls_credentials *credentials;
    struct tls_stamp stamp; /* of their files */

    struct agent *agent;
    struct agent_actions actions;
    bool stepping;
    struct device_follow_up follow_ups[DEVICE_FOLLOW_UPS_MAX];
    size_t follow_up_count;
    qb_loop_timer_handle timer;
    uint64_t timer_at_ms; /* AGENT_NEVER: none */

    struct device_limits limits;
    struct device_config config; /* in force */
    bool configured;
    uint64_t instance;
    bool attached;
    bool ready; /* told to the service manager */
    bool failed; /* end with status 1 */
};

/*
 * Forks the helpers, takes the lock, opens the control socket and begins to look for the core. On failure err_text says
 * what is wrong; device_stop is due in any case.
 */
enum q_err device_start(struct device *device, const struct settings *settings, char *err_text, size_t size);

/* One event for the agent, and all that follows from it. Not to be called while it is at work. */
void device_step(struct device *device, struct agent_event *event);

/* For status: what votequorum has from us, or that it is to wait; not what it was to be told. */
enum agent_cast device_carried_out(const struct device *device, const struct agent_status *status);

/* Until the end. The exit status. */
int device_run(struct device *device);

/* The orderly end: withdraws the vote first, then device_run returns. */
void device_shut_down(struct device *device);

void device_stop(struct device *device);

#endif
