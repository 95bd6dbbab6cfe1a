/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qdevice/logic/agent_machine.h"

void agent_actions_init(struct agent_actions *actions)
{
    actions->items = NULL;
    actions->count = 0;
    actions->capacity = 0;
    q_buf_init(&actions->data);
}

void agent_actions_fini(struct agent_actions *actions)
{
    free(actions->items);
    q_buf_fini(&actions->data);
    agent_actions_init(actions);
}

void agent_actions_reset(struct agent_actions *actions)
{
    actions->count = 0;
    q_buf_reset(&actions->data);
}

/* A new zeroed action; NULL without memory (remembered for the end of the step). */
static struct agent_action *add_action(struct agent *a, enum agent_action_type type)
{
    struct agent_actions *out = a->out;
    struct agent_action *action;

    if (out->count == out->capacity) {
        size_t capacity = out->capacity > 0 ? 2 * out->capacity : 32;
        struct agent_action *items = realloc(out->items, capacity * sizeof(*items));

        if (items == NULL) {
            a->out_of_memory = true;
            return NULL;
        }
        out->items = items;
        out->capacity = capacity;
    }
    action = &out->items[out->count++];
    memset(action, 0, sizeof(*action));
    action->type = type;
    action->conn = a->conn;
    return action;
}

void agent_act_send(struct agent *a, const struct wire_message *message)
{
    size_t offset = a->out->data.size;
    struct agent_action *action;

    wire_encode(&a->out->data, message);
    action = add_action(a, AGENT_ACT_SEND);
    if (action != NULL)
        action->data = (struct agent_span){offset, a->out->data.size - offset};
}

void agent_act_resolve(struct agent *a)
{
    struct agent_action *action = add_action(a, AGENT_ACT_RESOLVE);

    if (action != NULL)
        action->host = a->host;
}

void agent_act_connect(struct agent *a)
{
    struct agent_action *action = add_action(a, AGENT_ACT_CONNECT);

    if (action == NULL)
        return;
    action->host = a->host;
    action->address = a->address;
}

void agent_act_start_tls(struct agent *a)
{
    add_action(a, AGENT_ACT_START_TLS);
}

void agent_act_close(struct agent *a, bool goodbye)
{
    struct agent_action *action = add_action(a, AGENT_ACT_CLOSE);

    if (action != NULL)
        action->goodbye = goodbye;
}

void agent_act_cast(struct agent *a, bool poll)
{
    struct agent_action *action = add_action(a, AGENT_ACT_CAST);

    if (action == NULL)
        return;
    action->cast = a->cast;
    action->poll = poll;
    action->ring_id = a->cast_ring;
    action->until_ms = a->cast_until_ms;
    action->sequence = a->cast_sequence;
}

void agent_act_heuristics(struct agent *a, enum agent_run run, uint32_t timeout_ms)
{
    struct agent_action *action = add_action(a, AGENT_ACT_HEURISTICS);

    if (action == NULL)
        return;
    action->run = run;
    action->sequence = a->run_sequence;
    action->timeout_ms = timeout_ms;
}

void agent_act_stop(struct agent *a)
{
    add_action(a, AGENT_ACT_STOP);
}

void agent_act_note(struct agent *a, enum agent_note_level level, const char *format, ...)
{
    struct agent_action *action = add_action(a, AGENT_ACT_NOTE);
    char text[1024];
    va_list arguments;

    if (action == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    action->level = level;
    action->data = (struct agent_span){a->out->data.size, strlen(text)};
    q_buf_append(&a->out->data, text, strlen(text) + 1);
}
