/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/model_totem.h"

#include "tests/sim/node.h"
#include "tests/sim/model_votequorum.h"

static void on_form(const struct occurrence *occurrence);

static bool reaches(const struct node *node, const struct node *other)
{
    return node_responds(other) && other->color == node->color;
}

/* A member of the node's ring is not there. */
static bool is_missing_somebody(const struct node *node)
{
    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        const struct node *other = &node->cluster->nodes[i];

        if ((node->members & node_bit(other)) && !reaches(node, other)) {
            return true;
        }
    }
    return false;
}

static bool in_ring(const struct node *node)
{
    return node->ring_state == RING_SYNC || node->ring_state == RING_OPERATIONAL;
}

static bool is_broken(const struct node *node)
{
    if (is_missing_somebody(node)) {
        return true;
    }
    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        const struct node *other = &node->cluster->nodes[i];

        if ((node->members & node_bit(other)) && !wire_ring_id_equal(node->ring, other->ring)) {
            return true;
        }
    }
    return false;
}

/* No token comes round any more, be it that a member is there, but gathers. */
static bool loses_token(const struct node *node)
{
    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        const struct node *other = &node->cluster->nodes[i];

        if ((node->members & node_bit(other)) && !in_ring(other)) {
            return true;
        }
    }
    return is_broken(node);
}

bool model_totem_delivers(const struct node *node)
{
    return node->ring_state == RING_SYNC || (node->ring_state == RING_OPERATIONAL && !is_broken(node));
}

static bool can_merge(const struct node *node)
{
    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        const struct node *other = &node->cluster->nodes[i];

        if (!(node->members & node_bit(other)) && reaches(node, other) && other->ring_state != RING_DOWN) {
            return true;
        }
    }
    return false;
}

static void watch(struct node *node);

static void schedule_form(struct node *node, uint32_t after_ms)
{
    schedule_add(&node->world->schedule, node->world->now_ms + after_ms, on_form, node, node->boot, 0, 0);
}

static void enter_gather(struct node *node)
{
    const struct cluster_settings *settings = &node->cluster->settings;

    if (!in_ring(node)) {
        return;
    }
    NOTE(node->world, node, "gathers");
    node->ring_state = RING_GATHER;
    node->model.gather_ms = node->world->now_ms;
    node->model.pending_seq = 0;
    node->cluster->dirty = true;
    schedule_form(node, is_missing_somebody(node) ? settings->consensus_ms
                                                  : prng_between(&node->world->prng, 20, 120));
    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        struct node *other = &node->cluster->nodes[i];

        if (other != node && (other->members & node_bit(node))) {
            watch(other);
        }
    }
}

/* a: boot, b: ring seq, c: ring node id */
static bool still_there(const struct occurrence *occurrence)
{
    const struct node *node = occurrence->who;

    return node->boot == occurrence->a && node_responds(node) && in_ring(node) &&
           node->ring.seq == occurrence->b && node->ring.node_id == occurrence->c;
}

static void on_token_loss(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (still_there(occurrence) && loses_token(node)) {
        enter_gather(node);
    }
}

static void on_merge(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (still_there(occurrence) && can_merge(node)) {
        enter_gather(node);
    }
}

static void watch(struct node *node)
{
    struct world *world = node->world;
    uint32_t token_ms = node->cluster->settings.token_ms;

    if (!node_responds(node) || !in_ring(node)) {
        return;
    }
    if (loses_token(node)) {
        schedule_add(&world->schedule, world->now_ms + token_ms - prng_below(&world->prng, token_ms / 10 + 1),
                     on_token_loss, node, node->boot, node->ring.seq, node->ring.node_id);
    }
    if (can_merge(node)) {
        schedule_add(&world->schedule, world->now_ms + prng_between(&world->prng, 20, 400), on_merge, node,
                     node->boot, node->ring.seq, node->ring.node_id);
    }
}

void model_totem_topology_changed(struct sim_cluster *cluster)
{
    cluster->dirty = true;
    for (unsigned i = 0; i < cluster->node_count; i++) {
        watch(&cluster->nodes[i]);
    }
}

void model_totem_boot(struct node *node)
{
    node->ring_state = RING_GATHER;
    node->members = node_bit(node);
    node->ring = (struct wire_ring_id){node->id, node->model.ring_seq};
    node->model.gather_ms = node->world->now_ms;
    node->model.pending_seq = 0;
    node->first_ring = false;
    schedule_form(node, prng_between(&node->world->prng, 50, 50 + node->cluster->settings.consensus_ms));
}

void model_totem_stop(struct node *node)
{
    node->ring_state = RING_DOWN;
    node->cluster->dirty = true;
}

void model_totem_resumed(struct node *node, uint64_t since_ms)
{
    bool long_pause = node->world->now_ms - since_ms >= node->cluster->settings.token_ms / 2;

    if (node->ring_state == RING_GATHER) {
        node->model.pending_seq = 0; /* whatever was agreed upon meanwhile, it was without us */
        schedule_form(node, node->cluster->settings.consensus_ms);
        return;
    }
    if (in_ring(node) && mask_count(node->members) > 1 && (long_pause || is_broken(node))) {
        enter_gather(node); /* the token timer has run out, or joins of the others lie in the socket */
    } else if (node->ring_state == RING_SYNC) {
        model_totem_check_barrier(node); /* the others may have passed it */
    }
}

void model_totem_burst(struct node *node)
{
    if (node_responds(node)) {
        enter_gather(node);
    }
}

static void on_commit(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (!still_there(occurrence) || node->ring_state != RING_SYNC) {
        return;
    }
    node->ring_state = RING_OPERATIONAL;
    model_votequorum_commit(node);
}

void model_totem_check_barrier(struct node *node)
{
    struct world *world = node->world;
    struct sim_cluster *cluster = node->cluster;

    for (unsigned i = 0; i < cluster->node_count; i++) {
        const struct node *other = &cluster->nodes[i];

        if ((node->members & node_bit(other)) &&
            (!wire_ring_id_equal(other->ring, node->ring) || other->ring_state == RING_GATHER ||
             other->ring_state == RING_DOWN || other->view.sync_waiting)) {
            return;
        }
    }
    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct node *other = &cluster->nodes[i];

        if ((node->members & node_bit(other)) && other->ring_state == RING_SYNC) {
            schedule_add(&world->schedule, world->now_ms + prng_below(&world->prng, 6), on_commit, other,
                         other->boot, other->ring.seq, other->ring.node_id);
        }
    }
}

/* a: boot, b: ring seq, c: members in the low half, representative's node id above */
static void on_install(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    char text[64];

    if (node->boot != occurrence->a || !node_responds(node) || node->ring_state != RING_GATHER ||
        node->model.pending_seq != occurrence->b) {
        return;
    }
    node->ring_state = RING_SYNC;
    node->model.pending_seq = 0;
    node->members = (node_mask)occurrence->c;
    node->ring = (struct wire_ring_id){(uint32_t)(occurrence->c >> 32), occurrence->b};
    node->first_ring = true;
    node->cluster->dirty = true;
    NOTE(node->world, node, "ring %u.%llu {%s}", node->ring.node_id, (unsigned long long)node->ring.seq,
         mask_text(node->cluster, node->members, text));
    model_votequorum_on_ring(node);
    node_on_nodelist(node);
    model_totem_check_barrier(node);
    watch(node);
}

static void install(struct sim_cluster *cluster, node_mask set)
{
    struct world *world = cluster->world;
    uint64_t seq = 0;
    uint32_t representative = 0;

    for (unsigned i = 0; i < cluster->node_count; i++) {
        const struct node *node = &cluster->nodes[i];

        if (set & node_bit(node)) {
            representative = representative == 0 ? node->id : representative;
            seq = node->model.ring_seq > seq ? node->model.ring_seq : seq;
        }
    }
    seq += 4;
    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct node *node = &cluster->nodes[i];

        if (set & node_bit(node)) {
            node->model.ring_seq = seq;
            node->model.pending_seq = seq;
            schedule_add(&world->schedule, world->now_ms + prng_below(&world->prng, 30), on_install, node,
                         node->boot, seq, (uint64_t)representative << 32 | set);
        }
    }
}

static void on_burst(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->boot == occurrence->a) {
        model_totem_burst(node);
    }
}

static void on_form(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;
    struct sim_cluster *cluster = node->cluster;
    struct world *world = node->world;
    uint32_t consensus_ms = cluster->settings.consensus_ms;
    node_mask set = 0;
    bool wait = false;

    if (node->boot != occurrence->a || !node_responds(node) || node->ring_state != RING_GATHER ||
        node->model.pending_seq != 0) {
        return;
    }
    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct node *other = &cluster->nodes[i];

        if (!reaches(node, other) || other->ring_state == RING_DOWN) {
            continue;
        }
        if (in_ring(other)) {
            enter_gather(other); /* our join messages reach it */
        }
        set |= node_bit(other);
        /* A missing member of an old ring is given up only after the consensus timeout. */
        wait = wait || (is_missing_somebody(other) && world->now_ms < other->model.gather_ms + consensus_ms);
    }
    if (wait) {
        schedule_form(node, consensus_ms / 4);
        return;
    }
    if (mask_count(set) > 1 && prng_chance(&world->prng, 120)) {
        node_mask some = set & (node_mask)prng_next(&world->prng);

        if (some != 0 && some != set) {
            install(cluster, some);
            install(cluster, set & ~some);
            return; /* they will find each other and merge */
        }
    }
    install(cluster, set);
    if (prng_chance(&world->prng, 100)) {
        schedule_add(&world->schedule, world->now_ms + prng_between(&world->prng, 10, 600), on_burst, node,
                     node->boot, 0, 0);
    }
}
