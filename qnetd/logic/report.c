/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a READY client tells and asks: node lists, heuristics, votes, options. Each report is checked, committed, and
 * only then is the cluster decided anew, so that no decision mixes old and new data (defects U2, U11). The vote in a
 * reply never says more than has been decided: changes travel as VOTE_INFO. (spec/qnet-protocol.md section 8,
 * arbitration.md sections 3 to 6, 11.1, 11.8.)
 */
#include <stdlib.h>
#include <string.h>

#include "qnetd/logic/machine.h"

static bool has_current_verdict(const struct member *member)
{
    return member->verdict != WIRE_VOTE_UNDEFINED && !member->awaits_vote &&
           wire_ring_id_equal(member->verdict_ring, member->ring);
}

/* ---- replies ---- */

/* Why this member has the vote, has it not, or has it not yet. */
static const char *reason_for(const struct cluster *cluster, const struct member *member)
{
    bool undecided = cluster->phase == CLUSTER_UNSTABLE && !has_current_verdict(member);
    bool waits = undecided || delivery_is_due(cluster, member);

    return waits && cluster->waiting_for[0] != '\0' ? cluster->waiting_for : cluster->verdict.reason;
}

static void reply_vote(struct arbiter *a, struct session *session, enum wire_type type,
                       const struct wire_message *request, enum wire_vote vote)
{
    const struct cluster *cluster = session->cluster;
    struct member *member = session->member;
    struct wire_message *reply = &a->reply;
    const char *reason = reason_for(cluster, member);

    reply->type = type;
    reply->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_VOTE) | WIRE_HAS(WIRE_TLV_RING_ID);
    reply->seq = request->seq;
    reply->u.vote.vote = vote;
    reply->u.vote.ring_id = member->ring;
    if (type == WIRE_NODE_LIST_REPLY) {
        reply->present |= WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE);
        reply->u.vote.list_type = request->u.node_list.list_type;
    }
    if (type == WIRE_HEURISTICS_CHANGE_REPLY) {
        reply->present |= WIRE_HAS(WIRE_TLV_HEURISTICS);
        reply->u.vote.heuristics = request->u.heuristics_change.heuristics;
    }
    if (member->has_lease && reason[0] != '\0') {
        reply->present |= WIRE_HAS_REASON;
        reply->u.vote.reason = (struct wire_bytes){(const uint8_t *)reason, strlen(reason)};
    }
    member->last_vote = vote;
    emit_message(a, session, reply);
}

/* ffsplit: the client acts on VOTE_INFO alone; it only has to be told to wait while none was sent for its ring. */
static enum wire_vote vote_or_wait(const struct member *member)
{
    return has_current_verdict(member) ? WIRE_VOTE_NO_CHANGE : WIRE_VOTE_WAIT_FOR_REPLY;
}

static enum wire_vote membership_vote(const struct cluster *cluster, const struct member *member)
{
    if (cluster->algorithm == WIRE_ALGORITHM_TEST)
        return WIRE_VOTE_ACK;
    if (!member_is_reporting(cluster, member))
        return WIRE_VOTE_ASK_LATER;
    if (cluster->algorithm == WIRE_ALGORITHM_FFSPLIT || !has_current_verdict(member))
        return vote_or_wait(member);
    return member->verdict;
}

static enum wire_vote config_vote(const struct cluster *cluster, const struct member *member)
{
    if (cluster->algorithm != WIRE_ALGORITHM_FFSPLIT)
        return WIRE_VOTE_NO_CHANGE;
    return member_is_reporting(cluster, member) ? vote_or_wait(member) : WIRE_VOTE_ASK_LATER;
}

/* Quorum lists change nothing; the packaged lms answers them with the vote it would give. */
static enum wire_vote quorum_vote(const struct cluster *cluster, const struct member *member)
{
    if (cluster->algorithm != WIRE_ALGORITHM_LMS)
        return WIRE_VOTE_NO_CHANGE;
    return membership_vote(cluster, member);
}

static enum wire_vote asked_vote(const struct cluster *cluster, const struct member *member)
{
    if (cluster->algorithm == WIRE_ALGORITHM_2NODELMS && !has_current_verdict(member))
        return WIRE_VOTE_ASK_LATER;
    return membership_vote(cluster, member);
}

/* ---- committing ---- */

/* WIRE_ERROR_NONE, or why the list cannot be accepted. */
static enum wire_error check_list(const struct arbiter *a, const struct session *session,
                                  const struct wire_node_list *list, enum wire_error error)
{
    bool own = false;

    if (list->node_count > a->settings.nodes_per_cluster_max)
        return error;
    if (session->cluster->algorithm != WIRE_ALGORITHM_FFSPLIT)
        return WIRE_ERROR_NONE;
    for (uint32_t i = 0; i < list->node_count; i++)
        own = own || list->nodes[i].node_id == session->member->node_id;
    return own ? WIRE_ERROR_NONE : error;
}

/* While a cluster exchanges its nodes, old and new lists are about at the same time. */
static bool names_too_many(const struct arbiter *a, const struct cluster *cluster, const struct node_set *list)
{
    return view_names_too_many(cluster, list, 2 * a->settings.nodes_per_cluster_max);
}

static bool names_two_nodes(const struct wire_node_list *list)
{
    return list->node_count == 2 && list->nodes[0].node_id != list->nodes[1].node_id;
}

static enum q_err list_to_set(const struct wire_node_list *list, struct node_set *set)
{
    uint32_t *ids = malloc((list->node_count > 0 ? list->node_count : 1) * sizeof(*ids));
    enum q_err err;

    if (ids == NULL)
        return Q_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < list->node_count; i++)
        ids[i] = list->nodes[i].node_id;
    err = node_set_assign(set, ids, list->node_count);
    free(ids);
    return err;
}

/*
 * The first report after INIT. A ghost of this node has come back: from here on a confirmed NACK ends its grant, no
 * longer time alone. After a start without records a node that comes for the first time may still hold a vote of an
 * earlier arbiter's.
 */
static void on_reporting(struct arbiter *a, struct cluster *cluster, struct member *member)
{
    if (member->grant == GRANT_GHOST) {
        member->grant = GRANT_HELD;
        member->restored = false;
        cluster->ghost_count--;
    }
    if (member->grant == GRANT_NONE && delivery_is_cautious_about(a, cluster, member))
        member->grant = GRANT_HELD;
}

static void commit(struct arbiter *a, struct session *session, bool was_reporting)
{
    if (!member_is_reporting(session->cluster, session->member))
        return;
    if (!was_reporting)
        on_reporting(a, session->cluster, session->member);
    delivery_evaluate(a, session->cluster);
}

static void on_config(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    const struct wire_node_list *list = &message->u.node_list;
    struct member *member = session->member;
    bool was_reporting = member_is_reporting(session->cluster, member);
    enum wire_error error = check_list(a, session, list, WIRE_ERROR_INVALID_CONFIG_LIST);
    struct wire_node_info *nodes;
    struct node_set config = {NULL, 0};

    if (session->cluster->algorithm == WIRE_ALGORITHM_2NODELMS && !names_two_nodes(list))
        error = WIRE_ERROR_UNSUPPORTED_ALGORITHM;
    if (error != WIRE_ERROR_NONE) {
        emit_error(a, session, error, message);
        return;
    }
    nodes = malloc((list->node_count > 0 ? list->node_count : 1) * sizeof(*nodes));
    if (nodes == NULL || list_to_set(list, &config) != Q_OK) {
        free(nodes);
        emit_close(a, session, "out of memory");
        return;
    }
    if (names_too_many(a, session->cluster, &config)) {
        free(nodes);
        node_set_fini(&config);
        emit_error(a, session, WIRE_ERROR_INVALID_CONFIG_LIST, message);
        return;
    }
    memcpy(nodes, list->nodes, list->node_count * sizeof(*nodes));
    free(member->config_nodes);
    member->config_nodes = nodes;
    if (!member->has_config || !node_set_equal(&member->config, &config))
        delivery_on_new_lists(a, session->cluster);
    node_set_move(&member->config, &config);
    member->config_node_count = list->node_count;
    member->has_config = true;
    member->has_config_version = wire_has(message, WIRE_TLV_CONFIG_VERSION);
    member->config_version = list->config_version;
    commit(a, session, was_reporting);
    reply_vote(a, session, WIRE_NODE_LIST_REPLY, message, config_vote(session->cluster, member));
}

static void on_membership(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    const struct wire_node_list *list = &message->u.node_list;
    struct member *member = session->member;
    bool was_reporting = member_is_reporting(session->cluster, member);
    enum wire_error error = check_list(a, session, list, WIRE_ERROR_INVALID_MEMBERSHIP_LIST);
    struct node_set membership = {NULL, 0};

    if (error != WIRE_ERROR_NONE) {
        emit_error(a, session, error, message);
        return;
    }
    if (list_to_set(list, &membership) != Q_OK || node_set_add(&membership, member->node_id) != Q_OK) {
        node_set_fini(&membership);
        emit_close(a, session, "out of memory");
        return;
    }
    if (names_too_many(a, session->cluster, &membership)) {
        node_set_fini(&membership);
        emit_error(a, session, WIRE_ERROR_INVALID_MEMBERSHIP_LIST, message);
        return;
    }
    if (!wire_ring_id_equal(member->ring, list->ring_id) || !node_set_equal(&member->membership, &membership))
        delivery_on_new_lists(a, session->cluster);
    node_set_move(&member->membership, &membership);
    member->has_membership = true;
    member->ring = list->ring_id;
    member->heuristics = list->heuristics;
    member->heuristics_membership = list->heuristics;
    member->awaits_vote = true;
    member->relapsed = false;
    member->lingers = false; /* it will be told again, for its new ring */
    /* A confirmation still under way is about the former ring: the client confirms and ignores such a vote. */
    member->vote_unconfirmed = false;
    if (session->cluster->algorithm == WIRE_ALGORITHM_TEST) {
        member->verdict = WIRE_VOTE_ACK;
        member->verdict_ring = member->ring;
        member->awaits_vote = false;
    }
    commit(a, session, was_reporting);
    reply_vote(a, session, WIRE_NODE_LIST_REPLY, message, membership_vote(session->cluster, member));
}

static void on_quorum(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    struct member *member = session->member;
    bool told_nack = has_current_verdict(member) && member->verdict == WIRE_VOTE_NACK && !member->vote_unconfirmed;

    member->has_quorum = true;
    member->quorate = message->u.node_list.quorate;
    if (!member->quorate)
        delivery_on_inquorate(a, session);
    else if (told_nack && !member->lingers)
        delivery_on_relapse(a, session);
    reply_vote(a, session, WIRE_NODE_LIST_REPLY, message, quorum_vote(session->cluster, member));
}

void report_on_node_list(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    switch (message->u.node_list.list_type) {
    case WIRE_LIST_INITIAL_CONFIG:
    case WIRE_LIST_CHANGED_CONFIG:
        on_config(a, session, message);
        return;
    case WIRE_LIST_MEMBERSHIP:
        on_membership(a, session, message);
        return;
    case WIRE_LIST_QUORUM:
        on_quorum(a, session, message);
        return;
    }
}

void report_on_heuristics(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    struct member *member = session->member;
    enum wire_vote vote = WIRE_VOTE_NO_CHANGE;

    member->heuristics = message->u.heuristics_change.heuristics;
    member->heuristics_regular = member->heuristics;
    commit(a, session, true);
    if (session->cluster->algorithm == WIRE_ALGORITHM_FFSPLIT && !member_is_reporting(session->cluster, member))
        vote = WIRE_VOTE_ASK_LATER;
    reply_vote(a, session, WIRE_HEURISTICS_CHANGE_REPLY, message, vote);
}

void report_on_ask(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    if (session->cluster->algorithm == WIRE_ALGORITHM_FFSPLIT) {
        emit_error(a, session, WIRE_ERROR_UNSUPPORTED_BY_ALGORITHM, message);
        return;
    }
    reply_vote(a, session, WIRE_ASK_FOR_VOTE_REPLY, message, asked_vote(session->cluster, session->member));
}

/* A longer interval makes the vote last longer than what is on record about it. */
static void set_heartbeat(struct arbiter *a, struct session *session, uint32_t heartbeat_ms)
{
    struct member *member = session->member;
    bool longer = heartbeat_ms > member->heartbeat_ms_longest;

    member->heartbeat_ms = heartbeat_ms;
    if (longer)
        member->heartbeat_ms_longest = heartbeat_ms;
    session_schedule(a, session);
    if (longer && member->grant != GRANT_NONE)
        delivery_evaluate(a, session->cluster);
}

void report_on_set_option(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    const struct wire_set_option *option = &message->u.set_option;
    struct member *member = session->member;
    struct wire_message *reply = &a->reply;

    if (wire_has(message, WIRE_TLV_HEARTBEAT_INTERVAL)) {
        if (option->heartbeat_ms < a->settings.heartbeat_ms_min || option->heartbeat_ms > a->settings.heartbeat_ms_max) {
            emit_error(a, session, WIRE_ERROR_INVALID_HEARTBEAT_INTERVAL, message);
            return;
        }
        set_heartbeat(a, session, option->heartbeat_ms);
    }
    if (wire_has(message, WIRE_TLV_KEEP_ACTIVE_PARTITION))
        member->keep_active_partition = option->keep_active_partition;
    reply->type = WIRE_SET_OPTION_REPLY;
    reply->seq = message->seq;
    reply->present = message->present & (WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) |
                                         WIRE_HAS(WIRE_TLV_KEEP_ACTIVE_PARTITION));
    reply->u.set_option.heartbeat_ms = member->heartbeat_ms;
    reply->u.set_option.keep_active_partition = member->keep_active_partition;
    emit_message(a, session, reply);
}
