/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/printable.h"

static const char *shown(const void *bytes, size_t size)
{
    static char text[64];

    assert_true(printable_text(bytes, size, text, sizeof(text)));
    return text;
}

static void ordinary_names_stay(void **state)
{
    (void)state;
    assert_string_equal(shown("my cluster_1", 12), "my cluster_1");
    assert_string_equal(shown("", 0), "");
    assert_string_equal(shown("K\303\266ln \342\202\254 \360\237\230\200", 14),
                        "K\303\266ln \342\202\254 \360\237\230\200");
}

static void controls_and_backslashes_are_escaped(void **state)
{
    (void)state;
    assert_string_equal(shown("a\nb\0c\x7f\x1b[2J", 10), "a\\x0ab\\x00c\\x7f\\x1b[2J");
    assert_string_equal(shown("a\\x", 3), "a\\\\x");
    assert_string_equal(shown("\302\205", 2), "\\xc2\\x85"); /* a C1 control */
}

static void what_is_not_utf8_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(shown("\377\200", 2), "\\xff\\x80");
    assert_string_equal(shown("\303", 1), "\\xc3");
    assert_string_equal(shown("\300\257", 2), "\\xc0\\xaf");                   /* longer than needed */
    assert_string_equal(shown("\340\237\277", 3), "\\xe0\\x9f\\xbf");          /* the same */
    assert_string_equal(shown("\355\240\200", 3), "\\xed\\xa0\\x80");          /* a surrogate */
    assert_string_equal(shown("\364\220\200\200", 4), "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
    assert_string_equal(shown("\360\217\277\277", 4), "\\xf0\\x8f\\xbf\\xbf");
}

static void what_does_not_fit_is_cut_off_visibly(void **state)
{
    char text[8];

    (void)state;
    assert_false(printable_text("abcdefgh", 8, text, sizeof(text)));
    assert_string_equal(text, "abcd...");
    assert_true(printable_text("abcdefg", 7, text, sizeof(text)));
    assert_string_equal(text, "abcdefg");
    assert_false(printable_text("ab\n\n", 4, text, sizeof(text)));
    assert_string_equal(text, "ab...");
    assert_false(printable_text("abc", 3, text, 3));
    assert_string_equal(text, "..");
    assert_false(printable_text("abc", 3, text, 1));
    assert_string_equal(text, "");
}

static void plainness(void **state)
{
    (void)state;
    assert_true(printable_is_plain("a\\b", 3));
    assert_true(printable_is_plain("", 0));
    assert_false(printable_is_plain("a\tb", 3));
    assert_false(printable_is_plain("a\200", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_names_stay),
        cmocka_unit_test(controls_and_backslashes_are_escaped),
        cmocka_unit_test(what_is_not_utf8_is_escaped),
        cmocka_unit_test(what_does_not_fit_is_cut_off_visibly),
        cmocka_unit_test(plainness),
    };

    return cmocka_run_group_tests_name("printable", tests, NULL, NULL);
}
