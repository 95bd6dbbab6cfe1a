/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of common/tls share among themselves: the inside of struct tls_credentials, the raw
 * material the two sources deliver, and small helpers on certificates. Nobody else includes this.
 */
#ifndef QUORATE_COMMON_TLS_CREDENTIALS_INTERNAL_H
#define QUORATE_COMMON_TLS_CREDENTIALS_INTERNAL_H

#include <openssl/ssl.h>

#include "common/tls/credentials.h"

struct tls_pin;

struct tls_credentials {
    size_t references;
    enum tls_role role;
    SSL_CTX *ctx;
    BIO_METHOD *socket_method; /* of the BIOs between OpenSSL and the channels' sockets */
    bool client_cert_required;
    bool accept_expired_peer;
    char *peer_name;
    struct tls_pin *pin; /* enrolment.h; NULL: the authorities of ctx are trusted */
    struct tls_facts facts;
};

/* What a source delivers; every pointer is owned. */
struct tls_material {
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) * chain;   /* intermediate authorities to send along, own issuer first */
    STACK_OF(X509) * trusted; /* authorities to believe */
    char *source;             /* see struct tls_facts */
    char *warning;            /* or NULL */
};

/* Where a failing step writes its sentences. */
struct tls_err_text {
    char *text;
    size_t size;
};

/* Write the sentences and return err, so that "return tls_fail(...)" reads well. */
enum q_err tls_fail(struct tls_err_text *t, enum q_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The two sources. m is zeroed before; on failure the caller frees what is there. */
enum q_err tls_material_from_pem(const struct tls_source_pem *src, struct tls_material *m,
                                 struct tls_err_text *t);
enum q_err tls_material_from_nss(const struct tls_source_nss *src, enum tls_role role, struct tls_material *m,
                                 struct tls_err_text *t);

/* Put into m->chain the issuers of m->cert found among candidates, up to and without the root. */
enum q_err tls_material_chain_from(struct tls_material *m, const STACK_OF(X509) * candidates);

/* Append a sentence to m->warning. Losing one for lack of memory is not worth failing. */
void tls_material_warn(struct tls_material *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Warn if others than owner and group may read or write the file, called kind in the text. */
void tls_material_warn_if_exposed(struct tls_material *m, const char *kind, const char *path);

/* The reason of the oldest error in OpenSSL's queue, never NULL; empties the queue. */
const char *tls_openssl_reason(void);

/* Seconds since 1970 of an ASN.1 time; 0 if it is none. */
time_t tls_time(const ASN1_TIME *time);

/* "CN=Qnetd Server", cut off if it does not fit; printable characters only. */
void tls_name_text(const X509_NAME *name, char *text, size_t size);

#endif
