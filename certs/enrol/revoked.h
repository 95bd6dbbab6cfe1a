/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file "revoked" beside an arbiter's certificates: read by the arbiter and the enrolment program, changed by
 * corosync-qnetd-certutil --revoke. Each call opens and closes it.
 */
#ifndef QUORATE_CERTS_ENROL_REVOKED_H
#define QUORATE_CERTS_ENROL_REVOKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/failure.h"
#include "certs/logic/revocations.h"
#include "certs/store/place.h"
#include "common/tls/peer_names.h"

#define REVOKED_FILE CERTS_REVOKED

/* Said for an identity: all clusters of that name; certificates that have none. */
#define IDENTITY_ALL "all"
#define IDENTITY_NONE "none"

/* What the file in this directory says; no file says nothing. Q_ERR_INVALID: damaged; then *out is empty. */
enum q_err revoked_read(const char *dir, struct revocations *out, struct certs_failure *why);

/* When the certificate of a peer was revoked, under any of its names; 0: it was not. */
int64_t revoked_when(const struct revocations *list, const struct tls_peer_names *peer);

/* Whether the list has the certificate of a peer (NULL: it showed none), under any of its names: then it must go. */
bool revoked_concerns(const struct revocations *list, const struct tls_peer_names *peer);

struct revoke_wish {
    const struct certs_place *place;
    const char *cluster; /* checked: certs_name_fault */
    const char *node;    /* NULL: the whole cluster */
    const char *identity; /* of several of that name: how its identity begins, IDENTITY_ALL or IDENTITY_NONE; NULL: the only one */
    int64_t now_s;
};

/*
 * Revokes all certificates of a cluster, or of a node of it, and withdraws invitations that have not been used. On disk when it
 * returns. *count: how many certificates of the record these are. Q_ERR_NOT_FOUND: the record has none of that node, or no
 * cluster has that identity. Q_ERR_INVALID: there are several of that name.
 */
enum q_err revoke_certificates(const struct revoke_wish *wish, size_t *count, struct certs_failure *why);

#endif
