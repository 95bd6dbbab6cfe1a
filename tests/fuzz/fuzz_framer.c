/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The framer gives the same messages however the stream arrives: in one piece, in pieces of arbitrary sizes, or
 * read by somebody who never takes more than is wanted. Its memory follows what arrived.
 *
 * Input: one byte for the size limit, one for the number n of pieces, n sizes of pieces (used in a circle), stream.
 */
#include <assert.h>
#include <string.h>

#include "common/wire/framer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    size_t size_max;
    const uint8_t *chunks;
    size_t chunk_count; /* 0: feed what is wanted */
    const uint8_t *stream;
    size_t stream_size;
};

static void take_all(struct wire_framer *framer, struct q_buf *events)
{
    struct wire_frame_message out;
    enum wire_frame frame;

    while ((frame = wire_framer_next(framer, &out)) != WIRE_FRAME_MORE) {
        assert(frame != WIRE_FRAME_NO_MEMORY);
        q_buf_append_u8(events, (uint8_t)frame);
        if (frame == WIRE_FRAME_SKIPPED) {
            assert(out.skip_error == WIRE_ERROR_UNSUPPORTED_MESSAGE ||
                   out.skip_error == WIRE_ERROR_MESSAGE_TOO_LONG);
            q_buf_append_u8(events, (uint8_t)out.skip_error);
        } else {
            assert(out.size >= WIRE_HEADER_SIZE && out.size <= framer->size_max);
            q_buf_append(events, out.bytes, out.size);
        }
    }
}

/* Says how much of the stream went in. */
static size_t feed(struct wire_framer *framer, const uint8_t *bytes, size_t size)
{
    size_t room;
    uint8_t *memory = wire_framer_room(framer, size, &room);

    assert(memory != NULL && room > 0 && room <= size);
    memcpy(memory, bytes, room);
    wire_framer_fed(framer, room);
    return room;
}

static void run(const struct input *input, struct q_buf *events)
{
    struct wire_framer framer;
    size_t fed = 0;

    wire_framer_init(&framer, input->size_max);
    for (size_t i = 0; fed < input->stream_size; i++) {
        size_t chunk = input->chunk_count == 0 ? wire_framer_wanted(&framer)
                                               : 1 + (size_t)input->chunks[i % input->chunk_count];

        if (chunk > input->stream_size - fed) {
            chunk = input->stream_size - fed;
        }
        fed += feed(&framer, input->stream + fed, chunk);
        if (input->chunk_count == 0) {
            /* What is wanted ends with the message: never anything behind it. */
            size_t before = events->size;
            take_all(&framer, events);
            assert(events->size == before || wire_framer_buffered(&framer) == 0);
        } else {
            take_all(&framer, events);
        }
        assert(framer.buf.capacity <= 4 * framer.buf.size + 4096);
    }
    wire_framer_fini(&framer);
}

static void run_whole(const struct input *input, struct q_buf *events)
{
    struct wire_framer framer;
    size_t fed = 0;

    wire_framer_init(&framer, input->size_max);
    while (fed < input->stream_size) {
        fed += feed(&framer, input->stream + fed, input->stream_size - fed);
    }
    take_all(&framer, events);
    wire_framer_fini(&framer);
}

static void check_same(const struct q_buf *a, const struct q_buf *b)
{
    assert(a->size == b->size);
    assert(a->size == 0 || memcmp(q_buf_bytes(a), q_buf_bytes(b), a->size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct q_buf whole;
    struct q_buf chunked;
    struct q_buf wanted;
    struct input input;
    size_t chunk_count;

    if (size < 3) {
        return 0;
    }
    chunk_count = 1 + data[1] % 8;
    if (size < 2 + chunk_count) {
        return 0;
    }
    input = (struct input){.size_max = 16 + (size_t)data[0] * 8,
                           .chunks = data + 2,
                           .chunk_count = chunk_count,
                           .stream = data + 2 + chunk_count,
                           .stream_size = size - 2 - chunk_count};
    q_buf_init(&whole);
    q_buf_init(&chunked);
    q_buf_init(&wanted);
    run_whole(&input, &whole);
    run(&input, &chunked);
    input.chunk_count = 0;
    run(&input, &wanted);
    check_same(&whole, &chunked);
    check_same(&whole, &wanted);
    q_buf_fini(&whole);
    q_buf_fini(&chunked);
    q_buf_fini(&wanted);
    return 0;
}
