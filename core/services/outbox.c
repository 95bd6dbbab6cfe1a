/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/outbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/ipc_wire.h"

#define NOTE_SIZE 512
#define HEAD_NOWHERE_SIZE 65536

void outbox_init(struct outbox *out)
{
    *out = (struct outbox){0};
    q_buf_init(&out->heads);
}

void outbox_fini(struct outbox *out)
{
    free(out->items);
    q_buf_fini(&out->heads);
    outbox_init(out);
}

void outbox_reset(struct outbox *out)
{
    out->count = 0;
    q_buf_reset(&out->heads);
}

struct outbox_item *outbox_add(struct outbox *out, enum outbox_type type)
{
    static struct outbox_item nowhere;
    struct outbox_item *item = &nowhere;

    if (out->count == out->capacity) {
        size_t capacity = out->capacity > 0 ? 2 * out->capacity : 64;
        struct outbox_item *items = realloc(out->items, capacity * sizeof(*items));

        if (items == NULL) {
            out->no_memory = true;
        } else {
            out->items = items;
            out->capacity = capacity;
        }
    }
    if (out->count < out->capacity)
        item = &out->items[out->count++];
    *item = (struct outbox_item){.type = type, .head_offset = out->heads.size};
    return item;
}

uint8_t *outbox_head(struct outbox *out, size_t size)
{
    static uint8_t nowhere[HEAD_NOWHERE_SIZE];
    uint8_t *head = q_buf_reserve(&out->heads, size);

    if (head == NULL || out->count == 0) {
        out->no_memory = true;
        return nowhere;
    }
    memset(head, 0, size);
    q_buf_commit(&out->heads, size);
    out->items[out->count - 1].head_size += size;
    return head;
}

void outbox_repeat(struct outbox *out, uint64_t conn)
{
    struct outbox_item item;

    if (out->count == 0)
        return;
    item = out->items[out->count - 1];
    item.conn = conn;
    *outbox_add(out, item.type) = item;
}

const uint8_t *outbox_head_of(const struct outbox *out, const struct outbox_item *item)
{
    return q_buf_bytes(&out->heads) + item->head_offset;
}

void outbox_answer(struct outbox *out, uint64_t conn, int32_t id, enum cs_error error)
{
    outbox_add(out, OUTBOX_ANSWER)->conn = conn;
    ipc_put_answer(outbox_head(out, IPC_ANSWER_SIZE), id, IPC_ANSWER_SIZE, error);
}

static void put_text(struct outbox *out, const char *text)
{
    size_t size = strlen(text);

    if (size > 0)
        memcpy(outbox_head(out, size), text, size);
}

void outbox_note(struct outbox *out, uint32_t service, enum outbox_level level, const char *format, ...)
{
    char text[NOTE_SIZE];
    struct outbox_item *item = outbox_add(out, OUTBOX_NOTE);
    va_list arguments;

    item->service = service;
    item->level = level;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    put_text(out, text);
}

void outbox_task(struct outbox *out, enum outbox_task task, uint64_t number, const char *text)
{
    struct outbox_item *item = outbox_add(out, OUTBOX_TASK);

    item->task = task;
    item->number = number;
    if (text != NULL)
        put_text(out, text);
}

void outbox_sync_done(struct outbox *out, uint32_t service)
{
    outbox_add(out, OUTBOX_SYNC_DONE)->service = service;
}
