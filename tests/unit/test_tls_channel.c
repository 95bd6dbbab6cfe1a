/* SPDX-License-Identifier: BSD-3-Clause */
/* The stream: plain text, upgrade, data, back pressure, ends. Who is let in: test_tls_handshake.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/err.h>

#include "common/tls/channel.h"
#include "common/tls/credentials.h"
#include "common/tls/peer_names.h"
#include "tests/unit/test_certs.h"
#include "tests/unit/tls_pair.h"

static struct tls_credentials *server_creds;
static struct tls_credentials *client_creds;

static int make_credentials(void **state)
{
    struct test_cert ca = test_cert_authority("QNet CA");
    struct test_cert server = test_cert_leaf("Qnetd Server", &ca);
    struct test_cert client = test_cert_leaf("alpha", &ca);

    (void)state;
    server_creds = test_credentials(&(struct tls_credentials_source){.client_cert_required = true},
                                    TLS_ROLE_SERVER, &server, &ca);
    client_creds = test_credentials(&(struct tls_credentials_source){.peer_name = "Qnetd Server"},
                                    TLS_ROLE_CLIENT, &client, &ca);
    test_cert_free(&ca);
    test_cert_free(&server);
    test_cert_free(&client);
    return 0;
}

static int drop_credentials(void **state)
{
    (void)state;
    tls_credentials_unref(server_creds);
    tls_credentials_unref(client_creds);
    return 0;
}

static void connect_pair(struct tls_pair *pair)
{
    tls_pair_init(pair, server_creds, client_creds);
    if (tls_pair_handshake(pair) != Q_OK)
        fail_msg("%s; %s", tls_channel_error(&pair->server), tls_channel_error(&pair->client));
}

/* Two TCP sockets over the loopback, since only TCP resets. */
static void tcp_sockets(int *one, int *other)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    *one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*one, (struct sockaddr *)&address, size), 0);
    *other = accept(listener, NULL, NULL);
    assert_true(*other >= 0);
    fcntl(*one, F_SETFL, O_NONBLOCK);
    fcntl(*other, F_SETFL, O_NONBLOCK);
    close(listener);
}

/* Close so that the other end gets a reset. */
static void close_with_reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(fd);
}

static void expect_text(struct tls_channel *ch, const char *expected)
{
    char buf[256] = "";
    enum q_err end;
    size_t count = tls_pair_read_all(ch, buf, sizeof(buf) - 1, &end);

    assert_int_equal(count, strlen(expected));
    assert_string_equal(buf, expected);
    assert_int_equal(end, Q_ERR_AGAIN);
    assert_int_equal(tls_channel_want(ch), TLS_WANT_READ);
}

/* --- Plain text ----------------------------------------------------------------------------------- */

static void plain_text_passes(void **state)
{
    struct iovec pieces[3] = {{(void *)"one ", 4}, {(void *)"", 0}, {(void *)"two", 3}};
    struct tls_pair pair;
    size_t count;

    (void)state;
    tls_pair_init(&pair, NULL, NULL);
    expect_text(&pair.server, "");
    assert_int_equal(tls_channel_writev(&pair.client, pieces, 3, &count), Q_OK);
    assert_int_equal(count, 7);
    expect_text(&pair.server, "one two");
    assert_int_equal(tls_channel_state(&pair.server), TLS_CHANNEL_PLAIN);
    assert_string_equal(tls_channel_version(&pair.server), "");
    assert_false(tls_channel_pending(&pair.server));
    assert_null(tls_channel_peer(&pair.server));
    shutdown(pair.client_fd, SHUT_WR);
    assert_int_equal(tls_channel_read(&pair.server, (char[8]){0}, 8, &count), Q_ERR_CLOSED);
    assert_int_equal(count, 0);
    assert_int_equal(tls_channel_end(&pair.server), TLS_END_CLEAN);
    assert_int_equal(tls_channel_state(&pair.server), TLS_CHANNEL_DEAD);
    tls_pair_fini(&pair);
}

static void plain_text_resets_and_broken_pipes_are_ends(void **state)
{
    struct tls_channel ch;
    int one, other;
    size_t count;

    (void)state;
    tcp_sockets(&one, &other);
    tls_channel_init(&ch, one);
    close_with_reset(other);
    assert_int_equal(tls_channel_read(&ch, (char[8]){0}, 8, &count), Q_ERR_CLOSED);
    assert_int_equal(tls_channel_end(&ch), TLS_END_RESET);
    assert_string_not_equal(tls_channel_error(&ch), "");
    /* Dead stays dead. */
    assert_int_equal(tls_channel_write(&ch, "x", 1, &count), Q_ERR_CLOSED);
    tls_channel_fini(&ch);
    close(one);

    tls_pair_sockets(&one, &other);
    close(other);
    tls_channel_init(&ch, one);
    assert_int_equal(tls_channel_write(&ch, "x", 1, &count), Q_ERR_CLOSED); /* and no SIGPIPE */
    assert_int_equal(tls_channel_end(&ch), TLS_END_RESET);
    tls_channel_fini(&ch);
    tls_channel_fini(&ch);
    close(one);
}

static void plain_text_back_pressure_is_told(void **state)
{
    static const char block[65536];
    struct tls_pair pair;
    size_t count, total = 0;
    enum q_err err;

    (void)state;
    tls_pair_init(&pair, NULL, NULL);
    while ((err = tls_channel_write(&pair.client, block, sizeof(block), &count)) == Q_OK)
        total += count;
    assert_int_equal(err, Q_ERR_AGAIN);
    assert_int_equal(tls_channel_want(&pair.client), TLS_WANT_WRITE);
    assert_true(total > 0);
    tls_pair_fini(&pair);
}

/* --- Upgrade -------------------------------------------------------------------------------------- */

static void tls_carries_data_both_ways(void **state)
{
    struct tls_pair pair;

    (void)state;
    connect_pair(&pair);
    assert_int_equal(tls_channel_state(&pair.server), TLS_CHANNEL_SECURE);
    assert_string_equal(tls_channel_version(&pair.server), "TLSv1.3");
    assert_string_equal(tls_channel_peer(&pair.server)->names[0], "alpha");
    assert_string_equal(tls_channel_peer(&pair.client)->names[0], "Qnetd Server");
    tls_pair_write(&pair.client, "hello", 5);
    expect_text(&pair.server, "hello");
    tls_pair_write(&pair.server, "good day", 8);
    expect_text(&pair.client, "good day");
    assert_int_equal(ERR_peek_error(), 0);
    tls_pair_fini(&pair);
}

/* The ClientHello may sit in the socket right behind the STARTTLS message. */
static void a_client_hello_in_the_starttls_segment_is_taken(void **state)
{
    char message[8];
    struct tls_pair pair;
    size_t count;

    (void)state;
    tls_pair_init(&pair, NULL, NULL);
    tls_pair_write(&pair.client, "STARTTLS", 8);
    assert_int_equal(tls_channel_start(&pair.client, client_creds), Q_OK);
    assert_int_equal(tls_channel_handshake(&pair.client), Q_ERR_AGAIN);
    assert_int_equal(tls_channel_want(&pair.client), TLS_WANT_READ);

    assert_int_equal(tls_channel_read(&pair.server, message, 8, &count), Q_OK);
    assert_memory_equal(message, "STARTTLS", 8);
    assert_int_equal(tls_channel_start(&pair.server, server_creds), Q_OK);
    pair.server_err = Q_ERR_AGAIN;
    pair.client_err = Q_ERR_AGAIN;
    assert_int_equal(tls_pair_handshake(&pair), Q_OK);
    tls_pair_write(&pair.client, "INIT", 4);
    expect_text(&pair.server, "INIT");
    tls_pair_fini(&pair);
}

static void data_in_the_flight_of_the_finished_message_is_read(void **state)
{
    struct tls_pair pair;

    (void)state;
    tls_pair_init(&pair, server_creds, client_creds);
    assert_int_equal(tls_channel_handshake(&pair.client), Q_ERR_AGAIN);
    assert_int_equal(tls_channel_handshake(&pair.server), Q_ERR_AGAIN);
    assert_int_equal(tls_channel_handshake(&pair.client), Q_OK); /* Finished is out */
    tls_pair_write(&pair.client, "INIT", 4);                     /* and this behind it */
    assert_int_equal(tls_channel_handshake(&pair.server), Q_OK);
    expect_text(&pair.server, "INIT");
    tls_pair_fini(&pair);
}

/* Pass everything from one socket to the other, byte by byte, and let the receiver work on each. */
static void pass_bytes(int from, int to, struct tls_channel *receiver, enum q_err *err)
{
    char byte;

    while (recv(from, &byte, 1, 0) == 1) {
        assert_int_equal(send(to, &byte, 1, MSG_NOSIGNAL), 1);
        if (*err == Q_ERR_AGAIN)
            *err = tls_channel_handshake(receiver);
    }
}

static void bytes_may_come_one_by_one(void **state)
{
    enum q_err server_err = Q_ERR_AGAIN;
    enum q_err client_err = Q_ERR_AGAIN;
    struct tls_channel server, client;
    int server_fd, near_server, client_fd, near_client;

    (void)state;
    tls_pair_sockets(&server_fd, &near_server);
    tls_pair_sockets(&client_fd, &near_client);
    tls_channel_init(&server, server_fd);
    tls_channel_init(&client, client_fd);
    assert_int_equal(tls_channel_start(&server, server_creds), Q_OK);
    assert_int_equal(tls_channel_start(&client, client_creds), Q_OK);
    client_err = tls_channel_handshake(&client);
    for (int round = 0; round < 10; round++) {
        pass_bytes(near_client, near_server, &server, &server_err);
        pass_bytes(near_server, near_client, &client, &client_err);
    }
    assert_int_equal(server_err, Q_OK);
    assert_int_equal(client_err, Q_OK);
    tls_pair_write(&client, "slow", 4);
    for (char byte; recv(near_client, &byte, 1, 0) == 1;) {
        char buf[8];
        size_t count;
        enum q_err err;

        assert_int_equal(send(near_server, &byte, 1, 0), 1);
        err = tls_channel_read(&server, buf, sizeof(buf), &count);
        assert_true(err == Q_ERR_AGAIN || (err == Q_OK && count == 4));
        assert_false(tls_channel_pending(&server)); /* part of a record is no reason to come back */
    }
    tls_channel_fini(&server);
    tls_channel_fini(&client);
    close(server_fd);
    close(near_server);
    close(client_fd);
    close(near_client);
}

static void plain_text_instead_of_a_handshake_fails_at_the_first_byte(void **state)
{
    static const char *const first[] = {"G", "\n", "\x17", "\x80", "\x14", "\x15"};
    struct tls_pair pair;
    size_t count;

    (void)state;
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        tls_pair_init(&pair, server_creds, NULL);
        assert_int_equal(tls_channel_handshake(&pair.server), Q_ERR_AGAIN);
        assert_int_equal(send(pair.client_fd, first[i], 1, 0), 1);
        assert_int_equal(tls_channel_handshake(&pair.server), Q_ERR_INVALID);
        assert_int_equal(tls_channel_end(&pair.server), TLS_END_REFUSED);
        assert_non_null(strstr(tls_channel_error(&pair.server), "plain text"));
        assert_int_equal(tls_channel_handshake(&pair.server), Q_ERR_INVALID);
        assert_int_equal(tls_channel_read(&pair.server, (char[8]){0}, 8, &count), Q_ERR_INVALID);
        tls_channel_shutdown(&pair.server);
        assert_int_equal(ERR_peek_error(), 0);
        tls_pair_fini(&pair);
    }
}

static void garbage_that_begins_like_a_handshake_is_refused(void **state)
{
    static const char garbage[] = "\x16\x03\x01\x00\x08garbage!";
    struct tls_pair pair;

    (void)state;
    tls_pair_init(&pair, server_creds, NULL);
    tls_pair_write(&pair.client, garbage, sizeof(garbage) - 1);
    assert_int_equal(tls_channel_handshake(&pair.server), Q_ERR_INVALID);
    assert_int_equal(tls_channel_end(&pair.server), TLS_END_REFUSED);
    assert_int_equal(ERR_peek_error(), 0);
    tls_pair_fini(&pair);
}

/* --- Writing -------------------------------------------------------------------------------------- */

static void small_pieces_leave_in_one_record(void **state)
{
    static const char payload[] = "0123456789";
    struct iovec pieces[10];
    char wire[1024];
    struct tls_pair pair;
    size_t count;

    (void)state;
    connect_pair(&pair);
    for (size_t i = 0; i < 10; i++)
        pieces[i] = (struct iovec){(void *)payload, 10};
    assert_int_equal(tls_channel_writev(&pair.server, pieces, 10, &count), Q_OK);
    assert_int_equal(count, 100);
    assert_int_equal(recv(pair.client_fd, wire, sizeof(wire), MSG_PEEK), 100 + 22); /* TLS 1.3: 5 + 1 + 16 */
    assert_int_equal(tls_channel_read(&pair.client, wire, sizeof(wire), &count), Q_OK);
    assert_int_equal(count, 100);
    for (size_t i = 0; i < 10; i++)
        assert_memory_equal(wire + 10 * i, payload, 10);
    tls_pair_fini(&pair);
}

static void pieces_larger_than_a_record_arrive_whole(void **state)
{
    static char big[40000];
    static char got[50000];
    struct iovec pieces[3] = {{(void *)"head", 4}, {big, sizeof(big)}, {(void *)"tail", 4}};
    size_t sent = 0, received = 0, count;
    struct tls_pair pair;
    enum q_err end;

    (void)state;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7);
    connect_pair(&pair);
    while (sent < 40008) {
        struct iovec rest[3];
        size_t skip_bytes = sent, n = 0;

        for (size_t i = 0; i < 3; i++) {
            size_t skip_here = skip_bytes < pieces[i].iov_len ? skip_bytes : pieces[i].iov_len;

            skip_bytes -= skip_here;
            if (pieces[i].iov_len > skip_here)
                rest[n++] =
                    (struct iovec){(char *)pieces[i].iov_base + skip_here, pieces[i].iov_len - skip_here};
        }
        assert_int_equal(tls_channel_writev(&pair.client, rest, n, &count), Q_OK);
        sent += count;
        received += tls_pair_read_all(&pair.server, got + received, sizeof(got) - received, &end);
    }
    assert_int_equal(received, 40008);
    assert_memory_equal(got, "head", 4);
    assert_memory_equal(got + 4, big, sizeof(big));
    assert_memory_equal(got + 40004, "tail", 4);
    tls_pair_fini(&pair);
}

/* The peer does not read: the writer is told, keeps its bytes, and nothing is lost or repeated later. */
static void a_peer_that_never_reads_only_blocks_itself(void **state)
{
    static unsigned char sent[8 << 20], got[8 << 20];
    size_t total = 0, received = 0, count;
    struct tls_pair pair;
    enum q_err err, end;
    int small = 4096;

    (void)state;
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (unsigned char)(i ^ (i >> 8) ^ (i >> 16));
    connect_pair(&pair);
    setsockopt(pair.server_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    while ((err = tls_channel_write(&pair.server, sent + total, 1000, &count)) == Q_OK) {
        total += count;
        assert_true(total + 4000 < sizeof(sent));
    }
    assert_int_equal(err, Q_ERR_AGAIN);
    assert_int_equal(tls_channel_want(&pair.server), TLS_WANT_WRITE);
    assert_int_equal(tls_channel_write(&pair.server, sent + total, 1000, &count), Q_ERR_AGAIN);
    /* By now more is queued behind it. */
    assert_int_equal(tls_channel_write(&pair.server, sent + total, 3000, &count), Q_ERR_AGAIN);
    received = tls_pair_read_all(&pair.client, (char *)got, sizeof(got), &end);
    assert_int_equal(end, Q_ERR_AGAIN);
    for (size_t goal = total + 3000; total < goal; total += count)
        assert_int_equal(tls_channel_write(&pair.server, sent + total, goal - total, &count), Q_OK);
    received += tls_pair_read_all(&pair.client, (char *)got + received, sizeof(got) - received, &end);
    assert_int_equal(received, total);
    assert_memory_equal(got, sent, total);
    tls_pair_fini(&pair);
}

static void reading_goes_on_while_writing_is_blocked(void **state)
{
    static const char block[4096];
    struct tls_pair pair;
    size_t count;

    (void)state;
    connect_pair(&pair);
    while (tls_channel_write(&pair.server, block, sizeof(block), &count) == Q_OK)
        ;
    tls_pair_write(&pair.client, "still here", 10);
    expect_text(&pair.server, "still here");
    tls_pair_fini(&pair);
}

/* --- Reading -------------------------------------------------------------------------------------- */

static void what_a_small_read_leaves_is_pending(void **state)
{
    char buf[4];
    struct tls_pair pair;
    size_t count;

    (void)state;
    connect_pair(&pair);
    tls_pair_write(&pair.client, "abcdef", 6);
    assert_false(tls_channel_pending(&pair.server));
    assert_int_equal(tls_channel_read(&pair.server, buf, 4, &count), Q_OK);
    assert_int_equal(count, 4);
    assert_int_equal(recv(pair.server_fd, buf, 1, MSG_PEEK), -1); /* nothing for epoll to tell */
    assert_true(tls_channel_pending(&pair.server));
    assert_int_equal(tls_channel_read(&pair.server, buf, 4, &count), Q_OK);
    assert_memory_equal(buf, "ef", 2);
    assert_false(tls_channel_pending(&pair.server));
    tls_pair_fini(&pair);
}

static void a_record_read_along_with_another_is_pending(void **state)
{
    char buf[16];
    struct tls_pair pair;
    size_t count;

    (void)state;
    connect_pair(&pair);
    tls_pair_write(&pair.client, "one", 3);
    tls_pair_write(&pair.client, "two", 3);
    assert_int_equal(tls_channel_read(&pair.server, buf, sizeof(buf), &count), Q_OK);
    assert_int_equal(count, 3);
    assert_int_equal(recv(pair.server_fd, buf, 1, MSG_PEEK), -1); /* nothing for epoll to tell */
    assert_true(tls_channel_pending(&pair.server));
    assert_int_equal(tls_channel_read(&pair.server, buf, sizeof(buf), &count), Q_OK);
    assert_memory_equal(buf, "two", 3);
    assert_false(tls_channel_pending(&pair.server));
    tls_pair_fini(&pair);
}

/* --- Ends ----------------------------------------------------------------------------------------- */

static void goodbye_is_told_from_silence_and_reset(void **state)
{
    struct tls_channel server, client;
    struct tls_pair pair;
    int one, other;
    size_t count;
    char buf[8];

    (void)state;
    connect_pair(&pair);
    tls_pair_write(&pair.client, "last", 4);
    tls_channel_shutdown(&pair.client);
    assert_int_equal(tls_channel_read(&pair.server, buf, 8, &count), Q_OK); /* what came before counts */
    assert_int_equal(tls_channel_read(&pair.server, buf, 8, &count), Q_ERR_CLOSED);
    assert_int_equal(tls_channel_end(&pair.server), TLS_END_CLEAN);
    assert_string_equal(tls_channel_version(&pair.server), "TLSv1.3");
    tls_channel_shutdown(&pair.server);
    assert_int_equal(ERR_peek_error(), 0);
    tls_pair_fini(&pair);

    connect_pair(&pair);
    shutdown(pair.client_fd, SHUT_WR);
    assert_int_equal(tls_channel_read(&pair.server, buf, 8, &count), Q_ERR_CLOSED);
    assert_int_equal(tls_channel_end(&pair.server), TLS_END_EOF);
    assert_int_equal(tls_channel_read(&pair.server, buf, 8, &count), Q_ERR_CLOSED);
    tls_pair_fini(&pair);

    tcp_sockets(&one, &other);
    tls_channel_init(&server, one);
    tls_channel_init(&client, other);
    assert_int_equal(tls_channel_start(&server, server_creds), Q_OK);
    assert_int_equal(tls_channel_start(&client, client_creds), Q_OK);
    assert_int_equal(tls_channel_handshake(&client), Q_ERR_AGAIN);
    assert_int_equal(tls_channel_handshake(&server), Q_ERR_AGAIN);
    assert_int_equal(tls_channel_handshake(&client), Q_OK);
    assert_int_equal(tls_channel_handshake(&server), Q_OK);
    tls_channel_fini(&client);
    close_with_reset(other);
    assert_int_equal(tls_channel_read(&server, buf, 8, &count), Q_ERR_CLOSED);
    assert_int_equal(tls_channel_end(&server), TLS_END_RESET);
    tls_channel_fini(&server);
    close(one);
}

/* A goodbye may lie unread when writing fails: it must not be lost, a vote depends on it. */
static void what_a_peer_said_before_it_went_is_read_after_a_failed_write(void **state)
{
    struct tls_pair pair;
    enum q_err end;
    size_t count;
    char buf[8];

    (void)state;
    connect_pair(&pair);
    tls_pair_write(&pair.client, "last", 4);
    tls_channel_shutdown(&pair.client);
    close(pair.client_fd);
    assert_int_equal(tls_channel_write(&pair.server, "x", 1, &count), Q_ERR_AGAIN);
    assert_int_equal(tls_channel_write(&pair.server, "x", 1, &count), Q_ERR_AGAIN);
    assert_int_equal(tls_pair_read_all(&pair.server, buf, sizeof(buf), &end), 4);
    assert_memory_equal(buf, "last", 4);
    assert_int_equal(end, Q_ERR_CLOSED);
    assert_int_equal(tls_channel_end(&pair.server), TLS_END_CLEAN);
    tls_channel_shutdown(&pair.server);
    pair.client_fd = dup(pair.server_fd);
    tls_pair_fini(&pair);
}

static void a_peer_that_goes_without_a_word_is_an_end_after_a_failed_write(void **state)
{
    struct tls_pair pair;
    size_t count;
    char buf[8];

    (void)state;
    connect_pair(&pair);
    close(pair.client_fd);
    assert_int_equal(tls_channel_write(&pair.server, "x", 1, &count), Q_ERR_AGAIN);
    assert_int_equal(tls_channel_read(&pair.server, buf, 8, &count), Q_ERR_CLOSED);
    assert_int_equal(tls_channel_end(&pair.server), TLS_END_EOF);
    pair.client_fd = dup(pair.server_fd);
    tls_pair_fini(&pair);
}

static void a_peer_that_goes_during_the_handshake_is_an_end(void **state)
{
    struct tls_pair pair;

    (void)state;
    tls_pair_init(&pair, server_creds, client_creds);
    assert_int_equal(tls_channel_handshake(&pair.client), Q_ERR_AGAIN);
    assert_int_equal(tls_channel_handshake(&pair.server), Q_ERR_AGAIN);
    shutdown(pair.client_fd, SHUT_WR);
    assert_int_equal(tls_channel_handshake(&pair.server), Q_ERR_CLOSED);
    assert_int_equal(tls_channel_end(&pair.server), TLS_END_EOF);
    assert_non_null(strstr(tls_channel_error(&pair.server), "during the TLS handshake"));
    tls_pair_fini(&pair);
}

static void damaged_records_are_refused(void **state)
{
    struct tls_pair pair;
    char wire[256];
    ssize_t size;
    size_t count;

    (void)state;
    connect_pair(&pair);
    tls_pair_write(&pair.client, "hello", 5);
    size = recv(pair.server_fd, wire, sizeof(wire), 0);
    assert_true(size > 0);
    wire[size - 1] ^= 1;
    assert_int_equal(send(pair.client_fd, wire, (size_t)size, 0), size);
    assert_int_equal(tls_channel_read(&pair.server, wire, sizeof(wire), &count), Q_ERR_INVALID);
    assert_int_equal(tls_channel_end(&pair.server), TLS_END_REFUSED);
    assert_string_not_equal(tls_channel_error(&pair.server), "");
    assert_int_equal(ERR_peek_error(), 0);
    tls_pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_passes),
        cmocka_unit_test(plain_text_resets_and_broken_pipes_are_ends),
        cmocka_unit_test(plain_text_back_pressure_is_told),
        cmocka_unit_test(tls_carries_data_both_ways),
        cmocka_unit_test(a_client_hello_in_the_starttls_segment_is_taken),
        cmocka_unit_test(data_in_the_flight_of_the_finished_message_is_read),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(plain_text_instead_of_a_handshake_fails_at_the_first_byte),
        cmocka_unit_test(garbage_that_begins_like_a_handshake_is_refused),
        cmocka_unit_test(small_pieces_leave_in_one_record),
        cmocka_unit_test(pieces_larger_than_a_record_arrive_whole),
        cmocka_unit_test(a_peer_that_never_reads_only_blocks_itself),
        cmocka_unit_test(reading_goes_on_while_writing_is_blocked),
        cmocka_unit_test(what_a_small_read_leaves_is_pending),
        cmocka_unit_test(a_record_read_along_with_another_is_pending),
        cmocka_unit_test(goodbye_is_told_from_silence_and_reset),
        cmocka_unit_test(what_a_peer_said_before_it_went_is_read_after_a_failed_write),
        cmocka_unit_test(a_peer_that_goes_without_a_word_is_an_end_after_a_failed_write),
        cmocka_unit_test(a_peer_that_goes_during_the_handshake_is_an_end),
        cmocka_unit_test(damaged_records_are_refused),
    };

    return cmocka_run_group_tests_name("tls_channel", tests, make_credentials, drop_credentials);
}
