/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of options: what a row sets, which of two tables it is in, what is said about a word that cannot be. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/program_options.h"

enum { LONG_COLOUR = PROGRAM_OPTION_LONG, LONG_EVERY, LONG_HELP };

struct common {
    int operation;
    bool verbose;
};

struct call {
    struct common common;
    const char *text;
    int debug_count;
    int family;
    bool green;
    uint64_t seconds;
    uint64_t advanced;
};

static const char *const colours[] = {"red", "green", NULL};
static const struct option_def colour = {
    .kind = OPTION_EITHER, .offset = offsetof(struct call, green), .choices = colours};
static const struct option_def seconds = OPTION_DEF(OPTION_NUMBER, NULL, struct call, seconds, 1, 60);
static const struct option_def advanced[] = {
    OPTION_DEF(OPTION_NUMBER, "size", struct call, advanced, 1, 9),
    {.name = "old", .kind = OPTION_OBSOLETE},
};
static const struct option_set advanced_set = {advanced, 2, NULL};

static bool take(void *call, const char *argument, int *status)
{
    ((struct call *)call)->text = argument;
    if (strcmp(argument, "bad") != 0)
        return true;
    *status = 42;
    return false;
}

static const struct program_option own[] = {
    {'t', "text", .has_argument = true, .text = offsetof(struct call, text)},
    {'d', .count = offsetof(struct call, debug_count)},
    {'4', .letter = offsetof(struct call, family)},
    {'k', .has_argument = true, .take = take},
    {LONG_COLOUR, "colour", .has_argument = true, .value = &colour, .expected = "is no colour"},
    {LONG_EVERY, "every", .has_argument = true, .argument_is_optional = true, .is_operation = true, .value = &seconds,
     .expected = "is no time"},
    {'e', .has_argument = true, .value = &seconds, .expected = "is no time"},
    {'S', .has_argument = true, .list = &advanced_set},
};
static const struct program_option shared[] = {
    {'v', "verbose", .flag = offsetof(struct common, verbose)},
    {'s', "status", .is_operation = true},
    {LONG_HELP, "help", .ends = true},
};
static const struct program_options line = {.own = own,
                                            .own_count = sizeof(own) / sizeof(own[0]),
                                            .common = shared,
                                            .common_count = sizeof(shared) / sizeof(shared[0]),
                                            .operation = offsetof(struct common, operation),
                                            .quiet = true};
static struct call call;
static struct program_result result;

/* Words separated by blanks. */
static enum program_outcome read_options(const struct program_options *options, const char *words)
{
    static char copy[256];
    char *argv[16] = {(char *)"program"}, *rest = copy, *word;
    int argc = 1;

    call = (struct call){.family = 0};
    snprintf(copy, sizeof(copy), "%s", words);
    while ((word = strsep(&rest, " ")) != NULL) {
        if (*word != '\0')
            argv[argc++] = word;
    }
    return program_options_read(options, &call, argc, argv, 7, &result);
}

static enum program_outcome parse(const char *words)
{
    return read_options(&line, words);
}

static void a_row_says_what_its_option_sets(void **state)
{
    (void)state;
    assert_int_equal(parse("-ddv4 --text=here -s --colour green -e 60 -S size=3 word"), PROGRAM_READ);
    assert_int_equal(call.debug_count, 2);
    assert_true(call.common.verbose);
    assert_int_equal(call.family, '4');
    assert_string_equal(call.text, "here");
    assert_int_equal(call.common.operation, 's');
    assert_true(call.green);
    assert_int_equal(call.seconds, 60);
    assert_int_equal(call.advanced, 3);
    assert_string_equal(result.text, "");
    assert_int_equal(parse("word -v --colour RED --te x"), PROGRAM_READ);
    assert_true(call.common.verbose);
    assert_false(call.green);
    assert_string_equal(call.text, "x");
    assert_int_equal(call.common.operation, 0);
    assert_int_equal(optind, 6);
}

static void an_optional_argument_may_be_missing(void **state)
{
    (void)state;
    assert_int_equal(parse("--every"), PROGRAM_READ);
    assert_int_equal(call.common.operation, LONG_EVERY);
    assert_int_equal(call.seconds, 0);
    assert_int_equal(parse("--every=9"), PROGRAM_READ);
    assert_int_equal(call.seconds, 9);
    assert_int_equal(parse("--every=61"), PROGRAM_INVALID);
    assert_string_equal(result.text, "--every: '61' is no time");
}

static void what_cannot_be_is_said_with_its_option(void **state)
{
    (void)state;
    assert_int_equal(parse("-e 0"), PROGRAM_INVALID);
    assert_string_equal(result.text, "Option -e: '0' is no time");
    assert_int_equal(parse("--colour blue"), PROGRAM_INVALID);
    assert_string_equal(result.text, "--colour: 'blue' is no colour");
    assert_int_equal(parse("-S size=10"), PROGRAM_INVALID);
    assert_string_equal(result.text, "Option -S: Invalid value '10' for option 'size'");
    assert_int_equal(parse("-S old=1 -v"), PROGRAM_READ);
    assert_string_equal(result.text, "Option 'old' is obsolete and has no effect");
}

static void a_row_of_its_own_mind_says_the_status(void **state)
{
    (void)state;
    assert_int_equal(parse("-k good -k bad -v"), PROGRAM_REFUSED);
    assert_int_equal(result.status, 42);
    assert_false(call.common.verbose);
}

static void what_is_no_option_is_told_apart_from_one_that_lacks_its_argument(void **state)
{
    (void)state;
    assert_int_equal(parse("-x"), PROGRAM_UNKNOWN);
    assert_int_equal(result.key, '?');
    assert_int_equal(result.letter, 'x');
    assert_int_equal(parse("--colour"), PROGRAM_UNKNOWN);
    assert_int_equal(result.key, ':');
    assert_string_equal(result.word, "--colour");
    assert_int_equal(result.status, 7);
}

static void help_comes_before_what_follows(void **state)
{
    (void)state;
    assert_int_equal(parse("--help --nonsense"), PROGRAM_ENDED);
    assert_int_equal(result.key, LONG_HELP);
    assert_int_equal(parse("-d"), PROGRAM_READ); /* and nothing is left of it */
    assert_int_equal(call.debug_count, 1);
}

/* The packaged daemons have letters only, and see "--name" as the letter '-'. */
static void without_long_names_there_are_none(void **state)
{
    static const struct program_option letters[] = {{'d', .count = offsetof(struct call, debug_count)}};
    const struct program_options options = {.own = letters, .own_count = 1, .quiet = true};

    (void)state;
    assert_int_equal(read_options(&options, "--debug"), PROGRAM_UNKNOWN);
    assert_int_equal(result.letter, '-');
    assert_int_equal(read_options(&options, "-dd -- -d"), PROGRAM_READ);
    assert_int_equal(call.debug_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_says_what_its_option_sets),
        cmocka_unit_test(an_optional_argument_may_be_missing),
        cmocka_unit_test(what_cannot_be_is_said_with_its_option),
        cmocka_unit_test(a_row_of_its_own_mind_says_the_status),
        cmocka_unit_test(what_is_no_option_is_told_apart_from_one_that_lacks_its_argument),
        cmocka_unit_test(help_comes_before_what_follows),
        cmocka_unit_test(without_long_names_there_are_none),
    };

    return cmocka_run_group_tests_name("program_options", tests, NULL, NULL);
}
