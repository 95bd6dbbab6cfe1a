/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/cert_names.h"

#include <string.h>
#include <strings.h>

enum cert_names_match cert_names_match(const char *const *names, size_t count, const void *cluster, size_t size)
{
    enum cert_names_match best = CERT_NAMES_OTHER;

    for (size_t i = 0; i < count && size > 0; i++) {
        if (strlen(names[i]) != size)
            continue;
        if (memcmp(names[i], cluster, size) == 0)
            return CERT_NAMES_EXACT;
        if (strncasecmp(names[i], cluster, size) == 0)
            best = CERT_NAMES_SAME;
    }
    return best;
}
