/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * INIT: a connection becomes a member of a cluster. Everything is checked against a message, nothing is stored before
 * all checks have passed (defect P2); the order of the checks and their error codes, in which two later faults outrank
 * earlier ones, is the packaged arbiter's. (spec/qnet-protocol.md section 7.)
 */
#include <stdio.h>
#include <string.h>

#include "qnetd/logic/lease.h"
#include "qnetd/logic/machine.h"

static enum wire_error check_message(const struct arbiter *a, const struct session *session,
                                     const struct wire_message *message)
{
    const struct wire_init *init = &message->u.init;
    enum wire_error error = session->state == SESSION_CONNECTED ? WIRE_ERROR_PREINIT_REQUIRED : WIRE_ERROR_NONE;

    if (error == WIRE_ERROR_NONE && (!wire_has(message, WIRE_TLV_NODE_ID) || !wire_has(message, WIRE_TLV_RING_ID)))
        error = WIRE_ERROR_MISSING_OPTION;
    if (error == WIRE_ERROR_NONE && !wire_has(message, WIRE_TLV_HEARTBEAT_INTERVAL))
        error = WIRE_ERROR_MISSING_OPTION;
    else if (init->heartbeat_ms < a->settings.heartbeat_ms_min || init->heartbeat_ms > a->settings.heartbeat_ms_max)
        error = WIRE_ERROR_INVALID_HEARTBEAT_INTERVAL;
    if (error == WIRE_ERROR_NONE && !wire_has(message, WIRE_TLV_TIE_BREAKER))
        error = WIRE_ERROR_MISSING_OPTION;
    if (error == WIRE_ERROR_NONE && !wire_has(message, WIRE_TLV_DECISION_ALGORITHM))
        error = WIRE_ERROR_MISSING_OPTION;
    else if (init->algorithm >= WIRE_ALGORITHM_COUNT)
        error = WIRE_ERROR_UNSUPPORTED_ALGORITHM;
    return error;
}

/* All connected members agree on tie-breaker and algorithm: the first one speaks for them; ids are compared in order. */
static enum wire_error check_cluster(const struct cluster *cluster, const struct wire_init *init)
{
    for (const struct member *m = cluster->members; m != NULL; m = m->next) {
        if (m->conn == 0)
            continue;
        if (!wire_tie_breaker_equal(cluster->tie_breaker, init->tie_breaker))
            return WIRE_ERROR_TIE_BREAKER_DIFFERS;
        if (cluster->algorithm != (enum wire_algorithm)init->algorithm)
            return WIRE_ERROR_ALGORITHM_DIFFERS;
        if (m->node_id == init->node_id)
            return WIRE_ERROR_DUPLICATE_NODE_ID;
    }
    return WIRE_ERROR_NONE;
}

static void note_refusal(struct arbiter *a, struct session *session, const struct wire_init *init,
                         enum wire_error error)
{
    emit_session_note(a, ARBITER_NOTE_WARNING, session, "INIT of node %u from %s refused: %s", init->node_id,
                      session->peer, wire_error_text(error));
}

static void reply(struct arbiter *a, struct session *session, const struct wire_message *request,
                  enum wire_error error)
{
    static const uint32_t always = WIRE_HAS(WIRE_TLV_REPLY_ERROR_CODE) | WIRE_HAS(WIRE_TLV_SERVER_MAXIMUM_REQUEST_SIZE) |
                                   WIRE_HAS(WIRE_TLV_SERVER_MAXIMUM_REPLY_SIZE) |
                                   WIRE_HAS(WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS);
    static const uint32_t if_asked = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_SUPPORTED_MESSAGES) |
                                     WIRE_HAS(WIRE_TLV_SUPPORTED_OPTIONS) | WIRE_HAS_LEASE;
    static const struct wire_bytes all_we_know = {NULL, 1};
    struct wire_message *out = &a->reply;

    out->type = WIRE_INIT_REPLY;
    out->present = always | (request->present & if_asked);
    out->seq = request->seq;
    out->u.init_reply.error = error;
    out->u.init_reply.maximum_request_size = a->settings.maximum_request_size;
    out->u.init_reply.maximum_reply_size = a->settings.maximum_reply_size;
    out->u.init_reply.lease = lease_honoured(request->u.init.lease, &a->settings);
    out->u.init_reply.supported_messages = all_we_know;
    out->u.init_reply.supported_options = all_we_know;
    out->u.init_reply.supported_algorithms = all_we_know;
    emit_message(a, session, out);
}

static void fill_member(struct arbiter *a, struct session *session, struct member *member,
                        const struct wire_message *message)
{
    const struct wire_init *init = &message->u.init;

    member_reset_reports(member);
    member->conn = session->conn;
    memcpy(member->peer, session->peer, sizeof(member->peer));
    member->tls_active = session->secured;
    member->tls_cert_verified = session->cert_verified;
    member->heartbeat_ms = init->heartbeat_ms;
    member->heartbeat_ms_longest = init->heartbeat_ms;
    member->has_lease = (message->present & WIRE_HAS_LEASE) != 0;
    member->lease = lease_honoured(init->lease, &a->settings);
    member->has_instance = (message->present & WIRE_HAS_INSTANCE) != 0;
    member->instance = init->instance;
    member->heard_ms = a->now_ms;
    member->joined_ms = a->now_ms;
    member->keep_active_partition = a->settings.keep_active_partition;
    member->ring = init->ring_id;
}

/*
 * Two clusters of one name, told apart by the identities in their certificates, are not served at the same time: a name is bound to the
 * first identity that joins, for as long as anybody of it is connected or may hold a vote. Their nodes are never counted together,
 * and no verdict of one is made from reports of the other. Who has no identity takes part in either, as ever.
 */
static bool is_taken(const struct session *session, const struct cluster *cluster)
{
    return cluster != NULL && cluster_identity_conflict(&cluster->identity, &session->identity);
}

/* Packaged devices give up on errors they do not know; after this one they come again, when the name may be free. */
static enum wire_error error_to_tell(const struct wire_message *message, enum wire_error error)
{
    bool ours = (message->present & WIRE_HAS_INSTANCE) != 0;

    return error == WIRE_ERROR_NAME_TAKEN && !ours ? WIRE_ERROR_DUPLICATE_NODE_ID : error;
}

static void note_taken(struct arbiter *a, struct session *session, const struct cluster *cluster)
{
    char served[CLUSTER_IDENTITY_TEXT_SIZE], shown[CLUSTER_IDENTITY_TEXT_SIZE];

    cluster_identity_text(&cluster->identity, served);
    cluster_identity_text(&session->identity, shown);
    emit_session_note(a, ARBITER_NOTE_WARNING, session,
                      "cluster \"%s\" is being served with the identity %.8s, the client's certificate has %.8s: these are two "
                      "clusters of one name. Rename one (totem.cluster_name) and let its nodes join anew. If they are one cluster: "
                      "corosync-qnetd-certutil --invite NAME --identity %.8s here, --join --replace on that node",
                      cluster->label, served, shown, served);
}

/* A device of ours that has connected anew: its old connection is dead, whatever TCP thinks. */
static void replace_former_connection(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    struct cluster *cluster = clusters_find(a, (struct wire_bytes){session->name, session->name_size});
    struct member *member = cluster != NULL ? cluster_find_member(cluster, message->u.init.node_id) : NULL;
    bool same = member != NULL && member->conn != 0 && member->has_instance &&
                (message->present & WIRE_HAS_INSTANCE) != 0 && member->instance == message->u.init.instance;

    if (same)
        session_replace(a, session_find(a, member->conn));
}

/* Ghosts count too: otherwise one member could make as many as it likes. A node that is known has its place. */
static bool is_full(const struct arbiter *a, struct cluster *cluster, uint32_t node_id)
{
    uint32_t count = 0;

    for (const struct member *m = cluster->members; m != NULL; m = m->next)
        count++;
    return count >= a->settings.nodes_per_cluster_max && cluster_find_member(cluster, node_id) == NULL;
}

/*
 * A certificate names a cluster without regard to case. Who spells the name as its certificate does is at home in it. Others
 * must not get into the cluster of such a one, nor open a cluster for every way to spell theirs.
 */
static bool is_elsewhere_at_home(const struct arbiter *a, const struct session *session, const struct cluster *cluster)
{
    struct wire_bytes name = {session->name, session->name_size};

    if (!session->cert_verified || session->cert_exact)
        return false;
    return cluster != NULL ? cluster->cert_exact : clusters_find_any_case(a, name) != NULL;
}

/* NULL without memory, or if there are too many already from there: then the session is to be closed. */
static struct cluster *open_cluster(struct arbiter *a, struct session *session)
{
    uint32_t *count = &a->unverified_clusters[session->origin % ORIGIN_BUCKETS];
    struct cluster *cluster;

    if (!session->cert_verified && *count >= UNVERIFIED_CLUSTERS_MAX) {
        emit_close(a, session, "%u clusters without certificates from its address already. Use TLS with client "
                               "certificates (-s req)",
                   *count);
        return NULL;
    }
    cluster = clusters_add(a, (struct wire_bytes){session->name, session->name_size});
    if (cluster != NULL && !session->cert_verified) {
        cluster->origin_count = count;
        ++*count;
    }
    return cluster;
}

static enum wire_error join(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    const struct wire_init *init = &message->u.init;
    struct wire_bytes name = {session->name, session->name_size};
    struct cluster *cluster;
    enum wire_error error;
    struct member *member;

    cluster = clusters_find(a, name);
    if (is_elsewhere_at_home(a, session, cluster)) {
        emit_close(a, session, "the client's certificate spells the cluster's name in another way, and there is a "
                               "cluster of that other name: give both the same name");
        return WIRE_ERROR_INTERNAL;
    }
    if (is_taken(session, cluster)) {
        note_taken(a, session, cluster);
        return WIRE_ERROR_NAME_TAKEN;
    }
    replace_former_connection(a, session, message);
    cluster = clusters_find(a, name);
    error = cluster != NULL ? check_cluster(cluster, init) : WIRE_ERROR_NONE;
    if (error != WIRE_ERROR_NONE)
        return error;
    if (cluster == NULL)
        cluster = open_cluster(a, session);
    if (cluster == NULL)
        return WIRE_ERROR_INTERNAL;
    if (is_full(a, cluster, init->node_id)) {
        emit_close(a, session, "cluster \"%s\" has %u nodes already (max_nodes_per_cluster)", cluster->label,
                   a->settings.nodes_per_cluster_max);
        return WIRE_ERROR_INTERNAL;
    }
    member = cluster_add_member(cluster, init->node_id);
    if (member == NULL) {
        clusters_collect(a, cluster);
        return WIRE_ERROR_INTERNAL;
    }
    if (cluster->connected_count == 0) {
        cluster->algorithm = (enum wire_algorithm)init->algorithm;
        cluster->tie_breaker = init->tie_breaker;
    }
    cluster->connected_count++;
    if (!cluster_identity_is_set(&cluster->identity))
        cluster->identity = session->identity;
    cluster->cert_exact = cluster->cert_exact || session->cert_exact;
    fill_member(a, session, member, message);
    session_leave_uninitialised(a, session);
    session->state = SESSION_READY;
    session->cluster = cluster;
    session->member = member;
    return WIRE_ERROR_NONE;
}

void init_on_message(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    enum wire_error error = WIRE_ERROR_DUPLICATE_NODE_ID;

    if (session->state != SESSION_READY)
        error = check_message(a, session, message);
    if (error == WIRE_ERROR_NONE)
        error = join(a, session, message);
    if (session->doomed)
        return;
    reply(a, session, message, error_to_tell(message, error));
    if (error == WIRE_ERROR_NAME_TAKEN) /* said already, and why */
        return;
    if (error != WIRE_ERROR_NONE) {
        note_refusal(a, session, &message->u.init, error);
        return;
    }
    session_schedule(a, session);
    emit_cluster_note(a, ARBITER_NOTE_INFO, session->cluster, session->member->node_id,
                      "connected from %s%s, %s, heartbeat %u ms", session->peer,
                      session->cert_verified ? " with a verified certificate"
                      : session->secured     ? " over TLS"
                                             : " in plain text",
                      wire_algorithm_name(message->u.init.algorithm), message->u.init.heartbeat_ms);
}
