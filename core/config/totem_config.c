/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config/totem_config.h"

#include <stdio.h>
#include <string.h>

#include "core/config/conf_map.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TOKEN_MS_DEFAULT 3000
#define TOKEN_COEFFICIENT_MS_DEFAULT 650
#define TIMEOUT_MS_MIN 30
#define HOLD_MS_MIN 14 /* what 30 ms of token_retransmit give */

/* 0: not set. */
static uint32_t number_of(const struct cmap_store *keys, const char *name)
{
    uint64_t number;

    return cmap_store_number(keys, name, CMAP_U32, &number) ? (uint32_t)number : 0;
}

static uint32_t number_or(const struct cmap_store *keys, const char *name, uint32_t otherwise)
{
    uint32_t number = number_of(keys, name);

    return number != 0 ? number : otherwise;
}

/* Keys whose 0 is a value. */
static uint32_t number_if_set(const struct cmap_store *keys, const char *name, uint32_t otherwise)
{
    uint64_t number;

    return cmap_store_number(keys, name, CMAP_U32, &number) ? (uint32_t)number : otherwise;
}

static bool yes_or_no(const struct cmap_store *keys, const char *name, bool otherwise)
{
    const char *text = cmap_store_text(keys, name);

    if (text != NULL && strcmp(text, "yes") == 0)
        return true;
    if (text != NULL && strcmp(text, "no") == 0)
        return false;
    return otherwise;
}

/* What the packaged daemon's conversion gives: cut towards 0, and this one value if it does not fit. */
static uint32_t whole(double number)
{
    if (number >= 2147483648.0 || number <= -2147483649.0)
        return 0x80000000u;
    return (uint32_t)(int32_t)number;
}

static uint32_t effective_token(const struct cmap_store *keys, size_t node_count)
{
    uint32_t token = number_or(keys, "totem.token", TOKEN_MS_DEFAULT);
    uint32_t coefficient = number_if_set(keys, "totem.token_coefficient", TOKEN_COEFFICIENT_MS_DEFAULT);

    return node_count > 2 ? token + (uint32_t)(node_count - 2) * coefficient : token;
}

static void read_compression(struct totem_config *settings, const struct cmap_store *keys)
{
    const char *model = cmap_store_text(keys, "totem.knet_compression_model");
    uint64_t level;

    snprintf(settings->knet_compression_model, sizeof(settings->knet_compression_model), "%s",
             model == NULL ? "none" : model);
    settings->knet_compression_threshold = number_of(keys, "totem.knet_compression_threshold");
    settings->knet_compression_level =
        cmap_store_number(keys, "totem.knet_compression_level", CMAP_I32, &level) ? (int32_t)level : 0;
}

void totem_config_read(struct totem_config *settings, const struct cmap_store *keys, size_t node_count)
{
    struct totem_config s = {0};
    uint32_t derived;

    s.token_ms = effective_token(keys, node_count);
    s.token_warning_percent = number_if_set(keys, "totem.token_warning", 75);
    s.token_retransmits_before_loss_const = number_or(keys, "totem.token_retransmits_before_loss_const", 4);
    derived = whole((double)s.token_ms / ((double)s.token_retransmits_before_loss_const + 0.2));
    s.token_retransmit_ms = number_or(keys, "totem.token_retransmit", derived);
    s.hold_ms = number_or(keys, "totem.hold", whole((double)s.token_retransmit_ms * 0.8 - 10));
    s.join_ms = number_or(keys, "totem.join", 50);
    s.send_join_ms = number_of(keys, "totem.send_join");
    s.consensus_ms = number_or(keys, "totem.consensus", whole(1.2 * (double)s.token_ms));
    s.merge_ms = number_or(keys, "totem.merge", 200);
    s.downcheck_ms = number_or(keys, "totem.downcheck", 1000);
    s.max_network_delay_ms = number_or(keys, "totem.max_network_delay", 50);
    s.fail_recv_const = number_or(keys, "totem.fail_recv_const", 2500);
    s.seqno_unchanged_const = number_or(keys, "totem.seqno_unchanged_const", 30);
    s.miss_count_const = number_or(keys, "totem.miss_count_const", 5);
    s.window_size = number_or(keys, "totem.window_size", 50);
    s.max_messages = number_or(keys, "totem.max_messages", 17);
    s.heartbeat_failures_allowed = number_of(keys, "totem.heartbeat_failures_allowed");
    s.cancel_token_hold_on_retransmit = yes_or_no(keys, "totem.cancel_token_hold_on_retransmit", false);
    s.block_unlisted_ips = yes_or_no(keys, "totem.block_unlisted_ips", true);
    s.knet_pmtud_interval_s = number_or(keys, "totem.knet_pmtud_interval", 30);
    s.knet_mtu = number_of(keys, "totem.knet_mtu");
    read_compression(&s, keys);
    *settings = s;
}

/* ---- checks ---- */

struct checking {
    const struct conf_map *map;
    struct conf_report *report;
};

static struct conf_place place_of(const struct checking *c, const char *key)
{
    return c->map == NULL ? (struct conf_place){.key = key} : conf_map_place(c->map, key);
}

static void check_minimum(const struct checking *c, const char *what, const char *key, uint32_t value_ms,
                          uint32_t minimum_ms)
{
    char advice[96];

    if (value_ms >= minimum_ms)
        return;
    snprintf(advice, sizeof(advice), "set it to %u or more, or leave it out", minimum_ms);
    conf_report_add(c->report, CONF_ERROR, CONF_STAGE_CHECK, place_of(c, key), advice,
                    "The %s parameter (%d ms) may not be less than (%u ms).", what, (int)value_ms,
                    minimum_ms);
}

/* token_retransmit as given or as derived. */
static void check_retransmit(const struct checking *c, const struct totem_config *s,
                             const struct cmap_store *keys)
{
    if (number_of(keys, "totem.token_retransmit") != 0)
        check_minimum(c, "token retransmit timeout", "totem.token_retransmit", s->token_retransmit_ms,
                      TIMEOUT_MS_MIN);
    else if (s->token_ms >= TIMEOUT_MS_MIN && s->token_retransmit_ms < TIMEOUT_MS_MIN)
        conf_report_add(c->report, CONF_ERROR, CONF_STAGE_CHECK, place_of(c, "totem.token"),
                        "token / (token_retransmits_before_loss_const + 0.2) must be 30 ms or more: "
                        "raise the first or lower the second",
                        "Not appropriate token or token_retransmits_before_loss_const value set");
}

static void check_consensus(const struct checking *c, const struct totem_config *s,
                            const struct cmap_store *keys)
{
    /* what follows from a wrong token has been said */
    if (s->token_ms < TIMEOUT_MS_MIN && number_of(keys, "totem.consensus") == 0)
        return;
    check_minimum(c, "consensus timeout", "totem.consensus", s->consensus_ms, TIMEOUT_MS_MIN);
    if (s->consensus_ms >= TIMEOUT_MS_MIN && s->join_ms >= TIMEOUT_MS_MIN && s->consensus_ms < s->join_ms)
        conf_report_add(c->report, CONF_ERROR, CONF_STAGE_CHECK, place_of(c, "totem.consensus"),
                        "consensus (1.2 times token if it is not set) must not be less than join",
                        "The consensus timeout parameter (%d ms) may not be less than join timeout (%d ms).",
                        (int)s->consensus_ms, (int)s->join_ms);
}

void totem_config_check(const struct totem_config *s, const struct cmap_store *keys,
                        const struct conf_map *map, struct conf_report *report)
{
    const struct checking c = {map, report};

    if (s->max_network_delay_ms < TIMEOUT_MS_MIN)
        conf_report_add(report, CONF_ERROR, CONF_STAGE_CHECK, place_of(&c, "totem.max_network_delay"),
                        "set it to 30 or more, or leave it out",
                        "The max_network_delay parameter (%d ms) may not be less than (%d ms).",
                        (int)s->max_network_delay_ms, TIMEOUT_MS_MIN);
    check_minimum(&c, "token timeout", "totem.token", s->token_ms, TIMEOUT_MS_MIN);
    if (s->token_warning_percent > 100)
        conf_report_add(report, CONF_ERROR, CONF_STAGE_CHECK, place_of(&c, "totem.token_warning"),
                        "it is a percentage of the token timeout",
                        "The token warning parameter (%d%%) must be between 0 (disabled) and 100.",
                        (int)s->token_warning_percent);
    check_retransmit(&c, s, keys);
    if (s->token_ms >= TIMEOUT_MS_MIN && s->token_retransmit_ms >= TIMEOUT_MS_MIN)
        check_minimum(&c, "token hold timeout", "totem.hold", s->hold_ms, HOLD_MS_MIN);
    check_minimum(&c, "join timeout", "totem.join", s->join_ms, TIMEOUT_MS_MIN);
    check_consensus(&c, s, keys);
    check_minimum(&c, "merge timeout", "totem.merge", s->merge_ms, TIMEOUT_MS_MIN);
    check_minimum(&c, "downcheck timeout", "totem.downcheck", s->downcheck_ms, TIMEOUT_MS_MIN);
}

enum q_err totem_config_update(struct totem_config *settings, const struct cmap_store *keys,
                               size_t node_count, struct conf_report *report)
{
    struct totem_config next;
    size_t error_count = report->error_count;

    totem_config_read(&next, keys, node_count);
    totem_config_check(&next, keys, NULL, report);
    if (report->no_memory)
        return Q_ERR_NO_MEMORY;
    if (report->error_count > error_count)
        return Q_ERR_INVALID;
    *settings = next;
    return Q_OK;
}

/* ---- what is in effect ---- */

#define MEMBER(name, member)                                                                                 \
    {                                                                                                        \
        name, offsetof(struct totem_config, member)                                                          \
    }

struct member {
    const char *name; /* of runtime.config.totem. */
    size_t offset;
};

static const struct member numbers[] = {
    MEMBER("consensus", consensus_ms),
    MEMBER("downcheck", downcheck_ms),
    MEMBER("fail_recv_const", fail_recv_const),
    MEMBER("heartbeat_failures_allowed", heartbeat_failures_allowed),
    MEMBER("hold", hold_ms),
    MEMBER("join", join_ms),
    MEMBER("knet_compression_threshold", knet_compression_threshold),
    MEMBER("knet_mtu", knet_mtu),
    MEMBER("knet_pmtud_interval", knet_pmtud_interval_s),
    MEMBER("max_messages", max_messages),
    MEMBER("max_network_delay", max_network_delay_ms),
    MEMBER("merge", merge_ms),
    MEMBER("miss_count_const", miss_count_const),
    MEMBER("send_join", send_join_ms),
    MEMBER("seqno_unchanged_const", seqno_unchanged_const),
    MEMBER("token", token_ms),
    MEMBER("token_retransmit", token_retransmit_ms),
    MEMBER("token_retransmits_before_loss_const", token_retransmits_before_loss_const),
    MEMBER("token_warning", token_warning_percent),
    MEMBER("window_size", window_size),
};

static const struct member flags[] = {
    MEMBER("block_unlisted_ips", block_unlisted_ips),
    MEMBER("cancel_token_hold_on_retransmit", cancel_token_hold_on_retransmit),
};

static uint32_t member_number(const struct totem_config *s, const struct member *member)
{
    return *(const uint32_t *)(const void *)((const char *)s + member->offset);
}

static bool member_flag(const struct totem_config *s, const struct member *member)
{
    return *(const bool *)((const char *)s + member->offset);
}

bool totem_config_equal(const struct totem_config *a, const struct totem_config *b)
{
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (member_number(a, &numbers[i]) != member_number(b, &numbers[i]))
            return false;
    for (size_t i = 0; i < COUNT(flags); i++)
        if (member_flag(a, &flags[i]) != member_flag(b, &flags[i]))
            return false;
    return a->knet_compression_level == b->knet_compression_level &&
           strcmp(a->knet_compression_model, b->knet_compression_model) == 0;
}

static enum cs_error set_number(struct cmap_store *keys, const char *key, enum cmap_type type,
                                uint64_t number, struct cmap_changes *changes)
{
    char name[CMAP_NAME_MAX + 1];

    snprintf(name, sizeof(name), "runtime.config.totem.%s", key);
    return cmap_store_set_number(keys, name, type, number, changes);
}

enum cs_error totem_config_publish(const struct totem_config *s, struct cmap_store *keys,
                                   struct cmap_changes *changes)
{
    enum cs_error error = CS_ERROR_OK;

    for (size_t i = 0; i < COUNT(numbers) && error == CS_ERROR_OK; i++)
        error = set_number(keys, numbers[i].name, CMAP_U32, member_number(s, &numbers[i]), changes);
    for (size_t i = 0; i < COUNT(flags) && error == CS_ERROR_OK; i++)
        error = set_number(keys, flags[i].name, CMAP_U32, member_flag(s, &flags[i]), changes);
    if (error == CS_ERROR_OK)
        error = set_number(keys, "knet_compression_level", CMAP_I32,
                           (uint64_t)(int64_t)s->knet_compression_level, changes);
    if (error == CS_ERROR_OK)
        error = cmap_store_set_text(keys, "runtime.config.totem.knet_compression_model",
                                    s->knet_compression_model, changes);
    return error;
}
