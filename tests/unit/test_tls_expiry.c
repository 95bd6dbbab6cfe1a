/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/tls/expiry.h"

#define DAY ((time_t)86400)
#define NOON_2026_11_22 ((time_t)1795348800) /* a Sunday, 12:00 UTC */

static void warnings_begin_thirty_days_before(void **state)
{
    time_t now = NOON_2026_11_22;

    (void)state;
    assert_int_equal(expiry_check(0, now + 30 * DAY + 1, now), EXPIRY_VALID);
    assert_int_equal(expiry_check(0, now + 30 * DAY, now), EXPIRY_SOON);
    assert_int_equal(expiry_check(0, now, now), EXPIRY_SOON);
    assert_int_equal(expiry_check(0, now - 1, now), EXPIRY_EXPIRED);
    assert_int_equal(expiry_check(now, now + DAY, now), EXPIRY_SOON);
    assert_int_equal(expiry_check(now + 1, now + DAY, now), EXPIRY_NOT_YET_VALID);
}

static void days_are_whole_and_rounded_down(void **state)
{
    time_t now = NOON_2026_11_22;

    (void)state;
    assert_int_equal(expiry_days_left(now, now), 0);
    assert_int_equal(expiry_days_left(now + DAY - 1, now), 0);
    assert_int_equal(expiry_days_left(now + DAY, now), 1);
    assert_int_equal(expiry_days_left(now - 1, now), -1);
    assert_int_equal(expiry_days_left(now - DAY, now), -1);
    assert_int_equal(expiry_days_left(now - DAY - 1, now), -2);
}

static void expect(time_t not_before, time_t not_after, const char *expected)
{
    char text[EXPIRY_TEXT_SIZE];

    expiry_text(not_before, not_after, NOON_2026_11_22, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void the_text_says_date_and_days(void **state)
{
    time_t now = NOON_2026_11_22;

    (void)state;
    expect(0, now + 9 * DAY, "expires 2026-12-01 (9 days left)");
    expect(0, now + DAY + 5, "expires 2026-11-23 (1 day left)");
    expect(0, now + 5, "expires 2026-11-22 (0 days left)");
    expect(0, now - 5, "expired 2026-11-22 (today)");
    expect(0, now - DAY, "expired 2026-11-21 (1 day ago)");
    expect(0, now - 2 * DAY - 5, "expired 2026-11-20 (2 days ago)");
    expect(now + 32 * DAY, now + 99 * DAY, "not valid before 2026-12-24 (in 32 days)");
}

static void dates_are_right_far_away(void **state)
{
    (void)state;
    expect(0, (time_t)4951022400, "expires 2126-11-22 (36524 days left)"); /* the packaged 1200 months */
    expect(0, (time_t)0, "expired 1970-01-01 (20779 days ago)");
    expect(0, (time_t)-1, "expired 1969-12-31 (20779 days ago)");
    expect(0, (time_t)1709164800, "expired 2024-02-29 (997 days ago)");
    expect(0, (time_t)951782400, "expired 2000-02-29 (9763 days ago)");
    expect(0, (time_t)4107542399, "expires 2100-02-28 (26761 days left)");
    expect(0, (time_t)4107542400, "expires 2100-03-01 (26761 days left)");
}

static void short_buffers_are_respected(void **state)
{
    char text[8];

    (void)state;
    expiry_text(0, NOON_2026_11_22 + 9 * DAY, NOON_2026_11_22, text, sizeof(text));
    assert_string_equal(text, "expires");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warnings_begin_thirty_days_before),
        cmocka_unit_test(days_are_whole_and_rounded_down),
        cmocka_unit_test(the_text_says_date_and_days),
        cmocka_unit_test(dates_are_right_far_away),
        cmocka_unit_test(short_buffers_are_respected),
    };

    return cmocka_run_group_tests_name("tls_expiry", tests, NULL, NULL);
}
