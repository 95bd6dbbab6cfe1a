/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two-node last man standing. With one client on each side the score is 2, 1 or 0 for heuristics pass, undefined
 * or fail, which is the packaged order, and the tie-breaker decides between the two clients: the decision is that
 * of lms. What differs is the protocol around it (a configuration of two nodes is required, votes are asked for).
 * (spec/arbitration.md sections 5, 7.4, 11; defect U8.)
 */
#include "qnetd/logic/lms.h"

void two_node_lms_decide(const struct view *view, struct verdict *verdict)
{
    last_man_decide(view, verdict);
}
