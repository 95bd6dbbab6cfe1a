/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Certificates for tests and benchmarks, made with OpenSSL: authorities and leaves with chosen names,
 * keys and validity, written as PEM files or put into an NSS database the way the packaged certificate
 * scripts do it. Whatever goes wrong here ends the program: a test without certificates is none.
 */
#ifndef QUORATE_TESTS_UNIT_TEST_CERTS_H
#define QUORATE_TESTS_UNIT_TEST_CERTS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/tls/credentials.h"

enum test_key_kind { TEST_KEY_RSA_2048, TEST_KEY_EC_P256 };

/* A certificate and its key, both owned. */
struct test_cert {
    X509 *cert;
    EVP_PKEY *key;
};

/* What a certificate shall be. Zero values are useful: RSA, valid for ten years from yesterday. */
struct test_cert_wish {
    const char *common_name;         /* NULL: no common name at all */
    size_t common_name_length;       /* 0: strlen */
    const char *const *alternatives; /* "DNS:a" entries are dNSNames, "IP:127.0.0.1" addresses; NULL-ended */
    enum test_key_kind key_kind;
    EVP_PKEY *key;            /* use this key instead of making one */
    long not_before_offset_s; /* from now; 0: yesterday */
    long not_after_offset_s;  /* from now; 0: in ten years */
    bool is_authority;
    int path_length; /* of an authority; 0 as the packaged ones */
};

/* issuer NULL: self-signed. */
struct test_cert test_cert_make(const struct test_cert_wish *wish, const struct test_cert *issuer);

/* An authority "QNet CA" and a leaf, both with the packaged kind of names and keys. */
struct test_cert test_cert_authority(const char *common_name);
struct test_cert test_cert_leaf(const char *common_name, const struct test_cert *issuer);

void test_cert_free(struct test_cert *cert);

/* A fresh directory under $TMPDIR or /tmp; test_dir_remove removes it with everything in it. */
char *test_dir_make(void);
void test_dir_remove(char *dir);

/* dir/name on the heap. */
char *test_path(const char *dir, const char *name);

void test_write_text(const char *path, const char *text);

/* One PEM file with these certificates (NULL-ended list), and one with a key (mode 0600). */
void test_write_certs(const char *path, const struct test_cert *const *certs);
void test_write_key(const char *path, EVP_PKEY *key);

/*
 * Write dir/NAME.crt, dir/NAME.key and dir/ca.crt. The result's pointers live until
 * test_pem_source_free.
 */
struct tls_source_pem test_pem_source(const char *dir, const char *name, const struct test_cert *own,
                                      const struct test_cert *ca);
void test_pem_source_free(struct tls_source_pem *src);

/* Credentials straight from certificates, through PEM files that are gone afterwards. */
struct tls_credentials *test_credentials(const struct tls_credentials_source *like, enum tls_role role,
                                         const struct test_cert *own, const struct test_cert *ca);

/*
 * Run a program and its arguments (NULL-ended), with standard input from a file; true if it ended with
 * status 0. Output is thrown away.
 */
bool test_run(const char *const *argv, const char *input);

#endif
