/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/logging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <qb/qblog.h>

#include "common/log.h"
#include "common/syslog_socket.h"
#include "core/log_writer.h"
#include "core/services/service.h"

#define IDENT "corosync" /* what everything that reads a node's log looks for */
#define LINE_SIZE 2000
#define DRAIN_MS 1000
#define PRIORITY_TRACE (LOG_DEBUG + 1)
#define NO_FILE (-1)

static const char *const names[] = {"MAIN",  "SERV",  "CMAP", "CFG",  "CPG", "QUORUM",
                                    "VOTEQ", "TOTEM", "KNET", "SYNC", "QB"};
_Static_assert(sizeof(names) / sizeof(names[0]) == LOGGING_SUBSYSTEM_COUNT, "a name for each");

/* Where lines of a subsystem go: up to this priority, -1: not at all. */
struct route {
    int stderr_priority, syslog_priority, file_priority;
    int facility; /* shifted */
    int file;     /* index into files */
};

struct log_file {
    char *path;
    int fd;
};

static struct {
    bool foreground, starting;
    bool stderr_is_journal;
    enum core_timestamp timestamp;
    struct route routes[LOGGING_SUBSYSTEM_COUNT];
    struct log_file files[LOGGING_SUBSYSTEM_COUNT];
    int file_count;
    struct syslog_socket syslog;
    char host_name[256];
    int32_t qb_target;
} state;

enum logging_subsystem logging_of_service(uint32_t service)
{
    switch (service) {
    case SERVICE_CMAP:
        return LOGGING_CMAP;
    case SERVICE_CFG:
        return LOGGING_CFG;
    case SERVICE_CPG:
        return LOGGING_CPG;
    case SERVICE_QUORUM:
        return LOGGING_QUORUM;
    case SERVICE_VOTEQUORUM:
        return LOGGING_VOTEQ;
    case SERVICE_TOTEM:
        return LOGGING_TOTEM;
    case SERVICE_SYNC:
        return LOGGING_SYNC;
    default:
        return LOGGING_MAIN;
    }
}

/* ---- lines of others ---- */

/* What the transport says begins with its name. */
static void on_common_line(int priority, const char *text)
{
    enum logging_subsystem subsystem = LOGGING_MAIN;

    if (strncmp(text, "knet: ", 6) == 0)
        subsystem = LOGGING_KNET;
    else if (strncmp(text, "udp", 3) == 0 || strncmp(text, "transport: ", 11) == 0)
        subsystem = LOGGING_TOTEM;
    logging_text(subsystem, priority, text, strlen(text));
}

static void on_qb_line(int32_t target, struct qb_log_callsite *callsite, struct timespec *timestamp,
                       const char *text)
{
    (void)target;
    (void)timestamp;
    logging_text(LOGGING_QB, callsite->priority, text, strlen(text));
}

/* Only what is wanted is formatted by libqb at all. */
static void filter_others(void)
{
    int qb_priority = LOG_INFO;

    while (qb_priority < PRIORITY_TRACE && logging_wants(LOGGING_QB, qb_priority + 1))
        qb_priority++;
    if (state.qb_target >= 0) {
        qb_log_filter_ctl(state.qb_target, QB_LOG_FILTER_CLEAR_ALL, QB_LOG_FILTER_FILE, "*", LOG_DEBUG);
        qb_log_filter_ctl(state.qb_target, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE, "*", (uint8_t)qb_priority);
    }
    log_set_debug(logging_wants(LOGGING_MAIN, LOG_DEBUG));
}

/* ---- start and end ---- */

void logging_open(bool foreground)
{
    static const struct log_config common = {.ident = IDENT, .sink = on_common_line};

    state.foreground = foreground;
    state.starting = true;
    state.stderr_is_journal = log_stderr_is_journal();
    state.timestamp = CORE_TIMESTAMP_HIRES;
    for (size_t i = 0; i < LOGGING_SUBSYSTEM_COUNT; i++)
        state.routes[i] = (struct route){LOG_WARNING, LOG_WARNING, -1, LOG_DAEMON, NO_FILE};
    if (gethostname(state.host_name, sizeof(state.host_name)) != 0)
        snprintf(state.host_name, sizeof(state.host_name), "localhost");
    state.host_name[strcspn(state.host_name, ".")] = '\0';
    syslog_socket_init(&state.syslog, SYSLOG_SOCKET_PATH, IDENT);
    log_writer_start();
    log_open(&common);
    qb_log_init(IDENT, LOG_DAEMON, LOG_EMERG);
    qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_ENABLED, QB_FALSE);
    state.qb_target = qb_log_custom_open(on_qb_line, NULL, NULL, NULL);
    if (state.qb_target >= 0)
        qb_log_ctl(state.qb_target, QB_LOG_CONF_ENABLED, QB_TRUE);
    filter_others();
}

static void close_files(struct log_file *files, int count)
{
    for (int i = 0; i < count; i++) {
        log_writer_close(files[i].fd);
        free(files[i].path);
    }
}

void logging_close(void)
{
    qb_log_fini();
    log_close();
    syslog_socket_drain(&state.syslog, DRAIN_MS);
    syslog_socket_fini(&state.syslog);
    close_files(state.files, state.file_count);
    state.file_count = 0;
    log_writer_stop();
}

void logging_start_completed(void)
{
    state.starting = false;
    log_start_completed();
    log_writer_drain();
}

void logging_flush(void)
{
    syslog_socket_flush(&state.syslog);
}

/* ---- configuration ---- */

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
}

/* The index of the open file of that path; NO_FILE: errno says why not. */
static int find_file(struct log_file *files, int *count, const char *path)
{
    struct log_file file;

    for (int i = 0; i < *count; i++) {
        if (strcmp(files[i].path, path) == 0)
            return i;
    }
    file.fd = open_file(path);
    if (file.fd < 0)
        return NO_FILE;
    file.path = strdup(path);
    if (file.path == NULL) {
        close(file.fd);
        errno = ENOMEM;
        return NO_FILE;
    }
    files[*count] = file;
    return (*count)++;
}

static int priority_with_debug(int priority, enum core_debug debug)
{
    switch (debug) {
    case CORE_DEBUG_OFF:
        return priority;
    case CORE_DEBUG_ON:
        return LOG_DEBUG;
    case CORE_DEBUG_TRACE:
        return PRIORITY_TRACE;
    }
    return priority;
}

static const struct core_log_target *target_of(const struct core_logging *settings, const char *subsystem)
{
    for (size_t i = 1; i < settings->target_count; i++) {
        if (strcasecmp(settings->targets[i].subsystem, subsystem) == 0)
            return &settings->targets[i];
    }
    return &settings->targets[0];
}

enum q_err logging_configure(const struct core_logging *settings, char *why, size_t why_size)
{
    struct route routes[LOGGING_SUBSYSTEM_COUNT];
    struct log_file files[LOGGING_SUBSYSTEM_COUNT];
    int file_count = 0;

    for (size_t i = 0; i < LOGGING_SUBSYSTEM_COUNT; i++) {
        const struct core_log_target *target = target_of(settings, names[i]);
        struct route *route = &routes[i];

        *route = (struct route){-1, -1, -1, target->syslog_facility << 3, NO_FILE};
        if (target->to_stderr)
            route->stderr_priority = priority_with_debug(target->logfile_priority, target->debug);
        if (target->to_syslog)
            route->syslog_priority = priority_with_debug(target->syslog_priority, target->debug);
        if (!target->to_logfile || target->logfile == NULL)
            continue;
        route->file_priority = priority_with_debug(target->logfile_priority, target->debug);
        route->file = find_file(files, &file_count, target->logfile);
        if (route->file == NO_FILE) {
            int error = errno;

            snprintf(why, why_size, "Can't open logfile '%s' for reason: %s (%d).", target->logfile,
                     strerror(error), error);
            close_files(files, file_count);
            return error == ENOMEM ? Q_ERR_NO_MEMORY : Q_ERR_IO;
        }
    }
    close_files(state.files, state.file_count);
    memcpy(state.routes, routes, sizeof(routes));
    memcpy(state.files, files, (size_t)file_count * sizeof(files[0]));
    state.file_count = file_count;
    state.timestamp = settings->timestamp;
    filter_others();
    return Q_OK;
}

enum q_err logging_reopen(void)
{
    enum q_err err = Q_OK;

    for (int i = 0; i < state.file_count; i++) {
        int fd = open_file(state.files[i].path);

        if (fd < 0) {
            logging_line(LOGGING_MAIN, LOG_ERR, "Can't open logfile '%s' again: %s", state.files[i].path,
                         strerror(errno));
            err = Q_ERR_IO;
            continue;
        }
        log_writer_close(state.files[i].fd);
        state.files[i].fd = fd;
    }
    return err;
}

/* ---- lines ---- */

static bool goes_to_stderr(const struct route *route, int priority)
{
    /* The journal has the line from syslog already. */
    if (state.foreground)
        return priority <= route->stderr_priority && !(state.stderr_is_journal && priority <= route->syslog_priority);
    return state.starting && priority <= LOG_WARNING;
}

bool logging_wants(enum logging_subsystem subsystem, int priority)
{
    const struct route *route = &state.routes[subsystem];

    return priority <= route->syslog_priority || priority <= route->file_priority || goes_to_stderr(route, priority);
}

/* "Nov 22 14:53:48.123 " or what is wanted of it; text has room for 64. */
static void write_time(char *text, size_t size)
{
    struct timespec now;
    struct tm local;
    size_t length;

    text[0] = '\0';
    if (state.timestamp == CORE_TIMESTAMP_OFF)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &local) == NULL)
        return;
    length = strftime(text, size, "%b %d %T", &local);
    if (state.timestamp == CORE_TIMESTAMP_HIRES)
        snprintf(text + length, size - length, ".%03ld ", now.tv_nsec / 1000000);
    else
        snprintf(text + length, size - length, " ");
}

/* Everybody on the machine reads this: no byte of a peer or client may look like another line. */
static void make_plain(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

static void write_line(enum logging_subsystem subsystem, int priority, const char *text)
{
    static const char *const words[] = {"emerg", "alert",  "crit", "error", "warning",
                                        "notice", "info", "debug", "trace"};
    const struct route *route = &state.routes[subsystem];
    bool to_file = route->file != NO_FILE && priority <= route->file_priority;
    bool to_stderr = goes_to_stderr(route, priority);
    const char *word = words[priority < 0 ? 0 : priority > PRIORITY_TRACE ? PRIORITY_TRACE : priority];
    char line[LINE_SIZE + 512], time_text[64];
    int length;

    if (priority <= route->syslog_priority) {
        snprintf(line, sizeof(line), "  [%-6s] %s", names[subsystem], text);
        syslog_socket_write(&state.syslog, route->facility | (priority > LOG_DEBUG ? LOG_DEBUG : priority), line);
    }
    if (!to_file && !to_stderr)
        return;
    write_time(time_text, sizeof(time_text));
    if (to_stderr) {
        length = snprintf(line, sizeof(line), "%s%-7s [%-6s] %s\n", time_text, word, names[subsystem], text);
        log_writer_add(STDERR_FILENO, line, (size_t)length);
    }
    if (to_file) {
        length = snprintf(line, sizeof(line), "%s[%ld] %s " IDENT " %-7s [%-6s] %s\n", time_text, (long)getpid(),
                          state.host_name, word, names[subsystem], text);
        log_writer_add(state.files[route->file].fd, line, (size_t)length);
    }
}

void logging_line(enum logging_subsystem subsystem, int priority, const char *format, ...)
{
    char text[LINE_SIZE];
    va_list args;

    if (!logging_wants(subsystem, priority))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    make_plain(text);
    write_line(subsystem, priority, text);
}

void logging_text(enum logging_subsystem subsystem, int priority, const char *text, size_t size)
{
    char copy[LINE_SIZE];

    if (!logging_wants(subsystem, priority))
        return;
    snprintf(copy, sizeof(copy), "%.*s", size > LINE_SIZE ? LINE_SIZE : (int)size, text);
    make_plain(copy);
    write_line(subsystem, priority, copy);
}
