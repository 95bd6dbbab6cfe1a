/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shell around the arbiter under test: sockets, one timer, a disk with one record per cluster. It can die
 * before and after every single action and every write, with its host or without, and comes back with what is
 * on the disk. Every instant at which it could die is counted, so that a test can go through all of them.
 */
#ifndef QUORATE_TESTS_SIM_ARBITER_HOST_H
#define QUORATE_TESTS_SIM_ARBITER_HOST_H

#include "tests/sim/network.h"
#include "tests/sim/world.h"

void arbiter_host_init(struct world *world);
void arbiter_host_fini(struct world *world);

void arbiter_host_start(struct world *world);
/* Dies at once. Comes back after host.restart_ms. */
void arbiter_host_crash(struct world *world, enum arbiter_crash kind);
/* SIGTERM: closes its sockets, comes back likewise. */
void arbiter_host_stop(struct world *world);
void arbiter_host_pause(struct world *world, uint32_t duration_ms);
/* While it is dead: what happens to its state. */
void arbiter_host_lose_disk(struct world *world);
void arbiter_host_damage_disk(struct world *world);

/* From the network. False: nobody listens. */
bool arbiter_host_on_syn(struct conn *conn);
void arbiter_host_on_chunk(struct conn *conn, const struct chunk *chunk);
bool arbiter_host_frozen(const struct world *world, uint64_t *until_ms);

#endif
