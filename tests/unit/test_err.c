/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/err.h"

static void every_value_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = Q_OK; a >= Q_ERR_EXPIRED; a--) {
        assert_string_not_equal(q_err_text((enum q_err)a), "unknown error");
        for (int b = Q_OK; b > a; b--)
            assert_string_not_equal(q_err_text((enum q_err)a), q_err_text((enum q_err)b));
    }
}

static void a_foreign_value_has_a_text_too(void **state)
{
    (void)state;
    assert_string_equal(q_err_text((enum q_err)-1000), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_a_text_of_its_own),
        cmocka_unit_test(a_foreign_value_has_a_text_too),
    };

    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
