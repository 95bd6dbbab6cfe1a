/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config_internal.h"

#define SUBSYSTEM_PREFIX "logging.logger_subsys."

struct word {
    const char *text;
    int number;
};

static const struct word switches[] = {{"yes", 1}, {"on", 1}, {"no", 0}, {"off", 0}};
static const struct word on_off[] = {{"on", 1}, {"off", 0}};
static const struct word debugs[] = {
    {"on", CORE_DEBUG_ON}, {"off", CORE_DEBUG_OFF}, {"trace", CORE_DEBUG_TRACE}};
static const struct word timestamps[] = {
    {"on", CORE_TIMESTAMP_ON}, {"off", CORE_TIMESTAMP_OFF}, {"hires", CORE_TIMESTAMP_HIRES}};
static const struct word facilities[] = {{"kern", 0},    {"user", 1},    {"mail", 2},      {"daemon", 3},
                                         {"auth", 4},    {"syslog", 5},  {"lpr", 6},       {"news", 7},
                                         {"uucp", 8},    {"cron", 9},    {"authpriv", 10}, {"ftp", 11},
                                         {"local0", 16}, {"local1", 17}, {"local2", 18},   {"local3", 19},
                                         {"local4", 20}, {"local5", 21}, {"local6", 22},   {"local7", 23}};
static const struct word priorities[] = {{"emerg", 0},  {"alert", 1}, {"crit", 2},
                                         {"err", 3},    {"error", 3}, {"warning", 4},
                                         {"notice", 5}, {"info", 6},  {"debug", 7}};

static bool same_word(const char *a, const char *b, bool any_case)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char c = any_case && *a >= 'A' && *a <= 'Z' ? (char)(*a - 'A' + 'a') : *a;
        if (c != *b)
            return false;
    }
    return *a == *b;
}

/* One key of a target; *number stays as it is if the key is not there. */
struct rule {
    const char *key;
    const struct word *words;
    size_t word_count;
    bool any_case;
    const char *sentence; /* NULL: "unknown value for KEY" */
};

static void read_word(struct config_reading *r, const char *prefix, const struct rule *rule, int *number)
{
    char name[CMAP_NAME_MAX + 1];
    char allowed[256] = "";
    const char *text;

    snprintf(name, sizeof(name), "%s%s", prefix, rule->key);
    text = cmap_store_text(r->keys, name);
    if (text == NULL)
        return;
    for (size_t i = 0; i < rule->word_count; i++) {
        size_t length = strlen(allowed);
        if (same_word(text, rule->words[i].text, rule->any_case)) {
            *number = rule->words[i].number;
            return;
        }
        snprintf(allowed + length, sizeof(allowed) - length, "%s%s", i == 0 ? "allowed are " : ", ",
                 rule->words[i].text);
    }
    if (rule->sentence != NULL)
        config_fail(r, CONF_STAGE_LOGGING, name, allowed, "%s.", rule->sentence);
    else
        config_fail(r, CONF_STAGE_LOGGING, name, allowed, "unknown value for %s.", rule->key);
}

#define RULE(key, words, any_case, sentence)                                                                 \
    &(const struct rule)                                                                                     \
    {                                                                                                        \
        key, words, COUNT(words), any_case, sentence                                                         \
    }

static void read_switch(struct config_reading *r, const char *prefix, const char *key, bool *value)
{
    int number = *value;

    read_word(r, prefix, RULE(key, switches, false, NULL), &number);
    *value = number;
}

static void read_log_file(struct config_reading *r, const char *prefix, struct core_log_target *target)
{
    char name[CMAP_NAME_MAX + 1];
    const struct conf_fact *fact;
    const char *path;

    snprintf(name, sizeof(name), "%slogfile", prefix);
    path = config_text(r, name);
    if (path == NULL)
        return;
    target->logfile = path;
    fact = conf_facts_ask(r->facts, CONF_FACT_LOG_FILE, path);
    if (fact != NULL && !fact->found)
        config_fail(r, CONF_STAGE_LOGGING, name, "name a file in a directory that exists",
                    "Can't open logfile '%s' for reason: %s (%d).", path,
                    fact->error_text == NULL ? "" : fact->error_text, fact->error_number);
}

static void warn_of_old_key(struct config_reading *r, const char *prefix, const char *key, const char *now)
{
    char name[CMAP_NAME_MAX + 1];

    snprintf(name, sizeof(name), "%s%s", prefix, key);
    if (cmap_store_text(r->keys, name) != NULL)
        config_warn(r, name, NULL, "%s is obsolete: use %s", name, now);
}

static void read_target(struct config_reading *r, const char *prefix, struct core_log_target *target)
{
    int debug = target->debug;

    warn_of_old_key(r, prefix, "to_file", "to_logfile");
    warn_of_old_key(r, prefix, "syslog_level", "syslog_priority");
    read_switch(r, prefix, "to_stderr", &target->to_stderr);
    read_switch(r, prefix, "to_syslog", &target->to_syslog);
    read_word(r, prefix, RULE("syslog_facility", facilities, false, "unknown syslog facility specified"),
              &target->syslog_facility);
    read_word(r, prefix, RULE("syslog_level", priorities, true, "unknown syslog level specified"),
              &target->syslog_priority);
    read_word(r, prefix, RULE("syslog_priority", priorities, true, "unknown syslog priority specified"),
              &target->syslog_priority);
    read_log_file(r, prefix, target);
    read_switch(r, prefix, "to_file", &target->to_logfile);
    read_switch(r, prefix, "to_logfile", &target->to_logfile);
    read_word(r, prefix, RULE("logfile_priority", priorities, true, "unknown logfile priority specified"),
              &target->logfile_priority);
    read_word(r, prefix, RULE("debug", debugs, false, NULL), &debug);
    target->debug = (enum core_debug)debug;
}

static void read_format(struct config_reading *r)
{
    struct core_logging *logging = &r->config->logging;
    int timestamp = CORE_TIMESTAMP_HIRES;
    int fileline = 0, function_name = 0, blackbox = 1;

    read_word(r, "logging.", RULE("fileline", on_off, false, NULL), &fileline);
    read_word(r, "logging.", RULE("function_name", on_off, false, NULL), &function_name);
    read_word(r, "logging.", RULE("timestamp", timestamps, false, NULL), &timestamp);
    read_word(r, "logging.", RULE("blackbox", on_off, false, NULL), &blackbox);
    logging->timestamp = (enum core_timestamp)timestamp;
    logging->fileline = fileline;
    logging->function_name = function_name;
    logging->blackbox = blackbox;
}

/* A target more, with the daemon's settings. NULL: no memory. */
static struct core_log_target *add_target(struct config_reading *r, const char *subsystem)
{
    struct core_logging *logging = &r->config->logging;
    struct core_log_target *larger =
        reallocarray(logging->targets, logging->target_count + 1, sizeof(*larger));

    if (larger == NULL) {
        r->no_memory = true;
        return NULL;
    }
    logging->targets = larger;
    larger[logging->target_count] = logging->target_count > 0
                                        ? larger[0]
                                        : (struct core_log_target){.to_stderr = true,
                                                                   .to_syslog = true,
                                                                   .syslog_facility = 3, /* daemon */
                                                                   .syslog_priority = 6, /* info */
                                                                   .logfile_priority = 6};
    larger[logging->target_count].subsystem = config_keep(r, subsystem);
    return &larger[logging->target_count++];
}

/* Each logger_subsys has a key .subsys, which repeats its name. */
static void read_subsystems(struct config_reading *r)
{
    struct cmap_value value;

    for (const char *name = cmap_store_next(r->keys, SUBSYSTEM_PREFIX, "", &value); name != NULL;
         name = cmap_store_next(r->keys, SUBSYSTEM_PREFIX, name, &value)) {
        const char *end = strrchr(name, '.');
        char prefix[CMAP_NAME_MAX + 1];
        struct core_log_target *target;
        if (value.type != CMAP_TEXT || strcmp(end, ".subsys") != 0)
            continue;
        target = add_target(r, value.bytes);
        if (target == NULL)
            return;
        snprintf(prefix, sizeof(prefix), "%.*s.", (int)(end - name), name);
        read_target(r, prefix, target);
    }
}

void config_read_logging(struct config_reading *r)
{
    struct core_log_target *target = add_target(r, NULL);

    if (target == NULL)
        return;
    r->config->logging_is_valid = true; /* until a fault is found */
    read_format(r);
    read_target(r, "logging.", target);
    read_subsystems(r);
}
