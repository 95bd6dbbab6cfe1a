/* SPDX-License-Identifier: BSD-3-Clause */
/* Log lines that one peer may cause: a burst, then a trickle, and a count of what was left out. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/log_budget.h"

#define BURST 5
#define REFILL_MS 100

static unsigned take_many(struct log_budget *budget, unsigned tries, uint64_t now_ms)
{
    unsigned taken = 0;
    uint64_t left_out;

    for (unsigned i = 0; i < tries; i++)
        taken += log_budget_take(budget, BURST, REFILL_MS, now_ms, &left_out);
    return taken;
}

static void a_burst_is_allowed_and_then_a_trickle(void **state)
{
    struct log_budget budget = {0};

    (void)state;
    assert_int_equal(take_many(&budget, 100, 50000), BURST);
    assert_int_equal(take_many(&budget, 100, 50099), 0);
    assert_int_equal(take_many(&budget, 100, 50100), 1);
    assert_int_equal(take_many(&budget, 100, 50300), 2);
    assert_int_equal(take_many(&budget, 100, 90000), BURST);
}

static void what_was_left_out_is_told_with_the_next_line(void **state)
{
    struct log_budget budget = {0};
    uint64_t left_out = 77;

    (void)state;
    assert_true(log_budget_take(&budget, BURST, REFILL_MS, 1000, &left_out));
    assert_int_equal(left_out, 0);
    take_many(&budget, BURST - 1 + 9, 1000);
    assert_true(log_budget_take(&budget, BURST, REFILL_MS, 1100, &left_out));
    assert_int_equal(left_out, 9);
    assert_true(log_budget_take(&budget, BURST, REFILL_MS, 1200, &left_out));
    assert_int_equal(left_out, 0);
}

static void lines_at_the_allowed_rate_never_run_out(void **state)
{
    struct log_budget budget = {0};

    (void)state;
    for (uint64_t now_ms = 0; now_ms < 1000 * REFILL_MS; now_ms += REFILL_MS)
        assert_int_equal(take_many(&budget, 1, now_ms), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_allowed_and_then_a_trickle),
        cmocka_unit_test(what_was_left_out_is_told_with_the_next_line),
        cmocka_unit_test(lines_at_the_allowed_rate_never_run_out),
    };

    return cmocka_run_group_tests_name("log_budget", tests, NULL, NULL);
}
