/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/tap.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mutation.h"
#include "tests/sim/campaign.h"
#include "tests/sim/canon.h"
#include "tests/sim/scenario.h"

static unsigned tests_run;
static unsigned tests_failed;

static void result(bool good, const char *name, const char *diagnostic)
{
    (void)printf("%s %u - %s\n", good ? "ok" : "not ok", ++tests_run, name);
    if (!good) {
        tests_failed++;
        (void)printf("# %s\n", diagnostic);
    }
    (void)fflush(stdout);
}

static void test_seeds(uint64_t last)
{
    struct campaign campaign = {.first = 1, .last = last, .jobs = 1};
    char name[160];
    bool good = campaign_run(&campaign);

    (void)snprintf(name, sizeof name, "seeds 1 to %llu: safety, order, isolation, recovery, virtual synchrony",
                   (unsigned long long)last);
    result(good, name, campaign.failure);
}

static void test_determinism(uint64_t first, uint64_t last)
{
    static struct world world;
    uint64_t different = 0;
    char name[80];

    world_init(&world);
    for (uint64_t seed = first; seed <= last; seed++) {
        uint64_t hash;

        campaign_guard(seed, CORES_BY_SEED);
        scenario_run(&world, seed, false);
        hash = world.hash;
        scenario_run(&world, seed, true); /* the timeline must not matter either */
        different += world.hash != hash;
    }
    world_fini(&world);
    (void)snprintf(name, sizeof name, "seeds %llu to %llu give the same trace hash twice",
                   (unsigned long long)first, (unsigned long long)last);
    result(different == 0, name, "hashes differ");
}

static void test_canon(unsigned stride)
{
    for (size_t i = 0; i < canon_count(); i++) {
        struct canon_result canon;
        char name[160];

        canon_run_one(i, stride, &canon);
        (void)snprintf(name, sizeof name, "%s: killed at %llu points x every order (%llu runs)", canon.name,
                       (unsigned long long)canon.points, (unsigned long long)canon.runs);
        result(canon.good, name, canon.failure);
    }
}

static void test_mutation_from(const char *mutation, enum sim_cores cores, uint64_t first, uint64_t last,
                               bool only_safety)
{
    struct campaign campaign = {
        .first = first, .last = last, .jobs = 1, .cores = cores, .quiet = true, .only_safety = only_safety};
    char name[160];

    (void)campaign_mutate(mutation);
    (void)campaign_run(&campaign);
    mutation_active = MUTATION_none;
    (void)snprintf(name, sizeof name, "without %s %s (seed %llu)", mutation,
                   only_safety ? "two halves are quorate" : "a rule is seen broken",
                   (unsigned long long)campaign.first_failure);
    result(campaign.failures > 0, name, "nothing was found");
    if (campaign.failures > 0) {
        (void)printf("# %s\n", campaign.failure);
    }
}

static void test_mutation(const char *mutation, uint64_t within, bool only_safety)
{
    test_mutation_from(mutation, CORES_MODELLED, 1, within, only_safety);
}

static void test_core_mutation(const char *mutation, uint64_t within)
{
    test_mutation_from(mutation, CORES_REAL, 1, within, false);
}

int tap_run(void)
{
    bool slow = getenv("Q_SANITIZED") != NULL;

    test_seeds(slow ? 100 : 1600);
    test_determinism(1, slow ? 10 : 60);
    test_canon(slow ? 83 : 7);
    test_mutation("losers_first", 200, false);
    test_mutation("lease_wait", 200, false);
    test_mutation("stable_view", 200, false);
    test_mutation("quarantine", 1000, false);
    test_mutation("accounted", 1000, false);
    test_mutation("persist_first", 1000, false);
    test_mutation("echo_pacing", 200, false);
    test_mutation("lease_end", 200, false);
    test_mutation("stale_ring", 200, false);
    test_core_mutation("order_gap", 100);
    test_core_mutation("sync_barrier", 100);
    test_core_mutation("stale_poll", 200);
    if (!slow) {
        test_core_mutation("recovered", 400);
        test_core_mutation("device_gone", 1000);
        test_core_mutation("consensus_wait", 2000);
        test_mutation_from("told_ring", CORES_MODELLED, 4200, 14000, false); /* one seed in thousands shows it */
        test_mutation("lease_start", 2000, true);
        test_mutation("lease_end", 1000, true);
        test_mutation("losers_first", 1000, true);
        test_mutation("lease_wait", 1000, true);
    }
    (void)printf("1..%u\n", tests_run);
    return tests_failed == 0 ? 0 : 1;
}
