/* SPDX-License-Identifier: BSD-3-Clause */
/* Which files a client can have removed: its own zero-copy buffers, and nothing else whatever the path looks like. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/client_file.h"

#define PREFIX "/dev/shm/corosync_zerocopy-"

static char path[64];

static int make_file(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof(path), PREFIX "qr%ld", (long)getpid());
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void the_clients_own_buffer_is_removed(void **state)
{
    (void)state;
    assert_int_equal(client_file_remove(path, getuid()), Q_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(client_file_remove(path, getuid()), Q_ERR_NOT_FOUND);
}

static void a_file_of_somebody_else_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(client_file_remove(path, getuid() + 1), Q_ERR_INVALID);
    assert_int_equal(access(path, F_OK), 0);
}

static void what_is_no_file_is_left_alone(void **state)
{
    char link_path[80];

    (void)state;
    snprintf(link_path, sizeof(link_path), "%s-link", path);
    assert_int_equal(symlink(path, link_path), 0);
    assert_int_equal(client_file_remove(link_path, getuid()), Q_ERR_INVALID);
    assert_int_equal(unlink(link_path), 0);
    assert_int_equal(access(path, F_OK), 0);
}

static void other_places_are_left_alone(void **state)
{
    static const char *const paths[] = {"",
                                        "/",
                                        "/dev/shm",
                                        "/dev/shm/",
                                        "/dev/shm/other",
                                        "/etc/passwd",
                                        PREFIX "/../../etc/passwd",
                                        PREFIX "x/y",
                                        "dev/shm/corosync_zerocopy-x",
                                        "/tmp/corosync_zerocopy-x"};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_int_equal(client_file_remove(paths[i], getuid()), Q_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_clients_own_buffer_is_removed, make_file, remove_file),
        cmocka_unit_test_setup_teardown(a_file_of_somebody_else_is_left_alone, make_file, remove_file),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_left_alone, make_file, remove_file),
        cmocka_unit_test(other_places_are_left_alone),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
