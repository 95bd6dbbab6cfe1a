/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The voter of our real agent (qdevice/logic/voting.c, the same machine as in the voter process), which lives beside it and
 * after it. A node has two: an orphan may still be at work when a new device has started. What the process around the machine
 * adds is time: it hears of rings on its own, and acts within hold_ms of what is due.
 */
#ifndef QUORATE_TESTS_SIM_VOTER_H
#define QUORATE_TESTS_SIM_VOTER_H

#include "tests/sim/world.h"

void voter_init(struct node *node);
/* With a new device: a new voter. The one before, if it lives, is an orphan. */
void voter_start(struct node *node);
/* A command; what it asks for is polled at once. */
void voter_tell(struct node *node, const struct voting_command *command);
/* All commands so far have been carried out. */
bool voter_has_done(const struct node *node);
/* The device has ended in order. */
void voter_end(struct node *node);
/* The device has died. */
void voter_orphan(struct node *node);
/* Votequorum tells of a ring. */
void voter_on_ring(struct node *node);
/* The machine goes on, or has lost power. */
void voter_on_resume(struct node *node);
/* The core has gone: an orphan ends with it. */
void voter_on_core_lost(struct node *node);
void voter_on_crash(struct node *node);

#endif
