/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each kind of certificate contains: purposes, extensions in OpenSSL's words, and the times between which it is valid.
 * Pure: the time is an argument. Everything that a certificate says is decided here and by whoever signs, nothing by the
 * request (certificates.md, pain point 1). All times are seconds since 1970 UTC.
 */
#ifndef QUORATE_CERTS_LOGIC_PROFILE_H
#define QUORATE_CERTS_LOGIC_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum certs_kind {
    CERTS_KIND_AUTHORITY, /* signs the other two */
    CERTS_KIND_SERVER,    /* the arbiter's own */
    CERTS_KIND_CLIENT     /* of a cluster, or of a node of it */
};

/* One extension, for OpenSSL's parser of extensions. */
struct certs_extension {
    const char *name;
    const char *value;
};

struct certs_profile {
    const struct certs_extension *extensions; /* key identifiers and alternative names come on top */
    size_t extension_count;
    int64_t lifetime_s; /* unless another one is asked for */
};

const struct certs_profile *certs_profile(enum certs_kind kind);

/* As the packaged scripts have it: 1200 months. Certificates that renew themselves are given less. */
#define CERTS_LIFETIME_DEFAULT_S ((int64_t)36525 * 86400)
#define CERTS_LIFETIME_MIN_S 60
#define CERTS_LIFETIME_MAX_S CERTS_LIFETIME_DEFAULT_S

/* A certificate is valid from this long before it was made, for nodes whose clocks are behind. */
#define CERTS_CLOCK_TOLERANCE_S 3600

struct certs_validity {
    int64_t not_before;
    int64_t not_after;
};

/*
 * The validity of a certificate made at `now` for lifetime_s (0: the profile's; else CERTS_LIFETIME_MIN_S to _MAX_S, which the
 * caller has checked), never beyond the issuer's end. issuer_not_after: INT64_MAX for a self-signed one. False if the
 * issuer itself has ended by now.
 */
bool certs_validity(enum certs_kind kind, int64_t now, int64_t lifetime_s, int64_t issuer_not_after,
                    struct certs_validity *out);

#endif
