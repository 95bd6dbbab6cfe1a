/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A growable byte buffer. Pure. Owned by whoever embeds it; bytes are appended at the end and consumed
 * from the front. An allocation failure is sticky: the buffer stays as it was, `failed` is set, and later
 * appends do nothing, so that a writer checks once at the end.
 */
#ifndef QUORATE_COMMON_BUF_H
#define QUORATE_COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct q_buf {
    uint8_t *data;   /* start of the allocation; NULL while empty */
    size_t start;    /* offset of the first byte not yet consumed */
    size_t size;     /* bytes held, counted from start */
    size_t capacity; /* bytes allocated */
    bool failed;     /* an append could not be carried out */
};

void q_buf_init(struct q_buf *buf);
void q_buf_fini(struct q_buf *buf);

/* The bytes held: q_buf_bytes(b)[0 .. b->size-1]. Never NULL. Valid until the next append or reserve. */
const uint8_t *q_buf_bytes(const struct q_buf *buf);

/* Room for `size` more bytes at the end; NULL (and `failed`) without memory. Commit with q_buf_commit. */
uint8_t *q_buf_reserve(struct q_buf *buf, size_t size);
void q_buf_commit(struct q_buf *buf, size_t size);

void q_buf_append(struct q_buf *buf, const void *bytes, size_t size);
void q_buf_append_u8(struct q_buf *buf, uint8_t value);
void q_buf_append_u16(struct q_buf *buf, uint16_t value); /* big-endian, as the next two */
void q_buf_append_u32(struct q_buf *buf, uint32_t value);
void q_buf_append_u64(struct q_buf *buf, uint64_t value);

/* Overwrites two or four bytes already held, at `offset` from the first byte held. */
void q_buf_put_u16(struct q_buf *buf, size_t offset, uint16_t value);
void q_buf_put_u32(struct q_buf *buf, size_t offset, uint32_t value);

/* Drops `size` bytes (at most buf->size) from the front; the allocation is kept. */
void q_buf_consume(struct q_buf *buf, size_t size);

/* Empties the buffer; `failed` is cleared, the allocation kept. */
void q_buf_reset(struct q_buf *buf);

/* Empties the buffer and gives its memory back: for idle connections. */
void q_buf_release(struct q_buf *buf);

#endif
