/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An NSS database as the content of a folder of certificates: opened for one purpose and closed again, or copied into the folder's
 * ".new", changed there, and published as a whole. Used by both stores in this form; keeps nothing between calls.
 */
#ifndef QUORATE_CERTS_NSS_FOLDER_H
#define QUORATE_CERTS_NSS_FOLDER_H

#include "certs/store/folder.h"
#include "certs/store/nss_db.h"

/* What is done with the database while it is open. */
typedef enum q_err nss_folder_use(struct nss_db *db, void *context, struct certs_failure *why);

/* Q_ERR_NOT_FOUND if there is none. */
enum q_err nss_folder_read(const struct certs_folder *folder, nss_folder_use *use, void *context,
                           struct certs_failure *why);

/* In a copy in ".new", which is made empty if there is none to be copied. The folder must be open for change. */
enum q_err nss_folder_change(struct certs_folder *folder, nss_folder_use *use, void *context,
                             struct certs_failure *why);

/* The copy takes the place of the database: its files one by one, that by which it counts as being there last. */
enum q_err nss_folder_publish(struct certs_folder *folder, struct certs_failure *why);

/*
 * Removes the keys of this nickname (NULL: of any) that no certificate belongs to. After the change that made them so, never with it:
 * no certificate is ever there without its key.
 */
enum q_err nss_folder_drop_idle_keys(struct certs_folder *folder, const char *nickname, struct certs_failure *why);

#endif
