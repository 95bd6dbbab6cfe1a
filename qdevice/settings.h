/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the device's administrator can set on its command line: options and the advanced settings of -S
 * (spec/qdevice-daemon.md sections 2 and 17, and those of ours, described in corosync-qdevice(8)). The rest is configured in
 * corosync.conf. Filled once by main, constant afterwards.
 */
#ifndef QUORATE_QDEVICE_SETTINGS_H
#define QUORATE_QDEVICE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/daemon_options.h"
#include "common/err.h"
#include "qdevice/logic/device_config.h"

struct settings {
    struct daemon_options daemon; /* what the arbiter takes alike */

    uint64_t max_cs_try_again; /* accepted, without effect: the core is waited for as long as it takes */
    char *votequorum_device_name;
    int master_wins; /* enum settings_master_wins */
    uint64_t heuristics_ipc_max_send_buffers;      /* accepted, without effect */
    uint64_t heuristics_ipc_max_send_receive_size; /* accepted, without effect */
    uint64_t heuristics_min_timeout, heuristics_max_timeout;
    uint64_t heuristics_min_interval, heuristics_max_interval;
    uint64_t heuristics_max_execs;
    bool heuristics_use_execvp;
    uint64_t heuristics_max_processes;
    uint64_t heuristics_kill_list_interval; /* accepted, without effect: what is left is killed within a second */
    char *net_nss_db_dir;
    uint64_t net_initial_msg_receive_size, net_initial_msg_send_size; /* accepted, without effect */
    uint64_t net_min_msg_send_size, net_max_msg_receive_size;
    uint64_t net_max_send_buffers;
    char *net_nss_qnetd_cn;
    char *net_nss_client_cert_nickname;
    uint64_t net_heartbeat_interval_min, net_heartbeat_interval_max;
    uint64_t net_min_connect_timeout, net_max_connect_timeout;
    bool net_test_algorithm_enabled;

    /* Ours. */
    char *net_tls_cert_file; /* PEM; NULL: the NSS database is used */
    char *net_tls_key_file;
    char *net_tls_ca_file;
    char *net_nss_pwd_file;
    bool net_accept_expired_cert; /* of the arbiter, as the packaged device does */
};

enum settings_master_wins { SETTINGS_MASTER_WINS_MODEL, SETTINGS_MASTER_WINS_ON, SETTINGS_MASTER_WINS_OFF };

/* Q_ERR_INVALID, Q_ERR_NO_MEMORY: err_text says what is wrong. settings_fini is needed in any case. */
enum q_err settings_parse(struct settings *settings, int argc, char **argv, char *err_text, size_t size);
void settings_fini(struct settings *settings);

/* The part that the configuration is checked against. */
void settings_for_config(const struct settings *settings, struct device_limits *limits);

const char *settings_usage(void);

#endif
