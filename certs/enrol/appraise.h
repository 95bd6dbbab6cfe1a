/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the arbiter would say to a device with the certificate that a node has shown in the handshake, for a node that asks
 * (--check). The handshake itself has judged chain and dates, by the code that judges devices; the rest is here, by the functions
 * that the arbiter itself goes by. Nothing is changed or written.
 */
#ifndef QUORATE_CERTS_ENROL_APPRAISE_H
#define QUORATE_CERTS_ENROL_APPRAISE_H

#include "certs/enrol/judge.h"

/* `store` is the directory of the arbiter's certificates, `cluster` what a device would say that it belongs to. */
void appraise(const char *store, const struct tls_peer_names *shown, const struct enrol_bytes *cluster,
              struct judge_verdict *verdict);

#endif
