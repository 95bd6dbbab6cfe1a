/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Before a new ring is used, those who come along from the same old ring give one another what any of them has of it,
 * wrapped in messages of the new one; then each delivers the rest of the old ring, the transitional change, what is left, and
 * the regular change (spec/totem-protocol.md section 9).
 */
#include <assert.h>
#include <string.h>

#include "common/mutation.h"
#include "core/totem/machine.h"

static const struct totem_commit_entry *entry_of(const struct totem_commit *commit, uint32_t id)
{
    for (uint32_t i = 0; i < commit->member_count; i++) {
        if (commit->members[i] == id)
            return &commit->entries[i];
    }
    return NULL;
}

static void find_who_comes_along(struct totem *m)
{
    totem_nodes_clear(&m->trans_members);
    for (uint32_t i = 0; i < m->members.count; i++) {
        const struct totem_commit_entry *entry = entry_of(&m->commit, m->members.ids[i]);

        if (entry != NULL && totem_ring_equal(&entry->ring, &m->old_ring))
            totem_nodes_add(&m->trans_members, m->members.ids[i]);
    }
}

static void queue_again(struct totem *m, const struct datagram *old)
{
    struct datagram *datagram;

    /* With a larger netmtu than ours at its sender there may be no room for a second header: nobody could take it. */
    if (old->size + TOTEM_MCAST_SIZE > TOTEM_DATAGRAM_MAX)
        return;
    datagram = datagram_new(TOTEM_MCAST_SIZE + old->size);
    if (datagram == NULL) {
        m->out_of_memory = true;
        return;
    }
    memcpy(datagram->bytes + TOTEM_MCAST_SIZE, old->bytes, old->size);
    if (!datagram_queue_push(&m->recovery_queue, datagram))
        m->out_of_memory = true;
}

/* Everything that I have and another who comes along may not have. */
static void queue_old_messages(struct totem *m)
{
    bool complete = true;
    uint32_t low = m->old_high;

    for (uint32_t i = 0; i < m->trans_members.count; i++) {
        const struct totem_commit_entry *entry = entry_of(&m->commit, m->trans_members.ids[i]);

        complete = complete && entry->received_flag != 0;
        if (totem_seq_before(entry->aru, low))
            low = entry->aru;
    }
    if (complete)
        return;
    if (totem_seq_before(low, m->regular->released))
        low = m->regular->released;
    for (uint32_t seq = low + 1; totem_seq_not_after(seq, m->old_high); seq++) {
        const struct datagram *old = store_get(m->regular, seq);

        if (old != NULL && datagram_encapsulated(old) == TOTEM_PLAIN)
            queue_again(m, old);
    }
}

void recovery_enter(struct totem *m, struct totem_commit *commit)
{
    struct datagram *datagram;

    store_clear(m->recovery);
    datagram_queue_clear(&m->recovery_queue);
    m->commit_token_seq = ++commit->token_seq;
    if (commit != &m->commit)
        m->commit = *commit;
    m->first_token_sent = false;
    m->sending.header.type = TOTEM_COMMIT;
    m->sending.u.commit = *commit;
    datagram = act_encode(m, m->me, m->target);
    if (datagram != NULL)
        token_pass(m, datagram, true);
    m->my_token_seq = UINT32_MAX;
    find_who_comes_along(m);
    queue_old_messages(m);
    m->aru = 0;
    m->high_seq = 0;
    m->aru_unchanged = 0;
    m->seq_unchanged = 0;
    m->last_seq = 0;
    m->token_held = false;
    m->install_seq = 0;
    m->quiet_visits = 0;
    m->rotations = 0;
    m->flag_set_by_me = false;
    m->state = TOTEM_RECOVERY;
    m->counters.entered[TOTEM_RECOVERY]++;
    timer_arm(m, TIMER_TOKEN_LOSS, m->settings.token_ms);
    timer_arm(m, TIMER_TOKEN_RETRANSMIT, m->settings.token_retransmit_ms);
}

void recovery_abandon(struct totem *m)
{
    assert(m->saved);
    datagram_queue_clear(&m->recovery_queue);
    m->aru = m->old_aru;
    m->high_seq = m->old_high;
}

/* Puts what others have sent again where it belongs, among the messages of the old ring. */
static void unwrap_old_messages(struct totem *m)
{
    for (uint32_t seq = 1; totem_seq_not_after(seq, m->aru); seq++) {
        const struct datagram *outer = store_get(m->recovery, seq);
        struct totem_message *inner = &m->sending; /* nothing is being sent */
        struct datagram *datagram;
        size_t size;

        if (outer == NULL || datagram_encapsulated(outer) != TOTEM_OLD_RING || MUTATION(recovered))
            continue;
        size = outer->size - TOTEM_MCAST_SIZE;
        if (totem_decode(outer->bytes + TOTEM_MCAST_SIZE, size, inner) != TOTEM_WIRE_OK ||
            inner->header.type != TOTEM_MCAST || inner->header.encapsulated != TOTEM_PLAIN ||
            inner->header.order != TOTEM_ORDER_OURS || !totem_ring_equal(&inner->u.mcast.ring, &m->old_ring) ||
            !store_in_window(m->regular, inner->u.mcast.seq) || store_get(m->regular, inner->u.mcast.seq) != NULL)
            continue;
        datagram = datagram_new(size);
        if (datagram == NULL) {
            m->out_of_memory = true;
            return;
        }
        memcpy(datagram->bytes, outer->bytes + TOTEM_MCAST_SIZE, size);
        store_put(m->regular, inner->u.mcast.seq, datagram);
        if (totem_seq_before(m->old_high, inner->u.mcast.seq))
            m->old_high = inner->u.mcast.seq;
    }
}

/* Behind a gap that nobody can fill: only from those who come along, since what they said may rest on what is lost. */
static void deliver_rest(struct totem *m)
{
    while (totem_seq_before(m->high_delivered, m->old_high)) {
        struct datagram *mcast = store_get(m->regular, ++m->high_delivered);

        if (mcast != NULL && datagram_encapsulated(mcast) == TOTEM_PLAIN &&
            totem_nodes_has(&m->trans_members, datagram_originator(mcast)))
            handover_frame(m, mcast);
    }
}

/* Messages that were said before a transitional change and those of the synchronisation after it do not mix. */
static void begin_waiting(struct totem *m)
{
    if (!packing_flush(&m->packing, outgoing_queue(m)))
        m->out_of_memory = true;
    m->waiting = true;
}

static void change_configuration(struct totem *m)
{
    struct totem_nodes left;
    struct totem_nodes joined;

    totem_nodes_subtract(&left, &m->members, &m->trans_members);
    totem_nodes_subtract(&joined, &m->new_members, &m->trans_members);
    totem_nodes_copy(&m->members, &m->new_members);
    handover_change(m, TOTEM_TRANSITIONAL, &m->trans_members, &left);
    begin_waiting(m);
    if (joined.count > 0 && !packing_set_rest_apart(&m->queue))
        m->out_of_memory = true;
    deliver_rest(m);
    handover_change(m, TOTEM_REGULAR, &m->members, &joined);
}

/* The messages of the new ring go on behind those that were sent again, which have been delivered. */
static void take_over_store(struct totem *m)
{
    struct store *old = m->regular;
    const struct datagram *mcast;

    m->regular = m->recovery;
    m->recovery = old;
    store_clear(m->recovery);
    m->high_delivered = 0;
    while ((mcast = store_get(m->regular, m->high_delivered + 1)) != NULL &&
           datagram_encapsulated(mcast) == TOTEM_OLD_RING)
        m->high_delivered++;
}

static void complete(struct totem *m)
{
    m->saved = false;
    unwrap_old_messages(m);
    ordering_deliver(m);
    change_configuration(m);
    take_over_store(m);
    m->last_aru = 0;
    totem_nodes_copy(&m->proc, &m->members);
    totem_nodes_clear(&m->failed);
    membership_on_ring(m);
    m->failed_to_receive = false;
    m->old_ring = m->ring;
    m->state = TOTEM_OPERATIONAL;
    m->counters.entered[TOTEM_OPERATIONAL]++;
    m->counters.gathers_in_a_row = 0;
    act_note(m, TOTEM_NOTE_NOTICE, "ring %x.%llx is complete with %u nodes", m->ring.rep,
             (unsigned long long)m->ring.seq, m->members.count);
}

/* The flag in the token says whether anybody has more to send again. */
static void update_flag(struct totem *m, struct totem_token *token)
{
    if (m->recovery_queue.count > 0) {
        if (token->retrans_flag == 0) {
            token->retrans_flag = 1;
            m->flag_set_by_me = true;
        }
    } else if (token->retrans_flag != 0 && m->flag_set_by_me) {
        token->retrans_flag = 0;
        m->flag_set_by_me = false;
    }
}

void recovery_on_visit(struct totem *m, struct totem_token *token)
{
    update_flag(m, token);
    m->quiet_visits = token->retrans_flag == 0 ? m->quiet_visits + 1 : 0;
    if (m->quiet_visits == 2)
        m->install_seq = token->seq;
    if (m->quiet_visits >= 3 && totem_seq_not_after(m->install_seq, token->aru))
        m->rotations++;
    else
        m->rotations = 0;
    if (m->rotations == 2) {
        m->rotations = 0;
        m->quiet_visits = 0;
        complete(m);
    }
}
