/* SPDX-License-Identifier: BSD-3-Clause */
/* A voter that is stopped, or dies, is replaced, and the new one hears the newest command; no core runs here. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "qdevice/voter_watch.h"

#define NS_PER_MS UINT64_C(1000000)
#define DEADLINE_MS 20000
#define LOOK_MS 5

static struct voter_watch watch;
static qb_loop_t *loop;
static uint64_t carried_out;
static pid_t former; /* the voter that is to be replaced */
static bool (*wanted)(void);
static uint64_t until_ms;

static void on_carried_out(void *context, uint64_t sequence)
{
    (void)context;
    carried_out = sequence;
}

static void on_failed(void *context)
{
    (void)context;
    fail_msg("no voter can be started");
}

static void look(void *data)
{
    qb_loop_timer_handle handle;

    (void)data;
    if (wanted() || clock_monotonic_ms() >= until_ms) {
        qb_loop_stop(loop);
        return;
    }
    qb_loop_timer_add(loop, QB_LOOP_LOW, LOOK_MS * NS_PER_MS, NULL, look, &handle);
}

static void run_until(bool (*condition)(void))
{
    wanted = condition;
    until_ms = clock_monotonic_ms() + DEADLINE_MS;
    look(NULL);
    if (!condition())
        qb_loop_run(loop);
    assert_true(condition());
}

static bool has_answered(void)
{
    return watch.report.number == watch.command.number && watch.owes_since_ms == 0;
}

static bool is_another_that_answers(void)
{
    return watch.voter.pid != former && has_answered();
}

/* Reaped by now, or, on a busy machine, about to be. */
static bool has_ended(pid_t pid)
{
    waitpid(pid, NULL, 0);
    return kill(pid, 0) != 0;
}

static void tell(uint64_t sequence, enum agent_cast cast)
{
    struct voting_command command = {.sequence = sequence,
                                     .cast = cast,
                                     .poll = true,
                                     .ring_id = {1, 4},
                                     .until_ms = AGENT_NEVER,
                                     .poll_ms = 3600000};

    voter_watch_tell(&watch, &command);
}

static int setup(void **state)
{
    static const struct voter_watch_handlers handlers = {.on_carried_out = on_carried_out, .on_failed = on_failed};

    (void)state;
    carried_out = 0;
    if (voter_watch_start(&watch, "Test", "/nonexistent/lock") != Q_OK)
        return -1;
    loop = qb_loop_create();
    voter_watch_attach(&watch, loop, &handlers, NULL);
    return loop != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    voter_watch_stop(&watch, DEADLINE_MS);
    qb_loop_destroy(loop);
    return 0;
}

static void what_is_carried_out_is_told(void **state)
{
    (void)state;
    tell(3, AGENT_CAST_NOTHING);
    run_until(has_answered);
    assert_int_equal(carried_out, 3);
}

static void what_votequorum_has_not_taken_is_not_told(void **state)
{
    (void)state;
    tell(3, AGENT_CAST_NO);
    run_until(has_answered);
    assert_int_equal(watch.report.cast, AGENT_CAST_NO);
    assert_int_equal(watch.report.accepted, AGENT_CAST_NOTHING);
    assert_int_equal(carried_out, 0);
}

/* Nothing is asked of it: it is noticed while YES is cast. */
static void a_stopped_voter_is_replaced(void **state)
{
    (void)state;
    tell(3, AGENT_CAST_YES);
    run_until(has_answered);
    former = watch.voter.pid;
    kill(former, SIGSTOP);
    run_until(is_another_that_answers);
    assert_int_equal(watch.report.cast, AGENT_CAST_YES);
    assert_true(has_ended(former));
}

static void a_voter_stopped_before_a_no_is_replaced_by_one_that_polls_it(void **state)
{
    (void)state;
    tell(3, AGENT_CAST_NO);
    run_until(has_answered);
    former = watch.voter.pid;
    kill(former, SIGSTOP);
    tell(4, AGENT_CAST_YES);
    tell(5, AGENT_CAST_NO);
    run_until(is_another_that_answers);
    assert_int_equal(watch.report.cast, AGENT_CAST_NO);
}

static void a_voter_that_dies_is_replaced(void **state)
{
    (void)state;
    tell(3, AGENT_CAST_YES);
    run_until(has_answered);
    former = watch.voter.pid;
    kill(former, SIGKILL);
    run_until(is_another_that_answers);
    assert_int_equal(watch.report.cast, AGENT_CAST_YES);
}

static void a_stopped_voter_does_not_outlive_the_end(void **state)
{
    pid_t pid = watch.voter.pid;

    kill(pid, SIGSTOP);
    voter_watch_stop(&watch, 50);
    assert_true(has_ended(pid));
    qb_loop_destroy(loop);
    assert_int_equal(setup(state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_carried_out_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_votequorum_has_not_taken_is_not_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_voter_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_voter_stopped_before_a_no_is_replaced_by_one_that_polls_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_voter_that_dies_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_voter_does_not_outlive_the_end, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
