/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the clusters of the fleet report, and whether the arbiter's answers are right: the winner must be the tie-breaker's
 * choice, and no node may get its ACK while the other half has not confirmed a NACK. Used by the devices (votes that
 * came in) and by the phases (splits and merges).
 */
#ifndef QUORATE_TESTS_BENCH_VERDICT_H
#define QUORATE_TESTS_BENCH_VERDICT_H

#include "tests/bench/fleet.h"

/* A new membership for the cluster: each node alone, or both together again. The reports are still to be sent. */
void cluster_change(struct cluster *cluster, bool split);

/* One node reports the present membership; note the time, for the last one counts. */
void cluster_report(struct fleet *fleet, struct cluster *cluster, unsigned node_index);

/* A device has taken over an ACK or NACK for its present ring, and confirmed it if it had to. */
void cluster_on_vote(struct fleet *fleet, struct cluster *cluster, struct device *device);

#endif
