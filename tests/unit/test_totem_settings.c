/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/totem/machine.h"

static char why[200];

static struct totem_settings complete(struct totem_settings settings, uint32_t link_nodes)
{
    assert_true(totem_settings_complete(&settings, link_nodes, TOTEM_NETMTU_KNET, why, sizeof(why)));
    return settings;
}

static void assert_refused(struct totem_settings settings, const char *reason)
{
    assert_false(totem_settings_complete(&settings, 2, TOTEM_NETMTU_KNET, why, sizeof(why)));
    assert_string_equal(why, reason);
}

/* As corosync-cmapctl shows them under runtime.config.totem on a default cluster of two (spec/corosync-conf.md section 3). */
static void defaults_are_the_packaged_ones(void **state)
{
    struct totem_settings s = complete((struct totem_settings){0}, 2);

    (void)state;
    assert_int_equal(s.token_ms, 3000);
    assert_int_equal(s.token_retransmit_ms, 714);
    assert_int_equal(s.hold_ms, 561);
    assert_int_equal(s.join_ms, 50);
    assert_int_equal(s.send_join_ms, 0);
    assert_int_equal(s.consensus_ms, 3600);
    assert_int_equal(s.merge_ms, 200);
    assert_int_equal(s.downcheck_ms, 1000);
    assert_int_equal(s.fail_recv_const, 2500);
    assert_int_equal(s.seqno_unchanged_const, 30);
    assert_int_equal(s.window_size, 50);
    assert_int_equal(s.max_messages, 17);
    assert_int_equal(s.miss_count_const, 5);
    assert_int_equal(s.token_retransmits_before_loss_const, 4);
    assert_int_equal(s.token_warning_percent, 75);
    assert_int_equal(s.heartbeat_failures_allowed, 0);
    assert_int_equal(s.max_network_delay_ms, 50);
    assert_int_equal(s.netmtu, 65536);
    assert_false(s.cancel_token_hold_on_retransmit);
}

static void more_nodes_make_the_token_slower(void **state)
{
    struct totem_settings s = complete((struct totem_settings){0}, 3);

    (void)state;
    assert_int_equal(s.token_ms, 3650);
    assert_int_equal(s.token_retransmit_ms, 869);
    assert_int_equal(s.consensus_ms, 4380);
    s = complete((struct totem_settings){.token_ms = 1000, .token_coefficient_given = true}, 5);
    assert_int_equal(s.token_ms, 1000);
    assert_int_equal(s.token_retransmit_ms, 238);
    assert_int_equal(s.hold_ms, 180);
    assert_int_equal(s.consensus_ms, 1200);
    s = complete((struct totem_settings){.token_ms = 1000, .token_coefficient_ms = 100}, 5);
    assert_int_equal(s.token_ms, 1300);
}

static void values_below_their_minimum_are_refused_in_the_packaged_words(void **state)
{
    (void)state;
    assert_refused((struct totem_settings){.token_ms = 20}, "The token timeout parameter (20 ms) may not be less than (30 ms).");
    assert_refused((struct totem_settings){.join_ms = 29}, "The join timeout parameter (29 ms) may not be less than (30 ms).");
    assert_refused((struct totem_settings){.merge_ms = 1}, "The merge timeout parameter (1 ms) may not be less than (30 ms).");
    assert_refused((struct totem_settings){.max_network_delay_ms = 1},
                   "The max_network_delay parameter (1 ms) may not be less than (30 ms).");
    assert_refused((struct totem_settings){.token_retransmit_ms = 20},
                   "The token retransmit timeout parameter (20 ms) may not be less than (30 ms).");
    assert_refused((struct totem_settings){.token_ms = 100},
                   "Not appropriate token or token_retransmits_before_loss_const value set");
    assert_refused((struct totem_settings){.hold_ms = 5},
                   "The token hold timeout parameter (5 ms) may not be less than (14 ms).");
    assert_refused((struct totem_settings){.consensus_ms = 100, .join_ms = 200},
                   "The consensus timeout parameter (100 ms) may not be less than join timeout (200 ms).");
    assert_refused((struct totem_settings){.token_warning_percent = 101},
                   "The token warning parameter (101%) must be between 0 (disabled) and 100.");
    assert_refused((struct totem_settings){.netmtu = 100}, "The netmtu parameter (100) must be between 512 and 65536.");
}

static void the_heartbeat_is_off_unless_it_is_faster_than_the_token(void **state)
{
    struct totem_settings s = complete((struct totem_settings){0}, 2);

    (void)state;
    assert_int_equal(totem_settings_heartbeat_ms(&s), 0);
    s.heartbeat_failures_allowed = 2;
    assert_int_equal(totem_settings_heartbeat_ms(&s), 2 * 714 + 50);
    s.heartbeat_failures_allowed = 5;
    assert_int_equal(totem_settings_heartbeat_ms(&s), 0);
}

static void flow_is_limited_per_visit_and_per_rotation(void **state)
{
    struct totem_settings s = complete((struct totem_settings){0}, 2);

    (void)state;
    assert_int_equal(flow_allowance(&s, 0, 0, 0, 0), 17);
    assert_int_equal(flow_allowance(&s, 40, 0, 100, 0), 10);
    assert_int_equal(flow_allowance(&s, 50, 0, 100, 0), 0);
    /* Beyond the window the difference wraps around, as in the packaged daemon. */
    assert_int_equal(flow_allowance(&s, 51, 0, 100, 0), 17);
    /* A share of the window in proportion to what waits here and everywhere. */
    assert_int_equal(flow_allowance(&s, 0, 500, 100, 100), 10);
    assert_int_equal(flow_allowance(&s, 0, 100000, 1, 1), 17);
    assert_int_equal(flow_window_guard(&s, 0, 16384 - 17 - 50, 17), 17);
    assert_int_equal(flow_window_guard(&s, 0, 16384 - 17 - 49, 17), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_packaged_ones),
        cmocka_unit_test(more_nodes_make_the_token_slower),
        cmocka_unit_test(values_below_their_minimum_are_refused_in_the_packaged_words),
        cmocka_unit_test(the_heartbeat_is_off_unless_it_is_faster_than_the_token),
        cmocka_unit_test(flow_is_limited_per_visit_and_per_rotation),
    };

    return cmocka_run_group_tests_name("totem_settings", tests, NULL, NULL);
}
