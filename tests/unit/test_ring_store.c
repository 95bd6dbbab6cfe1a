/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node finds again after a restart: the packaged daemon's files, byte for byte, and what is not such a file. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/ring_store.h"

static char directory[64];
static char why[256];

static void path_of(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", directory, name);
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    char path[128];
    FILE *file;

    path_of(name, path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static size_t read_file(const char *name, void *bytes, size_t size)
{
    char path[128];
    size_t got;
    FILE *file;

    path_of(name, path);
    file = fopen(path, "r");
    if (file == NULL)
        return SIZE_MAX;
    got = fread(bytes, 1, size, file);
    fclose(file);
    return got;
}

static void open_store(struct ring_store *store)
{
    assert_int_equal(ring_store_open(store, directory, 7, why, sizeof(why)), Q_OK);
}

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/qr-ring-store-XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    static const char *const names[] = {"ringid_7", "ringid_7.new", "ev_tracking", "ev_tracking.new"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        path_of(names[i], path);
        unlink(path);
    }
    return rmdir(directory);
}

static void a_new_node_begins_with_0_and_has_a_file(void **state)
{
    struct ring_store store;
    uint64_t seq = 1, stored = 1;
    struct stat status;
    char path[128];

    (void)state;
    open_store(&store);
    assert_int_equal(ring_store_load(&store, &seq, why, sizeof(why)), Q_OK);
    assert_int_equal(seq, 0);
    assert_int_equal(read_file("ringid_7", &stored, sizeof(stored)), sizeof(stored));
    assert_int_equal(stored, 0);
    path_of("ringid_7", path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    ring_store_close(&store);
}

static void what_was_saved_is_found_again(void **state)
{
    struct ring_store store;
    uint64_t seq = 0, stored[2] = {0, 0};

    (void)state;
    open_store(&store);
    assert_int_equal(ring_store_save(&store, 0x123456789abcull, why, sizeof(why)), Q_OK);
    assert_int_equal(ring_store_load(&store, &seq, why, sizeof(why)), Q_OK);
    assert_int_equal(seq, 0x123456789abcull);
    assert_int_equal(read_file("ringid_7", stored, sizeof(stored)), 8);
    assert_int_equal(stored[0], 0x123456789abcull);
    ring_store_close(&store);
}

static void a_file_of_another_size_counts_as_none(void **state)
{
    struct ring_store store;
    const uint64_t long_file[2] = {5, 6};
    uint64_t seq;

    (void)state;
    open_store(&store);
    for (size_t size = 0; size <= sizeof(long_file); size++) {
        write_file("ringid_7", long_file, size);
        assert_int_equal(ring_store_load(&store, &seq, why, sizeof(why)), Q_OK);
        assert_int_equal(seq, size == 8 ? 5 : 0);
    }
    ring_store_close(&store);
}

static void expected_votes_have_a_file_of_their_own(void **state)
{
    struct ring_store store;
    uint32_t stored = 0;

    (void)state;
    open_store(&store);
    assert_int_equal(ring_store_load_expected(&store), 0);
    assert_int_equal(ring_store_save_expected(&store, 5, why, sizeof(why)), Q_OK);
    assert_int_equal(ring_store_load_expected(&store), 5);
    assert_int_equal(read_file("ev_tracking", &stored, sizeof(stored)), 4);
    assert_int_equal(stored, 5);
    ring_store_close(&store);
}

static void what_cannot_be_is_said(void **state)
{
    struct ring_store store;
    char path[128];
    uint64_t seq;

    (void)state;
    assert_int_equal(ring_store_open(&store, "/nowhere/at/all", 7, why, sizeof(why)), Q_ERR_IO);
    assert_non_null(strstr(why, "/nowhere/at/all"));
    open_store(&store);
    path_of("ringid_7.new", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(ring_store_save(&store, 1, why, sizeof(why)), Q_ERR_IO);
    assert_non_null(strstr(why, "ringid_7"));
    assert_int_equal(ring_store_load(&store, &seq, why, sizeof(why)), Q_ERR_IO);
    assert_int_equal(rmdir(path), 0);
    ring_store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_node_begins_with_0_and_has_a_file, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(what_was_saved_is_found_again, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_file_of_another_size_counts_as_none, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(expected_votes_have_a_file_of_their_own, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_said, make_directory, remove_directory),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
