/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order in which rival partitions are preferred: total, the same from whatever side and in whatever order it is
 * looked at, and each criterion only where all before it are equal. (spec/arbitration.md section 11.4.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "qnetd/logic/ranking.h"
#include "tests/unit/split.h"

static bool anybody(const struct view *view, const struct view_partition *partition)
{
    (void)view;
    (void)partition;
    return true;
}

static bool nobody(const struct view *view, const struct view_partition *partition)
{
    (void)view;
    (void)partition;
    return false;
}

static struct ranking_result best_of(const char *text, enum wire_tie_breaker_mode mode, uint32_t node, bool keep)
{
    struct split split;
    struct split_view view;

    split_parse(&split, WIRE_ALGORITHM_LMS, text);
    split.tie_breaker = (struct wire_tie_breaker){mode, node};
    split.keep_active_partition = keep;
    split_to_view(&split, &view);
    return ranking_best(&view.view, anybody);
}

static void each_criterion_decides_where_all_before_it_are_equal(void **state)
{
    static const struct {
        const char *split;
        enum wire_tie_breaker_mode mode;
        uint32_t node;
        bool keep;
        int winner;
        enum ranking_criterion by;
    } cases[] = {
        {"U|PP", WIRE_TIE_BREAKER_LOWEST, 0, false, 1, RANKING_SCORE},
        {"*U|UU", WIRE_TIE_BREAKER_LOWEST, 0, true, 1, RANKING_SCORE}, /* size before history */
        {"P|UU", WIRE_TIE_BREAKER_LOWEST, 0, false, 1, RANKING_REPORTING},
        {"*P|UU", WIRE_TIE_BREAKER_LOWEST, 0, true, 1, RANKING_REPORTING},
        {"U|*U", WIRE_TIE_BREAKER_LOWEST, 0, true, 1, RANKING_KEEP_ACTIVE},
        {"U|*U", WIRE_TIE_BREAKER_LOWEST, 0, false, 0, RANKING_TIE_BREAKER},
        {"*U|*U", WIRE_TIE_BREAKER_HIGHEST, 0, true, 1, RANKING_TIE_BREAKER}, /* both: no preference */
        {"U|U", WIRE_TIE_BREAKER_HIGHEST, 0, false, 1, RANKING_TIE_BREAKER},
        {"U|U", WIRE_TIE_BREAKER_NODE_ID, 2, false, 1, RANKING_TIE_BREAKER},
        {"U|U", WIRE_TIE_BREAKER_NODE_ID, 99, false, 0, RANKING_LOWEST_NODE},
        {"UU|DD", WIRE_TIE_BREAKER_HIGHEST, 0, false, 0, RANKING_NO_RIVAL}, /* who is silent is no rival */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ranking_result result = best_of(cases[i].split, cases[i].mode, cases[i].node, cases[i].keep);

        assert_int_equal(result.winner, cases[i].winner);
        assert_int_equal(result.decided_by, cases[i].by);
    }
}

/* The old holder goes first, even against a better score, until all holders are back. */
static void after_a_restart_the_old_holder_goes_before_everything(void **state)
{
    struct split split;
    struct split_view view;

    (void)state;
    split_parse(&split, WIRE_ALGORITHM_FFSPLIT, "PP|*FD");
    split.recovering = true;
    split_to_view(&split, &view);
    assert_int_equal(ranking_best(&view.view, anybody).winner, 1);
    assert_int_equal(ranking_best(&view.view, anybody).decided_by, RANKING_RECOVERY);
    view.view.recovering = false;
    assert_int_equal(ranking_best(&view.view, anybody).winner, 0);
}

static void nobody_wins_if_nobody_may(void **state)
{
    struct split split;
    struct split_view view;

    (void)state;
    split_parse(&split, WIRE_ALGORITHM_FFSPLIT, "U|U|U");
    split_to_view(&split, &view);
    assert_int_equal(ranking_best(&view.view, nobody).winner, VERDICT_NOBODY);
}

static void reverse(struct view_partition *partitions, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct view_partition other = partitions[i];

        partitions[i] = partitions[count - 1 - i];
        partitions[count - 1 - i] = other;
    }
}

static void check_any_order(struct split *split)
{
    struct split_view view;
    struct ranking_result forward;
    struct ranking_result backward;
    size_t count;

    split_to_view(split, &view);
    count = view.view.partition_count;
    forward = ranking_best(&view.view, anybody);
    assert_true(forward.winner >= 0 && (size_t)forward.winner < count);
    assert_int_equal(forward.rival == VERDICT_NOBODY, count == 1);
    assert_true(count == 1 || forward.decided_by < RANKING_NO_RIVAL); /* total: never equal */
    reverse(view.partitions, count);
    backward = ranking_best(&view.view, anybody);
    assert_int_equal(backward.winner, (int)count - 1 - forward.winner);
    assert_int_equal(backward.decided_by, forward.decided_by);
}

static void check_tie_breakers(struct split *split)
{
    split_each_tie_breaker(split, check_any_order);
}

static void check_histories(struct split *split)
{
    split_each_history(split, check_tie_breakers);
}

static void check_heuristics(struct split *split)
{
    split_each_heuristics(split, check_histories);
}

/* Defects U6, U18: the packaged arbiter's answer depends on whom it looks at first. */
static void the_winner_does_not_depend_on_the_order_of_looking(void **state)
{
    static const enum wire_algorithm algorithms[] = {WIRE_ALGORITHM_FFSPLIT, WIRE_ALGORITHM_LMS};
    struct split split;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t nodes = 1; nodes <= 4; nodes++) {
            split_init(&split, algorithms[i], nodes);
            split_each(&split, check_heuristics);
        }
        for (uint32_t nodes = 5; nodes <= SPLIT_NODES_MAX; nodes++) {
            split_init(&split, algorithms[i], nodes);
            split_each(&split, check_tie_breakers);
        }
    }
}

static void the_text_says_what_decided(void **state)
{
    static const struct {
        const char *split;
        enum wire_algorithm algorithm;
        enum wire_tie_breaker_mode mode;
        uint32_t node;
        bool keep;
        const char *text;
    } cases[] = {
        {"PP|UU", WIRE_ALGORITHM_FFSPLIT, WIRE_TIE_BREAKER_LOWEST, 0, false,
         "score 4 against 2 (reporting + heuristics pass - fail)"},
        {"FF|FD", WIRE_ALGORITHM_FFSPLIT, WIRE_TIE_BREAKER_LOWEST, 0, false, "2 against 1 nodes reporting"},
        {"U|*U", WIRE_ALGORITHM_LMS, WIRE_TIE_BREAKER_LOWEST, 0, true, "keep active partition"},
        {"DU|DU", WIRE_ALGORITHM_FFSPLIT, WIRE_TIE_BREAKER_LOWEST, 0, false, "tie-breaker lowest=1"},
        {"DU|UD", WIRE_ALGORITHM_FFSPLIT, WIRE_TIE_BREAKER_HIGHEST, 0, false, "tie-breaker highest=4"},
        {"DU|DU", WIRE_ALGORITHM_LMS, WIRE_TIE_BREAKER_LOWEST, 0, false, "tie-breaker lowest=2"},
        {"DU|UD", WIRE_ALGORITHM_LMS, WIRE_TIE_BREAKER_HIGHEST, 0, false, "tie-breaker highest=3"},
        {"UU|UU", WIRE_ALGORITHM_FFSPLIT, WIRE_TIE_BREAKER_NODE_ID, 3, false, "tie-breaker node=3"},
        {"DU|UU", WIRE_ALGORITHM_LMS, WIRE_TIE_BREAKER_NODE_ID, 7, false,
         "score 2 against 1 (reporting + heuristics pass - fail)"},
        {"UU|UU", WIRE_ALGORITHM_FFSPLIT, WIRE_TIE_BREAKER_NODE_ID, 7, false,
         "tie-breaker node 7 is in neither, lowest reporting node=1"},
        {"UU|DD", WIRE_ALGORITHM_FFSPLIT, WIRE_TIE_BREAKER_LOWEST, 0, false, "no rival reports"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct split split;
        struct split_view view;
        struct ranking_result result;
        char text[VERDICT_REASON_SIZE];

        split_parse(&split, cases[i].algorithm, cases[i].split);
        split.tie_breaker = (struct wire_tie_breaker){cases[i].mode, cases[i].node};
        split.keep_active_partition = cases[i].keep;
        split_to_view(&split, &view);
        result = ranking_best(&view.view, anybody);
        ranking_text(&view.view, &result, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_criterion_decides_where_all_before_it_are_equal),
        cmocka_unit_test(after_a_restart_the_old_holder_goes_before_everything),
        cmocka_unit_test(nobody_wins_if_nobody_may),
        cmocka_unit_test(the_winner_does_not_depend_on_the_order_of_looking),
        cmocka_unit_test(the_text_says_what_decided),
    };

    return cmocka_run_group_tests_name("ranking", tests, NULL, NULL);
}
