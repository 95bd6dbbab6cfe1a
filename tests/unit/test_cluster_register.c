/* SPDX-License-Identifier: BSD-3-Clause */
/* Which clusters an arbiter knows: of one name there may be several; and their file. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "certs/logic/cluster_register.h"

static struct cluster_identity identity(uint8_t byte)
{
    struct cluster_identity made;

    memset(made.bytes, byte, sizeof(made.bytes));
    return made;
}

static void add(struct cluster_register *clusters, const char *name, uint8_t byte)
{
    struct cluster_identity one = identity(byte);

    assert_int_equal(cluster_register_add(clusters, name, &one), Q_OK);
}

static void clusters_are_found_by_name_and_how_their_identity_begins(void **state)
{
    struct cluster_register clusters = {0};
    struct cluster_identity found = identity(9), expected = identity(0x12);

    (void)state;
    assert_int_equal(cluster_register_find(&clusters, "alpha", "", &found), 0);
    assert_int_equal(found.bytes[0], 9);
    add(&clusters, "alpha", 0x12);
    add(&clusters, "beta", 0x13);
    add(&clusters, "alpha", 0x12); /* it is there */
    assert_int_equal(clusters.count, 2);
    assert_int_equal(cluster_register_find(&clusters, "Alpha", "", &found), 1);
    assert_true(cluster_identity_equal(&found, &expected));
    add(&clusters, "alpha", 0x1f);
    assert_int_equal(cluster_register_find(&clusters, "alpha", "", &found), 2);
    assert_int_equal(cluster_register_find(&clusters, "alpha", "1212", &found), 1);
    assert_int_equal(cluster_register_find(&clusters, "alpha", "1", &found), 2);
    assert_int_equal(cluster_register_find(&clusters, "alpha", "1313", &found), 0);
    assert_int_equal(cluster_register_find(&clusters, "beta", "13131313-1313", &found), 1);
    cluster_register_fini(&clusters);
}

/* An invitation for "Alpha" finds the cluster "alpha"; the certificate that comes of it is spelled as the invitation is. */
static void spelled_in_another_way_a_cluster_is_still_one(void **state)
{
    struct cluster_register clusters = {0};
    struct cluster_identity found;

    (void)state;
    add(&clusters, "alpha", 0x12);
    add(&clusters, "Alpha", 0x12);
    assert_int_equal(clusters.count, 1);
    assert_int_equal(cluster_register_find(&clusters, "ALPHA", "", &found), 1);
    cluster_register_fini(&clusters);
}

static void the_file_is_read_as_it_was_written(void **state)
{
    struct cluster_register clusters = {0}, again;
    struct q_buf text;

    (void)state;
    add(&clusters, "alpha", 1);
    add(&clusters, "a name, with = + blanks", 2);
    add(&clusters, "alpha", 3);
    q_buf_init(&text);
    cluster_register_encode(&clusters, &text);
    assert_int_equal(cluster_register_decode(q_buf_bytes(&text), text.size, &again), Q_OK);
    assert_int_equal(again.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(again.items[i].name, clusters.items[i].name);
        assert_true(cluster_identity_equal(&again.items[i].identity, &clusters.items[i].identity));
    }
    cluster_register_fini(&again);
    for (size_t size = 0; size < text.size; size++)
        assert_int_equal(cluster_register_decode(q_buf_bytes(&text), size, &again), Q_ERR_INVALID);
    q_buf_fini(&text);
    cluster_register_fini(&clusters);
}

static void what_was_not_written_is_not_read(void **state)
{
    static const char *const wrong[] = {
        "quorate-clusters 2\nend\n",
        "quorate-clusters 1\nend\n\n",
        "quorate-clusters 1\n\nend\n",
        "quorate-clusters 1\n01010101-0101-0101-0101-010101010101\nend\n",
        "quorate-clusters 1\n01010101-0101-0101-0101-010101010101 \nend\n",
        "quorate-clusters 1\n01010101-0101-0101-0101-010101010101 a/b\nend\n",
        "quorate-clusters 1\n01010101-0101-0101-0101-01010101010 alpha\nend\n",
        "quorate-clusters 1\n00000000-0000-0000-0000-000000000000 alpha\nend\n",
    };
    struct cluster_register clusters;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(cluster_register_decode((const uint8_t *)wrong[i], strlen(wrong[i]), &clusters), Q_ERR_INVALID);
}

static void there_is_room_for_a_limited_number(void **state)
{
    struct cluster_register clusters = {0}, again;
    struct cluster_identity one = identity(1);
    struct q_buf text;
    char name[CERTS_CLUSTER_NAME_LENGTH_MAX + 1];

    (void)state;
    for (int i = 0; i < CLUSTER_REGISTER_MAX; i++) {
        snprintf(name, sizeof(name), "%0*d", CERTS_CLUSTER_NAME_LENGTH_MAX, i);
        assert_int_equal(cluster_register_add(&clusters, name, &one), Q_OK);
    }
    assert_int_equal(cluster_register_add(&clusters, "one more", &one), Q_ERR_LIMIT);
    q_buf_init(&text);
    cluster_register_encode(&clusters, &text);
    assert_true(text.size <= CLUSTER_REGISTER_FILE_SIZE_MAX);
    assert_int_equal(cluster_register_decode(q_buf_bytes(&text), text.size, &again), Q_OK);
    cluster_register_fini(&again);
    q_buf_fini(&text);
    cluster_register_fini(&clusters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clusters_are_found_by_name_and_how_their_identity_begins),
        cmocka_unit_test(spelled_in_another_way_a_cluster_is_still_one),
        cmocka_unit_test(the_file_is_read_as_it_was_written),
        cmocka_unit_test(what_was_not_written_is_not_read),
        cmocka_unit_test(there_is_room_for_a_limited_number),
    };

    return cmocka_run_group_tests_name("cluster_register", tests, NULL, NULL);
}
