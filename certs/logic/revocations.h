/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The certificates that an arbiter does not accept any more, and the text of the file "revoked" in its store, which says so. Pure.
 * An entry is a single certificate, or all that a cluster had when it was made, those included of which nobody keeps a record (the
 * packaged script overwrites its own): their numbers are counted, or note the count (serial.h), so "up to" is enough; new ones are
 * above. Of several clusters of one name it may be those of one identity, or those without; or those that name one node. Written by
 * corosync-qnetd-certutil, read by the arbiter and by the enrolment program. However often a node renews, there is one entry for it.
 */
#ifndef QUORATE_CERTS_LOGIC_REVOCATIONS_H
#define QUORATE_CERTS_LOGIC_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/logic/name.h"
#include "common/buf.h"
#include "common/cluster_identity.h"
#include "common/err.h"

#define REVOCATIONS_MAX 4096
#define REVOCATION_NUMBER_SIZE 130 /* a minus sign, 64 bytes in hexadecimal */

struct revocation {
    bool up_to;      /* every number up to this one (certs_serial_is_up_to), else this one */
    bool narrow;     /* up_to: only of certificates with the identity below, or without one if it is none */
    char node[CERTS_NODE_NAME_LENGTH_MAX + 1]; /* up_to: only of certificates that name this node; "": of all */
    uint64_t serial; /* not 0, or it is a single one, with */
    char number[REVOCATION_NUMBER_SIZE]; /* one that needs more than 64 bits, in lower-case hexadecimal; else "" */
    struct cluster_identity identity;
    int64_t when_s; /* since 1970, not 0 */
    char cluster[CERTS_CLUSTER_NAME_LENGTH_MAX + 1];
};

/* All zero is none. */
struct revocations {
    struct revocation *items;
    size_t count;
};

void revocations_fini(struct revocations *revocations);

/* Q_OK without a change if it is covered already. Q_ERR_LIMIT, Q_ERR_NO_MEMORY. What the new one covers is dropped. */
enum q_err revocations_add(struct revocations *revocations, const struct revocation *revocation);

/* What there is to know of a certificate. */
struct revocation_subject {
    const char *cluster;
    uint64_t serial;    /* 0: more than 64 bits */
    const char *number; /* the same in lower-case hexadecimal; "": it has none, and is never revoked */
    struct cluster_identity identity;
    const char *node; /* "": it names none */
};

/* When it was revoked; 0: it was not. */
int64_t revocations_when(const struct revocations *revocations, const struct revocation_subject *subject);

/* An allocation that failed shows in out->failed. */
void revocations_encode(const struct revocations *revocations, struct q_buf *out);

/* Into *out, which is empty if it fails. Q_ERR_INVALID: not what revocations_encode writes. Q_ERR_LIMIT, Q_ERR_NO_MEMORY. */
enum q_err revocations_decode(const uint8_t *bytes, size_t size, struct revocations *out);

#endif
