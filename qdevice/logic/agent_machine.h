/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The agent's insides, shared by the files of qdevice/logic and by nobody else. One step works on one event; `now_ms`,
 * `random` and `out` are only meaningful during it.
 */
#ifndef QUORATE_QDEVICE_LOGIC_AGENT_MACHINE_H
#define QUORATE_QDEVICE_LOGIC_AGENT_MACHINE_H

#include "qdevice/logic/agent.h"

#define ECHOES_MAX 16 /* under way: more than fit into a lease at H/4 each */
#define TROUBLE_SIZE (AGENT_TEXT_SIZE - 96) /* likewise */
#define REASON_SIZE (AGENT_TEXT_SIZE - 48) /* the sentence around it fits too */

/* Troubles that were told, at most, before the oldest is forgotten: those of a few arbiters with a few addresses. */
#define TOLD_MAX 16
/* An administrator who looks at the log of the last minutes should see why nothing works. */
#define TOLD_AGAIN_MS 600000

struct told {
    uint64_t trouble; /* a digest of its words; 0: none */
    uint64_t at_ms;
};

struct echo {
    uint32_t seq;
    uint64_t sent_ms;
};

struct agent {
    /* Configuration, owned. */
    bool configured;
    struct agent_config config; /* its pointers are not used: the copies below are */
    char *cluster_name;
    char *hosts[AGENT_HOSTS_MAX];
    struct wire_node_info *nodes;

    /* What the core says. */
    bool has_ring;
    bool in_sync;
    struct wire_ring_id ring;
    struct node_set members;
    bool has_quorum;
    bool quorate;
    struct wire_node_info *quorum_nodes;
    uint32_t quorum_node_count;

    /* The link. */
    enum agent_link link;
    uint64_t conn; /* of the present or newest connection; 0: none yet */
    size_t host;
    size_t granted_host; /* the host whose verdict is in force */
    uint32_t address;
    uint32_t address_count;    /* of the newest lookup that brought any */
    size_t resolved_host;      /* whose addresses they are; AGENT_HOSTS_MAX: nobody's that we know */
    bool remembering;          /* this attempt goes by a former lookup */
    bool patient;              /* the next lookup is waited for in spite of that, unless there is a vote to lose */
    char trouble[TROUBLE_SIZE]; /* why no arbiter is reached, in words; "": nothing has failed */
    size_t lookup_trouble_size; /* the part of it that is about the lookup, while `remembering` */
    struct told told[TOLD_MAX]; /* as warnings since a session worked last: they are not warned of each time */
    uint64_t idle_until_ms;    /* AGENT_IDLE */
    uint64_t lookup_until_ms;  /* AGENT_RESOLVING: give it up, or go on with what a former one brought */
    uint64_t attempt_until_ms; /* AGENT_CONNECTING: give this address up */
    uint64_t connect_until_ms; /* give the whole attempt up */
    uint32_t attempt_ms;       /* grows until an address has answered once */
    uint32_t pause_ms;         /* the next one */
    uint32_t failures;         /* in a row */
    bool secured;
    bool ours;
    bool knows_kap;
    bool lists_sent;
    uint64_t connected_ms;
    uint64_t answered_ms;
    uint64_t session; /* counts READY sessions */

    /* Sequence numbers and echoes. */
    uint32_t seq;
    uint64_t init_sent_ms;
    bool init_pending; /* AGENT_INIT: to be sent when another arbiter's vote is withdrawn */
    uint32_t echo_seq;
    struct echo echoes[ECHOES_MAX];
    uint32_t echo_count;
    uint64_t echo_due_ms;
    uint32_t lease_ms;       /* in force in this session: an arbiter of ours may honour less than we state */
    uint64_t heard_until_ms; /* newest answered request's sending time, plus the lease; this session only */

    /* The verdict. */
    enum wire_vote verdict; /* ACK, NACK or undefined */
    struct wire_ring_id verdict_ring;
    uint64_t verdict_session;
    uint64_t ride_until_ms;    /* end of the lease of a verdict of an earlier session */
    uint64_t undecided_until_ms; /* the arbiter has said since that it will decide anew: no prolongation; AGENT_NEVER */
    uint64_t patience_until_ms; /* for a verdict on this ring */
    char reason[REASON_SIZE]; /* the arbiter's words, printable */

    /* What the voter was told last. */
    enum agent_cast cast;
    struct wire_ring_id cast_ring;
    uint64_t cast_until_ms;
    uint64_t cast_sequence;
    uint64_t polled_sequence; /* the newest that asked for a poll */
    uint64_t done_sequence;   /* the newest that the voter has carried out */
    bool cast_again; /* poll even if nothing is new: votequorum may have lost it (docs/observed.md) */
    bool confirm_pending; /* VOTE_INFO to be confirmed when the voter has carried out what is cast */
    uint32_t confirm_seq;
    enum wire_vote confirm_vote;

    /* Heuristics. */
    uint64_t run_sequence;
    bool run_pending;
    enum agent_run run;
    enum wire_heuristics heuristics;
    enum wire_heuristics heuristics_by_run[3];

    bool shutting_down;
    bool stopped;
    bool stop_pending;      /* the withdrawal of the vote is under way */
    uint64_t stop_until_ms; /* then stop all the same */

    uint64_t now_ms;
    uint32_t random;
    struct agent_actions *out;
    bool out_of_memory;
    struct wire_message message; /* scratch for what is sent */
};

/* ---- act.c ---- */
void agent_act_send(struct agent *a, const struct wire_message *message);
void agent_act_resolve(struct agent *a);
void agent_act_connect(struct agent *a);
void agent_act_start_tls(struct agent *a);
void agent_act_close(struct agent *a, bool goodbye);
void agent_act_cast(struct agent *a, bool poll);
void agent_act_heuristics(struct agent *a, enum agent_run run, uint32_t timeout_ms);
void agent_act_stop(struct agent *a);
void agent_act_note(struct agent *a, enum agent_note_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- link.c: reaching an arbiter ---- */
void link_begin(struct agent *a);
void link_on_resolved(struct agent *a, uint32_t address_count, const char *text);
void link_on_connected(struct agent *a);
void link_on_secured(struct agent *a);
void link_on_disconnected(struct agent *a, const char *text);
void link_on_time(struct agent *a);
uint64_t link_deadline_ms(const struct agent *a);
/* Ends the present connection, or attempt, by our own doing; the next attempt follows. */
void link_drop(struct agent *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The configuration names other arbiters, or another identity towards them. */
void link_restart(struct agent *a, const char *why);

/* ---- conversation.c: messages ---- */
void conversation_preinit(struct agent *a);
/* Introduces us, at once or as soon as another arbiter's vote is withdrawn. */
void conversation_init(struct agent *a);
void conversation_send_init(struct agent *a);
void conversation_on_message(struct agent *a, const struct wire_message *message);
void conversation_on_unreadable(struct agent *a);
void conversation_on_time(struct agent *a);
uint64_t conversation_deadline_ms(const struct agent *a);
/* Send, if READY and the first lists are out. */
void conversation_config_list(struct agent *a);
void conversation_membership_list(struct agent *a);
void conversation_quorum_list(struct agent *a);
void conversation_heuristics(struct agent *a);
void conversation_keep_active(struct agent *a);
/* Everything an arbiter has to know, once heuristics have answered. */
void conversation_first_lists(struct agent *a);

/* ---- vote.c: what is cast ---- */
/* The verdict in a message that arrived in this session. */
void vote_on_verdict(struct agent *a, enum wire_vote vote, struct wire_ring_id ring, struct wire_bytes reason);
/* VOTE_INFO: a verdict that is to be confirmed. */
void vote_on_info(struct agent *a, const struct wire_message *message);
/* There is a new ring (a->ring): what was decided for the former one does not hold for it. */
void vote_on_ring(struct agent *a);
/* Works out what is to be cast now, and tells the voter if that is news. Ends every step. */
void vote_update(struct agent *a);
void vote_on_cast_done(struct agent *a, uint64_t sequence);
/* Whether votequorum has what it is to have. */
bool vote_is_carried_out(const struct agent *a);
/* The core has gone, and every vote with it. */
void vote_on_core_lost(struct agent *a);
/* Withdraws the vote, then says goodbye and stops. */
void vote_begin_stop(struct agent *a);
void vote_on_time(struct agent *a);
/* The session is over: what it granted lives on as far as the lease reaches, or ends. */
void vote_on_session_end(struct agent *a);
/* About to introduce ourselves to a host: what another arbiter granted must not be used beside it. Sets init_pending if it
 * is still to be withdrawn. */
void vote_on_introduction(struct agent *a);
uint64_t vote_lease_until_ms(const struct agent *a);
/* Whether what is cast is an ACK that ends with the lease unless the arbiter is reached before. */
bool vote_rides(const struct agent *a);
uint64_t vote_deadline_ms(const struct agent *a);
void vote_explain(const struct agent *a, char *text, size_t size);

#endif
