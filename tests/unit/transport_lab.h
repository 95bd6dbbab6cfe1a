/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Some nodes' transports in one process on one loop, with addresses of the loopback network that no other process uses.
 * A test says what it waits for; the loop runs until that is so, or the test fails. Static: one lab per program.
 */
#ifndef QUORATE_TESTS_UNIT_TRANSPORT_LAB_H
#define QUORATE_TESTS_UNIT_TRANSPORT_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/transport/transport.h"

#define LAB_NODES 4 /* ids 1 to 4 */
#define LAB_PORT 5405
#define LAB_DATAGRAMS_MAX 4096

struct lab_node {
    struct core_config config;
    struct core_node list[LAB_NODES];
    struct transport *transport; /* NULL: does not run */
    int sinks[CORE_LINKS_MAX];   /* then these swallow what is sent to it, as a host does that is switched off */
    struct {
        uint32_t sender, target, number;
        size_t size;
        bool is_intact;
    } heard[LAB_DATAGRAMS_MAX];
    size_t heard_count;
    size_t link_up_count;
    bool drains; /* in on_datagram */
    void (*on_heard)(struct lab_node *node);
};

extern struct lab_node lab_nodes[LAB_NODES + 1]; /* by id; [0] is unused */
extern qb_loop_t *lab_loop;

/* Every node knows nodes 1 to `count`, over `links` links; IPv6 has ::1 only, so it is good for one node. */
void lab_init(enum core_transport kind, uint32_t count, size_t links);
void lab_fini(void);

/* Of this process: 127.x.y.z, another one for each node and link. */
void lab_address(uint32_t id, size_t link, struct conf_address *address);
/* Makes `node` know exactly these nodes, itself among them. */
void lab_set_list(struct lab_node *node, const uint32_t *ids, size_t count);

void lab_start(uint32_t id);
void lab_start_all(uint32_t count);
void lab_stop(uint32_t id);
/* After lab_set_list or another change of its config. */
void lab_reconfigure(uint32_t id);

/* One datagram, and flush. target 0: to all. */
void lab_send(uint32_t id, uint32_t target, uint32_t number, size_t size);
/* A datagram's bytes as lab_send makes them. */
void lab_fill(uint8_t *bytes, size_t size, uint32_t sender, uint32_t target, uint32_t number);

/* How many datagrams of `sender` with this number a node has heard. */
size_t lab_heard(uint32_t id, uint32_t sender, uint32_t number);

/* Runs the loop until it is so; false after the deadline. */
bool lab_wait(bool (*is_so)(void *context), void *context);
/* Runs the loop until `id` has heard this datagram. */
bool lab_wait_heard(uint32_t id, uint32_t sender, uint32_t number);
/* Sends to all from `from` again and again until `to` hears it. */
bool lab_wait_connected(uint32_t from, uint32_t to);
/* Whatever has been sent to a node that listens has been handled when a datagram sent later has. */
void lab_run_ms(uint32_t ms);

#endif
