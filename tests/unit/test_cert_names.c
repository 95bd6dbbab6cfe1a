/* SPDX-License-Identifier: BSD-3-Clause */
/* Which names of a certificate are a cluster's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "common/cert_names.h"

static enum cert_names_match match(const char *cluster)
{
    static const char *const names[] = {"Alpha", "beta.example", "*.gamma", "ALPHA"};

    return cert_names_match(names, sizeof(names) / sizeof(names[0]), cluster, strlen(cluster));
}

static void the_best_match_counts(void **state)
{
    (void)state;
    assert_int_equal(match("Alpha"), CERT_NAMES_EXACT);
    assert_int_equal(match("ALPHA"), CERT_NAMES_EXACT);
    assert_int_equal(match("alpha"), CERT_NAMES_SAME);
    assert_int_equal(match("BETA.example"), CERT_NAMES_SAME);
}

static void what_is_only_alike_is_another(void **state)
{
    (void)state;
    assert_int_equal(match(""), CERT_NAMES_OTHER);
    assert_int_equal(match("Alph"), CERT_NAMES_OTHER);
    assert_int_equal(match("Alpha "), CERT_NAMES_OTHER);
    assert_int_equal(match("beta"), CERT_NAMES_OTHER);
    assert_int_equal(match("a.gamma"), CERT_NAMES_OTHER);
    assert_int_equal(cert_names_match(NULL, 0, "Alpha", 5), CERT_NAMES_OTHER);
    assert_int_equal(cert_names_match((const char *const[]){"Alpha"}, 1, "Alpha\0", 6), CERT_NAMES_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_match_counts),
        cmocka_unit_test(what_is_only_alike_is_another),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
