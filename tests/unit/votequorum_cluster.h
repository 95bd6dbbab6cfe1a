/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cluster of votequorum machines on rings that tests form by hand: a test says which nodes form a ring,
 * what clients ask and how time passes, and reads as text what each node has told. Messages are delivered in
 * one order to everybody on a ring; in a synchronisation only what is sent since it began, as Totem does it,
 * and what waited before follows it. Embedded by the test; owns the machines.
 */
#ifndef QUORATE_TESTS_UNIT_VOTEQUORUM_CLUSTER_H
#define QUORATE_TESTS_UNIT_VOTEQUORUM_CLUSTER_H

#include "core/services/votequorum.h"

#define VQ_NODES_MAX 5
#define VQ_QUEUE_MAX 64
#define VQ_TEXT_SIZE 4096
#define VQ_CONN 100 /* of node i's client: VQ_CONN + i */

struct vq_message {
    uint8_t bytes[VOTEQUORUM_MESSAGE_SIZE_MAX];
    size_t size;
    bool for_this_ring;
};

struct vq_queue {
    struct vq_message items[VQ_QUEUE_MAX];
    size_t count;
};

struct vq_node {
    struct votequorum *machine; /* NULL: is not running */
    struct votequorum_config config;
    struct vq_queue queue;      /* waits for the token, outside of synchronisations */
    struct vq_queue sync_queue;
    uint32_t members;           /* mask, of its ring */
    struct totem_ring_id ring_id;
    bool synchronising;
    bool has_passed;
    bool is_stuck; /* its ring delivers nothing: the token is lost */
    bool reported_quorate; /* newest REPORT */
    int report_count;
    enum cs_error answer; /* newest; 0: none since the last request */
    struct votequorum_node_info info;
    uint32_t published[VOTEQUORUM_KEY_COUNT];
    bool is_published[VOTEQUORUM_KEY_COUNT];
    uint32_t stored;
    char text[VQ_TEXT_SIZE]; /* "REPORT 1 1.5 [1 2]; QUORUM 1 [1/1 2/2]; NODELIST 1.9 [1 2]; EXPECTED 3; ANSWER 1; PASS; " */
    char notes[VQ_TEXT_SIZE];
};

struct vq_cluster {
    uint32_t count;
    struct votequorum_config_node list[VQ_NODES_MAX];
    struct vq_node nodes[VQ_NODES_MAX + 1]; /* by id; 0 is not used */
    enum totem_order order[VQ_NODES_MAX + 1];
    bool keeps_stale; /* what is meant for the old ring is not dropped: a transport that cannot */
    uint64_t now_ms;
    uint64_t ring_seq;
    struct votequorum_actions actions;
};

/* `count` nodes, each with one vote and the default configuration; change cluster->nodes[i].config before starting. */
void vq_cluster_init(struct vq_cluster *cluster, uint32_t count);
void vq_cluster_fini(struct vq_cluster *cluster);

/* Starts a node that is not running, as the daemon would: configuration first. No ring yet. */
void vq_cluster_start(struct vq_cluster *cluster, uint32_t node);
void vq_cluster_kill(struct vq_cluster *cluster, uint32_t node);
/* The same for all nodes of a mask (bit i - 1: node i). */
void vq_cluster_start_all(struct vq_cluster *cluster, uint32_t mask);

/* These nodes form a ring of their own and synchronise, as far as their devices let them. Nodes that are left out keep their ring. */
void vq_cluster_form(struct vq_cluster *cluster, uint32_t mask);
/* No message is delivered to these nodes any more until they form a ring. */
void vq_cluster_lose_token(struct vq_cluster *cluster, uint32_t mask);
/* The synchronisation of these nodes is given up. */
void vq_cluster_abort(struct vq_cluster *cluster, uint32_t mask);
/* Delivers all that waits and completes what synchronisations can be. (The others call this.) */
void vq_cluster_run(struct vq_cluster *cluster);
/* Time passes for everybody; deadlines are kept. */
void vq_cluster_advance(struct vq_cluster *cluster, uint64_t ms);

/* Configuration is read again on one node. */
void vq_cluster_reload(struct vq_cluster *cluster, uint32_t node);
void vq_cluster_event(struct vq_cluster *cluster, uint32_t node, enum votequorum_event_type type);
/* What the node's client is answered; 0: nothing yet. */
enum cs_error vq_cluster_ask(struct vq_cluster *cluster, uint32_t node, const struct votequorum_request *request);
enum cs_error vq_cluster_poll(struct vq_cluster *cluster, uint32_t node, bool vote); /* device "D", newest ring */
enum cs_error vq_cluster_device(struct vq_cluster *cluster, uint32_t node, enum votequorum_request_type type,
                                uint32_t value);                                     /* "D": REGISTER, UNREGISTER, MASTER_WINS */
const struct votequorum_node_info *vq_cluster_info(struct vq_cluster *cluster, uint32_t node, uint32_t about);

/* Which nodes of the running ones are quorate, as a mask. */
uint32_t vq_cluster_quorate(const struct vq_cluster *cluster);
/* What the node has told since the last call. */
const char *vq_cluster_told(struct vq_cluster *cluster, uint32_t node);

#endif
