/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/x509/issue.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "certs/logic/name.h"
#include "certs/logic/serial.h"

#define KEY_BITS 2048
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192

/* --- Keys ------------------------------------------------------------------------------------------ */

enum q_err certs_key_new(EVP_PKEY **out, struct certs_failure *why)
{
    *out = EVP_RSA_gen(KEY_BITS);
    return *out != NULL ? Q_OK : certs_fail_openssl(why, "A key cannot be made");
}

static bool usable_curve(EVP_PKEY *key)
{
    static const char *const usable[] = {"prime256v1", "P-256", "secp384r1", "P-384", "secp521r1", "P-521"};
    char name[64];
    size_t length;

    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), &length) != 1)
        return false;
    for (size_t i = 0; i < sizeof(usable) / sizeof(usable[0]); i++) {
        if (strcmp(name, usable[i]) == 0)
            return true;
    }
    return false;
}

static bool odd_exponent(EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    bool good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_odd(exponent) &&
                !BN_is_one(exponent);

    BN_free(exponent);
    return good;
}

enum q_err certs_key_check(EVP_PKEY *key, struct certs_failure *why)
{
    int bits = EVP_PKEY_get_bits(key);

    if (EVP_PKEY_is_a(key, "RSA")) {
        if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
            return certs_fail(
                why, Q_ERR_INVALID,
                "The key has %d bits; RSA keys of %d to %d bits are accepted. Make a new request.", bits,
                RSA_BITS_MIN, RSA_BITS_MAX);
        if (!odd_exponent(key))
            return certs_fail(why, Q_ERR_INVALID,
                              "The RSA key has an exponent that cannot be. Make a new request.");
        return Q_OK;
    }
    if (EVP_PKEY_is_a(key, "EC") && usable_curve(key))
        return Q_OK;
    return certs_fail(
        why, Q_ERR_INVALID,
        "The key is of a kind that cannot be used here: make one of RSA (2048 bits or more) or on the curve "
        "P-256, P-384 or P-521.");
}

/* --- Requests -------------------------------------------------------------------------------------- */

/* As UTF-8 of whatever length; OpenSSL's own limit of 64 characters is not the packaged tools'. */
static bool add_to_name(X509_NAME *name, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, field, V_ASN1_UTF8STRING, (const unsigned char *)text,
                                      (int)strlen(text), -1, 0) == 1;
}

enum q_err certs_request_new(EVP_PKEY *key, const char *common_name, X509_REQ **out,
                             struct certs_failure *why)
{
    X509_REQ *request = X509_REQ_new();

    *out = NULL;
    if (request == NULL)
        return certs_fail_memory(why);
    if (X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
        !add_to_name(X509_REQ_get_subject_name(request), "CN", common_name) ||
        X509_REQ_set_pubkey(request, key) != 1 || X509_REQ_sign(request, key, EVP_sha256()) == 0) {
        X509_REQ_free(request);
        return certs_fail_openssl(why, "A request cannot be made");
    }
    *out = request;
    return Q_OK;
}

enum q_err certs_request_key(X509_REQ *request, EVP_PKEY **out, struct certs_failure *why)
{
    EVP_PKEY *key = X509_REQ_get_pubkey(request);
    enum q_err err;

    *out = NULL;
    if (key == NULL)
        return certs_fail_openssl(why, "The public key of the request cannot be read");
    err = certs_key_check(key, why);
    if (err == Q_OK && X509_REQ_verify(request, key) != 1) {
        ERR_clear_error();
        err = certs_fail(
            why, Q_ERR_INVALID,
            "The request is not signed with its own key: it is damaged, or somebody else's key was put into "
            "it. Make a new request.");
    }
    if (err != Q_OK) {
        EVP_PKEY_free(key);
        return err;
    }
    *out = key;
    return Q_OK;
}

/* --- Certificates ---------------------------------------------------------------------------------- */

struct making {
    const struct certs_order *order;
    const struct certs_signer *signer;
    struct certs_failure *why;
    X509 *cert;
};

static enum q_err set_serial(struct making *m)
{
    assert(m->order->serial >= 1 && m->order->serial <= CERTS_SERIAL_MAX);
    if (ASN1_INTEGER_set_uint64(X509_get_serialNumber(m->cert), m->order->serial) != 1)
        return certs_fail_memory(m->why);
    return Q_OK;
}

static enum q_err set_names(struct making *m)
{
    X509_NAME *subject = X509_get_subject_name(m->cert);
    const X509_NAME *issuer;

    if (m->order->node_name != NULL && !add_to_name(subject, "OU", m->order->node_name))
        return certs_fail_openssl(m->why, "The name of the node cannot be put into a certificate");
    if (!add_to_name(subject, "CN", m->order->common_name))
        return certs_fail_openssl(m->why, "The name cannot be put into a certificate");
    issuer = m->signer->cert != NULL ? X509_get_subject_name(m->signer->cert) : subject;
    return X509_set_issuer_name(m->cert, issuer) == 1 ? Q_OK : certs_fail_memory(m->why);
}

static int64_t seconds(const ASN1_TIME *time)
{
    struct tm tm;

    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static enum q_err set_times(struct making *m)
{
    int64_t issuer_end = INT64_MAX;
    struct certs_validity validity;

    if (m->signer->cert != NULL)
        issuer_end = seconds(X509_get0_notAfter(m->signer->cert));
    if (!certs_validity(m->order->kind, m->order->now, m->order->lifetime_s, issuer_end, &validity))
        return certs_fail(
            m->why, Q_ERR_EXPIRED,
            "The certificate authority itself has expired: nobody would accept what it signs. See \"When the "
            "authority ends\" in docs/certificates.md.");
    if (ASN1_TIME_set(X509_getm_notBefore(m->cert), (time_t)validity.not_before) == NULL ||
        ASN1_TIME_set(X509_getm_notAfter(m->cert), (time_t)validity.not_after) == NULL)
        return certs_fail_memory(m->why);
    return Q_OK;
}

static enum q_err add_extension(struct making *m, X509V3_CTX *context, const char *name, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, context, name, value);
    int added = 0;

    if (extension != NULL)
        added = X509_add_ext(m->cert, extension, -1);
    X509_EXTENSION_free(extension);
    return added == 1 ? Q_OK : certs_fail_openssl(m->why, "An extension cannot be made");
}

static bool append_name(GENERAL_NAMES *names, GENERAL_NAME *name)
{
    if (name != NULL && sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

/* GEN_DNS or GEN_URI. */
static GENERAL_NAME *text_name(int type, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *string = ASN1_IA5STRING_new();

    if (name == NULL || string == NULL || ASN1_STRING_set(string, text, -1) != 1) {
        GENERAL_NAME_free(name);
        ASN1_IA5STRING_free(string);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, type, string);
    return name;
}

static GENERAL_NAME *ip_name(const char *text)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (name == NULL || address == NULL) {
        GENERAL_NAME_free(name);
        ASN1_OCTET_STRING_free(address);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, GEN_IPADD, address);
    return name;
}

/*
 * The server's names: first the one that devices look for, since a certificate with dNSNames is not looked up by its common
 * name any more; then those by which other TLS clients reach the host (certificates.md, pain point 8).
 */
static enum q_err add_alternatives(struct making *m)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    enum q_err err = Q_OK;

    if (names == NULL || !append_name(names, text_name(GEN_DNS, m->order->common_name)))
        err = certs_fail_memory(m->why);
    for (const char *const *at = m->order->alternatives; err == Q_OK && at != NULL && *at != NULL; at++) {
        GENERAL_NAME *name = NULL;

        if (strncmp(*at, "DNS:", 4) == 0 && (*at)[4] != '\0')
            name = text_name(GEN_DNS, *at + 4);
        else if (strncmp(*at, "IP:", 3) == 0)
            name = ip_name(*at + 3);
        if (!append_name(names, name))
            err = certs_fail(m->why, Q_ERR_INVALID,
                             "\"%s\" is no name for a server: say DNS:NAME or IP:ADDRESS.", *at);
    }
    if (err == Q_OK && X509_add1_ext_i2d(m->cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) != 1)
        err = certs_fail_openssl(m->why, "An extension cannot be made");
    GENERAL_NAMES_free(names);
    return err;
}

/* A URI only: since there is no dNSName, everybody goes on by the common name. */
static enum q_err add_cluster(struct making *m)
{
    char uri[CLUSTER_IDENTITY_URI_SIZE] = CLUSTER_IDENTITY_URI;
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    enum q_err err = Q_OK;

    cluster_identity_text(&m->order->cluster, uri + strlen(uri));
    if (names == NULL || !append_name(names, text_name(GEN_URI, uri)) ||
        X509_add1_ext_i2d(m->cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) != 1)
        err = certs_fail_openssl(m->why, "An extension cannot be made");
    GENERAL_NAMES_free(names);
    return err;
}

static enum q_err add_extensions(struct making *m)
{
    const struct certs_profile *profile = certs_profile(m->order->kind);
    enum q_err err = Q_OK;
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, m->signer->cert != NULL ? m->signer->cert : m->cert, m->cert, NULL, NULL, 0);
    for (size_t i = 0; err == Q_OK && i < profile->extension_count; i++)
        err = add_extension(m, &context, profile->extensions[i].name, profile->extensions[i].value);
    if (err == Q_OK)
        err = add_extension(m, &context, "subjectKeyIdentifier", "hash");
    /* The packaged authority has no key identifier; then there is none to point at. */
    if (err == Q_OK && m->signer->cert != NULL && X509_get0_subject_key_id(m->signer->cert) != NULL)
        err = add_extension(m, &context, "authorityKeyIdentifier", "keyid:always");
    if (err == Q_OK && m->order->kind == CERTS_KIND_SERVER)
        err = add_alternatives(m);
    if (err == Q_OK && m->order->kind == CERTS_KIND_CLIENT && cluster_identity_is_set(&m->order->cluster))
        err = add_cluster(m);
    return err;
}

static enum q_err make(struct making *m)
{
    enum q_err err = set_serial(m);

    if (err == Q_OK)
        err = set_names(m);
    if (err == Q_OK)
        err = set_times(m);
    if (err != Q_OK)
        return err;
    if (X509_set_version(m->cert, X509_VERSION_3) != 1 || X509_set_pubkey(m->cert, m->order->public_key) != 1)
        return certs_fail_openssl(m->why, "The public key cannot be put into a certificate");
    err = add_extensions(m);
    if (err != Q_OK)
        return err;
    if (X509_sign(m->cert, m->signer->key, EVP_sha256()) == 0)
        return certs_fail_openssl(m->why, "The certificate cannot be signed");
    return Q_OK;
}

enum q_err certs_issue(const struct certs_order *order, const struct certs_signer *signer, X509 **out,
                       struct certs_failure *why)
{
    struct making m = {.order = order, .signer = signer, .why = why, .cert = X509_new()};
    enum q_err err;

    *out = NULL;
    if (m.cert == NULL)
        return certs_fail_memory(why);
    err = make(&m);
    if (err != Q_OK) {
        X509_free(m.cert);
        return err;
    }
    /* Read anew: the object that was built remembers digests and extensions of when it was not finished. */
    *out = X509_dup(m.cert);
    X509_free(m.cert);
    return *out != NULL ? Q_OK : certs_fail_memory(why);
}
