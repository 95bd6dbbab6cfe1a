/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The grant record: what was written is read back, and nothing that is damaged in any way is believed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qnetd/logic/grant_record.h"

static uint32_t two_ids[] = {1, UINT32_MAX};
static struct grant_holder three_holders[] = {{1, 19000}, {2, 0}, {UINT32_MAX, UINT32_MAX}};

static struct wire_bytes bytes_of(const char *text)
{
    return (struct wire_bytes){(const uint8_t *)text, strlen(text)};
}

static struct grant_record sample(void)
{
    return (struct grant_record){
        .name = bytes_of("lab"), .active = {two_ids, 2}, .holders = three_holders, .holder_count = 3};
}

/* An exact copy on the heap, so that the sanitizer sees any byte read past the end. */
static enum q_err decode(struct grant_record *record, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    enum q_err err;

    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    err = grant_record_decode(record, copy, size);
    free(copy);
    return err;
}

static enum q_err decode_text(struct grant_record *record, const char *text)
{
    return decode(record, (const uint8_t *)text, strlen(text));
}

static void check_round_trip(const struct grant_record *record)
{
    struct grant_record back;
    struct q_buf buf;

    q_buf_init(&buf);
    grant_record_encode(&buf, record);
    assert_false(buf.failed);
    assert_true(buf.size <= GRANT_RECORD_SIZE_MAX);
    assert_int_equal(decode(&back, q_buf_bytes(&buf), buf.size), Q_OK);
    assert_int_equal(back.name.size, record->name.size);
    if (record->name.size > 0)
        assert_memory_equal(back.name.data, record->name.data, record->name.size);
    assert_true(cluster_identity_equal(&back.identity, &record->identity));
    assert_true(node_set_equal(&back.active, &record->active));
    assert_true(node_set_equal(&back.config, &record->config));
    assert_int_equal(back.holder_count, record->holder_count);
    for (uint32_t i = 0; i < back.holder_count; i++) {
        assert_true(back.holders[i].node_id == record->holders[i].node_id);
        assert_true(back.holders[i].lease_ms == record->holders[i].lease_ms);
    }
    grant_record_fini(&back);
    q_buf_fini(&buf);
}

static void what_was_written_is_read_back(void **state)
{
    struct grant_record record = sample();
    uint8_t every_byte[256];

    (void)state;
    check_round_trip(&record);
    memset(record.identity.bytes, 0xa5, sizeof(record.identity.bytes));
    check_round_trip(&record);
    record.holder_count = 0;
    check_round_trip(&record);
    record.active = (struct node_set){NULL, 0};
    check_round_trip(&record);
    record.name = (struct wire_bytes){NULL, 0};
    check_round_trip(&record);
    for (size_t i = 0; i < sizeof(every_byte); i++)
        every_byte[i] = (uint8_t)i;
    record.name = (struct wire_bytes){every_byte, sizeof(every_byte)};
    check_round_trip(&record);
}

static void the_largest_record_the_arbiter_can_write_can_be_read(void **state)
{
    static uint8_t name[32767];
    struct grant_record record = {.name = {name, sizeof(name)}};
    uint32_t *ids = malloc(GRANT_RECORD_HOLDERS_MAX * sizeof(*ids));
    struct grant_holder *holders = malloc(GRANT_RECORD_HOLDERS_MAX * sizeof(*holders));

    (void)state;
    assert_non_null(ids);
    assert_non_null(holders);
    for (uint32_t i = 0; i < GRANT_RECORD_HOLDERS_MAX; i++) {
        ids[i] = UINT32_MAX - GRANT_RECORD_HOLDERS_MAX + 1 + i;
        holders[i] = (struct grant_holder){ids[i], UINT32_MAX};
    }
    record.active = (struct node_set){ids, GRANT_RECORD_HOLDERS_MAX};
    record.config = record.active;
    record.holders = holders;
    record.holder_count = GRANT_RECORD_HOLDERS_MAX;
    check_round_trip(&record);
    free(ids);
    free(holders);
}

static void the_format_is_the_documented_one(void **state)
{
    uint32_t ids[] = {1, 2, 3};
    struct grant_holder holders[] = {{1, 19000}};
    struct grant_record record = {
        .name = bytes_of("lab"), .active = {ids, 2}, .config = {ids, 3}, .holders = holders, .holder_count = 1};
    static const char body[] = "quorate-grants 1\ncluster 6c6162\nactive 1,2\nconfig 1,2,3\nholder 1 19000\nend ";
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    grant_record_encode(&buf, &record);
    assert_int_equal(buf.size, strlen(body) + strlen("12345678\n"));
    assert_memory_equal(q_buf_bytes(&buf), body, strlen(body));
    q_buf_fini(&buf);
}

static void no_truncation_is_believed(void **state)
{
    struct grant_record record = sample();
    struct grant_record back;
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    grant_record_encode(&buf, &record);
    for (size_t size = 0; size < buf.size; size++)
        assert_int_equal(decode(&back, q_buf_bytes(&buf), size), Q_ERR_INVALID);
    q_buf_fini(&buf);
}

static void no_single_wrong_byte_is_believed(void **state)
{
    struct grant_record record = sample();
    struct grant_record back;
    struct q_buf buf;
    uint8_t *bytes;

    (void)state;
    q_buf_init(&buf);
    grant_record_encode(&buf, &record);
    bytes = malloc(buf.size);
    assert_non_null(bytes);
    memcpy(bytes, q_buf_bytes(&buf), buf.size);
    for (size_t i = 0; i < buf.size; i++) {
        uint8_t right = bytes[i];

        for (int wrong = 0; wrong < 256; wrong++) {
            bytes[i] = (uint8_t)wrong;
            if (bytes[i] != right)
                assert_int_equal(grant_record_decode(&back, bytes, buf.size), Q_ERR_INVALID);
        }
        bytes[i] = right;
    }
    free(bytes);
    q_buf_fini(&buf);
}

static void a_missing_or_added_byte_is_not_believed(void **state)
{
    struct grant_record record = sample();
    struct grant_record back;
    struct q_buf buf;
    uint8_t *bytes;

    (void)state;
    q_buf_init(&buf);
    grant_record_encode(&buf, &record);
    bytes = malloc(buf.size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < buf.size; i++) { /* i is left out */
        memcpy(bytes, q_buf_bytes(&buf), i);
        memcpy(bytes + i, q_buf_bytes(&buf) + i + 1, buf.size - i - 1);
        assert_int_equal(decode(&back, bytes, buf.size - 1), Q_ERR_INVALID);
    }
    for (size_t i = 0; i <= buf.size; i++) { /* a byte is put before i */
        memcpy(bytes, q_buf_bytes(&buf), i);
        bytes[i] = i % 2 == 0 ? '\n' : '0';
        memcpy(bytes + i + 1, q_buf_bytes(&buf) + i, buf.size - i);
        assert_int_equal(decode(&back, bytes, buf.size + 1), Q_ERR_INVALID);
    }
    free(bytes);
    q_buf_fini(&buf);
}

/* Decodes a text to which the right last line has been added. */
static enum q_err decode_closed(struct grant_record *record, const char *body)
{
    uint32_t crc = UINT32_MAX;
    char end[32];
    char *text = malloc(strlen(body) + sizeof(end));
    enum q_err err;

    assert_non_null(text);
    for (const char *at = body; *at != '\0'; at++) {
        crc ^= (uint8_t)*at;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    snprintf(end, sizeof(end), "end %08x\n", ~crc);
    err = decode_text(record, strcat(strcpy(text, body), end));
    free(text);
    return err;
}

/* The checksum is right in these; what they say is not allowed. */
static void a_rightly_closed_record_must_still_make_sense(void **state)
{
    static const char *const bodies[] = {
        "quorate-grants 2\ncluster 6c\nactive -\n",               /* another version */
        "quorate-grants 1\ncluster 6C\nactive -\n",               /* one spelling only */
        "quorate-grants 1\ncluster 6\nactive -\n",                /* half a byte */
        "quorate-grants 1\ncluster 6c\nactive -\n",                /* the configuration is missing */
        "quorate-grants 1\ncluster 6c\nactive -\nconfig 2,1\n",
        "quorate-grants 1\ncluster 6c\nactive \n",                /* nothing is written "-" */
        "quorate-grants 1\ncluster 6c\nactive 1,\n",
        "quorate-grants 1\ncluster 6c\nactive 2,1\n",             /* ascending, no duplicates */
        "quorate-grants 1\ncluster 6c\nactive 1,1\n",
        "quorate-grants 1\ncluster 6c\nactive 01\n",
        "quorate-grants 1\ncluster 6c\nactive 4294967296\n",
        "quorate-grants 1\ncluster 6c\nactive 99999999999999999999\n",
        "quorate-grants 1\ncluster 6c\nactive -\nconfig -\nholder 1\n",
        "quorate-grants 1\ncluster 6c\nactive -\nconfig -\nholder 1 \n",
        "quorate-grants 1\ncluster 6c\nactive -\nconfig -\nholder 1 -1\n",
        "quorate-grants 1\ncluster 6c\nactive -\nconfig -\nholder 1 4294967296\n",
        "quorate-grants 1\ncluster 6c\nactive -\nconfig -\nholder 2 5\nholder 1 5\n",
        "quorate-grants 1\ncluster 6c\nactive -\nconfig -\nholder 1 5\nholder 1 6\n",
        "quorate-grants 1\ncluster 6c\nactive -\nconfig -\nsomething else\n",
        "quorate-grants 1\ncluster 6c\n",
        "quorate-grants 1\n",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct grant_record record;

        assert_int_equal(decode_closed(&record, bodies[i]), Q_ERR_INVALID);
    }
}

static void too_long_a_record_is_refused_unread(void **state)
{
    struct grant_record record;
    uint8_t *bytes = calloc(1, GRANT_RECORD_SIZE_MAX + 1);

    (void)state;
    assert_non_null(bytes);
    assert_int_equal(grant_record_decode(&record, bytes, GRANT_RECORD_SIZE_MAX + 1), Q_ERR_INVALID);
    free(bytes);
}

static void more_holders_than_there_may_be_are_refused(void **state)
{
    static char body[GRANT_RECORD_HOLDERS_MAX * 20];
    struct grant_record record;
    size_t used = (size_t)snprintf(body, sizeof(body), "quorate-grants 1\ncluster 6c\nactive -\nconfig -\n");

    (void)state;
    for (uint32_t i = 1; i <= GRANT_RECORD_HOLDERS_MAX + 1; i++)
        used += (size_t)snprintf(body + used, sizeof(body) - used, "holder %u 1\n", i);
    assert_int_equal(decode_closed(&record, body), Q_ERR_INVALID);
}

/* Clients with disjoint lists, say, can bring about a configuration of any size: it must not cost the other clusters. */
static void what_does_not_fit_is_written_as_not_known(void **state)
{
    static uint32_t ids[GRANT_RECORD_HOLDERS_MAX + 1];
    struct grant_record record = sample();
    struct grant_record back;
    struct q_buf buf;

    (void)state;
    for (uint32_t i = 0; i <= GRANT_RECORD_HOLDERS_MAX; i++)
        ids[i] = i + 1;
    record.config = (struct node_set){ids, GRANT_RECORD_HOLDERS_MAX + 1};
    q_buf_init(&buf);
    grant_record_encode(&buf, &record);
    assert_int_equal(decode(&back, q_buf_bytes(&buf), buf.size), Q_OK);
    assert_int_equal(back.config.count, 0);
    assert_true(node_set_equal(&back.active, &record.active));
    assert_int_equal(back.holder_count, record.holder_count);
    grant_record_fini(&back);
    q_buf_fini(&buf);
}

/* ---- file names ---- */

static void check_file_name(const char *name)
{
    assert_true(strlen(name) < GRANT_RECORD_FILE_NAME_SIZE);
    assert_true(strlen(name) > strlen(".grants"));
    assert_string_equal(name + strlen(name) - strlen(".grants"), ".grants");
    assert_int_equal(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"), strlen(name));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Every name of one or two bytes, so that an escape cannot be mistaken for a name that looks like it. */
static void short_names_have_file_names_of_their_own(void **state)
{
    const size_t count = 256 + 256 * 256;
    char(*names)[GRANT_RECORD_FILE_NAME_SIZE] = calloc(count, GRANT_RECORD_FILE_NAME_SIZE);
    uint8_t bytes[2];
    size_t used = 0;

    (void)state;
    assert_non_null(names);
    for (int a = 0; a < 256; a++) {
        bytes[0] = (uint8_t)a;
        grant_record_file_name((struct wire_bytes){bytes, 1}, names[used]);
        check_file_name(names[used++]);
        for (int b = 0; b < 256; b++) {
            bytes[1] = (uint8_t)b;
            grant_record_file_name((struct wire_bytes){bytes, 2}, names[used]);
            check_file_name(names[used++]);
        }
    }
    assert_int_equal(used, count);
    qsort(names, count, GRANT_RECORD_FILE_NAME_SIZE, compare_names);
    for (size_t i = 1; i < count; i++)
        assert_string_not_equal(names[i - 1], names[i]);
    free(names);
}

static void a_name_reads_as_it_is_where_it_can(void **state)
{
    char name[GRANT_RECORD_FILE_NAME_SIZE];

    (void)state;
    grant_record_file_name(bytes_of("Lab-1"), name);
    assert_string_equal(name, "Lab-1.grants");
    grant_record_file_name(bytes_of("../a b"), name);
    assert_string_equal(name, "_2e_2e_2fa_20b.grants");
}

/* Around the length at which a hash takes over, and far beyond: names that differ at the end only stay apart. */
static void long_names_are_told_apart_by_a_hash(void **state)
{
    static uint8_t bytes[4096];
    char one[GRANT_RECORD_FILE_NAME_SIZE];
    char other[GRANT_RECORD_FILE_NAME_SIZE];

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        memset(bytes, kind == 0 ? 'x' : ' ', sizeof(bytes));
        for (size_t size = 1; size < sizeof(bytes); size += size < 200 ? 1 : 97) {
            grant_record_file_name((struct wire_bytes){bytes, size}, one);
            check_file_name(one);
            grant_record_file_name((struct wire_bytes){bytes, size + 1}, other);
            assert_string_not_equal(one, other);
            bytes[size - 1] = 'y';
            grant_record_file_name((struct wire_bytes){bytes, size}, other);
            assert_string_not_equal(one, other);
            bytes[size - 1] = bytes[size];
        }
    }
}

/* Not a hidden file, and none that another name has: an underscore is always followed by two digits otherwise. */
static void the_empty_name_has_a_file_name_too(void **state)
{
    char name[GRANT_RECORD_FILE_NAME_SIZE];

    (void)state;
    grant_record_file_name((struct wire_bytes){NULL, 0}, name);
    assert_string_equal(name, "_.grants");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(the_largest_record_the_arbiter_can_write_can_be_read),
        cmocka_unit_test(the_format_is_the_documented_one),
        cmocka_unit_test(no_truncation_is_believed),
        cmocka_unit_test(no_single_wrong_byte_is_believed),
        cmocka_unit_test(a_missing_or_added_byte_is_not_believed),
        cmocka_unit_test(a_rightly_closed_record_must_still_make_sense),
        cmocka_unit_test(too_long_a_record_is_refused_unread),
        cmocka_unit_test(more_holders_than_there_may_be_are_refused),
        cmocka_unit_test(what_does_not_fit_is_written_as_not_known),
        cmocka_unit_test(short_names_have_file_names_of_their_own),
        cmocka_unit_test(a_name_reads_as_it_is_where_it_can),
        cmocka_unit_test(long_names_are_told_apart_by_a_hash),
        cmocka_unit_test(the_empty_name_has_a_file_name_too),
    };

    return cmocka_run_group_tests_name("grant record", tests, NULL, NULL);
}
