/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of votequorum.h, shared by the files it is made of and by nobody else: votequorum.c (step,
 * configuration, synchronisation, clock), votequorum_act.c (actions), votequorum_count.c (the table of nodes,
 * counting them), votequorum_delivered.c (messages), votequorum_device.c (the device), votequorum_client.c
 * (requests, trackers). A machine owns all it points to, except `out`, which is set during a step only.
 *
 * Invariants (votequorum_check): nodes are in the order of their ids, without duplicates; this node is among
 * them, as a member; its flags say QUORATE and WAITING exactly if it is; no device votes that is not alive,
 * none is alive that is not registered, none is registered without a name.
 */
#ifndef QUORATE_CORE_SERVICES_VOTEQUORUM_MACHINE_H
#define QUORATE_CORE_SERVICES_VOTEQUORUM_MACHINE_H

#include "core/services/votequorum.h"

#define VOTEQUORUM_DEVICE_FLAGS                                                                                        \
    (VOTEQUORUM_FLAG_DEVICE_REGISTERED | VOTEQUORUM_FLAG_DEVICE_ALIVE | VOTEQUORUM_FLAG_DEVICE_CAST_VOTE |             \
     VOTEQUORUM_FLAG_DEVICE_MASTER_WINS)

/* Every node ever heard of. */
struct votequorum_node {
    uint32_t node_id;
    enum votequorum_node_state state;
    uint32_t votes;
    uint32_t expected_votes;
    uint32_t flags;
};

struct votequorum_tracker {
    uint64_t conn;
    uint64_t context;
};

struct votequorum {
    enum totem_order order;
    struct votequorum_settings settings;
    bool configured;

    /* Nodes. */
    uint32_t own_id;
    struct votequorum_node *nodes;
    size_t node_count;
    size_t node_capacity;
    struct votequorum_voter *voters; /* room for all nodes */
    uint32_t device_votes;
    uint32_t quorum;
    bool waiting;
    uint32_t expected_votes_barrier;
    uint32_t tracking_barrier;
    uint32_t lowest_node_id; /* 0: never quorate by votes yet */
    uint32_t highest_node_id;
    struct node_set quorate_with;

    /* The ring. */
    struct totem_ring_id ring_id;
    struct node_set members;
    struct node_set previous; /* of the last ring whose synchronisation was completed */
    struct node_set settled;  /* of this one, once it is completed; else as previous */
    bool synchronising;
    bool pass_is_due;         /* PROCESS has not been answered yet */
    uint64_t window_end_ms;   /* last_man_standing; NEVER: not running */

    /* The device. */
    char device_name[VOTEQUORUM_NAME_SIZE]; /* empty: none is known */
    bool master_wins;                       /* as the device has allowed last; it may have gone since */
    bool device_is_awaited;                 /* by this synchronisation */
    uint64_t device_deadline_ms;
    bool registering; /* our registration is under way */
    uint64_t registering_conn; /* who asked for it; 0: has gone */
    char registering_name[VOTEQUORUM_NAME_SIZE];

    bool correcting; /* an own broadcast came back that is out of date; the one that corrects it is under way */

    struct votequorum_tracker *trackers; /* in the order in which they came */
    size_t tracker_count;
    size_t tracker_capacity;

    uint32_t published[VOTEQUORUM_KEY_COUNT];
    bool is_published[VOTEQUORUM_KEY_COUNT];

    uint64_t now_ms;
    struct votequorum_actions *out;
    bool out_of_memory;
};

/* ---- votequorum_act.c: what a step gives out ----------------------------------------------------------------- */

void votequorum_act_refuse(struct votequorum *vq, const char *text);
void votequorum_act_send(struct votequorum *vq, const struct votequorum_message *message);
void votequorum_act_pass(struct votequorum *vq);
/* To the quorum service, then to all trackers. */
void votequorum_act_report(struct votequorum *vq);
void votequorum_act_answer(struct votequorum *vq, uint64_t conn, enum cs_error error);
/* With what has been put into out->info. */
void votequorum_act_answer_info(struct votequorum *vq, uint64_t conn, enum cs_error error);
void votequorum_act_quorum_event(struct votequorum *vq, const struct votequorum_tracker *tracker);
void votequorum_act_nodelist_event(struct votequorum *vq, const struct votequorum_tracker *tracker);
void votequorum_act_expected_events(struct votequorum *vq);
/* Only if it is not what was published last. */
void votequorum_act_publish(struct votequorum *vq, enum votequorum_key key, uint32_t value);
void votequorum_act_store(struct votequorum *vq, uint32_t value);
__attribute__((format(printf, 3, 4))) void votequorum_act_note(struct votequorum *vq, enum votequorum_note_level level,
                                                             const char *format, ...);
void votequorum_send_own_info(struct votequorum *vq);
void votequorum_send_device_info(struct votequorum *vq);
void votequorum_send_announcement(struct votequorum *vq, enum votequorum_announcement what, uint32_t node_id,
                                  uint32_t value);
void votequorum_send_registration(struct votequorum *vq, bool registers, const char *name);

/* ---- votequorum_count.c: nodes, and what they add up to ---------------------------------------------------------- */

/* NULL: not known. Valid until the next votequorum_add_node. */
struct votequorum_node *votequorum_find_node(const struct votequorum *vq, uint32_t node_id);
/* NULL without memory. */
struct votequorum_node *votequorum_add_node(struct votequorum *vq, uint32_t node_id);
struct votequorum_node *votequorum_own(const struct votequorum *vq);
/* The cluster as the rules see it; valid until the table changes. */
struct votequorum_view votequorum_view(struct votequorum *vq);
/* Counts, and does what follows from it. Told at once if something changed, unless a synchronisation is running. */
void votequorum_count(struct votequorum *vq, struct votequorum_question question);
void votequorum_set_waiting(struct votequorum *vq, bool waiting);

/* ---- the others ------------------------------------------------------------------------------------------------ */

void votequorum_on_delivered(struct votequorum *vq, const struct votequorum_event *event);
void votequorum_on_request(struct votequorum *vq, const struct votequorum_event *event);
void votequorum_on_client_gone(struct votequorum *vq, uint64_t conn);

bool votequorum_device_has(const struct votequorum *vq, uint32_t flags);
/* Requests about the device, REGISTER to MASTER_WINS. */
void votequorum_on_device_request(struct votequorum *vq, uint64_t conn, bool can_send,
                                  const struct votequorum_request *request);
void votequorum_on_registration(struct votequorum *vq, uint32_t sender, const struct votequorum_message *message);
void votequorum_on_rename(struct votequorum *vq, const struct votequorum_message *message);
/* A synchronisation begins: the device has to say what it casts on the new ring. */
void votequorum_await_device(struct votequorum *vq);
void votequorum_on_device_time(struct votequorum *vq);

#endif
