/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The voter: a small process that alone polls votequorum, so that no vote outlives what it rests on. The agent tells it
 * what to cast, for which ring, and until when; the voter casts NO by itself when that time has passed, when the agent
 * has died (its end of the socket closes) or has been stopped (qdevice/logic/voting.h). It is forked before anything
 * else, has no other descriptors and no TLS, allocates nothing while it runs, and has a name of its own so that `killall
 * corosync-qdevice` leaves it alone. When the agent has gone it casts NO, stays as long as votequorum takes the device for
 * alive, so that a new ring need not wait for an answer that cannot come, and ends; at once if another daemon has started.
 *
 * Who watches it is voter_watch.h. When the core has gone it connects anew with the next poll.
 */
#ifndef QUORATE_QDEVICE_VOTER_H
#define QUORATE_QDEVICE_VOTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "qdevice/logic/voting.h"

#define VOTER_DEVICE_NAME_SIZE 255

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
enum q_err voter_tell(struct voter *voter, const struct voting_command *command);

/* The next report; Q_ERR_AGAIN: none; Q_ERR_CLOSED. */
enum q_err voter_hear(struct voter *voter, struct voting_report *report);

/* The device has left votequorum: ends it and reaps it, after timeout_ms by SIGKILL. */
void voter_stop(struct voter *voter, uint32_t timeout_ms);

/* It has died, or does not answer: kills it, stopped or not. Its successor, if any, is started before it is reaped. */
void voter_kill(struct voter *voter);
void voter_reap(pid_t pid);

#endif
