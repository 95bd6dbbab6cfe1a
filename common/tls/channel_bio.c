/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/channel_bio.h"

#include <errno.h>
#include <sys/socket.h>

#include <openssl/bio.h>

/* A type of our own, outside the numbers OpenSSL has given out. */
#define BIO_TYPE_CHANNEL (120 | BIO_TYPE_SOURCE_SINK)

#define RECORD_TYPE_ALERT 0x15
#define RECORD_TYPE_HANDSHAKE 0x16

/* The very first byte tells TLS from anything else; OpenSSL itself would wait for five. */
static bool begins_tls(const struct tls_channel *ch, unsigned char first)
{
    return first == RECORD_TYPE_HANDSHAKE || (first == RECORD_TYPE_ALERT && !SSL_is_server(ch->ssl));
}

static int on_read(BIO *bio, char *buf, size_t size, size_t *count)
{
    struct tls_channel *ch = BIO_get_data(bio);
    ssize_t n;

    BIO_clear_retry_flags(bio);
    *count = 0;
    if (ch->reads_left == 0) {
        ch->cut_short = true;
        ch->would_block = true;
        BIO_set_retry_read(bio);
        return 0;
    }
    ch->reads_left--;
    do {
        n = recv(ch->fd, buf, size, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            ch->would_block = true;
            ch->drained = true;
            BIO_set_retry_read(bio);
        } else {
            ch->socket_errno = errno;
        }
        return 0;
    }
    ch->drained = false;
    if (n == 0) {
        ch->eof = true;
        return 0;
    }
    if (!ch->first_byte_seen) {
        ch->first_byte_seen = true;
        if (!begins_tls(ch, (unsigned char)buf[0])) {
            ch->not_tls = true;
            return 0;
        }
    }
    *count = (size_t)n;
    return 1;
}

/*
 * A peer that has said goodbye and gone breaks the next write, while the goodbye still lies unread in the socket. So once
 * the channel is secure a broken connection only stops writing: reading on gives what was said, and then the end.
 */
static bool only_stops_writing(const struct tls_channel *ch, int reason)
{
    return tls_channel_state(ch) == TLS_CHANNEL_SECURE && (reason == EPIPE || reason == ECONNRESET);
}

static int on_write(BIO *bio, const char *buf, size_t size, size_t *count)
{
    struct tls_channel *ch = BIO_get_data(bio);
    ssize_t n;

    BIO_clear_retry_flags(bio);
    *count = 0;
    do {
        n = send(ch->fd, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        ch->send_broken = ch->send_broken || only_stops_writing(ch, errno);
        if (errno == EAGAIN || errno == EWOULDBLOCK || ch->send_broken) {
            ch->would_block = true;
            BIO_set_retry_write(bio);
        } else {
            ch->socket_errno = errno;
        }
        return 0;
    }
    *count = (size_t)n;
    return 1;
}

static long on_ctrl(BIO *bio, int command, long number, void *pointer)
{
    const struct tls_channel *ch = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
        return 1;
    case BIO_CTRL_EOF:
        return ch->eof;
    default:
        return 0;
    }
}

BIO_METHOD *tls_bio_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_CHANNEL, "channel socket");

    if (method == NULL)
        return NULL;
    if (!BIO_meth_set_read_ex(method, on_read) || !BIO_meth_set_write_ex(method, on_write) ||
        !BIO_meth_set_ctrl(method, on_ctrl)) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

BIO *tls_bio_new(const BIO_METHOD *method, struct tls_channel *ch)
{
    BIO *bio = BIO_new(method);

    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, ch);
    BIO_set_init(bio, 1);
    return bio;
}

struct tls_channel *tls_bio_channel(const SSL *ssl)
{
    return BIO_get_data(SSL_get_rbio(ssl));
}
