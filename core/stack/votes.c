/* SPDX-License-Identifier: BSD-3-Clause */
/* votequorum and quorum: what their machines want done becomes items of the outbox, keys, and news from one to the other. */
#include <stdlib.h>

#include "core/config/config_start.h"
#include "core/services/quorum_ipc.h"
#include "core/stack/stack_internal.h"

/* ---- quorum ------------------------------------------------------------------------------------------------ */

void votes_quorum_step(struct stack *stack, const struct quorum_event *event)
{
    struct quorum_actions *actions = &stack->quorum_actions;
    struct outbox *out = &stack->out->services;

    stack_failed(stack, quorum_step(stack->quorum, event, actions));
    for (size_t i = 0; i < actions->count; i++) {
        const struct quorum_action *action = &actions->items[i];
        struct outbox_item *item =
            outbox_add(out, action->type == QUORUM_ACT_ANSWER ? OUTBOX_ANSWER : OUTBOX_EVENT);

        item->conn = action->conn;
        quorum_ipc_encode(action, &out->heads);
        item->head_size = out->heads.size - item->head_offset;
    }
}

void votes_on_quorum_request(struct stack *stack, uint64_t conn, const uint8_t *bytes, size_t size)
{
    struct quorum_event event = {.type = QUORUM_EV_REQUEST};

    if (quorum_ipc_decode(bytes, size, &event) != Q_OK) {
        outbox_answer(&stack->out->services, conn, 0, CS_ERROR_INVALID_PARAM);
        return;
    }
    event.u.request.conn = conn;
    votes_quorum_step(stack, &event);
}

/* ---- what votequorum wants done ------------------------------------------------------------------------------ */

static void report(struct stack *stack, const struct votequorum_actions *actions, const struct votequorum_action *action)
{
    uint32_t *members = malloc((action->nodes.size + 1) * sizeof(*members));

    if (members == NULL) {
        stack_failed(stack, Q_ERR_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < action->nodes.size; i++)
        members[i] = actions->nodes[action->nodes.offset + i].node_id;
    votes_quorum_step(stack, &(struct quorum_event){
                                 .type = QUORUM_EV_REPORT,
                                 .u.report = {action->quorate, action->ring_id, members, (uint32_t)action->nodes.size},
                             });
    free(members);
}

static void to_client(struct stack *stack, const struct votequorum_actions *actions, const struct votequorum_action *action)
{
    struct outbox *out = &stack->out->services;
    struct outbox_item *item =
        outbox_add(out, action->type == VOTEQUORUM_ACT_ANSWER ? OUTBOX_ANSWER : OUTBOX_EVENT);

    item->conn = action->conn;
    (void)votequorum_ipc_encode(actions, action, &out->heads);
    item->head_size = out->heads.size - item->head_offset;
}

static void multicast(struct stack *stack, const struct votequorum_actions *actions,
                      const struct votequorum_action *action)
{
    struct outbox *out = &stack->out->services;
    struct outbox_item *item = outbox_add(out, OUTBOX_MULTICAST);

    item->for_this_ring = action->for_this_ring;
    q_buf_append(&out->heads, votequorum_actions_bytes(actions, action->data), action->data.size);
    item->head_size = action->data.size;
}

static enum outbox_level level_of(enum votequorum_note_level level)
{
    switch (level) {
    case VOTEQUORUM_NOTE_DEBUG:
        return OUTBOX_DEBUG;
    case VOTEQUORUM_NOTE_NOTICE:
        return OUTBOX_NOTICE;
    case VOTEQUORUM_NOTE_WARNING:
        return OUTBOX_WARNING;
    case VOTEQUORUM_NOTE_CRITICAL:
        return OUTBOX_CRITICAL;
    }
    return OUTBOX_ERROR;
}

static void carry_out(struct stack *stack, const struct votequorum_actions *actions,
                      const struct votequorum_action *action)
{
    struct outbox *out = &stack->out->services;

    switch (action->type) {
    case VOTEQUORUM_ACT_REFUSE:
        outbox_task(out, OUTBOX_DIE, 0, votequorum_actions_text(actions, action->data));
        break;
    case VOTEQUORUM_ACT_SEND:
        multicast(stack, actions, action);
        break;
    case VOTEQUORUM_ACT_PASS:
        outbox_sync_done(out, SERVICE_VOTEQUORUM);
        break;
    case VOTEQUORUM_ACT_REPORT:
        report(stack, actions, action);
        break;
    case VOTEQUORUM_ACT_ANSWER:
    case VOTEQUORUM_ACT_QUORUM_EVENT:
    case VOTEQUORUM_ACT_NODELIST_EVENT:
    case VOTEQUORUM_ACT_EXPECTED_EVENT:
        to_client(stack, actions, action);
        break;
    case VOTEQUORUM_ACT_PUBLISH:
        keys_set_number(stack, votequorum_key_name(action->key), votequorum_key_is_u8(action->key) ? CMAP_U8 : CMAP_U32,
                        action->value);
        break;
    case VOTEQUORUM_ACT_STORE_EXPECTED:
        stack->stored_expected_votes = action->value;
        outbox_task(out, OUTBOX_STORE_EXPECTED, action->value, NULL);
        break;
    case VOTEQUORUM_ACT_NOTE:
        outbox_note(out, SERVICE_VOTEQUORUM, level_of(action->level), "%.*s", (int)action->data.size,
                    votequorum_actions_text(actions, action->data));
        break;
    }
}

void votes_step(struct stack *stack, struct votequorum_event *event)
{
    struct votequorum_actions *actions = &stack->votequorum_actions;

    if (stack->votequorum == NULL)
        return;
    event->now_ms = stack->now_ms;
    votequorum_actions_reset(actions);
    stack_failed(stack, votequorum_step(stack->votequorum, event, actions));
    for (size_t i = 0; i < actions->count; i++)
        carry_out(stack, actions, &actions->items[i]);
}

/* ---- its configuration ----------------------------------------------------------------------------------------- */

static void overlay_u32(const struct stack *stack, const char *name, uint32_t *value)
{
    uint64_t number;

    if (cmap_store_number(&stack->keys, name, CMAP_U32, &number))
        *value = (uint32_t)number;
}

/* What clients may change while the daemon runs counts as the keys have it. */
static void overlay_keys(const struct stack *stack, struct votequorum_config *config)
{
    const char *model = cmap_store_text(&stack->keys, "quorum.device.model");
    uint64_t number;

    config->expected_votes = 0;
    overlay_u32(stack, "quorum.expected_votes", &config->expected_votes);
    overlay_u32(stack, "quorum.votes", &config->votes);
    config->two_node = cmap_store_number(&stack->keys, "quorum.two_node", CMAP_U8, &number) && number != 0;
    config->has_device = model != NULL && model[0] != '\0';
    config->has_device_votes = cmap_store_number(&stack->keys, "quorum.device.votes", CMAP_U32, &number);
    overlay_u32(stack, "quorum.device.votes", &config->device_votes);
    overlay_u32(stack, "quorum.device.timeout", &config->device_timeout_ms);
    overlay_u32(stack, "quorum.device.sync_timeout", &config->device_sync_timeout_ms);
}

void votes_configure(struct stack *stack)
{
    struct votequorum_config_node nodes[CORE_NODES_MAX];
    struct votequorum_config config;

    config_votequorum(stack->config, &config, nodes);
    config.node_id = stack->me;
    config.stored_expected_votes = stack->stored_expected_votes;
    overlay_keys(stack, &config);
    votes_step(stack, &(struct votequorum_event){.type = VOTEQUORUM_EV_CONFIG, .u.config = &config});
}

void votes_on_request(struct stack *stack, uint64_t conn, const uint8_t *bytes, size_t size)
{
    struct votequorum_ipc_request request;

    if (votequorum_ipc_decode(bytes, size, &request) != Q_OK) {
        outbox_answer(&stack->out->services, conn, 0, CS_ERROR_INVALID_PARAM);
        return;
    }
    votes_step(stack, &(struct votequorum_event){
                          .type = VOTEQUORUM_EV_REQUEST,
                          .u.request = {conn, stack->mail.first == NULL && totem_has_room(stack->totem, size), &request.request},
                      });
}
