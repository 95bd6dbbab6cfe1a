/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/identity.h"

void certs_identity_fini(struct certs_identity *identity)
{
    X509_free(identity->cert);
    EVP_PKEY_free(identity->key);
    sk_X509_pop_free(identity->intermediates, X509_free);
    sk_X509_pop_free(identity->authorities, X509_free);
    *identity = (struct certs_identity){0};
}
