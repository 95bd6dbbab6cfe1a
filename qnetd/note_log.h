/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter's notes as log lines: who (cluster, node, ring, or the peer's address) before what. Strangers together, and
 * each cluster, may cause only so many lines, so that none can fill the log or drown what is said about others. Used by
 * the server while it carries actions out.
 */
#ifndef QUORATE_QNETD_NOTE_LOG_H
#define QUORATE_QNETD_NOTE_LOG_H

#include <stdint.h>

#include "common/log_budget.h"
#include "qnetd/logic/arbiter.h"

/* Lines about strangers: this many at once, then one more per so many milliseconds. */
#define NOTE_LOG_BURST 100
#define NOTE_LOG_REFILL_MS 100

/* Lines about one cluster. All nodes of a large one may come, decide and go a few times. */
#define NOTE_LOG_CLUSTER_BURST 500
#define NOTE_LOG_CLUSTER_REFILL_MS 500
#define NOTE_LOG_CLUSTERS 1024

struct note_log_cluster {
    uint64_t cluster_id;
    struct log_budget budget;
};

struct note_log {
    struct log_budget strangers;
    struct note_log_cluster clusters[NOTE_LOG_CLUSTERS]; /* by id, modulo; the one heard of last */
};

void note_log_init(struct note_log *log);

/* Syslog priority of a note. */
int note_log_priority(enum arbiter_note_level level);

/*
 * An ARBITER_ACT_NOTE or ARBITER_ACT_CLOSE. `peer`: address of the connection concerned, NULL if there is none. False if it
 * is one too many: then it had better not be kept elsewhere either. A line that the log's level leaves out counts only if it
 * is a decision.
 */
bool note_log_write(struct note_log *log, const struct arbiter *arbiter, const struct arbiter_actions *actions,
                    const struct arbiter_action *action, const char *peer, uint64_t now_ms);

/* The shell ends a connection that belongs to no cluster yet, or of which that does not matter: why, in words. */
void note_log_closed(struct note_log *log, const char *peer, const char *why, uint64_t now_ms);

#endif
