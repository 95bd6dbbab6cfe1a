/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Machines and processes: what starts, dies, stands still and comes back, and the glue between a device and
 * the models around it. Called by scenarios for faults, by the network and votequorum for deliveries.
 */
#ifndef QUORATE_TESTS_SIM_NODE_H
#define QUORATE_TESTS_SIM_NODE_H

#include "tests/sim/device.h"
#include "tests/sim/world.h"

void node_init(struct node *node);

void node_start(struct node *node);
/* Power off: nobody is told. */
void node_crash(struct node *node);
void node_pause(struct node *node, uint32_t duration_ms);
/* Real cores: kill -9 of the core alone; somebody starts it again, after the token timeout at the earliest. */
void node_core_kill(struct node *node, uint32_t away_ms);

/* The device process. Start is retried until the node has a ring. */
void node_device_start(struct node *node, uint32_t delay_ms);
void node_device_stop(struct node *node);                        /* SIGTERM */
void node_device_kill(struct node *node);                        /* SIGKILL */
void node_device_pause(struct node *node, uint32_t duration_ms); /* SIGSTOP ... SIGCONT */

/* A configuration change reaches the node. */
void node_set_config(struct node *node, node_mask config);
void node_set_heuristics(struct node *node, enum wire_heuristics result);

/* Whether what is meant for this node must wait; if so until when. */
bool node_frozen(const struct node *node, uint64_t *until_ms);
bool node_device_frozen(const struct node *node, uint64_t *until_ms);

/* Deliveries to the device. */
void node_on_nodelist(struct node *node); /* and to its voter */
void node_device_on_nodelist(struct node *node, struct wire_ring_id ring, node_mask members);
void node_on_quorum(struct node *node);
void node_device_on_quorum(struct node *node, bool quorate);
void node_on_cast_done(struct node *node, uint64_t sequence);
void node_on_connected(struct conn *conn);
void node_on_secured(struct conn *conn);
void node_on_bytes(struct conn *conn, const uint8_t *bytes, size_t size);
void node_on_closed(struct conn *conn);

#endif
