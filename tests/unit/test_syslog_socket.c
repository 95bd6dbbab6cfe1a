/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "common/syslog_socket.h"

static char top[64], path[80];
static struct syslog_socket log_socket;

static int open_daemon(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* The next line behind priority, date and name; NULL: none. */
static const char *next_line(int fd, int priority)
{
    static char line[4096];
    char *text;
    ssize_t count = recv(fd, line, sizeof(line) - 1, 0);
    int got = -1;

    if (count < 0)
        return NULL;
    line[count] = '\0';
    assert_int_equal(sscanf(line, "<%d>", &got), 1);
    assert_int_equal(got, LOG_DAEMON | priority);
    text = strstr(line, "]: ");
    assert_non_null(text);
    return text + 3;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(top, sizeof(top), "/tmp/test_syslog.XXXXXX");
    assert_non_null(mkdtemp(top));
    snprintf(path, sizeof(path), "%s/log", top);
    syslog_socket_init(&log_socket, path, "name");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    syslog_socket_fini(&log_socket);
    unlink(path);
    return rmdir(top);
}

static void lines_arrive(void **state)
{
    int fd = open_daemon();

    (void)state;
    syslog_socket_write(&log_socket, LOG_ERR, "one");
    syslog_socket_write(&log_socket, LOG_ERR, "two");
    assert_string_equal(next_line(fd, LOG_ERR), "one");
    assert_string_equal(next_line(fd, LOG_ERR), "two");
    close(fd);
}

static void a_stuck_log_daemon_gets_them_later_in_order(void **state)
{
    enum { COUNT = 3000 }; /* more than any socket queues */
    int fd = open_daemon();
    char text[32];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "%d", i);
        syslog_socket_write(&log_socket, LOG_INFO, text);
    }
    assert_true(log_socket.queue.size > 0);
    for (int i = 0; i < COUNT; i++) {
        const char *line = next_line(fd, LOG_INFO);

        if (line == NULL) {
            syslog_socket_flush(&log_socket);
            line = next_line(fd, LOG_INFO);
        }
        assert_non_null(line);
        assert_int_equal(atoi(line), i);
    }
    assert_null(next_line(fd, LOG_INFO));
    assert_false(syslog_socket_flush(&log_socket));
    close(fd);
}

static void what_exceeds_the_queue_is_told(void **state)
{
    static char text[1024];
    int fd = open_daemon();
    uint64_t lost_count;
    const char *line;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    while (log_socket.lost_count < 5)
        syslog_socket_write(&log_socket, LOG_WARNING, text);
    lost_count = log_socket.lost_count;
    assert_true(log_socket.queue.size <= SYSLOG_SOCKET_QUEUE_MAX);
    while (syslog_socket_flush(&log_socket)) {
        while (next_line(fd, LOG_WARNING) != NULL)
            ;
    }
    while (next_line(fd, LOG_WARNING) != NULL)
        ;
    syslog_socket_write(&log_socket, LOG_WARNING, "after");
    line = next_line(fd, LOG_WARNING);
    assert_non_null(line);
    assert_int_equal(atoi(line), (int)lost_count);
    assert_string_equal(next_line(fd, LOG_WARNING), "after");
    close(fd);
}

static void without_a_log_daemon_nothing_piles_up(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        syslog_socket_write(&log_socket, LOG_INFO, "nobody hears");
    assert_int_equal(log_socket.queue.size, 0);
    assert_int_equal(log_socket.lost_count, 100);
}

static void a_restarted_log_daemon_is_found_again(void **state)
{
    int fd = open_daemon();

    (void)state;
    syslog_socket_write(&log_socket, LOG_INFO, "one");
    close(fd);
    fd = open_daemon();
    syslog_socket_write(&log_socket, LOG_INFO, "two");
    assert_string_equal(next_line(fd, LOG_INFO), "two");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_arrive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stuck_log_daemon_gets_them_later_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_exceeds_the_queue_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_log_daemon_nothing_piles_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restarted_log_daemon_is_found_again, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("syslog_socket", tests, NULL, NULL);
}
