/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The service cmap among hostile clients and nodes (service_world.h). Besides: every request is answered at once, a
 * synchronisation's turn too; a key that a client has changed is told to the daemon, by a name that may stand in the map;
 * read-only keys keep their values, and statistics theirs, whatever clients ask for; deadlines are never behind once they
 * were served. Every input runs twice.
 *
 * Input: a program, one byte for what happens, then what that needs.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/services/cmap_service.h"
#include "core/services/ipc_wire.h"
#include "tests/fuzz/service_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OWN 2
#define REQUEST_MAX 640
#define HANDLES 8
#define STATISTICS 3

struct play {
    struct service_world world;
    struct cmap_service *service;
    struct cmap_store keys;
    struct cmap_changes changes;
    uint8_t members; /* bit i: node i + 1 */
    uint64_t handles[HANDLES];
    unsigned handle_count;
};

static const char *const names[] = {"totem.version",
                                    "totem.config_version",
                                    "own.a",
                                    "own.b",
                                    "own.",
                                    "",
                                    "ab",
                                    "own b",
                                    "stats.srp.0",
                                    "stats.srp.1",
                                    "stats.",
                                    "stats.clear.all",
                                    "quorum.cancel_wait_for_all"};
#define NAMES (sizeof(names) / sizeof(names[0]))

static enum q_err step(void *service, const struct service_event *event, struct outbox *out)
{
    return cmap_service_step(service, event, out);
}

static void statistic(struct play *play, unsigned index, uint64_t value)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "stats.srp.%u", index);
    if (value == 0)
        (void)cmap_store_delete(cmap_service_statistics(play->service), name, NULL);
    else
        (void)cmap_store_set_number(cmap_service_statistics(play->service), name, CMAP_U64, value, NULL);
}

static void start(struct play *play, const uint8_t *data, size_t size)
{
    memset(play, 0, sizeof(*play));
    world_init(&play->world, SERVICE_CMAP, OWN, data, size);
    cmap_store_init(&play->keys);
    cmap_changes_init(&play->changes);
    assert(cmap_store_set_number(&play->keys, "totem.version", CMAP_U32, 2, NULL) == CS_ERROR_OK);
    play->service = cmap_service_new(OWN, &play->keys);
    assert(play->service != NULL);
    assert(cmap_service_set_node(play->service, OWN, "r(0) ip(10.0.0.2) ") == Q_OK);
    statistic(play, 0, 1);
    play->world.service = play->service;
    play->world.step = step;
}

static void stop(struct play *play)
{
    cmap_service_free(play->service);
    cmap_changes_fini(&play->changes);
    cmap_store_fini(&play->keys);
    world_fini(&play->world);
}

/* ---- clients ---- */

static void put_name(struct service_world *world, uint8_t *bytes)
{
    uint8_t which = world_take(world);
    const char *name = names[which % NAMES];

    ipc_put_u16(bytes, 16, (uint16_t)strlen(name));
    memcpy(bytes + 24, name, strlen(name));
    if (which >= 200) { /* one of its own */
        size_t size = world_take_bytes(world, bytes + 24, which - 199);

        ipc_put_u16(bytes, 16, (uint16_t)(which % 2 == 0 ? size : which * 7));
    }
}

static uint64_t some_handle(struct play *play)
{
    return play->handles[world_take(&play->world) % HANDLES];
}

/* Those of iterators and trackers stand at the same place. */
static void remember_handle(struct play *play)
{
    uint32_t id = ipc_get_u32(play->world.answer, 0);

    if (id == 4 || id == 7)
        play->handles[play->handle_count++ % HANDLES] = ipc_get_u64(play->world.answer, 24);
}

static void fill_request(struct play *play, uint8_t *bytes, size_t *size)
{
    struct service_world *world = &play->world;
    uint32_t id = world_take(world) % 11;

    ipc_put_u32(bytes, 0, id);
    if (id == 5 || id == 6 || id == 8) {
        ipc_put_u64(bytes, 16, some_handle(play));
        *size = 24;
    } else if (id == 9) {
        ipc_put_u32(bytes, 16, world_take_number(world));
        *size = 24;
    } else {
        put_name(world, bytes);
        ipc_put_u32(bytes, 280, world_take_number(world)); /* size, room, step, bits */
        ipc_put_u32(bytes, 284, world_take(world) > 250 ? UINT32_MAX : 0);
        ipc_put_u32(bytes, 288, world_take(world)); /* type, cookie */
        *size = 296 + world_take_bytes(world, bytes + 296, world_take_number(world) % 64);
    }
}

static void ask(struct play *play, bool is_whole)
{
    struct service_world *world = &play->world;
    unsigned client = world_take(world) % WORLD_CLIENTS;
    uint8_t bytes[REQUEST_MAX] = {0};
    size_t size;

    if (is_whole) {
        fill_request(play, bytes, &size);
    } else {
        size = IPC_REQUEST_SIZE + world_take(world) * 2;
        ipc_put_u32(bytes, 0, world_take_number(world));
        (void)world_take_bytes(world, bytes + IPC_REQUEST_SIZE, size - IPC_REQUEST_SIZE);
    }
    world_ask(world, client, bytes, size, is_whole);
    assert(world->clients[client].owed == 0);
    remember_handle(play);
}

/* ---- the cluster ---- */

static void fill_set(struct node_set *set, uint8_t bits)
{
    node_set_init(set);
    for (uint32_t i = 0; i < 8; i++)
        if ((bits & 1u << i) != 0)
            assert(node_set_add(set, i + 1) == Q_OK);
}

static void synchronise(struct play *play)
{
    struct service_world *world = &play->world;
    unsigned done = world->sync_done_count;
    struct node_set members, transitional;

    play->members = world_take(world) | 1u << (OWN - 1);
    fill_set(&members, play->members);
    fill_set(&transitional, world_take(world));
    world_step(world, (struct service_event){.type = SERVICE_EV_SYNC_INIT,
                                             .u.init = {{1, 4}, &members, &transitional}});
    node_set_fini(&members);
    node_set_fini(&transitional);
    if (world_take(world) % 4 == 0) {
        world_step(world, (struct service_event){.type = SERVICE_EV_SYNC_ABORT});
        return;
    }
    world_step(world, (struct service_event){.type = SERVICE_EV_SYNC_PROCESS});
    assert(world->sync_done_count == done + 1);
    world_deliver_own(world);
    world_step(world, (struct service_event){.type = SERVICE_EV_SYNC_ACTIVATE});
}

static void hear(struct play *play)
{
    struct service_world *world = &play->world;
    enum totem_order order = world_take_order(world);
    uint32_t sender = world_take(world) % 9 + 1;
    uint8_t bytes[REQUEST_MAX] = {0};
    size_t size = 336;

    totem_put_u32(bytes, service_message_id(SERVICE_CMAP, 0), order);
    bytes[24] = world_take(world) % 4;
    for (size_t at = 48; at <= 48 + 288; at += 288) {
        totem_put_u16(bytes + at, 20, order);
        memcpy(bytes + at + 8, "totem.config_version", 20);
        bytes[at + 264] = world_take(world) % 2 == 0 ? CMAP_U64 : world_take(world);
        totem_put_u64(bytes + at + 272, world_take(world) % 2 == 0 ? 8 : world_take_number(world), order);
        totem_put_u32(bytes + at + 280, world_take_number(world), order);
    }
    if (world_take(world) % 2 == 0)
        size = world_take(world) * 2 + 16;
    if (world_take(world) % 2 == 0)
        (void)world_take_bytes(world, bytes + 16, world_take(world));
    world_deliver(world, sender, order, bytes, size);
}

static void change_keys(struct play *play)
{
    const char *name = names[world_take(&play->world) % NAMES];

    if (strcmp(name, "totem.version") == 0)
        return;
    (void)cmap_store_set_number(&play->keys, name, CMAP_U64, world_take(&play->world), &play->changes);
    cmap_service_tell(play->service, &play->changes, &play->world.out);
    assert(play->changes.count == 0);
    world_check(&play->world);
}

static void time_passes(struct play *play)
{
    play->world.now_ms += (uint64_t)world_take(&play->world) * 10;
    world_step(&play->world, (struct service_event){.type = SERVICE_EV_TIME});
    assert(cmap_service_deadline_ms(play->service) > play->world.now_ms);
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
    case 5:
        ask(play, true);
        break;
    case 6:
        ask(play, false);
        break;
    case 7:
        synchronise(play);
        break;
    case 8:
        hear(play);
        break;
    case 9:
        change_keys(play);
        break;
    case 10:
        statistic(play, world_take(world) % STATISTICS, world_take(world));
        break;
    case 11:
        time_passes(play);
        break;
    }
    world_make_room(world);
}

static void check(struct play *play)
{
    struct cmap_value value;
    uint64_t number;

    assert(cmap_store_number(&play->keys, "totem.version", CMAP_U32, &number) && number == 2);
    for (const char *name = ""; (name = cmap_store_next(&play->keys, "", name, &value)) != NULL;)
        assert(cmap_name_is_valid(name) && cmap_value_is_valid(&value));
    for (unsigned i = 0; i < WORLD_CLIENTS; i++)
        assert(play->world.clients[i].owed == 0);
}

static uint64_t run(const uint8_t *data, size_t size)
{
    struct play play;
    uint64_t hash;

    start(&play, data, size);
    while (play.world.input_size > 0)
        happen(&play);
    check(&play);
    hash = play.world.hash;
    stop(&play);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return world_run_twice(run, data, size);
}
