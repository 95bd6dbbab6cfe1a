/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP between the devices and the arbiter: bytes arrive in order, late, in any pieces, or not at all while a
 * direction is down (then they are repeated once it is up again); a connection ends by FIN, by reset, or
 * without anybody learning of it. TLS is a handshake of markers and a goodbye. Bytes pass through the real
 * framer and codec at both ends. Called by node.h for the device's end and by arbiter_host.h for the other.
 */
#ifndef QUORATE_TESTS_SIM_NETWORK_H
#define QUORATE_TESTS_SIM_NETWORK_H

#include "tests/sim/world.h"

enum chunk_kind {
    CHUNK_SYN,      /* to the arbiter: connection request */
    CHUNK_ACCEPTED, /* to the device: it is open */
    CHUNK_DATA,
    CHUNK_HELLO, /* TLS: the client's, the server's, the client's last flight */
    CHUNK_SERVER_HELLO,
    CHUNK_FINISHED,
    CHUNK_CLOSE_NOTIFY,
    CHUNK_FIN,
    CHUNK_RESET
};

struct chunk {
    struct chunk *next;
    uint64_t at_ms;
    enum chunk_kind kind;
    uint32_t size;
    uint8_t bytes[];
};

/* The device's end. */
struct conn *network_connect(struct node *node);
void network_device_send(struct conn *conn, enum chunk_kind kind, const void *bytes, size_t size);
/* `goodbye`: TLS close_notify first, if TLS is on. */
void network_device_close(struct conn *conn, bool goodbye);
/* The process died; its kernel closes. */
void network_device_died(struct conn *conn);

/* The arbiter's end. */
void network_arbiter_send(struct conn *conn, enum chunk_kind kind, const void *bytes, size_t size);
void network_arbiter_close(struct conn *conn);

/* A direction of a node's path went down or came up. */
void network_path(struct node *node, bool to_arbiter, bool to_device);
/* Lets a held connection request through; false: there is none yet. */
bool network_release(struct node *node);
/* Both ends get a reset. */
void network_reset(struct conn *conn);
/* After a host came back: those who still talk to its former life are told. */
void network_arbiter_host_back(struct world *world);
void network_node_host_back(struct node *node);

void network_free(struct world *world);

#endif
