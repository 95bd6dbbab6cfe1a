/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the service cfg share: cfg.c (life, messages between nodes, reload, new keys), cfg_shutdown.c (the vote
 * on a shutdown, and the end), cfg_requests.c (what clients ask) and cfg_status.c (answers about nodes and links). Nobody
 * else includes it.
 */
#ifndef QUORATE_CORE_SERVICES_CFG_MACHINE_H
#define QUORATE_CORE_SERVICES_CFG_MACHINE_H

#include <stdbool.h>

#include "core/services/cfg.h"

enum cfg_message {
    CFG_MESSAGE_KILL = 1,
    CFG_MESSAGE_SHUTDOWN = 2,
    CFG_MESSAGE_RELOAD = 3,
    CFG_MESSAGE_CRYPTO = 4
};

enum cfg_request_type {
    CFG_RING_STATUS,
    CFG_RING_REENABLE,
    CFG_KILL,
    CFG_TRY_SHUTDOWN,
    CFG_REPLY_SHUTDOWN,
    CFG_NODE_ADDRESSES,
    CFG_LOCAL,
    CFG_RELOAD,
    CFG_REOPEN_LOGS,
    CFG_NODE_STATUS,
    CFG_TRACK,
    CFG_TRACK_END,
    CFG_REQUEST_COUNT
};

enum cfg_crypto_phase { CFG_CRYPTO_USE = 1, CFG_CRYPTO_FORGET = 2 };

/* One that is asked before a shutdown. */
struct cfg_tracker {
    uint64_t conn;
    enum { CFG_NOT_ASKED, CFG_ASKED, CFG_SAID_YES, CFG_SAID_NO } reply;
};

enum cfg_shutdown_flags { CFG_SHUTDOWN_REQUEST = 0, CFG_SHUTDOWN_REGARDLESS = 1, CFG_SHUTDOWN_IMMEDIATE = 2 };

/* WORKING -> ASKING -> WORKING again, or ENDING, from where there is no way back. */
enum cfg_shutdown_state { CFG_WORKING, CFG_ASKING, CFG_ENDING, CFG_ENDED };

/* An order to reload on its way through the ring, or being carried out. */
struct cfg_reload {
    uint64_t conn;   /* who waits; 0: nobody here, or nobody any more */
    uint64_t cookie; /* what the order is known by when it comes back */
};

struct cfg_reloads {
    struct cfg_reload *items;
    size_t count, capacity;
};

struct cfg {
    uint32_t node_id;
    uint64_t next_cookie;
    const struct core_config *config;
    const struct cmap_store *keys;
    const struct link_status_table *links;

    struct cfg_tracker *trackers; /* in the order in which they came */
    size_t tracker_count, tracker_capacity;

    enum cfg_shutdown_state shutdown;
    uint64_t requester; /* ASKING; 0: has gone */
    uint32_t flags;     /* ASKING: of the request */
    /* ASKING: until when replies are waited for; ENDING: until when the ring. 0: to be set as soon as the time is known. */
    uint64_t shutdown_deadline_ms;

    struct cfg_reloads ordered; /* by this node, still in the ring */
    struct cfg_reloads running; /* OUTBOX_RELOAD was given */

    uint32_t crypto_first_count, crypto_second_count; /* messages of each phase that are still in the ring */
};

/* The answer to a request of this type, zeroed but for its header. */
uint8_t *cfg_answer(struct outbox *out, enum cfg_request_type type, uint64_t conn, enum cs_error error,
                    size_t size);
void cfg_answer_short(struct outbox *out, enum cfg_request_type type, uint64_t conn, enum cs_error error);
/* A message to all nodes, zeroed but for its header. */
uint8_t *cfg_multicast(struct outbox *out, enum cfg_message message, size_t size);

/* cfg.c */
enum q_err cfg_order_reload(struct cfg *cfg, uint64_t conn, struct outbox *out);

/* cfg_requests.c */
enum q_err cfg_request(struct cfg *cfg, const struct service_event *event, struct outbox *out);

/* cfg_status.c; conn has asked. */
void cfg_tell_rings(const struct cfg *cfg, uint64_t conn, struct outbox *out);
void cfg_tell_addresses(const struct cfg *cfg, uint64_t conn, uint32_t node_id, struct outbox *out);
void cfg_tell_node(const struct cfg *cfg, uint64_t conn, uint32_t node_id, uint32_t version,
                   struct outbox *out);
/* Whether the node is a member of the ring. */
bool cfg_has_joined(const struct cfg *cfg, uint32_t node_id);

/* cfg_shutdown.c */
enum q_err cfg_track(struct cfg *cfg, uint64_t conn, struct outbox *out);
void cfg_untrack(struct cfg *cfg, uint64_t conn, struct outbox *out);
void cfg_try_shutdown(struct cfg *cfg, uint64_t conn, uint32_t flags, uint64_t now_ms, struct outbox *out);
enum cs_error cfg_reply_shutdown(struct cfg *cfg, uint64_t conn, bool yes, struct outbox *out);
/* The client has gone: it neither asks nor objects any more. */
void cfg_shutdown_gone(struct cfg *cfg, uint64_t conn, struct outbox *out);
void cfg_shutdown_delivered(struct cfg *cfg, uint32_t sender, struct outbox *out);
void cfg_shutdown_time(struct cfg *cfg, uint64_t now_ms, struct outbox *out);

#endif
