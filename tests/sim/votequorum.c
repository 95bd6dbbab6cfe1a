/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/votequorum.h"

#include "tests/sim/node.h"
#include "tests/sim/totem.h"

uint32_t votequorum_device_votes(const struct node *node)
{
    return node->cluster->settings.algorithm == WIRE_ALGORITHM_FFSPLIT ? 1 : mask_count(node->config) - 1;
}

static uint32_t configured_expected(const struct node *node)
{
    uint32_t votes = mask_count(node->config);

    /* With quorum.device.votes set (ffsplit) the device is added only once everybody has been seen. */
    return node->cluster->settings.algorithm == WIRE_ALGORITHM_FFSPLIT ? votes : 2 * votes - 1;
}

static uint32_t total_votes(const struct node *node, bool cast)
{
    return mask_count(node->members) + (cast ? votequorum_device_votes(node) : 0);
}

static void recalculate(struct node *node, bool allow_decrease)
{
    struct votequorum *votequorum = &node->votequorum;
    uint32_t all = mask_count(node->members) + votequorum_device_votes(node);
    uint32_t highest;
    uint32_t quorum;

    if (all > votequorum->expected) {
        votequorum->expected = all;
    }
    highest = votequorum->expected;
    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        const struct node *other = &node->cluster->nodes[i];

        if ((node->members & node_bit(other)) && other->up && other->votequorum.expected > highest) {
            highest = other->votequorum.expected;
        }
    }
    quorum = (highest + 2) / 2;
    if (allow_decrease || quorum > votequorum->quorum) {
        votequorum->quorum = quorum;
    }
    votequorum->quorate = total_votes(node, votequorum->cast) >= votequorum->quorum;
    node->cluster->dirty = true;
}

/* The state may have changed while nothing synchronises. */
static void refresh(struct node *node, bool allow_decrease)
{
    bool before = node->votequorum.quorate;

    if (node->totem != TOTEM_OPERATIONAL) {
        return;
    }
    recalculate(node, allow_decrease);
    if (node->votequorum.quorate != before) {
        NOTE(node->world, node, "%s (%u of %u)", node->votequorum.quorate ? "quorate" : "INQUORATE",
             total_votes(node, node->votequorum.cast), node->votequorum.quorum);
        node_on_quorum(node);
    }
}

static void lost_contact(void *owner)
{
    struct node *node = owner;

    if (!node->up) {
        return;
    }
    if (node->paused) {
        timer_set(&node->votequorum.timer, node->world->now_ms, node->resume_ms);
        return;
    }
    NOTE(node->world, node, "votequorum lost contact with the device");
    node->votequorum.relapsed = false;
    node->votequorum.alive = false;
    node->votequorum.cast = false;
    node->votequorum.sync_waiting = false;
    refresh(node, false);
    totem_check_barrier(node);
}

static void arm(struct node *node, uint32_t after_ms)
{
    timer_set(&node->votequorum.timer, node->world->now_ms,
              node_clock_reaches(node, node_clock(node) + after_ms));
}

void votequorum_init(struct node *node)
{
    timer_init(&node->votequorum.timer, &node->world->schedule, lost_contact, node);
}

void votequorum_boot(struct node *node)
{
    struct votequorum *votequorum = &node->votequorum;

    timer_set(&votequorum->timer, node->world->now_ms, SIM_NEVER);
    votequorum->registered = votequorum->alive = votequorum->cast = votequorum->sync_waiting = false;
    votequorum->quorate = votequorum->flag_queued = votequorum->relapsed = false;
    votequorum->reloaded = true;
    votequorum->expected = configured_expected(node);
    votequorum->quorum = 0;
}

void votequorum_register(struct node *node)
{
    node->votequorum.registered = true;
}

void votequorum_unregister(struct node *node)
{
    struct votequorum *votequorum = &node->votequorum;

    votequorum->registered = votequorum->alive = votequorum->cast = votequorum->sync_waiting = false;
    timer_set(&votequorum->timer, node->world->now_ms, SIM_NEVER);
    refresh(node, false);
    totem_check_barrier(node);
}

void votequorum_on_ring(struct node *node)
{
    struct votequorum *votequorum = &node->votequorum;

    votequorum->sync_waiting = votequorum->registered && votequorum->alive;
    if (votequorum->sync_waiting) {
        arm(node, node->cluster->settings.sync_timeout_ms);
    }
}

/* The old flag comes back over the new ring. a: boot, b: ring seq */
static void on_late_flag(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    struct votequorum *votequorum = &node->votequorum;

    if (node->boot != occurrence->a || node->ring.seq != occurrence->b || node->totem != TOTEM_OPERATIONAL ||
        !votequorum->flag_queued) {
        return;
    }
    votequorum->flag_queued = false;
    if (votequorum->queued_cast != votequorum->cast && votequorum->alive) {
        NOTE(node->world, node, "votequorum relapses to %s", votequorum->queued_cast ? "ACK" : "NACK");
        votequorum->cast = votequorum->queued_cast;
        votequorum->relapsed = true;
        refresh(node, false);
    }
}

static bool ring_agrees_on_config(const struct node *node)
{
    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        const struct node *other = &node->cluster->nodes[i];

        if ((node->members & node_bit(other)) && other->config != node->config) {
            return false;
        }
    }
    return true;
}

/* Announcements of a reload may have missed nodes between two rings; node infos of this one bring them along. */
static void take_over_reload(struct node *node)
{
    for (unsigned i = 0; i < node->cluster->node_count && ring_agrees_on_config(node); i++) {
        struct node *other = &node->cluster->nodes[i];

        if ((node->members & node_bit(other)) && other->votequorum.reloaded) {
            other->votequorum.reloaded = false;
            other->votequorum.expected = configured_expected(other);
            other->votequorum.quorum = 0;
        }
    }
}

void votequorum_commit(struct node *node)
{
    take_over_reload(node);
    recalculate(node, false);
    if (node->votequorum.flag_queued) {
        schedule_add(&node->world->schedule, node->world->now_ms + 1, on_late_flag, node, node->boot,
                     node->ring.seq, 0);
    }
    NOTE(node->world, node, "%s in its new ring (%u of %u)",
         node->votequorum.quorate ? "quorate" : "INQUORATE", total_votes(node, node->votequorum.cast),
         node->votequorum.quorum);
    node_on_quorum(node);
}

void votequorum_on_config(struct node *node)
{
    struct sim_cluster *cluster = node->cluster;
    uint32_t expected = configured_expected(node);

    /* It announces the new number to its ring, and everybody there takes it over. */
    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct node *other = &cluster->nodes[i];

        if (other == node || (node_responds(other) && wire_ring_id_equal(other->ring, node->ring))) {
            other->votequorum.reloaded = true;
            other->votequorum.expected = expected;
            other->votequorum.quorum = 0; /* the next computation may lower it */
        }
    }
    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct node *other = &cluster->nodes[i];

        if (other == node || (node_responds(other) && wire_ring_id_equal(other->ring, node->ring))) {
            refresh(other, true);
        }
    }
}

bool votequorum_poll(struct node *node, bool cast, struct wire_ring_id ring)
{
    struct votequorum *votequorum = &node->votequorum;

    if (!votequorum->registered || !wire_ring_id_equal(ring, node->ring)) {
        return false;
    }
    if (cast != votequorum->cast) {
        NOTE(node->world, node, "casts %s", cast ? "ACK" : "NACK");
    }
    if (cast != votequorum->cast && !totem_delivers(node)) {
        votequorum->flag_queued = true;
        votequorum->queued_cast = cast;
    } else if (node->totem == TOTEM_OPERATIONAL) {
        votequorum->flag_queued = false; /* newer than what is under way */
    }
    votequorum->alive = true;
    votequorum->cast = cast;
    votequorum->relapsed = false;
    arm(node, node->cluster->settings.timeout_ms);
    refresh(node, false);
    if (votequorum->sync_waiting) {
        votequorum->sync_waiting = false;
        totem_check_barrier(node);
    }
    return true;
}

bool votequorum_effective(const struct node *node)
{
    return node_responds(node) && node->totem == TOTEM_OPERATIONAL && node->votequorum.quorate;
}

bool votequorum_needs_device(const struct node *node)
{
    return total_votes(node, false) < node->votequorum.quorum;
}
