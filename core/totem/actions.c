/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/totem/machine.h"

#define NOTE_SIZE 512

void totem_actions_init(struct totem_actions *actions)
{
    *actions = (struct totem_actions){0};
}

void totem_actions_fini(struct totem_actions *actions)
{
    free(actions->items);
    datagram_queue_fini(&actions->held);
    totem_actions_init(actions);
}

void totem_actions_reset(struct totem_actions *actions)
{
    actions->count = 0;
    datagram_queue_clear(&actions->held);
}

/* A new zeroed action; NULL without memory (remembered for the end of the step). */
static struct totem_action *add_action(struct totem *m, enum totem_action_type type)
{
    struct totem_actions *out = m->out;
    struct totem_action *action;

    if (out->count == out->capacity) {
        size_t capacity = out->capacity > 0 ? 2 * out->capacity : 64;
        struct totem_action *items = realloc(out->items, capacity * sizeof(items[0]));

        if (items == NULL) {
            m->out_of_memory = true;
            return NULL;
        }
        out->items = items;
        out->capacity = capacity;
    }
    action = &out->items[out->count++];
    *action = (struct totem_action){.type = type};
    return action;
}

/* Keeps what an action points to until the actions are reset. Takes the reference over; false without memory. */
static bool hold(struct totem *m, struct datagram *datagram)
{
    if (datagram == NULL || !datagram_queue_push(&m->out->held, datagram)) {
        m->out_of_memory = true;
        return false;
    }
    return true;
}

void act_send(struct totem *m, uint32_t target, struct datagram *datagram)
{
    struct totem_action *action;

    m->counters.sent[datagram->bytes[3]]++;
    if (!hold(m, datagram_ref(datagram)))
        return;
    action = add_action(m, TOTEM_ACT_SEND);
    if (action == NULL)
        return;
    action->node_id = target;
    action->bytes = datagram->bytes;
    action->size = datagram->size;
}

struct datagram *act_encode(struct totem *m, uint32_t node_id, uint32_t target)
{
    struct datagram *datagram;

    m->sending.header.order = TOTEM_ORDER_OURS;
    m->sending.header.encapsulated = TOTEM_NOT_MCAST;
    m->sending.header.node_id = node_id;
    m->sending.header.target_id = target;
    datagram = datagram_new(totem_encoded_size(&m->sending));
    if (datagram == NULL)
        m->out_of_memory = true;
    else
        totem_encode(datagram->bytes, &m->sending);
    return datagram;
}

void act_multicast(struct totem *m, uint32_t node_id, bool to_myself)
{
    struct datagram *datagram = act_encode(m, node_id, 0);

    if (datagram == NULL)
        return;
    act_send(m, 0, datagram);
    if (to_myself && !datagram_queue_push(&m->loopback, datagram_ref(datagram)))
        m->out_of_memory = true;
    datagram_unref(datagram);
}

void act_deliver(struct totem *m, uint32_t sender, struct datagram *holder, const uint8_t *bytes, size_t size)
{
    struct totem_action *action;

    if (!hold(m, datagram_ref(holder)))
        return;
    action = add_action(m, TOTEM_ACT_DELIVER);
    if (action == NULL)
        return;
    action->node_id = sender;
    action->bytes = bytes;
    action->size = size;
}

void act_change(struct totem *m, enum totem_change_kind kind, const struct totem_ring_id *ring,
                const struct totem_nodes *members, const struct totem_nodes *left, const struct totem_nodes *joined)
{
    const struct totem_nodes *lists[] = {members, left, joined};
    uint32_t starts[3] = {0};
    uint32_t count = 0;
    struct datagram *holder;
    struct totem_action *action;
    uint32_t *ids;

    for (size_t i = 0; i < 3; i++) {
        starts[i] = count;
        count += lists[i] != NULL ? lists[i]->count : 0;
    }
    holder = datagram_new(sizeof(uint32_t) * count);
    if (!hold(m, holder))
        return;
    /* Behind two 32-bit numbers in a block from malloc: aligned. */
    ids = (uint32_t *)(void *)holder->bytes;
    for (size_t i = 0; i < 3; i++) {
        if (lists[i] != NULL)
            memcpy(ids + starts[i], lists[i]->ids, lists[i]->count * sizeof(uint32_t));
    }
    action = add_action(m, TOTEM_ACT_CHANGE);
    if (action == NULL)
        return;
    action->kind = kind;
    action->ring = *ring;
    action->members = ids + starts[0];
    action->left = ids + starts[1];
    action->joined = ids + starts[2];
    action->member_count = members->count;
    action->left_count = left != NULL ? left->count : 0;
    action->joined_count = joined != NULL ? joined->count : 0;
}

void act_persist(struct totem *m, uint64_t ring_seq)
{
    struct totem_action *action = add_action(m, TOTEM_ACT_PERSIST);

    if (action != NULL)
        action->ring_seq = ring_seq;
}

void act_drain(struct totem *m)
{
    add_action(m, TOTEM_ACT_DRAIN);
}

void act_linger(struct totem *m, uint32_t us)
{
    struct totem_action *action = add_action(m, TOTEM_ACT_LINGER);

    if (action != NULL)
        action->us = us;
}

void act_note(struct totem *m, enum totem_note_level level, const char *format, ...)
{
    struct datagram *text = datagram_new(NOTE_SIZE);
    struct totem_action *action;
    va_list arguments;
    int size;

    if (!hold(m, text))
        return;
    va_start(arguments, format);
    size = vsnprintf((char *)text->bytes, NOTE_SIZE, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    action = add_action(m, TOTEM_ACT_NOTE);
    if (action == NULL)
        return;
    action->level = level;
    action->bytes = text->bytes;
    action->size = (size_t)size < NOTE_SIZE ? (size_t)size : NOTE_SIZE - 1;
}
