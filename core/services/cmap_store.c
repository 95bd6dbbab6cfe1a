/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/cmap_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cmap_store_internal.h"

struct item {
    struct name_node node; /* first: the tree gives it back */
    enum cmap_type type;
    size_t size;
    void *bytes;
    char name[];
};

static const struct cmap_value no_value = {.type = CMAP_NONE};

static struct item *find(const struct cmap_store *store, const char *name)
{
    return (struct item *)name_tree_find(&store->items, name);
}

static struct cmap_value value_of(const struct item *item)
{
    return (struct cmap_value){item->type, item->size, item->bytes};
}

void cmap_store_init(struct cmap_store *store)
{
    memset(store, 0, sizeof(*store));
}

static void item_free(struct cmap_store *store, struct item *item)
{
    store->byte_count -= strlen(item->name) + item->size;
    free(item->bytes);
    free(item);
}

void cmap_store_fini(struct cmap_store *store)
{
    assert(store->handle_count == 0 && store->tracked.count == 0);
    while (store->items.root != NULL) {
        struct item *item = (struct item *)store->items.root;
        name_tree_remove(&store->items, &item->node);
        item_free(store, item);
    }
    assert(store->byte_count == 0);
    free(store->slots);
    cmap_store_init(store);
}

/* ---- setting ---- */

/* The bytes as they are stored: of their own, and text with one terminator. */
static enum cs_error copy_bytes(struct cmap_value *value)
{
    size_t size = value->size;
    char *bytes;

    if (value->type == CMAP_TEXT)
        size = strnlen(value->bytes == NULL ? "" : value->bytes, size) + 1;
    bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL)
        return CS_ERROR_NO_MEMORY;
    if (value->type == CMAP_TEXT) {
        if (size > 1)
            memcpy(bytes, value->bytes, size - 1);
        bytes[size - 1] = '\0';
    } else if (size > 0) {
        memcpy(bytes, value->bytes, size);
    }
    value->bytes = bytes;
    value->size = size;
    return CS_ERROR_OK;
}

static bool has_room(const struct cmap_store *store, const struct item *item, const char *name, size_t size)
{
    size_t freed = item == NULL ? 0 : item->size;
    size_t added = size + (item == NULL ? strlen(name) : 0);

    if (item == NULL && store->items.count >= CMAP_KEYS_MAX)
        return false;
    return store->byte_count - freed + added <= CMAP_BYTES_MAX;
}

/* Takes over bytes, which copy_bytes made, if it succeeds. */
static enum cs_error add_item(struct cmap_store *store, const char *name, const struct cmap_value *value,
                              struct cmap_changes *changes)
{
    size_t name_size = strlen(name);
    struct item *item = malloc(sizeof(*item) + name_size + 1);
    enum cs_error error;

    if (item == NULL)
        return CS_ERROR_NO_MEMORY;
    error = cmap_changes_record(store, changes, name, CMAP_ON_ADD, *value, no_value);
    if (error != CS_ERROR_OK) {
        free(item);
        return error;
    }
    memcpy(item->name, name, name_size + 1);
    item->node.name = item->name;
    item->type = value->type;
    item->size = value->size;
    item->bytes = (void *)value->bytes;
    name_tree_add(&store->items, &item->node);
    store->byte_count += name_size + item->size;
    return CS_ERROR_OK;
}

static enum cs_error modify_item(struct cmap_store *store, struct item *item, const struct cmap_value *value,
                                 struct cmap_changes *changes)
{
    enum cs_error error =
        cmap_changes_record(store, changes, item->name, CMAP_ON_MODIFY, *value, value_of(item));

    if (error != CS_ERROR_OK)
        return error;
    store->byte_count += value->size;
    store->byte_count -= item->size;
    free(item->bytes);
    item->type = value->type;
    item->size = value->size;
    item->bytes = (void *)value->bytes;
    return CS_ERROR_OK;
}

enum cs_error cmap_store_set(struct cmap_store *store, const char *name, struct cmap_value value,
                             struct cmap_changes *changes)
{
    struct item *item = find(store, name);
    enum cs_error error;

    if (!cmap_value_is_valid(&value))
        return CS_ERROR_INVALID_PARAM;
    if (item == NULL && !cmap_name_is_valid(name))
        return CS_ERROR_NAME_TOO_LONG;
    error = copy_bytes(&value);
    if (error != CS_ERROR_OK)
        return error;
    if (item != NULL) {
        struct cmap_value old_value = value_of(item);
        if (cmap_value_equal(&old_value, &value)) {
            free((void *)value.bytes);
            return CS_ERROR_OK;
        }
    }
    if (!has_room(store, item, name, value.size))
        error = CS_ERROR_NO_RESOURCES;
    else if (item == NULL)
        error = add_item(store, name, &value, changes);
    else
        error = modify_item(store, item, &value, changes);
    if (error != CS_ERROR_OK)
        free((void *)value.bytes);
    return error;
}

enum cs_error cmap_store_set_text(struct cmap_store *store, const char *name, const char *text,
                                  struct cmap_changes *changes)
{
    return cmap_store_set(store, name, (struct cmap_value){CMAP_TEXT, strlen(text), text}, changes);
}

enum cs_error cmap_store_set_number(struct cmap_store *store, const char *name, enum cmap_type type,
                                    uint64_t number, struct cmap_changes *changes)
{
    struct cmap_number value = cmap_number(type, number);

    return cmap_store_set(store, name, cmap_number_value(&value), changes);
}

enum cs_error cmap_store_delete(struct cmap_store *store, const char *name, struct cmap_changes *changes)
{
    struct item *item = find(store, name);
    enum cs_error error;

    if (item == NULL)
        return CS_ERROR_NOT_EXIST;
    error = cmap_changes_record(store, changes, item->name, CMAP_ON_DELETE, no_value, value_of(item));
    if (error != CS_ERROR_OK)
        return error;
    name_tree_remove(&store->items, &item->node);
    item_free(store, item);
    return CS_ERROR_OK;
}

enum cs_error cmap_store_adjust(struct cmap_store *store, const char *name, int32_t step,
                                struct cmap_changes *changes)
{
    struct item *item = find(store, name);
    struct cmap_value value;

    if (item == NULL)
        return CS_ERROR_NOT_EXIST;
    if (!cmap_type_is_integer(item->type))
        return CS_ERROR_INVALID_PARAM;
    value = value_of(item);
    return cmap_store_set_number(store, name, item->type,
                                 cmap_value_unsigned(&value) + (uint64_t)(int64_t)step, changes);
}

/* ---- getting ---- */

enum cs_error cmap_store_get(const struct cmap_store *store, const char *name, struct cmap_value *value)
{
    const struct item *item = find(store, name);

    if (item == NULL)
        return CS_ERROR_NOT_EXIST;
    *value = value_of(item);
    return CS_ERROR_OK;
}

const char *cmap_store_text(const struct cmap_store *store, const char *name)
{
    const struct item *item = find(store, name);

    return item == NULL || item->type != CMAP_TEXT ? NULL : item->bytes;
}

bool cmap_store_number(const struct cmap_store *store, const char *name, enum cmap_type type,
                       uint64_t *number)
{
    const struct item *item = find(store, name);
    struct cmap_value value;

    if (item == NULL || item->type != type)
        return false;
    value = value_of(item);
    *number = cmap_value_unsigned(&value);
    return true;
}

const char *cmap_store_next(const struct cmap_store *store, const char *prefix, const char *after,
                            struct cmap_value *value)
{
    const struct name_node *node;

    /* What begins with the prefix stands together, right from where the prefix itself would stand. */
    if (strcmp(after, prefix) < 0 || after[0] == '\0')
        node = name_tree_from(&store->items, prefix);
    else
        node = name_tree_after(&store->items, after);
    if (node == NULL || strncmp(node->name, prefix, strlen(prefix)) != 0)
        return NULL;
    *value = value_of((const struct item *)node);
    return node->name;
}

/* ---- what clients may ---- */

bool cmap_store_is_read_only(const struct cmap_store *store, const char *name)
{
    static const char *const prefixes[] = {
        "internal_configuration.", "runtime.services.", "runtime.config.", "runtime.totem.",
        "uidgid.config.",          "system.",           "nodelist."};
    static const char *const names[] = {"config.reload_in_progress",
                                        "config.totemconfig_reload_in_progress",
                                        "totem.clear_node_high_bit",
                                        "totem.cluster_name",
                                        "totem.crypto_cipher",
                                        "totem.crypto_hash",
                                        "totem.crypto_model",
                                        "totem.ip_version",
                                        "totem.key",
                                        "totem.keyfile",
                                        "totem.netmtu",
                                        "totem.nodeid",
                                        "totem.rrp_mode",
                                        "totem.secauth",
                                        "totem.threads",
                                        "totem.transport",
                                        "totem.version"};
    static const char *const votequorum_names[] = {
        "quorum.allow_downscale",       "quorum.auto_tie_breaker",
        "quorum.auto_tie_breaker_node", "quorum.expected_votes_tracking",
        "quorum.last_man_standing",     "quorum.last_man_standing_window",
        "quorum.wait_for_all"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    for (size_t i = 0; store->votequorum_runs && i < sizeof(votequorum_names) / sizeof(votequorum_names[0]);
         i++)
        if (strcmp(name, votequorum_names[i]) == 0)
            return true;
    return false;
}

enum cs_error cmap_client_set(struct cmap_store *store, const char *name, struct cmap_value value,
                              struct cmap_changes *changes)
{
    return cmap_store_is_read_only(store, name) ? CS_ERROR_ACCESS
                                                : cmap_store_set(store, name, value, changes);
}

enum cs_error cmap_client_delete(struct cmap_store *store, const char *name, struct cmap_changes *changes)
{
    return cmap_store_is_read_only(store, name) ? CS_ERROR_ACCESS : cmap_store_delete(store, name, changes);
}

enum cs_error cmap_client_adjust(struct cmap_store *store, const char *name, int32_t step,
                                 struct cmap_changes *changes)
{
    return cmap_store_is_read_only(store, name) ? CS_ERROR_ACCESS
                                                : cmap_store_adjust(store, name, step, changes);
}

enum cs_error cmap_client_get(const struct cmap_store *store, const char *name, uint64_t room,
                              struct cmap_value *value)
{
    enum cs_error error = cmap_store_get(store, name, value);

    if (error == CS_ERROR_OK && room > 0 && room < value->size)
        return CS_ERROR_INVALID_PARAM;
    return error;
}
