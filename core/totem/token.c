/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "core/totem/machine.h"

void token_pass(struct totem *m, struct datagram *token, bool forward)
{
    datagram_unref(m->last_token);
    m->last_token = token;
    if (forward)
        token_resend(m);
}

void token_resend(struct totem *m)
{
    if (m->linger.kind == LINGER_ANSWER)
        m->linger.kind = LINGER_NOT;
    if (m->last_token == NULL)
        return;
    if (m->target != m->me) {
        act_send(m, m->target, m->last_token);
        return;
    }
    if (!datagram_queue_push(&m->loopback, datagram_ref(m->last_token)))
        m->out_of_memory = true;
}

/* Somebody has gone on sending before all has been heard: counts how long the ring has been idle, by its visits. */
static void notice_idleness(struct totem *m, const struct totem_token *token)
{
    uint32_t idle_visits = m->settings.seqno_unchanged_const;

    if (token->seq == m->last_seq) {
        m->seq_unchanged++;
        if (!timer_armed(m, TIMER_MERGE))
            timer_arm(m, TIMER_MERGE, m->settings.merge_ms);
    } else {
        timer_stop(m, TIMER_MERGE);
        timer_stop(m, TIMER_HOLD);
        m->seq_unchanged = 0;
    }
    m->last_seq = token->seq;
    m->token_held = i_am_representative(m) ? m->seq_unchanged > idle_visits : m->seq_unchanged >= idle_visits;
}

/* What all nodes have for sure will not be asked for again. */
static void release_messages(struct totem *m, const struct totem_token *token)
{
    uint32_t seq = token->aru;

    if (totem_seq_before(m->last_aru, seq))
        seq = m->last_aru;
    if (totem_seq_before(m->high_delivered, seq))
        seq = m->high_delivered;
    store_release(m->regular, seq);
}

/* Sends again what others miss and is here; what was sent leaves the list. */
static uint32_t serve_requests(struct totem *m, struct totem_token *token, uint32_t allowed)
{
    const struct store *store = ordering_store(m);
    uint32_t sent = 0;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < token->retransmit_count; i++) {
        const struct totem_retransmit *wanted = &token->retransmits[i];
        struct datagram *mcast = totem_ring_equal(&wanted->ring, &m->ring) ? store_get(store, wanted->seq) : NULL;

        if (mcast != NULL && sent < allowed) {
            act_send(m, 0, mcast);
            sent++;
        } else {
            token->retransmits[kept++] = *wanted;
        }
    }
    token->retransmit_count = kept;
    m->counters.retransmitted += sent;
    return sent;
}

static bool is_requested(const struct totem_token *token, uint32_t seq)
{
    for (uint32_t i = 0; i < token->retransmit_count; i++) {
        if (token->retransmits[i].seq == seq)
            return true;
    }
    return false;
}

/* Asks for what is missing, once it has been missing for a few visits: it may only be late. */
static void request_missing(struct totem *m, struct totem_token *token)
{
    struct store *store = ordering_store(m);

    for (uint32_t seq = m->aru + 1; totem_seq_not_after(seq, token->seq) && store_in_window(store, seq) &&
                                    token->retransmit_count < TOTEM_RETRANSMITS_MAX;
         seq++) {
        if (store_get(store, seq) != NULL)
            continue;
        if (store_miss(store, seq) >= m->settings.miss_count_const && !is_requested(token, seq))
            token->retransmits[token->retransmit_count++] = (struct totem_retransmit){m->ring, seq};
    }
}

static uint32_t send_messages(struct totem *m, struct totem_token *token, uint32_t allowed)
{
    bool recovering = m->state == TOTEM_RECOVERY;
    struct datagram_queue *queue = recovering ? &m->recovery_queue : outgoing_queue(m);
    const struct store *store = ordering_store(m);
    uint32_t sent = 0;

    while (sent < allowed && queue->count > 0 && store_in_window(store, token->seq + 1) &&
           store_get(store, token->seq + 1) == NULL) {
        token->seq++;
        ordering_send(m, datagram_queue_pop(queue), recovering ? TOTEM_OLD_RING : TOTEM_PLAIN, token->seq);
        sent++;
    }
    ordering_advance_aru(m);
    return sent;
}

/* What I lack lowers the ring's aru; what I had lowered rises again. */
static void update_aru(const struct totem *m, struct totem_token *token)
{
    if (totem_seq_before(m->aru, token->aru) || token->aru_node == m->me || token->aru_node == 0) {
        token->aru = m->aru;
        token->aru_node = token->aru == token->seq ? 0 : m->me;
    }
}

/* False if I have not received for too long. */
static bool check_aru(struct totem *m, const struct totem_token *token, uint32_t aru_before)
{
    if (token->aru == aru_before && token->aru_node != 0)
        m->aru_unchanged++;
    else
        m->aru_unchanged = 0;
    return m->aru_unchanged <= m->settings.fail_recv_const || token->aru_node != m->me;
}

static void keep_token(struct totem *m, const struct totem_token *token, bool forward)
{
    struct datagram *datagram;

    m->seq_passed = token->seq;
    m->sending.header.type = TOTEM_TOKEN;
    m->sending.u.token = *token;
    datagram = act_encode(m, m->me, m->target);
    if (datagram != NULL)
        token_pass(m, datagram, forward);
}

static void arm_timers(struct totem *m, bool forward)
{
    uint32_t heartbeat_ms = totem_settings_heartbeat_ms(&m->settings);

    timer_arm(m, TIMER_TOKEN_LOSS, m->settings.token_ms);
    timer_arm(m, TIMER_TOKEN_RETRANSMIT, m->settings.token_retransmit_ms);
    if (m->settings.token_warning_percent > 0)
        timer_arm(m, TIMER_TOKEN_WARNING,
                  (uint32_t)((uint64_t)m->settings.token_ms * m->settings.token_warning_percent / 100));
    if (i_am_representative(m) && m->token_held)
        timer_arm(m, TIMER_HOLD, m->settings.hold_ms);
    if (forward && heartbeat_ms > 0)
        timer_arm(m, TIMER_HEARTBEAT, heartbeat_ms);
    else
        timer_stop(m, TIMER_HEARTBEAT);
}

/* One visit, in the order that all nodes keep (spec/totem-protocol.md section 5.3). */
static void visit(struct totem *m, struct totem_token *token)
{
    uint32_t aru_before = m->last_aru;
    uint32_t allowed;
    uint32_t sent;
    uint32_t news;
    bool forward = !(i_am_representative(m) && m->token_held);
    bool alone = token->seq == m->seq_passed;

    m->last_aru = token->aru;
    m->backlog_now = (uint32_t)(m->state == TOTEM_RECOVERY ? m->recovery_queue.count : outgoing_queue(m)->count);
    allowed = flow_allowance(&m->settings, token->fcc, token->backlog, m->backlog_now, m->backlog_last);
    sent = serve_requests(m, token, allowed);
    allowed -= sent;
    request_missing(m, token);
    if (m->settings.cancel_token_hold_on_retransmit && m->token_held && (token->retransmit_count > 0 || sent > 0)) {
        m->token_held = false;
        forward = true;
    }
    allowed = flow_window_guard(&m->settings, ordering_store(m)->released, token->seq, allowed);
    news = send_messages(m, token, allowed);
    sent += news;
    token->fcc += sent - m->sent_last_visit;
    token->backlog += m->backlog_now - m->backlog_last;
    m->sent_last_visit = sent;
    m->backlog_last = m->backlog_now;
    update_aru(m, token);
    if (!check_aru(m, token, aru_before)) {
        membership_fail_to_receive(m);
        return;
    }
    m->my_token_seq = token->token_seq++;
    if (m->state == TOTEM_RECOVERY)
        recovery_on_visit(m, token);
    keep_token(m, token, forward && !(alone && linger_after_visit(m, token, news, allowed - news)));
    if (m->state == TOTEM_OPERATIONAL)
        ordering_deliver(m);
    arm_timers(m, forward);
}

uint32_t token_visit_on(struct totem *m, struct totem_token *token, uint32_t allowed)
{
    /* The window was looked at when the visit began, for all that it may send. */
    uint32_t sent = send_messages(m, token, allowed);

    token->fcc += sent;
    m->sent_last_visit += sent;
    update_aru(m, token);
    keep_token(m, token, false);
    ordering_deliver(m);
    return sent;
}

void token_on_receive(struct totem *m, struct totem_token *token)
{
    /* One that is kept comes first: then it shows whether this is a repetition. */
    if (m->linger.kind == LINGER_COLLECT)
        linger_on_end(m);
    if ((m->state != TOTEM_OPERATIONAL && m->state != TOTEM_RECOVERY) || !totem_ring_equal(&token->ring, &m->ring) ||
        !totem_seq_before(m->my_token_seq, token->token_seq))
        return;
    if (!linger_before_visit(m, token))
        token_take(m, token);
}

void token_take(struct totem *m, struct totem_token *token)
{
    /* What stays is of the past, whoever has sent this one. */
    m->linger.kind = LINGER_NOT;
    m->counters.token_at_ms = m->now_ms;
    m->messages_last_visit = m->messages_since_visit;
    m->messages_since_visit = 0;
    notice_idleness(m, token);
    if (m->state == TOTEM_OPERATIONAL) {
        release_messages(m, token);
        if (!packing_flush(&m->packing, outgoing_queue(m)))
            m->out_of_memory = true;
    }
    visit(m, token);
}

void token_create(struct totem *m)
{
    struct totem_token token = {0};

    token.aru = UINT32_MAX;
    token.aru_node = m->me;
    token.ring = m->ring;
    m->flag_set_by_me = m->recovery_queue.count > 0;
    token.retrans_flag = m->flag_set_by_me;
    m->first_token_sent = true;
    keep_token(m, &token, true);
    arm_timers(m, true);
}

void token_cancel_hold(struct totem *m)
{
    if (!m->token_held)
        return;
    m->token_held = false;
    m->sending.header.type = TOTEM_HOLD_CANCEL;
    m->sending.u.hold_cancel.ring = m->ring;
    act_multicast(m, m->me, true);
}

void token_on_hold_cancel(struct totem *m)
{
    m->seq_unchanged = 0;
    if (!i_am_representative(m) || m->state == TOTEM_GATHER)
        return;
    timer_stop(m, TIMER_HOLD);
    token_resend(m);
    timer_arm(m, TIMER_TOKEN_RETRANSMIT, m->settings.token_retransmit_ms);
}

void token_on_merge_timer(struct totem *m)
{
    if (m->state != TOTEM_OPERATIONAL || !i_am_representative(m))
        return;
    m->sending.header.type = TOTEM_MERGE;
    m->sending.u.merge.system_from = m->me;
    m->sending.u.merge.ring = m->ring;
    act_multicast(m, m->me, false);
}
