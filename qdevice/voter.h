/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The voter: a small process that alone polls votequorum, so that no vote outlives what it rests on. The agent tells it
 * what to cast, for which ring, and until when; the voter casts NO by itself when that time has passed, when the agent
 * has died (its end of the socket closes) or has been stopped for longer than the lease. It is forked before anything
 * else, has no other descriptors and no TLS, allocates nothing while it runs, and has a name of its own so that `killall
 * corosync-qdevice` leaves it alone. When the agent has gone it casts NO, stays as long as votequorum takes the device for
 * alive, so that a new ring need not wait for an answer that cannot come, and ends; at once if another daemon has started.
 *
 * It polls at once when told to, and repeats the poll every poll_ms. A poll that votequorum refuses because the ring is not
 * the present one is no error: the agent will hear of the new ring and say what to cast there. When the core has gone it
 * connects anew with the next command.
 */
#ifndef QUORATE_QDEVICE_VOTER_H
#define QUORATE_QDEVICE_VOTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/wire/wire.h"
#include "qdevice/logic/agent.h"

#define VOTER_DEVICE_NAME_SIZE 255

struct voter_command {
    uint64_t sequence;
    enum agent_cast cast;
    bool poll;                   /* now; false: only until_ms has moved */
    struct wire_ring_id ring_id;
    uint64_t until_ms;           /* CLOCK_MONOTONIC, YES only */
    uint32_t poll_ms;            /* between two polls */
    bool end;                    /* the device has left votequorum: end at once */
};

struct voter_report {
    uint64_t sequence;      /* all commands up to this one have been carried out, as far as that is possible */
    int32_t result;         /* cs_error_t of the newest poll; 0 if none was due */
    enum agent_cast cast;   /* what that poll cast: may be NO where YES was told and the lease had ended */
    uint64_t polled_wall_ms; /* CLOCK_REALTIME of the newest poll; 0: none yet */
};

struct voter {
    pid_t pid;
    int fd; /* SOCK_SEQPACKET, non-blocking: commands out, reports in; end of file: the voter has died */
};

/*
 * Forks. Called before there are other descriptors, and again after the voter has died. `lock_file` tells an orphaned voter
 * whether another daemon has started. Both texts are copied. Q_ERR_IO with errno.
 */
enum q_err voter_start(struct voter *voter, const char *device_name, const char *lock_file);

/* Q_ERR_CLOSED: the voter has died, start another. A full socket (the voter hangs in votequorum): Q_ERR_AGAIN; send the
 * newest command again when the socket is writable, older ones are of no use. */
enum q_err voter_tell(struct voter *voter, const struct voter_command *command);

/* The next report; Q_ERR_AGAIN: none; Q_ERR_CLOSED. */
enum q_err voter_hear(struct voter *voter, struct voter_report *report);

/* The device has left votequorum, or the voter has died: ends it and reaps it, waiting at most timeout_ms. */
void voter_stop(struct voter *voter, uint32_t timeout_ms);

#endif
