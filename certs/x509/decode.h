/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Certificates, requests and keys from the bytes of a file, in whichever usual form: DER, PEM, or PEM after other text, as
 * certutil exports it; PKCS #12 with an empty password. In memory only, and every byte is somebody else's. Each says what the
 * file is instead, if it is something else it knows. Every object that comes out is the caller's to free.
 */
#ifndef QUORATE_CERTS_DECODE_H
#define QUORATE_CERTS_DECODE_H

#include <stddef.h>

#include <openssl/x509.h>

#include "certs/failure.h"
#include "certs/x509/identity.h"

/* Files larger than this are none of ours. */
#define CERTS_FILE_SIZE_MAX ((size_t)1 << 20)
/* More certificates in one file than any chain or list of authorities needs. */
#define CERTS_PER_FILE_MAX 32

/*
 * `name` is the file's, for the sentences. All return Q_ERR_INVALID if the bytes are not what is asked for, else Q_OK or
 * Q_ERR_NO_MEMORY. Certificates: one or more, in the order of the file.
 */
enum q_err certs_decode_certificates(const char *name, const void *bytes, size_t size, STACK_OF(X509) * *out,
                                     struct certs_failure *why);

enum q_err certs_decode_request(const char *name, const void *bytes, size_t size, X509_REQ **out,
                                struct certs_failure *why);

/* An unencrypted private key in PEM, with or without other blocks around it. */
enum q_err certs_decode_key(const char *name, const void *bytes, size_t size, EVP_PKEY **out,
                            struct certs_failure *why);

/* All of them, at least one, at most `max`; the caller's to free. */
enum q_err certs_decode_keys(const char *name, const void *bytes, size_t size, EVP_PKEY **keys, size_t max, size_t *count,
                             struct certs_failure *why);

/* Key, certificate, and further certificates (authorities: the self-signed ones; intermediates: the others). */
enum q_err certs_decode_pkcs12(const char *name, const void *bytes, size_t size, struct certs_identity *out,
                               struct certs_failure *why);

#endif
