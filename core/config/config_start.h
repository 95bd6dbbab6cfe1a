/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the daemon looks at when it really starts and -t, like the packaged daemon's, does not: the priority of the process
 * and whether votequorum can work with its settings (spec/corosync-conf.md sections 6.3 and 7.3). Pure. Also the way from
 * a configuration to what votequorum reads.
 */
#ifndef QUORATE_CORE_CONFIG_CONFIG_START_H
#define QUORATE_CORE_CONFIG_CONFIG_START_H

#include "core/config/core_config.h"
#include "core/services/votequorum_config.h"

/*
 * Adds errors (stages read and service) for what must not start, and warnings for what is resolved silently. Only for a
 * configuration that was read without errors.
 */
void config_start_check(const struct core_config *config, const struct conf_map *map,
                        struct conf_report *report);

/* priority: a nice value in a decimal number. False: it is max, min or nothing that may be there. */
bool config_priority_number(const char *priority, int32_t *number);

/* Texts stay the configuration's. The votes kept on disk are the caller's to add. */
void config_votequorum(const struct core_config *config, struct votequorum_config *votequorum,
                       struct votequorum_config_node nodes[CORE_NODES_MAX]);

#endif
