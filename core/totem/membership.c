/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/mutation.h"
#include "core/totem/machine.h"

#define HURRY_JOINS 2 /* intervals of JOINs: who is about to agree does so by then */

void membership_send_join(struct totem *m)
{
    struct totem_join *join = &m->sending.u.join;

    m->sending.header.type = TOTEM_JOIN;
    join->system_from = m->me;
    join->ring_seq = m->ring.seq;
    join->proc_count = m->proc.count;
    join->failed_count = m->failed.count;
    memcpy(join->proc, m->proc.ids, m->proc.count * sizeof(join->proc[0]));
    memcpy(join->failed, m->failed.ids, m->failed.count * sizeof(join->failed[0]));
    act_multicast(m, m->me, true);
}

void membership_gather(struct totem *m, const char *why)
{
    static const enum timer stopped[] = {TIMER_TOKEN_RETRANSMIT, TIMER_TOKEN_LOSS, TIMER_TOKEN_WARNING,
                                         TIMER_MERGE, TIMER_HOLD, TIMER_HEARTBEAT};

    for (size_t i = 0; i < sizeof(stopped) / sizeof(stopped[0]); i++)
        timer_stop(m, stopped[i]);
    if (m->state != TOTEM_GATHER)
        act_note(m, TOTEM_NOTE_NOTICE, "gathering the members of a new ring: %s", why);
    if (m->state == TOTEM_RECOVERY)
        recovery_abandon(m);
    m->linger.kind = LINGER_NOT;
    m->state = TOTEM_GATHER;
    m->counters.entered[TOTEM_GATHER]++;
    m->counters.gathers_in_a_row++;
    m->token_held = false;
    totem_nodes_add(&m->proc, m->me);
    totem_nodes_set_one(&m->consensus, m->me);
    if (m->settings.send_join_ms == 0)
        membership_send_join(m);
    else if (!timer_armed(m, TIMER_SEND_JOIN))
        timer_arm(m, TIMER_SEND_JOIN, m->random % (m->settings.send_join_ms + 1));
    timer_arm(m, TIMER_JOIN, m->settings.join_ms);
    timer_arm(m, TIMER_CONSENSUS, MUTATION(consensus_wait) ? m->settings.join_ms : m->settings.consensus_ms);
}

void membership_on_join_timer(struct totem *m)
{
    if (m->state != TOTEM_GATHER)
        return;
    if (m->settings.send_join_ms == 0)
        membership_send_join(m);
    else if (!timer_armed(m, TIMER_SEND_JOIN))
        timer_arm(m, TIMER_SEND_JOIN, m->random % (m->settings.send_join_ms + 1));
    timer_arm(m, TIMER_JOIN, m->settings.join_ms);
}

/* Have all who are not failed said what I say? */
static bool have_consensus(const struct totem *m)
{
    for (uint32_t i = 0; i < m->proc.count; i++) {
        uint32_t id = m->proc.ids[i];

        if (!totem_nodes_has(&m->failed, id) && !totem_nodes_has(&m->consensus, id))
            return false;
    }
    return true;
}

static uint32_t lowest_candidate(const struct totem *m)
{
    for (uint32_t i = 0; i < m->proc.count; i++) {
        if (!totem_nodes_has(&m->failed, m->proc.ids[i]))
            return m->proc.ids[i];
    }
    return 0;
}

/* Who was heard longest ago, or never; members of the ring stay. NULL: all are members. */
static struct heard *least_of_heard(struct totem *m)
{
    struct heard *least = NULL;

    for (uint32_t i = 0; i < m->heard_count; i++) {
        struct heard *heard = &m->heard[i];

        if (!totem_nodes_has(&m->members, heard->node_id) && (least == NULL || heard->at_ms < least->at_ms))
            least = heard;
    }
    return least;
}

/* One forged JOIN may name as many nodes as there is room for: a new one takes the place of one of those. NULL: there is none. */
static struct heard *heard_of(struct totem *m, uint32_t node_id)
{
    struct heard *heard;

    for (uint32_t i = 0; i < m->heard_count; i++) {
        if (m->heard[i].node_id == node_id)
            return &m->heard[i];
    }
    heard = m->heard_count < TOTEM_NODES_MAX ? &m->heard[m->heard_count++] : least_of_heard(m);
    if (heard != NULL)
        *heard = (struct heard){.node_id = node_id};
    return heard;
}

static void give_up(struct totem *m, uint32_t node_id)
{
    struct heard *heard = heard_of(m, node_id);

    if (totem_nodes_has(&m->failed, node_id))
        return;
    totem_nodes_add(&m->failed, node_id);
    if (heard != NULL)
        heard->given_up_seq = heard->ring_seq;
}

/* Those who have not been heard of are given up. */
static void give_up_silent(struct totem *m)
{
    struct totem_nodes silent;

    totem_nodes_subtract(&silent, &m->proc, &m->consensus);
    for (uint32_t i = 0; i < silent.count; i++) {
        struct heard *heard = heard_of(m, silent.ids[i]);

        give_up(m, silent.ids[i]);
        if (heard != NULL)
            heard->given_up = true;
    }
}

void membership_on_consensus_timer(struct totem *m)
{
    if (m->state != TOTEM_GATHER)
        return;
    m->counters.consensus_timeouts++;
    if (have_consensus(m)) {
        /* All agree, but the lowest does not act. */
        totem_nodes_set_one(&m->consensus, m->me);
        timer_arm(m, TIMER_TOKEN_LOSS, m->settings.token_ms);
        return;
    }
    give_up_silent(m);
    act_note(m, TOTEM_NOTE_NOTICE, "not all candidates have answered in %u ms: going on without them",
             m->settings.consensus_ms);
    membership_gather(m, "consensus timeout");
}

void membership_on_token_lost(struct totem *m, const char *how)
{
    m->counters.token_lost[m->state]++;
    switch (m->state) {
    case TOTEM_OPERATIONAL:
        act_note(m, TOTEM_NOTE_WARNING, "the token was lost in ring %x.%llx (%s)", m->ring.rep,
                 (unsigned long long)m->ring.seq, how);
        membership_gather(m, how);
        break;
    case TOTEM_GATHER:
        if (!have_consensus(m))
            give_up_silent(m);
        membership_gather(m, how);
        break;
    case TOTEM_COMMITTING:
        membership_gather(m, "the commit token was lost");
        break;
    case TOTEM_RECOVERY:
        membership_gather(m, "the token was lost during recovery");
        break;
    case TOTEM_LEFT:
        break;
    }
}

/*
 * Somebody says exactly what I say, perhaps because I have just learnt it from him. (The packaged daemon forgets his word
 * when it begins to gather with it, and waits for his next JOIN.)
 */
static void agree(struct totem *m, bool is_leave, uint32_t sender)
{
    if (!is_leave)
        totem_nodes_add(&m->consensus, sender);
    if (!have_consensus(m))
        return;
    if (m->failed_to_receive) {
        m->failed_to_receive = false;
        totem_nodes_set_one(&m->proc, m->me);
        totem_nodes_clear(&m->failed);
        commit_create(m);
    } else if (lowest_candidate(m) == m->me) {
        commit_create(m);
    }
}

static void give_up_all(struct totem *m, const struct totem_nodes *nodes)
{
    for (uint32_t i = 0; i < nodes->count; i++)
        give_up(m, nodes->ids[i]);
}

/*
 * Beyond spec/totem-protocol.md section 7.2: whom a stranger has given up, and I had given up as well and not heard since, I need
 * not wait for once more. Otherwise nodes that know of the same dead ones, but whose timers are out of step, agree on them
 * at different times and part and meet over and over.
 */
static void give_up_again(struct totem *m, const struct totem_nodes *failed)
{
    for (uint32_t i = 0; i < m->heard_count; i++) {
        if (m->heard[i].given_up && totem_nodes_has(failed, m->heard[i].node_id))
            give_up(m, m->heard[i].node_id);
    }
}

/* Who is in the ring is alive, even if only others have heard it say so. */
void membership_on_ring(struct totem *m)
{
    for (uint32_t i = 0; i < m->heard_count; i++) {
        if (totem_nodes_has(&m->members, m->heard[i].node_id))
            m->heard[i].given_up = false;
    }
}

/*
 * Somebody knows more: candidates are taken over; whom he has given up if he was with me in the last ring. If nothing of
 * that is new, silence is better than a JOIN: two who will not agree would answer each other without end, and put off the
 * timeout that parts them.
 */
static void learn(struct totem *m, uint32_t sender, const struct totem_nodes *proc, const struct totem_nodes *failed)
{
    uint32_t candidates = m->proc.count;
    uint32_t given_up = m->failed.count;

    totem_nodes_unite(&m->proc, proc);
    if (totem_nodes_has(failed, m->me))
        give_up(m, sender);
    else if (totem_nodes_has(&m->members, sender))
        give_up_all(m, failed);
    else
        give_up_again(m, failed);
    if (m->state != TOTEM_GATHER || m->proc.count != candidates || m->failed.count != given_up)
        membership_gather(m, "a node has other lists");
}

/*
 * Has the node been in a newer ring when it was heard of last, not long ago? Then this was overtaken on its way, and what it says
 * (whom it had given up, above all) is no longer so. Long ago is forgotten: a node may lose its count of rings.
 */
static bool was_overtaken(struct totem *m, uint32_t node_id, uint64_t ring_seq)
{
    struct heard *heard = heard_of(m, node_id);

    if (heard == NULL)
        return false;
    heard->given_up = false;
    if (ring_seq < heard->ring_seq && m->now_ms - heard->at_ms < m->settings.token_ms)
        return true;
    heard->ring_seq = ring_seq;
    heard->at_ms = m->now_ms;
    return false;
}

/*
 * Beyond spec/totem-protocol.md section 7.3: somebody whom I have given up has been in a ring since, gathers anew and would have me. This
 * attempt, without him, is of no use any more: it ends soon, whoever has not agreed by then, so that I gather anew while he still
 * does. Otherwise nodes whose timers are out of step give each other up in turn, each in the second half of its attempt when the
 * other begins its own.
 */
static void hurry_if_useless(struct totem *m, const struct totem_join *join, const struct totem_nodes *proc,
                             const struct totem_nodes *failed)
{
    const struct heard *heard = heard_of(m, join->system_from);
    uint64_t at_ms = m->now_ms + HURRY_JOINS * (uint64_t)m->settings.join_ms;

    if (m->state != TOTEM_GATHER || heard == NULL || join->ring_seq <= heard->given_up_seq ||
        !totem_nodes_has(&m->failed, join->system_from) || !totem_nodes_has(proc, m->me) || totem_nodes_has(failed, m->me) ||
        have_consensus(m))
        return;
    if (timer_armed(m, TIMER_CONSENSUS) && m->deadlines_ms[TIMER_CONSENSUS] > at_ms)
        m->deadlines_ms[TIMER_CONSENSUS] = at_ms;
}

/*
 * Is this JOIN for the state I am in? (spec/totem-protocol.md section 7.1)
 *
 * Beyond that section: strangers who have given me up are about to have a ring without me, and will hear me from there. To give
 * them up in return, as the packaged daemon does, would make it last until the next timeout, and nodes whose timers run in
 * step would part and meet over and over.
 */
static bool concerns_me(const struct totem *m, const struct totem_join *join, const struct totem_nodes *failed)
{
    bool is_old = join->ring_seq < m->ring.seq;

    switch (m->state) {
    case TOTEM_OPERATIONAL:
        return !totem_nodes_has(failed, m->me) && !(totem_nodes_has(&m->members, join->system_from) && is_old);
    case TOTEM_GATHER:
        return !totem_nodes_has(failed, m->me) || totem_nodes_has(&m->members, join->system_from);
    case TOTEM_COMMITTING:
    case TOTEM_RECOVERY:
        return totem_nodes_has(&m->new_members, join->system_from) && !is_old;
    case TOTEM_LEFT:
        return false;
    }
    return false;
}

void membership_on_join(struct totem *m, const struct totem_header *header, const struct totem_join *join)
{
    bool is_leave = header->node_id == 0;
    enum totem_state before = m->state;
    struct totem_nodes proc;
    struct totem_nodes failed;

    totem_nodes_assign(&proc, join->proc, join->proc_count);
    totem_nodes_assign(&failed, join->failed, join->failed_count);
    if (join->ring_seq > m->ring_seq_max)
        m->ring_seq_max = join->ring_seq;
    if (was_overtaken(m, join->system_from, join->ring_seq) || !concerns_me(m, join, &failed))
        return;
    if (is_leave)
        act_note(m, TOTEM_NOTE_NOTICE, "node %u leaves", join->system_from);
    else
        hurry_if_useless(m, join, &proc, &failed);
    if (!(totem_nodes_is_subset(&proc, &m->proc) && totem_nodes_is_subset(&failed, &m->failed)) &&
        !totem_nodes_has(&m->failed, join->system_from))
        learn(m, join->system_from, &proc, &failed);
    if (m->state != TOTEM_GATHER)
        membership_gather(m, before == TOTEM_OPERATIONAL ? "a node gathers" : "a member of the new ring gathers again");
    if (totem_nodes_equal(&proc, &m->proc) && totem_nodes_equal(&failed, &m->failed))
        agree(m, is_leave, join->system_from);
}

/* A ring that I have been in goes on without me only until its token is missed; and who is with me now cannot be in an older
 * one. So this was under way for long, or somebody replays it. */
static bool is_of_the_past(const struct totem *m, uint32_t node_id, const struct totem_ring_id *ring)
{
    for (size_t i = 0; i < PAST_RINGS; i++) {
        if (totem_ring_equal(ring, &m->past_rings[i]))
            return true;
    }
    return m->state == TOTEM_OPERATIONAL && totem_nodes_has(&m->members, node_id) && ring->seq < m->ring.seq;
}

void membership_on_foreign(struct totem *m, uint32_t node_id, const struct totem_ring_id *ring, const char *why)
{
    if (is_of_the_past(m, node_id, ring) || was_overtaken(m, node_id, ring->seq))
        return;
    switch (m->state) {
    case TOTEM_OPERATIONAL:
        totem_nodes_add(&m->proc, node_id);
        membership_gather(m, why);
        break;
    case TOTEM_GATHER:
        if (totem_nodes_has(&m->proc, node_id) || !totem_nodes_add(&m->proc, node_id))
            break;
        membership_gather(m, why);
        break;
    case TOTEM_COMMITTING:
    case TOTEM_RECOVERY:
    case TOTEM_LEFT:
        break;
    }
}

void membership_fail_to_receive(struct totem *m)
{
    act_note(m, TOTEM_NOTE_ERROR, "messages of the ring do not arrive here (%u visits of the token without progress): "
             "forming a ring alone", m->settings.fail_recv_const);
    totem_nodes_add(&m->failed, m->me);
    m->failed_to_receive = true;
    membership_gather(m, "failure to receive");
}

void membership_leave(struct totem *m)
{
    struct totem_join *join = &m->sending.u.join;

    m->sending.header.type = TOTEM_JOIN;
    totem_nodes_remove(&m->proc, m->me);
    totem_nodes_remove(&m->failed, m->me);
    if (m->failed.count == TOTEM_NODES_MAX)
        m->failed.count--;
    join->system_from = m->me;
    join->ring_seq = m->ring.seq;
    join->proc_count = m->proc.count;
    join->failed_count = m->failed.count + 1;
    memcpy(join->proc, m->proc.ids, m->proc.count * sizeof(join->proc[0]));
    memcpy(join->failed, m->failed.ids, m->failed.count * sizeof(join->failed[0]));
    /* Receivers take the last one for the one who leaves. */
    join->failed[m->failed.count] = m->me;
    act_multicast(m, 0, false);
    m->state = TOTEM_LEFT;
    m->counters.entered[TOTEM_LEFT]++;
    for (int timer = 0; timer < TIMER_COUNT; timer++)
        timer_stop(m, (enum timer)timer);
}
