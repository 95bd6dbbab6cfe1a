/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deliberate defects, for the simulator alone: it compiles the logic with QUORATE_MUTATIONS, switches one safety
 * rule off and must then find a violation. A check that no mutation can trip proves nothing. In every other build
 * MUTATION(x) is the constant false and leaves no trace in the objects.
 *
 * MUTATION(rule) is true where the rule is to be ignored: `if (holds_conflict(cluster) && !MUTATION(lease_wait))`.
 */
#ifndef QUORATE_COMMON_MUTATION_H
#define QUORATE_COMMON_MUTATION_H

#include <stdbool.h>

#ifdef QUORATE_MUTATIONS

enum mutation {
    MUTATION_none,
    /* The arbiter's. */
    MUTATION_losers_first, /* connected losers need not confirm their NACK before winners are told */
    MUTATION_lease_wait,   /* ghosts do not hold winners up: a holder's lease is not waited for */
    MUTATION_stable_view,  /* contradicting reports are decided at once */
    MUTATION_quarantine,   /* a start without trustworthy records grants like any other */
    MUTATION_accounted,    /* the caution after such a start ends with the first report, not when all have reported */
    MUTATION_persist_first, /* ACKs leave before the grant is recorded */
    /* The device's. */
    MUTATION_echo_pacing, /* echoes leave too seldom for the lease */
    MUTATION_lease_start, /* the lease begins with the answer, not with the request that was answered */
    MUTATION_lease_end,   /* the vote is cast one heartbeat interval beyond the lease */
    MUTATION_stale_ring,  /* a verdict for a ring that has passed counts for the present one */
    MUTATION_told_ring,   /* the voter, left alone, answers for the ring it was told of, not for the one there is */
    /* The core's. */
    MUTATION_consensus_wait, /* nodes that do not answer are given up at once */
    MUTATION_order_gap,      /* a message is delivered although one before it is missing */
    MUTATION_recovered,      /* what others send again of the old ring is not taken */
    MUTATION_sync_barrier,   /* a service is through as soon as one node says so */
    MUTATION_stale_poll,     /* votequorum takes a vote for a ring that has passed */
    MUTATION_device_gone     /* a vote stays although its device has not been heard of for too long */
};

extern enum mutation mutation_active; /* tests/sim */

#define MUTATION(rule) (mutation_active == MUTATION_##rule)

#else

#define MUTATION(rule) false

#endif

#endif
