/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The real core behind the seam (core.h): a whole node of core/stack per machine, its datagrams on the LAN (lan.h), and its
 * clients in the bytes of their libraries. Three kinds of clients: one of votequorum from the first synchronisation on,
 * which sees what anybody on the node can see and through which the voter polls (the "keeper"); the device's, that registers
 * and tracks as qdevice/core_votequorum.c does; and one of process groups (cpg_client.h). What a machine keeps on disk
 * survives its crashes here: the number of its newest ring.
 */
#ifndef QUORATE_TESTS_SIM_CORE_STACK_H
#define QUORATE_TESTS_SIM_CORE_STACK_H

#include "tests/sim/core.h"

extern const struct core_ops core_stack;

/* Scenarios: the node's client of process groups. */
void core_stack_client_start(struct node *node);
void core_stack_client_kill(struct node *node);
/* So many messages; fewer if the node is not in a position to take them. */
void core_stack_client_send(struct node *node, unsigned count);

/* The machine is shut down in order: its core says goodbye, then it is off. */
void core_stack_leave(struct node *node);

/* From the last fault to one ring of all who hear each other. */
uint64_t core_stack_reform_bound_ms(const struct sim_cluster *cluster);
/* Is there one? `why` says who is not in it. */
bool core_stack_is_reformed(const struct sim_cluster *cluster, char *why, size_t size);

#endif
