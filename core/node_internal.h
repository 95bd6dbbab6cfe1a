/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the node share: node.c (the loop), node_actions.c (deeds), node_reload.c (the configuration, read
 * again). Nobody else includes it.
 */
#ifndef QUORATE_CORE_NODE_INTERNAL_H
#define QUORATE_CORE_NODE_INTERNAL_H

#include "core/node.h"

/* Exit statuses of the packaged daemon. */
#define NODE_EXIT_FATAL 15
#define NODE_EXIT_RING_STORE 21
#define NODE_EXIT_TOLD_TO 255

/* Ends the process without goodbye: the other nodes see it die, which is what they must see. */
_Noreturn void node_die(int status, const char *why);

/* The new key is used for sending from now on, if one waits for that. */
void node_use_crypto(struct node *node);

/* All actions of a step. */
void node_carry_out(struct node *node);

/* All reloads that are due, one after the other; in steps of their own. */
void node_reload(struct node *node);
/* A client has changed a key. */
void node_on_key_changed(struct node *node, const char *name);

/* What was found in a configuration, to the log. */
void node_log_findings(const struct conf_report *report);

#endif
