/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "core/services/votequorum_rules.h"
#include "core/services/votequorum_wire.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint32_t shown(uint64_t votes)
{
    return votes > UINT32_MAX ? UINT32_MAX : (uint32_t)votes;
}

static uint64_t more_than_half(uint64_t votes)
{
    return votes / 2 + 1;
}

static uint64_t votes_of_voters(const struct votequorum_view *view)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < view->voter_count; i++)
        sum += view->voters[i].votes;
    return sum;
}

static bool own_device_votes(const struct votequorum_view *view)
{
    return (view->voters[view->own].flags & VOTEQUORUM_FLAG_DEVICE_CAST_VOTE) != 0;
}

static uint64_t total(const struct votequorum_view *view, bool device_casts_vote)
{
    return votes_of_voters(view) + (device_casts_vote ? view->device_votes : 0);
}

/* `own_expected`: ours may just have risen. `by_nodes`: 0, or what the expected votes are counted anew to. */
static uint64_t quorum_of(const struct votequorum_view *view, uint64_t own_expected, uint64_t by_nodes,
                          bool allow_decrease)
{
    bool device = own_device_votes(view);
    uint64_t highest = own_expected;
    uint64_t quorum;

    if (view->options->two_node && view->voter_count + (device ? 1 : 0) <= 2)
        return 1;
    for (size_t i = 0; i < view->voter_count; i++)
        if (i != view->own)
            highest = larger(highest, view->voters[i].expected_votes);
    if (by_nodes > 0)
        highest = by_nodes;
    if (by_nodes > 0 && allow_decrease && view->options->allow_downscale)
        highest = larger(highest, view->expected_votes_barrier);
    quorum = more_than_half(larger(highest, total(view, device)));
    return allow_decrease ? quorum : larger(quorum, view->quorum);
}

uint32_t votequorum_total_votes(const struct votequorum_view *view, bool device_casts_vote)
{
    return shown(total(view, device_casts_vote));
}

uint32_t votequorum_quorum_if(const struct votequorum_view *view, uint32_t expected_votes)
{
    return shown(quorum_of(view, view->voters[view->own].expected_votes, expected_votes, true));
}

uint32_t votequorum_highest_expected(const struct votequorum_view *view)
{
    uint32_t highest = 0;

    for (size_t i = 0; i < view->voter_count; i++)
        if (view->voters[i].expected_votes > highest)
            highest = view->voters[i].expected_votes;
    return highest;
}

/* Whom a tie is judged by, besides those who are here. */
static const struct node_set *those_before(const struct votequorum_view *view)
{
    return view->quorate_with->count > 0 ? view->quorate_with : view->previous;
}

static bool list_wins(const struct votequorum_view *view)
{
    const struct node_set *before = those_before(view);

    for (size_t i = 0; i < view->options->tie_breaker_node_count; i++) {
        uint32_t node_id = view->options->tie_breaker_nodes[i];

        if (node_set_has(view->members, node_id))
            return true;
        if (node_set_has(before, node_id))
            return false; /* a better one, which has been with us: it may be on the other side */
    }
    return false;
}

bool votequorum_wins_tie(const struct votequorum_view *view)
{
    switch (view->options->tie_breaker) {
    case VOTEQUORUM_TIE_BREAKER_NONE:
        return false;
    case VOTEQUORUM_TIE_BREAKER_LOWEST:
        return node_set_has(view->members, view->lowest_node_id);
    case VOTEQUORUM_TIE_BREAKER_HIGHEST:
        return node_set_has(view->members, view->highest_node_id);
    case VOTEQUORUM_TIE_BREAKER_LIST:
        return list_wins(view);
    }
    return false;
}

bool votequorum_starts_window(const struct votequorum_view *view)
{
    uint32_t count = view->members->count;

    if (!view->options->last_man_standing)
        return false;
    if (!node_set_is_subset(view->previous, view->members) && count >= view->quorum)
        return true;
    /* The lowest node, whoever breaks ties: that is how the packaged daemon has it. */
    return view->options->tie_breaker != VOTEQUORUM_TIE_BREAKER_NONE && count <= view->quorum &&
           node_set_has(view->members, view->lowest_node_id);
}

/* Half of the votes, after a loss that leaves room for no more than one other half. */
static bool is_tie(const struct votequorum_view *view, uint64_t total_votes, uint64_t own_expected,
                   uint64_t quorum)
{
    int64_t gone = (int64_t)those_before(view)->count - (int64_t)view->members->count;

    return total_votes == own_expected / 2 && gone < (int64_t)quorum;
}

static bool master_wins(const struct votequorum_view *view)
{
    const uint32_t wanted = VOTEQUORUM_FLAG_DEVICE_MASTER_WINS | VOTEQUORUM_FLAG_DEVICE_CAST_VOTE;

    if (!view->master_wins)
        return false;
    for (size_t i = 0; i < view->voter_count; i++)
        if ((view->voters[i].flags & wanted) == wanted)
            return true;
    return false;
}

static enum votequorum_reason reason_of(const struct votequorum_view *view, uint64_t total_votes,
                                        uint64_t own_expected, uint64_t quorum)
{
    if (view->options->wait_for_all && view->waiting && total_votes != own_expected)
        return VOTEQUORUM_WAITS_FOR_ALL;
    if (total_votes >= quorum)
        return VOTEQUORUM_BY_VOTES;
    if (is_tie(view, total_votes, own_expected, quorum) && votequorum_wins_tie(view))
        return VOTEQUORUM_BY_TIE_BREAKER;
    if (master_wins(view))
        return VOTEQUORUM_BY_MASTER_WINS;
    return VOTEQUORUM_TOO_FEW;
}

struct votequorum_verdict votequorum_decide(const struct votequorum_view *view,
                                            struct votequorum_question question)
{
    uint64_t total_votes = total(view, own_device_votes(view));
    uint64_t all_votes = votes_of_voters(view) + view->device_votes;
    uint64_t own_expected = larger(view->voters[view->own].expected_votes, all_votes);
    uint64_t by_nodes = question.by_current_nodes ? view->voter_count + (view->device_votes > 0 ? 1 : 0) : 0;
    uint64_t quorum = quorum_of(view, own_expected, by_nodes, question.allow_decrease);
    struct votequorum_verdict verdict = {.own_expected = shown(own_expected),
                                         .everybodys_expected = shown(by_nodes),
                                         .quorum = shown(quorum),
                                         .total_votes = shown(total_votes)};

    assert(view->own < view->voter_count);
    if (by_nodes > 0)
        own_expected = by_nodes;
    verdict.reason = reason_of(view, total_votes, own_expected, quorum);
    verdict.quorate = verdict.reason < VOTEQUORUM_TOO_FEW;
    verdict.waiting = view->options->wait_for_all && !verdict.quorate;
    return verdict;
}
