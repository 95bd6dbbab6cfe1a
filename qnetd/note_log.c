/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/note_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/printable.h"
#include "qnetd/logic/cluster.h"

#define PREFIX_SIZE 256

void note_log_init(struct note_log *log)
{
    memset(log, 0, sizeof(*log));
}

int note_log_priority(enum arbiter_note_level level)
{
    switch (level) {
    case ARBITER_NOTE_DEBUG:
        return LOG_DEBUG;
    case ARBITER_NOTE_INFO:
        return LOG_INFO;
    case ARBITER_NOTE_NOTICE:
        return LOG_NOTICE;
    case ARBITER_NOTE_WARNING:
        return LOG_WARNING;
    case ARBITER_NOTE_ERROR:
        return LOG_ERR;
    }
    return LOG_ERR;
}

static bool strangers_may(struct note_log *log, uint64_t now_ms)
{
    uint64_t left_out = 0;
    bool may = log_budget_take(&log->strangers, NOTE_LOG_BURST, NOTE_LOG_REFILL_MS, now_ms, &left_out);

    if (left_out > 0)
        log_line(LOG_WARNING, "%" PRIu64 " lines about clients outside any cluster were left out", left_out);
    return may;
}

static bool cluster_may(struct note_log *log, uint64_t cluster_id, const char *prefix, uint64_t now_ms)
{
    struct note_log_cluster *place = &log->clusters[cluster_id % NOTE_LOG_CLUSTERS];
    uint64_t left_out = 0;
    bool may;

    if (place->cluster_id != cluster_id)
        *place = (struct note_log_cluster){.cluster_id = cluster_id};
    may = log_budget_take(&place->budget, NOTE_LOG_CLUSTER_BURST, NOTE_LOG_CLUSTER_REFILL_MS, now_ms, &left_out);
    if (left_out > 0)
        log_line(LOG_WARNING, "%s%" PRIu64 " lines were left out, it causes too many", prefix, left_out);
    return may;
}

static void write_prefix(const struct arbiter *arbiter, const struct arbiter_actions *actions,
                         const struct arbiter_action *action, const char *peer, char prefix[PREFIX_SIZE])
{
    struct wire_bytes name = {arbiter_actions_bytes(actions, action->name), action->name.size};
    const struct cluster *cluster;
    const struct member *member;
    char label[128];
    int used;

    if (action->cluster_id == 0) {
        snprintf(prefix, PREFIX_SIZE, "%s%s%s", peer == NULL ? "" : "client ", peer == NULL ? "" : peer,
                 peer == NULL ? "" : ": ");
        return;
    }
    printable_text(name.data, name.size, label, sizeof(label));
    if (action->node_id == 0) {
        snprintf(prefix, PREFIX_SIZE, "cluster \"%s\": ", label);
        return;
    }
    cluster = arbiter_find_cluster(arbiter, name);
    member = cluster == NULL ? NULL : cluster_find_member(cluster, action->node_id);
    used = snprintf(prefix, PREFIX_SIZE, "cluster \"%s\" node %" PRIu32, label, action->node_id);
    if (member != NULL && used > 0 && used < PREFIX_SIZE)
        used += snprintf(prefix + used, (size_t)(PREFIX_SIZE - used), " ring %" PRIx32 ".%" PRIx64,
                         member->ring.node_id, member->ring.seq);
    if (used > 0 && used < PREFIX_SIZE)
        snprintf(prefix + used, (size_t)(PREFIX_SIZE - used), ": ");
}

bool note_log_write(struct note_log *log, const struct arbiter *arbiter, const struct arbiter_actions *actions,
                    const struct arbiter_action *action, const char *peer, uint64_t now_ms)
{
    int priority = note_log_priority(action->level);
    bool shown = log_enabled(priority);
    char prefix[PREFIX_SIZE];

    if (!shown && action->kind != ARBITER_NOTE_DECISION)
        return true;
    write_prefix(arbiter, actions, action, peer, prefix);
    if (action->cluster_id != 0 && !cluster_may(log, action->cluster_id, prefix, now_ms))
        return false;
    if (action->cluster_id == 0 && peer != NULL && !strangers_may(log, now_ms))
        return false;
    if (shown)
        log_line(priority, "%s%s%s", prefix, action->type == ARBITER_ACT_CLOSE ? "connection closed: " : "",
                 arbiter_actions_text(actions, action->data));
    return true;
}

void note_log_closed(struct note_log *log, const char *peer, const char *why, uint64_t now_ms)
{
    if (strangers_may(log, now_ms))
        log_line(LOG_WARNING, "client %s: connection closed: %s", peer, why);
}
