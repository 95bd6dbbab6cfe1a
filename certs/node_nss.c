/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node's store as an NSS database with the packaged nicknames (certificates.md 2). A change is published in two steps that
 * each leave a whole database, whatever is interrupted: first the keys, which are then more than are used, then the
 * certificates; keys that nothing refers to any more go last, by themselves.
 */
#include <stdlib.h>

#include "certs/node_internal.h"
#include "certs/nss_db.h"

/* --- Reading --------------------------------------------------------------------------------------- */

static enum q_err load_all(struct nss_db *db, struct certs_identity *out, struct certs_failure *why)
{
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
    struct nss_db *db;
    enum q_err err = nss_db_open(folder->path, NSS_DB_READ, &db, why);
    enum q_err closing;

    if (err != Q_OK)
        return err == Q_ERR_NOT_FOUND ? Q_OK : err;
    err = load_all(db, out, why);
    closing = nss_db_close(db, why);
    return err != Q_OK ? err : closing;
}

static enum q_err find_key(const struct certs_folder *folder, X509 *cert, EVP_PKEY **key,
                           struct certs_failure *why)
{
    struct nss_db *db;
    enum q_err err = nss_db_open(folder->path, NSS_DB_READ, &db, why);
    enum q_err closing;

    if (err != Q_OK)
        return err;
    err = nss_db_find_key(db, cert, key, why);
    closing = nss_db_close(db, why);
    return err != Q_OK ? err : closing;
}

/* --- Writing --------------------------------------------------------------------------------------- */

/* Of the keys of requests, so that they are not taken for leftovers of a certificate that has been replaced. */
#define NICK_PENDING "Cluster Request"

/* One of three. */
struct change {
    EVP_PKEY *key; /* to be kept for later */
    const struct certs_identity *identity;
    const char *idle_keys; /* to be removed: those of this nickname; "": all */
};

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

static enum q_err apply(struct nss_db *db, const struct change *change, unsigned *dropped,
                        struct certs_failure *why)
{
    enum q_err err;

    if (change->key != NULL)
        return nss_db_put_key(db, change->key, NICK_PENDING, why);
    if (change->idle_keys != NULL)
        return nss_db_drop_idle_keys(db, change->idle_keys[0] != '\0' ? change->idle_keys : NULL, dropped,
                                     why);
    err = put_authorities(db, change->identity->authorities, why);
    if (err == Q_OK && change->identity->cert != NULL)
        err = put_identity(db, change->identity, why);
    return err;
}

static enum q_err in_stage(struct certs_folder *folder, const struct change *change, unsigned *dropped,
                           struct certs_failure *why)
{
    char *stage = certs_folder_stage_path(folder);
    struct nss_db *db = NULL;
    enum q_err err = Q_OK, closing;

    if (stage == NULL)
        return certs_fail_memory(why);
    for (size_t i = 0; err == Q_OK && i < NSS_DB_FILE_COUNT; i++)
        err = certs_folder_stage_copy(folder, nss_db_files[i], why);
    if (err == Q_OK)
        err = nss_db_open(stage, NSS_DB_CHANGE, &db, why);
    free(stage);
    if (err != Q_OK)
        return err;
    err = apply(db, change, dropped, why);
    closing = nss_db_close(db, why);
    return err != Q_OK ? err : closing;
}

static enum q_err carry_out(struct certs_folder *folder, const struct change *change,
                            struct certs_failure *why)
{
    enum q_err err = in_stage(folder, change, NULL, why);

    for (size_t i = 0; err == Q_OK && i < NSS_DB_FILE_COUNT; i++)
        err = certs_folder_publish(folder, nss_db_files[i], CERTS_MODE_SHARED, why);
    return err;
}

static enum q_err add_key(struct certs_folder *folder, EVP_PKEY *key, struct certs_failure *why)
{
    const struct change change = {.key = key};

    return carry_out(folder, &change, why);
}

static enum q_err drop_idle_keys(struct certs_folder *folder, const char *nickname, struct certs_failure *why)
{
    const struct change change = {.idle_keys = nickname};
    unsigned dropped = 0;
    enum q_err err = in_stage(folder, &change, &dropped, why);

    if (err == Q_OK && dropped > 0)
        err = certs_folder_publish(folder, "key4.db", CERTS_MODE_SHARED, why);
    return err;
}

static enum q_err tidy(struct certs_folder *folder, struct certs_failure *why)
{
    return drop_idle_keys(folder, CERTS_NICK_CLUSTER, why);
}

static enum q_err save(struct certs_folder *folder, const struct certs_identity *identity,
                       struct certs_failure *why)
{
    const struct change change = {.identity = identity};
    enum q_err err = Q_OK;

    if (!certs_folder_has(folder, "pwdfile.txt"))
        err = certs_folder_write(folder, "pwdfile.txt", "", 0, CERTS_MODE_SHARED, why);
    if (err == Q_OK)
        err = carry_out(folder, &change, why);
    if (err == Q_OK && identity->cert != NULL)
        err = drop_idle_keys(folder, "", why);
    return err;
}

const struct node_form node_form_nss = {load, find_key, add_key, save, tidy};
