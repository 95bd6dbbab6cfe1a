/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole node of a cluster as one pure machine: the ring (core/totem), the synchronisation and the services
 * (core/services) over one map of keys. The shell turns datagrams, time, local clients and signals into events, hands
 * each to stack_step and carries out the actions that come back. Nothing here reads a clock, a socket or a file, so the
 * daemon, the simulator and the fuzzers run the same node.
 *
 *   datagrams ─► totem ─► messages ─► sync | cmap cfg cpg votequorum ─► answers, events ─► clients
 *                  ▲                              │  └─► quorum ─► events
 *                  └───────── multicasts ─────────┘
 *
 * Contract of the shell:
 *  - START comes first and once; time is monotonic milliseconds and never goes back.
 *  - `ring` is carried out before `services`, each in its order; DELIVER and CHANGE in it have been seen to here and are
 *    not the shell's. What items point to stays until stack_actions_reset, but for datagrams and requests of the event,
 *    which the shell owns: they stay as long as the actions do.
 *  - PERSIST has succeeded before what follows it; if it fails, stop the process.
 *  - Clients are let in as stack_admits says, which is asked for each of them; service 4 and those that are not loaded
 *    have no listening point.
 *  - LINKS comes before each request of a client of cfg, so that what it is told is fresh.
 *  - OUTBOX_RELOAD is answered by RELOADED, in a later step; OUTBOX_EXIT ends the loop.
 *  - Q_ERR_NO_MEMORY: actions are missing, stop the process.
 */
#ifndef QUORATE_CORE_STACK_STACK_H
#define QUORATE_CORE_STACK_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "core/config/config_reload.h"
#include "core/config/core_config.h"
#include "core/services/cmap_store.h"
#include "core/services/link_status.h"
#include "core/services/outbox.h"
#include "core/services/service.h"
#include "core/totem/totem.h"

struct stack;

#define STACK_NEVER UINT64_MAX

enum stack_event_type {
    STACK_EV_START,    /* ring_seq: as persisted last, 0 if nothing */
    STACK_EV_DATAGRAM,
    STACK_EV_CONNECT,  /* a client, which has been admitted */
    STACK_EV_REQUEST,
    STACK_EV_GONE,
    STACK_EV_LINKS,    /* how the transport sees the nodes */
    STACK_EV_LINGERED, /* TOTEM_EV_LINGERED */
    STACK_EV_LINK_UP,  /* udp, udpu: the interface has come back */
    STACK_EV_RELOADED, /* the files have been read again; next NULL: they cannot be used */
    STACK_EV_SHUTDOWN, /* a signal: leave in order, whatever clients say */
    STACK_EV_TIME
};

struct stack_event {
    enum stack_event_type type;
    uint64_t now_ms;
    uint64_t wall_ms; /* time of day, for people only */
    uint32_t random; /* any value */
    union {
        uint64_t ring_seq;
        struct {
            const uint8_t *bytes;
            size_t size;
        } datagram;
        struct {
            uint64_t conn;
            enum service_id service; /* CONNECT */
            uint32_t pid;            /* CONNECT */
            const uint8_t *bytes;    /* REQUEST: what has arrived, its own size field is not believed */
            size_t size;
        } client;
        struct link_status_table links; /* copied */
        struct {
            struct conf_map *map;
            const struct core_config *next; /* compared and good (config_reload.h); the stack keeps the pointer */
            const struct config_tasks *tasks;
        } reloaded;
    } u;
};

struct stack_actions {
    struct totem_actions ring;
    struct outbox services;
};

void stack_actions_init(struct stack_actions *actions);
void stack_actions_fini(struct stack_actions *actions);
void stack_actions_reset(struct stack_actions *actions);

struct stack_start {
    const struct core_config *config; /* read without errors and checked for a start; stays until RELOADED or the end */
    struct conf_map *map;             /* the keys of its files */
    uint32_t stored_expected_votes;   /* OUTBOX_STORE_EXPECTED of a former run, 0: none */
};

/* Q_ERR_INVALID: `why` says in a sentence what of the configuration cannot be. Q_ERR_NO_MEMORY. */
enum q_err stack_new(struct stack **stack, const struct stack_start *start, char *why, size_t why_size);
void stack_free(struct stack *stack);

/* Applies one event; appends what must be done. Q_OK or Q_ERR_NO_MEMORY. */
enum q_err stack_step(struct stack *stack, const struct stack_event *event, struct stack_actions *out);

/* When STACK_EV_TIME is due; coming early or late is harmless. */
uint64_t stack_deadline_ms(const struct stack *stack);

/* Asserts what must always be so (tests, simulator, fuzzers). */
void stack_check(const struct stack *stack);

/* ---- what the shell asks ---------------------------------------------------------------------------------- */

/* Spec corosync-ipc.md section 1.3. */
enum stack_admission {
    STACK_ADMIT,
    STACK_NOT_YET,    /* the first synchronisation has not ended: -EAGAIN */
    STACK_NOT_LOADED, /* -ENOSYS */
    STACK_REFUSE      /* -EACCES */
};
enum stack_admission stack_admits(const struct stack *stack, enum service_id service, uint32_t uid, uint32_t gid);
bool stack_has_service(const struct stack *stack, enum service_id service);

/* How fast clients of a service may come (section 1.5); asked after each step. */
enum stack_flow { STACK_FLOW_OFF, STACK_FLOW_SLOW, STACK_FLOW_NORMAL, STACK_FLOW_FAST };
enum stack_flow stack_flow(const struct stack *stack, enum service_id service);

/* The live map. */
const struct cmap_store *stack_keys(const struct stack *stack);
/* What its keys of the ring mean, as far as they could be taken over. */
const struct totem_config *stack_totem_config(const struct stack *stack);

/* The map of statistics: the shell brings its part of it (transport, clients) up to date before the request of a client,
 * or with 0 before TIME, if it is wanted. */
bool stack_wants_statistics(const struct stack *stack, uint64_t conn);
struct cmap_store *stack_statistics(struct stack *stack);

void stack_get_ring(const struct stack *stack, struct totem_status *status);
bool stack_is_quorate(const struct stack *stack);

#endif
