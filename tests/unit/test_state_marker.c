/* SPDX-License-Identifier: BSD-3-Clause */
/* When the grant records on disk are the whole truth, and when they are not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "qnetd/state_marker.h"

#define BOOT "93b05ff5-167a-442c-9cf0-c203082ee37b"

/* A crash a second ago: the lock file is as it was left. */
static void after_crash(struct state_marker *marker, struct pid_lock *lock)
{
    static const struct pid_lock_trace trace = {true, 65024, 77, INT64_C(1795338740776484051), 1234};

    *marker = (struct state_marker){.boot_id = BOOT, .trusted = true, .alive_ms = 100000, .lock = trace};
    *lock = (struct pid_lock){.fd = -1, .before = trace};
}

/* An orderly stop a second ago: no lock file, its directory untouched. */
static void after_stop(struct state_marker *marker, struct pid_lock *lock)
{
    after_crash(marker, lock);
    marker->clean = true;
    marker->directory = (struct pid_lock_trace){true, 65024, 2, 5000, -1};
    lock->before = (struct pid_lock_trace){.pid = -1};
    lock->directory_before = marker->directory;
}

static const char *doubt(const struct state_marker *marker, const struct pid_lock *lock)
{
    return state_marker_doubt(marker, BOOT, 101000, 19000, lock);
}

static void what_is_written_is_read(void **state)
{
    struct state_marker marker, again;
    struct pid_lock lock;
    char text[STATE_MARKER_SIZE_MAX];
    size_t size;

    (void)state;
    after_stop(&marker, &lock);
    marker.unknown_since_ms = 42;
    size = state_marker_encode(&marker, text);
    assert_true(state_marker_decode(text, size, &again));
    assert_string_equal(again.boot_id, BOOT);
    assert_true(again.trusted && again.clean);
    assert_int_equal(again.alive_ms, 100000);
    assert_int_equal(again.unknown_since_ms, 42);
    assert_true(pid_lock_trace_equal(&again.lock, &marker.lock));
    assert_true(pid_lock_trace_equal(&again.directory, &marker.directory));
    /* It is overwritten in place: the length must not depend on the values. */
    marker = (struct state_marker){.boot_id = "x"};
    assert_int_equal(state_marker_encode(&marker, text), size);
}

static void a_damaged_marker_is_refused(void **state)
{
    struct state_marker marker, again;
    struct pid_lock lock;
    char text[STATE_MARKER_SIZE_MAX];
    size_t size;

    (void)state;
    after_crash(&marker, &lock);
    size = state_marker_encode(&marker, text);
    for (size_t cut = 0; cut + 1 < size; cut++)
        assert_false(state_marker_decode(text, cut, &again));
    memset(text, 'x', sizeof(text));
    assert_false(state_marker_decode(text, sizeof(text), &again));
}

static void a_quick_restart_is_trusted(void **state)
{
    struct state_marker marker;
    struct pid_lock lock;

    (void)state;
    after_crash(&marker, &lock);
    assert_null(doubt(&marker, &lock));
    after_stop(&marker, &lock);
    assert_null(doubt(&marker, &lock));
}

static void another_boot_is_not(void **state)
{
    struct state_marker marker;
    struct pid_lock lock;

    (void)state;
    after_crash(&marker, &lock);
    marker.boot_id[0] = 'a';
    assert_non_null(doubt(&marker, &lock));
    after_crash(&marker, &lock);
    assert_non_null(state_marker_doubt(&marker, "", 101000, 19000, &lock));
}

static void another_arbiter_in_between_is_noticed(void **state)
{
    struct state_marker marker;
    struct pid_lock lock;

    (void)state;
    after_crash(&marker, &lock);
    lock.before.pid = 99; /* it wrote its own id */
    assert_non_null(doubt(&marker, &lock));
    after_crash(&marker, &lock);
    lock.before.modified_ns++; /* by chance the same id */
    assert_non_null(doubt(&marker, &lock));
    after_crash(&marker, &lock);
    lock.before.exists = false; /* it was removed */
    assert_non_null(doubt(&marker, &lock));
    after_stop(&marker, &lock);
    lock.before.exists = true; /* it left its lock file */
    assert_non_null(doubt(&marker, &lock));
    after_stop(&marker, &lock);
    lock.directory_before.modified_ns++; /* it left nothing, but was there */
    assert_non_null(doubt(&marker, &lock));
    after_stop(&marker, &lock);
    lock.directory_before.inode++; /* the directory was made anew */
    assert_non_null(doubt(&marker, &lock));
}

static void a_long_absence_is_not_trusted(void **state)
{
    struct state_marker marker;
    struct pid_lock lock;

    (void)state;
    after_crash(&marker, &lock);
    assert_null(state_marker_doubt(&marker, BOOT, 160000, 0, &lock));
    assert_non_null(state_marker_doubt(&marker, BOOT, 160001, 0, &lock));
    assert_null(state_marker_doubt(&marker, BOOT, 370000, 270000, &lock));
    assert_non_null(state_marker_doubt(&marker, BOOT, 370001, 270000, &lock));
    assert_non_null(state_marker_doubt(&marker, BOOT, 99999, 270000, &lock));
}

static void a_writer_that_could_not_write_is_not_trusted(void **state)
{
    struct state_marker marker;
    struct pid_lock lock;

    (void)state;
    after_crash(&marker, &lock);
    marker.trusted = false;
    assert_non_null(doubt(&marker, &lock));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_damaged_marker_is_refused),
        cmocka_unit_test(a_quick_restart_is_trusted),
        cmocka_unit_test(another_boot_is_not),
        cmocka_unit_test(another_arbiter_in_between_is_noticed),
        cmocka_unit_test(a_long_absence_is_not_trusted),
        cmocka_unit_test(a_writer_that_could_not_write_is_not_trusted),
    };

    return cmocka_run_group_tests_name("state_marker", tests, NULL, NULL);
}
