/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of cpg share: cpg.c (connections, the step), cpg_group.c (the table of members), cpg_client.c (requests),
 * cpg_iteration.c, cpg_event.c (what clients are told), cpg_delivered.c (messages of nodes), cpg_sync.c and cpg_check.c.
 * Nobody else includes it.
 */
#ifndef QUORATE_CORE_SERVICES_CPG_MACHINE_H
#define QUORATE_CORE_SERVICES_CPG_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/node_set.h"
#include "core/services/cpg.h"
#include "core/services/cpg_wire.h"
#include "core/services/name_tree.h"

struct cpg_iteration;

enum cpg_conn_state { CPG_UNJOINED, CPG_JOINING, CPG_JOINED, CPG_LEAVING };

/*
 * Fragments of a message, of a client of ours on their way out or of a member on their way in: stock libraries put them
 * together without looking, so that what does not fit must not reach them.
 */
struct cpg_pieces {
    bool open;
    uint32_t whole_size;
    uint32_t done_size;
};

struct cpg_conn {
    uint64_t id;
    enum cpg_conn_state state;
    bool gone;        /* kept for its leave only */
    bool silent;      /* has said `finalize` */
    bool wants_ring;  /* the membership of the ring is to follow the first change of its group */
    bool interrupted; /* its group has changed since its first fragment */
    struct cpg_pieces sent;
    uint64_t joined_at;               /* a number of cpg->sequence */
    uint32_t pid;                     /* as the client has said at its join */
    struct cpg_group *group;          /* NULL: UNJOINED */
    struct cpg_conn *previous, *next; /* in the group */
    struct cpg_iteration *iterations;
    uint32_t iteration_count;
};

struct cpg_member {
    uint32_t node_id;
    uint32_t pid;
    bool reported; /* by its node, in this synchronisation */
    bool fresh;    /* has come with this synchronisation */
    struct cpg_pieces received;
    uint64_t first_at; /* when its first fragment came: a number of cpg->sequence */
};

#define CPG_KEY_SIZE (2 * CPG_NAME_MAX + 1)

/* There while it has members or connections that want to be some. */
struct cpg_group {
    struct name_node node;      /* named `key`: text in the order of the names */
    struct cpg_member *members; /* ascending by node and process */
    size_t member_count, member_capacity;
    struct cpg_conn *first, *last; /* of this node, in the order of their joins */
    uint8_t name[CPG_NAME_SIZE];   /* as in messages, in our order */
    char key[CPG_KEY_SIZE];
};

/* A node of the last membership that was activated. */
struct cpg_node {
    uint32_t id;
    uint32_t member_count;
};

/* What a node has said in this synchronisation. */
struct cpg_report {
    uint32_t node_id;
    uint8_t *bytes; /* a JOIN_LIST */
    size_t size;
    enum totem_order order;
};

struct cpg_address {
    uint32_t node_id;
    uint32_t pid;
    enum cpg_reason reason;
};

struct cpg_sync {
    bool running; /* INIT has come, ACTIVATE or ABORT not yet */
    struct totem_ring_id ring_id;
    struct node_set members;
    struct node_set carried;    /* of `nodes`: have come along in all rings since */
    struct cpg_report *reports; /* ascending by node */
    size_t report_count, report_capacity;
};

/* Of complaints, each kind: one in CPG_COMPLAINT_MS, and the others counted. */
#define CPG_COMPLAINT_MS 10000

struct cpg_complaints {
    uint64_t next_ms;
    uint64_t silent_count;
};

struct cpg {
    uint32_t node_id;
    struct cpg_conn **conns; /* ascending by id; none that is gone */
    size_t conn_count, conn_capacity;
    size_t local_count; /* connections that are not UNJOINED, gone ones included */
    struct name_tree groups;
    struct cpg_node *nodes; /* ascending */
    size_t node_count;
    struct totem_ring_id ring_id; /* of `nodes` */
    struct cpg_sync sync;
    uint64_t sequence; /* of what happens to members, to compare */
    uint64_t next_iteration;
    size_t iteration_bytes;
    struct cpg_complaints peers, clients;
    struct cpg_address *list; /* scratch: who has come or gone */
    size_t list_count, list_capacity;
    /* during a step */
    uint64_t now_ms;
    struct outbox *out;
    bool no_memory;
};

/* ---- cpg.c ---------------------------------------------------------------------------------------------------- */

/* Gives a connection its place back, and frees one that is gone. */
void cpg_conn_unjoin(struct cpg *cpg, struct cpg_conn *conn);
void cpg_complain(struct cpg *cpg, struct cpg_complaints *complaints, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The array with room for one more than `count`; NULL: no memory, which ends the node. */
void *cpg_grow(struct cpg *cpg, void *items, size_t *capacity, size_t count, size_t item_size);

/* ---- cpg_group.c ---------------------------------------------------------------------------------------------- */

struct cpg_node *cpg_node_find(struct cpg *cpg, uint32_t node_id);

struct cpg_name cpg_group_name(const struct cpg_group *group);
struct cpg_group *cpg_group_find(const struct cpg *cpg, struct cpg_name name);
/* Made if there is none; NULL without memory. */
struct cpg_group *cpg_group_get(struct cpg *cpg, struct cpg_name name);
/* In byte order of the names; the first after NULL. */
struct cpg_group *cpg_group_after(const struct cpg *cpg, const struct cpg_group *group);
/* Frees it if nobody is left. */
void cpg_group_tidy(struct cpg *cpg, struct cpg_group *group);

void cpg_group_enter(struct cpg_group *group, struct cpg_conn *conn);
void cpg_group_exit(struct cpg_group *group, struct cpg_conn *conn);
struct cpg_conn *cpg_group_conn(const struct cpg_group *group, uint32_t pid);

/* The first at or after this place; member_count if there is none. */
size_t cpg_member_from(const struct cpg_group *group, uint32_t node_id, uint32_t pid);
struct cpg_member *cpg_member_find(const struct cpg_group *group, uint32_t node_id, uint32_t pid);
bool cpg_group_has_node(const struct cpg_group *group, uint32_t node_id);
/* Must not be there. NULL: no memory. */
struct cpg_member *cpg_member_add(struct cpg *cpg, struct cpg_group *group, uint32_t node_id, uint32_t pid);
void cpg_member_remove(struct cpg *cpg, struct cpg_group *group, size_t index);

/* ---- cpg_client.c, cpg_iteration.c ---------------------------------------------------------------------------- */

void cpg_on_request(struct cpg *cpg, struct cpg_conn *conn, const uint8_t *bytes, size_t size);
/* Tells all nodes that a member of ours is no more. */
void cpg_send_leave(struct cpg *cpg, const struct cpg_conn *conn, enum cpg_reason reason);

void cpg_iteration_start(struct cpg *cpg, struct cpg_conn *conn, const uint8_t *bytes);
void cpg_iteration_next(struct cpg *cpg, struct cpg_conn *conn, uint64_t handle);
void cpg_iteration_finish(struct cpg *cpg, struct cpg_conn *conn, uint64_t handle);
void cpg_iterations_free(struct cpg *cpg, struct cpg_conn *conn);

/* ---- cpg_event.c ---------------------------------------------------------------------------------------------- */

/* Of cpg->list, which is emptied: they have been added to the group's members, or taken from them. */
void cpg_tell_change(struct cpg *cpg, struct cpg_group *group, bool joined);
void cpg_tell_ring(struct cpg *cpg);
void cpg_tell_mcast(struct cpg *cpg, const struct cpg_group *group, uint32_t sender,
                    const struct cpg_message *message);
/* `first_at`: when its first fragment came; who has joined later cannot use this one. */
void cpg_tell_fragment(struct cpg *cpg, const struct cpg_group *group, uint32_t sender,
                       const struct cpg_message *message, uint64_t first_at);

/* ---- cpg_delivered.c, cpg_sync.c ------------------------------------------------------------------------------ */

void cpg_on_delivered(struct cpg *cpg, const struct service_event *event);

void cpg_on_sync_init(struct cpg *cpg, const struct service_event *event);
void cpg_on_sync_process(struct cpg *cpg);
void cpg_on_sync_activate(struct cpg *cpg);
void cpg_on_sync_abort(struct cpg *cpg);
void cpg_on_join_list(struct cpg *cpg, uint32_t sender, const uint8_t *bytes, size_t size,
                      enum totem_order order);
void cpg_sync_fini(struct cpg *cpg);

/* ---- both ways ------------------------------------------------------------------------------------------------ */

/* Whether a fragment fits what came before it, which is then brought up to date. */
bool cpg_pieces_take(struct cpg_pieces *pieces, enum cpg_fragment type, uint32_t whole_size, uint32_t size);
/* An address into a list of cpg_address as clients know it. */
bool cpg_list_add(struct cpg *cpg, uint32_t node_id, uint32_t pid, enum cpg_reason reason);

#endif
