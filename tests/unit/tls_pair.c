/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/tls_pair.h"

/* Flights of the longest handshake, and then some. */
#define ROUNDS_MAX 50

void tls_pair_sockets(int *one, int *other)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    *one = fds[0];
    *other = fds[1];
}

void tls_pair_init(struct tls_pair *pair, struct tls_credentials *server, struct tls_credentials *client)
{
    tls_pair_sockets(&pair->server_fd, &pair->client_fd);
    tls_channel_init(&pair->server, pair->server_fd);
    tls_channel_init(&pair->client, pair->client_fd);
    pair->server_err = server != NULL ? Q_ERR_AGAIN : Q_OK;
    pair->client_err = client != NULL ? Q_ERR_AGAIN : Q_OK;
    if (server != NULL)
        assert_int_equal(tls_channel_start(&pair->server, server), Q_OK);
    if (client != NULL)
        assert_int_equal(tls_channel_start(&pair->client, client), Q_OK);
}

enum q_err tls_pair_handshake(struct tls_pair *pair)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        if (pair->client_err == Q_ERR_AGAIN)
            pair->client_err = tls_channel_handshake(&pair->client);
        if (pair->server_err == Q_ERR_AGAIN)
            pair->server_err = tls_channel_handshake(&pair->server);
        /* A side that gave up hangs up. */
        if (pair->server_err != Q_OK && pair->server_err != Q_ERR_AGAIN)
            shutdown(pair->server_fd, SHUT_WR);
        if (pair->client_err != Q_OK && pair->client_err != Q_ERR_AGAIN)
            shutdown(pair->client_fd, SHUT_WR);
        if (pair->server_err != Q_ERR_AGAIN && pair->client_err != Q_ERR_AGAIN)
            break;
    }
    return pair->server_err != Q_OK ? pair->server_err : pair->client_err;
}

size_t tls_pair_read_all(struct tls_channel *ch, char *buf, size_t size, enum q_err *end)
{
    size_t used = 0;
    size_t count;

    do {
        *end = tls_channel_read(ch, buf + used, size - used, &count);
        used += count;
    } while (*end == Q_OK && used < size);
    return used;
}

void tls_pair_write(struct tls_channel *ch, const void *buf, size_t size)
{
    const char *at = buf;
    size_t count;

    while (size > 0) {
        assert_int_equal(tls_channel_write(ch, at, size, &count), Q_OK);
        at += count;
        size -= count;
    }
}

void tls_pair_fini(struct tls_pair *pair)
{
    tls_channel_fini(&pair->server);
    tls_channel_fini(&pair->client);
    close(pair->server_fd);
    close(pair->client_fd);
}
