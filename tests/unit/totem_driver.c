/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/totem_driver.h"

struct totem *ring;
static struct totem_actions actions;
uint64_t now_ms;
char happened[TEXT_SIZE];
struct sent sent[SENT_MAX];
size_t sent_count;
uint32_t linger_us;
struct totem_message message;

const char *const node2_join = "70c00303000200000000000000020000000200000000000000050000000000000002000000"
                               "01000000";
const char *const node2_commit = "70c003040002000000000000000200000001000000090000000000000000000000020000000"
                                 "200000001000000020000000100000005000000"
                                 "000000000800000008000000010000000200000005000000000000000200000002000000"
                                 "01000000";
const char *const node2_commit_again =
    "70c00304000200000000000000040000000100000009000000000000000000000002000000020000000100000002000000010000"
    "0005000000"
    "000000000800000008000000010000000200000005000000000000000200000002000000"
    "01000000";

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
    size_t used = strlen(happened);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(happened + used, TEXT_SIZE - used, format, arguments);
    va_end(arguments);
}

static void tell_nodes(const char *mark, const uint32_t *ids, uint32_t count)
{
    tell("%s[", mark);
    for (uint32_t i = 0; i < count; i++)
        tell(i > 0 ? ",%u" : "%u", ids[i]);
    tell("]");
}

static void record(const struct totem_action *action)
{
    switch (action->type) {
    case TOTEM_ACT_SEND:
        assert_true(sent_count < SENT_MAX && action->size <= sizeof(sent[0].bytes));
        sent[sent_count].target = action->node_id;
        sent[sent_count].size = action->size;
        memcpy(sent[sent_count++].bytes, action->bytes, action->size);
        break;
    case TOTEM_ACT_DELIVER:
        tell("%u says %.*s; ", action->node_id, (int)action->size, (const char *)action->bytes);
        break;
    case TOTEM_ACT_CHANGE:
        tell("%s %u.%llu ", action->kind == TOTEM_REGULAR ? "regular" : "transitional", action->ring.rep,
             (unsigned long long)action->ring.seq);
        tell_nodes("", action->members, action->member_count);
        tell_nodes(" -", action->left, action->left_count);
        tell_nodes(" +", action->joined, action->joined_count);
        tell("; ");
        break;
    case TOTEM_ACT_PERSIST:
        tell("persist %llu; ", (unsigned long long)action->ring_seq);
        break;
    case TOTEM_ACT_LINGER:
        linger_us = action->us;
        break;
    case TOTEM_ACT_DRAIN:
        tell("drain; ");
        break;
    case TOTEM_ACT_NOTE:
        break;
    }
}

enum q_err step(struct totem_event event)
{
    enum q_err result;

    event.now_ms = now_ms;
    happened[0] = '\0';
    sent_count = 0;
    linger_us = 0;
    totem_actions_reset(&actions);
    result = totem_step(ring, &event, &actions);
    for (size_t i = 0; i < actions.count; i++)
        record(&actions.items[i]);
    totem_check(ring);
    return result;
}

void receive_bytes(const uint8_t *bytes, size_t size)
{
    assert_int_equal(step((struct totem_event){.type = TOTEM_EV_DATAGRAM, .u.datagram = {bytes, size}}),
                     Q_OK);
}

static size_t from_hex(uint8_t *bytes, const char *hex)
{
    size_t size = strlen(hex) / 2;

    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return size;
}

void receive(const char *hex)
{
    uint8_t bytes[2048];

    receive_bytes(bytes, from_hex(bytes, hex));
}

void assert_sent(size_t index, uint32_t target, const char *hex)
{
    uint8_t bytes[2048];
    size_t size = from_hex(bytes, hex);

    assert_true(index < sent_count);
    assert_int_equal(sent[index].target, target);
    assert_int_equal(sent[index].size, size);
    memset(bytes + 9, 0, 4);
    memset(sent[index].bytes + 9, 0, 4);
    assert_memory_equal(sent[index].bytes, bytes, size);
}

void send_text(const char *text)
{
    assert_int_equal(step((struct totem_event){
                         .type = TOTEM_EV_MESSAGE,
                         .u.message = {&(struct totem_part){(const uint8_t *)text, strlen(text)}, 1}}),
                     Q_OK);
}

void wait_for_deadline(void)
{
    assert_true(totem_deadline_ms(ring) != TOTEM_NEVER);
    now_ms = totem_deadline_ms(ring) > now_ms ? totem_deadline_ms(ring) : now_ms;
    assert_int_equal(step((struct totem_event){.type = TOTEM_EV_TIME}), Q_OK);
}

enum totem_state state_of_ring(void)
{
    struct totem_status status;

    totem_get_status(ring, &status);
    return status.state;
}

static int set_up_node(uint32_t node_id)
{
    struct totem_settings settings = {.token_ms = 1000};
    char why[100];

    assert_true(totem_settings_complete(&settings, 2, TOTEM_NETMTU_UDP, why, sizeof(why)));
    totem_actions_init(&actions);
    now_ms = 1000;
    ring = totem_new(&settings, node_id);
    assert_non_null(ring);
    return 0;
}

int set_up(void **state)
{
    (void)state;
    return set_up_node(1);
}

int set_up_as_2(void **state)
{
    (void)state;
    return set_up_node(2);
}

int tear_down(void **state)
{
    (void)state;
    totem_free(ring);
    totem_actions_fini(&actions);
    return 0;
}

void start(void)
{
    assert_int_equal(step((struct totem_event){.type = TOTEM_EV_START, .u.ring_seq = 0}), Q_OK);
}

void synced(void)
{
    assert_int_equal(step((struct totem_event){.type = TOTEM_EV_SYNCED}), Q_OK);
}

void be_the_captured_node(void)
{
    start();
    for (int i = 0; i < 8; i++)
        send_text("x");
    synced();
}

void join_node_2(void)
{
    receive("70c00303000200000000000000020000000100000000000000010000000000000002000000");
    receive(node2_join);
    receive(node2_commit);
    receive(node2_commit_again);
    receive("70c003000002000000000000020000000001000000ffffffff0100000001000000090000000000000000000000000000"
            "000000000000000000");
    receive("70c003000002000000000000020000000003000000000000000000000001000000090000000000000000000000000000"
            "000000000000000000");
    receive("70c003000002000000000000020000000005000000000000000000000001000000090000000000000000000000000000"
            "000000000000000000");
    receive("70c003000002000000000000020000000007000000000000000000000001000000090000000000000000000000000000"
            "000000000000000000");
}

/* A token of ring 1.9 from node 2. */
void receive_token(uint32_t token_seq, uint32_t seq, uint32_t aru, uint32_t aru_node)
{
    uint8_t bytes[TOTEM_TOKEN_SIZE];

    memset(&message, 0, sizeof(message));
    message.header = (struct totem_header){TOTEM_ORDER_OURS, TOTEM_TOKEN, TOTEM_NOT_MCAST, 2, 1};
    message.u.token = (struct totem_token){
        .seq = seq, .token_seq = token_seq, .aru = aru, .aru_node = aru_node, .ring = {1, 9}};
    totem_encode(bytes, &message);
    receive_bytes(bytes, sizeof(bytes));
}

void receive_text(uint32_t seq, const char *text)
{
    uint8_t bytes[256];
    uint8_t frame[128];
    size_t size = strlen(text);

    totem_frame_encode_header(frame, 0, 0, 1);
    totem_put_u16(frame + TOTEM_FRAME_SIZE, (uint16_t)size, TOTEM_ORDER_OURS);
    memcpy(frame + TOTEM_FRAME_SIZE + TOTEM_FRAME_ITEM_SIZE, text, size);
    memset(&message, 0, sizeof(message));
    message.header = (struct totem_header){TOTEM_ORDER_OURS, TOTEM_MCAST, TOTEM_PLAIN, 2, 0};
    message.u.mcast = (struct totem_mcast){.system_from = 2,
                                           .seq = seq,
                                           .ring = {1, 9},
                                           .payload = frame,
                                           .payload_size = TOTEM_FRAME_SIZE + TOTEM_FRAME_ITEM_SIZE + size};
    totem_encode(bytes, &message);
    receive_bytes(bytes, totem_encoded_size(&message));
}

void decode_sent(size_t index, enum totem_type type)
{
    assert_true(index < sent_count);
    assert_int_equal(totem_decode(sent[index].bytes, sent[index].size, &message), TOTEM_WIRE_OK);
    assert_int_equal(message.header.type, type);
}

void linger_over(void)
{
    assert_int_equal(step((struct totem_event){.type = TOTEM_EV_LINGERED}), Q_OK);
}
