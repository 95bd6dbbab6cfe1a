/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <qb/qblog.h>

#define LOG_LINE_SIZE 1400 /* a decision with its reason, cluster name and node list */

static struct {
    bool open;
    bool starting; /* a daemonising start: the caller still listens on stderr */
    int threshold;
    const char *ident;
} log_state = {.threshold = LOG_INFO, .ident = "quorate"};

/* systemd tells in JOURNAL_STREAM which device and inode stderr has if it leads to the journal. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat status;

    if (stream == NULL || sscanf(stream, "%ju:%ju", &device, &inode) != 2)
        return false;
    return fstat(2, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_open(const struct log_config *config)
{
    log_state.threshold = config->debug_count > 0 ? LOG_DEBUG : LOG_INFO;
    log_state.ident = config->ident;
    log_state.starting = !config->foreground;

    qb_log_init(config->ident, LOG_DAEMON, (uint8_t)log_state.threshold);
    qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_MAX_LINE_LEN, LOG_LINE_SIZE);
    qb_log_format_set(QB_LOG_SYSLOG, "%b");
    qb_log_filter_ctl(QB_LOG_SYSLOG, QB_LOG_FILTER_CLEAR_ALL, QB_LOG_FILTER_FILE, "*", LOG_TRACE);
    qb_log_filter_ctl(QB_LOG_SYSLOG, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE, "*",
                      (uint8_t)log_state.threshold);
    if (config->debug_count > 1)
        qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_PRIORITY_BUMP, LOG_INFO - LOG_DEBUG);
    qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_ENABLED, QB_TRUE);

    if (config->foreground && !stderr_is_journal()) {
        qb_log_ctl(QB_LOG_STDERR, QB_LOG_CONF_MAX_LINE_LEN, LOG_LINE_SIZE);
        qb_log_format_set(QB_LOG_STDERR, "%t %7p %b");
        qb_log_filter_ctl(QB_LOG_STDERR, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE, "*",
                          (uint8_t)log_state.threshold);
        qb_log_ctl(QB_LOG_STDERR, QB_LOG_CONF_ENABLED, QB_TRUE);
    }
    log_state.open = true;
}

void log_close(void)
{
    if (!log_state.open)
        return;
    log_state.open = false;
    qb_log_fini();
}

void log_start_completed(void)
{
    log_state.starting = false;
}

bool log_enabled(int priority)
{
    return priority <= log_state.threshold;
}

void log_line(int priority, const char *format, ...)
{
    char line[LOG_LINE_SIZE];
    va_list args;

    if (!log_enabled(priority))
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);

    if (!log_state.open || (log_state.starting && priority <= LOG_WARNING))
        fprintf(stderr, "%s: %s\n", log_state.ident, line);
    /* One call site per priority for libqb to look up, however many lines there are in the program. */
    if (log_state.open)
        qb_log_from_external_source(__func__, __FILE__, "%s", (uint8_t)priority, (uint32_t)priority, 0, line);
}
