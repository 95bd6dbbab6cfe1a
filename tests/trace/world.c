/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/trace/world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS 1000000

void (*world_step_hook)(bool begins);

static struct wire_message decoded; /* too large for the stack */

void world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    arbiter_settings_default(&world->settings);
    world->settings.tls = WIRE_TLS_UNSUPPORTED;
    world->now_ms = START_MS;
    world->persist_result = ARBITER_PERSIST_DONE;
    arbiter_actions_init(&world->actions);
}

void world_fini(struct world *world)
{
    for (unsigned i = 0; i < world->cluster_count; i++) {
        q_buf_fini(&world->clusters[i].record);
        q_buf_fini(&world->clusters[i].written);
    }
    arbiter_free(world->arbiter);
    arbiter_actions_fini(&world->actions);
}

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    printf("Bail out! ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    exit(1);
}

/* ---- who is who ---------------------------------------------------------------------------------- */

struct world_cluster *world_cluster(struct world *world, const char *name)
{
    for (unsigned i = 0; i < world->cluster_count; i++) {
        if (strcmp(world->clusters[i].name, name) == 0) {
            return &world->clusters[i];
        }
    }
    return NULL;
}

/* "b.n12x": cluster b (the first one if there is no dot), node 12, and whatever tells instances apart. */
struct world_conn *world_conn(struct world *world, const char *label)
{
    const char *dot = strchr(label, '.');
    struct world_conn *conn;
    char name[WORLD_LABEL_SIZE];

    for (unsigned i = 0; i < world->conn_count; i++) {
        if (strcmp(world->conns[i].label, label) == 0) {
            return &world->conns[i];
        }
    }
    if (world->conn_count == WORLD_CONNS_MAX || strlen(label) >= WORLD_LABEL_SIZE ||
        world->cluster_count == 0) {
        fail("no room for connection %s, or no cluster yet", label);
    }
    conn = &world->conns[world->conn_count++];
    snprintf(conn->label, sizeof(conn->label), "%s", label);
    conn->cluster = &world->clusters[0];
    if (dot != NULL) {
        snprintf(name, sizeof(name), "%.*s", (int)(dot - label), label);
        conn->cluster = world_cluster(world, name);
        label = dot + 1;
    }
    if (conn->cluster == NULL || label[0] != 'n') {
        fail("bad connection name %s", conn->label);
    }
    conn->node_id = (uint32_t)strtoul(label + 1, NULL, 10);
    return conn;
}

static struct world_conn *conn_by_id(struct world *world, uint64_t id)
{
    for (unsigned i = 0; i < world->conn_count; i++) {
        if (world->conns[i].id == id) {
            return &world->conns[i];
        }
    }
    fail("the arbiter names connection %" PRIx64 ", which does not exist", id);
}

const struct cluster *world_arbiter_cluster(const struct world *world, const struct world_cluster *cluster)
{
    struct wire_bytes name = {(const uint8_t *)cluster->name, strlen(cluster->name)};

    return arbiter_find_cluster(world->arbiter, name);
}

/* ---- what the arbiter does ----------------------------------------------------------------------- */

static void note(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct world *world, const char *format, ...)
{
    char *output = world->outputs[world->output_count];
    va_list arguments;
    size_t used;

    if (world->quiet) {
        return;
    }
    if (world->output_count == WORLD_OUTPUTS_MAX) {
        fail("more outputs than a line may have");
    }
    va_start(arguments, format);
    vsnprintf(output, WORLD_OUTPUT_SIZE, format, arguments);
    va_end(arguments);
    used = strlen(output);
    if (world->timed) {
        snprintf(output + used, WORLD_OUTPUT_SIZE - used, " at %gs",
                 (double)(world->now_ms - world->line_ms) / 1000);
    }
    world->output_count++;
}

static const char *reply_word(enum wire_vote vote)
{
    switch (vote) {
    case WIRE_VOTE_ACK:
        return "reply ACK";
    case WIRE_VOTE_NACK:
        return "reply NACK";
    case WIRE_VOTE_ASK_LATER:
        return "later";
    case WIRE_VOTE_WAIT_FOR_REPLY:
        return "wait";
    case WIRE_VOTE_NO_CHANGE:
        return "nc";
    case WIRE_VOTE_UNDEFINED:
        break;
    }
    return "reply undefined";
}

static void note_vote(struct world *world, struct world_conn *conn, const char *word)
{
    if ((decoded.present & WIRE_HAS_REASON) != 0)
        snprintf(conn->told, sizeof(conn->told), "%.*s", (int)decoded.u.vote.reason.size, (const char *)decoded.u.vote.reason.data);
    /* A vote with another ring than the client's latest is void (spec/arbitration.md, RING). */
    if (!wire_ring_id_equal(decoded.u.vote.ring_id, conn->ring)) {
        note(world, "%s for ring %" PRIu32 ".%" PRIu64 " %s", word, decoded.u.vote.ring_id.node_id,
             decoded.u.vote.ring_id.seq, conn->label);
        return;
    }
    note(world, "%s %s", word, conn->label);
}

static void on_vote_info(struct world *world, struct world_conn *conn)
{
    char word[32];

    conn->vote = decoded.u.vote.vote;
    conn->vote_seq = decoded.seq;
    snprintf(word, sizeof(word), "VI %s%s", conn->reported ? "" : "TOO EARLY ", wire_vote_name(conn->vote));
    note_vote(world, conn, word);
}

static void on_init_reply(struct world *world, struct world_conn *conn)
{
    if (decoded.u.init_reply.error == WIRE_ERROR_NONE) {
        conn->ready = true;
        conn->reported = false;
        conn->ring = conn->asked.ring_id;
        conn->heartbeat_ms = conn->asked.heartbeat_ms;
        conn->echo_due_ms = world->now_ms + conn->heartbeat_ms;
    }
    note(world, "init %u %s", (unsigned)decoded.u.init_reply.error, conn->label);
}

static void on_sent(struct world *world, struct world_conn *conn, const uint8_t *bytes, size_t size)
{
    if (!wire_decode(bytes, size, &decoded)) {
        /* The packaged arbiter's only message without a body. */
        note(world, "undecodable %s %s", wire_type_name(decoded.type), conn->label);
        return;
    }
    switch (decoded.type) {
    case WIRE_PREINIT_REPLY:
        note(world, "preinit %s", conn->label);
        break;
    case WIRE_INIT_REPLY:
        on_init_reply(world, conn);
        break;
    case WIRE_SERVER_ERROR:
        note(world, "error %" PRIu32 "%s %s", decoded.u.server_error.error,
             (decoded.present & WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER)) != 0 ? "" : " unnumbered", conn->label);
        break;
    case WIRE_SET_OPTION_REPLY:
        note(world, "option %s", conn->label);
        break;
    case WIRE_ECHO_REPLY:
        note(world, "echo %s", conn->label);
        break;
    case WIRE_NODE_LIST_REPLY:
    case WIRE_ASK_FOR_VOTE_REPLY:
    case WIRE_HEURISTICS_CHANGE_REPLY:
        note_vote(world, conn, reply_word(decoded.u.vote.vote));
        break;
    case WIRE_VOTE_INFO:
        on_vote_info(world, conn);
        break;
    case WIRE_PREINIT:
    case WIRE_STARTTLS:
    case WIRE_INIT:
    case WIRE_SET_OPTION:
    case WIRE_ECHO_REQUEST:
    case WIRE_NODE_LIST:
    case WIRE_ASK_FOR_VOTE:
    case WIRE_VOTE_INFO_REPLY:
    case WIRE_HEURISTICS_CHANGE:
        note(world, "a device's message %s", conn->label);
        break;
    }
}

static struct world_cluster *named_cluster(struct world *world, const struct arbiter_action *action)
{
    char name[WORLD_LABEL_SIZE];

    snprintf(name, sizeof(name), "%.*s", (int)action->name.size,
             (const char *)arbiter_actions_bytes(&world->actions, action->name));
    return world_cluster(world, name);
}

static void on_persist(struct world *world, const struct arbiter_action *action)
{
    struct world_cluster *cluster = named_cluster(world, action);
    struct grant_record record;
    char holders[64] = "";

    grant_record_init(&record);
    if (grant_record_decode(&record, arbiter_actions_bytes(&world->actions, action->data),
                            action->data.size) != Q_OK) {
        fail("the arbiter writes a record it cannot read");
    }
    for (uint32_t i = 0; i < record.holder_count; i++) {
        size_t used = strlen(holders);
        snprintf(holders + used, sizeof(holders) - used, " %" PRIu32, record.holders[i].node_id);
    }
    grant_record_fini(&record);
    world->persist_cluster_id = action->cluster_id;
    world->persist_generation = action->generation;
    q_buf_reset(&cluster->written);
    q_buf_append(&cluster->written, arbiter_actions_bytes(&world->actions, action->data), action->data.size);
    world->persist_cluster = cluster;
    if (world->manual_record) {
        note(world, "record%s", holders);
    }
}

static void on_forget(struct world *world, const struct arbiter_action *action)
{
    q_buf_reset(&named_cluster(world, action)->record);
    if (world->manual_record) {
        note(world, "forget");
    }
}

static void carry_out(struct world *world, const struct arbiter_action *action)
{
    struct world_conn *conn;

    switch (action->type) {
    case ARBITER_ACT_SEND:
        conn = conn_by_id(world, action->conn);
        on_sent(world, conn, arbiter_actions_bytes(&world->actions, action->data), action->data.size);
        return;
    case ARBITER_ACT_START_TLS:
        note(world, "tls %s", conn_by_id(world, action->conn)->label);
        return;
    case ARBITER_ACT_CLOSE:
        conn = conn_by_id(world, action->conn);
        note(world, "close %s", conn->label);
        conn->id = 0;
        conn->ready = false;
        return;
    case ARBITER_ACT_PERSIST:
        on_persist(world, action);
        return;
    case ARBITER_ACT_FORGET:
        on_forget(world, action);
        return;
    case ARBITER_ACT_NOTE:
        return;
    }
}

/* ---- events -------------------------------------------------------------------------------------- */

static void confirm(struct world *world, struct world_conn *conn, uint32_t seq)
{
    static struct wire_message message;

    message = (struct wire_message){
        .type = WIRE_VOTE_INFO_REPLY, .present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER), .seq = seq};
    world_send(world, conn, &message);
}

/* Applies the event, then what follows by itself: records written, ACKs confirmed. */
static void step(struct world *world, struct arbiter_event *event)
{
    uint64_t acked[WORLD_CONNS_MAX];
    uint32_t acked_seq[WORLD_CONNS_MAX];
    unsigned acked_count = 0;
    bool persists = false;
    enum q_err err;

    event->now_ms = world->now_ms;
    arbiter_actions_reset(&world->actions);
    if (world_step_hook != NULL) {
        world_step_hook(true);
    }
    err = arbiter_step(world->arbiter, event, &world->actions);
    if (world_step_hook != NULL) {
        world_step_hook(false);
    }
    if (err != Q_OK && !world->forgiving) {
        fail("out of memory");
    }
    arbiter_check(world->arbiter);
    for (size_t i = 0; i < world->actions.count; i++) {
        const struct arbiter_action *action = &world->actions.items[i];

        decoded.type = WIRE_PREINIT;
        carry_out(world, action);
        persists = persists || action->type == ARBITER_ACT_PERSIST;
        if (action->type == ARBITER_ACT_SEND && decoded.type == WIRE_VOTE_INFO &&
            decoded.u.vote.vote == WIRE_VOTE_ACK && acked_count < WORLD_CONNS_MAX) {
            acked[acked_count] = action->conn;
            acked_seq[acked_count++] = decoded.seq;
        }
    }
    if (persists && !world->manual_record) {
        world_persisted(world, world->persist_result);
    }
    for (unsigned i = 0; i < acked_count; i++) {
        for (unsigned j = 0; j < world->conn_count; j++) {
            if (world->conns[j].id == acked[i] && !world->conns[j].silent) {
                confirm(world, &world->conns[j], acked_seq[i]);
            }
        }
    }
}

void world_connect(struct world *world, struct world_conn *conn)
{
    struct arbiter_event event = {.type = ARBITER_EV_CONNECTED};

    if (world->arbiter == NULL) {
        world_restart(world, WORLD_RECORDS_KEPT);
    }
    if (conn->id != 0) {
        if (world->forgiving) {
            return;
        }
        fail("%s is connected already", conn->label);
    }
    conn->id = ++world->conn_generation << 32 | (uint64_t)(conn - world->conns);
    conn->ready = false;
    conn->silent = false;
    conn->vote_seq = 0;
    conn->told[0] = '\0';
    event.conn = conn->id;
    event.u.connected.peer = conn->label;
    step(world, &event);
}

static bool is_connected(const struct world *world, const struct world_conn *conn)
{
    if (conn->id == 0 && !world->forgiving) {
        fail("%s is not connected", conn->label);
    }
    return conn->id != 0;
}

static void note_what_device_said(struct world_conn *conn, const struct wire_message *message)
{
    if (message->type == WIRE_INIT) {
        conn->asked = message->u.init;
    }
    if (message->type == WIRE_NODE_LIST && message->u.node_list.list_type == WIRE_LIST_MEMBERSHIP) {
        conn->ring = message->u.node_list.ring_id;
    }
    if (message->type == WIRE_NODE_LIST || message->type == WIRE_SET_OPTION) {
        conn->reported = true;
    }
    if (message->type == WIRE_SET_OPTION && (message->present & WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL)) != 0) {
        conn->heartbeat_ms = message->u.set_option.heartbeat_ms;
    }
}

void world_send_bytes(struct world *world, struct world_conn *conn, const uint8_t *bytes, size_t size)
{
    static struct wire_message received;
    struct arbiter_event event = {.type = ARBITER_EV_MESSAGE, .conn = conn->id};

    if (!is_connected(world, conn)) {
        return;
    }
    if (!wire_decode(bytes, size, &received)) {
        event.type = ARBITER_EV_UNDECODABLE;
    } else {
        note_what_device_said(conn, &received);
    }
    event.u.message.message = &received;
    event.u.message.raw = (struct wire_bytes){bytes, size};
    step(world, &event);
}

void world_send(struct world *world, struct world_conn *conn, const struct wire_message *message)
{
    struct q_buf bytes;

    q_buf_init(&bytes);
    wire_encode(&bytes, message);
    world_send_bytes(world, conn, q_buf_bytes(&bytes), bytes.size);
    q_buf_fini(&bytes);
}

void world_skipped(struct world *world, struct world_conn *conn, enum wire_error error)
{
    struct arbiter_event event = {.type = ARBITER_EV_SKIPPED, .conn = conn->id};

    if (!is_connected(world, conn)) {
        return;
    }
    event.u.skipped.error = error;
    step(world, &event);
}

void world_tls(struct world *world, struct world_conn *conn, const char *const *names, size_t count)
{
    struct arbiter_event event = {.type = ARBITER_EV_TLS_ESTABLISHED, .conn = conn->id};

    if (!is_connected(world, conn)) {
        return;
    }
    event.u.tls.names = names;
    event.u.tls.name_count = count;
    step(world, &event);
}

void world_gone(struct world *world, struct world_conn *conn, enum arbiter_disconnect how)
{
    struct arbiter_event event = {.type = ARBITER_EV_DISCONNECTED, .conn = conn->id};

    if (!is_connected(world, conn)) {
        return;
    }
    event.u.disconnected.how = how;
    conn->id = 0;
    conn->ready = false;
    step(world, &event);
}

void world_put_record(struct world *world)
{
    struct world_cluster *cluster = world->persist_cluster;

    if (cluster == NULL) { /* forgiving: the arbiter had no memory to ask for it */
        return;
    }
    q_buf_reset(&cluster->record);
    q_buf_append(&cluster->record, q_buf_bytes(&cluster->written), cluster->written.size);
}

void world_persisted(struct world *world, enum arbiter_persist_result result)
{
    struct arbiter_event event = {.type = ARBITER_EV_PERSISTED};

    if (result == ARBITER_PERSIST_DONE) {
        world_put_record(world);
    } else if (result == ARBITER_PERSIST_VOLATILE && world->persist_cluster != NULL) {
        q_buf_reset(&world->persist_cluster->record);
    }
    event.u.persisted.cluster_id = world->persist_cluster_id;
    event.u.persisted.generation = world->persist_generation;
    event.u.persisted.result = result;
    step(world, &event);
}

/* ---- time ---------------------------------------------------------------------------------------- */

static struct world_conn *next_echo(struct world *world)
{
    struct world_conn *first = NULL;

    for (unsigned i = 0; i < world->conn_count; i++) {
        struct world_conn *conn = &world->conns[i];

        if (conn->id != 0 && conn->ready && !conn->silent &&
            (first == NULL || conn->echo_due_ms < first->echo_due_ms)) {
            first = conn;
        }
    }
    return first;
}

static void send_echo(struct world *world, struct world_conn *conn)
{
    static const uint8_t echo[] = {0, WIRE_ECHO_REQUEST, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 1};
    bool quiet = world->quiet;

    conn->echo_due_ms += conn->heartbeat_ms;
    world->quiet = true;
    world_send_bytes(world, conn, echo, sizeof(echo));
    world->quiet = quiet;
}

void world_pass_time(struct world *world, uint64_t duration_ms)
{
    uint64_t end_ms = world->now_ms + duration_ms;

    for (unsigned rounds = 0; rounds < 100000; rounds++) {
        struct world_conn *conn = next_echo(world);
        uint64_t echo_ms = conn != NULL ? conn->echo_due_ms : ARBITER_NEVER;
        uint64_t deadline_ms = arbiter_deadline_ms(world->arbiter);
        uint64_t next_ms = echo_ms < deadline_ms ? echo_ms : deadline_ms;
        struct arbiter_event event = {.type = ARBITER_EV_TIME};

        if (next_ms > end_ms) {
            world->now_ms = end_ms;
            return;
        }
        world->now_ms = next_ms > world->now_ms ? next_ms : world->now_ms;
        if (echo_ms <= world->now_ms) {
            send_echo(world, conn);
        } else {
            step(world, &event);
        }
    }
    fail("the arbiter's deadline does not move on");
}

/* ---- restart ------------------------------------------------------------------------------------- */

static void restore(struct world *world, bool complete)
{
    struct arbiter_event event = {.type = ARBITER_EV_RESTORE};
    struct grant_record record;

    for (unsigned i = 0; i < world->cluster_count && complete; i++) {
        const struct q_buf *bytes = &world->clusters[i].record;

        if (bytes->size == 0) {
            continue;
        }
        grant_record_init(&record);
        if (grant_record_decode(&record, q_buf_bytes(bytes), bytes->size) != Q_OK) {
            fail("a record of the arbiter's own cannot be read");
        }
        event.u.record = &record;
        step(world, &event);
        grant_record_fini(&record);
    }
    event.type = ARBITER_EV_RESTORED;
    event.u.restored.complete = complete;
    step(world, &event);
}

void world_restart(struct world *world, enum world_restart how)
{
    arbiter_free(world->arbiter);
    world->arbiter = arbiter_new(&world->settings, world->now_ms);
    for (unsigned i = 0; i < world->conn_count; i++) {
        world->conns[i].id = 0;
        world->conns[i].ready = false;
    }
    restore(world, how == WORLD_RECORDS_KEPT);
}
