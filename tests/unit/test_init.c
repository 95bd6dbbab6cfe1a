/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * INIT: every combination of what may be missing or wrong in it, what must agree with the rest of the cluster, and how
 * clusters come and go. (spec/qnet-protocol.md section 7.)
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

#define FF WIRE_ALGORITHM_FFSPLIT
#define LMS WIRE_ALGORITHM_LMS
#define U WIRE_HEURISTICS_UNDEFINED

#define NEEDED                                                                                                      \
    (WIRE_HAS(WIRE_TLV_NODE_ID) | WIRE_HAS(WIRE_TLV_RING_ID) | WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) |             \
     WIRE_HAS(WIRE_TLV_TIE_BREAKER) | WIRE_HAS(WIRE_TLV_DECISION_ALGORITHM))

static struct driver d;
static struct wire_message *m; /* an INIT to be changed and sent */

static void reset_message(void)
{
    memset(m, 0, sizeof(*m));
    m->type = WIRE_INIT;
    m->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | NEEDED;
    m->seq = 4711;
    m->u.init.node_id = 1;
    m->u.init.ring_id = (struct wire_ring_id){1, 5};
    m->u.init.heartbeat_ms = 8000;
    m->u.init.tie_breaker.mode = WIRE_TIE_BREAKER_LOWEST;
    m->u.init.algorithm = FF;
}

static int prepare(void **state)
{
    (void)state;
    m = malloc(sizeof(*m));
    assert_non_null(m);
    reset_message();
    return 0;
}

static int finish(void **state)
{
    (void)state;
    free(m);
    return 0;
}

/* Sends the message on a fresh connection that has said PREINIT or not; the code in INIT_REPLY. */
static int init_code(int slot, bool preinit)
{
    driver_connect(&d, slot);
    if (preinit)
        driver_preinit(&d, slot, "C");
    driver_message(&d, slot, m);
    assert_int_equal(d.message.type, WIRE_INIT_REPLY);
    assert_int_equal(d.message.seq, m->seq);
    return (int)d.message.u.init_reply.error;
}

/* ---- the truth table ---- */

/* Section 7 word for word: the last assignment wins. */
static int expected_code(bool preinit)
{
    const struct wire_init *init = &m->u.init;
    uint32_t heartbeat_ms = wire_has(m, WIRE_TLV_HEARTBEAT_INTERVAL) ? init->heartbeat_ms : 0;
    uint32_t algorithm = wire_has(m, WIRE_TLV_DECISION_ALGORITHM) ? init->algorithm : 0;
    int code = preinit ? 0 : 6;

    if (code == 0 && !wire_has(m, WIRE_TLV_NODE_ID))
        code = 7;
    if (code == 0 && !wire_has(m, WIRE_TLV_RING_ID))
        code = 7;
    if (code == 0 && !wire_has(m, WIRE_TLV_HEARTBEAT_INTERVAL))
        code = 7;
    else if (heartbeat_ms < 1000 || heartbeat_ms > 120000)
        code = 13;
    if (code == 0 && !wire_has(m, WIRE_TLV_TIE_BREAKER))
        code = 7;
    if (code == 0 && !wire_has(m, WIRE_TLV_DECISION_ALGORITHM))
        code = 7;
    else if (algorithm > 3)
        code = 12;
    return code;
}

static void every_combination_of_faults_gets_the_packaged_code(void **state)
{
    static const uint32_t heartbeats[] = {0, 999, 1000, 120000, 120001, UINT32_MAX};
    static const uint32_t algorithms[] = {0, 1, 2, 3, 4, 65535};
    uint32_t missing;

    (void)state;
    for (int preinit = 0; preinit < 2; preinit++)
        for (int bits = 0; bits < 32; bits++)
            for (int h = 0; h < 6; h++)
                for (int a = 0; a < 6; a++) {
                    reset_message();
                    missing = ((bits & 1) != 0 ? WIRE_HAS(WIRE_TLV_NODE_ID) : 0) |
                              ((bits & 2) != 0 ? WIRE_HAS(WIRE_TLV_RING_ID) : 0) |
                              ((bits & 4) != 0 ? WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) : 0) |
                              ((bits & 8) != 0 ? WIRE_HAS(WIRE_TLV_TIE_BREAKER) : 0) |
                              ((bits & 16) != 0 ? WIRE_HAS(WIRE_TLV_DECISION_ALGORITHM) : 0);
                    m->present &= ~missing;
                    m->u.init.heartbeat_ms = heartbeats[h];
                    m->u.init.algorithm = algorithms[a];
                    driver_init(&d);
                    assert_int_equal(init_code(1, preinit != 0), expected_code(preinit != 0));
                    assert_int_equal(driver_cluster(&d) != NULL, d.message.u.init_reply.error == 0);
                    assert_int_equal(d.closed, 0);
                    driver_fini(&d);
                }
}

/* A stock client exits without them, also when the answer is no (protocol section 11). */
static void the_reply_carries_what_was_asked_for_whatever_the_code(void **state)
{
    (void)state;
    for (int good = 0; good < 2; good++)
        for (int arrays = 0; arrays < 4; arrays++) {
            reset_message();
            m->present |= ((arrays & 1) != 0 ? WIRE_HAS(WIRE_TLV_SUPPORTED_MESSAGES) : 0) |
                          ((arrays & 2) != 0 ? WIRE_HAS(WIRE_TLV_SUPPORTED_OPTIONS) : 0);
            m->u.init.supported_messages = (struct wire_bytes){NULL, 1};
            m->u.init.supported_options = (struct wire_bytes){NULL, 1};
            driver_init(&d);
            assert_int_equal(init_code(1, good != 0), good != 0 ? 0 : 6);
            assert_int_equal(wire_has(&d.message, WIRE_TLV_SUPPORTED_MESSAGES), arrays & 1);
            assert_int_equal(wire_has(&d.message, WIRE_TLV_SUPPORTED_OPTIONS), arrays >> 1);
            assert_true(wire_has(&d.message, WIRE_TLV_SUPPORTED_DECISION_ALGORITHMS));
            assert_int_equal(d.message.u.init_reply.maximum_request_size, 32768);
            assert_int_equal(d.message.u.init_reply.maximum_reply_size, 32768);
            assert_int_equal(d.message.present & WIRE_HAS_LEASE, 0);
            driver_fini(&d);
        }
}

static void node_id_zero_is_accepted_and_does_no_harm(void **state)
{
    static const enum wire_algorithm algorithms[] = {WIRE_ALGORITHM_TEST, FF, WIRE_ALGORITHM_2NODELMS, LMS};

    (void)state;
    for (int i = 0; i < 4; i++) {
        reset_message();
        m->u.init.node_id = 0;
        m->u.init.algorithm = algorithms[i];
        driver_init(&d);
        assert_int_equal(init_code(1, true), 0);
        driver_config(&d, 1, "1,2");
        driver_membership(&d, 1, "1,2", 1, 8, U);
        driver_disconnect(&d, 1, ARBITER_GONE_EOF);
        driver_pass(&d, 100000);
        assert_null(driver_cluster(&d));
        driver_fini(&d);
    }
}

/* ---- agreeing with the cluster ---- */

static void tie_breaker_then_algorithm_then_node_id_must_fit(void **state)
{
    static const struct wire_tie_breaker theirs[] = {
        {WIRE_TIE_BREAKER_LOWEST, 0}, {WIRE_TIE_BREAKER_HIGHEST, 0}, {WIRE_TIE_BREAKER_NODE_ID, 2}};
    static const struct wire_tie_breaker others[] = {
        {WIRE_TIE_BREAKER_HIGHEST, 0}, {WIRE_TIE_BREAKER_NODE_ID, 2}, {WIRE_TIE_BREAKER_NODE_ID, 3}};

    (void)state;
    for (int kind = 0; kind < 3; kind++)
        for (int bits = 0; bits < 8; bits++) {
            int expected = (bits & 1) != 0 ? 15 : (bits & 2) != 0 ? 16 : (bits & 4) != 0 ? 17 : 0;

            driver_init(&d);
            reset_message();
            m->u.init.tie_breaker = theirs[kind];
            for (uint32_t node = 2; node <= 4; node++) {
                m->u.init.node_id = node;
                assert_int_equal(init_code((int)node, true), 0);
            }
            m->u.init.node_id = (bits & 4) != 0 ? 3 : 1;
            m->u.init.algorithm = (bits & 2) != 0 ? LMS : FF;
            m->u.init.tie_breaker = (bits & 1) != 0 ? others[kind] : theirs[kind];
            assert_int_equal(init_code(9, true), expected);
            assert_int_equal(driver_cluster(&d)->connected_count, expected == 0 ? 4 : 3);
            driver_fini(&d);
        }
}

static void the_existing_connection_of_a_node_wins_until_it_is_gone(void **state)
{
    (void)state;
    driver_init(&d);
    reset_message();
    assert_int_equal(init_code(1, true), 0);
    assert_int_equal(init_code(2, true), 17);
    assert_string_equal(driver_echo(&d, 1), "1<ECHO_REPLY");
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    driver_message(&d, 2, m); /* on the same connection: a refusal does not end it */
    assert_int_equal(d.message.u.init_reply.error, 0);
    driver_fini(&d);
}

/* ISOL: names are bytes; case, length and NULs make them different. */
static void clusters_of_different_names_do_not_meet(void **state)
{
    static const struct wire_bytes names[] = {{(const uint8_t *)"C", 1},
                                              {(const uint8_t *)"c", 1},
                                              {(const uint8_t *)"C\0", 2},
                                              {(const uint8_t *)"\0C", 2},
                                              {(const uint8_t *)"", 0},
                                              {(const uint8_t *)"CC", 2}};
    struct wire_message *preinit = calloc(1, sizeof(*preinit));

    (void)state;
    assert_non_null(preinit);
    driver_init(&d);
    reset_message();
    preinit->type = WIRE_PREINIT;
    preinit->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_CLUSTER_NAME);
    for (int i = 0; i < 6; i++) {
        preinit->u.preinit.cluster_name = names[i];
        driver_connect(&d, i + 1);
        driver_message(&d, i + 1, preinit);
        driver_message(&d, i + 1, m); /* the same node id each time */
        assert_int_equal(d.message.u.init_reply.error, 0);
        driver_config(&d, i + 1, "1,2");
        driver_membership(&d, i + 1, i % 2 == 0 ? "1" : "1,2", 1, 8, U);
    }
    assert_int_equal(arbiter_cluster_count(d.arbiter), 6);
    for (int i = 0; i < 6; i++)
        assert_non_null(arbiter_find_cluster(d.arbiter, names[i]));
    driver_fini(&d);
    free(preinit);
}

/* ---- coming and going ---- */

static void a_cluster_is_forgotten_when_the_last_leaves(void **state)
{
    (void)state;
    driver_init(&d);
    reset_message();
    assert_int_equal(init_code(1, true), 0);
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    assert_null(driver_cluster(&d));
    m->u.init.algorithm = LMS;
    m->u.init.tie_breaker.mode = WIRE_TIE_BREAKER_HIGHEST;
    assert_int_equal(init_code(2, true), 0);
    assert_int_equal(driver_cluster(&d)->algorithm, LMS);
    driver_fini(&d);
}

/* Only ghosts are left: who comes next says what the cluster is, and waits for them. */
static void ghosts_have_no_say_in_the_algorithm_but_are_waited_for(void **state)
{
    (void)state;
    driver_init(&d);
    driver_join(&d, 1, 1, FF, "1,2");
    driver_membership(&d, 1, "1", 1, 8, U);
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    assert_non_null(driver_cluster(&d));
    driver_join(&d, 2, 2, LMS, "1,2");
    assert_string_equal(driver_membership(&d, 2, "2", 2, 8, U), "2<NODE_LIST_REPLY WAIT_FOR_REPLY 2.8");
    driver_fini(&d);
}

static void the_default_of_keep_active_partition_is_a_setting(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    for (int on = 0; on < 2; on++) {
        arbiter_settings_default(&settings);
        assert_false(settings.keep_active_partition);
        settings.tls = WIRE_TLS_UNSUPPORTED;
        settings.keep_active_partition = on != 0;
        driver_init_with(&d, &settings, true);
        reset_message();
        init_code(1, true);
        assert_int_equal(driver_cluster(&d)->members->keep_active_partition, on);
        driver_fini(&d);
    }
}

/* ---- limits ---- */

static void p10_a_cluster_has_a_largest_size(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    settings.nodes_per_cluster_max = 3;
    driver_init_with(&d, &settings, true);
    reset_message();
    for (uint32_t node = 1; node <= 3; node++) {
        m->u.init.node_id = node;
        assert_int_equal(init_code((int)node, true), 0);
    }
    m->u.init.node_id = 4;
    driver_connect(&d, 4);
    driver_preinit(&d, 4, "C");
    assert_string_equal(driver_message(&d, 4, m), "4<CLOSE"); /* error 10 would make a stock client exit */
    m->u.init.node_id = 2;
    assert_int_equal(init_code(5, true), 17);
    driver_disconnect(&d, 2, ARBITER_GONE_EOF);
    m->u.init.node_id = 4;
    assert_int_equal(init_code(4, true), 0);
    driver_fini(&d);
}

/* One member after the other gets the vote and vanishes: its ghosts must not pile up. */
static void p10_ghosts_count_as_nodes(void **state)
{
    struct arbiter_settings settings;
    uint32_t members = 0;

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    settings.nodes_per_cluster_max = 5;
    driver_init_with(&d, &settings, true);
    for (uint32_t node = 1; node <= 20; node++) {
        char nodes[64] = "1";

        for (uint32_t other = 2; other <= node && other <= 5; other++)
            sprintf(nodes + strlen(nodes), ",%u", other);
        driver_join(&d, 1, node, LMS, "1,2,3,4,5");
        driver_membership(&d, 1, nodes, 1, node, U);
        driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    }
    for (const struct member *member = driver_cluster(&d)->members; member != NULL; member = member->next)
        members++;
    assert_int_equal(members, 5);
    driver_join(&d, 1, 3, LMS, "1,2,3,4,5"); /* who is known is let in */
    assert_int_equal(driver_cluster(&d)->connected_count, 1);
    driver_fini(&d);
}

/* ---- our extension ---- */

static void the_bounds_a_device_states_come_back_as_they_are_honoured(void **state)
{
    static const struct {
        struct wire_lease stated;
        struct wire_lease honoured;
    } cases[] = {{{2500, 200}, {2500, 200}},
                 {{0, 0}, {0, 0}},
                 {{UINT32_MAX, 1000}, {269000, 1000}},
                 {{1000, UINT32_MAX}, {0, 270000}}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        driver_init(&d);
        reset_message();
        m->present |= WIRE_HAS_LEASE;
        m->u.init.lease = cases[i].stated;
        init_code(1, true);
        assert_true((d.message.present & WIRE_HAS_LEASE) != 0);
        assert_int_equal(d.message.u.init_reply.lease.lease_ms, cases[i].honoured.lease_ms);
        assert_int_equal(d.message.u.init_reply.lease.hold_ms, cases[i].honoured.hold_ms);
        driver_fini(&d);
    }
}

/* 49 days stated, minutes waited. */
static void no_device_can_make_its_cluster_wait_for_weeks(void **state)
{
    (void)state;
    driver_init(&d);
    reset_message();
    m->present |= WIRE_HAS_LEASE;
    m->u.init.lease = (struct wire_lease){UINT32_MAX, UINT32_MAX};
    init_code(1, true);
    driver_config(&d, 1, "1,2");
    driver_membership(&d, 1, "1", 1, 8, U);
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    driver_pass(&d, 272749); /* 2.25 x 120 s, 1 % and 50 ms */
    assert_int_equal(driver_grant(&d, 1), GRANT_GHOST);
    driver_pass(&d, 1);
    assert_null(driver_cluster(&d));
    driver_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_of_faults_gets_the_packaged_code),
        cmocka_unit_test(the_reply_carries_what_was_asked_for_whatever_the_code),
        cmocka_unit_test(node_id_zero_is_accepted_and_does_no_harm),
        cmocka_unit_test(tie_breaker_then_algorithm_then_node_id_must_fit),
        cmocka_unit_test(the_existing_connection_of_a_node_wins_until_it_is_gone),
        cmocka_unit_test(clusters_of_different_names_do_not_meet),
        cmocka_unit_test(a_cluster_is_forgotten_when_the_last_leaves),
        cmocka_unit_test(ghosts_have_no_say_in_the_algorithm_but_are_waited_for),
        cmocka_unit_test(the_default_of_keep_active_partition_is_a_setting),
        cmocka_unit_test(p10_a_cluster_has_a_largest_size),
        cmocka_unit_test(p10_ghosts_count_as_nodes),
        cmocka_unit_test(the_bounds_a_device_states_come_back_as_they_are_honoured),
        cmocka_unit_test(no_device_can_make_its_cluster_wait_for_weeks),
    };

    return cmocka_run_group_tests_name("init", tests, prepare, finish);
}
