/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/service_world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/ipc_wire.h"

void world_init(struct service_world *world, enum service_id id, uint32_t node_id, const uint8_t *input,
                size_t size)
{
    memset(world, 0, sizeof(*world));
    world->input = input;
    world->input_size = size;
    world->id = id;
    world->node_id = node_id;
    world->now_ms = 1000;
    world->hash = UINT64_C(14695981039346656037);
    outbox_init(&world->out);
}

void world_fini(struct service_world *world)
{
    outbox_fini(&world->out);
}

/* ---- input ---- */

uint8_t world_take(struct service_world *world)
{
    if (world->input_size == 0)
        return 0;
    world->input_size--;
    return *world->input++;
}

uint32_t world_take_number(struct service_world *world)
{
    uint8_t byte = world_take(world);

    return byte < 250 ? byte % 25 : UINT32_MAX - (255u - byte);
}

size_t world_take_bytes(struct service_world *world, uint8_t *bytes, size_t size)
{
    if (size > world->input_size)
        size = world->input_size;
    if (size > 0)
        memcpy(bytes, world->input, size);
    world->input += size;
    world->input_size -= size;
    return size;
}

enum totem_order world_take_order(struct service_world *world)
{
    return world_take(world) % 2 == 0 ? TOTEM_LITTLE_ENDIAN : TOTEM_BIG_ENDIAN;
}

/* ---- what comes out ---- */

void world_mix(struct service_world *world, uint64_t number)
{
    world->hash = (world->hash ^ number) * UINT64_C(1099511628211);
}

static struct world_client *client_of(struct service_world *world, uint64_t conn)
{
    for (unsigned i = 0; i < WORLD_CLIENTS; i++)
        if (world->clients[i].conn == conn)
            return &world->clients[i];
    return NULL;
}

static void check_to_client(struct service_world *world, const struct outbox_item *item, const uint8_t *bytes)
{
    struct world_client *client = client_of(world, item->conn);

    assert(item->conn != 0 && client != NULL);
    assert(item->body == NULL && item->head_size >= IPC_ANSWER_SIZE && item->head_size <= IPC_MESSAGE_MAX);
    assert(ipc_get_u32(bytes, 8) == item->head_size);
    assert(ipc_get_u32(bytes, 4) == 0 && ipc_get_u32(bytes, 12) == 0 && ipc_get_u32(bytes, 20) == 0);
    if (item->type == OUTBOX_EVENT) {
        assert(ipc_get_u32(bytes, 16) == CS_ERROR_OK);
    } else {
        assert(client->owed > 0);
        client->owed--;
        memset(world->answer, 0, sizeof(world->answer));
        memcpy(world->answer, bytes,
               item->head_size < sizeof(world->answer) ? item->head_size : sizeof(world->answer));
    }
}

static void check_message(struct service_world *world, const struct outbox_item *item, const uint8_t *bytes)
{
    struct world_message *message = &world->messages[world->message_count];

    assert(item->body == NULL && item->head_size >= SERVICE_MESSAGE_HEADER_SIZE);
    assert(item->head_size <= WORLD_MESSAGE_SIZE);
    assert(totem_get_u32(bytes, TOTEM_ORDER_OURS) >> 16 == world->id);
    assert(totem_get_u32(bytes + 8, TOTEM_ORDER_OURS) == item->head_size);
    assert(world->message_count < WORLD_MESSAGES); /* the target delivers in time */
    memcpy(message->bytes, bytes, item->head_size);
    message->size = item->head_size;
    world->message_count++;
}

static void check_text(const struct outbox_item *item, const uint8_t *bytes)
{
    for (size_t i = 0; i < item->head_size; i++)
        assert(bytes[i] >= ' ' && bytes[i] <= '~');
}

static void check_item(struct service_world *world, const struct outbox_item *item)
{
    const uint8_t *bytes = outbox_head_of(&world->out, item);

    world_mix(world, (uint64_t)item->type << 8 | (uint64_t)item->task);
    world_mix(world, item->conn ^ item->number);
    for (size_t i = 0; i < item->head_size; i++)
        world_mix(world, bytes[i]);
    switch (item->type) {
    case OUTBOX_ANSWER:
    case OUTBOX_EVENT:
        check_to_client(world, item, bytes);
        break;
    case OUTBOX_MULTICAST:
        check_message(world, item, bytes);
        break;
    case OUTBOX_SYNC_DONE:
        assert(item->service == world->id);
        world->sync_done_count++;
        break;
    case OUTBOX_NOTE:
        assert(item->service == world->id);
        check_text(item, bytes);
        break;
    case OUTBOX_TASK:
        check_text(item, bytes);
        world->task_counts[item->task]++;
        break;
    }
}

void world_check(struct service_world *world)
{
    assert(!world->out.no_memory);
    for (size_t i = 0; i < world->out.count; i++)
        check_item(world, &world->out.items[i]);
    outbox_reset(&world->out);
}

/* ---- steps ---- */

void world_step(struct service_world *world, struct service_event event)
{
    event.now_ms = world->now_ms;
    outbox_reset(&world->out);
    assert(world->step(world->service, &event, &world->out) == Q_OK);
    world_check(world);
}

void world_connect(struct service_world *world, unsigned client)
{
    if (world->clients[client].conn != 0)
        return;
    world->clients[client] = (struct world_client){.conn = ++world->next_conn};
    world_step(world, (struct service_event){.type = SERVICE_EV_CONNECT,
                                             .u.client = {.conn = world->next_conn, .pid = 1}});
}

void world_gone(struct service_world *world, unsigned client)
{
    uint64_t conn = world->clients[client].conn;

    if (conn == 0)
        return;
    world->clients[client] = (struct world_client){0};
    world_step(world, (struct service_event){.type = SERVICE_EV_GONE, .u.client.conn = conn});
}

/* Of its own size, so that reading beyond its end is found. */
static uint8_t *copy(const uint8_t *bytes, size_t size)
{
    uint8_t *copied = malloc(size > 0 ? size : 1);

    assert(copied != NULL);
    if (size > 0)
        memcpy(copied, bytes, size);
    return copied;
}

static void request(struct service_world *world, unsigned client, const uint8_t *bytes, size_t size)
{
    uint8_t *copied = copy(bytes, size);

    assert(size >= IPC_REQUEST_SIZE);
    world_connect(world, client);
    world->clients[client].owed++;
    world_step(world, (struct service_event){
                          .type = SERVICE_EV_REQUEST,
                          .u.client = {.conn = world->clients[client].conn, .bytes = copied, .size = size}});
    free(copied);
}

void world_ask(struct service_world *world, unsigned client, uint8_t *bytes, size_t size, bool is_whole)
{
    ipc_put_u32(bytes, 8, is_whole || world_take(world) % 2 == 0 ? (uint32_t)size : world_take_number(world));
    request(world, client, bytes, size);
}

void world_deliver(struct service_world *world, uint32_t sender, enum totem_order order, const uint8_t *bytes,
                   size_t size)
{
    uint8_t *message = copy(bytes, size);

    world_step(world, (struct service_event){.type = SERVICE_EV_DELIVERED,
                                             .u.delivered = {sender, order, message, size}});
    free(message);
}

void world_deliver_own(struct service_world *world)
{
    struct world_message message;

    if (world->message_count == 0)
        return;
    message = world->messages[0];
    world->message_count--;
    memmove(&world->messages[0], &world->messages[1], world->message_count * sizeof(message));
    world_deliver(world, world->node_id, TOTEM_ORDER_OURS, message.bytes, message.size);
}

void world_make_room(struct service_world *world)
{
    if (world->message_count > WORLD_MESSAGES / 2)
        world_deliver_own(world);
}

int world_run_twice(uint64_t (*run)(const uint8_t *data, size_t size), const uint8_t *data, size_t size)
{
    uint64_t hash = run(data, size);

    assert(run(data, size) == hash);
    return 0;
}
