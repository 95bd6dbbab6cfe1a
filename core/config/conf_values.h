/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What kind of section a line stands in, and what its value must be there: the type of a number, or one of a few words
 * (spec/corosync-conf.md sections 3 to 7). Pure tables, read by conf_map.c. Values with a meaning that depends on other
 * keys are looked at later, by core_config.
 */
#ifndef QUORATE_CORE_CONFIG_CONF_VALUES_H
#define QUORATE_CORE_CONFIG_CONF_VALUES_H

#include <stdbool.h>

#include "core/config/conf_facts.h"
#include "core/services/cmap_value.h"

enum conf_section {
    CONF_TOP,
    CONF_TOTEM,
    CONF_INTERFACE,
    CONF_MEMBER,
    CONF_NODELIST,
    CONF_NODE,
    CONF_QUORUM,
    CONF_DEVICE,
    CONF_LOGGING,
    CONF_LOGGER_SUBSYS,
    CONF_LOGGING_DAEMON,
    CONF_UIDGID,
    CONF_SYSTEM,
    CONF_RESOURCES,
    CONF_MONITORED, /* below resources.system and resources.process */
    CONF_PLAIN      /* anything else: all values are text */
};

/* What a section of that name inside of another one is. */
enum conf_section conf_section_inside(enum conf_section outer, const char *name);
/* Whether sections may stand in it. */
bool conf_section_may_nest(enum conf_section section);

/* CMAP_TEXT, or the integer type of a key. */
enum cmap_type conf_value_type(enum conf_section section, const char *key);
/* Whether a key of totem.interface is kept per link. */
bool conf_interface_key_is_known(const char *key);

/* Decimal with an optional sign, in the range of the type. */
bool conf_parse_integer(const char *text, enum cmap_type type, uint64_t *number);
/* "-128..127" and so on. */
void conf_integer_range(enum cmap_type type, char *text, size_t size);

/* Writes the packaged daemon's sentence if the value is not one of the words allowed for the key. */
bool conf_word_is_wrong(enum conf_section section, const char *key, const char *value,
                        const struct conf_facts *facts, char *text, size_t size);

#endif
