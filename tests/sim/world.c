/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/arbiter_host.h"
#include "tests/sim/check.h"
#include "tests/sim/core.h"
#include "tests/sim/lan.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"
#include "tests/sim/synchrony.h"

#define START_MS 1000000
#define LINES 40000

void world_init(struct world *world)
{
    memset(world, 0, sizeof *world);
    schedule_init(&world->schedule);
    q_buf_init(&world->encoded);
    arbiter_actions_init(&world->host.actions);
}

static void free_nodes(struct world *world)
{
    for (unsigned i = 0; i < world->cluster_count; i++) {
        for (unsigned j = 0; j < world->clusters[i].node_count; j++) {
            struct node *node = &world->clusters[i].nodes[j];

            if (node->device != NULL) {
                node->ops->destroy(node->device);
                node->device = NULL;
            }
            world->clusters[i].core->fini(node);
        }
    }
}

void world_fini(struct world *world)
{
    free_nodes(world);
    synchrony_free(world);
    lan_free(world);
    arbiter_host_fini(world);
    arbiter_actions_fini(&world->host.actions);
    network_free(world);
    schedule_fini(&world->schedule);
    q_buf_fini(&world->encoded);
    free(world->lines);
}

void world_reset(struct world *world, uint64_t seed, bool tracing)
{
    free_nodes(world);
    synchrony_free(world);
    lan_free(world);
    arbiter_host_fini(world);
    network_free(world);
    schedule_clear(&world->schedule);
    world->seed = seed;
    world->now_ms = START_MS;
    prng_seed(&world->prng, seed);
    world->hash = UINT64_C(0xcbf29ce484222325);
    world->events = 0;
    memset(&world->network, 0, sizeof world->network);
    memset(world->clusters, 0, sizeof world->clusters);
    world->cluster_count = 0;
    world->failed = false;
    world->failure[0] = '\0';
    world->tracing = tracing;
    world->line_count = 0;
    if (tracing && world->lines == NULL) {
        world->line_capacity = LINES;
        world->lines = malloc(LINES * sizeof *world->lines);
        assert(world->lines != NULL);
    }
    world->done = false;
    world->no_more_faults_ms = 0;
    world->healed_ms = 0;
    world->recovery_ms = 0;
    world->votes = 0;
    world->first_ack_life = 0;
    world->first_ack = world->last_ack = NULL;
    world->excused = 0;
    world->relapses = 0;
    world->deliveries = world->rings = world->reform_permille = 0;
    world->faults = 0;
    arbiter_host_init(world);
}

struct sim_cluster *world_add_cluster(struct world *world, const struct cluster_settings *settings,
                                      unsigned node_count, const struct device_ops *const *ops,
                                      const struct core_ops *core)
{
    struct sim_cluster *cluster = &world->clusters[world->cluster_count];
    uint32_t step = prng_between(&world->prng, 1, 3);
    uint32_t id = prng_between(&world->prng, 1, 2);

    assert(world->cluster_count < SIM_CLUSTERS_MAX && node_count <= SIM_NODES_MAX);
    cluster->world = world;
    cluster->index = world->cluster_count++;
    (void)snprintf(cluster->name, sizeof cluster->name, "c%u", cluster->index);
    cluster->settings = *settings;
    cluster->core = core;
    cluster->node_count = node_count;
    for (unsigned i = 0; i < node_count; i++, id += step) {
        struct node *node = &cluster->nodes[i];

        node->world = world;
        node->cluster = cluster;
        node->index = i;
        node->id = id;
        node->drift_ppm = (int32_t)prng_between(&world->prng, 0, 400) - 200;
        node->ops = ops[i];
        node_init(node);
    }
    cluster->config = cluster_all(cluster);
    return cluster;
}

bool world_step(struct world *world)
{
    struct occurrence occurrence;

    if (world->failed || world->done || !schedule_take(&world->schedule, &occurrence)) {
        return false;
    }
    assert(occurrence.at_ms >= world->now_ms);
    world->now_ms = occurrence.at_ms;
    world->events++;
    world_mix(world, occurrence.at_ms ^ (occurrence.order << 24));
    occurrence.fn(&occurrence);
    check_safety(world);
    return !world->failed && !world->done;
}

void world_mix(struct world *world, uint64_t value)
{
    world->hash = (world->hash ^ value) * UINT64_C(0x100000001b3);
    world->hash ^= world->hash >> 29;
}

void world_fail(struct world *world, const char *rule, const char *format, ...)
{
    va_list arguments;
    int size;

    if (world->failed) {
        return;
    }
    world->failed = true;
    size = snprintf(world->failure, sizeof world->failure, "%s: ", rule);
    va_start(arguments, format);
    (void)vsnprintf(world->failure + size, sizeof world->failure - (size_t)size, format, arguments);
    va_end(arguments);
    NOTE(world, NULL, "*** %s", world->failure);
}

void world_note(struct world *world, const struct node *node, const char *format, ...)
{
    char *line = world->lines[world->line_count++ % world->line_capacity];
    uint64_t since_ms = world->now_ms - START_MS;
    va_list arguments;
    int size;

    size = snprintf(line, sizeof world->lines[0], "%6u.%03u  ", (unsigned)(since_ms / 1000),
                    (unsigned)(since_ms % 1000));
    if (node != NULL) {
        size += snprintf(line + size, sizeof world->lines[0] - (size_t)size, "%s n%u  ", node->cluster->name,
                         node->id);
    }
    va_start(arguments, format);
    (void)vsnprintf(line + size, sizeof world->lines[0] - (size_t)size, format, arguments);
    va_end(arguments);
}

node_mask cluster_all(const struct sim_cluster *cluster)
{
    return (node_mask)((1u << cluster->node_count) - 1);
}

node_mask node_bit(const struct node *node)
{
    return 1u << node->index;
}

unsigned mask_count(node_mask mask)
{
    return (unsigned)__builtin_popcount(mask);
}

int cluster_index_of(const struct sim_cluster *cluster, uint32_t id)
{
    for (unsigned i = 0; i < cluster->node_count; i++) {
        if (cluster->nodes[i].id == id) {
            return (int)i;
        }
    }
    return -1;
}

node_mask mask_of_list(const struct sim_cluster *cluster, const struct wire_node_list *list)
{
    node_mask mask = 0;

    for (uint32_t i = 0; i < list->node_count; i++) {
        int index = cluster_index_of(cluster, list->nodes[i].node_id);

        if (index >= 0) {
            mask |= 1u << index;
        }
    }
    return mask;
}

const char *mask_text(const struct sim_cluster *cluster, node_mask mask, char text[64])
{
    int size = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < cluster->node_count; i++) {
        if (mask & (1u << i)) {
            size +=
                snprintf(text + size, 64 - (size_t)size, "%s%u", size > 0 ? "," : "", cluster->nodes[i].id);
        }
    }
    return size > 0 ? text : "none";
}

uint64_t node_clock(const struct node *node)
{
    uint64_t now_ms = node->world->now_ms;

    return now_ms + (uint64_t)((int64_t)now_ms * node->drift_ppm / 1000000);
}

uint64_t node_clock_reaches(const struct node *node, uint64_t local_ms)
{
    int64_t ahead_ms = (int64_t)local_ms - (int64_t)node_clock(node);

    if (local_ms == SIM_NEVER) {
        return SIM_NEVER;
    }
    if (ahead_ms <= 0) {
        return node->world->now_ms;
    }
    /* Round up, and one more where rounding of the clock could hide the last millisecond. */
    return node->world->now_ms + (uint64_t)(ahead_ms - ahead_ms * node->drift_ppm / 1000000) + 1;
}

bool node_responds(const struct node *node)
{
    return node->up && !node->paused;
}

bool node_serves(const struct node *node)
{
    return node_responds(node) && node->ring_state == RING_OPERATIONAL && node->view.quorate;
}

bool node_needs_device(const struct node *node)
{
    return mask_count(node->members) < node->view.quorum;
}
