/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/scenario_real.h"

#include <string.h>

#include "tests/sim/core_stack.h"
#include "tests/sim/node.h"
#include "tests/sim/scenario.h"

#define RING_LOOK_MS 50

static struct prng *dice(struct world *world)
{
    return &world->prng;
}

/* ---- how it ends ---------------------------------------------------------------------------------------- */

/* Real cores are to be one ring of all who hear each other, soon and for good. */
static void look_at_ring(struct sim_cluster *cluster)
{
    struct world *world = cluster->world;
    uint64_t since_ms =
        cluster->topology_ms > world->no_more_faults_ms ? cluster->topology_ms : world->no_more_faults_ms;
    uint64_t bound_ms = core_stack_reform_bound_ms(cluster);
    uint64_t took_ms = world->now_ms - since_ms;
    char why[160] = "";
    bool reformed = core_stack_is_reformed(cluster, why, sizeof why);

    if (!reformed && took_ms > bound_ms) {
        scenario_note_state(world);
        world_fail(world, "LIVENESS", "%llu ms after the last fault: %s", (unsigned long long)took_ms, why);
    } else if (reformed && !cluster->reformed && took_ms * 1000 / bound_ms > world->reform_permille) {
        world->reform_permille = took_ms * 1000 / bound_ms;
    }
    cluster->reformed = reformed;
}

static void on_ring_look(const struct occurrence *occurrence)
{
    struct world *world = occurrence->who;

    for (unsigned i = 0; i < world->cluster_count; i++) {
        if (world->clusters[i].core == &core_stack) {
            look_at_ring(&world->clusters[i]);
        }
    }
    schedule_add(&world->schedule, world->now_ms + RING_LOOK_MS, on_ring_look, world, 0, 0, 0);
}

void scenario_real_look(struct world *world)
{
    schedule_add(&world->schedule, world->now_ms + RING_LOOK_MS, on_ring_look, world, 0, 0, 0);
}

void scenario_real_calm(struct sim_cluster *cluster)
{
    cluster->lan.loss_permille = cluster->lan.late_permille = 0;
    memset(cluster->lan.cut, 0, sizeof cluster->lan.cut);
}

/* ---- what goes wrong ------------------------------------------------------------------------------------ */

static void roll_weather(struct sim_cluster *cluster)
{
    struct prng *prng = dice(cluster->world);
    struct lan *lan = &cluster->lan;
    bool bad = prng_chance(prng, 400);

    lan->loss_permille = bad ? prng_below(prng, prng_chance(prng, 300) ? 120 : 20) : 0;
    lan->duplicate_permille = bad ? prng_below(prng, 60) : 0;
    lan->late_permille = bad ? prng_below(prng, 80) : 0;
    lan->late_ms_max = cluster->settings.token_ms / 20; /* README.md, what is assumed */
    NOTE(cluster->world, NULL, "%s: of 1000 datagrams %u are lost, %u come twice, %u late", cluster->name,
         lan->loss_permille, lan->duplicate_permille, lan->late_permille);
}

/* a: sender's index, b: who does not hear it */
static void on_heard_again(const struct occurrence *occurrence)
{
    struct sim_cluster *cluster = occurrence->who;

    cluster->lan.cut[occurrence->a] &= ~(node_mask)occurrence->b;
    cluster->core->topology_changed(cluster);
}

/* One direction only. */
static void fault_deaf(struct sim_cluster *cluster, struct node *node)
{
    struct world *world = cluster->world;
    node_mask deaf = (node_mask)(1 + prng_below(dice(world), (1u << cluster->node_count) - 1)) & ~node_bit(node);
    char text[64];

    NOTE(world, node, "is not heard by {%s}", mask_text(cluster, deaf, text));
    cluster->lan.cut[node->index] |= deaf;
    cluster->core->topology_changed(cluster);
    if (prng_chance(dice(world), 700)) {
        schedule_add(&world->schedule, world->now_ms + scenario_some_time(world, cluster), on_heard_again, cluster, node->index, deaf,
                     0);
    }
}

static void on_client_back(const struct occurrence *occurrence)
{
    core_stack_client_start(occurrence->who);
}

static void fault_client(struct sim_cluster *cluster, struct node *node)
{
    core_stack_client_kill(node);
    if (cluster->client_nodes & node_bit(node)) {
        schedule_add(&cluster->world->schedule, cluster->world->now_ms + prng_below(dice(cluster->world), 2000),
                     on_client_back, node, 0, 0, 0);
    }
}

static void on_back(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->cluster->config & node_bit(node)) {
        node_start(node);
    }
}

/* The core is stopped after the device, which may need a moment. a: boot */
static void on_leave(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->boot != occurrence->a) {
        return;
    }
    if (node->paused || !node->cluster->core->has_told_ring(node)) {
        schedule_add(&node->world->schedule, node->paused ? node->resume_ms : node->world->now_ms + 2, on_leave, node,
                     node->boot, 0, 0);
        return;
    }
    node_device_stop(node);
    core_stack_leave(node);
}

static void fault_leave(struct sim_cluster *cluster, struct node *node)
{
    struct world *world = cluster->world;

    if (!node_responds(node)) {
        return;
    }
    schedule_add(&world->schedule, world->now_ms, on_leave, node, node->boot, 0, 0);
    if (prng_chance(dice(world), 700)) {
        schedule_add(&world->schedule, world->now_ms + 500 + scenario_some_time(world, cluster), on_back, node, 0, 0, 0);
    }
}

void scenario_real_fault(struct sim_cluster *cluster, struct node *node)
{
    uint32_t roll = prng_below(dice(cluster->world), 100);

    if (roll < 25) {
        roll_weather(cluster);
    } else if (roll < 45) {
        fault_deaf(cluster, node);
    } else if (roll < 60) {
        fault_client(cluster, node);
    } else if (roll < 70) {
        cluster->core->burst(node);
    } else if (roll < 87) {
        node_core_kill(node, scenario_some_time(cluster->world, cluster));
    } else {
        fault_leave(cluster, node);
    }
}

/* Clients of process groups say something now and then, until all is well. a: how lively they are */
static void on_chatter(const struct occurrence *occurrence)
{
    struct sim_cluster *cluster = occurrence->who;
    struct world *world = cluster->world;
    struct prng *prng = dice(world);
    uint32_t pause_ms = prng_chance(prng, 300) ? prng_between(prng, 1, 100) : prng_between(prng, 100, (uint32_t)occurrence->a);

    if (world->recovery_ms > 0) {
        return;
    }
    core_stack_client_send(&cluster->nodes[prng_below(prng, cluster->node_count)],
                           prng_chance(prng, 70) ? prng_between(prng, 5, 40) : prng_between(prng, 1, 3));
    schedule_add(&world->schedule, world->now_ms + pause_ms, on_chatter, cluster, occurrence->a, 0, 0);
}

void scenario_real_prepare(struct sim_cluster *cluster)
{
    struct world *world = cluster->world;
    struct prng *prng = dice(world);

    cluster->lan.idle_visits = prng_chance(prng, 150) ? 0 : 5;
    roll_weather(cluster);
    cluster->client_nodes = (node_mask)prng_next(prng) | (node_mask)prng_next(prng);
    schedule_add(&world->schedule, world->now_ms + 1000, on_chatter, cluster, prng_between(prng, 500, 20000), 0, 0);
}
