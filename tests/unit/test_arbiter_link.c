/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's connection, where the actions of one step meet what happens to the connection in between.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qdevice/arbiter_link.h"

static struct arbiter_link arbiter_link;
static qb_loop_t *loop;
static int listener;
static unsigned connected;

static void on_event(void *context, struct agent_event *event)
{
    (void)context;
    connected += event->type == AGENT_EV_CONNECTED;
    qb_loop_stop(loop);
}

static int set_up(void **state)
{
    static const struct message_stream_limits limits = {.receive_size = 32768, .queued_messages = 10, .queued_bytes = 65536};

    (void)state;
    loop = qb_loop_create();
    arbiter_link_init(&arbiter_link, loop, &limits, on_event, NULL);
    connected = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arbiter_link_fini(&arbiter_link);
    qb_loop_destroy(loop);
    return 0;
}

static void connect_to_listener(void)
{
    struct sockaddr_in *address = (struct sockaddr_in *)&arbiter_link.addresses.addresses[0];
    socklen_t size = sizeof(*address);
    char text[AGENT_TEXT_SIZE];

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)address, &size), 0);
    arbiter_link.addresses.count = 1;
    assert_true(arbiter_link_connect(&arbiter_link, 1, 0, text, sizeof(text)));
    qb_loop_run(loop);
    assert_int_equal(connected, 1);
}

/* An arbiter that says PREINIT_REPLY and resets the connection: STARTTLS cannot be sent, and START_TLS follows it. */
static void a_connection_that_failed_in_the_same_step_starts_no_tls(void **state)
{
    static const uint8_t starttls[] = {0, 2, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 1};
    const struct linger at_once = {.l_onoff = 1};
    char text[AGENT_TEXT_SIZE];
    int reset;

    (void)state;
    connect_to_listener();
    reset = accept(listener, NULL, NULL);
    assert_int_equal(setsockopt(reset, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    close(reset);
    close(listener);
    assert_false(arbiter_link_send(&arbiter_link, starttls, sizeof(starttls), text, sizeof(text)));
    assert_true(arbiter_link_start_tls(&arbiter_link, (struct tls_credentials *)text, text, sizeof(text)));
    assert_int_equal(arbiter_link.state, ARBITER_LINK_NONE);
    assert_true(arbiter_link_send(&arbiter_link, starttls, sizeof(starttls), text, sizeof(text)));
    assert_string_equal(arbiter_link_peer(&arbiter_link), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_connection_that_failed_in_the_same_step_starts_no_tls, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("arbiter link", tests, NULL, NULL);
}
