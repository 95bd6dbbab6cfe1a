/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam between a node and its membership core. Two cores sit behind it: a modelled one, which also stands for the
 * packaged daemon (model_totem.h, model_votequorum.h), and the real one (core_stack.c: core/stack, with the bytes of its
 * datagrams and clients). All nodes of a cluster have the same. A core keeps the node's ring_state, members, ring,
 * first_ring and view up to date, and tells of news by node_on_nodelist and node_on_quorum.
 */
#ifndef QUORATE_TESTS_SIM_CORE_H
#define QUORATE_TESTS_SIM_CORE_H

#include "tests/sim/world.h"

struct core_ops {
    const char *name;
    void (*init)(struct node *node); /* once; the node does not run */
    void (*fini)(struct node *node); /* at the end of the run */
    void (*boot)(struct node *node);
    void (*stop)(struct node *node); /* power off */
    /* The machine stood still from `since_ms` until now. Everything whose time has passed happens before anybody gets to
     * see the node. */
    void (*resumed)(struct node *node, uint64_t since_ms);
    /* A moment later, when those have had their turn who were about to poll: what else of votequorum is due. */
    void (*resumed_later)(struct node *node);
    /* Nodes came, went, paused, or reach others than before. */
    void (*topology_changed)(struct sim_cluster *cluster);
    void (*burst)(struct node *node); /* a new ring with whoever is there, for no reason */
    void (*on_config)(struct node *node); /* the node has read a new configuration */

    /* False for a moment: votequorum is on a new ring already, and has not told anybody. */
    bool (*has_told_ring)(const struct node *node);

    /* The device's way to votequorum. */
    bool (*attach)(struct node *node); /* register; false: not yet, ask again */
    void (*track)(struct node *node);  /* from now on it is told of the ring and of quorum, beginning with what is now */
    void (*detach)(struct node *node); /* its process is gone */
    void (*unregister)(struct node *node);
    /* False: wrong ring id, no effect. */
    bool (*poll)(struct node *node, bool cast, struct wire_ring_id ring);
};

extern const struct core_ops core_model;

#endif
