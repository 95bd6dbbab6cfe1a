/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What makes a node known and lets it know others: certificate, private key, the intermediates to send along, and the
 * authorities to trust. A value that owns its members; any of them may be NULL where a function says so. Freed with
 * certs_identity_fini by whoever was given it.
 */
#ifndef QUORATE_CERTS_IDENTITY_H
#define QUORATE_CERTS_IDENTITY_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

struct certs_identity {
    X509 *cert;
    EVP_PKEY *key;                  /* private, of cert */
    STACK_OF(X509) * intermediates; /* to send along, own issuer first; NULL: none */
    STACK_OF(X509) * authorities;   /* to trust */
};

void certs_identity_fini(struct certs_identity *identity);

/* Whether two certificates are the same, byte for byte. (X509_cmp compares digests that objects may have from before they were signed.) */
bool certs_same(const X509 *a, const X509 *b);

#endif
