/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The verdicts of lms and 2nodelms, for every way in which one to six nodes can fall apart: against the rules of the
 * safe engine, the specification's tables, and the packaged arbiter's mistakes. (spec/arbitration.md sections 5, 6,
 * 7.3, 7.4, 10 and 11.4.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/split.h"

#define LMS WIRE_ALGORITHM_LMS
#define TWO WIRE_ALGORITHM_2NODELMS

static struct verdict verdict;

/* ---- the rules: narrow down who is left until one is ---- */

struct group {
    int score;
    int size;
    bool held;
    uint32_t lowest; /* reporting ids */
    uint32_t highest;
    bool named; /* contains the tie-breaker's node */
};

static struct group look_at(const struct split *split, uint32_t index)
{
    struct group group = {.lowest = UINT32_MAX};
    uint32_t members = split_group(split, index);

    group.held = (members & split->granted) != 0;
    for (uint32_t i = 0; i < split->node_count; i++) {
        if ((members >> i & 1) == 0)
            continue;
        group.named = group.named || split->ids[i] == split->tie_breaker.node_id;
        if ((split->reporting >> i & 1) == 0)
            continue;
        group.size++;
        group.score += split->heuristics[i] == WIRE_HEURISTICS_PASS   ? 2
                       : split->heuristics[i] == WIRE_HEURISTICS_FAIL ? 0
                                                                      : 1;
        group.lowest = split->ids[i] < group.lowest ? split->ids[i] : group.lowest;
        group.highest = split->ids[i] > group.highest ? split->ids[i] : group.highest;
    }
    return group;
}

enum step { STEP_RECOVERY, STEP_SCORE, STEP_SIZE, STEP_HELD, STEP_TIE, STEP_LOWEST, STEP_COUNT };

static int64_t value(const struct split *split, const struct group *group, enum step step)
{
    switch (step) {
    case STEP_RECOVERY:
        return split->recovering && group->held;
    case STEP_SCORE:
        return group->score;
    case STEP_SIZE:
        return group->size;
    case STEP_HELD:
        return split->keep_active_partition && group->held;
    case STEP_TIE:
        if (split->tie_breaker.mode == WIRE_TIE_BREAKER_NODE_ID)
            return group->named;
        return split->tie_breaker.mode == WIRE_TIE_BREAKER_LOWEST ? -(int64_t)group->lowest : (int64_t)group->highest;
    case STEP_LOWEST:
        return -(int64_t)group->lowest;
    case STEP_COUNT:
        break;
    }
    return 0;
}

static uint32_t expected(const struct split *split)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < split->group_count; i++) {
        uint32_t members = split_group(split, i);

        if ((members & split->reporting) != 0 &&
            (!split->majority_only || 2 * split_bits(members) > split->node_count))
            left |= 1u << i;
    }
    for (int step = 0; step < STEP_COUNT && split_bits(left) > 1; step++) {
        int64_t best = INT64_MIN;
        uint32_t still = 0;

        for (uint32_t i = 0; i < split->group_count; i++) {
            struct group group = look_at(split, i);
            int64_t it = value(split, &group, (enum step)step);

            if ((left >> i & 1) == 0 || it < best)
                continue;
            still = it > best ? 0 : still;
            still |= 1u << i;
            best = it;
        }
        left = still;
    }
    for (uint32_t i = 0; i < split->group_count; i++)
        if ((left >> i & 1) != 0)
            return split_group(split, i);
    return 0;
}

/* ---- all splits ---- */

static void check(struct split *split)
{
    uint32_t winner = split_decide(split, &verdict);

    assert_int_equal(winner, expected(split));
    assert_true(winner != 0 || split->majority_only); /* somebody always wins */
    /* Any other vote still in force could make its holder quorate. */
    assert_int_equal(verdict.rank, winner != 0 ? VERDICT_EXCLUSIVE : VERDICT_NONE);
}

static void check_tie_breakers(struct split *split)
{
    split_each_tie_breaker(split, check);
}

static void check_histories(struct split *split)
{
    split_each_history(split, check_tie_breakers);
}

static void check_heuristics(struct split *split)
{
    split_each_heuristics(split, check_histories);
}

static void every_split_is_decided_by_the_rules(void **state)
{
    struct split split;

    (void)state;
    for (uint32_t nodes = 1; nodes <= 4; nodes++) {
        split_init(&split, LMS, nodes);
        split_each(&split, check_heuristics);
    }
    for (uint32_t nodes = 5; nodes <= SPLIT_NODES_MAX; nodes++) {
        split_init(&split, LMS, nodes);
        split_each(&split, nodes == 5 ? check_histories : check_tie_breakers);
    }
}

static void two_nodes_are_decided_by_the_same_rules(void **state)
{
    struct split split;

    (void)state;
    split_init(&split, TWO, 2);
    split_each(&split, check_heuristics);
    split_init(&split, TWO, 2);
    split.recovering = true;
    split_each(&split, check_heuristics);
}

static void every_split_after_a_restart_is_decided_by_the_rules(void **state)
{
    struct split split;

    (void)state;
    for (uint32_t nodes = 1; nodes <= 4; nodes++) {
        split_init(&split, LMS, nodes);
        split.recovering = true;
        split_each(&split, check_heuristics);
    }
}

static void u15_without_agreement_only_a_strict_majority_wins(void **state)
{
    struct split split;

    (void)state;
    for (uint32_t nodes = 1; nodes <= SPLIT_NODES_MAX; nodes++) {
        split_init(&split, LMS, nodes);
        split.majority_only = true;
        split_each(&split, nodes <= 4 ? check_histories : check_tie_breakers);
    }
}

/* ---- the specification's tables ---- */

struct line {
    const char *split;
    enum wire_tie_breaker_mode mode;
    uint32_t node;
    uint32_t winner; /* mask */
};

/* Keep-active-partition is always on for lms, as view_build makes it. */
static void check_lines(enum wire_algorithm algorithm, const struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct split split;

        split_parse(&split, algorithm, lines[i].split);
        split.tie_breaker = (struct wire_tie_breaker){lines[i].mode, lines[i].node};
        split.keep_active_partition = true;
        if (split_decide(&split, &verdict) != lines[i].winner)
            fail_msg("line %zu, %s: %s", i, lines[i].split, verdict.reason);
    }
}

static void table_7_3_groups_with_known_rings(void **state)
{
    static const struct line lines[] = {
        {"U", WIRE_TIE_BREAKER_LOWEST, 0, 1},          /* one group: ACK everyone */
        {"FFF", WIRE_TIE_BREAKER_NODE_ID, 99, 7},
        {"DDU", WIRE_TIE_BREAKER_LOWEST, 0, 7},
        {"*U|U", WIRE_TIE_BREAKER_HIGHEST, 0, 1},      /* the vote does not move to a newcomer (S25) ... */
        {"*U|UU", WIRE_TIE_BREAKER_HIGHEST, 0, 6},     /* ... of the same strength */
        {"U|UU", WIRE_TIE_BREAKER_LOWEST, 0, 6},       /* highest score (S20) */
        {"P|FF", WIRE_TIE_BREAKER_HIGHEST, 0, 1},
        {"P|UU", WIRE_TIE_BREAKER_LOWEST, 0, 6},       /* then size */
        {"UU|UU", WIRE_TIE_BREAKER_LOWEST, 0, 3},      /* then tie-breaker (S22) */
        {"UU|UU", WIRE_TIE_BREAKER_HIGHEST, 0, 12},
    };

    (void)state;
    check_lines(LMS, lines, sizeof(lines) / sizeof(lines[0]));
}

/* All nine pairs of heuristics with all tie-breakers: pass before undefined before fail, else the tie-breaker. */
static void table_7_4_two_nodes(void **state)
{
    static const char order[] = "FUP";

    (void)state;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            char text[] = {order[a], '|', order[b], '\0'};
            uint32_t better = a > b ? 1 : 2;
            struct line lines[] = {
                {text, WIRE_TIE_BREAKER_LOWEST, 0, a == b ? 1 : better},
                {text, WIRE_TIE_BREAKER_HIGHEST, 0, a == b ? 2 : better},
                {text, WIRE_TIE_BREAKER_NODE_ID, 1, a == b ? 1 : better},
                {text, WIRE_TIE_BREAKER_NODE_ID, 2, a == b ? 2 : better},
            };

            check_lines(TWO, lines, 4);
        }
}

/* The packaged arbiter gives both NACK then (U23): nobody is served, and no word why. */
static void u23_a_tie_breaker_that_is_no_node_falls_to_the_lowest_id(void **state)
{
    static const struct line lines[] = {
        {"U|U", WIRE_TIE_BREAKER_NODE_ID, 9, 1},
        {"P|P", WIRE_TIE_BREAKER_NODE_ID, 9, 1},
        {"U|P", WIRE_TIE_BREAKER_NODE_ID, 9, 2},
    };

    (void)state;
    check_lines(TWO, lines, sizeof(lines) / sizeof(lines[0]));
    check_lines(LMS, lines, sizeof(lines) / sizeof(lines[0]));
}

/* ---- defects of the packaged arbiter ---- */

static void u09_the_whole_partition_of_the_tie_break_node_wins(void **state)
{
    static const struct line lines[] = {
        {"UU|UU", WIRE_TIE_BREAKER_NODE_ID, 3, 12},
        {"UU|UU", WIRE_TIE_BREAKER_NODE_ID, 4, 12},
        {"UU|UU", WIRE_TIE_BREAKER_NODE_ID, 2, 3},
    };
    struct split split;

    (void)state;
    check_lines(LMS, lines, sizeof(lines) / sizeof(lines[0]));
    split_parse(&split, LMS, "U|U");
    split.ids[0] = 0x80000000u;
    split.ids[1] = 0x80000001u;
    assert_int_equal(split_decide(&split, &verdict), 1);
    split.tie_breaker.mode = WIRE_TIE_BREAKER_HIGHEST;
    assert_int_equal(split_decide(&split, &verdict), 2);
}

static void u10_only_the_groups_that_are_tied_are_compared_further(void **state)
{
    static const struct line lines[] = {
        {"P|P|FFF", WIRE_TIE_BREAKER_LOWEST, 0, 1},   /* scores 2,2,0: size of the third does not matter */
        {"P|P|FFF", WIRE_TIE_BREAKER_HIGHEST, 0, 2},
        {"U|UU|UU", WIRE_TIE_BREAKER_LOWEST, 0, 6},   /* S23: node 1 is in a smaller group */
        {"U|UU|UU", WIRE_TIE_BREAKER_HIGHEST, 0, 24},
        {"U|UU|UU", WIRE_TIE_BREAKER_NODE_ID, 1, 6},
        {"U|UU|UU", WIRE_TIE_BREAKER_NODE_ID, 5, 24},
    };

    (void)state;
    check_lines(LMS, lines, sizeof(lines) / sizeof(lines[0]));
}

/* U14 where agreement has failed: three strangers do not make one node of four a majority. */
static void u14_only_configured_nodes_make_a_majority(void **state)
{
    uint32_t padded[] = {1, 7, 8, 9};
    uint32_t real[] = {2, 3, 4, 7};
    uint32_t all[] = {1, 2, 3, 4};
    struct node_set config = {all, 4};
    struct view_partition partitions[2] = {
        {.members = {padded, 4}, .reporting = 1, .pass = 1, .lowest_reporting = 1, .highest_reporting = 1},
        {.members = {real, 4}, .reporting = 1, .lowest_reporting = 2, .highest_reporting = 2}};
    struct view view = {.algorithm = LMS,
                        .tie_breaker = {WIRE_TIE_BREAKER_LOWEST, 0},
                        .config = &config,
                        .majority_only = true,
                        .partitions = partitions,
                        .partition_count = 2};

    (void)state;
    verdict_decide(&view, &verdict);
    assert_int_equal(verdict.winner, 1);
}

/* ---- what is said ---- */

static void the_reason_says_who_and_why(void **state)
{
    static const struct {
        enum wire_algorithm algorithm;
        const char *split;
        bool majority_only;
        const char *reason;
    } cases[] = {
        {LMS, "UU", false, "lms: one partition: ACK 1,2"},
        {LMS, "U|UU", false, "lms: score 2 against 1 (reporting + heuristics pass - fail): ACK 2,3 NACK 1"},
        {LMS, "U|*U", false, "lms: keep active partition: ACK 2 NACK 1"},
        {LMS, "U|UU|UU", false, "lms: tie-breaker lowest=2: ACK 2,3 NACK 1 | 4,5"},
        {LMS, "UU|UU", true,
         "lms: nodes do not agree on the membership, nobody has more than half of them: NACK 1,2 | 3,4"},
        {TWO, "U|U", false, "2nodelms: tie-breaker lowest=1: ACK 1 NACK 2"},
        {TWO, "UU", false, "2nodelms: one partition: ACK 1,2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct split split;

        split_parse(&split, cases[i].algorithm, cases[i].split);
        split.majority_only = cases[i].majority_only;
        split.keep_active_partition = true;
        split_decide(&split, &verdict);
        assert_string_equal(verdict.reason, cases[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_is_decided_by_the_rules),
        cmocka_unit_test(two_nodes_are_decided_by_the_same_rules),
        cmocka_unit_test(every_split_after_a_restart_is_decided_by_the_rules),
        cmocka_unit_test(u15_without_agreement_only_a_strict_majority_wins),
        cmocka_unit_test(table_7_3_groups_with_known_rings),
        cmocka_unit_test(table_7_4_two_nodes),
        cmocka_unit_test(u23_a_tie_breaker_that_is_no_node_falls_to_the_lowest_id),
        cmocka_unit_test(u09_the_whole_partition_of_the_tie_break_node_wins),
        cmocka_unit_test(u10_only_the_groups_that_are_tied_are_compared_further),
        cmocka_unit_test(u14_only_configured_nodes_make_a_majority),
        cmocka_unit_test(the_reason_says_who_and_why),
    };

    return cmocka_run_group_tests_name("lms", tests, NULL, NULL);
}
