/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one set of error values of the project. Functions that can fail because of the environment or
 * of their input return one of these: zero is success, errors are negative. What a *peer* did wrong is
 * never an error of ours; it becomes an action (reply, close). Our own bugs are assertions.
 */
#ifndef QUORATE_COMMON_ERR_H
#define QUORATE_COMMON_ERR_H

enum q_err {
    Q_OK = 0,
    Q_ERR_NO_MEMORY = -1, /* allocation failed */
    Q_ERR_INVALID = -2,   /* the input is not what the format allows */
    Q_ERR_LIMIT = -3,     /* a cap was reached */
    Q_ERR_IO = -4,        /* a system call failed; errno has been put into the accompanying text */
    Q_ERR_NOT_FOUND = -5, /* what was asked for does not exist */
    Q_ERR_ACCESS = -6,    /* permission denied */
    Q_ERR_BUSY = -7,      /* held by somebody else */
    Q_ERR_AGAIN = -8,     /* would block; wait for readiness */
    Q_ERR_CLOSED = -9,    /* the other side has gone */
    Q_ERR_EXPIRED = -10   /* outside its validity period */
};

/* A short lower-case text for a value of enum q_err; never NULL. */
const char *q_err_text(enum q_err err);

#endif
