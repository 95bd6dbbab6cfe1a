/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/store/nss_folder.h"

#include <stdlib.h>

static enum q_err use_at(const char *dir, enum nss_db_access access, nss_folder_use *use, void *context,
                         struct certs_failure *why)
{
    struct nss_db *db;
    enum q_err err = nss_db_open(dir, access, &db, why), closing;

    if (err != Q_OK)
        return err;
    err = use(db, context, why);
    closing = nss_db_close(db, why);
    return err != Q_OK ? err : closing;
}

enum q_err nss_folder_read(const struct certs_folder *folder, nss_folder_use *use, void *context,
                           struct certs_failure *why)
{
    return use_at(folder->path, NSS_DB_READ, use, context, why);
}

enum q_err nss_folder_change(struct certs_folder *folder, nss_folder_use *use, void *context,
                             struct certs_failure *why)
{
    char *stage = certs_folder_stage_path(folder);
    enum q_err err = stage != NULL ? Q_OK : certs_fail_memory(why);

    for (size_t i = 0; err == Q_OK && i < NSS_DB_FILE_COUNT; i++)
        err = certs_folder_stage_copy(folder, nss_db_files[i], why);
    if (err == Q_OK)
        err = use_at(stage, NSS_DB_CHANGE, use, context, why);
    free(stage);
    return err;
}

enum q_err nss_folder_publish(struct certs_folder *folder, struct certs_failure *why)
{
    enum q_err err = Q_OK;

    for (size_t i = 0; err == Q_OK && i < NSS_DB_FILE_COUNT; i++)
        err = certs_folder_publish(folder, nss_db_files[i], CERTS_MODE_SHARED, why);
    return err;
}

struct dropping {
    const char *nickname;
    unsigned count;
};

static enum q_err drop(struct nss_db *db, void *context, struct certs_failure *why)
{
    struct dropping *dropping = context;

    return nss_db_drop_idle_keys(db, dropping->nickname, &dropping->count, why);
}

enum q_err nss_folder_drop_idle_keys(struct certs_folder *folder, const char *nickname, struct certs_failure *why)
{
    struct dropping dropping = {.nickname = nickname};
    enum q_err err = nss_folder_change(folder, drop, &dropping, why);

    return err == Q_OK && dropping.count > 0 ? certs_folder_publish(folder, "key4.db", CERTS_MODE_SHARED, why) : err;
}
