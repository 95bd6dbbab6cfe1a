/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One NSS database (cert9.db, key4.db, without password) in a directory, in terms of OpenSSL's objects: certificates under
 * nicknames with trust flags, and private keys. The only file of certs/ that calls NSS. One database may be open at a time in
 * a process; opening initialises NSS in a context of its own, closing leaves it. What writes does so in place, with NSS's own
 * transactions: the stores therefore work on copies in a folder's stage (folder.h) and publish them when they are complete.
 */
#ifndef QUORATE_CERTS_NSS_DB_H
#define QUORATE_CERTS_NSS_DB_H

#include <openssl/x509.h>

#include "certs/failure.h"

struct nss_db;

/* The files of a database, in the order in which a store publishes them: the one whose presence counts is last. */
#define NSS_DB_FILE_COUNT 3
extern const char *const nss_db_files[NSS_DB_FILE_COUNT];

enum nss_db_access {
    NSS_DB_READ,  /* Q_ERR_NOT_FOUND if there is none */
    NSS_DB_CHANGE /* made, with an empty password, if there is none */
};

/* `dir`: where the files are. A database with a password is opened with the first line of dir/pwdfile.txt. */
enum q_err nss_db_open(const char *dir, enum nss_db_access access, struct nss_db **out,
                       struct certs_failure *why);

/* Everything is in the files afterwards. Q_ERR_IO: NSS did not let go, an error of ours. */
enum q_err nss_db_close(struct nss_db *db, struct certs_failure *why);

/* Which nickname and trust: "CTu,u,u" and the like, see certutil(1). */
enum q_err nss_db_put_cert(struct nss_db *db, X509 *cert, const char *nickname, const char *trust,
                           struct certs_failure *why);

/* Those of a list from index `from` on, each under a nickname made from its subject. */
enum q_err nss_db_put_more(struct nss_db *db, const STACK_OF(X509) * list, int from, const char *trust,
                           struct certs_failure *why);

/* One that is there already is given the nickname. */
enum q_err nss_db_put_key(struct nss_db *db, EVP_PKEY *key, const char *nickname, struct certs_failure *why);

/*
 * The certificate of that nickname that has its key, the newest valid one of several, and the key. *key may be NULL: not
 * wanted. Q_ERR_NOT_FOUND: none, or none with a key; then *cert is the newest without one, or NULL.
 */
enum q_err nss_db_find_own(struct nss_db *db, const char *nickname, X509 **cert, EVP_PKEY **key,
                           struct certs_failure *why);

/* Whether the database has the private key of this certificate, and that key (free it). Q_ERR_NOT_FOUND. */
enum q_err nss_db_find_key(struct nss_db *db, X509 *cert, EVP_PKEY **key, struct certs_failure *why);

/* All certificates that are trusted to sign servers (C) or clients (T): in the order of the database, nickname first. */
enum q_err nss_db_authorities(struct nss_db *db, char flag, const char *first_nickname, STACK_OF(X509) * *out,
                              struct certs_failure *why);

/* All certificates that are neither trusted nor have a key: intermediates. */
enum q_err nss_db_others(struct nss_db *db, STACK_OF(X509) * *out, struct certs_failure *why);

/*
 * If the database has this certificate, it goes by that nickname from now on. In place: what is removed and put in again is
 * not trusted by whoever opens the changed key4.db with the former cert9.db, since the one has the seals of the other's trust.
 */
enum q_err nss_db_rename_cert(struct nss_db *db, X509 *cert, const char *nickname, struct certs_failure *why);

/* Remove the certificates of that nickname, all but `keep` (may be NULL); their keys stay. */
enum q_err nss_db_drop_certs(struct nss_db *db, const char *nickname, X509 *keep, struct certs_failure *why);

/* Remove the trusted certificates that are not on the list; what goes by the nickname "QNet CA" and is not its first gets another. */
enum q_err nss_db_drop_authorities(struct nss_db *db, const STACK_OF(X509) * keep, struct certs_failure *why);

/* Remove the private keys that no certificate of the database belongs to: all, or of that nickname; *count: how many. */
enum q_err nss_db_drop_idle_keys(struct nss_db *db, const char *nickname, unsigned *count,
                                 struct certs_failure *why);

#endif
