/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of a node that wants to enrol (docs/enrolment.md) past the arbiter: a client that begins with TLS instead of a
 * message is passed on, socket and all, to the program corosync-qnetd-enrol, a process of its own that is started when
 * there is need of it and ends when there is none. The arbiter reads none of that client's bytes and waits for nothing.
 * Embedded in main's daemon.
 */
#ifndef QUORATE_QNETD_ENROLMENT_H
#define QUORATE_QNETD_ENROLMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <qb/qbloop.h>

#include "common/err.h"
#include "qnetd/listener.h"
#include "qnetd/settings.h"

/* A program that does not come up, or dies, is tried again no sooner than this. */
#define ENROLMENT_RESTART_MS 2000

struct enrolment {
    qb_loop_t *loop;
    const struct settings *settings;
    int channel; /* to the program; -1: it does not run */
    pid_t pid;   /* of the program, until it has been reaped; 0: none */
    pid_t leaving; /* of its predecessor, which has the certificates of before and ends with its last connection; 0: none */
    uint64_t started_ms;
    bool failed; /* to start: said once until it succeeds */
};

void enrolment_init(struct enrolment *enrolment, qb_loop_t *loop, const struct settings *settings);

/* The program takes no more connections, and ends when it has done with those that it has. */
void enrolment_fini(struct enrolment *enrolment);

/* Whether clients may enrol here. */
bool enrolment_offered(const struct enrolment *enrolment);

/* Whether the first byte that lies in the socket is one of TLS. False too if there is none. */
bool enrolment_is_wanted(int fd);

/*
 * Passes the connection on; the caller closes its own descriptor in any case. Q_ERR_AGAIN: the program is busy, or was
 * started too recently to be started again. Q_ERR_IO: it cannot be started.
 */
enum q_err enrolment_pass_on(struct enrolment *enrolment, int fd, const char *peer);

/*
 * The certificates have been loaded anew: the next connection gets a program that does the same, without waiting for the former
 * one's last connections. What that one had counted of wrong codes is forgotten; nobody but the administrator causes this.
 */
void enrolment_renew(struct enrolment *enrolment);

/* To be called every few seconds. */
void enrolment_tidy(struct enrolment *enrolment);

#endif
