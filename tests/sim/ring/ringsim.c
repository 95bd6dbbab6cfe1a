/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random lives of the ring: `ringsim --seeds 1000`, `ringsim --seeds 47..47 --verbose` for one with its timeline, `ringsim
 * --tap` for make check. Nodes send, datagrams get lost, late, twice and out of order, paths are cut in one or both directions,
 * nodes die, leave, return and stand still. Then everything heals: within the bound all must be one ring again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/ring/world.h"

#define SECOND_US UINT64_C(1000000)
/* The sanitizers make it seven times as slow. */
#ifdef Q_SANITIZED
#define TAP_SEEDS 100
#else
#define TAP_SEEDS 300
#endif
/* What one life may need after the last fault, beyond token and consensus timeout: rings that are begun while late datagrams
 * of the faults still arrive, and a merge. */
#define EXTRA_US (6 * SECOND_US)
#define QUIET_US (2 * SECOND_US)

enum happening {
    HAPPENS_SEND,
    HAPPENS_BURST,
    HAPPENS_CUT,
    HAPPENS_HEAL,
    HAPPENS_CRASH,
    HAPPENS_BOOT,
    HAPPENS_LEAVE,
    HAPPENS_PAUSE,
    HAPPENS_WEATHER
};

struct result {
    uint64_t hash;
    uint64_t formed_us; /* after the last fault */
    size_t messages;
    size_t rings;
    char failure[CHECK_FAILURE_SIZE];
};

static uint32_t any_node(struct ring_world *world)
{
    return prng_between(&world->prng, 1, world->node_count);
}

static void heal(struct ring_world *world)
{
    memset(world->cut, 0, sizeof(world->cut));
}

/* Two halves, one node apart, or a single direction. */
static void cut(struct ring_world *world)
{
    uint32_t group = prng_below(&world->prng, UINT32_C(1) << world->node_count);
    bool one_way = prng_chance(&world->prng, 200);

    for (uint32_t from = 1; from <= world->node_count; from++) {
        for (uint32_t to = 1; to <= world->node_count; to++) {
            bool apart = (group >> (from - 1) & 1) != (group >> (to - 1) & 1);

            world->cut[from][to] = apart && (!one_way || from < to);
        }
    }
}

static void weather(struct ring_world *world)
{
    bool bad = prng_chance(&world->prng, 500);

    world->loss_permille = bad ? prng_below(&world->prng, 150) : 0;
    world->duplicate_permille = bad ? prng_below(&world->prng, 100) : 0;
    world->late_permille = bad ? prng_below(&world->prng, 200) : 0;
}

static size_t any_size(struct ring_world *world)
{
    switch (prng_below(&world->prng, 8)) {
    case 0:
        return prng_between(&world->prng, 1300, 1500); /* around a frame */
    case 1:
        return prng_between(&world->prng, 2000, 20000);
    case 2:
        return prng_chance(&world->prng, 100) ? prng_between(&world->prng, 100000, 400000) : 1400;
    default:
        return prng_between(&world->prng, RING_MESSAGE_MIN, 600);
    }
}

static void happen(struct ring_world *world, const struct ring_occurrence *what)
{
    switch ((enum happening)what->kind) {
    case HAPPENS_SEND:
        ring_world_send(world, what->node, any_size(world));
        break;
    case HAPPENS_BURST:
        for (uint32_t i = prng_between(&world->prng, 2, 200); i > 0; i--)
            ring_world_send(world, what->node, any_size(world));
        break;
    case HAPPENS_CUT:
        cut(world);
        break;
    case HAPPENS_HEAL:
        heal(world);
        break;
    case HAPPENS_CRASH:
        ring_world_crash(world, what->node);
        break;
    case HAPPENS_BOOT:
        ring_world_boot(world, what->node);
        break;
    case HAPPENS_LEAVE:
        ring_world_leave(world, what->node);
        break;
    case HAPPENS_PAUSE:
        ring_world_pause(world, what->node, prng_below(&world->prng, 2500000));
        break;
    case HAPPENS_WEATHER:
        weather(world);
        break;
    }
}

/* All that will happen in `life_us`; returns when it began. */
static void plan_life(struct ring_world *world, uint64_t life_us)
{
    static const enum happening faults[] = {HAPPENS_CUT,   HAPPENS_HEAL,    HAPPENS_CRASH,  HAPPENS_BOOT, HAPPENS_BOOT,
                                            HAPPENS_PAUSE, HAPPENS_WEATHER, HAPPENS_WEATHER, HAPPENS_LEAVE};
    uint32_t sends = prng_between(&world->prng, 0, 300);
    uint32_t fault_count = prng_between(&world->prng, 0, 25);

    for (uint32_t id = 1; id <= world->node_count; id++)
        ring_world_plan(world, world->now_us + prng_below(&world->prng, 300000), HAPPENS_BOOT, id);
    for (uint32_t i = 0; i < sends; i++)
        ring_world_plan(world, world->now_us + prng_below(&world->prng, (uint32_t)life_us),
                        prng_chance(&world->prng, 100) ? HAPPENS_BURST : HAPPENS_SEND, any_node(world));
    for (uint32_t i = 0; i < fault_count; i++)
        ring_world_plan(world, world->now_us + prng_below(&world->prng, (uint32_t)life_us),
                        faults[prng_below(&world->prng, sizeof(faults) / sizeof(faults[0]))], any_node(world));
}

static void end_of_faults(struct ring_world *world)
{
    heal(world);
    world->loss_permille = world->duplicate_permille = world->late_permille = 0;
    for (uint32_t id = 1; id <= world->node_count; id++) {
        world->nodes[id].stopped_until_us = 0;
        ring_world_boot(world, id);
    }
}

static void live(struct ring_world *world, uint64_t life_us, struct result *result)
{
    uint64_t end_us = world->now_us + life_us;
    uint64_t bound_us = (uint64_t)(world->settings.token_ms + world->settings.consensus_ms) * 1000 + EXTRA_US;
    struct ring_occurrence what;

    plan_life(world, life_us);
    while (ring_world_run(world, end_us, &what))
        happen(world, &what);
    if (world->check.failure[0] != '\0')
        return;
    end_of_faults(world);
    while (!ring_world_whole(world) && world->check.failure[0] == '\0') {
        if (world->now_us > end_us + bound_us) {
            check_fail(&world->check, "LIVENESS: not one ring %llu ms after the last fault",
                       (unsigned long long)(bound_us / 1000));
            return;
        }
        ring_world_run(world, world->now_us + 1000, &what);
    }
    result->formed_us = world->now_us - end_us;
    ring_world_run(world, world->now_us + QUIET_US, &what);
    if (!ring_world_whole(world))
        check_fail(&world->check, "LIVENESS: the ring does not stay whole");
}

static void run(uint64_t seed, bool verbose, struct result *result)
{
    static struct ring_world world;
    struct prng prng;

    prng_seed(&prng, seed ^ UINT64_C(0x5bd1e995));
    ring_world_init(&world, seed, prng_between(&prng, 1, 6), verbose);
    *result = (struct result){0};
    live(&world, (uint64_t)prng_between(&prng, 1, 30) * SECOND_US, result);
    if (world.check.failure[0] == '\0')
        check_finish(&world.check);
    for (const struct check_log *log = world.check.logs; log != NULL; log = log->next) {
        result->messages += log->message_count;
        result->rings += log->stay_count;
    }
    result->hash = world.hash;
    memcpy(result->failure, world.check.failure, sizeof(result->failure));
    ring_world_fini(&world);
}

static int run_seeds(uint64_t first, uint64_t last, bool verbose, bool tap)
{
    struct result result;
    uint64_t failed = 0;
    uint64_t slowest_us = 0;
    size_t messages = 0;
    size_t rings = 0;

    for (uint64_t seed = first; seed <= last; seed++) {
        run(seed, verbose, &result);
        if (result.failure[0] != '\0') {
            failed++;
            printf("# %s\n# replay: ringsim --seeds %llu..%llu --verbose\n", result.failure, (unsigned long long)seed,
                   (unsigned long long)seed);
        }
        if (result.formed_us > slowest_us)
            slowest_us = result.formed_us;
        messages += result.messages;
        rings += result.rings;
    }
    printf("# %zu deliveries in %zu rings; the slowest was whole again after %llu ms\n", messages, rings,
           (unsigned long long)(slowest_us / 1000));
    if (tap)
        printf("%s 1 - rings of seeds %llu to %llu keep their promises\n", failed == 0 ? "ok" : "not ok",
               (unsigned long long)first, (unsigned long long)last);
    else
        printf("%llu of %llu seeds failed\n", (unsigned long long)failed, (unsigned long long)(last - first + 1));
    return failed == 0 ? 0 : 1;
}

static int run_tap(void)
{
    int status;
    bool same = true;

    printf("1..2\n");
    status = run_seeds(1, TAP_SEEDS, false, true);
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct result once;
        struct result twice;

        run(seed, false, &once);
        run(seed, false, &twice);
        same = same && once.hash == twice.hash;
    }
    printf("%s 2 - seeds 1 to 10 give the same trace hash twice\n", same ? "ok" : "not ok");
    return same ? status : 1;
}

/* "1000" is 1..1000. */
static bool parse_seeds(const char *text, uint64_t *first, uint64_t *last)
{
    char *end;

    errno = 0;
    *first = 1;
    *last = strtoull(text, &end, 10);
    if (strncmp(end, "..", 2) == 0) {
        *first = *last;
        *last = strtoull(end + 2, &end, 10);
    }
    return errno == 0 && *end == '\0' && end != text && *first <= *last;
}

int main(int argc, char **argv)
{
    uint64_t first = 1;
    uint64_t last = TAP_SEEDS;
    bool verbose = false;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--tap") == 0) {
            return run_tap();
        } else if (strcmp(argv[i], "--verbose") == 0) {
            verbose = true;
        } else if (strcmp(argv[i], "--seeds") != 0 || i + 1 == argc || !parse_seeds(argv[++i], &first, &last)) {
            fprintf(stderr, "usage: ringsim [--tap] [--seeds N|FIRST..LAST] [--verbose]\n");
            return 2;
        }
    }
    return run_seeds(first, last, verbose, false);
}
