/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/credentials.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "common/tls/channel_bio.h"
#include "common/tls/credentials_internal.h"
#include "common/tls/expiry.h"
#include "common/tls/verify.h"

/* Forward secret, authenticated encryption only; every client since NSS 3.16 has these. */
#define CIPHERS_TLS12 "ECDHE+AESGCM:ECDHE+CHACHA20"

/* Bytes of certificates a peer may send; a leaf and two intermediates of 4096 bits take 5 KiB. */
#define CERT_LIST_SIZE_MAX 32768

/* --- Building the TLS context ------------------------------------------------------------------- */

static bool set_own_certificate(SSL_CTX *ctx, const struct tls_material *m)
{
    if (SSL_CTX_use_certificate(ctx, m->cert) != 1 || SSL_CTX_use_PrivateKey(ctx, m->key) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1)
        return false;
    for (int i = 0; i < sk_X509_num(m->chain); i++) {
        X509 *ca = sk_X509_value(m->chain, i);

        if (X509_self_signed(ca, 0) == 1) /* a root is of no use to peers: they trust their own copy */
            continue;
        if (SSL_CTX_add1_chain_cert(ctx, ca) != 1)
            return false;
    }
    return true;
}

/* Every trusted authority is an anchor by itself, even if another one issued it: as in NSS. */
static bool set_trusted(SSL_CTX *ctx, const struct tls_material *m, enum tls_role role)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);

    if (X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) != 1)
        return false;
    for (int i = 0; i < sk_X509_num(m->trusted); i++) {
        X509 *ca = sk_X509_value(m->trusted, i);

        if (X509_STORE_add_cert(store, ca) != 1)
            return false;
        /* NSS clients choose their certificate by these names. */
        if (role == TLS_ROLE_SERVER && SSL_CTX_add_client_CA(ctx, ca) != 1)
            return false;
    }
    return true;
}

static SSL_CTX *new_ctx(const struct tls_material *m, enum tls_role role)
{
    SSL_CTX *ctx = SSL_CTX_new(role == TLS_ROLE_SERVER ? TLS_server_method() : TLS_client_method());

    if (ctx == NULL)
        return NULL;
    /*
     * No tickets and no cache: a client reconnects so rarely that remembering its session would cost
     * more memory than it saves time. The chain to send is set by us instead of searched per handshake.
     */
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY); /* channel.c limits records without data */
    SSL_CTX_set_max_cert_list(ctx, CERT_LIST_SIZE_MAX);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 && SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
        SSL_CTX_set_cipher_list(ctx, CIPHERS_TLS12) == 1 && set_own_certificate(ctx, m) &&
        set_trusted(ctx, m, role))
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

/* --- Facts ---------------------------------------------------------------------------------------- */

static void note_certificate(const X509 *cert, struct tls_cert_facts *facts)
{
    tls_name_text(X509_get_subject_name(cert), facts->subject, sizeof(facts->subject));
    tls_name_text(X509_get_issuer_name(cert), facts->issuer, sizeof(facts->issuer));
    facts->not_before = tls_time(X509_get0_notBefore(cert));
    facts->not_after = tls_time(X509_get0_notAfter(cert));
}

/* Takes over the texts of m. */
static enum q_err note_facts(struct tls_facts *facts, struct tls_material *m, struct tls_err_text *t)
{
    size_t count = (size_t)sk_X509_num(m->trusted);

    facts->ca = calloc(count, sizeof(*facts->ca));
    if (facts->ca == NULL)
        return tls_fail(t, Q_ERR_NO_MEMORY, "Out of memory while loading credentials.");
    facts->ca_count = count;
    for (size_t i = 0; i < count; i++)
        note_certificate(sk_X509_value(m->trusted, (int)i), &facts->ca[i]);
    note_certificate(m->cert, &facts->own);
    facts->source = m->source;
    m->source = NULL;
    facts->warning = m->warning;
    m->warning = NULL;
    return Q_OK;
}

static enum q_err check_validity(const struct tls_facts *facts, time_t now, struct tls_err_text *t)
{
    char when[EXPIRY_TEXT_SIZE];
    const struct tls_cert_facts *own = &facts->own;
    enum expiry_state state = expiry_check(own->not_before, own->not_after, now);

    if (state == EXPIRY_EXPIRED || state == EXPIRY_NOT_YET_VALID) {
        expiry_text(own->not_before, own->not_after, now, when, sizeof(when));
        return tls_fail(t, Q_ERR_EXPIRED, "The own certificate %s (%s) %s. Peers refuse it: %s.",
                        own->subject, facts->source, when,
                        state == EXPIRY_EXPIRED ? "renew the certificate and reload"
                                                : "check the clock of this machine, or wait");
    }
    for (size_t i = 0; i < facts->ca_count; i++) {
        state = expiry_check(facts->ca[i].not_before, facts->ca[i].not_after, now);
        if (state != EXPIRY_EXPIRED && state != EXPIRY_NOT_YET_VALID)
            return Q_OK;
    }
    expiry_text(facts->ca[0].not_before, facts->ca[0].not_after, now, when, sizeof(when));
    return tls_fail(t, Q_ERR_EXPIRED,
                    "No trusted authority is valid now: %s (%s) %s. No peer can be accepted: renew the "
                    "authority or check the clock of this machine.",
                    facts->ca[0].subject, facts->source, when);
}

/* --- The object ----------------------------------------------------------------------------------- */

static void free_material(struct tls_material *m)
{
    X509_free(m->cert);
    EVP_PKEY_free(m->key);
    sk_X509_pop_free(m->chain, X509_free);
    sk_X509_pop_free(m->trusted, X509_free);
    free(m->source);
    free(m->warning);
}

static enum q_err load_material(const struct tls_credentials_source *src, enum tls_role role,
                                struct tls_material *m, struct tls_err_text *t)
{
    m->chain = sk_X509_new_null();
    m->trusted = sk_X509_new_null();
    if (m->chain == NULL || m->trusted == NULL)
        return tls_fail(t, Q_ERR_NO_MEMORY, "Out of memory while loading credentials.");
    switch (src->kind) {
    case TLS_SOURCE_NSS:
        return tls_material_from_nss(&src->nss, role, m, t);
    case TLS_SOURCE_PEM:
        return tls_material_from_pem(&src->pem, m, t);
    }
    assert(!"unknown kind of source");
    return Q_ERR_INVALID;
}

static enum q_err build(struct tls_credentials *creds, struct tls_material *m,
                        const struct tls_credentials_source *src, struct tls_err_text *t)
{
    enum q_err err;

    if (src->peer_name != NULL) {
        creds->peer_name = strdup(src->peer_name);
        if (creds->peer_name == NULL)
            return tls_fail(t, Q_ERR_NO_MEMORY, "Out of memory while loading credentials.");
    }
    creds->socket_method = tls_bio_method_new();
    if (creds->socket_method == NULL)
        return tls_fail(t, Q_ERR_NO_MEMORY, "Out of memory while loading credentials.");
    creds->ctx = new_ctx(m, creds->role);
    if (creds->ctx == NULL)
        return tls_fail(t, Q_ERR_INVALID, "The credentials of %s cannot be used: %s.", m->source,
                        tls_openssl_reason());
    tls_verify_install(creds);
    err = note_facts(&creds->facts, m, t);
    if (err != Q_OK)
        return err;
    return check_validity(&creds->facts, time(NULL), t);
}

enum q_err tls_credentials_load(const struct tls_credentials_source *src, enum tls_role role,
                                struct tls_credentials **out, char *err_text, size_t size)
{
    struct tls_err_text t = {.text = err_text, .size = size};
    struct tls_material m = {0};
    struct tls_credentials *creds;
    enum q_err err;

    assert((role == TLS_ROLE_CLIENT) == (src->peer_name != NULL));
    *out = NULL;
    if (size > 0)
        err_text[0] = '\0';
    ERR_clear_error();
    creds = calloc(1, sizeof(*creds));
    if (creds == NULL)
        return tls_fail(&t, Q_ERR_NO_MEMORY, "Out of memory while loading credentials.");
    creds->references = 1;
    creds->role = role;
    creds->client_cert_required = role == TLS_ROLE_SERVER && src->client_cert_required;
    creds->accept_expired_peer = role == TLS_ROLE_CLIENT && src->accept_expired_peer;

    err = load_material(src, role, &m, &t);
    if (err == Q_OK)
        err = build(creds, &m, src, &t);
    if (err == Q_OK || (err == Q_ERR_EXPIRED && src->allow_expired))
        *out = creds;
    else
        tls_credentials_unref(creds);
    free_material(&m);
    ERR_clear_error();
    return err;
}

struct tls_credentials *tls_credentials_ref(struct tls_credentials *creds)
{
    assert(creds->references > 0);
    creds->references++;
    return creds;
}

void tls_credentials_unref(struct tls_credentials *creds)
{
    if (creds == NULL)
        return;
    assert(creds->references > 0);
    if (--creds->references > 0)
        return;
    SSL_CTX_free(creds->ctx);
    BIO_meth_free(creds->socket_method);
    free(creds->peer_name);
    free(creds->facts.source);
    free(creds->facts.ca);
    free(creds->facts.warning);
    free(creds);
}

const struct tls_facts *tls_credentials_facts(const struct tls_credentials *creds)
{
    return &creds->facts;
}

time_t tls_credentials_first_expiry(const struct tls_credentials *creds)
{
    time_t first = creds->facts.own.not_after;

    for (size_t i = 0; i < creds->facts.ca_count; i++) {
        if (creds->facts.ca[i].not_after < first)
            first = creds->facts.ca[i].not_after;
    }
    return first;
}

enum tls_role tls_credentials_role(const struct tls_credentials *creds)
{
    return creds->role;
}

bool tls_credentials_client_cert_required(const struct tls_credentials *creds)
{
    return creds->client_cert_required;
}

const char *tls_credentials_peer_name(const struct tls_credentials *creds)
{
    return creds->peer_name;
}
