/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of core_stack.h: a machine with the real core, shared by the files it is made of and by nobody else: core_stack.c
 * (machines, steps, datagrams), stack_votes.c (clients of votequorum), stack_groups.c (the client of process groups). A host is
 * made when its node boots first, and lives until the end of the run; what is on disk survives in it.
 */
#ifndef QUORATE_TESTS_SIM_STACK_HOST_H
#define QUORATE_TESTS_SIM_STACK_HOST_H

#include "core/services/cs_error.h"
#include "core/stack/stack.h"
#include "tests/sim/cpg_client.h"
#include "tests/sim/lan.h"
#include "tests/sim/stack_config.h"

enum attachment { ATTACH_NONE, ATTACH_ASKED, ATTACH_DONE };

struct stack_host {
    struct node *node;
    struct stack *stack; /* NULL: does not run */
    struct config_host_loaded *loaded;
    struct stack_actions actions;
    struct timer timer;
    struct timer linger; /* TOTEM_ACT_LINGER */
    struct lan_socket socket; /* what has arrived while the machine stood still */
    uint64_t persisted_seq;
    uint32_t stored_expected_votes;
    bool ready;
    bool leaving;
    bool catching_up; /* the machine goes on: what was due meanwhile is being done */
    bool gone; /* it has left its ring: the machine goes off */
    bool off;  /* and that is under way */
    uint64_t last_conn;
    uint32_t steps;
    uint32_t next_info;
    struct totem_ring_id ring; /* of the newest regular change */
    uint64_t together_from[SIM_NODES_MAX]; /* number of the ring since which the core has been with that node, by its index */

    uint64_t keeper;
    uint64_t device;
    enum attachment attachment;
    enum cs_error answer; /* of the newest request; CS_ERROR_TRY_AGAIN if it has not been answered */
    bool wants_info;
    uint64_t admin;   /* who asks for reloads */
    unsigned reloads; /* of this node, asked for and not begun */

    bool polled; /* since the device registered: what was taken last, for which ring and when */
    bool polled_yes;
    struct wire_ring_id polled_ring;
    uint64_t polled_ms;

    struct cpg_client client;
    uint32_t last_pid;
};

/* ---- core_stack.c ------------------------------------------------------------------------------------------ */

bool stack_host_runs(const struct node *node);
/* Everything that an event brings about. */
void stack_host_step(struct stack_host *host, struct stack_event *event);
/* The event alone: another step is to follow. */
void stack_host_step_once(struct stack_host *host, struct stack_event *event);
/* The same with a client's request; its answer is in host->answer. */
void stack_host_request(struct stack_host *host, uint64_t conn, const uint8_t *bytes, size_t size);
uint64_t stack_host_connect(struct stack_host *host, enum service_id service, uint32_t pid);
/* After steps alone: when the machine is due next. */
void stack_host_arm(struct stack_host *host);
node_mask stack_host_mask(const struct sim_cluster *cluster, const uint32_t *ids, uint32_t count);

/* ---- stack_votes.c ----------------------------------------------------------------------------------------- */

/* The first synchronisation has ended: the keeper comes. */
void stack_votes_begin(struct stack_host *host);
/* An answer or event for the keeper, or the device. */
void stack_votes_on_keeper(struct stack_host *host, bool is_event, const uint8_t *bytes);
void stack_votes_on_device(struct stack_host *host, bool is_event, const uint8_t *bytes);
void stack_votes_ask_info(struct stack_host *host);
/* The rules POLL and TOLD (README.md). */
void stack_votes_check(struct stack_host *host);

/* As core.h has them. */
bool stack_votes_has_told_ring(const struct node *node);
bool stack_votes_attach(struct node *node);
void stack_votes_track(struct node *node);
void stack_votes_detach(struct node *node);
void stack_votes_unregister(struct node *node);
bool stack_votes_poll(struct node *node, bool cast, struct wire_ring_id ring);

/* ---- stack_groups.c ---------------------------------------------------------------------------------------- */

/* The node has booted: its client comes some time. */
void stack_groups_begin(struct stack_host *host);
/* It is gone, with its node or without. */
void stack_groups_end(struct stack_host *host);
/* The item of the outbox is for the client. */
void stack_groups_on_item(struct stack_host *host, size_t index);

#endif
