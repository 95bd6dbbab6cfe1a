/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What-if: all cases are there, once; cases that are called alike are; and what the table says is true of votes and
 * quorum. (spec/arbitration.md section 1.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "qnetd/what_if.h"

#define FF WIRE_ALGORITHM_FFSPLIT
#define LMS WIRE_ALGORITHM_LMS

static struct what_if_cluster make(enum wire_algorithm algorithm, uint32_t nodes, uint32_t partitions_max)
{
    struct what_if_cluster cluster = {.algorithm = algorithm,
                                      .tie_breaker = {WIRE_TIE_BREAKER_LOWEST, 0},
                                      .node_count = nodes,
                                      .device_votes = algorithm == FF ? 1 : nodes - 1,
                                      .partitions_max = partitions_max};

    for (uint32_t i = 0; i < nodes; i++) {
        cluster.node_ids[i] = i + 1;
        cluster.votes[i] = 1;
    }
    return cluster;
}

static uint32_t bits(uint32_t mask)
{
    uint32_t count = 0;

    for (; mask != 0; mask &= mask - 1)
        count++;
    return count;
}

/* ---- completeness ---- */

/* Ways to put n nodes into k groups. */
static uint64_t groupings(uint32_t n, uint32_t k)
{
    if (k == 0 || k > n)
        return n == 0 && k == 0;
    return groupings(n - 1, k - 1) + k * groupings(n - 1, k);
}

/* Each group reaches the arbiter, does not, or is down; at most one is down, and not all. */
static uint64_t states(uint32_t k)
{
    return (UINT64_C(1) << k) + k * (UINT64_C(1) << (k - 1)) - (k == 1);
}

static void every_way_to_fall_apart_is_there_once(void **state)
{
    (void)state;
    for (uint32_t nodes = 1; nodes <= 6; nodes++)
        for (uint32_t partitions = 1; partitions <= WHAT_IF_PARTITIONS_MAX; partitions++) {
            struct what_if_cluster cluster = make(FF, nodes, partitions);
            struct what_if_table table;
            uint64_t expected = 0;

            for (uint32_t k = 1; k <= partitions; k++)
                expected += k <= nodes ? groupings(nodes, k) * states(k) : 0;
            assert_int_equal(what_if_enumerate(&cluster, true, &table), Q_OK);
            assert_int_equal(table.count, expected);
            for (uint32_t i = 0; i < table.count; i++) {
                uint32_t seen = 0;

                for (uint32_t p = 0; p < table.cases[i].partition_count; p++) {
                    assert_int_equal(seen & table.cases[i].partitions[p].nodes, 0);
                    assert_true(table.cases[i].partitions[p].nodes != 0);
                    seen |= table.cases[i].partitions[p].nodes;
                }
                assert_int_equal(seen, (1u << nodes) - 1);
            }
            what_if_table_fini(&table);
        }
}

/* ---- cases that are alike ---- */

/* What an administrator cares about in a case, whichever nodes they are: one number per group, sorted. */
struct outcome {
    uint64_t groups[WHAT_IF_PARTITIONS_MAX];
};

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static struct outcome outcome_of(const struct what_if_cluster *cluster, const struct what_if_case *c)
{
    struct outcome outcome = {{0}};

    for (uint32_t i = 0; i < c->partition_count; i++) {
        const struct what_if_partition *p = &c->partitions[i];
        uint64_t votes = 0;

        for (uint32_t node = 0; node < cluster->node_count; node++)
            votes += (p->nodes >> node & 1) != 0 ? cluster->votes[node] : 0;
        outcome.groups[i] = ((uint64_t)p->state + 1) << 48 | votes << 16 | bits(p->nodes) << 8 |
                            (uint64_t)p->has_vote << 1 | p->quorate;
    }
    qsort(outcome.groups, WHAT_IF_PARTITIONS_MAX, sizeof(outcome.groups[0]), compare_numbers);
    return outcome;
}

static struct outcome *outcomes_of(const struct what_if_cluster *cluster, const struct what_if_table *table)
{
    struct outcome *outcomes = calloc(table->count, sizeof(*outcomes));

    assert_non_null(outcomes);
    for (uint32_t i = 0; i < table->count; i++)
        outcomes[i] = outcome_of(cluster, &table->cases[i]);
    return outcomes;
}

static uint32_t count(const struct what_if_table *table, const struct outcome *outcomes, const struct outcome *wanted)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i < table->count; i++)
        total += memcmp(&outcomes[i], wanted, sizeof(*wanted)) == 0 ? table->cases[i].like : 0;
    return total;
}

/* The short table stands for the long one: every outcome as often as it says. */
static void check_alike(const struct what_if_cluster *cluster)
{
    struct what_if_table all;
    struct what_if_table some;
    struct outcome *of_all;
    struct outcome *of_some;

    assert_int_equal(what_if_enumerate(cluster, true, &all), Q_OK);
    assert_int_equal(what_if_enumerate(cluster, false, &some), Q_OK);
    assert_true(some.count <= all.count);
    of_all = outcomes_of(cluster, &all);
    of_some = outcomes_of(cluster, &some);
    for (uint32_t i = 0; i < all.count; i++) {
        assert_int_equal(all.cases[i].like, 1);
        assert_int_equal(count(&all, of_all, &of_all[i]), count(&some, of_some, &of_all[i]));
    }
    free(of_all);
    free(of_some);
    what_if_table_fini(&all);
    what_if_table_fini(&some);
}

static void cases_called_alike_have_the_same_outcome(void **state)
{
    static const struct wire_tie_breaker tie_breakers[] = {{WIRE_TIE_BREAKER_LOWEST, 0},
                                                           {WIRE_TIE_BREAKER_HIGHEST, 0},
                                                           {WIRE_TIE_BREAKER_NODE_ID, 3},
                                                           {WIRE_TIE_BREAKER_NODE_ID, 99}};
    static const uint32_t votes[3][5] = {{1, 1, 1, 1, 1}, {1, 1, 1, 1, 3}, {2, 1, 2, 1, 1}};
    static const enum wire_heuristics heuristics[2][5] = {
        {WIRE_HEURISTICS_UNDEFINED},
        {WIRE_HEURISTICS_PASS, WIRE_HEURISTICS_FAIL, WIRE_HEURISTICS_PASS, WIRE_HEURISTICS_PASS, WIRE_HEURISTICS_FAIL}};

    (void)state;
    for (uint32_t nodes = 2; nodes <= 5; nodes++)
        for (int t = 0; t < 4; t++)
            for (int v = 0; v < 3; v++)
                for (int h = 0; h < 2; h++) {
                    struct what_if_cluster cluster = make(FF, nodes, 3);

                    for (int both = 0; both < 2; both++) {
                        cluster.algorithm = both == 0 ? FF : LMS;
                        cluster.tie_breaker = tie_breakers[t];
                        memcpy(cluster.votes, votes[v], nodes * sizeof(votes[v][0]));
                        memcpy(cluster.heuristics, heuristics[h], nodes * sizeof(heuristics[h][0]));
                        check_alike(&cluster);
                    }
                }
}

/* ---- truth ---- */

static void check_case(const struct what_if_cluster *cluster, const struct what_if_table *table,
                       const struct what_if_case *c)
{
    uint32_t votes_given = 0;
    uint32_t quorate = 0;
    bool reached = false;

    for (uint32_t i = 0; i < c->partition_count; i++) {
        const struct what_if_partition *p = &c->partitions[i];
        uint32_t own = bits(p->nodes);

        reached = reached || p->state == WHAT_IF_REACHES;
        votes_given += p->has_vote;
        quorate += p->quorate;
        assert_true(!p->has_vote || p->state == WHAT_IF_REACHES);
        assert_true(!p->quorate || p->state != WHAT_IF_DOWN);
        if (p->state != WHAT_IF_DOWN) {
            assert_int_equal(p->votes, own + (p->has_vote ? cluster->device_votes : 0));
            assert_int_equal(p->quorate, p->votes >= table->quorum);
        }
        /* More than half of an even cluster needs nobody. */
        if (cluster->algorithm == FF && cluster->node_count % 2 == 0 && p->state != WHAT_IF_DOWN &&
            2 * own > cluster->node_count)
            assert_true(p->quorate);
        /* The whole point of lms: whoever has the vote is quorate. */
        assert_true(cluster->algorithm != LMS || !p->has_vote || p->quorate);
    }
    assert_true(votes_given <= 1);
    assert_true(quorate <= 1);
    assert_int_equal(c->reason[0] != '\0', reached);
    assert_true(cluster->algorithm != LMS || votes_given == reached);
}

static void never_are_two_groups_quorate(void **state)
{
    (void)state;
    for (uint32_t nodes = 1; nodes <= 6; nodes++)
        for (int algorithm = 0; algorithm < 2; algorithm++)
            for (int mode = WIRE_TIE_BREAKER_LOWEST; mode <= WIRE_TIE_BREAKER_NODE_ID; mode++) {
                struct what_if_cluster cluster = make(algorithm == 0 ? FF : LMS, nodes, WHAT_IF_PARTITIONS_MAX);
                struct what_if_table table;

                cluster.tie_breaker.mode = (enum wire_tie_breaker_mode)mode;
                cluster.tie_breaker.node_id = mode == WIRE_TIE_BREAKER_NODE_ID ? nodes : 0;
                assert_int_equal(what_if_enumerate(&cluster, true, &table), Q_OK);
                for (uint32_t i = 0; i < table.count; i++)
                    check_case(&cluster, &table, &table.cases[i]);
                what_if_table_fini(&table);
            }
}

/* The table of section 1. */
static void quorum_is_what_votequorum_makes_of_it(void **state)
{
    (void)state;
    for (uint32_t nodes = 2; nodes <= WHAT_IF_NODES_MAX; nodes++) {
        struct what_if_cluster cluster = make(FF, nodes, 1);
        struct what_if_table table;

        assert_int_equal(what_if_enumerate(&cluster, false, &table), Q_OK);
        assert_int_equal(table.expected_votes, nodes + 1);
        assert_int_equal(table.quorum, (nodes % 2 == 0 ? nodes / 2 : (nodes + 1) / 2) + 1);
        what_if_table_fini(&table);
        cluster = make(LMS, nodes, 1);
        assert_int_equal(what_if_enumerate(&cluster, false, &table), Q_OK);
        assert_int_equal(table.expected_votes, 2 * nodes - 1);
        assert_int_equal(table.quorum, nodes);
        what_if_table_fini(&table);
    }
}

/* Two nodes, ffsplit, tie-breaker lowest, as an administrator would read it. */
static void two_nodes_by_heart(void **state)
{
    static const struct {
        uint32_t partition_count;
        enum what_if_state states[2];
        uint32_t quorate; /* mask of groups */
    } expected[] = {
        {1, {WHAT_IF_REACHES}, 1},
        {1, {WHAT_IF_CUT_OFF}, 1}, /* together they need nobody */
        {2, {WHAT_IF_REACHES, WHAT_IF_REACHES}, 1},
        {2, {WHAT_IF_REACHES, WHAT_IF_CUT_OFF}, 1},
        {2, {WHAT_IF_REACHES, WHAT_IF_DOWN}, 1},
        {2, {WHAT_IF_CUT_OFF, WHAT_IF_REACHES}, 2},
        {2, {WHAT_IF_CUT_OFF, WHAT_IF_CUT_OFF}, 0},
        {2, {WHAT_IF_CUT_OFF, WHAT_IF_DOWN}, 0},
        {2, {WHAT_IF_DOWN, WHAT_IF_REACHES}, 2},
        {2, {WHAT_IF_DOWN, WHAT_IF_CUT_OFF}, 0},
    };
    struct what_if_cluster cluster = make(FF, 2, 2);
    struct what_if_table table;

    (void)state;
    assert_int_equal(what_if_enumerate(&cluster, true, &table), Q_OK);
    assert_int_equal(table.count, sizeof(expected) / sizeof(expected[0]));
    for (uint32_t i = 0; i < table.count; i++) {
        assert_int_equal(table.cases[i].partition_count, expected[i].partition_count);
        for (uint32_t p = 0; p < expected[i].partition_count; p++) {
            assert_int_equal(table.cases[i].partitions[p].state, expected[i].states[p]);
            assert_int_equal(table.cases[i].partitions[p].quorate, expected[i].quorate >> p & 1);
        }
    }
    what_if_table_fini(&table);
}

/* The largest there is, so that no field of a case is too small. */
static void sixteen_nodes_are_no_problem(void **state)
{
    struct what_if_cluster cluster = make(LMS, WHAT_IF_NODES_MAX, 2);
    struct what_if_table table;
    uint64_t total = 0;

    (void)state;
    for (uint32_t i = 0; i < WHAT_IF_NODES_MAX; i++) {
        cluster.node_ids[i] = UINT32_MAX - WHAT_IF_NODES_MAX + i;
        cluster.heuristics[i] = i % 2 == 0 ? WIRE_HEURISTICS_PASS : WIRE_HEURISTICS_FAIL;
    }
    assert_int_equal(what_if_enumerate(&cluster, false, &table), Q_OK);
    for (uint32_t i = 0; i < table.count; i++)
        total += table.cases[i].like;
    assert_int_equal(total, states(1) + groupings(WHAT_IF_NODES_MAX, 2) * states(2));
    what_if_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_fall_apart_is_there_once),
        cmocka_unit_test(cases_called_alike_have_the_same_outcome),
        cmocka_unit_test(never_are_two_groups_quorate),
        cmocka_unit_test(quorum_is_what_votequorum_makes_of_it),
        cmocka_unit_test(two_nodes_by_heart),
        cmocka_unit_test(sixteen_nodes_are_no_problem),
    };

    return cmocka_run_group_tests_name("what if", tests, NULL, NULL);
}
