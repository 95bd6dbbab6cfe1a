/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter's own certificate and the authorities it trusts: loaded at start, loaded again on SIGHUP (the old
 * ones stay in force if that fails), and watched for their end of validity. Embedded in main's daemon; without
 * TLS (-s off) it stays empty.
 */
#ifndef QUORATE_QNETD_IDENTITY_H
#define QUORATE_QNETD_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/tls/credentials.h"
#include "common/tls/stamp.h"
#include "qnetd/settings.h"

struct identity {
    struct tls_credentials *credentials; /* NULL without TLS */
    struct tls_stamp stamp;              /* of the files they are from */
    char *reload_error;                  /* why the newest reload failed; NULL if it did not */
};

/* Where the certificates are now; borrows from settings. */
void identity_source(const struct settings *settings, struct tls_credentials_source *source);

/* Loads for the start; logs what deserves it. Any error but Q_OK: err_text says what is wrong and what to do. */
enum q_err identity_open(struct identity *identity, const struct settings *settings, char *err_text,
                         size_t size);
void identity_close(struct identity *identity);

/* SIGHUP: new credentials for new connections, or an error in the log and the old ones stay. */
void identity_reload(struct identity *identity, const struct settings *settings);

/* Every few seconds: whether the files are others by now, so that identity_reload is due. */
bool identity_is_old(struct identity *identity, const struct settings *settings);

/* Warns in the log of everything that has expired or will within 30 days. At start and once a day. */
void identity_warn_of_expiry(const struct identity *identity);

#endif
