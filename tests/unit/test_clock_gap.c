/* SPDX-License-Identifier: BSD-3-Clause */
/* Two clocks: how far apart, in words, and what that does to a certificate. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "certs/logic/clock_gap.h"

#define NOW_MS INT64_C(1795338740000)
#define DAY_S 86400

static struct clock_gap apart(int64_t ahead_ms)
{
    return clock_gap_of(NOW_MS, NOW_MS + ahead_ms, NOW_MS);
}

static void the_way_there_and_back_is_taken_off(void **state)
{
    struct clock_gap gap = clock_gap_of(NOW_MS, NOW_MS + 1500, NOW_MS + 3000);

    (void)state;
    assert_true(gap.ahead_ms == 0 && gap.slack_ms == 1500);
    gap = clock_gap_of(NOW_MS, NOW_MS - 70000, NOW_MS + 20000);
    assert_true(gap.ahead_ms == -80000 && gap.slack_ms == 10000);
    assert_true(clock_gap_is_wide(&gap));
    /* An answer that took long can be about any moment of it. */
    gap = clock_gap_of(NOW_MS, NOW_MS, NOW_MS + 120000);
    assert_true(gap.ahead_ms == -60000);
    assert_false(clock_gap_is_wide(&gap));
    /* The clock here was put back meanwhile. */
    gap = clock_gap_of(NOW_MS, NOW_MS, NOW_MS - 120000);
    assert_true(gap.slack_ms == 60000);
    assert_false(clock_gap_is_wide(&gap));
}

static void a_minute_is_too_much(void **state)
{
    struct clock_gap gap = apart(60000), back = apart(-60000), more = apart(60001), less = apart(-60001);

    (void)state;
    assert_false(clock_gap_is_wide(&gap) || clock_gap_is_wide(&back));
    assert_true(clock_gap_is_wide(&more) && clock_gap_is_wide(&less));
}

static void the_distance_in_words(void **state)
{
    static const struct {
        int64_t ahead_ms;
        const char *text;
    } cases[] = {{0, "0.0 seconds"},         {-349, "0.3 seconds"},          {9999, "9.9 seconds"},
                 {10000, "10 seconds"},      {-119999, "120 seconds"},       {120000, "2 minutes"},
                 {-7199999, "120 minutes"},  {7200000, "2 hours"},           {172799999, "48 hours"},
                 {-172800000, "2 days"},     {INT64_MIN / 4, "26687997792 days"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct clock_gap gap = {.ahead_ms = cases[i].ahead_ms};
        char text[CLOCK_GAP_TEXT_SIZE];

        clock_gap_text(&gap, text);
        assert_string_equal(text, cases[i].text);
    }
}

static enum clock_gap_effect effect(int64_t ahead_s, int64_t begun_s, int64_t left_s)
{
    struct clock_gap gap = apart(1000 * ahead_s);

    return clock_gap_effect(&gap, NOW_MS, NOW_MS / 1000 - begun_s, NOW_MS / 1000 + left_s);
}

static void what_it_does_to_a_certificate(void **state)
{
    (void)state;
    assert_int_equal(effect(0, DAY_S, DAY_S), CLOCK_GAP_NO_EFFECT);
    assert_int_equal(effect(-DAY_S, DAY_S, DAY_S), CLOCK_GAP_NO_EFFECT);
    assert_int_equal(effect(DAY_S, DAY_S, DAY_S), CLOCK_GAP_NO_EFFECT);
    assert_int_equal(effect(-DAY_S - 1, DAY_S, DAY_S), CLOCK_GAP_GOOD_HERE);  /* not valid yet, there */
    assert_int_equal(effect(DAY_S + 1, DAY_S, DAY_S), CLOCK_GAP_GOOD_HERE);   /* ended, there */
    assert_int_equal(effect(DAY_S, -60, 2 * DAY_S), CLOCK_GAP_GOOD_THERE);    /* not valid yet, here */
    assert_int_equal(effect(-DAY_S, 2 * DAY_S, -60), CLOCK_GAP_GOOD_THERE);   /* ended, here */
    assert_int_equal(effect(5, -60, 2 * DAY_S), CLOCK_GAP_NO_EFFECT);         /* ended, by both */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_there_and_back_is_taken_off),
        cmocka_unit_test(a_minute_is_too_much),
        cmocka_unit_test(the_distance_in_words),
        cmocka_unit_test(what_it_does_to_a_certificate),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
