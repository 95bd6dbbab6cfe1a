/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/daemon_options.h"

#include <stdio.h>

#define DEF(kind, field, minimum, maximum) OPTION_DEF(kind, #field, struct daemon_options, field, minimum, maximum)

static const struct option_def defs[] = {
    DEF(OPTION_TEXT, lock_file, 0, 0),
    DEF(OPTION_TEXT, local_socket_file, 0, 0),
    DEF(OPTION_UMASK, local_socket_umask, 0, 0),
    DEF(OPTION_GROUP, local_socket_gid, 0, 0),
    DEF(OPTION_NUMBER, local_socket_backlog, 1, INT32_MAX),
    DEF(OPTION_NUMBER, ipc_max_clients, 0, UINT32_MAX),
    DEF(OPTION_NUMBER, ipc_max_receive_size, 1024, UINT32_MAX),
    DEF(OPTION_NUMBER, ipc_max_send_size, 1024, UINT32_MAX),
    DEF(OPTION_NUMBER, ipc_timeout, 100, 3600000),
};
const struct option_set daemon_options_set = {defs, sizeof(defs) / sizeof(defs[0]), NULL};

void daemon_options_default(struct daemon_options *options, uint64_t ipc_max_send_size)
{
    *options = (struct daemon_options){
        .command = SETTINGS_RUN,
        .local_socket_umask = -1,
        .local_socket_gid = -1,
        .local_socket_backlog = 10,
        .ipc_max_clients = 10,
        .ipc_max_receive_size = 4096,
        .ipc_max_send_size = ipc_max_send_size,
        .ipc_timeout = 10000,
    };
}

enum q_err daemon_options_read(struct daemon_options *options, const struct program_option *own, size_t own_count,
                               const struct option_set *advanced, int argc, char **argv, char *err_text, size_t size)
{
    const struct program_option common[] = {
        {'d', .count = offsetof(struct daemon_options, debug_count)},
        {'f', .flag = offsetof(struct daemon_options, foreground)},
        {'h', .is_operation = true, .ends = true},
        {'S', .has_argument = true, .list = advanced},
    };
    const struct program_options line = {.own = own,
                                         .own_count = own_count,
                                         .common = common,
                                         .common_count = sizeof(common) / sizeof(common[0]),
                                         .operation = offsetof(struct daemon_options, command)};
    struct program_result result;
    enum program_outcome outcome = program_options_read(&line, options, argc, argv, 0, &result);

    snprintf(err_text, size, "%s", result.text);
    return outcome == PROGRAM_READ || outcome == PROGRAM_ENDED ? Q_OK : Q_ERR_INVALID;
}

static bool default_path(char **field, const char *directory, const char *name, const char *end)
{
    if (*field == NULL && asprintf(field, "%s/%s/%s.%s", directory, name, name, end) < 0)
        *field = NULL;
    return *field != NULL;
}

bool daemon_options_default_paths(struct daemon_options *options, const char *directory, const char *name)
{
    return default_path(&options->lock_file, directory, name, "pid") &&
           default_path(&options->local_socket_file, directory, name, "sock");
}

bool daemon_options_check_pem(const char *prefix, const char *cert_file, const char *key_file, const char *ca_file,
                              char *err_text, size_t size)
{
    int count = (cert_file != NULL) + (key_file != NULL) + (ca_file != NULL);

    if (count == 0 || count == 3)
        return true;
    snprintf(err_text, size, "%stls_cert_file, %stls_key_file and %stls_ca_file must be set together", prefix, prefix,
             prefix);
    return false;
}

void daemon_options_control(const struct daemon_options *options, struct control_server_config *config)
{
    config->path = options->local_socket_file;
    config->umask = options->local_socket_umask;
    config->gid = options->local_socket_gid;
    config->backlog = (int)options->local_socket_backlog;
    config->clients_max = options->ipc_max_clients;
    config->receive_size_max = options->ipc_max_receive_size;
    config->send_size_max = options->ipc_max_send_size;
    config->timeout_ms = options->ipc_timeout;
}
