/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/logic/verdict.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "qnetd/logic/verdict_text.h"

void verdict_decide(const struct view *view, struct verdict *verdict)
{
    assert(view->partition_count > 0);
    switch (view->algorithm) {
    case WIRE_ALGORITHM_FFSPLIT:
        ffsplit_decide(view, verdict);
        return;
    case WIRE_ALGORITHM_2NODELMS:
        two_node_lms_decide(view, verdict);
        return;
    case WIRE_ALGORITHM_LMS:
        lms_decide(view, verdict);
        return;
    case WIRE_ALGORITHM_TEST:
        break;
    }
    assert(!"algorithm without a view");
}

/* Appends at *used, never past the end. */
static void append(struct verdict *verdict, size_t *used, const char *text)
{
    size_t room = sizeof(verdict->reason) - *used;
    int n = snprintf(verdict->reason + *used, room, "%s", text);

    *used += (size_t)n < room ? (size_t)n : room - 1;
}

static void append_nodes(struct verdict *verdict, size_t *used, const char *vote, const struct node_set *nodes)
{
    char text[64];

    append(verdict, used, vote);
    node_set_text(nodes, text, sizeof(text));
    append(verdict, used, text);
}

void verdict_set(struct verdict *verdict, const struct view *view, int winner, enum verdict_rank rank,
                 const char *why)
{
    const char *separator = " NACK ";
    size_t used = 0;

    verdict->winner = winner;
    verdict->rank = winner == VERDICT_NOBODY ? VERDICT_NONE : rank;
    append(verdict, &used, wire_algorithm_name(view->algorithm));
    append(verdict, &used, ": ");
    append(verdict, &used, why);
    append(verdict, &used, ":");
    if (winner != VERDICT_NOBODY)
        append_nodes(verdict, &used, " ACK ", &view->partitions[winner].members);
    for (size_t i = 0; i < view->partition_count; i++) {
        if ((int)i == winner)
            continue;
        append_nodes(verdict, &used, separator, &view->partitions[i].members);
        separator = " | ";
    }
}
