/* SPDX-License-Identifier: BSD-3-Clause */
/* What a message may look like, TLV by TLV: lengths, values, repetition, nesting (spec sections 4 and 5.2). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#include "tests/unit/wire_help.h"

static struct q_buf bytes;

static int set_up(void **state)
{
    (void)state;
    q_buf_init(&bytes);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    q_buf_fini(&bytes);
    return 0;
}

/* The table of section 4, said once more: what the rules ought to be. */
static bool expected_length(uint32_t slot, size_t size)
{
    static const uint8_t exact[WIRE_SLOT_COUNT] = {
        [0] = 4,  [2] = 1,  [3] = 1,  [6] = 2,  [7] = 4,  [8] = 4,  [9] = 4,  [11] = 2, [12] = 4, [13] = 12,
        [14] = 8, [15] = 4, [16] = 1, [18] = 1, [19] = 1, [20] = 1, [21] = 5, [22] = 1, [23] = 1, [24] = 8, [26] = 8,
    };

    if (exact[slot] != 0) {
        return size == exact[slot];
    }
    if (slot == WIRE_TLV_SUPPORTED_MESSAGES || slot == WIRE_TLV_SUPPORTED_OPTIONS ||
        slot == WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS) {
        return size % 2 == 0;
    }
    return slot != WIRE_TLV_NODE_INFO && (slot != WIRE_SLOT_REASON || size <= 1024);
}

/* Zero bytes, but with a first byte that every limited value accepts... except where only 0 would do. */
static void fill_value(uint8_t *value, size_t size)
{
    memset(value, 0, size);
    if (size > 0) {
        value[0] = 1;
    }
}

static void every_length_of_every_tlv_is_judged_in_every_message(void **state)
{
    uint8_t value[1100];

    (void)state;
    for (uint16_t type = 0; type < WIRE_TYPE_COUNT; type++) {
        for (uint32_t slot = 0; slot < WIRE_SLOT_COUNT; slot++) {
            for (size_t size = 0; size <= sizeof(value); size += size < 40 || size > 1015 ? 1 : 39) {
                if (slot == WIRE_TLV_NODE_INFO) {
                    continue;
                }
                fill_value(value, size);
                message_begin(&bytes, type);
                append_tlv(&bytes, wire_slot_tlv[slot], value, size);
                message_end(&bytes);
                assert_int_equal(decode(&bytes), expected_length(slot, size));
            }
        }
    }
}

static void a_cluster_name_may_fill_a_tlv(void **state)
{
    static const uint8_t name[UINT16_MAX];

    (void)state;
    message_begin(&bytes, WIRE_PREINIT);
    append_tlv(&bytes, WIRE_TLV_CLUSTER_NAME, name, sizeof(name));
    message_end(&bytes);
    assert_true(wire_decode(q_buf_bytes(&bytes), bytes.size, &decoded));
    assert_int_equal(decoded.u.preinit.cluster_name.size, sizeof(name));
    assert_memory_equal(decoded.u.preinit.cluster_name.data, name, sizeof(name));
}

static void every_first_byte_of_every_limited_value_is_judged_in_every_message(void **state)
{
    static const struct {
        uint32_t tlv;
        unsigned min;
        unsigned max;
    } ranges[] = {
        {WIRE_TLV_TLS_SUPPORTED, 0, 2},
        {WIRE_TLV_TLS_CLIENT_CERT_REQUIRED, 0, 255},
        {WIRE_TLV_NODE_STATE, 1, 3},
        {WIRE_TLV_NODE_LIST_TYPE, 0, 3},
        {WIRE_TLV_VOTE, 1, 5},
        {WIRE_TLV_QUORATE, 0, 1},
        {WIRE_TLV_TIE_BREAKER, 1, 3},
        {WIRE_TLV_HEURISTICS, 1, 2},
        {WIRE_TLV_MSG_SEQ_NUMBER, 0, 255},
        {WIRE_TLV_DECISION_ALGORITHM, 0, 255},
        {WIRE_TLV_REPLY_ERROR_CODE, 0, 255},
        {WIRE_TLV_KEEP_ACTIVE_PARTITION, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        for (uint16_t type = 0; type < WIRE_TYPE_COUNT; type++) {
            for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
                uint8_t value[5] = {(uint8_t)byte, 0, 0, 0, 1};

                message_begin(&bytes, type);
                append_tlv(&bytes, (uint16_t)ranges[i].tlv, value, wire_tlv_rules[ranges[i].tlv].size);
                message_end(&bytes);
                assert_int_equal(decode(&bytes), byte >= ranges[i].min && byte <= ranges[i].max);
            }
        }
    }
}

static void unknown_tlvs_are_ignored(void **state)
{
    (void)state;
    for (unsigned tlv = WIRE_TLV_COUNT; tlv <= UINT16_MAX; tlv++) {
        if (tlv == WIRE_TLV_LEASE || tlv == WIRE_TLV_REASON || tlv == WIRE_TLV_INSTANCE) {
            continue;
        }
        message_begin(&bytes, WIRE_ECHO_REQUEST);
        append_tlv(&bytes, (uint16_t)tlv, "whatever", tlv % 9);
        append_tlv_u32(&bytes, WIRE_TLV_MSG_SEQ_NUMBER, tlv);
        message_end(&bytes);
        assert_true(wire_decode(q_buf_bytes(&bytes), bytes.size, &decoded));
        assert_int_equal(decoded.present, WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER));
        assert_int_equal(decoded.seq, tlv);
    }
}

static void an_unknown_tlv_must_fit_too(void **state)
{
    (void)state;
    for (uint16_t size = 1; size < 300; size++) {
        message_begin(&bytes, WIRE_ECHO_REQUEST);
        q_buf_append_u16(&bytes, 999);
        q_buf_append_u16(&bytes, size);
        for (uint16_t i = 1; i < size; i++) {
            q_buf_append_u8(&bytes, 0);
        }
        message_end(&bytes);
        assert_false(decode(&bytes));
    }
}

static void an_empty_body_is_a_fault(void **state)
{
    (void)state;
    for (uint16_t type = 0; type < WIRE_TYPE_COUNT; type++) {
        message_begin(&bytes, type);
        assert_false(decode(&bytes));
        assert_int_equal(decoded.type, type);
        assert_int_equal(decoded.present, 0);
    }
}

static void stray_bytes_at_the_end_are_a_fault_with_a_number(void **state)
{
    (void)state;
    for (size_t stray = 1; stray < WIRE_TLV_HEADER_SIZE; stray++) {
        message_begin(&bytes, WIRE_ECHO_REQUEST);
        append_tlv_u32(&bytes, WIRE_TLV_MSG_SEQ_NUMBER, 77);
        for (size_t i = 0; i < stray; i++) {
            q_buf_append_u8(&bytes, 0);
        }
        message_end(&bytes);
        assert_false(decode(&bytes));
        assert_int_equal(decoded.present, WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER));
        assert_int_equal(decoded.seq, 77);
    }
}

static void a_fault_keeps_the_number_only_if_that_came_first(void **state)
{
    (void)state;
    for (uint32_t slot = 1; slot < WIRE_SLOT_COUNT; slot++) {
        static const uint8_t long_value[2001];

        if (wire_tlv_rules[slot].length == WIRE_LENGTH_ANY) {
            continue;
        }
        message_begin(&bytes, WIRE_NODE_LIST);
        append_tlv_u32(&bytes, WIRE_TLV_MSG_SEQ_NUMBER, 5);
        append_tlv(&bytes, wire_slot_tlv[slot], long_value, sizeof(long_value));
        message_end(&bytes);
        assert_false(decode(&bytes));
        assert_int_equal(decoded.type, WIRE_NODE_LIST);
        assert_int_equal(decoded.present, WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER));
        assert_int_equal(decoded.seq, 5);

        message_begin(&bytes, WIRE_NODE_LIST);
        append_tlv(&bytes, wire_slot_tlv[slot], long_value, sizeof(long_value));
        append_tlv_u32(&bytes, WIRE_TLV_MSG_SEQ_NUMBER, 5);
        message_end(&bytes);
        assert_false(decode(&bytes));
        assert_int_equal(decoded.present, 0);
        assert_int_equal(decoded.seq, 0);
    }
}

static void the_last_of_a_repeated_tlv_wins(void **state)
{
    (void)state;
    message_begin(&bytes, WIRE_VOTE_INFO);
    append_tlv_u32(&bytes, WIRE_TLV_MSG_SEQ_NUMBER, 1);
    append_tlv_u8(&bytes, WIRE_TLV_VOTE, WIRE_VOTE_ACK);
    append_tlv_u32(&bytes, WIRE_TLV_MSG_SEQ_NUMBER, 2);
    append_tlv_u8(&bytes, WIRE_TLV_VOTE, WIRE_VOTE_NACK);
    message_end(&bytes);
    assert_true(decode(&bytes));
    assert_int_equal(decoded.seq, 2);
    assert_int_equal(decoded.u.vote.vote, WIRE_VOTE_NACK);
}

static void all_of_a_repeated_tlv_must_be_right(void **state)
{
    (void)state;
    message_begin(&bytes, WIRE_VOTE_INFO);
    append_tlv_u8(&bytes, WIRE_TLV_VOTE, 9);
    append_tlv_u8(&bytes, WIRE_TLV_VOTE, WIRE_VOTE_NACK);
    message_end(&bytes);
    assert_false(decode(&bytes));
}

static void a_tlv_of_another_type_leaves_no_trace(void **state)
{
    (void)state;
    for (uint16_t type = 0; type < WIRE_TYPE_COUNT; type++) {
        uint32_t mask = wire_type_mask((enum wire_type)type);

        for (uint32_t slot = 0; slot < WIRE_SLOT_COUNT; slot++) {
            message_begin(&bytes, type);
            append_valid_tlv(&bytes, slot);
            message_end(&bytes);
            assert_true(decode(&bytes));
            assert_int_equal(decoded.present, mask & WIRE_HAS(slot));
        }
    }
}

/* A message with only its first TLV: everything else reads as zero, whatever the struct held before. */
static void absent_fields_are_zero(void **state)
{
    static const uint8_t zeros[128];

    (void)state;
    for (uint16_t type = 0; type < WIRE_TYPE_COUNT; type++) {
        message_begin(&bytes, type);
        append_tlv_u32(&bytes, 999, 0);
        message_end(&bytes);
        assert_true(decode(&bytes));
        assert_int_equal(decoded.present, 0);
        assert_int_equal(decoded.seq, 0);
        assert_memory_equal(&decoded.u, zeros, sizeof(zeros));
    }
}

static void tie_breaker_node_ids_count_only_in_node_id_mode(void **state)
{
    (void)state;
    for (uint8_t mode = 1; mode <= 3; mode++) {
        uint8_t value[5] = {mode, 0, 0, 0, 9};

        message_begin(&bytes, WIRE_INIT);
        append_tlv(&bytes, WIRE_TLV_TIE_BREAKER, value, sizeof(value));
        message_end(&bytes);
        assert_true(decode(&bytes));
        assert_int_equal(decoded.u.init.tie_breaker.mode, mode);
        assert_int_equal(decoded.u.init.tie_breaker.node_id, mode == WIRE_TIE_BREAKER_NODE_ID ? 9 : 0);
    }
}

/* ---- node infos ---------------------------------------------------------------------------------- */

static bool decode_node_info_hex(const char *hex)
{
    message_begin(&bytes, WIRE_NODE_LIST);
    q_buf_append_u16(&bytes, WIRE_TLV_NODE_INFO);
    q_buf_append_u16(&bytes, (uint16_t)(strlen(hex) / 2));
    append_hex(&bytes, hex);
    message_end(&bytes);
    return decode(&bytes);
}

static void node_infos_need_a_node_id(void **state)
{
    (void)state;
    assert_false(decode_node_info_hex(""));
    assert_false(decode_node_info_hex("000900040000"
                                      "0000"));
    assert_false(decode_node_info_hex("0010000101"));
    assert_false(decode_node_info_hex("000f000400000001"));
    assert_true(decode_node_info_hex("0009000400000001"));
    assert_int_equal(decoded.u.node_list.node_count, 1);
    assert_int_equal(decoded.u.node_list.nodes[0].node_id, 1);
    assert_int_equal(decoded.u.node_list.nodes[0].data_center_id, 0);
    assert_int_equal(decoded.u.node_list.nodes[0].state, WIRE_NODE_STATE_NOT_SET);
}

static void node_infos_follow_the_rules_of_a_body(void **state)
{
    (void)state;
    assert_true(decode_node_info_hex("03e8000212340009000400000001")); /* unknown TLV inside */
    assert_true(decode_node_info_hex("00090004000000010009000400000002"));
    assert_int_equal(decoded.u.node_list.nodes[0].node_id, 2); /* the last wins */
    assert_false(decode_node_info_hex("00090004000000010009000400000000"));
    assert_true(decode_node_info_hex("00090004000000000009000400000002"));
    assert_false(decode_node_info_hex("000900040000000100")); /* stray bytes */
    assert_false(decode_node_info_hex("00090004000000010000"));
    assert_false(decode_node_info_hex("0009000400000001000000"));
    assert_false(decode_node_info_hex("0009000400000001000f0005000000")); /* overrun */
    assert_false(decode_node_info_hex("000900030000010009000400000001")); /* length */
    assert_false(decode_node_info_hex("00090004000000010010000100"));     /* state 0 */
    assert_false(decode_node_info_hex("00090004000000010010000104"));     /* state 4 */
    assert_true(decode_node_info_hex("00090004000000010010000103"));
    assert_int_equal(decoded.u.node_list.nodes[0].state, WIRE_NODE_STATE_LEAVING);
}

static void a_node_info_overrunning_its_own_end_does_not_reach_the_next_tlv(void **state)
{
    (void)state;
    message_begin(&bytes, WIRE_NODE_LIST);
    append_hex(&bytes, "00110004"
                       "00090004"); /* the node id's value would lie outside */
    append_hex(&bytes, "00000001"
                       "00000000");
    message_end(&bytes);
    assert_false(decode(&bytes));
}

static void what_is_nested_stays_inside(void **state)
{
    (void)state;
    assert_true(decode_node_info_hex("00090004000000010000000400000063"));
    assert_int_equal(decoded.present, WIRE_HAS(WIRE_TLV_NODE_INFO)); /* no sequence number, no node id */
    assert_int_equal(decoded.seq, 0);
}

/* As the packaged arbiter has it: what a node info is not made of may be anything that fits. */
static void other_tlvs_in_a_node_info_are_not_looked_at(void **state)
{
    char hex[64];

    (void)state;
    for (uint32_t slot = 0; slot < WIRE_SLOT_COUNT; slot++) {
        bool known =
            slot == WIRE_TLV_NODE_ID || slot == WIRE_TLV_DATA_CENTER_ID || slot == WIRE_TLV_NODE_STATE;

        snprintf(hex, sizeof(hex),
                 "0009000400000001"
                 "%04x0003ffffff",
                 (unsigned)wire_slot_tlv[slot]);
        assert_int_equal(decode_node_info_hex(hex), !known);
    }
    assert_true(decode_node_info_hex("0009000400000001"
                                     "00110008"
                                     "0009000400000002"));
    assert_int_equal(decoded.u.node_list.node_count, 1);
    assert_int_equal(decoded.u.node_list.nodes[0].node_id, 1);
}

static void a_bad_node_info_is_a_fault_in_every_message(void **state)
{
    static const uint8_t no_node[] = {0, WIRE_TLV_NODE_STATE, 0, 1, 1};

    (void)state;
    for (uint16_t type = 0; type < WIRE_TYPE_COUNT; type++) {
        message_begin(&bytes, type);
        append_tlv(&bytes, WIRE_TLV_NODE_INFO, no_node, sizeof(no_node));
        message_end(&bytes);
        assert_false(decode(&bytes));
    }
}

static void node_infos_accumulate_in_order_up_to_the_limit(void **state)
{
    (void)state;
    for (uint32_t count = WIRE_NODES_MAX - 1; count <= WIRE_NODES_MAX + 1; count++) {
        message_begin(&bytes, WIRE_NODE_LIST);
        for (uint32_t i = 0; i < count; i++) {
            q_buf_append_u16(&bytes, WIRE_TLV_NODE_INFO);
            q_buf_append_u16(&bytes, 8);
            append_tlv_u32(&bytes, WIRE_TLV_NODE_ID, i / 2 + 1); /* every id twice: duplicates are kept */
        }
        message_end(&bytes);
        assert_int_equal(decode(&bytes), count <= WIRE_NODES_MAX);
        if (count == WIRE_NODES_MAX) {
            assert_true(bytes.size <= WIRE_SIZE_DEFAULT);
            assert_true(bytes.size + 12 > WIRE_SIZE_DEFAULT);
            assert_int_equal(decoded.u.node_list.node_count, count);
            for (uint32_t i = 0; i < count; i++) {
                assert_int_equal(decoded.u.node_list.nodes[i].node_id, i / 2 + 1);
            }
        }
    }
}

/* ---- our extensions ------------------------------------------------------------------------------ */

static void a_lease_goes_both_ways(void **state)
{
    struct q_buf encoded;
    static struct wire_message message;

    (void)state;
    q_buf_init(&encoded);
    message = (struct wire_message){.type = WIRE_INIT, .present = WIRE_HAS_LEASE};
    message.u.init.lease = (struct wire_lease){8000, 0xfedcba98};
    wire_encode(&encoded, &message);
    append_hex(&bytes, "00030000000c5101000800001f40fedcba98");
    assert_int_equal(encoded.size, bytes.size);
    assert_memory_equal(q_buf_bytes(&encoded), q_buf_bytes(&bytes), bytes.size);
    assert_true(decode(&encoded));
    assert_int_equal(decoded.present, WIRE_HAS_LEASE);
    assert_int_equal(decoded.u.init.lease.lease_ms, 8000);
    assert_int_equal(decoded.u.init.lease.hold_ms, 0xfedcba98);
    q_buf_fini(&encoded);
}

static void an_instance_goes_both_ways(void **state)
{
    struct q_buf encoded;
    static struct wire_message message;

    (void)state;
    q_buf_init(&encoded);
    message = (struct wire_message){.type = WIRE_INIT, .present = WIRE_HAS_INSTANCE};
    message.u.init.instance = UINT64_C(0x0123456789abcdef);
    wire_encode(&encoded, &message);
    append_hex(&bytes, "00030000000c510300080123456789abcdef");
    assert_int_equal(encoded.size, bytes.size);
    assert_memory_equal(q_buf_bytes(&encoded), q_buf_bytes(&bytes), bytes.size);
    assert_true(decode(&encoded));
    assert_int_equal(decoded.present, WIRE_HAS_INSTANCE);
    assert_true(decoded.u.init.instance == UINT64_C(0x0123456789abcdef));
    q_buf_fini(&encoded);
}

/* Encodes an ACK with a reason and returns the size of the reason that arrives. */
static size_t reason_size_after(const char *text, size_t size)
{
    static struct wire_message message;
    size_t result;

    message =
        (struct wire_message){.type = WIRE_VOTE_INFO, .present = WIRE_HAS_REASON | WIRE_HAS(WIRE_TLV_VOTE)};
    message.u.vote.vote = WIRE_VOTE_ACK;
    message.u.vote.reason = (struct wire_bytes){(const uint8_t *)text, size};
    q_buf_reset(&bytes);
    wire_encode(&bytes, &message);
    assert_true(wire_decode(q_buf_bytes(&bytes), bytes.size, &decoded));
    assert_true((decoded.present & WIRE_HAS_REASON) != 0);
    result = decoded.u.vote.reason.size;
    assert_true(result <= size);
    assert_memory_equal(decoded.u.vote.reason.data, text, result);
    return result;
}

static void a_reason_is_cut_at_a_character(void **state)
{
    char text[WIRE_REASON_SIZE_MAX + 8];

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_int_equal(reason_size_after(text, 12), 12);
    assert_int_equal(reason_size_after(text, WIRE_REASON_SIZE_MAX), WIRE_REASON_SIZE_MAX);
    assert_int_equal(reason_size_after(text, WIRE_REASON_SIZE_MAX + 1), WIRE_REASON_SIZE_MAX);
    memcpy(text + WIRE_REASON_SIZE_MAX - 2, "\xe2\x82\xac", 3); /* a euro sign across the limit */
    assert_int_equal(reason_size_after(text, sizeof(text)), WIRE_REASON_SIZE_MAX - 2);
    memset(text, 0x80, sizeof(text)); /* no character begins anywhere */
    assert_int_equal(reason_size_after(text, sizeof(text)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_length_of_every_tlv_is_judged_in_every_message, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_cluster_name_may_fill_a_tlv, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_first_byte_of_every_limited_value_is_judged_in_every_message,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_tlvs_are_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_tlv_must_fit_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_body_is_a_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stray_bytes_at_the_end_are_a_fault_with_a_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fault_keeps_the_number_only_if_that_came_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_of_a_repeated_tlv_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_of_a_repeated_tlv_must_be_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tlv_of_another_type_leaves_no_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(absent_fields_are_zero, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tie_breaker_node_ids_count_only_in_node_id_mode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(node_infos_need_a_node_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(node_infos_follow_the_rules_of_a_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_node_info_overrunning_its_own_end_does_not_reach_the_next_tlv,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_nested_stays_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_tlvs_in_a_node_info_are_not_looked_at, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_node_info_is_a_fault_in_every_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(node_infos_accumulate_in_order_up_to_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lease_goes_both_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_instance_goes_both_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reason_is_cut_at_a_character, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("wire_rules", tests, NULL, NULL);
}
