/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter starts: with records of what it granted before, without any, and with devices of both kinds. The packaged
 * arbiter forgets (defects U5, U22). (spec/arbitration.md section 11.7, docs/safety.md.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "tests/unit/arbiter_driver.h"

#define FF WIRE_ALGORITHM_FFSPLIT
#define LMS WIRE_ALGORITHM_LMS
#define U WIRE_HEURISTICS_UNDEFINED

static struct driver d;

static void start(bool complete)
{
    struct arbiter_settings settings;

    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    driver_init_with(&d, &settings, complete);
}

/* Time passes while these slots send echoes. */
static const char *pass_alive(uint64_t ms, const char *slots)
{
    static char all[4096];

    all[0] = '\0';
    while (ms > 0) {
        uint64_t part = ms > 1000 ? 1000 : ms;

        strcat(all, driver_pass(&d, part));
        for (const char *slot = slots; *slot != '\0'; slot++)
            driver_echo(&d, *slot - '0');
        ms -= part;
    }
    return all;
}

/* ---- with records ---- */

/* S8: the half that comes back first must not get what the other may still hold. */
static void u05_u22_a_restart_does_not_flip_the_active_side(void **state)
{
    (void)state;
    start(true);
    driver_restore(&d, "1,2", 19000);
    for (int node = 3; node <= 4; node++) {
        driver_join(&d, node, (uint32_t)node, FF, "1,2,3,4");
        assert_null(strstr(driver_membership(&d, node, "3,4", 3, 12, U), "VOTE_INFO ACK"));
    }
    driver_join(&d, 1, 1, FF, "1,2,3,4");
    /* Losers need not confirm what they never had before the holders are served again; they are told at once. */
    assert_non_null(strstr(driver_membership(&d, 1, "1,2", 1, 12, U), "3<VOTE_INFO NACK 3.12; 4<VOTE_INFO NACK 3.12"));
    driver_confirm(&d, 3);
    driver_confirm(&d, 4);
    assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
    driver_join(&d, 2, 2, FF, "1,2,3,4");
    assert_non_null(strstr(driver_membership(&d, 2, "1,2", 1, 12, U), "2<VOTE_INFO ACK 1.12"));
    driver_fini(&d);
}

static void the_old_holders_win_even_against_the_tie_breaker_until_all_are_back(void **state)
{
    (void)state;
    start(true);
    driver_restore(&d, "3,4", 19000);
    for (int node = 1; node <= 2; node++) {
        driver_join(&d, node, (uint32_t)node, FF, "1,2,3,4");
        driver_membership(&d, node, "1,2", 1, 12, U);
    }
    driver_join(&d, 3, 3, FF, "1,2,3,4");
    driver_membership(&d, 3, "3,4", 3, 12, U);
    driver_confirm(&d, 1);
    driver_confirm(&d, 2);
    assert_int_equal(driver_grant(&d, 3), GRANT_HELD);
    assert_true(d.closed == 0);
    driver_fini(&d);
}

static void a_rival_waits_for_exactly_what_the_record_says(void **state)
{
    (void)state;
    start(true);
    driver_restore(&d, "1", 19000);
    driver_join(&d, 2, 2, FF, "1,2");
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(pass_alive(18999, "2"), "");
    assert_string_equal(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

/* What the record does not name was not granted: other clusters, other nodes. */
static void records_delay_nobody_else(void **state)
{
    (void)state;
    start(true);
    driver_restore(&d, "1,2", 19000);
    driver_connect(&d, 5);
    driver_preinit(&d, 5, "another");
    driver_init_message(&d, 5, 1, FF);
    driver_config(&d, 5, "1,2");
    assert_non_null(strstr(driver_membership(&d, 5, "1", 1, 8, U), "5<VOTE_INFO ACK 1.8"));
    driver_fini(&d);
}

static void a_cluster_of_ghosts_is_forgotten_when_the_last_has_ended(void **state)
{
    (void)state;
    start(true);
    driver_restore(&d, "1,2", 19000);
    assert_non_null(driver_cluster(&d));
    driver_pass(&d, 18999);
    assert_non_null(driver_cluster(&d));
    driver_pass(&d, 1);
    assert_null(driver_cluster(&d));
    assert_int_equal(d.forget_count, 1);
    assert_true(arbiter_deadline_ms(d.arbiter) == ARBITER_NEVER);
    driver_fini(&d);
}

static void a_record_without_holders_leaves_nothing_behind(void **state)
{
    (void)state;
    start(true);
    driver_restore(&d, "", 0);
    assert_null(driver_cluster(&d));
    assert_int_equal(d.forget_count, 1);
    driver_fini(&d);
}

static void a_record_read_twice_counts_once(void **state)
{
    (void)state;
    start(true);
    driver_restore(&d, "1,2", 1000);
    driver_restore(&d, "1,2", 19000);
    driver_pass(&d, 18999);
    assert_non_null(driver_cluster(&d));
    driver_pass(&d, 1);
    assert_null(driver_cluster(&d));
    driver_fini(&d);
}

/* The former algorithm is not on record: ghosts count under whatever the cluster uses now. */
static void a_cluster_may_come_back_with_another_algorithm(void **state)
{
    (void)state;
    start(true);
    driver_restore(&d, "1", 19000);
    driver_join(&d, 2, 2, LMS, "1,2");
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(pass_alive(18999, "2"), "");
    assert_string_equal(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

static void keep_active_partition_survives_a_restart(void **state)
{
    (void)state;
    start(true);
    driver_restore(&d, "2", 5000);
    for (int node = 2; node >= 1; node--) {
        driver_join(&d, node, (uint32_t)node, FF, "1,2");
        driver_keep_active(&d, node, true);
        driver_membership(&d, node, node == 1 ? "1" : "2", (uint32_t)node, 12, U);
        driver_confirm(&d, node);
    }
    assert_int_equal(driver_grant(&d, 2), GRANT_HELD);
    assert_int_equal(driver_grant(&d, 1), GRANT_NONE);
    pass_alive(20000, "12");
    assert_int_equal(driver_grant(&d, 2), GRANT_HELD);
    driver_fini(&d);
}

static void with_packaged_timing_records_are_not_asked(void **state)
{
    struct arbiter_settings settings;

    (void)state;
    arbiter_settings_default(&settings);
    settings.tls = WIRE_TLS_UNSUPPORTED;
    settings.strict = false;
    driver_init_with(&d, &settings, false);
    driver_restore(&d, "1", 19000);
    driver_join(&d, 2, 2, FF, "1,2");
    assert_non_null(strstr(driver_membership(&d, 2, "2", 2, 12, U), "2<VOTE_INFO ACK 2.12"));
    assert_int_equal(d.persist_count, 0);
    driver_fini(&d);
}

/* The holder from before the restart may still go by two nodes, and then be quorate with its vote. */
static void a_majority_of_a_changed_configuration_waits_after_a_restart_too(void **state)
{
    uint32_t two[] = {1, 2};
    struct grant_holder holder = {1, 19000};
    struct grant_record record = {.name = {(const uint8_t *)"C", 1},
                                  .active = {two, 2},
                                  .config = {two, 2},
                                  .holders = &holder,
                                  .holder_count = 1};
    struct arbiter_event event = {.type = ARBITER_EV_RESTORE, .u.record = &record};

    (void)state;
    start(true);
    event.now_ms = d.now_ms;
    assert_int_equal(arbiter_step(d.arbiter, &event, &d.actions), Q_OK);
    for (int node = 2; node <= 4; node++) {
        driver_join(&d, node, (uint32_t)node, FF, "1,2,3,4");
        assert_null(strstr(driver_membership(&d, node, "2,3,4", 2, 12, U), "ACK"));
    }
    for (int i = 0; i < 18; i++) {
        assert_null(strstr(driver_pass(&d, 1000), "VOTE_INFO ACK"));
        for (int node = 2; node <= 4; node++)
            driver_echo(&d, node);
    }
    assert_non_null(strstr(driver_pass(&d, 1000), "2<VOTE_INFO ACK 2.12"));
    driver_fini(&d);
}

/* ---- what is kept on record ---- */

static void the_record_names_winner_and_holders_before_an_ack_leaves(void **state)
{
    (void)state;
    start(true);
    d.hold_persist = true;
    driver_join(&d, 1, 1, FF, "1,2");
    assert_null(strstr(driver_membership(&d, 1, "1,2", 1, 8, U), "VOTE_INFO"));
    assert_non_null(strstr(d.record, "active 1,2\nconfig 1,2\nholder 1 19000\nend "));
    driver_persisted(&d, ARBITER_PERSIST_DONE);
    driver_join(&d, 2, 2, FF, "1,2");
    assert_null(strstr(driver_membership(&d, 2, "1,2", 1, 8, U), "VOTE_INFO"));
    assert_non_null(strstr(d.record, "active 1,2\nconfig 1,2\nholder 1 19000\nholder 2 19000\nend "));
    assert_string_equal(driver_persisted(&d, ARBITER_PERSIST_DONE), "2<VOTE_INFO ACK 1.8");
    driver_fini(&d);
}

static void a_ghost_stays_on_record(void **state)
{
    (void)state;
    start(true);
    for (int node = 1; node <= 4; node++)
        driver_join(&d, node, (uint32_t)node, FF, "1,2,3,4");
    for (int node = 1; node <= 4; node++)
        driver_membership(&d, node, "1,2,3,4", 1, 8, U);
    driver_disconnect(&d, 1, ARBITER_GONE_EOF);
    for (int node = 2; node <= 4; node++)
        driver_membership(&d, node, "2,3,4", 2, 12, U);
    assert_non_null(strstr(d.record, "active 2,3,4\nconfig 1,2,3,4\nholder 1 19000\nholder 2 19000\n"));
    driver_fini(&d);
}

/* Talk while the disk is at work must not make the arbiter write, and so wait, for ever. */
static void a_record_on_its_way_is_not_written_again_for_the_same(void **state)
{
    (void)state;
    start(true);
    d.hold_persist = true;
    driver_join(&d, 1, 1, FF, "1,2");
    driver_membership(&d, 1, "1,2", 1, 8, U);
    for (int i = 0; i < 10; i++)
        driver_heuristics(&d, 1, i % 2 == 0 ? WIRE_HEURISTICS_PASS : WIRE_HEURISTICS_FAIL);
    assert_int_equal(d.persist_count, 1);
    assert_string_equal(driver_persisted(&d, ARBITER_PERSIST_DONE), "1<VOTE_INFO ACK 1.8");
    driver_fini(&d);
}

/* The answer comes while the decision is waiting for something else: it is remembered. */
static void a_record_that_is_written_meanwhile_is_used(void **state)
{
    (void)state;
    start(true);
    d.hold_persist = true;
    driver_join(&d, 1, 1, FF, "1,2");
    driver_membership(&d, 1, "1", 1, 8, U); /* to be recorded: 1 */
    driver_join(&d, 2, 2, FF, "1,2");
    driver_membership(&d, 2, "1,2", 2, 8, U); /* contradicts: wait */
    assert_string_equal(driver_persisted(&d, ARBITER_PERSIST_DONE), "");
    assert_non_null(strstr(driver_membership(&d, 2, "2", 2, 9, U), "2<VOTE_INFO NACK 2.9"));
    assert_string_equal(driver_confirm(&d, 2), "1<VOTE_INFO ACK 1.8");
    assert_int_equal(d.persist_count, 1);
    driver_fini(&d);
}

/* Its vote lasts longer now than the record says. */
static void a_longer_heartbeat_is_put_on_record(void **state)
{
    (void)state;
    start(true);
    driver_join(&d, 1, 1, FF, "1,2");
    driver_membership(&d, 1, "1,2", 1, 8, U);
    assert_non_null(strstr(d.record, "holder 1 19000\n"));
    assert_string_equal(driver_heartbeat(&d, 1, 4000), "1<SET_OPTION_REPLY");
    assert_int_equal(d.persist_count, 1);
    assert_string_equal(driver_heartbeat(&d, 1, 20000), "1<SET_OPTION_REPLY");
    assert_non_null(strstr(d.record, "holder 1 46000\n"));
    assert_int_equal(driver_grant(&d, 1), GRANT_HELD);
    driver_fini(&d);
}

/* Whether or not the disk has answered: no record may stay behind for a cluster that is gone. */
static void a_cluster_that_is_gone_is_gone_from_the_disk(void **state)
{
    (void)state;
    for (int answered = 0; answered < 2; answered++) {
        start(true);
        d.hold_persist = answered == 0;
        driver_join(&d, 1, 1, FF, "1,2");
        driver_membership(&d, 1, "1,2", 1, 8, U);
        driver_disconnect(&d, 1, ARBITER_GONE_CLOSE_NOTIFY);
        assert_null(driver_cluster(&d));
        assert_int_equal(d.forget_count, 1);
        assert_string_equal(driver_persisted(&d, ARBITER_PERSIST_DONE), "");
        driver_fini(&d);
    }
}

/* ---- without records ---- */

static void without_records_the_first_half_to_come_waits(void **state)
{
    (void)state;
    start(false);
    for (int node = 3; node <= 4; node++) {
        driver_join(&d, node, (uint32_t)node, FF, "1,2,3,4");
        assert_null(strstr(driver_membership(&d, node, "3,4", 3, 12, U), "VOTE_INFO"));
    }
    assert_string_equal(pass_alive(18999, "34"), "");
    assert_non_null(strstr(driver_pass(&d, 1), "3<VOTE_INFO ACK 3.12; 4<VOTE_INFO ACK 3.12"));
    driver_fini(&d);
}

/* All are there, so all can be asked to take back what they may hold: no need to wait for time. */
static void without_records_everybody_reporting_ends_the_caution(void **state)
{
    (void)state;
    start(false);
    driver_join(&d, 2, 2, FF, "1,2");
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_join(&d, 1, 1, FF, "1,2");
    assert_non_null(strstr(driver_membership(&d, 1, "1", 1, 12, U), "2<VOTE_INFO NACK 2.12"));
    assert_int_equal(driver_grant(&d, 2), GRANT_HELD); /* for all we know */
    assert_string_equal(driver_confirm(&d, 2), "1<VOTE_INFO ACK 1.12");
    driver_fini(&d);
}

static void without_records_a_majority_does_not_wait(void **state)
{
    (void)state;
    start(false);
    driver_join(&d, 2, 2, FF, "1,2,3,4");
    assert_non_null(strstr(driver_membership(&d, 2, "1,2,3", 2, 12, U), "2<VOTE_INFO ACK 2.12"));
    driver_fini(&d);
}

/* Quorate only by the vote, and the other holder may go by another configuration. */
static void without_records_a_bare_majority_of_an_odd_number_waits(void **state)
{
    (void)state;
    start(false);
    driver_join(&d, 2, 2, FF, "1,2,3");
    driver_membership(&d, 2, "1,2", 2, 12, U);
    assert_string_equal(pass_alive(18999, "2"), "");
    assert_string_equal(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

/*
 * A device of ours with a short lease came first; the one that may still vote can be a packaged one. Where no
 * timeout is set, a device of ours has H = 2 s and the packaged one that nobody knows of 8 s.
 */
static void without_records_the_unknown_holder_is_taken_for_a_packaged_device(void **state)
{
    (void)state;
    start(false);
    d.instance = 77;
    d.heartbeat_ms = 2000;
    driver_join(&d, 2, 2, FF, "1,2");
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(pass_alive(18999, "2"), "");
    assert_non_null(strstr(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12"));
    driver_fini(&d);
}

/* A client with a long heartbeat makes its own cluster wait, and says nothing about others. */
static void without_records_each_cluster_is_cautious_for_its_own_time(void **state)
{
    uint64_t start_ms;

    (void)state;
    start(false);
    start_ms = d.now_ms;
    driver_join(&d, 2, 2, FF, "1,2");
    d.heartbeat_ms = 120000;
    driver_connect(&d, 5);
    driver_preinit(&d, 5, "another");
    driver_init_message(&d, 5, 1, FF);
    assert_int_equal(arbiter_cautious_until_ms(d.arbiter, driver_cluster(&d)), start_ms + 19000);
    assert_int_equal(arbiter_quarantine_end_ms(d.arbiter), start_ms + 271000);
    driver_disconnect(&d, 5, ARBITER_GONE_CLOSE_NOTIFY);
    assert_int_equal(arbiter_quarantine_end_ms(d.arbiter), start_ms + 19000);
    pass_alive(19000, "2");
    assert_int_equal(arbiter_quarantine_end_ms(d.arbiter), 0);
    driver_fini(&d);
}

static void without_records_lms_waits_with_anything_less_than_the_whole_cluster(void **state)
{
    (void)state;
    start(false);
    driver_join(&d, 2, 2, LMS, "1,2,3");
    driver_membership(&d, 2, "2,3", 2, 12, U);
    assert_string_equal(pass_alive(18999, "2"), "");
    assert_string_equal(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

/* Nobody can be outside of it, so nobody can hold a vote against it. */
static void without_records_the_whole_cluster_does_not_wait_under_lms_either(void **state)
{
    (void)state;
    start(false);
    driver_join(&d, 2, 2, LMS, "1,2,3");
    assert_non_null(strstr(driver_membership(&d, 2, "1,2,3", 2, 12, U), "2<VOTE_INFO ACK 2.12"));
    driver_fini(&d);
}

/* Lms takes a node list of any kind, or none: then nobody can say that all are there. */
static void without_records_a_cluster_of_unknown_size_waits(void **state)
{
    static const char *const configs[] = {"", "1"}; /* empty; without the node itself */

    (void)state;
    for (int i = 0; i < 3; i++) {
        start(false);
        driver_connect(&d, 2);
        driver_preinit(&d, 2, "C");
        driver_init_message(&d, 2, 2, LMS);
        if (i < 2)
            driver_config(&d, 2, configs[i]);
        assert_string_equal(driver_membership(&d, 2, "2", 2, 12, U), "2<NODE_LIST_REPLY WAIT_FOR_REPLY 2.12");
        assert_string_equal(pass_alive(18999, "2"), "");
        assert_string_equal(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12");
        driver_fini(&d);
    }
}

/* Two devices of ours, which say nothing of 8 s, report as one whole cluster. */
static void start_without_records_and_have_all_report(enum wire_algorithm algorithm)
{
    start(false);
    d.instance = 77;
    d.heartbeat_ms = 2000;
    for (int node = 1; node <= 2; node++) {
        driver_join(&d, node, (uint32_t)node, algorithm, "1,2");
        driver_membership(&d, node, "1,2", 1, 8, U);
        driver_confirm(&d, node);
    }
}

/* From then on every vote is known: who vanishes is waited for as at any other time. */
static void without_records_who_has_reported_is_known(void **state)
{
    static const enum wire_algorithm algorithms[] = {FF, LMS};

    (void)state;
    for (int i = 0; i < 2; i++) {
        start_without_records_and_have_all_report(algorithms[i]);
        assert_int_equal(arbiter_cautious_until_ms(d.arbiter, driver_cluster(&d)), 0);
        driver_disconnect(&d, 1, ARBITER_GONE_SEND_FAILED);
        assert_int_equal(driver_grant(&d, 1), GRANT_GHOST);
        assert_null(strstr(driver_membership(&d, 2, "2", 2, 12, U), "VOTE_INFO ACK"));
        assert_non_null(strstr(driver_cluster(&d)->waiting_for, "node 1 (gone"));
        assert_string_equal(driver_pass(&d, 2000), "");
        driver_echo(&d, 2);
        assert_non_null(strstr(driver_pass(&d, 1000), "2<VOTE_INFO ACK 2.12"));
        driver_fini(&d);
    }
}

static void without_records_one_report_does_not_speak_for_all(void **state)
{
    (void)state;
    start(false);
    driver_join(&d, 2, 2, FF, "1,2");
    driver_membership(&d, 2, "1,2", 1, 8, U);
    assert_int_not_equal(arbiter_cautious_until_ms(d.arbiter, driver_cluster(&d)), 0);
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(pass_alive(18999, "2"), "");
    assert_string_equal(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12");
    driver_fini(&d);
}

/* A node that nobody had configured when all reported: nothing is known of it, nor of what else changes with it. */
static void without_records_a_node_configured_later_brings_the_caution_back(void **state)
{
    uint64_t start_ms;

    (void)state;
    start_without_records_and_have_all_report(LMS);
    start_ms = d.now_ms;
    for (int node = 1; node <= 2; node++)
        driver_list(&d, node, WIRE_LIST_CHANGED_CONFIG, "1,2,3");
    assert_int_equal(arbiter_cautious_until_ms(d.arbiter, driver_cluster(&d)), start_ms + 19000);
    driver_disconnect(&d, 1, ARBITER_GONE_CLOSE_NOTIFY);
    driver_membership(&d, 2, "2", 2, 12, U);
    assert_string_equal(pass_alive(18999, "2"), "");
    assert_non_null(strstr(driver_pass(&d, 1), "2<VOTE_INFO ACK 2.12"));
    driver_fini(&d);
}

static void without_records_a_newcomer_is_taken_for_a_holder_and_others_are_not_again(void **state)
{
    (void)state;
    start_without_records_and_have_all_report(LMS);
    driver_membership(&d, 2, "2", 2, 12, U);
    driver_membership(&d, 1, "1", 1, 12, U);
    driver_confirm(&d, 2);
    assert_int_equal(driver_grant(&d, 2), GRANT_NONE);
    driver_disconnect(&d, 2, ARBITER_GONE_SEND_FAILED);
    driver_join(&d, 2, 2, LMS, "1,2");
    assert_null(strstr(driver_membership(&d, 2, "2", 2, 12, U), "VOTE_INFO ACK"));
    assert_int_equal(driver_grant(&d, 2), GRANT_NONE);
    driver_join(&d, 3, 3, LMS, "1,2,3");
    driver_membership(&d, 3, "3", 3, 12, U);
    assert_int_equal(driver_grant(&d, 3), GRANT_HELD);
    driver_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(u05_u22_a_restart_does_not_flip_the_active_side),
        cmocka_unit_test(the_old_holders_win_even_against_the_tie_breaker_until_all_are_back),
        cmocka_unit_test(a_rival_waits_for_exactly_what_the_record_says),
        cmocka_unit_test(records_delay_nobody_else),
        cmocka_unit_test(a_cluster_of_ghosts_is_forgotten_when_the_last_has_ended),
        cmocka_unit_test(a_record_without_holders_leaves_nothing_behind),
        cmocka_unit_test(a_record_read_twice_counts_once),
        cmocka_unit_test(a_cluster_may_come_back_with_another_algorithm),
        cmocka_unit_test(keep_active_partition_survives_a_restart),
        cmocka_unit_test(with_packaged_timing_records_are_not_asked),
        cmocka_unit_test(a_majority_of_a_changed_configuration_waits_after_a_restart_too),
        cmocka_unit_test(the_record_names_winner_and_holders_before_an_ack_leaves),
        cmocka_unit_test(a_ghost_stays_on_record),
        cmocka_unit_test(a_record_on_its_way_is_not_written_again_for_the_same),
        cmocka_unit_test(a_record_that_is_written_meanwhile_is_used),
        cmocka_unit_test(a_longer_heartbeat_is_put_on_record),
        cmocka_unit_test(a_cluster_that_is_gone_is_gone_from_the_disk),
        cmocka_unit_test(without_records_the_first_half_to_come_waits),
        cmocka_unit_test(without_records_everybody_reporting_ends_the_caution),
        cmocka_unit_test(without_records_a_majority_does_not_wait),
        cmocka_unit_test(without_records_a_bare_majority_of_an_odd_number_waits),
        cmocka_unit_test(without_records_the_unknown_holder_is_taken_for_a_packaged_device),
        cmocka_unit_test(without_records_each_cluster_is_cautious_for_its_own_time),
        cmocka_unit_test(without_records_lms_waits_with_anything_less_than_the_whole_cluster),
        cmocka_unit_test(without_records_the_whole_cluster_does_not_wait_under_lms_either),
        cmocka_unit_test(without_records_a_cluster_of_unknown_size_waits),
        cmocka_unit_test(without_records_who_has_reported_is_known),
        cmocka_unit_test(without_records_one_report_does_not_speak_for_all),
        cmocka_unit_test(without_records_a_node_configured_later_brings_the_caution_back),
        cmocka_unit_test(without_records_a_newcomer_is_taken_for_a_holder_and_others_are_not_again),
    };

    return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
