/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qnetd/logic/machine.h"

void arbiter_actions_init(struct arbiter_actions *actions)
{
    actions->items = NULL;
    actions->count = 0;
    actions->capacity = 0;
    q_buf_init(&actions->data);
}

void arbiter_actions_fini(struct arbiter_actions *actions)
{
    free(actions->items);
    q_buf_fini(&actions->data);
    arbiter_actions_init(actions);
}

void arbiter_actions_reset(struct arbiter_actions *actions)
{
    actions->count = 0;
    q_buf_reset(&actions->data);
}

const uint8_t *arbiter_actions_bytes(const struct arbiter_actions *actions, struct arbiter_span span)
{
    return span.size > 0 ? q_buf_bytes(&actions->data) + span.offset : NULL;
}

const char *arbiter_actions_text(const struct arbiter_actions *actions, struct arbiter_span span)
{
    return span.size > 0 ? (const char *)q_buf_bytes(&actions->data) + span.offset : "";
}

/* A new zeroed action; NULL without memory (remembered for the end of the step). */
static struct arbiter_action *add_action(struct arbiter *a, enum arbiter_action_type type)
{
    struct arbiter_actions *out = a->out;
    struct arbiter_action *action;

    if (out->count == out->capacity) {
        size_t capacity = out->capacity > 0 ? 2 * out->capacity : 32;
        struct arbiter_action *items = realloc(out->items, capacity * sizeof(*items));

        if (items == NULL) {
            a->out_of_memory = true;
            return NULL;
        }
        out->items = items;
        out->capacity = capacity;
    }
    action = &out->items[out->count++];
    memset(action, 0, sizeof(*action));
    action->type = type;
    return action;
}

/*
 * What was appended since `offset`; nothing of it if not all of it could be. The buffer can be used further: what comes
 * next may be smaller.
 */
static struct arbiter_span end_bytes(struct arbiter *a, size_t offset)
{
    struct q_buf *data = &a->out->data;

    if (data->failed) {
        data->size = offset;
        data->failed = false;
        a->out_of_memory = true;
    }
    return (struct arbiter_span){offset, data->size - offset};
}

static struct arbiter_span put_bytes(struct arbiter *a, const void *bytes, size_t size)
{
    size_t offset = a->out->data.size;

    q_buf_append(&a->out->data, bytes, size);
    return end_bytes(a, offset);
}

__attribute__((format(printf, 2, 0))) static struct arbiter_span
put_text(struct arbiter *a, const char *format, va_list arguments)
{
    char text[1024];
    struct arbiter_span span;

    vsnprintf(text, sizeof(text), format, arguments);
    span = put_bytes(a, text, strlen(text) + 1);
    span.size -= span.size > 0;
    return span;
}

/* A client that cannot be sent what the arbiter takes for sent must go. */
static void send_span(struct arbiter *a, struct session *session, struct arbiter_span span)
{
    struct arbiter_action *action = span.size > 0 ? add_action(a, ARBITER_ACT_SEND) : NULL;

    if (action == NULL) {
        emit_close(a, session, "out of memory");
        return;
    }
    action->conn = session->conn;
    action->data = span;
}

void emit_message(struct arbiter *a, struct session *session, const struct wire_message *message)
{
    size_t offset = a->out->data.size;
    struct arbiter_span span;

    if (session->doomed)
        return;
    wire_encode(&a->out->data, message);
    span = end_bytes(a, offset);
    if (span.size > a->settings.maximum_reply_size) {
        emit_close(a, session, "%s does not fit into max_client_send_size", wire_type_name(message->type));
        return;
    }
    send_span(a, session, span);
}

void emit_echo(struct arbiter *a, struct session *session, struct wire_bytes request)
{
    struct arbiter_span span;

    if (request.size > a->settings.maximum_reply_size) {
        emit_close(a, session, "ECHO_REPLY does not fit into max_client_send_size");
        return;
    }
    span = put_bytes(a, request.data, request.size);
    if (span.size > 0)
        q_buf_put_u16(&a->out->data, span.offset, WIRE_ECHO_REPLY);
    send_span(a, session, span);
}

void emit_error(struct arbiter *a, struct session *session, enum wire_error error, const struct wire_message *about)
{
    struct wire_message *reply = &a->reply;

    reply->type = WIRE_SERVER_ERROR;
    reply->present = WIRE_HAS(WIRE_TLV_REPLY_ERROR_CODE);
    if (about != NULL && (about->present & WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER)) != 0) {
        reply->present |= WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
        reply->seq = about->seq;
    }
    reply->u.server_error.error = error;
    emit_message(a, session, reply);
}

void emit_start_tls(struct arbiter *a, struct session *session)
{
    struct arbiter_action *action = add_action(a, ARBITER_ACT_START_TLS);

    if (action == NULL)
        emit_close(a, session, "out of memory");
    else
        action->conn = session->conn;
}

static void name_cluster(struct arbiter *a, struct arbiter_action *action, const struct cluster *cluster)
{
    if (action == NULL || cluster == NULL)
        return;
    action->cluster_id = cluster->id;
    action->name = put_bytes(a, cluster->name.data, cluster->name.size);
}

bool emit_persist(struct arbiter *a, const struct cluster *cluster, const struct grant_record *record)
{
    struct arbiter_action *action = add_action(a, ARBITER_ACT_PERSIST);
    size_t offset;

    if (action == NULL)
        return false;
    name_cluster(a, action, cluster);
    offset = a->out->data.size;
    grant_record_encode(&a->out->data, record);
    action->data = end_bytes(a, offset);
    action->generation = cluster->persist_generation;
    if (action->data.size > 0 && action->name.size == cluster->name.size)
        return true;
    a->out->count--; /* half a record, or one under another name, is worse than none */
    return false;
}

void emit_forget(struct arbiter *a, const struct cluster *cluster)
{
    name_cluster(a, add_action(a, ARBITER_ACT_FORGET), cluster);
}

__attribute__((format(printf, 7, 0))) static void
note(struct arbiter *a, enum arbiter_note_level level, enum arbiter_note_kind kind, const struct session *session,
     const struct cluster *cluster, uint32_t node_id, const char *format, va_list arguments)
{
    struct arbiter_action *action = add_action(a, ARBITER_ACT_NOTE);

    if (action == NULL)
        return;
    action->level = level;
    action->kind = kind;
    action->node_id = node_id;
    action->conn = session != NULL ? session->conn : 0;
    name_cluster(a, action, cluster);
    action->data = put_text(a, format, arguments);
}

void emit_session_note(struct arbiter *a, enum arbiter_note_level level, const struct session *session,
                       const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(a, level, ARBITER_NOTE_SESSION, session, session->cluster, session->member ? session->member->node_id : 0,
         format, arguments);
    va_end(arguments);
}

void emit_cluster_note(struct arbiter *a, enum arbiter_note_level level, const struct cluster *cluster,
                       uint32_t node_id, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(a, level, ARBITER_NOTE_CLUSTER, NULL, cluster, node_id, format, arguments);
    va_end(arguments);
}

void emit_decision(struct arbiter *a, const struct cluster *cluster, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(a, ARBITER_NOTE_NOTICE, ARBITER_NOTE_DECISION, NULL, cluster, 0, format, arguments);
    va_end(arguments);
}

void emit_drop(struct arbiter *a, uint64_t conn)
{
    struct arbiter_action *action = add_action(a, ARBITER_ACT_CLOSE);

    if (action == NULL)
        return;
    action->conn = conn;
    action->level = ARBITER_NOTE_ERROR;
    action->data = put_bytes(a, "out of memory", sizeof("out of memory"));
    action->data.size -= action->data.size > 0;
}

void emit_close(struct arbiter *a, struct session *session, const char *format, ...)
{
    struct arbiter_action *action;
    va_list arguments;

    if (session->doomed)
        return;
    session->doomed = true;
    session->next_doomed = a->doomed;
    a->doomed = session;
    action = add_action(a, ARBITER_ACT_CLOSE);
    if (action == NULL)
        return;
    action->conn = session->conn;
    action->level = ARBITER_NOTE_WARNING;
    action->node_id = session->member != NULL ? session->member->node_id : 0;
    name_cluster(a, action, session->cluster);
    va_start(arguments, format);
    action->data = put_text(a, format, arguments);
    va_end(arguments);
}
