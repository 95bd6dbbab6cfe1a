/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From committed reports to what an algorithm sees. Clients with the same ring and the same membership are one
 * partition. The reports are consistent when partitions do not overlap: that covers both directions of "everybody
 * I list who reports must report the same as I", and two partitions that claim the same silent node.
 * (spec/arbitration.md sections 4.3, 11.2, 11.3; defects P8, U13 to U15.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qnetd/logic/machine.h"
#include "common/mutation.h"

static struct view_partition *partition_of(struct view_storage *storage, const struct member *member)
{
    for (size_t i = 0; i < storage->view.partition_count; i++) {
        struct view_partition *partition = &storage->partitions[i];

        if (wire_ring_id_equal(partition->ring, member->ring) &&
            node_set_equal(&partition->members, &member->membership))
            return partition;
    }
    return NULL;
}

static enum q_err add_report(struct view_storage *storage, const struct cluster *cluster,
                             const struct member *member)
{
    struct view_partition *partition = partition_of(storage, member);

    if (partition == NULL) {
        partition = &storage->partitions[storage->view.partition_count];
        memset(partition, 0, sizeof(*partition));
        if (node_set_copy(&partition->members, &member->membership) != Q_OK)
            return Q_ERR_NO_MEMORY;
        storage->view.partition_count++;
        partition->ring = member->ring;
        partition->lowest_reporting = member->node_id;
        partition->incumbent = node_set_overlap(&partition->members, &cluster->granted);
    }
    partition->reporting++;
    partition->highest_reporting = member->node_id;
    partition->pass += member->heuristics == WIRE_HEURISTICS_PASS;
    partition->fail += member->heuristics == WIRE_HEURISTICS_FAIL;
    if (!member->keep_active_partition && cluster->algorithm == WIRE_ALGORITHM_FFSPLIT)
        storage->view.keep_active_partition = false;
    return Q_OK;
}

/* The configuration all agree on, or all that anybody names; `why` is set where they disagree. */
static enum q_err gather_config(struct view_storage *storage, const struct cluster *cluster)
{
    const struct member *first = NULL;

    for (const struct member *m = cluster->members; m != NULL; m = m->next) {
        if (!member_is_reporting(cluster, m))
            continue;
        if (m->has_config && first != NULL && !node_set_equal(&first->config, &m->config)) {
            storage->view.config_disputed = true;
            snprintf(storage->why, sizeof(storage->why), "nodes %u and %u have different configured node lists",
                     first->node_id, m->node_id);
        }
        if (m->has_config && first == NULL)
            first = m;
        if (node_set_unite(&storage->config, m->has_config ? &m->config : &m->membership) != Q_OK)
            return Q_ERR_NO_MEMORY;
    }
    return Q_OK;
}

static void find_overlap(struct view_storage *storage)
{
    for (size_t i = 0; i < storage->view.partition_count; i++) {
        for (size_t j = i + 1; j < storage->view.partition_count; j++) {
            const struct view_partition *a = &storage->partitions[i];
            const struct view_partition *b = &storage->partitions[j];
            char x[48];
            char y[48];

            if (!node_set_overlap(&a->members, &b->members))
                continue;
            node_set_text(&a->members, x, sizeof(x));
            node_set_text(&b->members, y, sizeof(y));
            storage->view.majority_only = true;
            snprintf(storage->why, sizeof(storage->why),
                     "node %u reports members %s (ring %x.%llx), node %u reports members %s (ring %x.%llx)",
                     a->lowest_reporting, x, a->ring.node_id, (unsigned long long)a->ring.seq, b->lowest_reporting,
                     y, b->ring.node_id, (unsigned long long)b->ring.seq);
            return;
        }
    }
}

/* Only configured nodes count under ffsplit (defect U14); done after grouping, which compares what was reported. */
static void keep_configured(struct view_storage *storage)
{
    for (size_t i = 0; i < storage->view.partition_count; i++)
        node_set_intersect(&storage->partitions[i].members, &storage->config);
}

static bool is_recovering(const struct cluster *cluster)
{
    for (const struct member *m = cluster->members; m != NULL; m = m->next)
        if (m->grant == GRANT_GHOST && m->restored)
            return true;
    return false;
}

/* Lms needs no configuration list and takes any: then nobody can say how many nodes there are. */
static bool names_only_configured(const struct cluster *cluster, const struct node_set *config)
{
    for (const struct member *m = cluster->members; m != NULL; m = m->next)
        if (member_is_reporting(cluster, m) && (!m->has_config || !node_set_is_subset(&m->membership, config)))
            return false;
    return true;
}

static bool all_configured_report(const struct cluster *cluster, const struct node_set *config)
{
    uint32_t reporting = 0;

    for (const struct member *m = cluster->members; m != NULL; m = m->next)
        reporting += member_is_reporting(cluster, m) && node_set_has(config, m->node_id);
    return reporting == config->count;
}

static size_t count_reporting(const struct cluster *cluster)
{
    size_t count = 0;

    for (const struct member *m = cluster->members; m != NULL; m = m->next)
        count += member_is_reporting(cluster, m);
    return count;
}

bool view_names_too_many(const struct cluster *cluster, const struct node_set *list, uint32_t max)
{
    struct node_set all = {NULL, 0};
    bool too_many = node_set_unite(&all, list) != Q_OK || all.count > max;

    for (const struct member *m = cluster->members; m != NULL && !too_many; m = m->next) {
        if (m->conn == 0)
            continue;
        too_many = node_set_unite(&all, &m->config) != Q_OK || node_set_unite(&all, &m->membership) != Q_OK ||
                   all.count > max;
    }
    node_set_fini(&all);
    return too_many;
}

enum view_state view_build(const struct cluster *cluster, bool forced, struct view_storage *storage)
{
    size_t reporting = count_reporting(cluster);
    bool unstable;

    memset(storage, 0, sizeof(*storage));
    storage->view.config = &storage->config;
    if (reporting == 0)
        return VIEW_EMPTY;
    storage->partitions = calloc(reporting, sizeof(*storage->partitions));
    if (storage->partitions == NULL)
        return VIEW_NO_MEMORY;
    storage->view.algorithm = cluster->algorithm;
    storage->view.tie_breaker = cluster->tie_breaker;
    storage->view.keep_active_partition = true;
    storage->view.partitions = storage->partitions;
    if (gather_config(storage, cluster) != Q_OK)
        return VIEW_NO_MEMORY;
    for (const struct member *m = cluster->members; m != NULL; m = m->next)
        if (member_is_reporting(cluster, m) && add_report(storage, cluster, m) != Q_OK)
            return VIEW_NO_MEMORY;
    find_overlap(storage);
    unstable = storage->why[0] != '\0' && !MUTATION(stable_view);
    if (unstable && !forced)
        return VIEW_UNSTABLE;
    if (MUTATION(stable_view))
        storage->view.majority_only = false;
    storage->view.recovering = is_recovering(cluster);
    storage->knows_all = names_only_configured(cluster, &storage->config);
    storage->complete = storage->knows_all && all_configured_report(cluster, &storage->config);
    if (cluster->algorithm == WIRE_ALGORITHM_FFSPLIT)
        keep_configured(storage);
    return VIEW_STABLE;
}

void view_fini(struct view_storage *storage)
{
    for (size_t i = 0; i < storage->view.partition_count; i++)
        node_set_fini(&storage->partitions[i].members);
    free(storage->partitions);
    node_set_fini(&storage->config);
}
