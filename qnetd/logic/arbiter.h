/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter as a pure machine: all connections, all clusters, every vote. The shell turns what happens on
 * sockets, timers and disk into events, hands each to arbiter_step and carries out the actions that come back,
 * in their order. Nothing here reads a clock, a socket or a file.
 *
 * Contract of the shell:
 *  - Connections are named by ids the shell makes: a slot index in the low 32 bits (small and reused, the
 *    arbiter indexes an array by it) and a generation above (never the same twice for one slot, never 0).
 *  - Time is monotonic milliseconds and never goes back between events. arbiter_deadline_ms() says when
 *    ARBITER_EV_TIME is due at the latest; coming early or late is harmless.
 *  - After ARBITER_ACT_CLOSE for a connection no event of that id may follow (one that does is ignored).
 *    What was sent before the close is still to be flushed as far as that does not block.
 *  - A failed or impossible send is reported as ARBITER_EV_DISCONNECTED of that connection.
 *  - ARBITER_ACT_PERSIST (always behind all other actions of its step) must be answered by ARBITER_EV_PERSISTED, at once
 *    or later; until then no ACK that depends on it leaves.
 *  - Q_ERR_NO_MEMORY means that actions may be missing: carry none of the step's out and end the process at once, to be
 *    started again. Grants are on record, and devices of ours ride through.
 *  - On orderly shutdown just close the sockets: grants stay recorded, clients keep their state.
 *
 * Session states (per connection):
 *
 *   state      | PREINIT          | STARTTLS         | INIT                    | others
 *   CONNECTED  | -> PREINITED     | error 6          | INIT_REPLY 6            | error 11
 *   PREINITED  | error 8          | -> SECURING      | -> READY or error, stay | error 11
 *   SECURING   | until ARBITER_EV_TLS_ESTABLISHED (-> PREINITED, secured) any message, decodable or not, closes
 *   READY      | error 8          | error 8          | INIT_REPLY 17           | handled
 *
 * One PREINIT, one STARTTLS, one successful INIT per connection; the certificate is bound to the cluster name when
 * the handshake completes. (spec/qnet-protocol.md sections 5 to 8, defects P1 to P12.)
 */
#ifndef QUORATE_QNETD_LOGIC_ARBITER_H
#define QUORATE_QNETD_LOGIC_ARBITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/cluster_identity.h"
#include "common/err.h"
#include "common/wire/wire.h"
#include "qnetd/logic/grant_record.h"

struct arbiter;
struct cluster;
struct session;

#define ARBITER_NEVER UINT64_MAX

struct arbiter_settings {
    enum wire_tls_supported tls;      /* -s */
    bool client_cert_required;        /* -c */
    uint32_t maximum_request_size;    /* max_client_receive_size, advertised */
    uint32_t maximum_reply_size;      /* max_client_send_size, advertised; a larger reply closes its connection */
    uint32_t heartbeat_ms_min;        /* heartbeat_interval_min */
    uint32_t heartbeat_ms_max;        /* heartbeat_interval_max */
    bool dpd_enabled;                 /* dead peer detection */
    uint32_t dpd_coefficient_permille; /* dpd_interval_coefficient x 1000, 1000 .. 1000000 */
    bool keep_active_partition;       /* default for clients that do not say */
    bool strict;                      /* votes are leases; false: the packaged arbiter's timing (for those who fence) */
    uint32_t lease_margin_ms;         /* added to a packaged device's bounds */
    uint32_t init_timeout_ms;         /* a connection must have completed INIT within this */
    uint32_t clients_max;             /* -m; 0: no limit */
    uint32_t nodes_per_cluster_max;   /* clients of one cluster, ghosts included, and nodes in one list; at least 1 */
};

/* The packaged defaults, and ours for what the packaged arbiter does not have. TLS required. */
void arbiter_settings_default(struct arbiter_settings *settings);

/* ---- events ---------------------------------------------------------------------------------------------- */

enum arbiter_event_type {
    ARBITER_EV_RESTORE,         /* start: one grant record found on disk; before any connection */
    ARBITER_EV_RESTORED,        /* start: no more records; u.restored says whether they are the whole truth */
    ARBITER_EV_CONNECTED,       /* accepted */
    ARBITER_EV_MESSAGE,         /* one whole decoded message */
    ARBITER_EV_UNDECODABLE,     /* wire_decode answered false; u.message.message has type and perhaps seq */
    ARBITER_EV_SKIPPED,         /* the framer threw a message away */
    ARBITER_EV_TLS_ESTABLISHED, /* handshake complete, chain verified */
    ARBITER_EV_DISCONNECTED,    /* gone, by its own doing or because it could not be served */
    ARBITER_EV_PERSISTED,       /* outcome of ARBITER_ACT_PERSIST */
    ARBITER_EV_TIME             /* a deadline may have passed */
};

enum arbiter_disconnect {
    ARBITER_GONE_EOF,          /* plain end of stream, reset, or local failure */
    ARBITER_GONE_CLOSE_NOTIFY, /* authenticated orderly end: TLS close_notify before the end of stream */
    ARBITER_GONE_SEND_FAILED   /* send queue full or message too large for it */
};

enum arbiter_persist_result {
    ARBITER_PERSIST_DONE,     /* the record is in place: a restart will find it */
    ARBITER_PERSIST_VOLATILE, /* not written, but the old knowledge was destroyed: a restart will be cautious */
    ARBITER_PERSIST_FAILED    /* not written, and a restart would trust outdated knowledge: do not grant */
};

struct arbiter_event {
    enum arbiter_event_type type;
    uint64_t now_ms;
    uint64_t conn; /* where the type concerns a connection */
    union {
        const struct grant_record *record; /* RESTORE */
        struct {
            bool complete; /* false: grants may exist that no record names (no, foreign or damaged state) */
        } restored;
        struct {
            const char *peer; /* printable address, for logs and status; copied, at most 63 characters */
            uint32_t origin;  /* the same for all connections from one place: a hash of the address or network */
        } connected;
        struct {
            const struct wire_message *message;
            struct wire_bytes raw; /* the whole message as received (echo copies it) */
        } message;
        struct {
            enum wire_error error;
        } skipped;
        struct {
            const char *const *names; /* identity names of the peer certificate: SANs if any, else the CN */
            size_t name_count;        /* 0: no certificate */
            struct cluster_identity cluster; /* which cluster of that name it says it is; may be none */
        } tls;
        struct {
            enum arbiter_disconnect how;
        } disconnected;
        struct {
            uint64_t cluster_id;
            uint64_t generation; /* as in the action */
            enum arbiter_persist_result result;
        } persisted;
    } u;
};

/* ---- actions --------------------------------------------------------------------------------------------- */

enum arbiter_action_type {
    ARBITER_ACT_SEND,      /* append bytes to the connection's stream */
    ARBITER_ACT_START_TLS, /* flush, then begin the handshake as server; next event: TLS_ESTABLISHED or DISCONNECTED */
    ARBITER_ACT_CLOSE,     /* close the connection; text says why */
    ARBITER_ACT_PERSIST,   /* replace the cluster's record atomically by bytes, then report PERSISTED */
    ARBITER_ACT_FORGET,    /* remove the cluster's record; no answer. Failure is harmless (a restart waits in vain) */
    ARBITER_ACT_NOTE       /* text for the log; decisions are also kept for the tools */
};

enum arbiter_note_level { ARBITER_NOTE_DEBUG, ARBITER_NOTE_INFO, ARBITER_NOTE_NOTICE, ARBITER_NOTE_WARNING, ARBITER_NOTE_ERROR };

enum arbiter_note_kind {
    ARBITER_NOTE_SESSION, /* about one connection */
    ARBITER_NOTE_CLUSTER, /* about a cluster: joined, left, differing settings */
    ARBITER_NOTE_DECISION /* a verdict, a vote, a wait: what an administrator wants to read afterwards */
};

/* A piece of arbiter_actions.data; text pieces are terminated (size excludes the terminator). */
struct arbiter_span {
    size_t offset;
    size_t size;
};

struct arbiter_action {
    enum arbiter_action_type type;
    uint64_t conn;            /* SEND, START_TLS, CLOSE; NOTE: 0 if not about a connection */
    uint64_t cluster_id;      /* PERSIST, FORGET, NOTE: 0 if not about a cluster. Never reused */
    struct arbiter_span name; /* cluster name (raw bytes, may contain anything): PERSIST, FORGET, NOTE */
    struct arbiter_span data; /* SEND, PERSIST: bytes; CLOSE, NOTE: text */
    uint64_t generation;      /* PERSIST */
    enum arbiter_note_level level;
    enum arbiter_note_kind kind;
    uint32_t node_id; /* NOTE: 0 if not about a node */
};

/* Filled by arbiter_step, emptied by arbiter_actions_reset; spans point into `data`. */
struct arbiter_actions {
    struct arbiter_action *items;
    size_t count;
    size_t capacity;
    struct q_buf data;
};

void arbiter_actions_init(struct arbiter_actions *actions);
void arbiter_actions_fini(struct arbiter_actions *actions);
void arbiter_actions_reset(struct arbiter_actions *actions);
const uint8_t *arbiter_actions_bytes(const struct arbiter_actions *actions, struct arbiter_span span);
const char *arbiter_actions_text(const struct arbiter_actions *actions, struct arbiter_span span);

/* ---- the machine ----------------------------------------------------------------------------------------- */

/* NULL without memory. `now_ms` is the start of the daemon: start-up caution is counted from it. */
struct arbiter *arbiter_new(const struct arbiter_settings *settings, uint64_t now_ms);
void arbiter_free(struct arbiter *arbiter);

/* Applies one event; appends what must be done to `out`. Q_ERR_NO_MEMORY: see the contract above. */
enum q_err arbiter_step(struct arbiter *arbiter, const struct arbiter_event *event, struct arbiter_actions *out);

/* When ARBITER_EV_TIME is due, in the clock of the events; ARBITER_NEVER: no timer needed. Constant time. */
uint64_t arbiter_deadline_ms(const struct arbiter *arbiter);

/* Asserts the safety invariants of the whole state (tests, simulator, fuzzers; linear in its size). */
void arbiter_check(const struct arbiter *arbiter);

/* ---- for status: read only, valid until the next step ---------------------------------------------------- */

const struct arbiter_settings *arbiter_settings(const struct arbiter *arbiter);
uint32_t arbiter_client_count(const struct arbiter *arbiter);  /* connections, also before INIT */
uint32_t arbiter_cluster_count(const struct arbiter *arbiter); /* clusters with at least one READY client */
/*
 * Until when grants of before the start that nobody knows may be in force: in this cluster, as far as its clients tell, and in
 * any. 0: not, or not any more. The latter's time is linear in the number of clients.
 */
uint64_t arbiter_cautious_until_ms(const struct arbiter *arbiter, const struct cluster *cluster);
uint64_t arbiter_quarantine_end_ms(const struct arbiter *arbiter);

/* Clusters in the order in which they appeared; NULL ends. Includes those that only have ghosts. See cluster.h. */
const struct cluster *arbiter_first_cluster(const struct arbiter *arbiter);
const struct cluster *arbiter_next_cluster(const struct cluster *cluster);
const struct cluster *arbiter_find_cluster(const struct arbiter *arbiter, struct wire_bytes name);

/* Whether INIT has been accepted on this connection. */
bool arbiter_is_member(const struct arbiter *arbiter, uint64_t conn);

/* The longest-standing connection that has not completed INIT, to be sacrificed when descriptors run out; 0: none. */
uint64_t arbiter_oldest_uninitialised(const struct arbiter *arbiter);

#endif
