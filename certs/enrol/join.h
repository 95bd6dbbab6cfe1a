/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node joins: corosync-qdevice-net-certutil --join. Makes a key, asks the arbiter for a certificate over the arbiter's own
 * port, with a code that proves each to the other (docs/enrolment.md), and installs what it gets. The key never leaves the
 * node. A run that is interrupted anywhere is repeated with the same code: it goes on with the same key. Run as root by the
 * tool; blocks.
 */
#ifndef QUORATE_CERTS_ENROL_JOIN_H
#define QUORATE_CERTS_ENROL_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/failure.h"
#include "certs/store/place.h"

#define JOIN_PORT_DEFAULT 5403

struct join_wish {
    const struct certs_place *place;
    const char *code;    /* as typed */
    const char *host;    /* name or address of the arbiter */
    uint16_t port;
    const char *cluster; /* the one that this node is in; NULL: as the code says */
    const char *node;    /* what the node calls itself; NULL: nothing */
    bool replace;        /* an arbiter's authority, or another cluster's certificate, that the node has already */
};

/* Says each step on standard output. *cluster is the cluster's name, on the heap. */
enum q_err join_cluster(const struct join_wish *wish, char **cluster, struct certs_failure *why);

/* A new certificate, with a new key, in place of the present one: over a connection that this one authenticates. */
enum q_err join_renew(const struct join_wish *wish, char **cluster, struct certs_failure *why);

/* totem.cluster_name of this node's corosync.conf, on the heap; NULL: it has none. */
char *join_configured_cluster(const char *path);

#endif
