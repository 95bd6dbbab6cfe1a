/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order in which rival partitions are preferred, shared by all algorithms (spec/arbitration.md section 11.4):
 * whoever held the vote before a restart (only until all of them are back), then score = reporting + heuristics
 * pass - heuristics fail, then reporting nodes, then keep-active-partition, then the tie-breaker, then the lowest
 * reporting node id (only reached when the tie-breaker names no node of the rivals). Pure and total: two disjoint
 * partitions never compare equal.
 */
#ifndef QUORATE_QNETD_LOGIC_RANKING_H
#define QUORATE_QNETD_LOGIC_RANKING_H

#include "qnetd/logic/verdict.h"

enum ranking_criterion {
    RANKING_RECOVERY,
    RANKING_SCORE,
    RANKING_REPORTING,
    RANKING_KEEP_ACTIVE,
    RANKING_TIE_BREAKER,
    RANKING_LOWEST_NODE,
    RANKING_NO_RIVAL /* there was nothing to compare */
};

/* Whether a partition may win at all. */
typedef bool (*ranking_filter)(const struct view *view, const struct view_partition *partition);

struct ranking_result {
    int winner; /* VERDICT_NOBODY: none passes the filter */
    int rival;  /* the one that came closest; VERDICT_NOBODY if none */
    enum ranking_criterion decided_by; /* what separated winner and rival */
};

struct ranking_result ranking_best(const struct view *view, ranking_filter may_win);

/* "score 3 against 2", "tie-breaker lowest=1", ...; for RANKING_NO_RIVAL "no rival reports". */
void ranking_text(const struct view *view, const struct ranking_result *result, char *text, size_t size);

#endif
