/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/check.h"

#include <stdio.h>
#include <string.h>

#include "tests/sim/device.h"

#define FROZEN_SLACK_MS 5

/* ---- the ledger ---------------------------------------------------------------------------------------- */

/* votequorum takes a vote back when its message has gone round, in a new ring if need be: docs/safety.md assumes this. */
#define RING_FORMED_MS 30000

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Until when, seen from the arbiter, an ACK given to this node may be in force. SIM_NEVER while connected. */
static uint64_t ledger_end_ms(const struct node *node)
{
    const struct cluster_settings *settings = &node->cluster->settings;
    const struct ledger *ledger = &node->ledger;
    uint64_t silent_end_ms;
    uint64_t killed_end_ms;

    if (ledger->goodbye || (!ledger->gone && ledger->stuck_until_ms != 0)) {
        return ledger->stuck_until_ms;
    }
    if (!ledger->gone) {
        return SIM_NEVER;
    }
    if (node->ops->ours) {
        return later(ledger->conn->heard_ms + ledger->conn->stated.lease_ms + ledger->conn->stated.hold_ms,
                     ledger->stuck_until_ms);
    }
    silent_end_ms = ledger->conn->heard_ms + (uint64_t)settings->heartbeat_ms * 9 / 4;
    killed_end_ms = ledger->end_ms == 0 ? 0 : ledger->end_ms + (uint64_t)settings->heartbeat_ms * 5 / 4;
    return later(later(silent_end_ms, killed_end_ms), ledger->stuck_until_ms);
}

bool ledger_in_force(const struct node *node)
{
    return node->ledger.held && node->world->now_ms < ledger_end_ms(node);
}

/* Algorithm test and the packaged timing make no promises about order and safety. */
static bool promises_nothing(const struct sim_cluster *cluster)
{
    return cluster->settings.algorithm == WIRE_ALGORITHM_TEST || !cluster->world->host.settings.strict;
}

static bool takes_part(const struct node *node)
{
    const struct ledger *ledger = &node->ledger;

    return ledger->reported &&
           (ledger->configured || node->cluster->settings.algorithm != WIRE_ALGORITHM_FFSPLIT);
}

static bool contradict(const struct node *one, const struct node *other)
{
    const struct ledger *left = &one->ledger;
    const struct ledger *right = &other->ledger;

    if (!takes_part(one) || !takes_part(other)) {
        return false;
    }
    if (left->configured && right->configured && left->config != right->config) {
        return true;
    }
    return (left->membership & right->membership) != 0 &&
           (left->membership != right->membership || !wire_ring_id_equal(left->ring, right->ring));
}

/* The arbiter has heard or lost something: do the reports it has contradict each other? */
static void follow_reports(struct sim_cluster *cluster)
{
    bool any = false;

    for (unsigned i = 0; i < cluster->node_count && !any; i++) {
        for (unsigned j = i + 1; j < cluster->node_count && !any; j++) {
            any = contradict(&cluster->nodes[i], &cluster->nodes[j]);
        }
    }
    if (!any) {
        cluster->contradiction_ms = 0;
    } else if (cluster->contradiction_ms == 0) {
        cluster->contradiction_ms = cluster->world->now_ms;
    }
}

/* The arbiter goes by the longest of those connected when a contradiction begins. */
static uint32_t shortest_heartbeat_ms(const struct sim_cluster *cluster)
{
    uint32_t shortest_ms = UINT32_MAX;

    for (unsigned i = 0; i < cluster->node_count; i++) {
        uint32_t heartbeat_ms = device_heartbeat_ms(&cluster->nodes[i]);

        shortest_ms = heartbeat_ms < shortest_ms ? heartbeat_ms : shortest_ms;
    }
    return shortest_ms;
}

/* Contradicting reports are waited out, for two heartbeat intervals at most, before anybody gets another
 * verdict. */
static void check_view(const struct node *node, const struct wire_vote_message *vote)
{
    const struct sim_cluster *cluster = node->cluster;
    const struct ledger *ledger = &node->ledger;
    bool repeated = vote->vote == ledger->verdict && wire_ring_id_equal(vote->ring_id, ledger->verdict_ring);

    if (cluster->contradiction_ms == 0 || repeated || node->world->only_safety ||
        cluster->settings.algorithm == WIRE_ALGORITHM_TEST ||
        node->world->now_ms >= cluster->contradiction_ms + 2 * (uint64_t)shortest_heartbeat_ms(cluster)) {
        return;
    }
    world_fail(node->world, "VIEW",
               "%s: node %u gets %s while reports contradict each other, for %llu ms only", cluster->name,
               node->id, wire_vote_name(vote->vote),
               (unsigned long long)(node->world->now_ms - cluster->contradiction_ms));
}

static void on_quorum_list(struct ledger *ledger, bool quorate)
{
    ledger->quorate = quorate;
    if (!quorate && ledger->stuck_until_ms != 0) {
        ledger->held = false;
        ledger->stuck_until_ms = 0;
    }
}

void check_on_received(struct conn *conn, const struct wire_message *message)
{
    struct node *node = conn->node;
    struct ledger *ledger = &node->ledger;

    conn->heard_ms = node->world->now_ms;
    switch ((int)message->type) {
    case WIRE_INIT:
        conn->init_ring = message->u.init.ring_id;
        conn->stated = message->u.init.lease;
        break;
    case WIRE_NODE_LIST:
        if (message->u.node_list.list_type == WIRE_LIST_MEMBERSHIP) {
            ledger->reported = true;
            ledger->membership = mask_of_list(node->cluster, &message->u.node_list);
            ledger->ring = message->u.node_list.ring_id;
            ledger->heuristics = message->u.node_list.heuristics;
            ledger->stuck_until_ms = 0; /* for this ring it has yet to be told, and to confirm */
        } else if (message->u.node_list.list_type == WIRE_LIST_QUORUM) {
            on_quorum_list(ledger, message->u.node_list.quorate);
        } else {
            ledger->configured = true;
            ledger->config = mask_of_list(node->cluster, &message->u.node_list);
        }
        follow_reports(node->cluster);
        break;
    case WIRE_HEURISTICS_CHANGE:
        ledger->heuristics = message->u.heuristics_change.heuristics;
        break;
    case WIRE_VOTE_INFO_REPLY:
        if (ledger->now_conn == conn && ledger->revoking && ledger->vote == WIRE_VOTE_NACK &&
            message->seq == ledger->vote_seq && wire_ring_id_equal(ledger->verdict_ring, ledger->ring)) {
            ledger->held = ledger_in_force(node) && ledger->quorate;
            ledger->stuck_until_ms = ledger->held ? conn->heard_ms + RING_FORMED_MS : 0;
            ledger->revoking = false;
        }
        break;
    default:
        break;
    }
}

/* An ACK that excludes others must come after all of theirs have ended. */
static void check_order(const struct node *winner)
{
    const struct sim_cluster *cluster = winner->cluster;
    node_mask members = winner->ledger.membership;
    bool majority = cluster->settings.algorithm == WIRE_ALGORITHM_FFSPLIT &&
                    2 * mask_count(members & winner->ledger.config) > mask_count(winner->ledger.config);

    if (promises_nothing(cluster)) {
        return;
    }
    for (unsigned i = 0; i < cluster->node_count; i++) {
        const struct node *other = &cluster->nodes[i];
        char text[64];

        if (other == winner || (members & node_bit(other)) || majority || !ledger_in_force(other) ||
            winner->world->only_safety) {
            continue;
        }
        if (winner->ledger.config != 0 && !(winner->ledger.config & node_bit(other))) {
            continue; /* removed from the configuration: the administrator answers for its being down */
        }
        world_fail(winner->world, "ORDER", "%s: node %u of {%s} gets ACK while node %u may still hold one%s",
                   cluster->name, winner->id, mask_text(cluster, members, text), other->id,
                   other->ledger.gone ? " (its connection is gone)" : "");
    }
}

static void on_verdict(struct conn *conn, const struct wire_vote_message *vote, uint32_t seq, bool pushed)
{
    struct node *node = conn->node;
    struct ledger *ledger = &node->ledger;

    if (!wire_ring_id_equal(vote->ring_id, ledger->ring)) {
        world_fail(node->world, "RING", "%s node %u: %s for ring %u.%llu, its latest is %u.%llu",
                   node->cluster->name, node->id, wire_vote_name(vote->vote), vote->ring_id.node_id,
                   (unsigned long long)vote->ring_id.seq, ledger->ring.node_id,
                   (unsigned long long)ledger->ring.seq);
        return;
    }
    if (vote->vote == WIRE_VOTE_ACK) {
        if (!ledger->reported) {
            world_fail(node->world, "RING", "%s node %u: ACK before it has reported", node->cluster->name,
                       node->id);
            return;
        }
        node->world->votes++;
        node->world->last_ack = node;
        if (node->world->first_ack_life != node->world->host.life) {
            node->world->first_ack_life = node->world->host.life;
            node->world->first_ack = node;
        }
        check_order(node);
        ledger->held = true;
        ledger->conn = conn;
        ledger->gone = ledger->goodbye = false;
        ledger->stuck_until_ms = 0;
        ledger->revoking = false;
    }
    if (pushed) {
        check_view(node, vote);
        ledger->verdict = vote->vote;
        ledger->verdict_ring = vote->ring_id;
        ledger->vote_seq = seq;
        ledger->vote = vote->vote;
        ledger->revoking = vote->vote == WIRE_VOTE_NACK;
    }
}

void check_on_sent(struct conn *conn, const struct wire_message *message)
{
    struct node *node = conn->node;

    switch ((int)message->type) {
    case WIRE_INIT_REPLY:
        if (message->u.init_reply.error == WIRE_ERROR_NONE) {
            struct ledger *ledger = &node->ledger;

            ledger->now_conn = conn;
            ledger->vote_seq = 0;
            ledger->vote = WIRE_VOTE_UNDEFINED;
            ledger->revoking = false;
            ledger->reported = ledger->configured = ledger->quorate = false;
            ledger->verdict = WIRE_VOTE_UNDEFINED;
            ledger->ring = conn->init_ring;
        }
        break;
    case WIRE_VOTE_INFO:
        on_verdict(conn, &message->u.vote, message->seq, true);
        break;
    case WIRE_NODE_LIST_REPLY:
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_HEURISTICS_CHANGE_REPLY:
        on_verdict(conn, &message->u.vote, message->seq, false);
        break;
    case WIRE_SERVER_ERROR:
        world_fail(node->world, "NO-KILL", "%s node %u is sent an error: %s", node->cluster->name, node->id,
                   wire_error_text(message->u.server_error.error));
        break;
    default:
        break;
    }
}

void check_on_gone(struct conn *conn, enum arbiter_disconnect how, bool by_arbiter)
{
    struct node *node = conn->node;
    struct ledger *ledger = &node->ledger;

    ledger->held = ledger_in_force(node); /* what has ended does not begin again with the end of a connection */

    /*
     * An orderly goodbye: a packaged device has cast NACK before it (lms: unless wait_for_all, which is not
     * modelled). It speaks for the node, whichever connection the ACK came on.
     */
    if (how == ARBITER_GONE_CLOSE_NOTIFY && ledger->now_conn == conn &&
        (node->ops->ours || node->cluster->settings.algorithm != WIRE_ALGORITHM_2NODELMS)) {
        ledger->held = ledger->held && ledger->stuck_until_ms != 0;
        ledger->goodbye = ledger->held;
    }
    if (ledger->now_conn == conn) {
        ledger->now_conn = NULL;
        ledger->reported = ledger->configured = false;
        follow_reports(node->cluster);
    }
    if (ledger->held && ledger->conn == conn && !ledger->gone) {
        ledger->gone = true;
        ledger->end_ms = by_arbiter || how == ARBITER_GONE_SEND_FAILED ? 0 : node->world->now_ms;
    }
}

/* Which NACKs were confirmed in vain is not on record: after a restart a lease must do (docs/safety.md, "What is left"). */
void check_on_arbiter_start(struct world *world)
{
    for (unsigned i = 0; i < world->cluster_count; i++) {
        for (unsigned j = 0; j < world->clusters[i].node_count; j++) {
            struct ledger *ledger = &world->clusters[i].nodes[j].ledger;

            ledger->held = ledger_in_force(&world->clusters[i].nodes[j]) && !ledger->goodbye;
            ledger->goodbye = false;
            ledger->stuck_until_ms = 0;
        }
    }
}

/* ---- safety -------------------------------------------------------------------------------------------- */

/*
 * votequorum has just turned a withdrawn vote on again by itself (docs/observed.md). No arbiter can prevent
 * it; the next poll ends it, at the latest half a device timeout later.
 */
static bool has_relapsed(const struct node *node)
{
    return node->view.relapsed && node_needs_device(node);
}

/*
 * The other excuse: this node is quorate only by the vote of a packaged device that was killed, stood still,
 * or (2nodelms) has no connection, and all documented bounds for such a vote have passed.
 */
static bool is_excused(const struct node *node)
{
    return node->tainted && !node->ops->ours && node_needs_device(node) && !ledger_in_force(node);
}

static void check_pair(struct sim_cluster *cluster, const struct node *one, const struct node *other)
{
    bool dropped = !(one->members & node_bit(other)) || !(other->members & node_bit(one));
    char text1[64];
    char text2[64];

    if (!dropped || !node_serves(other)) {
        return;
    }
    if (has_relapsed(one) || has_relapsed(other)) {
        cluster->world->relapses++;
        return;
    }
    if (is_excused(one) || is_excused(other)) {
        cluster->world->excused++;
        return;
    }
    world_fail(cluster->world, "SAFETY", "%s: node %u in {%s} and node %u in {%s} are both quorate",
               cluster->name, one->id, mask_text(cluster, one->members, text1), other->id,
               mask_text(cluster, other->members, text2));
}

/* Its votequorum waits for a vote on a new ring, and shows "quorate", the answer of the former one, meanwhile. */
static bool is_frozen(const struct node *node)
{
    return node_responds(node) && node->ops->voter && node->view.sync_waiting && node->view.quorate;
}

static const struct node *arbiters_choice_beside(const struct sim_cluster *cluster, const struct node *node)
{
    for (unsigned i = 0; i < cluster->node_count; i++) {
        const struct node *other = &cluster->nodes[i];

        if (other != node && !(node->members & node_bit(other)) && node_serves(other) &&
            node_needs_device(other)) {
            return other;
        }
    }
    return NULL;
}

static void check_frozen(struct sim_cluster *cluster, struct node *node)
{
    struct world *world = cluster->world;
    const struct node *other = is_frozen(node) ? arbiters_choice_beside(cluster, node) : NULL;
    uint64_t bound_ms;

    if (other == NULL) {
        node->frozen_since_ms = 0;
        return;
    }
    bound_ms = node->cluster->settings.heartbeat_ms * 5 / 4 + node->ops->hold_ms(node) + FROZEN_SLACK_MS;
    if (node->frozen_since_ms == 0) {
        node->frozen_since_ms = world->now_ms;
    }
    if (world->now_ms - node->frozen_since_ms > bound_ms) {
        world_fail(world, "FROZEN", "%s: node %u has shown quorate for %llu ms beside node %u, waiting for its device",
                   cluster->name, node->id, (unsigned long long)(world->now_ms - node->frozen_since_ms), other->id);
    }
}

void check_safety(struct world *world)
{
    for (unsigned i = 0; i < world->cluster_count; i++) {
        struct sim_cluster *cluster = &world->clusters[i];

        for (unsigned j = 0; j < cluster->node_count && !promises_nothing(cluster); j++) {
            if (cluster->nodes[j].ops->voter) {
                check_frozen(cluster, &cluster->nodes[j]);
            }
        }
        if (!cluster->dirty) {
            continue;
        }
        cluster->dirty = false;
        if (promises_nothing(cluster)) {
            continue;
        }
        for (unsigned j = 0; j < cluster->node_count; j++) {
            if (!node_serves(&cluster->nodes[j])) {
                continue;
            }
            for (unsigned k = j + 1; k < cluster->node_count; k++) {
                check_pair(cluster, &cluster->nodes[j], &cluster->nodes[k]);
            }
        }
    }
}

/* ---- recovery ------------------------------------------------------------------------------------------ */

/* Nodes of one colour, and those of them that talk to the arbiter. */
struct side {
    node_mask all;
    node_mask reach;
};

static unsigned find_sides(const struct sim_cluster *cluster, struct side sides[SIM_NODES_MAX])
{
    unsigned count = 0;
    node_mask seen = 0;

    for (unsigned i = 0; i < cluster->node_count; i++) {
        const struct node *node = &cluster->nodes[i];
        struct side side = {0, 0};

        if (!node_responds(node) || (seen & node_bit(node)) || !(node->config & node_bit(node))) {
            continue;
        }
        for (unsigned j = i; j < cluster->node_count; j++) {
            const struct node *other = &cluster->nodes[j];

            if (node_responds(other) && other->color == node->color && (other->config & node_bit(other))) {
                side.all |= node_bit(other);
                if (other->path_to_arbiter && other->path_to_device) {
                    side.reach |= node_bit(other);
                }
            }
        }
        seen |= side.all;
        sides[count++] = side;
    }
    return count;
}

static bool all_quorate(const struct sim_cluster *cluster, node_mask nodes)
{
    for (unsigned i = 0; i < cluster->node_count; i++) {
        if ((nodes & (1u << i)) && !node_serves(&cluster->nodes[i])) {
            return false;
        }
    }
    return true;
}

/* Sides of which exactly one must be served, if there are any. */
static unsigned candidates(const struct sim_cluster *cluster, struct side *sides, unsigned count)
{
    unsigned configured = mask_count(cluster->config);
    bool ffsplit = cluster->settings.algorithm == WIRE_ALGORITHM_FFSPLIT;
    unsigned kept = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned size = mask_count(sides[i].all);

        if (ffsplit && 2 * size > configured) { /* a majority beats everything */
            sides[0] = sides[i];
            return 1;
        }
        if (sides[i].reach != 0 && (!ffsplit || 2 * size == configured)) {
            sides[kept++] = sides[i];
        }
    }
    return kept;
}

bool check_recovered(const struct sim_cluster *cluster, char *why, size_t size)
{
    struct side sides[SIM_NODES_MAX];
    unsigned configured = mask_count(cluster->config);
    unsigned count = find_sides(cluster, sides);
    char text[64];

    for (unsigned i = 0; i < cluster->node_count; i++) {
        const struct node *node = &cluster->nodes[i];

        if (node_responds(node) && node->ring_state != RING_OPERATIONAL) {
            (void)snprintf(why, size, "%s: node %u has not finished its membership change", cluster->name,
                           node->id);
            return false;
        }
    }
    count = candidates(cluster, sides, count);
    if (count == 0) {
        return true;
    }
    for (unsigned i = 0; i < count; i++) {
        bool by_nodes = cluster->settings.algorithm == WIRE_ALGORITHM_FFSPLIT
                            ? 2 * mask_count(sides[i].all) > configured + 1
                            : mask_count(sides[i].all) == configured;

        if (all_quorate(cluster, by_nodes ? sides[i].all : sides[i].reach)) {
            return true;
        }
    }
    (void)snprintf(why, size, "%s: none of %u sides is quorate where it must be; the first: {%s}",
                   cluster->name, count, mask_text(cluster, sides[0].all, text));
    return false;
}

/* ---- the right winner ---------------------------------------------------------------------------------- */

static int score_of(const struct sim_cluster *cluster, const struct side *side)
{
    int score = 0;

    for (unsigned i = 0; i < cluster->node_count; i++) {
        enum wire_heuristics heuristics = cluster->nodes[i].ledger.heuristics;

        if (side->reach & (1u << i)) {
            score += 1 + (heuristics == WIRE_HEURISTICS_PASS) - (heuristics == WIRE_HEURISTICS_FAIL);
        }
    }
    return score;
}

/* The side that holds the tie-breaker's node, else the lowest node that reports. */
static const struct side *break_tie(const struct sim_cluster *cluster, const struct side *sides,
                                    unsigned count)
{
    const struct wire_tie_breaker *tie_breaker = &cluster->settings.tie_breaker;
    int index = tie_breaker->mode == WIRE_TIE_BREAKER_LOWEST ? __builtin_ctz(cluster->config)
                : tie_breaker->mode == WIRE_TIE_BREAKER_HIGHEST
                    ? 31 - __builtin_clz(cluster->config)
                    : cluster_index_of(cluster, tie_breaker->node_id);
    const struct side *lowest = &sides[0];

    for (unsigned i = 0; i < count; i++) {
        if (index >= 0 && (cluster->config & (1u << index)) && (sides[i].all & (1u << index))) {
            return &sides[i];
        }
        if (__builtin_ctz(sides[i].reach) < __builtin_ctz(lowest->reach)) {
            lowest = &sides[i];
        }
    }
    return lowest;
}

/* Whether sides that tie so far are told apart by history: who was active before. */
static bool history_decides(const struct sim_cluster *cluster, const struct side *sides, unsigned count)
{
    node_mask reporting = 0;

    for (unsigned i = 0; i < count; i++) {
        reporting |= sides[i].reach;
    }
    return cluster->settings.algorithm != WIRE_ALGORITHM_FFSPLIT ||
           !(reporting & ~cluster->settings.keep_active);
}

static int rank_of(const struct sim_cluster *cluster, const struct side *side)
{
    return 64 * score_of(cluster, side) + (int)mask_count(side->reach);
}

bool check_winner(const struct sim_cluster *cluster, char *why, size_t size)
{
    struct side sides[SIM_NODES_MAX];
    unsigned count = candidates(cluster, sides, find_sides(cluster, sides));
    unsigned best_count = 0;
    int best = 0;
    char text[64];

    if (count < 2 || cluster->settings.algorithm == WIRE_ALGORITHM_TEST) {
        return true;
    }
    for (unsigned i = 0; i < count; i++) {
        best = i == 0 || rank_of(cluster, &sides[i]) > best ? rank_of(cluster, &sides[i]) : best;
    }
    for (unsigned i = 0; i < count; i++) {
        if (rank_of(cluster, &sides[i]) == best) {
            sides[best_count++] = sides[i];
        }
    }
    if (best_count > 1 && !history_decides(cluster, sides, best_count)) {
        sides[0] = *break_tie(cluster, sides, best_count);
        best_count = 1;
    }
    for (unsigned i = 0; i < best_count; i++) {
        if (all_quorate(cluster, sides[i].reach)) {
            return true;
        }
    }
    (void)snprintf(why, size, "%s: the wrong side is quorate, {%s} ranks higher", cluster->name,
                   mask_text(cluster, sides[0].all, text));
    return false;
}
