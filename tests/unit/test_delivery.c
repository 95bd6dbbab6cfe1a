/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Losers before winners, leases, ghosts, records: the order in which votes leave the arbiter.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "tests/unit/arbiter_driver.h"

#define FF WIRE_ALGORITHM_FFSPLIT
#define U WIRE_HEURISTICS_UNDEFINED

static struct driver d; /* large */

/* Nodes 1 and 2 under `algorithm`, joined, both holding ACK for ring 1.8. Slot = node id. */
static void two_nodes(enum wire_algorithm algorithm)
{
    driver_join(&d, 1, 1, algorithm, "1,2");
    driver_join(&d, 2, 2, algorithm, "1,2");
    driver_membership(&d, 1, "1,2", 1, 8, U);
    driver_membership(&d, 2, "1,2", 1, 8, U);
    driver_confirm(&d, 1);
    driver_confirm(&d, 2);
    assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
    assert_int_equal(driver_grant(&d, 2), GRANT_HELD);
}

static void a_client_that_has_not_reported_holds_nobody_up(void **state)
{
    (void)state;
    driver_init(&d);
    driver_join(&d, 1, 1, FF, "1,2");
    driver_join(&d, 2, 2, FF, "1,2");
    assert_string_equal(driver_membership(&d, 1, "1,2", 1, 8, U),
                        "1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.8; 1<VOTE_INFO ACK 1.8");
    driver_fini(&d);
}

static void loser_confirms_before_winner_is_told(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    assert_string_equal(driver_membership(&d, 2, "2", 2, 12, U), "2<NODE_LIST_REPLY WAIT_FOR_REPLY 2.12");
    assert_string_equal(driver_membership(&d, 1, "1", 1, 12, U),
                        "2<VOTE_INFO NACK 2.12; 1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.12");
    assert_int_equal(driver_grant(&d, 2), GRANT_HELD);
    assert_string_equal(driver_confirm(&d, 2), "1<VOTE_INFO ACK 1.12");
    assert_int_equal(driver_grant(&d, 2), GRANT_NONE);
    driver_fini(&d);
}

static void a_wrong_confirmation_releases_nobody(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    d.vote_seq[2]--;
    assert_string_equal(driver_confirm(&d, 2), "");
    d.vote_seq[2] += 2;
    assert_string_equal(driver_confirm(&d, 2), "");
    assert_int_equal(driver_grant(&d, 2), GRANT_HELD);
    driver_fini(&d);
}

/* The client confirms and ignores a vote for a ring it has left: such a confirmation proves nothing. */
static void a_confirmation_for_a_former_ring_releases_nobody(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    uint32_t stale = d.vote_seq[2];
    assert_non_null(strstr(driver_membership(&d, 2, "2", 2, 16, U), "2<VOTE_INFO NACK 2.16"));
    uint32_t fresh = d.vote_seq[2];
    d.vote_seq[2] = stale;
    assert_string_equal(driver_confirm(&d, 2), "");
    d.vote_seq[2] = fresh;
    assert_string_equal(driver_confirm(&d, 2), "1<VOTE_INFO ACK 1.12");
    driver_fini(&d);
}

static void a_killed_holder_is_waited_for_as_long_as_it_can_vote(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    /* heard 0 ms ago: 2.25 x 8 s + 1 s */
    assert_string_equal(driver_pass(&d, 11000), "");
    driver_echo(&d, 2);
    assert_string_equal(driver_pass(&d, 7999), "");
    assert_string_equal(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

static void a_goodbye_over_tls_ends_the_grant_at_once_under_ffsplit(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(driver_disconnect(&d, 1, ARBITER_GONE_CLOSE_NOTIFY), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

static void a_goodbye_over_tls_ends_the_grant_at_once_under_lms(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(WIRE_ALGORITHM_LMS);
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(driver_disconnect(&d, 1, ARBITER_GONE_CLOSE_NOTIFY), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

static void a_goodbye_proves_nothing_under_2nodelms(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(WIRE_ALGORITHM_2NODELMS);
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(driver_disconnect(&d, 1, ARBITER_GONE_CLOSE_NOTIFY), "");
    assert_int_equal(driver_grant(&d, 1), GRANT_GHOST);
    driver_fini(&d);
}

static void packaged_timing_waits_for_no_ghost(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    settings.strict = false;
    driver_init_with(&d, &settings, true);
    two_nodes(FF);
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(driver_disconnect(&d, 1, ARBITER_GONE_EOF), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

static void a_silent_holder_is_dropped_and_waited_for(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_pass(&d, 4000);
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(driver_pass(&d, 8000), "1<CLOSE");
    driver_echo(&d, 2);
    assert_string_equal(driver_pass(&d, 6999), "");
    assert_string_equal(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

static void a_loser_that_never_confirms_is_given_up(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    for (int i = 0; i < 7; i++) {
        driver_pass(&d, 1000);
        driver_echo(&d, 2); /* alive, but it does not answer */
    }
    assert_string_equal(driver_pass(&d, 1000), "2<CLOSE");
    driver_echo(&d, 1);
    driver_pass(&d, 10000);
    driver_echo(&d, 1);
    assert_non_null(strstr(driver_pass(&d, 9000), "1<VOTE_INFO ACK 1.12"));
    driver_fini(&d);
}

static void a_majority_does_not_wait(void **state)
{
    (void)state;
    driver_init(&d);
    for (int node = 1; node <= 4; node++)
        driver_join(&d, node, (uint32_t)node, FF, "1,2,3,4");
    for (int node = 1; node <= 4; node++)
        driver_membership(&d, node, "1,2,3,4", 1, 8, U);
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    driver_membership(&d, 2, "2,3,4", 2, 12, U);
    driver_membership(&d, 3, "2,3,4", 2, 12, U);
    assert_non_null(strstr(driver_membership(&d, 4, "2,3,4", 2, 12, U), "2<VOTE_INFO ACK 2.12; 3<VOTE_INFO ACK"));
    driver_fini(&d);
}

/*
 * Node 1 got the vote as half of two nodes; on the other side a third node was added. Two of three are a majority, but
 * node 1 goes by the old number: alone with its vote it is quorate.
 */
static void a_majority_of_a_changed_configuration_waits(void **state)
{
    (void)state;
    for (int gone = 0; gone < 2; gone++) {
        driver_init(&d);
        two_nodes(FF);
        driver_membership(&d, 2, "2", 2, 12, U);
        driver_membership(&d, 1, "1", 1, 12, U);
        driver_confirm(&d, 2);
        if (gone)
            driver_disconnect(&d, 1, ARBITER_GONE_EOF);
        driver_join(&d, 3, 3, FF, "1,2,3");
        driver_membership(&d, 3, "2,3", 2, 16, U);
        driver_config(&d, 2, "1,2,3");
        driver_membership(&d, 2, "2,3", 2, 16, U);
        for (int i = 0; i < 16; i++) {
            assert_null(strstr(driver_pass(&d, 1000), "VOTE_INFO ACK"));
            for (int node = gone ? 2 : 1; node <= 3; node++)
                driver_echo(&d, node);
        }
        if (gone) {
            assert_int_equal(driver_grant(&d, 1), GRANT_GHOST);
            driver_pass(&d, 3000);
        } else {
            assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
            driver_confirm(&d, 1);
        }
        assert_int_equal(driver_grant(&d, 1), GRANT_NONE);
        assert_int_equal(driver_grant(&d, 2), GRANT_HELD);
        assert_int_equal(driver_grant(&d, 3), GRANT_HELD);
        driver_fini(&d);
    }
}

static void a_returning_ghost_is_served_and_its_rival_waits(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    driver_confirm(&d, 2);
    driver_confirm(&d, 1);
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    assert_string_equal(driver_pass(&d, 1000), "");
    driver_join(&d, 1, 1, FF, "1,2");
    assert_non_null(strstr(driver_membership(&d, 1, "1", 1, 12, U), "1<VOTE_INFO ACK 1.12"));
    driver_fini(&d);
}

static void no_ack_before_the_grant_is_recorded(void **state)
{
    (void)state;
    driver_init(&d);
    d.hold_persist = true;
    driver_join(&d, 1, 1, FF, "1,2");
    assert_string_equal(driver_membership(&d, 1, "1,2", 1, 8, U), "1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.8");
    assert_string_equal(driver_persisted(&d, ARBITER_PERSIST_DONE), "1<VOTE_INFO ACK 1.8");
    driver_fini(&d);
}

static void no_ack_while_the_record_cannot_be_written(void **state)
{
    (void)state;
    driver_init(&d);
    d.persist_result = ARBITER_PERSIST_FAILED;
    driver_join(&d, 1, 1, FF, "1,2");
    assert_string_equal(driver_membership(&d, 1, "1,2", 1, 8, U), "1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.8");
    assert_string_equal(driver_pass(&d, 2500), "");
    d.persist_result = ARBITER_PERSIST_VOLATILE;
    assert_string_equal(driver_pass(&d, 1000), "1<VOTE_INFO ACK 1.8");
    driver_fini(&d);
}

static void an_outdated_answer_to_a_record_releases_nobody(void **state)
{
    (void)state;
    driver_init(&d);
    d.hold_persist = true;
    driver_join(&d, 1, 1, FF, "1,2");
    driver_membership(&d, 1, "1,2", 1, 8, U);
    uint64_t old = d.held_generation;
    driver_membership(&d, 1, "1", 1, 12, U);
    uint64_t fresh = d.held_generation;
    assert_true(fresh > old);
    d.held_generation = old;
    assert_string_equal(driver_persisted(&d, ARBITER_PERSIST_DONE), "");
    d.held_generation = fresh;
    assert_string_equal(driver_persisted(&d, ARBITER_PERSIST_DONE), "1<VOTE_INFO ACK 1.12");
    driver_fini(&d);
}

/* Start with a record naming node 1 as the only holder; node 2 returns first. */
static void the_old_holder_is_served_first_after_a_restart(void **state)
{
    struct arbiter_settings settings;
    struct grant_holder holder = {1, 19000};
    uint32_t one = 1;
    struct grant_record record = {.name = {(const uint8_t *)"C", 1},
                                  .active = {&one, 1},
                                  .holders = &holder,
                                  .holder_count = 1};
    struct arbiter_event event = {.type = ARBITER_EV_RESTORE, .u.record = &record};

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    driver_init_with(&d, &settings, true);
    event.now_ms = d.now_ms;
    assert_int_equal(arbiter_step(d.arbiter, &event, &d.actions), Q_OK);
    driver_join(&d, 2, 2, FF, "1,2");
    assert_string_equal(driver_membership(&d, 2, "2", 2, 12, U), "2<NODE_LIST_REPLY WAIT_FOR_REPLY 2.12");
    driver_pass(&d, 5000);
    driver_join(&d, 1, 1, FF, "1,2");
    assert_string_equal(driver_membership(&d, 1, "1", 1, 12, U),
                        "2<VOTE_INFO NACK 2.12; 1<NODE_LIST_REPLY WAIT_FOR_REPLY 1.12");
    assert_string_equal(driver_confirm(&d, 2), "1<VOTE_INFO ACK 1.12");
    driver_fini(&d);
}

static void without_records_half_a_cluster_waits_after_the_start(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    driver_init_with(&d, &settings, false);
    driver_join(&d, 2, 2, FF, "1,2");
    assert_string_equal(driver_membership(&d, 2, "2", 2, 12, U), "2<NODE_LIST_REPLY WAIT_FOR_REPLY 2.12");
    driver_pass(&d, 9000);
    driver_echo(&d, 2);
    assert_string_equal(driver_pass(&d, 9999), "");
    assert_string_equal(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

static void without_records_a_whole_cluster_does_not_wait(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    driver_init_with(&d, &settings, false);
    driver_join(&d, 2, 2, FF, "1,2");
    assert_non_null(strstr(driver_membership(&d, 2, "1,2", 1, 12, U), "2<VOTE_INFO ACK 1.12"));
    driver_fini(&d);
}

static void contradicting_reports_are_waited_out_within_a_bound(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    /* Node 1 insists on a membership that node 2 has left, and both stay connected. */
    assert_string_equal(driver_membership(&d, 2, "2", 2, 12, U), "2<NODE_LIST_REPLY WAIT_FOR_REPLY 2.12");
    for (int i = 0; i < 15; i++) {
        assert_string_equal(driver_pass(&d, 1000), "");
        driver_echo(&d, 1);
        driver_echo(&d, 2);
    }
    /* Node 1's membership is the whole cluster: more than half. */
    assert_string_equal(driver_pass(&d, 1000), "2<VOTE_INFO NACK 2.12");
    driver_fini(&d);
}

static void a_configuration_under_way_costs_nobody_the_vote(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    assert_string_equal(driver_config(&d, 1, "1,2,3,4"), "1<NODE_LIST_REPLY NO_CHANGE 1.8");
    assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
    assert_string_equal(driver_config(&d, 2, "1,2,3,4"), "2<NODE_LIST_REPLY NO_CHANGE 1.8");
    assert_int_equal(driver_grant(&d, 2), GRANT_HELD);
    driver_fini(&d);
}

/* docs/observed.md: votequorum brings a withdrawn vote back. */
static void a_loser_that_says_it_is_quorate_is_told_again(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    driver_confirm(&d, 2);
    assert_string_equal(driver_quorum(&d, 2, "2", false), "2<NODE_LIST_REPLY NO_CHANGE 2.12");
    assert_string_equal(driver_quorum(&d, 2, "2", true),
                        "2<VOTE_INFO NACK 2.12; 2<NODE_LIST_REPLY NO_CHANGE 2.12");
    assert_string_equal(driver_quorum(&d, 1, "1", true), "1<NODE_LIST_REPLY NO_CHANGE 1.12");
    driver_fini(&d);
}

/* docs/observed.md: without a token votequorum cannot withdraw what the device has withdrawn. */
static void a_loser_that_is_quorate_is_waited_for_until_it_says_it_is_not(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_quorum(&d, 1, "1,2", true);
    driver_quorum(&d, 2, "1,2", true);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    assert_string_equal(driver_confirm(&d, 2), "");
    assert_int_equal(driver_grant(&d, 2), GRANT_HELD);
    assert_non_null(strstr(driver_quorum(&d, 2, "2", false), "1<VOTE_INFO ACK 1.12"));
    assert_int_equal(driver_grant(&d, 2), GRANT_NONE);
    driver_fini(&d);
}

static void a_loser_that_says_nothing_is_not_waited_for_longer_than_a_ring_can_take(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_quorum(&d, 2, "1,2", true);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    driver_confirm(&d, 2);
    for (int i = 0; i < 29; i++) {
        assert_string_equal(driver_pass(&d, 1000), "");
        driver_echo(&d, 1);
        driver_echo(&d, 2);
    }
    assert_string_equal(driver_pass(&d, 1000), "1<VOTE_INFO ACK 1.12");
    driver_fini(&d);
}

static void a_device_of_ours_takes_its_own_place(void **state)
{
    (void)state;
    driver_init(&d);
    d.instance = 77;
    two_nodes(FF);
    driver_connect(&d, 3);
    driver_preinit(&d, 3, "C");
    assert_string_equal(driver_init_message(&d, 3, 1, FF), "1<CLOSE; 3<INIT_REPLY 0");
    assert_int_equal(driver_grant(&d, 1), GRANT_GHOST);
    driver_config(&d, 3, "1,2");
    assert_non_null(strstr(driver_membership(&d, 3, "1,2", 1, 8, U), "3<VOTE_INFO ACK 1.8"));
    assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
    d.instance = 78; /* a stranger */
    driver_connect(&d, 4);
    driver_preinit(&d, 4, "C");
    assert_string_equal(driver_init_message(&d, 4, 1, FF), "4<INIT_REPLY 17");
    driver_fini(&d);
}

static void a_device_of_ours_is_waited_for_no_longer_than_it_says(void **state)
{
    (void)state;
    driver_init(&d);
    d.instance = 77;
    two_nodes(FF);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    assert_string_equal(driver_pass(&d, 2776), ""); /* 2.7 s, 1 % and 50 ms */
    assert_non_null(strstr(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12"));
    driver_fini(&d);
}

static void a_cluster_is_forgotten_with_its_last_vote(void **state)
{
    (void)state;
    driver_init(&d);
    two_nodes(FF);
    driver_disconnect(&d, 1, ARBITER_GONE_CLOSE_NOTIFY);
    driver_disconnect(&d, 2, ARBITER_GONE_EOF);
    assert_non_null(driver_cluster(&d));
    driver_pass(&d, 19000);
    assert_null(driver_cluster(&d));
    driver_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_has_not_reported_holds_nobody_up),
        cmocka_unit_test(loser_confirms_before_winner_is_told),
        cmocka_unit_test(a_wrong_confirmation_releases_nobody),
        cmocka_unit_test(a_confirmation_for_a_former_ring_releases_nobody),
        cmocka_unit_test(a_killed_holder_is_waited_for_as_long_as_it_can_vote),
        cmocka_unit_test(a_goodbye_over_tls_ends_the_grant_at_once_under_ffsplit),
        cmocka_unit_test(a_goodbye_over_tls_ends_the_grant_at_once_under_lms),
        cmocka_unit_test(a_goodbye_proves_nothing_under_2nodelms),
        cmocka_unit_test(packaged_timing_waits_for_no_ghost),
        cmocka_unit_test(a_silent_holder_is_dropped_and_waited_for),
        cmocka_unit_test(a_loser_that_never_confirms_is_given_up),
        cmocka_unit_test(a_majority_does_not_wait),
        cmocka_unit_test(a_majority_of_a_changed_configuration_waits),
        cmocka_unit_test(a_returning_ghost_is_served_and_its_rival_waits),
        cmocka_unit_test(no_ack_before_the_grant_is_recorded),
        cmocka_unit_test(no_ack_while_the_record_cannot_be_written),
        cmocka_unit_test(an_outdated_answer_to_a_record_releases_nobody),
        cmocka_unit_test(the_old_holder_is_served_first_after_a_restart),
        cmocka_unit_test(without_records_half_a_cluster_waits_after_the_start),
        cmocka_unit_test(without_records_a_whole_cluster_does_not_wait),
        cmocka_unit_test(contradicting_reports_are_waited_out_within_a_bound),
        cmocka_unit_test(a_configuration_under_way_costs_nobody_the_vote),
        cmocka_unit_test(a_loser_that_says_it_is_quorate_is_told_again),
        cmocka_unit_test(a_loser_that_is_quorate_is_waited_for_until_it_says_it_is_not),
        cmocka_unit_test(a_loser_that_says_nothing_is_not_waited_for_longer_than_a_ring_can_take),
        cmocka_unit_test(a_device_of_ours_takes_its_own_place),
        cmocka_unit_test(a_device_of_ours_is_waited_for_no_longer_than_it_says),
        cmocka_unit_test(a_cluster_is_forgotten_with_its_last_vote),
    };

    return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
