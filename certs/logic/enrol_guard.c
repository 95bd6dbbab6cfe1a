/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/enrol_guard.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

void enrol_guard_init(struct enrol_guard *guard, uint32_t seed)
{
    memset(guard, 0, sizeof(*guard));
    guard->seed = seed;
}

/* ---- who has which buckets -------------------------------------------------------------------------------------- */

/* The finalizer of MurmurHash3: every bit of the seed moves every number. */
static uint32_t scatter(const struct enrol_guard *guard, uint32_t number)
{
    uint32_t value = number ^ guard->seed;

    value = (value ^ value >> 16) * 0x85ebca6bu;
    value = ((value ^ value >> 13) + guard->seed) * 0xc2b2ae35u;
    return value ^ value >> 16;
}

/* The buckets of one who takes something, one of each row. */
struct pair {
    uint32_t at[ENROL_GUARD_ROWS];
};

static struct pair pair_of(const struct enrol_guard *guard, uint32_t who)
{
    uint32_t value = who;
    struct pair pair;

    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++) {
        value = scatter(guard, value);
        pair.at[row] = value % ENROL_GUARD_BUCKETS;
    }
    return pair;
}

static uint32_t hash(const struct enrol_guard *guard, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint32_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = scatter(guard, value ^ at[i]);
    return value;
}

static struct pair pair_of_text(const struct enrol_guard *guard, const char *text)
{
    return pair_of(guard, hash(guard, text, strlen(text)));
}

struct enrol_guard_origin enrol_guard_origin(const struct enrol_guard *guard, const uint8_t address[16])
{
    static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct enrol_guard_origin origin = {0};

    if (memcmp(address, v4_mapped, sizeof(v4_mapped)) == 0) {
        origin.address = hash(guard, address + sizeof(v4_mapped), 4);
        return origin;
    }
    origin.address = hash(guard, address, 8);
    origin.site = hash(guard, address, 6);
    if (origin.site == 0)
        origin.site = 1;
    return origin;
}

/* ---- budgets ---------------------------------------------------------------------------------------------------- */

static void refill(struct enrol_guard_tally *tally, uint64_t interval_ms, uint64_t now_ms)
{
    uint64_t count = (now_ms - tally->refilled_ms) / interval_ms;

    if (count >= tally->spent) {
        tally->spent = 0;
        tally->refilled_ms = now_ms;
    } else {
        tally->spent -= (uint32_t)count;
        tally->refilled_ms += count * interval_ms;
    }
}

/* Whether nothing is left: of so many, with one more per interval. */
static bool used_up(struct enrol_guard_tallies *tallies, const struct pair *pair, uint32_t burst, uint64_t interval_ms,
                    uint64_t now_ms)
{
    bool used = true;

    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++) {
        struct enrol_guard_tally *tally = &tallies->at[row][pair->at[row]];

        refill(tally, interval_ms, now_ms);
        used = used && tally->spent >= burst;
    }
    return used;
}

static void spend(struct enrol_guard_tallies *tallies, const struct pair *pair)
{
    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++)
        tallies->at[row][pair->at[row]].spent++;
}

bool enrol_guard_renew(struct enrol_guard *guard, const char *cluster, uint64_t now_ms)
{
    struct pair pair = pair_of_text(guard, cluster);

    if (used_up(&guard->renewals, &pair, ENROL_GUARD_RENEWAL_BURST, ENROL_GUARD_RENEWAL_REFILL_MS, now_ms))
        return false;
    spend(&guard->renewals, &pair);
    return true;
}

bool enrol_guard_ask(struct enrol_guard *guard, const char *certificate, const struct enrol_guard_origin *from,
                     uint64_t now_ms)
{
    struct pair pair = certificate != NULL ? pair_of_text(guard, certificate) : pair_of(guard, from->address);

    if (used_up(&guard->questions, &pair, ENROL_GUARD_ASK_BURST, ENROL_GUARD_ASK_REFILL_MS, now_ms))
        return false;
    spend(&guard->questions, &pair);
    return true;
}

/* ---- connections ------------------------------------------------------------------------------------------------ */

static enum enrol_guard_answer judge_address(struct enrol_guard *guard, const struct pair *pair, uint64_t now_ms)
{
    uint32_t open = UINT32_MAX;
    bool blocked = true;

    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++) {
        const struct enrol_guard_bucket *bucket = &guard->addresses[row][pair->at[row]];

        blocked = blocked && now_ms < bucket->blocked_until_ms;
        open = bucket->open < open ? bucket->open : open;
    }
    if (blocked)
        return ENROL_GUARD_BLOCKED;
    if (open >= ENROL_GUARD_OPEN_MAX)
        return ENROL_GUARD_TOO_MANY;
    if (used_up(&guard->connections, pair, ENROL_GUARD_BURST, ENROL_GUARD_REFILL_MS, now_ms))
        return ENROL_GUARD_TOO_FAST;
    return ENROL_GUARD_ADMITTED;
}

static enum enrol_guard_answer judge_site(struct enrol_guard *guard, const struct pair *pair, uint64_t now_ms)
{
    uint32_t open = UINT32_MAX;

    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++)
        open = guard->site_open[row][pair->at[row]] < open ? guard->site_open[row][pair->at[row]] : open;
    if (used_up(&guard->site_wrong, pair, ENROL_GUARD_SITE_WRONG_BURST, ENROL_GUARD_SITE_WRONG_REFILL_MS, now_ms))
        return ENROL_GUARD_BLOCKED;
    if (open >= ENROL_GUARD_SITE_OPEN_MAX)
        return ENROL_GUARD_TOO_MANY;
    if (used_up(&guard->site_connections, pair, ENROL_GUARD_SITE_BURST, ENROL_GUARD_SITE_REFILL_MS, now_ms))
        return ENROL_GUARD_TOO_FAST;
    return ENROL_GUARD_ADMITTED;
}

enum enrol_guard_answer enrol_guard_admit(struct enrol_guard *guard, const struct enrol_guard_origin *from, uint64_t now_ms)
{
    struct pair address = pair_of(guard, from->address), site = pair_of(guard, from->site);
    enum enrol_guard_answer answer = judge_address(guard, &address, now_ms);

    if (answer == ENROL_GUARD_ADMITTED && from->site != 0)
        answer = judge_site(guard, &site, now_ms);
    if (answer != ENROL_GUARD_ADMITTED)
        return answer;
    spend(&guard->connections, &address);
    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++)
        guard->addresses[row][address.at[row]].open++;
    if (from->site == 0)
        return answer;
    spend(&guard->site_connections, &site);
    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++)
        guard->site_open[row][site.at[row]]++;
    return answer;
}

void enrol_guard_ended(struct enrol_guard *guard, const struct enrol_guard_origin *from)
{
    struct pair address = pair_of(guard, from->address), site = pair_of(guard, from->site);

    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++) {
        assert(guard->addresses[row][address.at[row]].open > 0);
        guard->addresses[row][address.at[row]].open--;
        if (from->site == 0)
            continue;
        assert(guard->site_open[row][site.at[row]] > 0);
        guard->site_open[row][site.at[row]]--;
    }
}

/* ---- wrong codes ------------------------------------------------------------------------------------------------ */

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

static void count_wrong_of_site(struct enrol_guard *guard, uint32_t site, uint64_t now_ms)
{
    struct pair pair = pair_of(guard, site);

    /* What was under way when it was used up is not counted beyond: the site is open again after one interval. */
    if (!used_up(&guard->site_wrong, &pair, ENROL_GUARD_SITE_WRONG_BURST, ENROL_GUARD_SITE_WRONG_REFILL_MS, now_ms))
        spend(&guard->site_wrong, &pair);
}

uint64_t enrol_guard_wrong(struct enrol_guard *guard, const struct enrol_guard_origin *from, uint64_t now_ms)
{
    struct pair pair = pair_of(guard, from->address);
    uint64_t shortest_ms = UINT64_MAX;

    for (unsigned row = 0; row < ENROL_GUARD_ROWS; row++) {
        uint64_t block_ms = count_wrong(&guard->addresses[row][pair.at[row]], now_ms);

        if (block_ms < shortest_ms)
            shortest_ms = block_ms;
    }
    if (from->site != 0)
        count_wrong_of_site(guard, from->site, now_ms);
    return shortest_ms;
}
