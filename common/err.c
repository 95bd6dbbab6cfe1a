/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/err.h"

const char *q_err_text(enum q_err err)
{
    switch (err) {
    case Q_OK:
        return "success";
    case Q_ERR_NO_MEMORY:
        return "out of memory";
    case Q_ERR_INVALID:
        return "invalid input";
    case Q_ERR_LIMIT:
        return "limit reached";
    case Q_ERR_IO:
        return "input/output error";
    case Q_ERR_NOT_FOUND:
        return "not found";
    case Q_ERR_ACCESS:
        return "permission denied";
    case Q_ERR_BUSY:
        return "in use";
    case Q_ERR_AGAIN:
        return "try again";
    case Q_ERR_CLOSED:
        return "closed";
    case Q_ERR_EXPIRED:
        return "expired";
    }
    return "unknown error";
}
