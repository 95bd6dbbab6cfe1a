/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What passes between the clients of libquorum and libvotequorum and us: requests as bytes to the requests of
 * quorum.h and votequorum.h, and their answers and events to bytes (spec/corosync-ipc.md sections 3, 4, 7 and
 * 8). Pure; owns nothing. Integers are in this machine's order, for both ends are on it. What is padding is
 * zero.
 *
 * Clients are not trusted: a request is taken only if it is long enough for all it has to say and its names
 * are terminated. A request that is not taken is answered by the shell, with the bare header of a refusal
 * (section 1.4).
 */
#ifndef QUORATE_CORE_SERVICES_QUORUM_IPC_H
#define QUORATE_CORE_SERVICES_QUORUM_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "core/services/quorum.h"
#include "core/services/votequorum.h"

/* Owns the names that its request points to: do not copy it. */
struct votequorum_ipc_request {
    struct votequorum_request request;
    char name[VOTEQUORUM_NAME_SIZE];
    char new_name[VOTEQUORUM_NAME_SIZE];
};

/* Q_ERR_NOT_FOUND: no such request. Q_ERR_INVALID: too short, or a name without end. `size` is what has arrived. */
enum q_err votequorum_ipc_decode(const uint8_t *bytes, size_t size, struct votequorum_ipc_request *request);

/* Appends what the client of the action's connection gets; false: the action is none for a client. */
bool votequorum_ipc_encode(const struct votequorum_actions *actions, const struct votequorum_action *action,
                           struct q_buf *out);

/* Fills u.request of an event, except for the connection. Errors as above. */
enum q_err quorum_ipc_decode(const uint8_t *bytes, size_t size, struct quorum_event *event);

void quorum_ipc_encode(const struct quorum_action *action, struct q_buf *out);

#endif
