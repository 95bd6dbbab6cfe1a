/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files behind core_config.h share: one reading under way and the steps that it is made of, in the order of
 * spec/corosync-conf.md section 8. Nobody else includes it.
 */
#ifndef QUORATE_CORE_CONFIG_CONFIG_INTERNAL_H
#define QUORATE_CORE_CONFIG_CONFIG_INTERNAL_H

#include "core/config/core_config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct config_reading {
    struct core_config *config;
    const struct conf_map *map;
    const struct cmap_store *keys; /* the map's */
    struct conf_facts *facts;
    struct conf_report *report;
    bool is_reload;
    bool no_memory;
    bool link_is_too_high; /* a ringL_addr or interface beyond the last link */
    uint32_t highest_link;
    bool section_is_used[CORE_LINKS_MAX]; /* there are keys totem.interface.L. */
    bool ttl_is_set[CORE_LINKS_MAX];
};

/* Keeps a text for the config's life. NULL in, NULL out; NULL also without memory, which is noted. */
const char *config_keep(struct config_reading *r, const char *text);
/* The key's text, kept; NULL: not set. */
const char *config_text(struct config_reading *r, const char *key);
/* False, *number untouched: not set. */
bool config_number(const struct config_reading *r, const char *key, enum cmap_type type, uint64_t *number);

/* An error about a key; place and key are found in the map. key: NULL if it is about no one. */
void config_fail(struct config_reading *r, enum conf_stage stage, const char *key, const char *advice,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));
void config_warn(struct config_reading *r, const char *key, const char *advice, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * The first address of a name that ip_version allows. NULL: none, or not known yet (the facts then want it; *is_wanted
 * tells which).
 */
const struct conf_address *config_resolve(struct config_reading *r, const char *text, bool *is_wanted);

void config_read_logging(struct config_reading *r);
void config_read_nodes(struct config_reading *r);
void config_find_local_node(struct config_reading *r);
void config_read_local_addresses(struct config_reading *r);
void config_read_interfaces(struct config_reading *r);
void config_read_node_ids(struct config_reading *r);
void config_read_members(struct config_reading *r);
void config_set_link_defaults(struct config_reading *r);
void config_check(struct config_reading *r);

#endif
