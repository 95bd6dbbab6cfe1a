/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is cast at every moment (the table in agent.h). The arbiter counts on two things: that a YES ends with the lease,
 * and that a confirmed NACK has been carried out. Both are decided here and nowhere else.
 */
#include <stdio.h>
#include <string.h>

#include "common/mutation.h"
#include "common/printable.h"
#include "qdevice/logic/agent_machine.h"

/* A voter that does not carry a withdrawal out within this never will. */
#define STOP_PATIENCE_MS 2000

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool verdict_is_current(const struct agent *a)
{
    return a->verdict != WIRE_VOTE_UNDEFINED && wire_ring_id_equal(a->verdict_ring, a->ring);
}

/*
 * Until when what the arbiter granted last is honoured by it. In the session that brought the verdict every answer moves
 * the end on. A later session's answers do not: the arbiter may have counted the old lease down and granted anew. But a later
 * session's silence ends it: the arbiter now goes by the lease that was stated there, which may be a shorter one.
 */
uint64_t vote_lease_until_ms(const struct agent *a)
{
    uint64_t until = a->verdict_session == a->session ? AGENT_NEVER : a->ride_until_ms;

    until = earliest(until, a->link == AGENT_READY ? a->heard_until_ms : a->ride_until_ms);
    return earliest(until, a->undecided_until_ms);
}

static bool lease_holds(const struct agent *a)
{
    return a->now_ms < vote_lease_until_ms(a);
}

bool vote_rides(const struct agent *a)
{
    return a->link != AGENT_READY && a->verdict == WIRE_VOTE_ACK && lease_holds(a);
}

/*
 * Until when votequorum had better wait for a verdict on this ring. What it shows meanwhile is the answer of the former ring,
 * so that the wait ends with the lease of the former verdict too.
 */
static uint64_t wait_until_ms(const struct agent *a)
{
    uint64_t until = a->patience_until_ms;

    if (a->verdict == WIRE_VOTE_ACK)
        until = earliest(until, vote_lease_until_ms(a));
    if (a->link == AGENT_READY)
        return earliest(until, a->heard_until_ms);
    if (a->session == 0)
        return a->failures == 0 ? until : 0;
    return earliest(until, a->ride_until_ms);
}

static enum agent_cast decide(const struct agent *a)
{
    if (!a->has_ring)
        return AGENT_CAST_NOTHING;
    if (a->shutting_down)
        return AGENT_CAST_NO;
    if (verdict_is_current(a) && a->verdict == WIRE_VOTE_NACK)
        return AGENT_CAST_NO;
    if (verdict_is_current(a))
        return lease_holds(a) ? AGENT_CAST_YES : AGENT_CAST_NO;
    return a->now_ms < wait_until_ms(a) ? AGENT_CAST_NOTHING : AGENT_CAST_NO;
}

/*
 * When the voter is to say NO by itself, should it not hear of us: for this ring or for one that we have not told it about,
 * because we are stopped, or wait for something else than the core. A NO given to us leaves a new ring as long as an ACK does.
 */
static uint64_t valid_until_ms(const struct agent *a, enum agent_cast cast)
{
    if (!a->has_ring)
        return AGENT_NEVER; /* there is no core either */
    switch (cast) {
    case AGENT_CAST_YES:
        return vote_lease_until_ms(a);
    case AGENT_CAST_NOTHING:
        return wait_until_ms(a);
    case AGENT_CAST_NO:
        break;
    }
    return a->link == AGENT_READY ? a->heard_until_ms : 0;
}

static void forget_ended_verdict(struct agent *a)
{
    bool undecided;

    if (a->verdict == WIRE_VOTE_UNDEFINED || a->verdict == WIRE_VOTE_NACK || lease_holds(a))
        return;
    /* Silence may show at another event than the timer's. The arbiter, which has still granted, would say nothing anew. */
    if (a->link == AGENT_READY && a->verdict_session == a->session && a->now_ms >= a->heard_until_ms)
        link_drop(a, "no answer for %u ms", a->lease_ms);
    undecided = a->now_ms >= a->undecided_until_ms;
    a->verdict = WIRE_VOTE_UNDEFINED;
    a->undecided_until_ms = AGENT_NEVER;
    a->ride_until_ms = 0;
    a->patience_until_ms = a->now_ms; /* nothing to wait for: say NO until there is a new verdict */
    if (a->shutting_down)
        return;
    if (undecided)
        agent_act_note(a, AGENT_NOTE_WARNING, "the vote's lease has ended: the arbiter wants to decide anew and has not; casting NO");
    else
        agent_act_note(a, AGENT_NOTE_WARNING, "the vote's lease has ended: no answer from the arbiter for %u ms; casting NO",
                 a->lease_ms);
}

void vote_update(struct agent *a)
{
    enum agent_cast cast;
    uint64_t until;
    bool poll;

    if (a->stopped)
        return;
    forget_ended_verdict(a);
    cast = decide(a);
    if (a->confirm_pending && a->confirm_vote == WIRE_VOTE_NACK && cast != AGENT_CAST_NO)
        a->confirm_pending = false; /* overtaken by a newer verdict */
    until = valid_until_ms(a, cast);
    poll = a->cast_again || cast != a->cast || !wire_ring_id_equal(a->ring, a->cast_ring);
    if (!poll && until == a->cast_until_ms)
        return;
    a->cast_again = false;
    a->cast = cast;
    a->cast_ring = a->ring;
    a->cast_until_ms = until;
    a->cast_sequence++;
    if (poll)
        a->polled_sequence = a->cast_sequence;
    agent_act_cast(a, poll);
}

/* It is about to decide anew, and may do so without us: what it has granted is not prolonged any more. */
static void on_undecided(struct agent *a, enum wire_vote vote)
{
    bool waits = vote == WIRE_VOTE_ASK_LATER || vote == WIRE_VOTE_WAIT_FOR_REPLY;

    if (waits && a->verdict == WIRE_VOTE_ACK && verdict_is_current(a))
        a->undecided_until_ms = vote_lease_until_ms(a);
}

void vote_on_verdict(struct agent *a, enum wire_vote vote, struct wire_ring_id ring, struct wire_bytes reason)
{
    bool decided = vote == WIRE_VOTE_ACK || vote == WIRE_VOTE_NACK;

    /* A vote for a ring that has passed is void: votequorum waits for one that names the present ring. */
    if (MUTATION(stale_ring))
        ring = a->ring;
    if (!wire_ring_id_equal(ring, a->ring))
        return;
    if (reason.size > 0)
        printable_text(reason.data, reason.size, a->reason, sizeof(a->reason)); /* foreign bytes */
    if (!decided) {
        on_undecided(a, vote);
        return;
    }
    a->undecided_until_ms = AGENT_NEVER;
    if (a->verdict != vote || !wire_ring_id_equal(a->verdict_ring, ring))
        agent_act_note(a, AGENT_NOTE_NOTICE, "%s for ring %x.%llx%s%s", wire_vote_name(vote), ring.node_id,
                  (unsigned long long)ring.seq, a->reason[0] != '\0' ? ": " : "", a->reason);
    a->verdict = vote;
    a->verdict_ring = ring;
    a->verdict_session = a->session;
    a->granted_host = a->host;
}

/*
 * A NACK for a ring that has passed is no verdict on the present one, but the arbiter takes the confirmation for the end of the
 * vote. So it must be true: votequorum's wait, in which it shows the former ring's answer, is ended with NO.
 */
static void end_wait(struct agent *a)
{
    if (!verdict_is_current(a))
        a->patience_until_ms = earliest(a->patience_until_ms, a->now_ms);
}

void vote_on_info(struct agent *a, const struct wire_message *message)
{
    const struct wire_vote_message *vote = &message->u.vote;

    vote_on_verdict(a, vote->vote, vote->ring_id, vote->reason);
    if (vote->vote == WIRE_VOTE_NACK)
        end_wait(a);
    a->cast_again = true;
    a->confirm_pending = true;
    a->confirm_vote = vote->vote;
    a->confirm_seq = message->seq;
    vote_update(a); /* may find that the lease has ended, and with it the session and what it had to confirm */
}

void vote_on_ring(struct agent *a)
{
    a->patience_until_ms = a->now_ms + a->config.timing.patience_ms;
    a->reason[0] = '\0';
    /* What is shown is older than the NO that was to end it: another member had still to answer. */
    if (a->in_sync && a->cast == AGENT_CAST_NO)
        end_wait(a);
    if (!a->confirm_pending)
        return;
    /* Votequorum no longer takes a NO for the former ring: nothing is withdrawn before it has one for this. */
    if (a->confirm_vote == WIRE_VOTE_NACK)
        end_wait(a);
    else
        a->confirm_pending = false;
}

/* A goodbye tells the arbiter that the vote is withdrawn: only said when the voter has done it. */
static void stop(struct agent *a, bool withdrawn)
{
    a->stop_pending = false;
    a->stopped = true;
    if (a->link != AGENT_IDLE && a->link != AGENT_RESOLVING)
        agent_act_close(a, withdrawn);
    a->link = AGENT_IDLE;
    a->idle_until_ms = AGENT_NEVER;
    agent_act_stop(a);
}

bool vote_is_carried_out(const struct agent *a)
{
    return a->done_sequence >= a->polled_sequence;
}

void vote_on_cast_done(struct agent *a, uint64_t sequence)
{
    if (sequence > a->done_sequence)
        a->done_sequence = sequence;
    if (!vote_is_carried_out(a))
        return;
    if (a->confirm_pending && a->link == AGENT_READY) {
        a->confirm_pending = false;
        a->message.type = WIRE_VOTE_INFO_REPLY;
        a->message.present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
        a->message.seq = a->confirm_seq;
        agent_act_send(a, &a->message);
    }
    if (a->link == AGENT_INIT && a->init_pending && !a->shutting_down)
        conversation_send_init(a);
    if (a->stop_pending)
        stop(a, true);
}

void vote_begin_stop(struct agent *a)
{
    a->shutting_down = true;
    if (!a->has_ring) {
        stop(a, true);
        return;
    }
    a->cast_again = true;
    vote_update(a);
    a->stop_pending = true;
    a->stop_until_ms = a->now_ms + STOP_PATIENCE_MS;
}

void vote_on_core_lost(struct agent *a)
{
    a->verdict = WIRE_VOTE_UNDEFINED;
    a->undecided_until_ms = AGENT_NEVER;
    a->ride_until_ms = 0;
    if (a->stop_pending)
        stop(a, false);
}

void vote_on_time(struct agent *a)
{
    if (a->stop_pending && a->now_ms >= a->stop_until_ms)
        stop(a, false);
}

void vote_on_session_end(struct agent *a)
{
    a->confirm_pending = false;
    if (a->verdict_session != a->session) {
        a->ride_until_ms = earliest(a->ride_until_ms, a->heard_until_ms); /* the verdict is older: its end moves no further */
        return;
    }
    a->ride_until_ms = a->ours ? earliest(a->heard_until_ms, a->undecided_until_ms) : 0;
    if (!a->ours && a->verdict == WIRE_VOTE_ACK)
        a->verdict = WIRE_VOTE_UNDEFINED;
}

void vote_on_introduction(struct agent *a)
{
    if (a->session == 0 || a->granted_host == a->host)
        return;
    if (a->verdict == WIRE_VOTE_ACK) {
        a->verdict = WIRE_VOTE_UNDEFINED;
        a->undecided_until_ms = AGENT_NEVER;
        a->ride_until_ms = 0;
        a->patience_until_ms = a->now_ms;
    }
    vote_update(a);
    a->init_pending = !vote_is_carried_out(a);
}

uint64_t vote_deadline_ms(const struct agent *a)
{
    uint64_t at = a->stop_pending ? a->stop_until_ms : AGENT_NEVER;

    if (a->verdict == WIRE_VOTE_ACK)
        at = earliest(at, vote_lease_until_ms(a));
    if (a->cast == AGENT_CAST_NOTHING && a->has_ring)
        at = earliest(at, wait_until_ms(a));
    return at;
}

static void explain_absence(const struct agent *a, char *text, size_t size)
{
    const char *open = a->trouble[0] != '\0' ? " (" : "";
    const char *close = a->trouble[0] != '\0' ? ")" : "";

    if (a->cast == AGENT_CAST_YES)
        snprintf(text, size, "Yes, for another %llu ms: the arbiter is not reached%s%s%s, its grant still holds",
                 (unsigned long long)(a->cast_until_ms - a->now_ms), open, a->trouble, close);
    else
        snprintf(text, size, "No: no arbiter is reached%s%s%s", open, a->trouble, close);
}

void vote_explain(const struct agent *a, char *text, size_t size)
{
    const char *reason = a->reason[0] != '\0' ? a->reason : "no reason given";

    if (!a->has_ring)
        snprintf(text, size, "No: the core has not formed a ring yet");
    else if (a->cast == AGENT_CAST_YES && a->link != AGENT_READY)
        explain_absence(a, text, size);
    else if (a->cast == AGENT_CAST_YES)
        snprintf(text, size, "Yes: the arbiter granted it (%s)", reason);
    else if (verdict_is_current(a) && a->verdict == WIRE_VOTE_NACK)
        snprintf(text, size, "No: the arbiter refused it (%s)", reason);
    else if (a->link == AGENT_READY)
        snprintf(text, size, "No: the arbiter has not decided yet (%s)", reason);
    else
        explain_absence(a, text, size);
}
