/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The certificates that an arbiter does not accept any more, and the text of the file "revoked" in its store, which says so. Pure.
 * An entry is a single certificate, or all that a cluster had when it was made, those included of which nobody keeps a record (the
 * packaged script overwrites its own): their numbers are counted, so "up to" is enough; new ones are above. Written by
 * corosync-qnetd-certutil, read by the arbiter and by the enrolment program.
 */
#ifndef QUORATE_CERTS_LOGIC_REVOCATIONS_H
#define QUORATE_CERTS_LOGIC_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/logic/name.h"
#include "common/buf.h"
#include "common/err.h"

#define REVOCATIONS_MAX 4096

struct revocation {
    bool up_to;      /* every number up to this one, else this one */
    uint64_t serial; /* not 0 */
    int64_t when_s;  /* since 1970, not 0 */
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

/* When the certificate of that cluster and number was revoked; 0: it was not. A number of 0 is none that an arbiter gives. */
int64_t revocations_when(const struct revocations *revocations, const char *cluster, uint64_t serial);

/* An allocation that failed shows in out->failed. */
void revocations_encode(const struct revocations *revocations, struct q_buf *out);

/* Into *out, which is empty if it fails. Q_ERR_INVALID: not what revocations_encode writes. Q_ERR_LIMIT, Q_ERR_NO_MEMORY. */
enum q_err revocations_decode(const uint8_t *bytes, size_t size, struct revocations *out);

#endif
