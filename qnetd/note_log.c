/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/note_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"
#include "common/printable.h"
#include "qnetd/logic/cluster.h"

#define PREFIX_SIZE 256

void note_log_init(struct note_log *log, uint64_t now_ms)
{
    *log = (struct note_log){.budget = NOTE_LOG_BURST, .refilled_ms = now_ms};
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

static bool may_write(struct note_log *log, uint64_t now_ms)
{
    uint64_t refill = (now_ms - log->refilled_ms) / NOTE_LOG_REFILL_MS;

    if (refill > 0) {
        log->budget = refill + log->budget > NOTE_LOG_BURST ? NOTE_LOG_BURST : log->budget + (uint32_t)refill;
        log->refilled_ms += refill * NOTE_LOG_REFILL_MS;
    }
    if (log->budget == 0) {
        log->suppressed++;
        return false;
    }
    log->budget--;
    if (log->suppressed > 0) {
        log_line(LOG_WARNING, "%" PRIu64 " lines about clients outside any cluster were left out",
                 log->suppressed);
        log->suppressed = 0;
    }
    return true;
}

static const struct member *find_member(const struct cluster *cluster, uint32_t node_id)
{
    const struct member *member = cluster->members;

    while (member != NULL && member->node_id != node_id)
        member = member->next;
    return member;
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
    member = cluster == NULL ? NULL : find_member(cluster, action->node_id);
    used = snprintf(prefix, PREFIX_SIZE, "cluster \"%s\" node %" PRIu32, label, action->node_id);
    if (member != NULL && used > 0 && used < PREFIX_SIZE)
        used += snprintf(prefix + used, (size_t)(PREFIX_SIZE - used), " ring %" PRIx32 ".%" PRIx64,
                         member->ring.node_id, member->ring.seq);
    if (used > 0 && used < PREFIX_SIZE)
        snprintf(prefix + used, (size_t)(PREFIX_SIZE - used), ": ");
}

void note_log_write(struct note_log *log, const struct arbiter *arbiter,
                    const struct arbiter_actions *actions, const struct arbiter_action *action,
                    const char *peer, uint64_t now_ms)
{
    int priority = note_log_priority(action->level);
    char prefix[PREFIX_SIZE];

    if (!log_enabled(priority))
        return;
    if (action->cluster_id == 0 && peer != NULL && !may_write(log, now_ms))
        return;
    write_prefix(arbiter, actions, action, peer, prefix);
    log_line(priority, "%s%s%s", prefix, action->type == ARBITER_ACT_CLOSE ? "connection closed: " : "",
             arbiter_actions_text(actions, action->data));
}
