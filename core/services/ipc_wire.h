/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The headers of messages between local clients and the daemon, and the fields in them (spec/corosync-ipc.md sections
 * 1.2 and 2): numbers in this machine's order at given offsets of bytes that somebody else owns. Pure.
 */
#ifndef QUORATE_CORE_SERVICES_IPC_WIRE_H
#define QUORATE_CORE_SERVICES_IPC_WIRE_H

#include <stdint.h>
#include <string.h>

#include "core/services/cs_error.h"

#define IPC_REQUEST_SIZE 16 /* header of a request: id at 0, size at 8 */
#define IPC_ANSWER_SIZE 24  /* header of an answer or an event: and error at 16 */
#define IPC_MESSAGE_MAX 1048576

static inline void ipc_put_u8(uint8_t *bytes, size_t offset, uint8_t value)
{
    bytes[offset] = value;
}

static inline void ipc_put_u16(uint8_t *bytes, size_t offset, uint16_t value)
{
    memcpy(bytes + offset, &value, sizeof(value));
}

static inline void ipc_put_u32(uint8_t *bytes, size_t offset, uint32_t value)
{
    memcpy(bytes + offset, &value, sizeof(value));
}

static inline void ipc_put_u64(uint8_t *bytes, size_t offset, uint64_t value)
{
    memcpy(bytes + offset, &value, sizeof(value));
}

static inline uint8_t ipc_get_u8(const uint8_t *bytes, size_t offset)
{
    return bytes[offset];
}

static inline uint16_t ipc_get_u16(const uint8_t *bytes, size_t offset)
{
    uint16_t value;

    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

static inline uint32_t ipc_get_u32(const uint8_t *bytes, size_t offset)
{
    uint32_t value;

    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

static inline uint64_t ipc_get_u64(const uint8_t *bytes, size_t offset)
{
    uint64_t value;

    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

/* The header of an answer or event, into zeroed bytes. */
static inline void ipc_put_answer(uint8_t *bytes, int32_t id, size_t size, enum cs_error error)
{
    ipc_put_u32(bytes, 0, (uint32_t)id);
    ipc_put_u32(bytes, 8, (uint32_t)size);
    ipc_put_u32(bytes, 16, (uint32_t)error);
}

/* What a client says that it has sent. */
static inline uint32_t ipc_request_size(const uint8_t *bytes)
{
    return ipc_get_u32(bytes, 8);
}

static inline int32_t ipc_request_id(const uint8_t *bytes)
{
    return (int32_t)ipc_get_u32(bytes, 0);
}

#endif
