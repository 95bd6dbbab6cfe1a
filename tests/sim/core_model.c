/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/core.h"
#include "tests/sim/model_totem.h"
#include "tests/sim/model_votequorum.h"
#include "tests/sim/node.h"

static void init(struct node *node)
{
    node->model.ring_seq = 4 * prng_below(&node->world->prng, 5);
    model_votequorum_init(node);
}

static void fini(struct node *node)
{
    (void)node;
}

static void boot(struct node *node)
{
    model_votequorum_boot(node);
    model_totem_boot(node);
}

static void stop(struct node *node)
{
    model_votequorum_boot(node);
    model_totem_stop(node);
}

static void resumed(struct node *node, uint64_t since_ms)
{
    model_totem_resumed(node, since_ms);
}

static void resumed_later(struct node *node)
{
    if (node->model.timer.due_ms <= node->world->now_ms) {
        node->model.timer.due_ms = SIM_NEVER;
        node->model.timer.fn(node);
    }
}

static bool has_told_ring(const struct node *node)
{
    (void)node;
    return true;
}

static bool attach(struct node *node)
{
    model_votequorum_register(node);
    return true;
}

static void track(struct node *node)
{
    node_on_nodelist(node);
    if (node->ring_state == RING_OPERATIONAL) {
        node_on_quorum(node);
    }
}

static void detach(struct node *node)
{
    (void)node;
}

const struct core_ops core_model = {
    .name = "modelled",
    .init = init,
    .fini = fini,
    .boot = boot,
    .stop = stop,
    .resumed = resumed,
    .resumed_later = resumed_later,
    .topology_changed = model_totem_topology_changed,
    .burst = model_totem_burst,
    .on_config = model_votequorum_on_config,
    .has_told_ring = has_told_ring,
    .attach = attach,
    .track = track,
    .detach = detach,
    .unregister = model_votequorum_unregister,
    .poll = model_votequorum_poll,
};
