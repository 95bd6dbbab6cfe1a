/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/nss_objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pkcs12.h>

#include <cert.h>
#include <keyhi.h>
#include <pk11pub.h>
#include <prerror.h>
#include <secasn1.h>
#include <secerr.h>
#include <secitem.h>

/* The key is encrypted with as many random bits as AES takes, so rounds of derivation add nothing. */
#define TRANSPORT_PASSWORD_RANDOM_SIZE 32
#define TRANSPORT_ROUNDS 1

const char *nss_reason(void)
{
    PRErrorCode code = PR_GetError();
    const char *text = PR_ErrorToString(code, PR_LANGUAGE_I_DEFAULT);

    return text != NULL && text[0] != '\0' ? text : "unknown NSS error";
}

bool nss_read_password(const char *path, char *password, size_t size)
{
    static const char token[] = "NSS Certificate DB:";
    FILE *file = fopen(path, "re");

    password[0] = '\0';
    if (file == NULL)
        return false;
    if (fgets(password, (int)size, file) == NULL)
        password[0] = '\0';
    fclose(file);
    password[strcspn(password, "\r\n")] = '\0';
    if (strncmp(password, token, sizeof(token) - 1) == 0)
        memmove(password, password + sizeof(token) - 1, strlen(password) - (sizeof(token) - 1) + 1);
    return true;
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

bool nss_find_with_key(const char *nickname, CERTCertificate **cert, SECKEYPrivateKey **key)
{
    CERTCertList *list = PK11_FindCertsFromNickname(nickname, NULL);
    bool any = false;

    *cert = NULL;
    *key = NULL;
    if (list == NULL)
        return false;
    for (CERTCertListNode *n = CERT_LIST_HEAD(list); !CERT_LIST_END(n, list); n = CERT_LIST_NEXT(n)) {
        SECKEYPrivateKey *its_key = PK11_FindKeyByAnyCert(n->cert, NULL);

        any = true;
        if (its_key == NULL || !better(n->cert, *cert)) {
            SECKEY_DestroyPrivateKey(its_key);
            continue;
        }
        SECKEY_DestroyPrivateKey(*key);
        if (*cert != NULL)
            CERT_DestroyCertificate(*cert);
        *key = its_key;
        *cert = CERT_DupCertificate(n->cert);
    }
    CERT_DestroyCertList(list);
    return any;
}

X509 *nss_to_x509(const CERTCertificate *cert)
{
    const unsigned char *der = cert->derCert.data;

    return d2i_X509(NULL, &der, (long)cert->derCert.len);
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

enum q_err nss_key_export(PK11SlotInfo *slot, SECKEYPrivateKey *key, EVP_PKEY **out)
{
    unsigned char password[2 * TRANSPORT_PASSWORD_RANDOM_SIZE + 1];
    SECItem item = {.type = siBuffer, .data = password, .len = sizeof(password) - 1};
    SECKEYEncryptedPrivateKeyInfo *info;
    SECItem *der = NULL;

    *out = NULL;
    random_password(password, TRANSPORT_PASSWORD_RANDOM_SIZE);
    info = PK11_ExportEncryptedPrivKeyInfoV2(slot, SEC_OID_AES_256_CBC, SEC_OID_UNKNOWN, SEC_OID_HMAC_SHA256,
                                             &item, key, TRANSPORT_ROUNDS, NULL);
    if (info != NULL)
        der = SEC_ASN1EncodeItem(NULL, NULL, info, SEC_ASN1_GET(SECKEY_EncryptedPrivateKeyInfoTemplate));
    if (der != NULL)
        *out = decrypt_key(der, password, item.len);
    OPENSSL_cleanse(password, sizeof(password));
    if (info != NULL)
        SECKEY_DestroyEncryptedPrivateKeyInfo(info, PR_TRUE);
    if (der == NULL)
        return Q_ERR_ACCESS;
    SECITEM_ZfreeItem(der, PR_TRUE);
    return *out != NULL ? Q_OK : Q_ERR_INVALID;
}
