/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/store/nss_db.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/x509.h>

#include <cert.h>
#include <certdb.h>
#include <keyhi.h>
#include <nss.h>
#include <pk11pub.h>
#include <secerr.h>
#include <secitem.h>
#include <secport.h>

#include "certs/x509/identity.h"
#include "certs/store/place.h"
#include "common/tls/nss_objects.h"

#define PASSWORD_SIZE_MAX 512

const char *const nss_db_files[NSS_DB_FILE_COUNT] = {"pkcs11.txt", "key4.db", "cert9.db"};

struct nss_db {
    char *dir;
    NSSInitContext *context;
    PK11SlotInfo *slot;
};

static enum q_err fail_nss(struct certs_failure *why, const struct nss_db *db, const char *what)
{
    return certs_fail(why, Q_ERR_IO, "%s the certificate database %s: %s.", what, db->dir, nss_reason());
}

/* --- Opening and closing --------------------------------------------------------------------------- */

static enum q_err log_in(struct nss_db *db, struct certs_failure *why)
{
    char password[PASSWORD_SIZE_MAX] = "";
    char *path = NULL;
    enum q_err err = Q_OK;

    if (!PK11_NeedLogin(db->slot))
        return Q_OK;
    if (asprintf(&path, "%s/pwdfile.txt", db->dir) < 0)
        return certs_fail_memory(why);
    (void)nss_read_password(path, password, sizeof(password));
    if (PK11_CheckUserPassword(db->slot, password) != SECSuccess)
        err = certs_fail(
            why, Q_ERR_ACCESS,
            "The certificate database %s does not open with the password in its file pwdfile.txt (the file "
            "that certutil's option -f names). Write the password there.",
            db->dir);
    explicit_bzero(password, sizeof(password));
    free(path);
    return err;
}

static enum q_err open_slot(struct nss_db *db, enum nss_db_access access, struct certs_failure *why)
{
    db->slot = PK11_GetInternalKeySlot();
    if (db->slot == NULL)
        return fail_nss(why, db, "Cannot use");
    if (access == NSS_DB_CHANGE && PK11_NeedUserInit(db->slot)) {
        if (PK11_InitPin(db->slot, NULL, "") != SECSuccess)
            return fail_nss(why, db, "Cannot make");
        return Q_OK;
    }
    return log_in(db, why);
}

/* What certutil -N writes too. NSS would note the path of the stage here, but reads none of it for a database given by path. */
static enum q_err write_module_list(const char *dir, struct certs_failure *why)
{
    static const char text[] =
        "library=\nname=NSS Internal PKCS #11 Module\nparameters=configdir='' certPrefix='' keyPrefix='' "
        "secmod='secmod.db' flags= updatedir='' updateCertPrefix='' updateKeyPrefix='' updateid='' "
        "updateTokenDescription='' \nNSS=Flags=internal,critical trustOrder=75 cipherOrder=100 "
        "slotParams=(1={slotFlags=[ECC,RSA,DSA,DH,RC2,RC4,DES,RANDOM,SHA1,MD5,MD2,SSL,TLS,AES,Camellia,SEED,"
        "SHA256,SHA512] askpw=any timeout=30})\n\n";
    enum q_err err = Q_OK;
    char *path;
    FILE *file;

    if (asprintf(&path, "%s/pkcs11.txt", dir) < 0)
        return certs_fail_memory(why);
    file = fopen(path, "wxe");
    if (file != NULL && (fputs(text, file) == EOF) + (fclose(file) != 0) > 0)
        err = certs_fail_errno(why, "Cannot write", path);
    free(path);
    return err;
}

static bool has_database(const char *dir)
{
    char *path;
    bool has;

    if (asprintf(&path, "%s/cert9.db", dir) < 0)
        return false;
    has = access(path, F_OK) == 0;
    free(path);
    return has;
}

enum q_err nss_db_open(const char *dir, enum nss_db_access access, struct nss_db **out,
                       struct certs_failure *why)
{
    PRUint32 flags = NSS_INIT_NOROOTINIT | NSS_INIT_NOMODDB;
    struct nss_db *db = calloc(1, sizeof(*db));
    char *where = NULL;
    enum q_err err = Q_OK;

    *out = NULL;
    if (db == NULL || (db->dir = strdup(dir)) == NULL || asprintf(&where, "sql:%s", dir) < 0)
        err = certs_fail_memory(why);
    else if (access == NSS_DB_CHANGE)
        err = write_module_list(dir, why);
    else if (!has_database(dir))
        err = certs_fail(why, Q_ERR_NOT_FOUND, "There is no certificate database (cert9.db) in %s.", dir);
    if (err == Q_OK) {
        db->context = NSS_InitContext(where, "", "", SECMOD_DB, NULL,
                                      access == NSS_DB_READ ? flags | NSS_INIT_READONLY : flags);
        err = db->context == NULL ? fail_nss(why, db, "Cannot open") : open_slot(db, access, why);
    }
    free(where);
    if (err == Q_OK) {
        *out = db;
    } else if (db != NULL) {
        struct certs_failure ignored;

        (void)nss_db_close(db, &ignored);
    }
    return err;
}

enum q_err nss_db_close(struct nss_db *db, struct certs_failure *why)
{
    enum q_err err = Q_OK;

    if (db == NULL)
        return Q_OK;
    if (db->slot != NULL)
        PK11_FreeSlot(db->slot);
    if (db->context != NULL && NSS_ShutdownContext(db->context) != SECSuccess)
        err = fail_nss(why, db, "NSS did not let go of");
    free(db->dir);
    free(db);
    return err;
}

/* --- Certificates ---------------------------------------------------------------------------------- */

static CERTCertificate *to_nss(X509 *cert)
{
    unsigned char *der = NULL;
    int length = i2d_X509(cert, &der);
    SECItem item = {.type = siBuffer, .data = der, .len = (unsigned int)length};
    CERTCertificate *out = NULL;

    if (length > 0)
        out = CERT_NewTempCertificate(CERT_GetDefaultCertDB(), &item, NULL, PR_FALSE, PR_TRUE);
    OPENSSL_free(der);
    return out;
}

enum q_err nss_db_put_cert(struct nss_db *db, X509 *cert, const char *nickname, const char *trust,
                           struct certs_failure *why)
{
    CERTCertificate *item = to_nss(cert);
    CERTCertTrust flags;
    enum q_err err = Q_OK;

    memset(&flags, 0, sizeof(flags));
    if (item == NULL || CERT_DecodeTrustString(&flags, trust) != SECSuccess)
        err = fail_nss(why, db, "Cannot put a certificate into");
    if (err == Q_OK && PK11_ImportCert(db->slot, item, CK_INVALID_HANDLE, nickname, PR_FALSE) != SECSuccess)
        err = fail_nss(why, db, "Cannot put a certificate into");
    if (err == Q_OK && CERT_ChangeCertTrust(CERT_GetDefaultCertDB(), item, &flags) != SECSuccess)
        err = fail_nss(why, db, "Cannot set the trust of a certificate in");
    if (item != NULL)
        CERT_DestroyCertificate(item);
    return err;
}

enum q_err nss_db_put_more(struct nss_db *db, const STACK_OF(X509) * list, int from, const char *trust,
                           struct certs_failure *why)
{
    enum q_err err = Q_OK;

    for (int i = from; err == Q_OK && i < sk_X509_num(list); i++) {
        X509 *cert = sk_X509_value(list, i);
        char *nickname = X509_NAME_oneline(X509_get_subject_name(cert), NULL, 0);

        err = nickname != NULL ? nss_db_put_cert(db, cert, nickname, trust, why) : certs_fail_memory(why);
        OPENSSL_free(nickname);
    }
    return err;
}

static X509 *copy_of(const CERTCertificate *cert)
{
    return cert != NULL ? nss_to_x509(cert) : NULL;
}

/* Any certificate of that nickname, for one that has no key. */
static X509 *without_key(const char *nickname)
{
    CERTCertificate *cert = PK11_FindCertFromNickname(nickname, NULL);
    X509 *out = copy_of(cert);

    if (cert != NULL)
        CERT_DestroyCertificate(cert);
    return out;
}

enum q_err nss_db_find_own(struct nss_db *db, const char *nickname, X509 **cert, EVP_PKEY **key,
                           struct certs_failure *why)
{
    SECKEYPrivateKey *found_key;
    CERTCertificate *found;
    bool any = nss_find_with_key(nickname, &found, &found_key);
    enum q_err err = Q_OK;

    *cert = found != NULL ? copy_of(found) : any ? without_key(nickname) : NULL;
    if (found == NULL)
        err = certs_fail(why, Q_ERR_NOT_FOUND, "There is no certificate \"%s\"%s in the database %s.",
                         nickname, any ? " with its key" : "", db->dir);
    else if (*cert == NULL)
        err = certs_fail(why, Q_ERR_INVALID, "The certificate \"%s\" in the database %s is damaged.",
                         nickname, db->dir);
    else if (key != NULL && nss_key_export(db->slot, found_key, key) != Q_OK)
        err = fail_nss(why, db, "Cannot take a private key out of");
    if (found != NULL)
        CERT_DestroyCertificate(found);
    SECKEY_DestroyPrivateKey(found_key);
    return err;
}

static bool same(const CERTCertificate *a, X509 *b)
{
    X509 *copy = nss_to_x509(a);
    bool equal = copy != NULL && certs_same(copy, b);

    X509_free(copy);
    return equal;
}

enum q_err nss_db_drop_certs(struct nss_db *db, const char *nickname, X509 *keep, struct certs_failure *why)
{
    CERTCertList *list = PK11_FindCertsFromNickname(nickname, NULL);
    enum q_err err = Q_OK;

    if (list == NULL)
        return Q_OK;
    for (CERTCertListNode *n = CERT_LIST_HEAD(list); err == Q_OK && !CERT_LIST_END(n, list);
         n = CERT_LIST_NEXT(n)) {
        if (keep != NULL && same(n->cert, keep))
            continue;
        if (SEC_DeletePermCertificate(n->cert) != SECSuccess)
            err = fail_nss(why, db, "Cannot remove a certificate from");
    }
    CERT_DestroyCertList(list);
    return err;
}

enum q_err nss_db_rename_cert(struct nss_db *db, X509 *cert, const char *nickname, struct certs_failure *why)
{
    CERTCertList *all = PK11_ListCertsInSlot(db->slot);
    enum q_err err = Q_OK;

    if (all == NULL)
        return fail_nss(why, db, "Cannot list");
    for (CERTCertListNode *n = CERT_LIST_HEAD(all); err == Q_OK && !CERT_LIST_END(n, all); n = CERT_LIST_NEXT(n)) {
        if (same(n->cert, cert) && (n->cert->nickname == NULL || strcmp(n->cert->nickname, nickname) != 0) &&
            __PK11_SetCertificateNickname(n->cert, nickname) != SECSuccess)
            err = fail_nss(why, db, "Cannot rename a certificate in");
    }
    CERT_DestroyCertList(all);
    return err;
}

static bool on_list(const CERTCertificate *cert, const STACK_OF(X509) * keep)
{
    for (int i = 0; i < sk_X509_num(keep); i++) {
        if (same(cert, sk_X509_value(keep, i)))
            return true;
    }
    return false;
}

/* Those of the list but the first go by names made from their subjects. */
static enum q_err rename_others(struct nss_db *db, const STACK_OF(X509) * list, struct certs_failure *why)
{
    enum q_err err = Q_OK;

    for (int i = 1; err == Q_OK && i < sk_X509_num(list); i++) {
        char *nickname = X509_NAME_oneline(X509_get_subject_name(sk_X509_value(list, i)), NULL, 0);

        err = nickname != NULL ? nss_db_rename_cert(db, sk_X509_value(list, i), nickname, why) : certs_fail_memory(why);
        OPENSSL_free(nickname);
    }
    return err;
}

enum q_err nss_db_drop_authorities(struct nss_db *db, const STACK_OF(X509) * keep, struct certs_failure *why)
{
    enum q_err err = rename_others(db, keep, why);
    CERTCertList *all;

    if (err == Q_OK)
        err = nss_db_drop_certs(db, CERTS_NICK_AUTHORITY, sk_X509_value(keep, 0), why);
    all = PK11_ListCertsInSlot(db->slot);
    if (all == NULL)
        return fail_nss(why, db, "Cannot list");
    for (CERTCertListNode *n = CERT_LIST_HEAD(all); err == Q_OK && !CERT_LIST_END(n, all);
         n = CERT_LIST_NEXT(n)) {
        CERTCertTrust trust;

        if (CERT_GetCertTrust(n->cert, &trust) != SECSuccess || (trust.sslFlags & CERTDB_TRUSTED_CA) == 0 ||
            on_list(n->cert, keep))
            continue;
        if (SEC_DeletePermCertificate(n->cert) != SECSuccess)
            err = fail_nss(why, db, "Cannot remove a certificate from");
    }
    CERT_DestroyCertList(all);
    return err;
}

/* --- Lists of certificates --------------------------------------------------------------------------- */

enum wish { WISH_SERVER_AUTHORITIES, WISH_CLIENT_AUTHORITIES, WISH_OTHERS };

static bool wanted(CERTCertificate *cert, enum wish wish)
{
    const unsigned any = CERTDB_TRUSTED_CA | CERTDB_TRUSTED_CLIENT_CA | CERTDB_USER;
    CERTCertTrust trust;
    bool known = CERT_GetCertTrust(cert, &trust) == SECSuccess;
    SECKEYPrivateKey *key;

    switch (wish) {
    case WISH_SERVER_AUTHORITIES:
        return known && (trust.sslFlags & CERTDB_TRUSTED_CA) != 0;
    case WISH_CLIENT_AUTHORITIES:
        return known && (trust.sslFlags & CERTDB_TRUSTED_CLIENT_CA) != 0;
    case WISH_OTHERS:
        break;
    }
    if (known && (trust.sslFlags & any) != 0)
        return false;
    key = PK11_FindKeyByAnyCert(cert, NULL);
    SECKEY_DestroyPrivateKey(key);
    return key == NULL;
}

static enum q_err list(struct nss_db *db, enum wish wish, const char *first_nickname, STACK_OF(X509) * *out,
                       struct certs_failure *why)
{
    CERTCertList *all = PK11_ListCertsInSlot(db->slot);
    enum q_err err = Q_OK;

    *out = sk_X509_new_null();
    if (all == NULL || *out == NULL)
        err = fail_nss(why, db, "Cannot list");
    for (CERTCertListNode *n = err == Q_OK ? CERT_LIST_HEAD(all) : NULL; n != NULL && !CERT_LIST_END(n, all);
         n = CERT_LIST_NEXT(n)) {
        bool first = first_nickname != NULL && n->cert->nickname != NULL &&
                     strcmp(n->cert->nickname, first_nickname) == 0;
        X509 *cert = wanted(n->cert, wish) ? nss_to_x509(n->cert) : NULL;

        if (cert != NULL && sk_X509_insert(*out, cert, first ? 0 : -1) <= 0) {
            X509_free(cert);
            err = certs_fail_memory(why);
            break;
        }
    }
    if (all != NULL)
        CERT_DestroyCertList(all);
    if (err != Q_OK) {
        sk_X509_pop_free(*out, X509_free);
        *out = NULL;
    }
    return err;
}

enum q_err nss_db_authorities(struct nss_db *db, char flag, const char *first_nickname, STACK_OF(X509) * *out,
                              struct certs_failure *why)
{
    return list(db, flag == 'C' ? WISH_SERVER_AUTHORITIES : WISH_CLIENT_AUTHORITIES, first_nickname, out,
                why);
}

enum q_err nss_db_others(struct nss_db *db, STACK_OF(X509) * *out, struct certs_failure *why)
{
    return list(db, WISH_OTHERS, NULL, out, why);
}

/* --- Keys -------------------------------------------------------------------------------------------- */

/* NSS finds a key by the modulus or the point of its public half. */
static bool public_value(EVP_PKEY *key, SECItem *value)
{
    unsigned char *bytes = NULL;
    size_t size = 0;

    if (EVP_PKEY_is_a(key, "RSA")) {
        BIGNUM *modulus = NULL;

        if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1)
            return false;
        size = (size_t)BN_num_bytes(modulus);
        bytes = OPENSSL_malloc(size);
        if (bytes != NULL)
            BN_bn2bin(modulus, bytes);
        BN_free(modulus);
    } else {
        size = EVP_PKEY_get1_encoded_public_key(key, &bytes);
    }
    *value = (SECItem){.type = siBuffer, .data = bytes, .len = (unsigned int)size};
    return bytes != NULL && size > 0;
}

static enum q_err import_key(struct nss_db *db, SECItem *der, SECItem *value, const char *nickname,
                             struct certs_failure *why)
{
    const unsigned int usage = KU_ALL;
    SECItem *id = PK11_MakeIDFromPubKey(value);
    SECItem nick = {.type = siBuffer,
                    .data = (unsigned char *)(uintptr_t)nickname,
                    .len = (unsigned int)strlen(nickname)};
    SECKEYPrivateKey *there = id != NULL ? PK11_FindKeyByKeyID(db->slot, id, NULL) : NULL;
    char *name = there != NULL ? PK11_GetPrivateKeyNickname(there) : NULL;
    enum q_err err = Q_OK;

    SECITEM_FreeItem(id, PR_TRUE);
    if (name != NULL && strcmp(name, nickname) == 0) {
        SECKEY_DestroyPrivateKey(there);
    } else {
        /* NSS says that it changes a nickname, but the database keeps the old one. Deleting takes over what it is given. */
        if (there != NULL && PK11_DeleteTokenPrivateKey(there, PR_TRUE) != SECSuccess)
            err = fail_nss(why, db, "Cannot replace a private key in");
        else if (PK11_ImportDERPrivateKeyInfo(db->slot, der, &nick, value, PR_TRUE, PR_TRUE, usage, NULL) !=
                 SECSuccess)
            err = fail_nss(why, db, "Cannot put a private key into");
    }
    PORT_Free(name);
    return err;
}

enum q_err nss_db_put_key(struct nss_db *db, EVP_PKEY *key, const char *nickname, struct certs_failure *why)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *bytes = NULL;
    int length = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &bytes) : 0;
    SECItem der = {.type = siBuffer, .data = bytes, .len = (unsigned int)length};
    SECItem value = {0};
    enum q_err err;

    if (length > 0 && public_value(key, &value))
        err = import_key(db, &der, &value, nickname, why);
    else
        err = certs_fail_openssl(why, "A private key cannot be written");
    OPENSSL_free(value.data);
    OPENSSL_clear_free(bytes, length > 0 ? (size_t)length : 0);
    PKCS8_PRIV_KEY_INFO_free(info);
    return err;
}

enum q_err nss_db_find_key(struct nss_db *db, X509 *cert, EVP_PKEY **key, struct certs_failure *why)
{
    SECItem value = {0};
    SECKEYPrivateKey *found = NULL;
    enum q_err err;

    *key = NULL;
    if (public_value(X509_get0_pubkey(cert), &value)) {
        SECItem *id = PK11_MakeIDFromPubKey(&value);

        found = id != NULL ? PK11_FindKeyByKeyID(db->slot, id, NULL) : NULL;
        SECITEM_FreeItem(id, PR_TRUE);
    }
    OPENSSL_free(value.data);
    if (found == NULL)
        return certs_fail(why, Q_ERR_NOT_FOUND, "The database %s has no private key for this certificate.",
                          db->dir);
    err = nss_key_export(db->slot, found, key);
    SECKEY_DestroyPrivateKey(found);
    return err == Q_OK ? Q_OK : fail_nss(why, db, "Cannot take a private key out of");
}

/* Whether nothing in the database goes with the key, and it has that nickname (NULL: any). */
static bool idle(SECKEYPrivateKey *key, const char *nickname)
{
    CERTCertificate *cert = PK11_GetCertFromPrivateKey(key);
    char *name;
    bool named;

    if (cert != NULL) {
        CERT_DestroyCertificate(cert);
        return false;
    }
    if (nickname == NULL)
        return true;
    name = PK11_GetPrivateKeyNickname(key);
    named = name != NULL && strcmp(name, nickname) == 0;
    PORT_Free(name);
    return named;
}

enum q_err nss_db_drop_idle_keys(struct nss_db *db, const char *nickname, unsigned *count,
                                 struct certs_failure *why)
{
    SECKEYPrivateKeyList *keys = PK11_ListPrivateKeysInSlot(db->slot);
    enum q_err err = Q_OK;

    *count = 0;
    if (keys == NULL)
        return Q_OK;
    for (SECKEYPrivateKeyListNode *n = PRIVKEY_LIST_HEAD(keys); err == Q_OK && !PRIVKEY_LIST_END(n, keys);
         n = PRIVKEY_LIST_NEXT(n)) {
        SECKEYPrivateKey *copy = idle(n->key, nickname) ? SECKEY_CopyPrivateKey(n->key) : NULL;

        if (copy == NULL)
            continue;
        /* Takes over what it is given. */
        if (PK11_DeleteTokenPrivateKey(copy, PR_TRUE) != SECSuccess)
            err = fail_nss(why, db, "Cannot remove a private key from");
        else
            (*count)++;
    }
    SECKEY_DestroyPrivateKeyList(keys);
    return err;
}
