/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last findings of a node's --check: what the arbiter would answer, asked of the arbiter itself where it can be asked, and what
 * the two clocks do to the certificates. Used by check_node.c.
 */
#ifndef QUORATE_CERTS_CHECK_VERDICT_H
#define QUORATE_CERTS_CHECK_VERDICT_H

#include <stdbool.h>

#include "certs/tools/check.h"
#include "certs/enrol/ask.h"
#include "certs/x509/identity.h"

struct check_verdict_wish {
    const struct certs_identity *identity; /* complete */
    const char *cluster_name;
    const char *host;
    uint16_t port;
    bool let_in; /* as far as the way of a device goes, nothing was objected */
};

/* Asks, and tells what it finds. */
void check_verdict(struct check *check, const struct check_verdict_wish *wish);

/* What the answer means for the certificates of this node; the pure part, with the time here. */
void check_clock(struct check *check, const struct certs_identity *identity, const struct clock_gap *gap);

#endif
