/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closed process groups (spec/corosync-ipc.md section 6, totem-wire.md section 8.4, totem-protocol.md section 15.2): who of
 * all nodes' processes is in which group, and the messages between them, the same on every node in the same order. Pure.
 * One per daemon, owned and called by the stack as service.h says.
 *
 * A member of a group is a node and a process id. Everything that changes the table of members goes through the ring or
 * through a synchronisation, never straight from a client, so that all nodes change it alike:
 *
 *   a connection | join    | its join, delivered | leave   | its leave, delivered | gone
 *   UNJOINED     | JOINING | -                   | error   | -                    | freed
 *   JOINING      | error   | JOINED              | busy    | -                    | LEAVING
 *   JOINED       | error   | -                   | LEAVING | -                    | LEAVING
 *   LEAVING      | busy    | -                   | error   | UNJOINED, or freed   | LEAVING
 *
 *  - A connection that is gone while the ring has a message of it is kept until its leave has come back: nobody else can
 *    be the same member before.
 *  - JOINED and LEAVING get the messages and changes of their group; who has said `finalize` or is gone gets nothing.
 *  - Members are of nodes of the last membership that has been activated. Messages of other nodes change nothing.
 *  - Nothing is allocated for a message that is delivered.
 *
 * Against the packaged daemon (section 11 there): a connection can join again after it has left; members of the group
 * without a name leave like all others; lengths are checked, fragments too, and what is not said in an answer is zero.
 */
#ifndef QUORATE_CORE_SERVICES_CPG_H
#define QUORATE_CORE_SERVICES_CPG_H

#include <stdint.h>

#include "common/err.h"
#include "core/services/outbox.h"
#include "core/services/service.h"

/* Of one node: as many as one list of them can tell the others. */
#define CPG_NODE_MEMBERS_MAX 7281
/* Of this one, joining ones included; beyond, CS_ERROR_NO_RESOURCES. */
#define CPG_LOCAL_MEMBERS_MAX 7168
/* Of a connection; beyond, CS_ERROR_NO_RESOURCES, as when all together hold too much. */
#define CPG_ITERATIONS_MAX 16
#define CPG_ITERATION_BYTES_MAX (64u << 20)
/* The payload of one message of a client; stock libraries cut larger ones. */
#define CPG_PAYLOAD_MAX (1048576 - 1024)

struct cpg;

/* NULL without memory. */
struct cpg *cpg_new(uint32_t node_id);
void cpg_free(struct cpg *cpg);

/* Applies one event; appends what must be done. Q_OK, or Q_ERR_NO_MEMORY: this node cannot follow the others. */
enum q_err cpg_step(struct cpg *cpg, const struct service_event *event, struct outbox *out);

/* Asserts what must always be so (tests, simulator, fuzzers). */
void cpg_check(const struct cpg *cpg);

#endif
