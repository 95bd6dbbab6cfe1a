/* SPDX-License-Identifier: BSD-3-Clause */
/* What one address, or one site, may take up of the arbiter's enrolment, and that another one does not notice. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "certs/logic/enrol_guard.h"

#define SITE_ADDRESSES 65536
#define SECOND_MS 1000
#define HOUR_MS 3600000

static struct enrol_guard guard;

/* An address without a site. */
static enum enrol_guard_answer admit(uint32_t address, uint64_t now_ms)
{
    return enrol_guard_admit(&guard, &(struct enrol_guard_origin){.address = address}, now_ms);
}

static void ended(uint32_t address)
{
    enrol_guard_ended(&guard, &(struct enrol_guard_origin){.address = address});
}

static uint64_t wrong(uint32_t address, uint64_t now_ms)
{
    return enrol_guard_wrong(&guard, &(struct enrol_guard_origin){.address = address}, now_ms);
}

static unsigned come_and_go(uint32_t address, unsigned tries, uint64_t now_ms)
{
    unsigned admitted = 0;

    for (unsigned i = 0; i < tries; i++) {
        if (admit(address, now_ms) != ENROL_GUARD_ADMITTED)
            continue;
        admitted++;
        ended(address);
    }
    return admitted;
}

static void few_at_once(void **state)
{
    (void)state;
    enrol_guard_init(&guard, 7);
    for (unsigned i = 0; i < ENROL_GUARD_OPEN_MAX; i++)
        assert_int_equal(admit(1, 1000), ENROL_GUARD_ADMITTED);
    assert_int_equal(admit(1, 1000), ENROL_GUARD_TOO_MANY);
    assert_int_equal(admit(2, 1000), ENROL_GUARD_ADMITTED);
    ended(1);
    assert_int_equal(admit(1, 1000), ENROL_GUARD_ADMITTED);
}

static void a_burst_and_then_a_trickle(void **state)
{
    (void)state;
    enrol_guard_init(&guard, 7);
    assert_int_equal(come_and_go(1, 1000, 5000), ENROL_GUARD_BURST);
    assert_int_equal(admit(1, 5000), ENROL_GUARD_TOO_FAST);
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
        assert_int_equal(wrong(1, now_ms), 0);
    assert_int_equal(admit(1, now_ms), ENROL_GUARD_ADMITTED);
    ended(1);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(wrong(1, now_ms), expected_ms);
        assert_int_equal(admit(1, now_ms + expected_ms - 1), ENROL_GUARD_BLOCKED);
        assert_int_equal(admit(2, now_ms + expected_ms - 1), ENROL_GUARD_ADMITTED);
        ended(2);
        now_ms += expected_ms;
        assert_int_equal(admit(1, now_ms), ENROL_GUARD_ADMITTED);
        ended(1);
        expected_ms = expected_ms * 2 < ENROL_GUARD_BLOCK_MAX_MS ? expected_ms * 2 : ENROL_GUARD_BLOCK_MAX_MS;
    }
    now_ms += ENROL_GUARD_FORGIVE_MS;
    assert_int_equal(wrong(1, now_ms), 0);
}

/* In an hour a guesser who never stops has had his few free tries and one more per five minutes. */
static void an_hour_of_guessing(void **state)
{
    unsigned tries = 0;

    (void)state;
    enrol_guard_init(&guard, 7);
    for (uint64_t now_ms = 0; now_ms < HOUR_MS; now_ms += 100) {
        if (admit(1, now_ms) != ENROL_GUARD_ADMITTED)
            continue;
        ended(1);
        wrong(1, now_ms);
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

/* Shows wrong codes until its address is refused. */
static void guess(uint32_t address)
{
    for (unsigned i = 0; i <= ENROL_GUARD_WRONG_FREE; i++)
        wrong(address, 0);
}

static bool blocked(uint32_t address)
{
    enum enrol_guard_answer answer = admit(address, 1);

    if (answer == ENROL_GUARD_ADMITTED)
        ended(address);
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

/* ---- sites ------------------------------------------------------------------------------------------------------ */

static const uint8_t v4_mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1};

/* 2001:db8:SITE:NETWORK::HOST */
static struct enrol_guard_origin at(uint16_t site, uint16_t network, uint8_t host)
{
    const uint8_t address[16] = {0x20,           0x01,        0x0d, 0xb8, (uint8_t)(site >> 8), (uint8_t)site, (uint8_t)(network >> 8),
                                 (uint8_t)network, [15] = host};

    return enrol_guard_origin(&guard, address);
}

static void where_somebody_comes_from(void **state)
{
    struct enrol_guard_origin one, v4;

    (void)state;
    enrol_guard_init(&guard, 7);
    one = at(1, 1, 1);
    v4 = enrol_guard_origin(&guard, v4_mapped);
    assert_int_equal(at(1, 1, 2).address, one.address);
    assert_int_equal(at(1, 1, 2).site, one.site);
    assert_int_not_equal(at(1, 2, 1).address, one.address);
    assert_int_equal(at(1, 2, 1).site, one.site);
    assert_int_not_equal(at(2, 1, 1).site, one.site);
    assert_int_not_equal(one.site, 0);
    assert_int_equal(v4.site, 0);
    /* Nobody can choose addresses that are counted as somebody else's. */
    enrol_guard_init(&guard, 8);
    assert_int_not_equal(at(1, 1, 1).address, one.address);
    assert_int_not_equal(at(1, 1, 1).site, one.site);
    assert_int_not_equal(enrol_guard_origin(&guard, v4_mapped).address, v4.address);
}

static void a_site_has_half_of_the_places(void **state)
{
    struct enrol_guard_origin last;

    (void)state;
    enrol_guard_init(&guard, 7);
    for (uint16_t network = 0; network < ENROL_GUARD_SITE_OPEN_MAX; network++) {
        last = at(1, network, 1);
        assert_int_equal(enrol_guard_admit(&guard, &last, 1000), ENROL_GUARD_ADMITTED);
    }
    for (unsigned network = ENROL_GUARD_SITE_OPEN_MAX; network < SITE_ADDRESSES; network++) {
        struct enrol_guard_origin next = at(1, (uint16_t)network, 1);

        assert_int_equal(enrol_guard_admit(&guard, &next, 1000), ENROL_GUARD_TOO_MANY);
    }
    for (uint16_t site = 2; site < 4; site++) {
        struct enrol_guard_origin other = at(site, 1, 1);

        assert_int_equal(enrol_guard_admit(&guard, &other, 1000), ENROL_GUARD_ADMITTED);
    }
    assert_int_equal(admit(1, 1000), ENROL_GUARD_ADMITTED);
    enrol_guard_ended(&guard, &last);
    last = at(1, 65535, 1);
    assert_int_equal(enrol_guard_admit(&guard, &last, 1000), ENROL_GUARD_ADMITTED);
    last = at(1, 65534, 1);
    assert_int_equal(enrol_guard_admit(&guard, &last, 1000), ENROL_GUARD_TOO_MANY);
}

/* Every address of a site tries once; how many are let in. */
static unsigned whole_site_comes(uint16_t site, uint64_t now_ms, bool guesses)
{
    unsigned admitted = 0;

    for (unsigned network = 0; network < SITE_ADDRESSES; network++) {
        struct enrol_guard_origin one = at(site, (uint16_t)network, 1);

        if (enrol_guard_admit(&guard, &one, now_ms) != ENROL_GUARD_ADMITTED)
            continue;
        admitted++;
        enrol_guard_ended(&guard, &one);
        if (guesses)
            enrol_guard_wrong(&guard, &one, now_ms);
    }
    return admitted;
}

/* Others, at addresses of their own: how many are refused. */
static unsigned others_refused(uint64_t now_ms)
{
    unsigned refused = 0;

    for (uint32_t other = 0; other < 20000; other++) {
        if (admit(other, now_ms) == ENROL_GUARD_ADMITTED)
            ended(other);
        else
            refused++;
    }
    return refused;
}

static void a_site_has_a_burst_and_then_a_trickle(void **state)
{
    (void)state;
    enrol_guard_init(&guard, 7);
    assert_int_equal(whole_site_comes(1, 5000, false), ENROL_GUARD_SITE_BURST);
    assert_int_equal(whole_site_comes(1, 5000 + ENROL_GUARD_SITE_REFILL_MS - 1, false), 0);
    assert_int_equal(whole_site_comes(1, 5000 + ENROL_GUARD_SITE_REFILL_MS, false), 1);
    assert_int_equal(whole_site_comes(1, 5000 + 4 * ENROL_GUARD_SITE_REFILL_MS, false), 3);
    assert_int_equal(whole_site_comes(2, 5000, false), ENROL_GUARD_SITE_BURST);
}

/* Without the count by site, 65,536 addresses fill every bucket of the table, and nobody is let in any more. */
static void a_site_that_floods_keeps_nobody_else_out(void **state)
{
    (void)state;
    enrol_guard_init(&guard, 7);
    for (uint64_t now_ms = 0; now_ms < 20 * SECOND_MS; now_ms += SECOND_MS)
        whole_site_comes(1, now_ms, false);
    assert_int_equal(others_refused(20 * SECOND_MS), 0);
}

static void a_site_that_guesses_has_few_codes_and_keeps_nobody_else_out(void **state)
{
    const unsigned minute_ms = 60 * SECOND_MS, minutes = 60;
    unsigned tries = 0;

    (void)state;
    enrol_guard_init(&guard, 7);
    for (unsigned i = 0; i < minutes; i++)
        tries += whole_site_comes(1, (uint64_t)i * minute_ms, true);
    assert_int_equal(tries, ENROL_GUARD_SITE_WRONG_BURST + (minutes - 1) * minute_ms / ENROL_GUARD_SITE_WRONG_REFILL_MS);
    assert_int_equal(others_refused((uint64_t)minutes * minute_ms), 0);
}

/* Hosting companies give every customer an address of one site. */
static void a_guesser_does_not_lock_his_neighbours_out(void **state)
{
    struct enrol_guard_origin guesser, neighbour;

    (void)state;
    enrol_guard_init(&guard, 7);
    guesser = at(1, 1, 1);
    neighbour = at(1, 2, 1);
    for (uint64_t now_ms = 0; now_ms < HOUR_MS; now_ms += SECOND_MS) {
        if (enrol_guard_admit(&guard, &guesser, now_ms) == ENROL_GUARD_ADMITTED) {
            enrol_guard_ended(&guard, &guesser);
            enrol_guard_wrong(&guard, &guesser, now_ms);
        }
        assert_int_equal(enrol_guard_admit(&guard, &neighbour, now_ms), ENROL_GUARD_ADMITTED);
        enrol_guard_ended(&guard, &neighbour);
    }
}

/* ---- questions -------------------------------------------------------------------------------------------------- */

static unsigned ask(const char *certificate, struct enrol_guard_origin from, unsigned tries, uint64_t now_ms)
{
    unsigned answered = 0;

    for (unsigned i = 0; i < tries; i++)
        answered += enrol_guard_ask(&guard, certificate, &from, now_ms);
    return answered;
}

static void a_question_costs_only_who_asks(void **state)
{
    (void)state;
    enrol_guard_init(&guard, 7);
    /* From everywhere with one certificate: it is the same asker. */
    for (uint16_t network = 0; network < ENROL_GUARD_ASK_BURST; network++)
        assert_int_equal(ask("2a", at(network, network, 1), 1, 5000), 1);
    assert_int_equal(ask("2a", at(1, 1, 1), 1000, 5000), 0);
    assert_int_equal(ask("2a", at(1, 1, 1), 1000, 5000 + ENROL_GUARD_ASK_REFILL_MS - 1), 0);
    assert_int_equal(ask("2a", at(1, 1, 1), 1000, 5000 + ENROL_GUARD_ASK_REFILL_MS), 1);
    /* Another node of its cluster, at the same address; then whoever shows none, by address. */
    assert_int_equal(ask("2b", at(1, 1, 1), 1000, 5000), ENROL_GUARD_ASK_BURST);
    assert_int_equal(ask(NULL, at(1, 1, 1), 1000, 5000), ENROL_GUARD_ASK_BURST);
    assert_int_equal(ask(NULL, at(1, 2, 1), 1000, 5000), ENROL_GUARD_ASK_BURST);
    /* Nobody's renewals pay for it. */
    assert_int_equal(renew("2a", 1000, 5000), ENROL_GUARD_RENEWAL_BURST);
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
        cmocka_unit_test(where_somebody_comes_from),
        cmocka_unit_test(a_site_has_half_of_the_places),
        cmocka_unit_test(a_site_has_a_burst_and_then_a_trickle),
        cmocka_unit_test(a_site_that_floods_keeps_nobody_else_out),
        cmocka_unit_test(a_site_that_guesses_has_few_codes_and_keeps_nobody_else_out),
        cmocka_unit_test(a_guesser_does_not_lock_his_neighbours_out),
        cmocka_unit_test(a_question_costs_only_who_asks),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
