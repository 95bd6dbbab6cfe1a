/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which half survives? Answers without any daemon, by the very functions that vote: enumerates how a cluster can
 * fall apart (who sees whom, who reaches the arbiter, who is down) and works out the vote and the quorum in each case.
 * Pure; called by what_if_main.c and by tests. Histories are left out: nobody held the vote before.
 */
#ifndef QUORATE_QNETD_WHAT_IF_H
#define QUORATE_QNETD_WHAT_IF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/wire/wire.h"
#include "qnetd/logic/verdict.h"

#define WHAT_IF_NODES_MAX 16
#define WHAT_IF_PARTITIONS_MAX 4

enum what_if_state {
    WHAT_IF_REACHES,  /* the partition's nodes run and reach the arbiter */
    WHAT_IF_CUT_OFF,  /* they run and do not reach it */
    WHAT_IF_DOWN      /* they do not run */
};

struct what_if_cluster {
    enum wire_algorithm algorithm;
    struct wire_tie_breaker tie_breaker;
    uint32_t node_count; /* 1 .. WHAT_IF_NODES_MAX */
    uint32_t node_ids[WHAT_IF_NODES_MAX]; /* ascending */
    uint32_t votes[WHAT_IF_NODES_MAX];
    enum wire_heuristics heuristics[WHAT_IF_NODES_MAX];
    uint32_t device_votes;
    uint32_t partitions_max; /* 1 .. WHAT_IF_PARTITIONS_MAX */
};

struct what_if_partition {
    uint32_t nodes; /* bit i: node_ids[i] */
    enum what_if_state state;
    uint32_t votes; /* its nodes' votes, the device's included if it has it */
    bool has_vote;  /* the arbiter's */
    bool quorate;
};

struct what_if_case {
    uint32_t partition_count;
    struct what_if_partition partitions[WHAT_IF_PARTITIONS_MAX];
    uint64_t features[WHAT_IF_PARTITIONS_MAX]; /* what matters of it, outcome included; sorted */
    uint32_t like; /* how many cases, this one included, differ only in nodes that are alike */
    char reason[VERDICT_REASON_SIZE]; /* the arbiter's; empty if nobody reaches it */
};

struct what_if_table {
    struct what_if_case *cases;
    uint32_t count;
    uint32_t capacity;
    uint32_t expected_votes;
    uint32_t quorum;
};

/* All cases; `every`: also those that differ only in nodes that are alike. Q_ERR_NO_MEMORY. */
enum q_err what_if_enumerate(const struct what_if_cluster *cluster, bool every, struct what_if_table *table);
void what_if_table_fini(struct what_if_table *table);

/* `corosync-qnetd-tool --what-if ...`: argv[0] is the program, argv[1] is "--what-if". The exit status. */
int what_if_main(int argc, char **argv);

#endif
