/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local clients: libqb's servers of all services under the packaged names (spec/corosync-ipc.md section 1). One per
 * process (libqb's handlers have no context), owned by the daemon, whose handlers hand on what happens; they are called
 * from the loop only, never from within a function of this file that sends.
 *
 * Requests are copied out of the memory that is shared with the client before anybody looks at them, and a client gets
 * so many of them at a time that datagrams need not wait (they have a higher priority in the loop). What a client does not
 * take goes into a queue of its own and is offered again from a timer; beyond IPC_QUEUE_MAX it is disconnected.
 */
#ifndef QUORATE_CORE_IPC_SERVER_H
#define QUORATE_CORE_IPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <qb/qbloop.h>

#include "common/err.h"
#include "core/config/core_config.h"
#include "core/services/cmap_store.h"
#include "core/services/service.h"
#include "core/stack/stack.h"

/*
 * Bytes of one client that wait for it. The packaged daemon has no limit; who is this far behind would take all memory, and
 * nothing of it can be swapped.
 */
#define IPC_QUEUE_MAX (256u << 20)

/*
 * So many bytes may wait for all clients of a service before its requests are put off, until half of them have been taken.
 * Whoever sends more than it reads back is slowed down to what it reads; the packaged daemon grows without end. A client
 * that has taken nothing at all for a tenth of a second does not count: it costs only itself, not all others.
 */
#define IPC_BACKLOG_MAX (8u << 20)

struct ipc_server;

struct ipc_handlers {
    void *context;
    enum stack_admission (*admit)(void *context, enum service_id service, uid_t uid, gid_t gid);
    void (*on_connect)(void *context, uint64_t conn, enum service_id service, uint32_t pid);
    void (*on_request)(void *context, uint64_t conn, enum service_id service, const uint8_t *bytes, size_t size);
    void (*on_gone)(void *context, uint64_t conn);
};

/* NULL without memory. */
struct ipc_server *ipc_server_new(qb_loop_t *loop, enum core_ipc_type type, const struct ipc_handlers *handlers);
/* Clients that are still there are disconnected, in the packaged order of services; handlers are not called. */
void ipc_server_free(struct ipc_server *server);

/* Opens the listening point of a service. Q_ERR_IO: `why` is a sentence. */
enum q_err ipc_server_listen(struct ipc_server *server, enum service_id service, char *why, size_t why_size);

enum ipc_message { IPC_ANSWER, IPC_EVENT };

/* Sends or queues head and body (NULL: none) as one message; nothing if the connection has ended. */
void ipc_server_send(struct ipc_server *server, uint64_t conn, enum ipc_message kind, const void *head, size_t head_size,
                     const void *body, size_t body_size);

/* How fast clients of a service may come; cheap if nothing has changed. */
void ipc_server_set_flow(struct ipc_server *server, enum service_id service, enum stack_flow flow);

/* False: the connection has ended. */
bool ipc_server_peer(const struct ipc_server *server, uint64_t conn, uid_t *uid);

/* Sets the keys stats.ipcs.* (section 5.9); those of clients that have gone are deleted. */
void ipc_server_statistics(struct ipc_server *server, struct cmap_store *keys);
void ipc_server_clear_statistics(struct ipc_server *server);

#endif
