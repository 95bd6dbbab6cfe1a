/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config/core_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config_internal.h"

#define KEY_FILE_DEFAULT Q_CONFDIR "/authkey"
#define STATE_DIR_DEFAULT "/var/lib/corosync"
#define LINK_MODE_LENGTH_MAX 63

void core_config_init(struct core_config *config)
{
    memset(config, 0, sizeof(*config));
    config->local_index = SIZE_MAX;
}

void core_config_fini(struct core_config *config)
{
    for (size_t i = 0; i < config->text_count; i++)
        free(config->texts[i]);
    free(config->texts);
    free(config->nodes);
    free(config->logging.targets);
    core_config_init(config);
}

const char *core_transport_name(enum core_transport transport)
{
    static const char *const names[] = {"knet", "udpu", "udp"};

    return names[transport];
}

/* ---- what the steps use ---- */

const char *config_keep(struct config_reading *r, const char *text)
{
    struct core_config *config = r->config;
    char *copy;

    if (text == NULL)
        return NULL;
    if (config->text_count == config->text_capacity) {
        size_t capacity = config->text_capacity == 0 ? 32 : config->text_capacity * 2;
        char **larger = reallocarray(config->texts, capacity, sizeof(char *));
        if (larger == NULL) {
            r->no_memory = true;
            return NULL;
        }
        config->texts = larger;
        config->text_capacity = capacity;
    }
    copy = strdup(text);
    if (copy == NULL) {
        r->no_memory = true;
        return NULL;
    }
    config->texts[config->text_count++] = copy;
    return copy;
}

const char *config_text(struct config_reading *r, const char *key)
{
    return config_keep(r, cmap_store_text(r->keys, key));
}

bool config_number(const struct config_reading *r, const char *key, enum cmap_type type, uint64_t *number)
{
    return cmap_store_number(r->keys, key, type, number);
}

static void add_finding(struct config_reading *r, enum conf_severity severity, enum conf_stage stage,
                        const char *key, const char *advice, const char *format, va_list arguments)
{
    struct conf_place place = key == NULL ? (struct conf_place){.file = NULL} : conf_map_place(r->map, key);
    char text[CONF_FINDING_TEXT_SIZE];

    vsnprintf(text, sizeof(text), format, arguments);
    conf_report_add(r->report, severity, stage, place, advice, "%s", text);
}

void config_fail(struct config_reading *r, enum conf_stage stage, const char *key, const char *advice,
                 const char *format, ...)
{
    va_list arguments;

    bool is_minor = r->is_reload && stage == CONF_STAGE_LOGGING;

    if (stage == CONF_STAGE_LOGGING)
        r->config->logging_is_valid = false;
    va_start(arguments, format);
    add_finding(r, is_minor ? CONF_WARNING : CONF_ERROR, stage, key, advice, format, arguments);
    va_end(arguments);
}

void config_warn(struct config_reading *r, const char *key, const char *advice, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_finding(r, CONF_WARNING, CONF_STAGE_READ, key, advice, format, arguments);
    va_end(arguments);
}

const struct conf_address *config_resolve(struct config_reading *r, const char *text, bool *is_wanted)
{
    const struct conf_fact *fact = conf_facts_ask(r->facts, CONF_FACT_ADDRESSES, text);
    enum core_ip_version version = r->config->ip_version;
    int first = version == CORE_IPV4 || version == CORE_IPV4_6 ? 4 : 6;
    int second = version == CORE_IPV4_6 ? 6 : version == CORE_IPV6_4 ? 4 : 0;
    const int families[] = {first, second};

    *is_wanted = fact == NULL;
    if (fact == NULL)
        return NULL;
    for (size_t f = 0; f < COUNT(families); f++)
        for (size_t i = 0; i < fact->address_count; i++)
            if (fact->addresses[i].family == families[f])
                return &fact->addresses[i];
    return NULL;
}

/* ---- totem: transport, crypto, words ---- */

static bool is_word(const char *text, const char *word)
{
    return text != NULL && strcmp(text, word) == 0;
}

static bool read_transport(struct config_reading *r)
{
    const char *text = cmap_store_text(r->keys, "totem.transport");

    if (text == NULL || strcmp(text, "knet") == 0)
        r->config->transport = CORE_TRANSPORT_KNET;
    else if (strcmp(text, "udpu") == 0)
        r->config->transport = CORE_TRANSPORT_UDPU;
    else if (strcmp(text, "udp") == 0)
        r->config->transport = CORE_TRANSPORT_UDP;
    else
        config_fail(r, CONF_STAGE_READ, "totem.transport", NULL,
                    "Invalid transport type. Should be udpu, udp or knet");
    return r->report->error_count == 0;
}

/* Length and presence of the key's bytes; the bytes themselves are the shell's to read. */
static void check_key_file(struct config_reading *r, const char *key)
{
    const char *path = r->config->key_file;
    const struct conf_fact *fact;

    if (path == NULL)
        return;
    fact = conf_facts_ask(r->facts, CONF_FACT_KEY_FILE, path);
    if (fact == NULL)
        return;
    if (!fact->found)
        config_fail(r, CONF_STAGE_READ, key,
                    "the same key file belongs on every node: corosync-keygen makes one", "%s",
                    fact->error_text == NULL ? "Could not read the key file" : fact->error_text);
    else if (fact->number < CORE_KEY_SIZE_MIN)
        config_fail(r, CONF_STAGE_READ, key, "a key has 128 to 4096 bytes: corosync-keygen makes one",
                    "Could only read %u bits of minimum %u bits from %s.", (unsigned)fact->number * 8,
                    CORE_KEY_SIZE_MIN * 8, path);
}

static void read_key(struct config_reading *r)
{
    struct core_config *config = r->config;
    const char *key_file = config_text(r, "totem.keyfile");
    const char *key_text = config_text(r, "totem.key");
    size_t size;

    if (key_file != NULL || key_text == NULL) {
        config->key_file = key_file != NULL ? key_file : config_keep(r, KEY_FILE_DEFAULT);
        check_key_file(r, key_file != NULL ? "totem.keyfile" : NULL);
        return;
    }
    config->key_text = key_text;
    size = strlen(key_text) + 1; /* the packaged daemon counts the terminator */
    if (size < CORE_KEY_SIZE_MIN)
        config_fail(r, CONF_STAGE_READ, "totem.key", "it has 127 characters or more", "key is too short");
    else if (size > CORE_KEY_SIZE_MAX)
        config_fail(r, CONF_STAGE_READ, "totem.key", "it has 4095 characters at most", "key is too long");
}

static void read_crypto(struct config_reading *r)
{
    struct core_config *config = r->config;
    bool secauth = is_word(cmap_store_text(r->keys, "totem.secauth"), "on");
    const char *model = config_text(r, "totem.crypto_model");
    const char *cipher = config_text(r, "totem.crypto_cipher");
    const char *hash = config_text(r, "totem.crypto_hash");

    config->crypto_model = model != NULL ? model : "nss";
    config->crypto_cipher = cipher != NULL ? cipher : secauth ? "aes256" : "none";
    config->crypto_hash = hash != NULL ? hash : secauth ? "sha256" : "none";
    if (strcmp(config->crypto_hash, "none") != 0)
        read_key(r);
    else if (strcmp(config->crypto_cipher, "none") != 0)
        config_fail(r, CONF_STAGE_READ, cipher != NULL ? "totem.crypto_cipher" : "totem.secauth",
                    "set crypto_hash too, for example to sha256",
                    "crypto_cipher requires crypto_hash with value other than none");
}

/* The word itself is looked at later: it is the order of the packaged daemon. */
static void read_link_mode(struct config_reading *r)
{
    const char *mode = cmap_store_text(r->keys, "totem.link_mode");

    if (mode != NULL && strlen(mode) > LINK_MODE_LENGTH_MAX)
        config_fail(r, CONF_STAGE_READ, "totem.link_mode", "it is active, passive or rr",
                    "totem.link_mode is too long");
    r->config->link_mode = is_word(mode, "active") ? CORE_LINK_ACTIVE
                           : is_word(mode, "rr")   ? CORE_LINK_RR
                                                   : CORE_LINK_PASSIVE;
}

static void read_ip_version(struct config_reading *r)
{
    const char *text = cmap_store_text(r->keys, "totem.ip_version");

    if (text == NULL)
        r->config->ip_version = r->config->transport == CORE_TRANSPORT_UDP ? CORE_IPV4 : CORE_IPV6_4;
    else
        r->config->ip_version = strcmp(text, "ipv4") == 0     ? CORE_IPV4
                                : strcmp(text, "ipv6") == 0   ? CORE_IPV6
                                : strcmp(text, "ipv4-6") == 0 ? CORE_IPV4_6
                                                              : CORE_IPV6_4;
}

/*
 * The nodes that token_coefficient counts. The packaged daemon counts one twice if its section has an address and nothing
 * else, so that its id is generated; all nodes of a ring must have the same timeouts, ours with the others.
 */
static size_t count_for_token(const struct core_config *config)
{
    size_t count = config->links[0].member_count;

    for (size_t i = 0; i < config->node_count; i++)
        count += config->nodes[i].id_is_generated && config->nodes[i].key_count == 1;
    return count;
}

static void read_rest_of_totem(struct config_reading *r)
{
    struct core_config *config = r->config;
    uint64_t number;

    config->cluster_name = config_text(r, "totem.cluster_name");
    config_number(r, "totem.config_version", CMAP_U64, &config->config_version);
    config->netmtu = config->transport == CORE_TRANSPORT_KNET ? 65536 : 1500;
    if (config_number(r, "totem.netmtu", CMAP_U32, &number) && number != 0)
        config->netmtu = (uint32_t)number;
    config->token_node_count = count_for_token(config);
    totem_config_read(&config->totem, r->keys, config->token_node_count);
}

/* ---- quorum ---- */

static uint32_t number_or(struct config_reading *r, const char *key, uint32_t otherwise)
{
    uint64_t number;

    return config_number(r, key, CMAP_U32, &number) ? (uint32_t)number : otherwise;
}

static bool flag(struct config_reading *r, const char *key)
{
    uint64_t number;

    return config_number(r, key, CMAP_U8, &number) && number != 0;
}

static void read_quorum(struct config_reading *r)
{
    struct core_quorum *quorum = &r->config->quorum;
    struct core_quorum_device *device = &quorum->device;
    uint64_t number;

    quorum->provider = config_text(r, "quorum.provider");
    quorum->expected_votes = number_or(r, "quorum.expected_votes", 0);
    quorum->expected_votes_are_set = quorum->expected_votes != 0;
    quorum->votes = number_or(r, "quorum.votes", 1);
    quorum->two_node = flag(r, "quorum.two_node");
    quorum->wait_for_all_is_set = config_number(r, "quorum.wait_for_all", CMAP_U8, &number);
    quorum->wait_for_all = quorum->wait_for_all_is_set ? number != 0 : quorum->two_node;
    quorum->last_man_standing = flag(r, "quorum.last_man_standing");
    quorum->last_man_standing_window_ms = number_or(r, "quorum.last_man_standing_window", 10000);
    quorum->auto_tie_breaker = flag(r, "quorum.auto_tie_breaker");
    quorum->auto_tie_breaker_node = config_text(r, "quorum.auto_tie_breaker_node");
    quorum->allow_downscale = flag(r, "quorum.allow_downscale");
    quorum->expected_votes_tracking = quorum->allow_downscale || flag(r, "quorum.expected_votes_tracking");
    device->model = config_text(r, "quorum.device.model");
    device->is_configured = device->model != NULL && device->model[0] != '\0';
    device->votes_are_set = config_number(r, "quorum.device.votes", CMAP_U32, &number);
    device->votes = device->votes_are_set ? (uint32_t)number : 0;
    device->timeout_ms = number_or(r, "quorum.device.timeout", 10000);
    device->sync_timeout_ms = number_or(r, "quorum.device.sync_timeout", 30000);
}

/* ---- system ---- */

static void read_system(struct config_reading *r)
{
    struct core_system *system = &r->config->system;
    const char *ipc = cmap_store_text(r->keys, "system.qb_ipc_type");
    const char *cgroup = cmap_store_text(r->keys, "system.move_to_root_cgroup");
    const char *state_dir = config_text(r, "system.state_dir");

    system->ipc_type = is_word(ipc, "shm")      ? CORE_IPC_SHM
                       : is_word(ipc, "socket") ? CORE_IPC_SOCKET
                                                : CORE_IPC_NATIVE;
    system->sched_rr = !is_word(cmap_store_text(r->keys, "system.sched_rr"), "no");
    system->allow_knet_handle_fallback =
        is_word(cmap_store_text(r->keys, "system.allow_knet_handle_fallback"), "yes");
    system->priority = config_text(r, "system.priority");
    system->move_to_root_cgroup = is_word(cgroup, "yes")  ? CORE_CGROUP_YES
                                  : is_word(cgroup, "no") ? CORE_CGROUP_NO
                                                          : CORE_CGROUP_AUTO;
    system->state_dir = state_dir != NULL ? state_dir : STATE_DIR_DEFAULT;
}

static void check_state_dir(struct config_reading *r)
{
    const struct conf_fact *fact = conf_facts_ask(r->facts, CONF_FACT_DIRECTORY, r->config->system.state_dir);

    if (fact != NULL && !fact->found)
        config_fail(r, CONF_STAGE_STATE, "system.state_dir", "make the directory, or name one that exists",
                    "Cannot chdir to state directory %s. %s", r->config->system.state_dir,
                    fact->error_text == NULL ? "" : fact->error_text);
}

/* ---- all of it ---- */

/* Each step relies on what those before it found; the first errors are those that the packaged daemon would report. */
static void read_all(struct config_reading *r)
{
    read_system(r);
    read_quorum(r);
    config_read_logging(r);
    if (!r->is_reload)
        check_state_dir(r);
    if (r->report->error_count > 0 || !read_transport(r))
        return;
    read_crypto(r);
    read_link_mode(r);
    read_ip_version(r);
    config_read_nodes(r);
    config_find_local_node(r);
    config_read_local_addresses(r);
    config_read_interfaces(r);
    config_read_node_ids(r);
    config_read_members(r);
    read_rest_of_totem(r);
    config_set_link_defaults(r);
    if (r->report->error_count == 0 && r->facts->wanted_count == 0)
        config_check(r);
}

static enum q_err read_with(struct config_reading *r)
{
    if (r->report->error_count > 0)
        return Q_ERR_INVALID;
    read_all(r);
    if (r->no_memory || r->facts->no_memory || r->report->no_memory)
        return Q_ERR_NO_MEMORY;
    if (r->facts->wanted_count > 0)
        return Q_ERR_AGAIN;
    return r->report->error_count > 0 ? Q_ERR_INVALID : Q_OK;
}

enum q_err core_config_read(struct core_config *config, const struct conf_map *map, struct conf_facts *facts,
                            struct conf_report *report)
{
    struct config_reading r = {
        .config = config, .map = map, .keys = &map->keys, .facts = facts, .report = report};

    return read_with(&r);
}

enum q_err core_config_read_again(struct core_config *config, const struct conf_map *map,
                                  struct conf_facts *facts, struct conf_report *report)
{
    struct config_reading r = {.config = config,
                               .map = map,
                               .keys = &map->keys,
                               .facts = facts,
                               .report = report,
                               .is_reload = true};

    return read_with(&r);
}

enum q_err core_config_read_logging(struct core_config *config, const struct cmap_store *keys,
                                    struct conf_report *report)
{
    struct conf_map nowhere; /* live keys stand in no file */
    struct conf_facts facts;
    struct config_reading r = {
        .config = config, .map = &nowhere, .keys = keys, .facts = &facts, .report = report, .is_reload = true};
    bool no_memory;

    conf_map_init(&nowhere);
    conf_facts_init(&facts);
    config_read_logging(&r);
    no_memory = r.no_memory || facts.no_memory || report->no_memory;
    conf_facts_fini(&facts);
    conf_map_fini(&nowhere);
    if (no_memory)
        return Q_ERR_NO_MEMORY;
    return config->logging_is_valid ? Q_OK : Q_ERR_INVALID;
}
