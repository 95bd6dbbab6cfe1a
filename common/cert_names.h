/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether a certificate is a cluster's, by the names that it carries (common/tls/peer_names.h): the one rule for the arbiter that
 * decides, and for those who tell beforehand what it will decide. Exact apart from ASCII case, as the packaged arbiter has
 * it, and no wildcards. Pure.
 */
#ifndef QUORATE_COMMON_CERT_NAMES_H
#define QUORATE_COMMON_CERT_NAMES_H

#include <stddef.h>

enum cert_names_match {
    CERT_NAMES_OTHER,
    CERT_NAMES_SAME, /* but for the case of letters */
    CERT_NAMES_EXACT
};

/* The best match of terminated names with the cluster's `size` bytes; nobody is a cluster without a name. */
enum cert_names_match cert_names_match(const char *const *names, size_t count, const void *cluster, size_t size);

#endif
