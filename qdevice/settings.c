/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon_options.h"
#include "qdevice/voter.h"

#define SETTING(kind, name, field, minimum, maximum) OPTION_DEF(kind, name, struct settings, field, minimum, maximum)

static const char *const master_wins_choices[] = {"model", "on", "yes", "1", "off", "no", "0", NULL};

static const struct option_def advanced[] = {
    SETTING(OPTION_NUMBER, "max_cs_try_again", max_cs_try_again, 1, INT32_MAX),
    SETTING(OPTION_TEXT, "votequorum_device_name", votequorum_device_name, 0, 0),
    {.name = "master_wins",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct settings, master_wins),
     .choices = master_wins_choices},
    SETTING(OPTION_NUMBER, "heuristics_ipc_max_send_buffers", heuristics_ipc_max_send_buffers, 10, UINT32_MAX),
    SETTING(OPTION_NUMBER, "heuristics_ipc_max_send_receive_size", heuristics_ipc_max_send_receive_size, 1024, UINT32_MAX),
    SETTING(OPTION_NUMBER, "heuristics_min_timeout", heuristics_min_timeout, 250, UINT32_MAX),
    SETTING(OPTION_NUMBER, "heuristics_max_timeout", heuristics_max_timeout, 250, UINT32_MAX),
    SETTING(OPTION_NUMBER, "heuristics_min_interval", heuristics_min_interval, 250, UINT32_MAX),
    SETTING(OPTION_NUMBER, "heuristics_max_interval", heuristics_max_interval, 250, UINT32_MAX),
    SETTING(OPTION_NUMBER, "heuristics_max_execs", heuristics_max_execs, 1, 256),
    SETTING(OPTION_BOOL, "heuristics_use_execvp", heuristics_use_execvp, 0, 0),
    SETTING(OPTION_NUMBER, "heuristics_max_processes", heuristics_max_processes, 1, INT32_MAX),
    SETTING(OPTION_NUMBER, "heuristics_kill_list_interval", heuristics_kill_list_interval, 250, UINT32_MAX),
    SETTING(OPTION_TEXT, "net_nss_db_dir", net_nss_db_dir, 0, 0),
    SETTING(OPTION_NUMBER, "net_initial_msg_receive_size", net_initial_msg_receive_size, 16, UINT32_MAX),
    SETTING(OPTION_NUMBER, "net_initial_msg_send_size", net_initial_msg_send_size, 16, UINT32_MAX),
    SETTING(OPTION_NUMBER, "net_min_msg_send_size", net_min_msg_send_size, 16, UINT32_MAX),
    SETTING(OPTION_NUMBER, "net_max_msg_receive_size", net_max_msg_receive_size, 16, UINT32_MAX),
    SETTING(OPTION_NUMBER, "net_max_send_buffers", net_max_send_buffers, 2, UINT32_MAX),
    SETTING(OPTION_TEXT, "net_nss_qnetd_cn", net_nss_qnetd_cn, 0, 0),
    SETTING(OPTION_TEXT, "net_nss_client_cert_nickname", net_nss_client_cert_nickname, 0, 0),
    SETTING(OPTION_NUMBER, "net_heartbeat_interval_min", net_heartbeat_interval_min, 1, UINT32_MAX),
    SETTING(OPTION_NUMBER, "net_heartbeat_interval_max", net_heartbeat_interval_max, 1, UINT32_MAX),
    SETTING(OPTION_NUMBER, "net_min_connect_timeout", net_min_connect_timeout, 1, UINT32_MAX),
    SETTING(OPTION_NUMBER, "net_max_connect_timeout", net_max_connect_timeout, 1, UINT32_MAX),
    SETTING(OPTION_BOOL, "net_test_algorithm_enabled", net_test_algorithm_enabled, 0, 0),

    SETTING(OPTION_TEXT, "net_tls_cert_file", net_tls_cert_file, 0, 0),
    SETTING(OPTION_TEXT, "net_tls_key_file", net_tls_key_file, 0, 0),
    SETTING(OPTION_TEXT, "net_tls_ca_file", net_tls_ca_file, 0, 0),
    SETTING(OPTION_TEXT, "net_nss_pwd_file", net_nss_pwd_file, 0, 0),
    SETTING(OPTION_BOOL, "net_accept_expired_cert", net_accept_expired_cert, 0, 0),
};
static const struct option_set advanced_set = {advanced, sizeof(advanced) / sizeof(advanced[0]), &daemon_options_set};

static void set_defaults(struct settings *settings)
{
    struct device_limits limits;

    device_limits_default(&limits);
    *settings = (struct settings){
        .max_cs_try_again = 10,
        .heuristics_ipc_max_send_buffers = 128,
        .heuristics_ipc_max_send_receive_size = 4096,
        .heuristics_min_timeout = limits.heuristics_timeout_ms_min,
        .heuristics_max_timeout = limits.heuristics_timeout_ms_max,
        .heuristics_min_interval = limits.heuristics_interval_ms_min,
        .heuristics_max_interval = limits.heuristics_interval_ms_max,
        .heuristics_max_execs = limits.heuristics_execs_max,
        .heuristics_max_processes = 160,
        .heuristics_kill_list_interval = 5000,
        .net_initial_msg_receive_size = WIRE_SIZE_DEFAULT,
        .net_initial_msg_send_size = WIRE_SIZE_DEFAULT,
        .net_min_msg_send_size = WIRE_SIZE_DEFAULT,
        .net_max_msg_receive_size = 16777216,
        .net_max_send_buffers = 10,
        .net_heartbeat_interval_min = limits.heartbeat_ms_min,
        .net_heartbeat_interval_max = limits.heartbeat_ms_max,
        .net_min_connect_timeout = limits.connect_timeout_ms_min,
        .net_max_connect_timeout = limits.connect_timeout_ms_max,
    };
    daemon_options_default(&settings->daemon, 65536);
}

static bool default_texts(struct settings *settings)
{
    return daemon_options_default_paths(&settings->daemon, Q_RUNDIR, "corosync-qdevice") &&
           option_default_text(&settings->votequorum_device_name, "Qdevice") &&
           option_default_text(&settings->net_nss_db_dir, Q_CONFDIR "/qdevice/net/nssdb") &&
           option_default_text(&settings->net_nss_qnetd_cn, "Qnetd Server") &&
           option_default_text(&settings->net_nss_client_cert_nickname, "Cluster Cert");
}

/* The choices are several words for each value. */
static int master_wins_of(int choice)
{
    if (choice == 0)
        return SETTINGS_MASTER_WINS_MODEL;
    return choice <= 3 ? SETTINGS_MASTER_WINS_ON : SETTINGS_MASTER_WINS_OFF;
}

static enum q_err check_together(const struct settings *settings, char *err_text, size_t size)
{
    if (!daemon_options_check_pem("net_", settings->net_tls_cert_file, settings->net_tls_key_file,
                                  settings->net_tls_ca_file, err_text, size))
        return Q_ERR_INVALID;
    if (settings->net_heartbeat_interval_min > settings->net_heartbeat_interval_max)
        snprintf(err_text, size, "net_heartbeat_interval_min is above net_heartbeat_interval_max");
    else if (strlen(settings->votequorum_device_name) >= VOTER_DEVICE_NAME_SIZE)
        snprintf(err_text, size, "votequorum_device_name is longer than %d bytes", VOTER_DEVICE_NAME_SIZE - 1);
    else
        return Q_OK;
    return Q_ERR_INVALID;
}

enum q_err settings_parse(struct settings *settings, int argc, char **argv, char *err_text, size_t size)
{
    enum q_err err;

    set_defaults(settings);
    err = daemon_options_read(&settings->daemon, NULL, 0, &advanced_set, argc, argv, err_text, size);
    if (err != Q_OK || settings->daemon.command != SETTINGS_RUN)
        return err;
    settings->master_wins = master_wins_of(settings->master_wins);
    if (!default_texts(settings)) {
        snprintf(err_text, size, "Out of memory");
        return Q_ERR_NO_MEMORY;
    }
    return check_together(settings, err_text, size);
}

void settings_fini(struct settings *settings)
{
    options_free(&advanced_set, settings);
}

void settings_for_config(const struct settings *settings, struct device_limits *limits)
{
    device_limits_default(limits);
    limits->heartbeat_ms_min = (uint32_t)settings->net_heartbeat_interval_min;
    limits->heartbeat_ms_max = (uint32_t)settings->net_heartbeat_interval_max;
    limits->connect_timeout_ms_min = (uint32_t)settings->net_min_connect_timeout;
    limits->connect_timeout_ms_max = (uint32_t)settings->net_max_connect_timeout;
    limits->heuristics_timeout_ms_min = (uint32_t)settings->heuristics_min_timeout;
    limits->heuristics_timeout_ms_max = (uint32_t)settings->heuristics_max_timeout;
    limits->heuristics_interval_ms_min = (uint32_t)settings->heuristics_min_interval;
    limits->heuristics_interval_ms_max = (uint32_t)settings->heuristics_max_interval;
    limits->heuristics_execs_max = (uint32_t)settings->heuristics_max_execs;
    limits->test_algorithm_enabled = settings->net_test_algorithm_enabled;
}

const char *settings_usage(void)
{
    return "usage: corosync-qdevice [-dfh] [-S option=value[,option2=value2,...]]\n";
}
