/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registry of clusters, and the list of members in each. Lookup by name is a balanced tree of libc; order of
 * iteration is order of appearance (clusters) and node id (members), never memory order.
 */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qnetd/logic/machine.h"

static uint8_t fold(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

static int compare_names_any_case(const void *a, const void *b)
{
    const struct wire_bytes *x = &((const struct cluster *)a)->name;
    const struct wire_bytes *y = &((const struct cluster *)b)->name;

    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    for (size_t i = 0; i < x->size; i++)
        if (fold(x->data[i]) != fold(y->data[i]))
            return fold(x->data[i]) < fold(y->data[i]) ? -1 : 1;
    return 0;
}

/* Names that differ in case only lie side by side. */
static int compare_names(const void *a, const void *b)
{
    const struct wire_bytes *x = &((const struct cluster *)a)->name;
    const struct wire_bytes *y = &((const struct cluster *)b)->name;
    int order = compare_names_any_case(a, b);

    return order != 0 || x->size == 0 ? order : memcmp(x->data, y->data, x->size);
}

static int compare_identifiers(const void *a, const void *b)
{
    uint64_t x = ((const struct cluster *)a)->id;
    uint64_t y = ((const struct cluster *)b)->id;

    return (x > y) - (x < y);
}

struct cluster *clusters_find(const struct arbiter *a, struct wire_bytes name)
{
    struct cluster key = {.name = name};
    struct cluster **found = tfind(&key, (void *const *)&a->clusters_by_name, compare_names);

    return found != NULL ? *found : NULL;
}

struct cluster *clusters_find_any_case(const struct arbiter *a, struct wire_bytes name)
{
    struct cluster key = {.name = name};
    struct cluster **found = tfind(&key, (void *const *)&a->clusters_by_name, compare_names_any_case);

    return found != NULL ? *found : NULL;
}

struct cluster *clusters_find_id(const struct arbiter *a, uint64_t id)
{
    struct cluster key = {.id = id};
    struct cluster **found = tfind(&key, (void *const *)&a->clusters_by_id, compare_identifiers);

    return found != NULL ? *found : NULL;
}

/* Printable ASCII as it is, anything else as \xHH; cut off with "..." . */
static void make_label(struct cluster *cluster)
{
    size_t used = 0;

    for (size_t i = 0; i < cluster->name.size; i++) {
        uint8_t byte = cluster->name.data[i];
        bool plain = byte >= 0x20 && byte < 0x7f && byte != '\\' && byte != '"';

        if (used + sizeof("\\x00...") > sizeof(cluster->label)) {
            memcpy(cluster->label + used, "...", sizeof("..."));
            return;
        }
        if (plain)
            cluster->label[used++] = (char)byte;
        else
            used += (size_t)snprintf(cluster->label + used, sizeof("\\x00"), "\\x%02x", byte);
    }
    cluster->label[used] = '\0';
}

static void cluster_free(struct cluster *cluster)
{
    if (cluster->origin_count != NULL)
        --*cluster->origin_count;
    while (cluster->members != NULL)
        cluster_remove_member(cluster, cluster->members);
    node_set_fini(&cluster->winner);
    node_set_fini(&cluster->config);
    node_set_fini(&cluster->granted_config);
    node_set_fini(&cluster->accounted);
    node_set_fini(&cluster->recorded_config);
    node_set_fini(&cluster->granted);
    node_set_fini(&cluster->recorded_active);
    free((void *)cluster->name.data);
    free(cluster);
}

static struct cluster *cluster_new(struct arbiter *a, struct wire_bytes name)
{
    struct cluster *cluster = calloc(1, sizeof(*cluster));
    uint8_t *copy = malloc(name.size > 0 ? name.size : 1);

    if (cluster == NULL || copy == NULL) {
        free(cluster);
        free(copy);
        return NULL;
    }
    if (name.size > 0)
        memcpy(copy, name.data, name.size);
    cluster->name = (struct wire_bytes){copy, name.size};
    cluster->id = a->next_cluster_id++;
    cluster->phase = CLUSTER_EMPTY;
    cluster->verdict.winner = VERDICT_NOBODY;
    cluster->unstable_until_ms = ARBITER_NEVER;
    cluster->waiting_until_ms = ARBITER_NEVER;
    cluster->persist_retry_ms = ARBITER_NEVER;
    deadline_init(&cluster->deadline, DEADLINE_CLUSTER);
    make_label(cluster);
    return cluster;
}

struct cluster *clusters_add(struct arbiter *a, struct wire_bytes name)
{
    struct cluster *cluster;

    if (deadline_heap_reserve(&a->deadlines, a->client_count + a->cluster_total + 1u) != Q_OK)
        return NULL;
    cluster = cluster_new(a, name);
    if (cluster == NULL)
        return NULL;
    if (tsearch(cluster, &a->clusters_by_name, compare_names) == NULL) {
        cluster_free(cluster);
        return NULL;
    }
    if (tsearch(cluster, &a->clusters_by_id, compare_identifiers) == NULL) {
        tdelete(cluster, &a->clusters_by_name, compare_names);
        cluster_free(cluster);
        return NULL;
    }
    cluster->previous = a->last_cluster;
    if (a->last_cluster != NULL)
        a->last_cluster->next = cluster;
    else
        a->first_cluster = cluster;
    a->last_cluster = cluster;
    a->cluster_total++;
    return cluster;
}

static void unlink_cluster(struct arbiter *a, struct cluster *cluster)
{
    if (cluster->previous != NULL)
        cluster->previous->next = cluster->next;
    else
        a->first_cluster = cluster->next;
    if (cluster->next != NULL)
        cluster->next->previous = cluster->previous;
    else
        a->last_cluster = cluster->previous;
    for (struct cluster **due = &a->persist_first; cluster->persist_due && *due != NULL; due = &(*due)->next_persist)
        if (*due == cluster) {
            *due = cluster->next_persist;
            break;
        }
    tdelete(cluster, &a->clusters_by_name, compare_names);
    tdelete(cluster, &a->clusters_by_id, compare_identifiers);
    deadline_clear(&a->deadlines, &cluster->deadline);
    a->cluster_total--;
}

void clusters_collect(struct arbiter *a, struct cluster *cluster)
{
    if (cluster->connected_count > 0 || cluster->ghost_count > 0)
        return;
    if (cluster->recorded || cluster->persist_generation > 0) /* one may still be on its way to the disk */
        emit_forget(a, cluster);
    unlink_cluster(a, cluster);
    cluster_free(cluster);
}

void clusters_free_all(struct arbiter *a)
{
    while (a->first_cluster != NULL) {
        struct cluster *cluster = a->first_cluster;

        unlink_cluster(a, cluster);
        cluster_free(cluster);
    }
}

struct member *cluster_find_member(const struct cluster *cluster, uint32_t node_id)
{
    struct member *member = cluster->members;

    while (member != NULL && member->node_id < node_id)
        member = member->next;
    return member != NULL && member->node_id == node_id ? member : NULL;
}

struct member *cluster_add_member(struct cluster *cluster, uint32_t node_id)
{
    struct member **place = &cluster->members;
    struct member *member;

    while (*place != NULL && (*place)->node_id < node_id)
        place = &(*place)->next;
    if (*place != NULL && (*place)->node_id == node_id)
        return *place;
    member = calloc(1, sizeof(*member));
    if (member == NULL)
        return NULL;
    member->node_id = node_id;
    member->next = *place;
    *place = member;
    return member;
}

void cluster_remove_member(struct cluster *cluster, struct member *member)
{
    struct member **place = &cluster->members;

    while (*place != member)
        place = &(*place)->next;
    *place = member->next;
    node_set_fini(&member->config);
    node_set_fini(&member->membership);
    free(member->config_nodes);
    free(member);
}

void member_reset_reports(struct member *member)
{
    node_set_fini(&member->config);
    node_set_fini(&member->membership);
    free(member->config_nodes);
    member->config_nodes = NULL;
    member->config_node_count = 0;
    member->has_config = false;
    member->has_config_version = false;
    member->has_membership = false;
    member->has_quorum = false;
    member->quorate = false;
    member->heuristics = WIRE_HEURISTICS_UNDEFINED;
    member->heuristics_membership = WIRE_HEURISTICS_UNDEFINED;
    member->heuristics_regular = WIRE_HEURISTICS_UNDEFINED;
    member->vote_seq = 0;
    member->vote_unconfirmed = false;
    member->lingers = false;
    member->verdict = WIRE_VOTE_UNDEFINED;
    member->awaits_vote = false;
    member->last_vote = WIRE_VOTE_UNDEFINED;
}

bool member_is_reporting(const struct cluster *cluster, const struct member *member)
{
    bool needs_config = cluster->algorithm == WIRE_ALGORITHM_FFSPLIT;

    return member->conn != 0 && member->has_membership && (member->has_config || !needs_config);
}
