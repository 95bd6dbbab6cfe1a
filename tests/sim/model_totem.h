/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How memberships come about in one cluster: a lost token is noticed after the token timeout, missing members
 * are given up after the consensus timeout, merging is quick; every ring has an id of its own; there are
 * intermediate rings and bursts. A node that gathers or synchronises serves nothing. (spec/totem-protocol.md,
 * abstractly.)
 */
#ifndef QUORATE_TESTS_SIM_TOTEM_H
#define QUORATE_TESTS_SIM_TOTEM_H

#include "tests/sim/world.h"

/* Nodes came, went, paused, or reach others than before. */
void model_totem_topology_changed(struct sim_cluster *cluster);
void model_totem_boot(struct node *node);
void model_totem_stop(struct node *node);
/* The machine stood still from `since_ms` until now. */
void model_totem_resumed(struct node *node, uint64_t since_ms);
/* A new ring with whoever is there, for no reason. */
void model_totem_burst(struct node *node);
/* Whether what the node sends to its ring is delivered at once. */
bool model_totem_delivers(const struct node *node);
/* votequorum's wait on a node has ended. */
void model_totem_check_barrier(struct node *node);

#endif
