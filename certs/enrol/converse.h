/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node's conversation with the arbiter's enrolment, from the name of the host to the bytes of the answer: connects, speaks
 * TLS, sends one message, waits for one. Blocks, with a limit on each step. Used by join.c.
 */
#ifndef QUORATE_CERTS_ENROL_CONVERSE_H
#define QUORATE_CERTS_ENROL_CONVERSE_H

#include <stdint.h>

#include "certs/failure.h"
#include "certs/logic/enrol_wire.h"
#include "common/buf.h"
#include "common/tls/credentials.h"
#include "common/tls/enrolment.h"

/* What was seen of the arbiter, once the handshake has succeeded. */
struct converse_seen {
    uint64_t serial; /* of its certificate; 0: larger than 64 bits */
    char tls_version[16];
};

/* A signature may have to wait for others'. */
#define CONVERSE_PATIENCE_MS 20000

struct converse_peer {
    const char *host;
    uint16_t port;
    struct tls_credentials *credentials;
    const struct tls_pin *pin;
    enum enrol_type expected; /* the answer, unless it refuses: GRANTED or VERDICT */
    unsigned patience_ms;     /* for everything after the connection is there; 0: CONVERSE_PATIENCE_MS */
    struct converse_seen *seen; /* set; or NULL */
};

/* Appends the message, given what this connection exports. */
typedef enum q_err converse_compose(void *context, const uint8_t exported[ENROL_EXPORTER_SIZE], struct q_buf *message,
                                    struct certs_failure *why);

/*
 * *answer points into `in`, which is the caller's. Nothing is sent before the arbiter has proved to be the right one.
 * Q_ERR_CLOSED, Q_ERR_AGAIN: it could not be reached or did not answer, which another try may mend. Q_ERR_INVALID: it is
 * not the right one, or does not keep to the protocol.
 */
enum q_err converse(const struct converse_peer *peer, converse_compose *compose, void *context, struct q_buf *in,
                    struct enrol_message *answer, struct certs_failure *why);

#endif
