/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network between the real cores of one cluster: datagrams that get lost, late, twice and out of order. A node reaches
 * those of its colour, except where a single direction is cut. What arrives while a machine stands still waits in its
 * socket. Datagrams live until they arrive, or until the end of the run.
 */
#ifndef QUORATE_TESTS_SIM_LAN_H
#define QUORATE_TESTS_SIM_LAN_H

#include "tests/sim/world.h"

struct lan_datagram {
    struct lan_datagram *next; /* of the world's list, or in a socket */
    struct lan_datagram *previous;
    struct node *to;
    size_t size;
    uint8_t bytes[];
};

/* What is in a socket, oldest first. */
struct lan_socket {
    struct lan_datagram *first;
    struct lan_datagram *last;
    unsigned count;
};

/* To one node, or to all others (target 0). */
void lan_send(struct node *from, uint32_t target, const uint8_t *bytes, size_t size);

/* Those that have not arrived (world->receive gets those that have, and owns them then). */
void lan_free(struct world *world);

void lan_socket_put(struct lan_socket *socket, struct lan_datagram *datagram);
/* NULL: empty. */
struct lan_datagram *lan_socket_take(struct lan_socket *socket);
void lan_socket_drain(struct lan_socket *socket);

#endif
