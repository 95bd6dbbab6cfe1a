/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Own certificate, private key and trusted authorities, ready for handshakes, in one immutable object
 * with a reference count. A program loads it at its start and again when told to reload; a failed load
 * leaves no trace, so the caller simply goes on with the object it has, and every channel keeps the one
 * it was started with. Credentials come from an existing NSS database, which is only read, or from PEM
 * files. Besides the ready TLS context the object holds the facts that status and log show. One thread.
 */
#ifndef QUORATE_COMMON_TLS_CREDENTIALS_H
#define QUORATE_COMMON_TLS_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "common/err.h"

/* Enough for any text that tls_credentials_load writes, file names of the usual length included. */
#define TLS_CREDENTIALS_ERR_SIZE 1024

enum tls_role {
    TLS_ROLE_SERVER, /* the arbiter: answers handshakes, may ask for a client certificate */
    TLS_ROLE_CLIENT  /* the device: begins handshakes, checks the name in the server's certificate */
};

enum tls_source_kind { TLS_SOURCE_NSS, TLS_SOURCE_PEM };

struct tls_source_nss {
    const char *dir;           /* database directory, cert9.db/key4.db or the older cert8.db/key3.db */
    const char *nickname;      /* of the own certificate, for instance "QNetd Cert" */
    const char *password_file; /* NULL: the database has an empty password */
};

struct tls_source_pem {
    const char *cert_file; /* own certificate first, then intermediate authorities */
    const char *key_file;  /* unencrypted private key */
    const char *ca_file;   /* one or more trusted authorities */
};

/* Where to load from, and how strict. All strings are only borrowed for the call. */
struct tls_credentials_source {
    enum tls_source_kind kind;
    union {
        struct tls_source_nss nss;
        struct tls_source_pem pem;
    };
    /* Take an own certificate that is expired or not yet valid (start of a daemon; not for a reload). */
    bool allow_expired;
    /* Server: ask for a client certificate and refuse clients that have none or an untrusted one. */
    bool client_cert_required;
    /* Client: the name the server's certificate must carry, such as "Qnetd Server"; sent as SNI too. */
    const char *peer_name;
    /* Client: accept a server certificate outside its validity period, like the packaged device does. */
    bool accept_expired_peer;
};

/* What a certificate says, for people. */
struct tls_cert_facts {
    char subject[256]; /* "CN=Qnetd Server"; cut off if longer */
    char issuer[256];
    time_t not_before;
    time_t not_after;
};

struct tls_facts {
    char *source; /* "NSS database /etc/corosync/qnetd/nssdb, certificate \"QNetd Cert\"" */
    struct tls_cert_facts own;
    struct tls_cert_facts *ca; /* the trusted authorities, at least one */
    size_t ca_count;
    char *warning; /* full sentences on what deserves attention (file modes), or NULL */
};

struct tls_credentials;

/*
 * Load credentials from src for role into *out (one reference, to be given back with
 * tls_credentials_unref). On failure *out is NULL and err_text, if size > 0, holds one or more full
 * sentences: what is wrong (file, nickname, reason) and what to do.
 *
 * Q_ERR_EXPIRED: the own certificate is outside its validity period; *out is set nevertheless if
 * src->allow_expired, and err_text then is the warning to log.
 * Q_ERR_NOT_FOUND: file, database, nickname or key is missing. Q_ERR_ACCESS: not permitted to read, or
 * wrong password. Q_ERR_INVALID: content unusable (key does not match, not PEM, no trusted authority).
 * Q_ERR_IO, Q_ERR_NO_MEMORY. Takes milliseconds of file and CPU time; blocks.
 */
enum q_err tls_credentials_load(const struct tls_credentials_source *src, enum tls_role role,
                                struct tls_credentials **out, char *err_text, size_t size);

/* Another reference to creds (not NULL); returns creds. */
struct tls_credentials *tls_credentials_ref(struct tls_credentials *creds);

/* Give one reference back; the last one frees. NULL is allowed. */
void tls_credentials_unref(struct tls_credentials *creds);

/* Facts for status and log; live as long as creds. */
const struct tls_facts *tls_credentials_facts(const struct tls_credentials *creds);

/* The earliest not_after of the own certificate and of every trusted authority. */
time_t tls_credentials_first_expiry(const struct tls_credentials *creds);

enum tls_role tls_credentials_role(const struct tls_credentials *creds);

/* Server: whether clients must show a certificate. */
bool tls_credentials_client_cert_required(const struct tls_credentials *creds);

/* Client: the name to expect and to send as SNI; NULL for a server. */
const char *tls_credentials_peer_name(const struct tls_credentials *creds);

#endif
