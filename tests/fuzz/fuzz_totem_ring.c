/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring's machine under hostile sequences of events: the input is a program in which nodes 1, 3, 4 and 5 send node 2
 * anything in any order, forged or helpful (a helpful one answers what node 2 has just sent, so that inputs get past each state),
 * while time passes and node 2 sends. After every step: the machine's own invariants, and actions that can be carried out.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/totem/totem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ME 2
#define NODES 5
#define STEPS_MAX 400

enum operation {
    OP_TIME,
    OP_TOKEN,
    OP_MCAST,
    OP_JOIN,
    OP_COMMIT,
    OP_MERGE,
    OP_HOLD_CANCEL,
    OP_SEND,
    OP_SYNCED,
    OP_RAW,
    OP_ANSWER,
    OP_AGREE,
    OP_LINK_UP,
    OP_COUNT
};

/* The program; reads zeros behind its end. */
static const uint8_t *next;
static size_t left;

static struct totem *ring;
static struct totem_actions actions;
static bool lingers; /* TOTEM_ACT_LINGER without its end */
static uint64_t now_ms;
static uint64_t persisted_seq;
static uint8_t last_token[TOTEM_COMMIT_SIZE_MAX]; /* token or commit token that node 2 sent last */
static size_t last_token_size;
static uint8_t last_join[TOTEM_JOIN_SIZE + 8 * TOTEM_NODES_MAX];
static size_t last_join_size;
static struct totem_message message;
static uint8_t datagram[TOTEM_DATAGRAM_MAX];

static uint8_t byte(void)
{
    if (left == 0)
        return 0;
    left--;
    return *next++;
}

/* Mostly small, sometimes around where numbers wrap. */
static uint32_t number(void)
{
    uint8_t value = byte();

    if (value < 200)
        return value;
    return value < 225 ? UINT32_MAX - (value - 200u) : UINT32_C(0x80000000) + value - 240u;
}

static uint32_t node(void)
{
    return byte() % NODES + 1;
}

/* Of nodes; or as many strangers as there is room for. */
static uint32_t node_list(uint32_t *ids)
{
    uint8_t mask = byte();
    uint32_t count = 0;

    if (mask == UINT8_MAX) {
        uint32_t first = (byte() + 1u) * 1000;

        while (count < TOTEM_NODES_MAX) {
            ids[count] = first + count;
            count++;
        }
        return count;
    }
    for (uint32_t id = 1; id <= NODES; id++) {
        if ((mask & 1u << id) != 0)
            ids[count++] = id;
    }
    return count;
}

/* The ring that node 2 is in, one near to it, or its last persisted. */
static struct totem_ring_id some_ring(void)
{
    struct totem_status status;
    uint8_t choice = byte();

    totem_get_status(ring, &status);
    if (choice % 4 == 0)
        return (struct totem_ring_id){node(), status.ring.seq + choice / 4};
    if (choice % 4 == 1)
        return (struct totem_ring_id){node(), choice / 4};
    return status.ring;
}

static void check_change(const struct totem_action *action)
{
    bool mine = false;

    for (uint32_t i = 0; i < action->member_count; i++) {
        assert(i == 0 || action->members[i] > action->members[i - 1]);
        mine = mine || action->members[i] == ME;
    }
    assert(action->kind == TOTEM_TRANSITIONAL || mine);
}

static void check_action(const struct totem_action *action)
{
    switch (action->type) {
    case TOTEM_ACT_SEND:
        assert(action->node_id != ME && action->size <= TOTEM_DATAGRAM_MAX);
        assert(totem_decode(action->bytes, action->size, &message) == TOTEM_WIRE_OK);
        if (message.header.type == TOTEM_TOKEN || message.header.type == TOTEM_COMMIT) {
            assert(action->node_id != 0 && message.header.target_id == action->node_id);
            memcpy(last_token, action->bytes, action->size);
            last_token_size = action->size;
        } else {
            assert(action->node_id == 0);
        }
        if (message.header.type == TOTEM_JOIN) {
            memcpy(last_join, action->bytes, action->size);
            last_join_size = action->size;
        }
        break;
    case TOTEM_ACT_DELIVER:
        assert(action->node_id != 0 && action->size <= TOTEM_MESSAGE_MAX);
        break;
    case TOTEM_ACT_CHANGE:
        check_change(action);
        break;
    case TOTEM_ACT_PERSIST:
        assert(action->ring_seq > persisted_seq);
        persisted_seq = action->ring_seq;
        break;
    case TOTEM_ACT_LINGER:
        assert(action->us > 0 && action->us < 1000);
        lingers = true;
        break;
    case TOTEM_ACT_DRAIN:
        break;
    case TOTEM_ACT_NOTE:
        assert(action->bytes[action->size] == '\0');
        break;
    }
}

static void step(struct totem_event event)
{
    enum q_err result;

    event.now_ms = now_ms;
    event.random = (uint32_t)now_ms;
    totem_actions_reset(&actions);
    result = totem_step(ring, &event, &actions);
    assert(result == Q_OK || (event.type == TOTEM_EV_MESSAGE && result != Q_ERR_NO_MEMORY));
    totem_check(ring);
    for (size_t i = 0; i < actions.count; i++)
        check_action(&actions.items[i]);
}

static void receive(const uint8_t *bytes, size_t size)
{
    step((struct totem_event){.type = TOTEM_EV_DATAGRAM, .u.datagram = {bytes, size}});
}

static void receive_message(enum totem_type type, enum totem_encapsulation encapsulated, uint32_t from)
{
    message.header = (struct totem_header){TOTEM_ORDER_OURS, type, encapsulated, from, ME};
    totem_encode(datagram, &message);
    receive(datagram, totem_encoded_size(&message));
}

static void send_token(void)
{
    struct totem_token *token = &message.u.token;

    *token = (struct totem_token){.seq = number(), .token_seq = number(), .aru = number(), .aru_node = node()};
    token->ring = some_ring();
    token->fcc = number();
    token->backlog = number();
    token->retrans_flag = byte() & 1;
    token->retransmit_count = byte() % 4;
    for (uint32_t i = 0; i < token->retransmit_count; i++)
        token->retransmits[i] = (struct totem_retransmit){token->ring, number()};
    receive_message(TOTEM_TOKEN, TOTEM_NOT_MCAST, node());
}

static void send_mcast(void)
{
    static uint8_t payload[2 * TOTEM_MCAST_SIZE + 400];
    uint32_t from = node();
    bool old = (byte() & 7) == 0;
    uint8_t *frame = old ? payload + TOTEM_MCAST_SIZE : payload;
    size_t size = TOTEM_FRAME_SIZE;
    uint8_t items = byte() % 4;

    totem_frame_encode_header(frame, byte() % 4, byte() % 4, items);
    size += 2u * items;
    for (uint8_t i = 0; i < items; i++) {
        uint8_t length = byte() % 100;

        totem_put_u16(frame + TOTEM_FRAME_SIZE + 2u * i, length, TOTEM_ORDER_OURS);
        memset(frame + size, 'a' + i, length);
        size += length;
    }
    if (old) {
        const struct totem_header inner = {TOTEM_ORDER_OURS, TOTEM_MCAST, TOTEM_PLAIN, node(), 0};
        const struct totem_mcast mcast = {.system_from = node(), .seq = number(), .ring = some_ring()};

        totem_encode_mcast_header(payload, &inner, &mcast);
        size += TOTEM_MCAST_SIZE;
    }
    message.u.mcast = (struct totem_mcast){.system_from = from, .seq = number(), .ring = some_ring(), .payload = payload,
                                           .payload_size = size - byte() % 2};
    receive_message(TOTEM_MCAST, old ? TOTEM_OLD_RING : TOTEM_PLAIN, from);
}

static void send_join(void)
{
    struct totem_join *join = &message.u.join;
    bool leave = (byte() & 15) == 0;

    join->system_from = node();
    join->ring_seq = some_ring().seq;
    join->proc_count = node_list(join->proc);
    join->failed_count = node_list(join->failed);
    receive_message(TOTEM_JOIN, TOTEM_NOT_MCAST, leave ? 0 : join->system_from);
}

static void send_commit(void)
{
    struct totem_commit *commit = &message.u.commit;

    memset(commit, 0, offsetof(struct totem_commit, members));
    commit->member_count = node_list(commit->members);
    if (commit->member_count == 0)
        return;
    memset(commit->entries, 0, commit->member_count * sizeof(commit->entries[0]));
    commit->ring = some_ring();
    commit->token_seq = number();
    commit->filled_count = byte() % (commit->member_count + 1);
    for (uint32_t i = 0; i < commit->member_count; i++)
        commit->entries[i] = (struct totem_commit_entry){some_ring(), number(), number(), byte() & 1};
    receive_message(TOTEM_COMMIT, TOTEM_NOT_MCAST, node());
}

/* The token comes back as all others would pass it on who have nothing to say; a commit token with all filled in. */
static void answer_token(void)
{
    if (last_token_size == 0 || totem_decode(last_token, last_token_size, &message) != TOTEM_WIRE_OK)
        return;
    if (message.header.type == TOTEM_TOKEN) {
        message.u.token.token_seq++;
        message.u.token.seq += byte() % 3;
        receive_message(TOTEM_TOKEN, TOTEM_NOT_MCAST, node());
        return;
    }
    for (uint32_t i = message.u.commit.filled_count; i < message.u.commit.member_count; i++)
        message.u.commit.entries[i] = (struct totem_commit_entry){some_ring(), number(), number(), byte() & 1};
    message.u.commit.filled_count = message.u.commit.member_count;
    message.u.commit.token_seq += message.u.commit.member_count;
    receive_message(TOTEM_COMMIT, TOTEM_NOT_MCAST, node());
}

/* A node says what node 2 said last. */
static void agree(void)
{
    if (last_join_size == 0 || totem_decode(last_join, last_join_size, &message) != TOTEM_WIRE_OK)
        return;
    message.u.join.system_from = node();
    receive_message(TOTEM_JOIN, TOTEM_NOT_MCAST, message.u.join.system_from);
}

static void pass_time(void)
{
    uint8_t amount = byte();

    if (lingers && amount % 4 != 0) {
        lingers = false;
        step((struct totem_event){.type = TOTEM_EV_LINGERED});
    }
    if (amount < 128 && totem_deadline_ms(ring) != TOTEM_NEVER && totem_deadline_ms(ring) > now_ms)
        now_ms = totem_deadline_ms(ring);
    else
        now_ms += (uint64_t)amount * amount / 16;
    step((struct totem_event){.type = TOTEM_EV_TIME});
}

static void operate(enum operation operation)
{
    static const uint8_t text[4096] = "message";
    size_t size;

    switch (operation) {
    case OP_TIME:
        pass_time();
        break;
    case OP_TOKEN:
        send_token();
        break;
    case OP_MCAST:
        send_mcast();
        break;
    case OP_JOIN:
        send_join();
        break;
    case OP_COMMIT:
        send_commit();
        break;
    case OP_MERGE:
        message.u.merge = (struct totem_merge){node(), some_ring()};
        receive_message(TOTEM_MERGE, TOTEM_NOT_MCAST, message.u.merge.system_from);
        break;
    case OP_HOLD_CANCEL:
        message.u.hold_cancel.ring = some_ring();
        receive_message(TOTEM_HOLD_CANCEL, TOTEM_NOT_MCAST, node());
        break;
    case OP_SEND:
        step((struct totem_event){.type = TOTEM_EV_MESSAGE, .u.message = {&(struct totem_part){text, byte() * 16u}, 1}});
        break;
    case OP_SYNCED:
        step((struct totem_event){.type = TOTEM_EV_SYNCED});
        break;
    case OP_RAW:
        size = byte();
        size = size < left ? size : left;
        receive(next, size);
        next += size;
        left -= size;
        break;
    case OP_ANSWER:
        answer_token();
        break;
    case OP_AGREE:
        agree();
        break;
    case OP_LINK_UP:
    case OP_COUNT:
        step((struct totem_event){.type = TOTEM_EV_LINK_UP});
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct totem_settings settings = {.token_ms = 1000};
    char why[100];
    bool good;

    next = data;
    left = size;
    now_ms = 1;
    persisted_seq = 0;
    last_token_size = last_join_size = 0;
    lingers = false;
    settings.fail_recv_const = byte() % 8 == 0 ? 3 : 0;
    settings.send_join_ms = byte() % 8 == 0 ? 20 : 0;
    settings.heartbeat_failures_allowed = byte() % 4;
    settings.cancel_token_hold_on_retransmit = byte() & 1;
    settings.seqno_unchanged_const = 3;
    good = totem_settings_complete(&settings, 2, TOTEM_NETMTU_UDP, why, sizeof(why));
    assert(good);
    ring = totem_new(&settings, ME);
    assert(ring != NULL);
    totem_actions_init(&actions);
    step((struct totem_event){.type = TOTEM_EV_START});
    for (int i = 0; i < STEPS_MAX && left > 0; i++)
        operate((enum operation)(byte() % OP_COUNT));
    step((struct totem_event){.type = TOTEM_EV_LEAVE});
    totem_actions_fini(&actions);
    totem_free(ring);
    return 0;
}
