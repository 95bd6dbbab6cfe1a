/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the voter polls, and when: the decisions of the voter process, pure. Its shell (qdevice/voter_process.c) owns the handle
 * to votequorum and the socket to the agent, tells of commands, rings and results, and polls what it is told; the simulator
 * runs the same machine, so that what is tested there is what is cast here.
 *
 * Every command ends: `until_ms` is the time from which on it is void unless another has come. Then, and when the agent has
 * gone, the voter casts NO by itself, for the newest ring votequorum has told of, and for each newer one at once, until it is told
 * otherwise. So neither a YES nor votequorum's wait for the device (during which it shows its clients the old answer, perhaps
 * "quorate") outlasts what the agent has an arbiter's word for, whatever becomes of the agent.
 *
 *   command, in force        | polled
 *   YES, NO                  | at once if asked for, and every poll_ms, for the ring it names
 *   NOTHING                  | nothing: votequorum waits (a NO that was cast for this ring already is repeated)
 *   void, or agent gone      | NO for the newest ring at once; with an agent also every poll_ms
 *
 * A command is carried out when votequorum has accepted a poll of what was wanted then. CS_ERR_MESSAGE_ERROR is no such thing:
 * the ring has changed, and the vote for the former one is still what votequorum goes by.
 */
#ifndef QUORATE_QDEVICE_LOGIC_VOTING_H
#define QUORATE_QDEVICE_LOGIC_VOTING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/wire.h"
#include "qdevice/logic/agent.h"

#define VOTING_NEVER AGENT_NEVER

struct voting_command {
    uint64_t number;   /* of the watch over the voter, in the order sent; echoed in reports */
    uint64_t sequence; /* of the agent's AGENT_ACT_CAST */
    enum agent_cast cast;
    bool poll; /* now; false: only until_ms or poll_ms have moved, or the voter is asked for a sign of life */
    struct wire_ring_id ring_id;
    uint64_t until_ms; /* the voter's clock (CLOCK_MONOTONIC): void from then on */
    uint32_t poll_ms;  /* between two polls */
    bool end;          /* the device has left votequorum: end at once */
};

struct voting_report {
    uint64_t number;         /* newest command that has arrived: the voter lives */
    uint64_t sequence;       /* all commands up to this one have been carried out */
    int32_t result;          /* cs_error_t of the newest poll; 0 if there was none */
    enum agent_cast cast;    /* what that poll was to cast: may be NO where YES was told and the lease had ended */
    enum agent_cast accepted; /* what votequorum has accepted last from this voter */
    uint64_t polled_wall_ms; /* CLOCK_REALTIME of the newest poll; 0: none yet */
};

enum voting_result {
    VOTING_ACCEPTED,
    VOTING_FORMER_RING, /* votequorum is on another ring, and will say so or has said so */
    VOTING_TRY_AGAIN,
    VOTING_FAILED
};

struct voting {
    struct voting_command command;
    bool told;       /* there has been a command */
    bool agent_gone;
    struct wire_ring_id newest_ring; /* as votequorum says; sequence number 0: not known */

    struct wire_ring_id polled_ring; /* newest poll, whatever came of it */
    enum agent_cast polled;
    enum agent_cast accepted;
    struct wire_ring_id accepted_ring;
    bool poll_now;
    uint64_t poll_at_ms; /* the next repetition; VOTING_NEVER: none */
    uint64_t done;       /* sequence carried out */
};

struct voting_poll {
    bool yes;
    struct wire_ring_id ring_id;
};

void voting_init(struct voting *voting);
void voting_on_command(struct voting *voting, const struct voting_command *command, uint64_t now_ms);
void voting_on_ring(struct voting *voting, struct wire_ring_id ring_id);
void voting_on_agent_gone(struct voting *voting);

/* Whether votequorum is to be polled now, and what with. To be followed by voting_on_polled, and asked again. */
bool voting_next_poll(const struct voting *voting, uint64_t now_ms, struct voting_poll *poll);
void voting_on_polled(struct voting *voting, const struct voting_poll *poll, enum voting_result result, uint64_t now_ms);

/* When voting_next_poll must be asked again if nothing happens before; VOTING_NEVER. */
uint64_t voting_deadline_ms(const struct voting *voting, uint64_t now_ms);

/* Votequorum has a NO for the newest ring: an orphan has done its duty as far as there is one. */
bool voting_is_withdrawn(const struct voting *voting);

#endif
