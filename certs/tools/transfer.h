/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What both tools do with whole identities: reading one from the files that --import names, and choosing the two stores of
 * --convert. Says on standard error what is wrong.
 */
#ifndef QUORATE_CERTS_TRANSFER_H
#define QUORATE_CERTS_TRANSFER_H

#include "certs/x509/identity.h"
#include "certs/store/place.h"

/* Options --cert, --key, --ca. */
struct transfer_files {
    const char *cert; /* own certificate first, then intermediates */
    const char *key;
    const char *ca;
};

/* The identity of these files, free it; returns TOOL_OK, or the exit status after having said why. */
int transfer_read(const struct transfer_files *files, struct certs_identity *out);

/* The stores to convert from and to, for "pem" or "nss"; returns the exit status. */
int transfer_places(const char *to_form, const char *nss_dir, const char *pem_dir, struct certs_place *from,
                    struct certs_place *to);

/* After a conversion: what the daemon (its name) makes of it. */
void transfer_done(const char *daemon, const struct certs_place *from, const struct certs_place *to);

#endif
