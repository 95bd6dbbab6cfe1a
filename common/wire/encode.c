/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/wire/wire.h"

#include <assert.h>

#include "common/wire/tables.h"

/* Writes the header of a TLV whose value comes next; tlv_end puts its length in. */
static size_t tlv_begin(struct q_buf *buf, uint32_t slot)
{
    size_t offset = buf->size;

    q_buf_append_u16(buf, wire_slot_tlv[slot]);
    q_buf_append_u16(buf, 0);
    return offset;
}

static void tlv_end(struct q_buf *buf, uint32_t slot, size_t offset)
{
    size_t size;

    if (buf->failed) {
        return;
    }
    size = buf->size - offset - WIRE_TLV_HEADER_SIZE;
    /* What a receiver would refuse is a bug of ours, and an error 9 at the device would hide it. */
    assert(size <= UINT16_MAX);
    assert(wire_value_is_valid(slot, q_buf_bytes(buf) + offset + WIRE_TLV_HEADER_SIZE, size));
    q_buf_put_u16(buf, offset + 2, (uint16_t)size);
}

static void append_ring_id(struct q_buf *buf, struct wire_ring_id ring_id)
{
    q_buf_append_u32(buf, ring_id.node_id);
    q_buf_append_u64(buf, ring_id.seq);
}

static void append_lease(struct q_buf *buf, struct wire_lease lease)
{
    q_buf_append_u32(buf, lease.lease_ms);
    q_buf_append_u32(buf, lease.hold_ms);
}

static void append_tie_breaker(struct q_buf *buf, struct wire_tie_breaker tie_breaker)
{
    q_buf_append_u8(buf, (uint8_t)tie_breaker.mode);
    q_buf_append_u32(buf, tie_breaker.mode == WIRE_TIE_BREAKER_NODE_ID ? tie_breaker.node_id : 0);
}

/* An array of u16; a view without data but with a size stands for 0..known_count-1. */
static void append_array(struct q_buf *buf, struct wire_bytes array, uint16_t known_count)
{
    if (array.data != NULL || array.size == 0) {
        q_buf_append(buf, array.data, array.size);
        return;
    }
    for (uint16_t value = 0; value < known_count; value++) {
        q_buf_append_u16(buf, value);
    }
}

/* Too long a reason is cut before the character that would not fit whole. */
static void append_reason(struct q_buf *buf, struct wire_bytes reason)
{
    size_t size = reason.size;

    if (size > WIRE_REASON_SIZE_MAX) {
        size = WIRE_REASON_SIZE_MAX;
        while (size > 0 && (reason.data[size] & 0xc0) == 0x80) {
            size--;
        }
    }
    q_buf_append(buf, reason.data, size);
}

static void append_init(struct q_buf *buf, const struct wire_init *init, uint32_t slot)
{
    switch (slot) {
    case WIRE_TLV_SUPPORTED_MESSAGES:
        append_array(buf, init->supported_messages, WIRE_TYPE_COUNT);
        break;
    case WIRE_TLV_SUPPORTED_OPTIONS:
        append_array(buf, init->supported_options, WIRE_TLV_COUNT);
        break;
    case WIRE_TLV_NODE_ID:
        q_buf_append_u32(buf, init->node_id);
        break;
    case WIRE_TLV_DECISION_ALGORITHM:
        assert(init->algorithm <= UINT16_MAX);
        q_buf_append_u16(buf, (uint16_t)init->algorithm);
        break;
    case WIRE_TLV_HEARTBEAT_INTERVAL:
        q_buf_append_u32(buf, init->heartbeat_ms);
        break;
    case WIRE_TLV_TIE_BREAKER:
        append_tie_breaker(buf, init->tie_breaker);
        break;
    case WIRE_TLV_RING_ID:
        append_ring_id(buf, init->ring_id);
        break;
    case WIRE_SLOT_LEASE:
        append_lease(buf, init->lease);
        break;
    case WIRE_SLOT_INSTANCE:
        q_buf_append_u64(buf, init->instance);
        break;
    }
}

static void append_init_reply(struct q_buf *buf, const struct wire_init_reply *reply, uint32_t slot)
{
    switch (slot) {
    case WIRE_TLV_REPLY_ERROR_CODE:
        q_buf_append_u16(buf, (uint16_t)reply->error);
        break;
    case WIRE_TLV_SUPPORTED_MESSAGES:
        append_array(buf, reply->supported_messages, WIRE_TYPE_COUNT);
        break;
    case WIRE_TLV_SUPPORTED_OPTIONS:
        append_array(buf, reply->supported_options, WIRE_TLV_COUNT);
        break;
    case WIRE_TLV_SERVER_MAXIMUM_REQUEST_SIZE:
        q_buf_append_u32(buf, reply->maximum_request_size);
        break;
    case WIRE_TLV_SERVER_MAXIMUM_REPLY_SIZE:
        q_buf_append_u32(buf, reply->maximum_reply_size);
        break;
    case WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS:
        append_array(buf, reply->supported_algorithms, WIRE_ALGORITHM_COUNT);
        break;
    case WIRE_SLOT_LEASE:
        append_lease(buf, reply->lease);
        break;
    }
}

static void append_node_list(struct q_buf *buf, const struct wire_node_list *list, uint32_t slot)
{
    switch (slot) {
    case WIRE_TLV_NODE_LIST_TYPE:
        q_buf_append_u8(buf, (uint8_t)list->list_type);
        break;
    case WIRE_TLV_RING_ID:
        append_ring_id(buf, list->ring_id);
        break;
    case WIRE_TLV_CONFIG_VERSION:
        q_buf_append_u64(buf, list->config_version);
        break;
    case WIRE_TLV_QUORATE:
        q_buf_append_u8(buf, list->quorate);
        break;
    case WIRE_TLV_HEURISTICS:
        q_buf_append_u8(buf, (uint8_t)list->heuristics);
        break;
    }
}

static void append_vote(struct q_buf *buf, const struct wire_vote_message *vote, uint32_t slot)
{
    switch (slot) {
    case WIRE_TLV_VOTE:
        q_buf_append_u8(buf, (uint8_t)vote->vote);
        break;
    case WIRE_TLV_RING_ID:
        append_ring_id(buf, vote->ring_id);
        break;
    case WIRE_TLV_NODE_LIST_TYPE:
        q_buf_append_u8(buf, (uint8_t)vote->list_type);
        break;
    case WIRE_TLV_HEURISTICS:
        q_buf_append_u8(buf, (uint8_t)vote->heuristics);
        break;
    case WIRE_SLOT_REASON:
        append_reason(buf, vote->reason);
        break;
    }
}

/* The value of one TLV. The order table admits for each type only slots that its branch knows. */
static void append_value(struct q_buf *buf, const struct wire_message *message, uint32_t slot)
{
    if (slot == WIRE_TLV_MSG_SEQ_NUMBER) {
        q_buf_append_u32(buf, message->seq);
        return;
    }
    switch (message->type) {
    case WIRE_PREINIT:
        q_buf_append(buf, message->u.preinit.cluster_name.data, message->u.preinit.cluster_name.size);
        break;
    case WIRE_PREINIT_REPLY:
        q_buf_append_u8(buf, slot == WIRE_TLV_TLS_SUPPORTED
                                 ? (uint8_t)message->u.preinit_reply.tls_supported
                                 : message->u.preinit_reply.tls_client_cert_required);
        break;
    case WIRE_INIT:
        append_init(buf, &message->u.init, slot);
        break;
    case WIRE_INIT_REPLY:
        append_init_reply(buf, &message->u.init_reply, slot);
        break;
    case WIRE_SERVER_ERROR:
        assert(message->u.server_error.error <= UINT16_MAX);
        q_buf_append_u16(buf, (uint16_t)message->u.server_error.error);
        break;
    case WIRE_SET_OPTION:
    case WIRE_SET_OPTION_REPLY:
        if (slot == WIRE_TLV_HEARTBEAT_INTERVAL) {
            q_buf_append_u32(buf, message->u.set_option.heartbeat_ms);
        } else {
            q_buf_append_u8(buf, message->u.set_option.keep_active_partition);
        }
        break;
    case WIRE_NODE_LIST:
        append_node_list(buf, &message->u.node_list, slot);
        break;
    case WIRE_NODE_LIST_REPLY:
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_VOTE_INFO:
    case WIRE_HEURISTICS_CHANGE_REPLY:
        append_vote(buf, &message->u.vote, slot);
        break;
    case WIRE_HEURISTICS_CHANGE:
        q_buf_append_u8(buf, (uint8_t)message->u.heuristics_change.heuristics);
        break;
    case WIRE_STARTTLS:
    case WIRE_ECHO_REQUEST:
    case WIRE_ECHO_REPLY:
    case WIRE_ASK_FOR_VOTE:
    case WIRE_VOTE_INFO_REPLY:
        break;
    }
}

static void encode_tlv(struct q_buf *buf, const struct wire_message *message, uint32_t slot)
{
    size_t offset = tlv_begin(buf, slot);

    append_value(buf, message, slot);
    tlv_end(buf, slot, offset);
}

static void encode_number(struct q_buf *buf, uint32_t slot, uint32_t value, size_t size)
{
    size_t offset = tlv_begin(buf, slot);

    if (size == 1) {
        q_buf_append_u8(buf, (uint8_t)value);
    } else {
        q_buf_append_u32(buf, value);
    }
    tlv_end(buf, slot, offset);
}

static void encode_node_info(struct q_buf *buf, const struct wire_node_info *node)
{
    size_t offset = tlv_begin(buf, WIRE_TLV_NODE_INFO);

    assert(node->node_id != 0);
    encode_number(buf, WIRE_TLV_NODE_ID, node->node_id, 4);
    if (node->data_center_id != 0) {
        encode_number(buf, WIRE_TLV_DATA_CENTER_ID, node->data_center_id, 4);
    }
    if (node->state != WIRE_NODE_STATE_NOT_SET) {
        encode_number(buf, WIRE_TLV_NODE_STATE, (uint32_t)node->state, 1);
    }
    tlv_end(buf, WIRE_TLV_NODE_INFO, offset);
}

static void encode_node_infos(struct q_buf *buf, const struct wire_node_list *list)
{
    assert(list->node_count <= WIRE_NODES_MAX);
    for (uint32_t i = 0; i < list->node_count; i++) {
        encode_node_info(buf, &list->nodes[i]);
    }
}

void wire_encode(struct q_buf *buf, const struct wire_message *message)
{
    size_t offset = buf->size;

    assert(wire_type_is_known(message->type));
    q_buf_append_u16(buf, (uint16_t)message->type);
    q_buf_append_u32(buf, 0);
    for (const uint8_t *slot = wire_tlv_order[message->type]; *slot != WIRE_SLOT_COUNT; slot++) {
        if (*slot == WIRE_TLV_NODE_INFO) {
            encode_node_infos(buf, &message->u.node_list);
        } else if (wire_is_written(message, *slot)) {
            encode_tlv(buf, message, *slot);
        }
    }
    if (!buf->failed) {
        q_buf_put_u32(buf, offset + 2, (uint32_t)(buf->size - offset - WIRE_HEADER_SIZE));
    }
}
