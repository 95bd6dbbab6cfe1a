/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libqb's servers in libqb's loop, with what the two lack together: descriptors of clients always have a lower priority than
 * datagrams, whatever rate libqb is told; those of clients that must wait are not looked at, where libqb would come back
 * at once, again and again; and a turn of one client ends when it has had its share. One per process, used by
 * ipc_server.c only.
 */
#ifndef QUORATE_CORE_IPC_WATCH_H
#define QUORATE_CORE_IPC_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <qb/qbipcs.h>
#include <qb/qbloop.h>

void ipc_watch_init(qb_loop_t *loop);
void ipc_watch_fini(void);

/* What each server is given. */
struct qb_ipcs_poll_handlers *ipc_watch_handlers(void);

/* The descriptor that libqb watches for this connection; -1: none. */
int ipc_watch_find(const qb_ipcs_connection_t *connection);
/* A paused descriptor only tells when the client hangs up. */
void ipc_watch_pause(int fd, bool paused);

/* Charges a request to the turn under way; false: the turn is over. */
bool ipc_watch_spend(size_t size);

#endif
