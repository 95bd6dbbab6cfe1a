/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every node of a simulated ring has delivered, and whether that is what a ring promises (check.c says it in
 * words). A log belongs to one life of one node. Filled by world.c while it runs, judged once at the end.
 */
#ifndef QUORATE_TESTS_SIM_RING_CHECK_H
#define QUORATE_TESTS_SIM_RING_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/totem/totem.h"

#define CHECK_NODES_MAX 8
#define CHECK_FAILURE_SIZE 256

/* Which message: unique for ever. */
struct check_message {
    uint32_t sender;
    uint32_t incarnation;
    uint32_t stream; /* 0: synchronisation, 1: application; each is in order of its own */
    uint32_t number;
    uint32_t size;
    uint64_t since; /* number of the ring that its sender was in when it was handed over */
};

#define CHECK_STREAMS 2

/* A node's time in one ring. */
struct check_stay {
    struct totem_ring_id ring;
    uint32_t members; /* bits */
    uint32_t came_with; /* members of the transitional change that led here, as bits */
    size_t first;     /* messages [first, change) in the regular configuration, */
    size_t change;    /* [change, end) in the transitional one that ended it */
    size_t end;
    bool changed; /* a transitional change came */
    bool ended;   /* and a regular one: `went_with` came along to `next` */
    uint32_t went_with;
    struct totem_ring_id next;
};

struct check_log {
    struct check_log *next;
    uint32_t node;
    uint32_t incarnation;
    bool died; /* may lack what it sent last */
    struct check_message *messages;
    size_t message_count;
    size_t message_capacity;
    struct check_stay *stays;
    size_t stay_count;
    size_t stay_capacity;
    struct check_message *sent;
    size_t sent_count;
    size_t sent_capacity;
    uint32_t trans_members; /* of a transitional change whose regular one has not come */
    bool in_change;
};

struct check {
    struct check_log *logs;
    char failure[CHECK_FAILURE_SIZE]; /* the first one; empty: none */
};

void check_init(struct check *check);
void check_fini(struct check *check);

struct check_log *check_new_log(struct check *check, uint32_t node, uint32_t incarnation);
void check_sent(struct check_log *log, struct check_message message);
void check_delivered(struct check *check, struct check_log *log, struct check_message message);
void check_changed(struct check *check, struct check_log *log, const struct totem_action *change);

void check_fail(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* After the end: order, virtual synchrony, self-delivery. */
void check_finish(struct check *check);

#endif
