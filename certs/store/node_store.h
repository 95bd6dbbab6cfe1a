/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node's store of certificates: the authorities by which it knows its arbiter, the key and certificate with which the arbiter
 * knows its cluster, and the keys of requests that have not been answered. In the form of an NSS database or of PEM files
 * (place.h), with the same operations. Each operation is whole or not done: the files of the store are written beside it and
 * renamed under a lock on the parent directory, and what an interrupted run leaves is cleaned up or completed by the next.
 * Called by corosync-qdevice-net-certutil and by enrolment. NSS is initialised and left within each call.
 */
#ifndef QUORATE_CERTS_NODE_STORE_H
#define QUORATE_CERTS_NODE_STORE_H

#include <sys/types.h>

#include <openssl/x509.h>

#include "certs/failure.h"
#include "certs/x509/identity.h"
#include "certs/store/place.h"
#include "common/buf.h"

/*
 * Make the store with these authorities (borrowed), the first one being the arbiter's: -i. Q_ERR_BUSY: there is one already with
 * an authority in it. One without (a run that was interrupted, or failed in the packaged script) is completed. The directory
 * may exist; its mode is then left alone. `say` as in certs_authority_create.
 */
enum q_err certs_node_create(const struct certs_place *place, const STACK_OF(X509) * authorities,
                             void (*say)(const char *step), struct certs_failure *why);

/* Keep the private key of a request until its certificate comes: -r. Q_ERR_NOT_FOUND: no store. */
enum q_err certs_node_add_key(const struct certs_place *place, EVP_PKEY *key, struct certs_failure *why);

/*
 * Make cert, whose key the store has, the node's own: -M. Certificates and keys that it had in this place before, and keys of
 * requests never answered, are dropped. identity, if not NULL, gets all that the store then has (free it). Q_ERR_NOT_FOUND: no
 * store, or it has no key for this certificate. Q_ERR_INVALID: not signed by an authority of the store.
 */
enum q_err certs_node_accept(const struct certs_place *place, X509 *cert,
                             const STACK_OF(X509) * intermediates, struct certs_identity *identity,
                             struct certs_failure *why);

/* How certs_node_install treats a store whose authorities are others than the ones it is given. */
enum certs_replace {
    CERTS_KEEP_AUTHORITIES,   /* refuse with Q_ERR_BUSY unless the store has all of them already */
    CERTS_REPLACE_AUTHORITIES /* the store trusts the given ones afterwards, and no other */
};

/*
 * Make identity (borrowed) the node's own, key included: -m, and enrolment. Without a store one is made, if identity has
 * authorities. Authorities of identity may be NULL: those of the store are kept. The same identity again changes nothing.
 * Q_ERR_INVALID: key and certificate do not belong together, or the certificate is not signed by an authority.
 */
enum q_err certs_node_install(const struct certs_place *place, const struct certs_identity *identity,
                              enum certs_replace replace, struct certs_failure *why);

/*
 * Write a file into the directory of the store, for others to carry away (request, PKCS #12); *path is its path, on the heap. Modes
 * are those of folder.h. Q_ERR_NOT_FOUND: no store.
 */
enum q_err certs_node_write(const struct certs_place *place, const char *name, const struct q_buf *bytes,
                            mode_t mode, char **path, struct certs_failure *why);

/* All that the store has; a member it lacks is NULL. Q_ERR_NOT_FOUND: no store. Nothing is locked or written. */
enum q_err certs_node_load(const struct certs_place *place, struct certs_identity *out,
                           struct certs_failure *why);

#endif
