/* SPDX-License-Identifier: BSD-3-Clause */
/* Cutting a stream into messages (spec section 5.1), and what memory that may cost. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/wire/framer.h"
#include "tests/unit/wire_help.h"
#include "tests/unit/wire_vectors.h"

static struct wire_framer framer;
static struct q_buf stream; /* what the peer sends */

static int set_up(void **state)
{
    (void)state;
    wire_framer_init(&framer, WIRE_SIZE_DEFAULT);
    q_buf_init(&stream);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wire_framer_fini(&framer);
    q_buf_fini(&stream);
    return 0;
}

/* Moves up to `size` bytes of the stream into the framer; says how many. */
static size_t feed(size_t size)
{
    size_t fed = 0;

    while (fed < size && stream.size > 0) {
        size_t wish = size - fed < stream.size ? size - fed : stream.size;
        size_t room;
        uint8_t *memory = wire_framer_room(&framer, wish, &room);

        assert_non_null(memory);
        assert_true(room > 0 && room <= wish);
        memcpy(memory, q_buf_bytes(&stream), room);
        wire_framer_fed(&framer, room);
        q_buf_consume(&stream, room);
        fed += room;
    }
    return fed;
}

static void append_message(uint16_t type, size_t body_size)
{
    q_buf_append_u16(&stream, type);
    q_buf_append_u32(&stream, (uint32_t)body_size);
    for (size_t i = 0; i < body_size; i++) {
        q_buf_append_u8(&stream, (uint8_t)i);
    }
}

static void expect_message(uint16_t type, size_t size)
{
    struct wire_frame_message out;

    assert_int_equal(wire_framer_next(&framer, &out), WIRE_FRAME_MESSAGE);
    assert_int_equal(out.size, size);
    assert_int_equal(out.bytes[0] << 8 | out.bytes[1], type);
}

static void expect_skipped(enum wire_error error)
{
    struct wire_frame_message out;

    assert_int_equal(wire_framer_next(&framer, &out), WIRE_FRAME_SKIPPED);
    assert_int_equal(out.skip_error, error);
}

static void expect_more(void)
{
    struct wire_frame_message out;

    assert_int_equal(wire_framer_next(&framer, &out), WIRE_FRAME_MORE);
}

static void append_all_vectors(void)
{
    for (size_t i = 0; i < WIRE_VECTOR_COUNT; i++) {
        append_hex(&stream, wire_vectors[i].hex);
    }
}

/* Feeds all captured messages in pieces of `chunk` bytes and takes them out again. */
static void check_vectors_in_chunks(size_t chunk)
{
    struct wire_frame_message out;
    struct q_buf expected;
    size_t next = 0;

    q_buf_init(&expected);
    append_all_vectors();
    while (stream.size > 0) {
        feed(chunk);
        while (wire_framer_next(&framer, &out) == WIRE_FRAME_MESSAGE) {
            assert_true(next < WIRE_VECTOR_COUNT);
            q_buf_reset(&expected);
            append_hex(&expected, wire_vectors[next++].hex);
            assert_int_equal(out.size, expected.size);
            assert_memory_equal(out.bytes, q_buf_bytes(&expected), out.size);
        }
    }
    assert_int_equal(next, WIRE_VECTOR_COUNT);
    assert_int_equal(wire_framer_buffered(&framer), 0);
    q_buf_fini(&expected);
}

static void any_chunking_gives_the_same_messages(void **state)
{
    (void)state;
    for (size_t chunk = 1; chunk < 200; chunk++) {
        check_vectors_in_chunks(chunk);
    }
    check_vectors_in_chunks(SIZE_MAX);
}

static void a_reader_that_takes_what_is_wanted_never_reads_beyond_a_message(void **state)
{
    (void)state;
    append_all_vectors();
    for (size_t i = 0; i < WIRE_VECTOR_COUNT; i++) {
        size_t size = strlen(wire_vectors[i].hex) / 2;
        char type[5] = "";
        size_t fed = 0;

        while (fed < size) {
            size_t wanted;

            expect_more();
            wanted = wire_framer_wanted(&framer);
            assert_int_equal(wanted, fed < WIRE_HEADER_SIZE ? WIRE_HEADER_SIZE - fed : size - fed);
            fed += feed(fed % 2 == 0 ? wanted : 1); /* whole or in part */
        }
        memcpy(type, wire_vectors[i].hex, 4);
        expect_message((uint16_t)strtoul(type, NULL, 16), size);
        assert_int_equal(wire_framer_buffered(&framer), 0);
    }
}

static void what_came_behind_a_message_is_told(void **state)
{
    (void)state;
    append_message(WIRE_STARTTLS, 8);
    append_hex(&stream, "160301");
    feed(SIZE_MAX);
    expect_message(WIRE_STARTTLS, 14);
    assert_int_equal(wire_framer_buffered(&framer), 3);
}

static void the_largest_body_is_accepted_and_one_byte_more_skipped(void **state)
{
    (void)state;
    append_message(WIRE_ECHO_REQUEST, 32762);
    append_message(WIRE_ECHO_REQUEST, 32763);
    append_message(WIRE_PREINIT, 8);
    feed(SIZE_MAX);
    expect_message(WIRE_ECHO_REQUEST, 32768);
    expect_skipped(WIRE_ERROR_MESSAGE_TOO_LONG);
    expect_message(WIRE_PREINIT, 14);
    expect_more();
}

static void a_smaller_limit_holds_from_the_next_message_on(void **state)
{
    (void)state;
    append_message(WIRE_ECHO_REQUEST, 100);
    append_message(WIRE_ECHO_REQUEST, 100);
    feed(106);
    expect_message(WIRE_ECHO_REQUEST, 106);
    wire_framer_set_size_max(&framer, 105);
    feed(106);
    expect_skipped(WIRE_ERROR_MESSAGE_TOO_LONG);
    expect_more();
}

static void unknown_types_are_skipped_whatever_their_length(void **state)
{
    (void)state;
    append_message(18, 0);
    append_message(99, 3);
    append_message(UINT16_MAX, 40000); /* too long as well, but the type is looked at first */
    append_message(WIRE_PREINIT, 8);
    for (size_t chunk = 1; chunk < 7; chunk++) {
        feed(chunk);
    }
    expect_skipped(WIRE_ERROR_UNSUPPORTED_MESSAGE);
    feed(SIZE_MAX);
    expect_skipped(WIRE_ERROR_UNSUPPORTED_MESSAGE);
    expect_skipped(WIRE_ERROR_UNSUPPORTED_MESSAGE);
    expect_message(WIRE_PREINIT, 14);
}

static void an_empty_unknown_message_is_told_at_its_sixth_byte(void **state)
{
    (void)state;
    append_message(99, 0);
    feed(5);
    expect_more();
    feed(1);
    expect_skipped(WIRE_ERROR_UNSUPPORTED_MESSAGE);
    expect_more();
    assert_int_equal(wire_framer_wanted(&framer), WIRE_HEADER_SIZE);
}

static void empty_messages_of_known_types_are_handed_out(void **state)
{
    (void)state;
    append_message(WIRE_STARTTLS, 0);
    feed(SIZE_MAX);
    expect_message(WIRE_STARTTLS, 6); /* that the body must not be empty is the decoder's to say */
}

/* Throws 4 GiB away, and finds the message behind. */
static void four_gigabytes_pass_without_being_kept(void **state)
{
    uint64_t left = UINT32_MAX;
    static const uint8_t header[] = {0, WIRE_PREINIT, 0xff, 0xff, 0xff, 0xff};

    (void)state;
    q_buf_append(&stream, header, sizeof(header));
    feed(SIZE_MAX);
    expect_more();
    while (left > 0) {
        size_t wanted = wire_framer_wanted(&framer);
        size_t room;
        uint8_t *memory;

        assert_int_equal(wanted, left);
        memory = wire_framer_room(&framer, wanted, &room);
        assert_non_null(memory);
        assert_true(framer.buf.capacity <= 16384);
        wire_framer_fed(&framer, room);
        left -= room;
        if (left > 0) {
            expect_more();
            assert_int_equal(framer.buf.capacity, 0);
        }
    }
    expect_skipped(WIRE_ERROR_MESSAGE_TOO_LONG);
    append_message(WIRE_PREINIT, 8);
    feed(SIZE_MAX);
    expect_message(WIRE_PREINIT, 14);
}

static void an_announced_length_costs_no_memory(void **state)
{
    size_t room;

    (void)state;
    append_message(WIRE_ECHO_REQUEST, 32762);
    feed(WIRE_HEADER_SIZE);
    expect_more();
    while (stream.size > 0) {
        assert_non_null(wire_framer_room(&framer, wire_framer_wanted(&framer), &room));
        assert_true(framer.buf.capacity <= 4 * framer.buf.size + 2048);
        feed(1 + framer.buf.size / 3);
    }
    expect_message(WIRE_ECHO_REQUEST, 32768);
}

static void an_idle_framer_owns_no_memory(void **state)
{
    size_t room;

    (void)state;
    append_message(WIRE_ECHO_REQUEST, 8);
    feed(SIZE_MAX);
    expect_message(WIRE_ECHO_REQUEST, 14);
    expect_more();
    assert_int_equal(framer.buf.capacity, 0);
    /* Nor after a read that brought nothing. */
    assert_non_null(wire_framer_room(&framer, WIRE_HEADER_SIZE, &room));
    wire_framer_fed(&framer, 0);
    assert_int_equal(framer.buf.capacity, 0);
}

static void without_memory_it_says_so(void **state)
{
    struct wire_frame_message out;
    size_t room;

    (void)state;
    framer.buf.failed = true;
    assert_null(wire_framer_room(&framer, 1, &room));
    assert_int_equal(wire_framer_next(&framer, &out), WIRE_FRAME_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_chunking_gives_the_same_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_takes_what_is_wanted_never_reads_beyond_a_message,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_came_behind_a_message_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_largest_body_is_accepted_and_one_byte_more_skipped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_smaller_limit_holds_from_the_next_message_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_types_are_skipped_whatever_their_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_unknown_message_is_told_at_its_sixth_byte, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(empty_messages_of_known_types_are_handed_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(four_gigabytes_pass_without_being_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_announced_length_costs_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_idle_framer_owns_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_it_says_so, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("framer", tests, NULL, NULL);
}
