/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <string.h>

#include "common/mutation.h"
#include "core/services/sync.h"

void sync_init(struct sync *sync, enum totem_order order, uint64_t services)
{
    memset(sync, 0, sizeof(*sync));
    sync->order = order;
    sync->services = services;
    node_set_init(&sync->members);
    node_set_init(&sync->transitional);
    node_set_init(&sync->heard);
}

void sync_fini(struct sync *sync)
{
    node_set_fini(&sync->members);
    node_set_fini(&sync->transitional);
    node_set_fini(&sync->heard);
}

static struct sync_action *add(struct sync_actions *out, enum sync_action_type type)
{
    struct sync_action *action = &out->items[out->count++];

    assert(out->count <= SYNC_ACTIONS_MAX);
    memset(action, 0, offsetof(struct sync_action, bytes));
    action->type = type;
    return action;
}

static bool is_ours(const struct sync *sync, uint32_t service)
{
    return (sync->services >> service & 1) != 0;
}

static void call(const struct sync *sync, struct sync_actions *out, enum sync_action_type what,
                 uint32_t service)
{
    if (is_ours(sync, service))
        add(out, what)->service = service;
}

static void send(const struct sync *sync, struct sync_actions *out, enum sync_message_type type)
{
    struct sync_message message = {.type = type, .ring_id = sync->ring_id, .services = sync->services};
    struct sync_action *action = add(out, SYNC_ACT_SEND);

    action->size = sync_message_encode(&message, sync->order, action->bytes);
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

static void enter_barrier(struct sync *sync, struct sync_actions *out)
{
    sync->state = SYNC_BARRIER_WAIT;
    send(sync, out, SYNC_BARRIER);
}

/* The first service of the union from `from` on has its turn; without one all is done. */
static void enter_process(struct sync *sync, struct sync_actions *out, uint32_t from)
{
    node_set_fini(&sync->heard);
    sync->current = from;
    while (sync->current < SYNC_SERVICES_MAX && (sync->all_services >> sync->current & 1) == 0)
        sync->current++;
    if (sync->current == SYNC_SERVICES_MAX) {
        sync->state = SYNC_IDLE;
        add(out, SYNC_ACT_COMPLETE);
        return;
    }
    sync->state = SYNC_PROCESS;
    call(sync, out, SYNC_ACT_PROCESS, sync->current);
    if (!is_ours(sync, sync->current))
        enter_barrier(sync, out);
}

static void abort_sync(struct sync *sync, struct sync_actions *out)
{
    if (sync->state == SYNC_PROCESS || sync->state == SYNC_BARRIER_WAIT)
        call(sync, out, SYNC_ACT_ABORT, sync->current);
    sync->state = SYNC_IDLE;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static enum q_err on_begin(struct sync *sync, const struct sync_event *event, struct sync_actions *out)
{
    enum q_err err;

    abort_sync(sync, out);
    sync->ring_id = event->u.begin.ring_id;
    node_set_fini(&sync->heard);
    err = node_set_assign(&sync->members, event->u.begin.members, event->u.begin.member_count);
    if (err == Q_OK)
        err = node_set_assign(&sync->transitional, event->u.begin.transitional,
                              event->u.begin.transitional_count);
    if (err != Q_OK)
        return err;
    node_set_intersect(&sync->transitional, &sync->members);
    sync->all_services = sync->services;
    sync->state = SYNC_BUILD;
    send(sync, out, SYNC_SERVICES);
    for (uint32_t service = 0; service < SYNC_SERVICES_MAX; service++)
        call(sync, out, SYNC_ACT_INIT, service);
    return Q_OK;
}

/* Someone has said what is waited for; true: everybody has. */
static bool hear(struct sync *sync, uint32_t sender, enum q_err *err)
{
    *err = node_set_add(&sync->heard, sender);
    return *err == Q_OK && node_set_is_subset(&sync->members, &sync->heard);
}

static enum q_err on_services(struct sync *sync, uint32_t sender, uint64_t services, struct sync_actions *out)
{
    enum q_err err = Q_OK;

    if (sync->state != SYNC_BUILD)
        return Q_OK;
    sync->all_services |= services;
    if (hear(sync, sender, &err))
        enter_process(sync, out, 0);
    return err;
}

/* Our own is among those waited for: nobody goes on who has not done with the service. */
static enum q_err on_barrier(struct sync *sync, uint32_t sender, struct sync_actions *out)
{
    enum q_err err = Q_OK;

    if (sync->state != SYNC_PROCESS && sync->state != SYNC_BARRIER_WAIT)
        return Q_OK;
    if ((hear(sync, sender, &err) || MUTATION(sync_barrier)) && sync->state == SYNC_BARRIER_WAIT) {
        call(sync, out, SYNC_ACT_ACTIVATE, sync->current);
        enter_process(sync, out, sync->current + 1);
    }
    return err;
}

static enum q_err on_delivered(struct sync *sync, const struct sync_event *event, struct sync_actions *out)
{
    uint32_t sender = event->u.delivered.sender;
    struct sync_message message;
    enum q_err err = sync_message_decode(event->u.delivered.bytes, event->u.delivered.size,
                                         event->u.delivered.order, &message);

    if (sync->state == SYNC_IDLE || (err == Q_OK && !totem_ring_equal(&message.ring_id, &sync->ring_id)))
        return Q_OK;
    if (err != Q_OK || !node_set_has(&sync->members, sender)) {
        add(out, SYNC_ACT_IGNORED)->node_id = sender;
        return Q_OK;
    }
    switch (message.type) {
    case SYNC_BARRIER:
        return on_barrier(sync, sender, out);
    case SYNC_SERVICES:
        return on_services(sync, sender, message.services, out);
    }
    return Q_OK;
}

enum q_err sync_step(struct sync *sync, const struct sync_event *event, struct sync_actions *out)
{
    out->count = 0;
    switch (event->type) {
    case SYNC_EV_BEGIN:
        return on_begin(sync, event, out);
    case SYNC_EV_DELIVERED:
        return on_delivered(sync, event, out);
    case SYNC_EV_DONE:
        assert(sync->state == SYNC_PROCESS);
        enter_barrier(sync, out);
        return Q_OK;
    case SYNC_EV_ABORT:
        abort_sync(sync, out);
        return Q_OK;
    }
    return Q_OK;
}
