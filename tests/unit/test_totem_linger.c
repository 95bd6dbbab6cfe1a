/* SPDX-License-Identifier: BSD-3-Clause */
/* The token that stays for some microseconds (core/totem/linger.c): when, for how long, and what leaves with it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/totem_driver.h"

/* Synchronised with node 2; the token of number 9 has been here. */
static void be_two(void)
{
    be_the_captured_node();
    join_node_2();
    synced();
    receive_token(9, 0, 0, 0);
    decode_sent(0, TOTEM_TOKEN);
}

/* A client that answers its own messages need not wait for the token, while nobody else speaks. */
static void the_token_stays_for_an_answer(void **state)
{
    (void)state;
    be_two();
    send_text("one");
    receive_token(11, 0, 0, 0);
    decode_sent(0, TOTEM_MCAST);
    assert_int_equal(sent_count, 1);
    assert_non_null(strstr(happened, "1 says one"));
    assert_true(linger_us > 0 && linger_us < 1000);
    send_text("two");
    decode_sent(0, TOTEM_MCAST);
    assert_int_equal(message.u.mcast.seq, 2);
    assert_int_equal(sent_count, 1);
    assert_non_null(strstr(happened, "1 says two"));
    assert_true(linger_us > 0);
    linger_over();
    assert_int_equal(sent_count, 1);
    decode_sent(0, TOTEM_TOKEN);
    assert_int_equal(message.u.token.seq, 2);
    assert_int_equal(message.u.token.token_seq, 12);
    assert_int_equal(message.u.token.aru, 2);
    assert_int_equal(message.u.token.fcc, 2);
    send_text("too late");
    assert_int_equal(sent_count, 0);
    linger_over();
    assert_int_equal(sent_count, 0);
    /* What was sent at that visit, the answer too, is taken off the count again; this token comes with a count of 0. */
    receive_token(13, 2, 2, 0);
    linger_over();
    decode_sent(0, TOTEM_TOKEN);
    assert_int_equal(message.u.token.fcc, (uint32_t)(1 - 2));
}

/* The others get their turn, however fast the answers come. */
static void the_token_does_not_stay_for_ever(void **state)
{
    unsigned answers = 0;

    (void)state;
    be_two();
    send_text("one");
    receive_token(11, 0, 0, 0);
    do {
        assert_true(answers++ < 100);
        send_text("another");
    } while (linger_us > 0);
    assert_true(sent_count > 0);
    decode_sent(sent_count - 1, TOTEM_TOKEN);
    assert_int_equal(message.u.token.seq, answers + 1);
}

/* However many answers one visit takes along: nobody talks so much that a visit had better begin later. */
static void who_answers_goes_on_being_answered(void **state)
{
    unsigned answers = 0;

    (void)state;
    be_two();
    send_text("one");
    receive_token(11, 0, 0, 0);
    do {
        send_text("another");
        answers++;
    } while (linger_us > 0);
    assert_true(answers > 4);
    send_text("the next");
    receive_token(13, answers + 1, answers + 1, 0);
    assert_int_equal(sent_count, 1);
    decode_sent(0, TOTEM_MCAST);
    assert_int_equal(message.u.mcast.seq, answers + 2);
    assert_non_null(strstr(happened, "1 says the next"));
}

/* Such a token is sent by somebody who has lost his mind, or by somebody else: it ends the stay of the one before. */
static void a_newer_token_ends_the_stay(void **state)
{
    bool was_held = false;

    for (uint32_t idle_visits = 0; idle_visits < 40 && !was_held; idle_visits++) {
        uint32_t token_seq = 9;

        be_two();
        for (uint32_t i = 0; i < idle_visits; i++)
            receive_token(token_seq += 2, 0, 0, 0);
        send_text("one");
        receive_token(token_seq += 2, 0, 0, 0);
        assert_true(linger_us > 0);
        receive_token(token_seq += 2, 0, 0, 0);
        /* The ring has been idle for long: its representative holds this one. */
        was_held = sent_count == 0;
        send_text("two");
        for (size_t i = 0; i < sent_count; i++)
            assert_int_not_equal(sent[i].bytes[3], TOTEM_MCAST);
        if (was_held) {
            decode_sent(sent_count - 1, TOTEM_TOKEN);
            assert_int_equal(message.u.token.token_seq, token_seq + 1);
        }
        linger_over();
        assert_int_equal(sent_count, 0);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
    assert_true(was_held);
}

static void the_token_does_not_stay_where_others_speak(void **state)
{
    (void)state;
    be_two();
    send_text("one");
    receive_text(1, "so do I");
    receive_token(11, 1, 1, 0);
    assert_int_equal(linger_us, 0);
    decode_sent(sent_count - 1, TOTEM_TOKEN);
}

/* This one, and the one before, found much to take along. */
static void be_talkative(uint32_t token_seq)
{
    for (int i = 0; i < 4; i++)
        send_text("and another");
    receive_token(token_seq - 2, 0, 0, 0);
    assert_int_equal(sent_count, 2);
    receive_token(token_seq, 1, 1, 0);
    assert_int_equal(sent_count, 0);
    assert_true(linger_us > 0 && linger_us < 1000);
}

/* Much was said since its last visit, but not so much that the next one is full anyway. */
static void the_token_waits_for_talkative_clients(void **state)
{
    static char large[1400];

    (void)state;
    be_two();
    be_talkative(13);
    for (int i = 0; i < 4; i++) {
        send_text("one more");
        assert_int_equal(sent_count, 0);
    }
    linger_over();
    decode_sent(0, TOTEM_MCAST);
    assert_int_equal(message.u.mcast.seq, 2);
    decode_sent(1, TOTEM_TOKEN);
    assert_int_equal(message.u.token.seq, 2);
    memset(large, 'x', sizeof(large) - 1);
    for (int i = 0; i < 20; i++)
        send_text(large);
    receive_token(15, 2, 2, 0);
    assert_int_equal(linger_us, 0);
    decode_sent(sent_count - 1, TOTEM_TOKEN);
}

static void a_kept_token_waits_no_longer_than_there_is_room(void **state)
{
    static char large[1400];
    int count = 0;

    (void)state;
    be_two();
    be_talkative(13);
    memset(large, 'x', sizeof(large) - 1);
    do {
        assert_true(count++ < 40);
        send_text(large);
    } while (sent_count == 0);
    decode_sent(sent_count - 1, TOTEM_TOKEN);
    linger_over();
    assert_int_equal(sent_count, 0);
}

/* Repeated because nobody has heard of it for long. */
static void a_kept_token_that_comes_again_is_taken_once(void **state)
{
    (void)state;
    be_two();
    be_talkative(13);
    receive_token(13, 1, 1, 0);
    assert_int_equal(sent_count, 1);
    decode_sent(0, TOTEM_TOKEN);
    assert_int_equal(message.u.token.token_seq, 14);
    linger_over();
    assert_int_equal(sent_count, 0);
}

static void a_kept_token_is_lost_with_its_time(void **state)
{
    static char large[1400];

    (void)state;
    be_two();
    be_talkative(13);
    now_ms += 2000;
    memset(large, 'x', sizeof(large) - 1);
    for (int i = 0; i < 40; i++) {
        send_text(large);
        assert_int_equal(sent_count, 0);
    }
}

/* The process slept while it had the token: the others may have formed a ring of their own. */
static void a_token_that_stayed_too_long_takes_nothing_along(void **state)
{
    (void)state;
    be_two();
    send_text("one");
    receive_token(11, 0, 0, 0);
    assert_true(linger_us > 0);
    now_ms += 600;
    send_text("two");
    assert_int_equal(sent_count, 0);
    linger_over();
    assert_int_equal(sent_count, 0);
    now_ms += 600;
    linger_over();
    decode_sent(0, TOTEM_JOIN);
}

/* A kept token that is passed on for another reason has left: nothing may be sent with it any more. */
static void a_kept_token_that_is_asked_for_is_gone(void **state)
{
    (void)state;
    be_two();
    send_text("one");
    receive_token(11, 0, 0, 0);
    assert_true(linger_us > 0);
    do {
        wait_for_deadline();
    } while (sent_count == 0 || sent[0].bytes[3] != TOTEM_TOKEN);
    send_text("two");
    assert_int_equal(sent_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_token_stays_for_an_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_token_does_not_stay_for_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_answers_goes_on_being_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_token_ends_the_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_token_does_not_stay_where_others_speak, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_token_waits_for_talkative_clients, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kept_token_waits_no_longer_than_there_is_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kept_token_that_comes_again_is_taken_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kept_token_is_lost_with_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_stayed_too_long_takes_nothing_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kept_token_that_is_asked_for_is_gone, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("totem_linger", tests, NULL, NULL);
}
