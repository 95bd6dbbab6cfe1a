/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Single steps on an NSS database that has been opened: finding a certificate with its key, and turning NSS's objects into
 * OpenSSL's. Used by credentials_nss.c, which only reads, and by the certificate tools, which also write. Between
 * initialisation and shutdown of an NSS context only; every object that comes out must have been freed by the time of shutdown.
 */
#ifndef QUORATE_COMMON_TLS_NSS_OBJECTS_H
#define QUORATE_COMMON_TLS_NSS_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <certt.h>
#include <keythi.h>
#include <secmodt.h>

#include "common/err.h"

/* The reason of the last failure in NSS, in its words; never NULL. */
const char *nss_reason(void);

/*
 * The first line of a password file as certutil takes it: a token name before the password is skipped. False with errno: it
 * cannot be opened. Clean the password after use.
 */
bool nss_read_password(const char *path, char *password, size_t size);

/*
 * Of the certificates with this nickname the newest that is valid and has its key: repeated requests and imports leave several
 * (certificates.md, pain point 6). True if there is any certificate of that name; *cert and *key stay NULL if none has a key.
 */
bool nss_find_with_key(const char *nickname, CERTCertificate **cert, SECKEYPrivateKey **key);

/* NULL: damaged, or no memory; OpenSSL's queue has the reason. */
X509 *nss_to_x509(const CERTCertificate *cert);

/*
 * A private key of the database. It leaves NSS encrypted under a random password that exists only during the call, since NSS
 * gives keys out in no other way. Q_ERR_ACCESS: NSS does not give it (nss_reason); Q_ERR_INVALID: OpenSSL cannot use it.
 */
enum q_err nss_key_export(PK11SlotInfo *slot, SECKEYPrivateKey *key, EVP_PKEY **out);

#endif
