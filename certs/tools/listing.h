/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Certificates, and invitations, for people and programs: what --list of both tools prints, a line or a JSON object each. Lines are printed as they
 * are added, JSON at the end. A value; begun, added to and ended by one operation.
 */
#ifndef QUORATE_CERTS_LISTING_H
#define QUORATE_CERTS_LISTING_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "certs/logic/invitation.h"
#include "certs/logic/revocations.h"

struct json_t;

struct listing {
    struct json_t *array; /* NULL: text */
    int64_t now;
    const struct revocations *revoked; /* borrowed; NULL: nobody says who is */
    const STACK_OF(X509) *authorities; /* those listed, borrowed; NULL: none. By them issuers are told apart */
    bool any;
    bool any_invitation;
};

void listing_begin(struct listing *listing, bool json);

/* `role`: "authority", "arbiter", "cluster". cert NULL: nothing. */
void listing_add(struct listing *listing, const char *role, X509 *cert);

/* After all certificates: for whom a code was made, and what has become of it. */
void listing_add_invitation(struct listing *listing, const struct invitation *invitation);

/* False: standard output is gone, or no memory. */
bool listing_end(struct listing *listing);

#endif
