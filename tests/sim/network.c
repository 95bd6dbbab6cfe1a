/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/arbiter_host.h"
#include "tests/sim/node.h"

static void on_arrival(const struct occurrence *occurrence);

static bool path_up(const struct conn *conn, bool to_arbiter)
{
    if (to_arbiter && conn->node->connect_held && !conn->accepted) {
        return false;
    }
    return to_arbiter ? conn->node->path_to_arbiter : conn->node->path_to_device;
}

static struct pipe *pipe_of(struct conn *conn, bool to_arbiter)
{
    return to_arbiter ? &conn->to_arbiter : &conn->to_device;
}

static void queue_head(struct conn *conn, bool to_arbiter)
{
    struct pipe *pipe = pipe_of(conn, to_arbiter);
    struct world *world = conn->node->world;

    if (pipe->queued || pipe->head == NULL || !path_up(conn, to_arbiter)) {
        return;
    }
    pipe->queued = true;
    schedule_add(&world->schedule, pipe->head->at_ms > world->now_ms ? pipe->head->at_ms : world->now_ms,
                 on_arrival, conn, to_arbiter, 0, 0);
}

static void append(struct conn *conn, bool to_arbiter, enum chunk_kind kind, const void *bytes, size_t size,
                   uint32_t late_ms)
{
    struct world *world = conn->node->world;
    struct pipe *pipe = pipe_of(conn, to_arbiter);
    struct chunk *chunk = malloc(sizeof *chunk + size);
    uint64_t at_ms = world->now_ms + world->network.delay_ms + late_ms;

    assert(chunk != NULL);
    if (world->network.jitter_ms > 0) {
        at_ms += prng_below(&world->prng, world->network.jitter_ms + 1);
    }
    if (prng_chance(&world->prng, world->network.linger_permille)) {
        at_ms += prng_below(&world->prng, 3000);
    }
    if (at_ms < pipe->last_ms) {
        at_ms = pipe->last_ms;
    }
    *chunk = (struct chunk){.at_ms = at_ms, .kind = kind, .size = (uint32_t)size};
    if (size > 0) {
        memcpy(chunk->bytes, bytes, size);
    }
    pipe->last_ms = at_ms;
    if (pipe->tail != NULL) {
        pipe->tail->next = chunk;
    } else {
        pipe->head = chunk;
    }
    pipe->tail = chunk;
    pipe->count++;
    queue_head(conn, to_arbiter);
}

static void send_pieces(struct conn *conn, bool to_arbiter, enum chunk_kind kind, const void *bytes,
                        size_t size)
{
    struct prng *prng = &conn->node->world->prng;
    const uint8_t *from = bytes;

    if (kind == CHUNK_DATA && size > 1 && prng_chance(prng, conn->node->world->network.split_permille)) {
        size_t largest = prng_chance(prng, 200) ? 1 : size; /* now and then byte by byte */

        for (int pieces = 0; pieces < 24 && size > 1; pieces++) {
            size_t piece = 1 + prng_below(prng, (uint32_t)(largest < size ? largest : size - 1));

            append(conn, to_arbiter, kind, from, piece, prng_below(prng, 4));
            from += piece;
            size -= piece;
        }
    }
    append(conn, to_arbiter, kind, from, size, 0);
}

struct conn *network_connect(struct node *node)
{
    struct conn *conn = calloc(1, sizeof *conn);

    assert(conn != NULL);
    conn->node = node;
    conn->next = node->world->conns;
    node->world->conns = conn;
    conn->device_open = true;
    conn->device_epoch = node->device_epoch;
    wire_framer_init(&conn->arbiter_framer, WIRE_SIZE_DEFAULT);
    wire_framer_init(&conn->device_framer, WIRE_SIZE_DEFAULT);
    append(conn, true, CHUNK_SYN, NULL, 0, 0);
    return conn;
}

void network_device_send(struct conn *conn, enum chunk_kind kind, const void *bytes, size_t size)
{
    if (conn->device_open) {
        send_pieces(conn, true, kind, bytes, size);
    }
}

void network_arbiter_send(struct conn *conn, enum chunk_kind kind, const void *bytes, size_t size)
{
    if (conn->arbiter_open) {
        send_pieces(conn, false, kind, bytes, size);
    }
}

void network_device_close(struct conn *conn, bool goodbye)
{
    if (!conn->device_open) {
        return;
    }
    if (goodbye && conn->tls) {
        append(conn, true, CHUNK_CLOSE_NOTIFY, NULL, 0, 0);
    }
    append(conn, true, CHUNK_FIN, NULL, 0, 0);
    conn->device_open = false;
}

void network_device_died(struct conn *conn)
{
    network_device_close(conn, false);
}

void network_arbiter_close(struct conn *conn)
{
    if (!conn->arbiter_open) {
        return;
    }
    append(conn, false, CHUNK_FIN, NULL, 0, 0);
    conn->arbiter_open = false;
}

static void arrive_at_arbiter(struct conn *conn, const struct chunk *chunk)
{
    struct world *world = conn->node->world;

    if (!world->host.host_up) {
        conn->arbiter_end_lost = true; /* repeated until somebody answers */
        return;
    }
    if (chunk->kind == CHUNK_SYN) {
        if (!conn->device_open) {
            return; /* given up before it was heard: not repeated any more */
        }
        if (!arbiter_host_on_syn(conn)) {
            append(conn, false, CHUNK_RESET, NULL, 0, 0);
        }
        return;
    }
    if (!conn->arbiter_open) {
        if (chunk->kind != CHUNK_FIN && chunk->kind != CHUNK_RESET) {
            append(conn, false, CHUNK_RESET, NULL, 0, 0);
        }
        return;
    }
    arbiter_host_on_chunk(conn, chunk);
}

static void arrive_at_device(struct conn *conn, const struct chunk *chunk)
{
    struct node *node = conn->node;

    if (!node->up) {
        conn->device_end_lost = true;
        return;
    }
    if (!conn->device_open) {
        if (chunk->kind != CHUNK_FIN && chunk->kind != CHUNK_RESET) {
            append(conn, true, CHUNK_RESET, NULL, 0, 0);
        }
        return;
    }
    switch (chunk->kind) {
    case CHUNK_ACCEPTED:
        node_on_connected(conn);
        break;
    case CHUNK_DATA:
        node_on_bytes(conn, chunk->bytes, chunk->size);
        break;
    case CHUNK_SERVER_HELLO:
        network_device_send(conn, CHUNK_FINISHED, NULL, 0);
        node_on_secured(conn);
        break;
    case CHUNK_FIN:
    case CHUNK_RESET:
        conn->device_open = false;
        if (chunk->kind == CHUNK_FIN) {
            append(conn, true, CHUNK_FIN, NULL, 0, 0);
        }
        node_on_closed(conn);
        break;
    case CHUNK_SYN:
    case CHUNK_HELLO:
    case CHUNK_FINISHED:
    case CHUNK_CLOSE_NOTIFY:
        break;
    }
}

static void on_arrival(const struct occurrence *occurrence)
{
    struct conn *conn = occurrence->who;
    bool to_arbiter = occurrence->a != 0;
    struct pipe *pipe = pipe_of(conn, to_arbiter);
    struct world *world = conn->node->world;
    struct chunk *chunk = pipe->head;
    uint64_t until_ms;

    pipe->queued = false;
    if (chunk == NULL || !path_up(conn, to_arbiter)) {
        return; /* goes on when the path is up again */
    }
    /* The kernel of a frozen process keeps the bytes for it. */
    if (to_arbiter ? arbiter_host_frozen(world, &until_ms) : node_device_frozen(conn->node, &until_ms)) {
        pipe->queued = true;
        schedule_add(&world->schedule, until_ms, on_arrival, conn, to_arbiter, 0, 0);
        return;
    }
    pipe->head = chunk->next;
    if (pipe->head == NULL) {
        pipe->tail = NULL;
    }
    pipe->count--;
    world_mix(world, ((uint64_t)chunk->kind << 32) + chunk->size);
    if (to_arbiter) {
        arrive_at_arbiter(conn, chunk);
    } else {
        arrive_at_device(conn, chunk);
    }
    free(chunk);
    queue_head(conn, to_arbiter);
}

/* What was held back is repeated after a pause that grows with the outage, as TCP does. */
static void repeat(struct conn *conn, bool to_arbiter)
{
    struct world *world = conn->node->world;
    struct pipe *pipe = pipe_of(conn, to_arbiter);
    uint64_t outage_ms = world->now_ms - conn->node->path_down_ms;
    uint64_t pause_ms = prng_below(&world->prng, (uint32_t)(outage_ms < 4000 ? outage_ms : 4000) + 200);

    if (pipe->head != NULL && pipe->head->at_ms < world->now_ms + pause_ms) {
        uint64_t shift_ms = world->now_ms + pause_ms;

        for (struct chunk *chunk = pipe->head; chunk != NULL && chunk->at_ms < shift_ms;
             chunk = chunk->next) {
            chunk->at_ms = shift_ms;
        }
        if (pipe->last_ms < shift_ms) {
            pipe->last_ms = shift_ms;
        }
    }
    queue_head(conn, to_arbiter);
}

void network_path(struct node *node, bool to_arbiter, bool to_device)
{
    bool up_to_arbiter = to_arbiter && !node->path_to_arbiter;
    bool up_to_device = to_device && !node->path_to_device;

    NOTE(node->world, node, "path to arbiter %s, from arbiter %s", to_arbiter ? "up" : "down",
         to_device ? "up" : "down");
    if (node->path_to_arbiter && node->path_to_device) {
        node->path_down_ms = node->world->now_ms;
    }
    node->path_to_arbiter = to_arbiter;
    node->path_to_device = to_device;
    for (struct conn *conn = node->world->conns; conn != NULL; conn = conn->next) {
        if (conn->node != node) {
            continue;
        }
        if (up_to_arbiter) {
            repeat(conn, true);
        }
        if (up_to_device) {
            repeat(conn, false);
        }
    }
}

bool network_release(struct node *node)
{
    bool waiting = node->conn != NULL && node->conn->device_open && !node->conn->accepted;

    if (waiting) {
        node->connect_held = false;
        queue_head(node->conn, true);
    }
    return waiting;
}

void network_reset(struct conn *conn)
{
    if (conn->device_open && conn->arbiter_open) {
        NOTE(conn->node->world, conn->node, "connection reset");
        append(conn, true, CHUNK_RESET, NULL, 0, 0);
        append(conn, false, CHUNK_RESET, NULL, 0, 0);
    }
}

void network_arbiter_host_back(struct world *world)
{
    for (struct conn *conn = world->conns; conn != NULL; conn = conn->next) {
        if (conn->arbiter_end_lost && conn->device_open && !conn->arbiter_open) {
            append(conn, false, CHUNK_RESET, NULL, 0, prng_below(&world->prng, 2000));
        }
        conn->arbiter_end_lost = false;
    }
}

void network_node_host_back(struct node *node)
{
    for (struct conn *conn = node->world->conns; conn != NULL; conn = conn->next) {
        if (conn->node == node && conn->device_end_lost && !conn->device_open && conn->arbiter_open) {
            append(conn, true, CHUNK_RESET, NULL, 0, prng_below(&node->world->prng, 2000));
        }
        if (conn->node == node) {
            conn->device_end_lost = false;
        }
    }
}

static void free_pipe(struct pipe *pipe)
{
    while (pipe->head != NULL) {
        struct chunk *next = pipe->head->next;

        free(pipe->head);
        pipe->head = next;
    }
}

void network_free(struct world *world)
{
    while (world->conns != NULL) {
        struct conn *next = world->conns->next;

        free_pipe(&world->conns->to_arbiter);
        free_pipe(&world->conns->to_device);
        wire_framer_fini(&world->conns->arbiter_framer);
        wire_framer_fini(&world->conns->device_framer);
        free(world->conns);
        world->conns = next;
    }
}
