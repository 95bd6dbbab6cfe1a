/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drives an arbiter by hand: a test says what happens in one line, and reads as text what came out. Every message
 * goes through the encoder and the decoder on its way in and out. A connection is named by its slot number, 1 to 15;
 * the driver makes the generations.
 */
#ifndef QUORATE_TESTS_UNIT_ARBITER_DRIVER_H
#define QUORATE_TESTS_UNIT_ARBITER_DRIVER_H

#include "qnetd/logic/arbiter.h"
#include "qnetd/logic/cluster.h"

#define DRIVER_SLOTS 16
#define DRIVER_OUTPUT_SIZE 16384

struct driver {
    struct arbiter_settings settings;
    struct arbiter *arbiter;
    struct arbiter_actions actions;
    uint64_t now_ms;
    uint64_t generation[DRIVER_SLOTS];
    uint32_t vote_seq[DRIVER_SLOTS]; /* of the newest VOTE_INFO to that slot */
    enum arbiter_persist_result persist_result;
    uint64_t instance;               /* not 0: devices are ours, with this instance and a lease of 2.5 s */
    struct wire_tie_breaker tie_breaker; /* of driver_init_message; lowest unless set */
    uint32_t heartbeat_ms;           /* of driver_init_message; 8000 unless set */
    bool hold_persist;               /* do not answer PERSIST */
    uint32_t persist_count;          /* PERSIST actions so far */
    uint32_t forget_count;           /* FORGET actions so far */
    char record[1024];               /* the newest record, as text */
    uint64_t held_cluster_id;
    uint64_t held_generation;
    uint32_t closed;                 /* bit per slot: the arbiter closed it */
    struct wire_message message;     /* scratch */
    char output[DRIVER_OUTPUT_SIZE]; /* of the last call: "1<VOTE_INFO ACK 1.8; 2<CLOSE ..." without notes */
    char notes[DRIVER_OUTPUT_SIZE];  /* of the last call, one per line */
};

/* Default settings but plain text allowed; full knowledge of earlier grants. */
void driver_init(struct driver *driver);
/* With these settings; `complete` as in ARBITER_EV_RESTORED. */
void driver_init_with(struct driver *driver, const struct arbiter_settings *settings, bool complete);
void driver_fini(struct driver *driver);

/* A grant record found at the start: these nodes were active and may hold a vote for lease_ms more. */
void driver_restore(struct driver *driver, const char *nodes, uint32_t lease_ms);

/* Each returns driver->output: everything the arbiter sent, in order. */
const char *driver_connect(struct driver *driver, int slot);
const char *driver_disconnect(struct driver *driver, int slot, enum arbiter_disconnect how);
const char *driver_message(struct driver *driver, int slot, const struct wire_message *message);
/* The event of an undecodable message; seq 0: its number was not decoded either. */
const char *driver_undecodable(struct driver *driver, int slot, enum wire_type type, uint32_t seq);
const char *driver_skipped(struct driver *driver, int slot, enum wire_error error);
const char *driver_tls(struct driver *driver, int slot, const char *name); /* NULL: no certificate */
/* With a certificate for the cluster "C" whose identity is this digit repeated; 0: without one. */
const char *driver_tls_identity(struct driver *driver, int slot, unsigned digit);
const char *driver_tls_names(struct driver *driver, int slot, const char *const *names, size_t count);
/* Time passes; deadlines are served when they fall due. */
const char *driver_pass(struct driver *driver, uint64_t ms);
const char *driver_persisted(struct driver *driver, enum arbiter_persist_result result);

/* Ready-made messages. Lists are written "1,2". */
const char *driver_preinit(struct driver *driver, int slot, const char *name);
const char *driver_init_message(struct driver *driver, int slot, uint32_t node_id, enum wire_algorithm algorithm);
const char *driver_config(struct driver *driver, int slot, const char *nodes);
const char *driver_membership(struct driver *driver, int slot, const char *nodes, uint32_t ring_node,
                              uint64_t ring_seq, enum wire_heuristics heuristics);
const char *driver_quorum(struct driver *driver, int slot, const char *nodes, bool quorate);
const char *driver_heuristics(struct driver *driver, int slot, enum wire_heuristics heuristics);
const char *driver_confirm(struct driver *driver, int slot);
const char *driver_echo(struct driver *driver, int slot);
const char *driver_keep_active(struct driver *driver, int slot, bool on);

const char *driver_list(struct driver *driver, int slot, enum wire_node_list_type type, const char *nodes);
const char *driver_ask(struct driver *driver, int slot);
const char *driver_heartbeat(struct driver *driver, int slot, uint32_t heartbeat_ms); /* SET_OPTION */

/* connect, preinit "C", init, config: a client that only lacks a membership. */
void driver_join(struct driver *driver, int slot, uint32_t node_id, enum wire_algorithm algorithm, const char *config);

/* What the cluster "C" looks like now; NULL: forgotten. */
const struct cluster *driver_cluster(const struct driver *driver);
enum grant_state driver_grant(const struct driver *driver, uint32_t node_id);

#endif
