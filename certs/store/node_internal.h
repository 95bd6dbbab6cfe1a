/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operations in which the two forms of a node's store differ, on a folder that is open (for change where they write). The
 * order of steps, the checks and the sentences are node_store.c's. Nobody else includes this.
 */
#ifndef QUORATE_CERTS_NODE_INTERNAL_H
#define QUORATE_CERTS_NODE_INTERNAL_H

#include "certs/store/folder.h"
#include "certs/x509/identity.h"
#include "certs/store/node_store.h"

struct node_form {
    /* What there is; nothing at all is fine. */
    enum q_err (*load)(const struct certs_folder *folder, struct certs_identity *out,
                       struct certs_failure *why);
    /* The private key of this certificate, be it the node's own or that of a request. Q_ERR_NOT_FOUND. */
    enum q_err (*find_key)(const struct certs_folder *folder, X509 *cert, EVP_PKEY **key,
                           struct certs_failure *why);
    /* Keep a key for later. */
    enum q_err (*add_key)(struct certs_folder *folder, EVP_PKEY *key, struct certs_failure *why);
    /* The store has these authorities, and, if cert and key are there, this identity, and no other. */
    enum q_err (*save)(struct certs_folder *folder, const struct certs_identity *identity,
                       struct certs_failure *why);
    /* Remove what an interrupted save left, but no key of a request. */
    enum q_err (*tidy)(struct certs_folder *folder, struct certs_failure *why);
};

extern const struct node_form node_form_nss;
extern const struct node_form node_form_pem;

#endif
