/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/arbiter_host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qnetd/logic/grant_record.h"
#include "tests/sim/campaign.h"
#include "tests/sim/check.h"

#define SEND_QUEUE_MAX 256 /* pieces; what the daemon counts are messages */

static void step(struct world *world, struct arbiter_event *event, const struct conn *cause);

void arbiter_host_init(struct world *world)
{
    struct arbiter_host *host = &world->host;
    struct arbiter_actions actions = host->actions;

    memset(host, 0, sizeof *host);
    host->actions = actions;
    host->host_up = true;
    host->disk_complete = true;
    host->restart_ms = 500;
    host->persist_ms_max = 10;
    arbiter_settings_default(&host->settings);
}

void arbiter_host_fini(struct world *world)
{
    struct arbiter_host *host = &world->host;

    arbiter_free(host->arbiter);
    host->arbiter = NULL;
    for (unsigned i = 0; i < SIM_CLUSTERS_MAX; i++) {
        free(host->records[i]);
        host->records[i] = NULL;
    }
}

bool arbiter_host_frozen(const struct world *world, uint64_t *until_ms)
{
    *until_ms = world->host.resume_ms;
    return world->host.paused;
}

static uint64_t arbiter_clock(const struct world *world)
{
    return world->now_ms - world->host.clock_offset_ms;
}

/* ---- the timer ----------------------------------------------------------------------------------------- */

static void on_arbiter_timer(void *owner)
{
    struct world *world = owner;
    struct arbiter_event event = {.type = ARBITER_EV_TIME};

    if (world->host.arbiter == NULL) {
        return;
    }
    if (world->host.paused) {
        timer_set(&world->host.timer, world->now_ms, world->host.resume_ms);
        return;
    }
    step(world, &event, NULL);
}

static void arm(struct world *world)
{
    uint64_t due_ms = arbiter_deadline_ms(world->host.arbiter);

    timer_set(&world->host.timer, world->now_ms,
              due_ms == ARBITER_NEVER ? SIM_NEVER : due_ms + world->host.clock_offset_ms);
}

/* ---- dying --------------------------------------------------------------------------------------------- */

static void on_restart(const struct occurrence *occurrence)
{
    struct world *world = occurrence->who;

    if (world->host.arbiter == NULL && world->host.life == occurrence->a) {
        arbiter_host_start(world);
    }
}

static void forget_connections(struct world *world, bool host_died)
{
    for (unsigned i = 0; i < SIM_SLOTS_MAX; i++) {
        struct conn *conn = world->host.slots[i];

        if (conn == NULL) {
            continue;
        }
        world->host.slots[i] = NULL;
        check_on_gone(conn, ARBITER_GONE_EOF, true);
        if (host_died) {
            conn->arbiter_open = false;
            conn->arbiter_end_lost = true;
        } else {
            network_arbiter_close(conn);
        }
    }
}

static void end(struct world *world, bool host_died)
{
    struct arbiter_host *host = &world->host;

    forget_connections(world, host_died);
    arbiter_free(host->arbiter);
    host->arbiter = NULL;
    host->paused = false;
    host->host_up = !host_died;
    host->crashes++;
    timer_set(&host->timer, world->now_ms, SIM_NEVER);
    schedule_add(&world->schedule, world->now_ms + host->restart_ms, on_restart, world, host->life, 0, 0);
}

void arbiter_host_crash(struct world *world, enum arbiter_crash kind)
{
    if (world->host.arbiter != NULL) {
        NOTE(world, NULL, "the arbiter dies%s (point %llu)", kind == CRASH_HOST ? " with its host" : "",
             (unsigned long long)world->host.points);
        end(world, kind == CRASH_HOST);
    }
}

void arbiter_host_stop(struct world *world)
{
    if (world->host.arbiter != NULL) {
        NOTE(world, NULL, "the arbiter is stopped");
        end(world, false);
    }
}

/* One more instant at which it could die. True: it did. */
static bool dies_here(struct world *world)
{
    struct arbiter_host *host = &world->host;

    host->points++;
    if (host->points != host->crash_at_point) {
        return false;
    }
    arbiter_host_crash(world, host->crash_kind);
    return true;
}

static void on_arbiter_resume(const struct occurrence *occurrence)
{
    struct world *world = occurrence->who;

    if (world->host.life == occurrence->a) {
        world->host.paused = false;
    }
}

void arbiter_host_pause(struct world *world, uint32_t duration_ms)
{
    struct arbiter_host *host = &world->host;

    if (host->arbiter == NULL || host->paused) {
        return;
    }
    NOTE(world, NULL, "the arbiter stands still for %u ms", duration_ms);
    host->paused = true;
    host->resume_ms = world->now_ms + duration_ms;
    schedule_add(&world->schedule, host->resume_ms, on_arbiter_resume, world, host->life, 0, 0);
}

/* ---- the disk ------------------------------------------------------------------------------------------ */

static int cluster_of_name(const struct world *world, const uint8_t *name, size_t size)
{
    for (unsigned i = 0; i < world->cluster_count; i++) {
        if (strlen(world->clusters[i].name) == size && memcmp(world->clusters[i].name, name, size) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void arbiter_host_lose_disk(struct world *world)
{
    NOTE(world, NULL, "the arbiter's state is lost");
    world->host.disk_complete = false;
    for (unsigned i = 0; i < SIM_CLUSTERS_MAX; i++) {
        free(world->host.records[i]);
        world->host.records[i] = NULL;
    }
}

void arbiter_host_damage_disk(struct world *world)
{
    for (unsigned i = 0; i < SIM_CLUSTERS_MAX; i++) {
        if (world->host.records[i] != NULL && prng_chance(&world->prng, 500)) {
            size_t at = prng_below(&world->prng, (uint32_t)world->host.record_sizes[i]);

            NOTE(world, NULL, "the arbiter's record of c%u is damaged", i);
            world->host.records[i][at] ^= (uint8_t)prng_between(&world->prng, 1, 255);
        }
    }
}

static void write_record(struct world *world, int index, const uint8_t *bytes, size_t size)
{
    struct arbiter_host *host = &world->host;

    free(host->records[index]);
    host->records[index] = malloc(size > 0 ? size : 1);
    assert(host->records[index] != NULL);
    memcpy(host->records[index], bytes, size);
    host->record_sizes[index] = size;
}

/* a: cluster id, b: generation, c: result and the life it belongs to */
static void on_persisted(const struct occurrence *occurrence)
{
    struct world *world = occurrence->who;
    struct arbiter_event event = {.type = ARBITER_EV_PERSISTED};

    if (world->host.arbiter == NULL || world->host.life != (uint32_t)(occurrence->c >> 8)) {
        return;
    }
    if (world->host.paused) {
        schedule_add(&world->schedule, world->host.resume_ms, on_persisted, world, occurrence->a,
                     occurrence->b, occurrence->c);
        return;
    }
    event.u.persisted.cluster_id = occurrence->a;
    event.u.persisted.generation = occurrence->b;
    event.u.persisted.result = (enum arbiter_persist_result)(occurrence->c & 0xff);
    NOTE(world, NULL, "record of cluster #%u: %s", (unsigned)occurrence->a,
         event.u.persisted.result == ARBITER_PERSIST_DONE       ? "in place"
         : event.u.persisted.result == ARBITER_PERSIST_VOLATILE ? "volatile"
                                                                : "NOT written");
    step(world, &event, NULL);
}

static bool persist(struct world *world, const struct arbiter_action *action)
{
    struct arbiter_host *host = &world->host;
    int index =
        cluster_of_name(world, arbiter_actions_bytes(&host->actions, action->name), action->name.size);
    enum arbiter_persist_result result = ARBITER_PERSIST_DONE;

    assert(index >= 0);
    if (prng_chance(&world->prng, host->persist_fail_permille)) {
        result = ARBITER_PERSIST_FAILED;
    } else if (prng_chance(&world->prng, host->persist_volatile_permille)) {
        result = ARBITER_PERSIST_VOLATILE;
        host->disk_complete = false;
        host->disk_volatile = true;
    } else {
        write_record(world, index, arbiter_actions_bytes(&host->actions, action->data), action->data.size);
        NOTE(world, NULL, "record of c%d written", index);
    }
    if (dies_here(world)) { /* written, but nobody knows */
        return false;
    }
    schedule_add(&world->schedule, world->now_ms + prng_below(&world->prng, host->persist_ms_max + 1),
                 on_persisted, world, action->cluster_id, action->generation,
                 (uint64_t)host->life << 8 | (uint64_t)result);
    return true;
}

/* ---- starting ------------------------------------------------------------------------------------------ */

/*
 * Knowledge that was incomplete stays so, however often the daemon restarts, until whatever was not known has
 * certainly ended: only then may the state directory be marked whole. a: life
 */
static void on_knowledge_whole(const struct occurrence *occurrence)
{
    struct world *world = occurrence->who;

    if (world->host.arbiter != NULL && world->host.life == occurrence->a && !world->host.disk_volatile) {
        world->host.disk_complete = true;
    }
}

static uint32_t longest_lease_ms(const struct world *world)
{
    uint32_t longest_ms = 0;

    for (unsigned i = 0; i < world->cluster_count; i++) {
        uint32_t heartbeat_ms = world->clusters[i].settings.heartbeat_ms;

        longest_ms = heartbeat_ms > longest_ms ? heartbeat_ms : longest_ms;
    }
    return longest_ms * 9 / 4 + world->host.settings.lease_margin_ms;
}

void arbiter_host_start(struct world *world)
{
    struct arbiter_host *host = &world->host;
    bool complete = host->disk_complete;
    uint32_t life = ++host->life;

    check_on_arbiter_start(world);
    host->host_up = true;
    host->disk_volatile = false;
    host->started_ms = world->now_ms;
    host->clock_offset_ms = world->now_ms - prng_between(&world->prng, 1, 900000);
    host->arbiter = arbiter_new(&host->settings, arbiter_clock(world));
    assert(host->arbiter != NULL);
    timer_init(&host->timer, &world->schedule, on_arbiter_timer, world);
    for (unsigned i = 0; i < world->cluster_count && host->arbiter != NULL && host->life == life; i++) {
        struct arbiter_event event = {.type = ARBITER_EV_RESTORE};
        struct grant_record record;

        if (host->records[i] == NULL) {
            continue;
        }
        grant_record_init(&record);
        if (grant_record_decode(&record, host->records[i], host->record_sizes[i]) == Q_OK) {
            event.u.record = &record;
            step(world, &event, NULL);
        } else {
            complete = false;
        }
        grant_record_fini(&record);
    }
    if (host->arbiter != NULL && host->life == life) {
        struct arbiter_event event = {.type = ARBITER_EV_RESTORED};

        NOTE(world, NULL, "the arbiter starts, knowledge %s", complete ? "complete" : "INCOMPLETE");
        event.u.restored.complete = complete;
        host->disk_complete = complete;
        if (!complete) {
            schedule_add(&world->schedule, world->now_ms + longest_lease_ms(world), on_knowledge_whole, world,
                         life, 0, 0);
        }
        step(world, &event, NULL);
    }
    if (host->arbiter != NULL) {
        network_arbiter_host_back(world);
    }
}

/* ---- carrying out actions ------------------------------------------------------------------------------ */

static struct conn *find(struct world *world, uint64_t id)
{
    struct conn *conn = world->host.slots[(uint32_t)id % SIM_SLOTS_MAX];

    return conn != NULL && conn->arbiter_id == id ? conn : NULL;
}

static void drop(struct world *world, struct conn *conn)
{
    world->host.slots[(uint32_t)conn->arbiter_id] = NULL;
    network_arbiter_close(conn);
}

static void disconnected(struct world *world, struct conn *conn, enum arbiter_disconnect how)
{
    struct arbiter_event event = {.type = ARBITER_EV_DISCONNECTED, .conn = conn->arbiter_id};

    check_on_gone(conn, how, false);
    drop(world, conn);
    event.u.disconnected.how = how;
    step(world, &event, conn);
}

static void note_sent(struct world *world, const struct conn *conn, const struct wire_message *message)
{
    if (world->tracing && message->type != WIRE_ECHO_REPLY) {
        bool vote = message->type == WIRE_VOTE_INFO || message->type == WIRE_NODE_LIST_REPLY ||
                    message->type == WIRE_HEURISTICS_CHANGE_REPLY || message->type == WIRE_ASK_FOR_VOTE_REPLY;

        world_note(world, conn->node, "< %s #%u %s", wire_type_name(message->type), message->seq,
                   vote ? wire_vote_name(message->u.vote.vote) : "");
    }
}

static void send(struct world *world, const struct arbiter_action *action)
{
    const uint8_t *bytes = arbiter_actions_bytes(&world->host.actions, action->data);
    struct conn *conn = find(world, action->conn);
    size_t size = action->data.size;
    size_t offset = 0;

    if (conn == NULL) {
        world_fail(world, "CONTRACT", "SEND to a connection that is gone");
        return;
    }
    while (offset < size) {
        size_t length =
            WIRE_HEADER_SIZE + ((size_t)bytes[offset + 2] << 24 | (size_t)bytes[offset + 3] << 16 |
                                (size_t)bytes[offset + 4] << 8 | bytes[offset + 5]);

        if (length > size - offset || !wire_decode(bytes + offset, length, &world->out)) {
            world_fail(world, "CONTRACT", "the arbiter sends what cannot be decoded");
            return;
        }
        note_sent(world, conn, &world->out);
        check_on_sent(conn, &world->out);
        offset += length;
    }
    network_arbiter_send(conn, CHUNK_DATA, bytes, size);
}

static void answer_hello(struct conn *conn)
{
    if (conn->arbiter_handshake && conn->hello_seen) {
        network_arbiter_send(conn, CHUNK_SERVER_HELLO, NULL, 0);
    }
}

static void carry_out(struct world *world, const struct arbiter_action *action)
{
    struct conn *conn;

    switch (action->type) {
    case ARBITER_ACT_SEND:
        send(world, action);
        break;
    case ARBITER_ACT_START_TLS:
        conn = find(world, action->conn);
        if (conn != NULL) {
            conn->arbiter_handshake = true;
            answer_hello(conn);
        }
        break;
    case ARBITER_ACT_CLOSE:
        conn = find(world, action->conn);
        if (conn != NULL) {
            NOTE(world, conn->node, "closed by the arbiter: %s",
                 arbiter_actions_text(&world->host.actions, action->data));
            check_on_gone(conn, ARBITER_GONE_EOF, true);
            drop(world, conn);
        }
        break;
    case ARBITER_ACT_PERSIST:
        (void)persist(world, action);
        break;
    case ARBITER_ACT_FORGET: {
        int index = cluster_of_name(world, arbiter_actions_bytes(&world->host.actions, action->name),
                                    action->name.size);

        assert(index >= 0);
        free(world->host.records[index]);
        world->host.records[index] = NULL;
        break;
    }
    case ARBITER_ACT_NOTE:
        NOTE(world, NULL, "[%.*s n%u] %s", (int)action->name.size,
             (const char *)arbiter_actions_bytes(&world->host.actions, action->name), action->node_id,
             arbiter_actions_text(&world->host.actions, action->data));
        break;
    }
}

/* An event about one connection must not reach another cluster. */
static void check_isolation(struct world *world, const struct arbiter_action *action,
                            const struct conn *cause)
{
    bool to_conn = action->type == ARBITER_ACT_SEND || action->type == ARBITER_ACT_CLOSE ||
                   action->type == ARBITER_ACT_START_TLS;
    const struct conn *conn = to_conn ? find(world, action->conn) : NULL;

    if (cause != NULL && conn != NULL && conn->node->cluster != cause->node->cluster) {
        world_fail(world, "ISOLATION", "an event of %s makes the arbiter act on %s",
                   cause->node->cluster->name, conn->node->cluster->name);
    }
}

static void step(struct world *world, struct arbiter_event *event, const struct conn *cause)
{
    struct arbiter_host *host = &world->host;
    uint32_t life = host->life;

    event->now_ms = arbiter_clock(world);
    arbiter_actions_reset(&host->actions);
    if (arbiter_step(host->arbiter, event, &host->actions) != Q_OK) {
        world_fail(world, "CONTRACT", "arbiter_step failed");
        return;
    }
    if (campaign_mutation() == NULL) {
        arbiter_check(host->arbiter); /* a broken rule is for our own checkers to find */
    }
    for (size_t i = 0; i < host->actions.count; i++) {
        const struct arbiter_action *action = &host->actions.items[i];

        if (action->type != ARBITER_ACT_NOTE && dies_here(world)) {
            return;
        }
        check_isolation(world, action, cause);
        carry_out(world, action);
        if (host->arbiter == NULL || host->life != life || world->failed) {
            return;
        }
    }
    if (host->actions.count > 0 && dies_here(world)) {
        return;
    }
    /* A peer that does not read is given up. */
    for (unsigned i = 0; i < SIM_SLOTS_MAX && host->actions.count > 0; i++) {
        struct conn *conn = host->slots[i];

        if (conn != NULL && conn->to_device.count > SEND_QUEUE_MAX) {
            disconnected(world, conn, ARBITER_GONE_SEND_FAILED);
            return;
        }
    }
    arm(world);
}

/* ---- from the network ---------------------------------------------------------------------------------- */

bool arbiter_host_on_syn(struct conn *conn)
{
    struct world *world = conn->node->world;
    struct arbiter_host *host = &world->host;
    struct arbiter_event event = {.type = ARBITER_EV_CONNECTED};
    uint32_t slot = 0;

    if (host->arbiter == NULL) {
        return false;
    }
    while (host->slots[slot] != NULL) {
        slot++;
        assert(slot < SIM_SLOTS_MAX);
    }
    host->slots[slot] = conn;
    conn->arbiter_id = ++host->generation << 32 | slot;
    conn->arbiter_open = conn->accepted = true;
    network_arbiter_send(conn, CHUNK_ACCEPTED, NULL, 0);
    event.conn = conn->arbiter_id;
    event.u.connected.peer = "192.0.2.1:5403";
    step(world, &event, conn);
    return true;
}

static void on_bytes(struct conn *conn, const uint8_t *bytes, size_t size)
{
    struct world *world = conn->node->world;
    uint64_t id = conn->arbiter_id;

    while (size > 0 && find(world, id) == conn) {
        size_t wanted = wire_framer_wanted(&conn->arbiter_framer);
        struct wire_frame_message frame;
        enum wire_frame got;
        size_t room;
        uint8_t *into = wire_framer_room(&conn->arbiter_framer, wanted < size ? wanted : size, &room);

        room = room < size ? room : size;
        memcpy(into, bytes, room);
        wire_framer_fed(&conn->arbiter_framer, room);
        bytes += room;
        size -= room;
        while (find(world, id) == conn &&
               (got = wire_framer_next(&conn->arbiter_framer, &frame)) != WIRE_FRAME_MORE) {
            struct arbiter_event event = {.type = ARBITER_EV_MESSAGE, .conn = id};

            if (got != WIRE_FRAME_MESSAGE || !wire_decode(frame.bytes, frame.size, &world->in)) {
                world_fail(world, "CODEC", "a good message arrives broken at the arbiter");
                return;
            }
            check_on_received(conn, &world->in);
            event.u.message.message = &world->in;
            event.u.message.raw = (struct wire_bytes){frame.bytes, frame.size};
            step(world, &event, conn);
            if (world->failed) {
                return;
            }
        }
    }
}

void arbiter_host_on_chunk(struct conn *conn, const struct chunk *chunk)
{
    struct world *world = conn->node->world;
    const char *name = conn->node->cluster->name;
    struct arbiter_event event = {.type = ARBITER_EV_TLS_ESTABLISHED, .conn = conn->arbiter_id};

    if (find(world, conn->arbiter_id) != conn) {
        return;
    }
    switch (chunk->kind) {
    case CHUNK_DATA:
        on_bytes(conn, chunk->bytes, chunk->size);
        break;
    case CHUNK_HELLO:
        conn->hello_seen = true;
        answer_hello(conn);
        break;
    case CHUNK_FINISHED:
        conn->tls = true;
        event.u.tls.names = &name;
        event.u.tls.name_count = 1;
        step(world, &event, conn);
        break;
    case CHUNK_CLOSE_NOTIFY:
        disconnected(world, conn, ARBITER_GONE_CLOSE_NOTIFY);
        break;
    case CHUNK_FIN:
    case CHUNK_RESET:
        disconnected(world, conn, ARBITER_GONE_EOF);
        break;
    case CHUNK_SYN:
    case CHUNK_ACCEPTED:
    case CHUNK_SERVER_HELLO:
        break;
    }
}
