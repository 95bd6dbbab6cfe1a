/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clusters that fall apart, for the tests of the algorithms: a split says which nodes are together, who reports to
 * the arbiter with which heuristics and who held the vote before; it is turned into the view an algorithm gets, and
 * all splits of a few nodes can be gone through. Nodes are named by their index, 0 .. node_count - 1; sets of them
 * are bit masks. Used by test_ranking, test_ffsplit and test_lms; nothing here outlives its caller's structs.
 */
#ifndef QUORATE_TESTS_UNIT_SPLIT_H
#define QUORATE_TESTS_UNIT_SPLIT_H

#include "qnetd/logic/verdict.h"

#define SPLIT_NODES_MAX 6
#define SPLIT_GROUPS_MAX 4

struct split {
    enum wire_algorithm algorithm;
    struct wire_tie_breaker tie_breaker;
    bool keep_active_partition;
    bool majority_only;
    bool recovering;
    uint32_t node_count;
    uint32_t ids[SPLIT_NODES_MAX]; /* node ids, any order; split_init numbers them 1, 2, ... */
    uint32_t group_count;
    uint32_t group_of[SPLIT_NODES_MAX];
    uint32_t reporting; /* who reports to the arbiter */
    enum wire_heuristics heuristics[SPLIT_NODES_MAX];
    uint32_t granted; /* who was in the partition granted last */
};

struct split_view {
    struct view view;
    struct node_set config;
    uint32_t config_ids[SPLIT_NODES_MAX];
    struct view_partition partitions[SPLIT_GROUPS_MAX];
    uint32_t ids[SPLIT_GROUPS_MAX][SPLIT_NODES_MAX];
};

/* One group, all report, heuristics undefined, nobody granted, tie-breaker lowest. */
void split_init(struct split *split, enum wire_algorithm algorithm, uint32_t node_count);

/*
 * Nodes 1, 2, ... as written: U, P, F for heuristics undefined, pass, fail, D for one that does not report; '|'
 * between groups, '*' before a node that was granted last. "*UP|FD".
 */
void split_parse(struct split *split, enum wire_algorithm algorithm, const char *text);

/* The view of it: groups in which nobody reports are not in it; the others in order of their lowest reporting id. */
void split_to_view(const struct split *split, struct split_view *out);

/* What the algorithm decides, as a mask; 0: nobody. Fills `verdict`. */
uint32_t split_decide(const struct split *split, struct verdict *verdict);

uint32_t split_group(const struct split *split, uint32_t group);
uint32_t split_bits(uint32_t mask);

/* Calls visit for each way to put the nodes into 1 .. SPLIT_GROUPS_MAX groups, for each set of reporting nodes. */
void split_each(struct split *split, void (*visit)(struct split *split));

/* Calls visit for each combination of heuristics of the reporting nodes. */
void split_each_heuristics(struct split *split, void (*visit)(struct split *split));

/* Calls visit for each tie-breaker: lowest, highest, each node, and one that is no node. */
void split_each_tie_breaker(struct split *split, void (*visit)(struct split *split));

/* Calls visit with nobody, each group, one node of each group, and everybody as granted last; flag off and on. */
void split_each_history(struct split *split, void (*visit)(struct split *split));

#endif
