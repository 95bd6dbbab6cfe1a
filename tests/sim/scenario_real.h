/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a random life (scenario.h, which calls all of this) has where clusters run the real core: weather on the LAN, nodes that
 * are not heard in one direction, clients of process groups that talk, come and go, machines that are shut down in order; and
 * at the end the question whether there is one ring again.
 */
#ifndef QUORATE_TESTS_SIM_SCENARIO_REAL_H
#define QUORATE_TESTS_SIM_SCENARIO_REAL_H

#include "tests/sim/world.h"

/* The cluster is new. */
void scenario_real_prepare(struct sim_cluster *cluster);
void scenario_real_fault(struct sim_cluster *cluster, struct node *node);
/* No more weather, and everybody is heard. */
void scenario_real_calm(struct sim_cluster *cluster);
/* From now on: LIVENESS of rings (README.md). */
void scenario_real_look(struct world *world);

#endif
