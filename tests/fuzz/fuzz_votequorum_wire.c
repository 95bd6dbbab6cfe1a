/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the decoder of votequorum's messages accepts, the encoder writes, in either byte order, and that
 * decodes to the same; names are terminated.
 *
 * Input: one byte for the order, the message.
 */
#include <assert.h>
#include <string.h>

#include "core/services/votequorum_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char name[VOTEQUORUM_NAME_SIZE])
{
    size_t length = strnlen(name, VOTEQUORUM_NAME_SIZE);

    assert(length > 0 && length < VOTEQUORUM_NAME_SIZE);
}

static void check_names(const struct votequorum_message *message)
{
    if (message->type == VOTEQUORUM_DEVICE_REGISTRATION)
        check_name(message->u.registration.name);
    if (message->type == VOTEQUORUM_DEVICE_RENAME) {
        check_name(message->u.rename.old_name);
        check_name(message->u.rename.new_name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum totem_order order = size > 0 && (data[0] & 1) != 0 ? TOTEM_BIG_ENDIAN : TOTEM_LITTLE_ENDIAN;
    struct votequorum_message message;
    struct votequorum_message again;
    uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX];

    if (size == 0 || votequorum_message_decode(data + 1, size - 1, order, &message) != Q_OK)
        return 0;
    check_names(&message);
    for (int other = 0; other < 2; other++) {
        enum totem_order written = other == 0 ? order : 1 - order;
        size_t written_size = votequorum_message_encode(&message, written, bytes);

        assert(written_size <= sizeof(bytes) && written_size < size);
        assert(votequorum_message_decode(bytes, written_size, written, &again) == Q_OK);
        assert(memcmp(&message, &again, sizeof(message)) == 0);
    }
    return 0;
}
