/* SPDX-License-Identifier: BSD-3-Clause */
/* The heuristics worker, driven through a real loop: what commands may do, and what is left of them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "qdevice/heuristics.h"

#define NS_PER_MS UINT64_C(1000000)
#define DEADLINE_MS 20000
#define COMMANDS_MAX 2
#define MARK "897614" /* seconds that nobody else sleeps */

struct fixture {
    qb_loop_t *loop;
    struct heuristics *heuristics;
    struct heuristics_exec execs[COMMANDS_MAX];
    char names[COMMANDS_MAX][2];
    char lines[COMMANDS_MAX][300];
    struct heuristics_config config;
    unsigned results;
    enum agent_run run;
    uint64_t sequence;
    enum wire_heuristics result;
    uint64_t until_ms;
    bool (*condition)(struct fixture *);
    bool met;
};

/* ---- the fixture ---- */

static void on_result(void *context, enum agent_run run, uint64_t sequence, enum wire_heuristics result)
{
    struct fixture *f = context;

    f->results++;
    f->run = run;
    f->sequence = sequence;
    f->result = result;
}

static int setup(void **state)
{
    static const struct heuristics_handlers handlers = {.on_result = on_result};
    struct fixture *f = calloc(1, sizeof(*f));

    if (f == NULL || heuristics_new(false, 64, &f->heuristics) != Q_OK)
        return -1;
    f->loop = qb_loop_create();
    f->config = (struct heuristics_config){
        .mode = HEURISTICS_SYNC, .timeout_ms = 10000, .sync_timeout_ms = 10000, .interval_ms = 1000, .execs = f->execs};
    *state = f;
    return heuristics_attach(f->heuristics, f->loop, &handlers, f) == Q_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    heuristics_free(f->heuristics);
    qb_loop_destroy(f->loop);
    free(f);
    return 0;
}

static void on_tick(void *data)
{
    struct fixture *f = data;
    qb_loop_timer_handle handle;

    f->met = f->condition(f);
    if (f->met || clock_monotonic_ms() >= f->until_ms)
        qb_loop_stop(f->loop);
    else
        qb_loop_timer_add(f->loop, QB_LOOP_LOW, 10 * NS_PER_MS, f, on_tick, &handle);
}

/* Runs the loop until the condition is true. */
static bool wait_for(struct fixture *f, bool (*condition)(struct fixture *), uint64_t deadline_ms)
{
    f->condition = condition;
    f->until_ms = clock_monotonic_ms() + deadline_ms;
    on_tick(f);
    if (!f->met && clock_monotonic_ms() < f->until_ms)
        qb_loop_run(f->loop);
    return f->met;
}

static bool one_result(struct fixture *f)
{
    return f->results >= 1;
}

static bool two_results(struct fixture *f)
{
    return f->results >= 2;
}

static void command(struct fixture *f, const char *line)
{
    uint32_t i = f->config.exec_count++;

    snprintf(f->names[i], sizeof(f->names[i]), "%c", (char)('a' + i));
    snprintf(f->lines[i], sizeof(f->lines[i]), "%s", line);
    f->execs[i] = (struct heuristics_exec){f->names[i], f->lines[i]};
}

static void configure(struct fixture *f)
{
    assert_int_equal(heuristics_configure(f->heuristics, &f->config), Q_OK);
}

/* Runs the commands once; returns the result. */
static enum wire_heuristics run(struct fixture *f, uint32_t timeout_ms)
{
    f->results = 0;
    assert_int_equal(heuristics_run(f->heuristics, AGENT_RUN_CONNECT, 7, timeout_ms), Q_OK);
    assert_true(wait_for(f, one_result, DEADLINE_MS));
    assert_int_equal(f->run, AGENT_RUN_CONNECT);
    assert_int_equal(f->sequence, 7);
    return f->result;
}

/* ---- processes ---- */

/* Calls `visit` for every process, with its parent and command line; adds up what it returns. */
static int each_process(int (*visit)(pid_t pid, pid_t parent, const char *name, const char *arguments))
{
    DIR *directory = opendir("/proc");
    struct dirent *entry;
    int sum = 0;

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        char path[300], line[512] = "", arguments[4096] = "";
        pid_t pid = (pid_t)atoi(entry->d_name);
        char *name, *rest;
        size_t size;
        FILE *file;

        if (pid <= 0)
            continue;
        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        file = fopen(path, "r");
        if (file == NULL)
            continue;
        size = fread(line, 1, sizeof(line) - 1, file);
        fclose(file);
        line[size] = '\0';
        name = strchr(line, '(');
        rest = strrchr(line, ')');
        if (name == NULL || rest == NULL || rest[2] == 'Z')
            continue;
        *rest = '\0';
        snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
        file = fopen(path, "r");
        if (file != NULL) {
            size = fread(arguments, 1, sizeof(arguments) - 1, file);
            fclose(file);
            for (size_t i = 0; i < size; i++)
                arguments[i] = arguments[i] == '\0' ? ' ' : arguments[i];
        }
        sum += visit(pid, (pid_t)atoi(rest + 4), name + 1, arguments);
    }
    closedir(directory);
    return sum;
}

static char mark[32];

static int is_marked(pid_t pid, pid_t parent, const char *name, const char *arguments)
{
    (void)pid;
    (void)parent;
    return strcmp(name, "sleep") == 0 && strstr(arguments, mark) != NULL;
}

static bool none_left(struct fixture *f)
{
    (void)f;
    return each_process(is_marked) == 0;
}

static bool some_left(struct fixture *f)
{
    return !none_left(f);
}

static int is_worker(pid_t pid, pid_t parent, const char *name, const char *arguments)
{
    (void)arguments;
    return parent == getpid() && strcmp(name, "qdevice-heur") == 0 ? (int)pid : 0;
}

static bool has_worker(struct fixture *f)
{
    (void)f;
    return each_process(is_worker) > 0;
}

/* It takes its name when it has started. */
static int worker(struct fixture *f)
{
    assert_true(wait_for(f, has_worker, DEADLINE_MS));
    return each_process(is_worker);
}

/* With # replaced by a time to sleep that nobody else sleeps, not even this test run a second time beside us. */
static void marked_command(struct fixture *f, const char *format)
{
    char line[300];
    size_t size = 0;

    for (const char *c = format; *c != '\0'; c++)
        size += (size_t)(*c == '#' ? snprintf(line + size, sizeof(line) - size, "%s", mark)
                                   : snprintf(line + size, sizeof(line) - size, "%c", *c));
    command(f, line);
}

/* ---- tests ---- */

static void all_pass(void **state)
{
    struct fixture *f = *state;

    command(f, "/bin/true");
    command(f, "/usr/bin/test -e /dev/null");
    configure(f);
    assert_int_equal(run(f, 0), WIRE_HEURISTICS_PASS);
    assert_int_equal(run(f, 0), WIRE_HEURISTICS_PASS);
}

static void one_fails(void **state)
{
    struct fixture *f = *state;
    uint64_t start_ms = clock_monotonic_ms();

    marked_command(f, "/bin/sleep #");
    command(f, "/bin/false");
    configure(f);
    assert_int_equal(run(f, 10000), WIRE_HEURISTICS_FAIL);
    /* At once, not at the timeout; and the one that still ran is ended. */
    assert_true(clock_monotonic_ms() - start_ms < 8000);
    assert_true(wait_for(f, none_left, DEADLINE_MS));
}

static void cannot_be_executed(void **state)
{
    struct fixture *f = *state;

    command(f, "/nonexistent/program");
    configure(f);
    assert_int_equal(run(f, 0), WIRE_HEURISTICS_FAIL);
}

static void killed_by_signal(void **state)
{
    struct fixture *f = *state;

    command(f, "/bin/sh -c \"kill -KILL $$\"");
    configure(f);
    assert_int_equal(run(f, 0), WIRE_HEURISTICS_FAIL);
}

static void times_out(void **state)
{
    struct fixture *f = *state;
    uint64_t start_ms = clock_monotonic_ms();

    marked_command(f, "/bin/sleep #");
    configure(f);
    assert_int_equal(run(f, 300), WIRE_HEURISTICS_FAIL);
    assert_true(clock_monotonic_ms() - start_ms >= 300);
    assert_true(wait_for(f, none_left, DEADLINE_MS));
}

static void ignores_sigterm(void **state)
{
    struct fixture *f = *state;

    marked_command(f, "/bin/sh -c \"trap '' TERM; /bin/sleep #; /bin/sleep #\"");
    configure(f);
    assert_int_equal(run(f, 300), WIRE_HEURISTICS_FAIL);
    assert_true(wait_for(f, none_left, DEADLINE_MS));
}

static void grandchildren_are_killed(void **state)
{
    struct fixture *f = *state;

    marked_command(f, "/bin/sh -c \"/bin/sleep # & (/bin/sleep # &) ; /bin/sleep 0.3; exit 0\"");
    configure(f);
    assert_int_equal(run(f, 5000), WIRE_HEURISTICS_PASS);
    assert_true(wait_for(f, none_left, DEADLINE_MS));
}

static void grandchildren_of_other_sessions_are_killed(void **state)
{
    struct fixture *f = *state;

    marked_command(f, "/bin/sh -c \"setsid /bin/sleep # & setsid /bin/sh -c 'setsid /bin/sleep # & /bin/sleep #' & /bin/sleep 0.3; exit 0\"");
    configure(f);
    assert_int_equal(run(f, 5000), WIRE_HEURISTICS_PASS);
    assert_true(wait_for(f, none_left, DEADLINE_MS));
}

static void endless_output_is_no_excuse(void **state)
{
    struct fixture *f = *state;
    uint64_t start_ms = clock_monotonic_ms();

    command(f, "/usr/bin/yes heuristics");
    command(f, "/usr/bin/yes heuristics");
    configure(f);
    assert_int_equal(run(f, 500), WIRE_HEURISTICS_FAIL);
    assert_true(clock_monotonic_ms() - start_ms < 8000);
}

/* Until the log is opened, warnings go to stderr. */
static void last_words_are_logged(void **state)
{
    struct fixture *f = *state;
    char text[4096];
    FILE *log = tmpfile();
    int former = dup(STDERR_FILENO);
    enum wire_heuristics result;
    size_t size;

    command(f, "/bin/sh -c \"echo first; echo the disk is gone >&2; exit 3\"");
    configure(f);
    assert_non_null(log);
    dup2(fileno(log), STDERR_FILENO);
    result = run(f, 0);
    dup2(former, STDERR_FILENO);
    close(former);
    rewind(log);
    size = fread(text, 1, sizeof(text) - 1, log);
    text[size] = '\0';
    fclose(log);
    assert_int_equal(result, WIRE_HEURISTICS_FAIL);
    assert_non_null(strstr(text, "exec_a ended with status 3: the disk is gone"));
}

static void newer_run_voids_the_former(void **state)
{
    struct fixture *f = *state;

    marked_command(f, "/bin/sleep #");
    configure(f);
    assert_int_equal(heuristics_run(f->heuristics, AGENT_RUN_CONNECT, 6, 20000), Q_OK);
    f->config.exec_count = 0;
    command(f, "/bin/true");
    configure(f);
    assert_int_equal(run(f, 0), WIRE_HEURISTICS_PASS);
    assert_true(wait_for(f, none_left, DEADLINE_MS));
    assert_int_equal(f->results, 1);
}

static void regular_runs_come_by_themselves(void **state)
{
    struct fixture *f = *state;

    f->config.mode = HEURISTICS_ON;
    f->config.interval_ms = 50;
    command(f, "/bin/true");
    configure(f);
    assert_true(wait_for(f, two_results, DEADLINE_MS));
    assert_int_equal(f->run, AGENT_RUN_REGULAR);
    assert_int_equal(f->sequence, 0);
    assert_int_equal(f->result, WIRE_HEURISTICS_PASS);
}

static void killed_worker_is_replaced(void **state)
{
    struct fixture *f = *state;
    int former;

    marked_command(f, "/bin/sh -c \"setsid /bin/sleep # & /bin/sleep #\"");
    configure(f);
    assert_int_equal(heuristics_run(f->heuristics, AGENT_RUN_MEMBERSHIP, 8, 20000), Q_OK);
    assert_true(wait_for(f, some_left, DEADLINE_MS));
    former = worker(f);
    kill(former, SIGKILL);
    assert_true(wait_for(f, one_result, DEADLINE_MS));
    assert_int_equal(f->sequence, 8);
    assert_int_equal(f->result, WIRE_HEURISTICS_FAIL);
    assert_int_not_equal(worker(f), former);
    /* What the dead one had started is ended, and the new one knows the commands. */
    assert_true(wait_for(f, none_left, DEADLINE_MS));
    assert_int_equal(run(f, 300), WIRE_HEURISTICS_FAIL);
    f->config.exec_count = 0;
    command(f, "/bin/true");
    configure(f);
    assert_int_equal(run(f, 0), WIRE_HEURISTICS_PASS);
}

static void stopped_worker_is_replaced(void **state)
{
    struct fixture *f = *state;
    uint64_t start_ms = clock_monotonic_ms();
    int former;

    command(f, "/bin/true");
    configure(f);
    assert_int_equal(run(f, 0), WIRE_HEURISTICS_PASS);
    former = worker(f);
    kill(former, SIGSTOP);
    assert_int_equal(run(f, 300), WIRE_HEURISTICS_FAIL);
    assert_true(clock_monotonic_ms() - start_ms < 8000);
    assert_int_equal(run(f, 0), WIRE_HEURISTICS_PASS);
    assert_int_not_equal(worker(f), former);
}

static void nothing_is_inherited(void **state)
{
    struct fixture *f = *state;

    /* Descriptors 0 to 2, and the one by which ls reads the directory. */
    command(f, "/bin/sh -c \"test $(ls /proc/self/fd | wc -l) -eq 4\"");
    configure(f);
    assert_int_equal(run(f, 0), WIRE_HEURISTICS_PASS);
}

static void all_end_with_the_daemon(void **state)
{
    struct fixture *f = *state;

    marked_command(f, "/bin/sh -c \"setsid /bin/sleep # & /bin/sleep # & /bin/sleep #\"");
    configure(f);
    assert_int_equal(heuristics_run(f->heuristics, AGENT_RUN_MEMBERSHIP, 8, 20000), Q_OK);
    assert_true(wait_for(f, some_left, DEADLINE_MS));
    heuristics_free(f->heuristics);
    f->heuristics = NULL;
    assert_true(wait_for(f, none_left, DEADLINE_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(one_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(cannot_be_executed, setup, teardown),
        cmocka_unit_test_setup_teardown(killed_by_signal, setup, teardown),
        cmocka_unit_test_setup_teardown(times_out, setup, teardown),
        cmocka_unit_test_setup_teardown(ignores_sigterm, setup, teardown),
        cmocka_unit_test_setup_teardown(grandchildren_are_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(grandchildren_of_other_sessions_are_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(endless_output_is_no_excuse, setup, teardown),
        cmocka_unit_test_setup_teardown(last_words_are_logged, setup, teardown),
        cmocka_unit_test_setup_teardown(newer_run_voids_the_former, setup, teardown),
        cmocka_unit_test_setup_teardown(regular_runs_come_by_themselves, setup, teardown),
        cmocka_unit_test_setup_teardown(killed_worker_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(stopped_worker_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_inherited, setup, teardown),
        cmocka_unit_test_setup_teardown(all_end_with_the_daemon, setup, teardown),
    };

    snprintf(mark, sizeof(mark), MARK "%d", (int)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
