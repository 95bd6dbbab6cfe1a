/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/votequorum_machine.h"

/* ---- the table ------------------------------------------------------------------------------------------- */

/* Where it is, or would have to be. */
static size_t position(const struct votequorum *vq, uint32_t node_id)
{
    size_t low = 0;
    size_t high = vq->node_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (vq->nodes[middle].node_id < node_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct votequorum_node *votequorum_find_node(const struct votequorum *vq, uint32_t node_id)
{
    size_t i = position(vq, node_id);

    return i < vq->node_count && vq->nodes[i].node_id == node_id ? &vq->nodes[i] : NULL;
}

struct votequorum_node *votequorum_own(const struct votequorum *vq)
{
    struct votequorum_node *own = votequorum_find_node(vq, vq->own_id);

    assert(own != NULL);
    return own;
}

static bool make_room(struct votequorum *vq)
{
    size_t capacity = vq->node_capacity > 0 ? 2 * vq->node_capacity : 8;
    struct votequorum_node *nodes;
    struct votequorum_voter *voters;

    if (vq->node_count < vq->node_capacity)
        return true;
    nodes = realloc(vq->nodes, capacity * sizeof(*nodes));
    if (nodes != NULL)
        vq->nodes = nodes;
    voters = realloc(vq->voters, capacity * sizeof(*voters));
    if (voters != NULL)
        vq->voters = voters;
    if (nodes == NULL || voters == NULL)
        return false;
    vq->node_capacity = capacity;
    return true;
}

struct votequorum_node *votequorum_add_node(struct votequorum *vq, uint32_t node_id)
{
    size_t i = position(vq, node_id);

    if (!make_room(vq)) {
        vq->out_of_memory = true;
        return NULL;
    }
    memmove(&vq->nodes[i + 1], &vq->nodes[i], (vq->node_count - i) * sizeof(*vq->nodes));
    vq->node_count++;
    vq->nodes[i] = (struct votequorum_node){.node_id = node_id, .state = VOTEQUORUM_DEAD};
    return &vq->nodes[i];
}

struct votequorum_view votequorum_view(struct votequorum *vq)
{
    struct votequorum_view view = {.options = &vq->settings.options,
                                   .voters = vq->voters,
                                   .device_votes = vq->device_votes,
                                   .quorum = vq->quorum,
                                   .waiting = vq->waiting,
                                   .master_wins = vq->master_wins,
                                   .expected_votes_barrier = vq->expected_votes_barrier,
                                   .lowest_node_id = vq->lowest_node_id,
                                   .highest_node_id = vq->highest_node_id,
                                   .members = &vq->members,
                                   .previous = &vq->previous,
                                   .quorate_with = &vq->quorate_with};

    for (size_t i = 0; i < vq->node_count; i++) {
        const struct votequorum_node *node = &vq->nodes[i];

        if (node->state != VOTEQUORUM_MEMBER)
            continue;
        if (node->node_id == vq->own_id)
            view.own = view.voter_count;
        vq->voters[view.voter_count++] =
            (struct votequorum_voter){node->node_id, node->votes, node->expected_votes, node->flags};
    }
    return view;
}

/* ---- counting -------------------------------------------------------------------------------------------- */

bool votequorum_is_quorate(const struct votequorum *vq)
{
    return (votequorum_own(vq)->flags & VOTEQUORUM_FLAG_QUORATE) != 0;
}

static void set_flag(uint32_t *flags, uint32_t flag, bool on)
{
    *flags = on ? *flags | flag : *flags & ~flag;
}

void votequorum_set_waiting(struct votequorum *vq, bool waiting)
{
    vq->waiting = waiting;
    set_flag(&votequorum_own(vq)->flags, VOTEQUORUM_FLAG_WAITING, waiting);
    if (vq->settings.options.wait_for_all || vq->is_published[VOTEQUORUM_KEY_WAIT_FOR_ALL_STATUS])
        votequorum_act_publish(vq, VOTEQUORUM_KEY_WAIT_FOR_ALL_STATUS, waiting);
}

/* Who counts heads must not be fooled by heads that count double. */
static void check_last_man_standing(struct votequorum *vq)
{
    for (size_t i = 0; i < vq->node_count && vq->settings.options.last_man_standing; i++)
        if (vq->nodes[i].votes > 1) {
            vq->settings.options.last_man_standing = false;
            vq->window_end_ms = VOTEQUORUM_NEVER;
            votequorum_act_note(
                vq, VOTEQUORUM_NOTE_WARNING,
                "node %u has %u votes: last_man_standing needs one vote per node and is disabled",
                vq->nodes[i].node_id, vq->nodes[i].votes);
        }
}

static void take_expected(struct votequorum *vq, const struct votequorum_verdict *verdict)
{
    struct votequorum_node *own = votequorum_own(vq);

    if (verdict->own_expected != own->expected_votes) {
        own->expected_votes = verdict->own_expected;
        votequorum_act_expected_events(vq);
    }
    if (vq->settings.options.expected_votes_tracking && own->expected_votes > vq->tracking_barrier) {
        vq->tracking_barrier = own->expected_votes;
        votequorum_act_publish(vq, VOTEQUORUM_KEY_EV_TRACKING_BARRIER, vq->tracking_barrier);
        votequorum_act_store(vq, vq->tracking_barrier);
    }
    if (verdict->everybodys_expected > 0)
        for (size_t i = 0; i < vq->node_count; i++)
            if (vq->nodes[i].state == VOTEQUORUM_MEMBER)
                vq->nodes[i].expected_votes = verdict->everybodys_expected;
}

/* The membership that is quorate by its votes is what later ties are judged by. */
static void remember_membership(struct votequorum *vq, const struct votequorum_view *view)
{
    node_set_fini(&vq->quorate_with);
    for (size_t i = 0; i < view->voter_count; i++)
        if (node_set_add(&vq->quorate_with, view->voters[i].node_id) != Q_OK)
            vq->out_of_memory = true;
    vq->lowest_node_id = node_set_lowest(&vq->quorate_with);
    vq->highest_node_id = node_set_highest(&vq->quorate_with);
    votequorum_act_publish(vq, VOTEQUORUM_KEY_LOWEST_NODE_ID, vq->lowest_node_id);
    votequorum_act_publish(vq, VOTEQUORUM_KEY_HIGHEST_NODE_ID, vq->highest_node_id);
}

static const char *why(enum votequorum_reason reason)
{
    switch (reason) {
    case VOTEQUORUM_BY_VOTES:
        return "by votes";
    case VOTEQUORUM_BY_TIE_BREAKER:
        return "half of the votes, and auto_tie_breaker decides for this half";
    case VOTEQUORUM_BY_MASTER_WINS:
        return "the quorum device votes for a node of this partition, and master wins";
    case VOTEQUORUM_TOO_FEW:
        return "too few votes";
    case VOTEQUORUM_WAITS_FOR_ALL:
        return "waiting for all nodes";
    }
    return "";
}

static void tell_change(struct votequorum *vq, const struct votequorum_verdict *verdict)
{
    char ring[40] = "before the first ring";

    if (vq->ring_id.rep != 0)
        snprintf(ring, sizeof(ring), "ring %x.%llx", vq->ring_id.rep, (unsigned long long)vq->ring_id.seq);
    votequorum_act_note(vq, VOTEQUORUM_NOTE_NOTICE, "%s: %s (votes %u, quorum %u, expected %u): %s", ring,
                        verdict->quorate ? "quorate" : "not quorate", verdict->total_votes, verdict->quorum,
                        votequorum_own(vq)->expected_votes, why(verdict->reason));
}

void votequorum_count(struct votequorum *vq, struct votequorum_question question)
{
    struct votequorum_view view;
    struct votequorum_verdict verdict;
    bool was_quorate = votequorum_is_quorate(vq);

    check_last_man_standing(vq);
    view = votequorum_view(vq);
    verdict = votequorum_decide(&view, question);
    take_expected(vq, &verdict);
    vq->quorum = verdict.quorum;
    if (verdict.reason == VOTEQUORUM_WAITS_FOR_ALL)
        return;
    if (verdict.reason == VOTEQUORUM_BY_VOTES)
        remember_membership(vq, &view);
    set_flag(&votequorum_own(vq)->flags, VOTEQUORUM_FLAG_QUORATE, verdict.quorate);
    if (vq->settings.options.wait_for_all)
        votequorum_set_waiting(vq, verdict.waiting);
    if (verdict.quorate == was_quorate)
        return;
    tell_change(vq, &verdict);
    if (!vq->synchronising)
        votequorum_act_report(vq);
}
