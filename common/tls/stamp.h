/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether the files that credentials come from are others than when they were loaded, so that a daemon loads new ones by
 * itself. Looked at every few seconds: inode, time and size of each, no content. A change counts when it has been the
 * same for two looks: a database is two files, which are replaced one after the other. Embedded by whoever loads.
 */
#ifndef QUORATE_COMMON_TLS_STAMP_H
#define QUORATE_COMMON_TLS_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/tls/credentials.h"

struct tls_stamp {
    uint64_t loaded; /* of the files that were loaded */
    uint64_t seen;   /* at the last look */
};

/* To be called right before the credentials are loaded. */
void tls_stamp_take(struct tls_stamp *stamp, const struct tls_credentials_source *source);

/* A look: whether they should be loaded again. Files that are not all there are no reason. */
bool tls_stamp_is_old(struct tls_stamp *stamp, const struct tls_credentials_source *source);

#endif
