/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/logic/arbiter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "qnetd/logic/lease.h"
#include "qnetd/logic/machine.h"

void arbiter_settings_default(struct arbiter_settings *settings)
{
    *settings = (struct arbiter_settings){
        .tls = WIRE_TLS_REQUIRED,
        .client_cert_required = true,
        .maximum_request_size = WIRE_SIZE_DEFAULT,
        .maximum_reply_size = WIRE_SIZE_DEFAULT,
        .heartbeat_ms_min = 1000,
        .heartbeat_ms_max = 120000,
        .dpd_enabled = true,
        .dpd_coefficient_permille = 1500,
        .keep_active_partition = false,
        .strict = true,
        .lease_margin_ms = 1000,
        .init_timeout_ms = 60000,
        .clients_max = 0,
        .nodes_per_cluster_max = 128,
    };
}

struct arbiter *arbiter_new(const struct arbiter_settings *settings, uint64_t now_ms)
{
    struct arbiter *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return NULL;
    a->settings = *settings;
    a->start_ms = now_ms;
    a->now_ms = now_ms;
    a->next_cluster_id = 1;
    deadline_heap_init(&a->deadlines);
    return a;
}

void arbiter_free(struct arbiter *arbiter)
{
    if (arbiter == NULL)
        return;
    clusters_free_all(arbiter); /* the heap it takes them out of still names the sessions */
    for (size_t i = 0; i < arbiter->session_capacity; i++) {
        if (arbiter->sessions[i] == NULL)
            continue;
        free(arbiter->sessions[i]->name);
        free(arbiter->sessions[i]);
    }
    free(arbiter->sessions);
    deadline_heap_fini(&arbiter->deadlines);
    free(arbiter);
}

/* ---- knowledge from before a restart ---- */

static enum q_err restore_holder(struct arbiter *a, struct cluster *cluster, const struct grant_holder *holder)
{
    struct member *member = cluster_add_member(cluster, holder->node_id);

    if (member == NULL)
        return Q_ERR_NO_MEMORY;
    cluster->ghost_count += member->grant != GRANT_GHOST;
    member->grant = GRANT_GHOST;
    member->restored = true;
    member->ghost_until_ms = a->now_ms + holder->lease_ms;
    member->ghost_lease_ms = holder->lease_ms;
    member->recorded_lease_ms = holder->lease_ms;
    return Q_OK;
}

static enum q_err restore_cluster(struct arbiter *a, struct cluster *cluster, const struct grant_record *record)
{
    uint64_t first_end = ARBITER_NEVER;
    enum q_err err = Q_OK;

    cluster->identity = record->identity;
    cluster->recorded_identity = record->identity;
    if (node_set_copy(&cluster->granted, &record->active) != Q_OK ||
        node_set_copy(&cluster->granted_config, &record->config) != Q_OK ||
        node_set_copy(&cluster->recorded_active, &record->active) != Q_OK ||
        node_set_copy(&cluster->recorded_config, &record->config) != Q_OK)
        return Q_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < record->holder_count && err == Q_OK; i++) {
        uint64_t end = a->now_ms + record->holders[i].lease_ms;

        err = restore_holder(a, cluster, &record->holders[i]);
        first_end = err == Q_OK && end < first_end ? end : first_end;
    }
    cluster->recorded = err == Q_OK;
    deadline_set(&a->deadlines, &cluster->deadline, first_end);
    return err;
}

/* A record that cannot be taken in is as good as lost: what is known is not the whole truth any more. */
static void restore(struct arbiter *a, const struct grant_record *record)
{
    struct cluster *cluster = clusters_find(a, record->name);

    if (!a->settings.strict)
        return;
    if (cluster == NULL)
        cluster = clusters_add(a, record->name);
    if (cluster == NULL || restore_cluster(a, cluster, record) != Q_OK) {
        a->out_of_memory = true;
        a->restore_failed = true;
    }
    if (cluster != NULL)
        clusters_collect(a, cluster);
}

/* ---- the step ---- */

static void on_time(struct arbiter *a)
{
    struct deadline *first = deadline_heap_first(&a->deadlines);

    /* Without memory a decision may be put off without its deadline having moved: leave the loop, the shell stops. */
    while (first != NULL && first->at_ms <= a->now_ms && !a->out_of_memory) {
        switch ((enum deadline_kind)first->kind) {
        case DEADLINE_SESSION:
            session_on_deadline(a, (struct session *)((char *)first - offsetof(struct session, deadline)));
            break;
        case DEADLINE_CLUSTER:
            delivery_on_deadline(a, (struct cluster *)((char *)first - offsetof(struct cluster, deadline)));
            break;
        }
        first = deadline_heap_first(&a->deadlines);
    }
}

static void on_connected(struct arbiter *a, const struct arbiter_event *event)
{
    assert(event->conn != 0 && session_find(a, event->conn) == NULL);
    if (session_open(a, event) != Q_OK) {
        a->out_of_memory = true;
        emit_drop(a, event->conn);
    }
}

static void on_persisted(struct arbiter *a, const struct arbiter_event *event)
{
    struct cluster *cluster = clusters_find_id(a, event->u.persisted.cluster_id);

    if (cluster != NULL)
        delivery_on_persisted(a, cluster, event->u.persisted.generation, event->u.persisted.result);
}

static void on_session_event(struct arbiter *a, const struct arbiter_event *event)
{
    struct session *session = session_find(a, event->conn);

    if (session == NULL)
        return;
    switch (event->type) {
    case ARBITER_EV_MESSAGE:
        session_on_message(a, session, event);
        return;
    case ARBITER_EV_UNDECODABLE:
        session_on_undecodable(a, session, event->u.message.message);
        return;
    case ARBITER_EV_SKIPPED:
        session_on_skipped(a, session, event->u.skipped.error);
        return;
    case ARBITER_EV_TLS_ESTABLISHED:
        session_on_tls(a, session, event);
        return;
    case ARBITER_EV_DISCONNECTED:
        session_end(a, session, event->u.disconnected.how);
        return;
    case ARBITER_EV_RESTORE:
    case ARBITER_EV_RESTORED:
    case ARBITER_EV_CONNECTED:
    case ARBITER_EV_PERSISTED:
    case ARBITER_EV_TIME:
        return;
    }
}

static void dispatch(struct arbiter *a, const struct arbiter_event *event)
{
    switch (event->type) {
    case ARBITER_EV_RESTORE:
        restore(a, event->u.record);
        return;
    case ARBITER_EV_RESTORED:
        a->restored_complete = event->u.restored.complete && !a->restore_failed;
        return;
    case ARBITER_EV_CONNECTED:
        on_connected(a, event);
        return;
    case ARBITER_EV_PERSISTED:
        on_persisted(a, event);
        return;
    case ARBITER_EV_TIME:
        on_time(a);
        return;
    case ARBITER_EV_MESSAGE:
    case ARBITER_EV_UNDECODABLE:
    case ARBITER_EV_SKIPPED:
    case ARBITER_EV_TLS_ESTABLISHED:
    case ARBITER_EV_DISCONNECTED:
        on_session_event(a, event);
        return;
    }
}

enum q_err arbiter_step(struct arbiter *arbiter, const struct arbiter_event *event, struct arbiter_actions *out)
{
    struct arbiter *a = arbiter;

    assert(event->now_ms >= a->now_ms);
    a->now_ms = event->now_ms;
    a->out = out;
    a->out_of_memory = false;
    dispatch(a, event);
    /* Ending one session re-decides its cluster, which may doom another one. */
    while (a->doomed != NULL) {
        struct session *session = a->doomed;

        a->doomed = session->next_doomed;
        session_end(a, session, ARBITER_GONE_SEND_FAILED);
    }
    delivery_finish_step(a);
    a->out = NULL;
    return a->out_of_memory || out->data.failed ? Q_ERR_NO_MEMORY : Q_OK;
}

uint64_t arbiter_deadline_ms(const struct arbiter *arbiter)
{
    const struct deadline *first = deadline_heap_first(&arbiter->deadlines);

    return first != NULL ? first->at_ms : ARBITER_NEVER;
}

/* ---- status ---- */

const struct arbiter_settings *arbiter_settings(const struct arbiter *arbiter)
{
    return &arbiter->settings;
}

uint32_t arbiter_client_count(const struct arbiter *arbiter)
{
    return arbiter->client_count;
}

uint32_t arbiter_cluster_count(const struct arbiter *arbiter)
{
    uint32_t count = 0;

    for (const struct cluster *c = arbiter->first_cluster; c != NULL; c = c->next)
        count += c->connected_count > 0;
    return count;
}

uint64_t arbiter_cautious_until_ms(const struct arbiter *arbiter, const struct cluster *cluster)
{
    return delivery_is_cautious(arbiter, cluster) ? delivery_caution_end_ms(arbiter, cluster) : 0;
}

uint64_t arbiter_quarantine_end_ms(const struct arbiter *arbiter)
{
    uint64_t end_ms = 0;

    for (const struct cluster *c = arbiter->first_cluster; c != NULL; c = c->next) {
        uint64_t cautious_until_ms = arbiter_cautious_until_ms(arbiter, c);

        if (cautious_until_ms > end_ms)
            end_ms = cautious_until_ms;
    }
    return end_ms;
}

const struct cluster *arbiter_first_cluster(const struct arbiter *arbiter)
{
    return arbiter->first_cluster;
}

const struct cluster *arbiter_next_cluster(const struct cluster *cluster)
{
    return cluster->next;
}

const struct cluster *arbiter_find_cluster(const struct arbiter *arbiter, struct wire_bytes name)
{
    return clusters_find(arbiter, name);
}

bool arbiter_is_member(const struct arbiter *arbiter, uint64_t conn)
{
    const struct session *session = session_find(arbiter, conn);

    return session != NULL && session->state == SESSION_READY;
}

uint64_t arbiter_oldest_uninitialised(const struct arbiter *arbiter)
{
    return arbiter->oldest_uninitialised != NULL ? arbiter->oldest_uninitialised->conn : 0;
}

/* ---- invariants ---- */

static void check_member(const struct arbiter *a, const struct cluster *cluster, const struct member *member)
{
    assert(member->next == NULL || member->next->node_id > member->node_id);
    assert(member->conn != 0 || member->grant == GRANT_GHOST);
    if (member->conn != 0) {
        const struct session *session = session_find(a, member->conn);

        assert(session != NULL && session->member == member && session->cluster == cluster);
    }
    assert(!member->has_membership || node_set_has(&member->membership, member->node_id));
    /* Whoever was told ACK is a holder. */
    assert(cluster->algorithm == WIRE_ALGORITHM_TEST || member->conn == 0 || member->verdict != WIRE_VOTE_ACK ||
           member->grant == GRANT_HELD);
}

/* SAFE-F and SAFE-L: where the last grant excludes all others, nobody outside it holds a vote. */
static void check_exclusive(const struct arbiter *a, const struct cluster *cluster, const struct member *member)
{
    bool assumed = !a->restored_complete; /* after a start without records, holders are assumed, not known */

    if (!cluster->granted_exclusive || assumed || !a->settings.strict)
        return;
    assert(member->grant == GRANT_NONE || node_set_has(&cluster->granted, member->node_id));
}

void arbiter_check(const struct arbiter *arbiter)
{
    uint32_t clusters = 0;

    for (const struct cluster *c = arbiter->first_cluster; c != NULL; c = c->next) {
        uint32_t connected = 0;
        uint32_t ghosts = 0;

        clusters++;
        for (const struct member *m = c->members; m != NULL; m = m->next) {
            check_member(arbiter, c, m);
            check_exclusive(arbiter, c, m);
            connected += m->conn != 0;
            ghosts += m->grant == GRANT_GHOST;
        }
        assert(connected == c->connected_count && ghosts == c->ghost_count);
        assert(connected + ghosts > 0);
    }
    assert(clusters == arbiter->cluster_total);
}
