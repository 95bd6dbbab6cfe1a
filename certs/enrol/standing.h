/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far the nodes on an arbiter's record are in a change of authorities (certs/store/roll_over.h): by the certificates that it has
 * issued, those left out that have ended or are revoked. A node that enrolled or renewed after the change began has been given both
 * authorities with its certificate. Of a certificate that names no node (the packaged flow's, which all nodes of a
 * cluster share, and its renewals) nobody knows how many nodes have it, nor what these trust. A value; standing_fini frees it.
 */
#ifndef QUORATE_CERTS_ENROL_STANDING_H
#define QUORATE_CERTS_ENROL_STANDING_H

#include <stdbool.h>
#include <stddef.h>

#include "certs/store/authority.h"
#include "certs/logic/revocations.h"
#include "certs/store/roll_over.h"
#include "common/cluster_identity.h"
#include "common/tls/peer_names.h"

enum standing_state {
    STANDING_READY,   /* has what the next step asks for */
    STANDING_UNKNOWN, /* perhaps: see to it by hand */
    STANDING_BEHIND   /* would be locked out */
};

struct standing_entry {
    char cluster[TLS_PEER_NAME_LENGTH_MAX + 1];
    char node[CERTS_CLUSTER_NAME_LENGTH_MAX + 1]; /* "": the certificate names none */
    struct cluster_identity identity;            /* which cluster of that name; may be none */
    bool has_new, has_former;                    /* a certificate of that authority */
};

struct standing {
    struct standing_entry *entries; /* by cluster and node */
    size_t count;
    size_t unreadable; /* files of the record */
};

/* `revoked` is borrowed. Q_ERR_NO_MEMORY, Q_ERR_IO. Without a change under way there are no entries of a former authority. */
enum q_err standing_read(const struct certs_authority *authority, const struct revocations *revoked, struct standing *out,
                         struct certs_failure *why);

void standing_fini(struct standing *standing);

/* With regard to the step that comes next in that stage. */
enum standing_state standing_of(const struct standing_entry *entry, enum roll_stage stage);

#endif
