/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TLS side of the simulated devices: one context for all, a certificate for each cluster. Offers what the packaged
 * device offers, in its order (spec/qnet-protocol.md section 10.3), but does not verify the arbiter: that is the client's
 * time, which nobody measures here.
 */
#ifndef QUORATE_TESTS_BENCH_TLS_CLIENT_H
#define QUORATE_TESTS_BENCH_TLS_CLIENT_H

#include "tests/bench/fleet.h"

void tls_client_init(struct fleet *fleet); /* exits on errors */
void tls_client_fini(struct fleet *fleet);

/* A client session over `fd` with the certificate of that cluster. Exits without memory. */
SSL *tls_client_new(struct fleet *fleet, unsigned cluster_index, int fd);

#endif
