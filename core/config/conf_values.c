/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config/conf_values.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- sections ---- */

enum conf_section conf_section_inside(enum conf_section outer, const char *name)
{
    static const struct {
        enum conf_section outer;
        const char *name;
        enum conf_section section;
    } sections[] = {
        {CONF_TOP, "totem", CONF_TOTEM},
        {CONF_TOP, "nodelist", CONF_NODELIST},
        {CONF_TOP, "quorum", CONF_QUORUM},
        {CONF_TOP, "logging", CONF_LOGGING},
        {CONF_TOP, "uidgid", CONF_UIDGID},
        {CONF_TOP, "system", CONF_SYSTEM},
        {CONF_TOP, "resources", CONF_RESOURCES},
        {CONF_TOTEM, "interface", CONF_INTERFACE},
        {CONF_INTERFACE, "member", CONF_MEMBER},
        {CONF_NODELIST, "node", CONF_NODE},
        {CONF_QUORUM, "device", CONF_DEVICE},
        {CONF_LOGGING, "logger_subsys", CONF_LOGGER_SUBSYS},
        {CONF_LOGGING, "logging_daemon", CONF_LOGGING_DAEMON},
        {CONF_RESOURCES, "system", CONF_MONITORED},
        {CONF_RESOURCES, "process", CONF_MONITORED},
    };

    for (size_t i = 0; i < COUNT(sections); i++)
        if (sections[i].outer == outer && strcmp(sections[i].name, name) == 0)
            return sections[i].section;
    return outer == CONF_MONITORED ? CONF_MONITORED : CONF_PLAIN;
}

bool conf_section_may_nest(enum conf_section section)
{
    return section != CONF_MEMBER && section != CONF_NODE && section != CONF_LOGGER_SUBSYS &&
           section != CONF_LOGGING_DAEMON && section != CONF_UIDGID;
}

/* ---- types ---- */

enum cmap_type conf_value_type(enum conf_section section, const char *key)
{
    static const struct {
        enum conf_section section;
        enum cmap_type type;
        const char *key;
    } typed[] = {
        {CONF_TOTEM, CMAP_U32, "version"},
        {CONF_TOTEM, CMAP_U32, "nodeid"},
        {CONF_TOTEM, CMAP_U32, "threads"},
        {CONF_TOTEM, CMAP_U32, "token"},
        {CONF_TOTEM, CMAP_U32, "token_coefficient"},
        {CONF_TOTEM, CMAP_U32, "token_retransmit"},
        {CONF_TOTEM, CMAP_U32, "token_warning"},
        {CONF_TOTEM, CMAP_U32, "hold"},
        {CONF_TOTEM, CMAP_U32, "token_retransmits_before_loss_const"},
        {CONF_TOTEM, CMAP_U32, "join"},
        {CONF_TOTEM, CMAP_U32, "send_join"},
        {CONF_TOTEM, CMAP_U32, "consensus"},
        {CONF_TOTEM, CMAP_U32, "merge"},
        {CONF_TOTEM, CMAP_U32, "downcheck"},
        {CONF_TOTEM, CMAP_U32, "fail_recv_const"},
        {CONF_TOTEM, CMAP_U32, "seqno_unchanged_const"},
        {CONF_TOTEM, CMAP_U32, "heartbeat_failures_allowed"},
        {CONF_TOTEM, CMAP_U32, "max_network_delay"},
        {CONF_TOTEM, CMAP_U32, "window_size"},
        {CONF_TOTEM, CMAP_U32, "max_messages"},
        {CONF_TOTEM, CMAP_U32, "miss_count_const"},
        {CONF_TOTEM, CMAP_U32, "knet_pmtud_interval"},
        {CONF_TOTEM, CMAP_U32, "knet_mtu"},
        {CONF_TOTEM, CMAP_U32, "knet_compression_threshold"},
        {CONF_TOTEM, CMAP_U32, "netmtu"},
        {CONF_TOTEM, CMAP_U32, "rrp_token_expired_timeout"},
        {CONF_TOTEM, CMAP_U32, "rrp_problem_count_timeout"},
        {CONF_TOTEM, CMAP_U32, "rrp_problem_count_threshold"},
        {CONF_TOTEM, CMAP_U32, "rrp_problem_count_mcast_threshold"},
        {CONF_TOTEM, CMAP_U32, "rrp_autorecovery_check_timeout"},
        {CONF_TOTEM, CMAP_I32, "knet_compression_level"},
        {CONF_TOTEM, CMAP_U64, "config_version"},
        {CONF_INTERFACE, CMAP_U8, "linknumber"},
        {CONF_INTERFACE, CMAP_U16, "mcastport"},
        {CONF_INTERFACE, CMAP_U8, "ttl"},
        {CONF_INTERFACE, CMAP_U8, "knet_link_priority"},
        {CONF_INTERFACE, CMAP_U32, "knet_ping_interval"},
        {CONF_INTERFACE, CMAP_U32, "knet_ping_timeout"},
        {CONF_INTERFACE, CMAP_U32, "knet_ping_precision"},
        {CONF_INTERFACE, CMAP_U32, "knet_pong_count"},
        {CONF_NODE, CMAP_U32, "nodeid"},
        {CONF_NODE, CMAP_U32, "quorum_votes"},
        {CONF_QUORUM, CMAP_U32, "expected_votes"},
        {CONF_QUORUM, CMAP_U32, "votes"},
        {CONF_QUORUM, CMAP_U32, "last_man_standing_window"},
        {CONF_QUORUM, CMAP_U32, "leaving_timeout"},
        {CONF_QUORUM, CMAP_U8, "two_node"},
        {CONF_QUORUM, CMAP_U8, "expected_votes_tracking"},
        {CONF_QUORUM, CMAP_U8, "allow_downscale"},
        {CONF_QUORUM, CMAP_U8, "wait_for_all"},
        {CONF_QUORUM, CMAP_U8, "auto_tie_breaker"},
        {CONF_QUORUM, CMAP_U8, "last_man_standing"},
        {CONF_DEVICE, CMAP_U32, "timeout"},
        {CONF_DEVICE, CMAP_U32, "sync_timeout"},
        {CONF_DEVICE, CMAP_U32, "votes"},
        {CONF_DEVICE, CMAP_U8, "master_wins"},
        {CONF_RESOURCES, CMAP_U32, "watchdog_timeout"},
        {CONF_MONITORED, CMAP_U64, "poll_period"},
    };

    for (size_t i = 0; i < COUNT(typed); i++)
        if (typed[i].section == section && strcmp(typed[i].key, key) == 0)
            return typed[i].type;
    return CMAP_TEXT;
}

bool conf_interface_key_is_known(const char *key)
{
    static const char *const texts[] = {"bindnetaddr", "broadcast", "knet_transport", "mcastaddr"};

    for (size_t i = 0; i < COUNT(texts); i++)
        if (strcmp(texts[i], key) == 0)
            return true;
    return conf_value_type(CONF_INTERFACE, key) != CMAP_TEXT;
}

/* ---- integers ---- */

struct range {
    int64_t minimum;
    uint64_t maximum;
};

static struct range range_of(enum cmap_type type)
{
    size_t bits = cmap_type_size(type) * 8;
    uint64_t all = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    bool has_sign = type == CMAP_I8 || type == CMAP_I16 || type == CMAP_I32 || type == CMAP_I64;

    assert(cmap_type_is_integer(type));
    return has_sign ? (struct range){-(int64_t)(all / 2) - 1, all / 2} : (struct range){0, all};
}

bool conf_parse_integer(const char *text, enum cmap_type type, uint64_t *number)
{
    struct range range = range_of(type);
    bool is_negative;
    uint64_t magnitude = 0;

    text += strspn(text, " \t\v\f\r\n");
    is_negative = *text == '-';
    text += *text == '-' || *text == '+';
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(unsigned char)*text - '0';
        if (digit > 9 || magnitude > (UINT64_MAX - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    if (magnitude > (is_negative ? 0 - (uint64_t)range.minimum : range.maximum))
        return false;
    *number = is_negative ? 0 - magnitude : magnitude;
    return true;
}

void conf_integer_range(enum cmap_type type, char *text, size_t size)
{
    struct range range = range_of(type);

    snprintf(text, size, "%" PRId64 "..%" PRIu64, range.minimum, range.maximum);
}

/* ---- words ---- */

static const char *const ip_versions[] = {"ipv4", "ipv6", "ipv4-6", "ipv6-4", NULL};
static const char *const ciphers[] = {"none", "aes256", "aes192", "aes128", NULL};
static const char *const hashes[] = {"none", "md5", "sha1", "sha256", "sha384", "sha512", NULL};
static const char *const ipc_types[] = {"native", "shm", "socket", NULL};
static const char *const yes_no[] = {"yes", "no", NULL};
static const char *const yes_no_auto[] = {"yes", "no", "auto", NULL};

static bool is_one_of(const char *value, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(value, *words) == 0)
            return true;
    return false;
}

/* "Should be a, b or c" */
static void list_words(const char *const *words, char *text, size_t size)
{
    size_t length = strlen(text);

    for (size_t i = 0; words[i] != NULL && length < size; i++) {
        const char *glue = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        length += (size_t)snprintf(text + length, size - length, "%s%s", glue, words[i]);
    }
}

bool conf_word_is_wrong(enum conf_section section, const char *key, const char *value,
                        const struct conf_facts *facts, char *text, size_t size)
{
    const struct {
        enum conf_section section;
        const char *key;
        const char *const *words;
        const char *sentence;
        bool is_list; /* the words follow the sentence */
    } rules[] = {
        {CONF_TOTEM, "ip_version", ip_versions, "Invalid ip_version type", false},
        {CONF_TOTEM, "crypto_model", facts->crypto_models, "Invalid crypto model. Should be ", true},
        {CONF_TOTEM, "crypto_cipher", ciphers, "Invalid cipher type. Should be ", true},
        {CONF_TOTEM, "crypto_hash", hashes, "Invalid hash type. Should be ", true},
        {CONF_TOTEM, "knet_compression_model", facts->compression_models,
         "Invalid compression model. Should be ", true},
        {CONF_SYSTEM, "qb_ipc_type", ipc_types, "Invalid system.qb_ipc_type", false},
        {CONF_SYSTEM, "sched_rr", yes_no, "Invalid system.sched_rr value", false},
        {CONF_SYSTEM, "move_to_root_cgroup", yes_no_auto, "Invalid system.move_to_root_cgroup", false},
        {CONF_SYSTEM, "allow_knet_handle_fallback", yes_no, "Invalid system.allow_knet_handle_fallback",
         false},
    };

    for (size_t i = 0; i < COUNT(rules); i++) {
        if (rules[i].section != section || strcmp(rules[i].key, key) != 0)
            continue;
        if (is_one_of(value, rules[i].words))
            return false;
        snprintf(text, size, "%s", rules[i].sentence);
        if (rules[i].is_list)
            list_words(rules[i].words, text, size);
        return true;
    }
    return false;
}
