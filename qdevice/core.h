/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The node's core (corosync or ours) as the device sees it: votequorum notifications and configuration in cmap. Owns both
 * client handles, survives the core's end and attaches to it again. Turns callbacks into calls of the handlers below, from
 * its libqb loop. Polling is not done here but by the voter.
 *
 * Order at every attach: votequorum (initialise, register the device, get info, track), then cmap (read, track). While
 * votequorum says TRY_AGAIN, or there is no core, it is tried again every second (a timer, no sleep).
 * (spec/qdevice-daemon.md sections 3, 5, 7, 8.)
 */
#ifndef QUORATE_QDEVICE_CORE_H
#define QUORATE_QDEVICE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "common/err.h"
#include "common/wire/wire.h"
#include "qdevice/logic/keys.h"

struct core;

struct core_handlers {
    void (*on_attached)(void *context);
    void (*on_lost)(void *context, const char *why);
    /* All keys of the prefixes that concern the device, whenever one of them has changed, once per reload. */
    void (*on_keys)(void *context, const struct keys *keys);
    void (*on_nodelist)(void *context, struct wire_ring_id ring_id, const uint32_t *members, uint32_t count);
    /* Without the pseudo node 0. */
    void (*on_quorum)(void *context, bool quorate, const struct wire_node_info *nodes, uint32_t count);
    void (*on_expected_votes)(void *context, uint32_t expected_votes);
};

struct core_config {
    qb_loop_t *loop;
    const char *device_name; /* setting votequorum_device_name */
    int master_wins;         /* -1: do not allow (the packaged default), 0 or 1 */
    const struct core_handlers *handlers;
    void *context;
};

/* Tries to attach at once; later attempts and all handlers come from the loop. */
enum q_err core_new(const struct core_config *config, struct core **out);

/* Unregisters the device if attached, and lets go of the core. */
void core_free(struct core *core, bool unregister);

uint32_t core_expected_votes(const struct core *core); /* 0: not known */

#endif
