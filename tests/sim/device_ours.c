/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device of ours, as the arbiter may rely on it: it states its lease in INIT, sends several echoes per
 * heartbeat interval, and casts ACK only while the newest answered echo was sent less than lease_ms ago. It
 * keeps its vote through a reconnect, but echoes on the new connection do not prolong it before a new verdict
 * has come. A vote is void for another ring. (What outlives the process, the guard, is in node.c.)
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/device.h"

#define ECHOES 64 /* answers awaited at most; older ones do not count any more */

enum phase { PHASE_IDLE, PHASE_CONNECT, PHASE_PREINIT, PHASE_TLS, PHASE_INIT, PHASE_CONNECTED };

struct ours {
    struct node *node;
    uint64_t instance;
    enum phase phase;
    uint32_t seq;
    bool has_ring;
    struct wire_ring_id ring;
    node_mask members;
    node_mask quorum_members;
    bool quorate;

    /* The verdict for `ring`, and how long an ACK lasts. */
    enum wire_vote verdict;
    bool verdict_here;      /* it came on the present connection */
    uint64_t lease_base_ms; /* when the newest answered echo was sent, as far as it counts for the verdict */
    bool casting_ack;
    uint64_t poll_ms; /* next repetition of the poll; SIM_NEVER: nothing is being cast */

    uint64_t answered_ms; /* on the present connection */
    uint64_t echo_ms;
    uint32_t echo_seq;
    uint64_t echo_sent_ms[ECHOES];
    uint64_t init_sent_ms;

    uint64_t retry_ms;
    uint64_t connect_timeout_ms;

    uint32_t awaited_run;
    bool membership_run;
    enum wire_heuristics latest;
    uint64_t regular_ms;
};

static const struct cluster_settings *settings_of(const struct ours *device)
{
    return &device->node->cluster->settings;
}

static struct wire_message *message_of(const struct ours *device)
{
    return &device->node->world->out;
}

static uint64_t lease_end_ms(const struct ours *device)
{
    return device->lease_base_ms + settings_of(device)->lease.lease_ms;
}

static uint64_t ours_vote_until_ms(const void *self)
{
    const struct ours *device = self;

    return device->casting_ack ? lease_end_ms(device) : SIM_NEVER;
}

/* ---- the vote ------------------------------------------------------------------------------------------ */

static void cast(struct ours *device, bool ack, uint64_t now_ms)
{
    device->casting_ack = ack;
    device->poll_ms = now_ms + settings_of(device)->timeout_ms / 4;
    device_poll(device->node, ack, device->ring);
}

static void cast_verdict(struct ours *device, uint64_t now_ms)
{
    bool ack = device->verdict == WIRE_VOTE_ACK && now_ms < lease_end_ms(device);

    if (device->verdict == WIRE_VOTE_ACK || device->verdict == WIRE_VOTE_NACK) {
        cast(device, ack, now_ms);
    }
}

/* ---- sending ------------------------------------------------------------------------------------------- */

static void send_list(struct ours *device, enum wire_node_list_type type)
{
    struct wire_message *message = message_of(device);
    node_mask nodes = type == WIRE_LIST_MEMBERSHIP ? device->members
                      : type == WIRE_LIST_QUORUM   ? device->quorum_members
                                                   : device->node->config;

    device_list_message(device->node, message, ++device->seq, type, nodes);
    if (type == WIRE_LIST_MEMBERSHIP) {
        message->present |= WIRE_HAS(WIRE_TLV_RING_ID);
        message->u.node_list.ring_id = device->ring;
        message->u.node_list.heuristics = device->latest;
    } else if (type == WIRE_LIST_QUORUM) {
        message->present |= WIRE_HAS(WIRE_TLV_QUORATE);
        message->u.node_list.quorate = device->quorate;
    }
    device_send(device->node, message);
}

static void send_echo(struct ours *device, uint64_t now_ms)
{
    device->echo_ms = now_ms + settings_of(device)->echo_ms;
    device->echo_seq++;
    device->echo_sent_ms[device->echo_seq % ECHOES] = now_ms;
    device_message(message_of(device), WIRE_ECHO_REQUEST, device->echo_seq);
    device_send(device->node, message_of(device));
}

/* ---- connecting ---------------------------------------------------------------------------------------- */

static void retry_later(struct ours *device, uint64_t now_ms)
{
    device_close(device->node, false);
    device->phase = PHASE_IDLE;
    device->verdict_here = false;
    device->echo_ms = device->connect_timeout_ms = SIM_NEVER;
    device->retry_ms = now_ms + 20 + device_random(device->node, 400);
    if (device->verdict == WIRE_VOTE_UNDEFINED && device->has_ring) {
        device->verdict = WIRE_VOTE_NACK; /* nobody will tell; do not hold up the synchronisation */
        cast(device, false, now_ms);
    }
}

static void try_connect(struct ours *device, uint64_t now_ms)
{
    device->retry_ms = SIM_NEVER;
    device->phase = PHASE_CONNECT;
    device->connect_timeout_ms = now_ms + settings_of(device)->heartbeat_ms / 2;
    device_connect(device->node);
}

static void on_connected(struct ours *device)
{
    struct wire_message *message = message_of(device);
    const char *name = device->node->cluster->name;

    device->phase = PHASE_PREINIT;
    device_message(message, WIRE_PREINIT, ++device->seq);
    message->present |= WIRE_HAS(WIRE_TLV_CLUSTER_NAME);
    message->u.preinit.cluster_name = (struct wire_bytes){(const uint8_t *)name, strlen(name)};
    device_send(device->node, message);
}

static void send_init(struct ours *device, uint64_t now_ms)
{
    struct wire_message *message = message_of(device);

    device->phase = PHASE_INIT;
    device->init_sent_ms = now_ms;
    device_init_message(device->node, message, ++device->seq, device->ring);
    message->present |= WIRE_HAS_LEASE | WIRE_HAS_INSTANCE;
    message->u.init.lease = settings_of(device)->lease;
    message->u.init.instance = device->instance;
    device_send(device->node, message);
}

static void on_preinit_reply(struct ours *device, uint64_t now_ms)
{
    if (settings_of(device)->tls) {
        device->phase = PHASE_TLS;
        device_message(message_of(device), WIRE_STARTTLS, ++device->seq);
        device_send(device->node, message_of(device));
        device_start_tls(device->node);
    } else {
        send_init(device, now_ms);
    }
}

static void on_init_reply(struct ours *device, const struct wire_message *message, uint64_t now_ms)
{
    struct wire_message *out = message_of(device);

    if (message->u.init_reply.error != WIRE_ERROR_NONE) {
        retry_later(device, now_ms);
        return;
    }
    if (!(message->present & WIRE_HAS_LEASE)) {
        world_fail(device->node->world, "LEASE", "INIT_REPLY does not honour the lease it was told");
        return;
    }
    device->phase = PHASE_CONNECTED;
    device->connect_timeout_ms = SIM_NEVER;
    device->answered_ms = device->init_sent_ms;
    device_message(out, WIRE_SET_OPTION, ++device->seq);
    out->present |= WIRE_HAS(WIRE_TLV_KEEP_ACTIVE_PARTITION);
    out->u.set_option = (struct wire_set_option){
        .keep_active_partition = (settings_of(device)->keep_active & node_bit(device->node)) != 0};
    device_send(device->node, out);
    send_list(device, WIRE_LIST_INITIAL_CONFIG);
    if (!device->membership_run) {
        send_list(device, WIRE_LIST_MEMBERSHIP);
    }
    send_list(device, WIRE_LIST_QUORUM);
    send_echo(device, now_ms);
}

/* ---- events -------------------------------------------------------------------------------------------- */

static void on_nodelist(struct ours *device, const struct device_event *event)
{
    bool first = !device->has_ring;

    device->has_ring = true;
    device->ring = event->ring;
    device->members = event->members;
    if (device->quorum_members == 0) {
        device->quorum_members = event->members;
    }
    device->verdict = WIRE_VOTE_UNDEFINED;
    device->casting_ack = false;
    device->poll_ms = SIM_NEVER;
    device->regular_ms = SIM_NEVER;
    device->membership_run = true;
    device->awaited_run = device_run_heuristics(device->node, settings_of(device)->sync_timeout_ms / 2);
    if (first || device->phase != PHASE_CONNECTED) {
        device->verdict = first ? WIRE_VOTE_UNDEFINED : WIRE_VOTE_NACK;
        cast(device, false,
             event->now_ms); /* what a predecessor cast ends here; nobody waits for us in vain */
    }
    if (first) {
        try_connect(device, event->now_ms);
    }
}

static void on_heuristics(struct ours *device, const struct device_event *event)
{
    enum wire_heuristics before = device->latest;
    struct wire_message *message = message_of(device);

    if (event->run != device->awaited_run) {
        return;
    }
    device->awaited_run = 0;
    device->latest = event->heuristics;
    if (settings_of(device)->heuristics_on) {
        device->regular_ms = event->now_ms + settings_of(device)->heuristics_interval_ms;
    }
    if (device->phase != PHASE_CONNECTED) {
        device->membership_run = false;
        return;
    }
    if (device->membership_run) {
        send_list(device, WIRE_LIST_MEMBERSHIP);
    } else if (event->heuristics != before && event->heuristics != WIRE_HEURISTICS_UNDEFINED) {
        device_message(message, WIRE_HEURISTICS_CHANGE, ++device->seq);
        message->present |= WIRE_HAS(WIRE_TLV_HEURISTICS);
        message->u.heuristics_change.heuristics = event->heuristics;
        device_send(device->node, message);
    }
    device->membership_run = false;
}

static void on_vote(struct ours *device, const struct wire_message *message, uint64_t now_ms)
{
    enum wire_vote vote = message->u.vote.vote;

    if (device->phase != PHASE_CONNECTED) {
        world_fail(device->node->world, "NO-KILL", "a vote before INIT_REPLY");
        return;
    }
    if (wire_ring_id_equal(message->u.vote.ring_id, device->ring) &&
        (vote == WIRE_VOTE_ACK || vote == WIRE_VOTE_NACK)) {
        device->verdict = vote;
        device->verdict_here = true;
        device->lease_base_ms = device->answered_ms;
        cast_verdict(device, now_ms);
    }
    if (message->type == WIRE_VOTE_INFO) {
        device_message(message_of(device), WIRE_VOTE_INFO_REPLY, message->seq);
        device_send(device->node, message_of(device));
    }
}

static void on_echo_reply(struct ours *device, uint32_t seq)
{
    if (device->echo_seq - seq >= ECHOES) {
        return;
    }
    if (device->echo_sent_ms[seq % ECHOES] > device->answered_ms) {
        device->answered_ms = device->echo_sent_ms[seq % ECHOES];
    }
    if (device->verdict_here) {
        device->lease_base_ms = device->answered_ms;
    }
}

static void on_message(struct ours *device, const struct wire_message *message, uint64_t now_ms)
{
    switch ((int)message->type) {
    case WIRE_PREINIT_REPLY:
        on_preinit_reply(device, now_ms);
        break;
    case WIRE_INIT_REPLY:
        on_init_reply(device, message, now_ms);
        break;
    case WIRE_ECHO_REPLY:
        on_echo_reply(device, message->seq);
        break;
    case WIRE_SET_OPTION_REPLY:
        break;
    case WIRE_NODE_LIST_REPLY:
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_VOTE_INFO:
    case WIRE_HEURISTICS_CHANGE_REPLY:
        on_vote(device, message, now_ms);
        break;
    default:
        world_fail(device->node->world, "NO-KILL", "a device of ours is sent %s",
                   wire_type_name(message->type));
        break;
    }
}

static void on_time(struct ours *device, uint64_t now_ms)
{
    if (device->casting_ack && now_ms >= lease_end_ms(device)) {
        NOTE(device->node->world, device->node, "lease over");
        device->verdict = WIRE_VOTE_NACK;
        cast(device, false, now_ms);
    }
    if (now_ms >= device->poll_ms) {
        cast(device, device->casting_ack, now_ms);
    }
    if (now_ms >= device->regular_ms) {
        device->regular_ms = now_ms + settings_of(device)->heuristics_interval_ms;
        if (device->awaited_run == 0) {
            device->awaited_run = device_run_heuristics(device->node, settings_of(device)->timeout_ms / 2);
        }
    }
    if (device->phase == PHASE_CONNECTED &&
        now_ms >= device->answered_ms + settings_of(device)->lease.lease_ms) {
        retry_later(device, now_ms);
    }
    if (now_ms >= device->connect_timeout_ms) {
        retry_later(device, now_ms);
    }
    if (now_ms >= device->retry_ms) {
        try_connect(device, now_ms);
    }
    if (now_ms >= device->echo_ms) {
        send_echo(device, now_ms);
    }
}

static void ours_step(void *self, const struct device_event *event)
{
    struct ours *device = self;

    switch (event->type) {
    case DEVICE_EV_START:
        break;
    case DEVICE_EV_TIME:
        on_time(device, event->now_ms);
        break;
    case DEVICE_EV_NODELIST:
        on_nodelist(device, event);
        break;
    case DEVICE_EV_QUORUM:
        device->quorate = event->quorate;
        device->quorum_members = event->members;
        if (device->phase == PHASE_CONNECTED) {
            send_list(device, WIRE_LIST_QUORUM);
        }
        break;
    case DEVICE_EV_CONFIG:
        if (device->phase == PHASE_CONNECTED) {
            send_list(device, WIRE_LIST_CHANGED_CONFIG);
        }
        break;
    case DEVICE_EV_HEURISTICS:
        on_heuristics(device, event);
        break;
    case DEVICE_EV_CONNECTED:
        on_connected(device);
        break;
    case DEVICE_EV_SECURED:
        send_init(device, event->now_ms);
        break;
    case DEVICE_EV_MESSAGE:
        on_message(device, event->message, event->now_ms);
        break;
    case DEVICE_EV_UNREADABLE:
        world_fail(device->node->world, "CODEC", "a good message arrives broken at a device");
        break;
    case DEVICE_EV_CLOSED:
        retry_later(device, event->now_ms);
        break;
    case DEVICE_EV_CORE_LOST:
    case DEVICE_EV_CAST_DONE:
        return;
    case DEVICE_EV_SHUTDOWN:
        device_poll(device->node, false, device->ring);
        device_close(device->node, true);
        device_unregister(device->node);
        break;
    }
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static uint64_t ours_deadline_ms(const void *self)
{
    const struct ours *device = self;
    uint64_t due_ms = earlier(device->regular_ms, device->poll_ms);

    if (device->casting_ack) {
        due_ms = earlier(due_ms, lease_end_ms(device));
    }
    if (device->phase == PHASE_CONNECTED) {
        due_ms = earlier(due_ms, device->answered_ms + settings_of(device)->lease.lease_ms);
    }
    due_ms = earlier(due_ms, device->connect_timeout_ms);
    due_ms = earlier(due_ms, device->retry_ms);
    return earlier(due_ms, device->echo_ms);
}

static uint32_t ours_hold_ms(const struct node *node)
{
    return node->cluster->settings.lease.hold_ms;
}

static void *ours_create(struct node *node)
{
    struct ours *device = calloc(1, sizeof *device);

    assert(device != NULL);
    device->node = node;
    device->instance = prng_next(&node->world->prng);
    device->regular_ms = device->poll_ms = device->echo_ms = SIM_NEVER;
    device->retry_ms = device->connect_timeout_ms = SIM_NEVER;
    return device;
}

static void ours_destroy(void *self)
{
    free(self);
}

const struct device_ops device_ours = {
    .name = "ours",
    .ours = true,
    .create = ours_create,
    .step = ours_step,
    .deadline_ms = ours_deadline_ms,
    .vote_until_ms = ours_vote_until_ms,
    .hold_ms = ours_hold_ms,
    .destroy = ours_destroy,
};
