/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter's event loop: listening socket, connections and the one timer around the pure arbiter. It turns
 * readiness into events, hands them to arbiter_step and carries out the actions in their order.
 *
 * libqb's loop looks for a descriptor in a list of all registered ones, so only two of ours are registered: an
 * epoll instance with the listener and all connections that talk, and, with lower priority, one with those in
 * the TLS handshake, whose costly steps must not keep votes waiting. The work per event is constant.
 *
 * Embedded in main's daemon. The arbiter, settings, identity and state directory are borrowed.
 */
#ifndef QUORATE_QNETD_SERVER_H
#define QUORATE_QNETD_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "qnetd/connection.h"
#include "qnetd/connection_table.h"
#include "qnetd/decisions.h"
#include "qnetd/enrolment.h"
#include "qnetd/identity.h"
#include "qnetd/logic/arbiter.h"
#include "qnetd/note_log.h"
#include "qnetd/revocation.h"
#include "qnetd/settings.h"
#include "qnetd/state_dir.h"

/* An event that comes of carrying out an action: it waits until all actions of the step are done. */
struct server_follow_up {
    enum arbiter_event_type type; /* DISCONNECTED or PERSISTED */
    uint64_t conn;
    uint64_t cluster_id;
    uint64_t generation;
    enum arbiter_persist_result result;
};

#define SERVER_ADDRESS_BUCKETS 1024

/* In order of arrival. */
struct connection_list {
    struct connection *oldest;
    struct connection *newest;
    uint64_t count;
};

struct server {
    qb_loop_t *loop;
    const struct settings *settings;
    struct arbiter *arbiter;
    struct identity *identity;
    struct enrolment *enrolment;
    const struct revocation_watch *revoked;
    struct state_dir *state;
    struct decisions *decisions;

    int listener_fd;
    int talk_fd;      /* epoll: listener and connections */
    int handshake_fd; /* epoll: connections in the TLS handshake */
    int crowd_fd;     /* epoll: those of addresses from which many come at once; they wait for one another */
    uint32_t securing_counts[SERVER_ADDRESS_BUCKETS]; /* connections on the way to TLS, by hash of the address */
    struct connection_table connections;
    uint32_t connections_max; /* by descriptors */
    struct message_stream_limits limits;

    uint64_t now_ms;       /* time of the newest step */
    uint64_t turn_until_ms; /* when others come first again */
    int turn_size;          /* how many connections are looked at in a turn */
    struct connection *turn_first; /* input left over that no readiness announces */
    struct connection *turn_last;
    bool turn_job_queued;
    struct connection_list in_line; /* waiting to begin the TLS handshake */
    bool line_timer_armed;
    struct connection_list handshakes; /* under way */
    struct connection *closed;         /* to be freed when nobody holds them any more */
    uint32_t closed_count;             /* since memory was last given back */
    bool flooded;                      /* many were closed before the last server_tidy */
    bool accept_refused;               /* an error is logged once until accepting works again */

    struct arbiter_actions actions;
    struct server_follow_up *follow_ups; /* a queue, emptied after every step */
    size_t follow_up_count;
    size_t follow_up_capacity;
    bool stepping;

    int timer_fd;
    uint64_t timer_at_ms; /* UINT64_MAX: not armed */
    bool timer_postponed; /* until what lies in the sockets since a pause of ours has been read */
    struct note_log note_log;
    struct wire_message message; /* decoded here; large */
};

/* What the server works with; all borrowed. */
struct server_parts {
    qb_loop_t *loop;
    const struct settings *settings;
    struct arbiter *arbiter;
    struct identity *identity;
    struct enrolment *enrolment;
    const struct revocation_watch *revoked;
    struct state_dir *state;
    struct decisions *decisions;
    int listener_fd; /* taken over */
};

/* Q_ERR_IO, Q_ERR_NO_MEMORY: err_text says what failed. server_fini is needed in any case. */
enum q_err server_init(struct server *server, const struct server_parts *parts, char *err_text, size_t size);

/* Closes all connections without a word: clients keep their state. */
void server_fini(struct server *server);

/* Hands one event (from outside: RESTORE, RESTORED) to the arbiter, at the present time, and acts on what follows. */
void server_step(struct server *server, struct arbiter_event *event);

/* The list of revoked certificates is another one: whoever came with one of them goes. */
void server_drop_revoked(struct server *server);

/* To be called every few seconds: gives the memory of many closed connections back to the system. */
void server_tidy(struct server *server);

#endif
