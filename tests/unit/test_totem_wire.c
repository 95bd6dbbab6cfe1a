/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/totem/frame.h"
#include "core/totem/wire.h"
#include "tests/unit/totem_vectors.h"

#define BYTES_MAX 16384

static struct totem_message message;
static struct totem_message again;
static uint8_t bytes[BYTES_MAX];
static uint8_t encoded[BYTES_MAX];

static size_t load(const char *hex)
{
    size_t size = strlen(hex) / 2;

    assert_true(size <= BYTES_MAX);
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return size;
}

/* The vector whose name begins like this. */
static size_t load_named(const char *name)
{
    for (size_t i = 0; i < TOTEM_VECTOR_COUNT; i++) {
        if (strncmp(totem_vectors[i].name, name, strlen(name)) == 0)
            return load(totem_vectors[i].hex);
    }
    fail_msg("no vector %s", name);
    return 0;
}

/* From a block of exactly this size, so that a sanitizer sees a read behind it. */
static enum totem_wire_error decode_exactly(const uint8_t *from, size_t size, struct totem_message *into)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    enum totem_wire_error error;

    assert_non_null(copy);
    memcpy(copy, from, size);
    error = totem_decode(copy, size, into);
    free(copy);
    return error;
}

static void every_vector_decodes_and_encodes_to_the_same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < TOTEM_VECTOR_COUNT; i++) {
        size_t size = load(totem_vectors[i].hex);

        assert_int_equal(totem_decode(bytes, size, &message), TOTEM_WIRE_OK);
        assert_int_equal(message.header.type, totem_vectors[i].type);
        assert_int_equal(message.header.order, TOTEM_LITTLE_ENDIAN);
        assert_int_equal(totem_encoded_size(&message), size);
        totem_encode(encoded, &message);
        assert_memory_equal(encoded, bytes, size);
    }
}

static void every_vector_survives_the_other_byte_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < TOTEM_VECTOR_COUNT; i++) {
        size_t size = load(totem_vectors[i].hex);
        static uint8_t swapped[BYTES_MAX];

        assert_int_equal(totem_decode(bytes, size, &message), TOTEM_WIRE_OK);
        message.header.order = TOTEM_BIG_ENDIAN;
        totem_encode(swapped, &message);
        assert_int_equal(swapped[0], 0xC0);
        assert_int_equal(swapped[1], 0x70);
        assert_int_equal(totem_decode(swapped, size, &again), TOTEM_WIRE_OK);
        assert_int_equal(again.header.order, TOTEM_BIG_ENDIAN);
        again.header.order = TOTEM_LITTLE_ENDIAN;
        totem_encode(encoded, &again);
        assert_memory_equal(encoded, bytes, size);
    }
}

/* A shorter MCAST is only another MCAST, as long as its header is whole. */
static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < TOTEM_VECTOR_COUNT; i++) {
        size_t size = load(totem_vectors[i].hex);
        size_t whole = totem_vectors[i].type == TOTEM_MCAST ? TOTEM_MCAST_SIZE : size;

        for (size_t cut = 0; cut < size; cut++)
            assert_int_equal(decode_exactly(bytes, cut, &message), cut < whole ? TOTEM_WIRE_SHORT : TOTEM_WIRE_OK);
    }
}

static void bytes_behind_a_message_are_ignored(void **state)
{
    (void)state;
    for (size_t i = 0; i < TOTEM_VECTOR_COUNT; i++) {
        size_t size = load(totem_vectors[i].hex);

        memset(bytes + size, 0xff, 40);
        assert_int_equal(decode_exactly(bytes, size + 40, &message), TOTEM_WIRE_OK);
        if (totem_vectors[i].type != TOTEM_MCAST)
            assert_int_equal(totem_encoded_size(&message), size);
    }
}

static void fields_are_where_the_packaged_daemon_puts_them(void **state)
{
    size_t size = load_named("udpu: commit token");

    (void)state;
    assert_int_equal(totem_decode(bytes, size, &message), TOTEM_WIRE_OK);
    assert_int_equal(message.header.node_id, 1);
    assert_int_equal(message.u.commit.token_seq, 1);
    assert_int_equal(message.u.commit.ring.rep, 1);
    assert_int_equal(message.u.commit.ring.seq, 9);
    assert_int_equal(message.u.commit.filled_count, 1);
    assert_int_equal(message.u.commit.member_count, 2);
    assert_int_equal(message.u.commit.members[0], 1);
    assert_int_equal(message.u.commit.members[1], 2);
    assert_int_equal(message.u.commit.entries[0].ring.seq, 5);
    assert_int_equal(message.u.commit.entries[0].aru, 8);
    assert_int_equal(message.u.commit.entries[0].high_delivered, 8);
    assert_int_equal(message.u.commit.entries[0].received_flag, 1);
    assert_int_equal(message.u.commit.entries[1].ring.rep, 0);

    size = load_named("spec: token");
    assert_int_equal(totem_decode(bytes, size, &message), TOTEM_WIRE_OK);
    assert_int_equal(message.u.token.seq, 167);
    assert_int_equal(message.u.token.token_seq, 10);
    assert_int_equal(message.u.token.aru, 6);
    assert_int_equal(message.u.token.aru_node, 1);
    assert_int_equal(message.u.token.ring.seq, 0x46);
    assert_int_equal(message.u.token.backlog, 106);
    assert_int_equal(message.u.token.fcc, 33);
    assert_int_equal(message.u.token.retrans_flag, 1);
    assert_int_equal(message.u.token.retransmit_count, 2);
    assert_int_equal(message.u.token.retransmits[1].ring.seq, 0x46);
    assert_int_equal(message.u.token.retransmits[1].seq, 16);

    size = load_named("udpu: leave");
    assert_int_equal(totem_decode(bytes, size, &message), TOTEM_WIRE_OK);
    assert_int_equal(message.header.node_id, 0);
    assert_int_equal(message.u.join.system_from, 2);
    assert_int_equal(message.u.join.ring_seq, 9);
    assert_int_equal(message.u.join.proc_count, 1);
    assert_int_equal(message.u.join.proc[0], 1);
    assert_int_equal(message.u.join.failed_count, 1);
    assert_int_equal(message.u.join.failed[0], 2);

    size = load_named("spec: recovery");
    assert_int_equal(totem_decode(bytes, size, &message), TOTEM_WIRE_OK);
    assert_int_equal(message.header.encapsulated, TOTEM_OLD_RING);
    assert_int_equal(message.u.mcast.this_seqno, 118);
    assert_int_equal(totem_decode(message.u.mcast.payload, message.u.mcast.payload_size, &again), TOTEM_WIRE_OK);
    assert_int_equal(again.header.encapsulated, TOTEM_PLAIN);
    assert_int_equal(again.u.mcast.seq, 212);
    assert_int_equal(again.u.mcast.ring.seq, 0x42);

    size = load_named("knet: token to node 2");
    assert_int_equal(totem_decode(bytes, size, &message), TOTEM_WIRE_OK);
    assert_int_equal(message.header.target_id, 2);
    assert_int_equal(message.u.token.aru, UINT32_MAX);
}

/* `value` into the bytes of a vector at `offset`, little-endian in `width` bytes. */
static enum totem_wire_error decode_changed(const char *name, size_t offset, size_t width, uint32_t value)
{
    size_t size = load_named(name);

    for (size_t i = 0; i < width; i++)
        bytes[offset + i] = (uint8_t)(value >> (8 * i));
    return totem_decode(bytes, size, &message);
}

static void impossible_fields_are_refused(void **state)
{
    (void)state;
    assert_int_equal(decode_changed("udpu: merge", 0, 2, 0xC071), TOTEM_WIRE_MAGIC);
    assert_int_equal(decode_changed("udpu: merge", 2, 1, 2), TOTEM_WIRE_VERSION);
    assert_int_equal(decode_changed("udpu: merge", 3, 1, 6), TOTEM_WIRE_TYPE);
    assert_int_equal(decode_changed("udpu: merge", 4, 1, 2), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: merge", 5, 4, 0), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: merge", 13, 4, 0), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: votequorum", 4, 1, 0), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: votequorum", 4, 1, 3), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: votequorum", 13, 4, 0), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: first token", 53, 4, 31), TOTEM_WIRE_COUNT);
    assert_int_equal(decode_changed("udpu: first token", 53, 4, UINT32_MAX), TOTEM_WIRE_COUNT);
    assert_int_equal(decode_changed("udpu: first token", 53, 4, 1), TOTEM_WIRE_SHORT);
    assert_int_equal(decode_changed("udpu: join with", 17, 4, 385), TOTEM_WIRE_COUNT);
    assert_int_equal(decode_changed("udpu: join with", 21, 4, UINT32_MAX), TOTEM_WIRE_COUNT);
    assert_int_equal(decode_changed("udpu: join with", 21, 4, 384), TOTEM_WIRE_SHORT);
    assert_int_equal(decode_changed("udpu: join with", 13, 4, 0), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: join with", 33, 4, 0), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: join with", 41, 4, 0), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: commit", 37, 4, 385), TOTEM_WIRE_COUNT);
    assert_int_equal(decode_changed("udpu: commit", 37, 4, 3), TOTEM_WIRE_SHORT);
    assert_int_equal(decode_changed("udpu: commit", 37, 4, 0), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: commit", 33, 4, 3), TOTEM_WIRE_VALUE);
    assert_int_equal(decode_changed("udpu: commit", 41, 4, 0), TOTEM_WIRE_VALUE);
    for (int error = TOTEM_WIRE_OK; error <= TOTEM_WIRE_VALUE; error++)
        assert_true(strlen(totem_wire_error_text((enum totem_wire_error)error)) > 0);
}

static void limits_are_the_packaged_ones(void **state)
{
    static uint8_t large[TOTEM_DATAGRAM_MAX + 1];
    size_t size = load_named("udpu: first token");

    (void)state;
    memcpy(large, bytes, size);
    assert_int_equal(totem_decode(large, TOTEM_TOKEN_SIZE_MAX, &message), TOTEM_WIRE_OK);
    assert_int_equal(totem_decode(large, TOTEM_TOKEN_SIZE_MAX + 1, &message), TOTEM_WIRE_LONG);
    size = load_named("udpu: votequorum");
    memcpy(large, bytes, size);
    assert_int_equal(totem_decode(large, TOTEM_DATAGRAM_MAX, &message), TOTEM_WIRE_OK);
    assert_int_equal(message.u.mcast.payload_size, TOTEM_DATAGRAM_MAX - TOTEM_MCAST_SIZE);
    assert_int_equal(totem_decode(large, TOTEM_DATAGRAM_MAX + 1, &message), TOTEM_WIRE_LONG);
}

static void the_largest_lists_fit(void **state)
{
    (void)state;
    memset(&message, 0, sizeof(message));
    message.header = (struct totem_header){TOTEM_ORDER_OURS, TOTEM_COMMIT, TOTEM_NOT_MCAST, 1, 2};
    message.u.commit.member_count = TOTEM_NODES_MAX;
    message.u.commit.filled_count = TOTEM_NODES_MAX;
    for (uint32_t i = 0; i < TOTEM_NODES_MAX; i++)
        message.u.commit.members[i] = i + 1;
    message.u.commit.entries[TOTEM_NODES_MAX - 1].received_flag = 7;
    assert_int_equal(totem_encoded_size(&message), TOTEM_COMMIT_SIZE_MAX);
    totem_encode(bytes, &message);
    assert_int_equal(decode_exactly(bytes, TOTEM_COMMIT_SIZE_MAX, &again), TOTEM_WIRE_OK);
    assert_int_equal(decode_exactly(bytes, TOTEM_COMMIT_SIZE_MAX - 1, &again), TOTEM_WIRE_SHORT);
    assert_int_equal(totem_decode(bytes, TOTEM_COMMIT_SIZE_MAX, &again), TOTEM_WIRE_OK);
    assert_int_equal(again.u.commit.entries[TOTEM_NODES_MAX - 1].received_flag, 7);

    memset(&message, 0, sizeof(message));
    message.header = (struct totem_header){TOTEM_ORDER_OURS, TOTEM_JOIN, TOTEM_NOT_MCAST, 1, 0};
    message.u.join.system_from = 1;
    message.u.join.proc_count = message.u.join.failed_count = TOTEM_NODES_MAX;
    for (uint32_t i = 0; i < TOTEM_NODES_MAX; i++)
        message.u.join.proc[i] = message.u.join.failed[i] = i + 1;
    totem_encode(bytes, &message);
    assert_int_equal(decode_exactly(bytes, totem_encoded_size(&message), &again), TOTEM_WIRE_OK);
    assert_int_equal(again.u.join.failed[TOTEM_NODES_MAX - 1], TOTEM_NODES_MAX);
}

static void sequence_numbers_wrap_around(void **state)
{
    (void)state;
    assert_true(totem_seq_before(1, 2));
    assert_false(totem_seq_before(2, 1));
    assert_false(totem_seq_before(2, 2));
    assert_true(totem_seq_not_after(2, 2));
    assert_true(totem_seq_before(UINT32_MAX, 0));
    assert_false(totem_seq_before(0, UINT32_MAX));
    assert_true(totem_seq_before(0xFFFFFFF0, 0x10));
    assert_false(totem_seq_before(0x10, 0xFFFFFFF0));
    assert_true(totem_seq_before(0x7FFFFFFF, 0x80000001));
    assert_true(totem_seq_before(0x80000001, 0x80000002));
}

/* A frame in `bytes` with these item sizes and `size` bytes of items; its whole size. */
static size_t make_frame(const uint16_t *sizes, uint16_t count, size_t size)
{
    totem_frame_encode_header(bytes, 3, 2, count);
    for (uint16_t i = 0; i < count; i++)
        totem_put_u16(bytes + TOTEM_FRAME_SIZE + 2 * (size_t)i, sizes[i], TOTEM_ORDER_OURS);
    return TOTEM_FRAME_SIZE + 2 * (size_t)count + size;
}

static void frames_must_add_up(void **state)
{
    static const uint16_t sizes[] = {5, 0, 300};
    struct totem_frame frame;
    size_t size = make_frame(sizes, 3, 305);

    (void)state;
    assert_true(totem_frame_decode(bytes, size, TOTEM_ORDER_OURS, &frame));
    assert_int_equal(frame.fragmented, 3);
    assert_int_equal(frame.continuation, 2);
    assert_int_equal(frame.item_count, 3);
    assert_int_equal(totem_frame_item_size(&frame, 2), 300);
    assert_int_equal(frame.items_size, 305);
    assert_ptr_equal(frame.items, bytes + 14);
    for (size_t cut = 0; cut < size; cut++)
        assert_false(totem_frame_decode(bytes, cut, TOTEM_ORDER_OURS, &frame));
    assert_false(totem_frame_decode(bytes, size + 1, TOTEM_ORDER_OURS, &frame));
    size = make_frame(sizes, 0, 0);
    assert_true(totem_frame_decode(bytes, size, TOTEM_ORDER_OURS, &frame));
    assert_int_equal(frame.items_size, 0);
}

static void the_captured_frame_names_its_group(void **state)
{
    struct totem_frame frame;
    struct totem_groups groups;
    size_t size = load_named("udpu: votequorum");

    (void)state;
    assert_int_equal(totem_decode(bytes, size, &message), TOTEM_WIRE_OK);
    assert_true(totem_frame_decode(message.u.mcast.payload, message.u.mcast.payload_size, message.header.order, &frame));
    assert_int_equal(frame.item_count, 1);
    assert_int_equal(totem_frame_item_size(&frame, 0), 37);
    assert_true(totem_groups_decode(frame.items, 37, frame.order, &groups));
    assert_true(totem_groups_has(&groups, "a"));
    assert_false(totem_groups_has(&groups, "sync"));
    assert_int_equal(groups.body_size, 32);
    for (size_t cut = 0; cut < 5; cut++)
        assert_false(totem_groups_decode(frame.items, cut, frame.order, &groups));
}

static void a_group_prefix_is_read_back(void **state)
{
    struct totem_groups groups;

    (void)state;
    assert_int_equal(totem_group_prefix_size("sync"), 8);
    totem_group_prefix_encode(bytes, "sync");
    assert_true(totem_groups_decode(bytes, 10, TOTEM_ORDER_OURS, &groups));
    assert_true(totem_groups_has(&groups, "sync"));
    assert_false(totem_groups_has(&groups, "syn"));
    assert_int_equal(groups.body_size, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_decodes_and_encodes_to_the_same_bytes),
        cmocka_unit_test(every_vector_survives_the_other_byte_order),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(bytes_behind_a_message_are_ignored),
        cmocka_unit_test(fields_are_where_the_packaged_daemon_puts_them),
        cmocka_unit_test(impossible_fields_are_refused),
        cmocka_unit_test(limits_are_the_packaged_ones),
        cmocka_unit_test(the_largest_lists_fit),
        cmocka_unit_test(sequence_numbers_wrap_around),
        cmocka_unit_test(frames_must_add_up),
        cmocka_unit_test(the_captured_frame_names_its_group),
        cmocka_unit_test(a_group_prefix_is_read_back),
    };

    return cmocka_run_group_tests_name("totem_wire", tests, NULL, NULL);
}
