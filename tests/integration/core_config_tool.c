/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests/integration/core_config.py compares with the packaged daemon: reads a configuration as the core does, says
 * what it finds on standard error, one line each, with E or W before it, ends with the core's status, and prints the keys
 * that the core would have on standard output, as corosync-cmapctl does. With a second file that is read again as at a
 * reload, and the status is what the client of a reload is answered; with --start also what only a start looks at.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config_reload.h"
#include "core/config/config_start.h"
#include "core/config_loader.h"

/* Of Debian's libknet. */
static const char *const crypto_models[] = {"nss", "openssl", NULL};
static const char *const compression_models[] = {"zlib", "lz4",   "lz4hc", "lzo2",
                                                 "lzma", "bzip2", "zstd",  NULL};

static void print_key(const char *name, const struct cmap_value *value)
{
    static const char *const types[] = {"",    "i8",  "u8", "i16", "u16", "i32", "u32",
                                        "i64", "u64", "",   "",    "str", "bin"};

    if (value->type == CMAP_TEXT)
        printf("%s (str) = %s\n", name, (const char *)value->bytes);
    else if (value->type == CMAP_I32)
        printf("%s (i32) = %" PRId64 "\n", name, cmap_value_signed(value));
    else
        printf("%s (%s) = %" PRIu64 "\n", name, types[value->type], cmap_value_unsigned(value));
}

static void print_findings(const struct conf_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        char text[CONF_FINDING_TEXT_SIZE];
        conf_finding_text(&report->items[i], text, sizeof(text));
        fprintf(stderr, "%c %s\n", report->items[i].severity == CONF_ERROR ? 'E' : 'W', text);
    }
}

static void print_keys(const struct cmap_store *keys)
{
    struct cmap_value value;

    for (const char *name = cmap_store_next(keys, "", "", &value); name != NULL;
         name = cmap_store_next(keys, "", name, &value))
        print_key(name, &value);
}

/* Gives the keys of `now` those of the file, as a daemon that reads it again does. The status is cfg's answer. */
static int reload(struct config_loaded *now, const char *path, const struct config_plugins *plugins)
{
    struct config_loaded next;
    struct config_tasks tasks;
    enum q_err err = config_load_again(&next, path, plugins, &now->map.keys);

    if (err == Q_OK)
        err = config_reload_compare(&now->config, &next.config, &next.map, &tasks, &next.report);
    print_findings(&next.report);
    if (err == Q_OK && config_reload_apply(&now->map.keys, &next.map, &next.config, NULL) != CS_ERROR_OK)
        err = Q_ERR_NO_MEMORY;
    config_loaded_fini(&next);
    return err == Q_OK ? CS_ERROR_OK : CS_ERROR_INVALID_PARAM;
}

int main(int argc, char **argv)
{
    const struct config_plugins plugins = {crypto_models, compression_models};
    const char *again = argc == 3 ? argv[2] : NULL;
    struct config_loaded loaded;
    enum q_err err;
    int status;

    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s FILE [FILE-TO-RELOAD | --start]\n", argv[0]);
        return 1;
    }
    err = config_load(&loaded, argv[1], &plugins);
    if (err == Q_OK && again != NULL && strcmp(again, "--start") == 0) {
        config_start_check(&loaded.config, &loaded.map, &loaded.report);
        again = NULL;
    }
    print_findings(&loaded.report);
    status = conf_report_exit_status(&loaded.report);
    if (err == Q_OK && core_config_publish(&loaded.config, &loaded.map.keys, NULL) != CS_ERROR_OK)
        status = 1;
    if (err == Q_OK && again != NULL)
        status = reload(&loaded, again, &plugins);
    if (err == Q_OK)
        print_keys(&loaded.map.keys);
    config_loaded_fini(&loaded);
    return status;
}
