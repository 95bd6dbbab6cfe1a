/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * votequorum's messages: as packaged nodes send them (captured from corosync 3.1.7 on a udpu ring without
 * encryption, with the rubbish it leaves in its padding), in both byte orders, cut off at every length, and
 * with every field damaged.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/votequorum_wire.h"

static const char node_info[] = "000005000000000020000000000000000300000001000000030000000c000000";
static const char device_info[] = "0000050000000000200000000000000000000000000000000000000000000000";
static const char expected_4[] = "010005001d7f00002000000003000000010000000400000001000000fd7f0000";
static const char votes_of_2[] = "0100050000000000200000001656000002000000010000000200000003000000";
static const char cancel_wait[] = "0100050000000000200000001656000001000000000000000300000016560000";
static const char registers[] =
    "020005000000000018010000165600000100000051646576696365000d0b171a9005000000000000c052895916560000"
    "08a03c811d7f00007030d86416560000183a8959165600005c6c3a8ffd7f00000000000000000000b985c2831d7f0000"
    "0800000030000000f06b3a8ffd7f0000306b3a8ffd7f000000d54a420d0b171aa46b3a8ffd7f0000c052895916560000"
    "01000000000000000000000000000000a0b1c3831d7f0000000000000000000002000000000000007580c2831d7f0000"
    "3865cd641656000030b0c3831d7f0000000000000000000030b0c3831d7f000030b0c3831d7f0000cd88c2831d7f0000"
    "000000000100000000d54a420d0b171a0000000000000000c05289591656000008a03c811d7f0000";
static const char unregisters[] =
    "020005003000000018010000fd7f0000000000004f74686572004a420d0b171a346b3a8ffd7f0000a058895916560000"
    "d06a3a8ffd7f00000000000000000000be060000000000000000000000000000a058895916560000183a895916560000"
    "183a895916560000010000000000000048a59459165600004a87c2831d7f0000be060000000000000000000000000000"
    "010000000000000000d54a420d0b171a183a8959165600000000000000000000a058895916560000183a895916560000"
    "183a895916560000010000000000000048a594591656000094f585591656000000000000000000005ff5855916560000"
    "0000050000000000200000000000000001000000010000000400000001000000906b3a8ffd7f0000";
static const char renames[] =
    "030005000000000010020000000000005164657669636500000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000009d009b831d7f00000000000000000000e0e6d96416560000"
    "0000000000000000020000000000000000000000000000000e0000000000000060bcae831d7f000010ffffffffffffff"
    "0000000000000000183a895916560000c053895916560000c9099b831d7f0000c06a3a8ffd7f000042e1c1831d7f0000"
    "37188959165600000e000000000000000800000000000000aa699b831d7f00000000000000000000003dda6416560000"
    "870b00000000000049b5c2831d7f00000000000000000000371889591656004f746865720056000000d54a420d0b171a"
    "c005000000000000c05389591656000008a03c811d7f00007030d86416560000183a8959165600005c6c3a8ffd7f0000"
    "0000000000000000b985c2831d7f00000800000030000000f06b3a8ffd7f0000306b3a8ffd7f000000d54a420d0b171a"
    "a46b3a8ffd7f0000c05389591656000001000000000000000000000000000000a0b1c3831d7f00000000000000000000"
    "02000000000000007580c2831d7f00003865cd641656000030b0c3831d7f0000000000000000000030b0c3831d7f0000"
    "30b0c3831d7f0000cd88c2831d7f0000000000000100000000d54a420d0b171a0000000000000000c053895916560000";

#define BYTES_MAX 600

static size_t unhex(const char *hex, uint8_t *bytes)
{
    size_t size = strlen(hex) / 2;

    assert_true(size <= BYTES_MAX);
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return size;
}

static struct votequorum_message decode(const char *hex)
{
    uint8_t bytes[BYTES_MAX];
    size_t size = unhex(hex, bytes);
    struct votequorum_message message;

    assert_int_equal(votequorum_message_decode(bytes, size, TOTEM_LITTLE_ENDIAN, &message), Q_OK);
    return message;
}

/* What is encoded from a captured message is that message with its padding cleared. */
static void check_encoded(const char *hex, const struct votequorum_message *message, size_t end_of_content)
{
    uint8_t wanted[BYTES_MAX];
    uint8_t got[VOTEQUORUM_MESSAGE_SIZE_MAX];
    size_t size = unhex(hex, wanted);

    memset(wanted + 4, 0, 4);
    memset(wanted + 12, 0, 4);
    memset(wanted + end_of_content, 0, size - end_of_content);
    assert_int_equal(votequorum_message_encode(message, TOTEM_LITTLE_ENDIAN, got), size);
    assert_memory_equal(got, wanted, size);
}

static void node_infos_are_read_and_written_as_packaged_nodes_send_them(void **state)
{
    struct votequorum_message message = decode(node_info);

    (void)state;
    assert_int_equal(message.type, VOTEQUORUM_NODE_INFO);
    assert_int_equal(message.u.node_info.node_id, 3);
    assert_int_equal(message.u.node_info.votes, 1);
    assert_int_equal(message.u.node_info.expected_votes, 3);
    assert_int_equal(message.u.node_info.flags, VOTEQUORUM_FLAG_WAITING | VOTEQUORUM_FLAG_FIRST);
    check_encoded(node_info, &message, 32);
    message = decode(device_info);
    assert_int_equal(message.u.node_info.node_id, 0);
    check_encoded(device_info, &message, 32);
}

static void announcements_are_read_and_written_as_packaged_nodes_send_them(void **state)
{
    struct votequorum_message message = decode(expected_4);

    (void)state;
    assert_int_equal(message.type, VOTEQUORUM_ANNOUNCEMENT);
    assert_int_equal(message.u.announcement.what, VOTEQUORUM_ANNOUNCE_EXPECTED);
    assert_int_equal(message.u.announcement.node_id, 1);
    assert_int_equal(message.u.announcement.value, 4);
    check_encoded(expected_4, &message, 25);
    message = decode(votes_of_2);
    assert_int_equal(message.u.announcement.what, VOTEQUORUM_ANNOUNCE_VOTES);
    assert_int_equal(message.u.announcement.node_id, 2);
    assert_int_equal(message.u.announcement.value, 1);
    check_encoded(votes_of_2, &message, 25);
    message = decode(cancel_wait);
    assert_int_equal(message.u.announcement.what, VOTEQUORUM_ANNOUNCE_CANCEL_WAIT);
    check_encoded(cancel_wait, &message, 25);
}

static void registrations_and_renames_are_read_and_written_as_packaged_nodes_send_them(void **state)
{
    struct votequorum_message message = decode(registers);
    uint8_t bytes[BYTES_MAX];

    (void)state;
    assert_int_equal(message.type, VOTEQUORUM_DEVICE_REGISTRATION);
    assert_true(message.u.registration.registers);
    assert_string_equal(message.u.registration.name, "Qdevice");
    check_encoded(registers, &message, 20 + strlen("Qdevice"));
    message = decode(unregisters);
    assert_false(message.u.registration.registers);
    assert_string_equal(message.u.registration.name, "Other");
    check_encoded(unregisters, &message, 20 + strlen("Other"));
    message = decode(renames);
    assert_int_equal(message.type, VOTEQUORUM_DEVICE_RENAME);
    assert_string_equal(message.u.rename.old_name, "Qdevice");
    assert_string_equal(message.u.rename.new_name, "Other");
    assert_int_equal(votequorum_message_encode(&message, TOTEM_LITTLE_ENDIAN, bytes), 528);
    assert_string_equal((char *)bytes + 16, "Qdevice");
    assert_string_equal((char *)bytes + 271, "Other");
}

/* All that a message can say, once. */
static const struct votequorum_message samples[] = {
    {.type = VOTEQUORUM_NODE_INFO, .u.node_info = {0x01020304, 0x11121314, 0x21222324, 0x31323334}},
    {.type = VOTEQUORUM_NODE_INFO, .u.node_info = {UINT32_MAX, 0, UINT32_MAX, UINT32_MAX}},
    {.type = VOTEQUORUM_ANNOUNCEMENT,
     .u.announcement = {VOTEQUORUM_ANNOUNCE_EXPECTED, 0x01020304, 0x11121314}},
    {.type = VOTEQUORUM_ANNOUNCEMENT, .u.announcement = {VOTEQUORUM_ANNOUNCE_VOTES, 0, UINT32_MAX}},
    {.type = VOTEQUORUM_ANNOUNCEMENT, .u.announcement = {VOTEQUORUM_ANNOUNCE_CANCEL_WAIT, 7, 0}},
    {.type = VOTEQUORUM_DEVICE_REGISTRATION, .u.registration = {true, "d"}},
    {.type = VOTEQUORUM_DEVICE_REGISTRATION, .u.registration = {false, "Qdevice"}},
    {.type = VOTEQUORUM_DEVICE_RENAME, .u.rename = {"old", "new"}},
};

#define SAMPLE_COUNT (sizeof(samples) / sizeof(samples[0]))

static const enum totem_order orders[] = {TOTEM_LITTLE_ENDIAN, TOTEM_BIG_ENDIAN};

static void what_is_written_in_either_order_is_read_back_in_that_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++)
        for (size_t order = 0; order < 2; order++) {
            uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX];
            size_t size = votequorum_message_encode(&samples[i], orders[order], bytes);
            struct votequorum_message message;

            assert_int_equal(votequorum_message_decode(bytes, size, orders[order], &message), Q_OK);
            assert_memory_equal(&message, &samples[i], sizeof(message));
            /* In the other order its id is none of ours. */
            assert_int_equal(votequorum_message_decode(bytes, size, orders[1 - order], &message),
                             Q_ERR_NOT_FOUND);
        }
}

static void big_endian_bytes_are_where_they_belong(void **state)
{
    static const uint8_t wanted[32] = {0, 5, 0, 0, 0,  0,  0,  0,  0,  0,  0,  32, 0,  0,  0,  0,
                                       1, 2, 3, 4, 17, 18, 19, 20, 33, 34, 35, 36, 49, 50, 51, 52};
    uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX];

    (void)state;
    assert_int_equal(votequorum_message_encode(&samples[0], TOTEM_BIG_ENDIAN, bytes), sizeof(wanted));
    assert_memory_equal(bytes, wanted, sizeof(wanted));
}

/* On the heap, so that reading beyond the end is found. */
static enum q_err decode_cut(const uint8_t *bytes, size_t size)
{
    uint8_t *cut = malloc(size > 0 ? size : 1);
    struct votequorum_message message;
    enum q_err err;

    assert_non_null(cut);
    memcpy(cut, bytes, size);
    err = votequorum_message_decode(cut, size, TOTEM_LITTLE_ENDIAN, &message);
    free(cut);
    return err;
}

static void a_message_that_is_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX];
        size_t size = votequorum_message_encode(&samples[i], TOTEM_LITTLE_ENDIAN, bytes);

        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(decode_cut(bytes, cut), Q_ERR_INVALID);
            /* Nor if its header admits it. */
            if (cut >= 16) {
                uint8_t shorter[VOTEQUORUM_MESSAGE_SIZE_MAX];

                memcpy(shorter, bytes, cut);
                totem_put_u32(shorter + 8, (uint32_t)cut, TOTEM_LITTLE_ENDIAN);
                assert_int_equal(decode_cut(shorter, cut), Q_ERR_INVALID);
            }
        }
        assert_int_equal(decode_cut(bytes, size), Q_OK);
    }
}

static void what_newer_releases_append_is_ignored(void **state)
{
    uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX + 8] = {0};
    struct votequorum_message message;
    size_t size = votequorum_message_encode(&samples[0], TOTEM_LITTLE_ENDIAN, bytes);

    (void)state;
    memset(bytes + size, 0xff, 8);
    totem_put_u32(bytes + 8, (uint32_t)size + 8, TOTEM_LITTLE_ENDIAN);
    assert_int_equal(votequorum_message_decode(bytes, size + 8, TOTEM_LITTLE_ENDIAN, &message), Q_OK);
    assert_memory_equal(&message, &samples[0], sizeof(message));
}

static void check_refused(size_t sample, size_t offset, uint32_t value, size_t width, enum q_err wanted)
{
    uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX];
    size_t size = votequorum_message_encode(&samples[sample], TOTEM_LITTLE_ENDIAN, bytes);

    if (width == 1)
        bytes[offset] = (uint8_t)value;
    else
        totem_put_u32(bytes + offset, value, TOTEM_LITTLE_ENDIAN);
    assert_int_equal(decode_cut(bytes, size), wanted);
}

static void fields_out_of_range_are_refused(void **state)
{
    (void)state;
    for (uint32_t function = 4; function < 0x10000; function += 37)
        check_refused(0, 0, 5u << 16 | function, 4, Q_ERR_NOT_FOUND);
    check_refused(0, 0, 6u << 16, 4, Q_ERR_NOT_FOUND);
    check_refused(0, 8, 31, 4, Q_ERR_INVALID);
    check_refused(0, 8, 33, 4, Q_ERR_INVALID);
    check_refused(0, 8, UINT32_MAX, 4, Q_ERR_INVALID);
    for (uint32_t kind = 0; kind < 256; kind++)
        check_refused(2, 24, kind, 1, kind >= 1 && kind <= 3 ? Q_OK : Q_ERR_INVALID);
    check_refused(5, 16, 2, 4, Q_ERR_INVALID);
    check_refused(5, 16, UINT32_MAX, 4, Q_ERR_INVALID);
    check_refused(5, 20, 0, 1, Q_ERR_INVALID); /* no name */
    check_refused(7, 16, 0, 1, Q_ERR_INVALID);
    check_refused(7, 271, 0, 1, Q_ERR_INVALID);
}

static void names_fill_their_field_but_for_the_terminator(void **state)
{
    struct votequorum_message message = {.type = VOTEQUORUM_DEVICE_RENAME};
    struct votequorum_message back;
    uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX];
    size_t size;

    (void)state;
    memset(message.u.rename.old_name, 'o', VOTEQUORUM_NAME_SIZE - 1);
    memset(message.u.rename.new_name, 'n', VOTEQUORUM_NAME_SIZE - 1);
    size = votequorum_message_encode(&message, TOTEM_LITTLE_ENDIAN, bytes);
    assert_int_equal(votequorum_message_decode(bytes, size, TOTEM_LITTLE_ENDIAN, &back), Q_OK);
    assert_memory_equal(&back, &message, sizeof(back));
    bytes[16 + VOTEQUORUM_NAME_SIZE - 1] = 'o';
    assert_int_equal(decode_cut(bytes, size), Q_ERR_INVALID);
    bytes[16 + VOTEQUORUM_NAME_SIZE - 1] = 0;
    bytes[271 + VOTEQUORUM_NAME_SIZE - 1] = 'n';
    assert_int_equal(decode_cut(bytes, size), Q_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_infos_are_read_and_written_as_packaged_nodes_send_them),
        cmocka_unit_test(announcements_are_read_and_written_as_packaged_nodes_send_them),
        cmocka_unit_test(registrations_and_renames_are_read_and_written_as_packaged_nodes_send_them),
        cmocka_unit_test(what_is_written_in_either_order_is_read_back_in_that_order),
        cmocka_unit_test(big_endian_bytes_are_where_they_belong),
        cmocka_unit_test(a_message_that_is_cut_off_anywhere_is_refused),
        cmocka_unit_test(what_newer_releases_append_is_ignored),
        cmocka_unit_test(fields_out_of_range_are_refused),
        cmocka_unit_test(names_fill_their_field_but_for_the_terminator),
    };

    return cmocka_run_group_tests_name("votequorum_wire", tests, NULL, NULL);
}
