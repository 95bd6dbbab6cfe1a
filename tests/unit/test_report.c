/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a READY client tells and asks, and the vote in each reply: per algorithm, kind of list and state of affairs; and
 * what of it is refused. (spec/qnet-protocol.md section 8, spec/arbitration.md sections 3 to 6, 11.8.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/arbiter_driver.h"

#define TEST WIRE_ALGORITHM_TEST
#define FF WIRE_ALGORITHM_FFSPLIT
#define TWO WIRE_ALGORITHM_2NODELMS
#define LMS WIRE_ALGORITHM_LMS
#define U WIRE_HEURISTICS_UNDEFINED
#define PASS WIRE_HEURISTICS_PASS
#define FAIL WIRE_HEURISTICS_FAIL

static struct driver d;

/* A client that has said INIT (ring 1.1 for node 1) and nothing since. */
static void ready(int slot, enum wire_algorithm algorithm)
{
    driver_connect(&d, slot);
    driver_preinit(&d, slot, "C");
    driver_init_message(&d, slot, (uint32_t)slot, algorithm);
    assert_int_equal(d.message.u.init_reply.error, 0);
}

/* ---- the votes ---- */

struct votes {
    const char *config;
    const char *membership;
    const char *quorum;
    const char *heuristics;
    const char *ask; /* NULL: SERVER_ERROR 14 */
};

/* Says all five things once; `ring` is what the replies must name. The membership comes last. */
static void check_votes(int slot, const struct votes *votes, const char *nodes, const char *ring)
{
    char expected[256];

    snprintf(expected, sizeof(expected), "%d<NODE_LIST_REPLY %s %s", slot, votes->quorum, ring);
    assert_string_equal(driver_quorum(&d, slot, nodes, false), expected);
    snprintf(expected, sizeof(expected), "%d<HEURISTICS_CHANGE_REPLY %s %s", slot, votes->heuristics, ring);
    assert_string_equal(driver_heuristics(&d, slot, PASS), expected);
    snprintf(expected, sizeof(expected), "%d<ASK_FOR_VOTE_REPLY %s %s", slot, votes->ask, ring);
    assert_string_equal(driver_ask(&d, slot), votes->ask != NULL ? expected : slot == 1 ? "1<SERVER_ERROR 14"
                                                                                       : "2<SERVER_ERROR 14");
    snprintf(expected, sizeof(expected), "%d<NODE_LIST_REPLY %s %s", slot, votes->config, ring);
    assert_string_equal(driver_list(&d, slot, WIRE_LIST_CHANGED_CONFIG, "1,2"), expected);
    if (votes->membership != NULL)
        assert_string_equal(driver_membership(&d, slot, nodes, (uint32_t)slot, 1, PASS), votes->membership);
}

static void votes_before_anything_was_reported(void **state)
{
    static const struct votes test = {"NO_CHANGE", NULL, "NO_CHANGE", "NO_CHANGE", "ACK"};
    static const struct votes ff = {"ASK_LATER", NULL, "NO_CHANGE", "ASK_LATER", NULL};
    static const struct votes two = {"NO_CHANGE", NULL, "NO_CHANGE", "NO_CHANGE", "ASK_LATER"};
    static const struct votes lms = {"NO_CHANGE", NULL, "ASK_LATER", "NO_CHANGE", "ASK_LATER"};
    static const struct votes *const all[] = {&test, &ff, &two, &lms};

    (void)state;
    for (int algorithm = TEST; algorithm <= LMS; algorithm++) {
        driver_init(&d);
        ready(1, (enum wire_algorithm)algorithm);
        check_votes(1, all[algorithm], "1,2", "1.1"); /* the ring of INIT */
        driver_fini(&d);
    }
}

/* The first report is answered "wait" since the grant has to be recorded first; the ACK follows at once. */
static void the_first_membership_of_a_lone_client(void **state)
{
    static const char *const expected[] = {
        "1<NODE_LIST_REPLY ACK 1.8",
        "1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.8; 1<VOTE_INFO ACK 1.8",
        "1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.8; 1<VOTE_INFO ACK 1.8",
        "1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.8; 1<VOTE_INFO ACK 1.8",
    };

    (void)state;
    for (int algorithm = TEST; algorithm <= LMS; algorithm++) {
        driver_init(&d);
        ready(1, (enum wire_algorithm)algorithm);
        driver_config(&d, 1, "1,2");
        assert_string_equal(driver_membership(&d, 1, "1,2", 1, 8, U), expected[algorithm]);
        driver_fini(&d);
    }
}

static void votes_of_a_winner(void **state)
{
    static const struct votes test = {"NO_CHANGE", "1<NODE_LIST_REPLY ACK 1.1", "NO_CHANGE", "NO_CHANGE", "ACK"};
    static const struct votes ff = {"NO_CHANGE", "1<VOTE_INFO ACK 1.1; 1<NODE_LIST_REPLY NO_CHANGE 1.1", "NO_CHANGE",
                                    "NO_CHANGE", NULL};
    static const struct votes two = {"NO_CHANGE", "1<VOTE_INFO ACK 1.1; 1<NODE_LIST_REPLY ACK 1.1", "NO_CHANGE",
                                     "NO_CHANGE", "ACK"};
    static const struct votes lms = {"NO_CHANGE", "1<VOTE_INFO ACK 1.1; 1<NODE_LIST_REPLY ACK 1.1", "ACK", "NO_CHANGE",
                                     "ACK"};
    static const struct votes *const all[] = {&test, &ff, &two, &lms};

    (void)state;
    for (int algorithm = TEST; algorithm <= LMS; algorithm++) {
        driver_init(&d);
        ready(1, (enum wire_algorithm)algorithm);
        driver_config(&d, 1, "1,2");
        driver_membership(&d, 1, "1,2", 1, 1, U);
        check_votes(1, all[algorithm], "1,2", "1.1");
        driver_fini(&d);
    }
}

static void votes_of_a_loser(void **state)
{
    static const struct votes ff = {"NO_CHANGE", "2<VOTE_INFO NACK 2.1; 2<NODE_LIST_REPLY NO_CHANGE 2.1", "NO_CHANGE",
                                    "NO_CHANGE", NULL};
    static const struct votes two = {"NO_CHANGE", "2<VOTE_INFO NACK 2.1; 2<NODE_LIST_REPLY NACK 2.1", "NO_CHANGE",
                                     "NO_CHANGE", "NACK"};
    static const struct votes lms = {"NO_CHANGE", "2<VOTE_INFO NACK 2.1; 2<NODE_LIST_REPLY NACK 2.1", "NACK",
                                     "NO_CHANGE", "NACK"};
    static const struct votes *const all[] = {&ff, &two, &lms};

    (void)state;
    for (int algorithm = FF; algorithm <= LMS; algorithm++) {
        driver_init(&d);
        for (int node = 1; node <= 2; node++) {
            ready(node, (enum wire_algorithm)algorithm);
            driver_config(&d, node, "1,2");
            driver_membership(&d, node, node == 1 ? "1" : "2", (uint32_t)node, 1, PASS);
            driver_confirm(&d, node);
        }
        assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
        check_votes(2, all[algorithm - 1], "2", "2.1");
        driver_fini(&d);
    }
}

/* Undecided: told to wait, but a vote already in force is not taken away by a reply. */
static void votes_while_the_reports_contradict(void **state)
{
    static const char *const asked[] = {NULL, "2<SERVER_ERROR 14", "2<ASK_FOR_VOTE_REPLY ASK_LATER 2.12",
                                        "2<ASK_FOR_VOTE_REPLY WAIT_FOR_REPLY 2.12"};

    (void)state;
    for (int algorithm = FF; algorithm <= LMS; algorithm++) {
        driver_init(&d);
        for (int node = 1; node <= 2; node++) {
            ready(node, (enum wire_algorithm)algorithm);
            driver_config(&d, node, "1,2");
        }
        for (int node = 1; node <= 2; node++)
            driver_membership(&d, node, "1,2", 1, 8, U);
        assert_string_equal(driver_membership(&d, 2, "2", 2, 12, U), "2<NODE_LIST_REPLY WAIT_FOR_REPLY 2.12");
        assert_string_equal(driver_ask(&d, 2), asked[algorithm]);
        assert_string_equal(driver_heuristics(&d, 2, PASS), "2<HEURISTICS_CHANGE_REPLY NO_CHANGE 2.12");
        assert_string_equal(driver_heuristics(&d, 1, PASS), "1<HEURISTICS_CHANGE_REPLY NO_CHANGE 1.8");
        assert_string_equal(driver_config(&d, 1, "1,2"), "1<NODE_LIST_REPLY NO_CHANGE 1.8");
        driver_fini(&d);
    }
}

static void ffsplit_waits_for_both_lists_in_either_order(void **state)
{
    (void)state;
    driver_init(&d);
    ready(1, FF);
    assert_string_equal(driver_membership(&d, 1, "1,2", 1, 8, U), "1<NODE_LIST_REPLY ASK_LATER 1.8");
    assert_string_equal(driver_config(&d, 1, "1,2"), "1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.8; 1<VOTE_INFO ACK 1.8");
    driver_fini(&d);
}

static void lms_needs_no_configuration(void **state)
{
    static const char *const configs[] = {NULL, "", "2,3", "1,1"};

    (void)state;
    for (int i = 0; i < 4; i++) {
        driver_init(&d);
        ready(1, LMS);
        if (configs[i] != NULL)
            assert_string_equal(driver_config(&d, 1, configs[i]), "1<NODE_LIST_REPLY NO_CHANGE 1.1");
        assert_non_null(strstr(driver_membership(&d, 1, "1", 1, 8, U), "1<VOTE_INFO ACK 1.8"));
        driver_fini(&d);
    }
}

/* S34: no safety whatsoever, and nothing is remembered, recorded or waited for. */
static void algorithm_test_votes_for_everybody(void **state)
{
    (void)state;
    driver_init(&d);
    for (int node = 1; node <= 2; node++) {
        ready(node, TEST);
        assert_string_equal(driver_membership(&d, node, node == 1 ? "1" : "2", 1, 8, U),
                            node == 1 ? "1<NODE_LIST_REPLY ACK 1.8" : "2<NODE_LIST_REPLY ACK 1.8");
        assert_int_equal(driver_grant(&d, (uint32_t)node), GRANT_NONE);
    }
    assert_string_equal(driver_disconnect(&d, 1, ARBITER_GONE_EOF), "");
    driver_disconnect(&d, 2, ARBITER_GONE_EOF);
    assert_null(driver_cluster(&d));
    assert_int_equal(d.persist_count + d.forget_count, 0);
    driver_fini(&d);
}

/* ---- what is refused ---- */

static void ffsplit_refuses_lists_without_the_node_itself(void **state)
{
    static const char *const lists[] = {"", "2", "2,3,2"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        driver_init(&d);
        ready(1, FF);
        assert_string_equal(driver_config(&d, 1, lists[i]), "1<SERVER_ERROR 18");
        assert_string_equal(driver_list(&d, 1, WIRE_LIST_CHANGED_CONFIG, lists[i]), "1<SERVER_ERROR 18");
        assert_string_equal(driver_membership(&d, 1, lists[i], 1, 8, U), "1<SERVER_ERROR 19");
        assert_false(driver_cluster(&d)->members->has_config || driver_cluster(&d)->members->has_membership);
        /* What was accepted before stays. */
        driver_config(&d, 1, "1,2");
        driver_membership(&d, 1, "1,2", 1, 8, PASS);
        driver_config(&d, 1, lists[i]);
        driver_membership(&d, 1, lists[i], 1, 12, FAIL);
        assert_int_equal(driver_cluster(&d)->members->config.count, 2);
        assert_int_equal(driver_cluster(&d)->members->membership.count, 2);
        assert_int_equal(driver_cluster(&d)->members->ring.seq, 8);
        assert_int_equal(driver_cluster(&d)->members->heuristics, PASS);
        driver_fini(&d);
    }
}

static void two_node_lms_refuses_other_numbers_of_nodes(void **state)
{
    static const struct {
        const char *config;
        bool accepted;
    } cases[] = {{"", false}, {"1", false}, {"1,2", true}, {"1,2,3", false}, {"2,3", true}, {"1,1", false}};

    (void)state;
    for (int i = 0; i < 6; i++) {
        driver_init(&d);
        ready(1, TWO);
        assert_string_equal(driver_config(&d, 1, cases[i].config),
                            cases[i].accepted ? "1<NODE_LIST_REPLY NO_CHANGE 1.1" : "1<SERVER_ERROR 12");
        driver_fini(&d);
    }
}

static void u14_the_node_itself_is_always_a_member_under_lms(void **state)
{
    (void)state;
    driver_init(&d);
    ready(1, LMS);
    driver_config(&d, 1, "1,2");
    driver_membership(&d, 1, "", 1, 8, U);
    assert_int_equal(driver_cluster(&d)->members->membership.count, 1);
    assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
    driver_membership(&d, 1, "2,2,2", 1, 12, U);
    assert_int_equal(driver_cluster(&d)->members->membership.count, 2);
    driver_fini(&d);
}

static void lists_longer_than_a_cluster_may_be_are_refused(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    settings.nodes_per_cluster_max = 3;
    for (int algorithm = TEST; algorithm <= LMS; algorithm++) {
        driver_init_with(&d, &settings, true);
        ready(1, (enum wire_algorithm)algorithm);
        assert_string_equal(driver_config(&d, 1, "1,2,3,4"),
                            algorithm == TWO ? "1<SERVER_ERROR 12" : "1<SERVER_ERROR 18");
        assert_string_equal(driver_membership(&d, 1, "1,2,3,4", 1, 8, U), "1<SERVER_ERROR 19");
        driver_fini(&d);
    }
}

/* Required TLVs left out one by one (spec section 3). */
static void messages_without_what_they_need_are_refused(void **state)
{
    static const struct {
        enum wire_type type;
        enum wire_node_list_type list_type;
        uint32_t present;
    } cases[] = {
        {WIRE_NODE_LIST, 0, WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER)},
        {WIRE_NODE_LIST, 0, WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE)},
        {WIRE_NODE_LIST, WIRE_LIST_MEMBERSHIP, WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE)},
        {WIRE_NODE_LIST, WIRE_LIST_QUORUM, WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE)},
        {WIRE_HEURISTICS_CHANGE, 0, WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER)},
        {WIRE_HEURISTICS_CHANGE, 0, WIRE_HAS(WIRE_TLV_HEURISTICS)},
    };
    struct wire_message *m = calloc(1, sizeof(*m));

    (void)state;
    assert_non_null(m);
    driver_init(&d);
    ready(1, FF);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(m, 0, sizeof(*m));
        m->type = cases[i].type;
        m->present = cases[i].present;
        if (cases[i].type == WIRE_NODE_LIST) {
            m->u.node_list.list_type = cases[i].list_type;
            m->u.node_list.node_count = 1;
            m->u.node_list.nodes[0].node_id = 1;
        } else {
            m->u.heuristics_change.heuristics = PASS;
        }
        assert_string_equal(driver_message(&d, 1, m), "1<SERVER_ERROR 7");
    }
    driver_fini(&d);
    free(m);
}

/* ---- options ---- */

static void set_option_out_of_range_applies_nothing(void **state)
{
    static const uint32_t bad[] = {0, 999, 120001, UINT32_MAX};
    struct wire_message *m = calloc(1, sizeof(*m));

    (void)state;
    assert_non_null(m);
    driver_init(&d);
    ready(1, FF);
    for (int i = 0; i < 4; i++) {
        m->type = WIRE_SET_OPTION;
        m->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) |
                     WIRE_HAS(WIRE_TLV_KEEP_ACTIVE_PARTITION);
        m->u.set_option.heartbeat_ms = bad[i];
        m->u.set_option.keep_active_partition = true;
        assert_string_equal(driver_message(&d, 1, m), "1<SERVER_ERROR 13");
        assert_int_equal(driver_cluster(&d)->members->heartbeat_ms, 8000);
        assert_false(driver_cluster(&d)->members->keep_active_partition);
    }
    assert_string_equal(driver_heartbeat(&d, 1, 1000), "1<SET_OPTION_REPLY");
    assert_string_equal(driver_heartbeat(&d, 1, 120000), "1<SET_OPTION_REPLY");
    driver_fini(&d);
    free(m);
}

/* A reply with HEARTBEAT_INTERVAL makes a stock client restart its echoes: only who asked gets it. */
static void set_option_reply_has_the_options_of_the_request_only(void **state)
{
    (void)state;
    driver_init(&d);
    ready(1, FF);
    driver_keep_active(&d, 1, true);
    assert_true(wire_has(&d.message, WIRE_TLV_KEEP_ACTIVE_PARTITION) && d.message.u.set_option.keep_active_partition);
    assert_false(wire_has(&d.message, WIRE_TLV_HEARTBEAT_INTERVAL));
    driver_heartbeat(&d, 1, 5000);
    assert_false(wire_has(&d.message, WIRE_TLV_KEEP_ACTIVE_PARTITION));
    assert_int_equal(d.message.u.set_option.heartbeat_ms, 5000);
    driver_fini(&d);
}

static void keep_active_partition_alone_decides_nothing_anew(void **state)
{
    (void)state;
    driver_init(&d);
    for (int node = 1; node <= 2; node++) {
        driver_join(&d, node, (uint32_t)node, FF, "1,2");
        driver_membership(&d, node, node == 1 ? "1" : "2", (uint32_t)node, 8, U);
        driver_confirm(&d, node);
    }
    for (int node = 1; node <= 2; node++)
        assert_string_equal(driver_keep_active(&d, node, true),
                            node == 1 ? "1<SET_OPTION_REPLY" : "2<SET_OPTION_REPLY");
    driver_fini(&d);
}

/* One client without it disables it for the cluster; a client that does not report has no say (U3). */
static void one_reporting_client_can_switch_keep_active_partition_off(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        driver_init(&d);
        for (int node = 3; node <= 4; node++) { /* S12: {3,4} first */
            driver_join(&d, node, (uint32_t)node, FF, "1,2,3,4");
            driver_keep_active(&d, node, true);
            driver_membership(&d, node, "3,4", 3, 12, U);
        }
        for (int node = 1; node <= 2; node++) {
            driver_join(&d, node, (uint32_t)node, FF, "1,2,3,4");
            driver_keep_active(&d, node, node == 1 || with == 1);
            driver_membership(&d, node, "1,2", 1, 12, U);
        }
        for (int node = 1; node <= 4; node++)
            driver_confirm(&d, node);
        assert_int_equal(driver_grant(&d, 3), with == 1 ? GRANT_HELD : GRANT_NONE);
        assert_int_equal(driver_grant(&d, 1), with == 1 ? GRANT_NONE : GRANT_HELD);
        driver_fini(&d);
    }
}

/* ---- heuristics ---- */

/* The latest of either kind counts; a membership list without the TLV means "undefined" again. */
static void a_membership_without_heuristics_resets_them(void **state)
{
    (void)state;
    driver_init(&d);
    for (int node = 1; node <= 2; node++) {
        driver_join(&d, node, (uint32_t)node, FF, "1,2");
        driver_membership(&d, node, node == 1 ? "1" : "2", (uint32_t)node, 8, node == 1 ? FAIL : U);
    }
    driver_confirm(&d, 1);
    assert_int_equal(driver_grant(&d, 2), GRANT_HELD);
    assert_int_equal(driver_cluster(&d)->members->heuristics_membership, FAIL);
    assert_non_null(strstr(driver_membership(&d, 1, "1", 1, 9, U), "2<VOTE_INFO NACK 2.8"));
    assert_string_equal(driver_confirm(&d, 2), "1<VOTE_INFO ACK 1.9");
    driver_heuristics(&d, 1, PASS);
    assert_int_equal(driver_cluster(&d)->members->heuristics_regular, PASS);
    assert_int_equal(driver_cluster(&d)->members->heuristics, PASS);
    driver_fini(&d);
}

/* ---- sparing with words ---- */

/* A decision that stays the same is not sent again, unless a client has reported anew. */
static void nobody_is_told_twice(void **state)
{
    (void)state;
    for (int algorithm = FF; algorithm <= LMS; algorithm++) {
        driver_init(&d);
        for (int node = 1; node <= 2; node++)
            driver_join(&d, node, (uint32_t)node, (enum wire_algorithm)algorithm, "1,2");
        for (int node = 1; node <= 2; node++)
            driver_membership(&d, node, node == 1 ? "1" : "2", (uint32_t)node, 8, U);
        for (int node = 1; node <= 2; node++)
            driver_confirm(&d, node);
        assert_string_equal(driver_heuristics(&d, 1, PASS), "1<HEURISTICS_CHANGE_REPLY NO_CHANGE 1.8");
        assert_string_equal(driver_config(&d, 2, "1,2"), "2<NODE_LIST_REPLY NO_CHANGE 2.8");
        assert_string_equal(driver_membership(&d, 2, "2", 2, 8, U),
                            algorithm == FF ? "2<VOTE_INFO NACK 2.8; 2<NODE_LIST_REPLY NO_CHANGE 2.8"
                                            : "2<VOTE_INFO NACK 2.8; 2<NODE_LIST_REPLY NACK 2.8");
        driver_fini(&d);
    }
}

/* RING: a vote only ever names the ring that its client reported last. */
static void a_vote_names_the_ring_its_receiver_is_in(void **state)
{
    (void)state;
    driver_init(&d);
    for (int node = 1; node <= 3; node++)
        driver_join(&d, node, (uint32_t)node, FF, "1,2,3,4");
    for (int node = 1; node <= 3; node++)
        driver_membership(&d, node, "1,2,3", 1, 8, U);
    assert_string_equal(driver_membership(&d, 1, "1,2,3", 1, 12, U), "1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.12");
    assert_string_equal(driver_membership(&d, 2, "1,2,3", 1, 12, U), "2<NODE_LIST_REPLY WAIT_FOR_REPLY 1.12");
    assert_string_equal(driver_membership(&d, 3, "1,2,3", 1, 12, U),
                        "1<VOTE_INFO ACK 1.12; 2<VOTE_INFO ACK 1.12; 3<VOTE_INFO ACK 1.12; "
                        "3<NODE_LIST_REPLY NO_CHANGE 1.12");
    driver_fini(&d);
}

/* ---- our extension ---- */

static void only_our_devices_are_told_the_reason(void **state)
{
    (void)state;
    driver_init(&d);
    driver_join(&d, 1, 1, FF, "1,2");
    d.instance = 77;
    driver_join(&d, 2, 2, FF, "1,2");
    driver_membership(&d, 1, "1,2", 1, 8, U);
    assert_string_equal(driver_membership(&d, 2, "2", 2, 8, U),
                        "2<NODE_LIST_REPLY WAIT_FOR_REPLY 2.8 (node 1 reports members 1,2 (ring 1.8), "
                        "node 2 reports members 2 (ring 2.8))");
    assert_string_equal(driver_membership(&d, 1, "1", 1, 12, U),
                        "2<VOTE_INFO NACK 2.8 (ffsplit: 1 against 1, tie-breaker lowest=1: ACK 1 NACK 2); "
                        "1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.12");
    assert_string_equal(driver_confirm(&d, 2), "1<VOTE_INFO ACK 1.12");
    driver_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(votes_before_anything_was_reported),
        cmocka_unit_test(the_first_membership_of_a_lone_client),
        cmocka_unit_test(votes_of_a_winner),
        cmocka_unit_test(votes_of_a_loser),
        cmocka_unit_test(votes_while_the_reports_contradict),
        cmocka_unit_test(ffsplit_waits_for_both_lists_in_either_order),
        cmocka_unit_test(lms_needs_no_configuration),
        cmocka_unit_test(algorithm_test_votes_for_everybody),
        cmocka_unit_test(ffsplit_refuses_lists_without_the_node_itself),
        cmocka_unit_test(two_node_lms_refuses_other_numbers_of_nodes),
        cmocka_unit_test(u14_the_node_itself_is_always_a_member_under_lms),
        cmocka_unit_test(lists_longer_than_a_cluster_may_be_are_refused),
        cmocka_unit_test(messages_without_what_they_need_are_refused),
        cmocka_unit_test(set_option_out_of_range_applies_nothing),
        cmocka_unit_test(set_option_reply_has_the_options_of_the_request_only),
        cmocka_unit_test(keep_active_partition_alone_decides_nothing_anew),
        cmocka_unit_test(one_reporting_client_can_switch_keep_active_partition_off),
        cmocka_unit_test(a_membership_without_heuristics_resets_them),
        cmocka_unit_test(nobody_is_told_twice),
        cmocka_unit_test(a_vote_names_the_ring_its_receiver_is_in),
        cmocka_unit_test(only_our_devices_are_told_the_reason),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
