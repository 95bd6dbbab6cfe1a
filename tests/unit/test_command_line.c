/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Command lines of heuristics: quoting as in a shell, nothing expanded, nothing lost.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qdevice/logic/command_line.h"

/* The arguments of `text`, each in brackets: "[ls][-l]"; "error N" if it is none. */
static const char *parsed(const char *text)
{
    static char result[1024];
    struct command_line line;
    enum q_err err = command_line_parse(&line, text);

    if (err != Q_OK) {
        snprintf(result, sizeof(result), "error %d", (int)err);
        return result;
    }
    result[0] = '\0';
    for (size_t i = 0; i < line.count; i++) {
        strcat(result, "[");
        strcat(result, line.arguments[i]);
        strcat(result, "]");
    }
    assert_null(line.arguments[line.count]);
    command_line_fini(&line);
    return result;
}

static void blanks_separate_and_a_newline_ends(void **state)
{
    (void)state;
    assert_string_equal(parsed("  /bin/ping\t-c 1  10.0.0.1 "), "[/bin/ping][-c][1][10.0.0.1]");
    assert_string_equal(parsed("/bin/true\n/bin/false"), "[/bin/true]");
}

static void quotes_group(void **state)
{
    (void)state;
    assert_string_equal(parsed("sh -c \"a b\" 'c d'"), "[sh][-c][a b][c d]");
    assert_string_equal(parsed("x\"y z\"'1 2'w"), "[xy z1 2w]");
    assert_string_equal(parsed("a \"\\\"\\\\\\n\""), "[a][\"\\\\n]");
    assert_string_equal(parsed("a '\\\"'"), "[a][\\\"]");
    assert_string_equal(parsed("a\\ b c\\\"d"), "[a b][c\"d]");
}

/* The packaged device loses it and all that follows. */
static void an_empty_argument_is_an_argument(void **state)
{
    (void)state;
    assert_string_equal(parsed("a \"\" '' b"), "[a][][][b]");
}

static void nothing_is_expanded(void **state)
{
    (void)state;
    assert_string_equal(parsed("a $HOME * `b` $(c) ; d | e > f"), "[a][$HOME][*][`b`][$(c)][;][d][|][e][>][f]");
}

static void what_is_left_open_is_refused(void **state)
{
    static const char *const malformed[] = {"",       "  \t ", "\n/bin/true", "a \"b",      "a 'b",
                                            "a\\",    "\"\"",  "'' a",        "a \"b\n\"", "a \\\nb"};
    char refused[32];

    (void)state;
    snprintf(refused, sizeof(refused), "error %d", (int)Q_ERR_INVALID);
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
        assert_string_equal(parsed(malformed[i]), refused);
}

static void too_many_arguments_are_refused(void **state)
{
    char text[2 * (COMMAND_LINE_ARGUMENTS_MAX + 1) + 1];
    struct command_line line;

    (void)state;
    for (int i = 0; i <= COMMAND_LINE_ARGUMENTS_MAX; i++)
        memcpy(text + 2 * i, "a ", 3);
    assert_int_equal(command_line_parse(&line, text), Q_ERR_LIMIT);
    text[2 * COMMAND_LINE_ARGUMENTS_MAX] = '\0';
    assert_int_equal(command_line_parse(&line, text), Q_OK);
    assert_int_equal(line.count, COMMAND_LINE_ARGUMENTS_MAX);
    command_line_fini(&line);
}

/* Every text of up to six of these characters: never beyond its memory (the sanitizers look). */
static void every_short_text_is_taken_or_refused(void **state)
{
    static const char letters[] = "a \"'\\\n";
    char text[7];

    (void)state;
    for (int number = 0; number < 6 * 6 * 6 * 6 * 6 * 6; number++) {
        struct command_line line;
        int rest = number;

        for (int i = 0; i < 6; i++, rest /= 6)
            text[i] = letters[rest % 6];
        text[6] = '\0';
        if (command_line_parse(&line, text) == Q_OK)
            command_line_fini(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_separate_and_a_newline_ends), cmocka_unit_test(quotes_group),
        cmocka_unit_test(an_empty_argument_is_an_argument),   cmocka_unit_test(nothing_is_expanded),
        cmocka_unit_test(what_is_left_open_is_refused),       cmocka_unit_test(too_many_arguments_are_refused),
        cmocka_unit_test(every_short_text_is_taken_or_refused),
    };

    return cmocka_run_group_tests_name("command line", tests, NULL, NULL);
}
