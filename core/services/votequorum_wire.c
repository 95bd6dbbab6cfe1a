/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <string.h>

#include "core/services/votequorum_wire.h"

#define HEADER_SIZE 16
#define HEADER_ID 0
#define HEADER_LENGTH 8

/* Offsets and sizes of spec/votequorum.md 5.4; each layout ends at a multiple of eight. */
#define NODE_INFO_ID 16
#define NODE_INFO_VOTES 20
#define NODE_INFO_EXPECTED 24
#define NODE_INFO_FLAGS 28
#define NODE_INFO_SIZE 32

#define ANNOUNCEMENT_ID 16
#define ANNOUNCEMENT_VALUE 20
#define ANNOUNCEMENT_KIND 24
#define ANNOUNCEMENT_SIZE 32

#define REGISTRATION_OPERATION 16
#define REGISTRATION_NAME 20
#define REGISTRATION_SIZE 280
#define OPERATION_UNREGISTER 0
#define OPERATION_REGISTER 1

#define RENAME_OLD 16
#define RENAME_NEW 271
#define RENAME_SIZE 528

static const size_t size_of[] = {
    [VOTEQUORUM_NODE_INFO] = NODE_INFO_SIZE,
    [VOTEQUORUM_ANNOUNCEMENT] = ANNOUNCEMENT_SIZE,
    [VOTEQUORUM_DEVICE_REGISTRATION] = REGISTRATION_SIZE,
    [VOTEQUORUM_DEVICE_RENAME] = RENAME_SIZE,
};

#define TYPE_COUNT (sizeof(size_of) / sizeof(size_of[0]))

static void put_name(uint8_t *bytes, const char *name)
{
    size_t length = strnlen(name, VOTEQUORUM_NAME_SIZE);

    assert(length > 0 && length < VOTEQUORUM_NAME_SIZE);
    memcpy(bytes, name, length);
}

/* The rest of the field is cleared, so that equal messages are equal byte for byte. */
static bool get_name(const uint8_t *bytes, char name[VOTEQUORUM_NAME_SIZE])
{
    size_t length = strnlen((const char *)bytes, VOTEQUORUM_NAME_SIZE);

    if (length == 0 || length == VOTEQUORUM_NAME_SIZE)
        return false;
    memset(name, 0, VOTEQUORUM_NAME_SIZE);
    memcpy(name, bytes, length);
    return true;
}

size_t votequorum_message_encode(const struct votequorum_message *message, enum totem_order order,
                                 uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX])
{
    size_t size = size_of[message->type];

    memset(bytes, 0, size);
    totem_put_u32(bytes + HEADER_ID, (uint32_t)VOTEQUORUM_SERVICE_ID << 16 | (uint32_t)message->type, order);
    totem_put_u32(bytes + HEADER_LENGTH, (uint32_t)size, order);
    switch (message->type) {
    case VOTEQUORUM_NODE_INFO:
        totem_put_u32(bytes + NODE_INFO_ID, message->u.node_info.node_id, order);
        totem_put_u32(bytes + NODE_INFO_VOTES, message->u.node_info.votes, order);
        totem_put_u32(bytes + NODE_INFO_EXPECTED, message->u.node_info.expected_votes, order);
        totem_put_u32(bytes + NODE_INFO_FLAGS, message->u.node_info.flags, order);
        break;
    case VOTEQUORUM_ANNOUNCEMENT:
        totem_put_u32(bytes + ANNOUNCEMENT_ID, message->u.announcement.node_id, order);
        totem_put_u32(bytes + ANNOUNCEMENT_VALUE, message->u.announcement.value, order);
        bytes[ANNOUNCEMENT_KIND] = (uint8_t)message->u.announcement.what;
        break;
    case VOTEQUORUM_DEVICE_REGISTRATION:
        totem_put_u32(bytes + REGISTRATION_OPERATION,
                      message->u.registration.registers ? OPERATION_REGISTER : OPERATION_UNREGISTER, order);
        put_name(bytes + REGISTRATION_NAME, message->u.registration.name);
        break;
    case VOTEQUORUM_DEVICE_RENAME:
        put_name(bytes + RENAME_OLD, message->u.rename.old_name);
        put_name(bytes + RENAME_NEW, message->u.rename.new_name);
        break;
    }
    return size;
}

static bool get_announcement(const uint8_t *bytes, enum totem_order order, struct votequorum_message *message)
{
    uint8_t kind = bytes[ANNOUNCEMENT_KIND];

    if (kind < VOTEQUORUM_ANNOUNCE_EXPECTED || kind > VOTEQUORUM_ANNOUNCE_CANCEL_WAIT)
        return false;
    message->u.announcement.what = (enum votequorum_announcement)kind;
    message->u.announcement.node_id = totem_get_u32(bytes + ANNOUNCEMENT_ID, order);
    message->u.announcement.value = totem_get_u32(bytes + ANNOUNCEMENT_VALUE, order);
    return true;
}

static bool get_registration(const uint8_t *bytes, enum totem_order order, struct votequorum_message *message)
{
    uint32_t operation = totem_get_u32(bytes + REGISTRATION_OPERATION, order);

    if (operation != OPERATION_REGISTER && operation != OPERATION_UNREGISTER)
        return false;
    message->u.registration.registers = operation == OPERATION_REGISTER;
    return get_name(bytes + REGISTRATION_NAME, message->u.registration.name);
}

/* The size in the header is what the sender meant to send; all of the layout must be in it, and it must have arrived. */
static bool is_whole(const uint8_t *bytes, size_t size, enum totem_order order, size_t layout_size)
{
    uint32_t meant = totem_get_u32(bytes + HEADER_LENGTH, order);

    return size >= layout_size && meant >= layout_size && meant <= size;
}

enum q_err votequorum_message_decode(const uint8_t *bytes, size_t size, enum totem_order order,
                                     struct votequorum_message *message)
{
    uint32_t id;
    bool valid = false;

    if (size < HEADER_SIZE)
        return Q_ERR_INVALID;
    id = totem_get_u32(bytes + HEADER_ID, order);
    if (id >> 16 != VOTEQUORUM_SERVICE_ID || (id & 0xffff) >= TYPE_COUNT)
        return Q_ERR_NOT_FOUND;
    memset(message, 0, sizeof(*message));
    message->type = (enum votequorum_message_type)(id & 0xffff);
    if (!is_whole(bytes, size, order, size_of[message->type]))
        return Q_ERR_INVALID;
    switch (message->type) {
    case VOTEQUORUM_NODE_INFO:
        message->u.node_info.node_id = totem_get_u32(bytes + NODE_INFO_ID, order);
        message->u.node_info.votes = totem_get_u32(bytes + NODE_INFO_VOTES, order);
        message->u.node_info.expected_votes = totem_get_u32(bytes + NODE_INFO_EXPECTED, order);
        message->u.node_info.flags = totem_get_u32(bytes + NODE_INFO_FLAGS, order);
        valid = true;
        break;
    case VOTEQUORUM_ANNOUNCEMENT:
        valid = get_announcement(bytes, order, message);
        break;
    case VOTEQUORUM_DEVICE_REGISTRATION:
        valid = get_registration(bytes, order, message);
        break;
    case VOTEQUORUM_DEVICE_RENAME:
        valid = get_name(bytes + RENAME_OLD, message->u.rename.old_name) &&
                get_name(bytes + RENAME_NEW, message->u.rename.new_name);
        break;
    }
    return valid ? Q_OK : Q_ERR_INVALID;
}
