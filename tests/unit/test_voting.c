/* SPDX-License-Identifier: BSD-3-Clause */
/* What the voter polls and when, without a process or a core: the ends of commands, rings the agent has not told of, results. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#include "qdevice/logic/voting.h"

#define START_MS 1000
#define LEASE_MS 2500
#define POLL_MS 5000

static struct voting voting;
static uint64_t now_ms;
static uint64_t sequence;
static char text[64];

static int setup(void **state)
{
    (void)state;
    voting_init(&voting);
    now_ms = START_MS;
    sequence = 0;
    return 0;
}

/* What is polled now, at most once: "YES 8", "NO 12", "". */
static const char *polls(enum voting_result result)
{
    struct voting_poll poll;

    if (!voting_next_poll(&voting, now_ms, &poll))
        return "";
    snprintf(text, sizeof(text), "%s %llu", poll.yes ? "YES" : "NO", (unsigned long long)poll.ring_id.seq);
    voting_on_polled(&voting, &poll, result, now_ms);
    assert_false(voting_next_poll(&voting, now_ms, &poll));
    return text;
}

static const char *tell(enum agent_cast cast, uint64_t ring_seq, bool poll, enum voting_result result)
{
    struct voting_command command = {.sequence = ++sequence,
                                     .cast = cast,
                                     .poll = poll,
                                     .ring_id = {1, ring_seq},
                                     .until_ms = now_ms + LEASE_MS,
                                     .poll_ms = POLL_MS};

    voting_on_command(&voting, &command, now_ms);
    return polls(result);
}

static const char *ring(uint64_t seq, enum voting_result result)
{
    voting_on_ring(&voting, (struct wire_ring_id){1, seq});
    return polls(result);
}

/* Nothing is due before. */
static const char *wait_ms(uint64_t ms, enum voting_result result)
{
    assert_int_equal(voting_deadline_ms(&voting, now_ms), now_ms + ms);
    now_ms += ms;
    return polls(result);
}

static bool carried_out(void)
{
    return voting.done == sequence;
}

static void what_is_told_is_polled_and_repeated(void **state)
{
    (void)state;
    assert_string_equal(tell(AGENT_CAST_NO, 8, true, VOTING_ACCEPTED), "NO 8");
    assert_true(carried_out());
    voting.command.until_ms = VOTING_NEVER;
    assert_string_equal(wait_ms(POLL_MS, VOTING_ACCEPTED), "NO 8");
    assert_string_equal(wait_ms(POLL_MS, VOTING_ACCEPTED), "NO 8");
}

static void yes_ends_with_its_time(void **state)
{
    (void)state;
    assert_string_equal(tell(AGENT_CAST_YES, 8, true, VOTING_ACCEPTED), "YES 8");
    assert_string_equal(wait_ms(LEASE_MS, VOTING_ACCEPTED), "NO 8");
    assert_string_equal(tell(AGENT_CAST_YES, 8, false, VOTING_ACCEPTED), "YES 8");
}

/* The agent was stopped before the LAN was cut. */
static void yes_for_a_ring_that_has_passed_ends_as_no_for_the_newest(void **state)
{
    (void)state;
    tell(AGENT_CAST_YES, 8, true, VOTING_ACCEPTED);
    assert_string_equal(ring(12, VOTING_ACCEPTED), "");
    assert_string_equal(wait_ms(LEASE_MS, VOTING_ACCEPTED), "NO 12");
    assert_string_equal(ring(16, VOTING_ACCEPTED), "NO 16");
    assert_string_equal(ring(20, VOTING_ACCEPTED), "NO 20");
}

/* The ring forms after the lease has ended. */
static void the_newest_ring_may_come_after_the_end(void **state)
{
    (void)state;
    tell(AGENT_CAST_YES, 8, true, VOTING_ACCEPTED);
    assert_string_equal(wait_ms(LEASE_MS, VOTING_ACCEPTED), "NO 8");
    assert_string_equal(ring(12, VOTING_ACCEPTED), "NO 12");
}

/* The agent was stopped while it waited for a verdict. */
static void nothing_ends_as_no(void **state)
{
    (void)state;
    tell(AGENT_CAST_YES, 8, true, VOTING_ACCEPTED);
    ring(12, VOTING_ACCEPTED);
    assert_string_equal(tell(AGENT_CAST_NOTHING, 12, true, VOTING_ACCEPTED), "");
    assert_true(carried_out());
    assert_string_equal(wait_ms(LEASE_MS, VOTING_ACCEPTED), "NO 12");
}

static void no_leaves_a_new_ring_time_too(void **state)
{
    (void)state;
    tell(AGENT_CAST_NO, 8, true, VOTING_ACCEPTED);
    assert_string_equal(ring(12, VOTING_ACCEPTED), "");
    assert_string_equal(wait_ms(LEASE_MS, VOTING_ACCEPTED), "NO 12");
}

static void an_agent_that_has_gone_leaves_no_time(void **state)
{
    (void)state;
    tell(AGENT_CAST_YES, 8, true, VOTING_ACCEPTED);
    ring(12, VOTING_ACCEPTED);
    voting_on_agent_gone(&voting);
    assert_false(voting_is_withdrawn(&voting));
    assert_string_equal(polls(VOTING_ACCEPTED), "NO 12");
    assert_true(voting_is_withdrawn(&voting));
    assert_int_equal(voting_deadline_ms(&voting, now_ms), VOTING_NEVER);
    assert_string_equal(ring(16, VOTING_TRY_AGAIN), "NO 16");
    assert_false(voting_is_withdrawn(&voting));
    assert_string_equal(wait_ms(20, VOTING_ACCEPTED), "NO 16");
}

static void a_voter_that_was_never_told_has_nothing_to_say(void **state)
{
    (void)state;
    voting_on_agent_gone(&voting);
    assert_string_equal(ring(12, VOTING_ACCEPTED), "");
}

static void what_must_be_tried_again_is_not_carried_out(void **state)
{
    (void)state;
    tell(AGENT_CAST_YES, 8, true, VOTING_ACCEPTED);
    assert_string_equal(tell(AGENT_CAST_NO, 8, true, VOTING_TRY_AGAIN), "NO 8");
    assert_false(carried_out());
    assert_string_equal(wait_ms(20, VOTING_TRY_AGAIN), "NO 8");
    assert_false(carried_out());
    assert_string_equal(tell(AGENT_CAST_NO, 8, false, VOTING_ACCEPTED), "");
    assert_false(carried_out());
    assert_string_equal(wait_ms(20, VOTING_ACCEPTED), "NO 8");
    assert_true(carried_out());
}

/* The ring has changed: votequorum goes by the old vote until it has one for the new ring. */
static void a_vote_for_a_former_ring_is_not_carried_out(void **state)
{
    (void)state;
    tell(AGENT_CAST_YES, 8, true, VOTING_ACCEPTED);
    assert_string_equal(tell(AGENT_CAST_NO, 8, true, VOTING_FORMER_RING), "NO 8");
    assert_false(carried_out());
    assert_string_equal(ring(12, VOTING_ACCEPTED), "");
    assert_string_equal(tell(AGENT_CAST_NO, 12, true, VOTING_ACCEPTED), "NO 12");
    assert_true(carried_out());
}

static void a_new_pace_counts_from_now(void **state)
{
    struct voting_command command = {.sequence = 1, .cast = AGENT_CAST_YES, .poll = true, .ring_id = {1, 8},
                                     .until_ms = VOTING_NEVER, .poll_ms = POLL_MS};

    (void)state;
    voting_on_command(&voting, &command, now_ms);
    polls(VOTING_ACCEPTED);
    command.poll = false;
    command.poll_ms = 1250;
    voting_on_command(&voting, &command, now_ms);
    sequence = 1;
    assert_true(carried_out());
    assert_string_equal(wait_ms(1250, VOTING_ACCEPTED), "YES 8");
}

/* It said NO by itself before the agent was heard again: the device must stay alive for votequorum. */
static void nothing_after_no_goes_on_with_no(void **state)
{
    (void)state;
    tell(AGENT_CAST_YES, 8, true, VOTING_ACCEPTED);
    now_ms += LEASE_MS;
    assert_string_equal(ring(12, VOTING_ACCEPTED), "NO 12");
    assert_string_equal(tell(AGENT_CAST_NOTHING, 12, true, VOTING_ACCEPTED), "");
    voting.command.until_ms = VOTING_NEVER;
    assert_string_equal(wait_ms(POLL_MS, VOTING_ACCEPTED), "NO 12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_told_is_polled_and_repeated, setup),
        cmocka_unit_test_setup(yes_ends_with_its_time, setup),
        cmocka_unit_test_setup(yes_for_a_ring_that_has_passed_ends_as_no_for_the_newest, setup),
        cmocka_unit_test_setup(the_newest_ring_may_come_after_the_end, setup),
        cmocka_unit_test_setup(nothing_ends_as_no, setup),
        cmocka_unit_test_setup(no_leaves_a_new_ring_time_too, setup),
        cmocka_unit_test_setup(an_agent_that_has_gone_leaves_no_time, setup),
        cmocka_unit_test_setup(a_voter_that_was_never_told_has_nothing_to_say, setup),
        cmocka_unit_test_setup(what_must_be_tried_again_is_not_carried_out, setup),
        cmocka_unit_test_setup(a_vote_for_a_former_ring_is_not_carried_out, setup),
        cmocka_unit_test_setup(a_new_pace_counts_from_now, setup),
        cmocka_unit_test_setup(nothing_after_no_goes_on_with_no, setup),
    };

    return cmocka_run_group_tests_name("voting", tests, NULL, NULL);
}
