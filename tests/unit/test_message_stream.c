/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a stream of messages; what comes before it: test_framer, test_tls_channel. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/message_stream.h"
#include "tests/unit/tls_pair.h"

static const struct message_stream_limits limits = {.receive_size = 1024, .queued_messages = 4, .queued_bytes = 4096};

/* An empty qnet message. */
static const uint8_t message[6] = {0, 1, 0, 0, 0, 0};

/* A socket that is closed over unread bytes resets the connection, and what it sent last may never arrive. */
static void a_goodbye_over_unread_input_is_no_reset(void **state)
{
    struct message_stream stream;
    uint8_t got[sizeof(message)];
    int own, peer;

    (void)state;
    tls_pair_sockets(&own, &peer);
    message_stream_init(&stream, own, &limits);
    assert_int_equal(send(peer, "unread", 6, 0), 6);
    assert_int_equal(message_stream_send(&stream, &limits, message, sizeof(message), false), Q_OK);
    message_stream_close(&stream, true);
    message_stream_fini(&stream);
    assert_int_equal(recv(peer, got, sizeof(got), 0), sizeof(message));
    assert_memory_equal(got, message, sizeof(message));
    assert_int_equal(recv(peer, got, sizeof(got), 0), 0);
    close(peer);
}

/* So that nobody takes a crash for an orderly end: without a goodbye nothing is read, nothing queued is sent. */
static void an_end_without_goodbye_sends_nothing_more(void **state)
{
    struct message_stream stream;
    uint8_t got[sizeof(message)];
    int own, peer;

    (void)state;
    tls_pair_sockets(&own, &peer);
    message_stream_init(&stream, own, &limits);
    assert_int_equal(send(peer, "unread", 6, 0), 6);
    assert_int_equal(message_stream_send(&stream, &limits, message, sizeof(message), true), Q_OK);
    message_stream_close(&stream, false);
    message_stream_fini(&stream);
    assert_int_equal(recv(peer, got, sizeof(got), 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_goodbye_over_unread_input_is_no_reset),
        cmocka_unit_test(an_end_without_goodbye_sends_nothing_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
