/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests/integration/core_config.py compares with the packaged daemon: reads a configuration as the core does, says
 * what it finds on standard error, one line each, with E or W before it, ends with the core's status, and prints the keys
 * that the core would have on standard output, as corosync-cmapctl does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(int argc, char **argv)
{
    const struct config_plugins plugins = {crypto_models, compression_models};
    struct config_loaded loaded;
    struct cmap_value value;
    enum q_err err;
    int status;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 1;
    }
    err = config_load(&loaded, argv[1], &plugins);
    for (size_t i = 0; i < loaded.report.count; i++) {
        char text[CONF_FINDING_TEXT_SIZE];
        conf_finding_text(&loaded.report.items[i], text, sizeof(text));
        fprintf(stderr, "%c %s\n", loaded.report.items[i].severity == CONF_ERROR ? 'E' : 'W', text);
    }
    status = err == Q_OK ? 0 : conf_report_exit_status(&loaded.report);
    if (err == Q_OK && core_config_publish(&loaded.config, &loaded.map.keys, NULL) != CS_ERROR_OK)
        status = 1;
    for (const char *name = cmap_store_next(&loaded.map.keys, "", "", &value); name != NULL && err == Q_OK;
         name = cmap_store_next(&loaded.map.keys, "", name, &value))
        print_key(name, &value);
    config_loaded_fini(&loaded);
    return status;
}
