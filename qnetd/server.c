/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/server_internal.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/tls/peer_names.h"

#define EVENTS_PER_TURN 128
#define ACCEPTS_PER_TURN 128
#define MESSAGES_PER_TURN 32
#define TALK_TURN_MS 20     /* then it is the others' turn */
#define HANDSHAKE_TURN_MS 5 /* then votes come first again */
#define HANDSHAKE_STUCK_MS 700
#define LINE_TIMER_MS UINT64_C(100)
#define TIDY_CONNECTIONS 500
#define STRANGER_MESSAGE_SIZE 4096 /* until INIT is accepted; PREINIT and INIT take a few hundred bytes */
#define TIMER_STEP_MS 10
#define TIMER_LATE_MS 500
#define LISTENER_ID 0 /* no connection has it: generations are never 0 */

/* Descriptors that are not connections: logs, control socket and its clients, state files, credentials. */
#define DESCRIPTORS_RESERVED 64

static void on_input(struct server *server, struct connection *connection);
static void on_turn_job(void *data);

/* ---- steps and the timer ---------------------------------------------------------------------------------- */

static void set_timer(struct server *server, uint64_t at_ms, uint64_t delay_ms)
{
    struct itimerspec when = {0};

    when.it_value.tv_sec = (time_t)(delay_ms / 1000);
    when.it_value.tv_nsec = (long)(delay_ms % 1000) * 1000000;
    server->timer_at_ms = at_ms;
    if (timerfd_settime(server->timer_fd, 0, &when, NULL) != 0) {
        log_line(LOG_CRIT, "Cannot set a timer: %s", strerror(errno));
        abort();
    }
}

/*
 * Only ever moved to an earlier time: a timer that comes too early finds nothing to do and is set anew. Deadlines of
 * thousands of clients are met in steps, and by a descriptor: a timer of libqb's loop spins for the last millisecond.
 */
static void arm_timer(struct server *server, uint64_t now_ms)
{
    uint64_t deadline_ms = arbiter_deadline_ms(server->arbiter);
    uint64_t at_ms;

    if (deadline_ms == ARBITER_NEVER)
        return;
    at_ms = (deadline_ms / TIMER_STEP_MS + 1) * TIMER_STEP_MS;
    if (at_ms < server->timer_at_ms)
        set_timer(server, at_ms, at_ms > now_ms ? at_ms - now_ms : 1);
}

/* Stamps the event with the time of this moment: events must not go back in time, whenever they were made up. */
static void one_step(struct server *server, struct arbiter_event *event)
{
    server->now_ms = event->now_ms = clock_monotonic_ms();
    /* Actions are missing, and which is not known. What was granted is on record, and the service manager starts us again. */
    if (arbiter_step(server->arbiter, event, &server->actions) == Q_ERR_NO_MEMORY) {
        log_line(LOG_CRIT, "Out of memory: stopping, to be started again. Votes given stay in force meanwhile");
        abort();
    }
    server_carry_out(server);
}

/* What carrying out brought about, and what that brings about. */
static void drain_follow_ups(struct server *server)
{
    for (size_t i = 0; i < server->follow_up_count; i++) {
        const struct server_follow_up next = server->follow_ups[i];
        struct arbiter_event event = {.type = next.type, .conn = next.conn};

        if (next.type == ARBITER_EV_PERSISTED) {
            event.u.persisted.cluster_id = next.cluster_id;
            event.u.persisted.generation = next.generation;
            event.u.persisted.result = next.result;
        } else {
            event.u.disconnected.how = ARBITER_GONE_SEND_FAILED;
        }
        one_step(server, &event);
    }
    server->follow_up_count = 0;
}

void server_step(struct server *server, struct arbiter_event *event)
{
    assert(!server->stepping);
    server->stepping = true;
    one_step(server, event);
    drain_follow_ups(server);
    server->stepping = false;
    arm_timer(server, event->now_ms);
}

static int32_t on_timer(int32_t fd, int32_t revents, void *data)
{
    struct server *server = data;
    struct arbiter_event event = {.type = ARBITER_EV_TIME};
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t expirations;

    (void)revents;
    if (read(fd, &expirations, sizeof(expirations)) != (ssize_t)sizeof(expirations))
        return 0; /* moved since */
    /* So late means that we stood still: clients that seem silent have their messages in the sockets. */
    server->timer_postponed = now_ms >= server->timer_at_ms + TIMER_LATE_MS && !server->timer_postponed;
    if (server->timer_postponed) {
        set_timer(server, server->timer_at_ms, TIMER_LATE_MS);
        return 0;
    }
    server->timer_at_ms = ARBITER_NEVER;
    server_step(server, &event);
    server_free_closed(server);
    return 0;
}

/* ---- what connections do ---------------------------------------------------------------------------------- */

/* However many are ready, and whatever their messages cost, others are served in between. */
static void begin_turn(struct server *server)
{
    server->now_ms = clock_monotonic_ms();
    server->turn_until_ms = server->now_ms + TALK_TURN_MS;
}

static bool is_open(const struct connection *connection)
{
    return connection->stream.fd >= 0;
}

/* The peer has gone, or broke what it must not break. */
static void on_gone(struct server *server, struct connection *connection)
{
    struct arbiter_event event = {.type = ARBITER_EV_DISCONNECTED, .conn = connection->id};
    bool secure = tls_channel_state(&connection->stream.channel) != TLS_CHANNEL_PLAIN &&
                  tls_channel_version(&connection->stream.channel)[0] != '\0';

    event.u.disconnected.how = secure && tls_channel_end(&connection->stream.channel) == TLS_END_CLEAN
                                   ? ARBITER_GONE_CLOSE_NOTIFY
                                   : ARBITER_GONE_EOF;
    if (tls_channel_end(&connection->stream.channel) == TLS_END_REFUSED)
        note_log_closed(&server->note_log, connection->peer, tls_channel_error(&connection->stream.channel),
                        clock_monotonic_ms());
    server_drop(server, connection);
    server_step(server, &event);
}

static void on_frame(struct server *server, struct connection *connection, enum wire_frame frame,
                     const struct wire_frame_message *bytes)
{
    struct arbiter_event event = {.conn = connection->id};

    if (frame == WIRE_FRAME_SKIPPED) {
        event.type = ARBITER_EV_SKIPPED;
        event.u.skipped.error = bytes->skip_error;
    } else {
        event.type = wire_decode(bytes->bytes, bytes->size, &server->message) ? ARBITER_EV_MESSAGE
                                                                              : ARBITER_EV_UNDECODABLE;
        event.u.message.message = &server->message;
        event.u.message.raw = (struct wire_bytes){bytes->bytes, bytes->size};
    }
    server_step(server, &event);
    if (!connection->member && arbiter_is_member(server->arbiter, connection->id)) {
        connection->member = true;
        wire_framer_set_size_max(&connection->stream.framer, server->settings->max_client_receive_size);
    }
}

static void queue_turn_job(struct server *server)
{
    if (!server->turn_job_queued)
        server->turn_job_queued = qb_loop_job_add(server->loop, QB_LOOP_MED, server, on_turn_job) == 0;
}

static void take_another_turn(struct server *server, struct connection *connection)
{
    if (connection->turn_pending)
        return;
    connection->turn_pending = true;
    connection->turn_next = NULL;
    if (server->turn_last != NULL)
        server->turn_last->turn_next = connection;
    else
        server->turn_first = connection;
    server->turn_last = connection;
    queue_turn_job(server);
}

static struct connection *next_in_turn(struct server *server)
{
    struct connection *connection = server->turn_first;

    server->turn_first = connection->turn_next;
    if (server->turn_first == NULL)
        server->turn_last = NULL;
    connection->turn_pending = false;
    return connection;
}

/* Those that get into the list again meanwhile wait for the next round, and so do those for whom no time is left. */
static void on_turn_job(void *data)
{
    struct server *server = data;
    const struct connection *last = server->turn_last;

    server->turn_job_queued = false;
    begin_turn(server);
    while (server->turn_first != NULL && server->now_ms < server->turn_until_ms) {
        struct connection *connection = next_in_turn(server);

        on_input(server, connection);
        if (connection == last)
            break;
    }
    if (server->turn_first != NULL)
        queue_turn_job(server);
    server_free_closed(server);
}

/*
 * A client that begins with TLS is none of the packaged protocol's, which begins in plain text: it wants to enrol, and that
 * is another process's business.
 */
static void pass_on(struct server *server, struct connection *connection)
{
    enum q_err err;

    server_unwatch(connection);
    err = enrolment_pass_on(server->enrolment, connection->stream.fd, connection->peer);
    if (err == Q_OK)
        connection->passed_on = true;
    else
        note_log_closed(&server->note_log, connection->peer,
                        err == Q_ERR_AGAIN ? "it wants to enrol, and too many others do" : "it wants to enrol, which fails",
                        clock_monotonic_ms());
    on_gone(server, connection);
}

/* At its first input: whether it was passed on. */
static bool begins_with_tls(struct server *server, struct connection *connection)
{
    if (connection->begun || !enrolment_offered(server->enrolment))
        return false;
    connection->begun = true;
    return enrolment_is_wanted(connection->stream.fd);
}

static void on_input(struct server *server, struct connection *connection)
{
    struct message_stream_turn turn = {.messages_left = MESSAGES_PER_TURN};

    if (is_open(connection) && begins_with_tls(server, connection)) {
        pass_on(server, connection);
        return;
    }
    while (is_open(connection) && connection->phase == CONNECTION_TALKING) {
        struct wire_frame_message message;
        enum wire_frame frame;
        enum q_err err = connection_is_behind(connection)
                             ? Q_ERR_AGAIN /* comes back when it has taken what it was sent */
                             : message_stream_receive(&connection->stream, &turn, &frame, &message);

        switch (err) {
        case Q_OK:
            on_frame(server, connection, frame, &message);
            if (server->now_ms >= server->turn_until_ms)
                turn.messages_left = 0;
            continue;
        case Q_ERR_BUSY:
            take_another_turn(server, connection);
            break;
        case Q_ERR_AGAIN:
            if (server_watch(connection, server->talk_fd) != Q_OK)
                on_gone(server, connection);
            break;
        case Q_ERR_NO_MEMORY:
        case Q_ERR_INVALID:
        case Q_ERR_LIMIT:
        case Q_ERR_IO:
        case Q_ERR_NOT_FOUND:
        case Q_ERR_ACCESS:
        case Q_ERR_CLOSED:
        case Q_ERR_EXPIRED:
            on_gone(server, connection);
            break;
        }
        return;
    }
}

/* Its certificate has been revoked, or may have been: says so in the log, and ends it. */
static bool turn_away(struct server *server, struct connection *connection)
{
    const char *reason = revocation_reason(server->revoked, tls_channel_peer(&connection->stream.channel));

    if (reason == NULL)
        return false;
    note_log_closed(&server->note_log, connection->peer, reason, clock_monotonic_ms());
    on_gone(server, connection);
    return true;
}

void server_drop_revoked(struct server *server)
{
    for (uint32_t i = 0; i < server->connections.slot_count; i++) {
        if (server->connections.slots[i].connection != NULL)
            (void)turn_away(server, server->connections.slots[i].connection);
    }
    server_free_closed(server);
}

static void on_secured(struct server *server, struct connection *connection)
{
    const struct tls_peer_names *peer = tls_channel_peer(&connection->stream.channel);
    struct arbiter_event event = {.type = ARBITER_EV_TLS_ESTABLISHED, .conn = connection->id};

    if (turn_away(server, connection))
        return;
    server_set_phase(server, connection, CONNECTION_TALKING);
    if (server_watch(connection, server->talk_fd) != Q_OK) {
        on_gone(server, connection);
        return;
    }
    event.u.tls.names = peer == NULL ? NULL : (const char *const *)peer->names;
    event.u.tls.name_count = peer == NULL ? 0 : peer->count;
    if (peer != NULL)
        event.u.tls.cluster = peer->cluster;
    server_step(server, &event);
    /* INIT may have come with the end of the handshake. */
    on_input(server, connection);
}

static void on_handshake(struct server *server, struct connection *connection)
{
    enum q_err err = tls_channel_handshake(&connection->stream.channel);

    if (err == Q_OK)
        on_secured(server, connection);
    else if (err != Q_ERR_AGAIN || server_watch(connection, server_handshake_fd(server, connection)) != Q_OK)
        on_gone(server, connection);
}

static void on_greeting(struct server *server, struct connection *connection)
{
    if (message_stream_flush(&connection->stream) != Q_OK)
        on_gone(server, connection);
    else if (!message_stream_has_output(&connection->stream) &&
             server_begin_handshake(server, connection) != Q_OK)
        on_gone(server, connection);
    else if (connection->phase == CONNECTION_HANDSHAKING)
        on_handshake(server, connection);
}

static void on_readiness(struct server *server, struct connection *connection)
{
    switch (connection->phase) {
    case CONNECTION_HANDSHAKING:
        on_handshake(server, connection);
        return;
    case CONNECTION_FLUSHING:
    case CONNECTION_GREETING:
        on_greeting(server, connection);
        return;
    case CONNECTION_IN_LINE: /* nothing is waited for but a reset */
        on_gone(server, connection);
        return;
    case CONNECTION_TALKING:
        if (message_stream_has_output(&connection->stream) &&
            message_stream_flush(&connection->stream) != Q_OK)
            on_gone(server, connection);
        else
            on_input(server, connection);
        return;
    }
}

static void on_line_timer(void *data);

/* Whether the peer owes its part since long; what lies in the socket is our own delay. */
static bool is_stuck(const struct connection *connection, uint64_t now_ms)
{
    int present = 0;

    return now_ms - connection->handshake_since_ms >= HANDSHAKE_STUCK_MS &&
           ioctl(connection->stream.fd, FIONREAD, &present) == 0 && present == 0;
}

/*
 * Lets those in line begin as far as there is room; a handshake that has been waiting for its peer for long gives way.
 * Those in line have sent their part, and in a rush the others' answers come within a round trip.
 */
static void admit_from_line(struct server *server)
{
    uint64_t now_ms = clock_monotonic_ms();
    qb_loop_timer_handle handle;

    while (server->in_line.oldest != NULL) {
        struct connection *connection = server->in_line.oldest;

        if (server->handshakes.count >= server->settings->max_handshakes) {
            if (!is_stuck(server->handshakes.oldest, now_ms))
                break;
            on_gone(server, server->handshakes.oldest);
        } else if (server_begin_handshake(server, connection) != Q_OK) {
            on_gone(server, connection);
        }
    }
    if (server->in_line.oldest != NULL && !server->line_timer_armed)
        server->line_timer_armed = qb_loop_timer_add(server->loop, QB_LOOP_LOW, LINE_TIMER_MS * 1000000,
                                                     server, on_line_timer, &handle) == 0;
}

static void on_line_timer(void *data)
{
    struct server *server = data;

    server->line_timer_armed = false;
    admit_from_line(server);
    server_free_closed(server);
}

/* ---- accepting -------------------------------------------------------------------------------------------- */

/* Out of descriptors: whoever has waited longest without INIT gives his place. False: all are members. */
static bool sacrifice_one(struct server *server)
{
    struct connection *victim =
        connection_table_get(&server->connections, arbiter_oldest_uninitialised(server->arbiter));
    struct arbiter_event event = {.type = ARBITER_EV_DISCONNECTED};

    if (victim == NULL)
        return false;
    event.conn = victim->id;
    server_drop(server, victim);
    server_step(server, &event);
    return true;
}

static void refuse(struct server *server, const char *reason)
{
    if (!server->accept_refused)
        log_line(LOG_ERR, "Clients are refused: %s. Raise the limit on open files (LimitNOFILE=)", reason);
    server->accept_refused = true;
}

static void on_accepted(struct server *server, int fd, const struct listener_peer *peer)
{
    struct arbiter_event event = {.type = ARBITER_EV_CONNECTED};
    struct connection *connection = NULL;
    uint64_t id;

    if (server->connections.count >= server->connections_max && !sacrifice_one(server)) {
        refuse(server, "no free descriptor");
        close(fd);
        return;
    }
    if (connection_table_reserve(&server->connections, &id) == Q_OK) {
        connection = connection_new(id, fd, peer, &server->limits);
        if (connection == NULL)
            connection_table_remove(&server->connections, id);
    }
    if (connection == NULL) {
        refuse(server, "out of memory");
        close(fd);
        return;
    }
    server->accept_refused = false;
    if (server->settings->max_client_receive_size > STRANGER_MESSAGE_SIZE)
        wire_framer_set_size_max(&connection->stream.framer, STRANGER_MESSAGE_SIZE);
    connection_table_put(&server->connections, id, connection);
    if (server_watch(connection, server->talk_fd) != Q_OK) {
        server_drop(server, connection);
        return;
    }
    event.conn = id;
    event.u.connected.peer = connection->peer;
    event.u.connected.origin = connection->origin;
    server_step(server, &event);
}

static void on_listener(struct server *server)
{
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct listener_peer peer;
        int fd;
        enum q_err err = listener_accept(server->listener_fd, &fd, &peer);

        if (err == Q_ERR_AGAIN)
            return;
        if (err == Q_OK) {
            on_accepted(server, fd, &peer);
        } else if (err == Q_ERR_LIMIT && !sacrifice_one(server)) {
            /* The connection waits in the backlog; a pause until something else happens would be a spin. */
            refuse(server, strerror(errno));
            usleep(10000);
            return;
        }
    }
}

/* ---- the loop's callbacks --------------------------------------------------------------------------------- */

static int32_t on_talk(int32_t fd, int32_t revents, void *data)
{
    struct server *server = data;
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(fd, events, server->turn_size, 0);
    bool listener_ready = false;
    int done = 0;

    (void)revents;
    begin_turn(server);
    for (; done < count && server->now_ms < server->turn_until_ms; done++) {
        struct connection *connection;

        if (events[done].data.u64 == LISTENER_ID) {
            listener_ready = true;
            continue;
        }
        connection = connection_table_get(&server->connections, events[done].data.u64);
        if (connection != NULL)
            on_readiness(server, connection);
    }
    /* epoll puts those it has told of last in its line: no more are to be told of than are served. */
    server->turn_size = done < count ? done : server->turn_size * 2;
    if (server->turn_size > EVENTS_PER_TURN)
        server->turn_size = EVENTS_PER_TURN;
    /* Members first, newcomers after them. */
    if (listener_ready)
        on_listener(server);
    admit_from_line(server);
    server_free_closed(server);
    return 0;
}

static int32_t on_handshakes(int32_t fd, int32_t revents, void *data)
{
    struct server *server = data;
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(fd, events, EVENTS_PER_TURN, 0);
    uint64_t until_ms = clock_monotonic_ms() + HANDSHAKE_TURN_MS;

    (void)revents;
    begin_turn(server);
    for (int i = 0; i < count; i++) {
        struct connection *connection = connection_table_get(&server->connections, events[i].data.u64);

        if (connection != NULL)
            on_readiness(server, connection);
        if (clock_monotonic_ms() >= until_ms) /* the rest stays ready */
            break;
    }
    admit_from_line(server);
    server_free_closed(server);
    return 0;
}

/* ---- start and end ---------------------------------------------------------------------------------------- */

static uint32_t raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024 - DESCRIPTORS_RESERVED;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};

        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > UINT32_MAX / 2)
        return UINT32_MAX / 2;
    return limit.rlim_cur > 2 * DESCRIPTORS_RESERVED ? (uint32_t)limit.rlim_cur - DESCRIPTORS_RESERVED
                                                     : DESCRIPTORS_RESERVED;
}

enum q_err server_init(struct server *server, const struct server_parts *parts, char *err_text, size_t size)
{
    const struct settings *settings = parts->settings;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = LISTENER_ID};

    memset(server, 0, sizeof(*server));
    server->loop = parts->loop;
    server->settings = settings;
    server->arbiter = parts->arbiter;
    server->identity = parts->identity;
    server->enrolment = parts->enrolment;
    server->revoked = parts->revoked;
    server->state = parts->state;
    server->decisions = parts->decisions;
    server->listener_fd = parts->listener_fd;
    server->talk_fd = server->handshake_fd = server->crowd_fd = server->timer_fd = -1;
    server->timer_at_ms = ARBITER_NEVER;
    server->turn_size = EVENTS_PER_TURN;
    server->connections_max = raise_descriptor_limit();
    server->limits = (struct message_stream_limits){
        .receive_size = settings->max_client_receive_size,
        .queued_messages = (uint32_t)settings->max_client_send_buffers,
        .queued_bytes = settings->max_client_send_buffers * settings->max_client_send_size,
    };
    connection_table_init(&server->connections);
    arbiter_actions_init(&server->actions);
    note_log_init(&server->note_log);

    server->talk_fd = epoll_create1(EPOLL_CLOEXEC);
    server->handshake_fd = epoll_create1(EPOLL_CLOEXEC);
    server->crowd_fd = epoll_create1(EPOLL_CLOEXEC);
    server->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (server->talk_fd < 0 || server->handshake_fd < 0 || server->crowd_fd < 0 || server->timer_fd < 0 ||
        epoll_ctl(server->talk_fd, EPOLL_CTL_ADD, server->listener_fd, &event) != 0) {
        snprintf(err_text, size, "Can't create epoll instances and a timer: %s", strerror(errno));
        return Q_ERR_IO;
    }
    if (qb_loop_poll_add(server->loop, QB_LOOP_HIGH, server->timer_fd, EPOLLIN, server, on_timer) != 0 ||
        qb_loop_poll_add(server->loop, QB_LOOP_HIGH, server->talk_fd, EPOLLIN, server, on_talk) != 0 ||
        qb_loop_poll_add(server->loop, QB_LOOP_LOW, server->handshake_fd, EPOLLIN, server, on_handshakes) !=
            0 ||
        qb_loop_poll_add(server->loop, QB_LOOP_LOW, server->crowd_fd, EPOLLIN, server, on_handshakes) != 0) {
        snprintf(err_text, size, "Can't register with the event loop");
        return Q_ERR_NO_MEMORY;
    }
    return Q_OK;
}

void server_tidy(struct server *server)
{
    /* What a flood of handshakes leaves behind is worth a walk over the heap, a few connections are not, unless they
     * are the end of a flood. */
    bool flood = server->closed_count >= TIDY_CONNECTIONS;

    if (flood || (server->flooded && server->closed_count > 0)) {
        malloc_trim(0);
        server->closed_count = 0;
    }
    server->flooded = flood;
}

void server_fini(struct server *server)
{
    for (uint32_t i = 0; i < server->connections.slot_count; i++) {
        if (server->connections.slots[i].connection != NULL)
            server_drop(server, server->connections.slots[i].connection);
    }
    server_free_closed(server);
    connection_table_fini(&server->connections);
    if (server->timer_fd >= 0) {
        qb_loop_poll_del(server->loop, server->timer_fd);
        close(server->timer_fd);
    }
    if (server->talk_fd >= 0) {
        qb_loop_poll_del(server->loop, server->talk_fd);
        close(server->talk_fd);
    }
    if (server->handshake_fd >= 0) {
        qb_loop_poll_del(server->loop, server->handshake_fd);
        close(server->handshake_fd);
    }
    if (server->crowd_fd >= 0) {
        qb_loop_poll_del(server->loop, server->crowd_fd);
        close(server->crowd_fd);
    }
    if (server->listener_fd >= 0)
        close(server->listener_fd);
    free(server->follow_ups);
    arbiter_actions_fini(&server->actions);
}
