/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What clients of process groups on real cores were told, and whether that is virtual synchrony (synchrony.c says it in
 * words). A log belongs to one client; there is one group per cluster. Filled while a run goes on, judged at its end.
 */
#ifndef QUORATE_TESTS_SIM_SYNCHRONY_H
#define QUORATE_TESTS_SIM_SYNCHRONY_H

#include "core/totem/wire.h"
#include "tests/sim/world.h"

#define SYNCHRONY_MEMBERS_MAX (2 * SIM_NODES_MAX)

/* A client, unique in its cluster. */
struct synchrony_member {
    uint32_t node_id;
    uint32_t pid;
};

struct synchrony_change {
    struct synchrony_member members[SYNCHRONY_MEMBERS_MAX];
    struct synchrony_member left[SYNCHRONY_MEMBERS_MAX];
    struct synchrony_member joined[SYNCHRONY_MEMBERS_MAX];
    unsigned member_count;
    unsigned left_count;
    unsigned joined_count;
    bool of_ring; /* it came with a new ring, not with a message */
    bool of_death; /* somebody has died: the news may come while services synchronise */
};

/* A message, or a change that came with one. */
struct synchrony_item {
    struct synchrony_member sender; /* of a change: whoever has joined or left */
    uint32_t number;                /* 0: a change */
    uint32_t size;
    uint64_t since; /* number of the ring that the sender was in when it sent */
    uint64_t lists; /* of a change: hash of its lists */
    bool of_death;
};

/* A client's time in one ring. */
struct synchrony_stay {
    struct totem_ring_id ring;
    node_mask nodes;
    node_mask came_with; /* nodes that came along from the client's last ring */
    uint64_t view;       /* hash of the group's members when it began */
    bool from_start;     /* it was a member already when the ring formed */
    size_t first;        /* items [first, end) */
    size_t end;
    bool left; /* the ring has ended at this node: `went_with` came along to `next` */
    node_mask went_with;
    struct totem_ring_id next;
};

struct synchrony_log {
    struct synchrony_log *next;
    struct node *node;
    struct synchrony_member self;
    bool died;
    bool joined;
    struct synchrony_item *items;
    size_t item_count;
    size_t item_capacity;
    struct synchrony_stay *stays;
    size_t stay_count;
    size_t stay_capacity;
    struct synchrony_member members[SYNCHRONY_MEMBERS_MAX]; /* of the group, as told */
    unsigned member_count;
    uint32_t sent;       /* numbers 1 .. sent were sent */
    uint32_t seen;       /* of its own messages */
    node_mask came_with; /* since the last ring that it was told of */
    uint64_t together_from[SIM_NODES_MAX]; /* before it was told of any */
    struct totem_ring_id end_of; /* a ring that it has not been told of yet, and how it has ended already */
    struct totem_ring_id end_next;
    node_mask end_with;
};

/* `together_from`: for each node of the cluster, by index, the number of the ring since which this one has been with it. */
struct synchrony_log *synchrony_new_log(struct node *node, uint32_t pid, const uint64_t *together_from);
void synchrony_free(struct world *world);

/* The client is told these things. */
void synchrony_on_message(struct synchrony_log *log, struct synchrony_member sender, uint32_t number, uint32_t size,
                          uint64_t since);
void synchrony_on_change(struct synchrony_log *log, const struct synchrony_change *change);
void synchrony_on_ring(struct synchrony_log *log, struct totem_ring_id ring, node_mask nodes);

/* The node goes on from one ring to another, with these nodes. (The client may hear of the first only later in this step.) */
void synchrony_on_transitional(struct synchrony_log *log, struct totem_ring_id from, struct totem_ring_id next,
                               node_mask with);

/* After the end; nobody has sent anything for long. */
void synchrony_check(struct world *world);

#endif
