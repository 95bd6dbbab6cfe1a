/* SPDX-License-Identifier: BSD-3-Clause */
/* The voter's protocol, and its NO when time or agent have gone; no core runs here, so that every poll fails. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "qdevice/voter.h"

#define DEADLINE_MS 20000
#define NEVER_MS 3600000 /* between two polls: none but those that are asked for */

static struct voter voter;

static int setup(void **state)
{
    (void)state;
    return voter_start(&voter, "Test", "/nonexistent/lock") == Q_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    voter_stop(&voter, DEADLINE_MS);
    return 0;
}

static void wait_readable(void)
{
    struct pollfd readable = {.fd = voter.fd, .events = POLLIN};

    assert_int_equal(poll(&readable, 1, DEADLINE_MS), 1);
}

static struct voting_report hear(void)
{
    struct voting_report report;

    wait_readable();
    assert_int_equal(voter_hear(&voter, &report), Q_OK);
    return report;
}

static struct voting_command command(uint64_t sequence, enum agent_cast cast)
{
    return (struct voting_command){.number = sequence,
                                  .sequence = sequence,
                                  .cast = cast,
                                  .poll = true,
                                  .ring_id = {1, 4},
                                  .until_ms = clock_monotonic_ms() + NEVER_MS,
                                  .poll_ms = NEVER_MS};
}

static void tell(struct voting_command what)
{
    assert_int_equal(voter_tell(&voter, &what), Q_OK);
}

static void nothing_is_confirmed_without_a_poll(void **state)
{
    struct voting_report report;

    (void)state;
    tell(command(1, AGENT_CAST_NOTHING));
    report = hear();
    assert_int_equal(report.number, 1);
    assert_int_equal(report.sequence, 1);
    assert_int_equal(report.polled_wall_ms, 0);
    assert_int_equal(voter_hear(&voter, &report), Q_ERR_AGAIN);
}

/* It lives, and nothing is carried out. */
static void a_poll_that_cannot_be_made_is_reported(void **state)
{
    struct voting_report report;

    (void)state;
    tell(command(5, AGENT_CAST_YES));
    report = hear();
    assert_int_equal(report.number, 5);
    assert_int_equal(report.sequence, 0);
    assert_int_equal(report.accepted, AGENT_CAST_NOTHING);
    assert_int_equal(report.cast, AGENT_CAST_YES);
    assert_int_not_equal(report.result, 1); /* CS_OK */
}

static void yes_becomes_no_when_its_time_has_passed(void **state)
{
    struct voting_command yes = command(1, AGENT_CAST_YES);
    uint64_t start_ms = clock_monotonic_ms();
    struct voting_report report;

    (void)state;
    yes.until_ms = start_ms + 300;
    tell(yes);
    assert_int_equal(hear().cast, AGENT_CAST_YES);
    report = hear();
    assert_int_equal(report.cast, AGENT_CAST_NO);
    assert_int_equal(report.number, 1);
    assert_true(clock_monotonic_ms() >= start_ms + 300);
}

static void yes_that_comes_too_late_is_no(void **state)
{
    struct voting_command yes = command(1, AGENT_CAST_YES);

    (void)state;
    yes.until_ms = clock_monotonic_ms() - 1;
    tell(yes);
    assert_int_equal(hear().cast, AGENT_CAST_NO);
}

static void more_time_moves_the_end_without_a_poll(void **state)
{
    struct voting_command yes = command(1, AGENT_CAST_YES);
    uint64_t polled_ms;
    struct voting_report report;

    (void)state;
    yes.until_ms = clock_monotonic_ms() + 300;
    tell(yes);
    polled_ms = hear().polled_wall_ms;
    yes = command(2, AGENT_CAST_YES);
    yes.poll = false;
    yes.until_ms = clock_monotonic_ms() + 1000;
    tell(yes);
    report = hear();
    assert_int_equal(report.number, 2);
    assert_int_equal(report.polled_wall_ms, polled_ms);
    report = hear();
    assert_int_equal(report.cast, AGENT_CAST_NO);
    assert_true(clock_monotonic_ms() >= yes.until_ms);
}

static void time_that_comes_late_is_used_at_once(void **state)
{
    struct voting_command yes = command(1, AGENT_CAST_YES);

    (void)state;
    yes.until_ms = clock_monotonic_ms() + 100;
    tell(yes);
    assert_int_equal(hear().cast, AGENT_CAST_YES);
    assert_int_equal(hear().cast, AGENT_CAST_NO);
    yes = command(2, AGENT_CAST_YES);
    yes.poll = false;
    tell(yes);
    assert_int_equal(hear().cast, AGENT_CAST_YES);
}

static void votes_are_repeated(void **state)
{
    struct voting_command no = command(1, AGENT_CAST_NO);

    (void)state;
    no.poll_ms = 50;
    tell(no);
    for (int i = 0; i < 4; i++)
        assert_int_equal(hear().cast, AGENT_CAST_NO);
}

static void the_newest_of_several_counts(void **state)
{
    struct voting_report report = {0};

    (void)state;
    for (uint64_t i = 1; i <= 20; i++)
        tell(command(i, i % 2 == 1 ? AGENT_CAST_YES : AGENT_CAST_NO));
    while (report.number < 20)
        report = hear();
    assert_int_equal(report.cast, AGENT_CAST_NO);
}

static void it_ends_when_told(void **state)
{
    (void)state;
    tell((struct voting_command){.end = true});
    assert_int_equal(waitpid(voter.pid, NULL, 0), voter.pid);
    assert_int_equal(voter_tell(&voter, &(struct voting_command){.sequence = 1}), Q_ERR_CLOSED);
}

static void it_ends_with_its_agent(void **state)
{
    (void)state;
    tell(command(1, AGENT_CAST_YES));
    hear();
    close(voter.fd);
    voter.fd = -1;
    /* Without a core there is nothing left for it to do. */
    assert_int_equal(waitpid(voter.pid, NULL, 0), voter.pid);
    assert_int_equal(voter_start(&voter, "Test", "/nonexistent/lock"), Q_OK);
}

static void its_death_is_noticed(void **state)
{
    struct voting_report report;

    (void)state;
    kill(voter.pid, SIGKILL);
    wait_readable();
    assert_int_equal(voter_hear(&voter, &report), Q_ERR_CLOSED);
    assert_int_equal(voter_tell(&voter, &(struct voting_command){.sequence = 1}), Q_ERR_CLOSED);
}

static void signals_for_the_daemon_do_not_end_it(void **state)
{
    (void)state;
    tell(command(1, AGENT_CAST_NO));
    hear(); /* it has set itself up */
    kill(voter.pid, SIGTERM);
    kill(voter.pid, SIGINT);
    kill(voter.pid, SIGHUP);
    tell(command(2, AGENT_CAST_NO));
    assert_int_equal(hear().number, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_confirmed_without_a_poll, setup, teardown),
        cmocka_unit_test_setup_teardown(a_poll_that_cannot_be_made_is_reported, setup, teardown),
        cmocka_unit_test_setup_teardown(yes_becomes_no_when_its_time_has_passed, setup, teardown),
        cmocka_unit_test_setup_teardown(yes_that_comes_too_late_is_no, setup, teardown),
        cmocka_unit_test_setup_teardown(more_time_moves_the_end_without_a_poll, setup, teardown),
        cmocka_unit_test_setup_teardown(time_that_comes_late_is_used_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(votes_are_repeated, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_of_several_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(it_ends_when_told, setup, teardown),
        cmocka_unit_test_setup_teardown(it_ends_with_its_agent, setup, teardown),
        cmocka_unit_test_setup_teardown(its_death_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_for_the_daemon_do_not_end_it, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
