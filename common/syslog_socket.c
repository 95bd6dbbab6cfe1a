/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/syslog_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#define LINE_SIZE 2048
#define RETRY_MS 1000

void syslog_socket_init(struct syslog_socket *log, const char *path, const char *ident)
{
    *log = (struct syslog_socket){.fd = -1, .path = path, .ident = ident};
    q_buf_init(&log->queue);
}

void syslog_socket_fini(struct syslog_socket *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
    q_buf_fini(&log->queue);
}

static bool is_connected(struct syslog_socket *log)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint64_t now_ms;

    if (log->fd >= 0)
        return true;
    now_ms = clock_monotonic_ms();
    if (now_ms < log->retry_ms)
        return false;
    log->retry_ms = now_ms + RETRY_MS;
    log->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (log->fd < 0)
        return false;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", log->path);
    if (connect(log->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return true;
    close(log->fd);
    log->fd = -1;
    return false;
}

/* Returns whether the datagram need not be kept. */
static bool send_datagram(struct syslog_socket *log, const void *bytes, size_t size)
{
    /* The second attempt is for a log daemon that was restarted meanwhile. */
    for (int attempt = 0; attempt < 2; attempt++) {
        if (!is_connected(log))
            return false;
        if (send(log->fd, bytes, size, MSG_NOSIGNAL) >= 0 || errno == EMSGSIZE)
            return true;
        if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
            return false;
        close(log->fd);
        log->fd = -1;
        log->retry_ms = 0;
    }
    return false;
}

bool syslog_socket_flush(struct syslog_socket *log)
{
    while (log->queue.size > 0) {
        uint32_t size;

        memcpy(&size, q_buf_bytes(&log->queue), sizeof(size));
        if (!send_datagram(log, q_buf_bytes(&log->queue) + sizeof(size), size))
            return true;
        q_buf_consume(&log->queue, sizeof(size) + size);
    }
    q_buf_release(&log->queue);
    return false;
}

static void enqueue(struct syslog_socket *log, const char *line, uint32_t size)
{
    /* Where there is no log daemon at all nobody will ever take them. */
    if (log->fd < 0 || log->queue.size + size > SYSLOG_SOCKET_QUEUE_MAX) {
        log->lost_count++;
        return;
    }
    if (q_buf_reserve(&log->queue, sizeof(size) + size) == NULL) {
        log->queue.failed = false;
        log->lost_count++;
        return;
    }
    q_buf_append(&log->queue, &size, sizeof(size));
    q_buf_append(&log->queue, line, size);
}

static void write_line(struct syslog_socket *log, int priority, const char *text)
{
    char line[LINE_SIZE], date[32] = "";
    time_t now = time(NULL);
    struct tm local;
    int length;

    if (localtime_r(&now, &local) != NULL)
        strftime(date, sizeof(date), "%h %e %T", &local);
    if ((priority & LOG_FACMASK) == 0)
        priority |= LOG_DAEMON;
    length = snprintf(line, sizeof(line), "<%d>%s %s[%ld]: %s", priority, date, log->ident,
                      (long)getpid(), text);
    if (length < 0)
        return;
    if (length >= (int)sizeof(line))
        length = (int)sizeof(line) - 1;
    /* Lines keep their order: behind a queue every line queues. */
    if (log->queue.size > 0 || !send_datagram(log, line, (size_t)length))
        enqueue(log, line, (uint32_t)length);
}

void syslog_socket_write(struct syslog_socket *log, int priority, const char *text)
{
    uint64_t lost_count = log->lost_count;

    if (!syslog_socket_flush(log) && lost_count > 0 && is_connected(log)) {
        char told[96];

        log->lost_count = 0;
        snprintf(told, sizeof(told), "%" PRIu64 " lines were lost while the log daemon did not take them",
                 lost_count);
        write_line(log, LOG_WARNING, told);
    }
    write_line(log, priority, text);
}

void syslog_socket_drain(struct syslog_socket *log, uint64_t wait_ms)
{
    uint64_t until_ms = clock_monotonic_ms() + wait_ms;

    while (syslog_socket_flush(log) && log->fd >= 0) {
        struct pollfd poll_fd = {.fd = log->fd, .events = POLLOUT};
        uint64_t now_ms = clock_monotonic_ms();

        if (now_ms >= until_ms || poll(&poll_fd, 1, (int)(until_ms - now_ms)) <= 0)
            return;
    }
}
