/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keys that configuration files make (spec/corosync-conf.md section 3), and where each stands, so that whatever is
 * found wrong about a value later can still name file and line. Pure. One map per reading of the files: the main file
 * first, then those of uidgid.d in the order of their names. At start its keys become the daemon's own; at a reload they
 * are compared with those.
 */
#ifndef QUORATE_CORE_CONFIG_CONF_MAP_H
#define QUORATE_CORE_CONFIG_CONF_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "core/config/conf_facts.h"
#include "core/config/conf_report.h"
#include "core/services/cmap_store.h"

#define CONF_PATH_MAX 254 /* the path of a section, a dot (also where there is no path) and a name inside */

struct conf_map {
    struct cmap_store keys;
    struct name_tree origins;
    char **file_names;
    size_t file_count;
};

void conf_map_init(struct conf_map *map);
void conf_map_fini(struct conf_map *map);

/*
 * Adds the keys of one file. Errors go into the report (at stage parser) and leave out the key they are about.
 * Q_ERR_AGAIN: facts are wanted; begin anew with an empty map and report when they are known. Q_ERR_NO_MEMORY.
 */
enum q_err conf_map_read(struct conf_map *map, const char *file_name, const void *text, size_t size,
                         bool is_uidgid_file, struct conf_facts *facts, struct conf_report *report);

/* Where a key was set last; without file if it was not in a file. */
struct conf_place conf_map_place(const struct conf_map *map, const char *key);

#endif
