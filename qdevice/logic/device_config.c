/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/logic/device_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/printable.h"
#include "qdevice/logic/command_line.h"
#include "qdevice/logic/node_keys.h"

#define NET "quorum.device.net."
#define HEURISTICS "quorum.device.heuristics."
#define PORT_DEFAULT 5403
#define HOST_SIZE_MAX 255                             /* a name of the DNS, or an address */
#define CLUSTER_NAME_SIZE_MAX (WIRE_SIZE_DEFAULT / 2) /* an arbiter takes no PREINIT above WIRE_SIZE_DEFAULT */

/* A reading under way: the first thing that is wrong stays. */
struct reading {
    const struct keys *keys;
    const struct device_limits *limits;
    struct device_config *config;
    char *err_text;
    enum q_err err;
};

void device_limits_default(struct device_limits *limits)
{
    *limits = (struct device_limits){
        .heartbeat_ms_min = 1000,
        .heartbeat_ms_max = 120000,
        .connect_timeout_ms_min = 1000,
        .connect_timeout_ms_max = 120000,
        .heuristics_timeout_ms_min = 1000,
        .heuristics_timeout_ms_max = 120000,
        .heuristics_interval_ms_min = 1000,
        .heuristics_interval_ms_max = 3600000,
        .heuristics_execs_max = HEURISTICS_EXECS_MAX,
        .test_algorithm_enabled = false,
    };
}

/* One line fit for the log, whatever bytes a value has. */
static void say(char text[DEVICE_CONFIG_ERR_SIZE], const char *format, va_list arguments)
{
    char raw[DEVICE_CONFIG_ERR_SIZE];

    vsnprintf(raw, sizeof(raw), format, arguments);
    printable_text(raw, strlen(raw), text, DEVICE_CONFIG_ERR_SIZE);
}

static void refuse(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void refuse(struct reading *r, const char *format, ...)
{
    va_list arguments;

    if (r->err != Q_OK)
        return;
    r->err = Q_ERR_INVALID;
    va_start(arguments, format);
    say(r->err_text, format, arguments);
    va_end(arguments);
}

static void warn(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct reading *r, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(r->config->warning, format, arguments);
    va_end(arguments);
}

static void refuse_value(struct reading *r, const char *key, const char *value, const char *allowed)
{
    refuse(r, "%s is \"%.64s\": allowed is %s", key, value, allowed);
}

static char *copy(struct reading *r, const char *text)
{
    char *result = strdup(text);

    if (result == NULL)
        r->err = Q_ERR_NO_MEMORY;
    return result;
}

/* ---- single values ---- */

static bool parse_bool(const char *text, bool *value)
{
    static const char *const words[] = {"yes", "on", "1", "no", "off", "0"};

    for (int i = 0; i < 6; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *value = i < 3;
            return true;
        }
    return false;
}

/* Decimal, the whole text, without sign. */
static bool parse_u32(const char *text, uint32_t *value)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > UINT32_MAX)
            return false;
    }
    *value = (uint32_t)number;
    return true;
}

/* An optional text key with a number in a range; `value` stays as it is without one. */
static void read_ranged(struct reading *r, const char *key, uint32_t minimum, uint32_t maximum, uint32_t *value)
{
    const char *text = keys_text(r->keys, key);
    uint32_t number;

    if (text == NULL)
        return;
    if (parse_u32(text, &number) && number >= minimum && number <= maximum)
        *value = number;
    else
        refuse(r, "%s is \"%.64s\": allowed is %u to %u", key, text, minimum, maximum);
}

/* ---- quorum.device.net ---- */

static void read_algorithm(struct reading *r)
{
    const char *text = keys_text(r->keys, NET "algorithm");

    r->config->agent.algorithm = WIRE_ALGORITHM_FFSPLIT;
    if (text == NULL)
        return;
    for (uint32_t i = 0; i < WIRE_ALGORITHM_COUNT; i++) {
        if (strcmp(text, wire_algorithm_name(i)) != 0)
            continue;
        r->config->agent.algorithm = (enum wire_algorithm)i;
        if (i == WIRE_ALGORITHM_TEST && !r->limits->test_algorithm_enabled)
            refuse(r, NET "algorithm is test, which is unsafe and must be enabled with "
                          "-S net_test_algorithm_enabled=on");
        return;
    }
    refuse_value(r, NET "algorithm", text, "ffsplit, lms or 2nodelms");
}

static void read_tie_breaker(struct reading *r)
{
    const char *text = keys_text(r->keys, NET "tie_breaker");
    struct wire_tie_breaker *tie_breaker = &r->config->agent.tie_breaker;

    *tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_LOWEST, 0};
    if (text == NULL || strcmp(text, "lowest") == 0)
        return;
    tie_breaker->mode = WIRE_TIE_BREAKER_HIGHEST;
    if (strcmp(text, "highest") == 0)
        return;
    tie_breaker->mode = WIRE_TIE_BREAKER_NODE_ID;
    if (!parse_u32(text, &tie_breaker->node_id) || tie_breaker->node_id == 0)
        refuse_value(r, NET "tie_breaker", text, "lowest, highest or a node id");
}

static void read_tls(struct reading *r)
{
    const char *text = keys_text(r->keys, NET "tls");
    bool on = true;

    if (text != NULL && strcasecmp(text, "required") == 0) {
        r->config->agent.tls = AGENT_TLS_REQUIRED;
        return;
    }
    if (text != NULL && !parse_bool(text, &on))
        refuse_value(r, NET "tls", text, "on, off or required");
    r->config->agent.tls = on ? AGENT_TLS_ON : AGENT_TLS_OFF;
}

static void read_keep_active(struct reading *r)
{
    const char *text = keys_text(r->keys, NET "keep_active_partition_tie_breaker");
    bool on = true;

    if (text != NULL && !parse_bool(text, &on))
        refuse_value(r, NET "keep_active_partition_tie_breaker", text, "on or off");
    r->config->agent.keep_active_partition = on;
}

static void read_force_ip_version(struct reading *r)
{
    const char *text = keys_text(r->keys, NET "force_ip_version");

    if (text == NULL || strcmp(text, "0") == 0)
        return;
    if (strcmp(text, "4") != 0 && strcmp(text, "6") != 0)
        refuse_value(r, NET "force_ip_version", text, "0, 4 or 6");
    r->config->force_ip_version = text[0] - '0';
}

/* One host, or several separated by commas; blanks around them do not count. */
static void read_hosts(struct reading *r)
{
    const char *text = keys_text(r->keys, NET "host");
    struct device_config *config = r->config;

    if (text == NULL || *text == '\0') {
        refuse(r, NET "host is not set: name the arbiter");
        return;
    }
    while (r->err == Q_OK) {
        size_t length = strcspn(text, ",");
        const char *next = text + length;
        size_t begin = strspn(text, " \t");

        if (begin > length)
            begin = length;
        while (length > begin && (text[length - 1] == ' ' || text[length - 1] == '\t'))
            length--;
        if (length == begin) {
            refuse(r, NET "host names an empty host");
            return;
        }
        if (length - begin > HOST_SIZE_MAX || !printable_is_plain(text + begin, length - begin)) {
            refuse(r, NET "host names \"%.64s\", which is no name or address of a host", text + begin);
            return;
        }
        if (config->agent.host_count == AGENT_HOSTS_MAX) {
            refuse(r, NET "host names more than %d hosts", AGENT_HOSTS_MAX);
            return;
        }
        config->host_list[config->agent.host_count] = strndup(text + begin, length - begin);
        if (config->host_list[config->agent.host_count] == NULL)
            r->err = Q_ERR_NO_MEMORY;
        else
            config->agent.host_count++;
        if (*next == '\0')
            return;
        text = next + 1;
    }
}

static void read_port(struct reading *r)
{
    uint32_t port = PORT_DEFAULT;

    read_ranged(r, NET "port", 1, UINT16_MAX, &port);
    r->config->port = (uint16_t)port;
}

/* ffsplit reckons with one vote of the device and one of each node. */
static void check_votes(struct reading *r)
{
    uint64_t votes = 0;

    if (r->config->agent.algorithm != WIRE_ALGORITHM_FFSPLIT)
        return;
    if (!keys_number(r->keys, "quorum.device.votes", KEY_U32, &votes) || votes != 1)
        refuse(r, "quorum.device.votes must be set to 1 for the algorithm ffsplit");
}

/* ---- identity, times, nodes ---- */

static void read_identity(struct reading *r)
{
    const char *model = keys_text(r->keys, "quorum.device.model");
    const char *name = keys_text(r->keys, "totem.cluster_name");
    uint64_t number = 0;

    if (model == NULL)
        refuse(r, "quorum.device.model is not set: no device is configured, stop corosync-qdevice if that is meant");
    else if (strcmp(model, "net") != 0)
        refuse(r, "quorum.device.model is \"%.64s\": allowed is net", model);
    if (!keys_number(r->keys, "runtime.votequorum.this_node_id", KEY_U32, &number) || number == 0)
        refuse(r, "runtime.votequorum.this_node_id is not set: is quorum.provider corosync_votequorum?");
    r->config->agent.node_id = (uint32_t)number;
    if (name == NULL || *name == '\0') {
        refuse(r, "totem.cluster_name is not set: the arbiter knows clusters by name");
        return;
    }
    if (strlen(name) > CLUSTER_NAME_SIZE_MAX)
        refuse(r, "totem.cluster_name is longer than %d bytes", CLUSTER_NAME_SIZE_MAX);
    r->config->cluster_name = copy(r, name);
    if (keys_number(r->keys, "quorum.wait_for_all", KEY_U8, &number))
        r->config->agent.wait_for_all = number == 1;
    r->config->agent.has_config_version = keys_number(r->keys, "totem.config_version", KEY_U64, &number);
    if (r->config->agent.has_config_version)
        r->config->agent.config_version = number;
}

static void read_times(struct reading *r)
{
    struct timing_input input = {.device_timeout_ms = TIMING_DEVICE_TIMEOUT_DEFAULT_MS,
                                 .sync_timeout_ms = TIMING_SYNC_TIMEOUT_DEFAULT_MS,
                                 .heartbeat_ms_min = r->limits->heartbeat_ms_min,
                                 .heartbeat_ms_max = r->limits->heartbeat_ms_max};
    uint64_t number;

    input.has_device_timeout = keys_number(r->keys, "quorum.device.timeout", KEY_U32, &number);
    if (input.has_device_timeout)
        input.device_timeout_ms = (uint32_t)number;
    if (keys_number(r->keys, "quorum.device.sync_timeout", KEY_U32, &number))
        input.sync_timeout_ms = (uint32_t)number;
    read_ranged(r, NET "connect_timeout", r->limits->connect_timeout_ms_min, r->limits->connect_timeout_ms_max,
                &input.connect_timeout_ms);
    timing_derive(&input, &r->config->agent.timing);
    r->config->sync_timeout_ms = input.sync_timeout_ms;
}

static void read_debug(struct reading *r)
{
    const char *text = keys_text(r->keys, "logging.logger_subsys.QDEVICE.debug");
    bool on = false;

    if (text == NULL)
        text = keys_text(r->keys, "logging.debug");
    if (text == NULL)
        return;
    if (strcasecmp(text, "trace") == 0)
        r->config->debug = DEVICE_DEBUG_TRACE;
    else if (parse_bool(text, &on))
        r->config->debug = on ? DEVICE_DEBUG_ON : DEVICE_DEBUG_OFF;
    else
        warn(r, "logging debug is \"%.64s\", which is neither on, off nor trace: taken for off", text);
}

/* ---- quorum.device.heuristics ---- */

static uint32_t at_least(uint32_t minimum, uint32_t value)
{
    return value > minimum ? value : minimum;
}

static void read_mode(struct reading *r)
{
    const char *text = keys_text(r->keys, HEURISTICS "mode");
    bool on = false;

    if (text != NULL && strcasecmp(text, "sync") == 0) {
        r->config->heuristics.mode = HEURISTICS_SYNC;
        return;
    }
    if (text != NULL && !parse_bool(text, &on))
        refuse_value(r, HEURISTICS "mode", text, "on, off or sync");
    r->config->heuristics.mode = on ? HEURISTICS_ON : HEURISTICS_OFF;
}

static bool add_exec(struct reading *r, const char *name, const char *command)
{
    struct heuristics_config *heuristics = &r->config->heuristics;
    struct heuristics_exec *execs =
        realloc(heuristics->execs, (heuristics->exec_count + 1) * sizeof(*heuristics->execs));

    if (execs == NULL)
        return false;
    heuristics->execs = execs;
    execs[heuristics->exec_count] = (struct heuristics_exec){strdup(name), strdup(command)};
    if (execs[heuristics->exec_count].name == NULL || execs[heuristics->exec_count].command == NULL) {
        free(execs[heuristics->exec_count].name);
        free(execs[heuristics->exec_count].command);
        return false;
    }
    for (char *c = execs[heuristics->exec_count++].command; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    return true;
}

/* A command that cannot be run would fail, or worse not count, for reasons that only show in the log of every run. */
static void check_command(struct reading *r, const char *name, const char *command)
{
    struct command_line line;
    enum q_err err = command_line_parse(&line, command);

    if (err == Q_OK)
        command_line_fini(&line);
    else if (err == Q_ERR_NO_MEMORY)
        r->err = err;
    else if (err == Q_ERR_LIMIT)
        refuse(r, "%.128s has more than %d words", name, COMMAND_LINE_ARGUMENTS_MAX);
    else
        refuse(r, "%.128s is no command: a quote is not closed, a backslash ends it, or it is empty", name);
}

static void read_execs(struct reading *r)
{
    static const char prefix[] = HEURISTICS "exec_";

    for (size_t i = 0; i < r->keys->count && r->err == Q_OK; i++) {
        const struct key *key = &r->keys->items[i];
        const char *name = key->name + sizeof(prefix) - 1;

        if (strncmp(key->name, prefix, sizeof(prefix) - 1) != 0)
            continue;
        if (key->type != KEY_TEXT || *name == '\0' || strchr(name, '.') != NULL) {
            warn(r, "%.128s is not a command: ignored", key->name);
            continue;
        }
        if (r->config->heuristics.exec_count == r->limits->heuristics_execs_max)
            refuse(r, "there are more than %u commands " HEURISTICS "exec_NAME (heuristics_max_execs)",
                   r->limits->heuristics_execs_max);
        else if (!add_exec(r, name, key->text))
            r->err = Q_ERR_NO_MEMORY;
        else
            check_command(r, key->name, r->config->heuristics.execs[r->config->heuristics.exec_count - 1].command);
    }
}

/*
 * Defaults need not lie within the ranges of explicit values (spec section 5.3). But with a timeout of 0 runs would follow one
 * another without a pause, and each would have failed before it began.
 */
static void derive_heuristics_times(struct reading *r)
{
    struct heuristics_config *heuristics = &r->config->heuristics;
    uint32_t device_timeout_ms = r->config->agent.timing.device_timeout_ms;
    uint32_t interval_ms = device_timeout_ms < UINT32_MAX / 3 ? 3 * device_timeout_ms : UINT32_MAX;

    heuristics->timeout_ms = at_least(1, device_timeout_ms / 2);
    heuristics->sync_timeout_ms = at_least(1, r->config->sync_timeout_ms / 2);
    heuristics->interval_ms = at_least(r->limits->heuristics_interval_ms_min, interval_ms);
}

static void read_heuristics(struct reading *r)
{
    struct heuristics_config *heuristics = &r->config->heuristics;
    const struct device_limits *limits = r->limits;

    read_mode(r);
    derive_heuristics_times(r);
    read_ranged(r, HEURISTICS "timeout", limits->heuristics_timeout_ms_min, limits->heuristics_timeout_ms_max,
                &heuristics->timeout_ms);
    read_ranged(r, HEURISTICS "sync_timeout", limits->heuristics_timeout_ms_min, limits->heuristics_timeout_ms_max,
                &heuristics->sync_timeout_ms);
    read_ranged(r, HEURISTICS "interval", limits->heuristics_interval_ms_min, limits->heuristics_interval_ms_max,
                &heuristics->interval_ms);
    read_execs(r);
    r->config->agent.heuristics_active = heuristics->mode != HEURISTICS_OFF && heuristics->exec_count > 0;
    if (heuristics->mode != HEURISTICS_OFF && heuristics->exec_count == 0)
        warn(r, HEURISTICS "mode is set, but there is no command exec_NAME: heuristics are off");
}

/* ---- the whole ---- */

static void point_agent_at_copies(struct device_config *config)
{
    config->agent.cluster_name = config->cluster_name;
    config->agent.nodes = config->node_list;
    config->agent.port = config->port;
    config->agent.ip_version = config->force_ip_version;
    for (size_t i = 0; i < config->agent.host_count; i++)
        config->agent.hosts[i] = config->host_list[i];
}

enum q_err device_config_parse(const struct keys *keys, const struct device_limits *limits,
                               struct device_config *config, char err_text[DEVICE_CONFIG_ERR_SIZE])
{
    struct reading r = {.keys = keys, .limits = limits, .config = config, .err_text = err_text, .err = Q_OK};
    char nodes_text[DEVICE_CONFIG_ERR_SIZE / 2];
    enum q_err err;

    memset(config, 0, sizeof(*config));
    err_text[0] = '\0';
    read_identity(&r);
    read_times(&r);
    read_algorithm(&r);
    read_tie_breaker(&r);
    read_tls(&r);
    read_keep_active(&r);
    read_force_ip_version(&r);
    read_hosts(&r);
    read_port(&r);
    check_votes(&r);
    read_debug(&r);
    read_heuristics(&r);
    err = node_keys_parse(keys, &config->node_list, &config->agent.node_count, nodes_text, sizeof(nodes_text));
    if (err == Q_ERR_INVALID)
        refuse(&r, "%s", nodes_text);
    else if (err != Q_OK)
        r.err = err;
    if (r.err != Q_OK) {
        device_config_fini(config);
        return r.err;
    }
    point_agent_at_copies(config);
    return Q_OK;
}

void device_config_fini(struct device_config *config)
{
    free(config->cluster_name);
    free(config->node_list);
    for (size_t i = 0; i < AGENT_HOSTS_MAX; i++)
        free(config->host_list[i]);
    for (uint32_t i = 0; i < config->heuristics.exec_count; i++) {
        free(config->heuristics.execs[i].name);
        free(config->heuristics.execs[i].command);
    }
    free(config->heuristics.execs);
    memset(config, 0, sizeof(*config));
}
