/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must never happen, looked at after every event (README.md states the rules):
 *   SAFETY     two serving nodes are quorate and one has dropped the other
 *   FROZEN     a node of our agent shows an old "quorate" beside the arbiter's choice for longer than a lease
 *   ORDER      an ACK leaves while a node outside its partition may still hold one
 *   RING       a vote names another ring than the client's latest
 *   VOTE       our agent votes YES for a ring that was not granted (device_agent.c)
 *   VIEW       a verdict leaves while reports contradict each other, before the wait for agreement is over
 *   ISOLATION  an event of one cluster has an effect on another
 *   NO-KILL    a stock device is sent something that ends it
 *   LIVENESS   after the last fault somebody who must be quorate is not
 *              or those who are, are not the side that ranks highest (reported as LIVENESS too)
 *
 * The ledger is kept from the messages alone, by the documented bounds: it knows nothing of the arbiter's
 * insides.
 */
#ifndef QUORATE_TESTS_SIM_CHECK_H
#define QUORATE_TESTS_SIM_CHECK_H

#include "tests/sim/world.h"

/* After every event. */
void check_safety(struct world *world);

/* The arbiter has taken this in, resp. is about to send it. */
void check_on_received(struct conn *conn, const struct wire_message *message);
void check_on_sent(struct conn *conn, const struct wire_message *message);
void check_on_gone(struct conn *conn, enum arbiter_disconnect how, bool by_arbiter);
void check_on_arbiter_start(struct world *world);

/* Whether the arbiter must still reckon with this node's vote. */
bool ledger_in_force(const struct node *node);

/*
 * Whether everybody who must be quorate now is, given that nothing changes any more. `why` says who is
 * missing.
 */
bool check_recovered(const struct sim_cluster *cluster, char *why, size_t size);

/*
 * Once somebody is quorate: whether the side that wins is the one that ranks highest by what was
 * reported, as far as history has no say (spec/arbitration.md section 11.4, worked out here a second time).
 */
bool check_winner(const struct sim_cluster *cluster, char *why, size_t size);

#endif
