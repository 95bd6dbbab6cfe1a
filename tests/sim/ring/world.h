/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A handful of nodes with the real ring (core/totem) under virtual time, the network between them, and what stands for the
 * services above: each synchronises after a regular change by one message per member, and sends messages that can
 * be told apart. Owned by ringsim.c, which decides what goes wrong; check.h is told everything that comes out. One world
 * is used for one seed at a time. Same seed, same run.
 */
#ifndef QUORATE_TESTS_SIM_RING_WORLD_H
#define QUORATE_TESTS_SIM_RING_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/totem/totem.h"
#include "tests/sim/prng.h"
#include "tests/sim/ring/check.h"

#define RING_MESSAGE_MIN 48

struct ring_datagram;

/* What will happen: a datagram arrives, or something of the scenario. */
struct ring_occurrence {
    uint64_t at_us;
    uint64_t order;
    struct ring_datagram *datagram; /* NULL: kind and node say what */
    int kind;
    uint32_t node;
};

struct ring_node {
    uint32_t id;
    struct totem *totem; /* NULL: not running */
    uint32_t incarnation;
    uint64_t persisted_seq;
    uint64_t stopped_until_us; /* the process stands still */
    uint64_t linger_end_us;    /* UINT64_MAX: the token is not kept */
    struct ring_datagram *inbox; /* what arrives meanwhile, newest last */
    struct ring_datagram *inbox_last;
    struct check_log *log;
    bool synchronised;
    struct totem_ring_id sync_ring;
    uint32_t sync_missing; /* members whose message has not come, as bits of their ids */
    bool sync_message_due;
    bool synced_due;
    bool answer_due; /* to an own message that has just come back */
    uint32_t number; /* of the next message */
};

struct ring_world {
    struct prng prng;
    uint64_t now_us;
    uint64_t next_order;
    struct ring_occurrence *heap;
    size_t heap_count;
    size_t heap_capacity;
    struct totem_settings settings;
    uint32_t node_count;
    struct ring_node nodes[CHECK_NODES_MAX + 1]; /* by id, from 1 */
    bool cut[CHECK_NODES_MAX + 1][CHECK_NODES_MAX + 1]; /* from, to */
    uint32_t loss_permille;
    uint32_t duplicate_permille;
    uint32_t late_permille;
    struct totem_actions actions;
    struct check check;
    uint64_t hash; /* of everything that was done */
    bool verbose;
};

void ring_world_init(struct ring_world *world, uint64_t seed, uint32_t node_count, bool verbose);
void ring_world_fini(struct ring_world *world);

/* Something of the scenario, for ring_world_run's caller. */
void ring_world_plan(struct ring_world *world, uint64_t at_us, int kind, uint32_t node);

/* Runs until something planned is due, which is put into *out, or until `until_us` (false). */
bool ring_world_run(struct ring_world *world, uint64_t until_us, struct ring_occurrence *out);

void ring_world_boot(struct ring_world *world, uint32_t id);
void ring_world_crash(struct ring_world *world, uint32_t id);
void ring_world_leave(struct ring_world *world, uint32_t id);
void ring_world_pause(struct ring_world *world, uint32_t id, uint64_t for_us);
/* A message of this size, if the node runs, has synchronised and has room; its content tells who sent it. */
void ring_world_send(struct ring_world *world, uint32_t id, size_t size);
/* All running nodes are one ring of exactly these, and have synchronised. */
bool ring_world_whole(const struct ring_world *world);

#endif
