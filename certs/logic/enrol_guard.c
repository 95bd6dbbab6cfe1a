/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/enrol_guard.h"

#include <assert.h>
#include <string.h>

void enrol_guard_init(struct enrol_guard *guard, uint32_t seed)
{
    memset(guard, 0, sizeof(*guard));
    guard->seed = seed;
}

/* The finalizer of MurmurHash3: every bit of the seed moves every number. */
static uint32_t scatter(const struct enrol_guard *guard, uint32_t number)
{
    uint32_t value = number ^ guard->seed;

    value = (value ^ value >> 16) * 0x85ebca6bu;
    value = ((value ^ value >> 13) + guard->seed) * 0xc2b2ae35u;
    return value ^ value >> 16;
}

/* The buckets of one origin, one of each row. */
struct pair {
    struct enrol_guard_bucket *of[ENROL_GUARD_ROWS];
};

static struct pair buckets_of(struct enrol_guard *guard, uint32_t origin)
{
    uint32_t value = origin;
    struct pair pair;

    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++) {
        value = scatter(guard, value);
        pair.of[row] = &guard->buckets[row][value % ENROL_GUARD_BUCKETS];
    }
    return pair;
}

static void refill(uint32_t *spent, uint64_t *refilled_ms, uint64_t interval_ms, uint64_t now_ms)
{
    uint64_t count = (now_ms - *refilled_ms) / interval_ms;

    if (count >= *spent) {
        *spent = 0;
        *refilled_ms = now_ms;
    } else {
        *spent -= (uint32_t)count;
        *refilled_ms += count * interval_ms;
    }
}

bool enrol_guard_renew(struct enrol_guard *guard, const char *cluster, uint64_t now_ms)
{
    struct enrol_guard_renewals *renewals;
    uint32_t hash = 0;

    while (*cluster != '\0')
        hash = scatter(guard, hash ^ (uint8_t)*cluster++);
    renewals = &guard->renewals[hash % ENROL_GUARD_RENEWAL_BUCKETS];
    refill(&renewals->spent, &renewals->refilled_ms, ENROL_GUARD_RENEWAL_REFILL_MS, now_ms);
    if (renewals->spent >= ENROL_GUARD_RENEWAL_BURST)
        return false;
    renewals->spent++;
    return true;
}

enum enrol_guard_answer enrol_guard_admit(struct enrol_guard *guard, uint32_t origin, uint64_t now_ms)
{
    struct pair pair = buckets_of(guard, origin);
    uint32_t open = UINT32_MAX, spent = UINT32_MAX;
    bool blocked = true;

    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++) {
        struct enrol_guard_bucket *bucket = pair.of[row];

        refill(&bucket->spent, &bucket->refilled_ms, ENROL_GUARD_REFILL_MS, now_ms);
        blocked = blocked && now_ms < bucket->blocked_until_ms;
        open = bucket->open < open ? bucket->open : open;
        spent = bucket->spent < spent ? bucket->spent : spent;
    }
    if (blocked)
        return ENROL_GUARD_BLOCKED;
    if (open >= ENROL_GUARD_OPEN_MAX)
        return ENROL_GUARD_TOO_MANY;
    if (spent >= ENROL_GUARD_BURST)
        return ENROL_GUARD_TOO_FAST;
    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++) {
        pair.of[row]->spent++;
        pair.of[row]->open++;
    }
    return ENROL_GUARD_ADMITTED;
}

void enrol_guard_ended(struct enrol_guard *guard, uint32_t origin)
{
    struct pair pair = buckets_of(guard, origin);

    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++) {
        assert(pair.of[row]->open > 0);
        pair.of[row]->open--;
    }
}

/* A wrong code counted in a single bucket; for how long it is closed from now on, in ms. */
static uint64_t count_wrong(struct enrol_guard_bucket *bucket, uint64_t now_ms)
{
    uint64_t block_ms = ENROL_GUARD_BLOCK_MS;

    if (bucket->wrong > 0 && now_ms - bucket->wrong_ms >= ENROL_GUARD_FORGIVE_MS)
        bucket->wrong = 0;
    bucket->wrong_ms = now_ms;
    if (bucket->wrong < UINT32_MAX)
        bucket->wrong++;
    if (bucket->wrong <= ENROL_GUARD_WRONG_FREE)
        return 0;
    for (uint32_t i = ENROL_GUARD_WRONG_FREE + 1; i < bucket->wrong && block_ms < ENROL_GUARD_BLOCK_MAX_MS; i++)
        block_ms *= 2;
    if (block_ms > ENROL_GUARD_BLOCK_MAX_MS)
        block_ms = ENROL_GUARD_BLOCK_MAX_MS;
    bucket->blocked_until_ms = now_ms + block_ms;
    return block_ms;
}

uint64_t enrol_guard_wrong(struct enrol_guard *guard, uint32_t origin, uint64_t now_ms)
{
    struct pair pair = buckets_of(guard, origin);
    uint64_t shortest_ms = UINT64_MAX;

    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++) {
        uint64_t block_ms = count_wrong(pair.of[row], now_ms);

        if (block_ms < shortest_ms)
            shortest_ms = block_ms;
    }
    return shortest_ms;
}
