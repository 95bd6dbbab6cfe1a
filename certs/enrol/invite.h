/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter's administrator invites nodes: corosync-qnetd-certutil --invite, and what goes with it. Makes a code for each
 * node, leaves its invitation for the enrolment program, and takes what has come of earlier ones into the arbiter's record of
 * certificates. Run as root by the tool.
 */
#ifndef QUORATE_CERTS_ENROL_INVITE_H
#define QUORATE_CERTS_ENROL_INVITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/failure.h"
#include "certs/store/place.h"
#include "common/cluster_identity.h"

#define INVITE_NODES_MAX 64
#define INVITE_VALID_DEFAULT_S 3600
#define INVITE_VALID_MAX_S ((int64_t)30 * 86400)

struct invite_wish {
    const struct certs_place *place;
    const char *cluster;      /* checked: certs_name_fault */
    const char *identity;     /* of several of that name: how its identity begins; may be NULL */
    bool another;             /* another cluster of a name that there is already */
    const char *const *nodes; /* checked: certs_node_name_fault */
    size_t node_count;        /* 0: one invitation, for whatever node has the code */
    int64_t now_s;
    int64_t valid_s; /* 1 to INVITE_VALID_MAX_S */
};

/* Codes go to standard output, a line each; what to do with them to standard error. */
enum q_err invite_nodes(const struct invite_wish *wish, struct certs_failure *why);

/* "90", "90s", "30m", "2h", "7d": seconds, 1 to INVITE_VALID_MAX_S. Q_ERR_INVALID. */
enum q_err invite_parse_time(const char *text, int64_t *seconds);

/*
 * Takes the certificates of used invitations into the record; forgets what ended long ago, or came from an authority that
 * the arbiter had before. Needs permission to write.
 */
struct certs_authority;
enum q_err invite_settle(struct certs_authority *authority, int64_t now_s, struct certs_failure *why);

/* Which certificates and invitations are meant. */
struct invite_scope {
    const char *cluster; /* its name */
    const char *node;    /* NULL: all */
    bool narrow;         /* only those with the identity below, or without one if it is none */
    struct cluster_identity identity;
};

bool invite_scope_has(const struct invite_scope *scope, const char *cluster, const char *node,
                      const struct cluster_identity *identity);

/* Withdraws every unused invitation of that scope (NULL: all). */
enum q_err invite_withdraw(const struct invite_scope *scope, size_t *count, struct certs_failure *why);

#endif
