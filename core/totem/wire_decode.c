/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/wire.h"

/* Reads on from `at` in the sender's order; that the bytes are there has been checked before. */
struct reader {
    const uint8_t *at;
    enum totem_order order;
};

static uint32_t read_u32(struct reader *reader)
{
    uint32_t value = totem_get_u32(reader->at, reader->order);

    reader->at += 4;
    return value;
}

static uint64_t read_u64(struct reader *reader)
{
    uint64_t value = totem_get_u64(reader->at, reader->order);

    reader->at += 8;
    return value;
}

static struct totem_ring_id read_ring(struct reader *reader)
{
    struct totem_ring_id ring;

    ring.rep = read_u32(reader);
    ring.seq = read_u64(reader);
    return ring;
}

/* False if there is a node id of zero among them. */
static bool read_nodes(struct reader *reader, uint32_t *nodes, uint32_t count)
{
    bool valid = true;

    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = read_u32(reader);
        valid = valid && nodes[i] != 0;
    }
    return valid;
}

static enum totem_wire_error decode_header(const uint8_t *bytes, size_t size, struct totem_header *header)
{
    struct reader reader;

    if (size < TOTEM_HEADER_SIZE)
        return TOTEM_WIRE_SHORT;
    if (totem_get_u16(bytes, TOTEM_LITTLE_ENDIAN) == TOTEM_MAGIC)
        header->order = TOTEM_LITTLE_ENDIAN;
    else if (totem_get_u16(bytes, TOTEM_BIG_ENDIAN) == TOTEM_MAGIC)
        header->order = TOTEM_BIG_ENDIAN;
    else
        return TOTEM_WIRE_MAGIC;
    if (bytes[2] != TOTEM_VERSION)
        return TOTEM_WIRE_VERSION;
    if (bytes[3] > TOTEM_HOLD_CANCEL)
        return TOTEM_WIRE_TYPE;
    header->type = (enum totem_type)bytes[3];
    if (header->type == TOTEM_MCAST ? bytes[4] != TOTEM_OLD_RING && bytes[4] != TOTEM_PLAIN : bytes[4] != TOTEM_NOT_MCAST)
        return TOTEM_WIRE_VALUE;
    header->encapsulated = (enum totem_encapsulation)bytes[4];
    reader = (struct reader){bytes + 5, header->order};
    header->node_id = read_u32(&reader);
    header->target_id = read_u32(&reader);
    return header->node_id != 0 || header->type == TOTEM_JOIN ? TOTEM_WIRE_OK : TOTEM_WIRE_VALUE;
}

static enum totem_wire_error decode_token(struct reader reader, size_t size, struct totem_token *token)
{
    if (size < TOTEM_TOKEN_SIZE)
        return TOTEM_WIRE_SHORT;
    if (size > TOTEM_TOKEN_SIZE_MAX)
        return TOTEM_WIRE_LONG;
    token->seq = read_u32(&reader);
    token->token_seq = read_u32(&reader);
    token->aru = read_u32(&reader);
    token->aru_node = read_u32(&reader);
    token->ring = read_ring(&reader);
    token->backlog = read_u32(&reader);
    token->fcc = read_u32(&reader);
    token->retrans_flag = read_u32(&reader);
    token->retransmit_count = read_u32(&reader);
    if (token->retransmit_count > TOTEM_RETRANSMITS_MAX)
        return TOTEM_WIRE_COUNT;
    if (size < TOTEM_TOKEN_SIZE + (size_t)token->retransmit_count * TOTEM_RETRANSMIT_SIZE)
        return TOTEM_WIRE_SHORT;
    for (uint32_t i = 0; i < token->retransmit_count; i++) {
        token->retransmits[i].ring = read_ring(&reader);
        token->retransmits[i].seq = read_u32(&reader);
    }
    return TOTEM_WIRE_OK;
}

static enum totem_wire_error decode_mcast(struct reader reader, size_t size, struct totem_mcast *mcast)
{
    if (size < TOTEM_MCAST_SIZE)
        return TOTEM_WIRE_SHORT;
    if (size > TOTEM_DATAGRAM_MAX)
        return TOTEM_WIRE_LONG;
    mcast->system_from = read_u32(&reader);
    mcast->seq = read_u32(&reader);
    mcast->this_seqno = (int32_t)read_u32(&reader);
    mcast->ring = read_ring(&reader);
    mcast->node_id = read_u32(&reader);
    mcast->guarantee = read_u32(&reader);
    mcast->payload = reader.at;
    mcast->payload_size = size - TOTEM_MCAST_SIZE;
    return mcast->system_from != 0 ? TOTEM_WIRE_OK : TOTEM_WIRE_VALUE;
}

static enum totem_wire_error decode_merge(struct reader reader, size_t size, struct totem_merge *merge)
{
    if (size < TOTEM_MERGE_SIZE)
        return TOTEM_WIRE_SHORT;
    merge->system_from = read_u32(&reader);
    merge->ring = read_ring(&reader);
    return merge->system_from != 0 ? TOTEM_WIRE_OK : TOTEM_WIRE_VALUE;
}

static enum totem_wire_error decode_join(struct reader reader, size_t size, struct totem_join *join)
{
    bool valid;

    if (size < TOTEM_JOIN_SIZE)
        return TOTEM_WIRE_SHORT;
    join->system_from = read_u32(&reader);
    join->proc_count = read_u32(&reader);
    join->failed_count = read_u32(&reader);
    join->ring_seq = read_u64(&reader);
    if (join->proc_count > TOTEM_NODES_MAX || join->failed_count > TOTEM_NODES_MAX)
        return TOTEM_WIRE_COUNT;
    if (size < TOTEM_JOIN_SIZE + 4 * ((size_t)join->proc_count + join->failed_count))
        return TOTEM_WIRE_SHORT;
    valid = read_nodes(&reader, join->proc, join->proc_count);
    valid = read_nodes(&reader, join->failed, join->failed_count) && valid;
    return valid && join->system_from != 0 ? TOTEM_WIRE_OK : TOTEM_WIRE_VALUE;
}

static enum totem_wire_error decode_commit(struct reader reader, size_t size, struct totem_commit *commit)
{
    if (size < TOTEM_COMMIT_SIZE)
        return TOTEM_WIRE_SHORT;
    commit->token_seq = read_u32(&reader);
    commit->ring = read_ring(&reader);
    commit->retrans_flag = read_u32(&reader);
    commit->filled_count = read_u32(&reader);
    commit->member_count = read_u32(&reader);
    if (commit->member_count > TOTEM_NODES_MAX)
        return TOTEM_WIRE_COUNT;
    if (size < TOTEM_COMMIT_SIZE + (size_t)commit->member_count * (4 + TOTEM_COMMIT_ENTRY_SIZE))
        return TOTEM_WIRE_SHORT;
    if (commit->member_count == 0 || commit->filled_count > commit->member_count)
        return TOTEM_WIRE_VALUE;
    if (!read_nodes(&reader, commit->members, commit->member_count))
        return TOTEM_WIRE_VALUE;
    for (uint32_t i = 0; i < commit->member_count; i++) {
        struct totem_commit_entry *entry = &commit->entries[i];

        entry->ring = read_ring(&reader);
        entry->aru = read_u32(&reader);
        entry->high_delivered = read_u32(&reader);
        entry->received_flag = read_u32(&reader);
    }
    return TOTEM_WIRE_OK;
}

static enum totem_wire_error decode_hold_cancel(struct reader reader, size_t size, struct totem_hold_cancel *cancel)
{
    if (size < TOTEM_HOLD_CANCEL_SIZE)
        return TOTEM_WIRE_SHORT;
    cancel->ring = read_ring(&reader);
    return TOTEM_WIRE_OK;
}

enum totem_wire_error totem_decode(const uint8_t *bytes, size_t size, struct totem_message *message)
{
    enum totem_wire_error error = decode_header(bytes, size, &message->header);
    struct reader reader;

    if (error != TOTEM_WIRE_OK)
        return error;
    reader = (struct reader){bytes + TOTEM_HEADER_SIZE, message->header.order};
    switch (message->header.type) {
    case TOTEM_TOKEN:
        return decode_token(reader, size, &message->u.token);
    case TOTEM_MCAST:
        return decode_mcast(reader, size, &message->u.mcast);
    case TOTEM_MERGE:
        return decode_merge(reader, size, &message->u.merge);
    case TOTEM_JOIN:
        return decode_join(reader, size, &message->u.join);
    case TOTEM_COMMIT:
        return decode_commit(reader, size, &message->u.commit);
    case TOTEM_HOLD_CANCEL:
        return decode_hold_cancel(reader, size, &message->u.hold_cancel);
    }
    return TOTEM_WIRE_TYPE;
}

const char *totem_wire_error_text(enum totem_wire_error error)
{
    switch (error) {
    case TOTEM_WIRE_OK:
        return "no error";
    case TOTEM_WIRE_SHORT:
        return "it is too short";
    case TOTEM_WIRE_LONG:
        return "it is too long";
    case TOTEM_WIRE_MAGIC:
        return "it does not begin like a message of Corosync 3 (is the transport or the encryption another?)";
    case TOTEM_WIRE_VERSION:
        return "its version is not 3";
    case TOTEM_WIRE_TYPE:
        return "its type is unknown";
    case TOTEM_WIRE_COUNT:
        return "a list in it is too long";
    case TOTEM_WIRE_VALUE:
        return "a field in it has an impossible value";
    }
    return "unknown error";
}
