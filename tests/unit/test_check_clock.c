/* SPDX-License-Identifier: BSD-3-Clause */
/* What --check says of two clocks, with real certificates: harmless, worth a word, or what makes a certificate invalid. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include <jansson.h>

#include "certs/tools/check_verdict.h"
#include "tests/unit/test_certs.h"

#define DAY_S 86400L

/* The findings about a node with one authority and one certificate, valid from and until so long from now. */
static json_t *findings(long from_s, long until_s, int64_t ahead_s, unsigned *problems)
{
    struct test_cert_wish wish = {
        .common_name = "alpha", .key_kind = TEST_KEY_EC_P256, .not_before_offset_s = from_s, .not_after_offset_s = until_s};
    struct test_cert_wish top = {.common_name = "QNet CA", .key_kind = TEST_KEY_EC_P256, .is_authority = true,
                                 .not_before_offset_s = -1000 * DAY_S, .not_after_offset_s = 1000 * DAY_S};
    struct test_cert authority = test_cert_make(&top, NULL), own = test_cert_make(&wish, &authority);
    struct certs_identity identity = {.cert = own.cert, .key = own.key, .authorities = sk_X509_new_null()};
    struct clock_gap gap = {.ahead_ms = 1000 * ahead_s, .slack_ms = 20};
    struct check check;
    json_t *array;

    sk_X509_push(identity.authorities, authority.cert);
    check_begin(&check, true);
    check_clock(&check, &identity, &gap);
    array = json_incref(check.array);
    *problems = check.problems;
    json_decref(check.array);
    sk_X509_free(identity.authorities);
    test_cert_free(&own);
    test_cert_free(&authority);
    return array;
}

static void assert_finding(long from_s, long until_s, int64_t ahead_s, size_t count, const char *level, const char *words)
{
    unsigned problems;
    json_t *array = findings(from_s, until_s, ahead_s, &problems), *first = json_array_get(array, 0);
    const char *text = json_string_value(json_object_get(first, "text"));

    assert_int_equal(json_array_size(array), count);
    assert_string_equal(json_string_value(json_object_get(first, "level")), level);
    assert_string_equal(json_string_value(json_object_get(first, "what")), "clock");
    if (strstr(text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text, words);
    assert_int_equal(problems, strcmp(level, "problem") == 0 ? count : 0);
    json_decref(array);
}

static void clocks_that_agree(void **state)
{
    (void)state;
    assert_finding(-DAY_S, DAY_S, 0, 1, "good", "0.0 seconds away");
    assert_finding(-DAY_S, DAY_S, -59, 1, "good", "59 seconds away");
}

static void clocks_that_do_no_harm_yet(void **state)
{
    (void)state;
    assert_finding(-DAY_S, DAY_S, 300, 1, "warning", "5 minutes behind the arbiter's");
    assert_finding(-DAY_S, DAY_S, -7200, 1, "warning", "2 hours ahead of the arbiter's");
    /* It has ended by both: that is said elsewhere. */
    assert_finding(-DAY_S, -3600, 300, 1, "warning", "NTP");
}

static void clocks_that_end_a_certificate(void **state)
{
    (void)state;
    assert_finding(-3600, DAY_S, -7200, 1, "problem", "by the clock of this node only");
    assert_finding(-DAY_S, 3600, 7200, 1, "problem", "by the clock of this node only");
    assert_finding(3600, DAY_S, 7200, 1, "problem", "by the clock of the arbiter only");
    assert_finding(-20, DAY_S, -40, 1, "problem", "alpha"); /* even less than a minute, if that is what is at fault */
    assert_finding(-DAY_S, DAY_S, 2000 * DAY_S, 2, "problem", "2000 days behind"); /* the authority, too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_that_agree),
        cmocka_unit_test(clocks_that_do_no_harm_yet),
        cmocka_unit_test(clocks_that_end_a_certificate),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
