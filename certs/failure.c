/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

enum q_err certs_fail(struct certs_failure *why, enum q_err err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    return err;
}

static const char *remedy(int reason)
{
    switch (reason) {
    case EACCES:
    case EPERM:
        return " Run this as root, or as the owner of that directory.";
    case EROFS:
        return " The file system is mounted read-only.";
    case ENOSPC:
    case EDQUOT:
        return " Make room there and repeat the command: it goes on where it stopped.";
    default:
        return "";
    }
}

enum q_err certs_fail_errno(struct certs_failure *why, const char *what, const char *path)
{
    int reason = errno;
    enum q_err err = Q_ERR_IO;

    if (reason == ENOENT || reason == ENOTDIR)
        err = Q_ERR_NOT_FOUND;
    else if (reason == EACCES || reason == EPERM)
        err = Q_ERR_ACCESS;
    else if (reason == ENOMEM)
        err = Q_ERR_NO_MEMORY;
    return certs_fail(why, err, "%s %s: %s.%s", what, path, strerror(reason), remedy(reason));
}

enum q_err certs_fail_openssl(struct certs_failure *why, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

    ERR_clear_error();
    return certs_fail(why, Q_ERR_INVALID, "%s: %s.", what, reason != NULL ? reason : "unknown reason");
}

enum q_err certs_fail_memory(struct certs_failure *why)
{
    return certs_fail(why, Q_ERR_NO_MEMORY, "Out of memory.");
}
