/* SPDX-License-Identifier: BSD-3-Clause */
/* The synchronisation calls the services: what sync.h wants done is done, and what they answer goes back to it. */
#include <stdio.h>

#include "core/stack/stack_internal.h"

static void call_init(struct stack *stack, uint32_t service)
{
    const struct sync *sync = &stack->sync;

    switch ((enum service_id)service) {
    case SERVICE_QUORUM:
        votes_quorum_step(stack, &(struct quorum_event){
                                     .type = QUORUM_EV_INIT,
                                     .u.init = {sync->ring_id, &sync->members, &sync->transitional},
                                 });
        break;
    case SERVICE_VOTEQUORUM:
        votes_step(stack, &(struct votequorum_event){
                              .type = VOTEQUORUM_EV_SYNC_BEGIN,
                              .u.begin = {sync->ring_id, sync->members.ids, sync->members.count},
                          });
        break;
    case SERVICE_CMAP:
    case SERVICE_CFG:
    case SERVICE_CPG:
    case SERVICE_COUNT:
    case SERVICE_SYNC:
    case SERVICE_MAIN:
        stack_service_step(stack, (enum service_id)service,
                           &(struct service_event){
                               .type = SERVICE_EV_SYNC_INIT,
                               .u.init = {sync->ring_id, &sync->members, &sync->transitional},
                           });
        break;
    }
}

/* PROCESS, ACTIVATE and ABORT: the same event under three names. */
static void call(struct stack *stack, uint32_t service, enum service_event_type type, enum votequorum_event_type votes)
{
    switch ((enum service_id)service) {
    case SERVICE_QUORUM:
        if (type == SERVICE_EV_SYNC_PROCESS)
            outbox_sync_done(&stack->out->services, SERVICE_QUORUM);
        else if (type == SERVICE_EV_SYNC_ACTIVATE)
            votes_quorum_step(stack, &(struct quorum_event){.type = QUORUM_EV_ACTIVATE});
        break;
    case SERVICE_VOTEQUORUM:
        votes_step(stack, &(struct votequorum_event){.type = votes});
        break;
    case SERVICE_CMAP:
    case SERVICE_CFG:
    case SERVICE_CPG:
    case SERVICE_COUNT:
    case SERVICE_SYNC:
    case SERVICE_MAIN:
        stack_service_step(stack, (enum service_id)service, &(struct service_event){.type = type});
        break;
    }
}

static void on_complete(struct stack *stack)
{
    stack->synchronising = false;
    stack->synced_is_due = true;
    if (!stack->was_ready) {
        stack->was_ready = true;
        outbox_task(&stack->out->services, OUTBOX_READY, 0, NULL);
    }
}

static void step(struct stack *stack, const struct sync_event *event)
{
    struct sync_actions *actions = &stack->sync_actions;

    stack_failed(stack, sync_step(&stack->sync, event, actions));
    for (size_t i = 0; i < actions->count; i++) {
        const struct sync_action *action = &actions->items[i];

        switch (action->type) {
        case SYNC_ACT_SEND:
            ring_send_sync(stack, action->bytes, action->size);
            break;
        case SYNC_ACT_INIT:
            call_init(stack, action->service);
            break;
        case SYNC_ACT_PROCESS:
            call(stack, action->service, SERVICE_EV_SYNC_PROCESS, VOTEQUORUM_EV_SYNC_PROCESS);
            break;
        case SYNC_ACT_ACTIVATE:
            call(stack, action->service, SERVICE_EV_SYNC_ACTIVATE, VOTEQUORUM_EV_SYNC_ACTIVATE);
            break;
        case SYNC_ACT_ABORT:
            call(stack, action->service, SERVICE_EV_SYNC_ABORT, VOTEQUORUM_EV_SYNC_ABORT);
            break;
        case SYNC_ACT_COMPLETE:
            on_complete(stack);
            break;
        case SYNC_ACT_IGNORED:
            outbox_note(&stack->out->services, SERVICE_SYNC, OUTBOX_DEBUG,
                        "ignored a message of node %u: it is no member, or the message is damaged", action->node_id);
            break;
        }
    }
}

/* "1, 2, 7" */
static void note_members(struct stack *stack, const struct totem_action *change)
{
    char text[256];
    struct node_set members = {(uint32_t *)(uintptr_t)change->members, change->member_count};

    node_set_text(&members, text, sizeof(text));
    outbox_note(&stack->out->services, SERVICE_TOTEM, OUTBOX_NOTICE, "A new membership (%x.%llx) was formed. Members: %s",
                change->ring.rep, (unsigned long long)change->ring.seq, text);
}

void walk_begin(struct stack *stack, const struct totem_action *change)
{
    note_members(stack, change);
    step(stack, &(struct sync_event){
                    .type = SYNC_EV_BEGIN,
                    .u.begin = {change->ring, change->members, change->member_count, stack->transitional.ids,
                                stack->transitional.count},
                });
}

void walk_abort(struct stack *stack)
{
    step(stack, &(struct sync_event){.type = SYNC_EV_ABORT});
}

void walk_on_message(struct stack *stack, uint32_t sender, const uint8_t *bytes, size_t size)
{
    step(stack, &(struct sync_event){
                    .type = SYNC_EV_DELIVERED,
                    .u.delivered = {sender, TOTEM_ORDER_OURS, bytes, size},
                });
}

void walk_on_done(struct stack *stack, uint32_t service)
{
    if (stack->sync.state == SYNC_PROCESS && stack->sync.current == service)
        step(stack, &(struct sync_event){.type = SYNC_EV_DONE});
}
