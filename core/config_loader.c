/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config_loader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config/config_reload.h"
#include "core/host_facts.h"

#define UIDGID_DIR "uidgid.d"

struct text {
    char *bytes;
    size_t size;
};

static void cannot_read(struct conf_report *report, const char *path, const char *reason)
{
    conf_report_add(report, CONF_ERROR, CONF_STAGE_READ, (struct conf_place){.file = NULL}, NULL,
                    "Can't read file %s: %s", path, reason);
}

/* Q_ERR_INVALID: it is in the report why. */
static enum q_err read_file(const char *path, struct text *text, struct conf_report *report)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum q_err err = Q_OK;
    size_t capacity = 0;

    *text = (struct text){NULL, 0};
    while (fd >= 0 && err == Q_OK) {
        ssize_t got;
        if (text->size == capacity) {
            char *larger = realloc(text->bytes, capacity = capacity == 0 ? 16384 : capacity * 2);
            if (larger == NULL) {
                err = Q_ERR_NO_MEMORY;
                break;
            }
            text->bytes = larger;
        }
        got = read(fd, text->bytes + text->size, capacity - text->size);
        if (got == 0)
            break;
        if (got < 0) {
            cannot_read(report, path, strerror(errno));
            err = Q_ERR_INVALID;
        } else if ((text->size += (size_t)got) > CONFIG_FILE_SIZE_MAX) {
            cannot_read(report, path, "the file is too large");
            err = Q_ERR_INVALID;
        }
    }
    if (fd < 0) {
        cannot_read(report, path, strerror(errno));
        return Q_ERR_INVALID;
    }
    close(fd);
    return err;
}

static enum q_err read_into_map(struct config_loaded *loaded, const char *path, bool is_uidgid_file,
                                struct conf_facts *facts)
{
    struct text text;
    enum q_err err = read_file(path, &text, &loaded->report);

    if (err == Q_OK)
        err = conf_map_read(&loaded->map, path, text.bytes == NULL ? "" : text.bytes, text.size,
                            is_uidgid_file, facts, &loaded->report);
    free(text.bytes);
    return err;
}

/* Regular files in the order of their names; no directory is fine. */
static enum q_err read_uidgid_dir(struct config_loaded *loaded, const char *config_path,
                                  struct conf_facts *facts)
{
    const char *slash = strrchr(config_path, '/');
    int length = slash == NULL ? 0 : (int)(slash - config_path) + 1;
    struct dirent **entries;
    enum q_err result = Q_OK;
    char *folder;
    int count;

    if (asprintf(&folder, "%.*s" UIDGID_DIR, length, config_path) < 0)
        return Q_ERR_NO_MEMORY;
    count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        struct stat st;
        char *path;
        enum q_err err = Q_OK;
        if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0) {
            err = Q_ERR_NO_MEMORY;
        } else {
            if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
                err = read_into_map(loaded, path, true, facts);
            free(path);
        }
        if (result == Q_OK || err == Q_ERR_NO_MEMORY)
            result = err;
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    free(folder);
    return result;
}

static void begin(struct config_loaded *loaded)
{
    conf_map_init(&loaded->map);
    core_config_init(&loaded->config);
    conf_report_init(&loaded->report);
}

/* One attempt; live: NULL at the start. Q_ERR_AGAIN: facts are wanted. */
static enum q_err load_once(struct config_loaded *loaded, const char *path, const struct cmap_store *live,
                            struct conf_facts *facts)
{
    enum q_err err, uidgid_err;

    begin(loaded);
    err = read_into_map(loaded, path, false, facts);
    if (err == Q_ERR_INVALID || err == Q_ERR_NO_MEMORY)
        return err;
    uidgid_err = read_uidgid_dir(loaded, path, facts);
    if (uidgid_err != Q_OK)
        return uidgid_err;
    if (err == Q_OK && live != NULL)
        err = config_reload_keep_fixed(&loaded->map, live, &loaded->report);
    if (err != Q_OK)
        return err;
    if (live != NULL)
        return core_config_read_again(&loaded->config, &loaded->map, facts, &loaded->report);
    return core_config_read(&loaded->config, &loaded->map, facts, &loaded->report);
}

static enum q_err load(struct config_loaded *loaded, const char *path, const struct config_plugins *plugins,
                       const struct cmap_store *live)
{
    struct conf_facts facts;
    enum q_err err;

    begin(loaded);
    conf_facts_init(&facts);
    facts.crypto_models = plugins->crypto_models;
    facts.compression_models = plugins->compression_models;
    err = host_facts_begin(&facts);
    if (err == Q_ERR_IO) {
        conf_report_add(&loaded->report, CONF_ERROR, CONF_STAGE_READ, (struct conf_place){.file = NULL}, NULL,
                        "Can't find out this host's name and addresses: %s", strerror(errno));
        err = Q_ERR_INVALID;
    }
    while (err == Q_OK || err == Q_ERR_AGAIN) {
        config_loaded_fini(loaded);
        err = load_once(loaded, path, live, &facts);
        if (err != Q_ERR_AGAIN)
            break;
        host_facts_find(&facts);
    }
    conf_facts_fini(&facts);
    return err;
}

enum q_err config_load(struct config_loaded *loaded, const char *path, const struct config_plugins *plugins)
{
    return load(loaded, path, plugins, NULL);
}

enum q_err config_load_again(struct config_loaded *loaded, const char *path,
                             const struct config_plugins *plugins, const struct cmap_store *live)
{
    return load(loaded, path, plugins, live);
}

void config_loaded_fini(struct config_loaded *loaded)
{
    conf_map_fini(&loaded->map);
    core_config_fini(&loaded->config);
    conf_report_fini(&loaded->report);
}
