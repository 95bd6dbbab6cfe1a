/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The PEM files of a store, by name in its folder: a certificate with its intermediates and its key in one file, so that
 * they are replaced at one stroke; lists of authorities; single keys. Reading a file that is not there gives Q_OK and NULL:
 * stores know what they may lack. Used by the PEM forms of the two stores.
 */
#ifndef QUORATE_CERTS_PEM_FILES_H
#define QUORATE_CERTS_PEM_FILES_H

#include "certs/store/folder.h"
#include "certs/x509/identity.h"

/* cert, intermediates and key of out; its authorities are left alone. */
enum q_err pem_read_identity(const struct certs_folder *folder, const char *name, struct certs_identity *out,
                             struct certs_failure *why);
enum q_err pem_read_certificates(const struct certs_folder *folder, const char *name, STACK_OF(X509) * *out,
                                 struct certs_failure *why);
enum q_err pem_read_key(const struct certs_folder *folder, const char *name, EVP_PKEY **out,
                        struct certs_failure *why);

/* All keys of the file, at most `max`; free them. */
enum q_err pem_read_keys(const struct certs_folder *folder, const char *name, EVP_PKEY **keys, size_t max, size_t *count,
                         struct certs_failure *why);

enum q_err pem_write_identity(struct certs_folder *folder, const char *name,
                              const struct certs_identity *identity, struct certs_failure *why);
enum q_err pem_write_certificates(struct certs_folder *folder, const char *name, const STACK_OF(X509) * list,
                                  struct certs_failure *why);
enum q_err pem_write_key(struct certs_folder *folder, const char *name, const EVP_PKEY *key,
                         struct certs_failure *why);
enum q_err pem_write_keys(struct certs_folder *folder, const char *name, EVP_PKEY *const *keys, size_t count,
                          struct certs_failure *why);

#endif
