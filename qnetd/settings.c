/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/settings.h"

#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"

#define SETTING(kind_, name_, field_, minimum_, maximum_)                                                    \
    {                                                                                                        \
        .name = (name_), .kind = (kind_), .offset = offsetof(struct settings, field_),                       \
        .minimum = (minimum_), .maximum = (maximum_)                                                         \
    }

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
    SETTING(OPTION_TEXT, "lock_file", lock_file, 0, 0),
    SETTING(OPTION_TEXT, "local_socket_file", local_socket_file, 0, 0),
    SETTING(OPTION_UMASK, "local_socket_umask", local_socket_umask, 0, 0),
    SETTING(OPTION_GROUP, "local_socket_gid", local_socket_gid, 0, 0),
    SETTING(OPTION_NUMBER, "local_socket_backlog", local_socket_backlog, 1, INT32_MAX),
    SETTING(OPTION_NUMBER, "ipc_max_clients", ipc_max_clients, 0, UINT32_MAX),
    SETTING(OPTION_NUMBER, "ipc_max_receive_size", ipc_max_receive_size, 1024, UINT32_MAX),
    SETTING(OPTION_NUMBER, "ipc_max_send_size", ipc_max_send_size, 1024, UINT32_MAX),
    SETTING(OPTION_BOOL, "keep_active_partition_tie_breaker", keep_active_partition, 0, 0),

    SETTING(OPTION_NUMBER, "ipc_timeout", ipc_timeout, 100, 3600000),
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
#define ADVANCED_COUNT (sizeof(advanced) / sizeof(advanced[0]))

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
        .local_socket_umask = -1,
        .local_socket_gid = -1,
        .local_socket_backlog = 10,
        .ipc_max_clients = 10,
        .ipc_max_receive_size = 4096,
        .ipc_max_send_size = 10485760,
        .keep_active_partition = logic.keep_active_partition,
        .ipc_timeout = 10000,
        .vote_lease = logic.strict ? SETTINGS_LEASE_STRICT : SETTINGS_LEASE_PACKAGED,
        .lease_margin = logic.lease_margin_ms,
        .init_timeout = logic.init_timeout_ms,
        .max_nodes_per_cluster = logic.nodes_per_cluster_max,
        .max_handshakes = 5000,
        .enrolment = true,
    };
}

static bool default_text(char **field, const char *text)
{
    if (*field == NULL)
        *field = strdup(text);
    return *field != NULL;
}

/* The state lies beside the lock file, whose content tells whether another arbiter ran in between. */
static bool default_state_dir(struct settings *settings)
{
    char *lock_file, *path;

    if (settings->state_dir != NULL)
        return true;
    lock_file = strdup(settings->lock_file);
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
    return default_text(&settings->nss_db_dir, Q_CONFDIR "/qnetd/nssdb") &&
           default_text(&settings->cert_nickname, "QNetd Cert") &&
           default_text(&settings->enrol_program, Q_LIBEXECDIR "/corosync-qnetd-enrol") &&
           default_text(&settings->lock_file, Q_RUNDIR "/corosync-qnetd/corosync-qnetd.pid") &&
           default_text(&settings->local_socket_file, Q_RUNDIR "/corosync-qnetd/corosync-qnetd.sock") &&
           default_state_dir(settings);
}

/* Conditions between settings. */
static enum q_err check_together(const struct settings *settings, char *err_text, size_t size)
{
    int pem_count = (settings->tls_cert_file != NULL) + (settings->tls_key_file != NULL) +
                    (settings->tls_ca_file != NULL);

    if (pem_count != 0 && pem_count != 3) {
        snprintf(err_text, size, "tls_cert_file, tls_key_file and tls_ca_file must be set together");
        return Q_ERR_INVALID;
    }
    if (settings->heartbeat_interval_min > settings->heartbeat_interval_max) {
        snprintf(err_text, size, "heartbeat_interval_min is above heartbeat_interval_max");
        return Q_ERR_INVALID;
    }
    return Q_OK;
}

static bool parse_one(struct settings *settings, int option, const char *value, char *err_text, size_t size,
                      char *warning, size_t warning_size)
{
    char text[OPTIONS_ERR_SIZE];
    int choice;

    switch (option) {
    case '4':
        settings->family = SETTINGS_FAMILY_IPV4;
        return true;
    case '6':
        settings->family = SETTINGS_FAMILY_IPV6;
        return true;
    case 'd':
        settings->debug_count++;
        return true;
    case 'f':
        settings->foreground = true;
        return true;
    case 'h':
        settings->command = SETTINGS_SHOW_HELP;
        return true;
    case 'v':
        settings->command = SETTINGS_SHOW_VERSION;
        return true;
    case 'l':
        free(settings->listen_address);
        settings->listen_address = strdup(value);
        return settings->listen_address != NULL;
    case 'p':
        if (option_parse_number(value, 1, 65535, &settings->listen_port))
            return true;
        snprintf(err_text, size, "Option -p: '%s' is not a port number (1 to 65535)", value);
        return false;
    case 's':
        if (option_parse_choice(value, tls_choices, &choice)) {
            settings->tls = choice > (int)WIRE_TLS_REQUIRED ? (int)WIRE_TLS_REQUIRED : choice;
            return true;
        }
        snprintf(err_text, size, "Option -s: '%s' is none of on, off, req, required", value);
        return false;
    case 'c':
        if (option_parse_bool(value, &settings->client_cert_required))
            return true;
        snprintf(err_text, size, "Option -c: '%s' is neither on nor off", value);
        return false;
    case 'm':
        if (option_parse_number(value, 0, INT64_MAX, &settings->clients_max))
            return true;
        snprintf(err_text, size, "Option -m: '%s' is not a number of clients", value);
        return false;
    case 'S':
        if (options_apply(advanced, ADVANCED_COUNT, settings, value, text, sizeof(text)) == Q_OK) {
            if (text[0] != '\0')
                snprintf(warning, warning_size, "%s", text);
            return true;
        }
        snprintf(err_text, size, "Option -S: %s", text);
        return false;
    default: /* getopt has said on stderr what is wrong */
        return false;
    }
}

enum q_err settings_parse(struct settings *settings, int argc, char **argv, char *err_text, size_t size)
{
    char warning[SETTINGS_ERR_SIZE] = "";
    int option;

    err_text[0] = '\0';
    set_defaults(settings);
    optind = 1;
    while ((option = getopt(argc, argv, "46dfhvl:p:s:c:m:S:")) != -1) {
        if (!parse_one(settings, option, optarg, err_text, size, warning, sizeof(warning)))
            return Q_ERR_INVALID;
        if (settings->command != SETTINGS_RUN)
            return Q_OK;
    }
    if (!default_texts(settings)) {
        snprintf(err_text, size, "Out of memory");
        return Q_ERR_NO_MEMORY;
    }
    snprintf(err_text, size, "%s", warning);
    return check_together(settings, err_text, size);
}

void settings_fini(struct settings *settings)
{
    free(settings->listen_address);
    settings->listen_address = NULL;
    options_free(advanced, ADVANCED_COUNT, settings);
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
