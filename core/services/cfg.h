/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The service cfg: what an administrator asks of the daemon and of the cluster (spec/corosync-ipc.md section 9,
 * totem-wire.md section 8.6): nodes and links as the transport sees them, reload, reopening of logs, the end of a node,
 * an orderly shutdown that clients may object to, and the two phases in which all nodes take a new key into use. Pure. One
 * per daemon, stepped by the stack under the contract of service.h; it takes no part in the synchronisation. What
 * cfg_set_view names is owned by the stack.
 *
 *  - A reload is ordered by multicast; every node gives OUTBOX_RELOAD when the order arrives, number 1 if a client of this
 *    node waits for its end, and takes one cfg_reloaded for each, in the same order.
 *  - A shutdown that was decided is multicast too; OUTBOX_LEAVE follows when it comes back, or after
 *    CFG_LEAVE_PATIENCE_MS without a ring that could bring it.
 */
#ifndef QUORATE_CORE_SERVICES_CFG_H
#define QUORATE_CORE_SERVICES_CFG_H

#include <stdint.h>

#include "common/err.h"
#include "core/config/core_config.h"
#include "core/services/cmap_store.h"
#include "core/services/link_status.h"
#include "core/services/outbox.h"
#include "core/services/service.h"

#define CFG_SHUTDOWN_TIMEOUT_MS 5000 /* without the key cfg.shutdown_timeout */
#define CFG_LEAVE_PATIENCE_MS 5000

struct cfg;

/* private_id: marks the orders of this run of the daemon among all of its node's. NULL: no memory. */
struct cfg *cfg_new(uint32_t node_id, uint64_t private_id);
/* NULL is allowed. */
void cfg_free(struct cfg *cfg);

/*
 * What requests are answered from; the pointers are kept. keys: runtime.members.* and cfg.shutdown_timeout. links: to be
 * refreshed in place before each request.
 */
void cfg_set_view(struct cfg *cfg, const struct core_config *config, const struct cmap_store *keys,
                  const struct link_status_table *links);

/* Q_OK or Q_ERR_NO_MEMORY. */
enum q_err cfg_step(struct cfg *cfg, const struct service_event *event, struct outbox *out);
/* SERVICE_NEVER: none. */
uint64_t cfg_deadline_ms(const struct cfg *cfg);

/* The oldest OUTBOX_RELOAD that was not answered yet has ended so. */
void cfg_reloaded(struct cfg *cfg, enum cs_error result, struct outbox *out);
/* That reload has brought another key: begins with its phases, anew if some are under way. */
void cfg_crypto_changed(struct cfg *cfg, struct outbox *out);
/* A signal: shuts down without asking anybody. */
void cfg_shutdown(struct cfg *cfg, struct outbox *out);

#endif
