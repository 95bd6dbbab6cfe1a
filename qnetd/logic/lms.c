/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Last man standing: the device brings N-1 votes, so whichever single partition holds the vote is quorate, down to
 * one node. Invariant: never may two partitions hold it at once, whatever their sizes. One decision for the whole
 * cluster takes the place of the packaged arbiter's judging each client alone.
 * (spec/arbitration.md sections 6, 7.3, 11.4; defects U7, U9 to U12.)
 */
#include "qnetd/logic/lms.h"

#include <stdio.h>

#include "qnetd/logic/ranking.h"
#include "qnetd/logic/verdict_text.h"

static bool anybody(const struct view *view, const struct view_partition *partition)
{
    (void)view;
    (void)partition;
    return true;
}

/* Of the configured nodes: lms does not mind others in a membership, but they are no reason to win (defect U14). */
static bool majority(const struct view *view, const struct view_partition *partition)
{
    uint64_t configured = 0;

    for (uint32_t i = 0; i < partition->members.count; i++)
        configured += node_set_has(view->config, partition->members.ids[i]);
    return 2 * configured > view->config->count;
}

void last_man_decide(const struct view *view, struct verdict *verdict)
{
    struct ranking_result best = ranking_best(view, view->majority_only ? majority : anybody);
    char why[VERDICT_REASON_SIZE];

    if (best.winner == VERDICT_NOBODY) {
        verdict_set(verdict, view, VERDICT_NOBODY, VERDICT_NONE,
                    "nodes do not agree on the membership, nobody has more than half of them");
        return;
    }
    if (view->partition_count == 1)
        snprintf(why, sizeof(why), "one partition");
    else
        ranking_text(view, &best, why, sizeof(why));
    verdict_set(verdict, view, best.winner, VERDICT_EXCLUSIVE, why);
}

void lms_decide(const struct view *view, struct verdict *verdict)
{
    last_man_decide(view, verdict);
}
