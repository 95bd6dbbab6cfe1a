/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The only source of chance in a simulation: splitmix64, seeded once per run. Embedded in the world; every
 * model draws from it in the order of events, so the same seed gives the same run.
 */
#ifndef QUORATE_TESTS_SIM_PRNG_H
#define QUORATE_TESTS_SIM_PRNG_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct prng {
    uint64_t state;
};

static inline uint64_t prng_next(struct prng *prng)
{
    uint64_t z = (prng->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline void prng_seed(struct prng *prng, uint64_t seed)
{
    prng->state = seed * UINT64_C(0xd1342543de82ef95) + 1;
    (void)prng_next(prng);
}

/* 0 .. below - 1; `below` > 0. */
static inline uint32_t prng_below(struct prng *prng, uint32_t below)
{
    assert(below > 0);
    return (uint32_t)(((prng_next(prng) >> 32) * below) >> 32);
}

/* low .. high, both included. */
static inline uint32_t prng_between(struct prng *prng, uint32_t low, uint32_t high)
{
    assert(low <= high);
    return low + prng_below(prng, high - low + 1);
}

/* True in `permille` of 1000 cases. */
static inline bool prng_chance(struct prng *prng, uint32_t permille)
{
    return prng_below(prng, 1000) < permille;
}

#endif
