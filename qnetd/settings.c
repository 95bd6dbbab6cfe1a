/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/settings.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon_options.h"

#define SETTING(kind, name, field, minimum, maximum) OPTION_DEF(kind, name, struct settings, field, minimum, maximum)

static const char *const lease_choices[] = {"strict", "packaged", NULL};
static const char *const tls_choices[] = {"off", "on", "req", "required", NULL};

static const struct option_def advanced[] = {
    SETTING(OPTION_NUMBER, "listen_backlog", listen_backlog, 1, INT32_MAX),
    SETTING(OPTION_NUMBER, "max_client_send_buffers", max_client_send_buffers, 2, UINT32_MAX),
    SETTING(OPTION_NUMBER, "max_client_send_size", max_client_send_size, 16, UINT32_MAX),
    SETTING(OPTION_NUMBER, "max_client_receive_size", max_client_receive_size, 16, UINT32_MAX),
    SETTING(OPTION_TEXT, "nss_db_dir", nss_db_dir, 0, 0),
    SETTING(OPTION_TEXT, "cert_nickname", cert_nickname, 0, 0),
    SETTING(OPTION_NUMBER, "heartbeat_interval_min", heartbeat_interval_min, 1, UINT32_MAX),
    SETTING(OPTION_NUMBER, "heartbeat_interval_max", heartbeat_interval_max, 1, UINT32_MAX),
    SETTING(OPTION_BOOL, "dpd_enabled", dpd_enabled, 0, 0),
    SETTING(OPTION_PERMILLE, "dpd_interval_coefficient", dpd_coefficient_permille, 1000, 1000000),
    {.name = "dpd_interval", .kind = OPTION_OBSOLETE},
    SETTING(OPTION_BOOL, "keep_active_partition_tie_breaker", keep_active_partition, 0, 0),

    SETTING(OPTION_TEXT, "state_dir", state_dir, 0, 0),
    {.name = "vote_lease",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct settings, vote_lease),
     .choices = lease_choices},
    SETTING(OPTION_NUMBER, "lease_margin", lease_margin, 0, 600000),
    SETTING(OPTION_NUMBER, "init_timeout", init_timeout, 1000, 3600000),
    SETTING(OPTION_NUMBER, "max_nodes_per_cluster", max_nodes_per_cluster, 1, WIRE_NODES_MAX),
    SETTING(OPTION_NUMBER, "max_handshakes", max_handshakes, 1, UINT32_MAX),
    SETTING(OPTION_TEXT, "tls_cert_file", tls_cert_file, 0, 0),
    SETTING(OPTION_TEXT, "tls_key_file", tls_key_file, 0, 0),
    SETTING(OPTION_TEXT, "tls_ca_file", tls_ca_file, 0, 0),
    SETTING(OPTION_TEXT, "nss_pwd_file", nss_pwd_file, 0, 0),
    SETTING(OPTION_BOOL, "enrolment", enrolment, 0, 0),
    SETTING(OPTION_TEXT, "enrol_program", enrol_program, 0, 0),
};
static const struct option_set advanced_set = {advanced, sizeof(advanced) / sizeof(advanced[0]), &daemon_options_set};

static const struct option_def listen_address = SETTING(OPTION_TEXT, NULL, listen_address, 0, 0);
static const struct option_def listen_port = SETTING(OPTION_NUMBER, NULL, listen_port, 1, 65535);
static const struct option_def clients_max = SETTING(OPTION_NUMBER, NULL, clients_max, 0, INT64_MAX);
static const struct option_def client_cert = SETTING(OPTION_BOOL, NULL, client_cert_required, 0, 0);
static const struct option_def tls = {
    .kind = OPTION_CHOICE, .offset = offsetof(struct settings, tls), .choices = tls_choices};

static const struct program_option options[] = {
    {'4', .letter = offsetof(struct settings, family)},
    {'6', .letter = offsetof(struct settings, family)},
    {'v', .is_operation = true, .ends = true},
    {'l', .has_argument = true, .value = &listen_address},
    {'p', .has_argument = true, .value = &listen_port, .expected = "is not a port number (1 to 65535)"},
    {'s', .has_argument = true, .value = &tls, .expected = "is none of on, off, req, required"},
    {'c', .has_argument = true, .value = &client_cert, .expected = "is neither on nor off"},
    {'m', .has_argument = true, .value = &clients_max, .expected = "is not a number of clients"},
};

static void set_defaults(struct settings *settings)
{
    struct arbiter_settings logic;

    arbiter_settings_default(&logic);
    *settings = (struct settings){
        .listen_port = 5403,
        .tls = (int)logic.tls,
        .client_cert_required = logic.client_cert_required,
        /* A whole site that comes back at once must find its connections accepted. */
        .listen_backlog = 4096,
        .max_client_send_buffers = 32,
        .max_client_send_size = logic.maximum_reply_size,
        .max_client_receive_size = logic.maximum_request_size,
        .heartbeat_interval_min = logic.heartbeat_ms_min,
        .heartbeat_interval_max = logic.heartbeat_ms_max,
        .dpd_enabled = logic.dpd_enabled,
        .dpd_coefficient_permille = logic.dpd_coefficient_permille,
        .keep_active_partition = logic.keep_active_partition,
        .vote_lease = logic.strict ? SETTINGS_LEASE_STRICT : SETTINGS_LEASE_PACKAGED,
        .lease_margin = logic.lease_margin_ms,
        .init_timeout = logic.init_timeout_ms,
        .max_nodes_per_cluster = logic.nodes_per_cluster_max,
        .max_handshakes = 5000,
        .enrolment = true,
    };
    daemon_options_default(&settings->daemon, 10485760);
}

/* The state lies beside the lock file, whose content tells whether another arbiter ran in between. */
static bool default_state_dir(struct settings *settings)
{
    char *lock_file, *path;

    if (settings->state_dir != NULL)
        return true;
    lock_file = strdup(settings->daemon.lock_file);
    if (lock_file == NULL)
        return false;
    if (asprintf(&path, "%s/state", dirname(lock_file)) < 0)
        path = NULL;
    free(lock_file);
    settings->state_dir = path;
    return path != NULL;
}

static bool default_texts(struct settings *settings)
{
    return option_default_text(&settings->nss_db_dir, Q_CONFDIR "/qnetd/nssdb") &&
           option_default_text(&settings->cert_nickname, "QNetd Cert") &&
           option_default_text(&settings->enrol_program, Q_LIBEXECDIR "/corosync-qnetd-enrol") &&
           daemon_options_default_paths(&settings->daemon, Q_RUNDIR, "corosync-qnetd") &&
           default_state_dir(settings);
}

/* Conditions between settings. */
static enum q_err check_together(const struct settings *settings, char *err_text, size_t size)
{
    if (!daemon_options_check_pem("", settings->tls_cert_file, settings->tls_key_file, settings->tls_ca_file, err_text,
                                  size))
        return Q_ERR_INVALID;
    if (settings->heartbeat_interval_min > settings->heartbeat_interval_max) {
        snprintf(err_text, size, "heartbeat_interval_min is above heartbeat_interval_max");
        return Q_ERR_INVALID;
    }
    return Q_OK;
}

enum q_err settings_parse(struct settings *settings, int argc, char **argv, char *err_text, size_t size)
{
    enum q_err err;

    set_defaults(settings);
    err = daemon_options_read(&settings->daemon, options, sizeof(options) / sizeof(options[0]), &advanced_set, argc,
                              argv, err_text, size);
    if (err != Q_OK || settings->daemon.command != SETTINGS_RUN)
        return err;
    if (settings->tls > (int)WIRE_TLS_REQUIRED)
        settings->tls = (int)WIRE_TLS_REQUIRED; /* it has two spellings */
    if (!default_texts(settings)) {
        snprintf(err_text, size, "Out of memory");
        return Q_ERR_NO_MEMORY;
    }
    return check_together(settings, err_text, size);
}

void settings_fini(struct settings *settings)
{
    free(settings->listen_address);
    settings->listen_address = NULL;
    options_free(&advanced_set, settings);
}

void settings_for_arbiter(const struct settings *settings, struct arbiter_settings *out)
{
    arbiter_settings_default(out);
    out->tls = (enum wire_tls_supported)settings->tls;
    out->client_cert_required = settings->client_cert_required;
    out->maximum_request_size = (uint32_t)settings->max_client_receive_size;
    out->maximum_reply_size = (uint32_t)settings->max_client_send_size;
    out->heartbeat_ms_min = (uint32_t)settings->heartbeat_interval_min;
    out->heartbeat_ms_max = (uint32_t)settings->heartbeat_interval_max;
    out->dpd_enabled = settings->dpd_enabled;
    out->dpd_coefficient_permille = (uint32_t)settings->dpd_coefficient_permille;
    out->keep_active_partition = settings->keep_active_partition;
    out->strict = settings->vote_lease == SETTINGS_LEASE_STRICT;
    out->lease_margin_ms = (uint32_t)settings->lease_margin;
    out->init_timeout_ms = (uint32_t)settings->init_timeout;
    out->clients_max = settings->clients_max > UINT32_MAX ? UINT32_MAX : (uint32_t)settings->clients_max;
    out->nodes_per_cluster_max = (uint32_t)settings->max_nodes_per_cluster;
}

const char *settings_usage(void)
{
    return "usage: corosync-qnetd [-46dfhv] [-l listen_addr] [-p listen_port] [-s tls]\n"
           "              [-c client_cert_required] [-m max_clients] [-S "
           "option=value[,option2=value2,...]]\n";
}
