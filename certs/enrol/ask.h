/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node asks the arbiter what it would say to a device with its certificate, and what time it is there (docs/enrolment.md, ASK).
 * Changes nothing on either side. The dates of certificates are not looked at on the way, since the clock may be what is wrong.
 * Blocks, with limits on each step. Used by --check of both tools.
 */
#ifndef QUORATE_CERTS_ENROL_ASK_H
#define QUORATE_CERTS_ENROL_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/failure.h"
#include "certs/x509/identity.h"
#include "certs/logic/clock_gap.h"
#include "certs/logic/enrol_wire.h"

struct ask_wish {
    const struct certs_identity *identity; /* authorities; and with `show` certificate, intermediates and key */
    bool show;                             /* the certificate; without it, the answer's worth is in the clock */
    const char *cluster;                   /* not empty */
    const char *host;
    uint16_t port;
};

struct ask_answer {
    unsigned reason; /* 0: a device would be let in; else of enum enrol_reason, with text */
    char text[ENROL_TEXT_SIZE_MAX + 1];
    struct clock_gap gap;
    uint64_t serial; /* of the certificate that the arbiter shows; 0: larger than 64 bits */
    char tls_version[16];
};

/*
 * Q_ERR_NOT_FOUND: it knows no such question, being older. Q_ERR_AGAIN: no answer in time. Anything else: nobody answers, or not to
 * this certificate.
 */
enum q_err ask_arbiter(const struct ask_wish *wish, struct ask_answer *answer, struct certs_failure *why);

#endif
