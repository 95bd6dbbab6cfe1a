/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a function of certs/ that fails puts its sentences for people: what is wrong (file, field, reason) and what to do.
 * The caller owns it, on its stack, and shows it once; the enum q_err beside it says which kind of failure it was. On
 * success the text is not touched.
 */
#ifndef QUORATE_CERTS_FAILURE_H
#define QUORATE_CERTS_FAILURE_H

#include "common/err.h"

struct certs_failure {
    char text[2048];
};

/* Writes the sentences and returns err, so that "return certs_fail(...)" reads well. */
enum q_err certs_fail(struct certs_failure *why, enum q_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a call that has just failed with errno: "WHAT PATH: REASON." and what to do about the usual reasons. */
enum q_err certs_fail_errno(struct certs_failure *why, const char *what, const char *path);

/* The same for OpenSSL: "WHAT: REASON." Empties its error queue. */
enum q_err certs_fail_openssl(struct certs_failure *why, const char *what);

enum q_err certs_fail_memory(struct certs_failure *why);

#endif
