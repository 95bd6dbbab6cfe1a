/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Credentials from an NSS database as the certificate tools of corosync-qnetd and corosync-qdevice make
 * them (certificates.md 2). The only file that knows NSS. The database is opened read-only in a context
 * of its own, what is needed is copied out, and NSS is shut down again, so that the next load sees files
 * that were changed in between. The private key leaves NSS encrypted under a random password that exists
 * only during the call, since NSS gives keys out in no other way.
 */
#include "common/tls/credentials_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <cert.h>
#include <certdb.h>
#include <keyhi.h>
#include <nss.h>
#include <pk11pub.h>
#include <prerror.h>
#include <secasn1.h>
#include <secerr.h>
#include <secitem.h>

/* The key is encrypted with as many random bits as AES takes, so rounds of derivation add nothing. */
#define TRANSPORT_PASSWORD_RANDOM_SIZE 32
#define TRANSPORT_ROUNDS 1

#define PASSWORD_SIZE_MAX 512

struct nss_load {
    const struct tls_source_nss *src;
    struct tls_err_text *t;
    PK11SlotInfo *slot;
    CERTCertificate *cert;
    SECKEYPrivateKey *key;
    CERTCertList *all; /* every certificate of the database */
};

static const char *nss_reason(void)
{
    PRErrorCode code = PR_GetError();
    const char *text = PR_ErrorToString(code, PR_LANGUAGE_I_DEFAULT);

    return text != NULL && text[0] != '\0' ? text : "unknown NSS error";
}

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

/*
 * The first line of the file; a token name before it, as in password files with several lines for
 * certutil, is skipped. NULL if there is no such file: then the password is empty.
 */
static enum q_err read_password(struct nss_load *l, char *password, size_t size)
{
    static const char token[] = "NSS Certificate DB:";
    const char *path = l->src->password_file;
    FILE *file;

    password[0] = '\0';
    if (path == NULL)
        return Q_OK;
    file = fopen(path, "re");
    if (file == NULL)
        return tls_fail(l->t, errno == EACCES ? Q_ERR_ACCESS : Q_ERR_NOT_FOUND,
                        "The password file %s of the certificate database %s cannot be opened: %s.", path,
                        l->src->dir, strerror(errno));
    if (fgets(password, (int)size, file) == NULL)
        password[0] = '\0';
    fclose(file);
    password[strcspn(password, "\r\n")] = '\0';
    if (strncmp(password, token, sizeof(token) - 1) == 0)
        memmove(password, password + sizeof(token) - 1, strlen(password) - (sizeof(token) - 1) + 1);
    return Q_OK;
}

/* --- Inside the database -------------------------------------------------------------------------- */

static enum q_err log_in(struct nss_load *l)
{
    char password[PASSWORD_SIZE_MAX];
    enum q_err err = read_password(l, password, sizeof(password));

    if (err == Q_OK && PK11_NeedLogin(l->slot) && PK11_CheckUserPassword(l->slot, password) != SECSuccess)
        err = tls_fail(
            l->t, Q_ERR_ACCESS, "The certificate database %s does not open with the password %s%s: %s.",
            l->src->dir, l->src->password_file != NULL ? "in " : "that is empty",
            l->src->password_file != NULL ? l->src->password_file : "; set a password file", nss_reason());
    OPENSSL_cleanse(password, sizeof(password));
    return err;
}

/* Whether a is the better one of two certificates of the same nickname. */
static bool better(CERTCertificate *a, CERTCertificate *b)
{
    PRTime a_before = 0, a_after = 0, b_before = 0, b_after = 0;
    bool a_valid, b_valid;

    if (b == NULL)
        return true;
    a_valid = CERT_CheckCertValidTimes(a, PR_Now(), PR_FALSE) == secCertTimeValid;
    b_valid = CERT_CheckCertValidTimes(b, PR_Now(), PR_FALSE) == secCertTimeValid;
    if (a_valid != b_valid)
        return a_valid;
    CERT_GetCertTimes(a, &a_before, &a_after);
    CERT_GetCertTimes(b, &b_before, &b_after);
    return a_before != b_before ? a_before > b_before : a_after > b_after;
}

/*
 * Repeated requests and imports leave several certificates with keys under one nickname
 * (certificates.md, pain point 6): take the newest that is valid and has its key.
 */
static enum q_err find_own(struct nss_load *l)
{
    CERTCertList *list = PK11_FindCertsFromNickname(l->src->nickname, NULL);
    bool any = false;

    if (list != NULL) {
        for (CERTCertListNode *n = CERT_LIST_HEAD(list); !CERT_LIST_END(n, list); n = CERT_LIST_NEXT(n)) {
            SECKEYPrivateKey *key = PK11_FindKeyByAnyCert(n->cert, NULL);

            any = true;
            if (key == NULL || !better(n->cert, l->cert)) {
                SECKEY_DestroyPrivateKey(key);
                continue;
            }
            SECKEY_DestroyPrivateKey(l->key);
            if (l->cert != NULL)
                CERT_DestroyCertificate(l->cert);
            l->key = key;
            l->cert = CERT_DupCertificate(n->cert);
        }
        CERT_DestroyCertList(list);
    }
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

static X509 *to_x509(const CERTCertificate *cert)
{
    const unsigned char *der = cert->derCert.data;

    return d2i_X509(NULL, &der, (long)cert->derCert.len);
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
        cert = to_x509(n->cert);
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
        X509 *cert = to_x509(n->cert);

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

/* --- The private key ------------------------------------------------------------------------------ */

static void random_password(unsigned char *text, size_t random_size)
{
    unsigned char random[TRANSPORT_PASSWORD_RANDOM_SIZE];

    if (PK11_GenerateRandom(random, (int)random_size) != SECSuccess)
        abort(); /* a generator of randomness that fails leaves nothing to go on with */
    for (size_t i = 0; i < random_size; i++)
        snprintf((char *)text + 2 * i, 3, "%02x", random[i]);
    OPENSSL_cleanse(random, sizeof(random));
}

static EVP_PKEY *decrypt_key(const SECItem *der, const unsigned char *password, size_t length)
{
    const unsigned char *data = der->data;
    X509_SIG *encrypted = d2i_X509_SIG(NULL, &data, (long)der->len);
    PKCS8_PRIV_KEY_INFO *info = NULL;
    EVP_PKEY *key = NULL;

    if (encrypted != NULL)
        info = PKCS8_decrypt(encrypted, (const char *)password, (int)length);
    if (info != NULL)
        key = EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG_free(encrypted);
    return key;
}

static enum q_err copy_key(struct nss_load *l, EVP_PKEY **key)
{
    unsigned char password[2 * TRANSPORT_PASSWORD_RANDOM_SIZE + 1];
    SECItem item = {.type = siBuffer, .data = password, .len = sizeof(password) - 1};
    SECKEYEncryptedPrivateKeyInfo *info;
    SECItem *der = NULL;
    enum q_err err = Q_OK;

    random_password(password, TRANSPORT_PASSWORD_RANDOM_SIZE);
    info = PK11_ExportEncryptedPrivKeyInfoV2(l->slot, SEC_OID_AES_256_CBC, SEC_OID_UNKNOWN,
                                             SEC_OID_HMAC_SHA256, &item, l->key, TRANSPORT_ROUNDS, NULL);
    if (info != NULL)
        der = SEC_ASN1EncodeItem(NULL, NULL, info, SEC_ASN1_GET(SECKEY_EncryptedPrivateKeyInfoTemplate));
    if (der == NULL) {
        err = tls_fail(l->t, Q_ERR_ACCESS,
                       "The private key of \"%s\" cannot be taken out of the database %s: %s. Use PEM files.",
                       l->src->nickname, l->src->dir, nss_reason());
    } else {
        *key = decrypt_key(der, password, item.len);
        if (*key == NULL)
            err = tls_fail(l->t, Q_ERR_INVALID,
                           "The private key of \"%s\" in the database %s cannot be used: %s.",
                           l->src->nickname, l->src->dir, tls_openssl_reason());
    }
    OPENSSL_cleanse(password, sizeof(password));
    if (der != NULL)
        SECITEM_ZfreeItem(der, PR_TRUE);
    if (info != NULL)
        SECKEY_DestroyEncryptedPrivateKeyInfo(info, PR_TRUE);
    return err;
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
    m->cert = to_x509(l->cert);
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
