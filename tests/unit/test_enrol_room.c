/* SPDX-License-Identifier: BSD-3-Clause */
/* Who gives way to a newcomer when all places for enrolment are taken. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "certs/logic/enrol_room.h"

#define PLACES 32
#define NOW_MS 10000

static struct enrol_room_guest guests[PLACES];

/* Places from `first` to `last`, of addresses 100, 101, ... in one site, or of one address if `spread` is false. */
static void seat(size_t first, size_t last, uint32_t site, bool spread)
{
    for (size_t i = first; i <= last; i++)
        guests[i] = (struct enrol_room_guest){{spread ? 100 + (uint32_t)i : 99, site}, NOW_MS - 1, true};
}

static size_t choose(uint32_t address, uint32_t site)
{
    struct enrol_guard_origin newcomer = {address, site};

    return enrol_room_choose(guests, PLACES, &newcomer, NOW_MS);
}

static void of_two_sites_with_all_places_one_gives_way(void **state)
{
    (void)state;
    seat(0, 15, 1, true);
    seat(16, 31, 2, true);
    assert_int_equal(choose(1, 0), 0);
    assert_int_equal(choose(1, 3), 0);
    guests[20].since_ms = NOW_MS - 2;
    assert_int_equal(choose(1, 0), 20);
    guests[20].may_go = false;
    assert_int_equal(choose(1, 0), 0);
    /* Their own newcomers, at addresses that have no place yet, find none. */
    assert_int_equal(choose(1, 1), PLACES);
}

static void a_site_that_is_crowded_takes_no_place_from_others(void **state)
{
    (void)state;
    seat(0, 15, 1, true);
    for (size_t i = 16; i < PLACES; i++)
        seat(i, i, 0, true);
    guests[17].from = guests[16].from; /* an address with two places */
    assert_int_equal(choose(1, 1), PLACES);
    assert_int_equal(choose(1, 0), 0);
}

static void within_a_site_it_goes_by_address(void **state)
{
    (void)state;
    seat(0, 9, 1, true);
    seat(10, 15, 1, false);
    seat(16, 31, 2, true);
    assert_int_equal(choose(1, 1), 10);
    assert_int_equal(choose(99, 1), PLACES);
}

static void without_a_crowd_the_oldest_goes_after_a_while(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLACES; i++)
        seat(i, i, (uint32_t)(i % 2 == 0 ? 0 : i + 1), true);
    assert_int_equal(choose(1, 0), PLACES);
    guests[5].since_ms = NOW_MS - ENROL_ROOM_PATIENCE_MS + 1;
    assert_int_equal(choose(1, 0), PLACES);
    guests[5].since_ms--;
    assert_int_equal(choose(1, 0), 5);
    guests[5].may_go = false;
    assert_int_equal(choose(1, 0), PLACES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_sites_with_all_places_one_gives_way),
        cmocka_unit_test(a_site_that_is_crowded_takes_no_place_from_others),
        cmocka_unit_test(within_a_site_it_goes_by_address),
        cmocka_unit_test(without_a_crowd_the_oldest_goes_after_a_while),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
