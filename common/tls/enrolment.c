/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/enrolment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "common/tls/channel_bio.h"
#include "common/tls/credentials_internal.h"
#include "common/tls/verify.h"

/* Bytes of certificates a server may send: its own, and some authorities. */
#define CERT_LIST_SIZE_MAX 65536

/* ---- the arbiter's side ----------------------------------------------------------------------------------------- */

/* The one protocol, or an alert. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size, const unsigned char *in,
                   unsigned int in_size, void *arg)
{
    const unsigned char *wanted = arg;

    (void)ssl;
    while (in_size > 0 && in[0] < in_size) {
        if (in[0] == wanted[0] && memcmp(in + 1, wanted + 1, wanted[0]) == 0) {
            *out = wanted + 1;
            *out_size = wanted[0];
            return SSL_TLSEXT_ERR_OK;
        }
        in_size -= in[0] + 1u;
        in += in[0] + 1;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* A client without the extension is not even asked: it must be refused before the server's part is computed. */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
    const unsigned char *extension;
    size_t size;

    (void)arg;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension, &size) == 1)
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
}

enum q_err tls_enrolment_serve(struct tls_credentials *creds, const char *alpn)
{
    STACK_OF(X509) *authorities = X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(creds->ctx));
    bool good = authorities != NULL && SSL_CTX_set_min_proto_version(creds->ctx, TLS1_3_VERSION) == 1;

    assert(creds->role == TLS_ROLE_SERVER && !creds->client_cert_required);
    for (int i = 0; good && i < sk_X509_num(authorities); i++)
        good = SSL_CTX_add1_chain_cert(creds->ctx, sk_X509_value(authorities, i)) == 1;
    sk_X509_pop_free(authorities, X509_free);
    if (!good) {
        ERR_clear_error();
        return Q_ERR_NO_MEMORY;
    }
    SSL_CTX_set_client_hello_cb(creds->ctx, on_hello, NULL);
    SSL_CTX_set_alpn_select_cb(creds->ctx, on_alpn, (void *)(uintptr_t)alpn);
    tls_verify_ask(creds);
    return Q_OK;
}

bool tls_enrolment_authorities(const struct tls_credentials *creds,
                               bool (*each)(void *context, const uint8_t *der, size_t size), void *context)
{
    STACK_OF(X509) *authorities = X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(creds->ctx));
    bool good = authorities != NULL, more = true;

    for (int i = 0; good && more && i < sk_X509_num(authorities); i++) {
        uint8_t *der = NULL;
        int size = i2d_X509(sk_X509_value(authorities, i), &der);

        good = size > 0;
        if (good)
            more = each(context, der, (size_t)size);
        OPENSSL_free(der);
    }
    sk_X509_pop_free(authorities, X509_free);
    ERR_clear_error();
    return good;
}

/* ---- the node's side -------------------------------------------------------------------------------------------- */

static bool use_own(SSL_CTX *ctx, const struct tls_own *own)
{
    bool good = SSL_CTX_use_certificate(ctx, own->cert) == 1 && SSL_CTX_use_PrivateKey(ctx, own->key) == 1 &&
                SSL_CTX_check_private_key(ctx) == 1;

    for (int i = 0; good && i < sk_X509_num(own->intermediates); i++)
        good = SSL_CTX_add1_chain_cert(ctx, sk_X509_value(own->intermediates, i)) == 1;
    return good;
}

static SSL_CTX *new_client_ctx(const char *alpn, const struct tls_own *own)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (ctx == NULL)
        return NULL;
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_max_cert_list(ctx, CERT_LIST_SIZE_MAX);
    /* (SSL_CTX_set_alpn_protos returns 0 for success.) */
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
        SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)alpn, (unsigned)(uint8_t)alpn[0] + 1) == 0 &&
        (own == NULL || use_own(ctx, own)))
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

enum q_err tls_enrolment_join(struct tls_pin *pin, const char *peer_name, const char *alpn, const struct tls_own *own,
                              struct tls_credentials **out)
{
    struct tls_credentials *creds = calloc(1, sizeof(*creds));

    *out = NULL;
    if (creds == NULL)
        return Q_ERR_NO_MEMORY;
    creds->references = 1;
    creds->role = TLS_ROLE_CLIENT;
    creds->pin = pin;
    pin->refused = false;
    creds->peer_name = strdup(peer_name);
    creds->socket_method = tls_bio_method_new();
    creds->ctx = new_client_ctx(alpn, own);
    ERR_clear_error();
    if (creds->peer_name == NULL || creds->socket_method == NULL || creds->ctx == NULL) {
        tls_credentials_unref(creds);
        return own == NULL ? Q_ERR_NO_MEMORY : Q_ERR_INVALID;
    }
    tls_verify_install(creds);
    *out = creds;
    return Q_OK;
}

bool tls_enrolment_export(struct tls_channel *ch, const char *label, uint8_t *out, size_t size)
{
    bool good = ch->state == TLS_CHANNEL_SECURE &&
                SSL_export_keying_material(ch->ssl, out, size, label, strlen(label), NULL, 0, 0) == 1;

    ERR_clear_error();
    return good;
}
