/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an arbiter that says anything, or an event at an awkward moment, cannot bring the device to do. Most of these were
 * found by tests/fuzz/fuzz_agent.c. H = 2000 ms, lease 2500 ms, echo 500 ms.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/printable.h"
#include "tests/unit/agent_driver.h"

static struct agent_driver d; /* large */

/* docs/safety.md, several hosts: it casts NO, then introduces itself. */
static void the_voter_hears_of_another_arbiter_first(void **state)
{
    (void)state;
    agent_driver_init(&d, true);
    d.config.hosts[1] = "b";
    d.config.host_count = 2;
    agent_driver_config(&d);
    agent_driver_nodelist(&d, "1,2", 8);
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_CONNECTED);
    agent_driver_preinit_reply(&d, WIRE_TLS_REQUIRED);
    agent_driver_event(&d, AGENT_EV_SECURED);
    agent_driver_init_reply(&d, WIRE_ERROR_NONE);
    agent_driver_vote(&d, WIRE_VOTE_ACK, 8);
    agent_driver_pass_answered(&d, 600);
    agent_driver_event(&d, AGENT_EV_DISCONNECTED);
    agent_driver_pass(&d, 200);
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_DISCONNECTED);
    agent_driver_pass(&d, 200);
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_CONNECTED);
    agent_driver_preinit_reply(&d, WIRE_TLS_REQUIRED);
    assert_string_equal(agent_driver_event(&d, AGENT_EV_SECURED), "NO; SEND INIT");
    agent_driver_fini(&d);
}

/* Its reasons go into the log and to the terminal: no control characters, no halves of characters, no lack of room. */
static void an_arbiters_words_are_shown_printable(void **state)
{
    static uint8_t words[WIRE_REASON_SIZE_MAX] = "a\n\x1b[2J\xff";
    struct agent_status status;

    (void)state;
    for (size_t i = 7; i + 1 < sizeof(words); i += 2)
        memcpy(words + i, "\xc3\xa4", 2);
    agent_driver_ready(&d, true);
    memset(&d.message, 0, sizeof(d.message));
    d.message.type = WIRE_VOTE_INFO;
    d.message.present = UINT32_MAX;
    d.message.u.vote.vote = WIRE_VOTE_NACK;
    d.message.u.vote.ring_id = (struct wire_ring_id){1, 8};
    d.message.u.vote.reason = (struct wire_bytes){words, sizeof(words)};
    agent_driver_message(&d);
    agent_get_status(d.agent, &status);
    assert_non_null(strstr(status.why, "a\\x0a\\x1b[2J\\xff"));
    assert_true(printable_is_plain(status.why, strlen(status.why)));
    assert_int_equal(status.why[strlen(status.why) - 1], ')');
    agent_driver_fini(&d);
}

/* Without a ring nothing is connected anew; the next arbiter to be tried must be one that is still configured. */
static void a_host_that_is_gone_is_not_referred_to(void **state)
{
    struct agent_status status;

    (void)state;
    agent_driver_init(&d, true);
    d.config.hosts[1] = "b";
    d.config.host_count = 2;
    agent_driver_config(&d);
    agent_driver_nodelist(&d, "1,2", 8);
    agent_driver_resolved(&d, 0);
    agent_driver_event(&d, AGENT_EV_CORE_LOST);
    d.config.host_count = 1;
    agent_driver_config(&d);
    agent_get_status(d.agent, &status);
    assert_int_equal(status.host, 0);
    agent_driver_fini(&d);
}

static void an_answer_to_an_echo_that_was_never_sent_means_nothing(void **state)
{
    (void)state;
    agent_driver_ready(&d, true);
    agent_driver_vote(&d, WIRE_VOTE_ACK, 8);
    agent_driver_pass(&d, 1000);
    assert_string_equal(agent_driver_echo_reply(&d, d.echo_seq + 1), "");
    assert_string_equal(agent_driver_echo_reply(&d, d.echo_seq), "YES still until +2500");
    agent_driver_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_voter_hears_of_another_arbiter_first),
        cmocka_unit_test(an_arbiters_words_are_shown_printable),
        cmocka_unit_test(a_host_that_is_gone_is_not_referred_to),
        cmocka_unit_test(an_answer_to_an_echo_that_was_never_sent_means_nothing),
    };

    return cmocka_run_group_tests_name("agent, hostile", tests, NULL, NULL);
}
