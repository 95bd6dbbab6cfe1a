/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the daemon's configuration: the file, uidgid.d beside it, and every fact about the host that its meaning depends
 * on (core/config decides which). Shell: blocks on files and on the resolver, like the packaged daemon does, so it is
 * for the start, for -t and for reloads. The result is embedded; it is to be ended in every case.
 */
#ifndef QUORATE_CORE_CONFIG_LOADER_H
#define QUORATE_CORE_CONFIG_LOADER_H

#include "common/err.h"
#include "core/config/core_config.h"

#define CONFIG_FILE_SIZE_MAX (4u << 20)

struct config_plugins {
    const char *const *crypto_models;      /* NULL-terminated, of the installed libknet */
    const char *const *compression_models; /* likewise */
};

struct config_loaded {
    struct conf_map map;
    struct core_config config;
    struct conf_report report; /* also says which file cannot be read */
};

/* Q_OK; Q_ERR_INVALID: the report has errors; Q_ERR_NO_MEMORY. */
enum q_err config_load(struct config_loaded *loaded, const char *path, const struct config_plugins *plugins);
/*
 * The same while the daemon runs with `live`: fixed keys keep their value, and logging's faults are warnings
 * (core/config/config_reload.h, which comes next).
 */
enum q_err config_load_again(struct config_loaded *loaded, const char *path,
                             const struct config_plugins *plugins, const struct cmap_store *live);
void config_loaded_fini(struct config_loaded *loaded);

#endif
