/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/control/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

#define READ_SIZE 256
#define ACCEPTS_PER_TURN 16

struct control_client {
    struct control_server *server;
    struct control_client *next;
    int fd;
    struct q_buf in;
    struct q_buf out;
    bool answered;
    bool stop_daemon;
    qb_loop_timer_handle timer;
};

struct control_server {
    struct control_server_config config;
    char *path;
    int fd;
    struct control_client *clients;
    uint64_t client_count;
};

static int32_t on_client(int32_t fd, int32_t revents, void *data);

static void client_free(struct control_client *client)
{
    struct control_server *server = client->server;
    struct control_client **link = &server->clients;

    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    server->client_count--;
    qb_loop_timer_del(server->config.loop, client->timer);
    qb_loop_poll_del(server->config.loop, client->fd);
    close(client->fd);
    q_buf_fini(&client->in);
    q_buf_fini(&client->out);
    free(client);
}

static void on_timeout(void *data)
{
    struct control_client *client = data;

    log_line(LOG_WARNING, "Control socket: a client was dropped, it %s in time (ipc_timeout)",
             client->answered ? "did not take its reply" : "sent no request");
    client_free(client);
}

/* Q_OK: a whole request is there. */
static enum q_err read_request(struct control_client *client)
{
    size_t limit = client->server->config.receive_size_max;

    for (;;) {
        uint8_t *room = q_buf_reserve(&client->in, READ_SIZE);
        ssize_t count;

        if (room == NULL)
            return Q_ERR_NO_MEMORY;
        count = recv(client->fd, room, READ_SIZE, MSG_DONTWAIT);
        if (count < 0)
            return errno == EAGAIN || errno == EINTR ? Q_ERR_AGAIN : Q_ERR_CLOSED;
        if (count == 0)
            return Q_ERR_CLOSED;
        q_buf_commit(&client->in, (size_t)count);
        if (client->in.size > limit)
            return Q_ERR_LIMIT;
        if (memchr(room, '\n', (size_t)count) != NULL)
            return Q_OK;
    }
}

/* Q_OK: all of it has gone. */
static enum q_err write_reply(struct control_client *client)
{
    while (client->out.size > 0) {
        ssize_t count =
            send(client->fd, q_buf_bytes(&client->out), client->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (count < 0)
            return errno == EAGAIN || errno == EINTR ? Q_ERR_AGAIN : Q_ERR_CLOSED;
        q_buf_consume(&client->out, (size_t)count);
    }
    return Q_OK;
}

/* Returns whether the client goes on. */
static bool advance(struct control_client *client)
{
    const struct control_server_config *config = &client->server->config;
    enum q_err err;

    if (!client->answered) {
        err = read_request(client);
        if (err == Q_ERR_AGAIN)
            return true;
        if (err == Q_ERR_LIMIT)
            log_line(LOG_ERR, "Control socket: a client was dropped, its request is too long "
                              "(ipc_max_receive_size)");
        if (err != Q_OK)
            return false;
        client->answered = true;
        control_server_answer(config, (const char *)q_buf_bytes(&client->in), client->in.size, &client->out,
                              &client->stop_daemon);
        q_buf_release(&client->in);
        if (client->out.failed)
            return false;
    }
    err = write_reply(client);
    if (err == Q_ERR_AGAIN)
        return qb_loop_poll_mod(config->loop, QB_LOOP_MED, client->fd, POLLOUT, client, on_client) == 0;
    if (err == Q_OK && client->stop_daemon)
        config->on_stop(config->context);
    return false;
}

static int32_t on_client(int32_t fd, int32_t revents, void *data)
{
    struct control_client *client = data;

    (void)fd;
    (void)revents;
    if (advance(client))
        return 0;
    client_free(client);
    return -1;
}

static bool register_client(struct control_client *client)
{
    const struct control_server_config *config = &client->server->config;

    if (qb_loop_timer_add(config->loop, QB_LOOP_MED, config->timeout_ms * 1000000, client, on_timeout,
                          &client->timer) != 0)
        return false;
    if (qb_loop_poll_add(config->loop, QB_LOOP_MED, client->fd, POLLIN, client, on_client) == 0)
        return true;
    qb_loop_timer_del(config->loop, client->timer);
    return false;
}

/* The one that has been silent for longest gives way, or else a few such clients would keep the tools out. */
static bool dismiss_silent(struct control_server *server)
{
    struct control_client *oldest = NULL;

    for (struct control_client *client = server->clients; client != NULL; client = client->next)
        if (!client->answered)
            oldest = client; /* the list begins with the newest */
    if (oldest == NULL)
        return false;
    log_line(LOG_WARNING, "Control socket: a client was dropped, it sent no request and others came "
                          "(ipc_max_clients)");
    client_free(oldest);
    return true;
}

static void add_client(struct control_server *server, int fd)
{
    const struct control_server_config *config = &server->config;
    struct control_client *client;

    if (config->clients_max != 0 && server->client_count >= config->clients_max && !dismiss_silent(server)) {
        log_line(LOG_ERR, "Control socket: a client was refused, there are %llu already (ipc_max_clients)",
                 (unsigned long long)server->client_count);
        close(fd);
        return;
    }
    client = calloc(1, sizeof(*client));
    if (client == NULL) {
        close(fd);
        return;
    }
    client->server = server;
    client->fd = fd;
    if (!register_client(client)) {
        free(client);
        close(fd);
        return;
    }
    client->next = server->clients;
    server->clients = client;
    server->client_count++;
}

static int32_t on_listener(int32_t fd, int32_t revents, void *data)
{
    (void)revents;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int client_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client_fd < 0)
            break;
        add_client(data, client_fd);
    }
    return 0;
}

/* Returns the bound and listening descriptor, or -1 with errno. */
static int open_socket(const struct control_server_config *config)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(config->path);
    mode_t old_mask = 0;
    int fd, result, error;

    if (length == 0 || length >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, config->path, length);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* Left over by a crash; that nobody uses it is known from the lock. */
    unlink(config->path);
    if (config->umask >= 0)
        old_mask = umask((mode_t)config->umask);
    result = bind(fd, (struct sockaddr *)&address, sizeof(address));
    error = errno;
    if (config->umask >= 0)
        umask(old_mask);
    errno = error;
    if (result == 0 && config->gid >= 0)
        result = chown(config->path, (uid_t)-1, (gid_t)config->gid);
    if (result == 0)
        result = listen(fd, config->backlog);
    if (result == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

enum q_err control_server_new(const struct control_server_config *config, struct control_server **out,
                              char *err_text, size_t size)
{
    struct control_server *server = calloc(1, sizeof(*server));

    *out = NULL;
    snprintf(err_text, size, "Out of memory");
    if (server == NULL)
        return Q_ERR_NO_MEMORY;
    server->config = *config;
    server->fd = -1;
    server->path = strdup(config->path);
    server->config.path = server->path;
    if (server->path == NULL) {
        control_server_free(server);
        return Q_ERR_NO_MEMORY;
    }
    server->fd = open_socket(&server->config);
    if (server->fd < 0) {
        snprintf(err_text, size, "Can't open control socket %s: %s", config->path, strerror(errno));
        control_server_free(server);
        return Q_ERR_IO;
    }
    if (qb_loop_poll_add(config->loop, QB_LOOP_MED, server->fd, POLLIN, server, on_listener) != 0) {
        control_server_free(server);
        return Q_ERR_NO_MEMORY;
    }
    *out = server;
    return Q_OK;
}

void control_on_shutdown(void *context, const struct control_request *request, struct control_reply *reply)
{
    (void)context;
    (void)request;
    log_line(LOG_NOTICE, "Stopping: requested at the control socket");
    reply->stop_daemon = true;
}

void control_server_free(struct control_server *server)
{
    if (server == NULL)
        return;
    while (server->clients != NULL)
        client_free(server->clients);
    if (server->fd >= 0) {
        qb_loop_poll_del(server->config.loop, server->fd);
        close(server->fd);
        unlink(server->path);
    }
    free(server->path);
    free(server);
}
