/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One ring machine by hand: against the datagrams of a packaged node (captured while it joined another, udpu, token 1000 ms),
 * and where its state table and timers matter. What many of them do together is the simulator's (tests/sim/ring).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/totem_driver.h"

static void a_lone_node_is_a_ring_at_once(void **state)
{
    (void)state;
    start();
    assert_string_equal(happened, "persist 5; transitional 1.5 [] -[] +[]; regular 1.5 [1] -[] +[1]; ");
    assert_sent(0, 0, "70c00303000100000000000000010000000100000000000000010000000000000001000000");
    send_text("sync");
    assert_string_equal(happened, "1 says sync; ");
    synced();
    send_text("hello");
    assert_string_equal(happened, "1 says hello; ");
    assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
}

static void a_packaged_node_gets_what_a_packaged_node_would_send(void **state)
{
    (void)state;
    be_the_captured_node();
    receive("70c00303000200000000000000020000000100000000000000010000000000000002000000");
    assert_sent(0, 0, "70c0030300010000000000000001000000020000000000000005000000000000000100000002000000");
    assert_int_equal(state_of_ring(), TOTEM_GATHER);
    receive(node2_join);
    assert_string_equal(happened, "persist 9; ");
    assert_sent(0, 2, "70c003040001000000000000000100000001000000090000000000000000000000010000000200000001000000020000000100000005000000"
                      "00000000080000000800000001000000000000000000000000000000000000000000000000000000");
    receive(node2_commit);
    assert_int_equal(state_of_ring(), TOTEM_RECOVERY);
    assert_sent(0, 2, "70c003040001000000000000000300000001000000090000000000000000000000020000000200000001000000020000000100000005000000"
                      "000000000800000008000000010000000200000005000000000000000200000002000000" "01000000");
    receive(node2_commit_again);
    assert_sent(0, 2, "70c003000001000000000000020000000000000000ffffffff0100000001000000090000000000000000000000000000000000000000000000");
    receive("70c003000002000000000000020000000001000000ffffffff0100000001000000090000000000000000000000000000000000000000000000");
    assert_sent(0, 2, "70c003000001000000000000020000000002000000000000000000000001000000090000000000000000000000000000000000000000000000");
    receive("70c003000002000000000000020000000003000000000000000000000001000000090000000000000000000000000000000000000000000000");
    assert_sent(0, 2, "70c003000001000000000000020000000004000000000000000000000001000000090000000000000000000000000000000000000000000000");
    receive("70c003000002000000000000020000000005000000000000000000000001000000090000000000000000000000000000000000000000000000");
    assert_sent(0, 2, "70c003000001000000000000020000000006000000000000000000000001000000090000000000000000000000000000000000000000000000");
    assert_string_equal(happened, "");
    receive("70c003000002000000000000020000000007000000000000000000000001000000090000000000000000000000000000000000000000000000");
    assert_string_equal(happened, "transitional 1.9 [1] -[] +[]; regular 1.9 [1,2] -[] +[2]; ");
    assert_sent(0, 2, "70c003000001000000000000020000000008000000000000000000000001000000090000000000000000000000000000000000000000000000");
    assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
}

static void messages_are_delivered_in_order_and_missing_ones_asked_for(void **state)
{
    (void)state;
    be_the_captured_node();
    join_node_2();
    synced();
    receive_text(1, "one");
    assert_string_equal(happened, "2 says one; ");
    receive_text(3, "three");
    receive_text(3, "three");
    assert_string_equal(happened, "");
    for (uint32_t visit = 0; visit < 4; visit++) {
        receive_token(9 + 2 * visit, 3, 3, 0);
        decode_sent(sent_count - 1, TOTEM_TOKEN);
        assert_int_equal(message.u.token.aru, 1);
        assert_int_equal(message.u.token.aru_node, 1);
        assert_int_equal(message.u.token.retransmit_count, 0);
    }
    receive_token(17, 3, 3, 0);
    decode_sent(sent_count - 1, TOTEM_TOKEN);
    assert_int_equal(message.u.token.retransmit_count, 1);
    assert_int_equal(message.u.token.retransmits[0].seq, 2);
    receive_text(2, "two");
    assert_string_equal(happened, "2 says two; 2 says three; ");
    receive_token(17, 3, 3, 0);
    assert_int_equal(sent_count, 0);
}

static void own_messages_go_with_the_token_and_come_back_in_order(void **state)
{
    (void)state;
    be_the_captured_node();
    join_node_2();
    synced();
    send_text("first");
    send_text("second");
    assert_int_equal(sent_count, 0);
    receive_token(9, 0, 0, 0);
    assert_string_equal(happened, "1 says first; 1 says second; ");
    assert_int_equal(sent_count, 1);
    decode_sent(0, TOTEM_MCAST);
    assert_int_equal(message.u.mcast.seq, 1);
    linger_over();
    decode_sent(0, TOTEM_TOKEN);
    assert_int_equal(message.u.token.seq, 1);
    assert_int_equal(message.u.token.aru, 1);
    assert_int_equal(message.u.token.fcc, 1);
    assert_int_equal(message.u.token.backlog, 1);
    assert_int_equal(message.u.token.token_seq, 10);
}

/* A JOIN of a node in a ring of its own; node 3 is a candidate for it, or one that it has given up as well. */
static void receive_join(uint32_t from, uint64_t ring_seq, bool without_3)
{
    uint8_t bytes[512];

    memset(&message, 0, sizeof(message));
    message.header = (struct totem_header){TOTEM_ORDER_OURS, TOTEM_JOIN, TOTEM_NOT_MCAST, from, 0};
    message.u.join = (struct totem_join){.system_from = from, .ring_seq = ring_seq, .proc_count = from > 3 ? 4 : 3,
                                         .proc = {1, 2, 3, from},
                                         .failed_count = without_3 ? 1 : 0, .failed = {3}};
    totem_encode(bytes, &message);
    receive_bytes(bytes, totem_encoded_size(&message));
}

/* Node 3 does not answer, and node 2 does not agree in time: I am alone, and have given up both. */
static void give_up_2_and_3(void)
{
    be_the_captured_node();
    receive_join(2, 40, false);
    assert_int_equal(state_of_ring(), TOTEM_GATHER);
    receive_join(2, 40, true);
    for (int i = 0; i < 200 && state_of_ring() == TOTEM_GATHER; i++)
        wait_for_deadline();
    assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
    synced();
}

/* The commit token is the sign that all candidates who are not given up agree. */
static void who_was_given_up_already_is_not_waited_for_again(void **state)
{
    (void)state;
    give_up_2_and_3();
    receive_join(2, 60, true);
    assert_true(sent_count > 0);
    decode_sent(sent_count - 1, TOTEM_COMMIT);
    assert_int_equal(message.u.commit.member_count, 2);
}

static void who_was_heard_since_is_waited_for(void **state)
{
    (void)state;
    give_up_2_and_3();
    receive_join(3, 60, false);
    receive_join(2, 60, true);
    for (size_t i = 0; i < sent_count; i++)
        assert_int_not_equal(sent[i].bytes[3], TOTEM_COMMIT);
    assert_int_equal(state_of_ring(), TOTEM_GATHER);
}

static void receive_commit(uint32_t filled)
{
    uint8_t bytes[512];

    memset(&message, 0, sizeof(message));
    message.header = (struct totem_header){TOTEM_ORDER_OURS, TOTEM_COMMIT, TOTEM_NOT_MCAST, 1, 2};
    message.u.commit = (struct totem_commit){.token_seq = filled, .ring = {1, 64}, .filled_count = filled,
                                             .member_count = 3, .members = {1, 2, 3}};
    totem_encode(bytes, &message);
    receive_bytes(bytes, totem_encoded_size(&message));
}

static void receive_token_of_1_64(const struct totem_token *token)
{
    uint8_t bytes[512];

    memset(&message, 0, sizeof(message));
    message.header = (struct totem_header){TOTEM_ORDER_OURS, TOTEM_TOKEN, TOTEM_NOT_MCAST, 1, 2};
    message.u.token = *token;
    totem_encode(bytes, &message);
    receive_bytes(bytes, totem_encoded_size(&message));
}

/* As node 2, on the way to ring 1.64 of nodes 1 to 3, although of those only node 1 was ever heard here. */
static void recover_with_1_and_3(void)
{
    receive_join(1, 60, false);
    receive_commit(1);
    receive_commit(3);
    assert_int_equal(state_of_ring(), TOTEM_RECOVERY);
}

static void be_in_the_ring_of_1_and_3(void)
{
    recover_with_1_and_3();
    for (uint32_t token_seq = 1; token_seq < 30 && state_of_ring() != TOTEM_OPERATIONAL; token_seq += 3)
        receive_token_of_1_64(&(struct totem_token){.token_seq = token_seq, .ring = {1, 64}});
    assert_non_null(strstr(happened, "regular 1.64 [1,2,3]"));
}

static uint32_t known_up_to(void)
{
    struct totem_status status;

    totem_get_status(ring, &status);
    return status.aru;
}

/* A ring that never comes about because its messages do not arrive here: what is known of the one before stays known. */
static void failure_to_receive_ends_a_recovery(void **state)
{
    uint32_t aru;

    (void)state;
    start();
    synced();
    send_text("said before");
    aru = known_up_to();
    assert_true(aru > 0);
    recover_with_1_and_3();
    for (uint32_t visit = 0; visit < 3000 && state_of_ring() == TOTEM_RECOVERY; visit++)
        receive_token_of_1_64(&(struct totem_token){
            .token_seq = 1 + 3 * visit, .seq = 9, .aru_node = 2, .retrans_flag = 1, .ring = {1, 64}});
    assert_int_equal(state_of_ring(), TOTEM_GATHER);
    assert_int_equal(known_up_to(), aru);
}

/* Old news of a member of my ring: that I had given it up, too, was before. */
static void who_is_in_the_ring_is_not_given_up_again(void **state)
{
    (void)state;
    start();
    synced();
    receive_join(1, 40, false);
    for (int i = 0; i < 200 && state_of_ring() == TOTEM_GATHER; i++)
        wait_for_deadline();
    assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
    be_in_the_ring_of_1_and_3();
    receive_join(4, 60, true);
    decode_sent(0, TOTEM_JOIN);
    assert_int_equal(message.u.join.proc_count, 4);
    assert_int_equal(message.u.join.failed_count, 0);
}

/* Node 2 has been given up, 3 has not agreed to that yet: how long until I go on alone, when 2 speaks from this ring? */
static uint64_t alone_after_ms(uint64_t ring_seq_of_2)
{
    uint64_t began_ms;

    be_the_captured_node();
    began_ms = now_ms;
    receive_join(3, 40, false);
    receive_join(2, 40, true);
    while (now_ms < began_ms + 1200)
        wait_for_deadline();
    assert_int_equal(state_of_ring(), TOTEM_GATHER);
    began_ms = now_ms;
    receive_join(2, ring_seq_of_2, false);
    while (state_of_ring() == TOTEM_GATHER)
        wait_for_deadline();
    assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
    return now_ms - began_ms;
}

static void an_attempt_without_one_who_is_back_ends_soon(void **state)
{
    (void)state;
    assert_in_range(alone_after_ms(60), 0, 200);
}

static void an_attempt_without_one_who_is_late_is_waited_for(void **state)
{
    (void)state;
    assert_in_range(alone_after_ms(40), 1000, 1300);
}

static void receive_lists(uint32_t from, uint64_t ring_seq, const struct totem_nodes *proc, const struct totem_nodes *failed)
{
    static uint8_t bytes[4096];

    memset(&message, 0, sizeof(message));
    message.header = (struct totem_header){TOTEM_ORDER_OURS, TOTEM_JOIN, TOTEM_NOT_MCAST, from, 0};
    message.u.join.system_from = from;
    message.u.join.ring_seq = ring_seq;
    message.u.join.proc_count = proc->count;
    message.u.join.failed_count = failed->count;
    memcpy(message.u.join.proc, proc->ids, proc->count * sizeof(proc->ids[0]));
    memcpy(message.u.join.failed, failed->ids, failed->count * sizeof(failed->ids[0]));
    totem_encode(bytes, &message);
    receive_bytes(bytes, totem_encoded_size(&message));
}

/* Whoever forges one JOIN can name as many nodes as a list has room for. Those who come afterwards are remembered all the same. */
static void names_that_nobody_bears_leave_room_for_others(void **state)
{
    struct totem_nodes nodes = {0};
    struct totem_nodes none = {0};

    (void)state;
    be_the_captured_node();
    while (nodes.count < TOTEM_NODES_MAX)
        totem_nodes_add(&nodes, 1000 + nodes.count);
    receive_lists(1000, 40, &nodes, &none);
    assert_int_equal(state_of_ring(), TOTEM_GATHER);
    for (int i = 0; i < 200 && state_of_ring() == TOTEM_GATHER; i++)
        wait_for_deadline();
    assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
    synced();
    nodes = (struct totem_nodes){3, {1, 5, 7}};
    receive_lists(5, 60, &nodes, &none);
    assert_int_equal(state_of_ring(), TOTEM_GATHER);
    /* Overtaken on its way by the one before. */
    totem_nodes_add(&nodes, 9);
    receive_lists(5, 44, &nodes, &none);
    assert_int_equal(sent_count, 0);
    receive_lists(5, 64, &nodes, &none);
    decode_sent(0, TOTEM_JOIN);
    assert_int_equal(message.u.join.proc_count, 4);
}

/* However many strangers there are, and however lately they were heard. */
static void a_member_of_the_ring_is_not_forgotten_for_strangers(void **state)
{
    struct totem_nodes nodes = {1, {1}};
    struct totem_nodes none = {0};
    struct totem_nodes failed = {1, {3}};

    (void)state;
    be_the_captured_node();
    join_node_2();
    synced();
    for (uint32_t i = 0; i < TOTEM_NODES_MAX + 16; i++) {
        if (i % 16 == 0)
            now_ms++;
        receive_lists(1000 + i, 40, &nodes, &none);
    }
    assert_int_equal(state_of_ring(), TOTEM_GATHER);
    receive_lists(2, 1, &nodes, &failed);
    assert_int_equal(sent_count, 0);
    receive_lists(2, 9, &nodes, &failed);
    decode_sent(0, TOTEM_JOIN);
    assert_int_equal(message.u.join.failed_count, 1);
}

static void an_idle_ring_is_held_and_woken(void **state)
{
    uint32_t token_seq = 9;

    (void)state;
    be_the_captured_node();
    join_node_2();
    synced();
    do {
        receive_token(token_seq, 0, 0, 0);
        token_seq += 2;
    } while (sent_count > 0 && token_seq < 200);
    /* Held at the 31st visit that found nothing new, four of them before the ring was complete. */
    assert_int_equal(token_seq, 9 + 2 * 27);
    now_ms += 180;
    assert_int_equal(step((struct totem_event){.type = TOTEM_EV_TIME}), Q_OK);
    decode_sent(0, TOTEM_TOKEN);
    receive_token(token_seq, 0, 0, 0);
    assert_int_equal(sent_count, 0);
    send_text("wake up");
    decode_sent(0, TOTEM_HOLD_CANCEL);
    decode_sent(1, TOTEM_TOKEN);
    assert_int_equal(sent[0].target, 0);
    assert_int_equal(sent[1].target, 2);
}

static void a_lost_token_costs_token_and_consensus_timeout(void **state)
{
    uint64_t began_ms;

    (void)state;
    be_the_captured_node();
    join_node_2();
    synced();
    began_ms = now_ms;
    while (state_of_ring() != TOTEM_GATHER)
        wait_for_deadline();
    assert_int_equal(now_ms - began_ms, 1000);
    while (state_of_ring() == TOTEM_GATHER)
        wait_for_deadline();
    assert_int_equal(now_ms - began_ms, 2200);
    assert_string_equal(happened, "persist 13; transitional 1.13 [1] -[2] +[]; regular 1.13 [1] -[] +[]; ");
}

static void a_leave_costs_nothing(void **state)
{
    (void)state;
    be_the_captured_node();
    join_node_2();
    synced();
    receive("70c0030300000000000000000002000000010000000100000009000000000000000100000002000000");
    assert_string_equal(happened, "persist 13; transitional 1.13 [1] -[2] +[]; regular 1.13 [1] -[] +[]; ");
}

static void leaving_names_oneself_last_and_ends_everything(void **state)
{
    (void)state;
    be_the_captured_node();
    join_node_2();
    assert_int_equal(step((struct totem_event){.type = TOTEM_EV_LEAVE}), Q_OK);
    assert_sent(0, 0, "70c0030300000000000000000001000000010000000100000009000000000000000200000001000000");
    assert_int_equal(state_of_ring(), TOTEM_LEFT);
    assert_true(totem_deadline_ms(ring) == TOTEM_NEVER);
    receive(node2_join);
    assert_int_equal(sent_count, 0);
}

static void replayed_and_random_datagrams_do_not_disturb_a_ring(void **state)
{
    static const char *const replayed[] = {
        "70c00303000200000000000000020000000100000000000000010000000000000002000000",
        "70c0030300010000000000000001000000020000000000000005000000000000000100000002000000",
        "70c00302000200000000000000020000000200000005000000" "00000000",
        "70c00302000100000000000000010000000100000005000000" "00000000",
        "70c0030102020000000000000002000000010000000000000002000000050000000000000000000000000000000000000000000100020000" "4141",
        "70c00300000200000000000002020000000900000002000000000000000200000005000000000000000200000002000000" "0000000000000000",
    };
    uint32_t random = 1;

    (void)state;
    be_the_captured_node();
    join_node_2();
    synced();
    for (size_t i = 0; i < sizeof(replayed) / sizeof(replayed[0]); i++) {
        receive(replayed[i]);
        assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
        assert_string_equal(happened, "");
        assert_int_equal(sent_count, 0);
    }
    receive(node2_join);
    receive(node2_commit);
    receive(node2_commit_again);
    assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[200];
        size_t size = (random >> 8) % sizeof(bytes);

        for (size_t at = 0; at < size; at++) {
            random = random * 1664525 + 1013904223;
            bytes[at] = (uint8_t)(random >> 24);
        }
        receive_bytes(bytes, size);
        assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
    }
}

static void a_full_queue_and_impossible_messages_are_refused(void **state)
{
    static uint8_t large[TOTEM_MESSAGE_MAX + 1];
    struct totem_part part = {large, TOTEM_MESSAGE_MAX};
    struct totem_event event = {.type = TOTEM_EV_MESSAGE, .u.message = {&part, 1}};
    enum q_err result;

    (void)state;
    be_the_captured_node();
    join_node_2();
    synced();
    do {
        assert_true(sent_count == 0);
        result = step(event);
    } while (result == Q_OK);
    assert_int_equal(result, Q_ERR_AGAIN);
    assert_false(totem_has_room(ring, TOTEM_MESSAGE_MAX));
    part.size++;
    assert_int_equal(step(event), Q_ERR_INVALID);
    part.size = 0;
    assert_int_equal(step(event), Q_ERR_INVALID);
}

static void a_join_after_a_pause_drains_what_arrived(void **state)
{
    (void)state;
    be_the_captured_node();
    now_ms += 600;
    receive("70c00303000200000000000000020000000100000000000000010000000000000002000000");
    assert_string_equal(happened, "drain; ");
    assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
    receive("70c00303000200000000000000020000000100000000000000010000000000000002000000");
    assert_int_equal(state_of_ring(), TOTEM_GATHER);
}

/* By the time it is read the others have missed it too, and may be a ring without us. */
static void a_token_that_lay_in_the_socket_for_too_long_is_none(void **state)
{
    (void)state;
    be_the_captured_node();
    join_node_2();
    synced();
    now_ms += 999;
    receive_token(9, 0, 0, 0);
    assert_int_equal(state_of_ring(), TOTEM_OPERATIONAL);
    now_ms += 1000;
    receive_token(11, 0, 0, 0);
    assert_int_equal(state_of_ring(), TOTEM_GATHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lone_node_is_a_ring_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_packaged_node_gets_what_a_packaged_node_would_send, set_up, tear_down),
        cmocka_unit_test_setup_teardown(messages_are_delivered_in_order_and_missing_ones_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(own_messages_go_with_the_token_and_come_back_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_idle_ring_is_held_and_woken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_was_given_up_already_is_not_waited_for_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_was_heard_since_is_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_attempt_without_one_who_is_back_ends_soon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_attempt_without_one_who_is_late_is_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_nobody_bears_leave_room_for_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_member_of_the_ring_is_not_forgotten_for_strangers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_in_the_ring_is_not_given_up_again, set_up_as_2, tear_down),
        cmocka_unit_test_setup_teardown(failure_to_receive_ends_a_recovery, set_up_as_2, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_token_costs_token_and_consensus_timeout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_leave_costs_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaving_names_oneself_last_and_ends_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replayed_and_random_datagrams_do_not_disturb_a_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_and_impossible_messages_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_join_after_a_pause_drains_what_arrived, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_lay_in_the_socket_for_too_long_is_none, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("totem_ring", tests, NULL, NULL);
}
