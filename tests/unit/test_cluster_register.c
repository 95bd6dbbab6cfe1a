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

static enum cluster_register_answer choose(const struct cluster_register *clusters, const char *name, const char *id, uint8_t expected)
{
    struct cluster_wish wish = {.name = name, .identity = id};
    struct cluster_identity found = identity(9), whole = identity(expected);
    const char *name_there = NULL;
    enum cluster_register_answer answer = cluster_register_choose(clusters, &wish, &found, &name_there);

    assert_true(cluster_identity_equal(&found, &whole));
    if (answer == CLUSTER_REGISTER_ELSEWHERE)
        assert_string_equal(name_there, "beta");
    else
        assert_null(name_there);
    return answer;
}

static void whom_somebody_means(void **state)
{
    static const char lost[] = "55555555-5555-5555-5555-555555555555", of_beta[] = "13131313-1313-1313-1313-131313131313";
    struct cluster_wish another = {.name = "alpha", .another = true};
    struct cluster_register clusters = {0};
    struct cluster_identity found;
    const char *name_there = NULL;

    (void)state;
    /* The register is lost, or the arbiter's host is another one: whoever has the whole identity can say it. */
    assert_int_equal(choose(&clusters, "alpha", NULL, 0), CLUSTER_REGISTER_NEW);
    assert_int_equal(choose(&clusters, "alpha", lost, 0x55), CLUSTER_REGISTER_STRANGE);
    assert_int_equal(choose(&clusters, "alpha", "5555", 0), CLUSTER_REGISTER_NONE);
    assert_int_equal(choose(&clusters, "alpha", "55555555-5555-5555-5555-55555555555", 0), CLUSTER_REGISTER_NONE);
    assert_int_equal(choose(&clusters, "alpha", "55555555-5555-5555-5555-5555555555555", 0), CLUSTER_REGISTER_NONE);
    assert_int_equal(choose(&clusters, "alpha", "00000000-0000-0000-0000-000000000000", 0), CLUSTER_REGISTER_NONE);
    assert_int_equal(choose(&clusters, "alpha", "none", 0), CLUSTER_REGISTER_NONE);
    add(&clusters, "alpha", 0x12);
    add(&clusters, "beta", 0x13);
    assert_int_equal(choose(&clusters, "alpha", NULL, 0x12), CLUSTER_REGISTER_KNOWN);
    assert_int_equal(choose(&clusters, "Alpha", "1212", 0x12), CLUSTER_REGISTER_KNOWN);
    assert_int_equal(choose(&clusters, "alpha", lost, 0x55), CLUSTER_REGISTER_STRANGE);
    assert_int_equal(choose(&clusters, "alpha", of_beta, 0), CLUSTER_REGISTER_ELSEWHERE);
    assert_int_equal(choose(&clusters, "beta", of_beta, 0x13), CLUSTER_REGISTER_KNOWN);
    add(&clusters, "alpha", 0x14);
    assert_int_equal(choose(&clusters, "alpha", NULL, 0), CLUSTER_REGISTER_SEVERAL);
    assert_int_equal(choose(&clusters, "alpha", "1", 0), CLUSTER_REGISTER_SEVERAL);
    assert_int_equal(choose(&clusters, "alpha", "14", 0x14), CLUSTER_REGISTER_KNOWN);
    assert_int_equal(cluster_register_choose(&clusters, &another, &found, &name_there), CLUSTER_REGISTER_NEW);
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
        /* What differs comes first: each is compared with all before it. */
        snprintf(name, sizeof(name), "%05d%0*d", i, CERTS_CLUSTER_NAME_LENGTH_MAX - 5, 0);
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
        cmocka_unit_test(whom_somebody_means),
        cmocka_unit_test(the_file_is_read_as_it_was_written),
        cmocka_unit_test(what_was_not_written_is_not_read),
        cmocka_unit_test(there_is_room_for_a_limited_number),
    };

    return cmocka_run_group_tests_name("cluster_register", tests, NULL, NULL);
}
