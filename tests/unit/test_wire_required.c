/* SPDX-License-Identifier: BSD-3-Clause */
/* Which TLVs a receiver insists on (spec section 3), and the names of things. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/unit/wire_text.h"
#include "tests/unit/wire_help.h"

#define ANY (-1)

/* The table of section 3 as slots, told independently of the table under test. */
static const struct {
    enum wire_type type;
    int discriminator; /* list type of NODE_LIST, error of INIT_REPLY */
    uint8_t slots[8];
    uint8_t count;
} expected[] = {
    {WIRE_PREINIT, ANY, {1}, 1},
    {WIRE_PREINIT_REPLY, ANY, {0, 2, 3}, 3},
    {WIRE_STARTTLS, ANY, {0}, 0},
    {WIRE_INIT, ANY, {9, 13, 12, 21, 11}, 5},
    {WIRE_INIT_REPLY, 0, {0, 6, 7, 8, 4, 5, 10}, 7},
    {WIRE_INIT_REPLY, 17, {0, 6}, 2},
    {WIRE_SERVER_ERROR, ANY, {6}, 1},
    {WIRE_SET_OPTION, ANY, {0}, 0},
    {WIRE_SET_OPTION_REPLY, ANY, {0}, 0},
    {WIRE_ECHO_REQUEST, ANY, {0}, 0},
    {WIRE_ECHO_REPLY, ANY, {0}, 1},
    {WIRE_NODE_LIST, WIRE_LIST_INITIAL_CONFIG, {0, 18}, 2},
    {WIRE_NODE_LIST, WIRE_LIST_CHANGED_CONFIG, {0, 18}, 2},
    {WIRE_NODE_LIST, WIRE_LIST_MEMBERSHIP, {0, 18, 13}, 3},
    {WIRE_NODE_LIST, WIRE_LIST_QUORUM, {0, 18, 20}, 3},
    {WIRE_NODE_LIST_REPLY, ANY, {0, 18, 13, 19}, 4},
    {WIRE_ASK_FOR_VOTE, ANY, {0}, 1},
    {WIRE_ASK_FOR_VOTE_REPLY, ANY, {0, 19, 13}, 3},
    {WIRE_VOTE_INFO, ANY, {0, 19, 13}, 3},
    {WIRE_VOTE_INFO_REPLY, ANY, {0}, 1},
    {WIRE_HEURISTICS_CHANGE, ANY, {0, 22}, 2},
    {WIRE_HEURISTICS_CHANGE_REPLY, ANY, {0, 19, 13, 22}, 4},
};
#define EXPECTED_COUNT (sizeof(expected) / sizeof(expected[0]))

static void set_discriminator(struct wire_message *message, int value)
{
    if (message->type == WIRE_NODE_LIST) {
        message->u.node_list.list_type = (enum wire_node_list_type)value;
    } else if (message->type == WIRE_INIT_REPLY) {
        message->u.init_reply.error = (enum wire_error)value;
    }
}

static void what_is_required_suffices(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXPECTED_COUNT; i++) {
        decoded = (struct wire_message){.type = expected[i].type};
        set_discriminator(&decoded, expected[i].discriminator);
        for (uint8_t j = 0; j < expected[i].count; j++) {
            decoded.present |= WIRE_HAS(expected[i].slots[j]);
        }
        assert_true(wire_has_required(&decoded));
    }
}

static void each_tlv_is_missed_exactly_if_it_is_required(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXPECTED_COUNT; i++) {
        for (uint32_t slot = 0; slot < WIRE_SLOT_COUNT; slot++) {
            bool required = false;

            for (uint8_t j = 0; j < expected[i].count; j++) {
                required = required || expected[i].slots[j] == slot;
            }
            decoded =
                (struct wire_message){.type = expected[i].type, .present = UINT32_MAX & ~WIRE_HAS(slot)};
            set_discriminator(&decoded, expected[i].discriminator);
            assert_int_equal(wire_has_required(&decoded), !required);
        }
    }
}

static void everything_required_is_among_what_the_type_carries(void **state)
{
    (void)state;
    for (size_t i = 0; i < wire_required_count; i++) {
        assert_int_equal(wire_required[i].mask & ~wire_type_mask(wire_required[i].type), 0);
    }
}

static void requests_and_replies_are_told_apart(void **state)
{
    static const bool server_only[WIRE_TYPE_COUNT] = {
        [1] = true,  [4] = true,  [5] = true,  [7] = true,  [9] = true,
        [11] = true, [13] = true, [14] = true, [17] = true,
    };

    (void)state;
    for (unsigned type = 0; type < WIRE_TYPE_COUNT; type++) {
        assert_true(wire_type_is_known(type));
        assert_int_equal(wire_type_is_server_only((enum wire_type)type), server_only[type]);
    }
    assert_false(wire_type_is_known(WIRE_TYPE_COUNT));
    assert_false(wire_type_is_known(UINT16_MAX));
    assert_false(wire_type_is_server_only((enum wire_type)WIRE_TYPE_COUNT));
}

static void every_value_has_a_name_and_others_are_unknown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WIRE_TYPE_COUNT; i++) {
        assert_string_not_equal(wire_type_name((enum wire_type)i), "unknown");
    }
    assert_string_equal(wire_type_name((enum wire_type)WIRE_TYPE_COUNT), "unknown");
    for (unsigned i = 0; i <= WIRE_ERROR_INVALID_MEMBERSHIP_LIST; i++) {
        assert_string_not_equal(wire_error_text(i), "unknown");
    }
    assert_string_not_equal(wire_error_text(WIRE_ERROR_NAME_TAKEN), "unknown");
    assert_string_equal(wire_error_text(20), "unknown");
    assert_string_equal(wire_error_text(UINT16_MAX), "unknown");
    assert_string_equal(wire_algorithm_name(WIRE_ALGORITHM_2NODELMS), "2nodelms");
    assert_string_equal(wire_algorithm_name(WIRE_ALGORITHM_COUNT), "unknown");
    assert_string_equal(wire_vote_name(WIRE_VOTE_NO_CHANGE), "NO_CHANGE");
    assert_string_equal(wire_vote_name((enum wire_vote)6), "unknown");
    assert_string_equal(wire_heuristics_name(WIRE_HEURISTICS_UNDEFINED), "undefined");
    assert_string_equal(wire_heuristics_name(WIRE_HEURISTICS_FAIL), "fail");
    assert_string_equal(wire_heuristics_name((enum wire_heuristics)3), "unknown");
    assert_string_equal(wire_node_list_type_name((enum wire_node_list_type)4), "unknown");
    assert_string_equal(wire_node_state_name((enum wire_node_state)4), "unknown");
}

static void rings_and_tie_breakers_compare_as_the_spec_says(void **state)
{
    struct wire_ring_id ring = {1, UINT64_C(1) << 40};
    struct wire_tie_breaker lowest = {WIRE_TIE_BREAKER_LOWEST, 0};
    struct wire_tie_breaker node3 = {WIRE_TIE_BREAKER_NODE_ID, 3};

    (void)state;
    assert_true(wire_ring_id_equal(ring, ring));
    assert_false(wire_ring_id_equal(ring, (struct wire_ring_id){2, ring.seq}));
    assert_false(wire_ring_id_equal(ring, (struct wire_ring_id){1, ring.seq + 1}));
    assert_true(wire_tie_breaker_equal(lowest, (struct wire_tie_breaker){WIRE_TIE_BREAKER_LOWEST, 7}));
    assert_false(wire_tie_breaker_equal(lowest, node3));
    assert_true(wire_tie_breaker_equal(node3, node3));
    assert_false(wire_tie_breaker_equal(node3, (struct wire_tie_breaker){WIRE_TIE_BREAKER_NODE_ID, 4}));
}

/* ---- text ---------------------------------------------------------------------------------------- */

static void text_is_escaped_and_cut(void **state)
{
    static const uint8_t name[] = {'a', '"', '\\', 0, 0xff, '\n', 'z'};
    static const char whole[] = "PREINIT cluster=\"a\\x22\\x5c\\x00\\xff\\x0az\"";
    char text[64];

    (void)state;
    decoded = (struct wire_message){.type = WIRE_PREINIT, .present = WIRE_HAS(WIRE_TLV_CLUSTER_NAME)};
    decoded.u.preinit.cluster_name = (struct wire_bytes){name, sizeof(name)};
    for (size_t size = 1; size <= sizeof(text); size++) {
        size_t kept = size - 1 < strlen(whole) ? size - 1 : strlen(whole);

        memset(text, '?', sizeof(text));
        assert_int_equal(wire_text(text, size, &decoded), strlen(whole));
        assert_memory_equal(text, whole, kept);
        assert_int_equal(text[kept], '\0');
        if (size < sizeof(text)) {
            assert_int_equal(text[size], '?');
        }
    }
}

static void text_knows_every_field(void **state)
{
    char text[WIRE_TEXT_SIZE];
    static const struct wire_bytes all = {NULL, 1};

    (void)state;
    decoded = (struct wire_message){.type = WIRE_INIT, .present = UINT32_MAX, .seq = 3};
    decoded.u.init = (struct wire_init){
        .node_id = 7,
        .algorithm = WIRE_ALGORITHM_LMS,
        .heartbeat_ms = 8000,
        .tie_breaker = {WIRE_TIE_BREAKER_NODE_ID, 5},
        .ring_id = {2, 9},
        .lease = {8000, 12000},
        .instance = UINT64_C(0x123456789abcdef0),
        .supported_messages = all,
        .supported_options = all,
    };
    wire_text(text, sizeof(text), &decoded);
    assert_string_equal(
        text, "INIT seq=3 messages=18 options=24 node=7 algorithm=lms heartbeat=8000ms tie_breaker=5 "
              "ring=2.9 lease=8000ms hold=12000ms instance=123456789abcdef0");
    decoded = (struct wire_message){.type = WIRE_VOTE_INFO, .present = UINT32_MAX, .seq = 1};
    decoded.u.vote = (struct wire_vote_message){
        .vote = WIRE_VOTE_NACK, .ring_id = {1, 5}, .reason = {(const uint8_t *)"2 against 2", 11}};
    wire_text(text, sizeof(text), &decoded);
    assert_string_equal(text, "VOTE_INFO seq=1 vote=NACK ring=1.5 reason=\"2 against 2\"");
    decoded = (struct wire_message){.type = (enum wire_type)99};
    wire_text(text, sizeof(text), &decoded);
    assert_string_equal(text, "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_required_suffices),
        cmocka_unit_test(each_tlv_is_missed_exactly_if_it_is_required),
        cmocka_unit_test(everything_required_is_among_what_the_type_carries),
        cmocka_unit_test(requests_and_replies_are_told_apart),
        cmocka_unit_test(every_value_has_a_name_and_others_are_unknown),
        cmocka_unit_test(rings_and_tie_breakers_compare_as_the_spec_says),
        cmocka_unit_test(text_is_escaped_and_cut),
        cmocka_unit_test(text_knows_every_field),
    };

    return cmocka_run_group_tests_name("wire_required", tests, NULL, NULL);
}
