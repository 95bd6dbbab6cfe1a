/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates that are not accepted any more: which they are, and their file. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/logic/revocations.h"
#include "certs/logic/serial.h"

static void revoke(struct revocations *list, bool up_to, uint64_t serial, const char *cluster)
{
    struct revocation one = {.up_to = up_to, .serial = serial, .when_s = 1800000000};

    strcpy(one.cluster, cluster);
    assert_int_equal(revocations_add(list, &one), Q_OK);
}

static int64_t when(const struct revocations *list, const char *cluster, uint64_t serial)
{
    char number[24];

    snprintf(number, sizeof(number), "%02llx", (unsigned long long)serial);
    return revocations_when(list, &(struct revocation_subject){.cluster = cluster, .serial = serial, .number = number, .node = ""});
}

static void assert_there_and_back(const struct revocations *list)
{
    struct revocations again;
    struct q_buf text, twice;

    q_buf_init(&text);
    q_buf_init(&twice);
    revocations_encode(list, &text);
    assert_int_equal(revocations_decode(q_buf_bytes(&text), text.size, &again), Q_OK);
    revocations_encode(&again, &twice);
    assert_int_equal(text.size, twice.size);
    assert_memory_equal(q_buf_bytes(&text), q_buf_bytes(&twice), text.size);
    revocations_fini(&again);
    for (size_t size = 0; size < text.size; size++)
        assert_int_equal(revocations_decode(q_buf_bytes(&text), size, &again), Q_ERR_INVALID);
    q_buf_fini(&text);
    q_buf_fini(&twice);
}

static void a_single_certificate(void **state)
{
    struct revocations list = {0};

    (void)state;
    revoke(&list, false, 105, "alpha");
    assert_int_equal(when(&list, "alpha", 105), 1800000000);
    assert_int_equal(when(&list, "ALPHA", 105), 1800000000); /* the arbiter ignores case */
    assert_int_equal(when(&list, "alpha", 104), 0);
    assert_int_equal(when(&list, "alpha", 106), 0);
    assert_int_equal(when(&list, "beta", 105), 0);
    assert_there_and_back(&list);
    revocations_fini(&list);
}

static void all_that_a_cluster_had(void **state)
{
    struct revocations list = {0};

    (void)state;
    revoke(&list, true, 110, "alpha");
    assert_int_equal(when(&list, "alpha", 1), 1800000000);
    assert_int_equal(when(&list, "alpha", 110), 1800000000);
    assert_int_equal(when(&list, "alpha", 111), 0); /* made since: the cluster has joined anew */
    assert_int_equal(when(&list, "alpha", 0), 0); /* no number that could be compared */
    assert_int_equal(when(&list, "beta", 5), 0);
    assert_there_and_back(&list);
    revocations_fini(&list);
}

static void the_list_does_not_grow_by_what_it_covers(void **state)
{
    struct revocations list = {0};

    (void)state;
    for (uint64_t serial = 1; serial <= 20; serial++)
        revoke(&list, false, serial, "alpha");
    revoke(&list, false, 7, "beta");
    revoke(&list, false, 20, "alpha");
    assert_int_equal(list.count, 21);
    revoke(&list, true, 15, "Alpha");
    assert_int_equal(list.count, 7);
    revoke(&list, false, 3, "alpha");
    revoke(&list, true, 14, "alpha");
    assert_int_equal(list.count, 7);
    revoke(&list, true, 30, "alpha");
    assert_int_equal(list.count, 2);
    assert_there_and_back(&list);
    revocations_fini(&list);
}

static int64_t when_of(const struct revocations *list, uint64_t serial, uint8_t identity)
{
    struct revocation_subject subject = {.cluster = "alpha", .serial = serial, .number = "01", .node = ""};

    memset(subject.identity.bytes, identity, sizeof(subject.identity.bytes));
    return revocations_when(list, &subject);
}

static void revoke_narrow(struct revocations *list, uint64_t serial, uint8_t identity, int64_t when_s)
{
    struct revocation one = {.up_to = true, .narrow = true, .serial = serial, .when_s = when_s, .cluster = "alpha"};

    memset(one.identity.bytes, identity, sizeof(one.identity.bytes));
    assert_int_equal(revocations_add(list, &one), Q_OK);
}

static void one_of_two_clusters_of_that_name(void **state)
{
    struct revocations list = {0};

    (void)state;
    revoke(&list, false, 105, "alpha");
    revoke_narrow(&list, 110, 1, 5);
    assert_int_equal(list.count, 2); /* nobody knows whether 105 was of that identity */
    assert_int_equal(when_of(&list, 104, 1), 5);
    assert_int_equal(when_of(&list, 111, 1), 0);
    assert_int_equal(when_of(&list, 104, 2), 0);
    assert_int_equal(when_of(&list, 104, 0), 0);
    revoke_narrow(&list, 112, 0, 6);
    assert_int_equal(when_of(&list, 104, 0), 6);
    assert_int_equal(when_of(&list, 104, 2), 0);
    assert_there_and_back(&list);
    revoke_narrow(&list, 113, 1, 7); /* takes the place of the one up to 110 */
    assert_int_equal(list.count, 3);
    revoke_narrow(&list, 109, 1, 8);
    assert_int_equal(list.count, 3);
    revoke(&list, true, 112, "alpha");
    assert_int_equal(list.count, 2);
    assert_int_equal(when_of(&list, 113, 1), 7);
    assert_int_equal(when_of(&list, 113, 2), 0);
    revoke(&list, true, 113, "alpha");
    assert_int_equal(list.count, 1);
    assert_there_and_back(&list);
    revocations_fini(&list);
}

/* A member that renews day and night cannot fill the list, and takes nothing with him over the moment of the revocation. */
static void whoever_renews_often_needs_no_more_entries(void **state)
{
    struct revocations list = {0};

    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        revoke(&list, false, certs_serial_draw(105, i), "alpha");
    revoke(&list, true, 106, "alpha");
    assert_int_equal(list.count, 1);
    for (uint64_t i = 0; i < 2 * REVOCATIONS_MAX; i++)
        assert_int_not_equal(when(&list, "alpha", certs_serial_draw(i % 107, i)), 0);
    assert_int_equal(when(&list, "alpha", certs_serial_draw(107, 1)), 0); /* of one that joined since */
    assert_int_equal(when(&list, "beta", certs_serial_draw(105, 1)), 0);
    revoke(&list, false, certs_serial_draw(UINT64_MAX, 1), "alpha"); /* that has no note is an entry of its own */
    assert_int_equal(list.count, 2);
    assert_there_and_back(&list);
    revocations_fini(&list);
}

/* A count may have begun anywhere, and so got to where drawn numbers are. */
static void a_count_that_looks_drawn_is_a_count(void **state)
{
    uint64_t count = certs_serial_draw(105, 1);
    struct revocations list = {0};

    (void)state;
    revoke(&list, true, 110, "alpha");
    revoke(&list, true, count, "alpha");
    revoke(&list, true, 110, "alpha");
    assert_int_equal(list.count, 1);
    assert_int_equal(when(&list, "alpha", 111), 1800000000);
    assert_int_equal(when(&list, "alpha", count), 1800000000);
    assert_there_and_back(&list);
    revocations_fini(&list);
}

static int64_t when_node(const struct revocations *list, uint64_t serial, const char *node, uint8_t identity)
{
    struct revocation_subject subject = {.cluster = "alpha", .serial = serial, .number = "01", .node = node};

    memset(subject.identity.bytes, identity, sizeof(subject.identity.bytes));
    return revocations_when(list, &subject);
}

static void revoke_node(struct revocations *list, uint64_t serial, const char *node)
{
    struct revocation one = {.up_to = true, .serial = serial, .when_s = 5, .cluster = "alpha"};

    strcpy(one.node, node);
    assert_int_equal(revocations_add(list, &one), Q_OK);
}

static void all_that_a_node_had(void **state)
{
    struct revocation narrow = {.up_to = true, .narrow = true, .serial = 120, .when_s = 6, .cluster = "alpha", .node = "n 2"};
    struct revocations list = {0};

    (void)state;
    revoke(&list, false, 104, "alpha");
    revoke_node(&list, 110, "n1");
    assert_int_equal(list.count, 2); /* nobody knows whether 104 was that node's */
    assert_int_equal(when_node(&list, 110, "n1", 0), 5);
    assert_int_equal(when_node(&list, 110, "n1", 1), 5);
    assert_int_equal(when_node(&list, certs_serial_draw(110, 3), "n1", 1), 5);
    assert_int_equal(when_node(&list, 111, "n1", 0), 0);
    assert_int_equal(when_node(&list, certs_serial_draw(111, 3), "n1", 1), 0);
    assert_int_equal(when_node(&list, 110, "N1", 0), 0);
    assert_int_equal(when_node(&list, 110, "", 0), 0);
    assert_there_and_back(&list);
    revoke_node(&list, 112, "n1");
    revoke_node(&list, 111, "n1");
    assert_int_equal(list.count, 2);
    memset(narrow.identity.bytes, 1, sizeof(narrow.identity.bytes));
    assert_int_equal(revocations_add(&list, &narrow), Q_OK);
    memset(narrow.identity.bytes, 0, sizeof(narrow.identity.bytes));
    assert_int_equal(revocations_add(&list, &narrow), Q_OK);
    assert_int_equal(list.count, 4);
    assert_int_equal(when_node(&list, 120, "n 2", 1), 6);
    assert_int_equal(when_node(&list, 120, "n 2", 0), 6);
    assert_int_equal(when_node(&list, 120, "n 2", 2), 0);
    assert_there_and_back(&list);
    revoke_node(&list, 120, "n 2");
    assert_int_equal(list.count, 3);
    revoke(&list, true, 119, "alpha"); /* all but the newest */
    assert_int_equal(list.count, 2);
    revoke(&list, true, 120, "alpha");
    assert_int_equal(list.count, 1);
    revoke_node(&list, 120, "n1");
    assert_int_equal(list.count, 1);
    revocations_fini(&list);
}

static void numbers_of_any_size(void **state)
{
    static const char *const numbers[] = {"010000000000000000", "00", "-05", "-010000000000000000"};
    struct revocation one = {.when_s = 9, .cluster = "alpha"};
    struct revocation_subject subject = {.cluster = "alpha"};
    struct revocations list = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        strcpy(one.number, numbers[i]);
        assert_int_equal(revocations_add(&list, &one), Q_OK);
        assert_int_equal(revocations_add(&list, &one), Q_OK);
    }
    memset(one.number, 'a', sizeof(one.number) - 2);
    assert_int_equal(revocations_add(&list, &one), Q_OK);
    revoke(&list, true, UINT64_MAX, "alpha"); /* covers none of these */
    assert_int_equal(list.count, 6);
    assert_there_and_back(&list);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        subject.number = numbers[i];
        assert_int_equal(revocations_when(&list, &subject), 9);
    }
    subject.number = "010000000000000001";
    assert_int_equal(revocations_when(&list, &subject), 0);
    subject.number = "";
    assert_int_equal(revocations_when(&list, &subject), 0);
    revocations_fini(&list);
}

static void there_is_a_limit(void **state)
{
    struct revocation one = {.when_s = 1, .cluster = "alpha"};
    struct revocations list = {0};

    (void)state;
    for (one.serial = 1; one.serial <= REVOCATIONS_MAX; one.serial++)
        assert_int_equal(revocations_add(&list, &one), Q_OK);
    assert_int_equal(revocations_add(&list, &one), Q_ERR_LIMIT);
    assert_int_equal(list.count, REVOCATIONS_MAX);
    revocations_fini(&list);
}

static void what_is_no_list_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "end\n", "quorate-revocations 1\n", "quorate-revocations 2\nend\n",
        "quorate-revocations 1\nserial 5 1 alpha\n",
        "quorate-revocations 1\nserial 5 1 alpha\nend\n\n",
        "quorate-revocations 1\nserial 05 1 alpha\nend\n",
        "quorate-revocations 1\nserial 0 1 alpha\nend\n",
        "quorate-revocations 1\nserial -5 1 alpha\nend\n",
        "quorate-revocations 1\nserial 5 1 \nend\n",
        "quorate-revocations 1\nserial 5 1 a/b\nend\n",
        "quorate-revocations 1\nserial 5 alpha\nend\n",
        "quorate-revocations 1\nserial 99999999999999999999 1 alpha\nend\n",
        "quorate-revocations 1\nserial 5 1 alpha\nserial 5 2 alpha\nend\n",
        "quorate-revocations 1\nnumber 05 1 alpha\nend\n",
        "quorate-revocations 1\nnumber 0500000000000000 1 alpha\nend\n",
        "quorate-revocations 1\nnumber 10000000000000000 1 alpha\nend\n",
        "quorate-revocations 1\nnumber 01000000000000000A 1 alpha\nend\n",
        "quorate-revocations 1\nnumber - 1 alpha\nend\n",
        "quorate-revocations 1\nup-to-of 5 1 alpha\nend\n",
        "quorate-revocations 1\nup-to-of 5 1 -\nend\n",
        "quorate-revocations 1\nup-to-of 5 1 00000000-0000-0000-0000-000000000000 alpha\nend\n",
        "quorate-revocations 1\nup-to-of 5 1 01010101-0101-0101-0101-01010101010 alpha\nend\n",
        "quorate-revocations 1\nsince 5 1 alpha\nend\n",
        "quorate-revocations 1\nup-to-of-node 5 1 * alpha\nend\n",
        "quorate-revocations 1\nup-to-of-node 5 1 n1/alpha\nend\n",
        "quorate-revocations 1\nup-to-of-node 5 1 * /alpha\nend\n",
        "quorate-revocations 1\nup-to-of-node 5 1 * n1/\nend\n",
        "quorate-revocations 1\nup-to-of-node 5 1 *  n1/alpha\nend\n",
        "quorate-revocations 1\nup-to-of-node 5 1 * n1/a/b\nend\n",
        "quorate-revocations 1\nup-to-of-node 5 1 ** n1/alpha\nend\n",
        "quorate-revocations 1\nup-to-of-node 5 1 00000000-0000-0000-0000-000000000000 n1/alpha\nend\n",
        ("quorate-revocations 1\nup-to-of-node 5 1 * "
         "n1234567890123456789012345678901234567890123456789012345678901234/alpha\nend\n"),
        "quorate-revocations 1\nup-to-of-node 5 1 * n1/alpha\nup-to-of-node 4 1 - n1/alpha\nend\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct revocations list = {0};

        assert_int_equal(revocations_decode((const uint8_t *)texts[i], strlen(texts[i]), &list), Q_ERR_INVALID);
        assert_null(list.items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_certificate),
        cmocka_unit_test(all_that_a_cluster_had),
        cmocka_unit_test(the_list_does_not_grow_by_what_it_covers),
        cmocka_unit_test(one_of_two_clusters_of_that_name),
        cmocka_unit_test(whoever_renews_often_needs_no_more_entries),
        cmocka_unit_test(a_count_that_looks_drawn_is_a_count),
        cmocka_unit_test(all_that_a_node_had),
        cmocka_unit_test(numbers_of_any_size),
        cmocka_unit_test(there_is_a_limit),
        cmocka_unit_test(what_is_no_list_is_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
