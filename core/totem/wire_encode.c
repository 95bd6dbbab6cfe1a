/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/totem/wire.h"

#include <assert.h>
#include <string.h>

struct writer {
    uint8_t *at;
    enum totem_order order;
};

static void write_u32(struct writer *writer, uint32_t value)
{
    totem_put_u32(writer->at, value, writer->order);
    writer->at += 4;
}

static void write_u64(struct writer *writer, uint64_t value)
{
    totem_put_u64(writer->at, value, writer->order);
    writer->at += 8;
}

static void write_ring(struct writer *writer, const struct totem_ring_id *ring)
{
    write_u32(writer, ring->rep);
    write_u64(writer, ring->seq);
}

static void write_nodes(struct writer *writer, const uint32_t *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        write_u32(writer, nodes[i]);
}

static void write_header(struct writer *writer, const struct totem_header *header)
{
    totem_put_u16(writer->at, TOTEM_MAGIC, writer->order);
    writer->at[2] = TOTEM_VERSION;
    writer->at[3] = (uint8_t)header->type;
    writer->at[4] = (uint8_t)header->encapsulated;
    writer->at += 5;
    write_u32(writer, header->node_id);
    write_u32(writer, header->target_id);
}

static void encode_token(struct writer *writer, const struct totem_token *token)
{
    write_u32(writer, token->seq);
    write_u32(writer, token->token_seq);
    write_u32(writer, token->aru);
    write_u32(writer, token->aru_node);
    write_ring(writer, &token->ring);
    write_u32(writer, token->backlog);
    write_u32(writer, token->fcc);
    write_u32(writer, token->retrans_flag);
    write_u32(writer, token->retransmit_count);
    for (uint32_t i = 0; i < token->retransmit_count; i++) {
        write_ring(writer, &token->retransmits[i].ring);
        write_u32(writer, token->retransmits[i].seq);
    }
}

static void encode_join(struct writer *writer, const struct totem_join *join)
{
    write_u32(writer, join->system_from);
    write_u32(writer, join->proc_count);
    write_u32(writer, join->failed_count);
    write_u64(writer, join->ring_seq);
    write_nodes(writer, join->proc, join->proc_count);
    write_nodes(writer, join->failed, join->failed_count);
}

static void encode_commit(struct writer *writer, const struct totem_commit *commit)
{
    write_u32(writer, commit->token_seq);
    write_ring(writer, &commit->ring);
    write_u32(writer, commit->retrans_flag);
    write_u32(writer, commit->filled_count);
    write_u32(writer, commit->member_count);
    write_nodes(writer, commit->members, commit->member_count);
    for (uint32_t i = 0; i < commit->member_count; i++) {
        const struct totem_commit_entry *entry = &commit->entries[i];

        write_ring(writer, &entry->ring);
        write_u32(writer, entry->aru);
        write_u32(writer, entry->high_delivered);
        write_u32(writer, entry->received_flag);
    }
}

void totem_encode_mcast_header(uint8_t *out, const struct totem_header *header, const struct totem_mcast *mcast)
{
    struct writer writer = {out, header->order};

    write_header(&writer, header);
    write_u32(&writer, mcast->system_from);
    write_u32(&writer, mcast->seq);
    write_u32(&writer, (uint32_t)mcast->this_seqno);
    write_ring(&writer, &mcast->ring);
    write_u32(&writer, mcast->node_id);
    write_u32(&writer, mcast->guarantee);
}

size_t totem_encoded_size(const struct totem_message *message)
{
    switch (message->header.type) {
    case TOTEM_TOKEN:
        return TOTEM_TOKEN_SIZE + (size_t)message->u.token.retransmit_count * TOTEM_RETRANSMIT_SIZE;
    case TOTEM_MCAST:
        return TOTEM_MCAST_SIZE + message->u.mcast.payload_size;
    case TOTEM_MERGE:
        return TOTEM_MERGE_SIZE;
    case TOTEM_JOIN:
        return TOTEM_JOIN_SIZE + 4 * ((size_t)message->u.join.proc_count + message->u.join.failed_count);
    case TOTEM_COMMIT:
        return TOTEM_COMMIT_SIZE + (size_t)message->u.commit.member_count * (4 + TOTEM_COMMIT_ENTRY_SIZE);
    case TOTEM_HOLD_CANCEL:
        return TOTEM_HOLD_CANCEL_SIZE;
    }
    return 0;
}

void totem_encode(uint8_t *out, const struct totem_message *message)
{
    struct writer writer = {out, message->header.order};

    if (message->header.type == TOTEM_MCAST) {
        totem_encode_mcast_header(out, &message->header, &message->u.mcast);
        if (message->u.mcast.payload_size > 0)
            memcpy(out + TOTEM_MCAST_SIZE, message->u.mcast.payload, message->u.mcast.payload_size);
        return;
    }
    write_header(&writer, &message->header);
    switch (message->header.type) {
    case TOTEM_TOKEN:
        encode_token(&writer, &message->u.token);
        break;
    case TOTEM_MCAST:
        break;
    case TOTEM_MERGE:
        write_u32(&writer, message->u.merge.system_from);
        write_ring(&writer, &message->u.merge.ring);
        break;
    case TOTEM_JOIN:
        encode_join(&writer, &message->u.join);
        break;
    case TOTEM_COMMIT:
        encode_commit(&writer, &message->u.commit);
        break;
    case TOTEM_HOLD_CANCEL:
        write_ring(&writer, &message->u.hold_cancel.ring);
        break;
    }
    assert((size_t)(writer.at - out) == totem_encoded_size(message));
}
