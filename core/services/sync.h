/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The synchronisation after a change of the membership, as a pure machine: all members walk through the union
 * of their services in the order of their ids, and none goes on to the next before all have done with this
 * one (spec/totem-protocol.md section 13). The shell tells what the ring delivers and what services say,
 * calls services and sends as it is told, in the order of the actions. Nothing here blocks or knows what a
 * service does.
 *
 *   state   | BEGIN | SERVICES of all members | service says DONE | BARRIER of all members       | ABORT
 *   IDLE    | BUILD | -                       | -                 | -                            | IDLE
 *   BUILD   | BUILD | PROCESS of the first    | -                 | -                            | IDLE
 *   PROCESS | BUILD | -                       | BARRIER           | (counted: peers are faster)  | IDLE, service is told
 *   BARRIER | BUILD | -                       | -                 | PROCESS of the next, or IDLE | IDLE, service is told
 *
 *  - A service takes part if it is in `services`: INIT before anything of the new ring is delivered, PROCESS
 *    when its turn has come, answered by DONE at once or later, ACTIVATE when all members have answered. A
 *    service that only others have is answered for at once.
 *  - COMPLETE ends it: what was held back for the time of the synchronisation may go.
 *  - ABORT comes with the transitional configuration; a BEGIN that finds the machine at work aborts by
 *    itself. A service is told so too while it waits for the barrier (the packaged daemon of 3.1.7 does not
 *    tell it).
 *  - Messages of other rings, of nodes that are no members and those that come twice change nothing.
 */
#ifndef QUORATE_CORE_SERVICES_SYNC_H
#define QUORATE_CORE_SERVICES_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/node_set.h"
#include "core/services/sync_wire.h"

enum sync_state { SYNC_IDLE, SYNC_BUILD, SYNC_PROCESS, SYNC_BARRIER_WAIT };

enum sync_event_type { SYNC_EV_BEGIN, SYNC_EV_DELIVERED, SYNC_EV_DONE, SYNC_EV_ABORT };

struct sync_event {
    enum sync_event_type type;
    union {
        struct {
            struct totem_ring_id ring_id;
            const uint32_t *members; /* this node among them */
            uint32_t member_count;
            const uint32_t *transitional; /* members of the transitional configuration before */
            uint32_t transitional_count;
        } begin;
        struct {
            uint32_t sender;
            enum totem_order order; /* of the sender */
            const uint8_t *bytes;   /* from the header on */
            size_t size;
        } delivered;
    } u;
};

enum sync_action_type {
    SYNC_ACT_SEND, /* bytes, to the group "sync" */
    SYNC_ACT_INIT, /* of a service, with sync_members and sync_transitional */
    SYNC_ACT_PROCESS,
    SYNC_ACT_ACTIVATE,
    SYNC_ACT_ABORT,
    SYNC_ACT_COMPLETE,
    SYNC_ACT_IGNORED /* a message that cannot be one, or of a node that is no member: for the log */
};

struct sync_action {
    enum sync_action_type type;
    uint32_t service; /* INIT to ABORT */
    uint32_t node_id; /* IGNORED: the sender */
    size_t size;      /* SEND */
    uint8_t bytes[SYNC_MESSAGE_SIZE_MAX];
};

/* One step gives at most: INIT of all services and what they send, an abort, one service's end, the next one's begin. */
#define SYNC_ACTIONS_MAX (SYNC_SERVICES_MAX + 8)

struct sync_actions {
    struct sync_action items[SYNC_ACTIONS_MAX];
    size_t count;
};

/* Embedded; owns its node sets. */
struct sync {
    enum totem_order order; /* this machine's */
    uint64_t services;      /* ours */
    enum sync_state state;
    struct totem_ring_id ring_id;
    struct node_set members;
    struct node_set transitional; /* those of them that came along with us */
    uint64_t all_services;        /* of all members */
    uint32_t current;             /* PROCESS, BARRIER_WAIT */
    struct node_set heard;        /* who has sent what is waited for */
};

void sync_init(struct sync *sync, enum totem_order order, uint64_t services);
void sync_fini(struct sync *sync);

/* `out` is overwritten. Q_ERR_NO_MEMORY: the node must stop, it cannot follow the others. */
enum q_err sync_step(struct sync *sync, const struct sync_event *event, struct sync_actions *out);

#endif
