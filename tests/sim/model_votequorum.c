/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/model_votequorum.h"

#include "tests/sim/node.h"
#include "tests/sim/model_totem.h"

uint32_t model_votequorum_device_votes(const struct node *node)
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
    return mask_count(node->members) + (cast ? model_votequorum_device_votes(node) : 0);
}

static void recalculate(struct node *node, bool allow_decrease)
{
    struct model_core *model = &node->model;
    uint32_t all = mask_count(node->members) + model_votequorum_device_votes(node);
    uint32_t highest;
    uint32_t quorum;

    if (all > model->expected) {
        model->expected = all;
    }
    highest = model->expected;
    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        const struct node *other = &node->cluster->nodes[i];

        if ((node->members & node_bit(other)) && other->up && other->model.expected > highest) {
            highest = other->model.expected;
        }
    }
    quorum = (highest + 2) / 2;
    if (allow_decrease || quorum > node->view.quorum) {
        node->view.quorum = quorum;
    }
    node->view.quorate = total_votes(node, node->view.cast) >= node->view.quorum;
    node->cluster->dirty = true;
}

/* The state may have changed while nothing synchronises. */
static void refresh(struct node *node, bool allow_decrease)
{
    bool before = node->view.quorate;

    if (node->ring_state != RING_OPERATIONAL) {
        return;
    }
    recalculate(node, allow_decrease);
    if (node->view.quorate != before) {
        NOTE(node->world, node, "%s (%u of %u)", node->view.quorate ? "quorate" : "INQUORATE",
             total_votes(node, node->view.cast), node->view.quorum);
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
        timer_set(&node->model.timer, node->world->now_ms, node->resume_ms);
        return;
    }
    NOTE(node->world, node, "votequorum lost contact with the device");
    node->view.relapsed = false;
    node->model.alive = false;
    node->view.cast = false;
    node->view.sync_waiting = false;
    refresh(node, false);
    model_totem_check_barrier(node);
}

static void arm(struct node *node, uint32_t after_ms)
{
    timer_set(&node->model.timer, node->world->now_ms,
              node_clock_reaches(node, node_clock(node) + after_ms));
}

void model_votequorum_init(struct node *node)
{
    timer_init(&node->model.timer, &node->world->schedule, lost_contact, node);
}

void model_votequorum_boot(struct node *node)
{
    struct model_core *model = &node->model;

    timer_set(&model->timer, node->world->now_ms, SIM_NEVER);
    model->registered = model->alive = node->view.cast = node->view.sync_waiting = false;
    node->view.quorate = model->flag_queued = node->view.relapsed = false;
    model->reloaded = true;
    model->expected = configured_expected(node);
    node->view.quorum = 0;
}

void model_votequorum_register(struct node *node)
{
    node->model.registered = true;
}

void model_votequorum_unregister(struct node *node)
{
    struct model_core *model = &node->model;

    model->registered = model->alive = node->view.cast = node->view.sync_waiting = false;
    timer_set(&model->timer, node->world->now_ms, SIM_NEVER);
    refresh(node, false);
    model_totem_check_barrier(node);
}

void model_votequorum_on_ring(struct node *node)
{
    struct model_core *model = &node->model;

    node->view.sync_waiting = model->registered && model->alive;
    if (node->view.sync_waiting) {
        arm(node, node->cluster->settings.sync_timeout_ms);
    }
}

/* The old flag comes back over the new ring. a: boot, b: ring seq */
static void on_late_flag(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    struct model_core *model = &node->model;

    if (node->boot != occurrence->a || node->ring.seq != occurrence->b || node->ring_state != RING_OPERATIONAL ||
        !model->flag_queued) {
        return;
    }
    model->flag_queued = false;
    if (model->queued_cast != node->view.cast && model->alive) {
        NOTE(node->world, node, "votequorum relapses to %s", model->queued_cast ? "ACK" : "NACK");
        node->view.cast = model->queued_cast;
        node->view.relapsed = true;
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

        if ((node->members & node_bit(other)) && other->model.reloaded) {
            other->model.reloaded = false;
            other->model.expected = configured_expected(other);
            other->view.quorum = 0;
        }
    }
}

void model_votequorum_commit(struct node *node)
{
    take_over_reload(node);
    recalculate(node, false);
    if (node->model.flag_queued) {
        schedule_add(&node->world->schedule, node->world->now_ms + 1, on_late_flag, node, node->boot,
                     node->ring.seq, 0);
    }
    NOTE(node->world, node, "%s in its new ring (%u of %u)",
         node->view.quorate ? "quorate" : "INQUORATE", total_votes(node, node->view.cast),
         node->view.quorum);
    node_on_quorum(node);
}

void model_votequorum_on_config(struct node *node)
{
    struct sim_cluster *cluster = node->cluster;
    uint32_t expected = configured_expected(node);

    /* It announces the new number to its ring, and everybody there takes it over. */
    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct node *other = &cluster->nodes[i];

        if (other == node || (node_responds(other) && wire_ring_id_equal(other->ring, node->ring))) {
            other->model.reloaded = true;
            other->model.expected = expected;
            other->view.quorum = 0; /* the next computation may lower it */
        }
    }
    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct node *other = &cluster->nodes[i];

        if (other == node || (node_responds(other) && wire_ring_id_equal(other->ring, node->ring))) {
            refresh(other, true);
        }
    }
}

bool model_votequorum_poll(struct node *node, bool cast, struct wire_ring_id ring)
{
    struct model_core *model = &node->model;

    if (!model->registered || !wire_ring_id_equal(ring, node->ring)) {
        return false;
    }
    if (cast != node->view.cast) {
        NOTE(node->world, node, "casts %s", cast ? "ACK" : "NACK");
    }
    if (cast != node->view.cast && !model_totem_delivers(node)) {
        model->flag_queued = true;
        model->queued_cast = cast;
    } else if (node->ring_state == RING_OPERATIONAL) {
        model->flag_queued = false; /* newer than what is under way */
    }
    model->alive = true;
    node->view.cast = cast;
    node->view.relapsed = false;
    arm(node, node->cluster->settings.timeout_ms);
    refresh(node, false);
    if (node->view.sync_waiting) {
        node->view.sync_waiting = false;
        model_totem_check_barrier(node);
    }
    return true;
}
