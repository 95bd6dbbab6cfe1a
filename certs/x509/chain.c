/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/x509/chain.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "certs/x509/issue.h"
#include "certs/logic/name.h"
#include "common/cert_names.h"
#include "common/tls/peer_names.h"

#define SUBJECT_SIZE 256

static const char *subject_of(X509 *cert, char text[SUBJECT_SIZE])
{
    text[0] = '\0';
    if (cert != NULL)
        X509_NAME_oneline(X509_get_subject_name(cert), text, SUBJECT_SIZE);
    return text;
}

enum q_err chain_check_authorities(const STACK_OF(X509) * authorities, struct certs_failure *why)
{
    char subject[SUBJECT_SIZE];

    if (sk_X509_num(authorities) < 1)
        return certs_fail(why, Q_ERR_INVALID, "There is no certificate of an authority.");
    for (int i = 0; i < sk_X509_num(authorities); i++) {
        X509 *cert = sk_X509_value(authorities, i);

        if (X509_check_ca(cert) == 0)
            return certs_fail(
                why, Q_ERR_INVALID,
                "The certificate %s is no authority (basicConstraints is not CA:TRUE, or keyUsage lacks "
                "keyCertSign): give the one that signs, on an arbiter of ours qnetd-cacert.crt.",
                subject_of(cert, subject));
    }
    return Q_OK;
}

/* --- One certificate ------------------------------------------------------------------------------- */

/* What the reader can do about a finding of OpenSSL's. */
static const char *remedy(int code)
{
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return " (field issuer: none of the authorities signed it). Use the authority that signed it, and "
               "put intermediates "
               "between the two into the file of the certificate";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return " (field issuer: an authority of this name is trusted here, but another one signed it). The "
               "arbiter's "
               "certificates have probably been made anew: begin again with its qnetd-cacert.crt";
    case X509_V_ERR_INVALID_PURPOSE:
        return " (field extendedKeyUsage or keyUsage)";
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return " (field notAfter). Have a new one issued";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return " (field notBefore). Check the clock of this machine and of the one that issued it";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
        return " (field subjectPublicKey). Make a key of 2048 bits or more";
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return " (field signatureAlgorithm). Have it signed with SHA-256";
    default:
        return "";
    }
}

static enum q_err report(X509_STORE_CTX *context, struct certs_failure *why)
{
    int code = X509_STORE_CTX_get_error(context);
    X509 *at = X509_STORE_CTX_get_current_cert(context);
    bool time = code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID;
    char subject[SUBJECT_SIZE];

    return certs_fail(why, time ? Q_ERR_EXPIRED : Q_ERR_INVALID,
                      "The certificate %s would not be accepted: %s%s.", subject_of(at, subject),
                      X509_verify_cert_error_string(code), remedy(code));
}

static enum q_err verify(const struct certs_identity *identity, int purpose, struct certs_failure *why)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    enum q_err err = Q_OK;

    if (store == NULL || context == NULL || X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) != 1)
        err = certs_fail_memory(why);
    for (int i = 0; err == Q_OK && i < sk_X509_num(identity->authorities); i++) {
        if (X509_STORE_add_cert(store, sk_X509_value(identity->authorities, i)) != 1)
            err = certs_fail_memory(why);
    }
    if (err == Q_OK && (X509_STORE_CTX_init(context, store, identity->cert, identity->intermediates) != 1 ||
                        X509_STORE_CTX_set_purpose(context, purpose) != 1))
        err = certs_fail_memory(why);
    if (err == Q_OK && X509_verify_cert(context) <= 0)
        err = report(context, why);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    ERR_clear_error();
    return err;
}

static bool goes_by(const struct tls_peer_names *names, const char *wanted)
{
    return cert_names_match(names->names, names->count, wanted, strlen(wanted)) != CERT_NAMES_OTHER;
}

/* `wanted` NULL: any name that a cluster can have. */
static enum q_err check_name(X509 *cert, const char *wanted, const char *who, struct certs_failure *why)
{
    struct tls_peer_names *names;
    char reason[256];
    enum q_err err = Q_OK;

    if (tls_peer_names_new(cert, &names, reason, sizeof(reason)) != Q_OK)
        return certs_fail(why, Q_ERR_INVALID,
                          "The certificate cannot be used, field subject or subjectAltName: %s.", reason);
    if (names->count == 0)
        err = certs_fail(why, Q_ERR_INVALID,
                         "The certificate names nobody: field subject needs a CN, the name of the cluster%s.",
                         wanted != NULL ? " or of the arbiter" : "");
    else if (wanted != NULL && !goes_by(names, wanted))
        err = certs_fail(
            why, Q_ERR_INVALID,
            "The certificate is for \"%s\", but %s \"%s\": the CN in field subject must be that, or, if "
            "there is a field subjectAltName with dNSNames, one of those.",
            names->names[0], who, wanted);
    tls_peer_names_free(names);
    return err;
}

static enum q_err check(const struct certs_identity *identity, int purpose, const char *name,
                        struct certs_failure *why)
{
    EVP_PKEY *key = X509_get0_pubkey(identity->cert);
    enum q_err err;

    if (key == NULL)
        return certs_fail_openssl(why, "The field subjectPublicKey of the certificate cannot be read");
    err = certs_key_check(key, why);
    if (err == Q_OK)
        err = check_name(identity->cert, name, "devices look for", why);
    return err == Q_OK ? verify(identity, purpose, why) : err;
}

enum q_err chain_check_client(const struct certs_identity *identity, struct certs_failure *why)
{
    return check(identity, X509_PURPOSE_SSL_CLIENT, NULL, why);
}

enum q_err chain_check_server(const struct certs_identity *identity, struct certs_failure *why)
{
    return check(identity, X509_PURPOSE_SSL_SERVER, CERTS_SERVER_NAME, why);
}

enum q_err chain_check_name(X509 *cert, const char *cluster_name, struct certs_failure *why)
{
    return check_name(cert, cluster_name, "the arbiter knows the cluster as", why);
}
