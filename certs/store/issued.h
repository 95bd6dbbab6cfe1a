/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter's record of what it has issued: a copy of every certificate as issued/SERIAL.crt in its store, and the
 * cluster-NAME.crt of clusters that the packaged script signed, which keeps no other record. On an open folder; used by
 * authority.c only.
 */
#ifndef QUORATE_CERTS_ISSUED_H
#define QUORATE_CERTS_ISSUED_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "certs/failure.h"
#include "certs/store/folder.h"

enum q_err issued_add(struct certs_folder *folder, X509 *cert, struct certs_failure *why);

/* Whether the record has a certificate of this one's number; true too for numbers too large to be given out here. */
bool issued_has_number(const struct certs_folder *folder, const X509 *cert);

/* The first certificate in a file of the folder (free it); NULL: none, or unreadable. */
X509 *issued_read(const struct certs_folder *folder, const char *path);

/* *serial becomes at least the highest number of the record. */
enum q_err issued_raise_serial(const struct certs_folder *folder, uint64_t *serial,
                               struct certs_failure *why);

/* Q_ERR_INVALID: a certificate is out for a cluster whose name differs from this one in nothing but the case of letters. */
enum q_err issued_check_case(const struct certs_folder *folder, const char *cluster_name,
                             struct certs_failure *why);

/* See certs_authority_each_issued. */
enum q_err issued_each(const struct certs_folder *folder, void (*on_certificate)(void *context, X509 *cert),
                       void *context, size_t *unreadable, struct certs_failure *why);

/* The common name of a certificate as UTF-8, cut off if it does not fit; "" if it has none. The last one, as NSS takes it. */
void issued_common_name(const X509 *cert, char *text, size_t size);

#endif
