/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of corosync-core: the packaged daemon's options, long names, paths that outlast a change of directory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/settings.h"

static struct settings settings;

/* Words separated by blanks. */
static enum q_err parse(const char *line)
{
    static char copy[512];
    char *argv[16] = {(char *)"corosync-core"};
    int argc = 1;
    char *rest = copy, *word;

    settings_fini(&settings);
    snprintf(copy, sizeof(copy), "%s", line);
    while ((word = strsep(&rest, " ")) != NULL) {
        if (*word != '\0')
            argv[argc++] = word;
    }
    return settings_parse(&settings, argc, argv);
}

static int clear(void **state)
{
    (void)state;
    settings_fini(&settings);
    settings = (struct settings){0};
    return 0;
}

static void defaults(void **state)
{
    (void)state;
    assert_int_equal(parse(""), Q_OK);
    assert_int_equal(settings.command, SETTINGS_RUN);
    assert_false(settings.foreground);
    assert_string_equal(settings.config_file, Q_CONFDIR "/corosync.conf");
    assert_string_equal(settings.lock_file, Q_RUNDIR "/corosync.pid");
}

static void packaged_options_and_their_long_names(void **state)
{
    (void)state;
    assert_int_equal(parse("-f -c /a/b.conf -l /c/d.pid"), Q_OK);
    assert_true(settings.foreground);
    assert_string_equal(settings.config_file, "/a/b.conf");
    assert_string_equal(settings.lock_file, "/c/d.pid");
    assert_int_equal(parse("--foreground --config-file=/a/b.conf --lock-file /c/d.pid"), Q_OK);
    assert_true(settings.foreground);
    assert_string_equal(settings.config_file, "/a/b.conf");
    assert_string_equal(settings.lock_file, "/c/d.pid");
    assert_int_equal(parse("-t"), Q_OK);
    assert_int_equal(settings.command, SETTINGS_TEST);
    assert_int_equal(parse("-f --test -c /x"), Q_OK);
    assert_int_equal(settings.command, SETTINGS_TEST);
    assert_string_equal(settings.config_file, "/x");
    assert_int_equal(parse("-v"), Q_OK);
    assert_int_equal(settings.command, SETTINGS_SHOW_VERSION);
    assert_int_equal(parse("--help"), Q_OK);
    assert_int_equal(settings.command, SETTINGS_SHOW_HELP);
}

static void words_behind_options_are_ignored(void **state)
{
    (void)state;
    assert_int_equal(parse("-t extra words"), Q_OK);
    assert_int_equal(settings.command, SETTINGS_TEST);
}

static void what_the_packaged_daemon_refuses_is_refused(void **state)
{
    static const char *const lines[] = {"-p", "-r", "-P x", "-c", "--nothing"};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(parse(lines[i]), Q_ERR_INVALID);
}

static void paths_become_absolute(void **state)
{
    char *directory = getcwd(NULL, 0), expected[4096];

    (void)state;
    assert_non_null(directory);
    assert_int_equal(parse("-c some/file.conf -l file.pid"), Q_OK);
    snprintf(expected, sizeof(expected), "%s/some/file.conf", directory);
    assert_string_equal(settings.config_file, expected);
    snprintf(expected, sizeof(expected), "%s/file.pid", directory);
    assert_string_equal(settings.lock_file, expected);
    free(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(defaults, clear),
        cmocka_unit_test_teardown(packaged_options_and_their_long_names, clear),
        cmocka_unit_test_teardown(words_behind_options_are_ignored, clear),
        cmocka_unit_test_teardown(what_the_packaged_daemon_refuses_is_refused, clear),
        cmocka_unit_test_teardown(paths_become_absolute, clear),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
