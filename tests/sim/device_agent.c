/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The real agent (qdevice/logic) behind the seam: this file is its shell. Its voter, a process of its own, is in voter.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "qdevice/logic/agent.h"
#include "tests/sim/core.h"
#include "tests/sim/device.h"
#include "tests/sim/voter.h"

#define PATIENCE_STEPS 50

struct agent_device {
    struct node *node;
    struct agent *agent;
    struct agent_actions actions;
    uint64_t instance;
    uint64_t conn;
    bool stopped;
    bool resolve_due;

    /* Heuristics: one run at a time. */
    uint32_t run; /* of the simulator; 0: none */
    bool regular;
    enum agent_run run_kind;
    uint64_t run_sequence;
    enum wire_heuristics latest;
    uint64_t regular_ms;

    bool acked; /* the newest verdict that reached the agent is ACK, for this ring: */
    struct wire_ring_id acked_ring;
};

static const struct cluster_settings *settings_of(const struct agent_device *device)
{
    return &device->node->cluster->settings;
}

static struct timing timing_of(const struct cluster_settings *settings)
{
    struct timing_input input = {.has_device_timeout = !settings->timeout_unset,
                                 .device_timeout_ms = settings->timeout_ms,
                                 .sync_timeout_ms = settings->sync_timeout_ms,
                                 .heartbeat_ms_min = 1000,
                                 .heartbeat_ms_max = 120000};
    struct timing timing;

    timing_derive(&input, &timing);
    return timing;
}

/* ---- the voter ----------------------------------------------------------------------------------------- */

/* The rule VOTE (README.md), from the messages alone. */
static void check_cast(const struct agent_device *device, const struct agent_action *action)
{
    if (action->cast == AGENT_CAST_YES &&
        !(device->acked && wire_ring_id_equal(device->acked_ring, action->ring_id))) {
        world_fail(device->node->world, "VOTE", "%s: node %u casts YES for a ring for which it has no ACK",
                   device->node->cluster->name, device->node->id);
    }
}

static void note_verdict(struct agent_device *device, const struct wire_message *message)
{
    enum wire_vote vote = message->u.vote.vote;

    if ((message->present & WIRE_HAS(WIRE_TLV_VOTE)) == 0 || (vote != WIRE_VOTE_ACK && vote != WIRE_VOTE_NACK)) {
        return;
    }
    device->acked = vote == WIRE_VOTE_ACK;
    device->acked_ring = message->u.vote.ring_id;
}

static void tell_voter(struct agent_device *device, const struct agent_action *action)
{
    struct voting_command command = {.sequence = action->sequence,
                                     .cast = action->cast,
                                     .poll = action->poll,
                                     .ring_id = action->ring_id,
                                     .until_ms = action->until_ms,
                                     .poll_ms = timing_of(settings_of(device)).poll_ms};

    check_cast(device, action);
    voter_tell(device->node, &command);
}

/* ---- actions and events -------------------------------------------------------------------------------- */

static void carry_out(struct agent_device *device, const struct agent_action *action)
{
    const uint8_t *data =
        action->data.size > 0 ? q_buf_bytes(&device->actions.data) + action->data.offset : NULL;
    struct node *node = device->node;

    switch (action->type) {
    case AGENT_ACT_RESOLVE:
        device->conn = action->conn;
        device->resolve_due = true;
        break;
    case AGENT_ACT_CONNECT:
        device->conn = action->conn;
        device_connect(node);
        break;
    case AGENT_ACT_START_TLS:
        device_start_tls(node);
        break;
    case AGENT_ACT_SEND:
        device_send_bytes(node, data, action->data.size);
        break;
    case AGENT_ACT_CLOSE:
        device_close(node, action->goodbye);
        break;
    case AGENT_ACT_CAST:
        tell_voter(device, action);
        break;
    case AGENT_ACT_HEURISTICS:
        device->regular = false;
        device->run_kind = action->run;
        device->run_sequence = action->sequence;
        device->run = device_run_heuristics(node, action->timeout_ms);
        break;
    case AGENT_ACT_NOTE:
        NOTE(node->world, node, "(%s)", data != NULL ? (const char *)data : "");
        break;
    case AGENT_ACT_STOP:
        device->stopped = true;
        break;
    }
}

static void step(struct agent_device *device, struct agent_event *event, uint64_t now_ms)
{
    event->now_ms = now_ms;
    event->random = device_random(device->node, UINT32_MAX);
    agent_actions_reset(&device->actions);
    if (agent_step(device->agent, event, &device->actions) != Q_OK) {
        world_fail(device->node->world, "CONTRACT", "agent_step failed");
        return;
    }
    for (size_t i = 0; i < device->actions.count; i++) {
        carry_out(device, &device->actions.items[i]);
    }
    if (device->resolve_due) {
        struct agent_event resolved = {.type = AGENT_EV_RESOLVED, .conn = device->conn};

        device->resolve_due = false;
        resolved.u.resolved.address_count = 1;
        resolved.u.resolved.text = "";
        step(device, &resolved, now_ms);
    }
}

static void cast_done(struct agent_device *device, uint64_t sequence, uint64_t now_ms)
{
    struct agent_event event = {.type = AGENT_EV_CAST_DONE};

    event.u.cast_done.sequence = sequence;
    step(device, &event, now_ms);
}

static uint32_t list_nodes(const struct node *node, node_mask mask, enum wire_node_state state,
                           struct wire_node_info infos[SIM_NODES_MAX])
{
    uint32_t count = 0;

    for (unsigned i = 0; i < node->cluster->node_count; i++) {
        if (mask & (1u << i)) {
            infos[count++] = (struct wire_node_info){node->cluster->nodes[i].id, 0, state};
        }
    }
    return count;
}

static void give_config(struct agent_device *device, uint64_t now_ms)
{
    const struct cluster_settings *settings = settings_of(device);
    struct agent_event event = {.type = AGENT_EV_CONFIG};
    struct wire_node_info nodes[SIM_NODES_MAX];
    struct agent_config config = {
        .cluster_name = device->node->cluster->name,
        .node_id = device->node->id,
        .instance = device->instance,
        .algorithm = settings->algorithm,
        .tie_breaker = settings->tie_breaker,
        .keep_active_partition = (settings->keep_active & node_bit(device->node)) != 0,
        .tls = settings->tls ? AGENT_TLS_REQUIRED : AGENT_TLS_OFF,
        .hosts = {"arbiter"},
        .host_count = 1,
        .nodes = nodes,
        .node_count = list_nodes(device->node, device->node->config, WIRE_NODE_STATE_NOT_SET, nodes),
        .heuristics_active = settings->heuristics_used,
        .timing = timing_of(settings),
    };

    event.u.config = &config;
    step(device, &event, now_ms);
}

static void on_nodelist(struct agent_device *device, const struct device_event *from)
{
    struct agent_event event = {.type = AGENT_EV_CORE_NODELIST};
    struct wire_node_info nodes[SIM_NODES_MAX];
    uint32_t ids[SIM_NODES_MAX];
    uint32_t count = list_nodes(device->node, from->members, WIRE_NODE_STATE_NOT_SET, nodes);

    for (uint32_t i = 0; i < count; i++) {
        ids[i] = nodes[i].node_id;
    }
    event.u.nodelist.ring_id = from->ring;
    event.u.nodelist.members = ids;
    event.u.nodelist.member_count = count;
    step(device, &event, from->now_ms);
}

static void on_quorum(struct agent_device *device, const struct device_event *from)
{
    struct agent_event event = {.type = AGENT_EV_CORE_QUORUM};
    struct wire_node_info nodes[SIM_NODES_MAX];

    event.u.quorum.quorate = from->quorate;
    event.u.quorum.nodes = nodes;
    event.u.quorum.node_count = list_nodes(device->node, from->members, WIRE_NODE_STATE_MEMBER, nodes);
    step(device, &event, from->now_ms);
}

static void on_heuristics(struct agent_device *device, const struct device_event *from)
{
    struct agent_event event = {.type = AGENT_EV_HEURISTICS};
    bool news = !device->regular || from->heuristics != device->latest;

    if (from->run != device->run) {
        return;
    }
    device->run = 0;
    device->latest = from->heuristics;
    if (settings_of(device)->heuristics_on) {
        device->regular_ms = from->now_ms + settings_of(device)->heuristics_interval_ms;
    }
    event.u.heuristics.run = device->regular ? AGENT_RUN_REGULAR : device->run_kind;
    event.u.heuristics.sequence = device->regular ? 0 : device->run_sequence;
    event.u.heuristics.result = from->heuristics;
    if (news) {
        step(device, &event, from->now_ms);
    }
}

static void on_time(struct agent_device *device, uint64_t now_ms)
{
    struct agent_event event = {.type = AGENT_EV_TIME};

    if (now_ms >= device->regular_ms) {
        device->regular_ms = now_ms + settings_of(device)->heuristics_interval_ms;
        if (device->run == 0) {
            device->regular = true;
            device->run = device_run_heuristics(device->node, settings_of(device)->timeout_ms / 2);
        }
    }
    if (now_ms >= agent_deadline_ms(device->agent)) {
        step(device, &event, now_ms);
    }
}

static void shut_down(struct agent_device *device, uint64_t now_ms)
{
    struct agent_event event = {.type = AGENT_EV_SHUTDOWN};

    step(device, &event, now_ms);
    if (!device->stopped && !voter_has_done(device->node)) {
        /* The ring has just changed: that comes first. */
        struct device_event ring = {.now_ms = now_ms, .ring = device->node->ring, .members = device->node->members};

        on_nodelist(device, &ring);
    }
    if (!device->stopped && voter_has_done(device->node)) {
        cast_done(device, UINT64_MAX, now_ms);
    }
    /* A real votequorum that does not take its last vote (it may not know the device yet): its patience ends, for it at once. */
    for (int i = 0; i < PATIENCE_STEPS && !device->stopped && device->node->cluster->core != &core_model; i++) {
        struct agent_event late = {.type = AGENT_EV_TIME};

        step(device, &late, agent_deadline_ms(device->agent));
    }
    if (!device->stopped) {
        world_fail(device->node->world, "CONTRACT", "the agent does not stop");
    }
    device_close(device->node, false);
    device_unregister(device->node);
}

static void agent_device_step(void *self, const struct device_event *from)
{
    struct agent_device *device = self;
    struct agent_event event = {.conn = device->conn};

    switch (from->type) {
    case DEVICE_EV_START:
    case DEVICE_EV_CONFIG:
        give_config(device, from->now_ms);
        return;
    case DEVICE_EV_TIME:
        on_time(device, from->now_ms);
        return;
    case DEVICE_EV_NODELIST:
        on_nodelist(device, from);
        return;
    case DEVICE_EV_QUORUM:
        on_quorum(device, from);
        return;
    case DEVICE_EV_HEURISTICS:
        on_heuristics(device, from);
        return;
    case DEVICE_EV_CORE_LOST:
        event.type = AGENT_EV_CORE_LOST;
        break;
    case DEVICE_EV_CAST_DONE:
        cast_done(device, from->sequence, from->now_ms);
        return;
    case DEVICE_EV_SHUTDOWN:
        shut_down(device, from->now_ms);
        return;
    case DEVICE_EV_CONNECTED:
        event.type = AGENT_EV_CONNECTED;
        break;
    case DEVICE_EV_SECURED:
        event.type = AGENT_EV_SECURED;
        break;
    case DEVICE_EV_MESSAGE:
        event.type = AGENT_EV_MESSAGE;
        event.u.message.message = from->message;
        note_verdict(device, from->message);
        break;
    case DEVICE_EV_UNREADABLE:
        event.type = AGENT_EV_UNREADABLE;
        break;
    case DEVICE_EV_CLOSED:
        event.type = AGENT_EV_DISCONNECTED;
        event.u.disconnected.text = "closed";
        break;
    }
    step(device, &event, from->now_ms);
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static uint64_t agent_device_deadline_ms(const void *self)
{
    const struct agent_device *device = self;

    return earlier(agent_deadline_ms(device->agent), device->regular_ms);
}

static uint32_t agent_device_hold_ms(const struct node *node)
{
    return timing_of(&node->cluster->settings).hold_ms;
}

static void *agent_device_create(struct node *node)
{
    struct agent_device *device = calloc(1, sizeof *device);

    assert(device != NULL);
    device->node = node;
    device->agent = agent_new();
    assert(device->agent != NULL);
    agent_actions_init(&device->actions);
    device->instance = prng_next(&node->world->prng);
    device->regular_ms = SIM_NEVER;
    return device;
}

static void agent_device_destroy(void *self)
{
    struct agent_device *device = self;

    agent_actions_fini(&device->actions);
    agent_free(device->agent);
    free(device);
}

const struct device_ops device_agent = {
    .name = "the agent",
    .ours = true,
    .voter = true,
    .create = agent_device_create,
    .step = agent_device_step,
    .deadline_ms = agent_device_deadline_ms,
    .hold_ms = agent_device_hold_ms,
    .destroy = agent_device_destroy,
};
