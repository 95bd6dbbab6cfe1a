/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * votequorum on one node: node votes of the current membership, plus the device's votes while its own device
 * polls yes with the current ring id. On a membership change the old state stays frozen until every member's
 * device has polled or its wait has run out. (spec/votequorum.md sections 3 and 6.2.)
 */
#ifndef QUORATE_TESTS_SIM_MODEL_VOTEQUORUM_H
#define QUORATE_TESTS_SIM_MODEL_VOTEQUORUM_H

#include "tests/sim/world.h"

void model_votequorum_init(struct node *node);
void model_votequorum_boot(struct node *node);
void model_votequorum_register(struct node *node);
void model_votequorum_unregister(struct node *node);
/* A ring was installed; the synchronisation waits if a device is alive. */
void model_votequorum_on_ring(struct node *node);
/* The synchronisation is complete. */
void model_votequorum_commit(struct node *node);
/* The node has read a new configuration. */
void model_votequorum_on_config(struct node *node);
/* False: wrong ring id, no effect. */
bool model_votequorum_poll(struct node *node, bool cast, struct wire_ring_id ring);
uint32_t model_votequorum_device_votes(const struct node *node);

#endif
