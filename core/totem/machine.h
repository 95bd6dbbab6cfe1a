/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the ring's machine (totem.h): its state, and what its files offer one another. Each function belongs to
 * the file named above it. Nobody outside of core/totem includes this.
 */
#ifndef QUORATE_CORE_TOTEM_MACHINE_H
#define QUORATE_CORE_TOTEM_MACHINE_H

#include "core/totem/assembly.h"
#include "core/totem/frame.h"
#include "core/totem/packing.h"
#include "core/totem/store.h"
#include "core/totem/totem.h"

#define PAST_RINGS 16

enum timer {
    TIMER_TOKEN_LOSS,
    TIMER_TOKEN_RETRANSMIT,
    TIMER_TOKEN_WARNING,
    TIMER_HOLD,
    TIMER_HEARTBEAT,
    TIMER_MERGE,
    TIMER_JOIN,
    TIMER_SEND_JOIN,
    TIMER_CONSENSUS,
    TIMER_WATCHDOG,
    TIMER_COUNT
};

/* The newest ring that a node was heard in. A table of them is full some day; who is forgotten is treated as the packaged
 * daemon treats everybody (membership.c). */
struct heard {
    uint32_t node_id;
    uint64_t ring_seq;
    uint64_t at_ms;
    bool given_up;         /* for its silence, and not heard since */
    uint64_t given_up_seq; /* ring_seq when it was given up last, for whatever reason */
};

enum linger_kind { LINGER_NOT, LINGER_COLLECT, LINGER_ANSWER };

/* The token stays (linger.c). */
struct linger {
    enum linger_kind kind;
    struct totem_token token; /* COLLECT: as it came; ANSWER: as it will be passed on */
    uint32_t allowed;         /* ANSWER: datagrams that may still be sent */
    unsigned answers;         /* ANSWER: messages that were sent one by one */
};

struct totem {
    uint32_t me;
    struct totem_settings settings;
    enum totem_state state;
    bool started;

    /* The step that is going on. */
    uint64_t now_ms;
    uint32_t random;
    struct totem_actions *out;
    bool out_of_memory;
    struct datagram_queue loopback; /* said to oneself, not heard yet */
    struct totem_message received;  /* large, therefore here */
    struct totem_message sending;

    uint64_t deadlines_ms[TIMER_COUNT]; /* TOTEM_NEVER: not armed */
    uint64_t awake_ms;                  /* when the watchdog last ran */

    /* Rings. */
    struct totem_ring_id ring;     /* from COMMIT on the one that is being formed */
    struct totem_ring_id old_ring; /* the last one that was complete */
    struct totem_ring_id past_rings[PAST_RINGS]; /* that I was in, or had agreed to */
    size_t past_ring_next;
    struct heard heard[TOTEM_NODES_MAX];
    uint32_t heard_count;
    uint64_t ring_seq_max;         /* highest heard of */
    struct totem_nodes proc;       /* candidates */
    struct totem_nodes failed;
    struct totem_nodes consensus;
    struct totem_nodes members; /* of the last complete ring */
    struct totem_nodes new_members;
    struct totem_nodes trans_members; /* come along from the last ring */
    struct totem_commit commit;       /* the commit token as it was complete */
    uint32_t target;                  /* who gets the token after me */
    uint32_t commit_token_seq;        /* of the last commit token sent */
    bool first_token_sent;
    bool failed_to_receive; /* I put myself into `failed` */

    /* Messages. */
    struct store *regular;  /* of old_ring; while OPERATIONAL of `ring`, which is the same then */
    struct store *recovery; /* of the ring that is being formed */
    uint32_t aru;           /* numbers of the ring that is going on: of `recovery` in RECOVERY */
    uint32_t high_seq;
    uint32_t high_delivered;
    bool saved; /* aru and high_seq of old_ring are kept below, as they were when it ended */
    uint32_t old_aru;
    uint32_t old_high;
    int32_t this_seqno;

    /* The token. */
    struct datagram *last_token; /* as it was sent or is held: token or commit token */
    uint32_t my_token_seq;
    uint32_t last_seq;
    uint32_t last_aru;
    uint32_t seq_passed;    /* as I passed the token on */
    struct linger linger;
    uint32_t seq_unchanged; /* visits in a row without a new message */
    bool token_held;        /* the ring is idle: the representative holds the token */
    uint32_t aru_unchanged;
    uint32_t sent_last_visit; /* "trc" */
    uint32_t backlog_last;    /* "pbl" */
    uint32_t backlog_now;     /* "cbl" */

    /* Recovery. */
    struct datagram_queue recovery_queue;
    uint32_t quiet_visits; /* in a row, with nobody having anything to send again */
    uint32_t install_seq;
    uint32_t rotations;
    bool flag_set_by_me;

    /* Messages on their way out and in. */
    bool waiting; /* between a transitional change and SYNCED */
    struct packing packing;
    uint32_t messages_since_visit; /* of the services; the token has not taken them along yet */
    uint32_t messages_last_visit;  /* that had come since the visit before */
    struct datagram_queue queue;      /* while not waiting */
    struct datagram_queue sync_queue; /* while waiting */
    struct assembly_table assemblies;
    struct assembly_table sync_assemblies;
    bool sync_delivery; /* frames belong to sync_assemblies */
    struct handover *handovers; /* ordered, and waiting for their turn; NULL: none */
    struct handover *handovers_last;
    uint32_t changes_in_line;
    bool handover_paused; /* until the next event that may end the synchronisation */

    struct totem_counters counters;
};

/* ---- actions.c: appending to the step's actions ---- */

/* The datagram is held until the next step. Both count; target 0 means all others. */
void act_send(struct totem *m, uint32_t target, struct datagram *datagram);
/* Encodes m->sending, whose header.type and u are filled in. NULL without memory. */
struct datagram *act_encode(struct totem *m, uint32_t node_id, uint32_t target);
/* act_encode and act_send to all others; `to_myself`: heard here too. */
void act_multicast(struct totem *m, uint32_t node_id, bool to_myself);
void act_deliver(struct totem *m, uint32_t sender, struct datagram *holder, const uint8_t *bytes, size_t size);
void act_change(struct totem *m, enum totem_change_kind kind, const struct totem_ring_id *ring,
                const struct totem_nodes *members, const struct totem_nodes *left, const struct totem_nodes *joined);
void act_persist(struct totem *m, uint64_t ring_seq);
void act_drain(struct totem *m);
void act_linger(struct totem *m, uint32_t us);
void act_note(struct totem *m, enum totem_note_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- totem.c ---- */

void timer_arm(struct totem *m, enum timer timer, uint32_t after_ms);
void timer_stop(struct totem *m, enum timer timer);
static inline bool timer_armed(const struct totem *m, enum timer timer)
{
    return m->deadlines_ms[timer] != TOTEM_NEVER;
}
static inline bool i_am_representative(const struct totem *m)
{
    return m->ring.rep == m->me;
}

/* ---- membership.c: GATHER ---- */

void membership_gather(struct totem *m, const char *why);
void membership_on_join(struct totem *m, const struct totem_header *header, const struct totem_join *join);
void membership_on_foreign(struct totem *m, uint32_t node_id, const struct totem_ring_id *ring, const char *why);
void membership_on_token_lost(struct totem *m, const char *how);
void membership_on_consensus_timer(struct totem *m);
void membership_on_join_timer(struct totem *m);
void membership_send_join(struct totem *m);
void membership_fail_to_receive(struct totem *m);
void membership_leave(struct totem *m);
/* A ring of m->members is complete. */
void membership_on_ring(struct totem *m);

/* ---- commit.c: COMMIT ---- */

/* As the lowest of proc without failed. */
void commit_create(struct totem *m);
void commit_on_token(struct totem *m, struct totem_commit *commit);

/* ---- recovery.c: RECOVERY ---- */

void recovery_enter(struct totem *m, struct totem_commit *commit);
/* At the end of a token's visit; may complete the ring. */
void recovery_on_visit(struct totem *m, struct totem_token *token);
/* Back to GATHER: the numbers of the old ring count again. */
void recovery_abandon(struct totem *m);

/* ---- token.c ---- */

void token_on_receive(struct totem *m, struct totem_token *token);
/* Its visit begins. */
void token_take(struct totem *m, struct totem_token *token);
/* As the representative, in RECOVERY. */
void token_create(struct totem *m);
/* Passes on what is kept: the visit is over. */
void token_resend(struct totem *m);
/* Sends what is queued, so many datagrams at most, as a part of the visit that is going on; returns how many. */
uint32_t token_visit_on(struct totem *m, struct totem_token *token, uint32_t allowed);
/* Somebody, perhaps I, has a message while the token is held. */
void token_on_hold_cancel(struct totem *m);
void token_cancel_hold(struct totem *m);
void token_on_merge_timer(struct totem *m);
/* Keeps it for resending; `forward`: sends it now, to the target. Takes the reference over. */
void token_pass(struct totem *m, struct datagram *token, bool forward);

/* ---- linger.c ---- */

/* True: the token is kept, and its visit begins later. */
bool linger_before_visit(struct totem *m, const struct totem_token *token);
/*
 * Everything of a visit has been done but passing the token on, and nobody else has sent since the visit before. `sent`
 * and `allowed`: datagrams of this visit, and how many more there may be. True: it stays.
 */
bool linger_after_visit(struct totem *m, const struct totem_token *token, uint32_t sent, uint32_t allowed);
/* A message has been queued. */
void linger_on_message(struct totem *m);
/* There is nothing left to wait for. */
void linger_on_end(struct totem *m);

/* ---- flow.c ---- */

/* How many datagrams may be sent at this visit (spec/totem-protocol.md section 5.5). */
uint32_t flow_allowance(const struct totem_settings *settings, uint32_t fcc, uint32_t backlog, uint32_t backlog_now,
                        uint32_t backlog_last);
/* 0 if so many, and a whole window, might not fit between what was released and the newest. */
uint32_t flow_window_guard(const struct totem_settings *settings, uint32_t released, uint32_t seq, uint32_t allowed);

/* ---- ordering.c ---- */

/* `bytes` is the whole datagram. */
void ordering_on_mcast(struct totem *m, const struct totem_mcast *mcast, const uint8_t *bytes, size_t size);
/* In the ring that is going on; the datagram's first TOTEM_MCAST_SIZE bytes are made here. Takes the reference over. */
void ordering_send(struct totem *m, struct datagram *datagram, enum totem_encapsulation encapsulated, uint32_t seq);
void ordering_advance_aru(struct totem *m);
void ordering_deliver(struct totem *m);
static inline struct store *ordering_store(struct totem *m)
{
    return m->state == TOTEM_RECOVERY ? m->recovery : m->regular;
}

/* ---- handover.c: what has been ordered goes up, at once or when its turn comes ---- */

void handover_frame(struct totem *m, struct datagram *mcast);
/* In m->ring; `others` have left (transitional) or joined (regular). */
void handover_change(struct totem *m, enum totem_change_kind kind, const struct totem_nodes *members,
                     const struct totem_nodes *others);
/* A new step: the services have seen everything that was handed over, and said whether they are done. */
void handover_continue(struct totem *m);
void handover_fini(struct totem *m);

/* ---- queueing of messages: packing.c ---- */

static inline struct datagram_queue *outgoing_queue(struct totem *m)
{
    return m->waiting ? &m->sync_queue : &m->queue;
}

#endif
