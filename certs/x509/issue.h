/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes keys, requests and certificates, in memory only, with OpenSSL. A certificate contains what certs/logic/profile.h
 * says, the common name the caller says, and the public key: whatever else a request asks for is left out. Used by the two
 * stores (authority.h, node_store.h) and by enrolment. Every object that comes out is the caller's to free.
 */
#ifndef QUORATE_CERTS_ISSUE_H
#define QUORATE_CERTS_ISSUE_H

#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs/failure.h"
#include "certs/logic/profile.h"
#include "common/cluster_identity.h"

/* What shall be certified. */
struct certs_order {
    enum certs_kind kind;
    const char *common_name; /* CERTS_SERVER_NAME, the cluster, ...; checked by the caller */
    const char *
        node_name; /* clients: the node, as organizational unit; NULL: one certificate for the whole cluster */
    struct cluster_identity cluster; /* clients: which cluster of that name; may be none */
    const char *const *
        alternatives; /* servers: more names, "DNS:arbiter.example" or "IP:10.0.0.1"; NULL, or ended by NULL */
    EVP_PKEY *public_key; /* borrowed; certs_key_check must have accepted it */
    uint64_t serial;      /* 1 to CERTS_SERIAL_MAX */
    int64_t now;          /* seconds since 1970 */
    int64_t lifetime_s;   /* 0: the profile's */
};

/* Who signs: both borrowed. NULL certificate: self-signed with this key. */
struct certs_signer {
    X509 *cert;
    EVP_PKEY *key;
};

/* A new private key (RSA, 2048 bits, e = 65537: what every program that reads the databases can use). Takes 0.1 s. */
enum q_err certs_key_new(EVP_PKEY **out, struct certs_failure *why);

/* Q_ERR_INVALID: a public key too weak, or of a kind that NSS or TLS 1.2 cannot use. RSA of 2048 to 8192 bits, P-256/384/521. */
enum q_err certs_key_check(EVP_PKEY *key, struct certs_failure *why);

/* A PKCS #10 request with CN=common_name, signed by key. Its DER form: i2d_X509_REQ. */
enum q_err certs_request_new(EVP_PKEY *key, const char *common_name, X509_REQ **out,
                             struct certs_failure *why);

/*
 * The public key of a request, if its signature shows that whoever made it has the private one, and certs_key_check
 * accepts it. Nothing else of the request is looked at.
 */
enum q_err certs_request_key(X509_REQ *request, EVP_PKEY **out, struct certs_failure *why);

/* The certificate. Q_ERR_EXPIRED: the signer's own has ended. Q_ERR_INVALID: an alternative name that is none. */
enum q_err certs_issue(const struct certs_order *order, const struct certs_signer *signer, X509 **out,
                       struct certs_failure *why);

#endif
