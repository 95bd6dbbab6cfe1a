/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/wire/framer.h"

#include <assert.h>

/* What one read may bring beyond what is there already, so that an announced length alone costs no memory. */
#define ROOM_MIN 1024
/* While skipping, nothing is kept. */
#define ROOM_SKIP 16384

void wire_framer_init(struct wire_framer *framer, size_t size_max)
{
    *framer = (struct wire_framer){.size_max = size_max, .skip_error = WIRE_ERROR_NONE};
    q_buf_init(&framer->buf);
}

void wire_framer_fini(struct wire_framer *framer)
{
    q_buf_fini(&framer->buf);
}

void wire_framer_set_size_max(struct wire_framer *framer, size_t size_max)
{
    framer->size_max = size_max;
}

size_t wire_framer_buffered(const struct wire_framer *framer)
{
    return framer->buf.size - framer->message_size;
}

static bool is_skipping(const struct wire_framer *framer)
{
    return framer->skip_error != WIRE_ERROR_NONE;
}

/* Size of the whole message whose header lies at `bytes`: up to 2^32 + 5. */
static uint64_t announced_size(const uint8_t *bytes)
{
    return WIRE_HEADER_SIZE +
           ((uint64_t)bytes[2] << 24 | (uint64_t)bytes[3] << 16 | (uint64_t)bytes[4] << 8 | bytes[5]);
}

size_t wire_framer_wanted(const struct wire_framer *framer)
{
    size_t buffered = wire_framer_buffered(framer);
    uint64_t end = framer->skip_remaining;

    if (!is_skipping(framer)) {
        end = buffered < WIRE_HEADER_SIZE ? WIRE_HEADER_SIZE
                                          : announced_size(q_buf_bytes(&framer->buf) + framer->message_size);
    }
    if (end <= buffered) {
        return 1; /* a whole message is waiting: the owner ought to have called wire_framer_next */
    }
    return end - buffered > SIZE_MAX ? SIZE_MAX : (size_t)(end - buffered);
}

uint8_t *wire_framer_room(struct wire_framer *framer, size_t size, size_t *room)
{
    size_t limit = is_skipping(framer) ? ROOM_SKIP : ROOM_MIN;

    assert(size > 0);
    if (limit < framer->buf.size) {
        limit = framer->buf.size;
    }
    *room = size < limit ? size : limit;
    return q_buf_reserve(&framer->buf, *room);
}

void wire_framer_fed(struct wire_framer *framer, size_t size)
{
    q_buf_commit(&framer->buf, size);
    if (framer->buf.size == 0) {
        q_buf_release(&framer->buf);
    }
}

static enum wire_frame skip(struct wire_framer *framer, struct wire_frame_message *out)
{
    size_t size = framer->buf.size;

    if (size > framer->skip_remaining) {
        size = (size_t)framer->skip_remaining;
    }
    q_buf_consume(&framer->buf, size);
    framer->skip_remaining -= size;
    if (framer->skip_remaining > 0) {
        q_buf_release(&framer->buf);
        return WIRE_FRAME_MORE;
    }
    *out = (struct wire_frame_message){.skip_error = framer->skip_error};
    framer->skip_error = WIRE_ERROR_NONE;
    return WIRE_FRAME_SKIPPED;
}

/* Why the message whose header lies at `bytes` is refused; the type is looked at first. */
static enum wire_error refusal(const struct wire_framer *framer, const uint8_t *bytes)
{
    if (!wire_type_is_known((uint32_t)bytes[0] << 8 | bytes[1])) {
        return WIRE_ERROR_UNSUPPORTED_MESSAGE;
    }
    return announced_size(bytes) > framer->size_max ? WIRE_ERROR_MESSAGE_TOO_LONG : WIRE_ERROR_NONE;
}

enum wire_frame wire_framer_next(struct wire_framer *framer, struct wire_frame_message *out)
{
    const uint8_t *bytes;
    uint64_t size;

    q_buf_consume(&framer->buf, framer->message_size);
    framer->message_size = 0;
    if (framer->buf.failed) {
        return WIRE_FRAME_NO_MEMORY;
    }
    if (is_skipping(framer)) {
        return skip(framer, out);
    }
    if (framer->buf.size == 0) {
        q_buf_release(&framer->buf);
        return WIRE_FRAME_MORE;
    }
    if (framer->buf.size < WIRE_HEADER_SIZE) {
        return WIRE_FRAME_MORE;
    }
    bytes = q_buf_bytes(&framer->buf);
    size = announced_size(bytes);
    framer->skip_error = refusal(framer, bytes);
    if (framer->skip_error != WIRE_ERROR_NONE) {
        framer->skip_remaining = size;
        return skip(framer, out);
    }
    if (framer->buf.size < size) {
        return WIRE_FRAME_MORE;
    }
    framer->message_size = (size_t)size;
    *out = (struct wire_frame_message){bytes, (size_t)size, WIRE_ERROR_NONE};
    return WIRE_FRAME_MESSAGE;
}
