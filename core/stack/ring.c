/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the ring and the services: messages to their groups and functions, changes of the membership, and back. */
#include <string.h>

#include "core/services/ipc_wire.h"
#include "core/stack/stack_internal.h"
#include "core/totem/frame.h"

#define GROUP_SERVICES "a"
#define GROUP_SYNC "sync"
#define PREFIX_SIZE_MAX 16

void ring_step(struct stack *stack, struct totem_event *event)
{
    event->now_ms = stack->now_ms;
    event->random = stack->random;
    stack_failed(stack, totem_step(stack->totem, event, &stack->out->ring));
}

void ring_start(struct stack *stack, uint64_t ring_seq)
{
    ring_step(stack, &(struct totem_event){.type = TOTEM_EV_START, .u.ring_seq = ring_seq});
}

void ring_synced(struct stack *stack)
{
    stack->synced_is_due = false;
    ring_step(stack, &(struct totem_event){.type = TOTEM_EV_SYNCED});
}

/* ---- to the ring ------------------------------------------------------------------------------------------ */

/* Q_ERR_AGAIN: no room. */
static enum q_err send(struct stack *stack, const char *group, struct totem_part head, struct totem_part body)
{
    uint8_t prefix[PREFIX_SIZE_MAX];
    struct totem_part parts[] = {{prefix, totem_group_prefix_size(group)}, head, body};
    struct totem_event event = {.type = TOTEM_EV_MESSAGE,
                                .now_ms = stack->now_ms,
                                .random = stack->random,
                                .u.message = {parts, body.size > 0 ? 3 : 2}};

    totem_group_prefix_encode(prefix, group);
    return totem_step(stack->totem, &event, &stack->out->ring);
}

void ring_send_sync(struct stack *stack, const uint8_t *bytes, size_t size)
{
    stack_failed(stack, send(stack, GROUP_SYNC, (struct totem_part){bytes, size}, (struct totem_part){NULL, 0}));
}

static void count_sent(struct stack *stack, uint32_t id)
{
    if (id >> 16 < SERVICE_COUNT && (id & 0xffff) < STACK_FUNCTIONS_MAX)
        stack->counters[id >> 16][id & 0xffff].sent++;
    stack->counters_changed = true;
}

void ring_multicast(struct stack *stack, const struct outbox_item *item)
{
    struct totem_part head = {outbox_head_of(&stack->out->services, item), item->head_size};
    struct totem_part body = {item->body, item->body_size};
    enum q_err err = Q_ERR_AGAIN;

    count_sent(stack, ipc_get_u32(head.bytes, 0));
    if (stack->mail.first == NULL)
        err = send(stack, GROUP_SERVICES, head, body);
    if (err == Q_ERR_AGAIN)
        err = mail_add(&stack->mail, head.bytes, head.size, body.bytes, body.size, item->for_this_ring) ? Q_OK
                                                                                                      : Q_ERR_NO_MEMORY;
    stack_failed(stack, err);
}

void ring_send_mail(struct stack *stack)
{
    while (stack->mail.first != NULL) {
        const struct mail_item *item = stack->mail.first;
        enum q_err err = send(stack, GROUP_SERVICES, (struct totem_part){item->bytes, item->size},
                              (struct totem_part){NULL, 0});

        if (err == Q_ERR_AGAIN)
            break;
        stack_failed(stack, err);
        mail_remove_first(&stack->mail);
    }
}

/* ---- from the ring ---------------------------------------------------------------------------------------- */

static void give_to_service(struct stack *stack, uint32_t sender, const uint8_t *bytes, size_t size)
{
    uint32_t id = size >= SERVICE_MESSAGE_HEADER_SIZE ? ipc_get_u32(bytes, 0) : UINT32_MAX;
    uint32_t service = id >> 16;

    if (service >= SERVICE_COUNT) {
        outbox_note(&stack->out->services, SERVICE_MAIN, OUTBOX_DEBUG,
                    "ignored a message of node %u of %zu bytes for service %u, which is not here", sender, size, service);
        return;
    }
    if ((id & 0xffff) < STACK_FUNCTIONS_MAX)
        stack->counters[service][id & 0xffff].received++;
    stack->counters_changed = true;
    if (service == SERVICE_VOTEQUORUM) {
        votes_step(stack, &(struct votequorum_event){
                              .type = VOTEQUORUM_EV_DELIVERED,
                              .u.delivered = {sender, TOTEM_ORDER_OURS, bytes, size},
                          });
        return;
    }
    stack_service_step(stack, (enum service_id)service,
                       &(struct service_event){
                           .type = SERVICE_EV_DELIVERED,
                           .u.delivered = {sender, TOTEM_ORDER_OURS, bytes, size},
                       });
}

static void on_deliver(struct stack *stack, const struct totem_action *action)
{
    struct totem_groups groups;

    if (!totem_groups_decode(action->bytes, action->size, TOTEM_ORDER_OURS, &groups)) {
        outbox_note(&stack->out->services, SERVICE_TOTEM, OUTBOX_WARNING,
                    "a message of node %u ends before its content begins; dropped", action->node_id);
        return;
    }
    if (totem_groups_has(&groups, GROUP_SYNC))
        walk_on_message(stack, action->node_id, groups.body, groups.body_size);
    if (totem_groups_has(&groups, GROUP_SERVICES))
        give_to_service(stack, action->node_id, groups.body, groups.body_size);
}

static void on_change(struct stack *stack, const struct totem_action *change)
{
    stack->synchronising = true;
    stack->synced_is_due = false;
    switch (change->kind) {
    case TOTEM_TRANSITIONAL:
        walk_abort(stack);
        stack_failed(stack, node_set_assign(&stack->transitional, change->members, change->member_count));
        break;
    case TOTEM_REGULAR:
        mail_on_change(&stack->mail);
        walk_begin(stack, change);
        break;
    }
}

void ring_carry_out(struct stack *stack, const struct totem_action *action)
{
    switch (action->type) {
    case TOTEM_ACT_DELIVER:
        on_deliver(stack, action);
        break;
    case TOTEM_ACT_CHANGE:
        on_change(stack, action);
        break;
    case TOTEM_ACT_SEND:
    case TOTEM_ACT_PERSIST:
    case TOTEM_ACT_LINGER:
    case TOTEM_ACT_DRAIN:
    case TOTEM_ACT_NOTE:
        break; /* the shell's */
    }
}
