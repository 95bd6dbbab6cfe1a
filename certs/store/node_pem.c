/* SPDX-License-Identifier: BSD-3-Clause */
/* A node's store as PEM files (certs/store/place.h): authorities, identity, and the key of the request that awaits its answer. */
#include "certs/store/node_internal.h"
#include "certs/store/pem_files.h"

static enum q_err load(const struct certs_folder *folder, struct certs_identity *out,
                       struct certs_failure *why)
{
    enum q_err err = pem_read_identity(folder, CERTS_PEM_NODE, out, why);

    return err == Q_OK ? pem_read_certificates(folder, CERTS_PEM_AUTHORITY, &out->authorities, why) : err;
}

static bool belongs(EVP_PKEY *key, X509 *cert)
{
    return key != NULL && EVP_PKEY_eq(key, X509_get0_pubkey(cert)) == 1;
}

static enum q_err find_key(const struct certs_folder *folder, X509 *cert, EVP_PKEY **key,
                           struct certs_failure *why)
{
    struct certs_identity own = {0};
    enum q_err err = pem_read_key(folder, CERTS_PEM_PENDING_KEY, key, why);

    if (err != Q_OK || belongs(*key, cert))
        return err;
    EVP_PKEY_free(*key);
    *key = NULL;
    err = pem_read_identity(folder, CERTS_PEM_NODE, &own, why);
    if (err == Q_OK && belongs(own.key, cert)) {
        *key = own.key;
        own.key = NULL;
    } else if (err == Q_OK) {
        err = certs_fail(why, Q_ERR_NOT_FOUND, "There is no private key for this certificate in %s.",
                         folder->path);
    }
    certs_identity_fini(&own);
    return err;
}

static enum q_err add_key(struct certs_folder *folder, EVP_PKEY *key, struct certs_failure *why)
{
    return pem_write_key(folder, CERTS_PEM_PENDING_KEY, key, why);
}

/* Adds to list what it lacks of more. Borrowed. */
static enum q_err add_missing(STACK_OF(X509) * list, const STACK_OF(X509) * more, struct certs_failure *why)
{
    for (int i = 0; i < sk_X509_num(more); i++) {
        bool found = false;

        for (int k = 0; k < sk_X509_num(list) && !found; k++)
            found = certs_same(sk_X509_value(list, k), sk_X509_value(more, i));
        if (!found && sk_X509_push(list, sk_X509_value(more, i)) <= 0)
            return certs_fail_memory(why);
    }
    return Q_OK;
}

/*
 * The certificate that comes next may be of an authority that the file does not have yet, and the arbiter's of one that it is to
 * lose: until the change is done it holds both. Where there is none it comes last, since by it a store counts as being there.
 */
static enum q_err widen_authorities(struct certs_folder *folder, const STACK_OF(X509) * coming, struct certs_failure *why)
{
    STACK_OF(X509) *there = NULL, *all = NULL;
    enum q_err err = pem_read_certificates(folder, CERTS_PEM_AUTHORITY, &there, why);

    if (err == Q_OK && sk_X509_num(there) > 0) {
        all = sk_X509_dup(there);
        err = all != NULL ? add_missing(all, coming, why) : certs_fail_memory(why);
        if (err == Q_OK && sk_X509_num(all) > sk_X509_num(there))
            err = pem_write_certificates(folder, CERTS_PEM_AUTHORITY, all, why);
    }
    sk_X509_free(all);
    sk_X509_pop_free(there, X509_free);
    return err;
}

static enum q_err save(struct certs_folder *folder, const struct certs_identity *identity,
                       struct certs_failure *why)
{
    enum q_err err = Q_OK;

    if (identity->cert != NULL)
        err = widen_authorities(folder, identity->authorities, why);
    if (err == Q_OK && identity->cert != NULL)
        err = pem_write_identity(folder, CERTS_PEM_NODE, identity, why);
    if (err == Q_OK)
        err = pem_write_certificates(folder, CERTS_PEM_AUTHORITY, identity->authorities, why);
    if (err == Q_OK && identity->cert != NULL)
        err = certs_folder_remove(folder, CERTS_PEM_PENDING_KEY, why);
    return err;
}

/* One file has it all; there is nothing to leave behind. */
static enum q_err tidy(struct certs_folder *folder, struct certs_failure *why)
{
    (void)folder;
    (void)why;
    return Q_OK;
}

const struct node_form node_form_pem = {load, find_key, add_key, save, tidy};
