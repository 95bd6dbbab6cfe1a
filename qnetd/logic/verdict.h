/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an algorithm sees and what it answers. A view is the committed state of one cluster: the partitions its
 * clients report, disjoint and in ascending order of their lowest reporting node, and what ranks them. An
 * algorithm is a pure function of a const view to a verdict; it sends nothing and remembers nothing, so the same
 * reports give the same verdict in whatever order they arrived. The what-if table calls the same functions.
 * (spec/arbitration.md sections 4, 6 and 11.4.)
 */
#ifndef QUORATE_QNETD_LOGIC_VERDICT_H
#define QUORATE_QNETD_LOGIC_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/node_set.h"
#include "common/wire/wire.h"

#define VERDICT_REASON_SIZE 256
#define VERDICT_NOBODY (-1)

struct view_partition {
    struct node_set members; /* what its clients report as their membership (owned by the view) */
    struct wire_ring_id ring;
    uint32_t reporting; /* of those, how many report to the arbiter */
    uint32_t pass;      /* reporting members whose heuristics pass */
    uint32_t fail;
    uint32_t lowest_reporting; /* node ids */
    uint32_t highest_reporting;
    bool incumbent; /* contains a node of the partition granted last */
};

struct view {
    enum wire_algorithm algorithm;
    struct wire_tie_breaker tie_breaker;
    const struct node_set *config; /* all configured nodes, as the clients agree on */
    bool keep_active_partition;    /* every reporting client wants it */
    bool majority_only;            /* the wait for agreement has run out: only a strict majority may win */
    bool config_disputed;          /* clients differ in it: who has a majority is not beyond doubt for all of them */
    bool recovering;               /* holders known from before a restart have not all returned: they go first */
    const struct view_partition *partitions;
    size_t partition_count;
};

/* How strong the winner's claim is: what delivery has to be careful about. */
enum verdict_rank {
    VERDICT_NONE,      /* nobody wins */
    VERDICT_EXCLUSIVE, /* safe only if no node outside the winner may still hold a vote */
    VERDICT_MAJORITY   /* ffsplit, more than half of the nodes: a vote left with others cannot make them quorate,
                          unless they go by another configuration */
};

struct verdict {
    int winner; /* index of the partition, or VERDICT_NOBODY */
    enum verdict_rank rank;
    char reason[VERDICT_REASON_SIZE]; /* "ffsplit: 2 against 2, tie-breaker lowest=1: ACK 1,2 NACK 3,4" */
};

/* Dispatches on view->algorithm. `test` has no view: it must not be asked. */
void verdict_decide(const struct view *view, struct verdict *verdict);

/* The algorithms. Preconditions: at least one partition, each with reporting > 0; disjoint unless majority_only. */
void ffsplit_decide(const struct view *view, struct verdict *verdict);
void lms_decide(const struct view *view, struct verdict *verdict);
void two_node_lms_decide(const struct view *view, struct verdict *verdict);

#endif
