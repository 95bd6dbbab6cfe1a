/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node's store as an NSS database with the packaged nicknames (certificates.md 2). A change is published in two steps that
 * each leave a whole database, whatever is interrupted: first the keys, which are then more than are used, then the
 * certificates; keys that nothing refers to any more go last, by themselves.
 */
#include <stdlib.h>

#include "certs/store/node_internal.h"
#include "certs/store/nss_folder.h"

/* --- Reading --------------------------------------------------------------------------------------- */

static enum q_err load_all(struct nss_db *db, void *context, struct certs_failure *why)
{
    struct certs_identity *out = context;
    enum q_err err = nss_db_find_own(db, CERTS_NICK_CLUSTER, &out->cert, &out->key, why);

    if (err == Q_OK || err == Q_ERR_NOT_FOUND)
        err = nss_db_authorities(db, 'C', CERTS_NICK_AUTHORITY, &out->authorities, why);
    if (err == Q_OK)
        err = nss_db_others(db, &out->intermediates, why);
    return err;
}

static enum q_err load(const struct certs_folder *folder, struct certs_identity *out,
                       struct certs_failure *why)
{
    enum q_err err = nss_folder_read(folder, load_all, out, why);

    return err == Q_ERR_NOT_FOUND ? Q_OK : err;
}

struct key_search {
    X509 *cert;
    EVP_PKEY **key;
};

static enum q_err search_key(struct nss_db *db, void *context, struct certs_failure *why)
{
    const struct key_search *search = context;

    return nss_db_find_key(db, search->cert, search->key, why);
}

static enum q_err find_key(const struct certs_folder *folder, X509 *cert, EVP_PKEY **key,
                           struct certs_failure *why)
{
    struct key_search search = {cert, key};

    return nss_folder_read(folder, search_key, &search, why);
}

/* --- Writing --------------------------------------------------------------------------------------- */

/* Of the keys of requests, so that they are not taken for leftovers of a certificate that has been replaced. */
#define NICK_PENDING "Cluster Request"

static enum q_err put_identity(struct nss_db *db, const struct certs_identity *identity,
                               struct certs_failure *why)
{
    enum q_err err = nss_db_put_key(db, identity->key, CERTS_NICK_CLUSTER, why);

    if (err == Q_OK)
        err = nss_db_drop_certs(db, CERTS_NICK_CLUSTER, identity->cert, why);
    if (err == Q_OK)
        err = nss_db_put_cert(db, identity->cert, CERTS_NICK_CLUSTER, "u,u,u", why);
    if (err == Q_OK)
        err = nss_db_put_more(db, identity->intermediates, 0, ",,", why);
    return err;
}

static enum q_err put_authorities(struct nss_db *db, const STACK_OF(X509) * authorities,
                                  struct certs_failure *why)
{
    X509 *first = sk_X509_value(authorities, 0);
    enum q_err err = nss_db_drop_authorities(db, authorities, why);

    if (err == Q_OK)
        err = nss_db_put_cert(db, first, CERTS_NICK_AUTHORITY, "CT,c,c", why);
    return err == Q_OK ? nss_db_put_more(db, authorities, 1, "CT,c,c", why) : err;
}

static enum q_err put_all(struct nss_db *db, void *context, struct certs_failure *why)
{
    const struct certs_identity *identity = context;
    enum q_err err = put_authorities(db, identity->authorities, why);

    return err == Q_OK && identity->cert != NULL ? put_identity(db, identity, why) : err;
}

static enum q_err put_key(struct nss_db *db, void *context, struct certs_failure *why)
{
    return nss_db_put_key(db, context, NICK_PENDING, why);
}

static enum q_err add_key(struct certs_folder *folder, EVP_PKEY *key, struct certs_failure *why)
{
    enum q_err err = nss_folder_change(folder, put_key, key, why);

    return err == Q_OK ? nss_folder_publish(folder, why) : err;
}

static enum q_err tidy(struct certs_folder *folder, struct certs_failure *why)
{
    return nss_folder_drop_idle_keys(folder, CERTS_NICK_CLUSTER, why);
}

static enum q_err save(struct certs_folder *folder, const struct certs_identity *identity,
                       struct certs_failure *why)
{
    enum q_err err = Q_OK;

    if (!certs_folder_has(folder, "pwdfile.txt"))
        err = certs_folder_write(folder, "pwdfile.txt", "", 0, CERTS_MODE_SHARED, why);
    if (err == Q_OK)
        err = nss_folder_change(folder, put_all, (void *)(uintptr_t)identity, why);
    if (err == Q_OK)
        err = nss_folder_publish(folder, why);
    return err == Q_OK && identity->cert != NULL ? nss_folder_drop_idle_keys(folder, NULL, why) : err;
}

const struct node_form node_form_nss = {load, find_key, add_key, save, tidy};
