/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all services of the core have in common: their numbers, which are those of the wire and of the synchronisation
 * (spec/corosync-ipc.md section 1.1, totem-wire.md section 8), and the events that cmap, cfg and cpg take. Pure.
 *
 * Contract of the stack, which is the only caller:
 *  - A synchronisation is INIT (the membership is new), then PROCESS when it is this service's turn, answered by exactly
 *    one OUTBOX_SYNC_DONE at once or in a later step, then ACTIVATE; ABORT may come instead of any but INIT.
 *  - A message of MULTICAST comes back as DELIVERED, on every node in the same order.
 *  - CONNECT comes before the first REQUEST of a connection, GONE is its last event. Ids of connections are never 0 and
 *    never the same twice. A REQUEST has passed the rules of spec section 1.4: it may be executed, the ring has room for
 *    the largest message, its id is one of this service, and its size is at least a header's; the rest is for the service
 *    to check. Whatever is wrong with it gives exactly one answer (none to cpg 2).
 *  - Time is monotonic milliseconds and never goes back.
 */
#ifndef QUORATE_CORE_SERVICES_SERVICE_H
#define QUORATE_CORE_SERVICES_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "common/node_set.h"
#include "core/totem/octets.h"
#include "core/totem/wire.h"

enum service_id {
    SERVICE_CMAP = 0,
    SERVICE_CFG = 1,
    SERVICE_CPG = 2,
    SERVICE_QUORUM = 3,
    SERVICE_VOTEQUORUM = 5,
    SERVICE_COUNT = 6, /* 4 was the load generator */
    SERVICE_TOTEM = 6, /* in notes only, as the next two */
    SERVICE_SYNC = 7,
    SERVICE_MAIN = 8
};

#define SERVICE_NEVER UINT64_MAX

enum service_event_type {
    SERVICE_EV_SYNC_INIT,
    SERVICE_EV_SYNC_PROCESS,
    SERVICE_EV_SYNC_ACTIVATE,
    SERVICE_EV_SYNC_ABORT,
    SERVICE_EV_DELIVERED,
    SERVICE_EV_CONNECT,
    SERVICE_EV_REQUEST,
    SERVICE_EV_GONE,
    SERVICE_EV_TIME
};

struct service_event {
    enum service_event_type type;
    uint64_t now_ms;
    union {
        struct {
            struct totem_ring_id ring_id;
            const struct node_set *members;      /* this node among them */
            const struct node_set *transitional; /* those that came along from the last membership */
        } init;
        struct {
            uint32_t sender;
            enum totem_order order; /* of the sender */
            const uint8_t *bytes;   /* from the exec header on; they stay until the outbox is reset */
            size_t size;
        } delivered;
        struct {
            uint64_t conn;
            uint32_t pid; /* CONNECT: of the peer, as the system says */
            const uint8_t *bytes; /* REQUEST */
            size_t size;
        } client;
    } u;
};

/* The exec header: service << 16 | function at 0, size at 8, in the sender's order. */
#define SERVICE_MESSAGE_HEADER_SIZE 16

static inline uint32_t service_message_id(enum service_id service, uint32_t function)
{
    return (uint32_t)service << 16 | function;
}

#endif
