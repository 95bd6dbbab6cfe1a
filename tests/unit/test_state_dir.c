/* SPDX-License-Identifier: BSD-3-Clause */
/* Grants on disk, across lives of the arbiter, in a directory of its own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qnetd/state_dir.h"

#define LONGEST_MS 300000

static char top[64], lock_path[96], state_path[96];
static struct pid_lock lock;
static struct state_dir state_dir;
static char restored[256]; /* names of the clusters that were restored */

static const struct wire_bytes name_a = {(const uint8_t *)"a", 1};
static const struct wire_bytes name_b = {(const uint8_t *)"b", 1};

static int set_up(void **state)
{
    (void)state;
    snprintf(top, sizeof(top), "/tmp/test_state_dir.XXXXXX");
    assert_non_null(mkdtemp(top));
    snprintf(lock_path, sizeof(lock_path), "%s/run/q.pid", top);
    snprintf(state_path, sizeof(state_path), "%s/run/state", top);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", top);
    return system(command);
}

static void on_record(void *context, const struct grant_record *record)
{
    (void)context;
    strncat(restored, (const char *)record->name.data, record->name.size);
}

/* Starts a life; returns whether the earlier grants are all known. */
static bool begin_life_that(bool records_grants)
{
    char err_text[256];

    restored[0] = '\0';
    if (pid_lock_take(&lock, lock_path, err_text, sizeof(err_text)) != Q_OK)
        fail_msg("%s", err_text);
    state_dir_open(&state_dir, state_path, &lock, LONGEST_MS, records_grants);
    state_dir_restore(&state_dir, on_record, NULL);
    state_dir_touch(&state_dir);
    return state_dir.unknown_since_ms == 0;
}

static bool begin_life(void)
{
    return begin_life_that(true);
}

/* As if all of it had been known from the start. */
static void begin_knowing_life(void)
{
    begin_life();
    state_dir.unknown_since_ms = 0;
    state_dir_touch(&state_dir);
}

static void end_life(void)
{
    struct pid_lock_trace directory;

    pid_lock_remove(&lock, &directory);
    state_dir_close(&state_dir, &directory);
    pid_lock_release(&lock);
}

/* What a kill leaves: descriptors closed, files as they are. */
static void crash(void)
{
    close(state_dir.marker_fd);
    close(state_dir.fd);
    free(state_dir.path);
    free(state_dir.failed_names);
    pid_lock_release(&lock);
}

static enum arbiter_persist_result persist(struct wire_bytes name)
{
    struct grant_holder holders[] = {{1, 19000}, {2, 19000}};
    struct grant_record record;
    struct q_buf buf;
    enum arbiter_persist_result result;

    grant_record_init(&record);
    record.name = name;
    record.holders = holders;
    record.holder_count = 2;
    q_buf_init(&buf);
    grant_record_encode(&buf, &record);
    result = state_dir_persist(&state_dir, name, q_buf_bytes(&buf), buf.size);
    q_buf_fini(&buf);
    return result;
}

static void the_first_life_knows_nothing(void **state)
{
    (void)state;
    assert_false(begin_life());
    assert_non_null(state_dir.start_reason);
    assert_int_equal(state_dir_status(&state_dir), STATE_DIR_WORKING);
    end_life();
}

static void records_survive_a_crash_and_a_stop(void **state)
{
    (void)state;
    begin_knowing_life();
    assert_int_equal(persist(name_a), ARBITER_PERSIST_DONE);
    crash();
    assert_true(begin_life());
    assert_string_equal(restored, "a");
    end_life();
    assert_true(begin_life());
    assert_string_equal(restored, "a");
    state_dir_forget(&state_dir, name_a);
    end_life();
    assert_true(begin_life());
    assert_string_equal(restored, "");
    end_life();
}

/* vote_lease=packaged: ACKs leave unrecorded, what strict arbiters wrote before is out of date. */
static void nobody_trusts_records_after_a_life_that_did_not_write_them(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        begin_knowing_life();
        assert_int_equal(persist(name_a), ARBITER_PERSIST_DONE);
        end_life();
        assert_true(begin_life_that(false));
        if (i == 0)
            end_life();
        else
            crash();
        assert_false(begin_life());
        assert_true(state_dir.unknown_since_ms > 0);
        end_life();
    }
}

static void ignorance_is_inherited_with_its_date(void **state)
{
    uint64_t since_ms;

    (void)state;
    assert_false(begin_life());
    since_ms = state_dir.unknown_since_ms;
    assert_int_equal(persist(name_a), ARBITER_PERSIST_DONE);
    crash();
    assert_false(begin_life());
    assert_true(state_dir.unknown_since_ms == since_ms);
    assert_string_equal(restored, "a");
    end_life();
}

/* Creates and removes the lock file, until the clock of the file system has moved on. */
static void visit_lock_directory(void)
{
    struct stat before, after;
    char directory[96];
    FILE *file;

    snprintf(directory, sizeof(directory), "%s/run", top);
    assert_int_equal(stat(directory, &before), 0);
    do {
        file = fopen(lock_path, "w");
        assert_non_null(file);
        fclose(file);
        unlink(lock_path);
        assert_int_equal(stat(directory, &after), 0);
    } while (after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
}

static void another_arbiter_in_between_is_noticed(void **state)
{
    FILE *file;

    (void)state;
    begin_knowing_life();
    crash();
    file = fopen(lock_path, "w");
    assert_non_null(file);
    fprintf(file, "12345\n");
    fclose(file);
    assert_false(begin_life());
    end_life();
    /* And after an orderly stop: it creates the lock file, and even removes it. */
    begin_knowing_life();
    end_life();
    visit_lock_directory();
    assert_false(begin_life());
    end_life();
}

static void a_damaged_record_makes_knowledge_incomplete(void **state)
{
    char path[160];
    FILE *file;

    (void)state;
    begin_knowing_life();
    persist(name_a);
    persist(name_b);
    crash();
    snprintf(path, sizeof(path), "%s/cluster-a.grants", state_path);
    file = fopen(path, "r+");
    assert_non_null(file);
    fputc('x', file);
    fclose(file);
    assert_false(begin_life());
    assert_string_equal(restored, "b");
    assert_int_not_equal(access(path, F_OK), 0);
    end_life();
}

static void a_record_that_cannot_be_written_is_never_trusted(void **state)
{
    char path[160];

    (void)state;
    begin_knowing_life();
    assert_int_equal(persist(name_a), ARBITER_PERSIST_DONE);
    /* A folder in the way of the temporary file fails every write, for root too. */
    snprintf(path, sizeof(path), "%s/writing", state_path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(persist(name_b), ARBITER_PERSIST_VOLATILE);
    assert_int_equal(state_dir_status(&state_dir), STATE_DIR_FAILING);
    state_dir_touch(&state_dir);
    crash();
    assert_false(begin_life());
    end_life();
}

static void a_later_success_restores_trust(void **state)
{
    char path[160];

    (void)state;
    begin_knowing_life();
    snprintf(path, sizeof(path), "%s/writing", state_path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(persist(name_b), ARBITER_PERSIST_VOLATILE);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(persist(name_a), ARBITER_PERSIST_DONE);
    assert_int_equal(state_dir_status(&state_dir), STATE_DIR_FAILING); /* b is still missing */
    assert_int_equal(persist(name_b), ARBITER_PERSIST_DONE);
    assert_int_equal(state_dir_status(&state_dir), STATE_DIR_WORKING);
    crash();
    assert_true(begin_life());
    end_life();
}

static void a_directory_that_vanished_is_not_trusted(void **state)
{
    char command[160];

    (void)state;
    begin_knowing_life();
    persist(name_a);
    snprintf(command, sizeof(command), "rm -rf %s", state_path);
    assert_int_equal(system(command), 0);
    assert_int_equal(persist(name_b), ARBITER_PERSIST_VOLATILE);
    crash();
    assert_false(begin_life());
    assert_string_equal(restored, "");
    end_life();
}

static void a_directory_that_cannot_be_used_is_no_obstacle(void **state)
{
    (void)state;
    snprintf(state_path, sizeof(state_path), "/proc/nowhere");
    assert_false(begin_life());
    assert_int_equal(state_dir_status(&state_dir), STATE_DIR_OFF);
    assert_int_equal(persist(name_a), ARBITER_PERSIST_VOLATILE);
    state_dir_forget(&state_dir, name_a);
    end_life();
}

static void the_lock_keeps_a_second_instance_out(void **state)
{
    char err_text[256];
    struct pid_lock second;
    int status = 1;
    pid_t child;

    (void)state;
    begin_life();
    /* A process never conflicts with its own record locks. */
    child = fork();
    if (child == 0)
        _exit(pid_lock_take(&second, lock_path, err_text, sizeof(err_text)) == Q_ERR_BUSY ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    end_life();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_life_knows_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_survive_a_crash_and_a_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_trusts_records_after_a_life_that_did_not_write_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ignorance_is_inherited_with_its_date, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_arbiter_in_between_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_record_makes_knowledge_incomplete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_that_cannot_be_written_is_never_trusted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_later_success_restores_trust, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_directory_that_vanished_is_not_trusted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_directory_that_cannot_be_used_is_no_obstacle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_lock_keeps_a_second_instance_out, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("state_dir", tests, NULL, NULL);
}
