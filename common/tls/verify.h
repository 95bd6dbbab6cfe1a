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

/* After it: let a server ask for a certificate, which must then be good; a client without one is welcome too. */
void tls_verify_ask(struct tls_credentials *creds);

#endif
