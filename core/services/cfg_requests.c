/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "core/services/cfg_machine.h"
#include "core/services/ipc_wire.h"

#define ONLY_FIELD                                                                                           \
    16 /* KILL, NODE_ADDRESSES, NODE_STATUS node id; TRY_SHUTDOWN flags; REPLY_SHUTDOWN; TRACK flags */
#define KILL_REASON_LENGTH 24
#define KILL_REASON 26
#define KILL_REASON_SIZE 256
#define NODE_STATUS_VERSION 24

#define LOCAL_ANSWER_NODE 24
#define LOCAL_ANSWER_SIZE 32

/* Of the message between nodes. */
#define KILL_MESSAGE_NODE 16
#define KILL_MESSAGE_LENGTH 24
#define KILL_MESSAGE_REASON 32
#define KILL_MESSAGE_SIZE 288

static const struct {
    size_t request_size; /* up to the end of the last field; what clients send beyond it is padding */
    int32_t answer_id;
} messages[CFG_REQUEST_COUNT] = {
    [CFG_RING_STATUS] = {IPC_REQUEST_SIZE, 0},
    [CFG_RING_REENABLE] = {IPC_REQUEST_SIZE, 1},
    [CFG_KILL] = {KILL_REASON + KILL_REASON_SIZE, 8},
    [CFG_TRY_SHUTDOWN] = {ONLY_FIELD + 4, 9},
    [CFG_REPLY_SHUTDOWN] = {ONLY_FIELD + 4, 13},
    [CFG_NODE_ADDRESSES] = {ONLY_FIELD + 4, 11},
    [CFG_LOCAL] = {IPC_REQUEST_SIZE, 12},
    [CFG_RELOAD] = {IPC_REQUEST_SIZE, 14},
    [CFG_REOPEN_LOGS] = {IPC_REQUEST_SIZE, 15},
    [CFG_NODE_STATUS] = {NODE_STATUS_VERSION + 4, 16},
    [CFG_TRACK] = {ONLY_FIELD + 1, 2},
    [CFG_TRACK_END] = {IPC_REQUEST_SIZE, 3},
};

uint8_t *cfg_answer(struct outbox *out, enum cfg_request_type type, uint64_t conn, enum cs_error error,
                    size_t size)
{
    uint8_t *bytes;

    outbox_add(out, OUTBOX_ANSWER)->conn = conn;
    bytes = outbox_head(out, size);
    ipc_put_answer(bytes, messages[type].answer_id, size, error);
    return bytes;
}

void cfg_answer_short(struct outbox *out, enum cfg_request_type type, uint64_t conn, enum cs_error error)
{
    outbox_answer(out, conn, messages[type].answer_id, error);
}

/* The length on its way counts the terminator, which clients may have left out. */
static void kill_node(const struct cfg *cfg, const uint8_t *request, uint64_t conn, struct outbox *out)
{
    uint32_t node_id = ipc_get_u32(request, ONLY_FIELD);
    size_t length = ipc_get_u16(request, KILL_REASON_LENGTH);
    uint8_t *message;

    if (!cfg_has_joined(cfg, node_id)) {
        cfg_answer_short(out, CFG_KILL, conn, CS_ERROR_NOT_EXIST);
        return;
    }
    if (length > KILL_REASON_SIZE - 1)
        length = KILL_REASON_SIZE - 1;
    length = strnlen((const char *)request + KILL_REASON, length);
    message = cfg_multicast(out, CFG_MESSAGE_KILL, KILL_MESSAGE_SIZE);
    totem_put_u32(message + KILL_MESSAGE_NODE, node_id, TOTEM_ORDER_OURS);
    totem_put_u16(message + KILL_MESSAGE_LENGTH, (uint16_t)(length + 1), TOTEM_ORDER_OURS);
    memcpy(message + KILL_MESSAGE_REASON, request + KILL_REASON, length);
    cfg_answer_short(out, CFG_KILL, conn, CS_ERROR_OK);
}

static enum q_err carry_out(struct cfg *cfg, const struct service_event *event, enum cfg_request_type type,
                            struct outbox *out)
{
    const uint8_t *bytes = event->u.client.bytes;
    uint64_t conn = event->u.client.conn;
    enum q_err err;

    switch (type) {
    case CFG_RING_STATUS:
        cfg_tell_rings(cfg, conn, out);
        return Q_OK;
    case CFG_RING_REENABLE:
        cfg_answer_short(out, type, conn, CS_ERROR_NOT_SUPPORTED);
        return Q_OK;
    case CFG_KILL:
        kill_node(cfg, bytes, conn, out);
        return Q_OK;
    case CFG_TRY_SHUTDOWN:
        cfg_try_shutdown(cfg, conn, ipc_get_u32(bytes, ONLY_FIELD), event->now_ms, out);
        return Q_OK;
    case CFG_REPLY_SHUTDOWN:
        cfg_answer_short(out, type, conn,
                         cfg_reply_shutdown(cfg, conn, ipc_get_u32(bytes, ONLY_FIELD) != 0, out));
        return Q_OK;
    case CFG_NODE_ADDRESSES:
        cfg_tell_addresses(cfg, conn, ipc_get_u32(bytes, ONLY_FIELD), out);
        return Q_OK;
    case CFG_LOCAL:
        ipc_put_u32(cfg_answer(out, type, conn, CS_ERROR_OK, LOCAL_ANSWER_SIZE), LOCAL_ANSWER_NODE,
                    cfg->node_id);
        return Q_OK;
    case CFG_RELOAD:
        return cfg_order_reload(cfg, conn, out);
    case CFG_REOPEN_LOGS:
        outbox_task(out, OUTBOX_REOPEN_LOGS, 0, NULL);
        cfg_answer_short(out, type, conn, CS_ERROR_OK);
        return Q_OK;
    case CFG_NODE_STATUS:
        cfg_tell_node(cfg, conn, ipc_get_u32(bytes, ONLY_FIELD), ipc_get_u32(bytes, NODE_STATUS_VERSION),
                      out);
        return Q_OK;
    case CFG_TRACK:
        err = cfg_track(cfg, conn, out);
        cfg_answer_short(out, type, conn, CS_ERROR_OK);
        return err;
    case CFG_TRACK_END:
        cfg_untrack(cfg, conn, out);
        cfg_answer_short(out, type, conn, CS_ERROR_OK);
        return Q_OK;
    case CFG_REQUEST_COUNT:
        break;
    }
    return Q_OK;
}

enum q_err cfg_request(struct cfg *cfg, const struct service_event *event, struct outbox *out)
{
    const uint8_t *bytes = event->u.client.bytes;
    uint32_t id = (uint32_t)ipc_request_id(bytes);
    size_t said = ipc_get_u32(bytes, 8);

    if (id >= CFG_REQUEST_COUNT) {
        outbox_answer(out, event->u.client.conn, 0, CS_ERROR_INVALID_PARAM);
        return Q_OK;
    }
    if (said > event->u.client.size || said < messages[id].request_size) {
        cfg_answer_short(out, (enum cfg_request_type)id, event->u.client.conn, CS_ERROR_INVALID_PARAM);
        return Q_OK;
    }
    return carry_out(cfg, event, (enum cfg_request_type)id, out);
}
