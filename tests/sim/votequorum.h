/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * votequorum on one node: node votes of the current membership, plus the device's votes while its own device
 * polls yes with the current ring id. On a membership change the old state stays frozen until every member's
 * device has polled or its wait has run out. (spec/votequorum.md sections 3 and 6.2.)
 */
#ifndef QUORATE_TESTS_SIM_VOTEQUORUM_H
#define QUORATE_TESTS_SIM_VOTEQUORUM_H

#include "tests/sim/world.h"

void votequorum_init(struct node *node);
void votequorum_boot(struct node *node);
void votequorum_register(struct node *node);
void votequorum_unregister(struct node *node);
/* A ring was installed; the synchronisation waits if a device is alive. */
void votequorum_on_ring(struct node *node);
/* The synchronisation is complete. */
void votequorum_commit(struct node *node);
/* The node has read a new configuration. */
void votequorum_on_config(struct node *node);
/* False: wrong ring id, no effect. */
bool votequorum_poll(struct node *node, bool cast, struct wire_ring_id ring);
uint32_t votequorum_device_votes(const struct node *node);

/* Serving and quorate, at this instant; and whether it would be without the device's vote. */
bool votequorum_effective(const struct node *node);
bool votequorum_needs_device(const struct node *node);

#endif
