/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What arbiter and device take alike on their command lines: -d, -f, -h, -S, and those settings of -S that have one name in both
 * (spec/tools.md section 7, spec/qdevice-daemon.md section 2): lock file and control socket. Each daemon's own structure begins
 * with struct daemon_options. Filled once by main, constant afterwards.
 */
#ifndef QUORATE_COMMON_DAEMON_OPTIONS_H
#define QUORATE_COMMON_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/control/server.h"
#include "common/err.h"
#include "common/program_options.h"

#define SETTINGS_ERR_SIZE 512

/* What main does: the key of the option that says so. */
enum settings_command { SETTINGS_RUN = 0, SETTINGS_SHOW_HELP = 'h', SETTINGS_SHOW_VERSION = 'v' };

struct daemon_options {
    int command;     /* enum settings_command */
    int debug_count; /* -d */
    bool foreground; /* -f */

    /* -S */
    char *lock_file;
    char *local_socket_file;
    int64_t local_socket_umask; /* -1: untouched */
    int64_t local_socket_gid;   /* -1: untouched */
    uint64_t local_socket_backlog;
    uint64_t ipc_max_clients; /* 0: no limit */
    uint64_t ipc_max_receive_size;
    uint64_t ipc_max_send_size;
    uint64_t ipc_timeout; /* ms; ours */
};

/* Before the daemon's own defaults. */
void daemon_options_default(struct daemon_options *options, uint64_t ipc_max_send_size);

/* The settings of -S, to be put behind the daemon's own. */
extern const struct option_set daemon_options_set;

/*
 * Reads the command line: own rows, and those that both daemons have. Q_OK with another command than SETTINGS_RUN: what follows has
 * not been read. Q_ERR_INVALID: err_text says what is wrong; if it is "", getopt has. With Q_OK a warning may be left in err_text.
 */
enum q_err daemon_options_read(struct daemon_options *options, const struct program_option *own, size_t own_count,
                               const struct option_set *advanced, int argc, char **argv, char *err_text, size_t size);

/* The paths that were not set: NAME.pid and NAME.sock in DIRECTORY/NAME. False: out of memory. */
bool daemon_options_default_paths(struct daemon_options *options, const char *directory, const char *name);

/* Certificate, key and authority as PEM files: all three or none; `prefix` is what comes before their names. */
bool daemon_options_check_pem(const char *prefix, const char *cert_file, const char *key_file, const char *ca_file,
                              char *err_text, size_t size);

/* The part of the control socket's configuration that the administrator sets. */
void daemon_options_control(const struct daemon_options *options, struct control_server_config *config);

#endif
