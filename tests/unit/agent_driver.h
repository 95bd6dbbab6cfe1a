/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drives a device's agent by hand, as arbiter_driver does an arbiter: a test says in one line what happens at the core, on
 * the network or on the clock, and reads as text what the agent did. Node 1 of 1 and 2, ffsplit, unless changed in
 * `config` before the first event.
 */
#ifndef QUORATE_TESTS_UNIT_AGENT_DRIVER_H
#define QUORATE_TESTS_UNIT_AGENT_DRIVER_H

#include "qdevice/logic/agent.h"

#define AGENT_DRIVER_OUTPUT_SIZE 8192

struct agent_driver {
    struct agent *agent;
    struct agent_config config;
    struct wire_node_info nodes[4];
    uint64_t now_ms;
    uint32_t random;
    uint64_t conn;          /* of the newest RESOLVE or CONNECT */
    uint64_t cast_sequence; /* of the newest CAST */
    uint64_t run_sequence;
    uint32_t seq;           /* of the newest message sent, echoes apart */
    uint32_t echo_seq;
    enum wire_heuristics list_heuristics; /* in the newest membership list */
    bool hold_casts;        /* the voter does not answer */
    bool ours;              /* the arbiter echoes LEASE */
    enum agent_cast cast;   /* what the voter was told last */
    uint64_t until_ms;      /* when that is void */
    uint32_t warning_count;                /* all the while */
    struct wire_message message;           /* scratch */
    char output[AGENT_DRIVER_OUTPUT_SIZE]; /* "RESOLVE a; CONNECT 1; SEND PREINIT; YES until 2500; ..." */
};

void agent_driver_init(struct agent_driver *driver, bool ours);
void agent_driver_fini(struct agent_driver *driver);

/* Each returns driver->output: what the agent did. */
const char *agent_driver_config(struct agent_driver *driver);
const char *agent_driver_nodelist(struct agent_driver *driver, const char *members, uint64_t ring_seq);
const char *agent_driver_quorum(struct agent_driver *driver, bool quorate);
const char *agent_driver_event(struct agent_driver *driver, enum agent_event_type type); /* without details */
const char *agent_driver_resolved(struct agent_driver *driver, uint32_t address_count);
const char *agent_driver_message(struct agent_driver *driver); /* driver->message, as the arbiter sends it */
const char *agent_driver_preinit_reply(struct agent_driver *driver, enum wire_tls_supported tls);
const char *agent_driver_init_reply(struct agent_driver *driver, enum wire_error error);
const char *agent_driver_vote(struct agent_driver *driver, enum wire_vote vote, uint64_t ring_seq);
const char *agent_driver_echo_reply(struct agent_driver *driver, uint32_t seq);
const char *agent_driver_heuristics(struct agent_driver *driver, enum agent_run run, enum wire_heuristics result);
const char *agent_driver_cast_done(struct agent_driver *driver);
/* Time passes; deadlines are served when they fall due. */
const char *agent_driver_pass(struct agent_driver *driver, uint64_t ms);
/* The same, every echo being answered at once. */
const char *agent_driver_pass_answered(struct agent_driver *driver, uint64_t ms);

/* Configuration, ring 1.8 of nodes 1 and 2, connected over TLS, lists sent: READY without a verdict. */
void agent_driver_ready(struct agent_driver *driver, bool ours);

#endif
