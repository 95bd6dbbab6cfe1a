/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long a vote can outlive its holder: the packaged device's bounds (measured, spec/arbitration.md sections 10 and
 * 11.5), those of ours, and what a hostile one may claim.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "qnetd/logic/lease.h"

#define NOW UINT64_C(5000000)

static const uint32_t heartbeats[] = {1, 1000, 1001, 3200, 8000, 119999, 120000};
#define HEARTBEATS (sizeof(heartbeats) / sizeof(heartbeats[0]))

static struct arbiter_settings settings;

static int prepare(void **state)
{
    (void)state;
    arbiter_settings_default(&settings);
    return 0;
}

static struct member packaged(uint32_t heartbeat_ms, uint64_t heard_ms)
{
    return (struct member){.heartbeat_ms = heartbeat_ms, .heartbeat_ms_longest = heartbeat_ms, .heard_ms = heard_ms};
}

static struct member ours(uint32_t lease_ms, uint32_t hold_ms, uint64_t heard_ms)
{
    struct member member = packaged(8000, heard_ms);

    member.has_lease = true;
    member.lease = (struct wire_lease){lease_ms, hold_ms};
    return member;
}

static uint64_t ends(const struct member *member, enum arbiter_disconnect how)
{
    return lease_ghost_until_ms(member, &settings, WIRE_ALGORITHM_FFSPLIT, how, NOW);
}

static void a_packaged_device_can_vote_for_two_and_a_quarter_heartbeats(void **state)
{
    struct member m;

    (void)state;
    m = packaged(1000, NOW);
    assert_int_equal(lease_bound_ms(&m, &settings), 3250);
    m = packaged(8000, NOW);
    assert_int_equal(lease_bound_ms(&m, &settings), 19000);
    m = packaged(120000, NOW);
    assert_int_equal(lease_bound_ms(&m, &settings), 271000);
}

/* SET_OPTION can shorten H; a vote given under the longer one is not shortened by it. */
static void the_longest_heartbeat_of_the_connection_counts(void **state)
{
    struct member m = packaged(1000, NOW);

    (void)state;
    m.heartbeat_ms_longest = 8000;
    assert_int_equal(lease_bound_ms(&m, &settings), 19000);
}

static void a_device_of_ours_is_taken_at_its_word_and_a_little_more(void **state)
{
    struct member m = ours(4000, 1000, NOW);

    (void)state;
    assert_int_equal(lease_bound_ms(&m, &settings), 5100);
    m = ours(0, 0, NOW);
    assert_int_equal(lease_bound_ms(&m, &settings), 50);
}

/*
 * U1: the packaged device believes in its vote for 2 H after the last echo it had answered, which the arbiter heard
 * not before it was sent. U21: killed, its vote stays 1.25 H after its last poll. Whatever was seen, whenever: the
 * arbiter waits longer than either.
 */
static void u01_u21_the_wait_is_longer_than_any_vote_can_last(void **state)
{
    (void)state;
    for (size_t i = 0; i < HEARTBEATS; i++) {
        uint64_t h = heartbeats[i];

        for (uint64_t silent = 0; silent <= h * 3 / 2; silent += h / 16 + 1) {
            struct member m = packaged((uint32_t)h, NOW - silent);

            assert_true(ends(&m, ARBITER_GONE_SEND_FAILED) > m.heard_ms + 2 * h);
            assert_true(ends(&m, ARBITER_GONE_EOF) > m.heard_ms + 2 * h);
            assert_true(ends(&m, ARBITER_GONE_EOF) > NOW + h * 5 / 4);
        }
    }
}

static void the_wait_is_not_longer_than_that_and_the_margin(void **state)
{
    struct member m;

    (void)state;
    m = packaged(8000, NOW);
    assert_int_equal(ends(&m, ARBITER_GONE_EOF), NOW + 19000);
    assert_int_equal(ends(&m, ARBITER_GONE_SEND_FAILED), NOW + 19000);
    m = packaged(8000, NOW - 8000); /* here both terms meet */
    assert_int_equal(ends(&m, ARBITER_GONE_EOF), NOW + 11000);
    m = packaged(8000, NOW - 12000); /* dead peer at 1.5 H: no sign that anything just happened */
    assert_int_equal(ends(&m, ARBITER_GONE_SEND_FAILED), NOW + 7000);
    assert_int_equal(ends(&m, ARBITER_GONE_EOF), NOW + 11000);
    m = ours(4000, 1000, NOW - 1000);
    assert_int_equal(ends(&m, ARBITER_GONE_EOF), NOW + 4100);
    assert_int_equal(ends(&m, ARBITER_GONE_SEND_FAILED), NOW + 4100);
}

static void a_goodbye_is_believed_where_the_vote_is_gone_before_it(void **state)
{
    struct member m = packaged(8000, NOW);

    (void)state;
    assert_int_equal(ends(&m, ARBITER_GONE_CLOSE_NOTIFY), 0);
    assert_int_equal(lease_ghost_until_ms(&m, &settings, WIRE_ALGORITHM_LMS, ARBITER_GONE_CLOSE_NOTIFY, NOW), 0);
    /* The packaged 2nodelms keeps its vote when it leaves. */
    assert_int_equal(lease_ghost_until_ms(&m, &settings, WIRE_ALGORITHM_2NODELMS, ARBITER_GONE_CLOSE_NOTIFY, NOW),
                     NOW + 19000);
    m = ours(4000, 1000, NOW);
    assert_int_equal(lease_ghost_until_ms(&m, &settings, WIRE_ALGORITHM_2NODELMS, ARBITER_GONE_CLOSE_NOTIFY, NOW), 0);
}

/* quorum.device.timeout unset: 8 s in a packaged device, 2 s in one of ours. Set: the same in both. */
static void an_unknown_holder_may_be_packaged_and_have_its_default_heartbeat(void **state)
{
    struct member m = ours(2500, 200, NOW);

    (void)state;
    m.heartbeat_ms = m.heartbeat_ms_longest = 2000;
    assert_int_equal(lease_unknown_bound_ms(&m, &settings), 19000);
    m.heartbeat_ms_longest = 12000;
    assert_int_equal(lease_unknown_bound_ms(&m, &settings), 28000);
    m = ours(30000, 0, NOW);
    assert_int_equal(lease_unknown_bound_ms(&m, &settings), lease_bound_ms(&m, &settings));
    m = packaged(1000, NOW); /* its timeout is set, or the others have it unset too */
    assert_int_equal(lease_unknown_bound_ms(&m, &settings), 3250);
}

static void packaged_timing_waits_for_nothing(void **state)
{
    struct member m = packaged(8000, NOW);

    (void)state;
    settings.strict = false;
    assert_int_equal(ends(&m, ARBITER_GONE_EOF), 0);
    assert_int_equal(ends(&m, ARBITER_GONE_SEND_FAILED), 0);
    settings.strict = true;
}

/* Settings allow intervals of up to 2^32 - 1 ms: the sum saturates, it does not wrap around to nothing. */
static void bounds_saturate(void **state)
{
    struct member m = packaged(UINT32_MAX, NOW);

    (void)state;
    assert_true(lease_bound_ms(&m, &settings) == UINT32_MAX);
    m = ours(UINT32_MAX, UINT32_MAX, NOW);
    assert_true(lease_bound_ms(&m, &settings) == UINT32_MAX);
    assert_true(ends(&m, ARBITER_GONE_EOF) == NOW + UINT32_MAX);
}

static void sane_bounds_are_honoured_as_they_are(void **state)
{
    struct wire_lease lease = lease_honoured((struct wire_lease){4000, 1000}, &settings);

    (void)state;
    assert_int_equal(lease.lease_ms, 4000);
    assert_int_equal(lease.hold_ms, 1000);
    lease = lease_honoured((struct wire_lease){200000, 70000}, &settings); /* 2.25 x 120 s exactly */
    assert_int_equal(lease.lease_ms, 200000);
    assert_int_equal(lease.hold_ms, 70000);
}

/* A lease of 49 days would let one member keep its cluster waiting as long after its end. */
static void a_hostile_lease_is_cut_to_what_settings_allow(void **state)
{
    static const uint32_t values[] = {0, 1, 70000, 269999, 270000, 270001, 0x7fffffff, UINT32_MAX - 1, UINT32_MAX};
    const size_t count = sizeof(values) / sizeof(values[0]);

    (void)state;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            struct wire_lease stated = {values[i], values[j]};
            struct wire_lease lease = lease_honoured(stated, &settings);

            assert_true((uint64_t)lease.lease_ms + lease.hold_ms <= 270000);
            assert_true(lease.lease_ms <= stated.lease_ms && lease.hold_ms <= stated.hold_ms);
            /* A vote that the device cannot take back in time is not cast at all. */
            assert_true(lease.hold_ms == stated.hold_ms || lease.lease_ms == 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packaged_device_can_vote_for_two_and_a_quarter_heartbeats),
        cmocka_unit_test(the_longest_heartbeat_of_the_connection_counts),
        cmocka_unit_test(a_device_of_ours_is_taken_at_its_word_and_a_little_more),
        cmocka_unit_test(u01_u21_the_wait_is_longer_than_any_vote_can_last),
        cmocka_unit_test(the_wait_is_not_longer_than_that_and_the_margin),
        cmocka_unit_test(a_goodbye_is_believed_where_the_vote_is_gone_before_it),
        cmocka_unit_test(an_unknown_holder_may_be_packaged_and_have_its_default_heartbeat),
        cmocka_unit_test(packaged_timing_waits_for_nothing),
        cmocka_unit_test(bounds_saturate),
        cmocka_unit_test(sane_bounds_are_honoured_as_they_are),
        cmocka_unit_test(a_hostile_lease_is_cut_to_what_settings_allow),
    };

    return cmocka_run_group_tests_name("lease", tests, prepare, NULL);
}
