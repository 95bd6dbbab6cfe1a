/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/verify.h"

#include <stdio.h>

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "common/tls/channel_bio.h"
#include "common/tls/enrolment.h"
#include "common/tls/peer_names.h"

/* Longer chains than leaf, a few intermediates and a root have no use here. */
#define CHAIN_DEPTH_MAX 8

static struct tls_channel *channel_of(X509_STORE_CTX *store_ctx)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());

    return tls_bio_channel(ssl);
}

static void explain(struct tls_channel *ch, X509 *cert, const char *reason)
{
    char subject[128] = "?";
    char issuer[128] = "?";

    if (cert != NULL) {
        tls_name_text(X509_get_subject_name(cert), subject, sizeof(subject));
        tls_name_text(X509_get_issuer_name(cert), issuer, sizeof(issuer));
    }
    tls_channel_explain(ch, "TLS handshake failed: the peer's certificate %s (issued by %s): %s", subject,
                        issuer, reason);
}

/* OpenSSL's words, behind plainer ones where it has several for the same: certificates were made anew, or their authority dropped. */
static const char *reason_of(int code)
{
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "it is not of an authority that is trusted here: ";
    default:
        return "";
    }
}

/* Called by OpenSSL for each finding (ok is 0) and for each certificate found good. */
static int on_finding(int ok, X509_STORE_CTX *store_ctx)
{
    struct tls_channel *ch = channel_of(store_ctx);
    int code = X509_STORE_CTX_get_error(store_ctx);
    int depth = X509_STORE_CTX_get_error_depth(store_ctx);
    char reason[256];

    if (ok)
        return 1;
    if (ch->creds->pin != NULL && ch->creds->pin->any_time &&
        (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID)) {
        X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
        return 1;
    }
    if (ch->creds->accept_expired_peer && depth == 0 &&
        (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID)) {
        X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
        return 1;
    }
    snprintf(reason, sizeof(reason), "%s%s", reason_of(code), X509_verify_cert_error_string(code));
    explain(ch, X509_STORE_CTX_get_current_cert(store_ctx), reason);
    return 0;
}

static bool same_name(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        int x = *a >= 'A' && *a <= 'Z' ? *a + 32 : *a;
        int y = *b >= 'A' && *b <= 'Z' ? *b + 32 : *b;

        if (x != y)
            return false;
    }
    return *a == *b;
}

/* Exact, ASCII case-insensitive, no wildcards: the name of an arbiter is a label, not a host name. */
static bool carries_name(const X509 *cert, const char *wanted, char *reason, size_t size)
{
    struct tls_peer_names *names;
    bool found = false;

    if (tls_peer_names_new(cert, &names, reason, size) != Q_OK)
        return false;
    for (size_t i = 0; i < names->count && !found; i++)
        found = same_name(names->names[i], wanted);
    if (!found)
        snprintf(reason, size, "its name is not \"%s\"", wanted);
    tls_peer_names_free(names);
    return found;
}

static bool is_pinned(const struct tls_pin *pin, X509 *cert)
{
    uint8_t *der = NULL;
    int size = i2d_X509(cert, &der);
    bool found = size > 0 && pin->is_pinned(pin->context, der, (size_t)size);

    OPENSSL_free(der);
    return found;
}

/* The authorities that the pin knows, or recognises among those that the peer shows. */
static STACK_OF(X509) * pinned_among(const struct tls_pin *pin, const STACK_OF(X509) * shown)
{
    STACK_OF(X509) *found = pin->known != NULL ? sk_X509_dup(pin->known) : sk_X509_new_null();

    for (int i = 0; pin->known == NULL && found != NULL && i < sk_X509_num(shown); i++) {
        if (is_pinned(pin, sk_X509_value(shown, i)))
            sk_X509_push(found, sk_X509_value(shown, i));
    }
    return found;
}

static int verify_chain(const struct tls_credentials *creds, X509_STORE_CTX *store_ctx)
{
    STACK_OF(X509) * trusted;
    int result;

    if (creds->pin == NULL)
        return X509_verify_cert(store_ctx);
    trusted = pinned_among(creds->pin, X509_STORE_CTX_get0_untrusted(store_ctx));
    creds->pin->refused = sk_X509_num(trusted) <= 0;
    if (creds->pin->refused) {
        tls_channel_explain(channel_of(store_ctx), "TLS handshake failed: the peer has another certificate authority");
        X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
        result = 0;
    } else {
        X509_STORE_CTX_set0_trusted_stack(store_ctx, trusted);
        X509_STORE_CTX_set_flags(store_ctx, X509_V_FLAG_PARTIAL_CHAIN);
        result = X509_verify_cert(store_ctx);
        X509_STORE_CTX_set0_trusted_stack(store_ctx, NULL);
    }
    sk_X509_free(trusted);
    return result;
}

/* Replaces OpenSSL's own call of X509_verify_cert. */
static int on_verify(X509_STORE_CTX *store_ctx, void *arg)
{
    const struct tls_credentials *creds = arg;
    X509 *cert = X509_STORE_CTX_get0_cert(store_ctx);
    char reason[256];
    int result = verify_chain(creds, store_ctx);

    if (result <= 0 || creds->peer_name == NULL)
        return result;
    if (carries_name(cert, creds->peer_name, reason, sizeof(reason)))
        return 1;
    explain(channel_of(store_ctx), cert, reason);
    X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
}

void tls_verify_install(struct tls_credentials *creds)
{
    int mode = SSL_VERIFY_NONE;

    if (creds->role == TLS_ROLE_CLIENT)
        mode = SSL_VERIFY_PEER;
    else if (creds->client_cert_required)
        mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(creds->ctx, mode, on_finding);
    SSL_CTX_set_verify_depth(creds->ctx, CHAIN_DEPTH_MAX);
    SSL_CTX_set_cert_verify_callback(creds->ctx, on_verify, creds);
}

void tls_verify_ask(struct tls_credentials *creds)
{
    SSL_CTX_set_verify(creds->ctx, SSL_VERIFY_PEER, on_finding);
}
