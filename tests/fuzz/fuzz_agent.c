/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's agent under hostile sequences of events: the input is a program for the arbiter, the core, the voter, the
 * heuristics worker, the administrator and the clock, which say anything in any order, as far as the contract of agent.h
 * lets them; the arbiter may send any bytes. After every step agent_model.c says whether that could be. At the end
 * everybody behaves, and the node must get its vote. Every input runs twice and must give the same actions, byte for byte.
 */
#include <assert.h>
#include <string.h>

#include "common/wire/framer.h"
#include "tests/fuzz/agent_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START_MS 1000000
#define STEPS_MAX 600
#define MEMBERS_MANY 400
#define NODES 8

/* The program being run; reads zeros behind its end. */
struct program {
    const uint8_t *next;
    size_t left;
};

static struct wire_message message; /* to be sent */
static struct wire_message decoded; /* as the shell receives it */
static struct wire_framer framer;
static uint64_t framer_conn = UINT64_MAX;

static uint8_t take(struct program *program)
{
    if (program->left == 0)
        return 0;
    program->left--;
    return *program->next++;
}

static void step_simply(struct agent_model *model, enum agent_event_type type)
{
    struct agent_event event = {.type = type, .conn = model->line.conn};

    agent_model_step(model, &event);
}

/* ---- the arbiter --------------------------------------------------------------------------------- */

static void hear(struct agent_model *model, const struct wire_frame_message *bytes, bool whole)
{
    struct agent_event event = {.type = AGENT_EV_UNREADABLE, .conn = model->line.conn};

    if (whole && wire_decode(bytes->bytes, bytes->size, &decoded)) {
        event.type = AGENT_EV_MESSAGE;
        event.u.message.message = &decoded;
    }
    agent_model_step(model, &event);
}

/* Half a message of a former connection is no part of this one. */
static void renew_framer(uint64_t conn)
{
    if (framer_conn == conn)
        return;
    framer_conn = conn;
    wire_framer_fini(&framer);
    wire_framer_init(&framer, WIRE_SIZE_DEFAULT);
}

/* The shell's reading: message by message, until the connection is no longer the same. */
static void receive(struct agent_model *model, const uint8_t *bytes, size_t size)
{
    uint64_t conn = model->line.conn;

    renew_framer(conn);
    while (size > 0 && agent_model_is_open(model) && model->line.conn == conn && !model->stopped) {
        struct wire_frame_message out;
        enum wire_frame frame = wire_framer_next(&framer, &out);
        size_t room, wanted;
        uint8_t *into;

        if (frame == WIRE_FRAME_MORE) {
            wanted = wire_framer_wanted(&framer);
            into = wire_framer_room(&framer, wanted < size ? wanted : size, &room);
            assert(into != NULL);
            memcpy(into, bytes, room);
            wire_framer_fed(&framer, room);
            bytes += room;
            size -= room;
            frame = wire_framer_next(&framer, &out);
        }
        if (frame == WIRE_FRAME_MESSAGE || frame == WIRE_FRAME_SKIPPED)
            hear(model, &out, frame == WIRE_FRAME_MESSAGE);
    }
}

/* Sends `message`, of which the program may spoil a byte, or the end. */
static void send_message(struct agent_model *model, struct program *program)
{
    struct q_buf bytes;
    uint8_t spoil = program != NULL ? take(program) : 0;
    size_t size;

    q_buf_init(&bytes);
    wire_encode(&bytes, &message);
    size = bytes.size;
    if (spoil >= 0xf0) {
        size_t offset = take(program) % size;

        bytes.data[bytes.start + offset] ^= take(program);
    } else if (spoil >= 0xe8) {
        size = take(program) % size;
    }
    receive(model, q_buf_bytes(&bytes), size);
    q_buf_fini(&bytes);
}

static void begin_message(enum wire_type type, uint32_t present)
{
    memset(&message, 0, offsetof(struct wire_message, u) + 256);
    message.type = type;
    message.present = present | WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER);
}

static void send_preinit_reply(struct agent_model *model, struct program *program)
{
    uint8_t kind = program != NULL ? take(program) : 0;

    begin_message(WIRE_PREINIT_REPLY, UINT32_MAX);
    message.seq = model->line.seq + (kind >= 0xf8 ? 1 : 0);
    message.u.preinit_reply.tls_supported =
        model->config->tls == AGENT_TLS_OFF ? WIRE_TLS_SUPPORTED : WIRE_TLS_REQUIRED;
    if (kind % 4 == 3)
        message.u.preinit_reply.tls_supported = (enum wire_tls_supported)(kind / 4 % 3);
    send_message(model, program);
}

static void send_init_reply(struct agent_model *model, struct program *program)
{
    static const struct wire_bytes all = {NULL, 1};
    static const uint8_t few[] = {0, 1, 0, 22, 0, 23};
    uint8_t kind = program != NULL ? take(program) : 1;
    uint8_t lease = program != NULL && kind >= 0x80 ? take(program) : 255;
    struct wire_init_reply *reply = &message.u.init_reply;

    begin_message(WIRE_INIT_REPLY, UINT32_MAX & ~((kind & 1) != 0 ? 0 : WIRE_HAS_LEASE));
    message.seq = model->line.seq - (kind >= 0xf8 ? 1 : 0);
    *reply = (struct wire_init_reply){.maximum_request_size = WIRE_SIZE_DEFAULT,
                                      .maximum_reply_size = WIRE_SIZE_DEFAULT,
                                      .lease = {lease == 255 ? UINT32_MAX : lease * 20u, 200},
                                      .supported_messages = all,
                                      .supported_options = all,
                                      .supported_algorithms = all};
    if ((kind & 6) == 6)
        reply->error = (enum wire_error)(kind / 8 % 20);
    if ((kind & 0x18) == 0x18)
        reply->supported_options = (struct wire_bytes){few, (kind & 0x60) == 0x60 ? sizeof(few) : 2};
    if ((kind & 0x28) == 0x28)
        reply->supported_algorithms = (struct wire_bytes){few, 2};
    send_message(model, program);
}

static void send_echo_reply(struct agent_model *model, struct program *program)
{
    uint8_t kind = program != NULL ? take(program) : 0;

    begin_message(WIRE_ECHO_REPLY, 0);
    message.seq = model->line.echo_seq;
    if (kind >= 0xc0)
        message.seq += kind >= 0xf8 ? kind : UINT32_C(0) - kind % 16;
    send_message(model, program);
}

/* A verdict: an old one, of another ring, or the one that counts; with words of ours, or of somebody else's. */
static void send_vote(struct agent_model *model, struct program *program, enum wire_type type)
{
    static const uint8_t words[] = "ffsplit: 2 against 2, tie-breaker lowest=1: ACK 1,2 NACK 3,4 \xe2\x86\x92 \xc3\xa4";
    static uint8_t long_words[WIRE_REASON_SIZE_MAX];
    uint8_t kind = take(program);
    uint8_t flags = take(program);

    memset(long_words, 'x', sizeof(long_words));
    for (size_t i = flags % 4; i + 1 < sizeof(long_words); i += 2)
        memcpy(long_words + i, "\xc3\xa4", 2);
    begin_message(type, UINT32_MAX & ~((flags & 0x80) != 0 ? 0 : WIRE_HAS_REASON));
    message.seq = type == WIRE_VOTE_INFO ? flags / 16u : model->line.seq - (kind >= 0xf0 ? 1 : 0);
    message.u.vote = (struct wire_vote_message){.vote = (enum wire_vote)(1 + kind % 5), .ring_id = model->ring};
    if ((kind & 0xe0) == 0xe0)
        message.u.vote.ring_id.seq += flags % 4 - 1u;
    if ((kind & 0xe0) == 0xc0)
        message.u.vote.ring_id.node_id++;
    message.u.vote.list_type = (enum wire_node_list_type)(flags % 4);
    message.u.vote.heuristics = (enum wire_heuristics)(1 + flags % 2);
    message.u.vote.reason = (struct wire_bytes){words, sizeof(words) - 1};
    if ((flags & 0xc0) == 0xc0)
        message.u.vote.reason = (struct wire_bytes){long_words, sizeof(long_words) - (flags & 3)};
    if (flags == 0x80)
        message.u.vote.reason.size = 0;
    send_message(model, program);
}

static void send_other(struct agent_model *model, struct program *program)
{
    static const enum wire_type types[] = {WIRE_SERVER_ERROR, WIRE_SET_OPTION_REPLY, WIRE_ECHO_REQUEST,
                                           WIRE_STARTTLS,     WIRE_ASK_FOR_VOTE,     WIRE_VOTE_INFO_REPLY};
    uint8_t kind = take(program);

    begin_message(types[kind % 6], UINT32_MAX);
    message.seq = model->line.seq;
    if (message.type == WIRE_SERVER_ERROR)
        message.u.server_error.error = kind / 6;
    send_message(model, program);
}

static void send_raw(struct agent_model *model, struct program *program)
{
    uint8_t bytes[WIRE_HEADER_SIZE + 64] = {0, take(program) % (WIRE_TYPE_COUNT + 2), 0, 0, 0, take(program) % 64};
    size_t size = WIRE_HEADER_SIZE + (size_t)bytes[5];

    for (size_t i = WIRE_HEADER_SIZE; i < size; i++)
        bytes[i] = take(program);
    receive(model, bytes, size);
}

/* ---- the network --------------------------------------------------------------------------------- */

static void resolve(struct agent_model *model, struct program *program)
{
    struct agent_event event = {.type = AGENT_EV_RESOLVED, .conn = model->line.conn};

    event.u.resolved.address_count = program != NULL ? take(program) % 4 : 1;
    event.u.resolved.text = "no such host";
    if (model->line.stage != LOOKUP)
        return;
    agent_model_step(model, &event);
}

static void connect_line(struct agent_model *model)
{
    if (model->line.stage == DIALLING)
        step_simply(model, AGENT_EV_CONNECTED);
}

static void secure(struct agent_model *model)
{
    if (model->line.stage == HANDSHAKE)
        step_simply(model, AGENT_EV_SECURED);
}

static void disconnect(struct agent_model *model)
{
    struct agent_event event = {.type = AGENT_EV_DISCONNECTED, .conn = model->line.conn};

    if (model->line.stage <= LOOKUP)
        return;
    event.u.disconnected.text = "connection reset by peer";
    agent_model_step(model, &event);
}

/* An event of a connection that is not the present one means nothing. */
static void speak_for_another(struct agent_model *model, struct program *program)
{
    static const enum agent_event_type types[] = {AGENT_EV_RESOLVED, AGENT_EV_CONNECTED,  AGENT_EV_SECURED,
                                                  AGENT_EV_MESSAGE,  AGENT_EV_UNREADABLE, AGENT_EV_DISCONNECTED};
    uint8_t kind = take(program);
    struct agent_event event = {.type = types[kind % 6], .conn = model->line.conn + (kind >= 128 ? 1 : -1)};

    begin_message(WIRE_VOTE_INFO, UINT32_MAX);
    message.u.vote = (struct wire_vote_message){.vote = WIRE_VOTE_ACK, .ring_id = model->ring};
    if (event.type == AGENT_EV_MESSAGE)
        event.u.message.message = &message;
    if (event.type == AGENT_EV_DISCONNECTED)
        event.u.disconnected.text = "reset";
    if (event.type == AGENT_EV_RESOLVED)
        event.u.resolved.address_count = 1;
    agent_model_step(model, &event);
}

/* ---- the node ------------------------------------------------------------------------------------ */

static void form_ring(struct agent_model *model, struct program *program)
{
    struct agent_event event = {.type = AGENT_EV_CORE_NODELIST};
    uint32_t members[MEMBERS_MANY];
    uint8_t kind = program != NULL ? take(program) : 0;
    uint8_t nodes = program != NULL ? take(program) : 3;
    struct wire_ring_id ring = model->ring;
    uint32_t count = 0;

    for (uint32_t id = 1; id <= (nodes == 255 ? MEMBERS_MANY : 8); id++)
        if (id > 8 || (nodes & 1 << (id - 1)) != 0)
            members[count++] = id;
    if (kind < 0x80)
        ring = (struct wire_ring_id){1, ring.seq + kind % 8 + 4};
    else /* one that was there before, which votequorum never says, but a restarted core may come to */
        ring = (struct wire_ring_id){1 + kind % 2, 4 + kind % 8u};
    event.u.nodelist.ring_id = ring;
    event.u.nodelist.members = members;
    event.u.nodelist.member_count = count;
    agent_model_step(model, &event);
}

static void tell_quorum(struct agent_model *model, struct program *program)
{
    struct agent_event event = {.type = AGENT_EV_CORE_QUORUM};
    struct wire_node_info nodes[NODES];
    uint8_t kind = take(program);

    for (uint32_t i = 0; i < NODES; i++)
        nodes[i] = (struct wire_node_info){.node_id = i + 1, .state = (enum wire_node_state)(1 + (kind + i) % 3)};
    event.u.quorum.quorate = (kind & 0x80) != 0;
    event.u.quorum.nodes = nodes;
    event.u.quorum.node_count = kind % (NODES + 1);
    agent_model_step(model, &event);
}

static void answer_cast(struct agent_model *model, bool newest)
{
    struct agent_event event = {.type = AGENT_EV_CAST_DONE, .u.cast_done.sequence = model->vote.sequence};

    if (!newest && model->vote.done < model->vote.sequence)
        event.u.cast_done.sequence = model->vote.done + 1;
    agent_model_step(model, &event);
}

/* Of the run that was asked for, of the one before, or of a regular one. */
static void answer_heuristics(struct agent_model *model, uint8_t kind)
{
    struct agent_event event = {.type = AGENT_EV_HEURISTICS};

    event.u.heuristics.result = (enum wire_heuristics)(1 + kind % 2);
    event.u.heuristics.run = (kind & 4) != 0 ? AGENT_RUN_REGULAR : model->run;
    event.u.heuristics.sequence = (kind & 4) != 0 ? 0 : model->run_sequence - (kind >= 0xf0 ? 1 : 0);
    if ((kind & 4) != 0 || model->run_pending)
        agent_model_step(model, &event);
}

/* The 16 bits choose everything that may differ between two readings of the configuration. */
static void configure(struct agent_model *model, uint8_t kind, uint8_t times)
{
    static const char *const hosts[] = {"one", "two", "three"};
    static const struct timing_input inputs[] = {
        {.sync_timeout_ms = 30000, .heartbeat_ms_min = 1000, .heartbeat_ms_max = 120000},
        {true, 10000, 30000, 1000, 120000, 0},
        {true, 1, 0, 1, 120000, 1},
        {true, UINT32_MAX, UINT32_MAX, 1000, UINT32_MAX, UINT32_MAX},
        {true, 1000, 1, 1000, 120000, 1000},
        {.sync_timeout_ms = 2000, .heartbeat_ms_min = 1000, .heartbeat_ms_max = 120000},
        {true, 5, 30000, 1, 120000, 0},
        {true, 100, 3000, 100, 120000, 100},
    };
    static struct agent_config config_given;
    static struct wire_node_info nodes[NODES];
    struct agent_event event = {.type = AGENT_EV_CONFIG, .u.config = &config_given};
    struct agent_config *config = &config_given;

    config->cluster_name = "lab";
    config->node_id = 1;
    config->instance = 42;
    config->tls = (enum agent_tls)(kind % 4 % 3);
    config->host_count = 1 + kind / 4 % 3;
    for (size_t i = 0; i < config->host_count; i++)
        config->hosts[i] = hosts[(i + kind / 16) % 3];
    config->heuristics_active = (kind & 0x40) != 0;
    config->keep_active_partition = (kind & 0x80) != 0;
    config->algorithm = (times & 8) != 0 ? WIRE_ALGORITHM_LMS : WIRE_ALGORITHM_FFSPLIT;
    config->tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_LOWEST, 0};
    if ((times & 0x10) != 0)
        config->tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_NODE_ID, 2};
    config->has_config_version = (times & 0x20) != 0;
    config->config_version = times;
    config->node_count = 1 + times / 32;
    for (uint32_t i = 0; i < NODES; i++)
        nodes[i] = (struct wire_node_info){.node_id = i + 1, .data_center_id = times / 64 * i};
    config->nodes = nodes;
    timing_derive(&inputs[times % 8], &config->timing);
    agent_model_step(model, &event);
}

static void shut_down(struct agent_model *model)
{
    if (!model->shutting_down)
        step_simply(model, AGENT_EV_SHUTDOWN);
}

/* ---- time ---------------------------------------------------------------------------------------- */

static void pass_time(struct agent_model *model, struct program *program)
{
    static const uint64_t amounts[] = {1, 40, 100, 499, 1000, 2499, 9000, 300000};
    uint8_t kind = take(program);
    uint64_t deadline = agent_deadline_ms(model->agent);

    if (kind < 0x40) { /* time has passed, but something else is served first */
        model->now_ms += amounts[kind % 8];
        return;
    }
    if (kind >= 0x80 && deadline != AGENT_NEVER)
        model->now_ms = deadline > model->now_ms ? deadline : model->now_ms;
    else
        model->now_ms += amounts[kind % 8];
    agent_model_serve_time(model);
}

/* ---- everybody behaves --------------------------------------------------------------------------- */

/* The next thing that a network and an arbiter in good health would do. False: there is nothing. */
static bool behave(struct agent_model *model)
{
    struct agent_status status;

    agent_get_status(model->agent, &status);
    switch (status.link) {
    case AGENT_IDLE:
        return false;
    case AGENT_RESOLVING:
        resolve(model, NULL);
        return true;
    case AGENT_CONNECTING:
        connect_line(model);
        return true;
    case AGENT_PREINIT:
        send_preinit_reply(model, NULL);
        return true;
    case AGENT_SECURING:
        secure(model);
        return true;
    case AGENT_INIT:
        send_init_reply(model, NULL);
        return true;
    case AGENT_READY:
        break;
    }
    if (model->line.echo_answered < model->line.echo_seq) {
        send_echo_reply(model, NULL);
        return true;
    }
    if (model->run_pending) {
        answer_heuristics(model, 0);
        return true;
    }
    return false;
}

static void grant(struct agent_model *model)
{
    begin_message(WIRE_NODE_LIST_REPLY, UINT32_MAX & ~WIRE_HAS_REASON);
    message.u.vote = (struct wire_vote_message){.vote = WIRE_VOTE_ACK, .ring_id = model->ring};
    send_message(model, NULL);
}

static void reach_deadline(struct agent_model *model)
{
    uint64_t deadline = agent_deadline_ms(model->agent);

    if (deadline != AGENT_NEVER && deadline > model->now_ms)
        model->now_ms = deadline;
    agent_model_serve_time(model);
}

/* The good way, some steps far, to get inputs into depth quickly. */
static void go_on(struct agent_model *model, unsigned count)
{
    for (unsigned i = 0; i < count && !model->stopped; i++)
        if (!behave(model) && model->has_ring && model->line.stage == NO_CONNECTION)
            reach_deadline(model);
}

/* Whatever went before: when all do what they should, the node has its vote, within the time of a pause or two. */
static void check_liveness(struct agent_model *model)
{
    uint64_t bound_ms = model->now_ms + 5 * (uint64_t)model->config->timing.pause_ms_max;

    /* Half a message of the arbiter's would swallow what follows. */
    if (wire_framer_buffered(&framer) > 0 || framer.skip_remaining > 0)
        disconnect(model);
    if (!model->has_ring)
        form_ring(model, NULL);
    bound_ms += model->config->timing.lease_ms;
    for (unsigned round = 0; model->vote.cast != AGENT_CAST_YES; round++) {
        assert(round < 200 && model->now_ms <= bound_ms);
        answer_cast(model, true);
        if (behave(model))
            continue;
        if (model->line.lists_said)
            grant(model);
        else
            reach_deadline(model);
    }
}

/* The end comes, and not later than it should, whether the voter answers or not. */
static void check_end(struct agent_model *model, bool answered)
{
    shut_down(model);
    if (answered && !model->stopped)
        answer_cast(model, true);
    for (unsigned i = 0; i < 10 && !model->stopped; i++)
        reach_deadline(model);
    assert(model->stopped);
    assert(!answered || model->now_ms == model->shutdown_ms);
}

/* ---- the program --------------------------------------------------------------------------------- */

static void run_one(struct agent_model *model, struct program *program)
{
    static const enum wire_type votes[] = {WIRE_VOTE_INFO, WIRE_NODE_LIST_REPLY, WIRE_ASK_FOR_VOTE_REPLY,
                                           WIRE_HEURISTICS_CHANGE_REPLY};
    uint8_t op = take(program);
    uint8_t kind;

    switch (op % 32) {
    case 0:
        kind = take(program);
        configure(model, kind, take(program));
        return;
    case 1:
    case 2:
        form_ring(model, program);
        return;
    case 3:
        tell_quorum(model, program);
        return;
    case 4:
        step_simply(model, AGENT_EV_CORE_LOST);
        return;
    case 5:
        resolve(model, program);
        return;
    case 6:
        connect_line(model);
        return;
    case 7:
        secure(model);
        return;
    case 8:
        send_preinit_reply(model, program);
        return;
    case 9:
        send_init_reply(model, program);
        return;
    case 10:
    case 11:
        send_echo_reply(model, program);
        return;
    case 12:
    case 13:
    case 14:
        send_vote(model, program, votes[op / 32 % 4]);
        return;
    case 15:
        send_other(model, program);
        return;
    case 16:
        send_raw(model, program);
        return;
    case 17:
        disconnect(model);
        return;
    case 18:
        speak_for_another(model, program);
        return;
    case 19:
    case 20:
        answer_cast(model, (op & 32) != 0);
        return;
    case 21:
        answer_heuristics(model, take(program));
        return;
    case 22:
        if (take(program) > 0xf0)
            shut_down(model);
        return;
    case 23:
    case 24:
    case 25:
        go_on(model, op / 32 + 1);
        return;
    case 26:
        reach_deadline(model);
        return;
    default:
        pass_time(model, program);
        return;
    }
}

static uint64_t run(const uint8_t *data, size_t size)
{
    static struct agent_model model;
    struct program program = {data, size};
    uint8_t kind = take(&program);
    uint8_t times = take(&program);

    agent_model_init(&model, START_MS);
    model.ring = (struct wire_ring_id){1, 4};
    renew_framer(0);
    configure(&model, kind, times);
    while (program.left > 0 && model.steps < STEPS_MAX && !model.stopped)
        run_one(&model, &program);
    if (!model.stopped && !model.shutting_down)
        check_liveness(&model);
    if (!model.stopped)
        check_end(&model, !model.shutting_down && (kind & 1) != 0);
    agent_model_fini(&model);
    return model.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t hash = run(data, size);

    assert(run(data, size) == hash);
    return 0;
}
