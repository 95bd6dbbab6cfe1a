/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packaged corosync-qdevice 3.0.3, model net, as spec/qdevice-daemon.md describes it: its timers, its
 * votes in every state, its blocking reconnect pause, and what it takes as fatal.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/device.h"

#define PENDING_MAX 64

enum phase {
    PHASE_BOOT,    /* waiting for the first heuristics result */
    PHASE_PAUSE,   /* asleep before the next attempt: nothing is dispatched */
    PHASE_CONNECT, /* waiting for TCP; or no address left, waiting for the connect timeout */
    PHASE_PREINIT,
    PHASE_TLS,
    PHASE_INIT,
    PHASE_AFTER_INIT, /* heuristics run after INIT_REPLY */
    PHASE_CONNECTED
};

struct packaged {
    struct node *node;
    enum phase phase;
    uint32_t seq;

    enum wire_vote vote;
    bool casting; /* the cast-vote timer runs */
    bool cast_paused;
    uint64_t cast_ms;

    struct wire_ring_id poll_ring;
    struct wire_ring_id sent_ring;
    node_mask members;
    node_mask quorum_members;
    bool quorate;

    uint32_t awaited_run; /* 0: none */
    bool membership_run;
    bool connect_run;
    bool regular_run;
    enum wire_heuristics latest;
    uint64_t regular_ms;

    uint64_t connect_timeout_ms;
    uint64_t pause_end_ms;
    uint64_t echo_ms;
    uint32_t echo_sent;
    uint32_t echo_received;

    struct device_event pending[PENDING_MAX]; /* what came while it slept */
    size_t pending_count;
};

static const struct cluster_settings *settings_of(const struct packaged *device)
{
    return &device->node->cluster->settings;
}

/* ---- the vote ------------------------------------------------------------------------------------------ */

static void poll_now(struct packaged *device)
{
    device_poll(device->node, device->vote == WIRE_VOTE_ACK, device->poll_ring);
}

static void set_vote(struct packaged *device, enum wire_vote vote, uint64_t now_ms)
{
    switch (vote) {
    case WIRE_VOTE_ACK:
    case WIRE_VOTE_NACK:
        device->vote = vote;
        if (!device->casting) {
            device->casting = true;
            device->cast_ms = now_ms + settings_of(device)->timeout_ms / 2;
        }
        if (!device->cast_paused) {
            poll_now(device);
        }
        break;
    case WIRE_VOTE_ASK_LATER:
    case WIRE_VOTE_WAIT_FOR_REPLY:
        device->vote = vote;
        device->casting = false;
        break;
    case WIRE_VOTE_NO_CHANGE:
        break;
    case WIRE_VOTE_UNDEFINED:
        device_fatal(device->node, "vote 0");
        break;
    }
}

static void nack_if_ack(struct packaged *device, uint64_t now_ms)
{
    if (device->vote == WIRE_VOTE_ACK) {
        set_vote(device, WIRE_VOTE_NACK, now_ms);
    }
}

/* ---- sending ------------------------------------------------------------------------------------------- */

static struct wire_message *message_of(const struct packaged *device)
{
    return &device->node->world->out;
}

static void send_list(struct packaged *device, enum wire_node_list_type type)
{
    struct node *node = device->node;
    struct wire_message *message = message_of(device);
    node_mask nodes = type == WIRE_LIST_MEMBERSHIP ? device->members
                      : type == WIRE_LIST_QUORUM   ? device->quorum_members
                                                   : node->config;

    device_list_message(node, message, ++device->seq, type, nodes);
    if (type == WIRE_LIST_MEMBERSHIP) {
        message->present |= WIRE_HAS(WIRE_TLV_RING_ID);
        message->u.node_list.ring_id = device->poll_ring;
        message->u.node_list.heuristics = device->latest;
        device->sent_ring = device->poll_ring;
    } else if (type == WIRE_LIST_QUORUM) {
        message->present |= WIRE_HAS(WIRE_TLV_QUORATE);
        message->u.node_list.quorate = device->quorate;
        for (uint32_t i = 0; i < message->u.node_list.node_count; i++) {
            message->u.node_list.nodes[i].state = WIRE_NODE_STATE_MEMBER;
        }
    }
    device_send(node, message);
}

static void start_run(struct packaged *device)
{
    device->awaited_run = device_run_heuristics(device->node, settings_of(device)->sync_timeout_ms / 2);
}

/* ---- connecting ---------------------------------------------------------------------------------------- */

static void try_connect(struct packaged *device, uint64_t now_ms)
{
    device->phase = PHASE_CONNECT;
    device->connect_timeout_ms = now_ms + settings_of(device)->heartbeat_ms;
    device_connect(device->node);
}

static void disconnect(struct packaged *device, uint64_t now_ms)
{
    bool was_up = device->phase > PHASE_CONNECT;
    uint32_t pause_ms = settings_of(device)->timeout_ms * 45 / 100;

    device->connect_timeout_ms = device->echo_ms = SIM_NEVER;
    device->connect_run = false;
    device->cast_paused = false;
    if (settings_of(device)->algorithm == WIRE_ALGORITHM_2NODELMS) {
        device_keeps_vote(device->node);
    } else {
        set_vote(device, WIRE_VOTE_NACK, now_ms);
    }
    device_close(device->node, true);
    if (!was_up) {
        try_connect(device, now_ms);
        return;
    }
    device->phase = PHASE_PAUSE;
    device->pause_end_ms = now_ms + device_random(device->node, pause_ms);
}

static void on_connected(struct packaged *device)
{
    struct wire_message *message = message_of(device);
    const char *name = device->node->cluster->name;

    device->phase = PHASE_PREINIT;
    device_message(message, WIRE_PREINIT, device->seq);
    message->present |= WIRE_HAS(WIRE_TLV_CLUSTER_NAME);
    message->u.preinit.cluster_name = (struct wire_bytes){(const uint8_t *)name, strlen(name)};
    device_send(device->node, message);
}

static void send_init(struct packaged *device)
{
    device->phase = PHASE_INIT;
    device_init_message(device->node, message_of(device), ++device->seq, device->poll_ring);
    device->sent_ring = device->poll_ring;
    device_send(device->node, message_of(device));
}

static void on_preinit_reply(struct packaged *device)
{
    if (settings_of(device)->tls) {
        device->phase = PHASE_TLS;
        device_message(message_of(device), WIRE_STARTTLS, ++device->seq);
        device_send(device->node, message_of(device));
        device_start_tls(device->node);
    } else {
        send_init(device);
    }
}

static void on_init_reply(struct packaged *device, const struct wire_message *message, uint64_t now_ms)
{
    switch ((int)message->u.init_reply.error) {
    case WIRE_ERROR_NONE:
        break;
    case WIRE_ERROR_DUPLICATE_NODE_ID:
    case WIRE_ERROR_TIE_BREAKER_DIFFERS:
    case WIRE_ERROR_ALGORITHM_DIFFERS:
        disconnect(device, now_ms);
        return;
    default:
        device_fatal(device->node, wire_error_text((uint32_t)message->u.init_reply.error));
        return;
    }
    device->phase = PHASE_AFTER_INIT;
    device->connect_timeout_ms = SIM_NEVER;
    device->echo_sent = device->echo_received = 0;
    device->echo_ms = now_ms + settings_of(device)->heartbeat_ms;
    device->connect_run = true;
    start_run(device);
}

static void report_everything(struct packaged *device, uint64_t now_ms)
{
    struct wire_message *message = message_of(device);

    device_message(message, WIRE_SET_OPTION, ++device->seq);
    message->present |= WIRE_HAS(WIRE_TLV_KEEP_ACTIVE_PARTITION);
    message->u.set_option = (struct wire_set_option){
        .keep_active_partition = (settings_of(device)->keep_active & node_bit(device->node)) != 0};
    device_send(device->node, message);
    send_list(device, WIRE_LIST_INITIAL_CONFIG);
    send_list(device, WIRE_LIST_MEMBERSHIP);
    send_list(device, WIRE_LIST_QUORUM);
    set_vote(device, WIRE_VOTE_WAIT_FOR_REPLY, now_ms);
    device->phase = PHASE_CONNECTED;
}

/* ---- events -------------------------------------------------------------------------------------------- */

static void on_heuristics(struct packaged *device, const struct device_event *event)
{
    enum wire_heuristics before = device->latest;
    bool membership = device->membership_run;
    bool regular = device->regular_run;

    if (event->run != device->awaited_run) {
        return;
    }
    device->awaited_run = 0;
    device->latest = event->heuristics;
    device->membership_run = device->regular_run = false;
    if (membership) {
        if (device->phase == PHASE_CONNECTED) {
            send_list(device, WIRE_LIST_MEMBERSHIP);
            device->cast_paused = false;
            set_vote(device, WIRE_VOTE_WAIT_FOR_REPLY, event->now_ms);
        } else {
            device->cast_paused = false;
            nack_if_ack(device, event->now_ms);
        }
    }
    if (regular && device->phase == PHASE_CONNECTED && event->heuristics != before &&
        event->heuristics != WIRE_HEURISTICS_UNDEFINED) {
        struct wire_message *message = message_of(device);

        device_message(message, WIRE_HEURISTICS_CHANGE, ++device->seq);
        message->present |= WIRE_HAS(WIRE_TLV_HEURISTICS);
        message->u.heuristics_change.heuristics = event->heuristics;
        device_send(device->node, message);
    }
    if ((membership || regular) && settings_of(device)->heuristics_on) {
        device->regular_ms = event->now_ms + settings_of(device)->heuristics_interval_ms;
    }
    if (device->connect_run && device->phase == PHASE_AFTER_INIT) {
        device->connect_run = false;
        report_everything(device, event->now_ms);
    }
    if (device->phase == PHASE_BOOT) {
        try_connect(device, event->now_ms);
    }
}

static void on_nodelist(struct packaged *device, const struct device_event *event)
{
    device->poll_ring = event->ring;
    if (device->phase != PHASE_CONNECTED) {
        nack_if_ack(device, event->now_ms);
    }
    device->cast_paused = true;
    device->membership_run = true;
    device->regular_ms = SIM_NEVER;
    device->members = event->members;
    if (device->quorum_members == 0) {
        device->quorum_members = event->members;
    }
    start_run(device);
}

static void on_quorum(struct packaged *device, const struct device_event *event)
{
    device->quorate = event->quorate;
    device->quorum_members = event->members;
    if (device->phase == PHASE_CONNECTED) {
        send_list(device, WIRE_LIST_QUORUM);
    } else {
        nack_if_ack(device, event->now_ms);
    }
}

static void on_vote(struct packaged *device, const struct wire_message *message, uint64_t now_ms)
{
    if (device->phase != PHASE_CONNECTED) {
        device_fatal(device->node, "a vote before it has sent its lists");
        return;
    }
    if (wire_ring_id_equal(message->u.vote.ring_id, device->sent_ring)) {
        if (message->u.vote.vote == WIRE_VOTE_ACK) {
            device_fresh_verdict(device->node);
        }
        set_vote(device, message->u.vote.vote, now_ms);
    }
    if (message->type == WIRE_VOTE_INFO) {
        device_message(message_of(device), WIRE_VOTE_INFO_REPLY, message->seq);
        device_send(device->node, message_of(device));
    }
}

static void on_message(struct packaged *device, const struct wire_message *message, uint64_t now_ms)
{
    bool complete = wire_has_required(message);

    if (!complete) {
        device_fatal(device->node, wire_type_name(message->type));
        return;
    }
    switch ((int)message->type) {
    case WIRE_PREINIT_REPLY:
        if (device->phase != PHASE_PREINIT || message->seq != device->seq) {
            device_fatal(device->node, "an unexpected PREINIT_REPLY");
            return;
        }
        on_preinit_reply(device);
        break;
    case WIRE_INIT_REPLY:
        if (device->phase != PHASE_INIT || message->seq != device->seq) {
            device_fatal(device->node, "an unexpected INIT_REPLY");
            return;
        }
        on_init_reply(device, message, now_ms);
        break;
    case WIRE_ECHO_REPLY:
        if (message->seq != device->echo_sent) {
            device_fatal(device->node, "an echo nobody asked for");
            return;
        }
        device->echo_received = message->seq;
        break;
    case WIRE_SET_OPTION_REPLY:
        if (device->phase != PHASE_CONNECTED) {
            device_fatal(device->node, "an unexpected SET_OPTION_REPLY");
        }
        break;
    case WIRE_NODE_LIST_REPLY:
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_VOTE_INFO:
    case WIRE_HEURISTICS_CHANGE_REPLY:
        on_vote(device, message, now_ms);
        break;
    default:
        device_fatal(device->node, wire_type_name(message->type));
        break;
    }
}

static void on_echo_tick(struct packaged *device, uint64_t now_ms)
{
    if (device->echo_received != device->echo_sent) {
        disconnect(device, now_ms);
        return;
    }
    device->echo_ms += settings_of(device)->heartbeat_ms;
    if (device->echo_ms <= now_ms) {
        device->echo_ms = now_ms + settings_of(device)->heartbeat_ms;
    }
    device_message(message_of(device), WIRE_ECHO_REQUEST, ++device->echo_sent);
    device_send(device->node, message_of(device));
}

static void dispatch(struct packaged *device, const struct device_event *event);

static void on_time(struct packaged *device, uint64_t now_ms)
{
    if (device->phase == PHASE_PAUSE) {
        size_t count = device->pending_count;

        if (now_ms < device->pause_end_ms) {
            return;
        }
        try_connect(device, now_ms);
        device->pending_count = 0;
        for (size_t i = 0; i < count; i++) {
            device->pending[i].now_ms = now_ms;
            dispatch(device, &device->pending[i]);
        }
        return;
    }
    if (device->casting && now_ms >= device->cast_ms) {
        device->cast_ms = now_ms + settings_of(device)->timeout_ms / 2;
        if (!device->cast_paused) {
            poll_now(device);
        }
    }
    if (now_ms >= device->regular_ms) {
        device->regular_ms = now_ms + settings_of(device)->heuristics_interval_ms;
        if (device->awaited_run == 0) {
            device->regular_run = true;
            start_run(device);
        }
    }
    if (now_ms >= device->connect_timeout_ms) {
        disconnect(device, now_ms);
        return;
    }
    if (now_ms >= device->echo_ms) {
        on_echo_tick(device, now_ms);
    }
}

static void on_closed(struct packaged *device, uint64_t now_ms)
{
    if (device->phase > PHASE_CONNECT) {
        disconnect(device, now_ms);
    } /* refused: nothing until the connect timeout */
}

static void shut_down(struct packaged *device, uint64_t now_ms)
{
    if (settings_of(device)->algorithm != WIRE_ALGORITHM_2NODELMS) {
        device->cast_paused = false;
        set_vote(device, WIRE_VOTE_NACK, now_ms);
    }
    device_close(device->node, true);
    device_unregister(device->node);
}

static void dispatch(struct packaged *device, const struct device_event *event)
{
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
        on_quorum(device, event);
        break;
    case DEVICE_EV_CONFIG:
        if (device->phase == PHASE_CONNECTED) {
            send_list(device, WIRE_LIST_CHANGED_CONFIG);
        } else {
            nack_if_ack(device, event->now_ms);
        }
        break;
    case DEVICE_EV_HEURISTICS:
        on_heuristics(device, event);
        break;
    case DEVICE_EV_CONNECTED:
        on_connected(device);
        break;
    case DEVICE_EV_SECURED:
        send_init(device);
        break;
    case DEVICE_EV_MESSAGE:
        on_message(device, event->message, event->now_ms);
        break;
    case DEVICE_EV_UNREADABLE:
        device_fatal(device->node, "unreadable bytes");
        break;
    case DEVICE_EV_CLOSED:
        on_closed(device, event->now_ms);
        break;
    case DEVICE_EV_CORE_LOST:
    case DEVICE_EV_CAST_DONE:
        return;
    case DEVICE_EV_SHUTDOWN:
        shut_down(device, event->now_ms);
        break;
    }
}

static void packaged_step(void *self, const struct device_event *event)
{
    struct packaged *device = self;

    if (device->phase == PHASE_PAUSE && event->type != DEVICE_EV_TIME && event->type != DEVICE_EV_SHUTDOWN) {
        if (device->pending_count < PENDING_MAX) {
            device->pending[device->pending_count++] = *event;
        }
        return;
    }
    dispatch(device, event);
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static uint64_t packaged_deadline_ms(const void *self)
{
    const struct packaged *device = self;
    uint64_t due_ms = device->regular_ms;

    if (device->phase == PHASE_PAUSE) {
        return device->pause_end_ms;
    }
    if (device->casting) {
        due_ms = earlier(due_ms, device->cast_ms);
    }
    due_ms = earlier(due_ms, device->connect_timeout_ms);
    return earlier(due_ms, device->echo_ms);
}

static void *packaged_create(struct node *node)
{
    struct packaged *device = calloc(1, sizeof *device);

    assert(device != NULL);
    device->node = node;
    device->seq = 1;
    device->vote = WIRE_VOTE_ASK_LATER;
    device->regular_ms = device->connect_timeout_ms = device->echo_ms = SIM_NEVER;
    return device;
}

static void packaged_destroy(void *self)
{
    free(self);
}

const struct device_ops device_packaged = {
    .name = "packaged",
    .ours = false,
    .create = packaged_create,
    .step = packaged_step,
    .deadline_ms = packaged_deadline_ms,
    .destroy = packaged_destroy,
};
