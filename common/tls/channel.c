/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/tls/channel_bio.h"
#include "common/tls/credentials_internal.h"
#include "common/tls/peer_names.h"

/* The most a TLS record can carry. */
#define RECORD_SIZE_MAX 16384

/* Records a peer may send in a row that carry no data (key updates and the like). */
#define IDLE_RECORDS_MAX 32

/*
 * How often one call reads from the socket, and how many such calls a handshake may take: OpenSSL itself takes in all
 * that has come, and a hello in records of one byte each keeps it busy for a tenth of a second.
 */
#define READS_PER_CALL 64
#define HANDSHAKE_CUTS_MAX 300

#define PLAIN_IOV_MAX 64

/* --- Failure and end ------------------------------------------------------------------------------ */

void tls_channel_explain(struct tls_channel *ch, const char *format, ...)
{
    va_list args;

    if (ch->error != NULL)
        return;
    va_start(args, format);
    if (vasprintf(&ch->error, format, args) < 0)
        ch->error = NULL;
    va_end(args);
}

/* What every call on a dead channel returns. */
static enum q_err dead_err(const struct tls_channel *ch)
{
    switch ((enum tls_end)ch->end) {
    case TLS_END_CLEAN:
    case TLS_END_EOF:
    case TLS_END_RESET:
        return Q_ERR_CLOSED;
    case TLS_END_REFUSED:
        return Q_ERR_INVALID;
    case TLS_END_NONE:
        break;
    }
    return Q_ERR_IO;
}

static enum q_err die(struct tls_channel *ch, enum tls_end end)
{
    ch->state = TLS_CHANNEL_DEAD;
    ch->want = TLS_WANT_NOTHING;
    ch->end = end;
    ERR_clear_error();
    return dead_err(ch);
}

static enum q_err die_of_socket(struct tls_channel *ch, int reason)
{
    switch (reason) {
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNABORTED:
        tls_channel_explain(ch, "the connection broke: %s", strerror(reason));
        return die(ch, TLS_END_RESET);
    default:
        tls_channel_explain(ch, "the socket failed: %s", strerror(reason));
        return die(ch, TLS_END_NONE);
    }
}

static enum q_err die_of_tls(struct tls_channel *ch)
{
    const char *phase = ch->state == TLS_CHANNEL_HANDSHAKE ? "TLS handshake failed" : "TLS failed";

    if (ch->alert_in != TLS_ALERT_NONE)
        tls_channel_explain(ch, "%s: the peer refused with alert \"%s\"", phase,
                            SSL_alert_desc_string_long(ch->alert_in));
    else
        tls_channel_explain(ch, "%s: %s", phase, tls_openssl_reason());
    return die(ch, TLS_END_REFUSED);
}

/* After an OpenSSL call that neither succeeded nor asked to wait. */
static enum q_err die_of_ssl(struct tls_channel *ch, int ssl_error)
{
    if (ssl_error == SSL_ERROR_ZERO_RETURN) {
        tls_channel_explain(ch, "the peer closed the connection");
        return die(ch, TLS_END_CLEAN);
    }
    if (ch->not_tls) {
        tls_channel_explain(ch, "TLS handshake failed: the peer sent plain text where TLS has to begin");
        return die(ch, TLS_END_REFUSED);
    }
    /* What TLS found wrong comes first: a peer that refuses us often resets the connection as well. */
    if (ssl_error == SSL_ERROR_SSL && !ch->eof && ch->socket_errno == 0)
        return die_of_tls(ch);
    if (ch->alert_in != TLS_ALERT_NONE)
        return die_of_tls(ch);
    if (ch->socket_errno != 0)
        return die_of_socket(ch, ch->socket_errno);
    if (ch->eof) {
        tls_channel_explain(ch, ch->state == TLS_CHANNEL_HANDSHAKE
                                    ? "the peer closed the connection during the TLS handshake"
                                    : "the peer closed the connection without saying goodbye (close_notify)");
        return die(ch, TLS_END_EOF);
    }
    return die_of_tls(ch);
}

/*
 * Sort out an OpenSSL call that returned failure. Q_OK: it stopped only because it took in a record
 * without data; call it again.
 */
static enum q_err sort_out(struct tls_channel *ch, int result)
{
    int ssl_error = SSL_get_error(ch->ssl, result);

    switch (ssl_error) {
    case SSL_ERROR_WANT_READ:
        ch->want = TLS_WANT_READ;
        break;
    case SSL_ERROR_WANT_WRITE:
        ch->want = TLS_WANT_WRITE;
        break;
    default:
        return die_of_ssl(ch, ssl_error);
    }
    if (ch->would_block)
        return Q_ERR_AGAIN;
    if (++ch->idle_records <= IDLE_RECORDS_MAX)
        return Q_OK;
    tls_channel_explain(ch, "TLS failed: the peer sends nothing but TLS control records");
    return die(ch, TLS_END_REFUSED);
}

static void begin_call(struct tls_channel *ch)
{
    ch->want = TLS_WANT_NOTHING;
    ch->would_block = false;
    ch->reads_left = READS_PER_CALL;
    ch->cut_short = false;
    ch->socket_errno = 0;
    ERR_clear_error();
}

/* --- Life ----------------------------------------------------------------------------------------- */

void tls_channel_init(struct tls_channel *ch, int fd)
{
    assert(fd >= 0);
    *ch = (struct tls_channel){
        .fd = fd, .state = TLS_CHANNEL_PLAIN, .alert_in = TLS_ALERT_NONE, .alert_out = TLS_ALERT_NONE};
}

/* Notes alerts, which OpenSSL reports in no other way. */
static void on_info(const SSL *ssl, int where, int value)
{
    struct tls_channel *ch;
    int alert = value & 0xff;

    if ((where & SSL_CB_ALERT) == 0 || alert == SSL_AD_CLOSE_NOTIFY)
        return;
    ch = tls_bio_channel(ssl);
    if ((where & SSL_CB_READ) != 0)
        ch->alert_in = (uint8_t)alert;
    else
        ch->alert_out = (uint8_t)alert;
}

enum q_err tls_channel_start(struct tls_channel *ch, struct tls_credentials *creds)
{
    BIO *bio;

    assert(ch->state == TLS_CHANNEL_PLAIN && ch->ssl == NULL);
    ERR_clear_error();
    ch->ssl = SSL_new(creds->ctx);
    bio = tls_bio_new(creds->socket_method, ch);
    if (ch->ssl == NULL || bio == NULL) {
        BIO_free(bio);
        goto no_memory;
    }
    SSL_set_bio(ch->ssl, bio, bio);
    SSL_set_info_callback(ch->ssl, on_info);
    if (creds->role == TLS_ROLE_SERVER) {
        SSL_set_accept_state(ch->ssl);
    } else {
        /* OpenSSL checks no syntax here, so the space in "Qnetd Server" goes out as packaged peers do it. */
        if (SSL_set_tlsext_host_name(ch->ssl, creds->peer_name) != 1)
            goto no_memory;
        SSL_set_connect_state(ch->ssl);
    }
    ch->creds = tls_credentials_ref(creds);
    ch->state = TLS_CHANNEL_HANDSHAKE;
    return Q_OK;

no_memory:
    SSL_free(ch->ssl);
    ch->ssl = NULL;
    ERR_clear_error();
    tls_channel_explain(ch, "out of memory");
    ch->state = TLS_CHANNEL_DEAD;
    return Q_ERR_NO_MEMORY;
}

/* Take the names out of the peer's certificate. */
static enum q_err note_peer(struct tls_channel *ch)
{
    const X509 *cert = SSL_get0_peer_certificate(ch->ssl);
    char reason[128];
    enum q_err err;

    if (cert == NULL)
        return Q_OK;
    err = tls_peer_names_new(cert, &ch->peer, reason, sizeof(reason));
    if (err == Q_OK)
        return Q_OK;
    tls_channel_explain(ch, "the peer's certificate is refused: %s", reason);
    return die(ch, err == Q_ERR_INVALID ? TLS_END_REFUSED : TLS_END_NONE);
}

/* Empty a key that belongs to one connection alone; OpenSSL clears what it frees. NULL is allowed. */
static void empty_key(EVP_PKEY *key)
{
    if (key != NULL)
        (void)EVP_PKEY_set_type(key, EVP_PKEY_RSA);
}

/* Leave of a certificate, which must not be shared, what costs nothing to keep. */
static void empty_certificate(X509 *cert)
{
    X509_NAME *nobody = X509_NAME_new();

    empty_key(X509_get0_pubkey(cert));
    ASN1_STRING_set0(X509_get0_pubkey_bitstr(cert), NULL, 0);
    if (nobody != NULL) {
        (void)X509_set_subject_name(cert, nobody);
        (void)X509_set_issuer_name(cert, nobody);
    }
    X509_NAME_free(nobody);
}

/*
 * OpenSSL keeps the keys of the handshake and the peer's certificate for the life of the connection: both
 * sides' ephemeral keys, the certificate's key, its names. Nothing will use them again, since there is
 * neither renegotiation nor authentication after the handshake. They go: 2.5 of 19 KiB, and secrets that
 * do not lie around.
 */
static void forget_handshake(struct tls_channel *ch)
{
    X509 *cert = SSL_get0_peer_certificate(ch->ssl);
    EVP_PKEY *key = NULL;

    if (cert != NULL)
        empty_certificate(cert);
    if (SSL_get_tmp_key(ch->ssl, &key) == 1) {
        empty_key(key);
        EVP_PKEY_free(key);
    }
    if (SSL_get_peer_tmp_key(ch->ssl, &key) == 1) {
        empty_key(key);
        EVP_PKEY_free(key);
    }
    ERR_clear_error();
}

enum q_err tls_channel_handshake(struct tls_channel *ch)
{
    enum q_err err;
    int result;

    if (ch->state == TLS_CHANNEL_DEAD)
        return dead_err(ch);
    assert(ch->state == TLS_CHANNEL_HANDSHAKE);
    do {
        begin_call(ch);
        result = SSL_do_handshake(ch->ssl);
        err = result == 1 ? Q_OK : sort_out(ch, result);
    } while (result != 1 && err == Q_OK);
    if (err == Q_ERR_AGAIN && ch->cut_short && ++ch->cut_count > HANDSHAKE_CUTS_MAX) {
        tls_channel_explain(ch, "TLS handshake failed: the peer sends it in too many pieces");
        return die(ch, TLS_END_REFUSED);
    }
    if (err != Q_OK)
        return err;
    err = note_peer(ch);
    if (err != Q_OK)
        return err;
    forget_handshake(ch);
    SSL_set_read_ahead(ch->ssl, 1); /* one read for a record, where its header and the rest would be two */
    ch->state = TLS_CHANNEL_SECURE;
    ch->handshake_done = true;
    ch->idle_records = 0;
    return Q_OK;
}

void tls_channel_shutdown(struct tls_channel *ch)
{
    if (ch->state != TLS_CHANNEL_SECURE && !(ch->state == TLS_CHANNEL_DEAD && ch->end == TLS_END_CLEAN))
        return;
    if (ch->ssl == NULL)
        return;
    begin_call(ch);
    (void)SSL_shutdown(ch->ssl);
    ERR_clear_error();
}

void tls_channel_fini(struct tls_channel *ch)
{
    SSL_free(ch->ssl);
    ch->ssl = NULL;
    tls_credentials_unref(ch->creds);
    ch->creds = NULL;
    tls_peer_names_free(ch->peer);
    ch->peer = NULL;
    free(ch->error);
    ch->error = NULL;
    ch->state = TLS_CHANNEL_DEAD;
}

/* --- Data ----------------------------------------------------------------------------------------- */

static enum q_err plain_read(struct tls_channel *ch, void *buf, size_t size, size_t *count)
{
    ssize_t n;

    do {
        n = recv(ch->fd, buf, size, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        *count = (size_t)n;
        return Q_OK;
    }
    if (n == 0) {
        ch->eof = true;
        tls_channel_explain(ch, "the peer closed the connection");
        return die(ch, TLS_END_CLEAN);
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return die_of_socket(ch, errno);
    ch->want = TLS_WANT_READ;
    return Q_ERR_AGAIN;
}

enum q_err tls_channel_read(struct tls_channel *ch, void *buf, size_t size, size_t *count)
{
    enum q_err err;

    assert(size > 0 && ch->state != TLS_CHANNEL_HANDSHAKE);
    *count = 0;
    if (ch->state == TLS_CHANNEL_DEAD)
        return dead_err(ch);
    if (ch->state == TLS_CHANNEL_PLAIN) {
        ch->want = TLS_WANT_NOTHING;
        return plain_read(ch, buf, size, count);
    }
    do {
        int result;

        begin_call(ch);
        result = SSL_read_ex(ch->ssl, buf, size, count);
        if (result == 1) {
            ch->idle_records = 0;
            return Q_OK;
        }
        err = sort_out(ch, result);
    } while (err == Q_OK);
    /* TLS wants to answer the peer before it reads on, and never can. */
    if (err == Q_ERR_AGAIN && ch->want == TLS_WANT_WRITE && ch->send_broken)
        return die_of_socket(ch, EPIPE);
    return err;
}

static enum q_err plain_writev(struct tls_channel *ch, const struct iovec *iov, size_t iov_count,
                               size_t *count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)iov,
                             .msg_iovlen = iov_count < PLAIN_IOV_MAX ? iov_count : PLAIN_IOV_MAX};
    ssize_t n;

    do {
        n = sendmsg(ch->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) {
        *count = (size_t)n;
        return Q_OK;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return die_of_socket(ch, errno);
    ch->want = TLS_WANT_WRITE;
    return Q_ERR_AGAIN;
}

static enum q_err secure_write(struct tls_channel *ch, const void *buf, size_t size, size_t *count)
{
    enum q_err err;

    if (size > RECORD_SIZE_MAX)
        size = RECORD_SIZE_MAX;
    /* OpenSSL has sealed a record of these bytes and sent part of it. */
    assert(size >= ch->write_offered);
    do {
        int result;

        begin_call(ch);
        result = SSL_write_ex(ch->ssl, buf, size, count);
        if (result == 1) {
            ch->write_offered = 0;
            return Q_OK;
        }
        err = sort_out(ch, result);
    } while (err == Q_OK);
    if (err == Q_ERR_AGAIN && ch->write_offered == 0)
        ch->write_offered = (uint32_t)size;
    return err;
}

enum q_err tls_channel_write(struct tls_channel *ch, const void *buf, size_t size, size_t *count)
{
    struct iovec iov = {.iov_base = (void *)buf, .iov_len = size};

    return tls_channel_writev(ch, &iov, 1, count);
}

/* Copy the first pieces into one record's worth of bytes. */
static size_t gather(const struct iovec *iov, size_t iov_count, char record[RECORD_SIZE_MAX])
{
    size_t used = 0;

    for (size_t i = 0; i < iov_count && used < RECORD_SIZE_MAX; i++) {
        size_t size = iov[i].iov_len;

        if (size > RECORD_SIZE_MAX - used)
            size = RECORD_SIZE_MAX - used;
        if (size > 0)
            memcpy(record + used, iov[i].iov_base, size);
        used += size;
    }
    return used;
}

enum q_err tls_channel_writev(struct tls_channel *ch, const struct iovec *iov, size_t iov_count,
                              size_t *count)
{
    char record[RECORD_SIZE_MAX];

    assert(iov_count > 0 && ch->state != TLS_CHANNEL_HANDSHAKE);
    *count = 0;
    if (ch->state == TLS_CHANNEL_DEAD)
        return dead_err(ch);
    ch->want = TLS_WANT_NOTHING;
    if (ch->state == TLS_CHANNEL_PLAIN)
        return plain_writev(ch, iov, iov_count, count);
    if (iov_count == 1 || iov[0].iov_len >= RECORD_SIZE_MAX)
        return secure_write(ch, iov[0].iov_base, iov[0].iov_len, count);
    return secure_write(ch, record, gather(iov, iov_count, record), count);
}

/* --- Questions ------------------------------------------------------------------------------------ */

bool tls_channel_pending(const struct tls_channel *ch)
{
    if (ch->state != TLS_CHANNEL_SECURE)
        return false;
    return SSL_pending(ch->ssl) > 0 || (SSL_has_pending(ch->ssl) && !ch->drained);
}

enum tls_want tls_channel_want(const struct tls_channel *ch)
{
    return (enum tls_want)ch->want;
}

enum tls_channel_state tls_channel_state(const struct tls_channel *ch)
{
    return (enum tls_channel_state)ch->state;
}

enum tls_end tls_channel_end(const struct tls_channel *ch)
{
    return (enum tls_end)ch->end;
}

const char *tls_channel_error(const struct tls_channel *ch)
{
    return ch->error != NULL ? ch->error : "";
}

const struct tls_peer_names *tls_channel_peer(const struct tls_channel *ch)
{
    return ch->peer;
}

const char *tls_channel_version(const struct tls_channel *ch)
{
    return ch->ssl != NULL && ch->handshake_done ? SSL_get_version(ch->ssl) : "";
}
