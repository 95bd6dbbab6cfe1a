/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commit token goes around the candidates twice: on the first pass each writes down where it stands in its old ring, on
 * the second each reads what all have written (spec/totem-protocol.md section 8).
 */
#include <assert.h>
#include <string.h>

#include "core/totem/machine.h"

/* What is known of the old ring stays known until a new one is complete, however many attempts that takes. */
static void save_old_ring(struct totem *m)
{
    if (m->saved)
        return;
    m->old_ring = m->ring;
    m->old_aru = m->aru;
    m->old_high = m->high_seq;
    m->saved = true;
}

/* Those of my old ring who have less than another of it did not receive everything. */
static void mark_who_is_behind(const struct totem *m, struct totem_commit *commit, uint32_t count)
{
    uint32_t highest = m->old_aru;

    for (uint32_t i = 0; i < count; i++) {
        const struct totem_commit_entry *entry = &commit->entries[i];

        if (totem_ring_equal(&entry->ring, &m->old_ring) && totem_seq_before(highest, entry->aru))
            highest = entry->aru;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct totem_commit_entry *entry = &commit->entries[i];

        if (totem_ring_equal(&entry->ring, &m->old_ring) && totem_seq_before(entry->aru, highest))
            entry->received_flag = 0;
    }
}

static void fill_in_entry(const struct totem *m, struct totem_commit *commit)
{
    struct totem_commit_entry *entry = &commit->entries[commit->filled_count];

    entry->ring = m->old_ring;
    entry->aru = m->old_aru;
    entry->high_delivered = m->high_delivered;
    entry->received_flag = m->old_aru == m->old_high;
    commit->filled_count++;
    mark_who_is_behind(m, commit, commit->filled_count);
}

static void enter(struct totem *m, struct totem_commit *commit)
{
    struct datagram *datagram;

    save_old_ring(m);
    totem_nodes_assign(&m->new_members, commit->members, commit->member_count);
    fill_in_entry(m, commit);
    m->target = commit->members[commit->filled_count % commit->member_count];
    m->past_rings[m->past_ring_next++ % PAST_RINGS] = m->ring;
    m->ring = commit->ring;
    m->ring_seq_max = m->ring.seq;
    m->commit_token_seq = ++commit->token_seq;
    /* Before the token can tell anybody of the ring: its number must never be used again. */
    act_persist(m, m->ring.seq);
    m->state = TOTEM_COMMITTING;
    m->counters.entered[TOTEM_COMMITTING]++;
    timer_stop(m, TIMER_JOIN);
    timer_stop(m, TIMER_SEND_JOIN);
    timer_stop(m, TIMER_CONSENSUS);
    m->sending.header.type = TOTEM_COMMIT;
    m->sending.u.commit = *commit;
    datagram = act_encode(m, m->me, m->target);
    if (datagram != NULL)
        token_pass(m, datagram, true);
    timer_arm(m, TIMER_TOKEN_RETRANSMIT, m->settings.token_retransmit_ms);
    timer_arm(m, TIMER_TOKEN_LOSS, m->settings.token_ms);
    m->sent_last_visit = 0;
    m->backlog_last = 0;
    m->backlog_now = 0;
}

void commit_create(struct totem *m)
{
    struct totem_commit *commit = &m->commit;
    struct totem_nodes members;

    totem_nodes_subtract(&members, &m->proc, &m->failed);
    assert(members.count > 0 && members.ids[0] == m->me);
    memset(commit, 0, sizeof(*commit));
    commit->ring.rep = m->me;
    commit->ring.seq = m->ring_seq_max + 4;
    commit->member_count = members.count;
    memcpy(commit->members, members.ids, members.count * sizeof(members.ids[0]));
    enter(m, commit);
}

/* On its first pass: is it for exactly the ring I agreed to, newer than mine, and is it my turn? */
static bool is_for_me(const struct totem *m, const struct totem_commit *commit)
{
    struct totem_nodes members;

    totem_nodes_subtract(&members, &m->proc, &m->failed);
    return commit->member_count == members.count &&
           memcmp(commit->members, members.ids, members.count * sizeof(members.ids[0])) == 0 &&
           commit->ring.seq > m->ring.seq && commit->filled_count < commit->member_count &&
           commit->members[commit->filled_count] == m->me;
}

void commit_on_token(struct totem *m, struct totem_commit *commit)
{
    bool is_mine = totem_ring_equal(&commit->ring, &m->ring) && commit->filled_count == commit->member_count;

    switch (m->state) {
    case TOTEM_GATHER:
        if (is_for_me(m, commit))
            enter(m, commit);
        break;
    case TOTEM_COMMITTING:
        if (is_mine)
            recovery_enter(m, commit);
        break;
    case TOTEM_RECOVERY:
        /* Back from its second pass, not a late copy of its first: that one is older than what I sent since. */
        if (is_mine && i_am_representative(m) && !m->first_token_sent &&
            totem_seq_not_after(m->commit_token_seq, commit->token_seq))
            token_create(m);
        break;
    case TOTEM_OPERATIONAL:
    case TOTEM_LEFT:
        break;
    }
}
