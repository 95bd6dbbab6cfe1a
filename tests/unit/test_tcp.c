/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tcp.h"

static int option(int fd, int name)
{
    socklen_t size = sizeof(int);
    int value = -1;

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, name, &value, &size), 0);
    return value;
}

static void check_prompt(int fd)
{
    char congestion_control[16] = "";
    socklen_t size = sizeof(congestion_control);

    assert_int_equal(option(fd, TCP_NODELAY), 1);
    assert_int_equal(option(fd, TCP_THIN_LINEAR_TIMEOUTS), 1);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion_control, &size), 0);
    assert_string_equal(congestion_control, "reno");
}

/* The device asks for it while it connects, the arbiter only for the listening socket. */
static void both_ends_of_a_connection_are_prompt(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int device = socket(AF_INET, SOCK_STREAM, 0);
    int accepted;

    (void)state;
    assert_true(listener >= 0 && device >= 0);
    tcp_be_prompt(listener);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connect(device, (struct sockaddr *)&address, size), 0);
    tcp_be_prompt(device);
    accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    check_prompt(device);
    check_prompt(accepted);
    close(accepted);
    close(device);
    close(listener);
}

static void what_is_no_tcp_socket_is_left_alone(void **state)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_true(fd >= 0);
    tcp_be_prompt(fd);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_of_a_connection_are_prompt),
        cmocka_unit_test(what_is_no_tcp_socket_is_left_alone),
    };

    return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
