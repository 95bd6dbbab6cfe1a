/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The verdicts of ffsplit, for every way in which two to six nodes can fall apart: against the rules as the
 * specification writes them, and its tables by heart. (spec/arbitration.md sections 4.4, 7.1, 7.2, 8.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/split.h"

#define FF WIRE_ALGORITHM_FFSPLIT

static struct verdict verdict;

/* ---- the rules, for a pair of halves ---- */

struct half {
    uint32_t members;
    int active;
    int score;
    bool held; /* a node of the partition granted last */
    bool preferred;
    uint32_t lowest_reporting;
};

static uint32_t preferred_node(const struct split *split)
{
    uint32_t best = split->ids[0];

    if (split->tie_breaker.mode == WIRE_TIE_BREAKER_NODE_ID)
        return split->tie_breaker.node_id;
    for (uint32_t i = 1; i < split->node_count; i++)
        if (split->tie_breaker.mode == WIRE_TIE_BREAKER_LOWEST ? split->ids[i] < best : split->ids[i] > best)
            best = split->ids[i];
    return best;
}

static struct half look_at(const struct split *split, uint32_t group)
{
    struct half half = {.members = split_group(split, group), .lowest_reporting = UINT32_MAX};

    for (uint32_t i = 0; i < split->node_count; i++) {
        if ((half.members >> i & 1) == 0)
            continue;
        half.held = half.held || (split->granted >> i & 1) != 0;
        half.preferred = half.preferred || split->ids[i] == preferred_node(split);
        if ((split->reporting >> i & 1) == 0)
            continue;
        half.active++;
        half.score += split->heuristics[i] == WIRE_HEURISTICS_PASS   ? 2
                      : split->heuristics[i] == WIRE_HEURISTICS_FAIL ? 0
                                                                     : 1;
        if (split->ids[i] < half.lowest_reporting)
            half.lowest_reporting = split->ids[i];
    }
    return half;
}

static bool goes_before(const struct split *split, const struct half *a, const struct half *b)
{
    if (split->recovering && a->held != b->held)
        return a->held;
    if (a->score != b->score)
        return a->score > b->score;
    if (a->active != b->active)
        return a->active > b->active;
    if (split->keep_active_partition && a->held != b->held)
        return a->held;
    if (a->preferred != b->preferred)
        return a->preferred;
    return a->lowest_reporting < b->lowest_reporting;
}

static uint32_t expected(const struct split *split, enum verdict_rank *rank)
{
    struct half best = {0};

    *rank = VERDICT_NONE;
    for (uint32_t group = 0; group < split->group_count; group++) {
        struct half half = look_at(split, group);
        uint32_t size = split_bits(half.members);

        if (half.active == 0 || 2 * size < split->node_count)
            continue;
        if (2 * size > split->node_count) {
            *rank = VERDICT_MAJORITY;
            return half.members;
        }
        if (split->majority_only)
            continue;
        *rank = VERDICT_EXCLUSIVE;
        if (best.members == 0 || goes_before(split, &half, &best))
            best = half;
    }
    return best.members;
}

/* ---- all splits ---- */

static void check(struct split *split)
{
    enum verdict_rank rank;
    uint32_t wanted = expected(split, &rank);
    uint32_t winner = split_decide(split, &verdict);

    assert_int_equal(winner, wanted);
    assert_int_equal(verdict.rank, rank);
    assert_true(winner == 0 || 2 * split_bits(winner) >= split->node_count);
    assert_true((verdict.rank == VERDICT_MAJORITY) == (2 * split_bits(winner) > split->node_count));
    assert_true((verdict.winner == VERDICT_NOBODY) == (winner == 0));
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
        split_init(&split, FF, nodes);
        split_each(&split, check_heuristics);
    }
    for (uint32_t nodes = 5; nodes <= SPLIT_NODES_MAX; nodes++) {
        split_init(&split, FF, nodes);
        split_each(&split, nodes == 5 ? check_histories : check_tie_breakers);
    }
}

static void every_split_after_a_restart_is_decided_by_the_rules(void **state)
{
    struct split split;

    (void)state;
    for (uint32_t nodes = 1; nodes <= 4; nodes++) {
        split_init(&split, FF, nodes);
        split.recovering = true;
        split_each(&split, check_heuristics);
    }
}

/* Defect U15: who cannot agree is decided nevertheless, but only for what is beyond doubt. */
static void u15_without_agreement_only_a_strict_majority_wins(void **state)
{
    struct split split;

    (void)state;
    for (uint32_t nodes = 1; nodes <= SPLIT_NODES_MAX; nodes++) {
        split_init(&split, FF, nodes);
        split.majority_only = true;
        split_each(&split, nodes <= 4 ? check_histories : check_tie_breakers);
    }
}

/* ---- numbering ---- */

static uint32_t mirrored(uint32_t mask, uint32_t nodes)
{
    uint32_t mirror = 0;

    for (uint32_t i = 0; i < nodes; i++)
        mirror |= (mask >> i & 1) << (nodes - 1 - i);
    return mirror;
}

/* Numbering the nodes backwards makes the lowest the highest, and changes nothing else. */
static void check_mirror(struct split *split)
{
    struct split other = *split;
    uint32_t n = split->node_count;

    for (uint32_t i = 0; i < n; i++) {
        other.group_of[i] = split->group_of[n - 1 - i];
        other.heuristics[i] = split->heuristics[n - 1 - i];
    }
    other.reporting = mirrored(split->reporting, n);
    split->tie_breaker.mode = WIRE_TIE_BREAKER_LOWEST;
    other.tie_breaker.mode = WIRE_TIE_BREAKER_HIGHEST;
    assert_int_equal(split_decide(&other, &verdict), mirrored(split_decide(split, &verdict), n));
    for (uint32_t i = 0; i < n; i++) {
        split->tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_NODE_ID, split->ids[i]};
        other.tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_NODE_ID, other.ids[n - 1 - i]};
        assert_int_equal(split_decide(&other, &verdict), mirrored(split_decide(split, &verdict), n));
    }
}

static void check_mirror_of_heuristics(struct split *split)
{
    split_each_heuristics(split, check_mirror);
}

static void the_numbering_of_nodes_matters_to_the_tie_breaker_only(void **state)
{
    struct split split;

    (void)state;
    for (uint32_t nodes = 2; nodes <= SPLIT_NODES_MAX; nodes += 2) {
        split_init(&split, FF, nodes);
        split_each(&split, nodes <= 4 ? check_mirror_of_heuristics : check_mirror);
    }
}

/* Defect U9 (lms), and ids near the ends of the range in general. */
static void large_node_ids_are_compared_unsigned(void **state)
{
    struct split split;

    (void)state;
    split_parse(&split, FF, "UU|UU");
    for (uint32_t i = 0; i < 4; i++)
        split.ids[i] = 0x7ffffffe + i;
    assert_int_equal(split_decide(&split, &verdict), 3);
    split.tie_breaker.mode = WIRE_TIE_BREAKER_HIGHEST;
    assert_int_equal(split_decide(&split, &verdict), 12);
    split.ids[0] = UINT32_MAX;
    assert_int_equal(split_decide(&split, &verdict), 3);
}

/* ---- the specification's tables ---- */

struct line {
    const char *split;
    enum wire_tie_breaker_mode mode;
    uint32_t node;
    bool keep;
    uint32_t winner; /* mask */
};

static void check_lines(const struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct split split;

        split_parse(&split, FF, lines[i].split);
        split.tie_breaker = (struct wire_tie_breaker){lines[i].mode, lines[i].node};
        split.keep_active_partition = lines[i].keep;
        if (split_decide(&split, &verdict) != lines[i].winner)
            fail_msg("line %zu, %s: %s", i, lines[i].split, verdict.reason);
    }
}

static void table_7_1_by_sizes(void **state)
{
    static const struct line lines[] = {
        {"UUU|U", WIRE_TIE_BREAKER_HIGHEST, 0, false, 7},   /* more than half, whatever speaks for the rest */
        {"FFF|P", WIRE_TIE_BREAKER_HIGHEST, 0, false, 7},
        {"FFF|*P", WIRE_TIE_BREAKER_NODE_ID, 4, true, 7},
        {"DDF|P", WIRE_TIE_BREAKER_HIGHEST, 0, false, 7},
        {"UU|UU", WIRE_TIE_BREAKER_LOWEST, 0, false, 3},    /* halves, both connected */
        {"UU|UU", WIRE_TIE_BREAKER_HIGHEST, 0, false, 12},
        {"FF|DD", WIRE_TIE_BREAKER_HIGHEST, 0, false, 3},   /* halves, one connected */
        {"DD|FD", WIRE_TIE_BREAKER_LOWEST, 0, false, 12},
        {"FD|P|P", WIRE_TIE_BREAKER_HIGHEST, 0, false, 3},  /* half, all others less */
        {"P|P|FD", WIRE_TIE_BREAKER_LOWEST, 0, false, 12},
        {"U|U|U|U", WIRE_TIE_BREAKER_LOWEST, 0, false, 0},  /* all less than half */
        {"P|D|D|D", WIRE_TIE_BREAKER_LOWEST, 0, false, 0},
        {"UU|UU|UU", WIRE_TIE_BREAKER_LOWEST, 0, false, 0},
        {"U|UU", WIRE_TIE_BREAKER_LOWEST, 0, false, 6},     /* odd: S13 */
        {"D|D|U", WIRE_TIE_BREAKER_LOWEST, 0, false, 0},
    };

    (void)state;
    check_lines(lines, sizeof(lines) / sizeof(lines[0]));
}

static void table_7_2_exact_halves(void **state)
{
    static const struct line lines[] = {
        {"UP|UU", WIRE_TIE_BREAKER_HIGHEST, 0, false, 3},   /* score */
        {"UP|*UU", WIRE_TIE_BREAKER_HIGHEST, 0, true, 3},
        {"UU|PD", WIRE_TIE_BREAKER_HIGHEST, 0, false, 3},   /* score equal, active */
        {"UU|*PD", WIRE_TIE_BREAKER_HIGHEST, 0, true, 3},
        {"*UU|UU", WIRE_TIE_BREAKER_HIGHEST, 0, true, 3},   /* keep active partition */
        {"UU|*UU", WIRE_TIE_BREAKER_LOWEST, 0, true, 12},
        {"UU|*UU", WIRE_TIE_BREAKER_LOWEST, 0, false, 3},   /* ... if all want it */
        {"*UU|*UU", WIRE_TIE_BREAKER_HIGHEST, 0, true, 12}, /* both were: no matter */
        {"UU|UU", WIRE_TIE_BREAKER_HIGHEST, 0, true, 12},   /* neither was */
        {"UU|UU", WIRE_TIE_BREAKER_NODE_ID, 3, false, 12},
        {"UU|UU", WIRE_TIE_BREAKER_NODE_ID, 2, false, 3},
        {"DU|UD", WIRE_TIE_BREAKER_LOWEST, 0, false, 3},    /* the tie-break node need not be connected */
        {"UU|UU", WIRE_TIE_BREAKER_NODE_ID, 99, false, 3},  /* neither has it: lowest connected node id */
        {"DU|UD", WIRE_TIE_BREAKER_NODE_ID, 99, false, 3},
    };

    (void)state;
    check_lines(lines, sizeof(lines) / sizeof(lines[0]));
}

/* "UU=2, UD=1, PP=4, PU=3, PF=2, FF=0, PD=2, FD=0, FU=1. So PF ties with UU, PD loses to UU by active count." */
static void table_7_2_scores(void **state)
{
    static const struct {
        const char *half;
        int score;
        int active;
    } halves[] = {{"UU", 2, 2}, {"UD", 1, 1}, {"PP", 4, 2}, {"PU", 3, 2}, {"PF", 2, 2},
                  {"FF", 0, 2}, {"PD", 2, 1}, {"FD", 0, 1}, {"FU", 1, 2}};
    const size_t count = sizeof(halves) / sizeof(halves[0]);

    (void)state;
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < count; b++) {
            struct split split;
            char text[8];
            bool tie = halves[a].score == halves[b].score && halves[a].active == halves[b].active;
            bool a_first = halves[a].score != halves[b].score ? halves[a].score > halves[b].score
                                                              : halves[a].active > halves[b].active;

            snprintf(text, sizeof(text), "%s|%s", halves[a].half, halves[b].half);
            split_parse(&split, FF, text);
            assert_int_equal(split_decide(&split, &verdict), tie || a_first ? 3 : 12);
            split.tie_breaker.mode = WIRE_TIE_BREAKER_HIGHEST;
            assert_int_equal(split_decide(&split, &verdict), tie || !a_first ? 12 : 3);
        }
}

/* ---- defects of the packaged arbiter ---- */

/* U2, S17: a partition's score counts everybody's newest heuristics. U3, S7b: who has left does not count. */
static void u02_u03_scores_count_who_is_there_as_it_is_now(void **state)
{
    static const struct line lines[] = {
        {"*FP|PP", WIRE_TIE_BREAKER_LOWEST, 0, false, 12},
        {"*DU|UU", WIRE_TIE_BREAKER_LOWEST, 0, false, 12},
    };

    (void)state;
    check_lines(lines, sizeof(lines) / sizeof(lines[0]));
}

/* U6: "{1,2,3} (only 1 connected) vs {3,4} (only 4 connected), highest -> n4 wins". */
static void u06_a_majority_beats_a_half_whoever_is_looked_at_first(void **state)
{
    uint32_t left[] = {1, 2, 3};
    uint32_t right[] = {3, 4};
    uint32_t all[] = {1, 2, 3, 4};
    struct node_set config = {all, 4};
    struct view_partition partitions[2] = {
        {.members = {left, 3}, .reporting = 1, .lowest_reporting = 1, .highest_reporting = 1},
        {.members = {right, 2}, .reporting = 1, .pass = 1, .lowest_reporting = 4, .highest_reporting = 4}};
    struct view view = {.algorithm = FF,
                        .tie_breaker = {WIRE_TIE_BREAKER_HIGHEST, 0},
                        .config = &config,
                        .majority_only = true,
                        .partitions = partitions,
                        .partition_count = 2};

    (void)state;
    for (int order = 0; order < 2; order++) {
        struct view_partition first = partitions[0];

        verdict_decide(&view, &verdict);
        assert_int_equal(verdict.rank, VERDICT_MAJORITY);
        assert_int_equal(partitions[verdict.winner].members.count, 3);
        partitions[0] = partitions[1];
        partitions[1] = first;
    }
}

/* U18: the partition that held the vote is kept, whichever of its nodes is looked at. */
static void u18_one_former_holder_among_them_is_enough_to_be_kept(void **state)
{
    static const struct line lines[] = {
        {"UU|*UU", WIRE_TIE_BREAKER_LOWEST, 0, true, 12},
        {"UU|U*U", WIRE_TIE_BREAKER_LOWEST, 0, true, 12},
        {"UU|D*U", WIRE_TIE_BREAKER_HIGHEST, 0, true, 3}, /* after score and active, though */
        {"UU|U*D", WIRE_TIE_BREAKER_HIGHEST, 0, true, 3},
        {"UD|U*D", WIRE_TIE_BREAKER_LOWEST, 0, true, 12},
    };

    (void)state;
    check_lines(lines, sizeof(lines) / sizeof(lines[0]));
}

/* U20: an odd cluster gets its votes all the same. */
static void u20_a_bare_majority_of_an_odd_cluster_gets_the_vote(void **state)
{
    static const struct line lines[] = {
        {"UU|U", WIRE_TIE_BREAKER_HIGHEST, 0, false, 3},
        {"UD|U", WIRE_TIE_BREAKER_HIGHEST, 0, false, 3},
        {"UUU|U|U", WIRE_TIE_BREAKER_HIGHEST, 0, false, 7},
        {"U|UU|UU", WIRE_TIE_BREAKER_LOWEST, 0, false, 0},
    };

    (void)state;
    check_lines(lines, sizeof(lines) / sizeof(lines[0]));
}

/* ---- what is said ---- */

static void the_reason_says_who_and_why(void **state)
{
    static const struct {
        const char *split;
        bool majority_only;
        const char *reason;
    } cases[] = {
        {"UU|UU", false, "ffsplit: 2 against 2, tie-breaker lowest=1: ACK 1,2 NACK 3,4"},
        {"UUU|U", false, "ffsplit: 3 of 4 nodes: ACK 1,2,3 NACK 4"},
        {"U|U|UU", false, "ffsplit: 2 against 2, no rival reports: ACK 3,4 NACK 1 | 2"},
        {"U|U|U|U", false, "ffsplit: nobody has half of 4 nodes: NACK 1 | 2 | 3 | 4"},
        {"PP|UF", false, "ffsplit: 2 against 2, score 4 against 1 (reporting + heuristics pass - fail): ACK 1,2 NACK 3,4"},
        {"UU", false, "ffsplit: 2 of 2 nodes: ACK 1,2"},
        {"UU|UU", true,
         "ffsplit: nodes do not agree on the membership, nobody has more than half of 4 nodes: NACK 1,2 | 3,4"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct split split;

        split_parse(&split, FF, cases[i].split);
        split.majority_only = cases[i].majority_only;
        split_decide(&split, &verdict);
        assert_string_equal(verdict.reason, cases[i].reason);
    }
}

/* Node lists of any length are cut, never written past the end. */
static void a_reason_never_outgrows_its_place(void **state)
{
    static uint32_t ids[4][500];
    static uint32_t all[2000];
    struct view_partition partitions[4] = {0};
    struct node_set config = {all, 2000};
    struct view view = {.algorithm = FF,
                        .tie_breaker = {WIRE_TIE_BREAKER_NODE_ID, UINT32_MAX},
                        .config = &config,
                        .partitions = partitions,
                        .partition_count = 4};

    (void)state;
    for (uint32_t i = 0; i < 2000; i++)
        all[i] = ids[i / 500][i % 500] = UINT32_MAX - 2000 + i;
    for (uint32_t i = 0; i < 4; i++)
        partitions[i] = (struct view_partition){.members = {ids[i], 500},
                                                .reporting = 1,
                                                .lowest_reporting = ids[i][0],
                                                .highest_reporting = ids[i][499]};
    verdict_decide(&view, &verdict);
    assert_true(strlen(verdict.reason) < sizeof(verdict.reason));
    assert_non_null(strstr(verdict.reason, "..."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_is_decided_by_the_rules),
        cmocka_unit_test(every_split_after_a_restart_is_decided_by_the_rules),
        cmocka_unit_test(u15_without_agreement_only_a_strict_majority_wins),
        cmocka_unit_test(the_numbering_of_nodes_matters_to_the_tie_breaker_only),
        cmocka_unit_test(large_node_ids_are_compared_unsigned),
        cmocka_unit_test(table_7_1_by_sizes),
        cmocka_unit_test(table_7_2_exact_halves),
        cmocka_unit_test(table_7_2_scores),
        cmocka_unit_test(u02_u03_scores_count_who_is_there_as_it_is_now),
        cmocka_unit_test(u06_a_majority_beats_a_half_whoever_is_looked_at_first),
        cmocka_unit_test(u18_one_former_holder_among_them_is_enough_to_be_kept),
        cmocka_unit_test(u20_a_bare_majority_of_an_odd_cluster_gets_the_vote),
        cmocka_unit_test(the_reason_says_who_and_why),
        cmocka_unit_test(a_reason_never_outgrows_its_place),
    };

    return cmocka_run_group_tests_name("ffsplit", tests, NULL, NULL);
}
