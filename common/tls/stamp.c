/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/stamp.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* FNV-1a over a number. */
static void mix(uint64_t *hash, uint64_t number)
{
    for (int i = 0; i < 8; i++, number >>= 8)
        *hash = (*hash ^ (number & 0xff)) * UINT64_C(1099511628211);
}

static bool mix_file(uint64_t *hash, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return false;
    mix(hash, (uint64_t)st.st_dev);
    mix(hash, (uint64_t)st.st_ino);
    mix(hash, (uint64_t)st.st_size);
    mix(hash, (uint64_t)st.st_mtim.tv_sec);
    mix(hash, (uint64_t)st.st_mtim.tv_nsec);
    return true;
}

static bool mix_file_in(uint64_t *hash, const char *dir, const char *name)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) && mix_file(hash, path);
}

/* 0: they are not all there. */
static uint64_t look(const struct tls_credentials_source *source)
{
    uint64_t hash = UINT64_C(14695981039346656037) + (uint64_t)source->kind;
    bool there = false;

    switch (source->kind) {
    case TLS_SOURCE_NSS:
        there = (mix_file_in(&hash, source->nss.dir, "cert9.db") && mix_file_in(&hash, source->nss.dir, "key4.db")) ||
                (mix_file_in(&hash, source->nss.dir, "cert8.db") && mix_file_in(&hash, source->nss.dir, "key3.db"));
        break;
    case TLS_SOURCE_PEM:
        there = mix_file(&hash, source->pem.cert_file) && mix_file(&hash, source->pem.key_file) &&
                mix_file(&hash, source->pem.ca_file);
        break;
    }
    return there ? hash | 1 : 0;
}

void tls_stamp_take(struct tls_stamp *stamp, const struct tls_credentials_source *source)
{
    stamp->loaded = stamp->seen = look(source);
}

bool tls_stamp_is_old(struct tls_stamp *stamp, const struct tls_credentials_source *source)
{
    uint64_t now = look(source);
    bool settled = now == stamp->seen;

    stamp->seen = now;
    return settled && now != 0 && now != stamp->loaded;
}
