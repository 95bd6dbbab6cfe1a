/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter's insides, shared by the files of qnetd/logic and by nobody else: the machine, a session (one
 * connection's protocol state), and what each file offers the others. One step works on one event; `now_ms` and
 * `out` are only set during it. A session that must be closed in the middle of a step is marked and closed when the
 * step ends, so that nothing disappears under a loop.
 */
#ifndef QUORATE_QNETD_LOGIC_MACHINE_H
#define QUORATE_QNETD_LOGIC_MACHINE_H

#include "qnetd/logic/arbiter.h"
#include "qnetd/logic/cluster.h"

enum session_state {
    SESSION_CONNECTED, /* nothing said yet */
    SESSION_PREINITED, /* the cluster's name is known */
    SESSION_SECURING,  /* TLS handshake */
    SESSION_READY      /* member of a cluster */
};

/* Longer than any a certificate can bear. */
#define CLUSTER_NAME_SIZE_MAX 255u

/* Who comes without a certificate can name any cluster: so many from one place at a time, ghosts included. */
#define UNVERIFIED_CLUSTERS_MAX 256u
#define ORIGIN_BUCKETS 1024u

struct session {
    uint64_t conn;
    enum session_state state;
    bool secured;       /* TLS is up */
    bool cert_verified; /* and the peer's certificate names this cluster, */
    bool cert_exact;    /* and spells it in the same way */
    struct cluster_identity identity; /* of the certificate that names it; may be none */
    bool doomed;        /* to be closed at the end of the step */
    char peer[64];
    uint32_t origin; /* where it comes from, as a hash */
    uint8_t *name; /* of PREINIT; owned */
    size_t name_size;
    uint64_t connected_ms;
    struct cluster *cluster; /* READY */
    struct member *member;
    struct deadline deadline;
    struct session *older; /* uninitialised sessions in order of arrival */
    struct session *younger;
    struct session *next_doomed;
};

struct arbiter {
    struct arbiter_settings settings;
    uint64_t start_ms;
    bool restored_complete; /* every grant of an earlier life is known */
    bool restore_failed;    /* there was no memory for one of them */
    uint32_t unverified_clusters[ORIGIN_BUCKETS]; /* opened without a certificate, by origin */

    struct session **sessions; /* by slot: low half of the connection id */
    size_t session_capacity;
    uint32_t client_count;
    struct session *oldest_uninitialised;
    struct session *youngest_uninitialised;
    struct session *doomed;        /* to be closed when the step ends */
    struct cluster *persist_first; /* to be recorded when the step ends */

    void *clusters_by_name; /* tsearch trees */
    void *clusters_by_id;
    struct cluster *first_cluster;
    struct cluster *last_cluster;
    uint32_t cluster_total;
    uint64_t next_cluster_id;

    struct deadline_heap deadlines; /* sessions and clusters */

    uint64_t now_ms;
    struct arbiter_actions *out;
    bool out_of_memory;
    struct wire_message reply; /* scratch: too large to build on the stack for every message */
};

enum deadline_kind { DEADLINE_SESSION, DEADLINE_CLUSTER };

/* ---- emit.c: actions ---- */

void emit_message(struct arbiter *a, struct session *session, const struct wire_message *message);
void emit_echo(struct arbiter *a, struct session *session, struct wire_bytes request);
void emit_error(struct arbiter *a, struct session *session, enum wire_error error, const struct wire_message *about);
void emit_start_tls(struct arbiter *a, struct session *session);
/* False without memory: nothing was emitted. */
bool emit_persist(struct arbiter *a, const struct cluster *cluster, const struct grant_record *record);
void emit_forget(struct arbiter *a, const struct cluster *cluster);
void emit_session_note(struct arbiter *a, enum arbiter_note_level level, const struct session *session,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));
void emit_cluster_note(struct arbiter *a, enum arbiter_note_level level, const struct cluster *cluster,
                       uint32_t node_id, const char *format, ...) __attribute__((format(printf, 5, 6)));
void emit_decision(struct arbiter *a, const struct cluster *cluster, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Closes a connection for which there was no memory for a session. */
void emit_drop(struct arbiter *a, uint64_t conn);
/* The session is closed when the step ends; `why` is logged with it. */
void emit_close(struct arbiter *a, struct session *session, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- session.c: one connection's protocol ---- */

enum q_err session_open(struct arbiter *a, const struct arbiter_event *event);
struct session *session_find(const struct arbiter *a, uint64_t conn);
void session_on_message(struct arbiter *a, struct session *session, const struct arbiter_event *event);
void session_on_undecodable(struct arbiter *a, struct session *session, const struct wire_message *message);
void session_on_skipped(struct arbiter *a, struct session *session, enum wire_error error);
void session_on_tls(struct arbiter *a, struct session *session, const struct arbiter_event *event);
void session_on_deadline(struct arbiter *a, struct session *session);
/* Brings the session's entry in the heap up to date, never later than it need be. */
void session_schedule(struct arbiter *a, struct session *session);
/* INIT is done, or the session ends before it: no candidate for being sacrificed any more. */
void session_leave_uninitialised(struct arbiter *a, struct session *session);
/* Closes and ends a session that is not the one at work. */
void session_replace(struct arbiter *a, struct session *session);
/* Takes the session out of its cluster and frees it. */
void session_end(struct arbiter *a, struct session *session, enum arbiter_disconnect how);

/* ---- init.c: the INIT message ---- */

void init_on_message(struct arbiter *a, struct session *session, const struct wire_message *message);

/* ---- report.c: what a member tells and asks ---- */

void report_on_node_list(struct arbiter *a, struct session *session, const struct wire_message *message);
void report_on_heuristics(struct arbiter *a, struct session *session, const struct wire_message *message);
void report_on_ask(struct arbiter *a, struct session *session, const struct wire_message *message);
void report_on_set_option(struct arbiter *a, struct session *session, const struct wire_message *message);

/* ---- clusters.c: the registry ---- */

struct cluster *clusters_find(const struct arbiter *a, struct wire_bytes name);
/* Some cluster of that name, ASCII case apart. */
struct cluster *clusters_find_any_case(const struct arbiter *a, struct wire_bytes name);
struct cluster *clusters_find_id(const struct arbiter *a, uint64_t id);
/* NULL without memory. */
struct cluster *clusters_add(struct arbiter *a, struct wire_bytes name);
/* Frees the cluster if nobody is connected and no ghost is left. */
void clusters_collect(struct arbiter *a, struct cluster *cluster);
void clusters_free_all(struct arbiter *a);

/* The member of that id, added if there is none. NULL without memory. */
struct member *cluster_add_member(struct cluster *cluster, uint32_t node_id);
void cluster_remove_member(struct cluster *cluster, struct member *member);
/* Forgets what a former connection reported; identity and grant stay. */
void member_reset_reports(struct member *member);

/* ---- view.c: what the algorithms see ---- */

enum view_state {
    VIEW_EMPTY,    /* nobody reports */
    VIEW_STABLE,   /* the reports are consistent */
    VIEW_UNSTABLE, /* they are not: `why` says so */
    VIEW_NO_MEMORY
};

struct view_storage {
    struct view view;
    struct node_set config;
    struct view_partition *partitions;
    bool knows_all; /* no report names a node that is not configured: `config` is the whole cluster */
    bool complete;  /* and every configured node reports */
    char why[VERDICT_REASON_SIZE];
};

/*
 * Whether `list` and the lists of all connected members together name more than `max` nodes (or memory ran out). What a
 * decision costs grows with that number.
 */
bool view_names_too_many(const struct cluster *cluster, const struct node_set *list, uint32_t max);
/* Builds the view of the committed reports. `forced`: contradictions no longer hold a decision up. */
enum view_state view_build(const struct cluster *cluster, bool forced, struct view_storage *storage);
void view_fini(struct view_storage *storage);

/* ---- delivery.c: from reports to votes ---- */

/* Decides anew from committed reports and sends what follows from it. */
void delivery_evaluate(struct arbiter *a, struct cluster *cluster);
void delivery_on_confirmation(struct arbiter *a, struct session *session, uint32_t seq);
/* A member says in its quorum list that it is not quorate. */
void delivery_on_inquorate(struct arbiter *a, struct session *session);
/* A member says something new: where patience with contradicting reports had run out, it begins anew. */
void delivery_on_new_lists(const struct arbiter *a, struct cluster *cluster);
/* A member that was told NACK says that it is quorate: votequorum brought its former vote back. */
void delivery_on_relapse(struct arbiter *a, struct session *session);
void delivery_on_persisted(struct arbiter *a, struct cluster *cluster, uint64_t generation,
                           enum arbiter_persist_result result);
void delivery_on_deadline(struct arbiter *a, struct cluster *cluster);
/* Emits the PERSIST actions of the step. */
void delivery_finish_step(struct arbiter *a);
/* A member's connection has ended: its grant becomes a ghost or ends. The caller evaluates afterwards. */
void delivery_on_departure(struct arbiter *a, struct cluster *cluster, struct member *member,
                           enum arbiter_disconnect how);
/* When an unconfirmed NACK makes the arbiter give this member's connection up; ARBITER_NEVER: none. */
uint64_t delivery_confirmation_deadline_ms(const struct member *member);
/* Whether this member reports what the winning partition reports. */
bool delivery_is_winner(const struct cluster *cluster, const struct member *member);
/* Whether this member is among the winners and has not been told ACK yet. */
bool delivery_is_due(const struct cluster *cluster, const struct member *member);
/* Whether grants of an earlier life may exist that nobody has told us of: in this cluster, or held by this member. */
bool delivery_is_cautious(const struct arbiter *a, const struct cluster *cluster);
bool delivery_is_cautious_about(const struct arbiter *a, const struct cluster *cluster, const struct member *member);
/* When they have all ended, by the heartbeat intervals of those who are connected; the start, if nobody is. */
uint64_t delivery_caution_end_ms(const struct arbiter *a, const struct cluster *cluster);

/* ---- record.c: what must be on disk before ACKs leave ---- */

/* Whether the newest record says all that must be known after a restart, and is written; or has been emitted. */
bool record_is_in_place(const struct arbiter *a, const struct cluster *cluster);
bool record_is_under_way(const struct arbiter *a, const struct cluster *cluster);
/*
 * A new one is needed: it is emitted when the step ends. The PERSIST action is the last of its step, since its answer releases
 * ACKs, and a reply of this step that says "wait" must not overtake them.
 */
void record_begin(struct arbiter *a, struct cluster *cluster);
/* Emits it, at the end of the step. False without memory. */
bool record_emit(struct arbiter *a, struct cluster *cluster);
/* The answer. False: to an earlier record than the newest. */
bool record_on_persisted(struct cluster *cluster, uint64_t generation, enum arbiter_persist_result result);

#endif
