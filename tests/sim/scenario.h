/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A random life of a world, from one seed: what clusters there are, what goes wrong and when, and how it
 * ends: all faults heal, except that some nodes may stay apart or without a path to the arbiter for good.
 * Then everybody who must be quorate has to be, within RECOVERY_BOUND, and stay so.
 */
#ifndef QUORATE_TESTS_SIM_SCENARIO_H
#define QUORATE_TESTS_SIM_SCENARIO_H

#include "tests/sim/world.h"

/* Builds the world of this seed and runs it to its end; world->failed tells how it went. */
void scenario_run(struct world *world, uint64_t seed, bool tracing);

/* Settings of a cluster with quorum.device.timeout T; the rest derived as the packaged programs do. */
void scenario_settings(struct cluster_settings *settings, enum wire_algorithm algorithm, uint32_t timeout_ms);

/* The longest that recovery may take after the last fault. */
uint64_t scenario_recovery_bound_ms(const struct sim_cluster *cluster);

/* From now on nothing changes any more: watches recovery, then ends the run. */
void scenario_settle(struct world *world);

/* For scenario_real.c. */
uint32_t scenario_some_time(struct world *world, const struct sim_cluster *cluster);
void scenario_note_state(struct world *world);

#endif
