/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/ipc_server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <qb/qbdefs.h>

#include "common/clock.h"
#include "core/ipc_server_internal.h"
#include "core/ipc_watch.h"
#include "core/logging.h"
#include "core/services/ipc_wire.h"

#define RETRY_MS_MIN 1 /* a ring of 1 MiB each: as fast as any client reads */
#define RETRY_MS_MAX 16
#define STUCK_MS 100 /* it may also wait for the answer to a request, which is put off with all others */

static const char *const service_names[SERVICE_COUNT] = {
    [SERVICE_CMAP] = "cmap",     [SERVICE_CFG] = "cfg",
    [SERVICE_CPG] = "cpg",       [SERVICE_QUORUM] = "quorum",
    [SERVICE_VOTEQUORUM] = "votequorum"};

/* Section 1.7. */
static const enum service_id closing_order[] = {SERVICE_VOTEQUORUM, SERVICE_CMAP, SERVICE_CFG, SERVICE_CPG,
                                                SERVICE_QUORUM};

static struct ipc_server *the_server; /* libqb's handlers have no context */

/* ---- connections ---- */

static struct ipc_connection *find(const struct ipc_server *server, uint64_t id)
{
    size_t slot = id & (IPC_CONNECTIONS_MAX);
    struct ipc_connection *connection = slot < server->slot_count ? server->slots[slot] : NULL;

    return connection != NULL && connection->id == id ? connection : NULL;
}

static bool is_blocked(const struct ipc_connection *connection)
{
    return connection->queues[IPC_ANSWER].first != NULL || connection->queues[IPC_EVENT].first != NULL;
}

static size_t queued_bytes(const struct ipc_connection *connection)
{
    return connection->queues[IPC_ANSWER].byte_count + connection->queues[IPC_EVENT].byte_count;
}

static void clear_queues(struct ipc_connection *connection)
{
    if (is_blocked(connection))
        the_server->blocked_count--;
    if (!connection->is_stuck)
        the_server->services[connection->service].backlog -= queued_bytes(connection);
    ipc_queue_clear(&connection->queues[IPC_ANSWER]);
    ipc_queue_clear(&connection->queues[IPC_EVENT]);
}

/* Who is stuck does not count for the others. */
static void set_stuck(struct ipc_connection *connection, bool is_stuck)
{
    struct ipc_service *service = &the_server->services[connection->service];

    if (connection->is_stuck == is_stuck)
        return;
    connection->is_stuck = is_stuck;
    if (is_stuck)
        service->backlog -= queued_bytes(connection);
    else
        service->backlog += queued_bytes(connection);
}

/* Gives the connection an id; false: no room. */
static bool enlist(struct ipc_server *server, struct ipc_connection *connection)
{
    size_t slot = 0;

    while (slot < server->slot_count && server->slots[slot] != NULL)
        slot++;
    if (slot == server->slot_count) {
        size_t count = slot + 32;
        struct ipc_connection **larger;

        if (count > IPC_CONNECTIONS_MAX || (larger = realloc(server->slots, count * sizeof(*larger))) == NULL)
            return false;
        memset(larger + slot, 0, (count - slot) * sizeof(*larger));
        server->slots = larger;
        server->slot_count = count;
    }
    server->slots[slot] = connection;
    connection->id = ++server->serial << IPC_SLOT_BITS | slot;
    return true;
}

/* It has ended; what libqb still does with it is no longer ours. */
static void forget(struct ipc_server *server, struct ipc_connection *connection)
{
    uint64_t id = connection->id;

    if (id == 0)
        return;
    clear_queues(connection);
    server->slots[id & IPC_CONNECTIONS_MAX] = NULL;
    connection->id = 0;
    if (!connection->is_announced)
        return;
    server->active_count--;
    server->closed_count++;
    if (!server->closing)
        server->handlers.on_gone(server->handlers.context, id);
}

static void read_process_name(struct ipc_connection *connection)
{
    char path[32];
    ssize_t length;
    int fd;

    snprintf(path, sizeof(path), "/proc/%" PRIu32 "/comm", connection->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? 0 : read(fd, connection->process_name, sizeof(connection->process_name) - 1);
    if (fd >= 0)
        close(fd);
    connection->process_name[length < 0 ? 0 : length] = '\0';
    connection->process_name[strcspn(connection->process_name, "\n")] = '\0';
}

/* ---- disconnecting who does not read ---- */

static void on_doom_job(void *data)
{
    struct ipc_server *server = data;

    server->job_is_set = false;
    for (size_t i = 0; i < server->slot_count; i++) {
        if (server->slots[i] != NULL && server->slots[i]->doomed)
            qb_ipcs_disconnect(server->slots[i]->qb);
    }
    malloc_trim(0); /* what waited for them does not stay with us, locked in memory */
}

/* Later, since libqb may be working on this connection now. */
static void doom(struct ipc_server *server, struct ipc_connection *connection, const char *why)
{
    logging_line(LOGGING_MAIN, LOG_WARNING, "Client %s (process %" PRIu32 ") of service %s is disconnected: %s",
                 connection->process_name, connection->pid, service_names[connection->service], why);
    connection->doomed = true;
    clear_queues(connection);
    if (!server->job_is_set && qb_loop_job_add(server->loop, QB_LOOP_MED, server, on_doom_job) == 0)
        server->job_is_set = true;
}

/* ---- sending ---- */

static ssize_t send_now(struct ipc_connection *connection, enum ipc_message kind, const struct iovec *parts, size_t count)
{
    if (kind == IPC_ANSWER)
        return count == 1 ? qb_ipcs_response_send(connection->qb, parts[0].iov_base, parts[0].iov_len)
                          : qb_ipcs_response_sendv(connection->qb, parts, count);
    return qb_ipcs_event_sendv(connection->qb, parts, count);
}

static bool is_full(ssize_t result)
{
    return result == -EAGAIN || result == -ETIMEDOUT;
}

/* Whether anything could be sent. */
static bool flush_queue(struct ipc_connection *connection, enum ipc_message kind)
{
    struct ipc_queue *queue = &connection->queues[kind];
    bool any = false;

    while (queue->first != NULL) {
        struct iovec part = {queue->first->bytes, queue->first->size};

        if (is_full(send_now(connection, kind, &part, 1)))
            return any;
        any = true; /* another failure: the client is about to be gone */
        if (!connection->is_stuck)
            the_server->services[connection->service].backlog -= queue->first->size;
        ipc_queue_remove(queue);
    }
    return any;
}

/* ---- flow ---- */

static void apply_flow(struct ipc_server *server, enum service_id service)
{
    static const enum qb_ipcs_rate_limit rates[] = {[STACK_FLOW_OFF] = QB_IPCS_RATE_OFF_2,
                                                    [STACK_FLOW_SLOW] = QB_IPCS_RATE_SLOW,
                                                    [STACK_FLOW_NORMAL] = QB_IPCS_RATE_NORMAL,
                                                    [STACK_FLOW_FAST] = QB_IPCS_RATE_FAST};
    struct ipc_service *own = &server->services[service];
    enum stack_flow flow;

    own->is_behind = own->backlog > (own->is_behind ? IPC_BACKLOG_MAX / 2 : IPC_BACKLOG_MAX);
    flow = own->is_behind ? STACK_FLOW_OFF : own->wanted;
    if (own->qb == NULL || own->flow == flow)
        return;
    if ((own->flow == STACK_FLOW_OFF) != (flow == STACK_FLOW_OFF)) {
        for (size_t i = 0; i < server->slot_count; i++) {
            if (server->slots[i] != NULL && server->slots[i]->service == service)
                ipc_watch_pause(server->slots[i]->fd, flow == STACK_FLOW_OFF);
        }
    }
    own->flow = flow;
    qb_ipcs_request_rate_limit(own->qb, rates[flow]);
}

void ipc_server_set_flow(struct ipc_server *server, enum service_id service, enum stack_flow flow)
{
    server->services[service].wanted = flow;
    apply_flow(server, service);
}

/* ---- trying again ---- */

static void set_retry(struct ipc_server *server)
{
    if (server->retry.at_ms == LOOP_TIMER_NEVER && server->blocked_count > 0)
        loop_timer_set(&server->retry, clock_monotonic_ms() + server->retry_ms);
}

/* Whether anything could be sent. */
static bool retry(struct ipc_connection *connection, uint64_t now_ms)
{
    bool answers = flush_queue(connection, IPC_ANSWER);
    bool events = flush_queue(connection, IPC_EVENT);

    if (answers || events) {
        connection->taken_ms = now_ms;
        set_stuck(connection, false);
    } else if (now_ms >= connection->taken_ms + STUCK_MS) {
        set_stuck(connection, true);
    }
    return answers || events;
}

static void on_retry(void *data)
{
    struct ipc_server *server = data;
    uint64_t now_ms = clock_monotonic_ms();
    bool any = false;

    for (size_t i = 0; i < server->slot_count; i++) {
        struct ipc_connection *connection = server->slots[i];

        if (connection == NULL || !is_blocked(connection))
            continue;
        any |= retry(connection, now_ms);
        if (!is_blocked(connection))
            server->blocked_count--;
    }
    if (any)
        server->retry_ms = RETRY_MS_MIN;
    else if (server->retry_ms < RETRY_MS_MAX)
        server->retry_ms *= 2;
    for (int service = 0; service < SERVICE_COUNT; service++)
        apply_flow(server, (enum service_id)service);
    set_retry(server);
}

static void enqueue(struct ipc_server *server, struct ipc_connection *connection, enum ipc_message kind,
                    const struct iovec *parts, size_t count)
{
    size_t size = parts[0].iov_len + (count > 1 ? parts[1].iov_len : 0);
    bool was_blocked = is_blocked(connection);

    connection->overloads++;
    if (size > (size_t)qb_ipcs_connection_get_buffer_size(connection->qb)) {
        doom(server, connection, "its buffer is too small for what it is to be told");
        return;
    }
    if (queued_bytes(connection) + size > IPC_QUEUE_MAX) {
        doom(server, connection, "it does not take what it is sent");
        return;
    }
    if (!ipc_queue_add(&connection->queues[kind], parts[0].iov_base, parts[0].iov_len,
                       count > 1 ? parts[1].iov_base : NULL, count > 1 ? parts[1].iov_len : 0)) {
        doom(server, connection, "there is no memory for what it does not take");
        return;
    }
    if (!connection->is_stuck)
        server->services[connection->service].backlog += size;
    if (!was_blocked) {
        server->blocked_count++;
        connection->taken_ms = clock_monotonic_ms();
    }
    server->retry_ms = was_blocked ? server->retry_ms : RETRY_MS_MIN;
    set_retry(server);
}

void ipc_server_send(struct ipc_server *server, uint64_t conn, enum ipc_message kind, const void *head, size_t head_size,
                     const void *body, size_t body_size)
{
    struct ipc_connection *connection = find(server, conn);
    struct iovec parts[2] = {{(void *)(uintptr_t)head, head_size}, {(void *)(uintptr_t)body, body_size}};
    size_t count = body == NULL || body_size == 0 ? 1 : 2;

    if (connection == NULL || connection->doomed)
        return;
    if (kind == IPC_EVENT)
        connection->events_sent++;
    if (connection->queues[kind].first != NULL || is_full(send_now(connection, kind, parts, count)))
        enqueue(server, connection, kind, parts, count);
}

/* ---- what libqb tells ---- */

static int32_t on_accept(qb_ipcs_connection_t *qb, uid_t uid, gid_t gid)
{
    struct ipc_server *server = the_server;
    enum service_id service = (enum service_id)qb_ipcs_service_id_get(qb);
    enum stack_admission admission = server->handlers.admit(server->handlers.context, service, uid, gid);
    struct ipc_connection *connection;

    if (admission == STACK_NOT_YET)
        return -EAGAIN;
    if (admission == STACK_NOT_LOADED)
        return -ENOSYS;
    if (server->few_descriptors)
        return -EMFILE;
    if (admission == STACK_REFUSE) {
        logging_line(LOGGING_MAIN, LOG_ERR, "Denied connection of uid %ld, gid %ld to service %s: it is not allowed by uidgid",
                     (long)uid, (long)gid, service_names[service]);
        return -EACCES;
    }
    connection = calloc(1, sizeof(*connection));
    if (connection == NULL || !enlist(server, connection)) {
        free(connection);
        return -ENOMEM;
    }
    connection->service = service;
    connection->qb = qb;
    connection->uid = uid;
    connection->fd = -1;
    qb_ipcs_context_set(qb, connection);
    return 0;
}

static void on_created(qb_ipcs_connection_t *qb)
{
    struct ipc_server *server = the_server;
    struct ipc_connection *connection = qb_ipcs_context_get(qb);
    struct qb_ipcs_connection_stats statistics;

    if (qb_ipcs_connection_stats_get(qb, &statistics, QB_FALSE) == 0)
        connection->pid = (uint32_t)statistics.client_pid;
    connection->fd = ipc_watch_find(qb);
    read_process_name(connection);
    connection->is_announced = true;
    server->active_count++;
    server->handlers.on_connect(server->handlers.context, connection->id, connection->service, connection->pid);
}

static void refuse(struct ipc_connection *connection)
{
    uint8_t answer[IPC_ANSWER_SIZE] = {0};

    connection->invalid_requests++;
    ipc_put_answer(answer, 0, sizeof(answer), CS_ERROR_INVALID_PARAM);
    ipc_server_send(the_server, connection->id, IPC_ANSWER, answer, sizeof(answer), NULL, 0);
}

/* libqb believes the size that the client has written; what it may be is bounded by the memory that is shared. */
static int32_t on_request(qb_ipcs_connection_t *qb, void *data, size_t size)
{
    struct ipc_server *server = the_server;
    struct ipc_connection *connection = qb_ipcs_context_get(qb);
    int32_t buffer_size = qb_ipcs_connection_get_buffer_size(qb);

    if (connection->id == 0 || connection->doomed)
        return -1;
    if (size < IPC_REQUEST_SIZE || buffer_size < 0 || size > (size_t)buffer_size || size > IPC_MESSAGE_MAX) {
        refuse(connection);
        return ipc_watch_spend(0) ? 0 : -1;
    }
    memcpy(server->request, data, size);
    server->handlers.on_request(server->handlers.context, connection->id, connection->service, server->request, size);
    return ipc_watch_spend(size) ? 0 : -1; /* -1: the turn of this client is over, the rest waits for the next */
}

static int32_t on_closed(qb_ipcs_connection_t *qb)
{
    struct ipc_connection *connection = qb_ipcs_context_get(qb);

    if (connection != NULL)
        forget(the_server, connection);
    return 0;
}

static void on_destroyed(qb_ipcs_connection_t *qb)
{
    struct ipc_connection *connection = qb_ipcs_context_get(qb);

    if (connection == NULL)
        return;
    forget(the_server, connection);
    free(connection);
    qb_ipcs_context_set(qb, NULL);
}

static void on_few_descriptors(int32_t few, int32_t left)
{
    if (few)
        logging_line(LOGGING_MAIN, LOG_WARNING, "Only %" PRId32 " descriptors are left: no more clients are accepted", left);
    else
        logging_line(LOGGING_MAIN, LOG_NOTICE, "There are descriptors again: clients are accepted");
    the_server->few_descriptors = few != 0;
}

/* ---- start, flow, end ---- */

struct ipc_server *ipc_server_new(qb_loop_t *loop, enum core_ipc_type type, const struct ipc_handlers *handlers)
{
    struct ipc_server *server = calloc(1, sizeof(*server));

    assert(the_server == NULL);
    if (server == NULL)
        return NULL;
    server->request = malloc(IPC_MESSAGE_MAX);
    if (server->request == NULL || loop_timer_open(&server->retry, loop, QB_LOOP_MED, on_retry, server) != Q_OK) {
        free(server->request);
        free(server);
        return NULL;
    }
    server->loop = loop;
    server->type = type;
    server->handlers = *handlers;
    server->retry_ms = RETRY_MS_MIN;
    the_server = server;
    ipc_watch_init(loop);
    qb_loop_poll_low_fds_event_set(loop, on_few_descriptors);
    return server;
}

enum q_err ipc_server_listen(struct ipc_server *server, enum service_id service, char *why, size_t why_size)
{
    static const enum qb_ipc_type types[] = {
        [CORE_IPC_NATIVE] = QB_IPC_NATIVE, [CORE_IPC_SHM] = QB_IPC_SHM, [CORE_IPC_SOCKET] = QB_IPC_SOCKET};
    struct qb_ipcs_service_handlers handlers = {.connection_accept = on_accept,
                                                .connection_created = on_created,
                                                .msg_process = on_request,
                                                .connection_closed = on_closed,
                                                .connection_destroyed = on_destroyed};
    struct ipc_service *own = &server->services[service];
    int32_t result;

    own->qb = qb_ipcs_create(service_names[service], (int32_t)service, types[server->type], &handlers);
    if (own->qb == NULL) {
        snprintf(why, why_size, "Cannot create the service %s: %s", service_names[service], strerror(errno));
        return Q_ERR_NO_MEMORY;
    }
    own->flow = own->wanted = STACK_FLOW_NORMAL;
    qb_ipcs_poll_handlers_set(own->qb, ipc_watch_handlers());
    result = qb_ipcs_run(own->qb);
    if (result == 0)
        return Q_OK;
    own->qb = NULL; /* libqb has destroyed it */
    snprintf(why, why_size, "Cannot listen for clients of the service %s: %s", service_names[service], strerror(-result));
    return Q_ERR_IO;
}

bool ipc_server_peer(const struct ipc_server *server, uint64_t conn, uid_t *uid)
{
    const struct ipc_connection *connection = find(server, conn);

    if (connection == NULL)
        return false;
    *uid = connection->uid;
    return true;
}

void ipc_server_free(struct ipc_server *server)
{
    if (server == NULL)
        return;
    server->closing = true;
    for (size_t i = 0; i < sizeof(closing_order) / sizeof(closing_order[0]); i++) {
        if (server->services[closing_order[i]].qb != NULL)
            qb_ipcs_destroy(server->services[closing_order[i]].qb);
    }
    ipc_watch_fini();
    loop_timer_close(&server->retry);
    free(server->slots);
    free(server->request);
    free(server);
    the_server = NULL;
}
