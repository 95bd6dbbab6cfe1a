/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From -S settings and cmap keys to the device's configuration. What is taken lies within the documented ranges and can be
 * said to an arbiter; what is refused leaves one printable sentence of bounded size, and nothing else.
 *
 * Input: lines. "S" and a list of settings; an upper-case letter from A on and the value of the key of that number in
 * `known`, of its own type; or a type (t 1 2 4 8 o), the name of any key, "=" and its value. In values byte 1 stands for a
 * newline, byte 2 for 5000 letters. Keys that are needed and not named are there with good values, unless the input begins with "-".
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/printable.h"
#include "qdevice/logic/agent.h"
#include "qdevice/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES_MAX 200
#define KEY_NAME_MAX 255 /* cmap's */

struct known_key {
    const char *name;
    enum key_type type;
    const char *good; /* NULL: not needed */
};

/* In this order: A, B, ... without S */
static const struct known_key known[] = {
    {"quorum.device.model", KEY_TEXT, "net"},
    {"runtime.votequorum.this_node_id", KEY_U32, "1"},
    {"quorum.device.timeout", KEY_U32, NULL},
    {"quorum.device.sync_timeout", KEY_U32, NULL},
    {"quorum.device.net.host", KEY_TEXT, "arbiter"},
    {"quorum.device.net.port", KEY_TEXT, NULL},
    {"quorum.device.net.tls", KEY_TEXT, NULL},
    {"totem.cluster_name", KEY_TEXT, "lab"},
    {"quorum.device.net.algorithm", KEY_TEXT, NULL},
    {"quorum.device.net.tie_breaker", KEY_TEXT, NULL},
    {"quorum.device.net.connect_timeout", KEY_TEXT, NULL},
    {"quorum.device.net.force_ip_version", KEY_TEXT, NULL},
    {"quorum.device.net.keep_active_partition_tie_breaker", KEY_TEXT, NULL},
    {"quorum.device.votes", KEY_U32, "1"},
    {"quorum.wait_for_all", KEY_U8, NULL},
    {"totem.clear_node_high_bit", KEY_TEXT, NULL},
    {"totem.config_version", KEY_U64, NULL},
    {"quorum.device.heuristics.mode", KEY_TEXT, NULL},
    {"quorum.device.heuristics.timeout", KEY_TEXT, NULL},
    {"quorum.device.heuristics.sync_timeout", KEY_TEXT, NULL},
    {"quorum.device.heuristics.interval", KEY_TEXT, NULL},
    {"logging.logger_subsys.QDEVICE.debug", KEY_TEXT, NULL},
    {"nodelist.node.0.ring0_addr", KEY_TEXT, "192.0.2.1"},
    {"nodelist.node.0.nodeid", KEY_U32, "1"},
    {"quorum.device.heuristics.exec_x", KEY_TEXT, NULL},
};
#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

struct input {
    struct settings settings;
    struct keys keys;
    bool named[KNOWN_COUNT];
};

static struct wire_message message;

/* ---- reading the input --------------------------------------------------------------------------- */

static enum q_err add_text(struct input *input, const char *name, const char *value)
{
    char many[5000];
    struct q_buf text;
    enum q_err err;

    memset(many, 'x', sizeof(many));
    q_buf_init(&text);
    for (; *value != '\0'; value++)
        if (*value == 2)
            q_buf_append(&text, many, sizeof(many));
        else
            q_buf_append(&text, *value == 1 ? "\n" : value, 1);
    err = keys_add_text(&input->keys, name, text.size > 0 ? (const char *)q_buf_bytes(&text) : "", text.size);
    q_buf_fini(&text);
    return err;
}

static void add_key(struct input *input, const char *name, enum key_type type, const char *value)
{
    enum q_err err;

    if (type == KEY_TEXT)
        err = add_text(input, name, value);
    else
        err = keys_add_number(&input->keys, name, type,
                              strtoull(value, NULL, 10) &
                                  (type == KEY_U8    ? UINT8_MAX
                                   : type == KEY_U16 ? UINT16_MAX
                                   : type == KEY_U32 ? UINT32_MAX
                                                     : UINT64_MAX));
    assert(err == Q_OK || err == Q_ERR_LIMIT);
}

/* cmap takes no other names. */
static void clean_name(char *name)
{
    if (strlen(name) > KEY_NAME_MAX)
        name[KEY_NAME_MAX] = '\0';
    for (; *name != '\0'; name++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:", *name) == NULL)
            *name = '_';
}

static void add_any_key(struct input *input, char type, char *text)
{
    static const char letters[] = "t1248o";
    const char *letter = strchr(letters, type);
    char *value = strchr(text, '=');

    if (letter == NULL || value == NULL)
        return;
    *value++ = '\0';
    clean_name(text);
    add_key(input, text, (enum key_type)(letter - letters), value);
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        input->named[i] = input->named[i] || strcmp(known[i].name, text) == 0;
}

static bool add_settings(struct input *input, char *list)
{
    char program[] = "corosync-qdevice", option[] = "-S";
    char *arguments[] = {program, option, list, NULL};
    char err_text[SETTINGS_ERR_SIZE];
    enum q_err err;

    settings_fini(&input->settings);
    if (strcasestr(list, "gid") != NULL) /* would ask the system for the group */
        *list = '\0';
    err = settings_parse(&input->settings, 3, arguments, err_text, sizeof(err_text));
    assert(err == Q_OK || err == Q_ERR_INVALID);
    assert(strnlen(err_text, sizeof(err_text)) < sizeof(err_text));
    assert((err == Q_OK) == (err_text[0] == '\0'));
    return err == Q_OK;
}

/* False: the settings are refused, so the daemon does not start. */
static bool read_input(struct input *input, char *text)
{
    bool complete = *text != '-';
    char *line, *rest = text;

    for (int lines = 0; lines < LINES_MAX && (line = strsep(&rest, "\n")) != NULL; lines++) {
        size_t number = (size_t)(*line - 'A') - (*line > 'S' ? 1 : 0);

        if (*line == '\0')
            continue;
        if (*line == 'S') {
            if (!add_settings(input, line + 1))
                return false;
        } else if (*line >= 'A' && *line <= 'Z' && number < KNOWN_COUNT) {
            add_key(input, known[number].name, known[number].type, line + 1);
            input->named[number] = true;
        } else {
            add_any_key(input, *line, line + 1);
        }
    }
    for (size_t i = 0; i < KNOWN_COUNT && complete; i++)
        if (known[i].good != NULL && !input->named[i])
            add_key(input, known[i].name, known[i].type, known[i].good);
    return true;
}

/* ---- checking ------------------------------------------------------------------------------------ */

static bool is_plain_text(const char *text, size_t size)
{
    return strnlen(text, size) < size && printable_is_plain(text, strlen(text));
}

static bool is_within(uint64_t value, uint64_t minimum, uint64_t maximum)
{
    return value >= minimum && value <= maximum;
}

static void check_hosts(const struct agent_config *config)
{
    assert(config->host_count >= 1 && config->host_count <= AGENT_HOSTS_MAX);
    for (size_t i = 0; i < config->host_count; i++) {
        const char *host = config->hosts[i];
        size_t length = strlen(host);

        assert(length > 0 && strchr(host, ',') == NULL);
        assert(strchr(" \t", host[0]) == NULL && strchr(" \t", host[length - 1]) == NULL);
    }
}

static void check_nodes(const struct agent_config *config)
{
    assert(config->node_count >= 1 && config->node_count <= WIRE_NODES_MAX);
    for (uint32_t i = 0; i < config->node_count; i++) {
        assert(config->nodes[i].node_id != 0);
        for (uint32_t other = 0; other < i; other++)
            assert(config->nodes[i].node_id != config->nodes[other].node_id);
    }
}

/* Nothing that is waited for takes no time at all, and a lease spans several echoes. */
static void check_timing(const struct timing *timing, const struct device_limits *limits)
{
    assert(is_within(timing->heartbeat_ms, limits->heartbeat_ms_min, limits->heartbeat_ms_max));
    assert(timing->echo_ms >= 1 && timing->echo_ms <= timing->heartbeat_ms);
    assert(timing->lease_ms >= timing->echo_ms);
    assert(timing->heartbeat_ms < 1000 || timing->lease_ms >= 4 * timing->echo_ms);
    /* Before a packaged arbiter gives the vote away. */
    assert(timing->heartbeat_ms < 1000 ||
           timing->lease_ms + (uint64_t)timing->hold_ms < (uint64_t)timing->heartbeat_ms * 3 / 2);
    assert(timing->poll_ms >= 1 && timing->connect_timeout_ms >= 1);
    assert(is_within(timing->attempt_ms, 1, timing->connect_timeout_ms));
    assert(is_within(timing->pause_ms_min, 1, timing->pause_ms_max));
    assert(timing->patience_ms <= timing->sync_timeout_ms);
}

static void check_heuristics(const struct device_config *config, const struct device_limits *limits)
{
    const struct heuristics_config *heuristics = &config->heuristics;

    assert(heuristics->exec_count <= limits->heuristics_execs_max);
    assert(config->agent.heuristics_active == (heuristics->mode != HEURISTICS_OFF && heuristics->exec_count > 0));
    for (uint32_t i = 0; i < heuristics->exec_count; i++) {
        assert(heuristics->execs[i].name[0] != '\0' && strchr(heuristics->execs[i].name, '.') == NULL);
        assert(strchr(heuristics->execs[i].command, '\n') == NULL);
    }
    /* Runs that follow one another without a pause would keep the node busy. */
    assert(heuristics->interval_ms >= limits->heuristics_interval_ms_min);
    assert(heuristics->timeout_ms >= 1 && heuristics->sync_timeout_ms >= 1);
}

/* An explicit value is taken as it is. */
static void check_explicit(const struct keys *keys, const char *name, uint64_t value, uint64_t minimum,
                           uint64_t maximum)
{
    const char *text = keys_text(keys, name);

    assert(text == NULL || (strtoull(text, NULL, 10) == value && is_within(value, minimum, maximum)));
}

static void check_config(const struct device_config *config, const struct keys *keys,
                         const struct device_limits *limits)
{
    const struct agent_config *agent = &config->agent;

    assert(is_plain_text(config->warning, sizeof(config->warning)));
    assert(agent->node_id != 0 && agent->cluster_name[0] != '\0');
    assert(config->port != 0);
    assert(config->force_ip_version == 0 || config->force_ip_version == 4 || config->force_ip_version == 6);
    assert(agent->algorithm < WIRE_ALGORITHM_COUNT);
    assert(agent->algorithm != WIRE_ALGORITHM_TEST || limits->test_algorithm_enabled);
    assert(is_within(agent->tie_breaker.mode, WIRE_TIE_BREAKER_LOWEST, WIRE_TIE_BREAKER_NODE_ID));
    assert((agent->tie_breaker.mode == WIRE_TIE_BREAKER_NODE_ID) == (agent->tie_breaker.node_id != 0));
    check_hosts(agent);
    check_nodes(agent);
    check_timing(&agent->timing, limits);
    check_heuristics(config, limits);
    check_explicit(keys, "quorum.device.net.port", config->port, 1, UINT16_MAX);
    check_explicit(keys, "quorum.device.net.connect_timeout", agent->timing.connect_timeout_ms,
                   limits->connect_timeout_ms_min, limits->connect_timeout_ms_max);
    check_explicit(keys, "quorum.device.heuristics.timeout", config->heuristics.timeout_ms,
                   limits->heuristics_timeout_ms_min, limits->heuristics_timeout_ms_max);
    check_explicit(keys, "quorum.device.heuristics.sync_timeout", config->heuristics.sync_timeout_ms,
                   limits->heuristics_timeout_ms_min, limits->heuristics_timeout_ms_max);
    check_explicit(keys, "quorum.device.heuristics.interval", config->heuristics.interval_ms,
                   limits->heuristics_interval_ms_min, limits->heuristics_interval_ms_max);
}

/* ---- what an agent makes of it ------------------------------------------------------------------- */

static uint64_t conn; /* of the agent's newest connection */
static uint32_t seq;  /* of its newest message */

static void step(struct agent *agent, struct agent_event *event)
{
    struct agent_actions actions;

    agent_actions_init(&actions);
    event->now_ms = 1000;
    event->conn = conn;
    assert(agent_step(agent, event, &actions) == Q_OK);
    for (size_t i = 0; i < actions.count; i++) {
        const struct agent_action *action = &actions.items[i];
        const uint8_t *bytes;

        conn = action->conn;
        if (action->data.size == 0)
            continue;
        bytes = q_buf_bytes(&actions.data) + action->data.offset;
        if (action->type == AGENT_ACT_NOTE)
            assert(is_plain_text((const char *)bytes, action->data.size + 1));
        if (action->type != AGENT_ACT_SEND)
            continue;
        assert(action->data.size <= WIRE_SIZE_DEFAULT);
        assert(wire_decode(bytes, action->data.size, &message) && wire_has_required(&message));
        seq = message.seq;
    }
    agent_actions_fini(&actions);
}

static void answer(struct agent *agent, enum wire_type type)
{
    static const struct wire_bytes all = {NULL, 1};
    struct agent_event event = {.type = AGENT_EV_MESSAGE, .u.message.message = &message};
    struct q_buf bytes;

    memset(&message, 0, offsetof(struct wire_message, u) + 256);
    message.type = type;
    message.present = UINT32_MAX;
    message.seq = seq;
    if (type == WIRE_INIT_REPLY)
        message.u.init_reply = (struct wire_init_reply){.supported_messages = all,
                                                        .supported_options = all,
                                                        .supported_algorithms = all,
                                                        .lease = {UINT32_MAX, UINT32_MAX}};
    q_buf_init(&bytes);
    wire_encode(&bytes, &message);
    assert(wire_decode(q_buf_bytes(&bytes), bytes.size, &message));
    step(agent, &event);
    q_buf_fini(&bytes);
}

/* As far as the lists: everything configured has been said then. */
static void check_agent(struct agent_config *config)
{
    static const uint32_t members[] = {1, 2};
    struct agent *agent = agent_new();
    struct agent_event event = {.type = AGENT_EV_CONFIG, .u.config = config};
    struct agent_status status;

    assert(agent != NULL);
    conn = 0;
    if (config->tls == AGENT_TLS_REQUIRED)
        config->tls = AGENT_TLS_ON;
    step(agent, &event);
    event = (struct agent_event){.type = AGENT_EV_CORE_NODELIST, .u.nodelist = {{1, 4}, members, 2}};
    step(agent, &event);
    event = (struct agent_event){.type = AGENT_EV_RESOLVED, .u.resolved = {1, ""}};
    step(agent, &event);
    event = (struct agent_event){.type = AGENT_EV_CONNECTED};
    step(agent, &event);
    answer(agent, WIRE_PREINIT_REPLY); /* no TLS */
    answer(agent, WIRE_INIT_REPLY);
    agent_get_status(agent, &status);
    assert(status.link == AGENT_READY && agent_deadline_ms(agent) > 1000);
    agent_free(agent);
}

static void check(const struct keys *keys, const struct settings *settings)
{
    char err_text[DEVICE_CONFIG_ERR_SIZE];
    struct device_config config;
    struct device_limits limits;
    enum q_err err;

    settings_for_config(settings, &limits);
    memset(err_text, 0xff, sizeof(err_text));
    err = device_config_parse(keys, &limits, &config, err_text);
    assert(is_plain_text(err_text, sizeof(err_text)));
    if (err != Q_OK) {
        assert(err == Q_ERR_INVALID && err_text[0] != '\0');
        return;
    }
    assert(err_text[0] == '\0');
    check_config(&config, keys, &limits);
    check_agent(&config.agent);
    device_config_fini(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char none[] = "";
    static struct input input;
    char *text = malloc(size + 1);

    assert(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    memset(&input, 0, sizeof(input));
    keys_init(&input.keys);
    assert(add_settings(&input, none));
    if (read_input(&input, text))
        check(&input.keys, &input.settings);
    keys_fini(&input.keys);
    settings_fini(&input.settings);
    free(text);
    return 0;
}
