/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/x509/identity.h"

#include <string.h>

void certs_identity_fini(struct certs_identity *identity)
{
    X509_free(identity->cert);
    EVP_PKEY_free(identity->key);
    sk_X509_pop_free(identity->intermediates, X509_free);
    sk_X509_pop_free(identity->authorities, X509_free);
    *identity = (struct certs_identity){0};
}

bool certs_same(const X509 *a, const X509 *b)
{
    unsigned char *a_der = NULL, *b_der = NULL;
    int a_length = i2d_X509(a, &a_der), b_length = i2d_X509(b, &b_der);
    bool same = a_length > 0 && a_length == b_length && memcmp(a_der, b_der, (size_t)a_length) == 0;

    OPENSSL_free(a_der);
    OPENSSL_free(b_der);
    return same;
}
