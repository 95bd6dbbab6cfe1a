/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/scenario.h"

#include <stdio.h>
#include <string.h>

#include "tests/sim/arbiter_host.h"
#include "tests/sim/check.h"
#include "tests/sim/core.h"
#include "tests/sim/core_stack.h"
#include "tests/sim/device.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"
#include "tests/sim/scenario_real.h"
#include "tests/sim/synchrony.h"

#define SETTLE_LOOK_MS 200
#define HEALING_MS_MAX 300000
#define REAL_CLUSTERS_MAX 2 /* in one life with real cores, which take their time */

static struct prng *dice(struct world *world)
{
    return &world->prng;
}

/* ---- how it ends --------------------------------------------------------------------------------------- */

uint64_t scenario_recovery_bound_ms(const struct sim_cluster *cluster)
{
    const struct cluster_settings *settings = &cluster->settings;

    return 8 * (uint64_t)settings->heartbeat_ms + settings->sync_timeout_ms +
           4 * (uint64_t)settings->consensus_ms + 10000;
}

/* How everybody stands, for the timeline of a failure. */
void scenario_note_state(struct world *world)
{
    static const char *const totem[] = {"down", "gathering", "synchronising", "operational"};
    char text[64];

    for (unsigned i = 0; world->tracing && i < world->cluster_count; i++) {
        for (unsigned j = 0; j < world->clusters[i].node_count; j++) {
            const struct node *node = &world->clusters[i].nodes[j];

            world_note(world, node, "= %s ring %u.%llu {%s}, side %u, %s%s votes, %u needed: %s%s",
                       totem[node->ring_state], node->ring.node_id, (unsigned long long)node->ring.seq,
                       mask_text(node->cluster, node->members, text), node->color,
                       node->device == NULL ? "no device, " : "", node->view.cast ? "ACK" : "no",
                       node->view.quorum, node->view.quorate ? "quorate" : "inquorate",
                       node->path_to_arbiter && node->path_to_device ? "" : ", no path to the arbiter");
        }
    }
}

/* a: since when everybody has been quorate, 0: not yet */
static void on_look(const struct occurrence *occurrence)
{
    struct world *world = occurrence->who;
    uint64_t since_ms = occurrence->a;
    uint64_t settle_ms = 0;
    uint64_t bound_ms = 0;
    bool good = true;
    char why[160] = "";

    for (unsigned i = 0; i < world->cluster_count; i++) {
        const struct sim_cluster *cluster = &world->clusters[i];
        uint64_t cluster_bound_ms = scenario_recovery_bound_ms(cluster);

        bound_ms = cluster_bound_ms > bound_ms ? cluster_bound_ms : bound_ms;
        settle_ms =
            3 * cluster->settings.timeout_ms > settle_ms ? 3 * cluster->settings.timeout_ms : settle_ms;
        good = check_recovered(cluster, why, sizeof why) && check_winner(cluster, why, sizeof why) && good;
    }
    if (good && since_ms == 0) {
        since_ms = world->now_ms;
        world->recovery_ms = since_ms - world->healed_ms;
        NOTE(world, NULL, "everybody who must be quorate is, %llu ms after the last fault",
             (unsigned long long)world->recovery_ms);
    } else if (!good) {
        since_ms = 0;
    }
    if (good && world->now_ms >= since_ms + settle_ms) {
        world->done = true;
        return;
    }
    if (!good && world->now_ms > world->healed_ms + bound_ms) {
        scenario_note_state(world);
        world_fail(world, "LIVENESS", "%llu ms after the last fault: %s",
                   (unsigned long long)(world->now_ms - world->healed_ms), why);
        return;
    }
    schedule_add(&world->schedule, world->now_ms + SETTLE_LOOK_MS, on_look, world, since_ms, 0, 0);
}

void scenario_settle(struct world *world)
{
    world->healed_ms = world->now_ms;
    schedule_add(&world->schedule, world->now_ms + SETTLE_LOOK_MS, on_look, world, 0, 0, 0);
}

static void recolor(struct sim_cluster *cluster)
{
    struct prng *prng = dice(cluster->world);
    unsigned colors = prng_chance(prng, 800) ? 2 : 3;
    unsigned half = cluster->node_count / 2;
    bool halves = prng_chance(prng, 500);
    char text[64];

    for (unsigned i = 0; i < cluster->node_count; i++) {
        cluster->nodes[i].color = prng_below(prng, colors);
    }
    if (halves) { /* cut somewhere so that both sides are equal */
        unsigned offset = prng_below(prng, cluster->node_count);

        for (unsigned i = 0; i < cluster->node_count; i++) {
            cluster->nodes[(i + offset) % cluster->node_count].color = i < half ? 0 : 1;
        }
    }
    if (cluster->world->tracing) {
        for (unsigned color = 0; color < 3; color++) {
            node_mask mask = 0;

            for (unsigned i = 0; i < cluster->node_count; i++) {
                mask |= cluster->nodes[i].color == color ? 1u << i : 0;
            }
            world_note(cluster->world, NULL, "%s: side %u is {%s}", cluster->name, color,
                       mask_text(cluster, mask, text));
        }
    }
    cluster->core->topology_changed(cluster);
}

static void join_all(struct sim_cluster *cluster)
{
    NOTE(cluster->world, NULL, "%s: nodes reach each other again", cluster->name);
    for (unsigned i = 0; i < cluster->node_count; i++) {
        cluster->nodes[i].color = 0;
    }
    memset(cluster->lan.cut, 0, sizeof cluster->lan.cut);
    cluster->core->topology_changed(cluster);
}

static void on_heal_again(const struct occurrence *occurrence);

/* Administrators stop a node before they remove it: while it is in the membership, nobody reloads. */
static bool reload(struct node *node, node_mask config)
{
    if (node->members & ~config) {
        return false;
    }
    node_set_config(node, config);
    return true;
}

/* Whatever is broken works again; what stays apart, stays apart. True if something is still on its way back.
 */
static bool heal(struct sim_cluster *cluster)
{
    struct world *world = cluster->world;
    bool busy = world->host.arbiter == NULL || world->host.paused;

    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct node *node = &cluster->nodes[i];

        if (!(cluster->config & node_bit(node))) {
            continue;
        }
        if (!node->up) {
            node_start(node);
        }
        reload(node, cluster->config);
        busy = busy || node->config != cluster->config;
        if (node->up && !node->device_wanted) { /* stopped, or about to be when its core lets it */
            node_device_start(node, 100);
        }
        busy = busy || node->paused || node->device == NULL || node->device_paused || node->ring_state == RING_DOWN;
    }
    return busy;
}

static void on_heal(const struct occurrence *occurrence)
{
    struct world *world = occurrence->who;
    struct prng *prng = dice(world);
    bool real = false;

    NOTE(world, NULL, "no more faults from here");
    world->network.linger_permille = 0;
    world->host.persist_fail_permille = 0;
    world->host.persist_ms_max = 20;
    world->host.crash_at_point = 0;
    world->no_more_faults_ms = world->now_ms;
    for (unsigned i = 0; i < world->cluster_count; i++) {
        struct sim_cluster *cluster = &world->clusters[i];
        bool unreached = prng_chance(prng, 250);

        scenario_real_calm(cluster);
        real = real || cluster->core == &core_stack;

        if (prng_chance(prng, 500)) {
            join_all(cluster);
        } else if (prng_chance(prng, 600)) {
            recolor(cluster);
        }
        for (unsigned j = 0; j < cluster->node_count; j++) {
            bool path = !unreached || prng_chance(prng, 600);

            network_path(&cluster->nodes[j], path, path);
        }
    }
    if (real) {
        scenario_real_look(world);
    }
    on_heal_again(occurrence);
}

static void on_heal_again(const struct occurrence *occurrence)
{
    struct world *world = occurrence->who;
    bool busy = false;

    for (unsigned i = 0; i < world->cluster_count; i++) {
        busy = heal(&world->clusters[i]) || busy;
    }
    if (busy && world->now_ms > world->no_more_faults_ms + HEALING_MS_MAX) {
        scenario_note_state(world);
        world_fail(world, "LIVENESS", "nodes and devices are not up %u ms after the last fault", HEALING_MS_MAX);
        return;
    }
    if (busy) {
        schedule_add(&world->schedule, world->now_ms + SETTLE_LOOK_MS, on_heal_again, world, 0, 0, 0);
        return;
    }
    scenario_settle(world);
}

/* ---- what goes wrong ----------------------------------------------------------------------------------- */

uint32_t scenario_some_time(struct world *world, const struct sim_cluster *cluster)
{
    switch (prng_below(dice(world), 4)) {
    case 0:
        return prng_between(dice(world), 1, 300);
    case 1:
        return prng_between(dice(world), 300, 3000);
    case 2:
        return prng_between(dice(world), 1, cluster->settings.heartbeat_ms);
    default:
        return prng_between(dice(world), 1, 3 * cluster->settings.heartbeat_ms);
    }
}

/* a: node's boot */
static void on_boot(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (!node->up && (node->cluster->config & node_bit(node))) {
        node_start(node);
    }
}

static void on_path_restored(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    network_path(node, true, true);
}

static void on_joined(const struct occurrence *occurrence)
{
    join_all(occurrence->who);
}

static void fault_partition(struct sim_cluster *cluster)
{
    struct world *world = cluster->world;

    recolor(cluster);
    if (prng_chance(dice(world), 300)) { /* some flap */
        schedule_add(&world->schedule, world->now_ms + scenario_some_time(world, cluster), on_joined, cluster, 0, 0,
                     0);
    }
}

static void fault_path(struct sim_cluster *cluster, struct node *node)
{
    struct world *world = cluster->world;
    bool whole_side = prng_chance(dice(world), 300);
    uint32_t kind = prng_below(dice(world), 4);
    bool back = prng_chance(dice(world), 600);
    uint32_t after_ms = scenario_some_time(world, cluster);

    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct node *other = &cluster->nodes[i];

        if (other == node || (whole_side && other->color == node->color)) {
            network_path(other, kind == 1, kind == 2);
            if (back) {
                schedule_add(&world->schedule, world->now_ms + after_ms, on_path_restored, other, 0, 0, 0);
            }
        }
    }
}

static void fault_node(struct sim_cluster *cluster, struct node *node)
{
    struct world *world = cluster->world;

    if (!node->up) {
        if (cluster->config & node_bit(node)) {
            node_start(node);
        }
        return;
    }
    if (prng_chance(dice(world), 300)) {
        node_pause(node, scenario_some_time(world, cluster));
        return;
    }
    node_crash(node);
    if (prng_chance(dice(world), 600)) {
        schedule_add(&world->schedule, world->now_ms + scenario_some_time(world, cluster), on_boot, node, 0, 0, 0);
    }
}

static void fault_device(struct sim_cluster *cluster, struct node *node)
{
    struct world *world = cluster->world;

    switch (prng_below(dice(world), 3)) {
    case 0:
        node_device_kill(node);
        break;
    case 1:
        node_device_stop(node);
        break;
    default:
        node_device_pause(node, scenario_some_time(world, cluster));
        return;
    }
    if (node->device == NULL && node->up && prng_chance(dice(world), 800)) {
        node_device_start(node, scenario_some_time(world, cluster));
    }
}

/* While the arbiter is dead. a: life, b: what */
static void on_disk_fault(const struct occurrence *occurrence)
{
    struct world *world = occurrence->who;

    if (world->host.arbiter == NULL) {
        if (occurrence->b == 0) {
            arbiter_host_lose_disk(world);
        } else {
            arbiter_host_damage_disk(world);
        }
    }
}

static void fault_arbiter(struct sim_cluster *cluster)
{
    struct world *world = cluster->world;
    struct arbiter_host *host = &world->host;

    host->restart_ms =
        prng_chance(dice(world), 600) ? prng_between(dice(world), 20, 1000) : scenario_some_time(world, cluster) + 100;
    host->crash_kind = prng_chance(dice(world), 400) ? CRASH_HOST : CRASH_PROCESS;
    switch (prng_below(dice(world), 5)) {
    case 0:
        arbiter_host_stop(world);
        break;
    case 1:
        arbiter_host_crash(world, host->crash_kind);
        break;
    case 2:
        arbiter_host_pause(world, scenario_some_time(world, cluster));
        break;
    default:
        host->crash_at_point =
            host->points + prng_between(dice(world), 1, prng_chance(dice(world), 500) ? 12 : 80);
        break;
    }
    if (host->arbiter == NULL && prng_chance(dice(world), 120)) {
        schedule_add(&world->schedule, world->now_ms + prng_below(dice(world), host->restart_ms),
                     on_disk_fault, world, 0, prng_below(dice(world), 2), 0);
    }
}

/* a: the configuration to read */
static void on_reload(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->cluster->config == occurrence->a && !reload(node, (node_mask)occurrence->a)) {
        schedule_add(&node->world->schedule, node->world->now_ms + 500, on_reload, node, occurrence->a, 0, 0);
    }
}

static bool is_whole(const struct sim_cluster *cluster)
{
    for (unsigned i = 0; i < cluster->node_count; i++) {
        const struct node *node = &cluster->nodes[i];

        if ((cluster->config & node_bit(node)) &&
            (!node_responds(node) || node->ring_state != RING_OPERATIONAL || node->config != cluster->config ||
             node->members != cluster->config)) {
            return false;
        }
    }
    return true;
}

/* Administrators change the configuration of whole clusters only; what follows may not be to plan. */
static void fault_config(struct sim_cluster *cluster, struct node *node)
{
    struct world *world = cluster->world;
    node_mask config = cluster->config ^ node_bit(node);
    char text[64];

    if (!is_whole(cluster) || mask_count(config) < 2) {
        return;
    }
    NOTE(world, NULL, "%s: configuration becomes {%s}", cluster->name, mask_text(cluster, config, text));
    cluster->config = config;
    if (!(config & node_bit(node))) {
        node_crash(node);
    }
    for (unsigned i = 0; i < cluster->node_count; i++) {
        if (config & (1u << i)) {
            schedule_add(&world->schedule, world->now_ms + prng_below(dice(world), 1500), on_reload,
                         &cluster->nodes[i], config, 0, 0);
        }
    }
    if (config & node_bit(node)) {
        schedule_add(&world->schedule, world->now_ms + scenario_some_time(world, cluster), on_boot, node, 0, 0, 0);
    }
}

static void fault_heuristics(struct sim_cluster *cluster, struct node *node)
{
    enum wire_heuristics result =
        prng_chance(dice(cluster->world), 500) ? WIRE_HEURISTICS_PASS : WIRE_HEURISTICS_FAIL;
    bool whole_side = prng_chance(dice(cluster->world), 500);

    for (unsigned i = 0; i < cluster->node_count; i++) {
        if (&cluster->nodes[i] == node || (whole_side && cluster->nodes[i].color == node->color)) {
            node_set_heuristics(&cluster->nodes[i], result);
        }
    }
}

static void on_fault(const struct occurrence *occurrence)
{
    struct world *world = occurrence->who;
    struct sim_cluster *cluster = &world->clusters[prng_below(dice(world), world->cluster_count)];
    struct node *node = &cluster->nodes[prng_below(dice(world), cluster->node_count)];
    uint32_t roll = prng_below(dice(world), 100);

    world->faults++;
    if (cluster->core == &core_stack && prng_chance(dice(world), 250)) {
        scenario_real_fault(cluster, node);
    } else if (roll < 30) {
        fault_partition(cluster);
    } else if (roll < 40) {
        join_all(cluster);
    } else if (roll < 55) {
        fault_path(cluster, node);
    } else if (roll < 62) {
        if (node->conn != NULL) {
            network_reset(node->conn);
        }
    } else if (roll < 72) {
        fault_node(cluster, node);
    } else if (roll < 79) {
        fault_device(cluster, node);
    } else if (roll < 90) {
        fault_arbiter(cluster);
    } else if (roll < 94) {
        fault_heuristics(cluster, node);
    } else if (roll < 97) {
        cluster->core->burst(node);
    } else {
        fault_config(cluster, node);
    }
}

/* ---- how it begins ------------------------------------------------------------------------------------- */

void scenario_settings(struct cluster_settings *settings, enum wire_algorithm algorithm, uint32_t timeout_ms)
{
    uint32_t heartbeat_ms = timeout_ms * 8 / 10;

    *settings = (struct cluster_settings){
        .algorithm = algorithm,
        .tie_breaker = {WIRE_TIE_BREAKER_LOWEST, 0},
        .timeout_ms = timeout_ms,
        .sync_timeout_ms = 3 * timeout_ms,
        .heartbeat_ms = heartbeat_ms < 1000 ? 1000 : heartbeat_ms,
        .token_ms = 1000,
        .consensus_ms = 1200,
        .heuristics_interval_ms = 3 * timeout_ms,
    };
    settings->lease =
        (struct wire_lease){.lease_ms = settings->heartbeat_ms, .hold_ms = settings->heartbeat_ms / 4};
    settings->echo_ms = settings->heartbeat_ms / 4;
}

static void roll_settings(struct world *world, struct cluster_settings *settings, unsigned node_count)
{
    static const uint32_t timeouts_ms[] = {1250, 2500, 2500, 5000, 10000};
    struct prng *prng = dice(world);
    uint32_t roll = prng_below(prng, 100);
    enum wire_algorithm algorithm = roll < 55 ? WIRE_ALGORITHM_FFSPLIT : WIRE_ALGORITHM_LMS;

    if (node_count == 2 && roll >= 80) {
        algorithm = WIRE_ALGORITHM_2NODELMS;
    } else if (roll >= 97) {
        algorithm = WIRE_ALGORITHM_TEST; /* promises nothing; others must not notice */
    }
    scenario_settings(settings, algorithm, timeouts_ms[prng_below(prng, 5)]);
    settings->token_ms = prng_between(prng, 500, 3000);
    if (settings->timeout_ms == 10000 && prng_chance(prng, 600)) {
        settings->timeout_unset = true;
        settings->lease = (struct wire_lease){.lease_ms = OURS_HEARTBEAT_DEFAULT_MS * 5 / 4, .hold_ms = 200};
        settings->echo_ms = OURS_HEARTBEAT_DEFAULT_MS / 4;
    }
    settings->consensus_ms = settings->token_ms * 12 / 10;
    settings->tls = prng_chance(prng, 700);
    settings->tie_breaker.mode = (enum wire_tie_breaker_mode)prng_between(prng, 1, 3);
    if (settings->tie_breaker.mode == WIRE_TIE_BREAKER_NODE_ID) {
        settings->tie_breaker.node_id = prng_between(prng, 1, 6);
    }
    settings->keep_active = prng_chance(prng, 500)   ? UINT32_MAX
                            : prng_chance(prng, 500) ? 0
                                                     : prng_below(prng, 256);
    settings->heuristics_used = prng_chance(prng, 400);
    settings->heuristics_on = settings->heuristics_used && prng_chance(prng, 600);
}

static void add_cluster(struct world *world, const struct core_ops *core)
{
    const struct device_ops *ops[SIM_NODES_MAX];
    struct cluster_settings settings;
    struct sim_cluster *cluster;
    struct prng *prng = dice(world);
    unsigned node_count = prng_chance(prng, 400)   ? 2
                          : prng_chance(prng, 500) ? 4
                                                   : prng_between(prng, 2, SIM_NODES_MAX);
    static const struct device_ops *const kinds[] = {&device_packaged, &device_agent, &device_ours};
    uint32_t devices = prng_below(prng, 4);
    unsigned spare = 0;

    roll_settings(world, &settings, node_count);
    if (core == &core_stack && prng_chance(prng, 700)) { /* an idle ring is quieter, and its run faster */
        settings.token_ms += 1000;
        settings.consensus_ms = settings.token_ms * 12 / 10;
    }
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) { /* with no timeout set what matters is a mixture */
        ops[i] = kinds[devices < 3 && !settings.timeout_unset ? devices : prng_below(prng, 3)];
    }
    if (settings.algorithm != WIRE_ALGORITHM_2NODELMS && node_count < SIM_NODES_MAX &&
        prng_chance(prng, 150)) {
        spare = 1;
    }
    cluster = world_add_cluster(world, &settings, node_count + spare, ops, core);
    if (core == &core_stack) {
        scenario_real_prepare(cluster);
    }
    if (spare > 0) {
        cluster->config &= ~(1u << node_count);
    }
    for (unsigned i = 0; i < node_count; i++) {
        cluster->nodes[i].heuristics = prng_chance(prng, 800) ? WIRE_HEURISTICS_PASS : WIRE_HEURISTICS_FAIL;
        schedule_add(&world->schedule, world->now_ms + prng_below(prng, 2000), on_boot, &cluster->nodes[i], 0,
                     0, 0);
    }
}

static void roll_network(struct world *world)
{
    struct prng *prng = dice(world);

    world->network.delay_ms = prng_below(prng, 5);
    world->network.jitter_ms = prng_chance(prng, 500) ? 3 : prng_below(prng, 80);
    world->network.split_permille = prng_chance(prng, 500) ? 20 : 500;
    world->network.linger_permille = prng_chance(prng, 700) ? 0 : 15;
}

static void roll_host(struct world *world)
{
    struct prng *prng = dice(world);
    struct arbiter_host *host = &world->host;

    host->settings.tls = WIRE_TLS_SUPPORTED;
    host->settings.dpd_coefficient_permille = prng_chance(prng, 800) ? 1500 : prng_between(prng, 1100, 2500);
    host->settings.strict = !prng_chance(prng, 30);
    host->settings.keep_active_partition = prng_chance(prng, 200);
    host->persist_ms_max = prng_chance(prng, 700) ? 5 : prng_below(prng, 1500);
    host->persist_fail_permille = prng_chance(prng, 850) ? 0 : prng_below(prng, 400);
    host->persist_volatile_permille = prng_chance(prng, 900) ? 0 : prng_below(prng, 200);
    host->disk_complete = prng_chance(prng, 700);
}

static void on_arbiter_start(const struct occurrence *occurrence)
{
    arbiter_host_start(occurrence->who);
}

static uint32_t pause_between_faults(struct world *world)
{
    switch (prng_below(dice(world), 5)) {
    case 0:
        return prng_between(dice(world), 0, 50);
    case 1:
        return prng_between(dice(world), 50, 1000);
    case 2:
        return prng_between(dice(world), 1000, 5000);
    case 3:
        return prng_between(dice(world), 2000, 12000);
    default:
        return prng_between(dice(world), 5000, 30000);
    }
}

/* From chance of its own, so that the lives of modelled cores do not depend on it. True: there are real ones. */
static bool choose_cores(const struct world *world, unsigned clusters, const struct core_ops *cores[SIM_CLUSTERS_MAX])
{
    struct prng prng;
    bool real;

    prng_seed(&prng, world->seed ^ UINT64_C(0x5bd1e9955bd1e995));
    real = prng_chance(&prng, 500);
    for (unsigned i = 0; i < clusters; i++) {
        bool this_one = real && (i == 0 || prng_chance(&prng, 700));

        cores[i] = world->cores == CORES_REAL || (world->cores == CORES_BY_SEED && this_one) ? &core_stack : &core_model;
    }
    return cores[0] == &core_stack;
}

void scenario_run(struct world *world, uint64_t seed, bool tracing)
{
    const struct core_ops *cores[SIM_CLUSTERS_MAX];
    unsigned clusters;
    unsigned faults;
    uint64_t at_ms;

    world_reset(world, seed, tracing);
    clusters = prng_chance(dice(world), 600) ? 1 : prng_between(dice(world), 2, SIM_CLUSTERS_MAX);
    if (choose_cores(world, clusters, cores) && clusters > REAL_CLUSTERS_MAX) {
        clusters = REAL_CLUSTERS_MAX;
    }
    roll_network(world);
    roll_host(world);
    for (unsigned i = 0; i < clusters; i++) {
        add_cluster(world, cores[i]);
    }
    schedule_add(&world->schedule, world->now_ms + prng_below(dice(world), 1500), on_arbiter_start, world, 0,
                 0, 0);
    faults = prng_between(dice(world), 1, 6 + 4 * clusters);
    at_ms = world->now_ms + prng_between(dice(world), 500, 25000);
    for (unsigned i = 0; i < faults; i++) {
        schedule_add(&world->schedule, at_ms, on_fault, world, 0, 0, 0);
        at_ms += pause_between_faults(world);
    }
    schedule_add(&world->schedule, at_ms, on_heal, world, 0, 0, 0);
    while (world_step(world)) {
    }
    if (!world->failed && !world->done) {
        world_fail(world, "LIVENESS", "nothing happens any more");
    }
    if (!world->failed) {
        synchrony_check(world);
    }
}
