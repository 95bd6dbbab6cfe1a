/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/x509/decode.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

/* No password is ever asked for on a terminal. */
static int no_password(char *buf, int size, int writing, void *context)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static bool whole(const unsigned char *end, const void *bytes, size_t size)
{
    return end == (const unsigned char *)bytes + size;
}

static X509 *der_certificate(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    X509 *cert = d2i_X509(NULL, &at, (long)size);

    ERR_clear_error();
    if (cert != NULL && whole(at, bytes, size))
        return cert;
    X509_free(cert);
    return NULL;
}

static X509_REQ *der_request(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)size);

    ERR_clear_error();
    if (request != NULL && whole(at, bytes, size))
        return request;
    X509_REQ_free(request);
    return NULL;
}

static PKCS12 *der_pkcs12(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)size);

    ERR_clear_error();
    return p12;
}

static bool contains(const void *bytes, size_t size, const char *text)
{
    return memmem(bytes, size, text, strlen(text)) != NULL;
}

/* What the file is instead, as a phrase; for a person who gave the wrong one. */
static const char *what_it_is(const void *bytes, size_t size)
{
    X509 *cert = der_certificate(bytes, size);
    X509_REQ *request = der_request(bytes, size);
    PKCS12 *p12 = der_pkcs12(bytes, size);
    const char *what = "neither PEM nor DER";

    if (size == 0)
        what = "empty";
    else if (cert != NULL || contains(bytes, size, "-----BEGIN CERTIFICATE-----"))
        what = "a certificate";
    else if (request != NULL || contains(bytes, size, "CERTIFICATE REQUEST-----"))
        what = "a certificate request";
    else if (p12 != NULL)
        what = "a PKCS #12 file (key and certificate)";
    else if (contains(bytes, size, "PRIVATE KEY-----"))
        what = "a private key";
    X509_free(cert);
    X509_REQ_free(request);
    PKCS12_free(p12);
    return what;
}

static enum q_err wrong(const char *name, const char *wanted, const void *bytes, size_t size,
                        struct certs_failure *why)
{
    return certs_fail(why, Q_ERR_INVALID, "%s holds no %s: it is %s.", name, wanted, what_it_is(bytes, size));
}

/* --- Certificates ---------------------------------------------------------------------------------- */

static enum q_err push(STACK_OF(X509) * list, X509 *cert, struct certs_failure *why)
{
    if (sk_X509_push(list, cert) > 0)
        return Q_OK;
    X509_free(cert);
    return certs_fail_memory(why);
}

static enum q_err pem_certificates(const char *name, BIO *bio, STACK_OF(X509) * list,
                                   struct certs_failure *why)
{
    enum q_err err = Q_OK;
    unsigned long code;
    X509 *cert;

    while (err == Q_OK && (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        if (sk_X509_num(list) < CERTS_PER_FILE_MAX) {
            err = push(list, cert, why);
            continue;
        }
        X509_free(cert);
        err = certs_fail(why, Q_ERR_INVALID, "%s holds more than %d certificates.", name, CERTS_PER_FILE_MAX);
    }
    if (err != Q_OK)
        return err;
    code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE) {
        ERR_clear_error();
        return Q_OK;
    }
    ERR_clear_error();
    return certs_fail(why, Q_ERR_INVALID, "Certificate %d in %s is damaged: put a good copy there.",
                      sk_X509_num(list) + 1, name);
}

enum q_err certs_decode_certificates(const char *name, const void *bytes, size_t size, STACK_OF(X509) * *out,
                                     struct certs_failure *why)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    X509 *single = der_certificate(bytes, size);
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    enum q_err err;

    *out = NULL;
    if (list == NULL || bio == NULL) {
        X509_free(single);
        err = certs_fail_memory(why);
    } else if (single != NULL) {
        err = push(list, single, why);
    } else {
        err = pem_certificates(name, bio, list, why);
    }
    BIO_free(bio);
    if (err == Q_OK && sk_X509_num(list) == 0)
        err = wrong(name, "certificate", bytes, size, why);
    if (err != Q_OK) {
        sk_X509_pop_free(list, X509_free);
        return err;
    }
    *out = list;
    return Q_OK;
}

/* --- Requests and keys ----------------------------------------------------------------------------- */

enum q_err certs_decode_request(const char *name, const void *bytes, size_t size, X509_REQ **out,
                                struct certs_failure *why)
{
    BIO *bio;

    *out = der_request(bytes, size);
    if (*out != NULL)
        return Q_OK;
    bio = BIO_new_mem_buf(bytes, (int)size);
    if (bio == NULL)
        return certs_fail_memory(why);
    *out = PEM_read_bio_X509_REQ(bio, NULL, no_password, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return *out != NULL ? Q_OK : wrong(name, "certificate request (PKCS #10)", bytes, size, why);
}

enum q_err certs_decode_key(const char *name, const void *bytes, size_t size, EVP_PKEY **out,
                            struct certs_failure *why)
{
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);

    *out = NULL;
    if (bio == NULL)
        return certs_fail_memory(why);
    *out = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    ERR_clear_error();
    if (*out != NULL)
        return Q_OK;
    if (contains(bytes, size, "ENCRYPTED"))
        return certs_fail(
            why, Q_ERR_INVALID,
            "The private key in %s is encrypted: a daemon cannot ask for its passphrase. Store it without "
            "(openssl pkey -in FILE -out FILE.new); its file mode protects it.",
            name);
    return wrong(name, "private key", bytes, size, why);
}

enum q_err certs_decode_keys(const char *name, const void *bytes, size_t size, EVP_PKEY **keys, size_t max, size_t *count,
                             struct certs_failure *why)
{
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    enum q_err err;

    *count = 0;
    if (bio == NULL)
        return certs_fail_memory(why);
    err = certs_decode_key(name, bytes, size, &keys[0], why);
    EVP_PKEY_free(keys[0]);
    while (err == Q_OK && *count < max &&
           (keys[*count] = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)) != NULL)
        (*count)++;
    BIO_free(bio);
    ERR_clear_error();
    return err;
}

/* --- PKCS #12 -------------------------------------------------------------------------------------- */

/* The self-signed among `others` are authorities, the rest intermediates; takes them over. */
static enum q_err sort_others(STACK_OF(X509) * others, struct certs_identity *out, struct certs_failure *why)
{
    enum q_err err = Q_OK;
    X509 *cert;

    out->authorities = sk_X509_new_null();
    out->intermediates = sk_X509_new_null();
    if (out->authorities == NULL || out->intermediates == NULL)
        return certs_fail_memory(why);
    while (err == Q_OK && (cert = sk_X509_shift(others)) != NULL) {
        bool root = X509_self_signed(cert, 0) == 1;

        ERR_clear_error();
        err = push(root ? out->authorities : out->intermediates, cert, why);
    }
    return err;
}

enum q_err certs_decode_pkcs12(const char *name, const void *bytes, size_t size, struct certs_identity *out,
                               struct certs_failure *why)
{
    PKCS12 *p12 = der_pkcs12(bytes, size);
    STACK_OF(X509) *others = NULL;
    enum q_err err;

    *out = (struct certs_identity){0};
    if (p12 == NULL)
        return wrong(name, "PKCS #12 (key and certificate)", bytes, size, why);
    if (PKCS12_parse(p12, "", &out->key, &out->cert, &others) != 1) {
        ERR_clear_error();
        err = certs_fail(
            why, Q_ERR_INVALID,
            "%s cannot be opened with an empty password: it is damaged, or was made with a password. Make it "
            "again with corosync-qdevice-net-certutil -M.",
            name);
    } else if (out->key == NULL || out->cert == NULL) {
        err = certs_fail(why, Q_ERR_INVALID,
                         "%s holds no %s. Make it again with corosync-qdevice-net-certutil -M.", name,
                         out->key == NULL ? "private key" : "certificate that belongs to its key");
    } else {
        if (others == NULL)
            others = sk_X509_new_null();
        err = others != NULL ? sort_others(others, out, why) : certs_fail_memory(why);
    }
    sk_X509_pop_free(others, X509_free);
    PKCS12_free(p12);
    if (err != Q_OK)
        certs_identity_fini(out);
    return err;
}
