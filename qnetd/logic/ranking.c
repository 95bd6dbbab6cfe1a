/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/logic/ranking.h"

#include <stdio.h>

/* The node that decides an exact tie; 0 if the tie-breaker is not a matter of the configuration list. */
static uint32_t preferred_node(const struct view *view)
{
    switch (view->tie_breaker.mode) {
    case WIRE_TIE_BREAKER_LOWEST:
        return node_set_lowest(view->config);
    case WIRE_TIE_BREAKER_HIGHEST:
        return node_set_highest(view->config);
    case WIRE_TIE_BREAKER_NODE_ID:
        return view->tie_breaker.node_id;
    }
    return 0;
}

/* Lms knows no configuration: lowest and highest are meant among the nodes of the rivals that report. */
static bool tie_breaker_is_among_reporting(const struct view *view)
{
    return view->algorithm != WIRE_ALGORITHM_FFSPLIT && view->tie_breaker.mode != WIRE_TIE_BREAKER_NODE_ID;
}

static int64_t tie_breaker_key(const struct view *view, const struct view_partition *partition)
{
    if (!tie_breaker_is_among_reporting(view))
        return node_set_has(&partition->members, preferred_node(view)) ? 1 : 0;
    if (view->tie_breaker.mode == WIRE_TIE_BREAKER_LOWEST)
        return -(int64_t)partition->lowest_reporting;
    return (int64_t)partition->highest_reporting;
}

static int64_t key(const struct view *view, const struct view_partition *partition, enum ranking_criterion criterion)
{
    switch (criterion) {
    case RANKING_RECOVERY:
        return view->recovering && partition->incumbent ? 1 : 0;
    case RANKING_SCORE:
        return (int64_t)partition->reporting + partition->pass - partition->fail;
    case RANKING_REPORTING:
        return (int64_t)partition->reporting;
    case RANKING_KEEP_ACTIVE:
        return view->keep_active_partition && partition->incumbent ? 1 : 0;
    case RANKING_TIE_BREAKER:
        return tie_breaker_key(view, partition);
    case RANKING_LOWEST_NODE:
        return -(int64_t)partition->lowest_reporting;
    case RANKING_NO_RIVAL:
        break;
    }
    return 0;
}

/* The first criterion in which the two differ; RANKING_NO_RIVAL: they do not (overlapping views only). */
static enum ranking_criterion first_difference(const struct view *view, const struct view_partition *a,
                                               const struct view_partition *b)
{
    enum ranking_criterion criterion = RANKING_RECOVERY;

    while (criterion < RANKING_NO_RIVAL && key(view, a, criterion) == key(view, b, criterion))
        criterion++;
    return criterion;
}

struct ranking_result ranking_best(const struct view *view, ranking_filter may_win)
{
    const struct view_partition *all = view->partitions;
    struct ranking_result result = {VERDICT_NOBODY, VERDICT_NOBODY, RANKING_NO_RIVAL};

    for (size_t i = 0; i < view->partition_count; i++) {
        enum ranking_criterion difference;

        if (!may_win(view, &all[i]))
            continue;
        if (result.winner == VERDICT_NOBODY) {
            result.winner = (int)i;
            continue;
        }
        difference = first_difference(view, &all[i], &all[result.winner]);
        if (difference < RANKING_NO_RIVAL &&
            key(view, &all[i], difference) > key(view, &all[result.winner], difference))
            result.winner = (int)i;
    }
    if (result.winner == VERDICT_NOBODY)
        return result;
    /* The closest rival is the one that only the weakest criterion tells from the winner. */
    for (size_t i = 0; i < view->partition_count; i++) {
        enum ranking_criterion difference;

        if ((int)i == result.winner || !may_win(view, &all[i]))
            continue;
        difference = first_difference(view, &all[result.winner], &all[i]);
        if (result.rival == VERDICT_NOBODY || difference > result.decided_by) {
            result.rival = (int)i;
            result.decided_by = difference;
        }
    }
    return result;
}

static void tie_breaker_text(const struct view *view, const struct view_partition *winner, char *text, size_t size)
{
    bool among_reporting = tie_breaker_is_among_reporting(view);

    switch (view->tie_breaker.mode) {
    case WIRE_TIE_BREAKER_LOWEST:
        snprintf(text, size, "tie-breaker lowest=%u",
                 among_reporting ? winner->lowest_reporting : preferred_node(view));
        return;
    case WIRE_TIE_BREAKER_HIGHEST:
        snprintf(text, size, "tie-breaker highest=%u",
                 among_reporting ? winner->highest_reporting : preferred_node(view));
        return;
    case WIRE_TIE_BREAKER_NODE_ID:
        snprintf(text, size, "tie-breaker node=%u", view->tie_breaker.node_id);
        return;
    }
}

void ranking_text(const struct view *view, const struct ranking_result *result, char *text, size_t size)
{
    const struct view_partition *winner = &view->partitions[result->winner];
    const struct view_partition *rival = result->rival == VERDICT_NOBODY ? winner : &view->partitions[result->rival];

    switch (result->decided_by) {
    case RANKING_RECOVERY:
        snprintf(text, size, "held the vote before the restart");
        return;
    case RANKING_SCORE:
        snprintf(text, size, "score %lld against %lld (reporting + heuristics pass - fail)",
                 (long long)key(view, winner, RANKING_SCORE), (long long)key(view, rival, RANKING_SCORE));
        return;
    case RANKING_REPORTING:
        snprintf(text, size, "%u against %u nodes reporting", winner->reporting, rival->reporting);
        return;
    case RANKING_KEEP_ACTIVE:
        snprintf(text, size, "keep active partition");
        return;
    case RANKING_TIE_BREAKER:
        tie_breaker_text(view, winner, text, size);
        return;
    case RANKING_LOWEST_NODE:
        snprintf(text, size, "tie-breaker node %u is in neither, lowest reporting node=%u",
                 view->tie_breaker.node_id, winner->lowest_reporting);
        return;
    case RANKING_NO_RIVAL:
        snprintf(text, size, "no rival reports");
        return;
    }
}
