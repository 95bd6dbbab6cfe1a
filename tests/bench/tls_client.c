/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/tls_client.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>

static void die(const char *what)
{
    fprintf(stderr, "bench-load: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static FILE *open_credentials(const struct fleet *fleet, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", fleet->options.credentials, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void load_credentials(struct fleet *fleet)
{
    FILE *file = open_credentials(fleet, "cluster-key.pem");
    fleet->cluster_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    fleet->cluster_certs = calloc(fleet->options.cluster_count, sizeof(X509 *));
    if (fleet->cluster_key == NULL || fleet->cluster_certs == NULL)
        die("cannot load the clusters' key");
    BIO *certs = BIO_new_fp(open_credentials(fleet, "clusters.der"), BIO_CLOSE);
    for (unsigned i = 0; i < fleet->options.cluster_count; i++) {
        fleet->cluster_certs[i] = d2i_X509_bio(certs, NULL);
        if (fleet->cluster_certs[i] == NULL)
            die("fewer certificates than clusters");
    }
    BIO_free(certs);
}

void tls_client_init(struct fleet *fleet)
{
    fleet->tls = SSL_CTX_new(TLS_client_method());
    if (fleet->tls == NULL ||
        SSL_CTX_set_ciphersuites(fleet->tls, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:"
                                             "TLS_AES_256_GCM_SHA384") != 1 ||
        SSL_CTX_set1_groups_list(fleet->tls, "X25519:P-256:P-384:P-521") != 1)
        die("cannot make a TLS context");
    SSL_CTX_set_min_proto_version(fleet->tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(fleet->tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(fleet->tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(fleet->tls, SSL_MODE_RELEASE_BUFFERS);
    load_credentials(fleet);
}

void tls_client_fini(struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->options.cluster_count; i++)
        X509_free(fleet->cluster_certs[i]);
    free(fleet->cluster_certs);
    EVP_PKEY_free(fleet->cluster_key);
    SSL_CTX_free(fleet->tls);
}

SSL *tls_client_new(struct fleet *fleet, unsigned cluster_index, int fd)
{
    SSL *ssl = SSL_new(fleet->tls);

    if (ssl == NULL || SSL_use_certificate(ssl, fleet->cluster_certs[cluster_index]) != 1 ||
        SSL_use_PrivateKey(ssl, fleet->cluster_key) != 1 || SSL_set_fd(ssl, fd) != 1)
        die("cannot make a TLS session");
    SSL_set_connect_state(ssl);
    return ssl;
}
