/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates: what is decided without OpenSSL: names, serial numbers, validity. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "certs/logic/conf_value.h"
#include "certs/logic/name.h"
#include "certs/logic/profile.h"
#include "certs/logic/serial.h"

static void names_that_clusters_have_are_accepted(void **state)
{
    static const char *const good[] = {"alpha", "My Cluster", "a,b", "x=\"y\"+z", "Universit\xc3\xa4t",
                                       "..",    "a.b-c_d",    "1"};
    char longest[CERTS_CLUSTER_NAME_LENGTH_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_null(certs_name_fault(good[i]));
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_null(certs_name_fault(longest));
}

static void names_that_could_be_taken_for_others_are_refused(void **state)
{
    static const char *const bad[] = {
        "",      "a/b",           "../x", " a",           "a ",           "a\nb",
        "a\x7f", "\xc3\x28",      "\xff", "Qnetd Server", "QNETD SERVER", "qnet ca",
        "*",     "*.example.org", "x*",   "\x1b[2J",      "\xc2\x85"};
    char too_long[CERTS_CLUSTER_NAME_LENGTH_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (certs_name_fault(bad[i]) == NULL)
            fail_msg("accepted: %s", bad[i]);
    }
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    assert_non_null(certs_name_fault(too_long));
    assert_non_null(certs_node_name_fault("a/b"));
    assert_null(certs_node_name_fault("node-1.example.org"));
}

static void the_case_of_letters_does_not_tell_names_apart(void **state)
{
    (void)state;
    assert_true(certs_name_same("Alpha", "aLPHA"));
    assert_false(certs_name_same("alpha", "alpha "));
    assert_false(certs_name_same("\xc3\xa4", "\xc3\x84"));
    assert_false(certs_name_same("", "a"));
}

static void serial_numbers_are_read_as_the_packaged_script_writes_them(void **state)
{
    uint64_t serial = 0;
    char text[CERTS_SERIAL_TEXT_SIZE];

    (void)state;
    assert_int_equal(certs_serial_parse("102\n", 4, &serial), Q_OK);
    assert_int_equal(serial, 102);
    assert_int_equal(certs_serial_parse("7", 1, &serial), Q_OK);
    assert_int_equal(certs_serial_parse("0103 \r\n\n", 8, &serial), Q_OK);
    assert_int_equal(serial, 103);
    assert_int_equal(certs_serial_format(9223372036854775807u, text), 20);
    assert_string_equal(text, "9223372036854775807\n");
    /* The largest after which there is a next one. */
    assert_int_equal(certs_serial_parse("9223372036854775806", 19, &serial), Q_OK);
}

/* By it what was drawn before a moment can be revoked together, as what was counted before it. */
static void a_number_that_is_drawn_notes_the_count(void **state)
{
    static const uint64_t counts[] = {0, 100, 105, 16777214};
    static const uint64_t randoms[] = {0, 1, ((uint64_t)1 << 38) - 1, UINT64_MAX};
    uint64_t unknown;

    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (size_t k = 0; k < sizeof(randoms) / sizeof(randoms[0]); k++) {
            uint64_t serial = certs_serial_draw(counts[i], randoms[k]);

            assert_true(serial >= CERTS_SERIAL_RANDOM_MIN && serial < CERTS_SERIAL_MAX);
            assert_true(certs_serial_is_up_to(serial, counts[i]));
            assert_true(certs_serial_is_up_to(serial, counts[i] + 1));
            assert_true(counts[i] == 0 || !certs_serial_is_up_to(serial, counts[i] - 1));
        }
    }
    assert_int_not_equal(certs_serial_draw(100, 1), certs_serial_draw(100, 2));
    unknown = certs_serial_draw(UINT64_MAX, 7);
    assert_true(unknown < CERTS_SERIAL_MAX && certs_serial_draw(16777215, 7) == unknown);
    assert_false(certs_serial_is_up_to(unknown, 16777215));
    assert_true(certs_serial_is_up_to(unknown, unknown));
    assert_true(certs_serial_is_up_to(105, 105));
    assert_false(certs_serial_is_up_to(106, 105));
    assert_false(certs_serial_is_up_to(UINT64_MAX, 105)); /* a stranger's */
}

static void serial_files_with_anything_else_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "\n",
                                      "x",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1x",
                                      "1 2",
                                      "9223372036854775807",
                                      "18446744073709551617",
                                      "99999999999999999999999999"};
    uint64_t serial;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (certs_serial_parse(bad[i], strlen(bad[i]), &serial) == Q_OK)
            fail_msg("accepted: %s", bad[i]);
    }
    assert_int_equal(certs_serial_parse("1\0", 2, &serial), Q_ERR_INVALID);
}

static void validity_begins_early_and_ends_with_the_issuer(void **state)
{
    const int64_t now = 1800000000;
    struct certs_validity v;

    (void)state;
    assert_true(certs_validity(CERTS_KIND_CLIENT, now, 86400, INT64_MAX, &v));
    assert_int_equal(v.not_before, now - CERTS_CLOCK_TOLERANCE_S);
    assert_int_equal(v.not_after, now + 86400);
    assert_true(certs_validity(CERTS_KIND_CLIENT, now, 0, INT64_MAX, &v));
    assert_int_equal(v.not_after, now + CERTS_LIFETIME_DEFAULT_S);
    assert_true(certs_validity(CERTS_KIND_CLIENT, now, 86400, now + 10, &v));
    assert_int_equal(v.not_after, now + 10);
    assert_false(certs_validity(CERTS_KIND_CLIENT, now, 86400, now, &v));
}

/* --- corosync.conf ------------------------------------------------------------------------------------ */

static const char conf[] =
    "# quorum.device.net.host: no\n"
    "totem {\n  version: 2\n  cluster_name:  My Cluster \r\n  interface {\n    cluster_name: inner\n  }\n}\n"
    "quorum {\n provider: corosync_votequorum\n device {\n  model: net\n  net {\n   host: first\n"
    "   tls: on\n   host : arbiter.example\n  }\n }\n}\n"
    "device {\n net {\n  host: elsewhere\n }\n}\n";

static void values_are_found_by_their_path(void **state)
{
    char value[CONF_VALUE_SIZE] = "";

    (void)state;
    assert_true(conf_value(conf, sizeof(conf) - 1, "totem.cluster_name", value));
    assert_string_equal(value, "My Cluster");
    assert_true(conf_value(conf, sizeof(conf) - 1, "quorum.device.net.host", value));
    assert_string_equal(value, "arbiter.example");
    assert_true(conf_value(conf, sizeof(conf) - 1, "device.net.host", value));
    assert_string_equal(value, "elsewhere");
    assert_false(conf_value(conf, sizeof(conf) - 1, "quorum.device.net.port", value));
    assert_false(conf_value(conf, sizeof(conf) - 1, "quorum.device", value));
    assert_false(conf_value(conf, sizeof(conf) - 1, "host", value));
    assert_false(conf_value("", 0, "a", value));
}

static void broken_configurations_do_no_harm(void **state)
{
    static const char *const texts[] = {
        "}}}}\na: b", "a {\na {\na {\na {\na {\na {\na {\na {\na {\na {\nb: c", "{\n{\n", ":\n::\n", "a:",
        "{"};
    char value[CONF_VALUE_SIZE], line[CONF_VALUE_SIZE + 8];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        (void)conf_value(texts[i], strlen(texts[i]), "a.a.a.a.a.a.a.a.a.a.b", value);
    memset(line, 'x', sizeof(line));
    memcpy(line, "a: ", 3);
    assert_false(conf_value(line, sizeof(line), "a", value));
    assert_true(conf_value(line, CONF_VALUE_SIZE, "a", value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_clusters_have_are_accepted),
        cmocka_unit_test(names_that_could_be_taken_for_others_are_refused),
        cmocka_unit_test(the_case_of_letters_does_not_tell_names_apart),
        cmocka_unit_test(serial_numbers_are_read_as_the_packaged_script_writes_them),
        cmocka_unit_test(a_number_that_is_drawn_notes_the_count),
        cmocka_unit_test(serial_files_with_anything_else_are_refused),
        cmocka_unit_test(validity_begins_early_and_ends_with_the_issuer),
        cmocka_unit_test(values_are_found_by_their_path),
        cmocka_unit_test(broken_configurations_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
