/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"

#define READ_SIZE 16384

static void fail(struct control_answer *answer, enum control_outcome outcome, const char *text)
{
    answer->outcome = outcome;
    snprintf(answer->error_text, sizeof(answer->error_text), "%s", text);
}

/* Waits for readiness. False: the time is over. */
static bool wait_for(int fd, short events, uint64_t deadline_ms)
{
    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = events};
        uint64_t now_ms = clock_monotonic_ms();
        int ready;

        if (now_ms >= deadline_ms)
            return false;
        ready = poll(&poll_fd, 1, deadline_ms - now_ms > INT32_MAX ? INT32_MAX : (int)(deadline_ms - now_ms));
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return true; /* the following call tells what is wrong */
    }
}

/* Returns the connected descriptor, or -1 after filling the answer. */
static int connect_to(const char *path, uint64_t deadline_ms, struct control_answer *answer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    int fd;

    if (length == 0 || length >= sizeof(address.sun_path)) {
        fail(answer, CONTROL_CANNOT_CONNECT, strerror(ENAMETOOLONG));
        return -1;
    }
    memcpy(address.sun_path, path, length);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        fail(answer, CONTROL_CANNOT_CONNECT, strerror(errno));
        return -1;
    }
    /* A full backlog answers EAGAIN at once, and there is nothing to poll for. */
    while (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;

        if (error == EINTR)
            continue;
        if (error == EAGAIN && clock_monotonic_ms() + 10 < deadline_ms) {
            usleep(10000);
            continue;
        }
        close(fd);
        if (error == EAGAIN)
            fail(answer, CONTROL_TIMED_OUT, "the daemon does not take the connection");
        else
            fail(answer, CONTROL_CANNOT_CONNECT, strerror(error));
        return -1;
    }
    return fd;
}

static bool send_request(int fd, const char *request, size_t size, uint64_t deadline_ms,
                         struct control_answer *answer)
{
    while (size > 0) {
        ssize_t count = send(fd, request, size, MSG_NOSIGNAL);

        if (count >= 0) {
            request += count;
            size -= (size_t)count;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return true; /* there may be a reply to read, or nothing */
        } else if (errno != EAGAIN && errno != EINTR) {
            fail(answer, CONTROL_INTERNAL, "Can't send command");
            return false;
        } else if (!wait_for(fd, POLLOUT, deadline_ms)) {
            fail(answer, CONTROL_TIMED_OUT, "the daemon does not take the request");
            return false;
        }
    }
    return true;
}

static bool receive_all(int fd, uint64_t deadline_ms, struct control_answer *answer)
{
    for (;;) {
        uint8_t *room = q_buf_reserve(&answer->body, READ_SIZE);
        ssize_t count;

        if (room == NULL) {
            fail(answer, CONTROL_INTERNAL, "Out of memory");
            return false;
        }
        count = recv(fd, room, READ_SIZE, 0);
        if (count > 0) {
            q_buf_commit(&answer->body, (size_t)count);
        } else if (count == 0 || errno == ECONNRESET) {
            return true;
        } else if (errno != EAGAIN && errno != EINTR) {
            fail(answer, CONTROL_NO_REPLY, strerror(errno));
            return false;
        } else if (!wait_for(fd, POLLIN, deadline_ms)) {
            fail(answer, CONTROL_TIMED_OUT, "the daemon does not answer");
            return false;
        }
    }
}

/* Takes the first line off the body and judges it. */
static void read_status_line(struct control_answer *answer)
{
    const char *bytes = (const char *)q_buf_bytes(&answer->body);
    const char *newline = answer->body.size == 0 ? NULL : memchr(bytes, '\n', answer->body.size);
    size_t length = newline == NULL ? answer->body.size : (size_t)(newline - bytes);
    char line[CONTROL_STATUS_LINE_MAX + 1];
    size_t used = 0;

    if (answer->body.size == 0) {
        fail(answer, CONTROL_NO_REPLY, "The daemon closed the connection without an answer");
        return;
    }
    if (length > CONTROL_STATUS_LINE_MAX) {
        fail(answer, CONTROL_INTERNAL, "Status line returned by IPC server is too long");
        return;
    }
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\r')
            line[used++] = bytes[i];
    }
    line[used] = '\0';
    q_buf_consume(&answer->body, newline == NULL ? length : length + 1);
    if (strcasecmp(line, "OK") == 0)
        answer->outcome = CONTROL_OK;
    else if (strcasecmp(line, "Error") == 0)
        answer->outcome = CONTROL_REFUSED;
    else
        fail(answer, CONTROL_UNKNOWN_REPLY, "Unknown status line returned by IPC server");
}

void control_ask(const char *path, const char *request, size_t size, uint64_t timeout_ms,
                 struct control_answer *answer)
{
    uint64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    int fd;

    *answer = (struct control_answer){.outcome = CONTROL_OK};
    q_buf_init(&answer->body);
    fd = connect_to(path, deadline_ms, answer);
    if (fd < 0)
        return;
    if (size > CONTROL_REQUEST_SIZE_MAX)
        fail(answer, CONTROL_INTERNAL, "The command is too long");
    else if (send_request(fd, request, size, deadline_ms, answer) && receive_all(fd, deadline_ms, answer))
        read_status_line(answer);
    close(fd);
}

void control_answer_fini(struct control_answer *answer)
{
    q_buf_fini(&answer->body);
}
