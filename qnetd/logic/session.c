/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection's protocol: what is allowed in which state, TLS policy, identity, deadlines. (The table is in
 * arbiter.h; spec/qnet-protocol.md sections 5.3, 6, 9, 10; defects P3, P4, P9, P10, P12.)
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cert_names.h"
#include "qnetd/logic/lease.h"
#include "qnetd/logic/machine.h"

static uint32_t slot_of(uint64_t conn)
{
    return (uint32_t)conn;
}

struct session *session_find(const struct arbiter *a, uint64_t conn)
{
    struct session *session = slot_of(conn) < a->session_capacity ? a->sessions[slot_of(conn)] : NULL;

    return session != NULL && session->conn == conn ? session : NULL;
}

/* ---- deadlines ---- */

/*
 * Silence after which a peer counts as gone. A device that states its bounds does not cast its vote any more by the end of
 * them: waiting longer would only keep the others waiting.
 */
static uint64_t silence_limit_ms(const struct arbiter *a, const struct member *member)
{
    uint64_t limit = (uint64_t)member->heartbeat_ms * a->settings.dpd_coefficient_permille / 1000;
    uint64_t bound = lease_bound_ms(member, &a->settings);
    bool bound_tells = a->settings.strict && member->has_lease && bound > member->heartbeat_ms;

    return bound_tells && bound < limit ? bound : limit;
}

static uint64_t deadline_of(const struct arbiter *a, const struct session *session)
{
    const struct member *member = session->member;
    uint64_t at = ARBITER_NEVER;
    uint64_t confirmation;

    if (session->state != SESSION_READY)
        return session->connected_ms + a->settings.init_timeout_ms;
    if (a->settings.dpd_enabled)
        at = member->heard_ms + silence_limit_ms(a, member);
    confirmation = delivery_confirmation_deadline_ms(member);
    return confirmation < at ? confirmation : at;
}

/*
 * A message heard moves the true deadline away, but the entry in the heap is only brought earlier here; when it comes
 * up before its time it is set anew. So a message costs nothing here, however many clients there are.
 */
void session_schedule(struct arbiter *a, struct session *session)
{
    uint64_t at = deadline_of(a, session);

    if (session->deadline.index == 0 || at < session->deadline.at_ms)
        deadline_set(&a->deadlines, &session->deadline, at);
}

void session_on_deadline(struct arbiter *a, struct session *session)
{
    uint64_t at = deadline_of(a, session);

    if (at > a->now_ms) {
        deadline_set(&a->deadlines, &session->deadline, at);
        return;
    }
    deadline_clear(&a->deadlines, &session->deadline);
    if (session->state != SESSION_READY)
        emit_close(a, session, "no INIT within %u ms", a->settings.init_timeout_ms);
    else if (delivery_confirmation_deadline_ms(session->member) <= a->now_ms)
        emit_close(a, session, "NACK not confirmed within %u ms", session->member->heartbeat_ms);
    else
        emit_close(a, session, "silent for %llu ms", (unsigned long long)(a->now_ms - session->member->heard_ms));
}

/* ---- begin and end ---- */

static enum q_err make_slot(struct arbiter *a, uint32_t slot)
{
    size_t capacity = a->session_capacity > 0 ? a->session_capacity : 64;
    struct session **sessions;

    while (capacity <= slot)
        capacity *= 2;
    if (capacity == a->session_capacity)
        return Q_OK;
    sessions = realloc(a->sessions, capacity * sizeof(struct session *));
    if (sessions == NULL)
        return Q_ERR_NO_MEMORY;
    memset(sessions + a->session_capacity, 0, (capacity - a->session_capacity) * sizeof(struct session *));
    a->sessions = sessions;
    a->session_capacity = capacity;
    return Q_OK;
}

static void join_uninitialised(struct arbiter *a, struct session *session)
{
    session->older = a->youngest_uninitialised;
    if (session->older != NULL)
        session->older->younger = session;
    else
        a->oldest_uninitialised = session;
    a->youngest_uninitialised = session;
}

void session_leave_uninitialised(struct arbiter *a, struct session *session)
{
    if (session->older != NULL)
        session->older->younger = session->younger;
    else
        a->oldest_uninitialised = session->younger;
    if (session->younger != NULL)
        session->younger->older = session->older;
    else
        a->youngest_uninitialised = session->older;
    session->older = NULL;
    session->younger = NULL;
}

enum q_err session_open(struct arbiter *a, const struct arbiter_event *event)
{
    uint64_t conn = event->conn;
    struct session *session;

    if (make_slot(a, slot_of(conn)) != Q_OK ||
        deadline_heap_reserve(&a->deadlines, a->client_count + a->cluster_total + 1u) != Q_OK)
        return Q_ERR_NO_MEMORY;
    assert(a->sessions[slot_of(conn)] == NULL); /* the shell ends a connection before it gives its slot away */
    session = calloc(1, sizeof(*session));
    if (session == NULL)
        return Q_ERR_NO_MEMORY;
    session->conn = conn;
    session->state = SESSION_CONNECTED;
    snprintf(session->peer, sizeof(session->peer), "%s", event->u.connected.peer);
    session->origin = event->u.connected.origin;
    session->connected_ms = a->now_ms;
    deadline_init(&session->deadline, DEADLINE_SESSION);
    a->sessions[slot_of(conn)] = session;
    a->client_count++;
    join_uninitialised(a, session);
    session_schedule(a, session);
    /* Whoever has waited longest without INIT gives way, so that strangers cannot keep members out. */
    if (a->settings.clients_max != 0 && a->client_count > a->settings.clients_max)
        emit_close(a, a->oldest_uninitialised, "more than %u clients (-m)", a->settings.clients_max);
    return Q_OK;
}

static void leave_cluster(struct arbiter *a, struct session *session, enum arbiter_disconnect how)
{
    struct cluster *cluster = session->cluster;

    emit_cluster_note(a, ARBITER_NOTE_INFO, cluster, session->member->node_id, "disconnected%s",
                      how == ARBITER_GONE_CLOSE_NOTIFY ? " with a goodbye" : "");
    session->cluster = NULL;
    delivery_on_departure(a, cluster, session->member, how);
    session->member = NULL;
    delivery_evaluate(a, cluster);
    clusters_collect(a, cluster);
}

void session_end(struct arbiter *a, struct session *session, enum arbiter_disconnect how)
{
    deadline_clear(&a->deadlines, &session->deadline);
    a->sessions[slot_of(session->conn)] = NULL;
    a->client_count--;
    if (session->state == SESSION_READY)
        leave_cluster(a, session, how);
    else
        session_leave_uninitialised(a, session);
    free(session->name);
    free(session);
}

void session_replace(struct arbiter *a, struct session *session)
{
    if (session->doomed)
        return;
    emit_close(a, session, "node %u has connected anew", session->member->node_id);
    a->doomed = session->next_doomed; /* ended here, not with the step: the new connection needs its place */
    session_end(a, session, ARBITER_GONE_SEND_FAILED);
}

/* ---- messages ---- */

static void on_preinit(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    struct wire_bytes name = message->u.preinit.cluster_name;
    struct wire_message *reply = &a->reply;

    if (session->state != SESSION_CONNECTED) {
        emit_error(a, session, WIRE_ERROR_UNEXPECTED_MESSAGE, message);
        return;
    }
    if (!wire_has_required(message)) {
        emit_error(a, session, WIRE_ERROR_MISSING_OPTION, message);
        return;
    }
    if (name.size > CLUSTER_NAME_SIZE_MAX) {
        emit_close(a, session, "a cluster's name of %zu bytes (%u allowed)", name.size, CLUSTER_NAME_SIZE_MAX);
        return;
    }
    session->name = malloc(name.size > 0 ? name.size : 1);
    if (session->name == NULL) {
        emit_close(a, session, "out of memory");
        return;
    }
    if (name.size > 0)
        memcpy(session->name, name.data, name.size);
    session->name_size = name.size;
    session->state = SESSION_PREINITED;
    reply->type = WIRE_PREINIT_REPLY;
    reply->present = (message->present & WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER)) | WIRE_HAS(WIRE_TLV_TLS_SUPPORTED) |
                     WIRE_HAS(WIRE_TLV_TLS_CLIENT_CERT_REQUIRED);
    reply->seq = message->seq;
    reply->u.preinit_reply.tls_supported = a->settings.tls;
    reply->u.preinit_reply.tls_client_cert_required = a->settings.client_cert_required;
    emit_message(a, session, reply);
}

static void on_starttls(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    if (session->state == SESSION_CONNECTED) {
        emit_error(a, session, WIRE_ERROR_PREINIT_REQUIRED, message);
        return;
    }
    if (session->state == SESSION_READY || session->secured) {
        emit_error(a, session, WIRE_ERROR_UNEXPECTED_MESSAGE, message);
        return;
    }
    if (a->settings.tls == WIRE_TLS_UNSUPPORTED) {
        emit_close(a, session, "STARTTLS, but TLS is off (-s off)");
        return;
    }
    session->state = SESSION_SECURING;
    emit_start_tls(a, session);
}

static void compare_certificate(struct session *session, const char *const *names, size_t count)
{
    enum cert_names_match match = cert_names_match(names, count, session->name, session->name_size);

    session->cert_verified = match != CERT_NAMES_OTHER;
    session->cert_exact = match == CERT_NAMES_EXACT;
}

void session_on_tls(struct arbiter *a, struct session *session, const struct arbiter_event *event)
{
    const char *const *names = event->u.tls.names;
    size_t count = event->u.tls.name_count;

    if (session->state != SESSION_SECURING)
        return;
    session->state = SESSION_PREINITED;
    session->secured = true;
    if (!a->settings.client_cert_required)
        return;
    compare_certificate(session, names, count);
    if (session->cert_verified) {
        session->identity = event->u.tls.cluster;
        return;
    }
    emit_close(a, session, "the client's certificate is for \"%s\", the client says it belongs to another cluster",
               count > 0 ? names[0] : "nobody");
}

static void dispatch_ready(struct arbiter *a, struct session *session, const struct arbiter_event *event)
{
    const struct wire_message *message = event->u.message.message;

    switch (message->type) {
    case WIRE_ECHO_REQUEST:
        emit_echo(a, session, event->u.message.raw);
        return;
    case WIRE_SET_OPTION:
        report_on_set_option(a, session, message);
        return;
    case WIRE_NODE_LIST:
        report_on_node_list(a, session, message);
        return;
    case WIRE_ASK_FOR_VOTE:
        report_on_ask(a, session, message);
        return;
    case WIRE_VOTE_INFO_REPLY:
        delivery_on_confirmation(a, session, message->seq);
        return;
    case WIRE_HEURISTICS_CHANGE:
        report_on_heuristics(a, session, message);
        return;
    case WIRE_PREINIT:
    case WIRE_PREINIT_REPLY:
    case WIRE_STARTTLS:
    case WIRE_INIT:
    case WIRE_INIT_REPLY:
    case WIRE_SERVER_ERROR:
    case WIRE_SET_OPTION_REPLY:
    case WIRE_ECHO_REPLY:
    case WIRE_NODE_LIST_REPLY:
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_VOTE_INFO:
    case WIRE_HEURISTICS_CHANGE_REPLY:
        return; /* answered before */
    }
}

/* Between STARTTLS and the end of the handshake nothing may come in plain text: it could be anybody's. */
static bool is_plain_text_behind_starttls(struct arbiter *a, struct session *session)
{
    if (session->state != SESSION_SECURING)
        return false;
    emit_close(a, session, "a message in plain text behind STARTTLS");
    return true;
}

void session_on_message(struct arbiter *a, struct session *session, const struct arbiter_event *event)
{
    const struct wire_message *message = event->u.message.message;

    if (is_plain_text_behind_starttls(a, session))
        return;
    if (session->member != NULL)
        session->member->heard_ms = a->now_ms;
    if (wire_type_is_server_only(message->type))
        emit_error(a, session, WIRE_ERROR_UNEXPECTED_MESSAGE, message);
    else if (message->type == WIRE_PREINIT)
        on_preinit(a, session, message);
    else if (message->type == WIRE_STARTTLS)
        on_starttls(a, session, message);
    else if (a->settings.tls == WIRE_TLS_REQUIRED && !session->secured)
        emit_error(a, session, WIRE_ERROR_TLS_REQUIRED, message);
    else if (message->type == WIRE_INIT)
        init_on_message(a, session, message);
    else if (session->state != SESSION_READY)
        emit_error(a, session, WIRE_ERROR_INIT_REQUIRED, message);
    else if (!wire_has_required(message))
        emit_error(a, session, WIRE_ERROR_MISSING_OPTION, message);
    else
        dispatch_ready(a, session, event);
}

void session_on_undecodable(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    if (is_plain_text_behind_starttls(a, session))
        return;
    if (session->member != NULL)
        session->member->heard_ms = a->now_ms;
    emit_error(a, session, WIRE_ERROR_DECODING, message);
}

void session_on_skipped(struct arbiter *a, struct session *session, enum wire_error error)
{
    if (is_plain_text_behind_starttls(a, session))
        return;
    emit_error(a, session, error, NULL);
}
