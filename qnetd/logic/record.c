/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must be on record before ACKs leave: every node that will hold a grant, for how long it may use it after a restart of the
 * arbiter, and the partition that is active. Knows what the newest record says, written or on its way; when one is needed is
 * delivery.c's business. (docs/safety.md.)
 */
#include <stdlib.h>

#include "qnetd/logic/lease.h"
#include "qnetd/logic/machine.h"

static uint32_t lease_to_record(const struct arbiter *a, const struct member *member)
{
    if (member->conn != 0)
        return lease_bound_ms(member, &a->settings);
    /* A ghost: what is left of it is less than what was recorded, or than the whole of what it was given. */
    return member->recorded_lease_ms > member->ghost_lease_ms ? member->recorded_lease_ms : member->ghost_lease_ms;
}

/* Whether the newest record, written or on its way, says all that must be known after a restart. */
static bool covers(const struct arbiter *a, const struct cluster *cluster)
{
    if (!node_set_equal(&cluster->recorded_active, &cluster->winner) ||
        !node_set_equal(&cluster->recorded_config, &cluster->config) ||
        !cluster_identity_equal(&cluster->recorded_identity, &cluster->identity))
        return false;
    for (const struct member *m = cluster->members; m != NULL; m = m->next) {
        bool holder = m->grant != GRANT_NONE || delivery_is_winner(cluster, m);

        if (holder && (m->recorded_lease_ms == 0 || m->recorded_lease_ms < lease_to_record(a, m)))
            return false;
    }
    return true;
}

bool record_is_in_place(const struct arbiter *a, const struct cluster *cluster)
{
    return cluster->recorded && covers(a, cluster);
}

bool record_is_under_way(const struct arbiter *a, const struct cluster *cluster)
{
    return cluster->persist_in_flight && covers(a, cluster);
}

void record_begin(struct arbiter *a, struct cluster *cluster)
{
    cluster->recorded = false; /* until the answer comes */
    cluster->persist_in_flight = false;
    cluster->persist_generation++;
    cluster->persist_retry_ms = ARBITER_NEVER;
    if (cluster->persist_due)
        return;
    cluster->persist_due = true;
    cluster->next_persist = a->persist_first;
    a->persist_first = cluster;
}

bool record_emit(struct arbiter *a, struct cluster *cluster)
{
    struct grant_record record = {.name = cluster->name, .active = cluster->winner, .config = cluster->config,
                                  .identity = cluster->identity};
    uint32_t count = 0;
    bool emitted;

    for (const struct member *m = cluster->members; m != NULL; m = m->next)
        count += m->grant != GRANT_NONE || delivery_is_winner(cluster, m);
    record.holders = calloc(count > 0 ? count : 1, sizeof(*record.holders));
    if (record.holders == NULL) {
        a->out_of_memory = true;
        return false;
    }
    for (struct member *m = cluster->members; m != NULL; m = m->next) {
        bool holder = m->grant != GRANT_NONE || delivery_is_winner(cluster, m);

        m->recorded_lease_ms = holder ? lease_to_record(a, m) : 0;
        if (holder)
            record.holders[record.holder_count++] = (struct grant_holder){m->node_id, m->recorded_lease_ms};
    }
    if (node_set_copy(&cluster->recorded_active, &cluster->winner) != Q_OK ||
        node_set_copy(&cluster->recorded_config, &cluster->config) != Q_OK)
        a->out_of_memory = true;
    cluster->recorded_identity = cluster->identity;
    emitted = emit_persist(a, cluster, &record);
    cluster->persist_in_flight = emitted;
    free(record.holders);
    return emitted;
}

bool record_on_persisted(struct cluster *cluster, uint64_t generation, enum arbiter_persist_result result)
{
    if (generation != cluster->persist_generation)
        return false;
    cluster->persist_in_flight = false;
    cluster->recorded = result == ARBITER_PERSIST_DONE;
    return true;
}
