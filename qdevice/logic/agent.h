/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device as a pure machine: one node's side of the conversation with the arbiter, and what the node's vote is at
 * every moment. The shell turns what happens in votequorum, cmap, on the network, in the heuristics worker and on the
 * clock into events, and carries actions out in their order. Nothing here blocks, waits or reads a clock.
 *
 * The vote is a lease. AGENT_ACT_CAST tells the *voter*, a small process of its own that alone polls votequorum, what to
 * cast, for which ring, and until when at most; the voter casts NO, for whichever ring there is, when that time has passed or
 * the agent has died. The time only moves on when the arbiter has answered something: it is `lease_ms` after the moment at which
 * the newest answered request was *sent*, so the arbiter, which heard it later, can count on it.
 *
 * A NACK is confirmed to the arbiter only when votequorum has taken a NO for the ring it is on.
 *
 * States of the link to the arbiter:
 *
 *   IDLE ──► RESOLVING ──► CONNECTING ──► PREINIT ──► SECURING ──► INIT ──► READY
 *    ▲ pause      │             │             │           │          │        │
 *    └────────────┴─────────────┴─────────────┴───────────┴──────────┴────────┘  any failure: next address, then pause
 *
 * What is cast (YES always ends with the lease; "ride" = the arbiter is ours and honours the lease):
 *
 *   situation                              | cast
 *   start, no verdict yet                  | nothing, until the first attempt to reach an arbiter has failed: NO
 *   READY, verdict ACK for the ring        | YES
 *   READY, verdict NACK for the ring       | NO
 *   READY, new ring, no verdict yet        | nothing (votequorum waits), NO when the lease ends or patience runs out, or at
 *                                          | once if a NACK for the former ring is still to be confirmed
 *   READY, ACK, then ASK_LATER or the like | YES until the lease ends, which echoes do not prolong any more
 *   link lost, verdict ACK, ride           | YES until the lease ends
 *   link lost, verdict ACK, no ride        | NO
 *   link lost, new ring                    | ride: nothing until the lease ends, then NO; otherwise NO
 *
 * (spec/qdevice-daemon.md sections 9 to 13 describe the packaged device, qnet-protocol.md section 11 what arbiters expect.)
 */
#ifndef QUORATE_QDEVICE_LOGIC_AGENT_H
#define QUORATE_QDEVICE_LOGIC_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/node_set.h"
#include "common/wire/wire.h"
#include "qdevice/logic/timing.h"

struct agent;

#define AGENT_NEVER UINT64_MAX
#define AGENT_HOSTS_MAX 8
#define AGENT_TEXT_SIZE 256

/* quorum.device.net.tls */
enum agent_tls { AGENT_TLS_OFF, AGENT_TLS_ON, AGENT_TLS_REQUIRED };

/* One consistent reading of the configuration. Strings and arrays are copied by the agent. */
struct agent_config {
    const char *cluster_name;
    uint32_t node_id;
    uint64_t instance; /* random, the same for the life of the process: tells our new connection from a stranger's */
    enum wire_algorithm algorithm;
    struct wire_tie_breaker tie_breaker;
    bool keep_active_partition;
    bool wait_for_all; /* quorum.wait_for_all: only told to the administrator, see docs/safety.md */
    enum agent_tls tls;
    const char *hosts[AGENT_HOSTS_MAX]; /* arbiters, used in turn */
    size_t host_count;                  /* 1 .. AGENT_HOSTS_MAX */
    uint16_t port;                      /* of all of them; with ip_version only looked at for what has changed */
    int ip_version;                     /* 4, 6, or 0 for either */
    const struct wire_node_info *nodes; /* nodelist, in order of appearance */
    uint32_t node_count;
    bool has_config_version;
    uint64_t config_version;
    bool heuristics_active; /* mode on or sync, with at least one command */
    struct timing timing;
};

enum agent_event_type {
    AGENT_EV_CONFIG,          /* first: the configuration; later: it has changed */
    AGENT_EV_CORE_NODELIST,   /* votequorum: a new ring and its members */
    AGENT_EV_CORE_QUORUM,     /* votequorum: quorate or not, states of all nodes */
    AGENT_EV_CORE_LOST,       /* the core has gone: there is nobody to cast for */
    AGENT_EV_RESOLVED,        /* outcome of AGENT_ACT_RESOLVE */
    AGENT_EV_CONNECTED,       /* TCP is up */
    AGENT_EV_SECURED,         /* TLS handshake done, the arbiter's identity verified */
    AGENT_EV_MESSAGE,
    AGENT_EV_UNREADABLE,      /* a message that cannot be decoded, is unknown or too long */
    AGENT_EV_DISCONNECTED,    /* connect failed, connection lost, or TLS failed; text says why */
    AGENT_EV_CAST_DONE,       /* votequorum has taken what AGENT_ACT_CAST of that sequence told; not before, whatever it says */
    AGENT_EV_HEURISTICS,      /* outcome of AGENT_ACT_HEURISTICS, or a regular run's new result */
    AGENT_EV_SHUTDOWN,
    AGENT_EV_TIME
};

enum agent_run { AGENT_RUN_MEMBERSHIP, AGENT_RUN_CONNECT, AGENT_RUN_REGULAR };

struct agent_event {
    enum agent_event_type type;
    uint64_t now_ms;  /* monotonic */
    uint32_t random;  /* any value; jitter is drawn from it */
    uint64_t conn;    /* CONNECTED .. DISCONNECTED: as in AGENT_ACT_CONNECT; others of old connections are ignored */
    union {
        const struct agent_config *config;
        struct {
            struct wire_ring_id ring_id;
            const uint32_t *members;
            uint32_t member_count;
        } nodelist;
        struct {
            bool quorate;
            const struct wire_node_info *nodes;
            uint32_t node_count;
        } quorum;
        struct {
            uint32_t address_count; /* 0: not resolved, text says why */
            const char *text;
        } resolved;
        struct {
            const struct wire_message *message;
        } message;
        struct {
            const char *text;
        } disconnected;
        struct {
            uint64_t sequence;
        } cast_done;
        struct {
            enum agent_run run;
            uint64_t sequence; /* as in the action; 0 for AGENT_RUN_REGULAR */
            enum wire_heuristics result;
        } heuristics;
    } u;
};

enum agent_action_type {
    AGENT_ACT_RESOLVE,    /* look up hosts[host]; answer RESOLVED */
    AGENT_ACT_CONNECT,    /* connect to address number `address` of the last lookup that brought any; answer CONNECTED or DISCONNECTED */
    AGENT_ACT_START_TLS,  /* flush, then handshake as client; answer SECURED or DISCONNECTED */
    AGENT_ACT_SEND,
    AGENT_ACT_CLOSE,      /* no event of that connection or lookup may follow; `goodbye` tells to send close_notify */
    AGENT_ACT_CAST,       /* to the voter; answer CAST_DONE when it is carried out (voting.h) */
    AGENT_ACT_HEURISTICS, /* run them now; answer HEURISTICS with the sequence */
    AGENT_ACT_NOTE,       /* text for the log */
    AGENT_ACT_STOP        /* the vote is withdrawn: leave votequorum and end */
};

enum agent_cast { AGENT_CAST_NOTHING, AGENT_CAST_NO, AGENT_CAST_YES };

enum agent_note_level { AGENT_NOTE_DEBUG, AGENT_NOTE_INFO, AGENT_NOTE_NOTICE, AGENT_NOTE_WARNING, AGENT_NOTE_ERROR };

struct agent_span {
    size_t offset;
    size_t size;
};

struct agent_action {
    enum agent_action_type type;
    uint64_t conn;
    size_t host;
    uint32_t address;
    bool goodbye;
    struct agent_span data; /* SEND: bytes; NOTE: terminated text (size without the terminator) */
    enum agent_cast cast;        /* CAST */
    bool poll;                   /* CAST: poll votequorum now; false: only until_ms has moved */
    struct wire_ring_id ring_id; /* CAST */
    uint64_t until_ms;           /* CAST: void from then on (voting.h), in the clock of the events; AGENT_NEVER */
    enum agent_run run;          /* HEURISTICS */
    uint64_t sequence;           /* CAST, HEURISTICS */
    uint32_t timeout_ms;
    enum agent_note_level level;
};

struct agent_actions {
    struct agent_action *items;
    size_t count;
    size_t capacity;
    struct q_buf data;
};

void agent_actions_init(struct agent_actions *actions);
void agent_actions_fini(struct agent_actions *actions);
void agent_actions_reset(struct agent_actions *actions);

struct agent *agent_new(void);
void agent_free(struct agent *agent);

/* Applies one event; appends what must be done. Q_ERR_NO_MEMORY: actions are missing, stop the process: the voter casts NO. */
enum q_err agent_step(struct agent *agent, const struct agent_event *event, struct agent_actions *out);

/* When AGENT_EV_TIME is due; AGENT_NEVER: no timer needed. */
uint64_t agent_deadline_ms(const struct agent *agent);

/* ---- for status: valid until the next step ---- */

enum agent_link { AGENT_IDLE, AGENT_RESOLVING, AGENT_CONNECTING, AGENT_PREINIT, AGENT_SECURING, AGENT_INIT, AGENT_READY };

struct agent_status {
    enum agent_link link;
    size_t host;               /* in use, or to be tried next */
    bool secured;
    bool arbiter_is_ours;      /* it honours leases and gives reasons */
    bool arbiter_knows_kap;    /* it supports keep-active-partition */
    uint64_t connected_ms;     /* READY since; 0: not READY */
    uint64_t answered_ms;      /* newest answer to an echo; 0: none */
    uint64_t lease_until_ms;   /* 0: none */
    uint64_t next_attempt_ms;  /* IDLE: when */
    enum agent_cast cast;
    enum wire_vote verdict;    /* newest ACK or NACK for the present ring, else WIRE_VOTE_UNDEFINED */
    bool in_sync;              /* between a nodelist and the next quorum notification */
    struct wire_ring_id ring_id;
    const struct node_set *members;
    bool quorate;
    const struct wire_node_info *quorum_nodes;
    uint32_t quorum_node_count;
    enum wire_heuristics heuristics;
    enum wire_heuristics heuristics_membership;
    enum wire_heuristics heuristics_connect;
    enum wire_heuristics heuristics_regular;
    char why[AGENT_TEXT_SIZE]; /* why the node does, or does not, have the vote: one sentence */
};

void agent_get_status(const struct agent *agent, struct agent_status *status);

#endif
