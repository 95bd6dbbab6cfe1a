/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/wire/tables.h"

#define EXACT(bytes)                                                                                         \
    {                                                                                                        \
        .length = WIRE_LENGTH_EXACT, .size = (bytes)                                                         \
    }
#define BYTE(low, high)                                                                                      \
    {                                                                                                        \
        .length = WIRE_LENGTH_EXACT, .size = 1, .ranged = true, .byte_min = (low), .byte_max = (high)        \
    }
#define PAIRS                                                                                                \
    {                                                                                                        \
        .length = WIRE_LENGTH_PAIRS                                                                          \
    }

const struct wire_tlv_rule wire_tlv_rules[WIRE_SLOT_COUNT] = {
    [WIRE_TLV_MSG_SEQ_NUMBER] = EXACT(4),
    [WIRE_TLV_CLUSTER_NAME] = {.length = WIRE_LENGTH_ANY},
    [WIRE_TLV_TLS_SUPPORTED] = BYTE(WIRE_TLS_UNSUPPORTED, WIRE_TLS_REQUIRED),
    [WIRE_TLV_TLS_CLIENT_CERT_REQUIRED] = EXACT(1),
    [WIRE_TLV_SUPPORTED_MESSAGES] = PAIRS,
    [WIRE_TLV_SUPPORTED_OPTIONS] = PAIRS,
    [WIRE_TLV_REPLY_ERROR_CODE] = EXACT(2),
    [WIRE_TLV_SERVER_MAXIMUM_REQUEST_SIZE] = EXACT(4),
    [WIRE_TLV_SERVER_MAXIMUM_REPLY_SIZE] = EXACT(4),
    [WIRE_TLV_NODE_ID] = EXACT(4),
    [WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS] = PAIRS,
    [WIRE_TLV_DECISION_ALGORITHM] = EXACT(2),
    [WIRE_TLV_HEARTBEAT_INTERVAL] = EXACT(4),
    [WIRE_TLV_RING_ID] = EXACT(12),
    [WIRE_TLV_CONFIG_VERSION] = EXACT(8),
    [WIRE_TLV_DATA_CENTER_ID] = EXACT(4),
    [WIRE_TLV_NODE_STATE] = BYTE(WIRE_NODE_STATE_MEMBER, WIRE_NODE_STATE_LEAVING),
    [WIRE_TLV_NODE_INFO] = {.length = WIRE_LENGTH_NESTED},
    [WIRE_TLV_NODE_LIST_TYPE] = BYTE(WIRE_LIST_INITIAL_CONFIG, WIRE_LIST_QUORUM),
    [WIRE_TLV_VOTE] = BYTE(WIRE_VOTE_ACK, WIRE_VOTE_NO_CHANGE),
    [WIRE_TLV_QUORATE] = BYTE(0, 1),
    [WIRE_TLV_TIE_BREAKER] = {.length = WIRE_LENGTH_EXACT,
                              .size = 5,
                              .ranged = true,
                              .byte_min = WIRE_TIE_BREAKER_LOWEST,
                              .byte_max = WIRE_TIE_BREAKER_NODE_ID},
    [WIRE_TLV_HEURISTICS] = BYTE(WIRE_HEURISTICS_PASS, WIRE_HEURISTICS_FAIL),
    [WIRE_TLV_KEEP_ACTIVE_PARTITION] = BYTE(0, 1),
    [WIRE_SLOT_LEASE] = EXACT(8),
    [WIRE_SLOT_REASON] = {.length = WIRE_LENGTH_UP_TO, .size = WIRE_REASON_SIZE_MAX},
    [WIRE_SLOT_INSTANCE] = EXACT(8),
};

const uint16_t wire_slot_tlv[WIRE_SLOT_COUNT] = {
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
    23,
    [WIRE_SLOT_LEASE] = WIRE_TLV_LEASE,
    [WIRE_SLOT_REASON] = WIRE_TLV_REASON,
    [WIRE_SLOT_INSTANCE] = WIRE_TLV_INSTANCE,
};

#define END WIRE_SLOT_COUNT
#define SEQ WIRE_TLV_MSG_SEQ_NUMBER

const uint8_t wire_tlv_order[WIRE_TYPE_COUNT][WIRE_ORDER_MAX] = {
    [WIRE_PREINIT] = {SEQ, WIRE_TLV_CLUSTER_NAME, END},
    [WIRE_PREINIT_REPLY] = {SEQ, WIRE_TLV_TLS_SUPPORTED, WIRE_TLV_TLS_CLIENT_CERT_REQUIRED, END},
    [WIRE_STARTTLS] = {SEQ, END},
    [WIRE_INIT] = {SEQ, WIRE_TLV_SUPPORTED_MESSAGES, WIRE_TLV_SUPPORTED_OPTIONS, WIRE_TLV_NODE_ID,
                   WIRE_TLV_DECISION_ALGORITHM, WIRE_TLV_HEARTBEAT_INTERVAL, WIRE_TLV_TIE_BREAKER,
                   WIRE_TLV_RING_ID, WIRE_SLOT_LEASE, WIRE_SLOT_INSTANCE, END},
    [WIRE_INIT_REPLY] = {WIRE_TLV_REPLY_ERROR_CODE, WIRE_TLV_SUPPORTED_MESSAGES, WIRE_TLV_SUPPORTED_OPTIONS,
                         SEQ, WIRE_TLV_SERVER_MAXIMUM_REQUEST_SIZE, WIRE_TLV_SERVER_MAXIMUM_REPLY_SIZE,
                         WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS, WIRE_SLOT_LEASE, END},
    [WIRE_SERVER_ERROR] = {SEQ, WIRE_TLV_REPLY_ERROR_CODE, END},
    [WIRE_SET_OPTION] = {SEQ, WIRE_TLV_HEARTBEAT_INTERVAL, WIRE_TLV_KEEP_ACTIVE_PARTITION, END},
    [WIRE_SET_OPTION_REPLY] = {SEQ, WIRE_TLV_HEARTBEAT_INTERVAL, WIRE_TLV_KEEP_ACTIVE_PARTITION, END},
    [WIRE_ECHO_REQUEST] = {SEQ, END},
    [WIRE_ECHO_REPLY] = {SEQ, END},
    [WIRE_NODE_LIST] = {SEQ, WIRE_TLV_NODE_LIST_TYPE, WIRE_TLV_RING_ID, WIRE_TLV_CONFIG_VERSION,
                        WIRE_TLV_QUORATE, WIRE_TLV_NODE_INFO, WIRE_TLV_HEURISTICS, END},
    [WIRE_NODE_LIST_REPLY] = {SEQ, WIRE_TLV_NODE_LIST_TYPE, WIRE_TLV_RING_ID, WIRE_TLV_VOTE, WIRE_SLOT_REASON,
                              END},
    [WIRE_ASK_FOR_VOTE] = {SEQ, END},
    [WIRE_ASK_FOR_VOTE_REPLY] = {SEQ, WIRE_TLV_VOTE, WIRE_TLV_RING_ID, WIRE_SLOT_REASON, END},
    [WIRE_VOTE_INFO] = {SEQ, WIRE_TLV_VOTE, WIRE_TLV_RING_ID, WIRE_SLOT_REASON, END},
    [WIRE_VOTE_INFO_REPLY] = {SEQ, END},
    [WIRE_HEURISTICS_CHANGE] = {SEQ, WIRE_TLV_HEURISTICS, END},
    [WIRE_HEURISTICS_CHANGE_REPLY] = {SEQ, WIRE_TLV_VOTE, WIRE_TLV_RING_ID, WIRE_TLV_HEURISTICS,
                                      WIRE_SLOT_REASON, END},
};

#define HAS_SEQ WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER)
#define HAS_VOTE (HAS_SEQ | WIRE_HAS(WIRE_TLV_VOTE) | WIRE_HAS(WIRE_TLV_RING_ID))

const struct wire_required wire_required[] = {
    {WIRE_PREINIT, WIRE_ALWAYS, WIRE_HAS(WIRE_TLV_CLUSTER_NAME)},
    {WIRE_PREINIT_REPLY, WIRE_ALWAYS,
     HAS_SEQ | WIRE_HAS(WIRE_TLV_TLS_SUPPORTED) | WIRE_HAS(WIRE_TLV_TLS_CLIENT_CERT_REQUIRED)},
    {WIRE_INIT, WIRE_ALWAYS,
     WIRE_HAS(WIRE_TLV_NODE_ID) | WIRE_HAS(WIRE_TLV_RING_ID) | WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) |
         WIRE_HAS(WIRE_TLV_TIE_BREAKER) | WIRE_HAS(WIRE_TLV_DECISION_ALGORITHM)},
    {WIRE_INIT_REPLY, WIRE_ALWAYS, HAS_SEQ | WIRE_HAS(WIRE_TLV_REPLY_ERROR_CODE)},
    {WIRE_INIT_REPLY, WIRE_ERROR_NONE,
     WIRE_HAS(WIRE_TLV_SERVER_MAXIMUM_REQUEST_SIZE) | WIRE_HAS(WIRE_TLV_SERVER_MAXIMUM_REPLY_SIZE) |
         WIRE_HAS(WIRE_TLV_SUPPORTED_MESSAGES) | WIRE_HAS(WIRE_TLV_SUPPORTED_OPTIONS) |
         WIRE_HAS(WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS)},
    {WIRE_SERVER_ERROR, WIRE_ALWAYS, WIRE_HAS(WIRE_TLV_REPLY_ERROR_CODE)},
    {WIRE_ECHO_REPLY, WIRE_ALWAYS, HAS_SEQ},
    {WIRE_NODE_LIST, WIRE_ALWAYS, HAS_SEQ | WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE)},
    {WIRE_NODE_LIST, WIRE_LIST_MEMBERSHIP, WIRE_HAS(WIRE_TLV_RING_ID)},
    {WIRE_NODE_LIST, WIRE_LIST_QUORUM, WIRE_HAS(WIRE_TLV_QUORATE)},
    {WIRE_NODE_LIST_REPLY, WIRE_ALWAYS, HAS_VOTE | WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE)},
    {WIRE_ASK_FOR_VOTE, WIRE_ALWAYS, HAS_SEQ},
    {WIRE_ASK_FOR_VOTE_REPLY, WIRE_ALWAYS, HAS_VOTE},
    {WIRE_VOTE_INFO, WIRE_ALWAYS, HAS_VOTE},
    {WIRE_VOTE_INFO_REPLY, WIRE_ALWAYS, HAS_SEQ},
    {WIRE_HEURISTICS_CHANGE, WIRE_ALWAYS, HAS_SEQ | WIRE_HAS(WIRE_TLV_HEURISTICS)},
    {WIRE_HEURISTICS_CHANGE_REPLY, WIRE_ALWAYS, HAS_VOTE | WIRE_HAS(WIRE_TLV_HEURISTICS)},
};
const size_t wire_required_count = sizeof(wire_required) / sizeof(wire_required[0]);

uint32_t wire_slot(uint16_t tlv)
{
    if (tlv < WIRE_TLV_COUNT) {
        return tlv;
    }
    for (uint32_t slot = WIRE_TLV_COUNT; slot < WIRE_SLOT_COUNT; slot++) {
        if (tlv == wire_slot_tlv[slot]) {
            return slot;
        }
    }
    return WIRE_SLOT_NONE;
}

uint32_t wire_type_mask(enum wire_type type)
{
    uint32_t mask = 0;

    for (const uint8_t *slot = wire_tlv_order[type]; *slot != END; slot++) {
        mask |= WIRE_HAS(*slot);
    }
    return mask;
}

bool wire_is_written(const struct wire_message *message, uint32_t slot)
{
    if (message->type == WIRE_NODE_LIST && slot == WIRE_TLV_HEURISTICS) {
        return message->u.node_list.heuristics != WIRE_HEURISTICS_UNDEFINED;
    }
    return (message->present & WIRE_HAS(slot)) != 0;
}

static bool length_is_valid(const struct wire_tlv_rule *rule, size_t size)
{
    switch (rule->length) {
    case WIRE_LENGTH_ANY:
        return true;
    case WIRE_LENGTH_EXACT:
        return size == rule->size;
    case WIRE_LENGTH_PAIRS:
        return size % 2 == 0;
    case WIRE_LENGTH_UP_TO:
        return size <= rule->size;
    case WIRE_LENGTH_NESTED:
        return size > 0;
    }
    return false;
}

bool wire_value_is_valid(uint32_t slot, const uint8_t *data, size_t size)
{
    const struct wire_tlv_rule *rule = &wire_tlv_rules[slot];

    if (!length_is_valid(rule, size)) {
        return false;
    }
    return !rule->ranged || (data[0] >= rule->byte_min && data[0] <= rule->byte_max);
}

static int32_t discriminator(const struct wire_message *message)
{
    if (message->type == WIRE_NODE_LIST) {
        return (int32_t)message->u.node_list.list_type;
    }
    if (message->type == WIRE_INIT_REPLY) {
        return (int32_t)message->u.init_reply.error;
    }
    return WIRE_ALWAYS;
}

bool wire_has_required(const struct wire_message *message)
{
    for (size_t i = 0; i < wire_required_count; i++) {
        const struct wire_required *row = &wire_required[i];

        if (row->type == message->type && (row->when == WIRE_ALWAYS || row->when == discriminator(message)) &&
            (message->present & row->mask) != row->mask) {
            return false;
        }
    }
    return true;
}
