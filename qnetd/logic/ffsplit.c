/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fifty-fifty split: the vote goes to the partition with more than half of the configured nodes, else to one of
 * the exact halves. Invariant: never may two halves hold it at once; more than half is beyond doubt.
 * (spec/arbitration.md sections 4.4, 7.1, 7.2, 11.4; defects U2, U3, U6, U14, U18.)
 */
#include <stdio.h>

#include "qnetd/logic/ranking.h"
#include "qnetd/logic/verdict_text.h"

static bool has_majority(const struct view *view, const struct view_partition *partition)
{
    return 2 * (uint64_t)partition->members.count > view->config->count;
}

static bool has_half(const struct view *view, const struct view_partition *partition)
{
    return 2 * (uint64_t)partition->members.count == view->config->count;
}

void ffsplit_decide(const struct view *view, struct verdict *verdict)
{
    struct ranking_result best = ranking_best(view, has_majority);
    char why[VERDICT_REASON_SIZE];
    char tie[VERDICT_REASON_SIZE / 2];

    if (best.winner != VERDICT_NOBODY) {
        snprintf(why, sizeof(why), "%u of %u nodes", view->partitions[best.winner].members.count,
                 view->config->count);
        /* Who still counts fewer nodes might be quorate with a vote that harms nobody by the others' count. */
        verdict_set(verdict, view, best.winner, view->config_disputed ? VERDICT_EXCLUSIVE : VERDICT_MAJORITY, why);
        return;
    }
    if (view->majority_only) {
        snprintf(why, sizeof(why), "nodes do not agree on the membership, nobody has more than half of %u nodes",
                 view->config->count);
        verdict_set(verdict, view, VERDICT_NOBODY, VERDICT_NONE, why);
        return;
    }
    best = ranking_best(view, has_half);
    if (best.winner == VERDICT_NOBODY) {
        snprintf(why, sizeof(why), "nobody has half of %u nodes", view->config->count);
        verdict_set(verdict, view, VERDICT_NOBODY, VERDICT_NONE, why);
        return;
    }
    ranking_text(view, &best, tie, sizeof(tie));
    snprintf(why, sizeof(why), "%u against %u, %s", view->config->count / 2, view->config->count / 2, tie);
    verdict_set(verdict, view, best.winner, VERDICT_EXCLUSIVE, why);
}
