/* SPDX-License-Identifier: BSD-3-Clause */
/* How often a device tries to reach an arbiter, and how often it says that it cannot. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "tests/unit/agent_driver.h"

#define OURS true

static struct agent_driver d; /* large */

static void pauses_grow_and_differ(void **state)
{
    uint64_t last = 0;

    (void)state;
    agent_driver_init(&d, OURS);
    agent_driver_config(&d);
    agent_driver_nodelist(&d, "1,2", 8);
    for (int i = 0; i < 6; i++) {
        agent_driver_resolved(&d, 0);
        uint64_t pause = agent_deadline_ms(d.agent) - d.now_ms;
        assert_true(pause >= last && pause <= 1001);
        last = pause;
        agent_driver_pass(&d, pause);
    }
    assert_true(last >= 500);
    agent_driver_resolved(&d, 0);
    d.random = 12345;
    agent_driver_pass(&d, 1001);
    agent_driver_resolved(&d, 0);
    assert_true(agent_deadline_ms(d.agent) - d.now_ms != last);
    agent_driver_fini(&d);
}

/* An arbiter that vanished is found again within a second of its return. */
static void silence_is_pause_enough(void **state)
{
    (void)state;
    agent_driver_ready(&d, OURS); /* it has been reached before: 600 ms are enough to tell */
    agent_driver_event(&d, AGENT_EV_DISCONNECTED);
    agent_driver_pass(&d, 101);
    for (int i = 0; i < 20; i++) {
        agent_driver_resolved(&d, 1);
        assert_non_null(strstr(agent_driver_pass(&d, 701), "RESOLVE a"));
    }
    agent_driver_fini(&d);
}

/* Attempts by the name service's word, all of them in vain. */
static void fail_for_ms(uint64_t ms)
{
    uint64_t end_ms = d.now_ms + ms;

    while (d.now_ms < end_ms) {
        agent_driver_resolved(&d, 0);
        agent_driver_pass(&d, agent_deadline_ms(d.agent) - d.now_ms);
    }
}

/* A log that repeats itself twice a second for days hides what else is in it. */
static void the_same_trouble_is_warned_of_once(void **state)
{
    (void)state;
    agent_driver_init(&d, OURS);
    agent_driver_config(&d);
    agent_driver_nodelist(&d, "1,2", 8);
    fail_for_ms(60000);
    assert_int_equal(d.warning_count, 1);
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_DISCONNECTED); /* another trouble */
    assert_int_equal(d.warning_count, 2);
    agent_driver_pass(&d, agent_deadline_ms(d.agent) - d.now_ms);
    fail_for_ms(60000);
    assert_int_equal(d.warning_count, 2);
    fail_for_ms(600000);
    assert_int_equal(d.warning_count, 3);
    agent_driver_fini(&d);
}

static void what_ends_a_session_is_always_warned_of(void **state)
{
    (void)state;
    agent_driver_ready(&d, OURS);
    for (uint32_t i = 1; i <= 3; i++) {
        agent_driver_pass_answered(&d, 2000);
        agent_driver_event(&d, AGENT_EV_DISCONNECTED);
        assert_int_equal(d.warning_count, i);
        agent_driver_pass(&d, agent_deadline_ms(d.agent) - d.now_ms);
        agent_driver_resolved(&d, 1);
        agent_driver_event(&d, AGENT_EV_CONNECTED);
        agent_driver_preinit_reply(&d, WIRE_TLS_UNSUPPORTED);
        agent_driver_init_reply(&d, WIRE_ERROR_NONE);
    }
    agent_driver_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_grow_and_differ),
        cmocka_unit_test(silence_is_pause_enough),
        cmocka_unit_test(the_same_trouble_is_warned_of_once),
        cmocka_unit_test(what_ends_a_session_is_always_warned_of),
    };

    return cmocka_run_group_tests_name("agent link", tests, NULL, NULL);
}
