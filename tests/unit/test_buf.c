/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/buf.h"

static void an_empty_buffer_owns_nothing(void **state)
{
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    assert_null(buf.data);
    assert_non_null(q_buf_bytes(&buf)); /* offsets may be added to it */
    assert_int_equal(buf.size, 0);
    q_buf_append(&buf, NULL, 0);
    q_buf_consume(&buf, 0);
    assert_null(buf.data);
    q_buf_fini(&buf);
}

static void numbers_are_big_endian(void **state)
{
    static const uint8_t expected[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    q_buf_append_u8(&buf, 0x01);
    q_buf_append_u16(&buf, 0x0203);
    q_buf_append_u32(&buf, 0x04050607);
    q_buf_append_u64(&buf, UINT64_C(0x08090a0b0c0d0e0f));
    assert_int_equal(buf.size, sizeof(expected));
    assert_memory_equal(q_buf_bytes(&buf), expected, sizeof(expected));
    q_buf_fini(&buf);
}

static void numbers_are_overwritten_relative_to_the_first_byte_held(void **state)
{
    static const uint8_t expected[] = {0, 0xab, 0xcd, 0x11, 0x22, 0x33, 0x44};
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    q_buf_append_u64(&buf, 0);
    q_buf_consume(&buf, 1);
    q_buf_put_u16(&buf, 1, 0xabcd);
    q_buf_put_u32(&buf, 3, 0x11223344);
    assert_memory_equal(q_buf_bytes(&buf), expected, sizeof(expected));
    q_buf_fini(&buf);
}

/* A queue of counted bytes against a plain count: whatever mix of appends and consumes, the order is kept. */
static void bytes_come_out_in_the_order_they_went_in(void **state)
{
    struct q_buf buf;
    uint8_t in = 0;
    uint8_t out = 0;
    uint32_t random = 1;

    (void)state;
    q_buf_init(&buf);
    for (unsigned round = 0; round < 20000; round++) {
        size_t amount;

        random = random * 1103515245 + 12345;
        amount = (random >> 16) % 97;
        if (random >> 31 != 0) {
            for (size_t i = 0; i < amount; i++) {
                q_buf_append_u8(&buf, in++);
            }
        } else {
            amount = amount < buf.size ? amount : buf.size;
            for (size_t i = 0; i < amount; i++) {
                assert_int_equal(q_buf_bytes(&buf)[i], out++);
            }
            q_buf_consume(&buf, amount);
        }
        assert_int_equal((uint8_t)(in - out), (uint8_t)buf.size);
        assert_true(buf.start + buf.size <= buf.capacity);
    }
    assert_false(buf.failed);
    q_buf_fini(&buf);
}

static void a_queue_that_is_drained_does_not_grow(void **state)
{
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    for (unsigned i = 0; i < 10000; i++) {
        q_buf_append(&buf, "0123456789", 10);
        if (i > 2) {
            q_buf_consume(&buf, 10);
        }
    }
    assert_true(buf.capacity <= 128);
    q_buf_fini(&buf);
}

static void reserved_room_is_held_only_when_committed(void **state)
{
    struct q_buf buf;
    uint8_t *room;

    (void)state;
    q_buf_init(&buf);
    room = q_buf_reserve(&buf, 1000);
    assert_non_null(room);
    assert_int_equal(buf.size, 0);
    memset(room, 'x', 1000);
    q_buf_commit(&buf, 3);
    assert_int_equal(buf.size, 3);
    q_buf_append(&buf, "y", 1);
    assert_memory_equal(q_buf_bytes(&buf), "xxxy", 4);
    q_buf_fini(&buf);
}

static void a_failure_sticks_and_spoils_nothing(void **state)
{
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    q_buf_append(&buf, "kept", 4);
    assert_null(q_buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    q_buf_append(&buf, "lost", 4);
    q_buf_append_u32(&buf, 1);
    assert_null(q_buf_reserve(&buf, 1));
    assert_int_equal(buf.size, 4);
    assert_memory_equal(q_buf_bytes(&buf), "kept", 4);
    q_buf_reset(&buf);
    assert_false(buf.failed);
    assert_int_equal(buf.size, 0);
    assert_non_null(buf.data);
    q_buf_append(&buf, "new", 3);
    assert_memory_equal(q_buf_bytes(&buf), "new", 3);
    q_buf_fini(&buf);
}

static void absurd_sizes_fail(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 63, SIZE_MAX / 2 + 2, SIZE_MAX / 2};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct q_buf buf;

        q_buf_init(&buf);
        q_buf_append_u8(&buf, 1);
        assert_null(q_buf_reserve(&buf, sizes[i]));
        assert_true(buf.failed);
        q_buf_fini(&buf);
    }
}

static void released_memory_is_gone(void **state)
{
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    q_buf_append(&buf, "bytes", 5);
    q_buf_release(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.capacity, 0);
    assert_int_equal(buf.size, 0);
    q_buf_append(&buf, "again", 5);
    assert_memory_equal(q_buf_bytes(&buf), "again", 5);
    q_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_owns_nothing),
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(numbers_are_overwritten_relative_to_the_first_byte_held),
        cmocka_unit_test(bytes_come_out_in_the_order_they_went_in),
        cmocka_unit_test(a_queue_that_is_drained_does_not_grow),
        cmocka_unit_test(reserved_room_is_held_only_when_committed),
        cmocka_unit_test(a_failure_sticks_and_spoils_nothing),
        cmocka_unit_test(absurd_sizes_fail),
        cmocka_unit_test(released_memory_is_gone),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
