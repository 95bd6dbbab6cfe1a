/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of process groups on a node with the real core: joins the one group there is, sends numbered messages, and
 * writes down in its log (synchrony.h) what it is told. Speaks in the bytes of libcpg (spec/corosync-ipc.md section 6).
 * Owned by its stack_host; dies with it.
 */
#ifndef QUORATE_TESTS_SIM_CPG_CLIENT_H
#define QUORATE_TESTS_SIM_CPG_CLIENT_H

#include "tests/sim/synchrony.h"

struct cpg_client {
    uint64_t conn; /* 0: there is none */
    uint32_t pid;
    bool joining; /* its join was accepted */
    struct synchrony_log *log;
};

/* Requests, as bytes that stay until the next one. */
const uint8_t *cpg_client_join(const struct cpg_client *client, size_t *size);
const uint8_t *cpg_client_message(struct cpg_client *client, uint32_t payload_size, uint64_t ring_seq, size_t *size);

/* Messages must have room for what tells them apart. */
#define CPG_CLIENT_PAYLOAD_MIN 32

/* An event for it; of_ring: no message can have brought it. */
void cpg_client_on_event(struct cpg_client *client, const uint8_t *head, size_t head_size, const uint8_t *body,
                         size_t body_size, bool of_ring);

#endif
