/* SPDX-License-Identifier: BSD-3-Clause */
/* What one origin may take up of the arbiter's enrolment, and that another one does not notice. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "certs/logic/enrol_guard.h"

static struct enrol_guard guard;

static unsigned come_and_go(uint32_t origin, unsigned tries, uint64_t now_ms)
{
    unsigned admitted = 0;

    for (unsigned i = 0; i < tries; i++) {
        if (enrol_guard_admit(&guard, origin, now_ms) != ENROL_GUARD_ADMITTED)
            continue;
        admitted++;
        enrol_guard_ended(&guard, origin);
    }
    return admitted;
}

static void few_at_once(void **state)
{
    (void)state;
    enrol_guard_init(&guard, 7);
    for (unsigned i = 0; i < ENROL_GUARD_OPEN_MAX; i++)
        assert_int_equal(enrol_guard_admit(&guard, 1, 1000), ENROL_GUARD_ADMITTED);
    assert_int_equal(enrol_guard_admit(&guard, 1, 1000), ENROL_GUARD_TOO_MANY);
    assert_int_equal(enrol_guard_admit(&guard, 2, 1000), ENROL_GUARD_ADMITTED);
    enrol_guard_ended(&guard, 1);
    assert_int_equal(enrol_guard_admit(&guard, 1, 1000), ENROL_GUARD_ADMITTED);
}

static void a_burst_and_then_a_trickle(void **state)
{
    (void)state;
    enrol_guard_init(&guard, 7);
    assert_int_equal(come_and_go(1, 1000, 5000), ENROL_GUARD_BURST);
    assert_int_equal(enrol_guard_admit(&guard, 1, 5000), ENROL_GUARD_TOO_FAST);
    assert_int_equal(come_and_go(1, 1000, 5000 + ENROL_GUARD_REFILL_MS - 1), 0);
    assert_int_equal(come_and_go(1, 1000, 5000 + ENROL_GUARD_REFILL_MS), 1);
    assert_int_equal(come_and_go(1, 1000, 5000 + 4 * ENROL_GUARD_REFILL_MS), 3);
    assert_int_equal(come_and_go(2, 1000, 5000), ENROL_GUARD_BURST);
    assert_int_equal(come_and_go(1, 1000, 10000000), ENROL_GUARD_BURST);
}

static void a_guesser_waits_longer_and_longer(void **state)
{
    uint64_t now_ms = 1000, expected_ms = ENROL_GUARD_BLOCK_MS;

    (void)state;
    enrol_guard_init(&guard, 7);
    for (unsigned i = 0; i < ENROL_GUARD_WRONG_FREE; i++)
        assert_int_equal(enrol_guard_wrong(&guard, 1, now_ms), 0);
    assert_int_equal(enrol_guard_admit(&guard, 1, now_ms), ENROL_GUARD_ADMITTED);
    enrol_guard_ended(&guard, 1);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(enrol_guard_wrong(&guard, 1, now_ms), expected_ms);
        assert_int_equal(enrol_guard_admit(&guard, 1, now_ms + expected_ms - 1), ENROL_GUARD_BLOCKED);
        assert_int_equal(enrol_guard_admit(&guard, 2, now_ms + expected_ms - 1), ENROL_GUARD_ADMITTED);
        enrol_guard_ended(&guard, 2);
        now_ms += expected_ms;
        assert_int_equal(enrol_guard_admit(&guard, 1, now_ms), ENROL_GUARD_ADMITTED);
        enrol_guard_ended(&guard, 1);
        expected_ms = expected_ms * 2 < ENROL_GUARD_BLOCK_MAX_MS ? expected_ms * 2 : ENROL_GUARD_BLOCK_MAX_MS;
    }
    now_ms += ENROL_GUARD_FORGIVE_MS;
    assert_int_equal(enrol_guard_wrong(&guard, 1, now_ms), 0);
}

/* In an hour a guesser who never stops has had his few free tries and one more per five minutes. */
static void an_hour_of_guessing(void **state)
{
    unsigned tries = 0;

    (void)state;
    enrol_guard_init(&guard, 7);
    for (uint64_t now_ms = 0; now_ms < 3600000; now_ms += 100) {
        if (enrol_guard_admit(&guard, 1, now_ms) != ENROL_GUARD_ADMITTED)
            continue;
        enrol_guard_ended(&guard, 1);
        enrol_guard_wrong(&guard, 1, now_ms);
        tries++;
    }
    assert_in_range(tries, ENROL_GUARD_WRONG_FREE + 5, 30);
}

static unsigned renew(const char *cluster, unsigned tries, uint64_t now_ms)
{
    unsigned renewed = 0;

    for (unsigned i = 0; i < tries; i++)
        renewed += enrol_guard_renew(&guard, cluster, now_ms);
    return renewed;
}

static void a_member_does_not_renew_for_ever(void **state)
{
    (void)state;
    enrol_guard_init(&guard, 7);
    assert_int_equal(renew("alpha", 1000, 5000), ENROL_GUARD_RENEWAL_BURST);
    assert_int_equal(renew("alpha", 1000, 5000 + ENROL_GUARD_RENEWAL_REFILL_MS), 1);
    assert_int_equal(renew("beta", 1000, 5000), ENROL_GUARD_RENEWAL_BURST);
}

/* Shows wrong codes until its origin is refused. */
static void guess(uint32_t origin)
{
    for (unsigned i = 0; i <= ENROL_GUARD_WRONG_FREE; i++)
        enrol_guard_wrong(&guard, origin, 0);
}

static bool blocked(uint32_t origin)
{
    enum enrol_guard_answer answer = enrol_guard_admit(&guard, origin, 1);

    if (answer == ENROL_GUARD_ADMITTED)
        enrol_guard_ended(&guard, origin);
    return answer == ENROL_GUARD_BLOCKED;
}

/* Of a hundred thousand others two hundred share one of the guesser's buckets; that keeps none of them out. */
static void whoever_shares_one_bucket_is_not_refused(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 5; seed++) {
        unsigned refused = 0;

        enrol_guard_init(&guard, seed * 0x9e3779b9u);
        guess(1);
        assert_true(blocked(1));
        for (uint32_t other = 2; other < 100000; other++)
            refused += blocked(other);
        assert_in_range(refused, 0, 2);
    }
}

/* Eight guessers, each in another bucket of a ninth one's, do not add up: by chance 1 of 20,000 others shares both. */
static void guessers_do_not_add_up(void **state)
{
    unsigned refused = 0;

    (void)state;
    enrol_guard_init(&guard, 11);
    for (uint32_t guesser = 1; guesser <= 8; guesser++)
        guess(guesser);
    for (uint32_t other = 1000; other < 21000; other++)
        refused += blocked(other);
    assert_in_range(refused, 0, 8);
}

/* Who shares both is another one with another seed: nobody can choose whom to hinder. */
static void who_shares_both_buckets_depends_on_the_seed(void **state)
{
    uint32_t neighbour = 2;

    (void)state;
    enrol_guard_init(&guard, 0x9e3779b9u);
    guess(1);
    while (!blocked(neighbour))
        neighbour++;
    assert_in_range(neighbour, 10000, 10000000);
    for (uint32_t seed = 2; seed <= 50; seed++) {
        enrol_guard_init(&guard, seed * 0x9e3779b9u);
        guess(1);
        assert_false(blocked(neighbour));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_at_once),
        cmocka_unit_test(a_burst_and_then_a_trickle),
        cmocka_unit_test(a_guesser_waits_longer_and_longer),
        cmocka_unit_test(an_hour_of_guessing),
        cmocka_unit_test(a_member_does_not_renew_for_ever),
        cmocka_unit_test(whoever_shares_one_bucket_is_not_refused),
        cmocka_unit_test(guessers_do_not_add_up),
        cmocka_unit_test(who_shares_both_buckets_depends_on_the_seed),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
