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

static struct enrol_guard_bucket *bucket_of(struct enrol_guard *guard, uint32_t origin)
{
    return &guard->buckets[scatter(guard, origin) % ENROL_GUARD_BUCKETS];
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
    struct enrol_guard_bucket *bucket = bucket_of(guard, origin);

    if (now_ms < bucket->blocked_until_ms)
        return ENROL_GUARD_BLOCKED;
    if (bucket->open >= ENROL_GUARD_OPEN_MAX)
        return ENROL_GUARD_TOO_MANY;
    refill(&bucket->spent, &bucket->refilled_ms, ENROL_GUARD_REFILL_MS, now_ms);
    if (bucket->spent >= ENROL_GUARD_BURST)
        return ENROL_GUARD_TOO_FAST;
    bucket->spent++;
    bucket->open++;
    return ENROL_GUARD_ADMITTED;
}

void enrol_guard_ended(struct enrol_guard *guard, uint32_t origin)
{
    struct enrol_guard_bucket *bucket = bucket_of(guard, origin);

    assert(bucket->open > 0);
    bucket->open--;
}

uint64_t enrol_guard_wrong(struct enrol_guard *guard, uint32_t origin, uint64_t now_ms)
{
    struct enrol_guard_bucket *bucket = bucket_of(guard, origin);
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
