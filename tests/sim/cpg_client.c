/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/cpg_client.h"

#include <assert.h>
#include <string.h>

#include "core/services/ipc_wire.h"

#define GROUP "sim"
#define JOIN_SIZE 168
#define MCAST_PAYLOAD 40
#define DELIVERED_PAYLOAD 184
#define PAYLOAD_MAX 20000

#define EVENT_CHANGE 4
#define EVENT_MESSAGE 5
#define EVENT_RING 13
#define REASON_DIED 5

static uint8_t request[MCAST_PAYLOAD + PAYLOAD_MAX];

const uint8_t *cpg_client_join(const struct cpg_client *client, size_t *size)
{
    memset(request, 0, JOIN_SIZE);
    ipc_put_u32(request, 8, JOIN_SIZE);
    ipc_put_u32(request, 16, sizeof GROUP);
    memcpy(request + 24, GROUP, sizeof GROUP);
    ipc_put_u32(request, 152, client->pid);
    ipc_put_u32(request, 160, 1); /* it wants to be told the ring */
    *size = JOIN_SIZE;
    return request;
}

static uint8_t filling(uint32_t number, uint32_t at)
{
    return (uint8_t)(number * 31 + at);
}

const uint8_t *cpg_client_message(struct cpg_client *client, uint32_t payload_size, uint64_t ring_seq, size_t *size)
{
    uint8_t *payload = request + MCAST_PAYLOAD;
    uint32_t number = ++client->log->sent;

    assert(payload_size >= CPG_CLIENT_PAYLOAD_MIN && payload_size <= PAYLOAD_MAX);
    *size = MCAST_PAYLOAD + payload_size;
    memset(request, 0, MCAST_PAYLOAD);
    ipc_put_u32(request, 0, 2);
    ipc_put_u32(request, 8, (uint32_t)*size);
    ipc_put_u32(request, 24, 2);
    ipc_put_u32(request, 32, payload_size);
    for (uint32_t i = 0; i < payload_size; i++) {
        payload[i] = filling(number, i);
    }
    ipc_put_u32(payload, 0, number);
    ipc_put_u32(payload, 4, payload_size);
    ipc_put_u64(payload, 8, ring_seq);
    return request;
}

/* ---- what it is told -------------------------------------------------------------------------------------- */

static void on_message(struct cpg_client *client, const uint8_t *bytes, size_t size)
{
    const uint8_t *payload = bytes + DELIVERED_PAYLOAD;
    struct synchrony_member sender;
    uint32_t payload_size;
    uint32_t number;

    assert(size >= DELIVERED_PAYLOAD);
    sender = (struct synchrony_member){ipc_get_u32(bytes, 168), ipc_get_u32(bytes, 176)};
    payload_size = ipc_get_u32(bytes, 160);
    if (size != DELIVERED_PAYLOAD + payload_size || payload_size < CPG_CLIENT_PAYLOAD_MIN ||
        ipc_get_u32(payload, 4) != payload_size) {
        world_fail(client->log->node->world, "GROUP", "%s: client of node %u is told a message of another size than was sent",
                   client->log->node->cluster->name, client->log->node->id);
        return;
    }
    number = ipc_get_u32(payload, 0);
    for (uint32_t i = 16; i < payload_size; i++) {
        if (payload[i] != filling(number, i)) {
            world_fail(client->log->node->world, "GROUP", "%s: client of node %u is told other bytes than were sent",
                       client->log->node->cluster->name, client->log->node->id);
            return;
        }
    }
    client->log->node->world->deliveries++;
    NOTE(client->log->node->world, client->log->node, "  <- %u:%u number %u, %u bytes", sender.node_id, sender.pid, number,
         payload_size);
    synchrony_on_message(client->log, sender, number, payload_size, ipc_get_u64(payload, 8));
}

static unsigned get_members(const uint8_t *bytes, unsigned count, struct synchrony_member *members)
{
    assert(count <= SYNCHRONY_MEMBERS_MAX);
    for (unsigned i = 0; i < count; i++) {
        members[i] = (struct synchrony_member){ipc_get_u32(bytes, 24 * (size_t)i), ipc_get_u32(bytes, 24 * (size_t)i + 8)};
    }
    return count;
}

static void on_change(struct cpg_client *client, const uint8_t *bytes, size_t size, bool of_ring)
{
    struct synchrony_change change = {.of_ring = of_ring};
    size_t first = 184 + 24 * (size_t)ipc_get_u32(bytes, 160);
    unsigned members = ipc_get_u32(bytes, 160);
    unsigned joined = ipc_get_u32(bytes, 168);
    unsigned left = ipc_get_u32(bytes, 176);

    assert(size == 184 + 24 * ((size_t)members + joined + left));
    change.member_count = get_members(bytes + 184, members, change.members);
    change.left_count = get_members(bytes + 184 + 24 * (size_t)members, left, change.left);
    change.joined_count = get_members(bytes + 184 + 24 * ((size_t)members + left), joined, change.joined);
    NOTE(client->log->node->world, client->log->node, "  <- group of %u, %u joined (%u:%u), %u left (%u:%u)%s", members, joined,
         change.joined[0].node_id, change.joined[0].pid, left, change.left[0].node_id, change.left[0].pid,
         of_ring ? ", by the ring" : "");
    change.of_death = size > first && ipc_get_u32(bytes, first + 16) == REASON_DIED;
    synchrony_on_change(client->log, &change);
}

static void on_ring(struct cpg_client *client, const uint8_t *bytes, size_t size)
{
    const struct sim_cluster *cluster = client->log->node->cluster;
    struct totem_ring_id ring = {ipc_get_u32(bytes, 24), ipc_get_u64(bytes, 32)};
    uint32_t count = ipc_get_u32(bytes, 40);
    node_mask nodes = 0;

    assert(size == 48 + 4 * (size_t)count);
    for (uint32_t i = 0; i < count; i++) {
        nodes |= 1u << cluster_index_of(cluster, ipc_get_u32(bytes, 44 + 4 * (size_t)i));
    }
    synchrony_on_ring(client->log, ring, nodes);
}

void cpg_client_on_event(struct cpg_client *client, const uint8_t *head, size_t head_size, const uint8_t *body,
                         size_t body_size, bool of_ring)
{
    static uint8_t bytes[DELIVERED_PAYLOAD + PAYLOAD_MAX];

    assert(head_size + body_size <= sizeof bytes && head_size + body_size >= IPC_ANSWER_SIZE);
    memcpy(bytes, head, head_size);
    if (body_size > 0) {
        memcpy(bytes + head_size, body, body_size);
    }
    switch (ipc_get_u32(bytes, 0)) {
    case EVENT_CHANGE:
        on_change(client, bytes, head_size + body_size, of_ring);
        break;
    case EVENT_MESSAGE:
        on_message(client, bytes, head_size + body_size);
        break;
    case EVENT_RING:
        on_ring(client, bytes, head_size + body_size);
        break;
    default:
        break;
    }
}
