/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The quorum service as a pure machine: what clients of libquorum are told of the membership and of
 * votequorum's verdicts (spec/corosync-ipc.md section 7). It decides nothing. The shell hands it what the
 * synchronisation, votequorum and clients say, and carries out the actions in their order. Nothing here
 * blocks.
 *
 *   what               | comes with                                     | view and ring of
 *   nodelist event     | ACTIVATE of this service's step; track start   | the newest membership
 *   quorum event       | REPORT; track start                            | the newest report
 *
 * A client of model 0 gets quorum events only. What has joined and left is told relative to the nodelist
 * event before: a node that has gone and come back meanwhile, seen or unseen, is in both lists. Without a
 * provider there are no reports, and the node counts as quorate with an empty view, as the packaged daemon
 * has it.
 *
 * Connections are named by ids that are never the same twice, and not 0. The order of events on a connection
 * is that of the actions; an answer comes behind the events its request has caused.
 */
#ifndef QUORATE_CORE_SERVICES_QUORUM_H
#define QUORATE_CORE_SERVICES_QUORUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/node_set.h"
#include "core/services/cs_error.h"
#include "core/totem/wire.h"

/* The values are request ids. */
enum quorum_request_type {
    QUORUM_GET_QUORATE,
    QUORUM_TRACK_START,
    QUORUM_TRACK_STOP,
    QUORUM_GET_TYPE,
    QUORUM_MODEL_GET_TYPE
};

enum quorum_track { QUORUM_TRACK_CURRENT = 1, QUORUM_TRACK_CHANGES = 2, QUORUM_TRACK_CHANGES_ONLY = 4 };

enum quorum_event_type {
    QUORUM_EV_INIT,     /* of this service's step in a synchronisation (PROCESS is at once done, ABORT is nothing) */
    QUORUM_EV_ACTIVATE,
    QUORUM_EV_REPORT,   /* of the provider */
    QUORUM_EV_REQUEST,
    QUORUM_EV_CLIENT_GONE
};

struct quorum_event {
    enum quorum_event_type type;
    union {
        struct {
            struct totem_ring_id ring_id;
            const struct node_set *members;
            const struct node_set *transitional; /* those who came along with us */
        } init;
        struct {
            bool quorate;
            struct totem_ring_id ring_id;
            const uint32_t *members; /* ascending */
            uint32_t member_count;
        } report;
        struct {
            uint64_t conn;
            enum quorum_request_type type;
            uint32_t flags; /* TRACK_START: enum quorum_track */
            uint32_t model; /* MODEL_GET_TYPE */
        } request;
        struct {
            uint64_t conn;
        } gone;
    } u;
};

enum quorum_action_type {
    QUORUM_ACT_ANSWER,
    QUORUM_ACT_QUORUM_EVENT,  /* model says which: id 3 (0) or id 6 (1); quorate, ring_id, members */
    QUORUM_ACT_NODELIST_EVENT /* ring_id, members, joined, left */
};

/* Sets are those of the machine: valid until its next step. */
struct quorum_action {
    enum quorum_action_type type;
    uint64_t conn;
    enum quorum_request_type request; /* ANSWER: to what */
    enum cs_error error;              /* ANSWER */
    uint32_t value;      /* ANSWER: quorate, or the type of quorum: 1 if there is a provider */
    uint32_t model;
    bool quorate;
    struct totem_ring_id ring_id;
    const struct node_set *members;
    const struct node_set *joined;
    const struct node_set *left;
};

struct quorum_actions {
    struct quorum_action *items;
    size_t count;
    size_t capacity;
};

void quorum_actions_init(struct quorum_actions *actions);
void quorum_actions_fini(struct quorum_actions *actions);

struct quorum;

/* NULL without memory. */
struct quorum *quorum_new(bool has_provider);
void quorum_free(struct quorum *quorum);

/* `out` is overwritten. Q_ERR_NO_MEMORY: actions are missing, the node must stop. */
enum q_err quorum_step(struct quorum *quorum, const struct quorum_event *event, struct quorum_actions *out);

bool quorum_is_quorate(const struct quorum *quorum);

#endif
