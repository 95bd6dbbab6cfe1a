/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The service cmap: lets clients read, change, walk and track the map of keys and the map of statistics
 * (spec/corosync-ipc.md sections 5 and 10, totem-wire.md section 8.5), records in the keys runtime.members.* who is and
 * was there, and tells all nodes this one's totem.config_version. Pure. One per daemon, stepped by the stack under the
 * contract of service.h; the map of keys is the stack's and must outlive the service.
 *
 *  - What a client changes gives, in this order: events for all who track it, the answer, and an OUTBOX_KEY_CHANGED for
 *    each key, on which the stack reacts. Whatever it changes then comes back by cmap_service_tell. A change is told to
 *    the end before the next begins (the packaged daemon crashes over that, spec section 11 no. 1).
 *  - Statistics: the stack fills the map of cmap_service_statistics whenever cmap_service_wants_statistics of the
 *    connection, right before its request, and before each SERVICE_EV_TIME. Who tracks statistics is told of keys that
 *    came, went or changed by samples: one every CMAP_SAMPLE_INTERVAL_MS, and one soon after cmap_service_hasten.
 *  - A node whose configuration is older than that of the cluster it joins gets OUTBOX_LEAVE, as in the packaged daemon.
 */
#ifndef QUORATE_CORE_SERVICES_CMAP_SERVICE_H
#define QUORATE_CORE_SERVICES_CMAP_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "core/services/cmap_store.h"
#include "core/services/outbox.h"
#include "core/services/service.h"

#define CMAP_SAMPLE_INTERVAL_MS 1500
#define CMAP_SAMPLE_DISTANCE_MS 20 /* at least, between two samples */

struct cmap_service;

/* NULL: no memory. From here on changes of the map are told, see cmap_service_tell. */
struct cmap_service *cmap_service_new(uint32_t node_id, struct cmap_store *keys);
/* NULL is allowed. */
void cmap_service_free(struct cmap_service *service);

/*
 * The text of runtime.members.<node_id>.ip when the node is seen for the first time: "r(L) ip(ADDRESS) " for each of its
 * links. Nodes of which nothing was said get an empty one. Q_ERR_NO_MEMORY.
 */
enum q_err cmap_service_set_node(struct cmap_service *service, uint32_t node_id, const char *ip_text);

/* Q_OK or Q_ERR_NO_MEMORY. */
enum q_err cmap_service_step(struct cmap_service *service, const struct service_event *event,
                             struct outbox *out);
/* SERVICE_NEVER: none. */
uint64_t cmap_service_deadline_ms(const struct cmap_service *service);

/* The daemon itself has changed keys: tells trackers, and other nodes if need be; empties `changes`. */
void cmap_service_tell(struct cmap_service *service, struct cmap_changes *changes, struct outbox *out);

/* The map of statistics, to be filled by the stack, with NULL for changes. */
struct cmap_store *cmap_service_statistics(struct cmap_service *service);
/* Keys of statistics come or go, as a client does: who tracks them is to see it soon. */
void cmap_service_hasten(struct cmap_service *service);
/* Whether the connection's next request is about them; 0: whether SERVICE_EV_TIME is. */
bool cmap_service_wants_statistics(const struct cmap_service *service, uint64_t conn);

#endif
