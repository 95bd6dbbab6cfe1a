/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile clients and hostile nodes against the cpg machine, in all states of a synchronisation. Node 1 is ours; its own
 * messages come back in order, when the input says so. What must hold: cpg_check after each step; each request has one
 * answer, a message of a client none; what clients are told goes to those that are there, is as long as it says and
 * within what a ring buffer holds; messages for other nodes are as long as they say and decode; the same input gives the
 * same actions.
 *
 * Input: operations, each a byte (its low half, the high half is its argument), then what it needs.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cpg.h"
#include "core/services/cpg_wire.h"
#include "core/services/ipc_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OWN 1
#define NODES 4
#define CLIENTS 6
#define QUEUE_MAX 64
#define REQUEST_MCAST 2

enum operation {
    OP_CONNECT,     /* of the client that the argument names, or its end */
    OP_REQUEST,     /* a length, then a request of the client */
    OP_JOIN,        /* a group and a pid */
    OP_MCAST,       /* some bytes */
    OP_FRAGMENT,    /* type, whole size, some bytes */
    OP_BACK,        /* our oldest message comes back */
    OP_DELIVER,     /* a length, then a message of the node that the argument names, in our order */
    OP_DELIVER_ODD, /* in the other */
    OP_PEER,        /* a function, a group and a pid: a message of a node that is well-formed */
    OP_INIT,        /* members and those that come along, a byte of bits for both */
    OP_PROCESS,
    OP_ACTIVATE,
    OP_ABORT,
    OP_TIME
};

struct own_message {
    bool for_this_ring;
    uint8_t *bytes;
    size_t size;
};

struct game {
    struct cpg *cpg;
    struct outbox out;
    const uint8_t *data;
    size_t size;
    uint64_t now_ms;
    uint64_t conns[CLIENTS]; /* 0: not there */
    uint64_t next_conn;
    struct own_message queue[QUEUE_MAX];
    size_t queue_count;
    enum sync_state {
        SYNC_NONE,
        SYNC_INIT,
        SYNC_SAID,
        SYNC_ABORTED
    } sync; /* NONE is the only state in which all may be said */
    bool had_ring;
    uint64_t seq;
    unsigned answers, done;
    uint64_t hash; /* of all actions */
};

static void hash_bytes(struct game *game, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        game->hash = (game->hash ^ bytes[i]) * UINT64_C(1099511628211);
}

static uint8_t take(struct game *game)
{
    if (game->size == 0)
        return 0;
    game->size--;
    return *game->data++;
}

/* A copy as long as that, so that a sanitizer sees what is read beyond it. */
static uint8_t *take_bytes(struct game *game, size_t size)
{
    uint8_t *bytes = calloc(1, size > 0 ? size : 1);
    size_t had = size < game->size ? size : game->size;

    assert(bytes != NULL);
    if (had > 0)
        memcpy(bytes, game->data, had);
    game->data += had;
    game->size -= had;
    return bytes;
}

/* ---- what comes out ------------------------------------------------------------------------------------------------ */

static bool is_there(const struct game *game, uint64_t conn)
{
    for (size_t i = 0; i < CLIENTS; i++)
        if (game->conns[i] == conn)
            return conn != 0;
    return false;
}

static void check_message(const struct outbox_item *item, const uint8_t *head)
{
    size_t size = item->head_size + item->body_size;

    assert(item->head_size >= IPC_ANSWER_SIZE && size <= IPC_MESSAGE_MAX);
    assert(ipc_get_u32(head, 8) == size);
}

static void keep_own(struct game *game, const struct outbox_item *item, const uint8_t *head)
{
    struct own_message *own;
    struct cpg_message message;

    if (game->queue_count == QUEUE_MAX)
        return; /* as if there had been no room; only joins and leaves would be missed, see has_room */
    own = &game->queue[game->queue_count++];
    own->size = item->head_size + item->body_size;
    own->for_this_ring = item->for_this_ring;
    own->bytes = malloc(own->size);
    assert(own->bytes != NULL);
    memcpy(own->bytes, head, item->head_size);
    if (item->body_size > 0)
        memcpy(own->bytes + item->head_size, item->body, item->body_size);
    assert(ipc_get_u32(own->bytes, 8) == own->size);
    assert(cpg_message_decode(own->bytes, own->size, TOTEM_ORDER_OURS, &message) == Q_OK);
}

static void carry_out(struct game *game, const struct outbox_item *item)
{
    const uint8_t *head = outbox_head_of(&game->out, item);

    hash_bytes(game, head, item->head_size);
    hash_bytes(game, item->body, item->body_size);
    switch (item->type) {
    case OUTBOX_ANSWER:
        game->answers++;
        /* fall through */
    case OUTBOX_EVENT:
        assert(is_there(game, item->conn));
        check_message(item, head);
        break;
    case OUTBOX_MULTICAST:
        keep_own(game, item, head);
        break;
    case OUTBOX_SYNC_DONE:
        game->done++;
        break;
    case OUTBOX_NOTE:
        assert(item->head_size > 0);
        break;
    case OUTBOX_TASK:
        assert(item->task == OUTBOX_UNLINK_FILE && item->head_size < 128);
        assert(memchr(head, '\0', item->head_size) == NULL);
        break;
    }
}

static void step(struct game *game, struct service_event *event)
{
    event->now_ms = game->now_ms;
    game->answers = 0;
    game->done = 0;
    outbox_reset(&game->out);
    assert(cpg_step(game->cpg, event, &game->out) == Q_OK);
    for (size_t i = 0; i < game->out.count; i++)
        carry_out(game, &game->out.items[i]);
    cpg_check(game->cpg);
}

/* A step adds two messages at most, and a client that ends one without being asked. */
static bool has_room(const struct game *game)
{
    return game->queue_count + 2 + CLIENTS < QUEUE_MAX;
}

/* ---- what goes in -------------------------------------------------------------------------------------------------- */

static void connect_or_not(struct game *game, size_t client)
{
    struct service_event event = {.type = SERVICE_EV_CONNECT};

    if (game->conns[client] == 0) {
        game->conns[client] = ++game->next_conn;
        event.u.client.conn = game->conns[client];
        event.u.client.pid = (uint32_t)client;
    } else {
        if (!has_room(game))
            return;
        event.type = SERVICE_EV_GONE;
        event.u.client.conn = game->conns[client];
        game->conns[client] = 0;
    }
    step(game, &event);
}

static bool is_gated(uint32_t id)
{
    return id < 3 || id >= 8;
}

static void ask(struct game *game, size_t client, const uint8_t *bytes, size_t size)
{
    struct service_event event = {.type = SERVICE_EV_REQUEST};
    uint32_t id = ipc_get_u32(bytes, 0);

    if (game->conns[client] == 0 || !game->had_ring || !has_room(game) ||
        (is_gated(id) && game->sync != SYNC_NONE))
        return;
    event.u.client.conn = game->conns[client];
    event.u.client.bytes = bytes;
    event.u.client.size = size;
    step(game, &event);
    assert(game->answers == (id == REQUEST_MCAST ? 0 : 1));
}

static void ask_raw(struct game *game, size_t client)
{
    size_t size = IPC_REQUEST_SIZE + take(game);
    uint8_t *bytes = take_bytes(game, size);

    ask(game, client, bytes, size);
    free(bytes);
}

static void put_group(struct game *game, uint8_t *bytes, size_t offset)
{
    uint8_t which = take(game);

    ipc_put_u32(bytes, offset, which % 4);
    memcpy(bytes + offset + 8, "aab", 3);
    bytes[offset + 8] = which / 4 % 2;
}

static void ask_join(struct game *game, size_t client)
{
    uint8_t bytes[168] = {0};

    ipc_put_u32(bytes, 8, sizeof(bytes));
    put_group(game, bytes, 16);
    ipc_put_u32(bytes, 152, take(game) % 3);
    ipc_put_u32(bytes, 160, take(game));
    ask(game, client, bytes, sizeof(bytes));
}

static void ask_mcast(struct game *game, size_t client)
{
    size_t size = 40 + (size_t)take(game);
    uint8_t *bytes = calloc(1, size);

    assert(bytes != NULL);
    bytes[0] = REQUEST_MCAST;
    ipc_put_u32(bytes, 8, (uint32_t)size);
    ipc_put_u32(bytes, 32, (uint32_t)size - 40);
    ask(game, client, bytes, size);
    free(bytes);
}

static void ask_fragment(struct game *game, size_t client)
{
    uint8_t bytes[56 + 16] = {12};
    uint32_t type = take(game) % 5;
    uint32_t whole = take(game);
    uint32_t length = take(game) % 17;

    ipc_put_u32(bytes, 8, 56 + length);
    ipc_put_u32(bytes, 32, whole);
    ipc_put_u32(bytes, 40, length);
    ipc_put_u32(bytes, 48, type);
    ask(game, client, bytes, 56 + (size_t)length);
}

static void deliver(struct game *game, uint32_t sender, enum totem_order order, const uint8_t *bytes,
                    size_t size)
{
    struct service_event event = {.type = SERVICE_EV_DELIVERED};

    event.u.delivered.sender = sender;
    event.u.delivered.order = order;
    event.u.delivered.bytes = bytes;
    event.u.delivered.size = size;
    step(game, &event);
    assert(game->answers == 0 && game->done == 0);
}

static void deliver_raw(struct game *game, uint32_t sender, enum totem_order order)
{
    size_t size = SERVICE_MESSAGE_HEADER_SIZE + 2 * (size_t)take(game);
    uint8_t *bytes = take_bytes(game, size);

    deliver(game, sender, order, bytes, size);
    free(bytes);
}

static void deliver_peer(struct game *game, uint32_t sender)
{
    uint8_t bytes[512] = {0};
    uint32_t function = take(game) % 7;
    static const uint32_t sizes[] = {168, 168, 24 + 2 * 144, 184 + 16, 1560, 1568, 200 + 8};

    if (function == 4 || function == 5)
        return;
    ipc_put_u32(bytes, 0, service_message_id(SERVICE_CPG, function));
    ipc_put_u32(bytes, 8, sizes[function]);
    if (function == 2) {
        for (size_t i = 0; i < 2; i++) {
            ipc_put_u32(bytes, 24 + 144 * i, take(game) % 4);
            put_group(game, bytes, 32 + 144 * i);
        }
    } else {
        put_group(game, bytes, 16);
        ipc_put_u32(bytes, 152, function == 3 ? 16 : take(game) % 32);
        ipc_put_u32(bytes, 160, function == 6 ? 8 : take(game) % 6);
        ipc_put_u32(bytes, 168, take(game) % 4);
        ipc_put_u32(bytes, 176, take(game) % 4);
    }
    deliver(game, sender, TOTEM_ORDER_OURS, bytes, sizes[function]);
}

/* Our oldest message, of those that may be sent now. */
static void deliver_own(struct game *game)
{
    for (size_t i = 0; i < game->queue_count; i++) {
        struct own_message own = game->queue[i];

        if (game->sync != SYNC_NONE && !own.for_this_ring)
            continue;
        game->queue_count--;
        memmove(game->queue + i, game->queue + i + 1, (game->queue_count - i) * sizeof(own));
        deliver(game, OWN, TOTEM_ORDER_OURS, own.bytes, own.size);
        free(own.bytes);
        return;
    }
}

static void init_sync(struct game *game)
{
    struct service_event event = {.type = SERVICE_EV_SYNC_INIT};
    uint8_t bits = take(game);
    uint32_t members[NODES] = {OWN};
    uint32_t together[NODES] = {OWN};
    size_t member_count = 1;
    size_t together_count = 1;
    size_t kept = 0;
    struct node_set member_set;
    struct node_set together_set;

    for (uint32_t id = 2; id <= NODES; id++) {
        if ((bits >> id & 1) == 0)
            continue;
        members[member_count++] = id;
        if ((bits >> (id + 3) & 1) != 0)
            together[together_count++] = id;
    }
    for (size_t i = 0; i < game->queue_count; i++)
        if (game->queue[i].for_this_ring)
            free(game->queue[i].bytes);
        else
            game->queue[kept++] = game->queue[i];
    game->queue_count = kept;
    node_set_init(&member_set);
    node_set_init(&together_set);
    assert(node_set_assign(&member_set, members, member_count) == Q_OK);
    assert(node_set_assign(&together_set, together, together_count) == Q_OK);
    event.u.init.ring_id = (struct totem_ring_id){OWN, ++game->seq};
    event.u.init.members = &member_set;
    event.u.init.transitional = &together_set;
    game->sync = SYNC_INIT;
    step(game, &event);
    node_set_fini(&member_set);
    node_set_fini(&together_set);
}

static void sync_step(struct game *game, enum operation op)
{
    struct service_event event = {.type = SERVICE_EV_SYNC_ABORT};

    if (game->sync == SYNC_NONE || game->sync == SYNC_ABORTED || !has_room(game))
        return;
    if (op == OP_PROCESS) {
        if (game->sync != SYNC_INIT)
            return;
        event.type = SERVICE_EV_SYNC_PROCESS;
        step(game, &event);
        assert(game->done == 1);
        game->sync = SYNC_SAID;
        return;
    }
    if (op == OP_ACTIVATE) {
        if (game->sync != SYNC_SAID)
            return;
        event.type = SERVICE_EV_SYNC_ACTIVATE;
        game->had_ring = true;
    }
    game->sync = op == OP_ABORT ? SYNC_ABORTED : SYNC_NONE;
    step(game, &event);
}

static void play_one(struct game *game)
{
    uint8_t byte = take(game);
    size_t client = (size_t)(byte >> 4) % CLIENTS;
    uint32_t node = 2 + (uint32_t)(byte >> 4) % NODES; /* one of them is never a member */

    switch ((enum operation)(byte % 16)) {
    case OP_CONNECT:
        connect_or_not(game, client);
        break;
    case OP_REQUEST:
        ask_raw(game, client);
        break;
    case OP_JOIN:
        ask_join(game, client);
        break;
    case OP_MCAST:
        ask_mcast(game, client);
        break;
    case OP_FRAGMENT:
        ask_fragment(game, client);
        break;
    case OP_BACK:
        deliver_own(game);
        break;
    case OP_DELIVER:
        deliver_raw(game, node, TOTEM_ORDER_OURS);
        break;
    case OP_DELIVER_ODD:
        deliver_raw(game, node,
                    TOTEM_ORDER_OURS == TOTEM_LITTLE_ENDIAN ? TOTEM_BIG_ENDIAN : TOTEM_LITTLE_ENDIAN);
        break;
    case OP_PEER:
        deliver_peer(game, node);
        break;
    case OP_INIT:
        init_sync(game);
        break;
    case OP_PROCESS:
        sync_step(game, OP_PROCESS);
        break;
    case OP_ACTIVATE:
        sync_step(game, OP_ACTIVATE);
        break;
    case OP_ABORT:
        sync_step(game, OP_ABORT);
        break;
    case OP_TIME:
        game->now_ms += 1000 * (uint64_t)client;
        break;
    default:
        break;
    }
}

static uint64_t play(const uint8_t *data, size_t size)
{
    struct game game = {.data = data, .size = size, .hash = UINT64_C(14695981039346656037)};

    game.cpg = cpg_new(OWN);
    assert(game.cpg != NULL);
    outbox_init(&game.out);
    while (game.size > 0)
        play_one(&game);
    for (size_t i = 0; i < game.queue_count; i++)
        free(game.queue[i].bytes);
    outbox_fini(&game.out);
    cpg_free(game.cpg);
    return game.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    assert(play(data, size) == play(data, size));
    return 0;
}
