/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of process groups on a machine with the real core: when it comes, goes, and says something. */
#include "core/services/ipc_wire.h"
#include "tests/sim/core_stack.h"
#include "tests/sim/stack_host.h"

#define MESSAGE_SIZE_TYPICAL 600
#define CLIENT_STARTS_MS 3000
#define JOIN_RETRY_MS 100
#define CPG_CHANGE 4
#define CPG_RING 13
#define REASON_NODE_DOWN 3
#define REASON_NODE_UP 4
#define REASON_DIED 5

/* Is this change of a group one that no message has brought: of nodes, or of processes that a node no longer has? Those come
 * in the step that tells of the ring, right before it. */
static bool comes_with_ring(const struct stack_host *host, size_t index)
{
    const struct outbox *out = &host->actions.services;
    const uint8_t *bytes = outbox_head_of(out, &out->items[index]);
    uint32_t members = ipc_get_u32(bytes, 160);
    uint32_t left = ipc_get_u32(bytes, 176);
    const uint8_t *first = bytes + 184 + 24 * (size_t)members;
    uint32_t reason = ipc_get_u32(first, 16);

    if (reason == REASON_DIED && left > 0 && ipc_get_u32(first, 0) != host->node->id) {
        for (size_t i = index + 1; i < out->count; i++) {
            const struct outbox_item *next = &out->items[i];

            if (next->type == OUTBOX_EVENT && next->conn == host->client.conn) {
                uint32_t id = ipc_get_u32(outbox_head_of(out, next), 0);

                if (id != CPG_CHANGE) {
                    return id == CPG_RING;
                }
            }
        }
        return false;
    }
    return reason == REASON_NODE_DOWN || reason == REASON_NODE_UP;
}

void stack_groups_on_item(struct stack_host *host, size_t index)
{
    const struct outbox *out = &host->actions.services;
    const struct outbox_item *item = &out->items[index];
    const uint8_t *head = outbox_head_of(out, item);
    uint32_t id = ipc_get_u32(head, 0);

    if (item->type == OUTBOX_ANSWER) {
        host->answer = (enum cs_error)ipc_get_u32(head, 16);
        return;
    }
    cpg_client_on_event(&host->client, head, item->head_size, item->body, item->body_size,
                        id == CPG_CHANGE && comes_with_ring(host, index));
}

void stack_groups_end(struct stack_host *host)
{
    if (host->client.log != NULL) {
        host->client.log->died = true;
    }
    host->client = (struct cpg_client){0};
}

/* a: boot */
static void on_client_start(const struct occurrence *occurrence)
{
    struct node *node = occurrence->who;

    if (node->boot == occurrence->a) {
        core_stack_client_start(node);
    }
}

void stack_groups_begin(struct stack_host *host)
{
    struct node *node = host->node;

    if (node->cluster->client_nodes & node_bit(node)) {
        schedule_add(&node->world->schedule, node->world->now_ms + prng_below(&node->world->prng, CLIENT_STARTS_MS),
                     on_client_start, node, node->boot, 0, 0);
    }
}

void core_stack_client_start(struct node *node)
{
    struct stack_host *host = node->host;
    const uint8_t *bytes;
    size_t size;

    if (!stack_host_runs(node) || !host->ready || stack_flow(host->stack, SERVICE_CPG) == STACK_FLOW_OFF) {
        if (node->up) {
            schedule_add(&node->world->schedule, node->world->now_ms + JOIN_RETRY_MS, on_client_start, node, node->boot, 0, 0);
        }
        return;
    }
    if (host->client.joining || host->leaving) {
        return;
    }
    if (host->client.conn == 0) {
        host->client.pid = ++host->last_pid;
        host->client.conn = stack_host_connect(host, SERVICE_CPG, host->client.pid);
        host->client.log = synchrony_new_log(node, host->client.pid, host->together_from);
    }
    bytes = cpg_client_join(&host->client, &size);
    host->client.joining = true;
    stack_host_request(host, host->client.conn, bytes, size);
    if (host->answer != CS_ERROR_OK) {
        world_fail(node->world, "GROUP", "%s node %u: a join is answered %d", node->cluster->name, node->id, (int)host->answer);
    }
    stack_host_step(host, &(struct stack_event){.type = STACK_EV_TIME});
}

void core_stack_client_kill(struct node *node)
{
    struct stack_host *host = node->host;
    uint64_t conn;

    if (!stack_host_runs(node) || host->client.conn == 0) {
        return;
    }
    NOTE(node->world, node, "its client of process groups dies");
    conn = host->client.conn;
    stack_groups_end(host);
    stack_host_step(host, &(struct stack_event){.type = STACK_EV_GONE, .u.client = {.conn = conn}});
}

static uint32_t some_size(struct prng *prng)
{
    switch (prng_below(prng, 12)) {
    case 0:
        return prng_between(prng, 1200, 1600); /* around a frame */
    case 1:
        return prng_between(prng, 2000, 20000);
    default:
        return prng_between(prng, CPG_CLIENT_PAYLOAD_MIN, MESSAGE_SIZE_TYPICAL);
    }
}

void core_stack_client_send(struct node *node, unsigned count)
{
    struct stack_host *host = node->host;

    if (!stack_host_runs(node) || !host->client.joining || !host->client.log->joined) {
        return;
    }
    for (unsigned i = 0; i < count && stack_flow(host->stack, SERVICE_CPG) != STACK_FLOW_OFF; i++) {
        size_t size;
        const uint8_t *bytes =
            cpg_client_message(&host->client, some_size(&node->world->prng), host->ring.seq, &size);

        NOTE(node->world, node, "  -> number %u, %zu bytes, in ring %llu", host->client.log->sent, size,
             (unsigned long long)host->ring.seq);

        stack_host_request(host, host->client.conn, bytes, size);
    }
    stack_host_step(host, &(struct stack_event){.type = STACK_EV_TIME});
}
