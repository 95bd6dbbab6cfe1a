/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decoder on arbitrary messages. What it accepts, the encoder writes, and that decodes to the same message
 * (seen as bytes and as text). The length in the header is put right first, so that inputs reach the TLVs.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/tables.h"
#include "tests/unit/wire_text.h"
#include "common/wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct wire_message message;
static struct wire_message again;

static void check_text(const struct wire_message *shown)
{
    char text[200];
    size_t length = wire_text(text, sizeof(text), shown);

    assert(strlen(text) == (length < sizeof(text) ? length : sizeof(text) - 1));
    for (const char *c = text; *c != '\0'; c++) {
        assert(*c >= 0x20 && *c < 0x7f);
    }
}

static void check_accepted(size_t size)
{
    struct q_buf first;
    struct q_buf second;

    q_buf_init(&first);
    q_buf_init(&second);
    assert((message.present & ~wire_type_mask(message.type)) == 0);
    wire_has_required(&message);
    check_text(&message);
    wire_encode(&first, &message);
    assert(!first.failed && first.size <= size);
    /* A body that held only unknown TLVs is empty now, which no receiver accepts. */
    if (first.size > WIRE_HEADER_SIZE) {
        assert(wire_decode(q_buf_bytes(&first), first.size, &again));
        assert(again.type == message.type && again.present == message.present && again.seq == message.seq);
        wire_encode(&second, &again);
        assert(second.size == first.size);
        assert(memcmp(q_buf_bytes(&second), q_buf_bytes(&first), first.size) == 0);
    }
    q_buf_fini(&first);
    q_buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes;

    wire_decode(data, size, &message);
    if (size < WIRE_HEADER_SIZE) {
        return 0;
    }
    bytes = malloc(size);
    assert(bytes != NULL);
    memcpy(bytes, data, size);
    for (unsigned i = 0; i < 4; i++) {
        bytes[2 + i] = (uint8_t)((size - WIRE_HEADER_SIZE) >> (8 * (3 - i)));
    }
    if (wire_decode(bytes, size, &message)) {
        check_accepted(size);
    } else {
        assert((message.present & ~WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER)) == 0);
    }
    free(bytes);
    return 0;
}
