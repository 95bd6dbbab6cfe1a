/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/wire_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/wire/tables.h"

/* Text under construction; `length` counts on beyond what fits. */
struct line {
    char *text;
    size_t size;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void line_add(struct line *line, const char *format, ...)
{
    size_t used = line->length < line->size ? line->length : line->size;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(used < line->size ? line->text + used : NULL, line->size - used, format, args);
    va_end(args);
    assert(length >= 0);
    line->length += (size_t)length;
}

static void line_add_bytes(struct line *line, struct wire_bytes bytes)
{
    line_add(line, "\"");
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t byte = bytes.data[i];
        bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';

        line_add(line, plain ? "%c" : "\\x%02x", byte);
    }
    line_add(line, "\"");
}

const char *wire_node_list_type_name(enum wire_node_list_type list_type)
{
    switch (list_type) {
    case WIRE_LIST_INITIAL_CONFIG:
        return "initial-config";
    case WIRE_LIST_CHANGED_CONFIG:
        return "changed-config";
    case WIRE_LIST_MEMBERSHIP:
        return "membership";
    case WIRE_LIST_QUORUM:
        return "quorum";
    }
    return "unknown";
}

const char *wire_node_state_name(enum wire_node_state state)
{
    switch (state) {
    case WIRE_NODE_STATE_NOT_SET:
        return "not-set";
    case WIRE_NODE_STATE_MEMBER:
        return "member";
    case WIRE_NODE_STATE_DEAD:
        return "dead";
    case WIRE_NODE_STATE_LEAVING:
        return "leaving";
    }
    return "unknown";
}

static void add_ring_id(struct line *line, struct wire_ring_id ring_id)
{
    line_add(line, " ring=%" PRIu32 ".%" PRIu64, ring_id.node_id, ring_id.seq);
}

static void add_lease(struct line *line, struct wire_lease lease)
{
    line_add(line, " lease=%" PRIu32 "ms hold=%" PRIu32 "ms", lease.lease_ms, lease.hold_ms);
}

static void add_tie_breaker(struct line *line, struct wire_tie_breaker tie_breaker)
{
    switch (tie_breaker.mode) {
    case WIRE_TIE_BREAKER_LOWEST:
        line_add(line, " tie_breaker=lowest");
        break;
    case WIRE_TIE_BREAKER_HIGHEST:
        line_add(line, " tie_breaker=highest");
        break;
    case WIRE_TIE_BREAKER_NODE_ID:
        line_add(line, " tie_breaker=%" PRIu32, tie_breaker.node_id);
        break;
    }
}

/* Arrays of u16 by their number of entries; a view without data but with a size means all we know. */
static void add_array(struct line *line, const char *name, struct wire_bytes array, unsigned known_count)
{
    size_t count = array.data == NULL && array.size > 0 ? known_count : array.size / 2;

    line_add(line, " %s=%zu", name, count);
}

static void add_nodes(struct line *line, const struct wire_node_list *list)
{
    line_add(line, " nodes=");
    for (uint32_t i = 0; i < list->node_count; i++) {
        const struct wire_node_info *node = &list->nodes[i];

        line_add(line, "%s%" PRIu32, i == 0 ? "" : ",", node->node_id);
        if (node->data_center_id != 0) {
            line_add(line, "/dc%" PRIu32, node->data_center_id);
        }
        if (node->state != WIRE_NODE_STATE_NOT_SET) {
            line_add(line, ":%s", wire_node_state_name(node->state));
        }
    }
}

static void add_init_field(struct line *line, const struct wire_init *init, uint32_t slot)
{
    switch (slot) {
    case WIRE_TLV_SUPPORTED_MESSAGES:
        add_array(line, "messages", init->supported_messages, WIRE_TYPE_COUNT);
        break;
    case WIRE_TLV_SUPPORTED_OPTIONS:
        add_array(line, "options", init->supported_options, WIRE_TLV_COUNT);
        break;
    case WIRE_TLV_NODE_ID:
        line_add(line, " node=%" PRIu32, init->node_id);
        break;
    case WIRE_TLV_DECISION_ALGORITHM:
        line_add(line, " algorithm=%s", wire_algorithm_name(init->algorithm));
        break;
    case WIRE_TLV_HEARTBEAT_INTERVAL:
        line_add(line, " heartbeat=%" PRIu32 "ms", init->heartbeat_ms);
        break;
    case WIRE_TLV_TIE_BREAKER:
        add_tie_breaker(line, init->tie_breaker);
        break;
    case WIRE_TLV_RING_ID:
        add_ring_id(line, init->ring_id);
        break;
    case WIRE_SLOT_LEASE:
        add_lease(line, init->lease);
        break;
    case WIRE_SLOT_INSTANCE:
        line_add(line, " instance=%016" PRIx64, init->instance);
        break;
    }
}

static void add_init_reply_field(struct line *line, const struct wire_init_reply *reply, uint32_t slot)
{
    switch (slot) {
    case WIRE_TLV_REPLY_ERROR_CODE:
        line_add(line, " error=%u", (unsigned)reply->error);
        break;
    case WIRE_TLV_SUPPORTED_MESSAGES:
        add_array(line, "messages", reply->supported_messages, WIRE_TYPE_COUNT);
        break;
    case WIRE_TLV_SUPPORTED_OPTIONS:
        add_array(line, "options", reply->supported_options, WIRE_TLV_COUNT);
        break;
    case WIRE_TLV_SERVER_MAXIMUM_REQUEST_SIZE:
        line_add(line, " request_max=%" PRIu32, reply->maximum_request_size);
        break;
    case WIRE_TLV_SERVER_MAXIMUM_REPLY_SIZE:
        line_add(line, " reply_max=%" PRIu32, reply->maximum_reply_size);
        break;
    case WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS:
        add_array(line, "algorithms", reply->supported_algorithms, WIRE_ALGORITHM_COUNT);
        break;
    case WIRE_SLOT_LEASE:
        add_lease(line, reply->lease);
        break;
    }
}

static void add_node_list_field(struct line *line, const struct wire_node_list *list, uint32_t slot)
{
    switch (slot) {
    case WIRE_TLV_NODE_LIST_TYPE:
        line_add(line, " type=%s", wire_node_list_type_name(list->list_type));
        break;
    case WIRE_TLV_RING_ID:
        add_ring_id(line, list->ring_id);
        break;
    case WIRE_TLV_CONFIG_VERSION:
        line_add(line, " config_version=%" PRIu64, list->config_version);
        break;
    case WIRE_TLV_QUORATE:
        line_add(line, " quorate=%s", list->quorate ? "yes" : "no");
        break;
    case WIRE_TLV_HEURISTICS:
        line_add(line, " heuristics=%s", wire_heuristics_name(list->heuristics));
        break;
    }
}

static void add_vote_field(struct line *line, const struct wire_vote_message *vote, uint32_t slot)
{
    switch (slot) {
    case WIRE_TLV_VOTE:
        line_add(line, " vote=%s", wire_vote_name(vote->vote));
        break;
    case WIRE_TLV_RING_ID:
        add_ring_id(line, vote->ring_id);
        break;
    case WIRE_TLV_NODE_LIST_TYPE:
        line_add(line, " type=%s", wire_node_list_type_name(vote->list_type));
        break;
    case WIRE_TLV_HEURISTICS:
        line_add(line, " heuristics=%s", wire_heuristics_name(vote->heuristics));
        break;
    case WIRE_SLOT_REASON:
        line_add(line, " reason=");
        line_add_bytes(line, vote->reason);
        break;
    }
}

static const char *tls_name(enum wire_tls_supported tls)
{
    switch (tls) {
    case WIRE_TLS_UNSUPPORTED:
        return "unsupported";
    case WIRE_TLS_SUPPORTED:
        return "supported";
    case WIRE_TLS_REQUIRED:
        return "required";
    }
    return "unknown";
}

/* The order table admits for each type only slots that its branch knows. */
static void add_field(struct line *line, const struct wire_message *message, uint32_t slot)
{
    if (slot == WIRE_TLV_MSG_SEQ_NUMBER) {
        line_add(line, " seq=%" PRIu32, message->seq);
        return;
    }
    switch (message->type) {
    case WIRE_PREINIT:
        line_add(line, " cluster=");
        line_add_bytes(line, message->u.preinit.cluster_name);
        break;
    case WIRE_PREINIT_REPLY:
        if (slot == WIRE_TLV_TLS_SUPPORTED) {
            line_add(line, " tls=%s", tls_name(message->u.preinit_reply.tls_supported));
        } else {
            line_add(line, " client_cert=%u", message->u.preinit_reply.tls_client_cert_required);
        }
        break;
    case WIRE_INIT:
        add_init_field(line, &message->u.init, slot);
        break;
    case WIRE_INIT_REPLY:
        add_init_reply_field(line, &message->u.init_reply, slot);
        break;
    case WIRE_SERVER_ERROR:
        line_add(line, " error=%" PRIu32, message->u.server_error.error);
        break;
    case WIRE_SET_OPTION:
    case WIRE_SET_OPTION_REPLY:
        if (slot == WIRE_TLV_HEARTBEAT_INTERVAL) {
            line_add(line, " heartbeat=%" PRIu32 "ms", message->u.set_option.heartbeat_ms);
        } else {
            line_add(line, " keep_active_partition=%s",
                     message->u.set_option.keep_active_partition ? "on" : "off");
        }
        break;
    case WIRE_NODE_LIST:
        add_node_list_field(line, &message->u.node_list, slot);
        break;
    case WIRE_NODE_LIST_REPLY:
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_VOTE_INFO:
    case WIRE_HEURISTICS_CHANGE_REPLY:
        add_vote_field(line, &message->u.vote, slot);
        break;
    case WIRE_HEURISTICS_CHANGE:
        line_add(line, " heuristics=%s", wire_heuristics_name(message->u.heuristics_change.heuristics));
        break;
    case WIRE_STARTTLS:
    case WIRE_ECHO_REQUEST:
    case WIRE_ECHO_REPLY:
    case WIRE_ASK_FOR_VOTE:
    case WIRE_VOTE_INFO_REPLY:
        break;
    }
}

size_t wire_text(char *text, size_t size, const struct wire_message *message)
{
    struct line line = {text, size, 0};

    assert(size > 0);
    line_add(&line, "%s", wire_type_name(message->type));
    if (!wire_type_is_known(message->type)) {
        return line.length;
    }
    for (const uint8_t *slot = wire_tlv_order[message->type]; *slot != WIRE_SLOT_COUNT; slot++) {
        if (*slot == WIRE_TLV_NODE_INFO) {
            add_nodes(&line, &message->u.node_list);
        } else if (wire_is_written(message, *slot)) {
            add_field(&line, message, *slot);
        }
    }
    return line.length;
}

size_t wire_text_bytes(char *text, size_t size, struct wire_bytes bytes)
{
    struct line line = {text, size, 0};

    assert(size > 0);
    line_add_bytes(&line, bytes);
    return line.length;
}
