/* SPDX-License-Identifier: BSD-3-Clause */
/* When a client's first TLS record counts as come. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qnetd/client_hello.h"

static int ours, theirs;
static int awaited;

static int set_up(void **state)
{
    int fds[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return 1;
    ours = fds[0];
    theirs = fds[1];
    awaited = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(ours);
    if (theirs >= 0)
        close(theirs);
    return 0;
}

static void receive(const void *bytes, size_t size)
{
    assert_int_equal(send(theirs, bytes, size, 0), size);
}

static enum q_err arrived(void)
{
    return client_hello_arrived(ours, &awaited);
}

static void a_whole_record_has_arrived(void **state)
{
    static const uint8_t record[5 + 3] = {0x16, 3, 1, 0, 3, 'a', 'b', 'c'};

    (void)state;
    receive(record, sizeof(record));
    assert_int_equal(arrived(), Q_OK);
    assert_int_equal(awaited, 0);
}

static void bytes_are_awaited_up_to_the_end_of_the_record(void **state)
{
    static const uint8_t record[5 + 3] = {0x16, 3, 1, 0, 3, 'a', 'b', 'c'};

    (void)state;
    assert_int_equal(arrived(), Q_ERR_AGAIN); /* nothing yet */
    assert_int_equal(awaited, 5);
    receive(record, 5);
    assert_int_equal(arrived(), Q_ERR_AGAIN);
    assert_int_equal(awaited, 8);
    receive(record + 5, 3);
    assert_int_equal(arrived(), Q_OK);
    client_hello_finish(ours);
}

static void what_is_no_tls_is_let_through_to_fail(void **state)
{
    (void)state;
    receive("x", 1);
    assert_int_equal(arrived(), Q_OK);
}

static void an_impossible_length_is_let_through_to_fail(void **state)
{
    static const uint8_t header[5] = {0x16, 3, 1, 0xff, 0xff};

    (void)state;
    receive(header, sizeof(header));
    assert_int_equal(arrived(), Q_OK);
}

static void the_end_of_the_stream_is_told(void **state)
{
    (void)state;
    close(theirs);
    theirs = -1;
    assert_int_equal(arrived(), Q_ERR_CLOSED);
}

static void an_end_within_the_record_does_not_spin(void **state)
{
    static const uint8_t header[5] = {0x16, 3, 1, 1, 0};

    (void)state;
    receive(header, sizeof(header));
    assert_int_equal(arrived(), Q_ERR_AGAIN);
    close(theirs);
    theirs = -1;
    assert_int_equal(arrived(), Q_ERR_CLOSED);
}

static void nothing_is_taken(void **state)
{
    static const uint8_t record[5 + 1] = {0x16, 3, 1, 0, 1, 'a'};
    uint8_t read_back[sizeof(record)];

    (void)state;
    receive(record, sizeof(record));
    assert_int_equal(arrived(), Q_OK);
    assert_int_equal(recv(ours, read_back, sizeof(read_back), 0), sizeof(record));
    assert_memory_equal(read_back, record, sizeof(record));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_whole_record_has_arrived, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_are_awaited_up_to_the_end_of_the_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_tls_is_let_through_to_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_impossible_length_is_let_through_to_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_the_stream_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_end_within_the_record_does_not_spin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_taken, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("client_hello", tests, NULL, NULL);
}
