/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter's store of certificates: its authority (certificate and key), its own server certificate, the last serial
 * number, and a copy of every certificate it has issued. In one of two forms with the same operations: the NSS database
 * that the packaged programs know, or PEM files. Everything is done under a lock on the parent directory, so that two
 * programs never give out the same serial number; every file is complete, and has its owner and mode, before it gets its name;
 * the one that makes the store exist comes last.
 *
 * Who calls it: corosync-qnetd-certutil, and enrolment. With CERTS_READ nothing is locked or written, and read permission on
 * the store is enough (the arbiter's daemon, in its group): a certificate can then be issued with a serial number that was
 * taken before, for instance by whoever made the invitation. NSS is initialised and left within certs_authority_open and
 * certs_authority_create: an open store is objects of OpenSSL in memory, and a descriptor that holds the lock.
 */
#ifndef QUORATE_CERTS_AUTHORITY_H
#define QUORATE_CERTS_AUTHORITY_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "certs/failure.h"
#include "certs/x509/identity.h"
#include "certs/x509/issue.h"
#include "certs/store/place.h"

struct certs_authority;

enum certs_access {
    CERTS_READ,  /* nothing is written, and no lock taken */
    CERTS_CHANGE /* waits for the lock, holds it until closed; repairs what an interrupted run left */
};

/* What a new store shall have. */
struct certs_authority_wish {
    const char *const
        *alternatives;  /* of the server certificate, see struct certs_order; NULL: none of its own */
    int64_t lifetime_s; /* of both certificates; 0: the profile's */
    int64_t now;        /* seconds since 1970 */
};

/*
 * Make the store: key and certificate of the authority, of the server, serial number, exported authority. Q_ERR_BUSY: there
 * is one already, complete, and it is left alone. One that an interrupted or failed run (ours or the packaged script's) left
 * without authority or server certificate is completed; a complete authority in it is kept. `say` is told each step, for
 * people; may be NULL.
 */
enum q_err certs_authority_create(const struct certs_place *place, const struct certs_authority_wish *wish,
                                  void (*say)(const char *step), struct certs_failure *why);

/*
 * Make a store of certificates from someone else's authority, or replace those in one: server's certificate, key, intermediates
 * and the authorities to trust (all borrowed). Q_ERR_BUSY: the store has an authority of its own. Q_ERR_INVALID: devices would
 * not accept it; the sentence names the field.
 */
enum q_err certs_authority_import(const struct certs_place *place, const struct certs_identity *server,
                                  struct certs_failure *why);

/* Everything of one store, in the other form too; the target must not exist yet (certs_place_exists). */
enum q_err certs_authority_convert(const struct certs_place *source, const struct certs_place *target,
                                   struct certs_failure *why);

/* Q_ERR_NOT_FOUND: no store there, or one without authority. To be closed. */
enum q_err certs_authority_open(const struct certs_place *place, enum certs_access access,
                                struct certs_authority **out, struct certs_failure *why);

/* Drops the lock and all keys. NULL is allowed. */
void certs_authority_close(struct certs_authority *authority);

/* The authority's certificate, for fingerprints, and the server's (NULL if there is none); live until closed. */
X509 *certs_authority_certificate(const struct certs_authority *authority);
X509 *certs_authority_server(const struct certs_authority *authority);

/*
 * The authority by which nodes know the arbiter: the one that signed the server's certificate. Another one than
 * certs_authority_certificate, which signs for nodes, between the first two steps of a change of authorities (roll_over.h).
 */
X509 *certs_authority_shown(const struct certs_authority *authority);

/* All that the arbiter trusts, and what it sends along with its certificate; NULL if none; live until closed. */
STACK_OF(X509) * certs_authority_trusted(const struct certs_authority *authority);
STACK_OF(X509) * certs_authority_intermediates(const struct certs_authority *authority);

/* Whether one of those that the arbiter trusts has signed it. */
bool certs_authority_vouches(const struct certs_authority *authority, X509 *cert);

/* The next serial number, on disk before this returns: it is never given out again. Needs CERTS_CHANGE. */
enum q_err certs_authority_take_serial(struct certs_authority *authority, uint64_t *serial,
                                       struct certs_failure *why);

/* The last number that the store in this directory has given out, for whoever may read there only. Nothing is locked. */
enum q_err certs_authority_last_serial(const char *dir, uint64_t *serial, struct certs_failure *why);

/* A certificate for a cluster, or for a node of it. */
struct certs_client_order {
    const char *
        cluster_name; /* becomes the common name; refused (Q_ERR_INVALID) if certs_name_fault has something to say */
    struct cluster_identity cluster; /* which cluster of that name; may be none */
    const char *node_name; /* NULL: the whole cluster's */
    EVP_PKEY *public_key;  /* from certs_request_key, or checked with certs_key_check */
    uint64_t serial;       /* 0: take the next one (needs CERTS_CHANGE) */
    int64_t now;           /* seconds since 1970 */
    int64_t lifetime_s;    /* 0: the profile's */
};

/*
 * Sign it. With CERTS_CHANGE a copy is kept as issued/SERIAL.crt in the store before this returns; with CERTS_READ nothing is
 * written, and the caller must see to a record (certs_authority_record, by somebody who may write). *out is the caller's.
 * Q_ERR_INVALID: name, key or lifetime not allowed. Q_ERR_EXPIRED: the authority itself has ended.
 */
enum q_err certs_authority_issue(struct certs_authority *authority, const struct certs_client_order *order,
                                 X509 **out, struct certs_failure *why);

/*
 * Q_ERR_INVALID: certs_authority_issue would refuse this name, since there is a certificate for one that differs in the case of letters
 * only.
 */
enum q_err certs_authority_check_case(const struct certs_authority *authority, const char *cluster_name,
                                      struct certs_failure *why);

/* Keep a copy of an issued certificate as issued/SERIAL.crt (DER). Needs CERTS_CHANGE; the same one twice is fine. */
enum q_err certs_authority_record(struct certs_authority *authority, X509 *cert, struct certs_failure *why);

/* Write a file of that name into the store, readable for the daemon. Needs CERTS_CHANGE. */
enum q_err certs_authority_write(struct certs_authority *authority, const char *name, const void *bytes, size_t size,
                                 struct certs_failure *why);

/*
 * Write cluster-NAME.crt (DER; PEM stores: cluster-NAME.pem), which the packaged flow carries on; *path is its absolute
 * path, on the heap. A former one is replaced: its copy stays in issued/, or gets there if the packaged script has signed it.
 * Needs CERTS_CHANGE.
 */
enum q_err certs_authority_export(struct certs_authority *authority, const char *cluster_name, X509 *cert,
                                  char **path, struct certs_failure *why);

/*
 * Call `on_certificate` for every certificate in issued/, by ascending serial number, and with the newest cluster-NAME.crt of
 * clusters that the packaged script signed. It borrows cert; what cannot be read is skipped and counted in *unreadable.
 */
enum q_err certs_authority_each_issued(const struct certs_authority *authority,
                                       void (*on_certificate)(void *context, X509 *cert), void *context,
                                       size_t *unreadable, struct certs_failure *why);

#endif
