/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The quorum section: what follows from what, and what contradicts what, at start and when it is read again.
 * The refusals are those of the packaged daemon, word for word (corosync -f with each of these
 * configurations).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "core/services/votequorum_config.h"

static struct votequorum_config_node nodes[3];
static struct votequorum_config config;
static struct votequorum_settings settings;
static struct votequorum_complaints complaints;

/* Node 1 of two, one vote each. */
static int set_up(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        nodes[i] = (struct votequorum_config_node){i + 1, 1};
    votequorum_config_default(&config);
    config.node_id = 1;
    config.nodes = nodes;
    config.node_count = 2;
    votequorum_settings_init(&settings);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    votequorum_settings_fini(&settings);
    return 0;
}

static enum q_err start(void)
{
    votequorum_settings_fini(&settings);
    return votequorum_settings_start(&settings, &config, &complaints);
}

static enum q_err update(bool registered)
{
    return votequorum_settings_update(&settings, &config, registered, &complaints);
}

static void check_started(void)
{
    assert_int_equal(start(), Q_OK);
    assert_null(complaints.texts[0]);
}

static void check_refused(const char *text)
{
    assert_int_equal(start(), Q_ERR_INVALID);
    assert_string_equal(complaints.texts[0], text);
    assert_null(complaints.texts[1]);
}

static void with_device(bool has_votes, uint32_t votes)
{
    config.has_device = true;
    config.has_device_votes = has_votes;
    config.device_votes = votes;
}

/* ---- votes ------------------------------------------------------------------------------------------------------- */

static void expected_votes_are_the_sum_unless_they_are_set(void **state)
{
    (void)state;
    nodes[1].votes = 3;
    check_started();
    assert_int_equal(settings.own_votes, 1);
    assert_int_equal(settings.own_expected_votes, 4);
    config.expected_votes = 9;
    check_started();
    assert_int_equal(settings.own_expected_votes, 9);
}

static void without_a_node_list_votes_and_expected_votes_are_said(void **state)
{
    (void)state;
    config.node_count = 0;
    check_refused("configuration error: nodelist or quorum.expected_votes must be configured!");
    config.expected_votes = 5;
    config.votes = 2;
    check_started();
    assert_int_equal(settings.own_votes, 2);
    assert_int_equal(settings.own_expected_votes, 5);
}

static void a_node_that_is_not_in_the_list_needs_expected_votes(void **state)
{
    (void)state;
    config.node_id = 3;
    check_refused("configuration error: nodelist or quorum.expected_votes must be configured!");
}

static void a_device_counts_its_votes_itself_unless_they_are_set(void **state)
{
    (void)state;
    config.node_count = 3;
    with_device(false, 0);
    check_started();
    assert_int_equal(settings.device_votes, 2);
    assert_int_equal(settings.own_expected_votes, 5);
    with_device(true, 1);
    check_started();
    assert_int_equal(settings.device_votes, 1);
    assert_int_equal(settings.own_expected_votes, 3); /* it rises when they are counted */
    with_device(true, 9);
    check_started();
    assert_int_equal(settings.own_expected_votes, 3);
    config.has_device = false;
    check_started();
    assert_int_equal(settings.device_votes, 0);
}

static void tracked_expected_votes_do_not_fall_at_a_start(void **state)
{
    (void)state;
    config.expected_votes_tracking = true;
    config.stored_expected_votes = 5;
    check_started();
    assert_int_equal(settings.own_expected_votes, 5);
    config.expected_votes = 7;
    check_started();
    assert_int_equal(settings.own_expected_votes, 7);
    config.expected_votes_tracking = false;
    config.expected_votes = 0;
    check_started();
    assert_int_equal(settings.own_expected_votes, 2);
    config.allow_downscale = true; /* implies tracking */
    check_started();
    assert_int_equal(settings.own_expected_votes, 5);
}

static void wait_for_all_follows_two_node_unless_it_is_set(void **state)
{
    (void)state;
    config.two_node = true;
    check_started();
    assert_true(settings.options.wait_for_all);
    config.has_wait_for_all = true;
    check_started();
    assert_false(settings.options.wait_for_all);
    config.two_node = false;
    config.wait_for_all = true;
    check_started();
    assert_true(settings.options.wait_for_all);
}

/* ---- contradictions at start ---------------------------------------------------------------------------------------- */

#define NOT_WITH "configuration error: quorum.device is not compatible with "

/* All at once, then one less each time: which is told first. */
static void contradictions_with_a_device_are_refused_in_order(void **state)
{
    (void)state;
    with_device(false, 0);
    config.two_node = true;
    config.last_man_standing = true;
    config.auto_tie_breaker = true;
    config.allow_downscale = true;
    config.expected_votes = 3;
    nodes[1].votes = 2;
    check_refused("configuration error: two_node and quorum device cannot be configured at the same time!");
    config.two_node = false;
    check_refused(NOT_WITH "last_man_standing");
    config.last_man_standing = false;
    check_refused(NOT_WITH "auto_tie_breaker");
    config.auto_tie_breaker = false;
    check_refused(NOT_WITH "allow_downscale");
    config.allow_downscale = false;
    check_refused(
        "configuration error: quorum.device.votes must be specified when quorum.expected_votes is set");
    config.expected_votes = 0;
    check_refused("configuration error: quorum.device.votes must be specified when not all nodes votes 1");
    nodes[1].votes = 1;
    check_started();
}

static void expected_votes_leave_two_to_the_nodes(void **state)
{
    static const char text[] =
        "configuration error: quorum.device.votes is too high or expected_votes is too low";

    (void)state;
    with_device(true, 2);
    config.expected_votes = 3;
    check_refused(text);
    config.expected_votes = 2;
    check_refused(text);
    with_device(true, UINT32_MAX);
    check_refused(text);
    with_device(true, 1);
    check_refused(text);
    config.expected_votes = 3;
    check_started();
    with_device(true, 0);
    config.expected_votes = 1;
    check_started();
}

static void a_tie_breaker_in_an_odd_cluster_waits_for_all_or_is_off(void **state)
{
    (void)state;
    config.auto_tie_breaker = true;
    nodes[0].votes = 2;
    assert_int_equal(start(), Q_OK);
    assert_int_equal(settings.options.tie_breaker, VOTEQUORUM_TIE_BREAKER_NONE);
    assert_non_null(complaints.texts[0]);
    config.last_man_standing = true;
    check_refused(
        "configuration error: auto_tie_breaker & last_man_standing not available in odd sized cluster");
    config.has_wait_for_all = true;
    config.wait_for_all = true;
    check_started();
    assert_int_equal(settings.options.tie_breaker, VOTEQUORUM_TIE_BREAKER_LOWEST);
}

static void a_tie_breaker_switches_two_node_off(void **state)
{
    (void)state;
    config.auto_tie_breaker = true;
    config.two_node = true;
    assert_int_equal(start(), Q_OK);
    assert_non_null(complaints.texts[0]);
    assert_false(settings.options.two_node);
    assert_true(settings.options.wait_for_all); /* which two_node has implied before */
    assert_int_equal(settings.options.tie_breaker, VOTEQUORUM_TIE_BREAKER_LOWEST);
}

/* ---- the list of the tie-breaker ------------------------------------------------------------------------------------ */

static void check_list(const char *text, size_t count, const uint32_t *ids, bool complains)
{
    config.auto_tie_breaker = true;
    config.auto_tie_breaker_node = text;
    assert_int_equal(start(), Q_OK);
    assert_int_equal(complaints.texts[0] != NULL, complains);
    assert_int_equal(settings.options.tie_breaker,
                     count > 0 ? VOTEQUORUM_TIE_BREAKER_LIST : VOTEQUORUM_TIE_BREAKER_NONE);
    assert_int_equal(settings.options.tie_breaker_node_count, count);
    if (count > 0)
        assert_memory_equal(settings.options.tie_breaker_nodes, ids, count * sizeof(*ids));
}

static void tie_breaker_nodes_are_read_as_far_as_they_are_numbers(void **state)
{
    static const uint32_t ids[] = {2, 7, UINT32_MAX};

    (void)state;
    check_list("2 7 4294967295", 3, ids, false);
    check_list("  2\t7 ", 2, ids, false);
    check_list("2", 1, ids, false);
    check_list("2 x", 1, ids, true);
    check_list("2 7x", 1, ids, true);
    check_list("2 0", 1, ids, true);
    check_list("2 4294967296", 1, ids, true);
    check_list("2 -7", 1, ids, true);
    check_list("2,7", 0, ids, true);
    check_list("Lowest", 0, ids, true);
    check_list("", 0, ids, true);
    check_list(" ", 0, ids, true);
    config.auto_tie_breaker_node = "highest";
    check_started();
    assert_int_equal(settings.options.tie_breaker, VOTEQUORUM_TIE_BREAKER_HIGHEST);
    config.auto_tie_breaker = false;
    assert_int_equal(start(), Q_OK);
    assert_non_null(complaints.texts[0]);
}

/* ---- read again ---------------------------------------------------------------------------------------------------------- */

static void what_is_read_at_start_stays(void **state)
{
    (void)state;
    check_started();
    config.has_wait_for_all = true;
    config.wait_for_all = true;
    config.last_man_standing = true;
    config.auto_tie_breaker = true;
    config.allow_downscale = true;
    assert_int_equal(update(false), Q_OK);
    assert_null(complaints.texts[0]);
    assert_false(settings.options.wait_for_all);
    assert_false(settings.options.last_man_standing);
    assert_false(settings.options.allow_downscale);
    assert_int_equal(settings.options.tie_breaker, VOTEQUORUM_TIE_BREAKER_NONE);
}

static void two_node_and_the_waiting_it_implies_come_and_go(void **state)
{
    (void)state;
    check_started();
    config.two_node = true;
    assert_int_equal(update(false), Q_OK);
    assert_true(settings.options.two_node && settings.options.wait_for_all);
    config.two_node = false;
    assert_int_equal(update(false), Q_OK);
    assert_false(settings.options.two_node || settings.options.wait_for_all);
}

static void later_a_device_gives_way_where_it_is_not_registered(void **state)
{
    (void)state;
    check_started();
    config.two_node = true;
    with_device(true, 1);
    assert_int_equal(update(false), Q_OK);
    assert_non_null(complaints.texts[0]);
    assert_true(settings.options.two_node);
    assert_false(settings.device_can_operate);
    assert_int_equal(update(true), Q_OK);
    assert_false(settings.options.two_node || settings.options.wait_for_all);
    assert_true(settings.device_can_operate);
    config.two_node = false;
    config.expected_votes = 3;
    config.has_device_votes = false;
    assert_int_equal(update(true), Q_OK);
    assert_false(settings.device_can_operate);
    /* Without a device the key keeps what it says. */
    config.has_device = false;
    assert_int_equal(update(true), Q_OK);
    assert_false(settings.device_can_operate);
    config.expected_votes = 0;
    with_device(true, 1);
    assert_int_equal(update(true), Q_OK);
    assert_true(settings.device_can_operate);
}

static void later_a_device_gives_way_to_what_was_started_with(void **state)
{
    (void)state;
    config.last_man_standing = true;
    check_started();
    with_device(true, 1);
    assert_int_equal(update(true), Q_OK);
    assert_string_equal(complaints.texts[0], NOT_WITH "last_man_standing");
    assert_false(settings.device_can_operate);
}

static void a_reading_without_this_node_leaves_everything_as_it_is(void **state)
{
    struct votequorum_settings before;

    (void)state;
    check_started();
    before = settings;
    config.node_count = 0;
    config.two_node = true;
    assert_int_equal(update(false), Q_ERR_INVALID);
    assert_non_null(complaints.texts[0]);
    assert_memory_equal(&before, &settings, sizeof(before));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(expected_votes_are_the_sum_unless_they_are_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_node_list_votes_and_expected_votes_are_said, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_node_that_is_not_in_the_list_needs_expected_votes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_device_counts_its_votes_itself_unless_they_are_set, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tracked_expected_votes_do_not_fall_at_a_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wait_for_all_follows_two_node_unless_it_is_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(contradictions_with_a_device_are_refused_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expected_votes_leave_two_to_the_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tie_breaker_in_an_odd_cluster_waits_for_all_or_is_off, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_tie_breaker_switches_two_node_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tie_breaker_nodes_are_read_as_far_as_they_are_numbers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_read_at_start_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_node_and_the_waiting_it_implies_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(later_a_device_gives_way_where_it_is_not_registered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(later_a_device_gives_way_to_what_was_started_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reading_without_this_node_leaves_everything_as_it_is, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("votequorum_config", tests, NULL, NULL);
}
