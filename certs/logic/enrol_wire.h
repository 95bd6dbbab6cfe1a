/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The messages of an enrolment as bytes (docs/enrolment.md): a type, a length, and fields of which each type has its
 * own. Pure. Both sides use it, inside of TLS only. Strict: a message has each field that its type needs, no other, in
 * ascending order; a new version of the protocol has another ALPN name. What has been decoded points into the bytes.
 */
#ifndef QUORATE_CERTS_LOGIC_ENROL_WIRE_H
#define QUORATE_CERTS_LOGIC_ENROL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

/* Offered by the node and required by the arbiter in the handshake; its length comes first, as ALPN has it. */
#define ENROL_ALPN "\x10quorate-enrol/01"
/* What both sides export from the handshake to bind the proof to it (RFC 8446, section 7.5). */
#define ENROL_EXPORTER_LABEL "EXPORTER-quorate-enrol-01"
#define ENROL_EXPORTER_SIZE 32
#define ENROL_PROOF_CONTEXT "quorate-enrol/01 join" /* its terminator is signed too */

#define ENROL_HEADER_SIZE 4 /* type, zero, length of what follows */
#define ENROL_MESSAGE_SIZE_MAX 32768
#define ENROL_ID_SIZE 16
#define ENROL_PROOF_SIZE 64
#define ENROL_TIME_SIZE 8
#define ENROL_NAME_SIZE_MAX 255
#define ENROL_REQUEST_SIZE_MAX 4096
#define ENROL_CERTIFICATE_SIZE_MAX 8192
#define ENROL_TEXT_SIZE_MAX 1024
#define ENROL_AUTHORITIES_MAX 8

enum enrol_type {
    ENROL_JOIN = 1,    /* id, cluster?, node?, request, proof */
    ENROL_RENEW = 2,   /* request; the node shows its present certificate in the handshake */
    ENROL_GRANTED = 3, /* cluster, certificate, authorities */
    ENROL_REFUSED = 4, /* reason, text */
    ENROL_ASK = 5,     /* cluster: would a device with the certificate of the handshake be let in as this one's? */
    ENROL_VERDICT = 6  /* reason and text, or neither: it would; time */
};

/* Why a node is refused; the text beside it says it in words. */
enum enrol_reason {
    ENROL_BAD_MESSAGE = 1, /* the message, or the certificate request in it */
    ENROL_UNKNOWN = 2,     /* no such code; or it expired so long ago that it is forgotten */
    ENROL_EXPIRED = 3,
    ENROL_USED = 4,         /* with another key */
    ENROL_OTHER_CLUSTER = 5,
    ENROL_BAD_PROOF = 6,
    ENROL_FAILED = 7,       /* the arbiter could not do its part */
    ENROL_NOT_ENTITLED = 8  /* renewal: no certificate, or one that is revoked or no node's */
};
#define ENROL_REASON_LAST ENROL_NOT_ENTITLED

struct enrol_bytes {
    const uint8_t *bytes; /* NULL: the field is not there */
    size_t size;
};

struct enrol_message {
    enum enrol_type type;
    struct enrol_bytes id;          /* ENROL_ID_SIZE */
    struct enrol_bytes cluster;     /* the one a node believes to be in (may be missing), or is in from now on */
    struct enrol_bytes node;        /* what the node calls itself; may be missing */
    struct enrol_bytes request;     /* PKCS#10, DER */
    struct enrol_bytes certificate; /* DER */
    struct enrol_bytes authorities[ENROL_AUTHORITIES_MAX]; /* DER, the certificate's issuer first */
    size_t authority_count;
    enum enrol_reason reason;
    struct enrol_bytes text;
    struct enrol_bytes proof; /* ENROL_PROOF_SIZE; last, over everything before it */
    int64_t time_ms;          /* of a VERDICT: the arbiter's clock, since 1970, not negative */
    size_t proven_size;       /* decoded: the bytes, header included, before the field of the proof */
};

/* Whether the certificate and the authorities of a GRANTED are within the limits, one by one and together. */
bool enrol_grant_fits(const struct enrol_message *granted);

/*
 * Appends the message; the fields must be those of its type and within their limits (asserted). An allocation that
 * failed shows in out->failed.
 */
void enrol_encode(const struct enrol_message *message, struct q_buf *out);

/*
 * Where the bytes that a proof covers end in an encoded JOIN: the proof's own bytes are at the end. 0 < it.
 */
size_t enrol_proven_size(size_t message_size);

/*
 * How many bytes of the message that begins here are missing: 0 if it is whole, then *size is its size.
 * Q_ERR_INVALID: it would be larger than allowed.
 */
enum q_err enrol_missing(const uint8_t *bytes, size_t count, size_t *missing, size_t *size);

/* One whole message. Q_ERR_INVALID: err_text names what is wrong, without bytes of the peer's in it. */
enum q_err enrol_decode(const uint8_t *bytes, size_t size, struct enrol_message *message, char *err_text,
                        size_t err_size);

#endif
