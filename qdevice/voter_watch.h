/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The voter under watch: the vote ends with its lease only as long as somebody can end it. Owned by the device, which tells it
 * what to cast. Every command is answered by a sign of life; a voter that gives none in time, because it is stopped or hangs,
 * is killed (SIGKILL ends a stopped process too) and replaced, as is one that has died. The new one polls at once: votequorum
 * knows a device by its name, not by its connection. While there may be a vote to withdraw the voter is asked several times a
 * second, so that its silence shows before a NO is needed.
 */
#ifndef QUORATE_QDEVICE_VOTER_WATCH_H
#define QUORATE_QDEVICE_VOTER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "common/err.h"
#include "qdevice/voter.h"

struct voter_watch_handlers {
    void (*on_carried_out)(void *context, uint64_t sequence);
    void (*on_failed)(void *context); /* no voter can be started: the device has to end */
};

struct voter_watch {
    const char *device_name;
    const char *lock_file;
    qb_loop_t *loop;
    const struct voter_watch_handlers *handlers;
    void *context;

    struct voter voter;
    struct voting_command command; /* newest */
    bool unsent;                   /* the socket was full */
    struct voting_report report;   /* newest */
    uint64_t owes_since_ms;        /* a sign of life, since when; 0: nothing */
    uint32_t patience_ms;
    qb_loop_timer_handle timer;
    bool timer_armed;
};

/* Forks the voter; before there are other descriptors. The texts must last. Q_ERR_IO with errno. */
enum q_err voter_watch_start(struct voter_watch *watch, const char *device_name, const char *lock_file);
void voter_watch_attach(struct voter_watch *watch, qb_loop_t *loop, const struct voter_watch_handlers *handlers,
                        void *context);
/* `number` is filled in here. */
void voter_watch_tell(struct voter_watch *watch, const struct voting_command *command);
bool voter_watch_is_voter(const struct voter_watch *watch, pid_t pid);
/* The device has left votequorum. */
void voter_watch_stop(struct voter_watch *watch, uint32_t timeout_ms);

#endif
