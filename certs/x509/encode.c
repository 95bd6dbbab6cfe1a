/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/x509/encode.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "certs/store/place.h"

/* The key is protected by the file's mode, not by a password everybody knows is empty. */
#define PKCS12_ROUNDS 2048

/* Appends what was written to bio and frees it. `good`: nothing has failed so far. */
static enum q_err take(BIO *bio, bool good, struct q_buf *out, struct certs_failure *why)
{
    char *bytes = NULL;
    long size = 0;

    if (bio == NULL)
        return certs_fail_memory(why);
    if (good)
        size = BIO_get_mem_data(bio, &bytes);
    if (size > 0)
        q_buf_append(out, bytes, (size_t)size);
    if (bytes != NULL)
        OPENSSL_cleanse(bytes, (size_t)size);
    BIO_free(bio);
    if (!good)
        return certs_fail_openssl(why, "A certificate or key cannot be written");
    return out->failed ? certs_fail_memory(why) : Q_OK;
}

enum q_err certs_encode_der(const X509 *cert, struct q_buf *out, struct certs_failure *why)
{
    BIO *bio = BIO_new(BIO_s_mem());

    return take(bio, bio != NULL && i2d_X509_bio(bio, (X509 *)(uintptr_t)cert) == 1, out, why);
}

enum q_err certs_encode_pem(const X509 *cert, struct q_buf *out, struct certs_failure *why)
{
    BIO *bio = BIO_new(BIO_s_mem());

    return take(bio, bio != NULL && PEM_write_bio_X509(bio, cert) == 1, out, why);
}

enum q_err certs_encode_pem_list(const STACK_OF(X509) * list, struct q_buf *out, struct certs_failure *why)
{
    enum q_err err = Q_OK;

    for (int i = 0; err == Q_OK && i < sk_X509_num(list); i++)
        err = certs_encode_pem(sk_X509_value(list, i), out, why);
    return err;
}

enum q_err certs_encode_pem_key(const EVP_PKEY *key, struct q_buf *out, struct certs_failure *why)
{
    BIO *bio = BIO_new(BIO_s_secmem());

    return take(bio, bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1,
                out, why);
}

enum q_err certs_encode_request(const X509_REQ *request, bool pem, struct q_buf *out,
                                struct certs_failure *why)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL && (pem ? PEM_write_bio_X509_REQ(bio, (X509_REQ *)(uintptr_t)request)
                                    : i2d_X509_REQ_bio(bio, (X509_REQ *)(uintptr_t)request)) == 1;

    return take(bio, good, out, why);
}

enum q_err certs_encode_exported(const X509 *cert, struct q_buf *out, struct certs_failure *why)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL && X509_print(bio, (X509 *)(uintptr_t)cert) == 1 && BIO_puts(bio, "\n") == 1;
    enum q_err err = take(bio, good, out, why);
    struct q_buf pem;

    q_buf_init(&pem);
    if (err == Q_OK)
        err = certs_encode_pem(cert, &pem, why);
    for (size_t i = 0; err == Q_OK && i < pem.size; i++) {
        char byte = (char)q_buf_bytes(&pem)[i];

        q_buf_append(out, byte == '\n' ? "\r\n" : &byte, byte == '\n' ? 2 : 1);
    }
    q_buf_fini(&pem);
    if (err == Q_OK && out->failed)
        err = certs_fail_memory(why);
    return err;
}

/* The certificates that go along, the first authority under its nickname; NULL without memory. */
static STACK_OF(X509) * named_company(const struct certs_identity *identity)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    const STACK_OF(X509) * lists[] = {identity->authorities, identity->intermediates};

    for (size_t l = 0; all != NULL && l < 2; l++) {
        for (int i = 0; i < sk_X509_num(lists[l]); i++) {
            X509 *copy = X509_dup(sk_X509_value(lists[l], i));

            if (copy != NULL && l == 0 && i == 0)
                X509_alias_set1(copy, (const unsigned char *)CERTS_NICK_AUTHORITY, -1);
            if (copy == NULL || sk_X509_push(all, copy) <= 0) {
                X509_free(copy);
                sk_X509_pop_free(all, X509_free);
                return NULL;
            }
        }
    }
    return all;
}

enum q_err certs_encode_pkcs12(const struct certs_identity *identity, struct q_buf *out,
                               struct certs_failure *why)
{
    STACK_OF(X509) *company = named_company(identity);
    BIO *bio = BIO_new(BIO_s_secmem());
    PKCS12 *p12 = NULL;
    enum q_err err;

    if (company != NULL)
        p12 = PKCS12_create("", CERTS_NICK_CLUSTER, identity->key, identity->cert, company, NID_aes_256_cbc,
                            NID_aes_128_cbc, PKCS12_ROUNDS, PKCS12_ROUNDS, 0);
    err = take(bio, p12 != NULL && bio != NULL && i2d_PKCS12_bio(bio, p12) == 1, out, why);
    PKCS12_free(p12);
    sk_X509_pop_free(company, X509_free);
    return err;
}

void certs_buf_clean(struct q_buf *buf)
{
    if (buf->data != NULL)
        OPENSSL_cleanse(buf->data, buf->capacity);
    q_buf_fini(buf);
}
