/* SPDX-License-Identifier: BSD-3-Clause */
/* The arbiter's store as an NSS database with the packaged nicknames, and its company of small files (certificates.md 2). */
#include <stdlib.h>
#include <string.h>

#include "certs/store/authority_internal.h"
#include "certs/x509/encode.h"
#include "certs/store/nss_folder.h"

/* --- Reading --------------------------------------------------------------------------------------- */

static bool lacking(enum q_err *err)
{
    if (*err == Q_ERR_NOT_FOUND)
        *err = Q_OK;
    return *err == Q_OK;
}

/* The authority's certificate comes first among the trusted ones; a database that failed half way may have it without trust. */
static enum q_err load_authority(struct nss_db *db, struct authority_material *out, struct certs_failure *why)
{
    X509 *own = NULL;
    enum q_err err = nss_db_find_own(db, CERTS_NICK_AUTHORITY, &own, &out->authority_key, why);

    X509_free(own);
    if (!lacking(&err))
        return err;
    err = nss_db_authorities(db, 'T', CERTS_NICK_AUTHORITY, &out->server.authorities, why);
    if (err != Q_OK)
        return err;
    err = nss_db_find_own(db, CERTS_NICK_FORMER, &out->former, &out->former_key, why);
    return lacking(&err) ? Q_OK : err;
}

static enum q_err load_all(struct nss_db *db, void *context, struct certs_failure *why)
{
    struct authority_material *out = context;
    enum q_err err = load_authority(db, out, why);

    if (err != Q_OK)
        return err;
    err = nss_db_find_own(db, CERTS_NICK_SERVER, &out->server.cert, &out->server.key, why);
    if (!lacking(&err))
        return err;
    return nss_db_others(db, &out->server.intermediates, why);
}

static enum q_err load(const struct certs_folder *folder, struct authority_material *out,
                       struct certs_failure *why)
{
    enum q_err err = nss_folder_read(folder, load_all, out, why);

    return lacking(&err) ? Q_OK : err;
}

/* --- Writing --------------------------------------------------------------------------------------- */

static enum q_err put(struct nss_db *db, X509 *cert, EVP_PKEY *key, const char *nickname, const char *trust,
                      struct certs_failure *why)
{
    enum q_err err = Q_OK;

    if (key != NULL)
        err = nss_db_put_key(db, key, nickname, why);
    if (err == Q_OK)
        err = nss_db_drop_certs(db, nickname, cert, why);
    if (err == Q_OK)
        err = nss_db_put_cert(db, cert, nickname, trust, why);
    return err;
}

/* Someone else's authorities. */
static enum q_err put_others(struct nss_db *db, const struct authority_material *m, struct certs_failure *why)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    enum q_err err = others != NULL ? Q_OK : certs_fail_memory(why);

    for (int i = 1; err == Q_OK && i < sk_X509_num(m->server.authorities); i++) {
        X509 *one = sk_X509_value(m->server.authorities, i);

        if ((m->former == NULL || !certs_same(one, m->former)) && sk_X509_push(others, one) <= 0)
            err = certs_fail_memory(why);
    }
    if (err == Q_OK)
        err = nss_db_put_more(db, others, 0, "CT,c,c", why);
    sk_X509_free(others);
    return err;
}

static enum q_err put_all(struct nss_db *db, void *context, struct certs_failure *why)
{
    const struct authority_material *m = context;
    X509 *authority = sk_X509_value(m->server.authorities, 0);
    enum q_err err = m->former != NULL ? nss_db_rename_cert(db, m->former, CERTS_NICK_FORMER, why) : Q_OK;

    /* Two authorities cannot share a nickname for a moment: what goes makes room. */
    if (err == Q_OK)
        err = nss_db_drop_certs(db, CERTS_NICK_AUTHORITY, authority, why);
    if (err == Q_OK)
        err = nss_db_rename_cert(db, authority, CERTS_NICK_AUTHORITY, why);
    if (err == Q_OK)
        err = put(db, authority, m->authority_key, CERTS_NICK_AUTHORITY,
                  m->authority_key != NULL ? "CTu,u,u" : "CT,c,c", why);
    if (err == Q_OK)
        err = nss_db_drop_certs(db, CERTS_NICK_FORMER, m->former, why);
    if (err == Q_OK && m->former != NULL)
        err = put(db, m->former, m->former_key, CERTS_NICK_FORMER, "CTu,u,u", why);
    if (err == Q_OK)
        err = put_others(db, m, why);
    if (err == Q_OK)
        err = nss_db_put_more(db, m->server.intermediates, 0, ",,", why);
    if (err == Q_OK)
        err = put(db, m->server.cert, m->server.key, CERTS_NICK_SERVER, "u,u,u", why);
    return err;
}

static enum q_err save_exported(struct certs_folder *folder, const struct authority_material *m,
                                struct certs_failure *why)
{
    STACK_OF(X509) *list = authority_exported(m);
    enum q_err err = list != NULL ? Q_OK : certs_fail_memory(why);
    struct q_buf text;

    q_buf_init(&text);
    for (int i = 0; err == Q_OK && i < sk_X509_num(list); i++)
        err = certs_encode_exported(sk_X509_value(list, i), &text, why);
    if (err == Q_OK)
        err = certs_folder_write(folder, CERTS_EXPORTED_AUTHORITY, q_buf_bytes(&text), text.size,
                                 CERTS_MODE_PUBLIC, why);
    q_buf_fini(&text);
    sk_X509_free(list);
    return err == Q_OK ? authority_save_next(folder, m, CERTS_EXPORTED_NEXT, why) : err;
}

static enum q_err save_database(struct certs_folder *folder, const struct authority_material *m,
                                struct certs_failure *why)
{
    enum q_err err = nss_folder_change(folder, put_all, (void *)(uintptr_t)m, why);

    if (err == Q_OK)
        err = nss_folder_publish(folder, why);
    return err == Q_OK ? nss_folder_drop_idle_keys(folder, NULL, why) : err;
}

/*
 * By the database a store counts as made, so what belongs to it comes first; but no node is to be given an authority that is
 * not there yet.
 */
static enum q_err save(struct certs_folder *folder, const struct authority_material *m,
                       struct certs_failure *why)
{
    enum q_err err = Q_OK;

    if (!certs_folder_has(folder, "pwdfile.txt"))
        err = certs_folder_write(folder, "pwdfile.txt", "", 0, CERTS_MODE_SHARED, why);
    if (err == Q_OK && m->former == NULL)
        err = save_exported(folder, m, why);
    if (err == Q_OK)
        err = save_database(folder, m, why);
    return err == Q_OK && m->former != NULL ? save_exported(folder, m, why) : err;
}

const struct authority_form authority_form_nss = {load, save, ".crt"};
