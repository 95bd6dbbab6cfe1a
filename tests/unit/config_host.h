/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A made-up host for configurations under test: its name is n1, its addresses are 10.4.0.1, 10.5.0.1 and fd04::1. Numeric
 * addresses resolve to themselves, n1 to n9 to 10.4.0.1 to .9, users and groups are numbers below 1000 and root, key files
 * have as many bytes as the number at the end of their name says, and files below /missing are not there.
 */
#ifndef QUORATE_TESTS_UNIT_CONFIG_HOST_H
#define QUORATE_TESTS_UNIT_CONFIG_HOST_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config_reload.h"
#include "core/config/core_config.h"

static const char *const config_host_crypto[] = {"nss", "openssl", NULL};
static const char *const config_host_compression[] = {"zlib", "lz4", NULL};

static inline bool config_host_address(const char *text, struct conf_address *address)
{
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, address->bytes) == 1)
        address->family = 4;
    else if (inet_pton(AF_INET6, text, address->bytes) == 1)
        address->family = 6;
    else if (text[0] == 'n' && text[1] >= '1' && text[1] <= '9' && text[2] == '\0') {
        char number[16];
        snprintf(number, sizeof(number), "10.4.0.%c", text[1]);
        return config_host_address(number, address);
    }
    if (address->family != 0)
        inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, address->text,
                  sizeof(address->text));
    return address->family != 0;
}

/* With a first address of its own; NULL: 10.4.0.1. */
static inline void config_host_begin_at(struct conf_facts *facts, const char *own_address)
{
    const char *const locals[] = {own_address != NULL ? own_address : "10.4.0.1", "10.5.0.1", "fd04::1"};

    conf_facts_init(facts);
    facts->crypto_models = config_host_crypto;
    facts->compression_models = config_host_compression;
    conf_facts_set_node_name(facts, "n1");
    for (size_t i = 0; i < sizeof(locals) / sizeof(locals[0]); i++) {
        struct conf_address address;
        config_host_address(locals[i], &address);
        conf_facts_add_local(facts, &address);
    }
}

static inline void config_host_begin(struct conf_facts *facts)
{
    config_host_begin_at(facts, NULL);
}

static inline void config_host_answer(struct conf_facts *facts, struct conf_fact *fact)
{
    const char *text = conf_fact_text(fact);
    size_t digits = strlen(text);
    struct conf_address address;

    switch (fact->kind) {
    case CONF_FACT_ADDRESSES:
        conf_fact_set_addresses(facts, fact, &address, config_host_address(text, &address));
        return;
    case CONF_FACT_USER:
    case CONF_FACT_GROUP:
        if (strcmp(text, "root") == 0)
            conf_fact_set_number(facts, fact, 0);
        else if (text[0] != '\0' && strlen(text) < 4 && strspn(text, "0123456789") == strlen(text))
            conf_fact_set_number(facts, fact, strtoul(text, NULL, 10));
        else
            conf_fact_set_missing(facts, fact, 0, NULL);
        return;
    case CONF_FACT_HOST_NAME:
        conf_fact_set_missing(facts, fact, 0, NULL);
        return;
    case CONF_FACT_KEY_FILE:
        while (digits > 0 && text[digits - 1] >= '0' && text[digits - 1] <= '9')
            digits--;
        if (strncmp(text, "/missing", 8) == 0)
            conf_fact_set_missing(facts, fact, 2, "Could not open it");
        else
            conf_fact_set_number(facts, fact, strtoul(text + digits, NULL, 10));
        return;
    case CONF_FACT_LOG_FILE:
    case CONF_FACT_DIRECTORY:
        if (strncmp(text, "/missing", 8) == 0)
            conf_fact_set_missing(facts, fact, 2, "No such file or directory");
        else
            conf_fact_set_number(facts, fact, 0);
        return;
    }
}

struct config_host_loaded {
    struct conf_map map;
    struct core_config config;
    struct conf_report report;
    unsigned rounds; /* of asking the host */
};

static inline void config_host_loaded_init(struct config_host_loaded *loaded)
{
    conf_map_init(&loaded->map);
    core_config_init(&loaded->config);
    conf_report_init(&loaded->report);
}

static inline void config_host_loaded_fini(struct config_host_loaded *loaded)
{
    conf_map_fini(&loaded->map);
    core_config_fini(&loaded->config);
    conf_report_fini(&loaded->report);
}

/* As the loader does it; live: keys of a running daemon, for a reload, or NULL. own_address: as above. */
static inline enum q_err config_host_load_at(struct config_host_loaded *loaded, const char *own_address, const void *text,
                                             size_t size, const struct cmap_store *live)
{
    struct conf_facts facts;
    enum q_err err;

    config_host_begin_at(&facts, own_address);
    config_host_loaded_init(loaded);
    loaded->rounds = 0;
    for (;;) {
        struct conf_fact *fact;
        err = conf_map_read(&loaded->map, "/etc/conf", text, size, false, &facts, &loaded->report);
        if (err == Q_OK && live != NULL)
            err = config_reload_keep_fixed(&loaded->map, live, &loaded->report);
        if (err == Q_OK)
            err = live == NULL
                      ? core_config_read(&loaded->config, &loaded->map, &facts, &loaded->report)
                      : core_config_read_again(&loaded->config, &loaded->map, &facts, &loaded->report);
        if (err != Q_ERR_AGAIN)
            break;
        while ((fact = conf_facts_wanted(&facts)) != NULL)
            config_host_answer(&facts, fact);
        loaded->rounds++;
        config_host_loaded_fini(loaded);
        config_host_loaded_init(loaded);
    }
    conf_facts_fini(&facts);
    return err;
}

static inline enum q_err config_host_load(struct config_host_loaded *loaded, const void *text, size_t size,
                                          const struct cmap_store *live)
{
    return config_host_load_at(loaded, NULL, text, size, live);
}

#endif
