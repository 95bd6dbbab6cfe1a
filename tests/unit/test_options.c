/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/options.h"

struct sample {
    bool flag;
    uint64_t number;
    uint64_t fraction;
    char *text;
    int choice;
    int64_t mask;
    int64_t group;
};

static const char *const choices[] = {"red", "green", NULL};

static const struct option_def defs[] = {
    {.name = "flag", .kind = OPTION_BOOL, .offset = offsetof(struct sample, flag)},
    {.name = "number",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct sample, number),
     .minimum = 2,
     .maximum = 99},
    {.name = "fraction",
     .kind = OPTION_PERMILLE,
     .offset = offsetof(struct sample, fraction),
     .minimum = 1000,
     .maximum = 1000000},
    {.name = "text", .kind = OPTION_TEXT, .offset = offsetof(struct sample, text)},
    {.name = "choice", .kind = OPTION_CHOICE, .offset = offsetof(struct sample, choice), .choices = choices},
    {.name = "mask", .kind = OPTION_UMASK, .offset = offsetof(struct sample, mask)},
    {.name = "group", .kind = OPTION_GROUP, .offset = offsetof(struct sample, group)},
    {.name = "old", .kind = OPTION_OBSOLETE},
};

static const struct option_set set = {defs, sizeof(defs) / sizeof(defs[0]), NULL};
static struct sample sample;
static char err_text[OPTIONS_ERR_SIZE];

static enum q_err apply(const char *list)
{
    return options_apply(&set, &sample, list, err_text, sizeof(err_text));
}

static int clear(void **state)
{
    (void)state;
    options_free(&set, &sample);
    memset(&sample, 0, sizeof(sample));
    return 0;
}

static void a_list_sets_several(void **state)
{
    (void)state;
    assert_int_equal(apply("flag=on,number=7,text=a b,choice=green"), Q_OK);
    assert_true(sample.flag);
    assert_int_equal(sample.number, 7);
    assert_string_equal(sample.text, "a b");
    assert_int_equal(sample.choice, 1);
    assert_string_equal(err_text, "");
}

static void names_and_words_are_read_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(apply("FLAG=Yes,Choice=GREEN"), Q_OK);
    assert_true(sample.flag);
    assert_int_equal(sample.choice, 1);
}

static void the_last_of_a_name_wins_and_an_empty_item_ends_the_list(void **state)
{
    (void)state;
    assert_int_equal(apply("number=7,number=8,,nonsense"), Q_OK);
    assert_int_equal(sample.number, 8);
}

static void unknown_names_and_bad_values_are_told(void **state)
{
    (void)state;
    assert_int_equal(apply("nonsense=1"), Q_ERR_INVALID);
    assert_string_equal(err_text, "Unknown option 'nonsense'");
    assert_int_equal(apply("number=1"), Q_ERR_INVALID);
    assert_string_equal(err_text, "Invalid value '1' for option 'number'");
    assert_int_equal(apply("number"), Q_ERR_INVALID);
    assert_int_equal(apply("number=100"), Q_ERR_INVALID);
    assert_int_equal(apply("number=+5"), Q_ERR_INVALID);
    assert_int_equal(apply("number= 5"), Q_ERR_INVALID);
    assert_int_equal(apply("flag=maybe"), Q_ERR_INVALID);
    assert_int_equal(apply("choice=blue"), Q_ERR_INVALID);
}

static void an_obsolete_name_only_warns(void **state)
{
    (void)state;
    assert_int_equal(apply("old=5"), Q_OK);
    assert_string_equal(err_text, "Option 'old' is obsolete and has no effect");
}

static void numbers_do_not_overflow(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_true(option_parse_number("18446744073709551615", 0, UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_false(option_parse_number("18446744073709551616", 0, UINT64_MAX, &value));
    assert_false(option_parse_number("", 0, UINT64_MAX, &value));
    assert_false(option_parse_number("-1", 0, UINT64_MAX, &value));
}

static void fractions_have_three_digits(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_true(option_parse_permille("1.5", 1000, 1000000, &value));
    assert_int_equal(value, 1500);
    assert_true(option_parse_permille("1.2599", 1000, 1000000, &value));
    assert_int_equal(value, 1259);
    assert_true(option_parse_permille("1000", 1000, 1000000, &value));
    assert_int_equal(value, 1000000);
    assert_false(option_parse_permille("1000.001", 1000, 1000000, &value));
    assert_false(option_parse_permille("0.999", 1000, 1000000, &value));
    assert_false(option_parse_permille("nan", 1000, 1000000, &value));
    assert_false(option_parse_permille("1.", 1000, 1000000, &value));
    assert_false(option_parse_permille(".5", 0, 1000000, &value));
    assert_false(option_parse_permille("1e3", 0, 1000000, &value));
    assert_false(option_parse_permille("99999999999999999999", 0, UINT64_MAX, &value));
}

static void masks_are_octal(void **state)
{
    int64_t mask = 5;

    (void)state;
    assert_true(option_parse_umask("", &mask));
    assert_int_equal(mask, -1);
    assert_true(option_parse_umask("007", &mask));
    assert_int_equal(mask, 7);
    assert_true(option_parse_umask("777", &mask));
    assert_int_equal(mask, 0777);
    assert_false(option_parse_umask("8", &mask));
    assert_false(option_parse_umask("1000", &mask));
    assert_false(option_parse_umask("-1", &mask));
    assert_false(option_parse_umask("007x", &mask));
}

static void groups_are_names_or_numbers(void **state)
{
    int64_t group = 5;

    (void)state;
    assert_true(option_parse_group("", &group));
    assert_int_equal(group, -1);
    assert_true(option_parse_group("-1", &group));
    assert_int_equal(group, -1);
    assert_true(option_parse_group("4294967295", &group));
    assert_true(group == INT64_C(4294967295));
    assert_true(option_parse_group("root", &group));
    assert_int_equal(group, 0);
    assert_false(option_parse_group("4294967296", &group));
    assert_false(option_parse_group("no such group", &group));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_list_sets_several, clear),
        cmocka_unit_test_teardown(names_and_words_are_read_in_any_case, clear),
        cmocka_unit_test_teardown(the_last_of_a_name_wins_and_an_empty_item_ends_the_list, clear),
        cmocka_unit_test_teardown(unknown_names_and_bad_values_are_told, clear),
        cmocka_unit_test_teardown(an_obsolete_name_only_warns, clear),
        cmocka_unit_test(numbers_do_not_overflow),
        cmocka_unit_test(fractions_have_three_digits),
        cmocka_unit_test(masks_are_octal),
        cmocka_unit_test(groups_are_names_or_numbers),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
