/* SPDX-License-Identifier: BSD-3-Clause */
/* From a request to the bytes of its reply; the socket around it is server.c. */
#include <string.h>
#include <strings.h>

#include "common/control/server.h"

static void put(struct q_buf *out, const char *text)
{
    q_buf_append(out, text, strlen(text));
}

static void put_error(struct q_buf *out, const char *text)
{
    put(out, "Error\n");
    put(out, text);
    put(out, "\n");
}

static const struct control_command *find(const struct control_server_config *config, const char *name)
{
    for (size_t i = 0; i < config->command_count; i++) {
        if (strcasecmp(config->commands[i].name, name) == 0)
            return &config->commands[i];
    }
    return NULL;
}

static void run(const struct control_server_config *config, const struct control_command *command,
                const struct control_request *request, struct q_buf *out, bool *stop)
{
    struct control_reply reply = {0};

    q_buf_init(&reply.body);
    command->run(config->context, request, &reply);
    if (reply.error != NULL) {
        put_error(out, reply.error);
    } else if (reply.body.failed || reply.body.size > config->send_size_max) {
        put_error(out, command->too_large);
    } else if (reply.body.size + strlen("OK\n") > config->send_size_max) {
        put_error(out, "Internal IPC buffer too small");
    } else {
        put(out, "OK\n");
        q_buf_append(out, q_buf_bytes(&reply.body), reply.body.size);
        *stop = reply.stop_daemon;
    }
    q_buf_fini(&reply.body);
}

void control_server_answer(const struct control_server_config *config, const char *bytes, size_t size,
                           struct q_buf *out, bool *stop)
{
    struct control_request request;
    const struct control_command *command;

    *stop = false;
    if (control_request_parse(&request, bytes, size, config->quoting) != Q_OK) {
        put_error(out, "Command too long");
        return;
    }
    if (request.word_count == 0) {
        put_error(out, "No command specified");
    } else {
        command = find(config, request.words[0]);
        if (command != NULL) {
            run(config, command, &request, out, stop);
        } else {
            put(out, "Error\nUnknown command '");
            put(out, request.words[0]);
            put(out, "'\n");
        }
    }
    control_request_fini(&request);
}
