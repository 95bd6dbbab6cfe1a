/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/totem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/totem/machine.h"

/* Room for the largest ring sequence number that can still grow by 4: larger ones are not believed. */
#define RING_SEQ_MAX (UINT64_MAX / 2)

/* Of what a node says to itself, in one step. */
#define HEARD_AT_ONCE_MAX 1024

/* ---- timers ---------------------------------------------------------------------------------------------- */

void timer_arm(struct totem *m, enum timer timer, uint32_t after_ms)
{
    m->deadlines_ms[timer] = m->now_ms + after_ms;
}

void timer_stop(struct totem *m, enum timer timer)
{
    m->deadlines_ms[timer] = TOTEM_NEVER;
}

uint64_t totem_deadline_ms(const struct totem *totem)
{
    uint64_t deadline_ms = TOTEM_NEVER;

    for (int timer = 0; timer < TIMER_COUNT; timer++) {
        if (totem->deadlines_ms[timer] < deadline_ms)
            deadline_ms = totem->deadlines_ms[timer];
    }
    return totem->loopback.count > 0 || totem->handovers != NULL ? totem->now_ms : deadline_ms;
}

static void on_timer(struct totem *m, enum timer timer)
{
    switch (timer) {
    case TIMER_TOKEN_LOSS:
        membership_on_token_lost(m, "token timeout");
        break;
    case TIMER_TOKEN_RETRANSMIT:
        token_resend(m);
        timer_arm(m, TIMER_TOKEN_RETRANSMIT, m->settings.token_retransmit_ms);
        break;
    case TIMER_TOKEN_WARNING:
        act_note(m, TOTEM_NOTE_WARNING, "no token for %u%% of the token timeout of %u ms",
                 m->settings.token_warning_percent, m->settings.token_ms);
        break;
    case TIMER_HOLD:
        token_resend(m);
        break;
    case TIMER_HEARTBEAT:
        membership_on_token_lost(m, "heartbeat timeout");
        break;
    case TIMER_MERGE:
        token_on_merge_timer(m);
        break;
    case TIMER_JOIN:
        membership_on_join_timer(m);
        break;
    case TIMER_SEND_JOIN:
        if (m->state == TOTEM_GATHER)
            membership_send_join(m);
        break;
    case TIMER_CONSENSUS:
        membership_on_consensus_timer(m);
        break;
    case TIMER_WATCHDOG:
    case TIMER_COUNT:
        break;
    }
}

/* The process runs now, and will be missed if it does not in time. */
static void stay_awake(struct totem *m)
{
    m->awake_ms = m->now_ms;
    timer_arm(m, TIMER_WATCHDOG, m->settings.token_ms / 5);
}

/* In the order in which they were due; each may stop or arm others, which then wait for their own time. */
static void run_timers(struct totem *m)
{
    for (int rounds = 0; rounds < TIMER_COUNT; rounds++) {
        enum timer due = TIMER_COUNT;

        for (int timer = 0; timer < TIMER_COUNT; timer++) {
            if (m->deadlines_ms[timer] <= m->now_ms &&
                (due == TIMER_COUNT || m->deadlines_ms[timer] < m->deadlines_ms[due]))
                due = (enum timer)timer;
        }
        if (due == TIMER_COUNT)
            break;
        timer_stop(m, due);
        on_timer(m, due);
    }
    if (m->started && m->state != TOTEM_LEFT)
        stay_awake(m);
}

/* ---- datagrams ------------------------------------------------------------------------------------------- */

/* The process stood still for long: what waits in the sockets is of the past, this JOIN too. */
static bool stood_still(struct totem *m)
{
    if (m->now_ms - m->awake_ms <= m->settings.token_ms / 2)
        return false;
    act_note(m, TOTEM_NOTE_WARNING, "this process was not scheduled for %llu ms: dropping what arrived meanwhile",
             (unsigned long long)(m->now_ms - m->awake_ms));
    m->awake_ms = m->now_ms;
    act_drain(m);
    return true;
}

/* Told the first time and then ever more seldom: whoever sends rubbish may send a lot of it. */
static void drop(struct totem *m, size_t size, const char *why)
{
    uint64_t dropped = ++m->counters.dropped;

    if ((dropped & (dropped - 1)) == 0)
        act_note(m, TOTEM_NOTE_WARNING, "dropped a datagram of %zu bytes: %s (number %llu so far)", size, why,
                 (unsigned long long)dropped);
}

static void on_datagram(struct totem *m, const uint8_t *bytes, size_t size, bool own)
{
    struct totem_message *message = &m->received;
    enum totem_wire_error error = totem_decode(bytes, size, message);

    if (error != TOTEM_WIRE_OK) {
        drop(m, size, totem_wire_error_text(error));
        return;
    }
    if (message->header.order != TOTEM_ORDER_OURS) {
        drop(m, size, "its byte order is not that of this machine");
        return;
    }
    if (!own)
        m->counters.received[message->header.type]++;
    switch (message->header.type) {
    case TOTEM_TOKEN:
        token_on_receive(m, &message->u.token);
        break;
    case TOTEM_MCAST:
        ordering_on_mcast(m, &message->u.mcast, bytes, size);
        break;
    case TOTEM_MERGE:
        if (!totem_ring_equal(&message->u.merge.ring, &m->ring))
            membership_on_foreign(m, message->u.merge.system_from, &message->u.merge.ring, "another ring is within reach");
        break;
    case TOTEM_JOIN:
        /* One of mine that the transport, or somebody else, brings back has been heard already. */
        if (message->u.join.ring_seq < RING_SEQ_MAX &&
            (own || (message->u.join.system_from != m->me && !stood_still(m))))
            membership_on_join(m, &message->header, &message->u.join);
        break;
    case TOTEM_COMMIT:
        if (message->u.commit.ring.seq < RING_SEQ_MAX)
            commit_on_token(m, &message->u.commit);
        break;
    case TOTEM_HOLD_CANCEL:
        if (totem_ring_equal(&message->u.hold_cancel.ring, &m->ring))
            token_on_hold_cancel(m);
        break;
    }
}

/* What was said to oneself is heard when everything that came with it has been done. A lone ring runs in here until it is
 * idle; should that take long, the rest is due at once in the next step. */
static void hear_oneself(struct totem *m)
{
    struct datagram *datagram;

    for (int i = 0; i < HEARD_AT_ONCE_MAX && !m->out_of_memory; i++) {
        datagram = datagram_queue_pop(&m->loopback);
        if (datagram == NULL)
            break;
        if (m->state != TOTEM_LEFT)
            on_datagram(m, datagram->bytes, datagram->size, true);
        datagram_unref(datagram);
    }
}

/* ---- other events ---------------------------------------------------------------------------------------- */

static void on_start(struct totem *m, uint64_t ring_seq)
{
    assert(!m->started && ring_seq < RING_SEQ_MAX);
    m->started = true;
    m->ring = (struct totem_ring_id){m->me, ring_seq + 1};
    m->old_ring = m->ring;
    m->ring_seq_max = m->ring.seq;
    stay_awake(m);
    membership_gather(m, "start");
}

/*
 * A token whose time has passed is lost, although it may lie in the socket behind what the process slept through: the others have
 * missed it as well, and may be a ring of their own by now. To take it would be to serve beside them for another token timeout.
 */
static void lose_token_in_time(struct totem *m)
{
    if (m->deadlines_ms[TIMER_TOKEN_LOSS] > m->now_ms)
        return;
    timer_stop(m, TIMER_TOKEN_LOSS);
    on_timer(m, TIMER_TOKEN_LOSS);
}

static enum q_err on_message(struct totem *m, const struct totem_part *parts, size_t count)
{
    struct datagram_queue *queue = outgoing_queue(m);
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    if (size == 0 || size > TOTEM_MESSAGE_MAX)
        return Q_ERR_INVALID;
    if (!packing_has_room(&m->packing, queue, size))
        return Q_ERR_AGAIN;
    token_cancel_hold(m);
    m->messages_since_visit++;
    if (!packing_add(&m->packing, queue, parts, count))
        m->out_of_memory = true;
    linger_on_message(m);
    return Q_OK;
}

/* What the synchronisation has left in its queue follows what was kept back meanwhile. If another change is in line
 * already, only what is before it is concerned: for us the next synchronisation has begun. */
static void on_synced(struct totem *m)
{
    struct datagram *datagram;

    m->sync_delivery = false;
    if (!m->waiting || m->changes_in_line > 0)
        return;
    if (!packing_flush(&m->packing, &m->sync_queue))
        m->out_of_memory = true;
    m->waiting = false;
    while ((datagram = datagram_queue_pop(&m->sync_queue)) != NULL) {
        if (!datagram_queue_push(&m->queue, datagram))
            m->out_of_memory = true;
    }
    if (m->queue.count > 0)
        token_cancel_hold(m);
}

static void on_settings(struct totem *m, const struct totem_settings *settings)
{
    uint32_t netmtu = m->settings.netmtu;
    bool is_awake = m->started && m->now_ms - m->awake_ms <= m->settings.token_ms / 2;

    m->settings = *settings;
    m->settings.netmtu = netmtu;
    if (is_awake)
        stay_awake(m);
}

enum q_err totem_step(struct totem *m, const struct totem_event *event, struct totem_actions *out)
{
    enum q_err result = Q_OK;

    assert(event->now_ms >= m->now_ms);
    m->now_ms = event->now_ms;
    m->random = event->random;
    m->out = out;
    if (m->state == TOTEM_LEFT)
        return Q_OK;
    switch (event->type) {
    case TOTEM_EV_START:
        on_start(m, event->u.ring_seq);
        break;
    case TOTEM_EV_DATAGRAM:
        handover_continue(m);
        lose_token_in_time(m);
        if (m->started)
            on_datagram(m, event->u.datagram.bytes, event->u.datagram.size, false);
        break;
    case TOTEM_EV_MESSAGE:
        result = on_message(m, event->u.message.parts, event->u.message.count);
        break;
    case TOTEM_EV_LINGERED:
        lose_token_in_time(m);
        linger_on_end(m);
        break;
    case TOTEM_EV_SYNCED:
        on_synced(m);
        handover_continue(m);
        break;
    case TOTEM_EV_SETTINGS:
        on_settings(m, event->u.settings);
        break;
    case TOTEM_EV_LINK_UP:
        if (m->started)
            membership_gather(m, "the interface is up again");
        break;
    case TOTEM_EV_LEAVE:
        if (m->started)
            membership_leave(m);
        m->state = TOTEM_LEFT;
        break;
    case TOTEM_EV_TIME:
        handover_continue(m);
        run_timers(m);
        break;
    }
    hear_oneself(m);
    m->out = NULL;
    return m->out_of_memory ? Q_ERR_NO_MEMORY : result;
}

bool totem_has_room(const struct totem *m, size_t size)
{
    return packing_has_room(&m->packing, m->waiting ? &m->sync_queue : &m->queue, size);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

struct totem *totem_new(const struct totem_settings *settings, uint32_t node_id)
{
    struct totem *m = calloc(1, sizeof(*m));

    assert(node_id != 0);
    if (m == NULL)
        return NULL;
    m->me = node_id;
    m->settings = *settings;
    m->state = TOTEM_OPERATIONAL;
    m->my_token_seq = UINT32_MAX;
    m->waiting = true;
    for (int timer = 0; timer < TIMER_COUNT; timer++)
        timer_stop(m, (enum timer)timer);
    m->regular = store_new();
    m->recovery = store_new();
    if (!packing_init(&m->packing, settings->netmtu) || m->regular == NULL || m->recovery == NULL) {
        totem_free(m);
        return NULL;
    }
    return m;
}

void totem_free(struct totem *m)
{
    struct datagram_queue *queues[] = {&m->loopback, &m->recovery_queue, &m->queue, &m->sync_queue};

    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++)
        datagram_queue_fini(queues[i]);
    handover_fini(m);
    datagram_unref(m->last_token);
    store_free(m->regular);
    store_free(m->recovery);
    packing_fini(&m->packing);
    assembly_table_fini(&m->assemblies);
    assembly_table_fini(&m->sync_assemblies);
    free(m);
}

void totem_get_status(const struct totem *m, struct totem_status *status)
{
    *status = (struct totem_status){
        .state = m->state,
        .ring = m->ring,
        .members = &m->members,
        .synchronising = m->waiting,
        .aru = m->aru,
        .high_seq = m->high_seq,
        .high_delivered = m->high_delivered,
        .queued = m->queue.count + m->sync_queue.count + (m->packing.item_count > 0 ? 1 : 0),
        .queue_max = m->packing.queue_max,
        .counters = &m->counters,
        .settings = &m->settings,
    };
}

void totem_check(const struct totem *m)
{
    const struct store *store = m->state == TOTEM_RECOVERY ? m->recovery : m->regular;

    assert(totem_seq_not_after(m->regular->released, m->high_delivered));
    assert(!totem_nodes_has(&m->failed, m->me) || m->failed_to_receive);
    switch (m->state) {
    case TOTEM_OPERATIONAL:
        assert(!m->started || totem_nodes_has(&m->members, m->me));
        assert(!m->saved && totem_ring_equal(&m->ring, &m->old_ring));
        assert(m->high_delivered == m->aru);
        assert(!m->started || timer_armed(m, TIMER_TOKEN_LOSS));
        break;
    case TOTEM_GATHER:
        assert(timer_armed(m, TIMER_CONSENSUS) || timer_armed(m, TIMER_TOKEN_LOSS));
        break;
    case TOTEM_COMMITTING:
    case TOTEM_RECOVERY:
        assert(m->saved && timer_armed(m, TIMER_TOKEN_LOSS) && totem_nodes_has(&m->new_members, m->me));
        break;
    case TOTEM_LEFT:
        return;
    }
    assert(m->linger.kind == LINGER_NOT || (m->state == TOTEM_OPERATIONAL && !m->waiting));
    assert(totem_seq_not_after(m->aru, m->high_seq));
    assert(store_get(store, m->aru + 1) == NULL);
}
