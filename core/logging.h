/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core's log: lines of subsystems, each with its own priorities and places, as the logging section of corosync.conf
 * says (spec/corosync-conf.md section 7.1). One per process, opened by main, configured by the daemon at the start and at
 * every reload. Lines of common/log and of libqb come here too. Nobody waits: not for the log daemon (common/syslog_socket.h),
 * nor for a disk or a pipe (core/log_writer.h).
 *
 *   stderr   Nov 22 14:53:48 notice  [TOTEM ] text
 *   file     Nov 22 14:53:48 [9] n1 corosync notice  [TOTEM ] text
 *   syslog   corosync[9]:   [TOTEM ] text
 */
#ifndef QUORATE_CORE_LOGGING_H
#define QUORATE_CORE_LOGGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include "common/err.h"
#include "core/config/core_config.h"

/* Under the names of the packaged daemon, which logger_subsys uses. */
enum logging_subsystem {
    LOGGING_MAIN,
    LOGGING_SERV,
    LOGGING_CMAP,
    LOGGING_CFG,
    LOGGING_CPG,
    LOGGING_QUORUM,
    LOGGING_VOTEQ,
    LOGGING_TOTEM,
    LOGGING_KNET,
    LOGGING_SYNC,
    LOGGING_QB,
    LOGGING_SUBSYSTEM_COUNT
};

/* The subsystem of a note (enum service_id). */
enum logging_subsystem logging_of_service(uint32_t service);

/* Until it is configured, lines of warning and above go to stderr and to syslog. After a fork, before the process gets its
 * priority. */
void logging_open(bool foreground);
void logging_close(void);

/*
 * What is read is copied. Q_ERR_IO: a file cannot be opened, `why` says which and why; what was in effect stays.
 * Q_ERR_NO_MEMORY.
 */
enum q_err logging_configure(const struct core_logging *settings, char *why, size_t why_size);
/* Opens the files again, for who renames them. Q_ERR_IO: at least one could not be opened and goes on as it was. */
enum q_err logging_reopen(void);
/* A start into the background is about to be complete: what went to stderr is there, and nothing more goes. */
void logging_start_completed(void);
/* To be called every few seconds: what syslog did not take when it was written. */
void logging_flush(void);

/* Whether a line would go anywhere. */
bool logging_wants(enum logging_subsystem subsystem, int priority);
/* One line of text, without a newline; bytes that are not printable are replaced. */
void logging_line(enum logging_subsystem subsystem, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for text without a terminator. */
void logging_text(enum logging_subsystem subsystem, int priority, const char *text, size_t size);

#endif
