/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An invitation is used up in two steps, a claim and a certificate, by whichever enrolment program has the node's connection: there
 * may be two for a while, and an administrator who withdraws it. So each step takes the directory's lock, reads the file
 * anew, and goes by what it says then. Called by judge.c.
 */
#ifndef QUORATE_CERTS_ENROL_INVITATION_USE_H
#define QUORATE_CERTS_ENROL_INVITATION_USE_H

#include <stddef.h>
#include <stdint.h>

#include "certs/enrol/invitation_dir.h"

/*
 * Claims the invitation of *invitation's id, for that key, with its first use also for that node (may be ""). Whether it may is judged
 * anew: *reason and text as of invitation_judge. Afterwards *invitation is what is on disk. Other errors: it could not be noted.
 */
enum q_err invitation_use_claim(const char *dir, struct invitation *invitation, const struct invitation_claim *claim,
                                const char *node, const char *peer, unsigned *reason, char text[INVITATION_TEXT_SIZE],
                                struct certs_failure *why);

/*
 * Puts the certificate that was signed for the claim into the file, unless there is one already, made for another connection with
 * the same key: of one number there is never more than one certificate that anybody gets. Afterwards *invitation has the one that is
 * on disk. Q_ERR_NOT_FOUND: it was withdrawn meanwhile. Q_ERR_INVALID: the certificate is too large.
 */
enum q_err invitation_use_fill(const char *dir, struct invitation *invitation, const uint8_t *certificate, size_t size,
                               struct certs_failure *why);

/* The same for a record in the form of an invitation, which nobody else knows yet. */
enum q_err invitation_use_record(const char *dir, struct invitation *invitation, const uint8_t *certificate, size_t size,
                                 struct certs_failure *why);

#endif
