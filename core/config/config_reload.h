/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A configuration that is read again while the daemon runs (spec/corosync-conf.md section 9): what of it may change,
 * what keeps its value, what is refused, and what has to be done. Pure. The order of a reload is
 *
 *     conf_map_read               the files                     an error: config_reload_end(..., CS_ERROR_INVALID_PARAM)
 *     config_reload_keep_fixed    takes back what must stay
 *     core_config_read_again      as at the start               an error: likewise
 *     config_reload_compare       refuses, or tells the tasks   an error: likewise
 *     config_reload_apply         the keys
 *     ... the shell carries the tasks out ...
 *     config_reload_end(..., CS_ERROR_OK)
 *
 * Nothing of the running daemon changes before all of the new configuration is found good, unlike in the packaged one.
 */
#ifndef QUORATE_CORE_CONFIG_CONFIG_RELOAD_H
#define QUORATE_CORE_CONFIG_CONFIG_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config/core_config.h"

/* What the new configuration asks for. Bits of links: 1 << link. */
struct config_tasks {
    uint8_t links_added, links_removed;
    uint8_t links_changed; /* ping times or priority of a link that stays */
    uint32_t nodes_added[CORE_NODES_MAX], nodes_removed[CORE_NODES_MAX]; /* ids */
    size_t nodes_added_count, nodes_removed_count;
    bool totem;   /* timers, limits, mtu, compression, access lists */
    bool crypto;  /* names or place of the key; that a key file has other bytes is the shell's to find out */
    bool quorum;  /* anything below quorum. or a node's votes */
    bool logging; /* and the new settings are valid */
};

/* Gives fixed keys the value that is in effect, with a warning each. Q_ERR_NO_MEMORY. */
enum q_err config_reload_keep_fixed(struct conf_map *map, const struct cmap_store *live,
                                    struct conf_report *report);

/*
 * Q_ERR_INVALID: refused, errors say why. Settings that take effect at the next start only get the old value in
 * next, with a warning each (but for auto_tie_breaker_node, which nobody reads again).
 */
enum q_err config_reload_compare(const struct core_config *now, struct core_config *next,
                                 const struct conf_map *next_map, struct config_tasks *tasks,
                                 struct conf_report *report);

/*
 * Makes the live keys those of the map and those that the daemon derives: first deletions, then new and changed ones.
 * What fails half way (memory) leaves a mix; the next reload puts it right.
 */
enum cs_error config_reload_apply(struct cmap_store *live, struct conf_map *map,
                                  const struct core_config *next, struct cmap_changes *changes);

/* The flags by which clients follow a reload; `begin` before config_reload_apply. result: OK or INVALID_PARAM. */
enum cs_error config_reload_begin(struct cmap_store *live, struct cmap_changes *changes);
enum cs_error config_reload_end(struct cmap_store *live, enum cs_error result, struct cmap_changes *changes);

#endif
