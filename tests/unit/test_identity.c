/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two clusters of one name, told apart by the identities in their certificates: the text of one, and whom the arbiter serves while
 * whom is connected, has left, or has left a vote behind. (docs/safety.md.)
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

/* Digits of driver_tls_identity. */
#define NONE 0
#define A 1
#define B 2

#define TAKEN_OURS "INIT_REPLY 20740"
#define TAKEN_PACKAGED "INIT_REPLY 17"

static struct driver d;
static struct wire_message *message;

static int prepare(void **state)
{
    (void)state;
    message = calloc(1, sizeof(*message));
    return message != NULL ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    free(message);
    return 0;
}

static void start(void)
{
    struct arbiter_settings settings;

    arbiter_settings_default(&settings);
    driver_init_with(&d, &settings, true);
}

/* As far as INIT, which is answered with what is returned. */
static const char *join_as(int slot, uint32_t node_id, unsigned identity, bool ours)
{
    driver_connect(&d, slot);
    driver_preinit(&d, slot, "C");
    memset(message, 0, sizeof(*message));
    message->type = WIRE_STARTTLS;
    message->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    driver_message(&d, slot, message);
    assert_string_equal(driver_tls_identity(&d, slot, identity), "");
    memset(message, 0, sizeof(*message));
    message->type = WIRE_INIT;
    message->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_NODE_ID) | WIRE_HAS(WIRE_TLV_RING_ID) |
                       WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL) | WIRE_HAS(WIRE_TLV_TIE_BREAKER) |
                       WIRE_HAS(WIRE_TLV_DECISION_ALGORITHM);
    if (ours)
        message->present |= WIRE_HAS_INSTANCE;
    message->seq = 1;
    message->u.init.instance = node_id;
    message->u.init.node_id = node_id;
    message->u.init.ring_id = (struct wire_ring_id){node_id, 4};
    message->u.init.heartbeat_ms = 8000;
    message->u.init.tie_breaker.mode = WIRE_TIE_BREAKER_LOWEST;
    message->u.init.algorithm = FF;
    return driver_message(&d, slot, message);
}

static bool joins(int slot, uint32_t node_id, unsigned identity)
{
    return strstr(join_as(slot, node_id, identity, false), "INIT_REPLY 0") != NULL;
}

/* ---- the text ---------------------------------------------------------------------------------------------------- */

static const char sample[] = "3f2a9c04-5d1e-4b7a-9e02-8c6f1a2b3c4d";

static void text_is_read_back_and_nothing_else_is_one(void **state)
{
    static const char *const wrong[] = {"",
                                        "3f2a9c04",
                                        "3f2a9c045d1e4b7a9e028c6f1a2b3c4d",
                                        "3F2A9C04-5d1e-4b7a-9e02-8c6f1a2b3c4d",
                                        "3f2a9c04-5d1e-4b7a-9e02-8c6f1a2b3c4",
                                        "3f2a9c04-5d1e-4b7a-9e02-8c6f1a2b3c4d ",
                                        "3f2a9c04-5d1e-4b7a-9e02+8c6f1a2b3c4d",
                                        "00000000-0000-0000-0000-000000000000",
                                        "{f2a9c04-5d1e-4b7a-9e02-8c6f1a2b3c4d"};
    struct cluster_identity identity, other = {{1}};
    char text[CLUSTER_IDENTITY_TEXT_SIZE], uri[CLUSTER_IDENTITY_URI_SIZE];

    (void)state;
    assert_true(cluster_identity_parse(sample, strlen(sample), &identity));
    cluster_identity_text(&identity, text);
    assert_string_equal(text, sample);
    snprintf(uri, sizeof(uri), CLUSTER_IDENTITY_URI "%s", sample);
    assert_true(cluster_identity_parse_uri(uri, strlen(uri), &other));
    assert_true(cluster_identity_equal(&identity, &other));
    assert_false(cluster_identity_parse_uri(sample, strlen(sample), &other));
    assert_false(cluster_identity_is_set(&other));
    assert_false(cluster_identity_parse_uri("urn:uuid:", 9, &other));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(cluster_identity_parse(wrong[i], strlen(wrong[i]), &other));
    cluster_identity_text(&other, text);
    assert_string_equal(text, "");
    assert_false(cluster_identity_conflict(&identity, &other));
    assert_false(cluster_identity_conflict(&other, &other));
    assert_false(cluster_identity_conflict(&identity, &identity));
}

/* ---- who is served ----------------------------------------------------------------------------------------------- */

static void of_two_clusters_of_one_name_the_first_is_served(void **state)
{
    (void)state;
    start();
    assert_true(joins(1, 1, A));
    assert_string_equal(join_as(2, 2, B, true), "2<" TAKEN_OURS);
    assert_non_null(strstr(d.notes, "served with the identity 11111111, the client's certificate has 22222222"));
    assert_non_null(strstr(d.notes, "totem.cluster_name"));
    assert_non_null(strstr(d.notes, "If they are one cluster: corosync-qnetd-certutil --invite NAME --identity 11111111 here"));
    assert_null(strstr(d.notes, "refused"));
    /* A packaged device would end for good if it were told a number that it does not know. */
    assert_string_equal(join_as(3, 2, B, false), "3<" TAKEN_PACKAGED);
    assert_true(joins(4, 2, A));
    assert_int_equal(driver_cluster(&d)->connected_count, 2);
    driver_fini(&d);
}

static void a_stranger_does_not_replace_a_connection(void **state)
{
    (void)state;
    start();
    assert_non_null(strstr(join_as(1, 1, A, true), "INIT_REPLY 0"));
    assert_string_equal(join_as(2, 1, B, true), "2<" TAKEN_OURS); /* with the same instance and node */
    assert_non_null(strstr(join_as(3, 1, A, true), "3<INIT_REPLY 0"));
    driver_fini(&d);
}

static void a_certificate_without_identity_takes_part_in_either(void **state)
{
    (void)state;
    start();
    assert_true(joins(1, 1, NONE));
    assert_true(joins(2, 2, NONE));
    assert_true(joins(3, 3, A)); /* binds the name */
    assert_false(joins(4, 4, B));
    assert_true(joins(5, 5, NONE));
    driver_disconnect(&d, 3, ARBITER_GONE_EOF);
    assert_false(joins(6, 4, B)); /* still: the others may be A's */
    assert_true(joins(3, 3, A));
    driver_fini(&d);
}

static void the_name_is_free_when_nobody_is_left(void **state)
{
    (void)state;
    start();
    assert_true(joins(1, 1, A));
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    assert_null(driver_cluster(&d));
    assert_true(joins(2, 1, B));
    assert_false(joins(1, 2, A));
    driver_fini(&d);
}

static void a_vote_left_behind_keeps_the_name(void **state)
{
    (void)state;
    start();
    assert_true(joins(1, 1, A));
    driver_config(&d, 1, "1,2");
    driver_membership(&d, 1, "1", 1, 8, U);
    assert_non_null(strstr(d.record, "identity 11111111-1111-1111-1111-111111111111\n"));
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    assert_int_equal(driver_grant(&d, 1), GRANT_GHOST);
    assert_false(joins(2, 1, B));
    driver_pass(&d, 20000);
    assert_null(driver_cluster(&d));
    assert_true(joins(3, 1, B));
    driver_fini(&d);
}

static void a_name_bound_late_is_put_on_record(void **state)
{
    (void)state;
    start();
    assert_true(joins(1, 1, NONE));
    driver_config(&d, 1, "1,2");
    driver_membership(&d, 1, "1", 1, 8, U);
    assert_null(strstr(d.record, "identity"));
    assert_true(joins(2, 2, A));
    driver_config(&d, 2, "1,2");
    driver_membership(&d, 1, "1,2", 1, 12, U);
    driver_membership(&d, 2, "1,2", 1, 12, U);
    assert_non_null(strstr(d.record, "identity 11111111"));
    driver_fini(&d);
}

static void a_restart_does_not_give_the_name_away(void **state)
{
    struct node_set active = {0};
    struct grant_holder holder = {1, 19000};
    struct grant_record record = {.name = {(const uint8_t *)"C", 1}, .holders = &holder, .holder_count = 1};
    struct arbiter_event event = {.type = ARBITER_EV_RESTORE, .u.record = &record};

    (void)state;
    start();
    memset(record.identity.bytes, 0x11, sizeof(record.identity.bytes));
    assert_int_equal(node_set_add(&active, 1), Q_OK);
    record.active = active;
    event.now_ms = d.now_ms;
    arbiter_actions_reset(&d.actions);
    assert_int_equal(arbiter_step(d.arbiter, &event, &d.actions), Q_OK);
    assert_false(joins(1, 1, B));
    assert_true(joins(2, 1, A));
    node_set_fini(&active);
    driver_fini(&d);
}

/* ---- every order ------------------------------------------------------------------------------------------------- */

#define NODES 5
#define STEPS 7

static const unsigned identity_of[NODES] = {NONE, A, A, B, B};

/* One node comes or goes. Whoever is served beside whom, and who is refused, follows from the rule alone. */
static void toggle(bool present[NODES], unsigned *bound, int node)
{
    unsigned identity = identity_of[node];
    bool anybody = false;

    if (present[node]) {
        driver_disconnect(&d, node + 1, ARBITER_GONE_CLOSE_NOTIFY);
        present[node] = false;
    } else {
        present[node] = joins(node + 1, (uint32_t)node + 1, identity);
        assert_int_equal(present[node], identity == NONE || *bound == NONE || *bound == identity);
        if (!present[node])
            driver_disconnect(&d, node + 1, ARBITER_GONE_EOF);
        else if (identity != NONE)
            *bound = identity;
    }
    for (int i = 0; i < NODES; i++)
        anybody = anybody || present[i];
    if (!anybody)
        *bound = NONE;
    assert_false((present[1] || present[2]) && (present[3] || present[4]));
    arbiter_check(d.arbiter);
}

static void in_no_order_are_two_clusters_served_at_once(void **state)
{
    int orders = 1;

    (void)state;
    for (int i = 0; i < STEPS; i++)
        orders *= NODES;
    for (int order = 0; order < orders; order++) {
        bool present[NODES] = {false};
        unsigned bound = NONE;

        start();
        for (int i = 0, left = order; i < STEPS; i++, left /= NODES)
            toggle(present, &bound, left % NODES);
        driver_fini(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_back_and_nothing_else_is_one),
        cmocka_unit_test(of_two_clusters_of_one_name_the_first_is_served),
        cmocka_unit_test(a_stranger_does_not_replace_a_connection),
        cmocka_unit_test(a_certificate_without_identity_takes_part_in_either),
        cmocka_unit_test(the_name_is_free_when_nobody_is_left),
        cmocka_unit_test(a_vote_left_behind_keeps_the_name),
        cmocka_unit_test(a_name_bound_late_is_put_on_record),
        cmocka_unit_test(a_restart_does_not_give_the_name_away),
        cmocka_unit_test(in_no_order_are_two_clusters_served_at_once),
    };

    return cmocka_run_group_tests_name("identity", tests, prepare, finish);
}
