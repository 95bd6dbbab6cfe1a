/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device's agent in the hands of a fuzz target, and beside it a model, kept apart from the agent, of what may be said and
 * cast (docs/safety.md, "Our device"; the table in agent.h). Each event goes to both; what the agent does is then asserted
 * against the model: its actions one by one, and what is cast, shown and due afterwards. One per run of an input.
 */
#ifndef QUORATE_TESTS_FUZZ_AGENT_MODEL_H
#define QUORATE_TESTS_FUZZ_AGENT_MODEL_H

#include "qdevice/logic/agent.h"

#define AGENT_MODEL_ECHOES 4096  /* of one session */
#define AGENT_MODEL_STOP_MS 2000 /* from a shutdown to the stop, whatever the voter does */

enum agent_model_stage { NO_CONNECTION, LOOKUP, DIALLING, PLAIN, HANDSHAKE, SECURE };

/* The connection as the network and the arbiter see it. */
struct agent_model_line {
    enum agent_model_stage stage;
    uint64_t conn;
    const char *host;
    uint32_t address_count; /* of the newest lookup that brought any */
    const char *resolved;   /* whose; NULL: nobody's */
    bool seq_known;
    uint32_t seq; /* of the newest message, echoes and confirmations apart */
    enum wire_type said; /* the newest of these */
    uint64_t init_sent_ms;
    bool ready;
    bool lists_said;
    bool ours;
    uint32_t lease_ms;
    uint64_t heard_until_ms;
    uint32_t echo_seq;
    uint32_t echo_answered;
    uint64_t echo_sent_ms[AGENT_MODEL_ECHOES];
};

/* The newest ACK, until something ends it. */
struct agent_model_grant {
    bool ack;
    struct wire_ring_id ring;
    const char *host;
    bool live; /* by the session that goes on */
    uint64_t until_ms; /* if not */
    uint64_t undecided_until_ms; /* the arbiter has asked to wait since: not prolonged any more */
};

/* What the voter, and so votequorum, goes by. */
struct agent_model_vote {
    enum agent_cast cast;
    struct wire_ring_id ring;
    uint64_t until_ms;
    uint64_t sequence; /* told */
    uint64_t polled;   /* told to poll */
    uint64_t done;     /* answered */
};

/* The newest VOTE_INFO, if it is still to be confirmed. */
struct agent_model_confirmation {
    bool due;
    bool nack;
    uint64_t conn;
    uint32_t seq;
    uint64_t cast_sequence;
};

struct agent_model {
    struct agent *agent;
    struct agent_actions actions;
    const struct agent_config *config; /* as given with the newest event */
    uint64_t now_ms; /* the target moves it on */
    unsigned steps;
    uint64_t hash;

    bool has_ring;
    struct wire_ring_id ring;
    uint64_t ring_since_ms;
    uint32_t patience_ms; /* in force when the ring was formed */
    struct agent_model_line line;
    struct agent_model_grant grant;
    bool hosts_changed; /* since the grant: the agent may take it for another's */
    struct agent_model_vote vote;
    struct agent_model_confirmation confirmation;
    bool run_pending;
    enum agent_run run;
    uint64_t run_sequence;
    bool shutting_down;
    uint64_t shutdown_ms;
    uint64_t withdrawal; /* sequence of the NO of the shutdown */
    bool stopped;
};

void agent_model_init(struct agent_model *model, uint64_t now_ms);
void agent_model_fini(struct agent_model *model);

/*
 * One event, at model->now_ms. Only such as agent.h allows, and the first is AGENT_EV_CONFIG, whose configuration stays where
 * it is until the next. Nothing happens once the agent has stopped.
 */
void agent_model_step(struct agent_model *model, struct agent_event *event);

/* The clock has come to the deadline, or somewhere else: AGENT_EV_TIME until the deadline has moved on, which must be soon. */
void agent_model_serve_time(struct agent_model *model);

/* Whether the arbiter's bytes can arrive. */
bool agent_model_is_open(const struct agent_model *model);

#endif
