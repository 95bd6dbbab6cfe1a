/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter's notes as log lines: who (cluster, node, ring, or the peer's address) before what. Lines about
 * connections that belong to no cluster are rate limited, so that strangers cannot fill the log. Used by the
 * server while it carries actions out.
 */
#ifndef QUORATE_QNETD_NOTE_LOG_H
#define QUORATE_QNETD_NOTE_LOG_H

#include <stdint.h>

#include "qnetd/logic/arbiter.h"

/* Lines about strangers: this many at once, then one more per so many milliseconds. */
#define NOTE_LOG_BURST 100
#define NOTE_LOG_REFILL_MS 100

struct note_log {
    uint32_t budget;
    uint64_t refilled_ms;
    uint64_t suppressed;
};

void note_log_init(struct note_log *log, uint64_t now_ms);

/* Syslog priority of a note. */
int note_log_priority(enum arbiter_note_level level);

/* An ARBITER_ACT_NOTE or ARBITER_ACT_CLOSE. `peer`: address of the connection concerned, NULL if there is none. */
void note_log_write(struct note_log *log, const struct arbiter *arbiter,
                    const struct arbiter_actions *actions, const struct arbiter_action *action,
                    const char *peer, uint64_t now_ms);

#endif
