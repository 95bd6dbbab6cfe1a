/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device casts in every situation, and that a YES ends with its lease. H = 2000 ms, lease 2500 ms, echo 500 ms.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "tests/unit/agent_driver.h"

#define OURS true
#define PACKAGED false

static struct agent_driver d; /* large */

static void granted(bool ours)
{
    agent_driver_ready(&d, ours);
    agent_driver_vote(&d, WIRE_VOTE_ACK, 8);
    assert_int_equal(d.cast, AGENT_CAST_YES);
}

static void the_introduction_follows_the_protocol(void **state)
{
    (void)state;
    agent_driver_init(&d, OURS);
    assert_string_equal(agent_driver_config(&d), "");
    assert_string_equal(agent_driver_nodelist(&d, "1,2", 8), "RESOLVE a; NOTHING");
    assert_string_equal(agent_driver_resolved(&d, 2), "CONNECT 0");
    assert_string_equal(agent_driver_event(&d, AGENT_EV_DISCONNECTED), "CONNECT 1; NO");
    assert_string_equal(agent_driver_event(&d, AGENT_EV_CONNECTED), "SEND PREINIT");
    assert_string_equal(agent_driver_preinit_reply(&d, WIRE_TLS_SUPPORTED), "SEND STARTTLS; START_TLS");
    assert_string_equal(agent_driver_event(&d, AGENT_EV_SECURED), "SEND INIT");
    assert_string_equal(agent_driver_init_reply(&d, WIRE_ERROR_NONE),
                        "SEND ECHO_REQUEST; SEND SET_OPTION; SEND NODE_LIST 0; SEND NODE_LIST 2; NOTHING");
    agent_driver_fini(&d);
}

static void a_grant_is_cast_until_the_lease_of_the_introduction(void **state)
{
    (void)state;
    agent_driver_ready(&d, OURS);
    assert_string_equal(agent_driver_vote(&d, WIRE_VOTE_ACK, 8), "YES until +2500; SEND VOTE_INFO_REPLY");
    agent_driver_fini(&d);
}

static void answered_echoes_move_the_lease_on(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_pass_answered(&d, 60000);
    assert_int_equal(d.cast, AGENT_CAST_YES);
    assert_true(d.until_ms > d.now_ms && d.until_ms <= d.now_ms + 2500);
    agent_driver_fini(&d);
}

/* The lease counts from when the echo was sent, not from when its answer came. */
static void a_late_answer_brings_little(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_pass(&d, 2400);
    assert_string_equal(agent_driver_echo_reply(&d, 2), "YES still until +600");
    agent_driver_fini(&d);
}

static void without_answers_the_vote_ends_with_the_lease(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_pass(&d, 2499);
    assert_int_equal(d.cast, AGENT_CAST_YES);
    assert_non_null(strstr(agent_driver_pass(&d, 1), "CLOSE"));
    assert_int_equal(d.cast, AGENT_CAST_NO);
    agent_driver_fini(&d);
}

static void a_nack_is_confirmed_only_when_it_was_cast(void **state)
{
    (void)state;
    granted(OURS);
    d.hold_casts = true;
    assert_string_equal(agent_driver_vote(&d, WIRE_VOTE_NACK, 8), "NO");
    assert_string_equal(agent_driver_cast_done(&d), "SEND VOTE_INFO_REPLY");
    agent_driver_fini(&d);
}

/* docs/observed.md: votequorum may have turned the vote on again. */
static void a_repeated_nack_is_cast_again(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_vote(&d, WIRE_VOTE_NACK, 8);
    assert_string_equal(agent_driver_vote(&d, WIRE_VOTE_NACK, 8), "NO; SEND VOTE_INFO_REPLY");
    agent_driver_fini(&d);
}

static void a_vote_for_a_former_ring_changes_nothing_and_is_confirmed(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_nodelist(&d, "1", 12);
    assert_int_equal(d.cast, AGENT_CAST_NOTHING);
    assert_string_equal(agent_driver_vote(&d, WIRE_VOTE_ACK, 8), "NOTHING; SEND VOTE_INFO_REPLY");
    agent_driver_fini(&d);
}

/* What is shown meanwhile is the former ring's answer: told to an agent that is stopped, "nothing" must end too. */
static void nothing_is_cast_no_longer_than_the_lease_of_the_former_verdict(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_nodelist(&d, "1", 12);
    assert_int_equal(d.cast, AGENT_CAST_NOTHING);
    assert_int_equal(d.until_ms, d.now_ms + 2500);
    agent_driver_pass(&d, 1000);
    agent_driver_echo_reply(&d, 2);
    assert_int_equal(d.cast, AGENT_CAST_NOTHING);
    assert_int_equal(d.until_ms, d.now_ms - 500 + 2500);
    agent_driver_event(&d, AGENT_EV_DISCONNECTED);
    assert_int_equal(d.until_ms, d.now_ms - 500 + 2500);
    agent_driver_fini(&d);
}

static void nothing_is_cast_no_longer_than_patience_lasts(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_nodelist(&d, "1", 12);
    agent_driver_pass_answered(&d, 26000);
    assert_int_equal(d.cast, AGENT_CAST_NOTHING);
    assert_int_equal(d.until_ms, d.now_ms + 1000);
    agent_driver_fini(&d);
}

/* The arbiter takes a confirmation for the end of the vote, whichever ring the list has told it of: heuristics may be slow. */
static void a_nack_for_a_former_ring_ends_the_wait_for_the_present_one(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_nodelist(&d, "1", 12);
    assert_string_equal(agent_driver_vote(&d, WIRE_VOTE_NACK, 8), "NO; SEND VOTE_INFO_REPLY");
    assert_string_equal(agent_driver_vote(&d, WIRE_VOTE_ACK, 12), "YES until +2500; SEND VOTE_INFO_REPLY");
    agent_driver_fini(&d);
}

/* Votequorum did not take it for the former ring any more. */
static void a_nack_that_a_new_ring_overtakes_is_cast_there_and_then_confirmed(void **state)
{
    uint64_t former;

    (void)state;
    granted(OURS);
    d.hold_casts = true;
    assert_string_equal(agent_driver_vote(&d, WIRE_VOTE_NACK, 8), "NO");
    former = d.cast_sequence;
    assert_string_equal(agent_driver_nodelist(&d, "1", 12), "SEND NODE_LIST 2; NO");
    assert_true(d.cast_sequence > former);
    d.cast_sequence = former;
    assert_string_equal(agent_driver_cast_done(&d), "");
    d.cast_sequence = former + 1;
    assert_string_equal(agent_driver_cast_done(&d), "SEND VOTE_INFO_REPLY");
    assert_string_equal(agent_driver_cast_done(&d), "");
    agent_driver_fini(&d);
}

/* The synchronisation that NO was to end waited for another member, and shows the answer from before it. */
static void a_no_that_has_not_shown_yet_is_cast_for_the_next_ring_too(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_nodelist(&d, "1", 12);
    agent_driver_vote(&d, WIRE_VOTE_NACK, 12);
    assert_string_equal(agent_driver_nodelist(&d, "1", 16), "SEND NODE_LIST 2; NO");
    agent_driver_quorum(&d, false);
    assert_string_equal(agent_driver_nodelist(&d, "1", 20), "SEND NODE_LIST 2; NOTHING");
    agent_driver_fini(&d);
}

static void an_ack_that_a_new_ring_overtakes_is_forgotten(void **state)
{
    (void)state;
    granted(OURS);
    d.hold_casts = true;
    assert_string_equal(agent_driver_vote(&d, WIRE_VOTE_ACK, 8), "YES until +2500");
    assert_string_equal(agent_driver_nodelist(&d, "1", 12), "SEND NODE_LIST 2; NOTHING");
    assert_string_equal(agent_driver_cast_done(&d), "");
    agent_driver_fini(&d);
}

/* It is about to decide anew; echoes do not make an old answer younger. */
static void an_arbiter_that_asks_to_wait_does_not_prolong_what_it_granted(void **state)
{
    enum wire_vote asks[] = {WIRE_VOTE_ASK_LATER, WIRE_VOTE_WAIT_FOR_REPLY};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        granted(OURS);
        agent_driver_pass_answered(&d, 10000);
        agent_driver_vote(&d, asks[i], 8);
        uint64_t until = d.until_ms;
        assert_true(until <= d.now_ms + 2500);
        agent_driver_pass_answered(&d, until - d.now_ms - 1);
        assert_int_equal(d.cast, AGENT_CAST_YES);
        assert_int_equal(d.until_ms, until);
        assert_null(strstr(agent_driver_pass_answered(&d, 1), "CLOSE"));
        assert_int_equal(d.cast, AGENT_CAST_NO);
        assert_non_null(strstr(agent_driver_vote(&d, WIRE_VOTE_ACK, 8), "YES"));
        agent_driver_pass_answered(&d, 10000);
        assert_int_equal(d.cast, AGENT_CAST_YES);
        agent_driver_fini(&d);
    }
}

static void an_arbiter_that_changes_nothing_prolongs_as_before(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_vote(&d, WIRE_VOTE_NO_CHANGE, 8);
    agent_driver_pass_answered(&d, 10000);
    assert_int_equal(d.cast, AGENT_CAST_YES);
    agent_driver_fini(&d);
}

/* quorum.device.timeout: 10 s by default, now 2.5 s; H is the same. */
static void another_pace_is_taken_up_at_once(void **state)
{
    (void)state;
    granted(OURS);
    assert_string_equal(agent_driver_config(&d), "");
    d.config.timing.poll_ms = 1250;
    assert_string_equal(agent_driver_config(&d), "YES until +2500");
    agent_driver_fini(&d);
}

static void a_new_ring_waits_for_its_verdict(void **state)
{
    (void)state;
    granted(OURS);
    assert_string_equal(agent_driver_nodelist(&d, "1", 12), "SEND NODE_LIST 2; NOTHING");
    agent_driver_pass_answered(&d, 10000);
    assert_int_equal(d.cast, AGENT_CAST_NOTHING);
    assert_string_equal(agent_driver_vote(&d, WIRE_VOTE_ACK, 12), "YES until +2500; SEND VOTE_INFO_REPLY");
    agent_driver_fini(&d);
}

static void patience_with_an_arbiter_that_does_not_decide_is_bounded(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_nodelist(&d, "1", 12);
    agent_driver_pass_answered(&d, 26999);
    assert_int_equal(d.cast, AGENT_CAST_NOTHING);
    agent_driver_pass_answered(&d, 1);
    assert_int_equal(d.cast, AGENT_CAST_NO);
    agent_driver_fini(&d);
}

/* The voter's report of its own NO may come before the timer: the arbiter must hear of the end all the same, as it would
 * not grant again what it has granted. */
static void silence_that_shows_at_another_event_ends_the_session(void **state)
{
    (void)state;
    granted(OURS);
    d.now_ms += 2600;
    assert_non_null(strstr(agent_driver_cast_done(&d), "CLOSE"));
    assert_int_equal(d.cast, AGENT_CAST_NO);
    agent_driver_fini(&d);
}

static void a_silent_arbiter_ends_the_wait_with_the_lease(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_nodelist(&d, "1", 12);
    agent_driver_pass(&d, 2500);
    assert_int_equal(d.cast, AGENT_CAST_NO);
    agent_driver_fini(&d);
}

static void a_lost_connection_to_our_arbiter_is_ridden_through(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_event(&d, AGENT_EV_DISCONNECTED);
    assert_int_equal(d.cast, AGENT_CAST_YES);
    agent_driver_pass(&d, 2499);
    assert_int_equal(d.cast, AGENT_CAST_YES);
    agent_driver_pass(&d, 1);
    assert_int_equal(d.cast, AGENT_CAST_NO);
    agent_driver_fini(&d);
}

static void a_lost_connection_to_a_packaged_arbiter_costs_the_vote_at_once(void **state)
{
    (void)state;
    granted(PACKAGED);
    assert_string_equal(agent_driver_event(&d, AGENT_EV_DISCONNECTED), "NO");
    agent_driver_fini(&d);
}

static void reconnect(void)
{
    agent_driver_pass(&d, 200);
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_CONNECTED);
    agent_driver_preinit_reply(&d, WIRE_TLS_REQUIRED);
    agent_driver_event(&d, AGENT_EV_SECURED);
    agent_driver_init_reply(&d, WIRE_ERROR_NONE);
}

/* The arbiter may have counted the old lease down: only a verdict of the new session starts a new one. */
static void a_new_session_does_not_prolong_an_old_grant(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_event(&d, AGENT_EV_DISCONNECTED);
    uint64_t until = d.until_ms;
    reconnect();
    assert_int_equal(d.cast, AGENT_CAST_YES);
    agent_driver_pass_answered(&d, until - d.now_ms - 1);
    assert_int_equal(d.cast, AGENT_CAST_YES);
    assert_int_equal(d.until_ms, until);
    agent_driver_pass_answered(&d, 1);
    assert_int_not_equal(d.cast, AGENT_CAST_YES);
    agent_driver_vote(&d, WIRE_VOTE_ACK, 8);
    assert_int_equal(d.cast, AGENT_CAST_YES);
    assert_true(d.until_ms > d.now_ms + 1900);
    agent_driver_fini(&d);
}

/* A shorter timeout: by the lease of the new session the arbiter may give the vote away sooner than that of the old one ends. */
static void the_lease_of_a_new_session_bounds_an_old_grant(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        granted(OURS);
        d.config.timing.heartbeat_ms = 1000;
        d.config.timing.echo_ms = 250;
        d.config.timing.lease_ms = 1250;
        agent_driver_config(&d);
        uint64_t start_ms = d.now_ms;
        agent_driver_resolved(&d, 1);
        agent_driver_event(&d, AGENT_EV_CONNECTED);
        agent_driver_preinit_reply(&d, WIRE_TLS_REQUIRED);
        agent_driver_event(&d, AGENT_EV_SECURED);
        agent_driver_init_reply(&d, WIRE_ERROR_NONE);
        assert_int_equal(d.cast, AGENT_CAST_YES);
        assert_int_equal(d.until_ms, start_ms + 1250);
        if (again)
            agent_driver_event(&d, AGENT_EV_DISCONNECTED);
        agent_driver_pass(&d, 1249);
        assert_int_equal(d.cast, AGENT_CAST_YES);
        agent_driver_pass(&d, 1);
        assert_int_equal(d.cast, AGENT_CAST_NO);
        agent_driver_fini(&d);
    }
}

static void a_new_ring_while_riding_is_answered_by_the_end_of_the_lease(void **state)
{
    (void)state;
    granted(OURS);
    agent_driver_event(&d, AGENT_EV_DISCONNECTED);
    agent_driver_pass(&d, 1000);
    agent_driver_nodelist(&d, "1", 12);
    assert_int_equal(d.cast, AGENT_CAST_NOTHING);
    agent_driver_pass(&d, 1500);
    assert_int_equal(d.cast, AGENT_CAST_NO);
    agent_driver_fini(&d);
}

/* The lease ends at the very message that brings a verdict: its session is over, and numbers start anew in the next. */
static void nothing_of_an_ended_session_is_confirmed_in_the_next(void **state)
{
    (void)state;
    granted(OURS);
    d.hold_casts = true;
    d.now_ms += 2600;
    assert_non_null(strstr(agent_driver_vote(&d, WIRE_VOTE_ACK, 8), "CLOSE"));
    reconnect();
    assert_string_equal(agent_driver_cast_done(&d), "");
    agent_driver_fini(&d);
}

static void another_arbiter_is_only_met_without_the_vote_of_the_first(void **state)
{
    (void)state;
    agent_driver_init(&d, OURS);
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
    assert_non_null(strstr(agent_driver_pass(&d, 200), "RESOLVE a"));
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_DISCONNECTED);
    assert_non_null(strstr(agent_driver_pass(&d, 200), "RESOLVE b"));
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_CONNECTED);
    assert_int_equal(d.cast, AGENT_CAST_YES);
    agent_driver_preinit_reply(&d, WIRE_TLS_REQUIRED);
    d.hold_casts = true;
    assert_string_equal(agent_driver_event(&d, AGENT_EV_SECURED), "NO");
    assert_string_equal(agent_driver_cast_done(&d), "SEND INIT");
    assert_string_equal(agent_driver_cast_done(&d), "");
    agent_driver_fini(&d);
}

static void heuristics_come_before_the_list(void **state)
{
    (void)state;
    agent_driver_init(&d, OURS);
    d.config.heuristics_active = true;
    agent_driver_config(&d);
    assert_string_equal(agent_driver_nodelist(&d, "1,2", 8), "RESOLVE a; HEURISTICS 0; NOTHING");
    agent_driver_heuristics(&d, AGENT_RUN_MEMBERSHIP, WIRE_HEURISTICS_PASS);
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_CONNECTED);
    agent_driver_preinit_reply(&d, WIRE_TLS_UNSUPPORTED);
    assert_string_equal(agent_driver_init_reply(&d, WIRE_ERROR_NONE), "SEND ECHO_REQUEST; HEURISTICS 1");
    assert_string_equal(agent_driver_heuristics(&d, AGENT_RUN_CONNECT, WIRE_HEURISTICS_PASS),
                        "SEND SET_OPTION; SEND NODE_LIST 0; SEND NODE_LIST 2");
    assert_string_equal(agent_driver_heuristics(&d, AGENT_RUN_REGULAR, WIRE_HEURISTICS_PASS), "");
    assert_string_equal(agent_driver_heuristics(&d, AGENT_RUN_REGULAR, WIRE_HEURISTICS_FAIL),
                        "SEND HEURISTICS_CHANGE");
    agent_driver_fini(&d);
}

static void sessions_that_end_at_once_are_failures(void **state)
{
    uint64_t first_ms = 0, last_ms = 0;

    (void)state;
    agent_driver_init(&d, OURS);
    d.random = 0;
    agent_driver_config(&d);
    agent_driver_nodelist(&d, "1,2", 8);
    for (int i = 0; i < 8; i++) {
        uint64_t lost_ms;

        agent_driver_resolved(&d, 1);
        agent_driver_event(&d, AGENT_EV_CONNECTED);
        agent_driver_preinit_reply(&d, WIRE_TLS_UNSUPPORTED);
        agent_driver_init_reply(&d, WIRE_ERROR_NONE);
        agent_driver_event(&d, AGENT_EV_DISCONNECTED);
        lost_ms = d.now_ms;
        while (strstr(agent_driver_pass(&d, 10), "RESOLVE") == NULL)
            assert_true(d.now_ms < lost_ms + 5000);
        last_ms = d.now_ms - lost_ms;
        first_ms = i == 0 ? last_ms : first_ms;
    }
    assert_true(first_ms <= 110);
    assert_true(last_ms >= 500);
    agent_driver_fini(&d);
}

static void another_port_is_another_arbiter(void **state)
{
    (void)state;
    granted(OURS);
    d.config.port = 5999;
    assert_non_null(strstr(agent_driver_config(&d), "CLOSE; RESOLVE a"));
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_CONNECTED);
    agent_driver_preinit_reply(&d, WIRE_TLS_REQUIRED);
    agent_driver_event(&d, AGENT_EV_SECURED);
    assert_int_equal(d.cast, AGENT_CAST_NO); /* what the first one granted is not used beside it */
    agent_driver_fini(&d);
}

static void results_of_heuristics_end_with_them_whatever_else_has_changed(void **state)
{
    (void)state;
    agent_driver_init(&d, OURS);
    d.config.heuristics_active = true;
    agent_driver_config(&d);
    agent_driver_nodelist(&d, "1,2", 8);
    agent_driver_heuristics(&d, AGENT_RUN_MEMBERSHIP, WIRE_HEURISTICS_FAIL);
    d.config.heuristics_active = false;
    d.config.tie_breaker.mode = WIRE_TIE_BREAKER_HIGHEST;
    agent_driver_config(&d);
    agent_driver_pass(&d, 200);
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_CONNECTED);
    agent_driver_preinit_reply(&d, WIRE_TLS_UNSUPPORTED);
    d.list_heuristics = WIRE_HEURISTICS_FAIL;
    assert_non_null(strstr(agent_driver_init_reply(&d, WIRE_ERROR_NONE), "SEND NODE_LIST 2"));
    assert_int_equal(d.list_heuristics, WIRE_HEURISTICS_UNDEFINED);
    agent_driver_fini(&d);
}

static void the_end_withdraws_the_vote_before_the_goodbye(void **state)
{
    (void)state;
    granted(OURS);
    d.hold_casts = true;
    assert_string_equal(agent_driver_event(&d, AGENT_EV_SHUTDOWN), "NO");
    assert_string_equal(agent_driver_cast_done(&d), "GOODBYE; STOP");
    agent_driver_fini(&d);
}

static void the_end_does_not_wait_for_a_dead_voter_for_ever(void **state)
{
    (void)state;
    granted(OURS);
    d.hold_casts = true;
    agent_driver_event(&d, AGENT_EV_SHUTDOWN);
    assert_string_equal(agent_driver_pass(&d, 2000), "CLOSE; STOP");
    agent_driver_fini(&d);
}

static void the_end_waits_for_the_ring_that_overtakes_it(void **state)
{
    uint64_t former;

    (void)state;
    granted(OURS);
    d.hold_casts = true;
    assert_string_equal(agent_driver_event(&d, AGENT_EV_SHUTDOWN), "NO");
    former = d.cast_sequence;
    assert_string_equal(agent_driver_nodelist(&d, "1", 12), "SEND NODE_LIST 2; NO");
    d.cast_sequence = former;
    assert_string_equal(agent_driver_cast_done(&d), "");
    d.cast_sequence = former + 1;
    assert_string_equal(agent_driver_cast_done(&d), "GOODBYE; STOP");
    agent_driver_fini(&d);
}

static void the_end_does_not_wait_for_a_core_that_has_gone(void **state)
{
    (void)state;
    granted(OURS);
    d.hold_casts = true;
    agent_driver_event(&d, AGENT_EV_SHUTDOWN);
    assert_string_equal(agent_driver_event(&d, AGENT_EV_CORE_LOST), "CLOSE; STOP");
    agent_driver_fini(&d);
}

static void the_core_takes_the_vote_with_it(void **state)
{
    (void)state;
    granted(OURS);
    assert_string_equal(agent_driver_event(&d, AGENT_EV_CORE_LOST), "CLOSE; NOTHING");
    assert_string_equal(agent_driver_pass(&d, 60000), "");
    assert_string_equal(agent_driver_nodelist(&d, "1", 16), "RESOLVE a; NOTHING");
    agent_driver_fini(&d);
}

static void incompatible_tls_is_refused_and_retried(void **state)
{
    (void)state;
    agent_driver_init(&d, OURS);
    d.config.tls = AGENT_TLS_REQUIRED;
    agent_driver_config(&d);
    agent_driver_nodelist(&d, "1,2", 8);
    agent_driver_resolved(&d, 1);
    agent_driver_event(&d, AGENT_EV_CONNECTED);
    assert_string_equal(agent_driver_preinit_reply(&d, WIRE_TLS_UNSUPPORTED), "CLOSE; NO");
    assert_non_null(strstr(agent_driver_pass(&d, 200), "RESOLVE a"));
    agent_driver_fini(&d);
}

static void a_lookup_that_never_ends_is_given_up(void **state)
{
    (void)state;
    agent_driver_init(&d, OURS);
    d.config.hosts[1] = "b";
    d.config.host_count = 2;
    agent_driver_config(&d);
    assert_string_equal(agent_driver_nodelist(&d, "1,2", 8), "RESOLVE a; NOTHING");
    assert_null(strstr(agent_driver_pass(&d, d.config.timing.connect_timeout_ms - 1), "RESOLVE"));
    assert_non_null(strstr(agent_driver_pass(&d, 1), "NO")); /* the node need not wait for ever */
    assert_non_null(strstr(agent_driver_pass(&d, 200), "RESOLVE b"));
    agent_driver_fini(&d);
}

static const char *why(void)
{
    static struct agent_status status;

    agent_get_status(d.agent, &status);
    return status.why;
}

/* The arbiter is still where it was: a name service that fails at the wrong moment does not cost the vote. */
static void what_a_name_was_resolved_to_last_is_good_enough(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        granted(OURS);
        agent_driver_pass_answered(&d, 600);
        agent_driver_event(&d, AGENT_EV_DISCONNECTED);
        assert_non_null(strstr(agent_driver_pass(&d, agent_deadline_ms(d.agent) - d.now_ms), "RESOLVE a"));
        if (silent) {
            assert_string_equal(agent_driver_pass(&d, d.config.timing.attempt_ms - 1), "");
            assert_string_equal(agent_driver_pass(&d, 1), "CLOSE; CONNECT 0");
            assert_non_null(strstr(why(), "the name service does not answer"));
        } else {
            assert_string_equal(agent_driver_resolved(&d, 0), "CONNECT 0");
            assert_non_null(strstr(why(), "name cannot be resolved"));
        }
        assert_non_null(strstr(why(), "Yes, for another"));
        for (int i = 0; i < 2; i++) {
            agent_driver_event(&d, AGENT_EV_DISCONNECTED);
            assert_non_null(strstr(why(), "; at the address it had: "));
            while (strstr(d.output, "RESOLVE a") == NULL)
                agent_driver_pass(&d, agent_deadline_ms(d.agent) - d.now_ms);
            assert_string_equal(agent_driver_resolved(&d, 0), "CONNECT 0");
        }
        agent_driver_event(&d, AGENT_EV_CONNECTED);
        agent_driver_preinit_reply(&d, WIRE_TLS_REQUIRED);
        agent_driver_event(&d, AGENT_EV_SECURED);
        agent_driver_init_reply(&d, WIRE_ERROR_NONE);
        assert_int_equal(d.cast, AGENT_CAST_YES);
        assert_null(strstr(why(), "name"));
        agent_driver_event(&d, AGENT_EV_DISCONNECTED);
        assert_non_null(strstr(why(), "not reached ("));
        assert_null(strstr(why(), "address it had"));
        agent_driver_fini(&d);
    }
}

/* The connection ends; how long is the lookup of the next attempt waited for? */
static uint64_t lookup_is_waited_for_ms(void)
{
    uint64_t start_ms;

    agent_driver_event(&d, AGENT_EV_DISCONNECTED);
    do
        agent_driver_pass(&d, agent_deadline_ms(d.agent) - d.now_ms);
    while (strstr(d.output, "RESOLVE a") == NULL);
    start_ms = d.now_ms;
    do
        agent_driver_pass(&d, agent_deadline_ms(d.agent) - d.now_ms);
    while (strstr(d.output, "CONNECT 0") == NULL);
    return d.now_ms - start_ms;
}

/* Is there no vote to lose, the name service is heard out every other time: it may know another address by now. */
static void a_slow_name_service_is_heard_out_when_there_is_no_hurry(void **state)
{
    uint64_t first_ms;
    uint64_t second_ms;

    (void)state;
    granted(OURS);
    agent_driver_pass_answered(&d, 600);
    for (int i = 0; i < 2; i++)
        assert_int_equal(lookup_is_waited_for_ms(), d.config.timing.attempt_ms);
    assert_int_equal(d.cast, AGENT_CAST_YES);
    agent_driver_pass(&d, 2500);
    assert_int_equal(d.cast, AGENT_CAST_NO);
    first_ms = lookup_is_waited_for_ms();
    second_ms = lookup_is_waited_for_ms();
    assert_int_not_equal(first_ms, second_ms);
    assert_int_equal(first_ms + second_ms, d.config.timing.attempt_ms + d.config.timing.connect_timeout_ms);
    agent_driver_fini(&d);
}

/* The port is part of an address. */
static void other_hosts_have_no_address_yet(void **state)
{
    (void)state;
    granted(OURS);
    d.config.port++;
    assert_non_null(strstr(agent_driver_config(&d), "RESOLVE a"));
    assert_null(strstr(agent_driver_resolved(&d, 0), "CONNECT"));
    agent_driver_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_introduction_follows_the_protocol),
        cmocka_unit_test(a_grant_is_cast_until_the_lease_of_the_introduction),
        cmocka_unit_test(answered_echoes_move_the_lease_on),
        cmocka_unit_test(a_late_answer_brings_little),
        cmocka_unit_test(without_answers_the_vote_ends_with_the_lease),
        cmocka_unit_test(a_nack_is_confirmed_only_when_it_was_cast),
        cmocka_unit_test(a_repeated_nack_is_cast_again),
        cmocka_unit_test(a_vote_for_a_former_ring_changes_nothing_and_is_confirmed),
        cmocka_unit_test(nothing_is_cast_no_longer_than_the_lease_of_the_former_verdict),
        cmocka_unit_test(nothing_is_cast_no_longer_than_patience_lasts),
        cmocka_unit_test(a_nack_for_a_former_ring_ends_the_wait_for_the_present_one),
        cmocka_unit_test(a_nack_that_a_new_ring_overtakes_is_cast_there_and_then_confirmed),
        cmocka_unit_test(a_no_that_has_not_shown_yet_is_cast_for_the_next_ring_too),
        cmocka_unit_test(an_ack_that_a_new_ring_overtakes_is_forgotten),
        cmocka_unit_test(an_arbiter_that_asks_to_wait_does_not_prolong_what_it_granted),
        cmocka_unit_test(an_arbiter_that_changes_nothing_prolongs_as_before),
        cmocka_unit_test(another_pace_is_taken_up_at_once),
        cmocka_unit_test(a_new_ring_waits_for_its_verdict),
        cmocka_unit_test(patience_with_an_arbiter_that_does_not_decide_is_bounded),
        cmocka_unit_test(silence_that_shows_at_another_event_ends_the_session),
        cmocka_unit_test(a_silent_arbiter_ends_the_wait_with_the_lease),
        cmocka_unit_test(a_lost_connection_to_our_arbiter_is_ridden_through),
        cmocka_unit_test(a_lost_connection_to_a_packaged_arbiter_costs_the_vote_at_once),
        cmocka_unit_test(a_new_session_does_not_prolong_an_old_grant),
        cmocka_unit_test(the_lease_of_a_new_session_bounds_an_old_grant),
        cmocka_unit_test(a_new_ring_while_riding_is_answered_by_the_end_of_the_lease),
        cmocka_unit_test(nothing_of_an_ended_session_is_confirmed_in_the_next),
        cmocka_unit_test(another_arbiter_is_only_met_without_the_vote_of_the_first),
        cmocka_unit_test(heuristics_come_before_the_list),
        cmocka_unit_test(sessions_that_end_at_once_are_failures),
        cmocka_unit_test(another_port_is_another_arbiter),
        cmocka_unit_test(results_of_heuristics_end_with_them_whatever_else_has_changed),
        cmocka_unit_test(the_end_withdraws_the_vote_before_the_goodbye),
        cmocka_unit_test(the_end_does_not_wait_for_a_dead_voter_for_ever),
        cmocka_unit_test(the_end_waits_for_the_ring_that_overtakes_it),
        cmocka_unit_test(the_end_does_not_wait_for_a_core_that_has_gone),
        cmocka_unit_test(the_core_takes_the_vote_with_it),
        cmocka_unit_test(incompatible_tls_is_refused_and_retried),
        cmocka_unit_test(a_lookup_that_never_ends_is_given_up),
        cmocka_unit_test(what_a_name_was_resolved_to_last_is_good_enough),
        cmocka_unit_test(a_slow_name_service_is_heard_out_when_there_is_no_hurry),
        cmocka_unit_test(other_hosts_have_no_address_yet),
    };

    return cmocka_run_group_tests_name("agent vote", tests, NULL, NULL);
}
