/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The node's side of an enrolment, inside of TLS (docs/enrolment.md): it speaks once and listens once, so its state is
 * the bytes of the answer that have come. Pure. Used by corosync-qdevice-net-certutil.
 */
#ifndef QUORATE_CERTS_LOGIC_ENROL_REPLY_H
#define QUORATE_CERTS_LOGIC_ENROL_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "certs/logic/enrol_wire.h"
#include "common/buf.h"
#include "common/err.h"

#define ENROL_REPLY_TEXT_SIZE 1400

/*
 * Appends bytes of the arbiter's to `in` and looks at them. Q_ERR_AGAIN: more have to come; *missing says how many at
 * least. Q_OK: *answer is what it said, of type `expected` (GRANTED or VERDICT) or REFUSED, and points into `in`.
 * Q_ERR_INVALID: it did not keep to the protocol, err_text says how. Q_ERR_NO_MEMORY.
 */
enum q_err enrol_reply_take(struct q_buf *in, const void *bytes, size_t size, enum enrol_type expected,
                            struct enrol_message *answer, size_t *missing, char *err_text, size_t err_size);

/*
 * Whether the key of the request is of no use any more: it was refused, and the same command will not get a certificate for it.
 * `is_new`: it was never shown to the arbiter before, so that nothing there can rest on it.
 */
bool enrol_refusal_ends_key(enum enrol_reason reason, bool is_new);

/* A refusal in words for the administrator of the node: what the arbiter said, and what to do. */
void enrol_reply_explain(const struct enrol_message *refusal, char text[ENROL_REPLY_TEXT_SIZE]);

/* What to do about a VERDICT with a reason; a sentence without its end. */
const char *enrol_verdict_remedy(enum enrol_reason reason);

#endif
