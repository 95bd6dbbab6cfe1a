/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection's protocol: every message in every state under every TLS policy, identity, certificates, deadlines.
 * (The table of qnetd/logic/arbiter.h; spec/qnet-protocol.md sections 5.3, 6, 8.7, 9, 10.2, 14.)
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
#define U WIRE_HEURISTICS_UNDEFINED

static struct driver d;

static void start(enum wire_tls_supported tls, bool cert_required)
{
    struct arbiter_settings settings;

    arbiter_settings_default(&settings);
    settings.tls = tls;
    settings.client_cert_required = cert_required;
    driver_init_with(&d, &settings, true);
}

/* ---- every message in every state ---- */

enum position { CONNECTED, PREINITED, SECURING, PREINITED_SECURED, READY, READY_SECURED, POSITION_COUNT };

/* Brings slot 1 there. False: this policy does not let anybody get there. */
static bool go_to(enum position position, enum wire_tls_supported tls)
{
    bool secured = position == PREINITED_SECURED || position == READY_SECURED;

    if (tls == WIRE_TLS_UNSUPPORTED && (secured || position == SECURING))
        return false;
    if (tls == WIRE_TLS_REQUIRED && position == READY)
        return false;
    driver_connect(&d, 1);
    if (position == CONNECTED)
        return true;
    assert_string_equal(driver_preinit(&d, 1, "C"), "1<PREINIT_REPLY");
    if (position == SECURING || secured)
        assert_string_equal(driver_message(&d, 1, &(struct wire_message){.type = WIRE_STARTTLS, .present = 1}),
                            "1<START_TLS");
    if (secured)
        assert_string_equal(driver_tls(&d, 1, "C"), "");
    if (position == READY || position == READY_SECURED)
        assert_string_equal(driver_init_message(&d, 1, 1, FF), "1<INIT_REPLY 0");
    return true;
}

/* A message of that type with all it needs; sent to slot 1. */
static const char *send_type(enum wire_type type)
{
    struct wire_message *m = calloc(1, sizeof(*m));
    const char *output;

    assert_non_null(m);
    m->type = type;
    m->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    m->seq = 7;
    switch (type) {
    case WIRE_PREINIT:
        m->present |= WIRE_HAS(WIRE_TLV_CLUSTER_NAME);
        m->u.preinit.cluster_name = (struct wire_bytes){(const uint8_t *)"C", 1};
        break;
    case WIRE_PREINIT_REPLY:
        m->present |= WIRE_HAS(WIRE_TLV_TLS_SUPPORTED) | WIRE_HAS(WIRE_TLV_TLS_CLIENT_CERT_REQUIRED);
        break;
    case WIRE_INIT:
        free(m);
        return driver_init_message(&d, 1, 1, FF);
    case WIRE_INIT_REPLY:
        m->present |= WIRE_HAS(WIRE_TLV_REPLY_ERROR_CODE);
        break;
    case WIRE_SERVER_ERROR:
        m->present |= WIRE_HAS(WIRE_TLV_REPLY_ERROR_CODE);
        m->u.server_error.error = 1;
        break;
    case WIRE_SET_OPTION:
    case WIRE_SET_OPTION_REPLY:
        m->present |= WIRE_HAS(WIRE_TLV_KEEP_ACTIVE_PARTITION);
        break;
    case WIRE_NODE_LIST:
        m->present |= WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE);
        m->u.node_list.node_count = 1;
        m->u.node_list.nodes[0].node_id = 1;
        break;
    case WIRE_NODE_LIST_REPLY:
        m->present |= WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE) | WIRE_HAS(WIRE_TLV_VOTE) | WIRE_HAS(WIRE_TLV_RING_ID);
        m->u.vote.vote = WIRE_VOTE_ACK;
        break;
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_VOTE_INFO:
        m->present |= WIRE_HAS(WIRE_TLV_VOTE) | WIRE_HAS(WIRE_TLV_RING_ID);
        m->u.vote.vote = WIRE_VOTE_ACK;
        break;
    case WIRE_HEURISTICS_CHANGE:
        m->present |= WIRE_HAS(WIRE_TLV_HEURISTICS);
        m->u.heuristics_change.heuristics = WIRE_HEURISTICS_PASS;
        break;
    case WIRE_HEURISTICS_CHANGE_REPLY:
        m->present |= WIRE_HAS(WIRE_TLV_VOTE) | WIRE_HAS(WIRE_TLV_RING_ID) | WIRE_HAS(WIRE_TLV_HEURISTICS);
        m->u.vote.vote = WIRE_VOTE_ACK;
        m->u.vote.heuristics = WIRE_HEURISTICS_PASS;
        break;
    case WIRE_STARTTLS:
    case WIRE_ECHO_REQUEST:
    case WIRE_ECHO_REPLY:
    case WIRE_ASK_FOR_VOTE:
    case WIRE_VOTE_INFO_REPLY:
        break;
    }
    output = driver_message(&d, 1, m);
    free(m);
    return output;
}

static const char *expected(enum wire_type type, enum position position, enum wire_tls_supported tls)
{
    static const char *const handled[WIRE_TYPE_COUNT] = {
        [WIRE_SET_OPTION] = "1<SET_OPTION_REPLY",
        [WIRE_ECHO_REQUEST] = "1<ECHO_REPLY",
        [WIRE_NODE_LIST] = "1<NODE_LIST_REPLY ASK_LATER 1.1",
        [WIRE_ASK_FOR_VOTE] = "1<SERVER_ERROR 14",
        [WIRE_VOTE_INFO_REPLY] = "",
        [WIRE_HEURISTICS_CHANGE] = "1<HEURISTICS_CHANGE_REPLY ASK_LATER 1.1",
    };
    bool secured = position == PREINITED_SECURED || position == READY_SECURED;
    bool ready = position == READY || position == READY_SECURED;

    if (position == SECURING)
        return "1<CLOSE";
    if (wire_type_is_server_only(type))
        return "1<SERVER_ERROR 8";
    if (type == WIRE_PREINIT)
        return position == CONNECTED ? "1<PREINIT_REPLY" : "1<SERVER_ERROR 8";
    if (type == WIRE_STARTTLS && position == CONNECTED)
        return "1<SERVER_ERROR 6";
    if (type == WIRE_STARTTLS && (ready || secured))
        return "1<SERVER_ERROR 8";
    if (type == WIRE_STARTTLS)
        return tls == WIRE_TLS_UNSUPPORTED ? "1<CLOSE" : "1<START_TLS";
    if (tls == WIRE_TLS_REQUIRED && !secured)
        return "1<SERVER_ERROR 3";
    if (type == WIRE_INIT)
        return position == CONNECTED ? "1<INIT_REPLY 6" : ready ? "1<INIT_REPLY 17" : "1<INIT_REPLY 0";
    return ready ? handled[type] : "1<SERVER_ERROR 11";
}

static void for_each_position(void (*check)(enum position, enum wire_tls_supported))
{
    for (int tls = WIRE_TLS_UNSUPPORTED; tls <= WIRE_TLS_REQUIRED; tls++)
        for (int cert_required = 0; cert_required < 2; cert_required++)
            for (int position = 0; position < POSITION_COUNT; position++) {
                start((enum wire_tls_supported)tls, cert_required != 0);
                if (go_to((enum position)position, (enum wire_tls_supported)tls))
                    check((enum position)position, (enum wire_tls_supported)tls);
                driver_fini(&d);
            }
}

static void check_types(enum position position, enum wire_tls_supported tls)
{
    for (int type = 0; type < WIRE_TYPE_COUNT; type++) {
        const char *wanted = expected((enum wire_type)type, position, tls);
        const char *output;

        driver_disconnect(&d, 1, ARBITER_GONE_EOF);
        assert_true(go_to(position, tls));
        output = send_type((enum wire_type)type);
        if (strcmp(output, wanted) != 0)
            fail_msg("%s in position %d, tls %d: %s instead of %s", wire_type_name((enum wire_type)type), position,
                     tls, output, wanted);
    }
}

static void every_message_in_every_state_is_answered_by_the_table(void **state)
{
    (void)state;
    for_each_position(check_types);
}

static void check_undecodable(enum position position, enum wire_tls_supported tls)
{
    (void)tls;
    for (int type = 0; type < WIRE_TYPE_COUNT && position != SECURING; type++) {
        assert_string_equal(driver_undecodable(&d, 1, (enum wire_type)type, 0), "1<SERVER_ERROR 9");
        assert_false(wire_has(&d.message, WIRE_TLV_MSG_SEQ_NUMBER));
        assert_string_equal(driver_undecodable(&d, 1, (enum wire_type)type, 1234), "1<SERVER_ERROR 9");
        assert_int_equal(d.message.seq, 1234);
        assert_string_equal(driver_skipped(&d, 1, WIRE_ERROR_UNSUPPORTED_MESSAGE), "1<SERVER_ERROR 4");
        assert_false(wire_has(&d.message, WIRE_TLV_MSG_SEQ_NUMBER));
        assert_string_equal(driver_skipped(&d, 1, WIRE_ERROR_MESSAGE_TOO_LONG), "1<SERVER_ERROR 5");
    }
    if (position == SECURING)
        assert_string_equal(driver_undecodable(&d, 1, WIRE_INIT, 0), "1<CLOSE");
}

/* ... before state and TLS are looked at, and it costs nobody the connection. */
static void what_cannot_be_decoded_is_answered_alike_in_every_state(void **state)
{
    (void)state;
    for_each_position(check_undecodable);
}

static void check_skipped(enum position position, enum wire_tls_supported tls)
{
    (void)tls;
    if (position == SECURING)
        assert_string_equal(driver_skipped(&d, 1, WIRE_ERROR_MESSAGE_TOO_LONG), "1<CLOSE");
}

static void nothing_in_plain_text_is_taken_behind_starttls(void **state)
{
    (void)state;
    for_each_position(check_skipped);
}

static void preinit_reply_states_the_policy(void **state)
{
    (void)state;
    for (int tls = WIRE_TLS_UNSUPPORTED; tls <= WIRE_TLS_REQUIRED; tls++)
        for (int cert_required = 0; cert_required < 2; cert_required++) {
            start((enum wire_tls_supported)tls, cert_required != 0);
            driver_connect(&d, 1);
            driver_preinit(&d, 1, "C");
            assert_int_equal(d.message.u.preinit_reply.tls_supported, tls);
            assert_int_equal(d.message.u.preinit_reply.tls_client_cert_required, cert_required); /* also with -s off */
            assert_int_equal(d.message.seq, 7);
            driver_fini(&d);
        }
}

static void a_preinit_without_name_may_be_corrected(void **state)
{
    struct wire_message *m = calloc(1, sizeof(*m));

    (void)state;
    assert_non_null(m);
    m->type = WIRE_PREINIT;
    m->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    driver_init(&d);
    driver_connect(&d, 1);
    assert_string_equal(driver_message(&d, 1, m), "1<SERVER_ERROR 7");
    assert_string_equal(driver_preinit(&d, 1, "C"), "1<PREINIT_REPLY");
    driver_fini(&d);
    free(m);
}

/* ---- one identity for life: P2, P3, P9 ---- */

static const struct member *only_member(void)
{
    const struct cluster *cluster = driver_cluster(&d);

    assert_non_null(cluster);
    assert_non_null(cluster->members);
    assert_null(cluster->members->next);
    return cluster->members;
}

/* The packaged one takes over what the refused INIT says, and crashes at the next node list. */
static void p02_a_second_init_changes_nothing(void **state)
{
    static const enum wire_algorithm algorithms[] = {WIRE_ALGORITHM_TEST, FF, WIRE_ALGORITHM_2NODELMS,
                                                     WIRE_ALGORITHM_LMS};

    (void)state;
    for (int first = 0; first < 4; first++)
        for (int second = 0; second < 4; second++) {
            driver_init(&d);
            driver_join(&d, 1, 1, algorithms[first], "1,2");
            driver_membership(&d, 1, "1,2", 1, 8, U);
            d.heartbeat_ms = 1000;
            d.tie_breaker.mode = WIRE_TIE_BREAKER_HIGHEST;
            assert_string_equal(driver_init_message(&d, 1, 2, algorithms[second]), "1<INIT_REPLY 17");
            assert_int_equal(only_member()->node_id, 1);
            assert_int_equal(only_member()->heartbeat_ms, 8000);
            assert_int_equal(only_member()->ring.seq, 8);
            assert_true(only_member()->has_config && only_member()->has_membership);
            assert_int_equal(driver_cluster(&d)->algorithm, algorithms[first]);
            assert_int_equal(driver_cluster(&d)->tie_breaker.mode, WIRE_TIE_BREAKER_LOWEST);
            assert_non_null(strstr(driver_membership(&d, 1, "1,2", 1, 12, U), "1<NODE_LIST_REPLY"));
            assert_string_equal(driver_pass(&d, 11999), ""); /* the dead peer timer too is the first one's */
            assert_string_equal(driver_pass(&d, 1), "1<CLOSE");
            driver_fini(&d);
        }
}

static void p02_a_refused_init_leaves_no_trace(void **state)
{
    (void)state;
    driver_init(&d);
    driver_connect(&d, 1);
    driver_preinit(&d, 1, "C");
    d.heartbeat_ms = 999;
    assert_string_equal(driver_init_message(&d, 1, 5, WIRE_ALGORITHM_LMS), "1<INIT_REPLY 13");
    assert_null(driver_cluster(&d));
    assert_int_equal(arbiter_cluster_count(d.arbiter), 0);
    d.heartbeat_ms = 8000;
    assert_string_equal(driver_init_message(&d, 1, 1, FF), "1<INIT_REPLY 0");
    assert_int_equal(only_member()->node_id, 1);
    driver_fini(&d);
}

/* A certificate of cluster C must not become one of cluster D by saying PREINIT again. */
static void p03_p09_a_second_preinit_changes_nothing(void **state)
{
    (void)state;
    for (int when = 0; when < 3; when++) { /* before the handshake, after it, after INIT */
        start(WIRE_TLS_REQUIRED, true);
        driver_connect(&d, 1);
        driver_preinit(&d, 1, "C");
        if (when == 0)
            assert_string_equal(driver_preinit(&d, 1, "D"), "1<SERVER_ERROR 8");
        send_type(WIRE_STARTTLS);
        driver_tls(&d, 1, "C");
        if (when == 1)
            assert_string_equal(driver_preinit(&d, 1, "D"), "1<SERVER_ERROR 8");
        assert_string_equal(driver_init_message(&d, 1, 1, FF), "1<INIT_REPLY 0");
        if (when == 2)
            assert_string_equal(driver_preinit(&d, 1, "D"), "1<SERVER_ERROR 8");
        assert_string_equal(driver_config(&d, 1, "1"), "1<NODE_LIST_REPLY ASK_LATER 1.1");
        assert_int_equal(only_member()->node_id, 1);
        assert_null(arbiter_find_cluster(d.arbiter, (struct wire_bytes){(const uint8_t *)"D", 1}));
        driver_fini(&d);
    }
}

static void p03_a_second_starttls_changes_nothing(void **state)
{
    (void)state;
    start(WIRE_TLS_REQUIRED, true);
    assert_true(go_to(READY_SECURED, WIRE_TLS_REQUIRED));
    assert_string_equal(send_type(WIRE_STARTTLS), "1<SERVER_ERROR 8");
    assert_string_equal(driver_tls(&d, 1, "D"), ""); /* no handshake is under way: ignored */
    assert_true(only_member()->tls_cert_verified);
    assert_string_equal(driver_echo(&d, 1), "1<ECHO_REPLY");
    driver_fini(&d);
}

/* ---- certificates ---- */

/* What becomes of a client of that cluster with these names in its certificate. */
static const char *present(const char *cluster, const char *const *names, size_t count)
{
    driver_connect(&d, 1);
    driver_preinit(&d, 1, cluster);
    send_type(WIRE_STARTTLS);
    return driver_tls_names(&d, 1, names, count);
}

static void p12_the_certificate_must_name_the_cluster_or_the_log_says_why_not(void **state)
{
    static const struct {
        const char *cluster;
        const char *names[3];
        bool accepted;
    } cases[] = {
        {"Alpha", {"Alpha"}, true},
        {"Alpha", {"alpha"}, true},
        {"alpha", {"ALPHA"}, true},
        {"my_cluster 1", {"my_cluster 1"}, true},
        {"Alpha", {"other", "alpha"}, true}, /* any of the alternative names */
        {"Alpha", {NULL}, false},
        {"Alpha", {"Alph"}, false},
        {"Alpha", {"Alphas"}, false},
        {"Alpha", {""}, false},
        {"Alpha", {"Beta"}, false},
        {"Alpha", {"Beta", "Gamma"}, false},
        {"a.wild.org", {"*.wild.org"}, false}, /* no wildcards */
        {"*.wild.org", {"a.wild.org"}, false},
        {"", {""}, false}, /* nobody is the nameless cluster */
        {"", {NULL}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t count = 0;

        start(WIRE_TLS_REQUIRED, true);
        while (cases[i].names[count] != NULL)
            count++;
        assert_string_equal(present(cases[i].cluster, cases[i].names, count), cases[i].accepted ? "" : "1<CLOSE");
        if (cases[i].accepted) {
            assert_string_equal(driver_init_message(&d, 1, 1, FF), "1<INIT_REPLY 0");
        } else { /* P12: the log says what the client cannot know */
            assert_non_null(strstr(d.notes, "the client's certificate is for"));
        }
        driver_fini(&d);
    }
}

/* Any byte may be in a cluster's name; a C string that ends early must not pass for it. */
static void a_name_with_a_nul_is_not_what_comes_before_it(void **state)
{
    struct wire_message *m = calloc(1, sizeof(*m));

    (void)state;
    assert_non_null(m);
    m->type = WIRE_PREINIT;
    m->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_CLUSTER_NAME);
    m->u.preinit.cluster_name = (struct wire_bytes){(const uint8_t *)"C\0D", 3};
    start(WIRE_TLS_REQUIRED, true);
    driver_connect(&d, 1);
    driver_message(&d, 1, m);
    send_type(WIRE_STARTTLS);
    assert_string_equal(driver_tls(&d, 1, "C"), "1<CLOSE");
    driver_fini(&d);
    free(m);
}

static void without_the_policy_no_certificate_is_needed(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        start(WIRE_TLS_REQUIRED, false);
        assert_string_equal(present("C", (const char *const[]){"another"}, (size_t)with), "");
        assert_string_equal(driver_init_message(&d, 1, 1, FF), "1<INIT_REPLY 0");
        assert_false(only_member()->tls_cert_verified);
        driver_fini(&d);
    }
}

/* P4: "on" lets in plain text without any check, as the packaged default does. Ours is to require TLS. */
static void p04_tls_is_required_unless_somebody_says_otherwise(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    arbiter_settings_default(&settings);
    assert_int_equal(settings.tls, WIRE_TLS_REQUIRED);
    assert_true(settings.client_cert_required);
    driver_init_with(&d, &settings, true);
    driver_connect(&d, 1);
    driver_preinit(&d, 1, "C");
    assert_string_equal(driver_init_message(&d, 1, 1, FF), "1<SERVER_ERROR 3");
    driver_fini(&d);
    driver_init(&d); /* TLS possible, not required */
    driver_connect(&d, 1);
    driver_preinit(&d, 1, "C");
    assert_string_equal(driver_init_message(&d, 1, 1, FF), "1<INIT_REPLY 0");
    assert_non_null(strstr(d.notes, "in plain text"));
    driver_fini(&d);
}

/* ---- deadlines ---- */

static void init_must_be_done_within_a_minute_of_the_connection(void **state)
{
    (void)state;
    for (int said = 0; said < 3; said++) {
        driver_init(&d);
        driver_connect(&d, 1);
        if (said >= 1)
            driver_preinit(&d, 1, "C");
        if (said >= 2)
            send_type(WIRE_STARTTLS);
        for (int second = 1; second < 60; second++) {
            assert_string_equal(driver_pass(&d, 1000), "");
            if (said < 2) /* talk does not help */
                driver_undecodable(&d, 1, WIRE_PREINIT, 0);
        }
        assert_string_equal(driver_pass(&d, 999), "");
        assert_string_equal(driver_pass(&d, 1), "1<CLOSE");
        driver_fini(&d);
    }
}

static void a_silent_client_is_dropped_after_one_and_a_half_heartbeats(void **state)
{
    static const struct {
        uint32_t heartbeat_ms;
        uint32_t coefficient_permille;
        uint64_t silence_ms;
    } cases[] = {{8000, 1500, 12000},   {2000, 1500, 3000},     {1001, 1250, 1251},
                 {1000, 1000, 1000},    {120000, 1500, 180000}, {120000, 1000000, 120000000}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arbiter_settings settings;

        arbiter_settings_default(&settings);
        settings.tls = WIRE_TLS_UNSUPPORTED;
        settings.dpd_coefficient_permille = cases[i].coefficient_permille;
        driver_init_with(&d, &settings, true);
        d.heartbeat_ms = cases[i].heartbeat_ms;
        driver_join(&d, 1, 1, FF, "1,2");
        driver_pass(&d, cases[i].heartbeat_ms / 2);
        driver_echo(&d, 1);
        assert_string_equal(driver_pass(&d, cases[i].silence_ms - 1), "");
        assert_string_equal(driver_pass(&d, 1), "1<CLOSE");
        driver_fini(&d);
    }
}

/* A whole message of a known type is a sign of life, whatever it says; one thrown away is not. */
static void what_counts_as_a_sign_of_life(void **state)
{
    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        driver_init(&d);
        driver_join(&d, 1, 1, FF, "1,2");
        assert_string_equal(driver_pass(&d, 11999), "");
        if (kind == 0)
            driver_echo(&d, 1);
        else if (kind == 1)
            driver_undecodable(&d, 1, WIRE_ECHO_REQUEST, 0);
        else if (kind == 2)
            send_type(WIRE_VOTE_INFO); /* server-only */
        else if (kind == 3)
            send_type(WIRE_PREINIT); /* misplaced */
        else
            driver_skipped(&d, 1, WIRE_ERROR_UNSUPPORTED_MESSAGE);
        assert_string_equal(driver_pass(&d, 1), kind < 4 ? "" : "1<CLOSE");
        if (kind < 4)
            assert_string_equal(driver_pass(&d, 11998), "");
        driver_fini(&d);
    }
}

/* However many echoes: the heap is not touched before the old deadline comes up. */
static void an_echo_costs_no_timer_work(void **state)
{
    uint64_t deadline_ms;

    (void)state;
    driver_init(&d);
    driver_join(&d, 1, 1, FF, "1,2");
    deadline_ms = arbiter_deadline_ms(d.arbiter);
    for (int i = 0; i < 11; i++) {
        driver_pass(&d, 1000);
        driver_echo(&d, 1);
        assert_true(arbiter_deadline_ms(d.arbiter) == deadline_ms);
    }
    assert_string_equal(driver_pass(&d, 1000), "");
    assert_true(arbiter_deadline_ms(d.arbiter) == deadline_ms + 11000);
    driver_fini(&d);
}

static void set_option_changes_the_dead_peer_interval_at_once(void **state)
{
    (void)state;
    driver_init(&d);
    driver_join(&d, 1, 1, FF, "1,2");
    assert_string_equal(driver_heartbeat(&d, 1, 2000), "1<SET_OPTION_REPLY");
    assert_int_equal(d.message.u.set_option.heartbeat_ms, 2000);
    assert_string_equal(driver_pass(&d, 2999), "");
    assert_string_equal(driver_pass(&d, 1), "1<CLOSE");
    driver_fini(&d);
}

static void without_dead_peer_detection_nobody_is_dropped_for_silence(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    settings.dpd_enabled = false;
    driver_init_with(&d, &settings, true);
    driver_join(&d, 1, 1, FF, "1,2");
    assert_string_equal(driver_pass(&d, 100000000), "");
    assert_true(arbiter_deadline_ms(d.arbiter) == ARBITER_NEVER);
    driver_connect(&d, 2); /* INIT is still due */
    assert_string_equal(driver_pass(&d, 60000), "2<CLOSE");
    driver_fini(&d);
}

/* ---- limits ---- */

static void p10_clients_beyond_the_limit_are_closed_without_a_word(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    settings.clients_max = 2;
    driver_init_with(&d, &settings, true);
    assert_string_equal(driver_connect(&d, 1), "");
    assert_string_equal(driver_connect(&d, 2), "");
    assert_string_equal(driver_connect(&d, 3), "1<CLOSE"); /* strangers keep nobody out */
    assert_int_equal(arbiter_client_count(d.arbiter), 2);
    assert_string_equal(driver_preinit(&d, 1, "C"), ""); /* too late */
    driver_disconnect(&d, 2, ARBITER_GONE_EOF);
    driver_disconnect(&d, 3, ARBITER_GONE_EOF);
    driver_join(&d, 2, 1, FF, "");
    driver_join(&d, 3, 2, FF, "");
    for (int i = 0; i < 3; i++)
        assert_string_equal(driver_connect(&d, 4), "4<CLOSE"); /* nor members in */
    driver_disconnect(&d, 2, ARBITER_GONE_EOF);
    assert_string_equal(driver_connect(&d, 4), "");
    driver_fini(&d);
}

static void the_oldest_connection_without_init_is_the_one_to_sacrifice(void **state)
{
    (void)state;
    driver_init(&d);
    assert_int_equal(arbiter_oldest_uninitialised(d.arbiter), 0);
    for (int slot = 1; slot <= 4; slot++)
        driver_connect(&d, slot);
    assert_int_equal((uint32_t)arbiter_oldest_uninitialised(d.arbiter), 1);
    driver_preinit(&d, 1, "C");
    assert_int_equal((uint32_t)arbiter_oldest_uninitialised(d.arbiter), 1);
    driver_init_message(&d, 1, 1, FF);
    assert_int_equal((uint32_t)arbiter_oldest_uninitialised(d.arbiter), 2);
    driver_disconnect(&d, 3, ARBITER_GONE_EOF);
    driver_disconnect(&d, 2, ARBITER_GONE_EOF);
    assert_int_equal((uint32_t)arbiter_oldest_uninitialised(d.arbiter), 4);
    driver_disconnect(&d, 4, ARBITER_GONE_EOF);
    assert_int_equal(arbiter_oldest_uninitialised(d.arbiter), 0);
    driver_fini(&d);
}

/* What is still under way from a connection that was closed must not reach its successor in the same slot. */
static void events_of_a_former_connection_are_ignored(void **state)
{
    (void)state;
    driver_init(&d);
    driver_join(&d, 1, 1, FF, "1,2");
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    assert_string_equal(driver_echo(&d, 1), "");
    assert_string_equal(driver_disconnect(&d, 1, ARBITER_GONE_EOF), "");
    driver_connect(&d, 1);
    d.generation[1]--;
    assert_string_equal(driver_preinit(&d, 1, "C"), "");
    d.generation[1]++;
    assert_string_equal(driver_preinit(&d, 1, "C"), "1<PREINIT_REPLY");
    assert_int_equal(arbiter_client_count(d.arbiter), 1);
    driver_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_in_every_state_is_answered_by_the_table),
        cmocka_unit_test(what_cannot_be_decoded_is_answered_alike_in_every_state),
        cmocka_unit_test(nothing_in_plain_text_is_taken_behind_starttls),
        cmocka_unit_test(preinit_reply_states_the_policy),
        cmocka_unit_test(a_preinit_without_name_may_be_corrected),
        cmocka_unit_test(p02_a_second_init_changes_nothing),
        cmocka_unit_test(p02_a_refused_init_leaves_no_trace),
        cmocka_unit_test(p03_p09_a_second_preinit_changes_nothing),
        cmocka_unit_test(p03_a_second_starttls_changes_nothing),
        cmocka_unit_test(p12_the_certificate_must_name_the_cluster_or_the_log_says_why_not),
        cmocka_unit_test(a_name_with_a_nul_is_not_what_comes_before_it),
        cmocka_unit_test(without_the_policy_no_certificate_is_needed),
        cmocka_unit_test(p04_tls_is_required_unless_somebody_says_otherwise),
        cmocka_unit_test(init_must_be_done_within_a_minute_of_the_connection),
        cmocka_unit_test(a_silent_client_is_dropped_after_one_and_a_half_heartbeats),
        cmocka_unit_test(what_counts_as_a_sign_of_life),
        cmocka_unit_test(an_echo_costs_no_timer_work),
        cmocka_unit_test(set_option_changes_the_dead_peer_interval_at_once),
        cmocka_unit_test(without_dead_peer_detection_nobody_is_dropped_for_silence),
        cmocka_unit_test(p10_clients_beyond_the_limit_are_closed_without_a_word),
        cmocka_unit_test(the_oldest_connection_without_init_is_the_one_to_sacrifice),
        cmocka_unit_test(events_of_a_former_connection_are_ignored),
    };

    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
