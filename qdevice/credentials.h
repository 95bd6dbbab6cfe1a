/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's certificates, from an NSS database or PEM files as its settings say.
 */
#ifndef QUORATE_QDEVICE_CREDENTIALS_H
#define QUORATE_QDEVICE_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/tls/credentials.h"
#include "common/tls/stamp.h"
#include "qdevice/settings.h"

/* NULL on failure: text says what is wrong and what to do; on success text is "". Reads files; *stamp is theirs. */
struct tls_credentials *credentials_open(const struct settings *settings, struct tls_stamp *stamp, char *text, size_t size);

/* Whether the files are others than those that were loaded, so that they should be loaded again. */
bool credentials_are_old(const struct settings *settings, struct tls_stamp *stamp);

#endif
