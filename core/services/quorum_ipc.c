/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core/services/ipc_wire.h"
#include "core/services/quorum_ipc.h"

#define FIRST_FIELD IPC_ANSWER_SIZE

/* A ring id as clients know it: 16 bytes, aligned. */
static void put_ring_id(uint8_t *bytes, size_t offset, struct totem_ring_id ring_id)
{
    ipc_put_u32(bytes, offset, ring_id.rep);
    ipc_put_u64(bytes, offset + 8, ring_id.seq);
}

/* Zeroed room with a header; NULL without memory, which the buffer remembers. */
static uint8_t *begin(struct q_buf *out, uint32_t id, size_t size, enum cs_error error)
{
    uint8_t *bytes = q_buf_reserve(out, size);

    if (bytes == NULL)
        return NULL;
    memset(bytes, 0, size);
    ipc_put_answer(bytes, (int32_t)id, size, error);
    return bytes;
}

/* How many bytes the header says, if that many have arrived; 0 otherwise. */
static size_t size_of_request(const uint8_t *bytes, size_t size)
{
    uint32_t meant;

    if (size < IPC_REQUEST_SIZE)
        return 0;
    meant = ipc_request_size(bytes);
    return meant >= IPC_REQUEST_SIZE && meant <= size ? meant : 0;
}

/* ---- votequorum: requests ------------------------------------------------------------------------------------ */

#define VQ_ONLY_FIELD 16 /* GET_INFO node id, SET_EXPECTED votes, SET_VOTES votes */
#define VQ_SET_VOTES_NODE 20
#define VQ_TRACK_CONTEXT 16
#define VQ_TRACK_FLAGS 24
#define VQ_NAME 16
#define VQ_RENAME_NEW (VQ_NAME + VOTEQUORUM_NAME_SIZE)
#define VQ_POLL_VOTE 272
#define VQ_POLL_RING_NODE 280
#define VQ_POLL_RING_SEQ 288
#define VQ_MASTER_WINS_ALLOW 272

/* The end of the last field; what clients send beyond it is padding. */
static const size_t vq_request_size[] = {
    [VOTEQUORUM_GET_INFO] = VQ_ONLY_FIELD + 4,
    [VOTEQUORUM_SET_EXPECTED] = VQ_ONLY_FIELD + 4,
    [VOTEQUORUM_SET_VOTES] = VQ_SET_VOTES_NODE + 4,
    [VOTEQUORUM_TRACK_START] = VQ_TRACK_FLAGS + 4,
    [VOTEQUORUM_TRACK_STOP] = IPC_REQUEST_SIZE,
    [VOTEQUORUM_REGISTER] = VQ_NAME + VOTEQUORUM_NAME_SIZE,
    [VOTEQUORUM_UNREGISTER] = VQ_NAME + VOTEQUORUM_NAME_SIZE,
    [VOTEQUORUM_RENAME] = VQ_RENAME_NEW + VOTEQUORUM_NAME_SIZE,
    [VOTEQUORUM_POLL] = VQ_POLL_RING_SEQ + 8,
    [VOTEQUORUM_MASTER_WINS] = VQ_MASTER_WINS_ALLOW + 4,
};

#define VQ_REQUEST_COUNT (sizeof(vq_request_size) / sizeof(vq_request_size[0]))

static bool get_name(const uint8_t *bytes, size_t offset, char name[VOTEQUORUM_NAME_SIZE])
{
    memcpy(name, bytes + offset, VOTEQUORUM_NAME_SIZE);
    return memchr(name, '\0', VOTEQUORUM_NAME_SIZE) != NULL;
}

static bool get_fields(const uint8_t *bytes, struct votequorum_ipc_request *in)
{
    struct votequorum_request *request = &in->request;

    switch (request->type) {
    case VOTEQUORUM_GET_INFO:
        request->node_id = ipc_get_u32(bytes, VQ_ONLY_FIELD);
        return true;
    case VOTEQUORUM_SET_EXPECTED:
        request->votes = ipc_get_u32(bytes, VQ_ONLY_FIELD);
        return true;
    case VOTEQUORUM_SET_VOTES:
        request->votes = ipc_get_u32(bytes, VQ_ONLY_FIELD);
        request->node_id = ipc_get_u32(bytes, VQ_SET_VOTES_NODE);
        return true;
    case VOTEQUORUM_TRACK_START:
        request->context = ipc_get_u64(bytes, VQ_TRACK_CONTEXT);
        request->flags = ipc_get_u32(bytes, VQ_TRACK_FLAGS);
        return true;
    case VOTEQUORUM_TRACK_STOP:
        return true;
    case VOTEQUORUM_POLL:
        request->value = ipc_get_u32(bytes, VQ_POLL_VOTE) != 0;
        request->ring_id.rep = ipc_get_u32(bytes, VQ_POLL_RING_NODE);
        request->ring_id.seq = ipc_get_u64(bytes, VQ_POLL_RING_SEQ);
        break;
    case VOTEQUORUM_MASTER_WINS:
        request->allow = ipc_get_u32(bytes, VQ_MASTER_WINS_ALLOW);
        break;
    case VOTEQUORUM_RENAME:
        if (!get_name(bytes, VQ_RENAME_NEW, in->new_name))
            return false;
        request->new_name = in->new_name;
        break;
    case VOTEQUORUM_REGISTER:
    case VOTEQUORUM_UNREGISTER:
        break;
    }
    request->name = in->name;
    return get_name(bytes, VQ_NAME, in->name);
}

enum q_err votequorum_ipc_decode(const uint8_t *bytes, size_t size, struct votequorum_ipc_request *request)
{
    size_t said = size_of_request(bytes, size);
    uint32_t id;

    memset(request, 0, sizeof(*request));
    if (said == 0)
        return Q_ERR_INVALID;
    id = (uint32_t)ipc_request_id(bytes);
    if (id >= VQ_REQUEST_COUNT)
        return Q_ERR_NOT_FOUND;
    request->request.type = (enum votequorum_request_type)id;
    return said >= vq_request_size[id] && get_fields(bytes, request) ? Q_OK : Q_ERR_INVALID;
}

/* ---- votequorum: answers and events -------------------------------------------------------------------------- */

#define VQ_ID_STATUS 0
#define VQ_ID_INFO 1
#define VQ_ID_QUORUM 3
#define VQ_ID_EXPECTED 4
#define VQ_ID_NODELIST 5

#define VQ_INFO_NAME 60
#define VQ_INFO_SIZE 320
#define VQ_QUORUM_CONTEXT 32
#define VQ_QUORUM_COUNT 40
#define VQ_QUORUM_NODES 48
#define VQ_EXPECTED_VOTES 32
#define VQ_EXPECTED_SIZE 40
#define VQ_NODELIST_RING 32
#define VQ_NODELIST_COUNT 48
#define VQ_NODELIST_NODES 56

static void encode_info(const struct votequorum_node_info *info, enum cs_error error, struct q_buf *out)
{
    const uint32_t fields[] = {info->node_id,          info->state,       info->votes,  info->expected_votes,
                               info->highest_expected, info->total_votes, info->quorum, info->flags,
                               info->device_votes};
    uint8_t *bytes = begin(out, VQ_ID_INFO, VQ_INFO_SIZE, error);

    if (bytes == NULL)
        return;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        ipc_put_u32(bytes, FIRST_FIELD + 4 * i, fields[i]);
    memcpy(bytes + VQ_INFO_NAME, info->device_name, VOTEQUORUM_NAME_SIZE);
    q_buf_commit(out, VQ_INFO_SIZE);
}

static void encode_status(enum cs_error error, struct q_buf *out)
{
    if (begin(out, VQ_ID_STATUS, IPC_ANSWER_SIZE, error) != NULL)
        q_buf_commit(out, IPC_ANSWER_SIZE);
}

static void encode_vq_quorum(const struct votequorum_actions *actions, const struct votequorum_action *action,
                             struct q_buf *out)
{
    size_t size = VQ_QUORUM_NODES + 8 * action->nodes.size;
    uint8_t *bytes = begin(out, VQ_ID_QUORUM, size, CS_ERROR_OK);

    if (bytes == NULL)
        return;
    ipc_put_u32(bytes, FIRST_FIELD, action->quorate);
    ipc_put_u64(bytes, VQ_QUORUM_CONTEXT, action->context);
    ipc_put_u32(bytes, VQ_QUORUM_COUNT, (uint32_t)action->nodes.size);
    for (size_t i = 0; i < action->nodes.size; i++) {
        ipc_put_u32(bytes, VQ_QUORUM_NODES + 8 * i, actions->nodes[action->nodes.offset + i].node_id);
        ipc_put_u32(bytes, VQ_QUORUM_NODES + 8 * i + 4, actions->nodes[action->nodes.offset + i].state);
    }
    q_buf_commit(out, size);
}

static void encode_vq_nodelist(const struct votequorum_actions *actions,
                               const struct votequorum_action *action, struct q_buf *out)
{
    size_t size = VQ_NODELIST_NODES + 4 * action->nodes.size;
    uint8_t *bytes = begin(out, VQ_ID_NODELIST, size, CS_ERROR_OK);

    if (bytes == NULL)
        return;
    ipc_put_u64(bytes, FIRST_FIELD, action->context);
    put_ring_id(bytes, VQ_NODELIST_RING, action->ring_id);
    ipc_put_u32(bytes, VQ_NODELIST_COUNT, (uint32_t)action->nodes.size);
    for (size_t i = 0; i < action->nodes.size; i++)
        ipc_put_u32(bytes, VQ_NODELIST_NODES + 4 * i, actions->nodes[action->nodes.offset + i].node_id);
    q_buf_commit(out, size);
}

static void encode_expected(const struct votequorum_action *action, struct q_buf *out)
{
    uint8_t *bytes = begin(out, VQ_ID_EXPECTED, VQ_EXPECTED_SIZE, CS_ERROR_OK);

    if (bytes == NULL)
        return;
    ipc_put_u64(bytes, FIRST_FIELD, action->context);
    ipc_put_u32(bytes, VQ_EXPECTED_VOTES, action->value);
    q_buf_commit(out, VQ_EXPECTED_SIZE);
}

bool votequorum_ipc_encode(const struct votequorum_actions *actions, const struct votequorum_action *action,
                           struct q_buf *out)
{
    switch (action->type) {
    case VOTEQUORUM_ACT_ANSWER:
        if (action->has_info)
            encode_info(&actions->info, action->error, out);
        else
            encode_status(action->error, out);
        return true;
    case VOTEQUORUM_ACT_QUORUM_EVENT:
        encode_vq_quorum(actions, action, out);
        return true;
    case VOTEQUORUM_ACT_NODELIST_EVENT:
        encode_vq_nodelist(actions, action, out);
        return true;
    case VOTEQUORUM_ACT_EXPECTED_EVENT:
        encode_expected(action, out);
        return true;
    case VOTEQUORUM_ACT_REFUSE:
    case VOTEQUORUM_ACT_SEND:
    case VOTEQUORUM_ACT_PASS:
    case VOTEQUORUM_ACT_REPORT:
    case VOTEQUORUM_ACT_PUBLISH:
    case VOTEQUORUM_ACT_STORE_EXPECTED:
    case VOTEQUORUM_ACT_NOTE:
        break;
    }
    return false;
}

/* ---- quorum ---------------------------------------------------------------------------------------------------- */

#define Q_ONLY_FIELD 16 /* TRACK_START flags, MODEL_GET_TYPE model */

static const struct {
    size_t request_size;
    uint32_t answer_id;
    size_t answer_size;
} quorum_messages[] = {
    [QUORUM_GET_QUORATE] = {IPC_REQUEST_SIZE, 0, 32},
    [QUORUM_TRACK_START] = {Q_ONLY_FIELD + 4, 1, IPC_ANSWER_SIZE},
    [QUORUM_TRACK_STOP] = {IPC_REQUEST_SIZE, 2, IPC_ANSWER_SIZE},
    [QUORUM_GET_TYPE] = {IPC_REQUEST_SIZE, 4, 32},
    [QUORUM_MODEL_GET_TYPE] = {Q_ONLY_FIELD + 4, 5, 32},
};

#define QUORUM_REQUEST_COUNT (sizeof(quorum_messages) / sizeof(quorum_messages[0]))

#define Q_ID_QUORUM_0 3
#define Q_ID_QUORUM_1 6
#define Q_ID_NODELIST 7

/* These messages end with four bytes that nobody reads: lists begin before the padded end of the rest. */
#define Q_QUORUM_0_SEQ 32
#define Q_QUORUM_0_COUNT 40
#define Q_QUORUM_0_NODES 44
#define Q_QUORUM_0_SIZE 48
#define Q_QUORUM_1_RING 32
#define Q_QUORUM_1_COUNT 48
#define Q_QUORUM_1_NODES 52
#define Q_QUORUM_1_SIZE 56
#define Q_NODELIST_MEMBERS 40
#define Q_NODELIST_JOINED 48
#define Q_NODELIST_LEFT 56
#define Q_NODELIST_NODES 60
#define Q_NODELIST_SIZE 64

enum q_err quorum_ipc_decode(const uint8_t *bytes, size_t size, struct quorum_event *event)
{
    size_t said = size_of_request(bytes, size);
    uint32_t id;

    memset(event, 0, sizeof(*event));
    event->type = QUORUM_EV_REQUEST;
    if (said == 0)
        return Q_ERR_INVALID;
    id = (uint32_t)ipc_request_id(bytes);
    if (id >= QUORUM_REQUEST_COUNT)
        return Q_ERR_NOT_FOUND;
    if (said < quorum_messages[id].request_size)
        return Q_ERR_INVALID;
    event->u.request.type = (enum quorum_request_type)id;
    if (event->u.request.type == QUORUM_TRACK_START)
        event->u.request.flags = ipc_get_u32(bytes, Q_ONLY_FIELD);
    if (event->u.request.type == QUORUM_MODEL_GET_TYPE)
        event->u.request.model = ipc_get_u32(bytes, Q_ONLY_FIELD);
    return Q_OK;
}

/* The offset behind them. */
static size_t put_ids(uint8_t *bytes, size_t offset, const struct node_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        ipc_put_u32(bytes, offset + 4 * (size_t)i, set->ids[i]);
    return offset + 4 * (size_t)set->count;
}

static void encode_quorum(const struct quorum_action *action, struct q_buf *out)
{
    bool old = action->model == 0;
    size_t size = (old ? Q_QUORUM_0_SIZE : Q_QUORUM_1_SIZE) + 4 * (size_t)action->members->count;
    uint8_t *bytes = begin(out, old ? Q_ID_QUORUM_0 : Q_ID_QUORUM_1, size, CS_ERROR_OK);

    if (bytes == NULL)
        return;
    ipc_put_u32(bytes, FIRST_FIELD, action->quorate);
    if (old)
        ipc_put_u64(bytes, Q_QUORUM_0_SEQ, action->ring_id.seq);
    else
        put_ring_id(bytes, Q_QUORUM_1_RING, action->ring_id);
    ipc_put_u32(bytes, old ? Q_QUORUM_0_COUNT : Q_QUORUM_1_COUNT, action->members->count);
    put_ids(bytes, old ? Q_QUORUM_0_NODES : Q_QUORUM_1_NODES, action->members);
    q_buf_commit(out, size);
}

static void encode_nodelist(const struct quorum_action *action, struct q_buf *out)
{
    size_t count = (size_t)action->members->count + action->joined->count + action->left->count;
    size_t size = Q_NODELIST_SIZE + 4 * count;
    uint8_t *bytes = begin(out, Q_ID_NODELIST, size, CS_ERROR_OK);
    size_t offset = Q_NODELIST_NODES;

    if (bytes == NULL)
        return;
    put_ring_id(bytes, FIRST_FIELD, action->ring_id);
    ipc_put_u32(bytes, Q_NODELIST_MEMBERS, action->members->count);
    ipc_put_u32(bytes, Q_NODELIST_JOINED, action->joined->count);
    ipc_put_u32(bytes, Q_NODELIST_LEFT, action->left->count);
    offset = put_ids(bytes, offset, action->members);
    offset = put_ids(bytes, offset, action->joined);
    put_ids(bytes, offset, action->left);
    q_buf_commit(out, size);
}

static void encode_answer(const struct quorum_action *action, struct q_buf *out)
{
    size_t size = quorum_messages[action->request].answer_size;
    uint8_t *bytes = begin(out, quorum_messages[action->request].answer_id, size, action->error);

    if (bytes == NULL)
        return;
    if (size > IPC_ANSWER_SIZE)
        ipc_put_u32(bytes, FIRST_FIELD, action->value);
    q_buf_commit(out, size);
}

void quorum_ipc_encode(const struct quorum_action *action, struct q_buf *out)
{
    switch (action->type) {
    case QUORUM_ACT_ANSWER:
        encode_answer(action, out);
        break;
    case QUORUM_ACT_QUORUM_EVENT:
        encode_quorum(action, out);
        break;
    case QUORUM_ACT_NODELIST_EVENT:
        encode_nodelist(action, out);
        break;
    }
}
