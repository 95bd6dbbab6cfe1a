/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/agent_model.h"

#include <assert.h>
#include <string.h>

#include "common/printable.h"

#define ACTIONS_MAX 32 /* of one step */
#define BYTES_MAX 65536
#define TIMES_MAX 4 /* AGENT_EV_TIME at one moment, until the deadline moves on */

static struct wire_message message; /* that the agent sends */

static void hash_bytes(struct agent_model *model, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < size; i++)
        model->hash = (model->hash ^ byte[i]) * UINT64_C(0x100000001b3);
}

static void hash_number(struct agent_model *model, uint64_t number)
{
    hash_bytes(model, &number, sizeof(number));
}

/* ---- what a vote rests on ------------------------------------------------------------------------ */

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t grant_until_ms(const struct agent_model *model)
{
    uint64_t until_ms = model->grant.live ? model->line.heard_until_ms : model->grant.until_ms;

    if (model->line.ready)
        until_ms = earliest(until_ms, model->line.heard_until_ms); /* the bounds stated last are what the arbiter goes by */
    return earliest(until_ms, model->grant.undecided_until_ms);
}

/* The promise of docs/safety.md: an ACK for the present ring, whose lease holds. */
static bool may_cast_yes(const struct agent_model *model)
{
    return model->has_ring && !model->shutting_down && model->grant.ack &&
           wire_ring_id_equal(model->grant.ring, model->ring) && model->now_ms < grant_until_ms(model);
}

/* What the session granted goes on as far as an arbiter of ours honours it. */
static void end_session(struct agent_model *model)
{
    struct agent_model_line *line = &model->line;

    if (line->ready && model->grant.live) {
        model->grant.live = false;
        model->grant.until_ms = line->ours ? line->heard_until_ms : 0;
    } else if (line->ready) {
        model->grant.until_ms = earliest(model->grant.until_ms, line->heard_until_ms);
    }
    line->ready = false;
    line->lists_said = false;
    line->stage = NO_CONNECTION;
    model->confirmation.due = false;
}

static void begin_session(struct agent_model *model, const struct wire_message *heard)
{
    struct agent_model_line *line = &model->line;

    assert(heard->type == WIRE_INIT_REPLY && line->said == WIRE_INIT && heard->seq == line->seq);
    assert(heard->u.init_reply.error == WIRE_ERROR_NONE);
    line->ready = true;
    line->ours = (heard->present & WIRE_HAS_LEASE) != 0;
    line->lease_ms = model->config->timing.lease_ms;
    if (line->ours && heard->u.init_reply.lease.lease_ms < line->lease_ms)
        line->lease_ms = heard->u.init_reply.lease.lease_ms;
    line->heard_until_ms = line->init_sent_ms + line->lease_ms;
    line->echo_seq = 0;
    line->echo_answered = 0;
}

/* Before the step: what the arbiter says may grant, refuse, or prolong. */
static void note_message(struct agent_model *model, const struct wire_message *heard)
{
    struct agent_model_line *line = &model->line;
    bool vote = heard->type == WIRE_VOTE_INFO || heard->type == WIRE_NODE_LIST_REPLY ||
                heard->type == WIRE_ASK_FOR_VOTE_REPLY || heard->type == WIRE_HEURISTICS_CHANGE_REPLY;

    if (!line->ready || !wire_has_required(heard))
        return;
    if (heard->type == WIRE_ECHO_REPLY && heard->seq > line->echo_answered && heard->seq <= line->echo_seq) {
        uint64_t until_ms = line->echo_sent_ms[heard->seq] + line->lease_ms;

        line->echo_answered = heard->seq;
        if (until_ms > line->heard_until_ms)
            line->heard_until_ms = until_ms;
    }
    if (!vote || !line->lists_said)
        return;
    if (heard->type == WIRE_VOTE_INFO)
        model->confirmation = (struct agent_model_confirmation){.due = true,
                                                                .nack = heard->u.vote.vote == WIRE_VOTE_NACK,
                                                                .conn = line->conn,
                                                                .seq = heard->seq};
    if (!wire_ring_id_equal(heard->u.vote.ring_id, model->ring))
        return;
    if (heard->u.vote.vote == WIRE_VOTE_ACK) {
        model->grant = (struct agent_model_grant){.ack = true,
                                                  .ring = model->ring,
                                                  .host = line->host,
                                                  .live = true,
                                                  .undecided_until_ms = AGENT_NEVER};
        model->hosts_changed = false;
    } else if (heard->u.vote.vote == WIRE_VOTE_NACK) {
        model->grant.ack = false;
    } else if (heard->u.vote.vote != WIRE_VOTE_NO_CHANGE && wire_ring_id_equal(model->grant.ring, model->ring)) {
        model->grant.undecided_until_ms = grant_until_ms(model);
    }
}

/* ---- checking what the agent does ---------------------------------------------------------------- */

static const uint8_t *bytes_of(const struct agent_model *model, struct agent_span span)
{
    return q_buf_bytes(&model->actions.data) + span.offset;
}

static void check_init(struct agent_model *model)
{
    struct agent_model_line *line = &model->line;

    assert(line->said == (line->stage == SECURE ? WIRE_STARTTLS : WIRE_PREINIT));
    assert(model->config->tls != AGENT_TLS_REQUIRED || line->stage == SECURE);
    assert(wire_ring_id_equal(message.u.init.ring_id, model->ring));
    assert(message.u.init.node_id == model->config->node_id);
    assert(message.u.init.heartbeat_ms == model->config->timing.heartbeat_ms);
    assert(message.u.init.lease.lease_ms == model->config->timing.lease_ms);
    line->init_sent_ms = model->now_ms;
    /* Before another arbiter hears of us, votequorum has stopped using what a former one granted. */
    if (model->grant.ack && strcmp(model->grant.host, line->host) != 0) {
        model->grant.ack = false;
        assert(model->vote.done >= model->vote.polled);
    }
    assert(model->vote.cast != AGENT_CAST_YES || model->now_ms >= model->vote.until_ms || model->grant.ack);
}

static void check_echo(struct agent_model *model)
{
    struct agent_model_line *line = &model->line;

    assert(line->ready && message.seq == line->echo_seq + 1 && message.seq < AGENT_MODEL_ECHOES);
    assert(model->now_ms < line->heard_until_ms || line->echo_seq == 0);
    line->echo_seq = message.seq;
    line->echo_sent_ms[message.seq] = model->now_ms;
}

static void check_confirmation(struct agent_model *model)
{
    struct agent_model_confirmation *confirmation = &model->confirmation;

    assert(confirmation->due && confirmation->conn == model->line.conn && model->line.ready);
    assert(message.seq == confirmation->seq);
    /* Not in the step that brings it: the voter has not even been told then. */
    assert(confirmation->cast_sequence != 0 && model->vote.done >= confirmation->cast_sequence);
    assert(!confirmation->nack ||
           (model->vote.cast == AGENT_CAST_NO && wire_ring_id_equal(model->vote.ring, model->ring)));
    confirmation->due = false;
}

static void check_order(struct agent_model *model)
{
    struct agent_model_line *line = &model->line;

    assert(!line->seq_known || message.seq == line->seq + 1);
    line->seq_known = true;
    line->seq = message.seq;
    if (message.type == WIRE_PREINIT)
        assert(line->said == WIRE_TYPE_COUNT && line->stage == PLAIN);
    else if (message.type == WIRE_STARTTLS)
        assert(line->said == WIRE_PREINIT && line->stage == PLAIN && model->config->tls != AGENT_TLS_OFF);
    else if (message.type == WIRE_INIT)
        check_init(model);
    else
        assert(line->ready && (message.type == WIRE_NODE_LIST || message.type == WIRE_SET_OPTION ||
                               message.type == WIRE_HEURISTICS_CHANGE));
    if (message.type == WIRE_NODE_LIST && message.u.node_list.list_type == WIRE_LIST_MEMBERSHIP) {
        line->lists_said = true;
        assert(wire_ring_id_equal(message.u.node_list.ring_id, model->ring));
    }
    line->said = message.type;
}

static void check_send(struct agent_model *model, const struct agent_action *action)
{
    assert(agent_model_is_open(model) && action->conn == model->line.conn);
    assert(action->data.size <= WIRE_SIZE_DEFAULT);
    assert(wire_decode(bytes_of(model, action->data), action->data.size, &message));
    assert(wire_has_required(&message));
    if (message.type == WIRE_ECHO_REQUEST)
        check_echo(model);
    else if (message.type == WIRE_VOTE_INFO_REPLY)
        check_confirmation(model);
    else
        check_order(model);
}

static void check_resolve(struct agent_model *model, const struct agent_action *action)
{
    struct agent_model_line *line = &model->line;

    assert(line->stage == NO_CONNECTION || line->stage == LOOKUP);
    assert(action->conn > line->conn && action->host < model->config->host_count);
    line->stage = LOOKUP;
    line->conn = action->conn;
    line->host = model->config->hosts[action->host];
}

static void check_connect(struct agent_model *model, const struct agent_action *action)
{
    struct agent_model_line *line = &model->line;

    assert(line->stage == NO_CONNECTION || line->stage == LOOKUP);
    assert(action->conn > line->conn && action->address < line->address_count);
    assert(line->resolved != NULL && strcmp(line->resolved, line->host) == 0); /* now, or by a former lookup */
    line->stage = DIALLING;
    line->conn = action->conn;
    line->said = WIRE_TYPE_COUNT;
    line->seq_known = false;
}

static void check_close(struct agent_model *model, const struct agent_action *action)
{
    assert(model->line.stage >= LOOKUP && action->conn == model->line.conn);
    /* A goodbye says that the vote is withdrawn. */
    assert(!action->goodbye || (model->shutting_down && (!model->has_ring || model->vote.done >= model->withdrawal)));
    end_session(model);
}

/* When the voter is left to itself: there is always such a time while there is a core. */
static void check_end(const struct agent_model *model, const struct agent_action *action)
{
    uint64_t heard_until_ms = model->line.ready ? model->line.heard_until_ms : 0;

    if (!model->has_ring) {
        assert(action->until_ms == AGENT_NEVER);
        return;
    }
    if (action->cast == AGENT_CAST_NO) {
        assert(action->until_ms <= heard_until_ms);
        return;
    }
    assert(action->until_ms > model->now_ms);
    if (action->cast == AGENT_CAST_YES || (model->grant.ack && !model->hosts_changed))
        assert(action->until_ms <= grant_until_ms(model));
    if (action->cast == AGENT_CAST_NOTHING)
        assert(action->until_ms <= model->ring_since_ms + model->patience_ms);
    if (action->cast == AGENT_CAST_NOTHING && model->line.ready)
        assert(action->until_ms <= heard_until_ms);
}

static void check_cast(struct agent_model *model, const struct agent_action *action)
{
    struct agent_model_vote *vote = &model->vote;

    assert(action->sequence == vote->sequence + 1);
    assert(!model->has_ring || wire_ring_id_equal(action->ring_id, model->ring));
    assert(action->poll || action->cast == vote->cast);
    vote->sequence = action->sequence;
    vote->cast = action->cast;
    vote->ring = action->ring_id;
    vote->until_ms = action->until_ms;
    if (action->poll)
        vote->polled = action->sequence;
    assert(action->cast != AGENT_CAST_YES || may_cast_yes(model));
    check_end(model, action);
    assert(!model->shutting_down || !model->has_ring || action->cast == AGENT_CAST_NO);
    if (model->shutting_down && model->withdrawal == 0)
        model->withdrawal = action->sequence;
}

/* When the vote is withdrawn, or it is clear that the voter never will. */
static void check_stop(struct agent_model *model)
{
    assert(model->shutting_down);
    assert(!model->has_ring || (model->vote.cast == AGENT_CAST_NO && model->withdrawal != 0));
    assert(!model->has_ring || model->vote.done >= model->withdrawal ||
           model->now_ms >= model->shutdown_ms + AGENT_MODEL_STOP_MS);
    model->stopped = true;
}

static void check_action(struct agent_model *model, const struct agent_action *action)
{
    assert(!model->stopped); /* the stop is the last of all */
    switch (action->type) {
    case AGENT_ACT_RESOLVE:
        check_resolve(model, action);
        return;
    case AGENT_ACT_CONNECT:
        check_connect(model, action);
        return;
    case AGENT_ACT_START_TLS:
        assert(model->line.stage == PLAIN && model->line.said == WIRE_STARTTLS);
        model->line.stage = HANDSHAKE;
        return;
    case AGENT_ACT_SEND:
        check_send(model, action);
        return;
    case AGENT_ACT_CLOSE:
        check_close(model, action);
        return;
    case AGENT_ACT_CAST:
        check_cast(model, action);
        return;
    case AGENT_ACT_HEURISTICS:
        assert(action->sequence > model->run_sequence && action->run != AGENT_RUN_REGULAR);
        model->run_pending = true;
        model->run = action->run;
        model->run_sequence = action->sequence;
        return;
    case AGENT_ACT_NOTE:
        assert(strlen((const char *)bytes_of(model, action->data)) == action->data.size);
        assert(printable_is_plain(bytes_of(model, action->data), action->data.size));
        return;
    case AGENT_ACT_STOP:
        check_stop(model);
        return;
    }
}

static void hash_action(struct agent_model *model, const struct agent_action *action)
{
    hash_number(model, action->type);
    hash_number(model, action->conn);
    hash_number(model, action->sequence);
    hash_number(model, action->until_ms);
    if (action->data.size > 0)
        hash_bytes(model, bytes_of(model, action->data), action->data.size);
}

/* What is cast between two steps is what is cast now, until the voter ends it by itself. */
static void check_vote(struct agent_model *model)
{
    const struct agent_model_vote *vote = &model->vote;
    bool yes = vote->cast == AGENT_CAST_YES;

    /* Another arbiter is about to hear of us. */
    if (vote->cast == AGENT_CAST_NO && agent_model_is_open(model) && !model->line.ready && model->line.said != WIRE_INIT &&
        model->grant.ack && strcmp(model->grant.host, model->line.host) != 0)
        model->grant.ack = false;
    assert(!yes || may_cast_yes(model));
    assert(!yes || (vote->until_ms > model->now_ms && vote->until_ms <= grant_until_ms(model)));
    assert(!model->has_ring || wire_ring_id_equal(vote->ring, model->ring));
    /* The vote is not lost without need either. */
    assert(yes || !may_cast_yes(model) || model->hosts_changed);
    /* A new ring is not held up for ever. */
    assert(vote->cast != AGENT_CAST_NOTHING || !model->has_ring ||
           model->now_ms < model->ring_since_ms + model->patience_ms);
}

static void check_status(const struct agent_model *model)
{
    struct agent_status status;

    agent_get_status(model->agent, &status);
    assert((status.link == AGENT_READY) == model->line.ready);
    assert(status.cast == model->vote.cast);
    assert(status.host < model->config->host_count);
    assert(strlen(status.why) < sizeof(status.why) && printable_is_plain(status.why, strlen(status.why)));
    assert(!model->has_ring || wire_ring_id_equal(status.ring_id, model->ring));
    assert((strncmp(status.why, "Yes", 3) == 0) == (status.cast == AGENT_CAST_YES));
}

/* A device that has a ring always has something due: in a session an echo, at the end the end. */
static void check_deadline(const struct agent_model *model)
{
    const struct agent_model_line *line = &model->line;
    uint64_t deadline_ms = agent_deadline_ms(model->agent);

    if (!model->has_ring)
        return;
    assert(deadline_ms != AGENT_NEVER);
    if (model->shutting_down)
        assert(deadline_ms <= model->shutdown_ms + AGENT_MODEL_STOP_MS);
    else if (line->ready)
        assert(deadline_ms <= line->echo_sent_ms[line->echo_seq] + model->config->timing.echo_ms);
}

/* ---- one step ------------------------------------------------------------------------------------ */

static bool same_hosts(const struct agent_config *one, const struct agent_config *other)
{
    if (one == NULL || one->host_count != other->host_count || one->port != other->port ||
        one->ip_version != other->ip_version)
        return false;
    for (size_t i = 0; i < one->host_count; i++)
        if (strcmp(one->hosts[i], other->hosts[i]) != 0)
            return false;
    return true;
}

static bool is_about_connection(enum agent_event_type type)
{
    return type == AGENT_EV_RESOLVED || type == AGENT_EV_CONNECTED || type == AGENT_EV_SECURED ||
           type == AGENT_EV_MESSAGE || type == AGENT_EV_UNREADABLE || type == AGENT_EV_DISCONNECTED;
}

static void note_ring(struct agent_model *model, struct wire_ring_id ring)
{
    model->has_ring = true;
    model->ring = ring;
    model->ring_since_ms = model->now_ms;
    model->patience_ms = model->config->timing.patience_ms;
    /* An ACK was about a former ring; a NACK is to be cast for this one. */
    model->confirmation.due = model->confirmation.due && model->confirmation.nack;
    model->confirmation.cast_sequence = 0;
}

/* What an event means by itself, whatever the agent makes of it. */
static void note_event(struct agent_model *model, const struct agent_event *event)
{
    if (is_about_connection(event->type) && event->conn != model->line.conn)
        return;
    switch (event->type) {
    case AGENT_EV_CONFIG:
        if (!same_hosts(model->config, event->u.config))
            model->line.resolved = NULL;
        model->config = event->u.config;
        model->hosts_changed = true;
        return;
    case AGENT_EV_CORE_NODELIST:
        note_ring(model, event->u.nodelist.ring_id);
        return;
    case AGENT_EV_CORE_LOST:
        model->has_ring = false;
        model->grant.ack = false;
        model->confirmation.due = false;
        return;
    case AGENT_EV_RESOLVED:
        model->line.stage = NO_CONNECTION;
        if (event->u.resolved.address_count > 0) {
            model->line.address_count = event->u.resolved.address_count;
            model->line.resolved = model->line.host;
        }
        return;
    case AGENT_EV_CONNECTED:
        model->line.stage = PLAIN;
        return;
    case AGENT_EV_SECURED:
        model->line.stage = SECURE;
        return;
    case AGENT_EV_MESSAGE:
        note_message(model, event->u.message.message);
        return;
    case AGENT_EV_DISCONNECTED:
        end_session(model);
        return;
    case AGENT_EV_CAST_DONE:
        model->vote.done = event->u.cast_done.sequence;
        return;
    case AGENT_EV_HEURISTICS:
        if (event->u.heuristics.sequence == model->run_sequence)
            model->run_pending = false;
        return;
    case AGENT_EV_SHUTDOWN:
        model->shutting_down = true;
        model->shutdown_ms = model->now_ms;
        return;
    case AGENT_EV_CORE_QUORUM:
    case AGENT_EV_UNREADABLE:
    case AGENT_EV_TIME:
        return;
    }
}

/* After the step: a VOTE_INFO is confirmed when the voter has carried out what is cast now, at once then. */
static void check_due_confirmation(struct agent_model *model)
{
    struct agent_model_confirmation *confirmation = &model->confirmation;

    if (confirmation->due && confirmation->cast_sequence == 0)
        confirmation->cast_sequence = model->vote.sequence;
    if (!model->line.ready || (confirmation->nack && model->vote.cast != AGENT_CAST_NO))
        confirmation->due = false; /* the session is over, or a newer verdict counts */
    assert(!confirmation->due || model->vote.done < model->vote.polled);
}

static void check_actions(struct agent_model *model)
{
    assert(model->actions.count <= ACTIONS_MAX && model->actions.data.size <= BYTES_MAX);
    for (size_t i = 0; i < model->actions.count; i++) {
        hash_action(model, &model->actions.items[i]);
        check_action(model, &model->actions.items[i]);
    }
}

void agent_model_step(struct agent_model *model, struct agent_event *event)
{
    struct agent_status status;

    if (model->stopped)
        return;
    model->steps++;
    event->now_ms = model->now_ms;
    event->random = model->steps * UINT32_C(2654435761);
    note_event(model, event);
    agent_actions_reset(&model->actions);
    assert(agent_step(model->agent, event, &model->actions) == Q_OK);
    agent_get_status(model->agent, &status);
    if (status.link == AGENT_READY && !model->line.ready) {
        assert(event->type == AGENT_EV_MESSAGE);
        begin_session(model, event->u.message.message);
    }
    check_actions(model);
    if (model->grant.ack && model->now_ms >= grant_until_ms(model))
        model->grant.ack = false; /* and nothing but a new ACK brings it back */
    if (model->stopped)
        return;
    check_due_confirmation(model);
    check_vote(model);
    check_status(model);
    check_deadline(model);
}

void agent_model_serve_time(struct agent_model *model)
{
    struct agent_event event = {.type = AGENT_EV_TIME};
    unsigned times = 0;

    do {
        assert(times++ < TIMES_MAX);
        agent_model_step(model, &event);
    } while (!model->stopped && agent_deadline_ms(model->agent) <= model->now_ms);
    assert(!model->shutting_down || model->stopped || model->now_ms < model->shutdown_ms + AGENT_MODEL_STOP_MS);
}

bool agent_model_is_open(const struct agent_model *model)
{
    return model->line.stage == PLAIN || model->line.stage == SECURE;
}

void agent_model_init(struct agent_model *model, uint64_t now_ms)
{
    memset(model, 0, sizeof(*model));
    model->hash = UINT64_C(0xcbf29ce484222325);
    model->now_ms = now_ms;
    model->agent = agent_new();
    assert(model->agent != NULL);
    agent_actions_init(&model->actions);
}

void agent_model_fini(struct agent_model *model)
{
    agent_free(model->agent);
    agent_actions_fini(&model->actions);
}
