/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the arbiter says to a node with these certificates, without becoming one of its clients: connects, says which cluster it is
 * (PREINIT), goes over to TLS, and listens for an objection; no INIT is sent, so that a device that runs on the node is not
 * disturbed. Blocks for some seconds at most. Used by --check.
 */
#ifndef QUORATE_CERTS_PROBE_H
#define QUORATE_CERTS_PROBE_H

#include <stdint.h>
#include <time.h>

#include "certs/failure.h"
#include "certs/store/place.h"

/* How far it came. */
enum probe_step {
    PROBE_CONNECT,   /* name, address, port */
    PROBE_GREETING,  /* the arbiter's answer to PREINIT */
    PROBE_HANDSHAKE, /* TLS, and the arbiter's certificate */
    PROBE_ACCEPTED   /* nothing was objected to our certificate */
};

struct probe_result {
    enum probe_step step; /* the last one tried; with Q_OK PROBE_ACCEPTED */
    char tls_version[16];
    time_t arbiter_not_after;
};

struct probe_wish {
    const struct certs_place *place; /* a node's store, complete */
    const char *cluster_name;
    const char *host;
    uint16_t port;
};

/* Anything but Q_OK: why says what went wrong in result->step, and what to do. */
enum q_err probe_arbiter(const struct probe_wish *wish, struct probe_result *result,
                         struct certs_failure *why);

#endif
