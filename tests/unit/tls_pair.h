/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two channels over a socketpair, driven by hand in one thread: what every test of the TLS channel starts
 * from. The pair owns the descriptors; credentials stay the test's.
 */
#ifndef QUORATE_TESTS_UNIT_TLS_PAIR_H
#define QUORATE_TESTS_UNIT_TLS_PAIR_H

#include "common/tls/channel.h"
#include "common/tls/credentials.h"

struct tls_pair {
    int server_fd;
    int client_fd;
    struct tls_channel server;
    struct tls_channel client;
    enum q_err server_err; /* of the handshake */
    enum q_err client_err;
};

/* Two connected non-blocking stream sockets. */
void tls_pair_sockets(int *one, int *other);

/* Connect and start TLS on both ends; a NULL end stays plain. */
void tls_pair_init(struct tls_pair *pair, struct tls_credentials *server, struct tls_credentials *client);

/*
 * Drive both handshakes until both are over. Q_OK if both succeeded, else the server's error if it has
 * one, else the client's; a handshake that stands still gives Q_ERR_AGAIN.
 */
enum q_err tls_pair_handshake(struct tls_pair *pair);

/* Everything that can be read now, up to size; returns the bytes and the code that ended it. */
size_t tls_pair_read_all(struct tls_channel *ch, char *buf, size_t size, enum q_err *end);

/* Write all of it; the test fails if it does not fit. */
void tls_pair_write(struct tls_channel *ch, const void *buf, size_t size);

void tls_pair_fini(struct tls_pair *pair);

#endif
