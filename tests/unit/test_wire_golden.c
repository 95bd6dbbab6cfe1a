/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/unit/wire_text.h"
#include "tests/unit/wire_help.h"
#include "tests/unit/wire_vectors.h"

static struct q_buf bytes;
static struct q_buf encoded;

static int set_up(void **state)
{
    (void)state;
    q_buf_init(&bytes);
    q_buf_init(&encoded);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    q_buf_fini(&bytes);
    q_buf_fini(&encoded);
    return 0;
}

static void load(const struct wire_vector *vector)
{
    q_buf_reset(&bytes);
    append_hex(&bytes, vector->hex);
}

static void captured_messages_decode_to_what_they_say(void **state)
{
    char text[WIRE_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < WIRE_VECTOR_COUNT; i++) {
        load(&wire_vectors[i]);
        assert_true(wire_decode(q_buf_bytes(&bytes), bytes.size, &decoded));
        assert_int_equal(wire_text(text, sizeof(text), &decoded), strlen(wire_vectors[i].text));
        assert_string_equal(text, wire_vectors[i].text);
    }
}

static void captured_messages_encode_to_the_same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < WIRE_VECTOR_COUNT; i++) {
        if (wire_vectors[i].has_unknown_tlvs) {
            continue;
        }
        load(&wire_vectors[i]);
        assert_true(wire_decode(q_buf_bytes(&bytes), bytes.size, &decoded));
        q_buf_reset(&encoded);
        wire_encode(&encoded, &decoded);
        assert_int_equal(encoded.size, bytes.size);
        assert_memory_equal(q_buf_bytes(&encoded), q_buf_bytes(&bytes), bytes.size);
    }
}

static void captured_messages_have_what_is_required(void **state)
{
    (void)state;
    for (size_t i = 0; i < WIRE_VECTOR_COUNT; i++) {
        load(&wire_vectors[i]);
        assert_true(wire_decode(q_buf_bytes(&bytes), bytes.size, &decoded));
        /* The reply to an INIT without arrays has none, which no packaged device would accept. */
        assert_int_equal(wire_has_required(&decoded),
                         strncmp(wire_vectors[i].text, "INIT_REPLY error=0 seq", 22) != 0);
    }
}

/* The bytes left of the body, as a message of their own: valid iff the cut is between two TLVs. */
static void every_truncation_is_judged_by_the_tlv_boundaries(void **state)
{
    (void)state;
    for (size_t i = 0; i < WIRE_VECTOR_COUNT; i++) {
        size_t boundary = WIRE_HEADER_SIZE;

        load(&wire_vectors[i]);
        for (size_t size = WIRE_HEADER_SIZE; size < bytes.size; size++) {
            struct q_buf cut;
            bool at_boundary = size == boundary;

            q_buf_init(&cut);
            q_buf_append(&cut, q_buf_bytes(&bytes), size);
            message_end(&cut);
            if (at_boundary) {
                const uint8_t *tlv = q_buf_bytes(&bytes) + boundary;
                boundary += WIRE_TLV_HEADER_SIZE + (size_t)(tlv[2] << 8 | tlv[3]);
            }
            assert_int_equal(decode(&cut), at_boundary && size > WIRE_HEADER_SIZE);
            q_buf_fini(&cut);
        }
    }
}

/* Bytes cut off behind an unchanged header: the framer never hands that out, yet it must not be read beyond. */
static void a_size_that_differs_from_the_header_is_a_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < WIRE_VECTOR_COUNT; i++) {
        load(&wire_vectors[i]);
        for (size_t size = 0; size < bytes.size; size++) {
            uint8_t *copy = malloc(size + 1);

            memcpy(copy, q_buf_bytes(&bytes), size);
            assert_false(wire_decode(copy, size, &decoded));
            free(copy);
        }
        q_buf_append_u8(&bytes, 0);
        assert_false(decode(&bytes));
    }
}

static void a_view_without_data_sends_all_we_know(void **state)
{
    static const struct wire_bytes all = {NULL, 1};

    (void)state;
    load(&wire_vectors[4]);
    memset(&decoded, 0, sizeof(decoded));
    decoded.type = WIRE_INIT_REPLY;
    decoded.present = UINT32_MAX & ~(WIRE_HAS_LEASE | WIRE_HAS_INSTANCE);
    decoded.seq = 2;
    decoded.u.init_reply = (struct wire_init_reply){
        .maximum_request_size = WIRE_SIZE_DEFAULT,
        .maximum_reply_size = WIRE_SIZE_DEFAULT,
        .supported_messages = all,
        .supported_options = all,
        .supported_algorithms = all,
    };
    wire_encode(&encoded, &decoded);
    assert_int_equal(encoded.size, bytes.size);
    assert_memory_equal(q_buf_bytes(&encoded), q_buf_bytes(&bytes), bytes.size);
}

static void an_empty_array_stays_empty(void **state)
{
    (void)state;
    decoded = (struct wire_message){.type = WIRE_INIT, .present = WIRE_HAS(WIRE_TLV_SUPPORTED_MESSAGES)};
    wire_encode(&encoded, &decoded);
    append_hex(&bytes, "00030000000400040000");
    assert_int_equal(encoded.size, bytes.size);
    assert_memory_equal(q_buf_bytes(&encoded), q_buf_bytes(&bytes), bytes.size);
    assert_true(wire_decode(q_buf_bytes(&bytes), bytes.size, &decoded));
    assert_int_equal(decoded.u.init.supported_messages.size, 0);
}

static void encoding_appends_behind_what_is_there(void **state)
{
    static const uint8_t expected[] = {0xee, 0, WIRE_STARTTLS, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 9};

    (void)state;
    q_buf_append_u8(&encoded, 0xee);
    decoded =
        (struct wire_message){.type = WIRE_STARTTLS, .present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER), .seq = 9};
    wire_encode(&encoded, &decoded);
    assert_int_equal(encoded.size, sizeof(expected));
    assert_memory_equal(q_buf_bytes(&encoded), expected, sizeof(expected));
}

static void without_memory_encoding_says_so(void **state)
{
    (void)state;
    decoded = (struct wire_message){.type = WIRE_STARTTLS, .present = WIRE_HAS(WIRE_TLV_MSG_SEQ_NUMBER)};
    encoded.failed = true;
    wire_encode(&encoded, &decoded);
    assert_true(encoded.failed);
    assert_int_equal(encoded.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(captured_messages_decode_to_what_they_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(captured_messages_encode_to_the_same_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(captured_messages_have_what_is_required, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_truncation_is_judged_by_the_tlv_boundaries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_size_that_differs_from_the_header_is_a_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_view_without_data_sends_all_we_know, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_array_stays_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(encoding_appends_behind_what_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_encoding_says_so, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("wire_golden", tests, NULL, NULL);
}
