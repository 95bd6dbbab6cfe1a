/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the packaged arbiter does wrong, played through on ours: one test for each defect that takes more than one
 * module to show. The table of all of them is docs/defects.md; U and P numbers are those of the specification
 * (spec/arbitration.md section 10, spec/qnet-protocol.md section 14).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/arbiter_driver.h"

#define FF WIRE_ALGORITHM_FFSPLIT
#define LMS WIRE_ALGORITHM_LMS
#define TWO WIRE_ALGORITHM_2NODELMS
#define U WIRE_HEURISTICS_UNDEFINED
#define PASS WIRE_HEURISTICS_PASS
#define FAIL WIRE_HEURISTICS_FAIL

static struct driver d;

/* Time passes while these slots send echoes; all that was sent. */
static const char *pass_alive(uint64_t ms, const char *slots)
{
    static char all[8192];

    all[0] = '\0';
    while (ms > 0) {
        uint64_t part = ms > 500 ? 500 : ms;

        strcat(all, driver_pass(&d, part));
        for (const char *slot = slots; *slot != '\0'; slot++)
            driver_echo(&d, *slot - '0');
        ms -= part;
    }
    return all;
}

/* Nodes 1 .. count together in ring 1.8, all with ACK. Slot = node id. */
static void whole_cluster(enum wire_algorithm algorithm, int count, enum wire_heuristics heuristics)
{
    char nodes[32] = "1";

    for (int node = 2; node <= count; node++)
        sprintf(nodes + strlen(nodes), ",%d", node);
    for (int node = 1; node <= count; node++)
        driver_join(&d, node, (uint32_t)node, algorithm, nodes);
    for (int node = 1; node <= count; node++)
        driver_membership(&d, node, nodes, 1, 8, heuristics);
    for (int node = 1; node <= count; node++) {
        driver_confirm(&d, node);
        assert_int_equal(driver_grant(&d, (uint32_t)node), GRANT_HELD);
    }
}

/* A 2/2 split of four nodes under ffsplit, tie-breaker lowest: 1 and 2 have the vote, 3 and 4 confirmed their NACK. */
static void split_in_halves(enum wire_algorithm algorithm, enum wire_heuristics heuristics)
{
    whole_cluster(algorithm, 4, heuristics);
    for (int node = 4; node >= 1; node--)
        driver_membership(&d, node, node <= 2 ? "1,2" : "3,4", node <= 2 ? 1 : 3, 12, heuristics);
    for (int node = 4; node >= 1; node--)
        driver_confirm(&d, node);
    for (uint32_t node = 1; node <= 4; node++)
        assert_int_equal(driver_grant(&d, node), node <= 2 ? GRANT_HELD : GRANT_NONE);
}

/* ---- safety ---- */

/* The packaged one: ACK to node 2 after 1.5 H, while node 1 believes in its own until 2 H. */
static void u01_the_other_half_waits_until_the_silent_holder_has_given_up(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(FF, 2, U);
    assert_string_equal(driver_membership(&d, 2, "2", 2, 12, U), "2<NODE_LIST_REPLY WAIT_FOR_REPLY 2.12");
    assert_string_equal(pass_alive(12000, "2"), "1<CLOSE");
    assert_string_equal(pass_alive(6999, "2"), "");
    assert_string_equal(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

/* S26: the link of one of the holders dies; the packaged one ACKs the other half while node 2 holds its ACK. */
static void u07_lms_grants_exclude_one_another_when_a_holder_leaves(void **state)
{
    (void)state;
    driver_init(&d);
    split_in_halves(LMS, U);
    assert_string_equal(driver_disconnect(&d, 1, ARBITER_GONE_CLOSE_NOTIFY), "2<VOTE_INFO NACK 1.12");
    assert_int_equal(driver_grant(&d, 3), GRANT_NONE);
    assert_string_equal(driver_quorum(&d, 3, "3,4", false), "3<NODE_LIST_REPLY NACK 3.12");
    assert_int_equal(driver_grant(&d, 2), GRANT_HELD); /* told NACK, and not confirmed yet */
    assert_non_null(strstr(driver_confirm(&d, 2), "3<VOTE_INFO ACK 3.12; 4<VOTE_INFO ACK 3.12"));
    driver_fini(&d);
}

/* S27: heuristics fail at the holder; the packaged one ACKs the other side while it still casts. */
static void u07_lms_grants_exclude_one_another_when_heuristics_change(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(LMS, 2, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_confirm(&d, 2);
    assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
    assert_string_equal(driver_heuristics(&d, 1, FAIL), "1<VOTE_INFO NACK 1.12; 1<HEURISTICS_CHANGE_REPLY NO_CHANGE 1.12");
    assert_int_equal(driver_grant(&d, 2), GRANT_NONE);
    assert_string_equal(driver_confirm(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

/* S33: node 2 compared with what node 1 had said before gets an ACK, then node 1 gets one too. */
static void u08_2nodelms_decides_once_for_both(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(TWO, 2, U);
    assert_string_equal(driver_membership(&d, 2, "2", 2, 12, PASS), "2<NODE_LIST_REPLY WAIT_FOR_REPLY 2.12");
    assert_string_equal(driver_membership(&d, 1, "1", 1, 12, PASS),
                        "2<VOTE_INFO NACK 2.12; 1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.12");
    assert_string_equal(driver_confirm(&d, 2), "1<VOTE_INFO ACK 1.12");
    driver_fini(&d);
}

static void u21_a_killed_device_is_waited_for(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(FF, 2, U);
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(pass_alive(7000, "12"), "");
    assert_string_equal(driver_disconnect(&d, 1, ARBITER_GONE_EOF), "");
    assert_null(strstr(pass_alive(10999, "2"), "VOTE_INFO")); /* 1.25 H = 10 s, and a margin */
    driver_fini(&d);
}

/* ---- who is looked at ---- */

/* S17 on the whole machine: the partner's candidate sees the new value at once. */
static void u02_heuristics_count_for_all_from_the_moment_they_are_reported(void **state)
{
    (void)state;
    driver_init(&d);
    split_in_halves(FF, PASS);
    assert_string_equal(driver_heuristics(&d, 1, FAIL),
                        "1<VOTE_INFO NACK 1.12; 2<VOTE_INFO NACK 1.12; 1<HEURISTICS_CHANGE_REPLY NO_CHANGE 1.12");
    driver_confirm(&d, 1);
    assert_string_equal(driver_confirm(&d, 2), "3<VOTE_INFO ACK 3.12; 4<VOTE_INFO ACK 3.12");
    driver_fini(&d);
}

/* S7b. */
static void u03_who_leaves_does_not_count_any_more(void **state)
{
    (void)state;
    driver_init(&d);
    split_in_halves(FF, U);
    assert_string_equal(driver_disconnect(&d, 1, ARBITER_GONE_CLOSE_NOTIFY), "2<VOTE_INFO NACK 1.12");
    assert_string_equal(driver_confirm(&d, 2), "3<VOTE_INFO ACK 3.12; 4<VOTE_INFO ACK 3.12");
    driver_fini(&d);
}

/* S16: node 2 holds its confirmation of a NACK when it is about to win; nobody may lose an ACK over it. */
static void u04_a_late_confirmation_swallows_no_ack(void **state)
{
    uint32_t late;

    (void)state;
    driver_init(&d);
    whole_cluster(FF, 2, U);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    late = d.vote_seq[2];
    driver_heuristics(&d, 1, FAIL); /* now node 2 must win, and node 1 give up */
    d.vote_seq[2] = late;
    driver_confirm(&d, 2);
    assert_string_equal(driver_confirm(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

/* S24: with the sender's old data a healthy rejoin gets NACK, then ACK. */
static void u11_a_healthy_rejoin_is_never_told_nack(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(LMS, 3, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    driver_membership(&d, 2, "2,3", 2, 12, U);
    driver_membership(&d, 3, "2,3", 2, 12, U);
    driver_confirm(&d, 1);
    for (int node = 1; node <= 3; node++)
        assert_null(strstr(driver_membership(&d, node, "1,2,3", 1, 16, U), "NACK"));
    for (uint32_t node = 1; node <= 3; node++)
        assert_int_equal(driver_grant(&d, node), GRANT_HELD);
    driver_fini(&d);
}

/* S26 step 1, S31: the winners leave, and the losers are told without having to ask. */
static void u12_losers_are_told_when_the_winner_has_left(void **state)
{
    static const enum wire_algorithm algorithms[] = {LMS, TWO};

    (void)state;
    for (int i = 0; i < 2; i++) {
        driver_init(&d);
        d.instance = 77; /* ours: a goodbye ends the vote under either */
        whole_cluster(algorithms[i], 2, U);
        driver_membership(&d, 2, "2", 2, 12, U);
        driver_membership(&d, 1, "1", 1, 12, U);
        driver_confirm(&d, 2);
        assert_non_null(strstr(driver_disconnect(&d, 1, ARBITER_GONE_CLOSE_NOTIFY), "2<VOTE_INFO ACK 2.12"));
        driver_fini(&d);
    }
}

/* DET: after a split the same nodes hold the vote, in whatever order the reports came and were confirmed. */
static void check_any_order(enum wire_algorithm algorithm, bool keep_active, const char *const memberships[4])
{
    uint32_t first = UINT32_MAX;

    for (int permutation = 0; permutation < 24; permutation++) {
        int left[4] = {1, 2, 3, 4};
        uint32_t holders = 0;

        driver_init(&d);
        whole_cluster(algorithm, 4, U);
        for (int node = 1; node <= 4; node++)
            driver_keep_active(&d, node, keep_active);
        for (int i = 0, rest = permutation; i < 4; rest /= 4 - i, i++) {
            int place = rest % (4 - i);
            int node = left[place];
            const char *nodes = memberships[node - 1];

            left[place] = left[3 - i];
            driver_membership(&d, node, nodes, (uint32_t)(nodes[0] - '0'), 12, U);
            driver_confirm(&d, permutation % 4 + 1); /* somebody confirms early */
        }
        for (int node = 1; node <= 4; node++)
            driver_confirm(&d, node);
        for (uint32_t node = 1; node <= 4; node++)
            holders |= driver_grant(&d, node) == GRANT_HELD ? 1u << node : 0;
        assert_true(first == UINT32_MAX || holders == first);
        first = holders;
        driver_fini(&d);
    }
}

static void u07_u11_the_order_of_arrival_does_not_matter(void **state)
{
    static const char *const splits[][4] = {
        {"1,2", "1,2", "3,4", "3,4"}, {"1", "2,3,4", "2,3,4", "2,3,4"},         {"1", "2", "3,4", "3,4"},
        {"1", "2", "3", "4"},         {"1,2,3,4", "1,2,3,4", "1,2,3,4", "1,2,3,4"}, {"1,4", "2,3", "2,3", "1,4"},
        {"1,3", "2", "1,3", "4"},     {"1,2,3", "1,2,3", "1,2,3", "4"}};

    (void)state;
    for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
        check_any_order(FF, false, splits[i]);
        check_any_order(FF, true, splits[i]);
        check_any_order(LMS, true, splits[i]);
    }
}

/* ---- half-initialised clients: U13, P1, P8, P11 ---- */

static void u13_p08_a_client_that_reports_nothing_holds_nobody_up(void **state)
{
    (void)state;
    driver_init(&d);
    driver_connect(&d, 3);
    driver_preinit(&d, 3, "C");
    driver_init_message(&d, 3, 3, FF);
    driver_join(&d, 4, 4, FF, "1,2,3,4"); /* a configuration, but no membership */
    driver_join(&d, 1, 1, FF, "1,2,3,4");
    assert_non_null(strstr(driver_membership(&d, 1, "1,2", 1, 8, U), "1<VOTE_INFO ACK 1.8"));
    driver_join(&d, 2, 2, FF, "1,2,3,4");
    assert_non_null(strstr(driver_membership(&d, 2, "1,2", 1, 8, U), "2<VOTE_INFO ACK 1.8"));
    driver_fini(&d);
}

/* The packaged arbiter dies of it: a client leaves while another has only said INIT, or a little more. */
static void p01_p11_who_has_not_reported_survives_and_hears_nothing_when_others_leave(void **state)
{
    static const enum wire_algorithm algorithms[] = {WIRE_ALGORITHM_TEST, FF, TWO, LMS};

    (void)state;
    for (int i = 0; i < 4; i++)
        for (int said = 0; said < 3; said++)
            for (int leaver = 0; leaver < 3; leaver++) {
                driver_init(&d);
                driver_connect(&d, 1);
                driver_preinit(&d, 1, "C");
                driver_init_message(&d, 1, 1, algorithms[i]);
                if (said >= 1)
                    driver_keep_active(&d, 1, true);
                if (said >= 2)
                    driver_config(&d, 1, "1,2");
                driver_connect(&d, 2);
                driver_preinit(&d, 2, "C");
                driver_init_message(&d, 2, 2, algorithms[i]);
                if (leaver >= 1)
                    driver_config(&d, 2, "1,2");
                if (leaver >= 2)
                    driver_membership(&d, 2, "1,2", 2, 8, U);
                assert_string_equal(driver_disconnect(&d, 2, ARBITER_GONE_EOF), "");
                assert_string_equal(pass_alive(30000, "1"), "");
                assert_int_equal(d.closed, 0);
                driver_fini(&d);
            }
}

/* ---- lists ---- */

/* [1,1,1] of four is one node, and [1,7,8] is one configured node. */
static void u14_only_configured_nodes_count_and_each_of_them_once(void **state)
{
    static const char *const lists[] = {"1,1,1", "1,7,8", "1,7,7,8,1"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        driver_init(&d);
        driver_join(&d, 1, 1, FF, "1,2,3,4");
        driver_join(&d, 3, 3, FF, "1,2,3,4");
        assert_null(strstr(driver_membership(&d, 1, lists[i], 1, 12, PASS), "VOTE_INFO ACK"));
        assert_int_equal(driver_grant(&d, 1), GRANT_NONE);
        driver_membership(&d, 3, "3,4", 3, 12, FAIL);
        driver_confirm(&d, 1);
        assert_int_equal(driver_grant(&d, 1), GRANT_NONE);
        assert_int_equal(driver_grant(&d, 3), GRANT_HELD);
        driver_fini(&d);
    }
}

static void u14_a_configuration_with_duplicates_is_no_larger(void **state)
{
    (void)state;
    driver_init(&d);
    driver_join(&d, 1, 1, FF, "1,2,2,2,2,1");
    driver_join(&d, 2, 2, FF, "1,2");
    driver_membership(&d, 1, "1", 1, 12, U);
    assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
    driver_fini(&d);
}

/* ---- waiting ---- */

/* Node 1 keeps saying that all are together; the rest is two of three. Decided after 2 H, and delivered at once. */
static void u15_disagreement_is_decided_after_two_heartbeats_and_stays_decided(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(LMS, 3, U);
    driver_membership(&d, 2, "2,3", 2, 12, U);
    driver_membership(&d, 3, "2,3", 2, 12, U);
    assert_string_equal(pass_alive(15999, "123"), "");
    assert_string_equal(driver_pass(&d, 1), "1<VOTE_INFO NACK 1.8");
    assert_string_equal(driver_confirm(&d, 1), "2<VOTE_INFO ACK 2.12; 3<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

/* What is no new list does not start the wait anew, however often it comes. */
static void u15_talk_does_not_prolong_the_wait(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(LMS, 3, U);
    driver_membership(&d, 2, "2,3", 2, 12, U);
    driver_membership(&d, 3, "2,3", 2, 12, U);
    for (int i = 0; i < 16; i++) {
        pass_alive(1000, "123");
        driver_heuristics(&d, 2, i % 2 == 0 ? PASS : FAIL);
        driver_membership(&d, 3, "2,3", 2, 12, U);
        driver_quorum(&d, 1, "1,2,3", true);
    }
    assert_string_equal(driver_confirm(&d, 1), ""); /* it has just said that it is quorate */
    assert_non_null(strstr(driver_quorum(&d, 1, "1,2,3", false), "2<VOTE_INFO ACK 2.12; 3<VOTE_INFO ACK 2.12"));
    assert_string_equal(driver_heuristics(&d, 2, PASS), "2<HEURISTICS_CHANGE_REPLY NO_CHANGE 2.12");
    driver_fini(&d);
}

static void u15_a_new_membership_gets_a_new_wait(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(FF, 4, U);
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_non_null(strstr(pass_alive(16000, "1234"), "2<VOTE_INFO NACK 2.12"));
    driver_confirm(&d, 2);
    /* The rest has noticed, one after the other: not decided against the first who says so. */
    assert_string_equal(driver_membership(&d, 3, "1,3,4", 1, 16, U), "3<NODE_LIST_REPLY WAIT_FOR_REPLY 1.16");
    assert_string_equal(driver_membership(&d, 4, "1,3,4", 1, 16, U), "4<NODE_LIST_REPLY WAIT_FOR_REPLY 1.16");
    assert_non_null(strstr(driver_membership(&d, 1, "1,3,4", 1, 16, U), "4<VOTE_INFO ACK 1.16"));
    driver_fini(&d);
}

/* S10: those who hold the vote keep it while the configuration is being changed. */
static void u16_a_configuration_change_stops_nobody(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(FF, 2, U);
    assert_string_equal(driver_list(&d, 1, WIRE_LIST_CHANGED_CONFIG, "1,2,3,4"), "1<NODE_LIST_REPLY NO_CHANGE 1.8");
    assert_string_equal(pass_alive(60000, "12"), "");
    assert_string_equal(driver_list(&d, 2, WIRE_LIST_CHANGED_CONFIG, "1,2,3,4"), "2<NODE_LIST_REPLY NO_CHANGE 1.8");
    for (uint32_t node = 1; node <= 2; node++)
        assert_int_equal(driver_grant(&d, node), GRANT_HELD);
    driver_fini(&d);
}

/* ---- keep active partition ---- */

/* Chosen is not granted: a side that had to wait and lost in the meantime was never active. */
static void u17_active_is_who_was_given_the_vote(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(FF, 2, U);
    for (int node = 1; node <= 2; node++)
        driver_keep_active(&d, node, true);
    driver_membership(&d, 2, "2", 2, 12, PASS);
    driver_membership(&d, 1, "1", 1, 12, U); /* node 2 is chosen; node 1 does not confirm its NACK */
    assert_int_equal(driver_cluster(&d)->granted.count, 2);
    driver_heuristics(&d, 1, PASS); /* equal again, both were active before: the tie-breaker decides */
    driver_confirm(&d, 2);
    assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
    assert_int_equal(driver_grant(&d, 2), GRANT_NONE);
    driver_fini(&d);
}

/* The memory outlasts a time without winner. */
static void u17_active_is_remembered_when_nobody_wins(void **state)
{
    (void)state;
    driver_init(&d);
    split_in_halves(FF, U);
    for (int node = 1; node <= 4; node++)
        driver_keep_active(&d, node, true);
    driver_membership(&d, 1, "1", 1, 16, U);
    driver_membership(&d, 2, "2", 2, 16, U);
    driver_membership(&d, 3, "3", 3, 16, U);
    driver_membership(&d, 4, "4", 4, 16, U);
    for (int node = 1; node <= 4; node++)
        driver_confirm(&d, node);
    for (uint32_t node = 1; node <= 4; node++)
        assert_int_equal(driver_grant(&d, node), GRANT_NONE);
    assert_true(node_set_has(&driver_cluster(&d)->granted, 1));
    assert_true(node_set_has(&driver_cluster(&d)->granted, 2));
    driver_fini(&d);
}

/* ---- warnings: U20, U23 ---- */

static void u20_an_odd_cluster_under_ffsplit_is_warned_about_once(void **state)
{
    (void)state;
    driver_init(&d);
    driver_join(&d, 1, 1, FF, "1,2,3");
    driver_membership(&d, 1, "1,2,3", 1, 8, U);
    assert_non_null(strstr(d.notes, "an odd number, under ffsplit"));
    driver_membership(&d, 1, "1,2", 1, 12, U);
    assert_null(strstr(d.notes, "an odd number"));
    assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
    driver_fini(&d);
}

static void u23_a_tie_breaker_that_is_no_node_is_warned_about(void **state)
{
    (void)state;
    driver_init(&d);
    d.tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_NODE_ID, 9};
    driver_join(&d, 1, 1, FF, "1,2");
    driver_membership(&d, 1, "1,2", 1, 8, U);
    assert_non_null(strstr(d.notes, "tie-breaker names node 9, which is not configured"));
    driver_fini(&d);
}

/* ---- sending: U19, P5 ---- */

static void u19_p05_a_failed_send_costs_whom_it_was_for(void **state)
{
    (void)state;
    driver_init(&d);
    whole_cluster(FF, 2, U);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_membership(&d, 1, "1", 1, 12, U); /* NACK to node 2, whose queue is full */
    assert_string_equal(driver_disconnect(&d, 2, ARBITER_GONE_SEND_FAILED), "");
    assert_int_equal(driver_grant(&d, 2), GRANT_GHOST);
    assert_non_null(strstr(pass_alive(19000, "1"), "1<VOTE_INFO ACK 1.12"));
    assert_int_equal(d.closed, 0);
    driver_fini(&d);
}

static void p05_a_message_too_large_for_its_receiver_ends_that_one_alone(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    settings.maximum_reply_size = 64;
    driver_init_with(&d, &settings, true);
    driver_connect(&d, 1);
    driver_connect(&d, 2);
    driver_preinit(&d, 1, "C");
    assert_string_equal(driver_init_message(&d, 1, 1, FF), "1<CLOSE"); /* INIT_REPLY with all arrays */
    assert_null(driver_cluster(&d));
    assert_string_equal(driver_preinit(&d, 2, "C"), "2<PREINIT_REPLY");
    driver_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(u01_the_other_half_waits_until_the_silent_holder_has_given_up),
        cmocka_unit_test(u02_heuristics_count_for_all_from_the_moment_they_are_reported),
        cmocka_unit_test(u03_who_leaves_does_not_count_any_more),
        cmocka_unit_test(u04_a_late_confirmation_swallows_no_ack),
        cmocka_unit_test(u07_lms_grants_exclude_one_another_when_a_holder_leaves),
        cmocka_unit_test(u07_lms_grants_exclude_one_another_when_heuristics_change),
        cmocka_unit_test(u08_2nodelms_decides_once_for_both),
        cmocka_unit_test(u07_u11_the_order_of_arrival_does_not_matter),
        cmocka_unit_test(u11_a_healthy_rejoin_is_never_told_nack),
        cmocka_unit_test(u12_losers_are_told_when_the_winner_has_left),
        cmocka_unit_test(u13_p08_a_client_that_reports_nothing_holds_nobody_up),
        cmocka_unit_test(u14_only_configured_nodes_count_and_each_of_them_once),
        cmocka_unit_test(u14_a_configuration_with_duplicates_is_no_larger),
        cmocka_unit_test(u15_disagreement_is_decided_after_two_heartbeats_and_stays_decided),
        cmocka_unit_test(u15_talk_does_not_prolong_the_wait),
        cmocka_unit_test(u15_a_new_membership_gets_a_new_wait),
        cmocka_unit_test(u16_a_configuration_change_stops_nobody),
        cmocka_unit_test(u17_active_is_who_was_given_the_vote),
        cmocka_unit_test(u17_active_is_remembered_when_nobody_wins),
        cmocka_unit_test(u19_p05_a_failed_send_costs_whom_it_was_for),
        cmocka_unit_test(u20_an_odd_cluster_under_ffsplit_is_warned_about_once),
        cmocka_unit_test(u21_a_killed_device_is_waited_for),
        cmocka_unit_test(u23_a_tie_breaker_that_is_no_node_is_warned_about),
        cmocka_unit_test(p01_p11_who_has_not_reported_survives_and_hears_nothing_when_others_leave),
        cmocka_unit_test(p05_a_message_too_large_for_its_receiver_ends_that_one_alone),
    };

    return cmocka_run_group_tests_name("defects", tests, NULL, NULL);
}
