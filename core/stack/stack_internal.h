/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the whole node (stack.h): its machines, and what its files offer one another. Each function belongs to the
 * file named above it. Nobody outside of core/stack includes this.
 */
#ifndef QUORATE_CORE_STACK_STACK_INTERNAL_H
#define QUORATE_CORE_STACK_STACK_INTERNAL_H

#include "core/services/cfg.h"
#include "core/services/cmap_service.h"
#include "core/services/cpg.h"
#include "core/services/quorum.h"
#include "core/services/sync.h"
#include "core/services/votequorum.h"
#include "core/stack/connections.h"
#include "core/stack/mail.h"
#include "core/stack/stack.h"

#define STACK_FUNCTIONS_MAX 8 /* exec messages per service */

/* What becomes of a wish to leave. */
enum stack_leaving {
    STACK_STAYING,
    STACK_ASKED,   /* to leave, waiting for the end of a synchronisation */
    STACK_TELLING, /* cfg tells the others */
    STACK_FLUSHING, /* told: what is queued goes out */
    STACK_GONE
};

/* A time in which this process did not run (absence.c). */
struct absence {
    uint64_t wall_ms; /* when it ended */
    uint64_t delay_ms;
};

#define ABSENCES_MAX 10

struct stack {
    uint32_t me;
    const struct core_config *config;
    struct totem_config totem_config; /* as the live keys have it */
    uint32_t stored_expected_votes;
    uint64_t now_ms;
    uint32_t random;
    struct stack_actions *out; /* of the step that is going on */
    size_t ring_done;          /* items of out->ring that have been seen to */
    size_t services_done;      /* likewise of out->services */
    bool out_of_memory;

    struct cmap_store keys;
    struct cmap_changes changes;

    struct totem *totem;
    struct sync sync;
    struct sync_actions sync_actions;
    struct node_set transitional; /* of the last transitional change */
    bool synchronising;           /* from a change to the end of the synchronisation */
    bool synced_is_due;           /* the ring is to be told so */
    bool was_ready;

    struct cmap_service *cmap;
    struct cfg *cfg;
    struct cpg *cpg;
    struct quorum *quorum;
    struct votequorum *votequorum; /* NULL: no provider */
    struct quorum_actions quorum_actions;
    struct votequorum_actions votequorum_actions;

    struct connections connections;
    struct mail mail; /* messages that the ring has no room for yet */
    struct node_link_status *link_nodes;
    struct link_status_table links;
    size_t link_capacity;
    struct {
        uint64_t sent, received;
    } counters[SERVICE_COUNT][STACK_FUNCTIONS_MAX];
    bool counters_changed;
    struct totem_counters cleared; /* what they were when a client had them cleared */
    struct absence absences[ABSENCES_MAX]; /* newest first */
    size_t absence_count;

    enum stack_leaving leaving;
    uint64_t leave_deadline_ms;
    enum stack_flow flow; /* by how full the ring's queue is */
};

/* ---- ring.c: between the ring and the services ---- */

void ring_start(struct stack *stack, uint64_t ring_seq);
void ring_step(struct stack *stack, struct totem_event *event);
void ring_carry_out(struct stack *stack, const struct totem_action *action);
/* A message of the services in the outbox: to the ring, or into the mail if that has no room. */
void ring_multicast(struct stack *stack, const struct outbox_item *item);
void ring_send_mail(struct stack *stack);
/* In the group of the synchronisation. */
void ring_send_sync(struct stack *stack, const uint8_t *bytes, size_t size);
void ring_synced(struct stack *stack);

/* ---- walk.c: the synchronisation calls the services ---- */

void walk_begin(struct stack *stack, const struct totem_action *change);
void walk_abort(struct stack *stack);
void walk_on_message(struct stack *stack, uint32_t sender, const uint8_t *bytes, size_t size);
void walk_on_done(struct stack *stack, uint32_t service);

/* ---- votes.c: votequorum and quorum, whose actions become items of the outbox ---- */

/* By the configuration and the live keys; the first time it starts. */
void votes_configure(struct stack *stack);
void votes_step(struct stack *stack, struct votequorum_event *event);
void votes_quorum_step(struct stack *stack, const struct quorum_event *event);
/* A request that may be executed. */
void votes_on_request(struct stack *stack, uint64_t conn, const uint8_t *bytes, size_t size);
void votes_on_quorum_request(struct stack *stack, uint64_t conn, const uint8_t *bytes, size_t size);

/* ---- keys.c: the map ---- */

/* Q_ERR_INVALID, Q_ERR_NO_MEMORY. */
enum q_err keys_start(struct stack *stack, const struct stack_start *start);
void keys_set_number(struct stack *stack, const char *name, enum cmap_type type, uint64_t number);
void keys_tell(struct stack *stack);
void keys_on_changed(struct stack *stack, const char *name);
void keys_on_reloaded(struct stack *stack, const struct stack_event *event);
/* Counters of messages into the map. */
void keys_refresh_counters(struct stack *stack);

/* ---- statistics.c: the ring's part of the map of statistics ---- */

void statistics_refresh(struct stack *stack);
/* Text of OUTBOX_CLEAR_STATS. */
void statistics_clear(struct stack *stack, const char *what, size_t size);

/* ---- absence.c: was this process asleep? ---- */

/* At the beginning of a step, before its time is taken over. */
void absence_notice(struct stack *stack, uint64_t now_ms, uint64_t wall_ms);
void absence_clear(struct stack *stack);

/* ---- requests.c: clients ---- */

void requests_on_connect(struct stack *stack, uint64_t conn, enum service_id service, uint32_t pid);
void requests_on_request(struct stack *stack, uint64_t conn, const uint8_t *bytes, size_t size);
void requests_on_gone(struct stack *stack, uint64_t conn);

/* ---- stack.c ---- */

/* For those of the three services that take them. */
void stack_service_step(struct stack *stack, enum service_id service, struct service_event *event);
void stack_failed(struct stack *stack, enum q_err err);

#endif
