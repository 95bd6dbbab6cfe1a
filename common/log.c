/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <qb/qblog.h>

#include "common/syslog_socket.h"

#define LOG_LINE_SIZE 1400 /* a decision with its reason, cluster name and node list */
#define DRAIN_MS 1000      /* what the log daemon gets at the end */

static struct {
    bool open;
    bool starting; /* a daemonising start: the caller still listens on stderr */
    int debug_count;
    int threshold;
    bool raise; /* -dd: what is below info goes to syslog as info */
    const char *ident;
    void (*sink)(int priority, const char *text);
    struct syslog_socket syslog;
} log_state = {.threshold = LOG_INFO, .ident = "quorate"};

/* systemd tells in JOURNAL_STREAM which device and inode stderr has if it leads to the journal. */
bool log_stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat status;

    if (stream == NULL || sscanf(stream, "%ju:%ju", &device, &inode) != 2)
        return false;
    return fstat(2, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

/* The target for syslog: libqb's own would wait for the log daemon. */
static void on_syslog_line(int32_t target, struct qb_log_callsite *callsite, struct timespec *timestamp,
                           const char *text)
{
    int priority = callsite->priority > LOG_DEBUG ? LOG_DEBUG : callsite->priority;

    (void)target;
    (void)timestamp;
    if (log_state.raise && priority > LOG_INFO)
        priority = LOG_INFO;
    syslog_socket_write(&log_state.syslog, priority, text);
}

static void enable(int32_t target)
{
    qb_log_ctl(target, QB_LOG_CONF_MAX_LINE_LEN, LOG_LINE_SIZE);
    /* Of ours log_line has chosen; what libqb says of itself for its own developers is only for who debugs. */
    qb_log_filter_ctl(target, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FUNCTION, "log_line", LOG_DEBUG);
    qb_log_filter_ctl(target, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE, "*",
                      log_state.debug_count > 0 ? LOG_DEBUG : LOG_INFO);
    qb_log_ctl(target, QB_LOG_CONF_ENABLED, QB_TRUE);
}

void log_open(const struct log_config *config)
{
    int32_t syslog_target;

    log_state.debug_count = config->debug_count;
    log_set_debug(false);
    log_state.ident = config->ident;
    log_state.sink = config->sink;
    if (config->sink != NULL) {
        log_state.open = true;
        return;
    }
    log_state.starting = !config->foreground;

    log_state.raise = config->debug_count > 1;
    syslog_socket_init(&log_state.syslog, SYSLOG_SOCKET_PATH, config->ident);
    qb_log_init(config->ident, LOG_DAEMON, LOG_DEBUG);
    qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_ENABLED, QB_FALSE);
    syslog_target = qb_log_custom_open(on_syslog_line, NULL, NULL, NULL);
    if (syslog_target >= 0)
        enable(syslog_target);
    if (config->foreground && !log_stderr_is_journal()) {
        qb_log_format_set(QB_LOG_STDERR, "%t %7p %b");
        enable(QB_LOG_STDERR);
    }
    log_state.open = true;
}

void log_close(void)
{
    if (!log_state.open)
        return;
    log_state.open = false;
    if (log_state.sink != NULL)
        return;
    qb_log_fini();
    syslog_socket_drain(&log_state.syslog, DRAIN_MS);
    syslog_socket_fini(&log_state.syslog);
}

void log_flush(void)
{
    if (log_state.open && log_state.sink == NULL)
        syslog_socket_flush(&log_state.syslog);
}

void log_start_completed(void)
{
    log_state.starting = false;
}

void log_set_debug(bool on)
{
    log_state.threshold = on || log_state.debug_count > 0 ? LOG_DEBUG : LOG_INFO;
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

    if (log_state.open && log_state.sink != NULL) {
        log_state.sink(priority, line);
        return;
    }
    if (!log_state.open || (log_state.starting && priority <= LOG_WARNING))
        fprintf(stderr, "%s: %s\n", log_state.ident, line);
    /* One call site per priority for libqb to look up, however many lines there are in the program. */
    if (log_state.open)
        qb_log_from_external_source(__func__, __FILE__, "%s", (uint8_t)priority, (uint32_t)priority, 0, line);
}
