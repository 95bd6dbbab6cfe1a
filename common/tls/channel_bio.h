/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam between OpenSSL and a channel's socket: a BIO that sends without SIGPIPE, notes on the
 * channel why the socket gave nothing (would block, end, error), and looks at the first byte after
 * STARTTLS, plus the way back from an SSL object to its channel. Used by channel.c and verify.c only.
 */
#ifndef QUORATE_COMMON_TLS_CHANNEL_BIO_H
#define QUORATE_COMMON_TLS_CHANNEL_BIO_H

#include <openssl/ssl.h>

#include "common/tls/channel.h"

/* The method for tls_bio_new; freed with BIO_meth_free after the last BIO of it. NULL: no memory. */
BIO_METHOD *tls_bio_method_new(void);

/* A BIO on ch, which outlives it. NULL: no memory. */
BIO *tls_bio_new(const BIO_METHOD *method, struct tls_channel *ch);

/* The channel of an SSL object that reads from a BIO of tls_bio_new. */
struct tls_channel *tls_bio_channel(const SSL *ssl);

/* Set the channel's error text unless it has one: the first explanation is the cause. */
void tls_channel_explain(struct tls_channel *ch, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
