/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which clusters there are at an arbiter, told apart by their identities: the file "clusters" beside the invitations, and, should
 * that be lost (another host, with a backup of the certificates), what the certificates on record say. Used by
 * corosync-qnetd-certutil, which holds the lock of the store.
 */
#ifndef QUORATE_CERTS_ENROL_CLUSTERS_H
#define QUORATE_CERTS_ENROL_CLUSTERS_H

#include <stdbool.h>

#include "certs/store/authority.h"
#include "certs/enrol/invitation_dir.h"
#include "certs/failure.h"
#include "certs/logic/cluster_register.h"

/* All that are known, to be given to cluster_register_fini. dir->fd -1: no invitations yet. Q_ERR_INVALID: the file is damaged. */
enum q_err clusters_read(const struct invitation_dir *dir, const struct certs_authority *authority,
                         struct cluster_register *out, struct certs_failure *why);

/*
 * The identity of that cluster: made, or taken over from the wish, and on disk when this returns, if the register does not have it.
 * *strange: the register knew nothing of it, and whoever wished it should hear so. Q_ERR_INVALID: several fit; Q_ERR_NOT_FOUND:
 * none does; the sentence names those that there are.
 */
enum q_err clusters_choose(const struct invitation_dir *dir, const struct certs_authority *authority,
                           const struct cluster_wish *wish, struct cluster_identity *identity, bool *strange,
                           struct certs_failure *why);

/* Fails with `err`, and a sentence that names the clusters of that name; `hint` says what to do. */
enum q_err clusters_refuse(const struct cluster_register *clusters, const char *name, enum q_err err, const char *hint,
                           struct certs_failure *why);

/* The same for a whole identity that belongs to a cluster of another name. */
enum q_err clusters_refuse_elsewhere(const char *identity, const char *name_there, struct certs_failure *why);

#endif
