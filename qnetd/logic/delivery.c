/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From reports to votes: one decision per cluster, and its delivery in the only safe order. Losers are told NACK at
 * once; winners are told ACK when no node outside the winning partition can still be casting an earlier ACK: each
 * has confirmed a NACK for its present ring, or its lease has ended. Before an ACK leaves, the grant is on record (record.c).
 * The rule lives here and nowhere else. (docs/safety.md; spec/arbitration.md sections 9 and 11.5 to 11.8.)
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qnetd/logic/lease.h"
#include "qnetd/logic/machine.h"
#include "common/mutation.h"

#define PERSIST_RETRY_MS 1000

/*
 * A confirmed NACK has been cast, but votequorum withdraws the vote only when its own message about it has gone round the
 * ring: not before a new ring has formed, if the old one has just lost a member (docs/observed.md). That takes the time of
 * token and consensus, by default 2.2 x (3 s + 0.65 s for each node beyond two). The node tells in its quorum list when
 * it is done; this is how long that is waited for, enough for a token of 13 s.
 */
#define LINGERS_MS_MAX 30000

/* Contradicting reports are waited out this many of the longest heartbeat intervals. */
#define UNSTABLE_HEARTBEATS 2

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t latest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint32_t longest_heartbeat_ms(const struct cluster *cluster)
{
    uint32_t longest = 0;

    for (const struct member *m = cluster->members; m != NULL; m = m->next)
        if (m->conn != 0 && m->heartbeat_ms_longest > longest)
            longest = m->heartbeat_ms_longest;
    return longest;
}

/* ---- start-up caution ---- */

uint64_t delivery_caution_end_ms(const struct arbiter *a, const struct cluster *cluster)
{
    uint32_t longest = 0;

    for (const struct member *m = cluster->members; m != NULL; m = m->next) {
        uint32_t bound = m->conn != 0 ? lease_unknown_bound_ms(m, &a->settings) : 0;

        if (bound > longest)
            longest = bound;
    }
    return a->start_ms + longest;
}

static bool is_early(const struct arbiter *a, const struct cluster *cluster)
{
    return a->settings.strict && !a->restored_complete && !MUTATION(quarantine) &&
           a->now_ms < delivery_caution_end_ms(a, cluster);
}

bool delivery_is_cautious(const struct arbiter *a, const struct cluster *cluster)
{
    bool accounted = cluster->accounted.count > 0 && node_set_is_subset(&cluster->config, &cluster->accounted);

    return is_early(a, cluster) && !accounted;
}

bool delivery_is_cautious_about(const struct arbiter *a, const struct cluster *cluster, const struct member *member)
{
    return is_early(a, cluster) && !node_set_has(&cluster->accounted, member->node_id);
}

/*
 * All configured nodes report: each has been taken for a holder from its first report on, and is like any other, so that no
 * vote is out that is not known. That remains so, whoever leaves; a node that is configured later is another matter.
 */
static void note_accounted(struct arbiter *a, struct cluster *cluster, const struct view_storage *storage)
{
    if (a->restored_complete || !(storage->complete || MUTATION(accounted)) ||
        node_set_equal(&cluster->accounted, &storage->config))
        return;
    if (node_set_copy(&cluster->accounted, &storage->config) != Q_OK)
        a->out_of_memory = true; /* the caution lasts its time */
}

/* ---- who stands where ---- */

static bool in_winning_partition(const struct cluster *cluster, const struct member *member)
{
    return node_set_has(&cluster->winner, member->node_id) &&
           wire_ring_id_equal(member->ring, cluster->winner_ring) &&
           node_set_equal(&member->membership, &cluster->winner);
}

bool delivery_is_winner(const struct cluster *cluster, const struct member *member)
{
    return member_is_reporting(cluster, member) && in_winning_partition(cluster, member);
}

static bool owes_confirmation(const struct member *member)
{
    return member->conn != 0 && member->vote_unconfirmed && member->verdict == WIRE_VOTE_NACK;
}

/*
 * May this member's vote count against the winner? Whoever was told NACK counts until it has confirmed, even if it never
 * had a vote of ours: until then its votequorum may still show the answer of the former, larger membership.
 */
static bool conflicts(const struct cluster *cluster, const struct member *member)
{
    if (member->grant == GRANT_NONE && !owes_confirmation(member) && !member->lingers)
        return false;
    if (!node_set_has(&cluster->winner, member->node_id))
        return true;
    /* A member of the winner that reports something else at the same time. */
    return member_is_reporting(cluster, member) && !in_winning_partition(cluster, member);
}

static bool has_verdict(const struct member *member, enum wire_vote vote)
{
    return member->verdict == vote && !member->awaits_vote && wire_ring_id_equal(member->verdict_ring, member->ring);
}

bool delivery_is_due(const struct cluster *cluster, const struct member *member)
{
    return delivery_is_winner(cluster, member) && !has_verdict(member, WIRE_VOTE_ACK);
}

/* ---- sending ---- */

static void send_verdict(struct arbiter *a, const struct cluster *cluster, struct member *member, enum wire_vote vote)
{
    struct session *session = session_find(a, member->conn);
    struct wire_message *message = &a->reply;

    assert(session != NULL);
    message->type = WIRE_VOTE_INFO;
    message->present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER) | WIRE_HAS(WIRE_TLV_VOTE) | WIRE_HAS(WIRE_TLV_RING_ID);
    message->seq = ++member->vote_seq;
    message->u.vote.vote = vote;
    message->u.vote.ring_id = member->ring;
    if (member->has_lease) {
        message->present |= WIRE_HAS_REASON;
        message->u.vote.reason.data = (const uint8_t *)cluster->verdict.reason;
        message->u.vote.reason.size = strlen(cluster->verdict.reason);
    }
    member->verdict = vote;
    member->verdict_ring = member->ring;
    member->last_vote = vote;
    member->awaits_vote = false;
    member->vote_unconfirmed = true;
    member->lingers = false;
    member->vote_sent_ms = a->now_ms;
    if (vote == WIRE_VOTE_ACK)
        member->grant = GRANT_HELD;
    emit_message(a, session, message);
    session_schedule(a, session);
}

static void send_nacks(struct arbiter *a, struct cluster *cluster)
{
    for (struct member *m = cluster->members; m != NULL; m = m->next)
        if (member_is_reporting(cluster, m) && !in_winning_partition(cluster, m) && !has_verdict(m, WIRE_VOTE_NACK))
            send_verdict(a, cluster, m, WIRE_VOTE_NACK);
}

static void schedule(struct arbiter *a, struct cluster *cluster)
{
    uint64_t at = ARBITER_NEVER;

    for (const struct member *m = cluster->members; m != NULL; m = m->next) {
        if (m->grant == GRANT_GHOST)
            at = earliest(at, m->ghost_until_ms);
        if (m->lingers)
            at = earliest(at, m->lingers_until_ms);
    }
    if (cluster->phase == CLUSTER_UNSTABLE)
        at = earliest(at, cluster->unstable_until_ms);
    if (cluster->phase == CLUSTER_WAITING) {
        uint64_t caution_end = delivery_caution_end_ms(a, cluster);

        if (caution_end > a->now_ms)
            at = earliest(at, caution_end);
    }
    if (cluster->phase == CLUSTER_PERSISTING)
        at = earliest(at, cluster->persist_retry_ms);
    deadline_set(&a->deadlines, &cluster->deadline, at);
}

static void set_phase(struct cluster *cluster, enum cluster_phase phase)
{
    cluster->phase = phase;
    cluster->waiting_until_ms = ARBITER_NEVER;
    if (phase != CLUSTER_WAITING && phase != CLUSTER_UNSTABLE)
        cluster->waiting_for[0] = '\0';
}

/* Notes the winner as the partition that was granted last. All or nothing. */
static enum q_err remember_grant(struct cluster *cluster)
{
    struct node_set granted = {0};
    struct node_set config = {0};

    if (node_set_copy(&granted, &cluster->winner) != Q_OK || node_set_copy(&config, &cluster->config) != Q_OK) {
        node_set_fini(&granted);
        return Q_ERR_NO_MEMORY;
    }
    node_set_move(&cluster->granted, &granted);
    node_set_move(&cluster->granted_config, &config);
    cluster->granted_exclusive = cluster->verdict.rank == VERDICT_EXCLUSIVE;
    return Q_OK;
}

/* Without memory for what must be noted of it nothing is granted; it is tried again. */
static void postpone(struct arbiter *a, struct cluster *cluster)
{
    a->out_of_memory = true;
    set_phase(cluster, CLUSTER_PERSISTING);
    cluster->persist_retry_ms = a->now_ms + PERSIST_RETRY_MS;
}

/* The ACKs leave: nothing speaks against it and the record is in place. */
static void release(struct arbiter *a, struct cluster *cluster)
{
    bool news = !node_set_equal(&cluster->granted, &cluster->winner);

    if (remember_grant(cluster) != Q_OK) {
        postpone(a, cluster);
        return;
    }
    for (struct member *m = cluster->members; m != NULL; m = m->next) {
        if (!delivery_is_due(cluster, m))
            continue;
        send_verdict(a, cluster, m, WIRE_VOTE_ACK);
        news = true;
    }
    if (news && cluster->waited) {
        char nodes[64];

        node_set_text(&cluster->winner, nodes, sizeof(nodes));
        emit_decision(a, cluster, "the wait is over: ACK to %s", nodes);
    }
    cluster->waited = false;
    set_phase(cluster, CLUSTER_SETTLED);
}

/* ---- the record on disk: record.c ---- */

static void begin_persist(struct arbiter *a, struct cluster *cluster)
{
    record_begin(a, cluster);
    set_phase(cluster, CLUSTER_PERSISTING);
}

void delivery_finish_step(struct arbiter *a)
{
    while (a->persist_first != NULL) {
        struct cluster *cluster = a->persist_first;

        a->persist_first = cluster->next_persist;
        cluster->persist_due = false;
        if (cluster->phase != CLUSTER_PERSISTING || record_emit(a, cluster))
            continue;
        postpone(a, cluster);
        schedule(a, cluster);
    }
}

void delivery_on_persisted(struct arbiter *a, struct cluster *cluster, uint64_t generation,
                           enum arbiter_persist_result result)
{
    if (!record_on_persisted(cluster, generation, result) || cluster->phase != CLUSTER_PERSISTING)
        return;
    if (result == ARBITER_PERSIST_FAILED) {
        cluster->persist_retry_ms = a->now_ms + PERSIST_RETRY_MS;
        snprintf(cluster->waiting_for, sizeof(cluster->waiting_for),
                 "the arbiter's state directory to become writable: the grant cannot be recorded");
        emit_cluster_note(a, ARBITER_NOTE_ERROR, cluster, 0,
                          "the grant cannot be recorded, no ACK is given; trying again in %u ms. "
                          "Make the state directory writable",
                          PERSIST_RETRY_MS);
    } else {
        release(a, cluster);
    }
    schedule(a, cluster);
}

/* ---- waiting for losers ---- */

struct obstacles {
    bool any;
    uint64_t until_ms; /* when the last of them ends at the latest; ARBITER_NEVER if no deadline is known */
    char text[VERDICT_REASON_SIZE];
};

static void add_obstacle(const struct arbiter *a, struct obstacles *obstacles, const struct member *member)
{
    size_t used = strlen(obstacles->text);
    char *text = obstacles->text + used;
    size_t room = sizeof(obstacles->text) - used;
    const char *comma = used > 0 ? ", " : "";

    if (member->grant == GRANT_GHOST) {
        snprintf(text, room, "%snode %u (gone, may hold a vote for another %.1f s)", comma, member->node_id,
                 (double)(member->ghost_until_ms - earliest(a->now_ms, member->ghost_until_ms)) / 1000.0);
        if (!obstacles->any || member->ghost_until_ms > obstacles->until_ms)
            obstacles->until_ms = member->ghost_until_ms;
    } else {
        snprintf(text, room, member->lingers ? "%snode %u (has confirmed its NACK, but is still quorate)"
                                             : "%snode %u (has to confirm its NACK)",
                 comma, member->node_id);
        obstacles->until_ms = ARBITER_NEVER;
    }
    obstacles->any = true;
}

static bool is_obstacle(const struct cluster *cluster, const struct member *member)
{
    if (!conflicts(cluster, member))
        return false;
    if (MUTATION(losers_first) && member->grant != GRANT_GHOST)
        return false;
    return !(MUTATION(lease_wait) && member->grant == GRANT_GHOST);
}

/* Whoever may hold a vote of an earlier life reports or is among the winners: nobody else is configured. */
static bool nobody_is_missing(const struct cluster *cluster, const struct view_storage *storage)
{
    return storage->complete || (storage->knows_all && node_set_is_subset(&storage->config, &cluster->winner));
}

/* A bare majority of an odd number of nodes is quorate only with the vote, since the device's vote is expected too. */
static bool needs_the_vote(const struct cluster *cluster)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < cluster->winner.count; i++)
        count += node_set_has(&cluster->config, cluster->winner.ids[i]);
    return 2 * count <= cluster->config.count + 1;
}

/*
 * A vote left with others cannot make them quorate against more than half of the nodes, if they count the same nodes. While
 * the configuration is being changed, a holder may go by the former one, of which it is a greater part. If that is not known,
 * only those have nothing to wait for who are quorate without the vote, whatever it may be.
 */
static bool is_beyond_doubt(const struct arbiter *a, const struct cluster *cluster)
{
    if (cluster->verdict.rank != VERDICT_MAJORITY)
        return false;
    if (cluster->granted_config.count == 0)
        return !delivery_is_cautious(a, cluster) || !needs_the_vote(cluster);
    return node_set_equal(&cluster->granted_config, &cluster->config);
}

static void find_obstacles(const struct arbiter *a, const struct cluster *cluster, const struct view_storage *storage,
                           struct obstacles *obstacles)
{
    bool may_be_unknown = cluster->verdict.rank != VERDICT_MAJORITY || cluster->granted_config.count == 0;

    memset(obstacles, 0, sizeof(*obstacles));
    if (is_beyond_doubt(a, cluster))
        return;
    for (const struct member *m = cluster->members; m != NULL; m = m->next)
        if (is_obstacle(cluster, m))
            add_obstacle(a, obstacles, m);
    if (obstacles->any || !may_be_unknown || nobody_is_missing(cluster, storage) || !delivery_is_cautious(a, cluster))
        return;
    obstacles->any = true;
    obstacles->until_ms = delivery_caution_end_ms(a, cluster);
    snprintf(obstacles->text, sizeof(obstacles->text),
             "votes given before the arbiter's start, of which it has no record, to end in %.1f s",
             (double)(obstacles->until_ms - a->now_ms) / 1000.0);
}

static void wait_for(struct arbiter *a, struct cluster *cluster, const struct obstacles *obstacles)
{
    bool news = cluster->phase != CLUSTER_WAITING || cluster->waiting_until_ms != obstacles->until_ms;

    set_phase(cluster, CLUSTER_WAITING);
    cluster->waiting_until_ms = obstacles->until_ms;
    memcpy(cluster->waiting_for, obstacles->text, sizeof(cluster->waiting_for));
    if (news && obstacles->until_ms != ARBITER_NEVER) {
        cluster->waited = true;
        emit_decision(a, cluster, "waiting for %s", obstacles->text);
    }
}

static void deliver(struct arbiter *a, struct cluster *cluster, const struct view_storage *storage)
{
    struct obstacles obstacles;

    send_nacks(a, cluster);
    if (cluster->verdict.winner == VERDICT_NOBODY) {
        cluster->waited = false;
        set_phase(cluster, CLUSTER_SETTLED);
        return;
    }
    find_obstacles(a, cluster, storage, &obstacles);
    if (obstacles.any)
        wait_for(a, cluster, &obstacles);
    else if (!a->settings.strict || MUTATION(persist_first) || record_is_in_place(a, cluster))
        release(a, cluster);
    else if (record_is_under_way(a, cluster))
        set_phase(cluster, CLUSTER_PERSISTING);
    else if (cluster->phase != CLUSTER_PERSISTING || cluster->persist_retry_ms == ARBITER_NEVER)
        begin_persist(a, cluster);
}

/* ---- deciding ---- */

static void warn_about_configuration(struct arbiter *a, struct cluster *cluster, const struct view *view)
{
    bool odd = cluster->algorithm == WIRE_ALGORITHM_FFSPLIT && view->config->count % 2 == 1;
    bool stray = cluster->tie_breaker.mode == WIRE_TIE_BREAKER_NODE_ID &&
                 !node_set_has(view->config, cluster->tie_breaker.node_id);

    if (odd && !cluster->warned_odd)
        emit_cluster_note(a, ARBITER_NOTE_WARNING, cluster, 0,
                          "%u nodes, an odd number, under ffsplit: with the device's vote a bare majority of nodes is "
                          "no longer quorate by itself. Use lms, or no device",
                          view->config->count);
    if (stray && !cluster->warned_tie_breaker)
        emit_cluster_note(a, ARBITER_NOTE_WARNING, cluster, 0,
                          "the tie-breaker names node %u, which is not configured: ties fall to the lowest node id. "
                          "Correct quorum.device.net.tie_breaker",
                          cluster->tie_breaker.node_id);
    cluster->warned_odd = odd;
    cluster->warned_tie_breaker = stray;
}

/* The winner as reported: what is compared with clients' reports and told to nobody else. */
static enum q_err set_winner(struct cluster *cluster, const struct view *view, int winner)
{
    const struct member *member = cluster->members;

    if (winner == VERDICT_NOBODY) {
        node_set_fini(&cluster->winner);
        return Q_OK;
    }
    while (member->node_id != view->partitions[winner].lowest_reporting)
        member = member->next;
    cluster->winner_ring = member->ring;
    return node_set_copy(&cluster->winner, &member->membership);
}

static void decide(struct arbiter *a, struct cluster *cluster, const struct view *view)
{
    struct verdict verdict;

    verdict_decide(view, &verdict);
    if (set_winner(cluster, view, verdict.winner) != Q_OK || node_set_copy(&cluster->config, view->config) != Q_OK) {
        a->out_of_memory = true;
        return;
    }
    if (strcmp(verdict.reason, cluster->verdict.reason) != 0) {
        emit_decision(a, cluster, "%s", verdict.reason);
        cluster->decided_ms = a->now_ms;
    }
    cluster->verdict = verdict;
    warn_about_configuration(a, cluster, view);
}

static void wait_for_agreement(struct arbiter *a, struct cluster *cluster, const char *why)
{
    set_phase(cluster, CLUSTER_UNSTABLE);
    if (cluster->unstable_until_ms == ARBITER_NEVER)
        cluster->unstable_until_ms = a->now_ms + (uint64_t)UNSTABLE_HEARTBEATS * longest_heartbeat_ms(cluster);
    cluster->waiting_until_ms = cluster->unstable_until_ms;
    snprintf(cluster->waiting_for, sizeof(cluster->waiting_for), "%s", why);
}

void delivery_evaluate(struct arbiter *a, struct cluster *cluster)
{
    bool forced = a->now_ms >= cluster->unstable_until_ms;
    struct view_storage storage;

    if (cluster->algorithm == WIRE_ALGORITHM_TEST) { /* every report was answered with ACK; nothing is granted */
        schedule(a, cluster);
        return;
    }
    switch (view_build(cluster, forced, &storage)) {
    case VIEW_EMPTY:
        set_phase(cluster, CLUSTER_EMPTY);
        cluster->unstable_until_ms = ARBITER_NEVER;
        node_set_fini(&cluster->winner);
        cluster->verdict.winner = VERDICT_NOBODY;
        cluster->verdict.rank = VERDICT_NONE;
        cluster->verdict.reason[0] = '\0';
        break;
    case VIEW_UNSTABLE:
        wait_for_agreement(a, cluster, storage.why);
        break;
    case VIEW_STABLE:
        if (storage.why[0] == '\0')
            cluster->unstable_until_ms = ARBITER_NEVER;
        decide(a, cluster, &storage.view);
        note_accounted(a, cluster, &storage);
        deliver(a, cluster, &storage);
        break;
    case VIEW_NO_MEMORY:
        a->out_of_memory = true;
        break;
    }
    schedule(a, cluster);
    view_fini(&storage);
}

/* ---- what ends a grant ---- */

void delivery_on_new_lists(const struct arbiter *a, struct cluster *cluster)
{
    if (a->now_ms >= cluster->unstable_until_ms)
        cluster->unstable_until_ms = ARBITER_NEVER;
}

/* A connected member certainly does not cast an ACK any more. */
static void end_of_vote(struct member *member)
{
    member->lingers = false;
    if (member->grant == GRANT_HELD)
        member->grant = GRANT_NONE;
}

void delivery_on_confirmation(struct arbiter *a, struct session *session, uint32_t seq)
{
    struct member *member = session->member;

    if (!member->vote_unconfirmed || seq != member->vote_seq)
        return;
    member->vote_unconfirmed = false;
    if (member->verdict != WIRE_VOTE_NACK)
        return;
    if (a->settings.strict && member->has_quorum && member->quorate) {
        member->lingers = true;
        member->lingers_until_ms = a->now_ms + LINGERS_MS_MAX;
        delivery_evaluate(a, session->cluster);
        return;
    }
    end_of_vote(member);
    if (session->cluster->phase == CLUSTER_WAITING)
        delivery_evaluate(a, session->cluster);
}

void delivery_on_inquorate(struct arbiter *a, struct session *session)
{
    if (!session->member->lingers)
        return;
    end_of_vote(session->member);
    if (session->cluster->phase == CLUSTER_WAITING)
        delivery_evaluate(a, session->cluster);
}

/*
 * Votequorum can turn a vote on again that the device has just withdrawn (docs/observed.md). No arbiter can prevent it, but
 * a repeated NACK makes the device poll at once instead of seconds later. A winner not yet told waits for it.
 */
void delivery_on_relapse(struct arbiter *a, struct session *session)
{
    struct cluster *cluster = session->cluster;
    bool undecided = cluster->phase == CLUSTER_WAITING || cluster->phase == CLUSTER_PERSISTING;

    if (undecided && node_set_has(&cluster->granted, session->member->node_id))
        session->member->grant = GRANT_HELD;
    /* Said once: a node with more votes of its own than others have may well be quorate without ours. */
    if (!session->member->relapsed)
        emit_decision(a, cluster, "node %u says it is quorate although it was told NACK: NACK repeated",
                      session->member->node_id);
    session->member->relapsed = true;
    session->member->awaits_vote = true;
    delivery_evaluate(a, cluster);
}

uint64_t delivery_confirmation_deadline_ms(const struct member *member)
{
    if (!owes_confirmation(member))
        return ARBITER_NEVER;
    return member->vote_sent_ms + member->heartbeat_ms;
}

void delivery_on_departure(struct arbiter *a, struct cluster *cluster, struct member *member,
                           enum arbiter_disconnect how)
{
    uint64_t until = 0;

    if (member->grant != GRANT_NONE)
        until = lease_ghost_until_ms(member, &a->settings, cluster->algorithm, how, a->now_ms);
    if (member->grant == GRANT_GHOST) /* came back and left without a report: the older bound stands too */
        until = latest(until, member->ghost_until_ms);
    if (member->grant == GRANT_HELD && member->lingers) /* whatever its device said, its votequorum goes on */
        until = latest(until, member->lingers_until_ms);
    member->conn = 0;
    cluster->connected_count--;
    if (until <= a->now_ms) {
        cluster->ghost_count -= member->grant == GRANT_GHOST;
        cluster_remove_member(cluster, member);
        return;
    }
    cluster->ghost_count += member->grant != GRANT_GHOST;
    member->grant = GRANT_GHOST;
    member->ghost_until_ms = until;
    member->ghost_lease_ms = lease_bound_ms(member, &a->settings);
    if (until - a->now_ms > member->ghost_lease_ms)
        member->ghost_lease_ms = (uint32_t)(until - a->now_ms);
    member_reset_reports(member);
}

/* Ends what has run out. True if that may let a waiting winner go. */
static bool end_ghosts(struct arbiter *a, struct cluster *cluster)
{
    struct member *next;
    bool ended = false;

    for (struct member *m = cluster->members; m != NULL; m = next) {
        next = m->next;
        if (m->grant != GRANT_GHOST || m->ghost_until_ms > a->now_ms)
            continue;
        m->grant = GRANT_NONE;
        m->restored = false;
        cluster->ghost_count--;
        ended = true;
        emit_cluster_note(a, ARBITER_NOTE_INFO, cluster, m->node_id, "its vote has certainly ended");
        if (m->conn == 0)
            cluster_remove_member(cluster, m);
    }
    return ended;
}

static void end_lingering(struct arbiter *a, struct cluster *cluster)
{
    for (struct member *m = cluster->members; m != NULL; m = m->next)
        if (m->lingers && a->now_ms >= m->lingers_until_ms)
            end_of_vote(m);
}

void delivery_on_deadline(struct arbiter *a, struct cluster *cluster)
{
    end_lingering(a, cluster);
    if (end_ghosts(a, cluster) && cluster->connected_count == 0) {
        schedule(a, cluster);
        clusters_collect(a, cluster);
        return;
    }
    if (cluster->phase == CLUSTER_PERSISTING && a->now_ms >= cluster->persist_retry_ms)
        cluster->persist_retry_ms = ARBITER_NEVER;
    delivery_evaluate(a, cluster);
}
