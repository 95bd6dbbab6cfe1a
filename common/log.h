/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log of a daemon: libqb's, to syslog and, in the foreground, to stderr as well. Opened once by main,
 * closed at the end of the program; called from shell code only. Priorities are those of syslog(3). Until it
 * is opened, and in a daemonising start until log_start_completed, lines of warning and above also go to
 * stderr, so that whoever starts the daemon sees why it does not come up. Texts are one line, without a
 * newline, and already printable.
 */
#ifndef QUORATE_COMMON_LOG_H
#define QUORATE_COMMON_LOG_H

#include <stdbool.h>
#include <syslog.h>

struct log_config {
    const char *ident; /* of syslog; must outlive the log */
    bool foreground; /* to stderr too, unless stderr is the journal, which has the line from syslog already */
    int debug_count; /* 0: from info up; 1: debug lines too; 2: syslog gets them as info */
    /* For a daemon that has a log of its own: gets every line; libqb is left alone. NULL: the log as described above. */
    void (*sink)(int priority, const char *text);
};

void log_open(const struct log_config *config);
void log_close(void);

/* To be called about every second: sends the lines that the log daemon did not take when they were written. */
void log_flush(void);

/* The caller of a daemonising start is about to be let go: stop writing to its stderr. */
void log_start_completed(void);

/* Debug lines too, or, unless -d was given, no longer: for a setting that changes at run time. */
void log_set_debug(bool on);

/* Whether stderr leads to the journal, which has what went to syslog already. */
bool log_stderr_is_journal(void);

/* Whether a line of this priority would go anywhere; lets hot paths skip the formatting. */
bool log_enabled(int priority);

void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
