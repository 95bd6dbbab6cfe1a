/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64

void q_buf_init(struct q_buf *buf)
{
    *buf = (struct q_buf){0};
}

void q_buf_fini(struct q_buf *buf)
{
    free(buf->data);
    *buf = (struct q_buf){0};
}

const uint8_t *q_buf_bytes(const struct q_buf *buf)
{
    static const uint8_t nothing[1];

    return buf->data == NULL ? nothing : buf->data + buf->start;
}

/* The next power of two that holds `needed`; 0 if no object can be that large. */
static size_t capacity_for(size_t needed)
{
    size_t capacity = CAPACITY_MIN;

    while (capacity < needed) {
        if (capacity > SIZE_MAX / 4) {
            return 0;
        }
        capacity *= 2;
    }
    return capacity;
}

static bool grow(struct q_buf *buf, size_t size)
{
    size_t capacity = size > SIZE_MAX - buf->size ? 0 : capacity_for(buf->size + size);
    uint8_t *data = capacity == 0 ? NULL : malloc(capacity);

    if (data == NULL) {
        return false;
    }
    if (buf->size > 0) {
        memcpy(data, buf->data + buf->start, buf->size);
    }
    free(buf->data);
    buf->data = data;
    buf->start = 0;
    buf->capacity = capacity;
    return true;
}

uint8_t *q_buf_reserve(struct q_buf *buf, size_t size)
{
    if (buf->failed) {
        return NULL;
    }
    if (buf->data != NULL && buf->capacity - buf->start - buf->size >= size) {
        return buf->data + buf->start + buf->size;
    }
    /* Sliding down is only worth it when it moves no more bytes than were consumed since the last time. */
    if (buf->data != NULL && buf->start >= buf->size && buf->capacity - buf->size >= size) {
        memmove(buf->data, buf->data + buf->start, buf->size);
        buf->start = 0;
    } else if (!grow(buf, size)) {
        buf->failed = true;
        return NULL;
    }
    return buf->data + buf->start + buf->size;
}

void q_buf_commit(struct q_buf *buf, size_t size)
{
    assert(size <= buf->capacity - buf->start - buf->size);
    buf->size += size;
}

void q_buf_append(struct q_buf *buf, const void *bytes, size_t size)
{
    uint8_t *room;

    if (size == 0) {
        return;
    }
    room = q_buf_reserve(buf, size);
    if (room == NULL) {
        return;
    }
    memcpy(room, bytes, size);
    q_buf_commit(buf, size);
}

static void append_big_endian(struct q_buf *buf, uint64_t value, size_t size)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
    q_buf_append(buf, bytes, size);
}

void q_buf_append_u8(struct q_buf *buf, uint8_t value)
{
    q_buf_append(buf, &value, 1);
}

void q_buf_append_u16(struct q_buf *buf, uint16_t value)
{
    append_big_endian(buf, value, 2);
}

void q_buf_append_u32(struct q_buf *buf, uint32_t value)
{
    append_big_endian(buf, value, 4);
}

void q_buf_append_u64(struct q_buf *buf, uint64_t value)
{
    append_big_endian(buf, value, 8);
}

void q_buf_put_u16(struct q_buf *buf, size_t offset, uint16_t value)
{
    assert(buf->size >= 2 && offset <= buf->size - 2);
    buf->data[buf->start + offset] = (uint8_t)(value >> 8);
    buf->data[buf->start + offset + 1] = (uint8_t)value;
}

void q_buf_put_u32(struct q_buf *buf, size_t offset, uint32_t value)
{
    assert(buf->size >= 4 && offset <= buf->size - 4);
    q_buf_put_u16(buf, offset, (uint16_t)(value >> 16));
    q_buf_put_u16(buf, offset + 2, (uint16_t)value);
}

void q_buf_consume(struct q_buf *buf, size_t size)
{
    assert(size <= buf->size);
    buf->size -= size;
    buf->start = buf->size == 0 ? 0 : buf->start + size;
}

void q_buf_reset(struct q_buf *buf)
{
    buf->start = 0;
    buf->size = 0;
    buf->failed = false;
}

void q_buf_release(struct q_buf *buf)
{
    q_buf_fini(buf);
}
