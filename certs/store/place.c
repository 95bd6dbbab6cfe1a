/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/store/place.h"

#include <stdio.h>
#include <sys/stat.h>

static bool has(const char *dir, const char *name)
{
    struct stat st;
    char path[4096];

    return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) && stat(path, &st) == 0 &&
           S_ISREG(st.st_mode);
}

bool certs_place_exists(const struct certs_place *place)
{
    if (place->form == CERTS_PEM)
        return has(place->dir, CERTS_PEM_AUTHORITY);
    return has(place->dir, "cert9.db") || has(place->dir, "cert8.db");
}

void certs_place_choose(bool pem, const char *nss_dir, const char *pem_dir, struct certs_place *place)
{
    struct certs_place nss_place = {.form = CERTS_NSS, .dir = nss_dir};
    struct certs_place pem_place = {.form = CERTS_PEM, .dir = pem_dir};

    if (!pem && !certs_place_exists(&nss_place))
        pem = certs_place_exists(&pem_place);
    *place = pem ? pem_place : nss_place;
}
