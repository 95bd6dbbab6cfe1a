/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The corosync.conf of a node with the real core, made from what the simulation knows of its cluster, and read by
 * core/config.
 */
#ifndef QUORATE_TESTS_SIM_STACK_CONFIG_H
#define QUORATE_TESTS_SIM_STACK_CONFIG_H

#include "tests/sim/world.h"
#include "tests/unit/config_host.h"

/* What the node's configuration says of its nodes is node->config. live: the keys of the running core, or NULL. Never NULL:
 * what cannot be read is a defect of ours. */
struct config_host_loaded *stack_config_load(const struct node *node, const struct cmap_store *live);
void stack_config_free(struct config_host_loaded *loaded);

#endif
