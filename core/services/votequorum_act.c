/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/votequorum_machine.h"

static const struct {
    const char *name;
    bool is_u8;
} keys[VOTEQUORUM_KEY_COUNT] = {
    [VOTEQUORUM_KEY_THIS_NODE_ID] = {"runtime.votequorum.this_node_id", false},
    [VOTEQUORUM_KEY_TWO_NODE] = {"runtime.votequorum.two_node", true},
    [VOTEQUORUM_KEY_EV_BARRIER] = {"runtime.votequorum.ev_barrier", false},
    [VOTEQUORUM_KEY_LOWEST_NODE_ID] = {"runtime.votequorum.lowest_node_id", false},
    [VOTEQUORUM_KEY_HIGHEST_NODE_ID] = {"runtime.votequorum.highest_node_id", false},
    [VOTEQUORUM_KEY_WAIT_FOR_ALL_STATUS] = {"runtime.votequorum.wait_for_all_status", true},
    [VOTEQUORUM_KEY_ATB_TYPE] = {"runtime.votequorum.atb_type", false},
    [VOTEQUORUM_KEY_EV_TRACKING_BARRIER] = {"runtime.votequorum.ev_tracking_barrier", false},
    [VOTEQUORUM_KEY_DEVICE_CAN_OPERATE] = {"runtime.votequorum.qdevice_can_operate", true},
    [VOTEQUORUM_KEY_DEVICE_MASTER_WINS] = {"runtime.votequorum.qdevice_master_wins", true},
    [VOTEQUORUM_KEY_CANCEL_WAIT_FOR_ALL] = {"quorum.cancel_wait_for_all", true},
};

const char *votequorum_key_name(enum votequorum_key key)
{
    return keys[key].name;
}

bool votequorum_key_is_u8(enum votequorum_key key)
{
    return keys[key].is_u8;
}

void votequorum_actions_init(struct votequorum_actions *actions)
{
    memset(actions, 0, sizeof(*actions));
    q_buf_init(&actions->data);
}

void votequorum_actions_fini(struct votequorum_actions *actions)
{
    free(actions->items);
    free(actions->nodes);
    q_buf_fini(&actions->data);
    votequorum_actions_init(actions);
}

void votequorum_actions_reset(struct votequorum_actions *actions)
{
    actions->count = 0;
    actions->node_count = 0;
    q_buf_reset(&actions->data);
}

const uint8_t *votequorum_actions_bytes(const struct votequorum_actions *actions, struct votequorum_span span)
{
    return q_buf_bytes(&actions->data) + span.offset;
}

const char *votequorum_actions_text(const struct votequorum_actions *actions, struct votequorum_span span)
{
    return (const char *)votequorum_actions_bytes(actions, span);
}

/* Zeroed; without memory one that goes nowhere. */
static struct votequorum_action *add(struct votequorum *vq, enum votequorum_action_type type)
{
    static struct votequorum_action nowhere;
    struct votequorum_actions *out = vq->out;
    struct votequorum_action *action = &nowhere;

    if (out->count == out->capacity) {
        size_t capacity = out->capacity > 0 ? 2 * out->capacity : 16;
        struct votequorum_action *items = realloc(out->items, capacity * sizeof(*items));

        if (items != NULL) {
            out->items = items;
            out->capacity = capacity;
        } else {
            vq->out_of_memory = true;
        }
    }
    if (out->count < out->capacity)
        action = &out->items[out->count++];
    memset(action, 0, sizeof(*action));
    action->type = type;
    return action;
}

static struct votequorum_span put_bytes(struct votequorum *vq, const void *bytes, size_t size)
{
    struct votequorum_span span = {vq->out->data.size, size};

    q_buf_append(&vq->out->data, bytes, size);
    if (vq->out->data.failed)
        vq->out_of_memory = true;
    return span;
}

/* With the terminator behind what the span covers. */
static struct votequorum_span put_text(struct votequorum *vq, const char *text)
{
    struct votequorum_span span = put_bytes(vq, text, strlen(text) + 1);

    span.size--;
    return span;
}

static void put_node(struct votequorum *vq, struct votequorum_span *span, uint32_t node_id, uint32_t state)
{
    struct votequorum_actions *out = vq->out;

    if (out->node_count == out->node_capacity) {
        size_t capacity = out->node_capacity > 0 ? 2 * out->node_capacity : 32;
        struct votequorum_node_and_state *nodes = realloc(out->nodes, capacity * sizeof(*nodes));

        if (nodes == NULL) {
            vq->out_of_memory = true;
            return;
        }
        out->nodes = nodes;
        out->node_capacity = capacity;
    }
    out->nodes[out->node_count++] = (struct votequorum_node_and_state){node_id, state};
    span->size++;
}

static struct votequorum_span put_members(struct votequorum *vq)
{
    struct votequorum_span span = {vq->out->node_count, 0};

    for (uint32_t i = 0; i < vq->members.count; i++)
        put_node(vq, &span, vq->members.ids[i], VOTEQUORUM_MEMBER);
    return span;
}

/* All nodes ever seen, and the device if it is registered here. */
static struct votequorum_span put_states(struct votequorum *vq)
{
    struct votequorum_span span = {vq->out->node_count, 0};

    for (size_t i = 0; i < vq->node_count; i++)
        put_node(vq, &span, vq->nodes[i].node_id, vq->nodes[i].state);
    if (votequorum_device_has(vq, VOTEQUORUM_FLAG_DEVICE_REGISTERED))
        put_node(vq, &span, 0, 0);
    return span;
}

void votequorum_act_refuse(struct votequorum *vq, const char *text)
{
    add(vq, VOTEQUORUM_ACT_REFUSE)->data = put_text(vq, text);
}

void votequorum_act_send(struct votequorum *vq, const struct votequorum_message *message)
{
    uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX];
    struct votequorum_action *action = add(vq, VOTEQUORUM_ACT_SEND);

    action->data = put_bytes(vq, bytes, votequorum_message_encode(message, vq->order, bytes));
    action->for_this_ring = message->type == VOTEQUORUM_NODE_INFO;
}

void votequorum_act_pass(struct votequorum *vq)
{
    add(vq, VOTEQUORUM_ACT_PASS);
}

void votequorum_act_report(struct votequorum *vq)
{
    struct votequorum_action *action = add(vq, VOTEQUORUM_ACT_REPORT);

    action->quorate = votequorum_is_quorate(vq);
    action->ring_id = vq->ring_id;
    action->nodes = put_members(vq);
    for (size_t i = 0; i < vq->tracker_count; i++)
        votequorum_act_quorum_event(vq, &vq->trackers[i]);
}

void votequorum_act_answer(struct votequorum *vq, uint64_t conn, enum cs_error error)
{
    struct votequorum_action *action = add(vq, VOTEQUORUM_ACT_ANSWER);

    action->conn = conn;
    action->error = error;
}

void votequorum_act_answer_info(struct votequorum *vq, uint64_t conn, enum cs_error error)
{
    struct votequorum_action *action = add(vq, VOTEQUORUM_ACT_ANSWER);

    action->conn = conn;
    action->error = error;
    action->has_info = true;
}

static struct votequorum_action *add_event(struct votequorum *vq, enum votequorum_action_type type,
                                           const struct votequorum_tracker *tracker)
{
    struct votequorum_action *action = add(vq, type);

    action->conn = tracker->conn;
    action->context = tracker->context;
    action->ring_id = vq->ring_id;
    action->quorate = votequorum_is_quorate(vq);
    return action;
}

void votequorum_act_quorum_event(struct votequorum *vq, const struct votequorum_tracker *tracker)
{
    add_event(vq, VOTEQUORUM_ACT_QUORUM_EVENT, tracker)->nodes = put_states(vq);
}

void votequorum_act_nodelist_event(struct votequorum *vq, const struct votequorum_tracker *tracker)
{
    add_event(vq, VOTEQUORUM_ACT_NODELIST_EVENT, tracker)->nodes = put_members(vq);
}

void votequorum_act_expected_events(struct votequorum *vq)
{
    for (size_t i = 0; i < vq->tracker_count; i++)
        add_event(vq, VOTEQUORUM_ACT_EXPECTED_EVENT, &vq->trackers[i])->value =
            votequorum_own(vq)->expected_votes;
}

void votequorum_act_publish(struct votequorum *vq, enum votequorum_key key, uint32_t value)
{
    struct votequorum_action *action;

    if (keys[key].is_u8)
        value &= UINT8_MAX;
    if (vq->is_published[key] && vq->published[key] == value)
        return;
    vq->is_published[key] = true;
    vq->published[key] = value;
    action = add(vq, VOTEQUORUM_ACT_PUBLISH);
    action->key = key;
    action->value = value;
}

void votequorum_act_store(struct votequorum *vq, uint32_t value)
{
    add(vq, VOTEQUORUM_ACT_STORE_EXPECTED)->value = value;
}

void votequorum_act_note(struct votequorum *vq, enum votequorum_note_level level, const char *format, ...)
{
    char text[512];
    struct votequorum_action *action;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    action = add(vq, VOTEQUORUM_ACT_NOTE);
    action->level = level;
    action->data = put_text(vq, text);
}

void votequorum_send_own_info(struct votequorum *vq)
{
    const struct votequorum_node *own = votequorum_own(vq);
    struct votequorum_message message = {.type = VOTEQUORUM_NODE_INFO,
                                         .u.node_info = {.node_id = own->node_id,
                                                         .votes = own->votes,
                                                         .expected_votes = own->expected_votes,
                                                         .flags = own->flags}};

    votequorum_act_send(vq, &message);
}

void votequorum_send_device_info(struct votequorum *vq)
{
    struct votequorum_message message = {.type = VOTEQUORUM_NODE_INFO,
                                         .u.node_info = {.votes = vq->device_votes}};

    votequorum_act_send(vq, &message);
}

void votequorum_send_announcement(struct votequorum *vq, enum votequorum_announcement what, uint32_t node_id,
                                  uint32_t value)
{
    struct votequorum_message message = {
        .type = VOTEQUORUM_ANNOUNCEMENT,
        .u.announcement = {.what = what, .node_id = node_id, .value = value}};

    votequorum_act_send(vq, &message);
}

void votequorum_send_registration(struct votequorum *vq, bool registers, const char *name)
{
    struct votequorum_message message = {.type = VOTEQUORUM_DEVICE_REGISTRATION,
                                         .u.registration = {.registers = registers}};

    memcpy(message.u.registration.name, name, strlen(name));
    votequorum_act_send(vq, &message);
}
