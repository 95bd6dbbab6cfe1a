/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/profile.h"

static const struct certs_extension authority_extensions[] = {
    {"basicConstraints", "critical,CA:TRUE,pathlen:0"},
    {"keyUsage", "critical,keyCertSign,cRLSign"},
};

static const struct certs_extension server_extensions[] = {
    {"basicConstraints", "critical,CA:FALSE"},
    {"keyUsage", "critical,digitalSignature,keyEncipherment"},
    {"extendedKeyUsage", "serverAuth"},
};

static const struct certs_extension client_extensions[] = {
    {"basicConstraints", "critical,CA:FALSE"},
    {"keyUsage", "critical,digitalSignature"},
    {"extendedKeyUsage", "clientAuth"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct certs_profile *certs_profile(enum certs_kind kind)
{
    static const struct certs_profile profiles[] = {
        [CERTS_KIND_AUTHORITY] = {authority_extensions, COUNT(authority_extensions),
                                  CERTS_LIFETIME_DEFAULT_S},
        [CERTS_KIND_SERVER] = {server_extensions, COUNT(server_extensions), CERTS_LIFETIME_DEFAULT_S},
        [CERTS_KIND_CLIENT] = {client_extensions, COUNT(client_extensions), CERTS_LIFETIME_DEFAULT_S},
    };

    return &profiles[kind];
}

bool certs_validity(enum certs_kind kind, int64_t now, int64_t lifetime_s, int64_t issuer_not_after,
                    struct certs_validity *out)
{
    if (issuer_not_after <= now)
        return false;
    out->not_before = now - CERTS_CLOCK_TOLERANCE_S;
    out->not_after = now + (lifetime_s != 0 ? lifetime_s : certs_profile(kind)->lifetime_s);
    if (out->not_after > issuer_not_after)
        out->not_after = issuer_not_after;
    return true;
}
