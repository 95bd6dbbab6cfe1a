/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Judges the peer's certificate during the handshake: OpenSSL checks the chain; this adds the exact name
 * for clients, the switch that accepts expired servers, and the words for the channel's error text.
 * Installed once per TLS context by credentials.c.
 */
#ifndef QUORATE_COMMON_TLS_VERIFY_H
#define QUORATE_COMMON_TLS_VERIFY_H

#include "common/tls/credentials_internal.h"

/* Let creds->ctx verify peers as creds says. creds outlives its context. */
void tls_verify_install(struct tls_credentials *creds);

#endif
