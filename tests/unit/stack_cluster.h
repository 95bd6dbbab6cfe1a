/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole nodes (core/stack) side by side under virtual time, on a network that a test cuts and mends: datagrams arrive in
 * order after 50 us, or never. A test starts nodes, lets time pass, connects clients to them and reads what these were sent.
 * Embedded by the test; owns the nodes.
 */
#ifndef QUORATE_TESTS_UNIT_STACK_CLUSTER_H
#define QUORATE_TESTS_UNIT_STACK_CLUSTER_H

#include "core/stack/stack.h"

#define STACK_NODES_MAX 4
#define STACK_MESSAGES_MAX 4096

/* What a client was sent. */
struct stack_message {
    uint64_t conn;
    bool is_event;
    uint64_t at_ms;
    size_t size;
    uint8_t *bytes;
};

struct stack_flight;

struct stack_host {
    uint32_t id;
    struct config_host_loaded *loaded; /* NULL: does not run */
    struct stack *stack;
    struct stack_actions actions;
    uint64_t persisted_seq;
    uint64_t linger_end_us; /* 0: the token is not kept */
    bool ready, left, died;
    uint32_t reloads; /* asked for, not answered yet */
    struct stack_message messages[STACK_MESSAGES_MAX];
    size_t message_count;
    char notes[65536];
};

struct stack_cluster {
    uint64_t now_us;
    uint64_t last_conn;
    bool cut[STACK_NODES_MAX + 1][STACK_NODES_MAX + 1];
    struct stack_flight *first, *last; /* datagrams under way */
    struct stack_host hosts[STACK_NODES_MAX + 1]; /* by id; 0 is not used */
};

void stack_cluster_init(struct stack_cluster *cluster);
void stack_cluster_fini(struct stack_cluster *cluster);

/* Configuration text of a node: udpu, `count` nodes at 10.4.0.N, and what `quorum` says inside of its section. */
const char *stack_cluster_config(uint32_t count, const char *totem, const char *quorum);

/* Starts a node with that configuration; it is not running. */
void stack_cluster_start(struct stack_cluster *cluster, uint32_t id, const char *config);
void stack_cluster_kill(struct stack_cluster *cluster, uint32_t id);
/* Everything that is due until then. */
void stack_cluster_run_ms(struct stack_cluster *cluster, uint64_t ms);
/* Until the node is ready; fails the test after 20 s. */
void stack_cluster_run_until_ready(struct stack_cluster *cluster, uint32_t id);
/* Nodes of the mask (bit id - 1) hear only one another, and so do the others. */
void stack_cluster_cut(struct stack_cluster *cluster, uint32_t mask);

/* The node's files say this now: read, compared and handed over, as the daemon answers OUTBOX_RELOAD. */
void stack_cluster_reload(struct stack_cluster *cluster, uint32_t id, const char *config);

void stack_cluster_step(struct stack_cluster *cluster, uint32_t id, struct stack_event *event);
uint64_t stack_cluster_connect(struct stack_cluster *cluster, uint32_t id, enum service_id service);
void stack_cluster_disconnect(struct stack_cluster *cluster, uint32_t id, uint64_t conn);
/* Header and body of a request; the answer if it came in the same step, else NULL. */
const struct stack_message *stack_cluster_request(struct stack_cluster *cluster, uint32_t id, uint64_t conn,
                                                  uint32_t request, const void *body, size_t body_size);
/* The error of that answer; 0: there was none. */
uint32_t stack_cluster_ask(struct stack_cluster *cluster, uint32_t id, uint64_t conn, uint32_t request,
                           const void *body, size_t body_size);
/* The newest event with this id that a client has got; NULL: none. */
const struct stack_message *stack_cluster_event(const struct stack_cluster *cluster, uint32_t id, uint64_t conn,
                                                uint32_t event);
size_t stack_cluster_event_count(const struct stack_cluster *cluster, uint32_t id, uint64_t conn, uint32_t event);

uint32_t stack_message_u32(const struct stack_message *message, size_t offset);

#endif
