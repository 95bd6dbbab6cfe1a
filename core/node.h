/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole node (core/stack/stack.h) in the loop: datagrams, clients, time and signals become events of the stack, its
 * actions become deeds. Owned by the daemon, which opens the parts before and ends them after it.
 *
 * A step never begins within another. What a deed brings about comes later: files that have been read again right after the
 * step, clients that are gone from the loop.
 */
#ifndef QUORATE_CORE_NODE_H
#define QUORATE_CORE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "common/err.h"
#include "core/config_loader.h"
#include "core/ipc_server.h"
#include "core/loop_timer.h"
#include "core/ring_store.h"
#include "core/stack/stack.h"
#include "core/transport/transport.h"

struct node {
    qb_loop_t *loop;
    const char *config_file;
    struct config_loaded *config; /* in effect; replaced by a reload */
    uint32_t id;
    struct stack *stack;
    struct transport *transport;
    struct ipc_server *ipc;
    struct ring_store store;
    struct stack_actions actions;
    uint64_t random;
    bool stepping;
    bool is_left; /* goodbye has been said: the loop ends */
    bool crypto_use_due; /* with the next token */
    uint32_t reloads_due;
    bool reloading;
    struct loop_timer timer; /* never set for later than the stack's deadline */
    uint64_t timer_set_ms;
    struct loop_timer linger; /* TOTEM_ACT_LINGER */
    int exit_status;
};

/*
 * Opens state, transport, stack and clients' listening points; `config` is taken over, also on failure. node_stop is
 * needed in any case. On failure `why` is a sentence and node->exit_status the program's.
 */
enum q_err node_start(struct node *node, qb_loop_t *loop, struct config_loaded *config, const char *config_file, char *why,
                      size_t why_size);
/* The first step: from here on the node is in the loop. */
void node_run(struct node *node);
void node_stop(struct node *node);

/* Applies an event, whose time is set here, and carries out what follows. Not within another. */
void node_step(struct node *node, struct stack_event *event);

/* Leave in order. */
void node_shut_down(struct node *node);

/* What configuration files may name. */
const struct config_plugins *node_plugins(void);

#endif
