/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A daemon's control socket: a Unix stream socket with one request line and one reply per connection, for the
 * tools (spec/tools.md section 3). Knows nothing of what the daemon does: commands are a table. Bounded in
 * clients, bytes and time, so that neither silent nor greedy clients can lock an administrator out.
 * Heap object, made by the daemon, registered in its libqb loop.
 */
#ifndef QUORATE_COMMON_CONTROL_SERVER_H
#define QUORATE_COMMON_CONTROL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "common/buf.h"
#include "common/control/request.h"
#include "common/err.h"

/* What a command answers. Either the body, or an error text. */
struct control_reply {
    struct q_buf body;
    const char *error; /* NULL: OK */
    bool stop_daemon;  /* when the reply has been delivered */
};

struct control_command {
    const char *name; /* lower case; compared in any case */
    void (*run)(void *context, const struct control_request *request, struct control_reply *reply);
    const char *too_large; /* error text when the body does not fit into send_size_max */
};

struct control_server_config {
    qb_loop_t *loop;
    const char *path;
    int64_t umask; /* around bind; -1: untouched */
    int64_t gid;   /* group of the socket; -1: untouched */
    int backlog;
    uint64_t clients_max; /* 0: no limit */
    size_t receive_size_max;
    size_t send_size_max;
    uint64_t timeout_ms; /* for the whole exchange */
    bool quoting;
    const struct control_command *commands;
    size_t command_count;
    void *context;                  /* for commands and on_stop */
    void (*on_stop)(void *context); /* a reply with stop_daemon was delivered */
};

struct control_server;

/* config is copied (path too; the command table is borrowed). Q_ERR_IO, Q_ERR_NO_MEMORY with a line in err_text. */
enum q_err control_server_new(const struct control_server_config *config, struct control_server **out,
                              char *err_text, size_t size);

/* The command "shutdown", which all daemons have. */
void control_on_shutdown(void *context, const struct control_request *request, struct control_reply *reply);

/* Removes the socket and drops its clients. NULL is allowed. */
void control_server_free(struct control_server *server);

/*
 * The reply to one complete request, appended to `out`, as the socket sends it. Sets *stop. For the server itself,
 * tests and fuzzers; does no I/O beyond what the command does.
 */
void control_server_answer(const struct control_server_config *config, const char *bytes, size_t size,
                           struct q_buf *out, bool *stop);

#endif
