/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two passes over a message: the first walks the TLVs, checks each against its rule and notes where the last
 * of each kind lies; the second picks the values the message's type is made of. No allocation, no recursion.
 */
#include "common/wire/wire.h"

#include <string.h>

#include "common/wire/tables.h"

/* What one list of TLVs holds: the last value of each kind. Only values whose bit is in `present` are set. */
struct values {
    uint32_t present;
    struct wire_bytes value[WIRE_SLOT_COUNT];
};

/* A cursor over a list of TLVs. */
struct walk {
    const uint8_t *next;
    size_t left;
};

struct tlv {
    uint16_t type;
    struct wire_bytes value;
};

static uint64_t big_endian(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* False if what is left is not a whole TLV. */
static bool walk_next(struct walk *walk, struct tlv *out)
{
    size_t size;

    if (walk->left < WIRE_TLV_HEADER_SIZE) {
        return false;
    }
    size = (size_t)big_endian(walk->next + 2, 2);
    if (size > walk->left - WIRE_TLV_HEADER_SIZE) {
        return false;
    }
    out->type = (uint16_t)big_endian(walk->next, 2);
    out->value = (struct wire_bytes){walk->next + WIRE_TLV_HEADER_SIZE, size};
    walk->next += WIRE_TLV_HEADER_SIZE + size;
    walk->left -= WIRE_TLV_HEADER_SIZE + size;
    return true;
}

static bool values_add(struct values *values, uint32_t slot, struct wire_bytes value)
{
    if (!wire_value_is_valid(slot, value.data, value.size)) {
        return false;
    }
    values->value[slot] = value;
    values->present |= WIRE_HAS(slot);
    return true;
}

static bool has(const struct values *values, uint32_t slot)
{
    return (values->present & WIRE_HAS(slot)) != 0;
}

/* A whole value as a number; 0 if it is absent. */
static uint64_t number(const struct values *values, uint32_t slot)
{
    return has(values, slot) ? big_endian(values->value[slot].data, values->value[slot].size) : 0;
}

static uint32_t number32(const struct values *values, uint32_t slot)
{
    return (uint32_t)number(values, slot);
}

static struct wire_bytes view(const struct values *values, uint32_t slot)
{
    return has(values, slot) ? values->value[slot] : (struct wire_bytes){NULL, 0};
}

static struct wire_ring_id ring_id(const struct values *values)
{
    const uint8_t *data;

    if (!has(values, WIRE_TLV_RING_ID)) {
        return (struct wire_ring_id){0, 0};
    }
    data = values->value[WIRE_TLV_RING_ID].data;
    return (struct wire_ring_id){(uint32_t)big_endian(data, 4), big_endian(data + 4, 8)};
}

static struct wire_lease lease(const struct values *values)
{
    const uint8_t *data;

    if (!has(values, WIRE_SLOT_LEASE)) {
        return (struct wire_lease){0, 0};
    }
    data = values->value[WIRE_SLOT_LEASE].data;
    return (struct wire_lease){(uint32_t)big_endian(data, 4), (uint32_t)big_endian(data + 4, 4)};
}

static struct wire_tie_breaker tie_breaker(const struct values *values)
{
    struct wire_tie_breaker result = {0};
    const uint8_t *data;

    if (!has(values, WIRE_TLV_TIE_BREAKER)) {
        return result;
    }
    data = values->value[WIRE_TLV_TIE_BREAKER].data;
    result.mode = (enum wire_tie_breaker_mode)data[0];
    if (result.mode == WIRE_TIE_BREAKER_NODE_ID) {
        result.node_id = (uint32_t)big_endian(data + 1, 4);
    }
    return result;
}

static bool belongs_in_node_info(uint32_t slot)
{
    return slot == WIRE_TLV_NODE_ID || slot == WIRE_TLV_DATA_CENTER_ID || slot == WIRE_TLV_NODE_STATE;
}

/* The nested TLVs of one node info. All kinds but three are skipped unseen, as the packaged arbiter does. */
static bool decode_node_info(struct wire_bytes bytes, struct wire_node_info *out)
{
    struct walk walk = {bytes.data, bytes.size};
    struct values values;
    struct tlv tlv;

    values.present = 0;
    while (walk.left > 0) {
        uint32_t slot;

        if (!walk_next(&walk, &tlv)) {
            return false;
        }
        slot = wire_slot(tlv.type);
        if (belongs_in_node_info(slot) && !values_add(&values, slot, tlv.value)) {
            return false;
        }
    }
    out->node_id = number32(&values, WIRE_TLV_NODE_ID);
    out->data_center_id = number32(&values, WIRE_TLV_DATA_CENTER_ID);
    out->state = (enum wire_node_state)number32(&values, WIRE_TLV_NODE_STATE);
    return out->node_id != 0;
}

/*
 * Walks the body. Node infos are checked in every message; they are kept (in wire order) if `list` is given.
 * After a fault `values` holds what came before it.
 */
static bool decode_body(struct walk walk, struct values *values, struct wire_node_list *list)
{
    struct wire_node_info node;
    uint32_t node_count = 0;
    struct tlv tlv;

    values->present = 0;
    if (walk.left == 0) {
        return false;
    }
    while (walk.left > 0) {
        uint32_t slot;

        if (!walk_next(&walk, &tlv)) {
            return false;
        }
        slot = wire_slot(tlv.type);
        if (slot == WIRE_SLOT_NONE) {
            continue;
        }
        if (!values_add(values, slot, tlv.value)) {
            return false;
        }
        if (slot == WIRE_TLV_NODE_INFO) {
            if (!decode_node_info(tlv.value, &node) || node_count == WIRE_NODES_MAX) {
                return false;
            }
            if (list != NULL) {
                list->nodes[node_count] = node;
                list->node_count = node_count + 1;
            }
            node_count++;
        }
    }
    return true;
}

static void fill_init(struct wire_init *out, const struct values *values)
{
    out->node_id = number32(values, WIRE_TLV_NODE_ID);
    out->algorithm = number32(values, WIRE_TLV_DECISION_ALGORITHM);
    out->heartbeat_ms = number32(values, WIRE_TLV_HEARTBEAT_INTERVAL);
    out->tie_breaker = tie_breaker(values);
    out->ring_id = ring_id(values);
    out->lease = lease(values);
    out->instance = number(values, WIRE_SLOT_INSTANCE);
    out->supported_messages = view(values, WIRE_TLV_SUPPORTED_MESSAGES);
    out->supported_options = view(values, WIRE_TLV_SUPPORTED_OPTIONS);
}

static void fill_init_reply(struct wire_init_reply *out, const struct values *values)
{
    out->error = (enum wire_error)number32(values, WIRE_TLV_REPLY_ERROR_CODE);
    out->maximum_request_size = number32(values, WIRE_TLV_SERVER_MAXIMUM_REQUEST_SIZE);
    out->maximum_reply_size = number32(values, WIRE_TLV_SERVER_MAXIMUM_REPLY_SIZE);
    out->lease = lease(values);
    out->supported_messages = view(values, WIRE_TLV_SUPPORTED_MESSAGES);
    out->supported_options = view(values, WIRE_TLV_SUPPORTED_OPTIONS);
    out->supported_algorithms = view(values, WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS);
}

/* The node infos are there already. */
static void fill_node_list(struct wire_node_list *out, const struct values *values)
{
    out->list_type = (enum wire_node_list_type)number32(values, WIRE_TLV_NODE_LIST_TYPE);
    out->ring_id = ring_id(values);
    out->config_version = number(values, WIRE_TLV_CONFIG_VERSION);
    out->quorate = number32(values, WIRE_TLV_QUORATE) != 0;
    out->heuristics = (enum wire_heuristics)number32(values, WIRE_TLV_HEURISTICS);
}

static void fill_vote(struct wire_vote_message *out, const struct values *values)
{
    out->vote = (enum wire_vote)number32(values, WIRE_TLV_VOTE);
    out->ring_id = ring_id(values);
    out->reason = view(values, WIRE_SLOT_REASON);
}

static void fill(struct wire_message *out, const struct values *values)
{
    out->present = values->present & wire_type_mask(out->type);
    out->seq = number32(values, WIRE_TLV_MSG_SEQ_NUMBER);
    switch (out->type) {
    case WIRE_PREINIT:
        out->u.preinit.cluster_name = view(values, WIRE_TLV_CLUSTER_NAME);
        break;
    case WIRE_PREINIT_REPLY:
        out->u.preinit_reply.tls_supported =
            (enum wire_tls_supported)number32(values, WIRE_TLV_TLS_SUPPORTED);
        out->u.preinit_reply.tls_client_cert_required =
            (uint8_t)number(values, WIRE_TLV_TLS_CLIENT_CERT_REQUIRED);
        break;
    case WIRE_INIT:
        fill_init(&out->u.init, values);
        break;
    case WIRE_INIT_REPLY:
        fill_init_reply(&out->u.init_reply, values);
        break;
    case WIRE_SERVER_ERROR:
        out->u.server_error.error = number32(values, WIRE_TLV_REPLY_ERROR_CODE);
        break;
    case WIRE_SET_OPTION:
    case WIRE_SET_OPTION_REPLY:
        out->u.set_option.heartbeat_ms = number32(values, WIRE_TLV_HEARTBEAT_INTERVAL);
        out->u.set_option.keep_active_partition = number(values, WIRE_TLV_KEEP_ACTIVE_PARTITION) != 0;
        break;
    case WIRE_NODE_LIST:
        fill_node_list(&out->u.node_list, values);
        break;
    case WIRE_NODE_LIST_REPLY:
        fill_vote(&out->u.vote, values);
        out->u.vote.list_type = (enum wire_node_list_type)number32(values, WIRE_TLV_NODE_LIST_TYPE);
        break;
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_VOTE_INFO:
        fill_vote(&out->u.vote, values);
        break;
    case WIRE_HEURISTICS_CHANGE:
        out->u.heuristics_change.heuristics = (enum wire_heuristics)number32(values, WIRE_TLV_HEURISTICS);
        break;
    case WIRE_HEURISTICS_CHANGE_REPLY:
        fill_vote(&out->u.vote, values);
        out->u.vote.heuristics = (enum wire_heuristics)number32(values, WIRE_TLV_HEURISTICS);
        break;
    case WIRE_STARTTLS:
    case WIRE_ECHO_REQUEST:
    case WIRE_ECHO_REPLY:
    case WIRE_ASK_FOR_VOTE:
    case WIRE_VOTE_INFO_REPLY:
        break;
    }
}

/* Zeroes all fields but the array of nodes, whose 33 KB would cost more than decoding an echo. */
static void clear(struct wire_message *out)
{
    enum { FIELDS_SIZE = 128 };

    _Static_assert(sizeof(struct wire_init) <= FIELDS_SIZE, "INIT is not cleared");
    _Static_assert(sizeof(struct wire_init_reply) <= FIELDS_SIZE, "INIT_REPLY is not cleared");
    _Static_assert(sizeof(struct wire_vote_message) <= FIELDS_SIZE, "votes are not cleared");
    _Static_assert(offsetof(struct wire_node_list, nodes) <= FIELDS_SIZE, "NODE_LIST is not cleared");
    _Static_assert(sizeof(out->u) >= FIELDS_SIZE, "the union is too small");
    out->present = 0;
    out->seq = 0;
    memset(&out->u, 0, FIELDS_SIZE);
}

bool wire_decode(const uint8_t *bytes, size_t size, struct wire_message *out)
{
    struct values values;
    struct walk body;
    uint64_t type;

    clear(out);
    if (size < WIRE_HEADER_SIZE) {
        out->type = WIRE_PREINIT;
        return false;
    }
    type = big_endian(bytes, 2);
    out->type = (enum wire_type)type;
    if (!wire_type_is_known((uint32_t)type) || big_endian(bytes + 2, 4) != size - WIRE_HEADER_SIZE) {
        return false;
    }
    body = (struct walk){bytes + WIRE_HEADER_SIZE, size - WIRE_HEADER_SIZE};
    if (!decode_body(body, &values, type == WIRE_NODE_LIST ? &out->u.node_list : NULL)) {
        out->present = values.present & WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
        out->seq = number32(&values, WIRE_TLV_MSG_SEQ_NUMBER);
        return false;
    }
    fill(out, &values);
    return true;
}
