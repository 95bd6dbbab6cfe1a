/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The token stays for some microseconds. Nothing of the protocol changes: whoever has the token may send, and what it says is
 * only said later. Two cases are worth it:
 *
 * - Clients talk much, but not so much that a visit is full anyway. A token that comes round without anything to take along
 *   costs every node as much as a full one, so its visit begins only when some have spoken (LINGER_COLLECT).
 * - Nobody else speaks, and a client of this node that has just heard its own message will most likely answer it. The
 *   visit goes on: the answer leaves at once instead of when the token has come round (LINGER_ANSWER).
 *
 * The end comes from the shell (TOTEM_EV_LINGERED), or earlier when there is nothing left to wait for.
 */
#include "core/totem/machine.h"

/* Found by measuring (tests/bench/ring.py): less takes along less, more makes the ring wait. */
#define COLLECT_US 200
/* A client needs 30 to 100 us to hear its message and to say the next one. */
#define ANSWER_US 150
/* Answers at one visit: a node that wants to begin speaking waits for so many. */
#define ANSWERS_MAX 16
/* So many messages between two visits are not somebody who waits for the answer to each. */
#define FLURRY 4

static bool may_stay(const struct totem *m)
{
    return m->state == TOTEM_OPERATIONAL && !m->waiting && m->target != m->me;
}

bool linger_before_visit(struct totem *m, const struct totem_token *token)
{
    if (!may_stay(m) || m->messages_last_visit < FLURRY || m->queue.count >= m->settings.max_messages)
        return false;
    m->linger.kind = LINGER_COLLECT;
    m->linger.token = *token;
    act_linger(m, COLLECT_US);
    return true;
}

bool linger_after_visit(struct totem *m, const struct totem_token *token, uint32_t sent, uint32_t allowed)
{
    if (!may_stay(m) || m->messages_last_visit >= FLURRY || sent == 0 || allowed == 0 || m->queue.count > 0)
        return false;
    m->linger.kind = LINGER_ANSWER;
    m->linger.token = *token;
    m->linger.allowed = allowed;
    m->linger.answers = 0;
    act_linger(m, ANSWER_US);
    return true;
}

/* The process stood still: the token is late, and what is to be done then is the business of its timers. */
static bool has_passed(const struct totem *m, enum timer timer)
{
    return m->deadlines_ms[timer] <= m->now_ms;
}

static void answer(struct totem *m)
{
    struct linger *linger = &m->linger;

    if (has_passed(m, TIMER_TOKEN_RETRANSMIT)) {
        linger->kind = LINGER_NOT;
        return;
    }
    if (!packing_flush(&m->packing, &m->queue))
        m->out_of_memory = true;
    linger->allowed -= token_visit_on(m, &linger->token, linger->allowed);
    if (m->queue.count == 0)
        m->messages_since_visit = 0; /* the token takes them along */
    if (linger->allowed == 0 || m->queue.count > 0 || ++linger->answers == ANSWERS_MAX)
        token_resend(m);
    else
        act_linger(m, ANSWER_US);
}

void linger_on_message(struct totem *m)
{
    switch (m->linger.kind) {
    case LINGER_NOT:
        break;
    case LINGER_COLLECT:
        if (m->queue.count >= m->settings.max_messages)
            linger_on_end(m);
        break;
    case LINGER_ANSWER:
        answer(m);
        break;
    }
}

void linger_on_end(struct totem *m)
{
    enum linger_kind kind = m->linger.kind;

    m->linger.kind = LINGER_NOT;
    switch (kind) {
    case LINGER_NOT:
        break;
    case LINGER_COLLECT:
        if (!has_passed(m, TIMER_TOKEN_LOSS))
            token_take(m, &m->linger.token);
        break;
    case LINGER_ANSWER:
        if (!has_passed(m, TIMER_TOKEN_RETRANSMIT))
            token_resend(m);
        break;
    }
}
