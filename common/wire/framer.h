/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cuts a byte stream into messages (spec/qnet-protocol.md section 5.1). Pure; one per connection, embedded.
 * The owner asks how many bytes may be read next, reads that many at most into framer memory, and is told
 * when a whole message lies ready, or one had to be skipped. Memory follows the bytes that have arrived,
 * never the announced length, and is given back when the connection is idle.
 */
#ifndef QUORATE_COMMON_WIRE_FRAMER_H
#define QUORATE_COMMON_WIRE_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/wire/wire.h"

enum wire_frame {
    WIRE_FRAME_MORE,    /* feed more bytes */
    WIRE_FRAME_MESSAGE, /* bytes/size are one whole message; consumed by the next call */
    WIRE_FRAME_SKIPPED, /* a whole message was thrown away; skip_error says why */
    WIRE_FRAME_NO_MEMORY
};

struct wire_framer {
    struct q_buf buf;
    size_t size_max;           /* largest message accepted, header included */
    size_t message_size;       /* of the message handed out, dropped by the next wire_framer_next */
    uint64_t skip_remaining;   /* bytes of a refused message still to be thrown away */
    enum wire_error skip_error; /* WIRE_ERROR_NONE when not skipping */
};

struct wire_frame_message {
    const uint8_t *bytes;
    size_t size;
    enum wire_error skip_error; /* WIRE_FRAME_SKIPPED: unsupported message or message too long */
};

void wire_framer_init(struct wire_framer *framer, size_t size_max);
void wire_framer_fini(struct wire_framer *framer);
void wire_framer_set_size_max(struct wire_framer *framer, size_t size_max);

/*
 * How many bytes are missing to the end of the header, or of the message whose header is there. A reader that
 * never takes more than this never reads past the end of a message, as STARTTLS demands. At least 1. Ask after
 * wire_framer_next answered WIRE_FRAME_MORE.
 */
size_t wire_framer_wanted(const struct wire_framer *framer);

/*
 * Room to read into: at least 1 byte, at most `size` (which is not 0). NULL without memory. Then tell how much
 * came, 0 if nothing. A message handed out before is no longer valid.
 */
uint8_t *wire_framer_room(struct wire_framer *framer, size_t size, size_t *room);
void wire_framer_fed(struct wire_framer *framer, size_t size);

/* The next event in what was fed so far. Call until it answers WIRE_FRAME_MORE. */
enum wire_frame wire_framer_next(struct wire_framer *framer, struct wire_frame_message *out);

/* Bytes fed and not yet handed out. Not 0 right after a STARTTLS: the peer pipelined plain text. */
size_t wire_framer_buffered(const struct wire_framer *framer);

#endif
