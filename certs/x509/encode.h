/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Certificates, requests and keys as the bytes of files. In memory only; everything is appended to a buffer of the caller's,
 * who cleans it (OPENSSL_cleanse) where it holds a key.
 */
#ifndef QUORATE_CERTS_ENCODE_H
#define QUORATE_CERTS_ENCODE_H

#include <openssl/x509.h>

#include "certs/failure.h"
#include "certs/x509/identity.h"
#include "common/buf.h"

enum q_err certs_encode_der(const X509 *cert, struct q_buf *out, struct certs_failure *why);
enum q_err certs_encode_pem(const X509 *cert, struct q_buf *out, struct certs_failure *why);
enum q_err certs_encode_pem_list(const STACK_OF(X509) * list, struct q_buf *out, struct certs_failure *why);

/* Unencrypted PKCS #8 in PEM. */
enum q_err certs_encode_pem_key(const EVP_PKEY *key, struct q_buf *out, struct certs_failure *why);

enum q_err certs_encode_request(const X509_REQ *request, bool pem, struct q_buf *out,
                                struct certs_failure *why);

/*
 * As certutil exports it: readable text, an empty line, then PEM whose lines end in CR LF, which pcs compares with what the
 * database exports.
 */
enum q_err certs_encode_exported(const X509 *cert, struct q_buf *out, struct certs_failure *why);

/* PKCS #12 with an empty password: key and certificate named "Cluster Cert", authorities "QNet CA". */
enum q_err certs_encode_pkcs12(const struct certs_identity *identity, struct q_buf *out,
                               struct certs_failure *why);

/* Frees the buffer's memory after overwriting it. */
void certs_buf_clean(struct q_buf *buf);

#endif
