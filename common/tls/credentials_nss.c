/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Credentials from an NSS database as the certificate tools of corosync-qnetd and corosync-qdevice make
 * them (certificates.md 2). The database is opened read-only in a context of its own, what is needed is
 * copied out, and NSS is shut down again, so that the next load sees files that were changed in between.
 */
#include "common/tls/credentials_internal.h"
#include "common/tls/nss_objects.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#include <cert.h>
#include <certdb.h>
#include <keyhi.h>
#include <nss.h>
#include <pk11pub.h>

#define PASSWORD_SIZE_MAX 512

struct nss_load {
    const struct tls_source_nss *src;
    struct tls_err_text *t;
    PK11SlotInfo *slot;
    CERTCertificate *cert;
    SECKEYPrivateKey *key;
    CERTCertList *all; /* every certificate of the database */
};

/* --- Files ---------------------------------------------------------------------------------------- */

static bool database_file(const char *dir, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Find the kind of the database and see to it that NSS will be able to read its files. */
static enum q_err check_files(struct nss_load *l, const char **prefix)
{
    static const char *const files[2][2] = {{"cert9.db", "key4.db"}, {"cert8.db", "key3.db"}};
    static const char *const prefixes[2] = {"sql:", "dbm:"};
    const char *dir = l->src->dir;
    char path[1024];

    if (access(dir, R_OK | X_OK) != 0 && errno == EACCES)
        return tls_fail(
            l->t, Q_ERR_ACCESS,
            "The certificate database directory %s may not be read by this user. Give the user or "
            "its group read and search permission.",
            dir);
    for (size_t kind = 0; kind < 2; kind++) {
        if (!database_file(dir, files[kind][0], path, sizeof(path)))
            continue;
        for (size_t i = 0; i < 2; i++) {
            database_file(dir, files[kind][i], path, sizeof(path));
            if (access(path, R_OK) != 0)
                return tls_fail(l->t, errno == EACCES ? Q_ERR_ACCESS : Q_ERR_NOT_FOUND,
                                "The certificate database file %s cannot be read: %s. Give the user or its "
                                "group read permission, or make the database anew.",
                                path, strerror(errno));
        }
        *prefix = prefixes[kind];
        return Q_OK;
    }
    return tls_fail(l->t, Q_ERR_NOT_FOUND,
                    "There is no certificate database (cert9.db or cert8.db) in %s. Create it with "
                    "corosync-qnetd-certutil or corosync-qdevice-net-certutil, or correct the setting.",
                    dir);
}

/* --- Inside the database -------------------------------------------------------------------------- */

static enum q_err log_in(struct nss_load *l)
{
    const char *path = l->src->password_file;
    char password[PASSWORD_SIZE_MAX] = "";
    enum q_err err = Q_OK;

    if (path != NULL && !nss_read_password(path, password, sizeof(password)))
        err = tls_fail(l->t, errno == EACCES ? Q_ERR_ACCESS : Q_ERR_NOT_FOUND,
                       "The password file %s of the certificate database %s cannot be opened: %s.", path,
                       l->src->dir, strerror(errno));
    if (err == Q_OK && PK11_NeedLogin(l->slot) && PK11_CheckUserPassword(l->slot, password) != SECSuccess)
        err = tls_fail(
            l->t, Q_ERR_ACCESS, "The certificate database %s does not open with the password %s%s: %s.",
            l->src->dir, l->src->password_file != NULL ? "in " : "that is empty",
            l->src->password_file != NULL ? l->src->password_file : "; set a password file", nss_reason());
    OPENSSL_cleanse(password, sizeof(password));
    return err;
}

static enum q_err find_own(struct nss_load *l)
{
    bool any = nss_find_with_key(l->src->nickname, &l->cert, &l->key);

    if (l->cert != NULL)
        return Q_OK;
    if (any)
        return tls_fail(l->t, Q_ERR_NOT_FOUND,
                        "The certificate \"%s\" in the database %s has no private key there: import it "
                        "together with its key (PKCS #12).",
                        l->src->nickname, l->src->dir);
    return tls_fail(l->t, Q_ERR_NOT_FOUND,
                    "There is no certificate \"%s\" in the database %s: list what there is with \"certutil "
                    "-L -d %s\", then correct the setting or import the certificate.",
                    l->src->nickname, l->src->dir, l->src->dir);
}

static bool is_trusted(const CERTCertificate *cert, enum tls_role role)
{
    CERTCertTrust trust;
    unsigned int wanted = role == TLS_ROLE_SERVER ? CERTDB_TRUSTED_CLIENT_CA : CERTDB_TRUSTED_CA;

    return CERT_GetCertTrust(cert, &trust) == SECSuccess && (trust.sslFlags & wanted) != 0;
}

static enum q_err copy_trusted(struct nss_load *l, enum tls_role role, struct tls_material *m)
{
    for (CERTCertListNode *n = CERT_LIST_HEAD(l->all); !CERT_LIST_END(n, l->all); n = CERT_LIST_NEXT(n)) {
        X509 *cert;

        if (!is_trusted(n->cert, role))
            continue;
        cert = nss_to_x509(n->cert);
        if (cert == NULL)
            return tls_fail(l->t, Q_ERR_INVALID, "A trusted authority in the database %s is damaged (%s).",
                            l->src->dir, tls_openssl_reason());
        if (sk_X509_push(m->trusted, cert) <= 0) {
            X509_free(cert);
            return tls_fail(l->t, Q_ERR_NO_MEMORY, "Out of memory while loading credentials.");
        }
    }
    if (sk_X509_num(m->trusted) == 0)
        return tls_fail(
            l->t, Q_ERR_INVALID,
            "No authority in the database %s is trusted for %s certificates (flag %s in the list of "
            "\"certutil -L -d %s\"): import the authority's certificate with trust CT,c,c.",
            l->src->dir, role == TLS_ROLE_SERVER ? "client" : "server", role == TLS_ROLE_SERVER ? "T" : "C",
            l->src->dir);
    return Q_OK;
}

/* The intermediate authorities to send along, from whatever certificates the database has. */
static enum q_err copy_chain(struct nss_load *l, struct tls_material *m)
{
    STACK_OF(X509) *candidates = sk_X509_new_null();
    enum q_err err = candidates == NULL ? Q_ERR_NO_MEMORY : Q_OK;

    for (CERTCertListNode *n = CERT_LIST_HEAD(l->all); err == Q_OK && !CERT_LIST_END(n, l->all);
         n = CERT_LIST_NEXT(n)) {
        X509 *cert = nss_to_x509(n->cert);

        if (cert != NULL && sk_X509_push(candidates, cert) <= 0) {
            X509_free(cert);
            err = Q_ERR_NO_MEMORY;
        }
    }
    if (err == Q_OK)
        err = tls_material_chain_from(m, candidates);
    sk_X509_pop_free(candidates, X509_free);
    if (err != Q_OK)
        return tls_fail(l->t, err, "Out of memory while loading credentials.");
    return Q_OK;
}

static enum q_err copy_key(struct nss_load *l, EVP_PKEY **key)
{
    enum q_err err = nss_key_export(l->slot, l->key, key);

    if (err == Q_ERR_ACCESS)
        return tls_fail(
            l->t, err, "The private key of \"%s\" cannot be taken out of the database %s: %s. Use PEM files.",
            l->src->nickname, l->src->dir, nss_reason());
    if (err != Q_OK)
        return tls_fail(l->t, err, "The private key of \"%s\" in the database %s cannot be used: %s.",
                        l->src->nickname, l->src->dir, tls_openssl_reason());
    return Q_OK;
}

/* --- The whole ------------------------------------------------------------------------------------ */

static enum q_err copy_out(struct nss_load *l, enum tls_role role, struct tls_material *m)
{
    enum q_err err;

    l->slot = PK11_GetInternalKeySlot();
    if (l->slot == NULL)
        return tls_fail(l->t, Q_ERR_IO, "The certificate database %s cannot be used: %s.", l->src->dir,
                        nss_reason());
    err = log_in(l);
    if (err != Q_OK)
        return err;
    err = find_own(l);
    if (err != Q_OK)
        return err;
    l->all = PK11_ListCertsInSlot(l->slot);
    if (l->all == NULL)
        return tls_fail(l->t, Q_ERR_IO, "The certificates of the database %s cannot be listed: %s.",
                        l->src->dir, nss_reason());
    m->cert = nss_to_x509(l->cert);
    if (m->cert == NULL)
        return tls_fail(l->t, Q_ERR_INVALID, "The certificate \"%s\" in the database %s is damaged (%s).",
                        l->src->nickname, l->src->dir, tls_openssl_reason());
    err = copy_key(l, &m->key);
    if (err != Q_OK)
        return err;
    err = copy_trusted(l, role, m);
    if (err != Q_OK)
        return err;
    return copy_chain(l, m);
}

static void let_go(struct nss_load *l)
{
    if (l->all != NULL)
        CERT_DestroyCertList(l->all);
    if (l->cert != NULL)
        CERT_DestroyCertificate(l->cert);
    SECKEY_DestroyPrivateKey(l->key);
    if (l->slot != NULL)
        PK11_FreeSlot(l->slot);
}

static void warn_about_files(const struct nss_load *l, struct tls_material *m)
{
    char path[1024];

    if (database_file(l->src->dir, "key4.db", path, sizeof(path)) ||
        database_file(l->src->dir, "key3.db", path, sizeof(path)))
        tls_material_warn_if_exposed(m, "private key database", path);
    if (l->src->password_file != NULL)
        tls_material_warn_if_exposed(m, "password file", l->src->password_file);
}

enum q_err tls_material_from_nss(const struct tls_source_nss *src, enum tls_role role, struct tls_material *m,
                                 struct tls_err_text *t)
{
    struct nss_load l = {.src = src, .t = t};
    const char *prefix = NULL;
    char where[1024];
    NSSInitContext *nss;
    enum q_err err;

    if (asprintf(&m->source, "NSS database %s, certificate \"%s\"", src->dir, src->nickname) < 0) {
        m->source = NULL;
        return tls_fail(t, Q_ERR_NO_MEMORY, "Out of memory while loading credentials.");
    }
    err = check_files(&l, &prefix);
    if (err != Q_OK)
        return err;
    snprintf(where, sizeof(where), "%s%s", prefix, src->dir);
    nss = NSS_InitContext(where, "", "", SECMOD_DB, NULL,
                          NSS_INIT_READONLY | NSS_INIT_NOMODDB | NSS_INIT_NOROOTINIT);
    if (nss == NULL)
        return tls_fail(t, Q_ERR_IO, "The certificate database %s cannot be opened: %s.", src->dir,
                        nss_reason());
    err = copy_out(&l, role, m);
    let_go(&l);
    if (NSS_ShutdownContext(nss) != SECSuccess && err == Q_OK)
        err = tls_fail(t, Q_ERR_IO, "NSS did not let go of the certificate database %s: %s.", src->dir,
                       nss_reason());
    if (err == Q_OK)
        warn_about_files(&l, m);
    return err;
}
