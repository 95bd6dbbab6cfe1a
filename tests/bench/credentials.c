/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench-credentials: writes the certificates of one benchmark run into a directory, shaped as the packaged
 * certificate tools make them (spec/certificates.md section 2): an RSA 2048 CA, the arbiter's certificate, and one
 * certificate per cluster with CN = cluster name. The clusters share one key, for making thousands of keys would take
 * minutes and change nothing an arbiter sees. Certificates are valid for ten years from yesterday.
 *
 *   ca.pem server.pem server-key.pem   for servers that take PEM files
 *   server.p12                         arbiter key and certificate, empty password, for import into an NSS database
 *   cluster-key.pem clusters.der       the clusters' key, and their certificates in DER one after another
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tests/bench/names.h"

#define KEY_BITS 2048
#define DAY_S (24L * 3600)
#define VALID_DAYS 3650
#define FIRST_SERIAL 101

struct authority {
    EVP_PKEY *key;
    X509 *cert;
    long serial; /* of the next certificate */
};

static void die(const char *what)
{
    fprintf(stderr, "bench-credentials: %s\n", what);
    exit(1);
}

static FILE *create(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void close_written(FILE *file)
{
    if (fclose(file) != 0)
        die("cannot write a file");
}

static void add_ca_extension(X509 *cert)
{
    X509_EXTENSION *ext =
        X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    if (ext == NULL || X509_add_ext(cert, ext, -1) != 1)
        die("cannot add basic constraints");
    X509_EXTENSION_free(ext);
}

/* A certificate for `key`; signed by itself, as a CA, while the authority has no certificate yet. */
static X509 *issue(struct authority *ca, const char *common_name, EVP_PKEY *key)
{
    X509 *cert = X509_new();
    bool is_ca = ca->cert == NULL;

    if (cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(cert), ca->serial++) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(cert), VALID_DAYS * DAY_S) == NULL ||
        X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)common_name, -1, -1, 0) != 1 ||
        X509_set_issuer_name(cert, X509_get_subject_name(is_ca ? cert : ca->cert)) != 1 ||
        X509_set_pubkey(cert, key) != 1)
        die("cannot fill in a certificate");
    if (is_ca)
        add_ca_extension(cert);
    if (X509_sign(cert, ca->key, EVP_sha256()) == 0)
        die("cannot sign a certificate");
    return cert;
}

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    if (key == NULL)
        die("cannot make a key");
    return key;
}

static void write_cert(const char *dir, const char *name, X509 *cert)
{
    FILE *file = create(dir, name);
    if (PEM_write_X509(file, cert) != 1)
        die("cannot write a certificate");
    close_written(file);
}

static void write_key(const char *dir, const char *name, EVP_PKEY *key)
{
    FILE *file = create(dir, name);
    if (PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) != 1)
        die("cannot write a key");
    close_written(file);
}

static void write_server(const char *dir, struct authority *ca)
{
    EVP_PKEY *key = make_key();
    X509 *cert = issue(ca, "Qnetd Server", key);
    PKCS12 *p12 = PKCS12_create("", "QNetd Cert", key, cert, NULL, 0, 0, 0, 0, 0);
    FILE *file = create(dir, "server.p12");

    if (p12 == NULL || i2d_PKCS12_fp(file, p12) != 1)
        die("cannot write the arbiter's PKCS #12 file");
    close_written(file);
    write_cert(dir, "server.pem", cert);
    write_key(dir, "server-key.pem", key);
    PKCS12_free(p12);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void write_clusters(const char *dir, struct authority *ca, unsigned count)
{
    EVP_PKEY *key = make_key();
    FILE *file = create(dir, "clusters.der");
    char name[BENCH_NAME_SIZE];

    for (unsigned i = 0; i < count; i++) {
        bench_cluster_name(i, name);
        X509 *cert = issue(ca, name, key);
        if (i2d_X509_fp(file, cert) != 1)
            die("cannot write a cluster certificate");
        X509_free(cert);
    }
    close_written(file);
    write_key(dir, "cluster-key.pem", key);
    EVP_PKEY_free(key);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: bench-credentials DIRECTORY CLUSTER-COUNT");
    unsigned long count = strtoul(argv[2], NULL, 10);
    if (count == 0 || count > BENCH_CLUSTERS_MAX)
        die("cluster count out of range");

    struct authority ca = {.key = make_key(), .serial = FIRST_SERIAL};
    ca.cert = issue(&ca, "QNet CA", ca.key);
    write_cert(argv[1], "ca.pem", ca.cert);
    write_server(argv[1], &ca);
    write_clusters(argv[1], &ca, (unsigned)count);
    X509_free(ca.cert);
    EVP_PKEY_free(ca.key);
    return 0;
}
