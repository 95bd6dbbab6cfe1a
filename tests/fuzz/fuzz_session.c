/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter under hostile sequences of events: the input is a program for up to eight connections in three
 * clusters, whose devices say anything, in any order, well-formed or not, while time passes, records fail to be
 * written and the arbiter is killed. After every step: its own invariants; actions that make sense; no ACK while
 * a connected rival may hold one. Every input runs twice and must give the same actions, byte for byte.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/wire.h"
#include "qnetd/logic/arbiter.h"
#include "qnetd/logic/cluster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONNS 8
#define CLUSTERS 3
#define STEPS_MAX 600
#define ACTIONS_MAX 200 /* of one step: notes, a vote for each connection, closes, a record */

/* The program being run; reads zeros behind its end. */
struct program {
    const uint8_t *next;
    size_t left;
};

/* What a device knows, kept apart from the arbiter to check it by. */
struct device {
    uint64_t id;            /* 0: not connected */
    unsigned cluster;       /* of the PREINIT that was answered */
    unsigned asked_cluster; /* what it last asked to be, by PREINIT and INIT */
    uint32_t asked_node_id;
    struct wire_ring_id asked_ring;
    bool ready;
    bool reported;            /* sent lists or options since INIT */
    struct wire_ring_id ring; /* of the latest INIT or membership list */
    uint32_t members;         /* bit n: node n is in the latest membership list */
    uint32_t node_id;
    bool held;         /* an ACK is in force */
    uint32_t vote_seq; /* of the newest VOTE_INFO */
    enum wire_vote vote;
};

struct state {
    struct arbiter *arbiter;
    struct arbiter_settings settings;
    struct arbiter_actions actions;
    struct device devices[CONNS];
    struct q_buf records[CLUSTERS];
    uint64_t now_ms;
    uint64_t generation;                   /* of connections */
    uint64_t persist_cluster_id[CLUSTERS]; /* of the newest PERSIST of each */
    uint64_t persist_generation[CLUSTERS];
    unsigned steps;
    uint64_t hash;
};

static const char *const cluster_names[CLUSTERS] = {"a", "bb", "ccc"};
static struct wire_message message;
static struct wire_message decoded;

static uint8_t take(struct program *program)
{
    if (program->left == 0) {
        return 0;
    }
    program->left--;
    return *program->next++;
}

static void hash_bytes(struct state *state, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < size; i++) {
        state->hash = (state->hash ^ byte[i]) * UINT64_C(0x100000001b3);
    }
}

/* ---- checking what the arbiter does -------------------------------------------------------------- */

static struct device *find_device(struct state *state, uint64_t id)
{
    for (unsigned i = 0; i < CONNS; i++) {
        if (state->devices[i].id == id && id != 0) {
            return &state->devices[i];
        }
    }
    assert(!"an action names a connection that is not there");
    return NULL;
}

static const struct cluster *cluster_of(const struct state *state, const struct device *device)
{
    const char *name = cluster_names[device->cluster];

    return arbiter_find_cluster(state->arbiter, (struct wire_bytes){(const uint8_t *)name, strlen(name)});
}

/* No connected device outside the receiver's membership may still be casting an ACK, unless that is harmless. */
static void check_ack(struct state *state, const struct device *device)
{
    const struct cluster *cluster = cluster_of(state, device);

    assert(cluster != NULL);
    if (cluster->algorithm == WIRE_ALGORITHM_TEST || cluster->verdict.rank == VERDICT_MAJORITY) {
        return;
    }
    for (unsigned i = 0; i < CONNS; i++) {
        const struct device *other = &state->devices[i];
        bool rival = other->id != 0 && other->ready && other->cluster == device->cluster && other->held;

        assert(!rival || other->node_id >= 32 || (device->members & UINT32_C(1) << other->node_id) != 0 ||
               other->node_id == device->node_id);
    }
}

static void check_vote_info(struct state *state, struct device *device)
{
    assert(device->ready && device->reported);
    assert(decoded.u.vote.vote == WIRE_VOTE_ACK || decoded.u.vote.vote == WIRE_VOTE_NACK);
    assert(wire_ring_id_equal(decoded.u.vote.ring_id, device->ring));
    device->vote_seq = decoded.seq;
    device->vote = decoded.u.vote.vote;
    if (device->vote == WIRE_VOTE_ACK) {
        check_ack(state, device);
        device->held = true;
    }
}

static void check_send(struct state *state, const struct arbiter_action *action)
{
    const uint8_t *bytes = arbiter_actions_bytes(&state->actions, action->data);
    struct device *device = find_device(state, action->conn);
    bool empty_body = action->data.size == WIRE_HEADER_SIZE;

    assert(action->data.size <= state->settings.maximum_reply_size);
    if (empty_body || bytes[1] == WIRE_ECHO_REPLY) {
        return;
    }
    assert(wire_decode(bytes, action->data.size, &decoded));
    assert(wire_type_is_server_only(decoded.type));
    if (decoded.type == WIRE_VOTE_INFO) {
        check_vote_info(state, device);
    }
    if (decoded.type == WIRE_PREINIT_REPLY) {
        device->cluster = device->asked_cluster;
    }
    if (decoded.type == WIRE_INIT_REPLY && decoded.u.init_reply.error == WIRE_ERROR_NONE) {
        assert(!device->ready);
        device->ready = true;
        device->ring = device->asked_ring;
        device->node_id = device->asked_node_id;
        device->members = 0;
        device->reported = false;
        device->held = false;
    }
}

static void check_persist(struct state *state, const struct arbiter_action *action)
{
    struct grant_record record;
    size_t cluster;

    assert(grant_record_decode(&record, arbiter_actions_bytes(&state->actions, action->data),
                               action->data.size) == Q_OK);
    cluster = record.name.size - 1; /* cluster_names differ in length */
    assert(cluster < CLUSTERS);
    q_buf_reset(&state->records[cluster]);
    q_buf_append(&state->records[cluster], arbiter_actions_bytes(&state->actions, action->data),
                 action->data.size);
    state->persist_cluster_id[cluster] = action->cluster_id;
    state->persist_generation[cluster] = action->generation;
    grant_record_fini(&record);
}

static void check_action(struct state *state, const struct arbiter_action *action)
{
    struct device *device;

    hash_bytes(state, &action->type, sizeof(action->type));
    hash_bytes(state, &action->conn, sizeof(action->conn));
    hash_bytes(state, arbiter_actions_bytes(&state->actions, action->data), action->data.size);
    switch (action->type) {
    case ARBITER_ACT_SEND:
        check_send(state, action);
        return;
    case ARBITER_ACT_START_TLS:
        find_device(state, action->conn);
        return;
    case ARBITER_ACT_CLOSE:
        device = find_device(state, action->conn);
        device->id = 0;
        device->ready = false;
        return;
    case ARBITER_ACT_PERSIST:
        check_persist(state, action);
        return;
    case ARBITER_ACT_FORGET:
        q_buf_reset(&state->records[(action->name.size - 1) % CLUSTERS]);
        return;
    case ARBITER_ACT_NOTE:
        assert(strlen(arbiter_actions_text(&state->actions, action->data)) == action->data.size);
        return;
    }
}

static void step(struct state *state, struct arbiter_event *event)
{
    event->now_ms = state->now_ms;
    state->steps++;
    arbiter_actions_reset(&state->actions);
    assert(arbiter_step(state->arbiter, event, &state->actions) == Q_OK);
    assert(state->actions.count <= ACTIONS_MAX);
    for (size_t i = 0; i < state->actions.count; i++) {
        check_action(state, &state->actions.items[i]);
    }
    arbiter_check(state->arbiter);
    if (event->type == ARBITER_EV_TIME) {
        assert(arbiter_deadline_ms(state->arbiter) > state->now_ms);
    }
}

/* ---- what devices do ----------------------------------------------------------------------------- */

static void connect_device(struct state *state, struct device *device)
{
    struct arbiter_event event = {.type = ARBITER_EV_CONNECTED};

    if (device->id != 0) {
        return;
    }
    memset(device, 0, sizeof(*device));
    device->id = ++state->generation << 32 | (uint64_t)(device - state->devices);
    event.conn = device->id;
    event.u.connected.peer = "peer";
    step(state, &event);
}

static void note_sent(struct device *device)
{
    if (decoded.type == WIRE_INIT) {
        device->asked_ring = decoded.u.init.ring_id;
        device->asked_node_id = decoded.u.init.node_id;
    }
    if (decoded.type == WIRE_SET_OPTION || decoded.type == WIRE_NODE_LIST) {
        device->reported = true;
    }
}

/* Whether the arbiter takes this membership list; a list it refuses changes nothing. */
static bool is_accepted(struct state *state, const struct device *device)
{
    const struct wire_node_list *list = &decoded.u.node_list;
    const struct cluster *cluster = cluster_of(state, device);

    if (!device->ready || !wire_has_required(&decoded) || list->list_type != WIRE_LIST_MEMBERSHIP ||
        list->node_count > state->settings.nodes_per_cluster_max || cluster == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < list->node_count; i++) {
        if (list->nodes[i].node_id == device->node_id) {
            return true;
        }
    }
    return cluster->algorithm != WIRE_ALGORITHM_FFSPLIT;
}

static void note_membership(struct state *state, struct device *device)
{
    if (decoded.type != WIRE_NODE_LIST || !is_accepted(state, device)) {
        return;
    }
    device->ring = decoded.u.node_list.ring_id;
    device->members = 0;
    for (uint32_t i = 0; i < decoded.u.node_list.node_count; i++) {
        uint32_t id = decoded.u.node_list.nodes[i].node_id;
        device->members |= id < 32 ? UINT32_C(1) << id : 0;
    }
}

/* A vote is given up by confirming the newest NACK; an older confirmation means nothing. */
static void note_confirmation(struct device *device)
{
    if (decoded.type == WIRE_VOTE_INFO_REPLY && wire_has_required(&decoded) &&
        device->vote == WIRE_VOTE_NACK && decoded.seq == device->vote_seq) {
        device->held = false;
    }
}

static void deliver(struct state *state, struct device *device, const uint8_t *bytes, size_t size)
{
    static struct wire_message received;
    struct arbiter_event event = {.type = ARBITER_EV_MESSAGE, .conn = device->id};

    if (device->id == 0 || !wire_type_is_known((uint32_t)bytes[0] << 8 | bytes[1])) {
        return;
    }
    if (!wire_decode(bytes, size, &received)) {
        event.type = ARBITER_EV_UNDECODABLE;
    } else {
        wire_decode(bytes, size, &decoded);
        note_sent(device);
        note_membership(state, device);
        note_confirmation(device);
    }
    event.u.message.message = &received;
    event.u.message.raw = (struct wire_bytes){bytes, size};
    step(state, &event);
}

/* Sends `message`, of which the program may spoil a byte. */
static void send_message(struct state *state, struct program *program, struct device *device)
{
    struct q_buf bytes;
    uint8_t spoil = take(program);

    q_buf_init(&bytes);
    wire_encode(&bytes, &message);
    if (spoil >= 0xf0 && bytes.size > WIRE_HEADER_SIZE) {
        size_t offset = WIRE_HEADER_SIZE + take(program) % (bytes.size - WIRE_HEADER_SIZE);
        bytes.data[bytes.start + offset] ^= take(program);
    }
    deliver(state, device, q_buf_bytes(&bytes), bytes.size);
    q_buf_fini(&bytes);
}

static void begin_message(enum wire_type type)
{
    memset(&message, 0, offsetof(struct wire_message, u) + 256);
    message.type = type;
    message.present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
    message.seq = 1;
}

static void send_preinit(struct state *state, struct device *device, unsigned cluster)
{
    const char *name = cluster_names[cluster];
    struct program no_spoil = {NULL, 0};

    begin_message(WIRE_PREINIT);
    message.present |= WIRE_HAS(WIRE_TLV_CLUSTER_NAME);
    message.u.preinit.cluster_name = (struct wire_bytes){(const uint8_t *)name, strlen(name)};
    device->asked_cluster = cluster;
    send_message(state, &no_spoil, device);
}

static void send_init(struct state *state, struct program *program, struct device *device)
{
    static const uint32_t heartbeats[] = {8000, 1000, 2000, 120000, 999, 5000, 0, 120001};
    uint8_t kind = take(program);
    uint8_t flags = take(program);

    begin_message(WIRE_INIT);
    message.present = UINT32_MAX & ~((flags & 1) != 0 ? 0 : WIRE_HAS_LEASE | WIRE_HAS_INSTANCE);
    if (flags >= 0xe0) {
        message.present &= ~WIRE_HAS(flags % 24);
    }
    message.u.init = (struct wire_init){.node_id = 1 + kind % 6,
                                        .algorithm = 1 + (kind / 6) % 3,
                                        .heartbeat_ms = heartbeats[(flags >> 1) % 8],
                                        .tie_breaker = {WIRE_TIE_BREAKER_LOWEST, 0},
                                        .ring_id = {1, 1},
                                        .lease = {flags * 50u, flags * 20u},
                                        .instance = flags % 4};
    if ((flags & 0x10) != 0) {
        message.u.init.tie_breaker =
            (struct wire_tie_breaker){(enum wire_tie_breaker_mode)(2 + kind % 2), kind % 7};
    }
    if (kind > 250) {
        message.u.init.algorithm = kind == 251 ? WIRE_ALGORITHM_TEST : kind;
    }
    send_message(state, program, device);
}

static void send_list(struct state *state, struct program *program, struct device *device)
{
    uint8_t kind = take(program);
    uint8_t nodes = take(program);
    struct wire_node_list *list = &message.u.node_list;

    begin_message(WIRE_NODE_LIST);
    message.present = UINT32_MAX;
    if (kind >= 0xf8) {
        message.present &= ~(WIRE_HAS(WIRE_TLV_RING_ID) | WIRE_HAS(kind % 24));
    }
    list->list_type = (enum wire_node_list_type)(kind % 4);
    list->ring_id = (struct wire_ring_id){1, (kind >> 2) % 8};
    list->heuristics = (enum wire_heuristics)((kind >> 5) % 3);
    list->quorate = (kind & 4) != 0;
    for (uint32_t id = 1; id <= 8; id++) {
        if ((nodes & 1 << (id - 1)) != 0) {
            list->nodes[list->node_count++] = (struct wire_node_info){.node_id = id};
        }
    }
    send_message(state, program, device);
}

static void send_small(struct state *state, struct program *program, struct device *device)
{
    static const enum wire_type types[] = {WIRE_ASK_FOR_VOTE, WIRE_ECHO_REQUEST, WIRE_VOTE_INFO,
                                           WIRE_NODE_LIST_REPLY, WIRE_SERVER_ERROR};
    uint8_t kind = take(program);

    if (kind % 8 < 3) {
        begin_message(WIRE_HEURISTICS_CHANGE);
        message.present |= WIRE_HAS(WIRE_TLV_HEURISTICS);
        message.u.heuristics_change.heuristics = (enum wire_heuristics)(1 + kind / 8 % 2);
    } else if (kind % 8 < 5) {
        begin_message(WIRE_SET_OPTION);
        message.present |=
            WIRE_HAS(kind % 16 < 8 ? WIRE_TLV_KEEP_ACTIVE_PARTITION : WIRE_TLV_HEARTBEAT_INTERVAL);
        if (kind % 16 < 8) {
            message.u.set_option.keep_active_partition = kind >= 128;
        } else {
            message.u.set_option.heartbeat_ms = kind * 100u;
        }
    } else {
        begin_message(types[kind / 8 % 5]);
        if (message.type == WIRE_NODE_LIST_REPLY || message.type == WIRE_VOTE_INFO) {
            message.u.vote.vote = WIRE_VOTE_ACK;
        }
    }
    send_message(state, program, device);
}

static void send_confirmation(struct state *state, struct program *program, struct device *device)
{
    uint8_t kind = take(program);

    begin_message(WIRE_VOTE_INFO_REPLY);
    message.seq = device->vote_seq - (kind >= 0xf0 ? kind % 4 : 0);
    send_message(state, program, device);
}

static void send_raw(struct state *state, struct program *program, struct device *device)
{
    uint8_t bytes[WIRE_HEADER_SIZE + 64] = {0, take(program) % WIRE_TYPE_COUNT, 0, 0, 0, take(program) % 64};

    /* Identity and membership only by the ways above, so that the checker knows them. */
    if (bytes[1] == WIRE_PREINIT || bytes[1] == WIRE_INIT) {
        return;
    }
    for (unsigned i = 0; i < bytes[5]; i++) {
        bytes[WIRE_HEADER_SIZE + i] = take(program);
    }
    deliver(state, device, bytes, WIRE_HEADER_SIZE + (size_t)bytes[5]);
}

static void disconnect_device(struct state *state, struct program *program, struct device *device)
{
    struct arbiter_event event = {.type = ARBITER_EV_DISCONNECTED, .conn = device->id};

    event.u.disconnected.how = (enum arbiter_disconnect)(take(program) % 3);
    if (device->id != 0) {
        device->id = 0;
        device->ready = false;
        step(state, &event);
    }
}

static void establish_tls(struct state *state, struct program *program, struct device *device)
{
    uint8_t which = take(program);
    const char *names[] = {cluster_names[which % CLUSTERS], "BB"};
    struct arbiter_event event = {.type = ARBITER_EV_TLS_ESTABLISHED, .conn = device->id};

    event.u.tls.names = names;
    event.u.tls.name_count = take(program) % 3;
    memset(event.u.tls.cluster.bytes, which / CLUSTERS % 3, sizeof(event.u.tls.cluster.bytes));
    if (device->id != 0) {
        step(state, &event);
    }
}

/* ---- what is not a device's ---------------------------------------------------------------------- */

static void pass_time(struct state *state, struct program *program)
{
    static const uint64_t amounts[] = {1, 100, 999, 2000, 5000, 12000, 20000, 300000};
    struct arbiter_event event = {.type = ARBITER_EV_TIME};
    uint8_t kind = take(program);
    uint64_t deadline = arbiter_deadline_ms(state->arbiter);

    if (kind >= 128 && deadline != ARBITER_NEVER) {
        state->now_ms = deadline > state->now_ms ? deadline : state->now_ms;
    } else {
        state->now_ms += amounts[kind % 8];
    }
    step(state, &event);
}

static void answer_persist(struct state *state, struct program *program, unsigned cluster)
{
    struct arbiter_event event = {.type = ARBITER_EV_PERSISTED};
    uint8_t kind = take(program);

    event.u.persisted.cluster_id = kind >= 0xf8 ? kind : state->persist_cluster_id[cluster];
    event.u.persisted.generation = kind >= 0xf0 ? kind : state->persist_generation[cluster];
    event.u.persisted.result = (enum arbiter_persist_result)(kind % 8 > 2 ? 0 : kind % 8);
    step(state, &event);
}

static void start(struct state *state, bool complete)
{
    struct arbiter_event event = {.type = ARBITER_EV_RESTORE};
    struct grant_record record;

    arbiter_free(state->arbiter);
    state->arbiter = arbiter_new(&state->settings, state->now_ms);
    assert(state->arbiter != NULL);
    memset(state->devices, 0, sizeof(state->devices));
    for (unsigned i = 0; i < CLUSTERS && complete; i++) {
        if (state->records[i].size == 0) {
            continue;
        }
        assert(grant_record_decode(&record, q_buf_bytes(&state->records[i]), state->records[i].size) == Q_OK);
        event.type = ARBITER_EV_RESTORE;
        event.u.record = &record;
        step(state, &event);
        grant_record_fini(&record);
    }
    event.type = ARBITER_EV_RESTORED;
    event.u.restored.complete = complete;
    step(state, &event);
}

static void skip_message(struct state *state, struct device *device)
{
    struct arbiter_event event = {.type = ARBITER_EV_SKIPPED, .conn = device->id};

    event.u.skipped.error = WIRE_ERROR_MESSAGE_TOO_LONG;
    if (device->id != 0) {
        step(state, &event);
    }
}

/* A device connects and introduces itself as usual, to get inputs into depth quickly. */
static void join(struct state *state, struct program *program, struct device *device)
{
    struct program no_spoil = {NULL, 0};
    uint8_t kind = take(program);

    connect_device(state, device);
    if (device->id == 0) {
        return;
    }
    send_preinit(state, device, kind / 64 % CLUSTERS);
    begin_message(WIRE_INIT);
    message.present = UINT32_MAX & ~((kind & 32) != 0 ? 0 : WIRE_HAS_LEASE | WIRE_HAS_INSTANCE);
    message.u.init = (struct wire_init){.node_id = 1 + (uint32_t)(device - state->devices) % 6,
                                        .algorithm = device->cluster + 1,
                                        .heartbeat_ms = 8000,
                                        .tie_breaker = {WIRE_TIE_BREAKER_LOWEST, 0},
                                        .ring_id = {1, 1},
                                        .lease = {4000, 3000}};
    send_message(state, &no_spoil, device);
    begin_message(WIRE_NODE_LIST);
    message.present |= WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE);
    for (uint32_t id = 1; id <= (device->cluster == 1 ? 2u : 2 + kind % 4u); id++) {
        message.u.node_list.nodes[message.u.node_list.node_count++] = (struct wire_node_info){.node_id = id};
    }
    send_message(state, &no_spoil, device);
}

static void run_one(struct state *state, struct program *program)
{
    uint8_t op = take(program);
    struct device *device = &state->devices[op / 32];

    switch (op % 32) {
    case 0:
        connect_device(state, device);
        return;
    case 1:
    case 2:
        send_preinit(state, device, take(program) % CLUSTERS);
        return;
    case 3:
    case 4:
        send_init(state, program, device);
        return;
    case 5:
    case 6:
        join(state, program, device);
        return;
    case 7:
        begin_message(WIRE_STARTTLS);
        send_message(state, program, device);
        return;
    case 8:
        establish_tls(state, program, device);
        return;
    case 9:
        send_raw(state, program, device);
        return;
    case 10:
        skip_message(state, device);
        return;
    case 11:
        disconnect_device(state, program, device);
        return;
    case 12:
    case 13:
        answer_persist(state, program, op / 32 % CLUSTERS);
        return;
    case 14:
    case 15:
        pass_time(state, program);
        return;
    case 16:
        if (take(program) > 0xc0) {
            start(state, (op & 32) != 0);
        }
        return;
    case 17:
    case 18:
        send_small(state, program, device);
        return;
    case 19:
    case 20:
    case 21:
    case 22:
    case 23:
        send_confirmation(state, program, device);
        return;
    default:
        send_list(state, program, device);
        return;
    }
}

/* ---- and then they all behave -------------------------------------------------------------------- */

/* Slow heartbeats, so that few echoes are needed to stay alive while long leases end. */
static void slow_down(struct state *state, struct device *device)
{
    struct program no_spoil = {NULL, 0};

    begin_message(WIRE_SET_OPTION);
    message.present |= WIRE_HAS(WIRE_TLV_HEARTBEAT_INTERVAL);
    message.u.set_option.heartbeat_ms = state->settings.heartbeat_ms_max;
    send_message(state, &no_spoil, device);
}

/* A list of all devices that are ready in that device's cluster. */
static void report_all(struct state *state, struct device *device, enum wire_node_list_type type)
{
    struct program no_spoil = {NULL, 0};

    begin_message(WIRE_NODE_LIST);
    message.present |= WIRE_HAS(WIRE_TLV_NODE_LIST_TYPE) | WIRE_HAS(WIRE_TLV_RING_ID);
    message.u.node_list.list_type = type;
    message.u.node_list.ring_id = (struct wire_ring_id){99, 99};
    for (unsigned i = 0; i < CONNS; i++) {
        const struct device *other = &state->devices[i];

        if (other->ready && other->cluster == device->cluster && other->node_id != 0) {
            message.u.node_list.nodes[message.u.node_list.node_count++].node_id = other->node_id;
        }
    }
    send_message(state, &no_spoil, device);
}

static void confirm_all(struct state *state)
{
    struct program no_spoil = {NULL, 0};

    for (unsigned i = 0; i < CONNS; i++) {
        if (state->devices[i].ready) {
            begin_message(WIRE_VOTE_INFO_REPLY);
            message.seq = state->devices[i].vote_seq;
            send_message(state, &no_spoil, &state->devices[i]);
        }
    }
}

/* A vote may still be out only while a node that has gone may hold one, of whatever length it claimed. */
static bool waits_for_a_ghost(const struct state *state, const struct cluster *cluster)
{
    for (const struct member *m = cluster->members; m != NULL; m = m->next) {
        if (m->grant == GRANT_GHOST && m->ghost_until_ms > state->now_ms) {
            return true;
        }
    }
    return false;
}

/*
 * Whatever went before: when all devices report the same, confirm what they are told and records are written, each has
 * its verdict within bounds.
 */
static void check_liveness(struct state *state)
{
    for (unsigned i = 0; i < CONNS; i++) {
        state->devices[i].vote = WIRE_VOTE_UNDEFINED;
        if (state->devices[i].ready) {
            slow_down(state, &state->devices[i]);
        }
    }
    for (unsigned i = 0; i < CONNS; i++) {
        if (state->devices[i].ready) {
            report_all(state, &state->devices[i], WIRE_LIST_CHANGED_CONFIG);
            report_all(state, &state->devices[i], WIRE_LIST_MEMBERSHIP);
        }
    }
    for (unsigned round = 0; round < 40; round++) {
        struct arbiter_event event = {.type = ARBITER_EV_TIME};
        static const uint8_t done = 7;

        for (unsigned i = 0; i < CLUSTERS; i++) {
            struct program program = {&done, 1};
            answer_persist(state, &program, i);
        }
        confirm_all(state);
        state->now_ms += 20000;
        step(state, &event);
    }
    for (unsigned i = 0; i < CONNS; i++) {
        const struct device *device = &state->devices[i];
        const struct cluster *cluster = device->ready ? cluster_of(state, device) : NULL;

        assert(cluster == NULL || cluster->algorithm == WIRE_ALGORITHM_TEST || device->node_id == 0 ||
               device->vote != WIRE_VOTE_UNDEFINED || waits_for_a_ghost(state, cluster));
    }
}

static uint64_t run(const uint8_t *data, size_t size)
{
    static struct state state;
    struct program program = {data, size};
    uint8_t settings = take(&program);

    memset(&state, 0, sizeof(state));
    state.hash = UINT64_C(0xcbf29ce484222325);
    state.now_ms = 1000;
    arbiter_settings_default(&state.settings);
    state.settings.tls = (settings & 3) == 3 ? WIRE_TLS_REQUIRED : WIRE_TLS_SUPPORTED;
    state.settings.strict = (settings & 12) != 12;
    state.settings.dpd_enabled = (settings & 0x30) != 0x30;
    state.settings.clients_max = (settings & 0xc0) == 0xc0 ? 3 : 0;
    arbiter_actions_init(&state.actions);
    start(&state, (settings & 1) == 0);
    while (program.left > 0 && state.steps < STEPS_MAX) {
        run_one(&state, &program);
    }
    check_liveness(&state);
    arbiter_free(state.arbiter);
    arbiter_actions_fini(&state.actions);
    for (unsigned i = 0; i < CLUSTERS; i++) {
        q_buf_fini(&state.records[i]);
    }
    return state.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t hash = run(data, size);

    assert(run(data, size) == hash);
    return 0;
}
