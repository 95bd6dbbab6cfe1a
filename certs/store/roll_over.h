/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of what an arbiter goes by, in its store: a new certificate and key of its own, and another authority, in three steps
 * with an overlap in which the arbiter trusts two and nodes are given both as anchors (docs/certificates.md, "When the authority
 * ends"). Every step is a change of the store as a whole. Done again after an interruption, a step completes what the store
 * lacks; that it has been done is no error. Whether it is time for a step is for the caller to find out (enrol/standing.h).
 * Called by corosync-qnetd-certutil, on a store open for CERTS_CHANGE; the store is to be closed after a failure.
 *
 *   stage        signs for nodes   signed the arbiter's own   the arbiter trusts   nodes are given
 *   none         A                 A                          A                    A
 *     | begin                    ^ cancel: as before
 *   begun        B                 A                          A, B                 A, B
 *     | change
 *   changed      B                 B                          A, B                 A, B
 *     | finish
 *   none         B                 B                          B                    B
 */
#ifndef QUORATE_CERTS_ROLL_OVER_H
#define QUORATE_CERTS_ROLL_OVER_H

#include "certs/store/authority.h"

enum roll_stage { ROLL_NONE, ROLL_BEGUN, ROLL_CHANGED };

enum roll_stage roll_over_stage(const struct certs_authority *authority);

/* The authority that is to go; NULL in ROLL_NONE. Lives as long as the open store. */
X509 *roll_over_former(const struct certs_authority *authority);

/*
 * A new key and certificate for the arbiter itself, of the authority by which nodes know it. wish->alternatives NULL: the names
 * of the present one. Q_ERR_NOT_FOUND: the store has no authority of its own, or no certificate of the arbiter. Q_ERR_EXPIRED: the
 * authority has ended.
 */
enum q_err roll_over_renew(struct certs_authority *authority, const struct certs_authority_wish *wish,
                           struct certs_failure *why);

/* A new authority beside the present one. In ROLL_BEGUN: repairs. Q_ERR_BUSY in ROLL_CHANGED; Q_ERR_NOT_FOUND as above. */
enum q_err roll_over_begin(struct certs_authority *authority, const struct certs_authority_wish *wish,
                           struct certs_failure *why);

/*
 * Back to what was before roll_over_begin: the new authority goes, with its key, and what it has signed is refused. In ROLL_NONE:
 * repairs. Q_ERR_BUSY in ROLL_CHANGED; Q_ERR_NOT_FOUND: the former one, which would sign again, has no key.
 */
enum q_err roll_over_cancel(struct certs_authority *authority, struct certs_failure *why);

/* The arbiter's own certificate comes from the new one from now on. In ROLL_CHANGED: repairs. Q_ERR_BUSY in ROLL_NONE. */
enum q_err roll_over_change(struct certs_authority *authority, const struct certs_authority_wish *wish,
                            struct certs_failure *why);

/* The former authority goes, with its key. In ROLL_NONE: repairs. Q_ERR_BUSY in ROLL_BEGUN. */
enum q_err roll_over_finish(struct certs_authority *authority, struct certs_failure *why);

#endif
