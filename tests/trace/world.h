/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The world of one trace: an arbiter under virtual time, the connections of devices to it, and what it has
 * answered since the last line of the script. Devices do only what the script says, except that they confirm
 * every ACK and send an echo every heartbeat interval (unless silent), and that grants are recorded at once
 * (unless the script takes that over). One world per scenario; single-threaded; any oddity ends the program.
 */
#ifndef QUORATE_TESTS_TRACE_WORLD_H
#define QUORATE_TESTS_TRACE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/wire/wire.h"
#include "qnetd/logic/arbiter.h"
#include "qnetd/logic/cluster.h"

#define WORLD_CONNS_MAX 64
#define WORLD_CLUSTERS_MAX 8
#define WORLD_OUTPUTS_MAX 256
#define WORLD_OUTPUT_SIZE 96
#define WORLD_LABEL_SIZE 24

/* How devices of a cluster introduce themselves, and the grant record on the arbiter's disk. */
struct world_cluster {
    char name[WORLD_LABEL_SIZE];
    struct wire_init init;
    bool has_lease;
    struct q_buf record;  /* in place; empty: none */
    struct q_buf written; /* of the newest PERSIST, not in place yet */
};

struct world_conn {
    char label[WORLD_LABEL_SIZE]; /* "n1", "b.n1", "n1x": cluster, node and instance */
    struct world_cluster *cluster;
    uint32_t node_id;
    uint64_t id; /* 0: not connected */
    bool ready;  /* INIT was accepted */
    bool silent;
    uint32_t heartbeat_ms;
    struct wire_ring_id ring; /* of the INIT that was accepted or the latest membership list */
    struct wire_init asked;   /* what the newest INIT said */
    bool reported;            /* lists or options were sent since INIT */
    uint32_t seq;
    uint64_t echo_due_ms;
    uint32_t vote_seq; /* of the newest VOTE_INFO */
    enum wire_vote vote;
    char told[VERDICT_REASON_SIZE]; /* the reason in the newest message that named one */
};

struct world {
    struct arbiter *arbiter;
    struct arbiter_settings settings;
    struct arbiter_actions actions;
    uint64_t now_ms;
    uint64_t line_ms;   /* when the present line began */
    bool timed;         /* outputs carry the time since line_ms */
    bool quiet;         /* outputs are not noted */
    bool manual_record; /* PERSIST is shown and answered by the script */
    bool forgiving;     /* the arbiter may run out of memory, so that lines of the script become impossible */
    enum arbiter_persist_result persist_result;
    struct world_cluster *persist_cluster; /* of the newest PERSIST */
    uint64_t persist_cluster_id;
    uint64_t persist_generation;
    uint64_t conn_generation;
    struct world_cluster clusters[WORLD_CLUSTERS_MAX];
    unsigned cluster_count;
    struct world_conn conns[WORLD_CONNS_MAX];
    unsigned conn_count;
    char outputs[WORLD_OUTPUTS_MAX][WORLD_OUTPUT_SIZE];
    unsigned output_count;
};

enum world_restart {
    WORLD_RECORDS_KEPT, /* the records are found again and are the whole truth */
    WORLD_RECORDS_LOST, /* nothing is known about grants of the former life */
};

/* Called before and after each step of the arbiter, if set: to take its memory away. */
extern void (*world_step_hook)(bool begins);

void world_init(struct world *world);
void world_fini(struct world *world);

/* The connection of that label, made known if it is new. */
struct world_conn *world_conn(struct world *world, const char *label);
struct world_cluster *world_cluster(struct world *world, const char *name);
/* The arbiter's view of a cluster; NULL if it has none. */
const struct cluster *world_arbiter_cluster(const struct world *world, const struct world_cluster *cluster);

/* Events. The arbiter's answers are noted as outputs, in words. */
void world_connect(struct world *world, struct world_conn *conn);
void world_send(struct world *world, struct world_conn *conn, const struct wire_message *message);
void world_send_bytes(struct world *world, struct world_conn *conn, const uint8_t *bytes, size_t size);
void world_skipped(struct world *world, struct world_conn *conn, enum wire_error error);
void world_tls(struct world *world, struct world_conn *conn, const char *const *names, size_t count);
void world_gone(struct world *world, struct world_conn *conn, enum arbiter_disconnect how);
void world_persisted(struct world *world, enum arbiter_persist_result result);
/* The newest record is in place, but the arbiter does not learn of it. */
void world_put_record(struct world *world);
void world_pass_time(struct world *world, uint64_t duration_ms);
/* All connections are lost, a new arbiter starts. */
void world_restart(struct world *world, enum world_restart how);

#endif
