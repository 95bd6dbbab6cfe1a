/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/arbiter_link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tcp.h"

#define MESSAGES_PER_TURN 32

static int32_t on_ready(int32_t fd, int32_t revents, void *data);

/* ---- events ---- */

static void tell(struct arbiter_link *link, struct agent_event *event)
{
    event->conn = link->conn;
    link->on_event(link->context, event);
}

static void tell_simply(struct arbiter_link *link, enum agent_event_type type)
{
    struct agent_event event = {.type = type};

    tell(link, &event);
}

/* Closes first: the agent may connect anew at once. */
static void lost(struct arbiter_link *link, const char *text)
{
    struct agent_event event = {.type = AGENT_EV_DISCONNECTED};
    char copy[AGENT_TEXT_SIZE];

    snprintf(copy, sizeof(copy), "%s", text);
    event.u.disconnected.text = copy;
    arbiter_link_close(link, false);
    tell(link, &event);
}

static void lost_stream(struct arbiter_link *link, enum q_err err)
{
    const char *text = tls_channel_error(&link->stream.channel);

    if (text[0] != '\0')
        lost(link, text);
    else
        lost(link, err == Q_ERR_CLOSED ? "the arbiter has closed the connection" : q_err_text(err));
}

/* ---- readiness ---- */

static int32_t wanted_events(const struct arbiter_link *link)
{
    enum tls_want want = tls_channel_want(&link->stream.channel);

    switch (link->state) {
    case ARBITER_LINK_NONE:
        return 0;
    case ARBITER_LINK_CONNECTING:
    case ARBITER_LINK_TLS_DUE:
        return POLLOUT;
    case ARBITER_LINK_HANDSHAKE:
        return want == TLS_WANT_WRITE ? POLLOUT : POLLIN;
    case ARBITER_LINK_OPEN:
        break;
    }
    return message_stream_has_output(&link->stream) || want == TLS_WANT_WRITE ? POLLIN | POLLOUT : POLLIN;
}

static void watch(struct arbiter_link *link)
{
    int32_t events = wanted_events(link);

    if (link->state == ARBITER_LINK_NONE || events == link->events)
        return;
    if (qb_loop_poll_mod(link->loop, QB_LOOP_HIGH, link->stream.fd, events, link, on_ready) == 0)
        link->events = events;
}

static void on_more(void *data);

/* An arbiter that talks without end does not keep the core, the voter and the tool waiting. */
static void read_messages(struct arbiter_link *link)
{
    struct message_stream_turn turn = {.messages_left = MESSAGES_PER_TURN};
    uint64_t conn = link->conn;
    enum q_err err = Q_OK;

    while (link->state == ARBITER_LINK_OPEN && link->conn == conn) {
        struct wire_frame_message bytes;
        struct agent_event event = {.type = AGENT_EV_UNREADABLE};
        enum wire_frame frame;

        err = message_stream_receive(&link->stream, &turn, &frame, &bytes);
        if (err != Q_OK)
            break;
        if (frame == WIRE_FRAME_MESSAGE && wire_decode(bytes.bytes, bytes.size, &link->message)) {
            event.type = AGENT_EV_MESSAGE;
            event.u.message.message = &link->message;
        }
        tell(link, &event);
    }
    if (link->conn != conn || link->state != ARBITER_LINK_OPEN || err == Q_OK || err == Q_ERR_AGAIN)
        return;
    if (err != Q_ERR_BUSY)
        lost_stream(link, err);
    else if (!link->more_queued)
        link->more_queued = qb_loop_job_add(link->loop, QB_LOOP_MED, link, on_more) == 0;
}

static void on_more(void *data)
{
    struct arbiter_link *link = data;

    link->more_queued = false;
    if (link->state == ARBITER_LINK_OPEN)
        read_messages(link);
    watch(link);
}

static void on_connected(struct arbiter_link *link)
{
    socklen_t size = sizeof(int);
    int failure = 0;

    if (getsockopt(link->stream.fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
        failure = errno;
    if (failure != 0) {
        char text[AGENT_TEXT_SIZE];

        snprintf(text, sizeof(text), "%s: %s", link->peer, strerror(failure));
        lost(link, text);
        return;
    }
    link->state = ARBITER_LINK_OPEN;
    tell_simply(link, AGENT_EV_CONNECTED);
}

static void shake_hands(struct arbiter_link *link)
{
    enum q_err err = tls_channel_handshake(&link->stream.channel);

    if (err == Q_ERR_AGAIN)
        return;
    if (err != Q_OK) {
        lost_stream(link, err);
        return;
    }
    link->state = ARBITER_LINK_OPEN;
    tell_simply(link, AGENT_EV_SECURED);
    if (link->state == ARBITER_LINK_OPEN)
        read_messages(link); /* what came with the last part of the handshake makes no socket readable */
}

/* Everything said before in plain text must have left. */
static void begin_handshake(struct arbiter_link *link)
{
    enum q_err err = message_stream_flush(&link->stream);

    if (err != Q_OK) {
        lost_stream(link, err);
        return;
    }
    if (message_stream_has_output(&link->stream))
        return;
    err = tls_channel_start(&link->stream.channel, link->credentials);
    if (err != Q_OK) {
        lost(link, "TLS cannot be started: out of memory");
        return;
    }
    link->state = ARBITER_LINK_HANDSHAKE;
    shake_hands(link);
}

static int32_t on_ready(int32_t fd, int32_t revents, void *data)
{
    struct arbiter_link *link = data;
    uint64_t conn = link->conn;

    (void)fd;
    (void)revents;
    switch (link->state) {
    case ARBITER_LINK_NONE:
        return 0;
    case ARBITER_LINK_CONNECTING:
        on_connected(link);
        break;
    case ARBITER_LINK_TLS_DUE:
        begin_handshake(link);
        break;
    case ARBITER_LINK_HANDSHAKE:
        shake_hands(link);
        break;
    case ARBITER_LINK_OPEN: {
        enum q_err err = message_stream_flush(&link->stream);

        if (err != Q_OK)
            lost_stream(link, err);
        else
            read_messages(link);
        break;
    }
    }
    if (link->conn == conn)
        watch(link);
    return 0;
}

/* ---- actions ---- */

static void on_answer(void *context, const struct resolver_answer *answer)
{
    struct arbiter_link *link = context;
    struct agent_event event = {.type = AGENT_EV_RESOLVED};

    if (answer->count > 0)
        link->addresses = *answer; /* kept: the agent may go on with them when a later lookup fails */
    event.u.resolved.address_count = answer->count;
    event.u.resolved.text = answer->text;
    tell(link, &event);
}

void arbiter_link_init(struct arbiter_link *link, qb_loop_t *loop, const struct message_stream_limits *limits,
                       void (*on_event)(void *context, struct agent_event *event), void *context)
{
    memset(link, 0, sizeof(*link));
    link->loop = loop;
    link->limits = *limits;
    link->on_event = on_event;
    link->context = context;
    resolver_init(&link->resolver, loop, on_answer, link);
}

void arbiter_link_fini(struct arbiter_link *link)
{
    arbiter_link_close(link, false);
}

bool arbiter_link_resolve(struct arbiter_link *link, uint64_t conn, const char *host, uint16_t port, int ip_version,
                          char *text, size_t size)
{
    link->conn = conn;
    if (resolver_ask(&link->resolver, host, port, ip_version) == Q_OK)
        return true;
    snprintf(text, size, "the lookup cannot be started: %s", strerror(errno));
    return false;
}

static void name_peer(struct arbiter_link *link, const struct sockaddr_storage *address, socklen_t size)
{
    char host[48], service[8];

    if (getnameinfo((const struct sockaddr *)address, size, host, sizeof(host), service, sizeof(service),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(link->peer, sizeof(link->peer), "unknown address");
    else
        snprintf(link->peer, sizeof(link->peer), strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, service);
}

bool arbiter_link_connect(struct arbiter_link *link, uint64_t conn, uint32_t address, char *text, size_t size)
{
    const struct sockaddr_storage *to = &link->addresses.addresses[address];
    socklen_t to_size = to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int fd;

    arbiter_link_close(link, false);
    link->conn = conn;
    name_peer(link, to, to_size);
    fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || (connect(fd, (const struct sockaddr *)to, to_size) != 0 && errno != EINPROGRESS) ||
        qb_loop_poll_add(link->loop, QB_LOOP_HIGH, fd, POLLOUT, link, on_ready) != 0) {
        snprintf(text, size, "%s: %s", link->peer, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    tcp_be_prompt(fd);
    message_stream_init(&link->stream, fd, &link->limits);
    link->state = ARBITER_LINK_CONNECTING;
    link->events = POLLOUT;
    return true;
}

bool arbiter_link_start_tls(struct arbiter_link *link, struct tls_credentials *credentials, char *text, size_t size)
{
    if (credentials == NULL) {
        snprintf(text, size, "there are no certificates for TLS");
        return false;
    }
    if (link->state == ARBITER_LINK_NONE)
        return true; /* closed by an action before this one */
    tls_credentials_unref(link->credentials);
    link->credentials = tls_credentials_ref(credentials);
    link->state = ARBITER_LINK_TLS_DUE;
    watch(link);
    return true;
}

bool arbiter_link_send(struct arbiter_link *link, const uint8_t *bytes, size_t size, char *text, size_t text_size)
{
    enum q_err err;

    if (link->state == ARBITER_LINK_NONE)
        return true; /* closed by an action before this one */
    err = message_stream_send(&link->stream, &link->limits, bytes, size, false);
    if (err == Q_OK) {
        watch(link);
        return true;
    }
    snprintf(text, text_size, "%s",
             err == Q_ERR_LIMIT ? "it does not take our messages" : tls_channel_error(&link->stream.channel));
    arbiter_link_close(link, false);
    return false;
}

void arbiter_link_close(struct arbiter_link *link, bool goodbye)
{
    resolver_cancel(&link->resolver);
    if (link->state == ARBITER_LINK_NONE)
        return;
    qb_loop_poll_del(link->loop, link->stream.fd);
    message_stream_close(&link->stream, goodbye);
    message_stream_fini(&link->stream);
    tls_credentials_unref(link->credentials);
    link->credentials = NULL;
    link->state = ARBITER_LINK_NONE;
    link->peer[0] = '\0';
}

const char *arbiter_link_peer(const struct arbiter_link *link)
{
    return link->state == ARBITER_LINK_NONE ? "" : link->peer;
}
