/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The service cfg among hostile clients and nodes (service_world.h). Besides: reloads are asked for as often as orders
 * arrive; it leaves once at most; a deadline is never behind once it was served; and at the end, when the ring has
 * brought everything back, reloads are done and time has passed, nobody waits for an answer. Every input runs twice.
 *
 * Input: a program, one byte for what happens, then what that needs.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/services/cfg.h"
#include "core/services/ipc_wire.h"
#include "tests/fuzz/service_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OWN 2
#define NODES 3
#define MESSAGE_MAX 304

struct play {
    struct service_world world;
    struct cfg *cfg;
    struct cmap_store keys;
    struct core_config config;
    struct core_node nodes[NODES];
    struct node_link_status node_links[NODES];
    struct link_status_table links;
    unsigned reloads_done;
};

static enum q_err step(void *service, const struct service_event *event, struct outbox *out)
{
    return cfg_step(service, event, out);
}

static void start(struct play *play, const uint8_t *data, size_t size)
{
    memset(play, 0, sizeof(*play));
    world_init(&play->world, SERVICE_CFG, OWN, data, size);
    cmap_store_init(&play->keys);
    for (uint32_t i = 0; i < NODES; i++) {
        play->nodes[i].id = i + 1;
        play->nodes[i].addresses[i].family = i == 1 ? 6 : 4;
        play->node_links[i].node_id = i + 1;
        play->node_links[i].links[i].exists = true;
        memset(play->node_links[i].links[i].source, 's', LINK_STATUS_ADDRESS_SIZE);
    }
    play->config = (struct core_config){.nodes = play->nodes, .node_count = NODES};
    play->links = (struct link_status_table){play->node_links, NODES};
    play->cfg = cfg_new(OWN, 7);
    assert(play->cfg != NULL);
    cfg_set_view(play->cfg, &play->config, &play->keys, &play->links);
    play->world.service = play->cfg;
    play->world.step = step;
}

static void stop(struct play *play)
{
    cfg_free(play->cfg);
    cmap_store_fini(&play->keys);
    world_fini(&play->world);
}

/* ---- what happens ---- */

static void ask(struct play *play, bool is_whole)
{
    struct service_world *world = &play->world;
    unsigned client = world_take(world) % WORLD_CLIENTS;
    uint8_t bytes[MESSAGE_MAX] = {0};
    size_t size = 288;

    if (is_whole) {
        ipc_put_u32(bytes, 0, world_take(world) % 13);
        ipc_put_u32(bytes, 16, world_take_number(world));
        ipc_put_u32(bytes, 24, world_take_number(world)); /* version, or the length of a reason */
        memset(bytes + 26, 'x', world_take(world));
    } else {
        size = IPC_REQUEST_SIZE + world_take(world);
        ipc_put_u32(bytes, 0, world_take_number(world));
        (void)world_take_bytes(world, bytes + IPC_REQUEST_SIZE, size - IPC_REQUEST_SIZE);
    }
    world_ask(world, client, bytes, size, is_whole);
}

static void hear(struct play *play)
{
    struct service_world *world = &play->world;
    enum totem_order order = world_take_order(world);
    uint32_t sender = world_take(world) % 4 + 1;
    uint8_t bytes[MESSAGE_MAX] = {0};
    size_t size = world_take(world) % 2 == 0 ? MESSAGE_MAX : world_take(world);

    totem_put_u32(bytes, service_message_id(SERVICE_CFG, world_take(world) % 6), order);
    totem_put_u32(bytes + 16, world_take_number(world), order);
    (void)world_take_bytes(world, bytes + 24, world_take(world) % 32);
    world_deliver(world, sender, order, bytes, size);
}

static void reload_done(struct play *play, enum cs_error result)
{
    if (play->reloads_done == play->world.task_counts[OUTBOX_RELOAD])
        return;
    play->reloads_done++;
    cfg_reloaded(play->cfg, result, &play->world.out);
    world_check(&play->world);
}

static void time_passes(struct play *play, uint64_t ms)
{
    play->world.now_ms += ms;
    world_step(&play->world, (struct service_event){.type = SERVICE_EV_TIME});
    assert(cfg_deadline_ms(play->cfg) > play->world.now_ms);
}

static void set_keys(struct play *play)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "runtime.members.%u.status", world_take_number(&play->world));
    (void)cmap_store_set_text(&play->keys, name, world_take(&play->world) % 2 == 0 ? "joined" : "left", NULL);
    (void)cmap_store_set_number(&play->keys, "cfg.shutdown_timeout", CMAP_U32,
                                world_take_number(&play->world), NULL);
}

static void happen(struct play *play)
{
    struct service_world *world = &play->world;

    switch (world_take(world) % 12) {
    case 0:
        world_connect(world, world_take(world) % WORLD_CLIENTS);
        break;
    case 1:
        world_gone(world, world_take(world) % WORLD_CLIENTS);
        break;
    case 2:
    case 3:
    case 4:
        ask(play, true);
        break;
    case 5:
        ask(play, false);
        break;
    case 6:
        hear(play);
        break;
    case 7:
        world_deliver_own(world);
        break;
    case 8:
        reload_done(play, world_take(world) % 2 == 0 ? CS_ERROR_OK : CS_ERROR_INVALID_PARAM);
        break;
    case 9:
        time_passes(play, (uint64_t)world_take(world) * 40);
        break;
    case 10:
        set_keys(play);
        break;
    case 11:
        if (world_take(world) % 4 == 0)
            cfg_shutdown(play->cfg, &world->out);
        else
            cfg_crypto_changed(play->cfg, &world->out);
        world_check(world);
        break;
    }
    world_make_room(world);
    assert(world->task_counts[OUTBOX_LEAVE] <= 1);
}

/* All that could still come comes; then all questions are answered. */
static void come_to_an_end(struct play *play)
{
    struct service_world *world = &play->world;

    for (unsigned i = 0; i < 4 * WORLD_MESSAGES && world->message_count > 0; i++)
        world_deliver_own(world);
    assert(world->message_count == 0);
    while (play->reloads_done < world->task_counts[OUTBOX_RELOAD])
        reload_done(play, CS_ERROR_OK);
    for (unsigned i = 0; i < 3; i++)
        time_passes(play, (uint64_t)UINT32_MAX + 1);
    while (world->message_count > 0)
        world_deliver_own(world);
    assert(cfg_deadline_ms(play->cfg) == SERVICE_NEVER);
    for (unsigned i = 0; i < WORLD_CLIENTS; i++)
        assert(world->clients[i].owed == 0);
    assert(world->task_counts[OUTBOX_LEAVE] <= 1);
    assert(world->task_counts[OUTBOX_CRYPTO_FORGET] <= world->task_counts[OUTBOX_CRYPTO_USE]);
}

static uint64_t run(const uint8_t *data, size_t size)
{
    struct play play;
    uint64_t hash;

    start(&play, data, size);
    while (play.world.input_size > 0)
        happen(&play);
    come_to_an_end(&play);
    hash = play.world.hash;
    stop(&play);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return world_run_twice(run, data, size);
}
