/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring of one node as a pure machine (spec/totem-protocol.md): membership, the token, total order, recovery of what
 * was under way when the membership changed, and configuration changes in their place among the messages. The shell turns
 * datagrams, time and what the services want to say into events, hands each to totem_step and carries out the actions that
 * come back, in their order. Nothing here reads a clock, a socket or a file.
 *
 *            JOIN, token lost, foreign traffic
 *  OPERATIONAL ────────────────► GATHER ── consensus: the lowest makes a commit token ──► COMMIT
 *      ▲                          ▲  ▲  ◄────── token lost, JOIN of a member ──────────────┘ │ it comes a second time
 *      │                          │  └───────── token lost, JOIN of a member ── RECOVERY ◄──┘
 *      └── all have what any of the old ring had, twice around with nothing to add ──┘
 *
 *  event                 | OPERATIONAL        | GATHER               | COMMIT           | RECOVERY
 *  token of the ring     | token.c            | dropped              | dropped          | token.c, recovery.c
 *  MCAST of the ring     | kept, delivered    | kept                 | dropped          | kept
 *  MCAST, MERGE, foreign | -> GATHER          | new node: GATHER     | ignored          | ignored
 *  JOIN                  | -> GATHER, unless old | membership.c      | member: GATHER   | member: GATHER
 *  COMMIT token          | ignored            | of these: -> COMMIT  | whole: -> RECOVERY | lowest: first token
 *  token lost            | -> GATHER          | silent ones failed   | -> GATHER        | -> GATHER
 *  LEAVE                 | -> LEFT from every state; nothing comes out of LEFT
 *
 * Contract of the shell:
 *  - The same machine is given START once, before all others but TIME. Time never goes back between events.
 *  - What an action points to is valid until the actions are reset or ended, whatever becomes of the machine.
 *  - A datagram to target 0 goes to all other nodes; what a node says to itself never leaves its machine, and a copy
 *    that the transport brings back does no harm.
 *  - TOTEM_ACT_PERSIST is carried out, and has succeeded, before what follows it. If it fails, stop the process.
 *  - Messages are handed over whole, with their groups in front (frame.h), and are delivered whole, to the node that
 *    sent them too. Between a transitional change and TOTEM_EV_SYNCED messages overtake those sent before: they belong to the
 *    synchronisation of the services, which is to send nothing else in this time.
 *  - When a message that was delivered ends the synchronisation, TOTEM_EV_SYNCED comes before any other event but MESSAGE.
 *  - Q_ERR_NO_MEMORY means that actions are missing: stop the process.
 */
#ifndef QUORATE_CORE_TOTEM_TOTEM_H
#define QUORATE_CORE_TOTEM_TOTEM_H

#include "common/err.h"
#include "core/totem/datagram.h"
#include "core/totem/frame.h"
#include "core/totem/nodes.h"
#include "core/totem/settings.h"
#include "core/totem/wire.h"

struct totem;

#define TOTEM_NEVER UINT64_MAX

enum totem_state { TOTEM_OPERATIONAL, TOTEM_GATHER, TOTEM_COMMITTING, TOTEM_RECOVERY, TOTEM_LEFT };
#define TOTEM_STATE_COUNT 5

/* ---- events ---------------------------------------------------------------------------------------------- */

enum totem_event_type {
    TOTEM_EV_START,    /* the transport is up: ring_seq is what was persisted last, 0 if nothing */
    TOTEM_EV_DATAGRAM, /* received, without what the transport put around it */
    TOTEM_EV_MESSAGE,  /* to be sent to all in order; Q_ERR_AGAIN: no room, nothing has happened */
    TOTEM_EV_LINGERED, /* the time of TOTEM_ACT_LINGER is over */
    TOTEM_EV_SYNCED,   /* the services have synchronised after the last regular change */
    TOTEM_EV_SETTINGS, /* completed settings; timers that run keep their time. netmtu stays as it was */
    TOTEM_EV_LINK_UP,  /* udp, udpu: the interface has come back */
    TOTEM_EV_LEAVE,    /* say goodbye; the machine is of no use afterwards */
    TOTEM_EV_TIME
};

struct totem_event {
    enum totem_event_type type;
    uint64_t now_ms; /* monotonic */
    uint32_t random; /* any value: spreads JOINs over send_join */
    union {
        uint64_t ring_seq;
        struct {
            const uint8_t *bytes;
            size_t size;
        } datagram;
        struct {
            const struct totem_part *parts; /* in all 1 .. TOTEM_MESSAGE_MAX bytes, else Q_ERR_INVALID */
            size_t count;
        } message;
        const struct totem_settings *settings;
    } u;
};

/* ---- actions --------------------------------------------------------------------------------------------- */

enum totem_action_type {
    TOTEM_ACT_SEND,    /* a datagram, to one node or to all others */
    TOTEM_ACT_DELIVER, /* a message, in the order in which all get it */
    TOTEM_ACT_CHANGE,  /* a configuration change, at its place among the messages */
    TOTEM_ACT_PERSIST, /* keep ring_seq for the next start */
    TOTEM_ACT_LINGER,  /* TOTEM_EV_LINGERED in so many microseconds: the token stays until then; a later one replaces it */
    TOTEM_ACT_DRAIN,   /* the process stood still: read and drop what has arrived and not been handed over */
    TOTEM_ACT_NOTE     /* text for the log */
};

enum totem_change_kind {
    TOTEM_TRANSITIONAL, /* members: those that come along from the last ring; left: those that do not */
    TOTEM_REGULAR       /* members: all; joined: those that were not in the transitional one. Synchronise now */
};

enum totem_note_level { TOTEM_NOTE_DEBUG, TOTEM_NOTE_INFO, TOTEM_NOTE_NOTICE, TOTEM_NOTE_WARNING, TOTEM_NOTE_ERROR };

struct totem_action {
    enum totem_action_type type;
    uint32_t node_id;     /* SEND: target, 0: all others; DELIVER: sender */
    const uint8_t *bytes; /* SEND, DELIVER; NOTE: terminated text */
    size_t size;          /* NOTE: without the terminator */
    enum totem_change_kind kind;
    struct totem_ring_id ring; /* CHANGE: in both kinds the new ring */
    const uint32_t *members;   /* CHANGE: ascending, as the others */
    const uint32_t *left;
    const uint32_t *joined;
    uint32_t member_count;
    uint32_t left_count;
    uint32_t joined_count;
    uint64_t ring_seq; /* PERSIST */
    uint32_t us;       /* LINGER */
    enum totem_note_level level;
};

struct totem_actions {
    struct totem_action *items;
    size_t count;
    size_t capacity;
    struct datagram_queue held; /* what they point to */
};

void totem_actions_init(struct totem_actions *actions);
void totem_actions_fini(struct totem_actions *actions);
void totem_actions_reset(struct totem_actions *actions);

/* ---- the machine ----------------------------------------------------------------------------------------- */

/* Completed settings; node_id is not 0. NULL without memory. */
struct totem *totem_new(const struct totem_settings *settings, uint32_t node_id);
void totem_free(struct totem *totem);

/* Applies one event; appends what must be done to `out`. Q_OK, or what the events say. */
enum q_err totem_step(struct totem *totem, const struct totem_event *event, struct totem_actions *out);

/* When TOTEM_EV_TIME is due; coming early or late is harmless. */
uint64_t totem_deadline_ms(const struct totem *totem);

/* Is there room for a message of this size? */
bool totem_has_room(const struct totem *totem, size_t size);

/* Asserts the invariants of the whole state (tests, simulator, fuzzers). */
void totem_check(const struct totem *totem);

/* ---- for status: valid until the next step --------------------------------------------------------------- */

struct totem_counters {
    uint64_t sent[TOTEM_HOLD_CANCEL + 1]; /* by type */
    uint64_t received[TOTEM_HOLD_CANCEL + 1];
    uint64_t retransmitted; /* MCASTs sent again for others */
    uint64_t dropped;       /* datagrams that could not be decoded */
    uint64_t entered[TOTEM_STATE_COUNT];
    uint64_t token_lost[TOTEM_STATE_COUNT];
    uint64_t consensus_timeouts;
    uint64_t gathers_in_a_row; /* since the last ring was complete */
    uint64_t token_at_ms;      /* when one was accepted last */
};

struct totem_status {
    enum totem_state state;
    struct totem_ring_id ring;
    const struct totem_nodes *members; /* of the last complete ring; empty before the first */
    bool synchronising;                /* between a transitional change and TOTEM_EV_SYNCED */
    uint32_t aru;
    uint32_t high_seq;
    uint32_t high_delivered;
    size_t queued; /* datagrams that wait for the token */
    size_t queue_max;
    const struct totem_counters *counters;
    const struct totem_settings *settings;
};

void totem_get_status(const struct totem *totem, struct totem_status *status);

#endif
