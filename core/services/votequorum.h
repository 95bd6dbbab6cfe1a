/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * votequorum as a pure machine: the votes of the cluster as this node knows them, whether the node is
 * quorate, its quorum device, and what clients of libvotequorum ask (spec/votequorum.md, corosync-ipc.md
 * section 8). The shell turns what happens in the synchronisation, on the ring, at clients, in the
 * configuration and on the clock into events, hands each to votequorum_step and carries out the actions that
 * come back, in their order. Nothing here blocks, waits or reads a clock. The rules are in
 * votequorum_rules.h, the meaning of the configuration in votequorum_config.h.
 *
 * Contract of the shell:
 *  - The first event is CONFIG; its action REFUSE ends the daemon. Time is monotonic milliseconds and never
 *    goes back.
 *  - A synchronisation is BEGIN when the ring has changed, PROCESS when it is this service's turn, answered
 *    by exactly one PASS action, at once or at a later event (the device is waited for), then ACTIVATE when
 *    all members have passed. ABORT may come at any time after BEGIN; then comes another BEGIN.
 *  - What SEND gives is multicast in order, and comes back as DELIVERED to every member, this node too.
 *    Messages marked `for_this_ring` that are still waiting for a token when the ring changes are best
 *    dropped: the synchronisation says the same anew.
 *  - Connections are named by ids that are never the same twice, and not 0.
 *
 *   synchronising | event    | quorate or not may change  | and is told
 *   no            | any      | at once                    | at once, if it changed
 *   yes           | any      | unseen                     | no
 *   yes           | ACTIVATE | at once; -> no             | always
 *
 * A node is the authority for its own vote. The packaged daemon takes its own flags, even that of a vote cast
 * by the device, from its own broadcasts as they come back; one that waited for the token when the ring was
 * cut comes back on the next ring and turns a withdrawn vote on again (docs/observed.md, "relapse"). Here
 * only what happens on this node, a poll, a timeout, the end of the device, changes the flags of this node:
 * an own broadcast that comes back is but a moment to count again. If it is not what we would say now, it is
 * followed by what we would, so that peers do not keep an old one either. And a vote that is withdrawn is
 * gone at once, not when the ring has delivered the news: there may be no ring any more. One thing is taken back
 * from what one has said: expected votes higher than those that somebody has announced meanwhile, since peers have taken
 * them from it, too, and only a change is announced when the configuration is read again.
 */
#ifndef QUORATE_CORE_SERVICES_VOTEQUORUM_H
#define QUORATE_CORE_SERVICES_VOTEQUORUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "core/services/cs_error.h"
#include "core/services/votequorum_config.h"
#include "core/services/votequorum_wire.h"
#include "core/totem/wire.h"

struct votequorum;

#define VOTEQUORUM_NEVER UINT64_MAX

/* The values are those clients see. */
enum votequorum_node_state { VOTEQUORUM_MEMBER = 1, VOTEQUORUM_DEAD = 2, VOTEQUORUM_LEAVING = 3 };

/* ---- what clients ask ------------------------------------------------------------------------------------ */

/* The values are request ids. */
enum votequorum_request_type {
    VOTEQUORUM_GET_INFO,
    VOTEQUORUM_SET_EXPECTED,
    VOTEQUORUM_SET_VOTES,
    VOTEQUORUM_TRACK_START,
    VOTEQUORUM_TRACK_STOP,
    VOTEQUORUM_REGISTER,
    VOTEQUORUM_UNREGISTER,
    VOTEQUORUM_RENAME,
    VOTEQUORUM_POLL,
    VOTEQUORUM_MASTER_WINS
};

enum votequorum_track { VOTEQUORUM_TRACK_CURRENT = 1, VOTEQUORUM_TRACK_CHANGES = 2, VOTEQUORUM_TRACK_CHANGES_ONLY = 4 };

struct votequorum_request {
    enum votequorum_request_type type;
    uint32_t node_id;   /* GET_INFO (0: this node), SET_VOTES (0: the device) */
    uint32_t votes;     /* SET_EXPECTED, SET_VOTES */
    uint32_t flags;     /* TRACK_START: enum votequorum_track */
    uint64_t context;   /* TRACK_START */
    const char *name;   /* REGISTER .. MASTER_WINS: as in the request, terminated; RENAME: the old one */
    const char *new_name;
    bool value;         /* POLL: casts its vote */
    uint32_t allow;     /* MASTER_WINS */
    struct totem_ring_id ring_id; /* POLL */
};

/* The bits of `flags` in an answer to GET_INFO. */
enum votequorum_info_flag {
    VOTEQUORUM_INFO_TWO_NODE = 1,
    VOTEQUORUM_INFO_IS_QUORATE = 2,
    VOTEQUORUM_INFO_WAITS_FOR_ALL = 4,
    VOTEQUORUM_INFO_LMS = 8,
    VOTEQUORUM_INFO_ATB = 16,
    VOTEQUORUM_INFO_DOWNSCALE = 32,
    VOTEQUORUM_INFO_DEVICE_REGISTERED = 64,
    VOTEQUORUM_INFO_DEVICE_ALIVE = 128,
    VOTEQUORUM_INFO_DEVICE_CAST_VOTE = 256,
    VOTEQUORUM_INFO_DEVICE_MASTER_WINS = 512
};

struct votequorum_node_info {
    uint32_t node_id;
    enum votequorum_node_state state;
    uint32_t votes;
    uint32_t expected_votes;
    uint32_t highest_expected;
    uint32_t total_votes;
    uint32_t quorum;
    uint32_t flags; /* enum votequorum_info_flag */
    uint32_t device_votes;
    char device_name[VOTEQUORUM_NAME_SIZE];
};

/* ---- events ---------------------------------------------------------------------------------------------- */

enum votequorum_event_type {
    VOTEQUORUM_EV_CONFIG,        /* first: the configuration; later: quorum.* or nodelist.* may have changed */
    VOTEQUORUM_EV_CANCEL_WAIT,   /* quorum.cancel_wait_for_all has been set */
    VOTEQUORUM_EV_SYNC_BEGIN,
    VOTEQUORUM_EV_SYNC_PROCESS,
    VOTEQUORUM_EV_SYNC_ACTIVATE,
    VOTEQUORUM_EV_SYNC_ABORT,
    VOTEQUORUM_EV_DELIVERED,     /* a message of this service */
    VOTEQUORUM_EV_REQUEST,
    VOTEQUORUM_EV_CLIENT_GONE,
    VOTEQUORUM_EV_SHUTDOWN,      /* the node is about to leave in order: flush what is sent */
    VOTEQUORUM_EV_TIME
};

struct votequorum_event {
    enum votequorum_event_type type;
    uint64_t now_ms;
    union {
        const struct votequorum_config *config; /* its node_id is that of the first one */
        struct {
            struct totem_ring_id ring_id;
            const uint32_t *members; /* this node among them */
            uint32_t member_count;
        } begin;
        struct {
            uint32_t sender;
            enum totem_order order; /* of the sender */
            const uint8_t *bytes;             /* from the exec header on */
            size_t size;
        } delivered;
        struct {
            uint64_t conn;
            bool can_send; /* there is room in the transmit queue */
            const struct votequorum_request *request;
        } request;
        struct {
            uint64_t conn;
        } gone;
    } u;
};

/* ---- actions --------------------------------------------------------------------------------------------- */

enum votequorum_action_type {
    VOTEQUORUM_ACT_REFUSE,          /* the configuration: text says why */
    VOTEQUORUM_ACT_SEND,            /* data: an exec message in this machine's byte order */
    VOTEQUORUM_ACT_PASS,            /* PROCESS is done: enter the barrier */
    VOTEQUORUM_ACT_REPORT,          /* to the quorum service: quorate, ring_id, nodes (the members) */
    VOTEQUORUM_ACT_ANSWER,          /* error; to GET_INFO (has_info) also `info` */
    VOTEQUORUM_ACT_QUORUM_EVENT,    /* quorate, context, nodes with their states */
    VOTEQUORUM_ACT_NODELIST_EVENT,  /* context, ring_id, nodes */
    VOTEQUORUM_ACT_EXPECTED_EVENT,  /* context, value */
    VOTEQUORUM_ACT_PUBLISH,         /* key, value */
    VOTEQUORUM_ACT_STORE_EXPECTED,  /* value: the highest expected votes ever seen, to be kept on disk */
    VOTEQUORUM_ACT_NOTE
};

enum votequorum_note_level {
    VOTEQUORUM_NOTE_DEBUG,
    VOTEQUORUM_NOTE_NOTICE,
    VOTEQUORUM_NOTE_WARNING,
    VOTEQUORUM_NOTE_CRITICAL
};

/* Keys of the key map that are written by this service (spec section 7.1). */
enum votequorum_key {
    VOTEQUORUM_KEY_THIS_NODE_ID,
    VOTEQUORUM_KEY_TWO_NODE,
    VOTEQUORUM_KEY_EV_BARRIER,
    VOTEQUORUM_KEY_LOWEST_NODE_ID,
    VOTEQUORUM_KEY_HIGHEST_NODE_ID,
    VOTEQUORUM_KEY_WAIT_FOR_ALL_STATUS,
    VOTEQUORUM_KEY_ATB_TYPE,
    VOTEQUORUM_KEY_EV_TRACKING_BARRIER,
    VOTEQUORUM_KEY_DEVICE_CAN_OPERATE,
    VOTEQUORUM_KEY_DEVICE_MASTER_WINS,
    VOTEQUORUM_KEY_CANCEL_WAIT_FOR_ALL, /* back to 0, once whoever tracks it has been told of the 1 */
    VOTEQUORUM_KEY_COUNT
};

const char *votequorum_key_name(enum votequorum_key key);
bool votequorum_key_is_u8(enum votequorum_key key); /* else u32 */

struct votequorum_node_and_state {
    uint32_t node_id;
    uint32_t state; /* enum votequorum_node_state; 0 for the device */
};

/* A piece of `data` (text without its terminator) or of `nodes`. */
struct votequorum_span {
    size_t offset;
    size_t size;
};

struct votequorum_action {
    enum votequorum_action_type type;
    uint64_t conn;    /* ANSWER and the events */
    uint64_t context;
    enum cs_error error;
    bool has_info;      /* ANSWER: to GET_INFO, also if it is an error */
    bool for_this_ring; /* SEND */
    bool quorate;
    struct totem_ring_id ring_id;
    struct votequorum_span nodes;
    struct votequorum_span data; /* SEND; text of REFUSE and NOTE */
    enum votequorum_key key;
    uint32_t value;
    enum votequorum_note_level level;
};

struct votequorum_actions {
    struct votequorum_action *items;
    size_t count;
    size_t capacity;
    struct q_buf data;
    struct votequorum_node_and_state *nodes;
    size_t node_count;
    size_t node_capacity;
    struct votequorum_node_info info; /* of the only answer to GET_INFO a step can give */
};

void votequorum_actions_init(struct votequorum_actions *actions);
void votequorum_actions_fini(struct votequorum_actions *actions);
void votequorum_actions_reset(struct votequorum_actions *actions);
const uint8_t *votequorum_actions_bytes(const struct votequorum_actions *actions, struct votequorum_span span);
const char *votequorum_actions_text(const struct votequorum_actions *actions, struct votequorum_span span);

/* ---- the machine ----------------------------------------------------------------------------------------- */

/* NULL without memory. `order` is this machine's. */
struct votequorum *votequorum_new(enum totem_order order);
void votequorum_free(struct votequorum *vq);

/* Applies one event; appends what must be done. Q_ERR_NO_MEMORY: actions are missing, the node must stop. */
enum q_err votequorum_step(struct votequorum *vq, const struct votequorum_event *event, struct votequorum_actions *out);

/* When VOTEQUORUM_EV_TIME is due; VOTEQUORUM_NEVER: no timer needed. */
uint64_t votequorum_deadline_ms(const struct votequorum *vq);

/* Asserts what must always be so (tests, simulator, fuzzers). */
void votequorum_check(const struct votequorum *vq);

/* For the quorum service and for tests; valid until the next step. */
bool votequorum_is_quorate(const struct votequorum *vq);

#endif
