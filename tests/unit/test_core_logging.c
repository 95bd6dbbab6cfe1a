/* SPDX-License-Identifier: BSD-3-Clause */
/* The core's log: who writes nothing waits for nobody, lines of subsystems go where they should, in their shape. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log_writer.h"
#include "core/logging.h"

static char directory[64];

static void path_of(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", directory, name);
}

static const char *text_of(const char *name)
{
    static char text[8192];
    char path[128];
    size_t got;
    FILE *file;

    path_of(name, path);
    file = fopen(path, "r");
    if (file == NULL)
        return "";
    got = fread(text, 1, sizeof(text) - 1, file);
    text[got] = '\0';
    fclose(file);
    return text;
}

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/qr-core-log-XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    static const char *const names[] = {"a.log", "b.log", "old.log"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        path_of(names[i], path);
        unlink(path);
    }
    return rmdir(directory);
}

/* ---- the writer ---- */

static void a_pipe_that_nobody_reads_holds_nobody(void **state)
{
    static const char line[] = "0123456789012345678901234567890123456789012345678901234567890123456789\n";
    const size_t count = 2 * LOG_WRITER_MAX / sizeof(line);
    size_t lines = 0, told = 0;
    char read_line[256];
    FILE *reader;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    log_writer_start();
    for (size_t i = 0; i < count; i++)
        log_writer_add(fds[1], line, sizeof(line) - 1);
    log_writer_close(fds[1]);
    reader = fdopen(fds[0], "r");
    assert_non_null(reader);
    while (fgets(read_line, sizeof(read_line), reader) != NULL) {
        if (strcmp(read_line, line) == 0)
            lines++;
        else if (strstr(read_line, "lines were left out") != NULL)
            told++;
        else
            fail_msg("%s", read_line);
    }
    assert_true(lines > LOG_WRITER_MAX / 2 / sizeof(line));
    assert_true(lines < count);
    assert_true(told <= 2); /* nothing may follow by which it could be told */
    fclose(reader);
    log_writer_stop();
}

static void all_is_written_before_the_end(void **state)
{
    char path[128], line[32];
    int fd;

    (void)state;
    path_of("a.log", path);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    log_writer_start();
    for (int i = 0; i < 500; i++) {
        snprintf(line, sizeof(line), "line %d\n", i);
        log_writer_add(fd, line, strlen(line));
    }
    log_writer_close(fd);
    log_writer_stop();
    assert_non_null(strstr(text_of("a.log"), "line 0\nline 1\n"));
    assert_non_null(strstr(text_of("a.log"), "line 498\nline 499\n"));
}

/* ---- routes ---- */

/* Everything to a.log from info up, CPG to b.log from debug up, without time. */
static void open_log(void)
{
    static char a_path[128], b_path[128], why[256];
    struct core_log_target targets[2] = {{.to_logfile = true,
                                          .logfile = a_path,
                                          .syslog_facility = 3,
                                          .syslog_priority = LOG_INFO,
                                          .logfile_priority = LOG_INFO},
                                         {.subsystem = "CPG",
                                          .to_logfile = true,
                                          .logfile = b_path,
                                          .syslog_facility = 3,
                                          .syslog_priority = LOG_INFO,
                                          .logfile_priority = LOG_INFO,
                                          .debug = CORE_DEBUG_ON}};
    struct core_logging settings = {.targets = targets, .target_count = 2, .timestamp = CORE_TIMESTAMP_OFF};

    path_of("a.log", a_path);
    path_of("b.log", b_path);
    logging_open(true);
    assert_int_equal(logging_configure(&settings, why, sizeof(why)), Q_OK);
}

static void lines_go_to_the_file_of_their_subsystem(void **state)
{
    char expected[512], host[256];

    (void)state;
    open_log();
    assert_true(logging_wants(LOGGING_TOTEM, LOG_INFO));
    assert_false(logging_wants(LOGGING_TOTEM, LOG_DEBUG));
    assert_true(logging_wants(LOGGING_CPG, LOG_DEBUG));
    logging_line(LOGGING_TOTEM, LOG_NOTICE, "ring %d", 5);
    logging_line(LOGGING_TOTEM, LOG_DEBUG, "not wanted");
    logging_text(LOGGING_CPG, LOG_DEBUG, "a group and more", 7);
    logging_close();
    assert_int_equal(gethostname(host, sizeof(host)), 0);
    host[strcspn(host, ".")] = '\0';
    snprintf(expected, sizeof(expected), "[%ld] %s corosync notice  [TOTEM ] ring 5\n", (long)getpid(), host);
    assert_string_equal(text_of("a.log"), expected);
    snprintf(expected, sizeof(expected), "[%ld] %s corosync debug   [CPG   ] a group\n", (long)getpid(), host);
    assert_string_equal(text_of("b.log"), expected);
}

static void a_line_is_one_line_whatever_is_in_it(void **state)
{
    const char *text;

    (void)state;
    open_log();
    logging_line(LOGGING_CFG, LOG_NOTICE, "%s", "killed\nNov 22 false line\x1b[31m");
    logging_close();
    text = text_of("a.log");
    assert_non_null(strstr(text, "killed?Nov 22 false line?[31m\n"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void a_file_that_was_renamed_is_opened_again(void **state)
{
    char from[128], to[128];

    (void)state;
    open_log();
    logging_line(LOGGING_MAIN, LOG_NOTICE, "before");
    path_of("a.log", from);
    path_of("old.log", to);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(logging_reopen(), Q_OK);
    logging_line(LOGGING_MAIN, LOG_NOTICE, "after");
    logging_close();
    assert_non_null(strstr(text_of("old.log"), "before"));
    assert_null(strstr(text_of("old.log"), "after"));
    assert_non_null(strstr(text_of("a.log"), "after"));
}

static void a_file_that_cannot_be_leaves_all_as_it_was(void **state)
{
    struct core_log_target target = {.to_logfile = true, .logfile = "/nowhere/x.log", .logfile_priority = LOG_INFO};
    struct core_logging settings = {.targets = &target, .target_count = 1};
    char why[256];

    (void)state;
    open_log();
    assert_int_equal(logging_configure(&settings, why, sizeof(why)), Q_ERR_IO);
    assert_non_null(strstr(why, "Can't open logfile '/nowhere/x.log' for reason: No such file or directory (2)."));
    logging_line(LOGGING_MAIN, LOG_NOTICE, "goes on");
    logging_close();
    assert_non_null(strstr(text_of("a.log"), "goes on"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_that_nobody_reads_holds_nobody),
        cmocka_unit_test_setup_teardown(all_is_written_before_the_end, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(lines_go_to_the_file_of_their_subsystem, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_line_is_one_line_whatever_is_in_it, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_file_that_was_renamed_is_opened_again, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_leaves_all_as_it_was, make_directory, remove_directory),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
