/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where certificates are, and in which form. Paths are absolute; the defaults are those of the packaged programs for
 * databases, and a folder "pem" beside each for PEM files. Values only, borrowed by every function that takes one.
 */
#ifndef QUORATE_CERTS_PLACE_H
#define QUORATE_CERTS_PLACE_H

#include <stdbool.h>

enum certs_form {
    CERTS_NSS, /* cert9.db and key4.db, nicknames as in certificates.md 2 */
    CERTS_PEM  /* files, see docs/certificates.md */
};

struct certs_place {
    enum certs_form form;
    const char *dir;
};

#define CERTS_ARBITER_PARENT Q_CONFDIR "/qnetd"
#define CERTS_ARBITER_NSS CERTS_ARBITER_PARENT "/nssdb"
#define CERTS_ARBITER_PEM CERTS_ARBITER_PARENT "/pem"
#define CERTS_NODE_PARENT Q_CONFDIR "/qdevice/net"
#define CERTS_NODE_NSS CERTS_NODE_PARENT "/nssdb"
#define CERTS_NODE_PEM CERTS_NODE_PARENT "/pem"

/* The authority as certutil exports it, in the arbiter's database directory. */
#define CERTS_EXPORTED_AUTHORITY "qnetd-cacert.crt"
/* The authority that is to come alone, while an arbiter changes from one to another (certs/store/roll_over.h). */
#define CERTS_EXPORTED_NEXT "qnetd-cacert-next.crt"
#define CERTS_PEM_NEXT "ca-next.pem"

/* The list of what an arbiter has revoked, beside its certificates (certs/enrol/revoked.h). */
#define CERTS_REVOKED "revoked"

/* Nicknames in the databases. */
#define CERTS_NICK_AUTHORITY "QNet CA"
#define CERTS_NICK_FORMER "QNet CA (former)" /* arbiter, while it changes to another one */
#define CERTS_NICK_SERVER "QNetd Cert"
#define CERTS_NICK_CLUSTER "Cluster Cert"

/* Files of the PEM form. A certificate and its key share one file, so that they are replaced at one stroke. */
#define CERTS_PEM_AUTHORITY "ca.pem"     /* both sides: one or more authorities to trust */
#define CERTS_PEM_AUTHORITY_KEY "ca.key" /* arbiter, of ca.pem; while it changes, of both */
#define CERTS_PEM_SERVER "server.pem"    /* arbiter: certificate, then intermediates, then key */
#define CERTS_PEM_NODE "node.pem"        /* node: certificate, then intermediates, then key */
#define CERTS_PEM_PENDING_KEY "node.key" /* node: of the request that has not been answered yet */

/* Whether there is a store of this form: a database counts from the moment it has cert8.db or cert9.db, PEM with ca.pem. */
bool certs_place_exists(const struct certs_place *place);

/*
 * The store to work on: PEM if it was asked for; else, as the daemons do too, the database, unless there are PEM files and no
 * database.
 */
void certs_place_choose(bool pem, const char *nss_dir, const char *pem_dir, struct certs_place *place);

#endif
