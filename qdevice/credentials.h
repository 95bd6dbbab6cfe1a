/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's certificates, from an NSS database or PEM files as its settings say.
 */
#ifndef QUORATE_QDEVICE_CREDENTIALS_H
#define QUORATE_QDEVICE_CREDENTIALS_H

#include <stddef.h>

#include "common/tls/credentials.h"
#include "qdevice/settings.h"

/* NULL on failure: text says what is wrong and what to do; on success text is "". Reads files. */
struct tls_credentials *credentials_open(const struct settings *settings, char *text, size_t size);

#endif
