/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cluster of cpg machines on a bus that delivers in order, for tests of core/services/cpg.h. It plays the stack, the
 * ring and the clients: what a client is told is kept as text, a line each, so that tests can compare it:
 *
 *   answer 0: 1                          the id and the error
 *   change: 1:10 2:20 left 3:30/3        members; who has left or joined, with reasons
 *   mcast 1:10 hello                     fragments: "piece 1:10 1 4/8 abcd" (type, size of it/whole size, bytes)
 *   ring 1: 1 2                          the representative and the members
 *
 * Events are checked against the layouts of spec/corosync-ipc.md section 4, unused bytes included.
 */
#ifndef QUORATE_TESTS_CPG_CLUSTER_H
#define QUORATE_TESTS_CPG_CLUSTER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/buf.h"
#include "core/services/cpg.h"

#define CLUSTER_NODES_MAX 5
#define CLUSTER_CLIENTS_MAX 1024

struct cluster_client {
    uint64_t conn; /* 0: there is none */
    uint32_t pid;
    struct q_buf text; /* what it has been told since it was asked last */
};

struct cluster_message {
    uint32_t sender;
    bool for_this_ring;
    uint8_t *bytes;
    size_t size;
};

struct cluster_node {
    uint32_t id;
    struct cpg *cpg; /* NULL: is down */
    uint32_t ring;   /* of the bus; nodes with the same hear one another */
    uint32_t seq;    /* of that ring */
    bool syncing;
    bool done;                     /* has answered PROCESS */
    struct cluster_message *queue; /* to be sent */
    size_t queue_count, queue_capacity;
    struct cluster_client clients[CLUSTER_CLIENTS_MAX];
    struct q_buf notes, tasks; /* text, a line each */
};

struct cluster {
    struct cluster_node nodes[CLUSTER_NODES_MAX + 1]; /* by id; 0 is unused */
    struct outbox out;
    uint64_t now_ms;
    uint64_t next_conn;
    uint32_t next_ring;
    bool unchecked; /* cpg_check is not called after each step */
    enum totem_order order; /* in which messages are said to be; tests that change it make their own */
};

struct cluster *cluster_new(void);
void cluster_free(struct cluster *cluster);

/* A node is started, without a ring; it ends, with all its clients. */
void cluster_start(struct cluster *cluster, uint32_t node);
void cluster_stop(struct cluster *cluster, uint32_t node);

/*
 * Rings: members are listed and end with 0. The steps of a change, and all of them. Members that have not been started
 * are played by the test, and have always come anew.
 */
void cluster_init_ring(struct cluster *cluster, const uint32_t *members);
void cluster_process(struct cluster *cluster, const uint32_t *members);
void cluster_activate(struct cluster *cluster, const uint32_t *members);
void cluster_abort(struct cluster *cluster, const uint32_t *members);
void cluster_ring(struct cluster *cluster, const uint32_t *members);
#define RING(cluster, ...) cluster_ring(cluster, (const uint32_t[]){__VA_ARGS__, 0})

/* Delivers all that is on its way where no synchronisation runs. */
void cluster_deliver(struct cluster *cluster);
/* A message of `sender` to one node, whatever the bus thinks of it. */
void cluster_deliver_raw(struct cluster *cluster, uint32_t node, uint32_t sender, const uint8_t *bytes,
                         size_t size);

/* Clients are numbered from 0 on each node. */
struct cluster_client *cluster_connect(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t pid);
void cluster_gone(struct cluster *cluster, uint32_t node, uint32_t client);
void cluster_request(struct cluster *cluster, uint32_t node, uint32_t client, const uint8_t *bytes,
                     size_t size);

void cluster_ask_join(struct cluster *cluster, uint32_t node, uint32_t client, const char *group,
                      uint32_t flags);
void cluster_ask_leave(struct cluster *cluster, uint32_t node, uint32_t client);
void cluster_ask_header(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t id);
void cluster_ask_handle(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t id,
                        uint64_t handle);
void cluster_ask_iteration(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t type,
                           const char *group);
void cluster_ask_members(struct cluster *cluster, uint32_t node, uint32_t client, const char *group);
void cluster_mcast(struct cluster *cluster, uint32_t node, uint32_t client, const char *text);
void cluster_fragment(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t type, uint32_t whole,
                      const char *text);
/* Connects, joins and lets it come about; what is said about it is forgotten. */
void cluster_join(struct cluster *cluster, uint32_t node, uint32_t client, uint32_t pid, const char *group);

/* What it has been told since the last time. Valid until it is told more. */
const char *cluster_said(struct cluster *cluster, uint32_t node, uint32_t client);
#define SAID(cluster, node, client, text) assert_string_equal(cluster_said(cluster, node, client), text)
const char *cluster_notes(struct cluster *cluster, uint32_t node);
const char *cluster_tasks(struct cluster *cluster, uint32_t node);
/* Of all clients, thrown away. */
void cluster_hush(struct cluster *cluster);

#endif
