/* SPDX-License-Identifier: BSD-3-Clause */
/* Credentials from PEM files: certificate chain, private key, trusted authorities. */
#include "common/tls/credentials_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>

/* Open for reading; kind names the file in the sentence. */
static enum q_err open_file(const char *path, const char *kind, BIO **bio, struct tls_err_text *t)
{
    FILE *file = fopen(path, "re");
    struct stat st;

    *bio = NULL;
    if (file == NULL) {
        int reason = errno;

        if (reason == ENOENT || reason == ENOTDIR)
            return tls_fail(t, Q_ERR_NOT_FOUND,
                            "The %s file %s does not exist: correct the setting or put the file there.", kind,
                            path);
        if (reason == EACCES || reason == EPERM)
            return tls_fail(t, Q_ERR_ACCESS,
                            "The %s file %s cannot be read: %s. Let the user of the daemon read it and pass "
                            "through its directories.",
                            kind, path, strerror(reason));
        return tls_fail(t, Q_ERR_IO, "The %s file %s cannot be opened: %s.", kind, path, strerror(reason));
    }
    if (fstat(fileno(file), &st) == 0 && !S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)) {
        fclose(file);
        return tls_fail(t, Q_ERR_INVALID, "The %s file %s is not a file: correct the setting.", kind, path);
    }
    *bio = BIO_new_fp(file, BIO_CLOSE);
    if (*bio == NULL) {
        fclose(file);
        return tls_fail(t, Q_ERR_NO_MEMORY, "Out of memory while reading %s.", path);
    }
    return Q_OK;
}

/* Whether the error queue says just that the file has no (further) PEM block. Empties it if so. */
static bool no_more_blocks(void)
{
    unsigned long code = ERR_peek_last_error();

    if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
        return false;
    ERR_clear_error();
    return true;
}

/* Append every certificate of the file to list. */
static enum q_err read_certificates(const char *path, const char *kind, STACK_OF(X509) * list,
                                    struct tls_err_text *t)
{
    enum q_err err;
    X509 *cert;
    BIO *bio;

    err = open_file(path, kind, &bio, t);
    if (err != Q_OK)
        return err;
    while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        if (sk_X509_push(list, cert) <= 0) {
            X509_free(cert);
            BIO_free(bio);
            return tls_fail(t, Q_ERR_NO_MEMORY, "Out of memory while reading %s.", path);
        }
    }
    BIO_free(bio);
    if (!no_more_blocks())
        return tls_fail(t, Q_ERR_INVALID,
                        "The %s file %s is damaged (certificate %d: %s): put a good copy there.", kind, path,
                        sk_X509_num(list) + 1, tls_openssl_reason());
    if (sk_X509_num(list) == 0)
        return tls_fail(t, Q_ERR_INVALID,
                        "The %s file %s holds no certificate in PEM form. If it is in DER form, convert it "
                        "with: openssl x509 -inform DER -in FILE -out FILE.pem",
                        kind, path);
    return Q_OK;
}

static int refuse_password(char *buf, int size, int writing, void *asked)
{
    (void)buf;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static enum q_err read_key(const char *path, EVP_PKEY **key, struct tls_err_text *t)
{
    bool encrypted = false;
    enum q_err err;
    BIO *bio;

    err = open_file(path, "private key", &bio, t);
    if (err != Q_OK)
        return err;
    *key = PEM_read_bio_PrivateKey(bio, NULL, refuse_password, &encrypted);
    BIO_free(bio);
    if (*key != NULL)
        return Q_OK;
    if (encrypted)
        return tls_fail(t, Q_ERR_INVALID,
                        "The private key file %s is encrypted: store it without passphrase (openssl pkey "
                        "-in FILE -out FILE.new) and protect it by its file mode.",
                        path);
    return tls_fail(
        t, Q_ERR_INVALID,
        "The private key file %s holds no usable private key in PEM form (%s): put a good copy there.", path,
        tls_openssl_reason());
}

enum q_err tls_material_from_pem(const struct tls_source_pem *src, struct tls_material *m,
                                 struct tls_err_text *t)
{
    enum q_err err;

    if (asprintf(&m->source, "PEM file %s", src->cert_file) < 0) {
        m->source = NULL;
        return tls_fail(t, Q_ERR_NO_MEMORY, "Out of memory while loading credentials.");
    }
    err = read_certificates(src->cert_file, "certificate", m->chain, t);
    if (err != Q_OK)
        return err;
    m->cert = sk_X509_shift(m->chain);
    err = read_key(src->key_file, &m->key, t);
    if (err != Q_OK)
        return err;
    err = read_certificates(src->ca_file, "authority (CA)", m->trusted, t);
    if (err != Q_OK)
        return err;
    if (X509_check_private_key(m->cert, m->key) != 1)
        return tls_fail(t, Q_ERR_INVALID,
                        "The private key file %s does not belong to the first certificate of %s: the own "
                        "certificate must come first, and both must be from the same request.",
                        src->key_file, src->cert_file);
    tls_material_warn_if_exposed(m, "private key file", src->key_file);
    return Q_OK;
}
