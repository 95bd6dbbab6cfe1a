/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/canon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/arbiter_host.h"
#include "tests/sim/campaign.h"
#include "tests/sim/check.h"
#include "tests/sim/core.h"
#include "tests/sim/core_stack.h"
#include "tests/sim/device.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"
#include "tests/sim/scenario.h"

#define TICK_MS 20
#define AFTER_RETURN_MS 120 /* from one connection let through to the next */
#define NODES_MAX 4
#define TIMEOUT_MS 2500
#define RESTART_MS 300
#define QUICK_RESTART_MS 100

enum kind {
    KIND_CUT,      /* the arbiter dies while it decides a fresh split */
    KIND_RESTART,  /* it is restarted during a settled split, and dies again while it decides that */
    KIND_UNDERDOG, /* the same, where the side that holds the votes would lose the tie-breaker */
    KIND_RIDE      /* it is restarted twice in quick succession during a settled split: nobody is to notice */
};

static const struct family {
    const char *name;
    enum kind kind;
    unsigned nodes;
    enum wire_algorithm algorithm;
    bool agent; /* ours, else packaged devices */
    bool real;  /* the real core */
} families[] = {
    {"S2 two nodes cut, ffsplit, packaged devices", KIND_CUT, 2, WIRE_ALGORITHM_FFSPLIT, false, false},
    {"S2 two nodes cut, ffsplit, our agent", KIND_CUT, 2, WIRE_ALGORITHM_FFSPLIT, true, false},
    {"S2 two nodes cut, lms, packaged devices", KIND_CUT, 2, WIRE_ALGORITHM_LMS, false, false},
    {"S2 two nodes cut, lms, our agent", KIND_CUT, 2, WIRE_ALGORITHM_LMS, true, false},
    {"S2 two nodes cut, 2nodelms, packaged devices", KIND_CUT, 2, WIRE_ALGORITHM_2NODELMS, false, false},
    {"S4 two against two, ffsplit, packaged devices", KIND_CUT, 4, WIRE_ALGORITHM_FFSPLIT, false, false},
    {"S4 two against two, ffsplit, our agent", KIND_CUT, 4, WIRE_ALGORITHM_FFSPLIT, true, false},
    {"S4 two against two, lms, packaged devices", KIND_CUT, 4, WIRE_ALGORITHM_LMS, false, false},
    {"S4 two against two, lms, our agent", KIND_CUT, 4, WIRE_ALGORITHM_LMS, true, false},
    {"S8 restart during a split, ffsplit, packaged devices", KIND_RESTART, 4, WIRE_ALGORITHM_FFSPLIT, false, false},
    {"S8 restart during a split, ffsplit, our agent", KIND_RESTART, 4, WIRE_ALGORITHM_FFSPLIT, true, false},
    {"S8 restart during a split, lms, packaged devices", KIND_RESTART, 4, WIRE_ALGORITHM_LMS, false, false},
    {"S8 restart, holder not the favourite, ffsplit, packaged", KIND_UNDERDOG, 4, WIRE_ALGORITHM_FFSPLIT,
     false, false},
    {"S8 restart, holder not the favourite, ffsplit, our agent", KIND_UNDERDOG, 4, WIRE_ALGORITHM_FFSPLIT,
     true, false},
    {"S8 restart, holder not the favourite, lms, packaged", KIND_UNDERDOG, 4, WIRE_ALGORITHM_LMS, false, false},
    {"quick restarts pass unnoticed, ffsplit, our agent", KIND_RIDE, 4, WIRE_ALGORITHM_FFSPLIT, true, false},
    {"quick restarts pass unnoticed, lms, our agent", KIND_RIDE, 2, WIRE_ALGORITHM_LMS, true, false},
    {"S2 two nodes cut, ffsplit, our agent, real core", KIND_CUT, 2, WIRE_ALGORITHM_FFSPLIT, true, true},
    {"S4 two against two, lms, our agent, real core", KIND_CUT, 4, WIRE_ALGORITHM_LMS, true, true},
    {"quick restarts pass unnoticed, ffsplit, our agent, real core", KIND_RIDE, 4, WIRE_ALGORITHM_FFSPLIT, true, true},
};

/* One run. Times are virtual. */
struct run {
    struct world *world;
    const struct family *family;
    uint64_t point; /* of the part under test; 0: none */
    enum arbiter_crash crash_kind;
    unsigned order[NODES_MAX]; /* of return */

    bool testing; /* the part under test has begun */
    uint64_t base_points;
    uint64_t points; /* it has */
    unsigned crashes_seen;
    unsigned returned; /* how many of `order` have been let through since the last crash */
    uint64_t next_return_ms;
    uint64_t good_since_ms;
    const struct node *holder; /* who must be served first after the restart; NULL: anybody */
    const struct node *rider;  /* KIND_RIDE: one of those who live on the vote */
};

static struct sim_cluster *cluster_of(const struct run *run)
{
    return &run->world->clusters[0];
}

/* ---- while it runs ------------------------------------------------------------------------------------- */

static void hold_all(struct run *run)
{
    for (unsigned i = 0; i < run->family->nodes; i++) {
        cluster_of(run)->nodes[i].connect_held = true;
    }
    run->returned = 0;
    run->next_return_ms = 0;
}

static void let_return(struct run *run)
{
    struct world *world = run->world;

    if (world->host.arbiter == NULL || run->returned == run->family->nodes ||
        world->now_ms < run->next_return_ms) {
        return;
    }
    if (network_release(&cluster_of(run)->nodes[run->order[run->returned]])) {
        run->returned++;
        run->next_return_ms = world->now_ms + AFTER_RETURN_MS;
    }
}

static void look(struct run *run)
{
    struct world *world = run->world;
    char why[160] = "";
    bool good = world->host.arbiter != NULL && run->returned == run->family->nodes &&
                check_recovered(cluster_of(run), why, sizeof why);

    if (!good) {
        run->good_since_ms = 0;
        if (run->testing && world->now_ms > world->healed_ms + scenario_recovery_bound_ms(cluster_of(run))) {
            world_fail(world, "LIVENESS", "%s", why);
        }
    } else if (run->good_since_ms == 0) {
        run->good_since_ms = world->now_ms;
    }
}

static void on_tick(const struct occurrence *occurrence)
{
    struct run *run = ((struct world *)occurrence->who)->scenario;

    let_return(run);
    look(run);
    schedule_add(&run->world->schedule, run->world->now_ms + TICK_MS, on_tick, run->world, 0, 0, 0);
}

/* The arbiter has just died: whoever was given a vote last, is to be served first. */
static void on_crash(struct run *run)
{
    struct world *world = run->world;

    run->crashes_seen = world->host.crashes;
    run->good_since_ms = 0;
    world->healed_ms = world->now_ms;
    if (world->last_ack != NULL && run->testing && ledger_in_force(world->last_ack)) {
        run->holder = world->last_ack;
    }
    if (run->family->kind != KIND_RIDE) {
        hold_all(run);
    }
}

/* Who lived on the arbiter's vote goes on living on it. */
static void check_ride(struct run *run)
{
    for (unsigned i = 0; i < run->family->nodes; i++) {
        const struct node *node = &cluster_of(run)->nodes[i];

        if (node->color == run->rider->color && !node_serves(node)) {
            world_fail(run->world, "RIDE", "node %u loses quorum by a quick restart of the arbiter",
                       node->id);
        }
    }
}

static bool side_has_returned(const struct run *run, const struct node *member)
{
    for (unsigned i = 0; i < run->family->nodes; i++) {
        const struct node *node = &cluster_of(run)->nodes[i];

        if (node->color == member->color && node->ledger.reported) {
            return true;
        }
    }
    return false;
}

static void check_first_served(struct run *run)
{
    const struct world *world = run->world;

    if (run->holder == NULL || world->host.arbiter == NULL || world->first_ack_life != world->host.life) {
        return;
    }
    if (world->first_ack->color != run->holder->color &&
        (ledger_in_force(run->holder) || side_has_returned(run, run->holder))) {
        world_fail(run->world, "OLD-HOLDER",
                   "after the restart node %u is served before node %u, which held a vote",
                   world->first_ack->id, run->holder->id);
    }
    run->holder = NULL; /* the first ACK is out */
}

/* Until everybody who must be quorate has been so for `quiet_ms`. */
static bool run_until_good(struct run *run, uint32_t quiet_ms)
{
    struct world *world = run->world;

    run->good_since_ms = 0;
    while (world_step(world)) {
        if (world->host.crashes != run->crashes_seen) {
            on_crash(run);
        }
        check_first_served(run);
        if (run->testing && run->family->kind == KIND_RIDE) {
            check_ride(run);
        }
        if (run->good_since_ms != 0 && world->now_ms >= run->good_since_ms + quiet_ms) {
            return true;
        }
    }
    return false;
}

/* ---- the stages ---------------------------------------------------------------------------------------- */

static void build(struct run *run, bool tracing)
{
    struct world *world = run->world;
    const struct device_ops *ops[NODES_MAX];
    struct cluster_settings settings;

    world_reset(world, 20 + (uint64_t)(run->family - families), tracing);
    world->scenario = run;
    world->network.delay_ms = 2;
    world->host.persist_ms_max = 3;
    world->host.settings.tls = WIRE_TLS_SUPPORTED;
    scenario_settings(&settings, run->family->algorithm, TIMEOUT_MS);
    settings.tls = true;
    settings.keep_active = UINT32_MAX;
    for (unsigned i = 0; i < run->family->nodes; i++) {
        ops[i] = run->family->agent ? &device_agent : &device_packaged;
    }
    (void)world_add_cluster(world, &settings, run->family->nodes, ops,
                            run->family->real ? &core_stack : &core_model);
    arbiter_host_start(world);
    for (unsigned i = 0; i < run->family->nodes; i++) {
        node_start(&cluster_of(run)->nodes[i]);
        run->order[i] = run->order[i] < run->family->nodes ? run->order[i] : i;
    }
    run->returned = run->family->nodes;
    run->crashes_seen = 0;
    schedule_add(&world->schedule, world->now_ms + TICK_MS, on_tick, world, 0, 0, 0);
}

static void split(struct run *run)
{
    struct sim_cluster *cluster = cluster_of(run);

    for (unsigned i = 0; i < run->family->nodes; i++) {
        cluster->nodes[i].color = 2 * i / run->family->nodes;
        if (run->family->kind == KIND_UNDERDOG && cluster->nodes[i].color == 0) {
            network_path(&cluster->nodes[i], false, false);
        }
    }
    cluster->core->topology_changed(cluster);
    run->world->healed_ms = run->world->now_ms;
}

static void reach_again(struct run *run)
{
    for (unsigned i = 0; i < run->family->nodes; i++) {
        network_path(&cluster_of(run)->nodes[i], true, true);
    }
}

static void begin_test(struct run *run)
{
    struct arbiter_host *host = &run->world->host;

    run->testing = true;
    run->base_points = host->points;
    run->world->healed_ms = run->world->now_ms;
    run->world->last_ack = NULL;
    host->restart_ms = run->family->kind == KIND_RIDE ? QUICK_RESTART_MS : RESTART_MS;
    host->crash_kind = run->crash_kind;
    host->crash_at_point = run->point > 0 ? host->points + run->point : 0;
}

/* True: it went well. */
static bool run_case(struct run *run, bool tracing)
{
    struct world *world = run->world;
    bool restart = run->family->kind != KIND_CUT;

    build(run, tracing);
    if (!run_until_good(run, 4000)) {
        return false;
    }
    if (restart) {
        const struct node *holder;

        split(run);
        if (!run_until_good(run, 6 * TIMEOUT_MS)) {
            return false;
        }
        reach_again(run);
        if (!run_until_good(run, 6 * TIMEOUT_MS)) {
            return false;
        }
        run->rider = holder = world->last_ack;
        begin_test(run);
        world->last_ack = holder;
        arbiter_host_crash(world, run->crash_kind);
        on_crash(run);
    } else {
        begin_test(run);
        split(run);
    }
    if (!run_until_good(run, 2 * TIMEOUT_MS)) {
        return false;
    }
    run->points = world->host.points - run->base_points;
    return true;
}

/* ---- all points, all orders ---------------------------------------------------------------------------- */

static void describe(const struct run *run, struct canon_result *result)
{
    char order[32] = "";

    for (unsigned i = 0; i < run->family->nodes; i++) {
        (void)snprintf(order + strlen(order), sizeof order - strlen(order), " %u",
                       cluster_of(run)->nodes[run->order[i]].id);
    }
    (void)snprintf(result->failure, sizeof result->failure,
                   "killed at point %llu%s, devices return in order%s: %s", (unsigned long long)run->point,
                   run->crash_kind == CRASH_HOST ? " with its host" : "", order, run->world->failure);
}

static bool try_one(struct run *run, struct canon_result *result, bool verbose)
{
    bool good;

    run->testing = false;
    run->holder = NULL;
    good = run_case(run, verbose);
    result->runs++;
    if (verbose) {
        campaign_print_timeline(run->world, SIZE_MAX, -1);
    }
    if (!good) {
        describe(run, result);
        result->good = false;
    }
    return good;
}

/* The next permutation in lexical order; false after the last. */
static bool next_order(unsigned *order, unsigned count)
{
    unsigned i = count - 1;
    unsigned j = count - 1;
    unsigned swapped;

    while (i > 0 && order[i - 1] >= order[i]) {
        i--;
    }
    if (i == 0) {
        return false;
    }
    while (order[j] <= order[i - 1]) {
        j--;
    }
    swapped = order[i - 1];
    order[i - 1] = order[j];
    order[j] = swapped;
    for (j = count - 1; i < j; i++, j--) {
        swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
    return true;
}

size_t canon_count(void)
{
    return sizeof families / sizeof families[0];
}

void canon_run_one(size_t index, unsigned stride, struct canon_result *result)
{
    static struct world world;
    struct run run = {.world = &world, .family = &families[index]};
    bool ride = families[index].kind == KIND_RIDE; /* everybody comes back when it likes */
    uint64_t turn = 0;

    memset(result, 0, sizeof *result);
    result->name = families[index].name;
    result->good = true;
    world_init(&world);
    for (unsigned i = 0; i < NODES_MAX; i++) {
        run.order[i] = i;
    }
    do {
        run.point = 0;
        if (!try_one(&run, result, false)) {
            break;
        }
        result->points = run.points > result->points ? run.points : result->points;
        for (uint64_t point = 1, last = run.points; point <= last && result->good; point++) {
            for (int kind = 0; kind < (ride ? 1 : 2) && result->good; kind++) {
                if (!ride && turn++ % stride != 0) {
                    continue;
                }
                run.point = point;
                run.crash_kind = kind == 0 ? CRASH_PROCESS : CRASH_HOST;
                (void)try_one(&run, result, false);
            }
        }
    } while (result->good && !ride && next_order(run.order, run.family->nodes));
    if (!result->good && campaign_mutation() == NULL) {
        char failure[sizeof result->failure];

        memcpy(failure, result->failure, sizeof failure);
        (void)try_one(&run, result, true);
        memcpy(result->failure, failure, sizeof failure);
    }
    world_fini(&world);
}

bool canon_run(void)
{
    bool good = true;

    for (size_t i = 0; i < canon_count(); i++) {
        struct canon_result result;

        canon_run_one(i, 1, &result);
        (void)printf("%s: %llu runs, up to %llu points each: %s\n", result.name,
                     (unsigned long long)result.runs, (unsigned long long)result.points,
                     result.good ? "good" : result.failure);
        (void)fflush(stdout);
        good = good && result.good;
    }
    return good;
}
