/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "core/services/cmap_store_internal.h"

void cmap_changes_init(struct cmap_changes *changes)
{
    memset(changes, 0, sizeof(*changes));
}

static void change_fini(struct cmap_change *change)
{
    free(change->name);
    free((void *)change->new_value.bytes);
    free((void *)change->old_value.bytes);
}

void cmap_changes_reset(struct cmap_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        change_fini(&changes->items[i]);
    changes->count = 0;
    changes->notice_count = 0;
}

void cmap_changes_fini(struct cmap_changes *changes)
{
    cmap_changes_reset(changes);
    free(changes->items);
    free(changes->notices);
    cmap_changes_init(changes);
}

static bool add_notice(struct cmap_changes *changes, const struct cmap_handle *tracker)
{
    if (changes->notice_count == changes->notice_capacity) {
        size_t capacity = changes->notice_capacity == 0 ? 16 : changes->notice_capacity * 2;
        struct cmap_notice *larger = reallocarray(changes->notices, capacity, sizeof(*larger));
        if (larger == NULL)
            return false;
        changes->notices = larger;
        changes->notice_capacity = capacity;
    }
    changes->notices[changes->notice_count++] =
        (struct cmap_notice){tracker->client->id, tracker->cookie, changes->count};
    return true;
}

/* Those who track this very key (length: that of the whole name), or all keys that begin with its first characters. */
static bool add_notices(const struct cmap_store *store, struct cmap_changes *changes, const char *name,
                        enum cmap_track event, bool as_prefix)
{
    const struct cmap_tracked *tracked = (struct cmap_tracked *)name_tree_find(&store->tracked, name);

    if (tracked == NULL)
        return true;
    for (const struct cmap_handle *tracker = tracked->first; tracker != NULL; tracker = tracker->tracked_next)
        if (((tracker->bits & CMAP_ON_PREFIX) != 0) == as_prefix && (tracker->bits & event) != 0 &&
            !add_notice(changes, tracker))
            return false;
    return true;
}

/* The exact key first, then prefixes from the longest to the shortest (section 5.7). */
static bool collect_notices(const struct cmap_store *store, struct cmap_changes *changes, const char *name,
                            enum cmap_track event)
{
    size_t length = strlen(name);
    char prefix[CMAP_NAME_MAX + 1];

    memcpy(prefix, name, length + 1);
    if (!add_notices(store, changes, name, event, false))
        return false;
    for (size_t i = length + 1; i-- > 0;) {
        prefix[i] = '\0';
        if (store->tracked_by_length[i] > 0 && !add_notices(store, changes, prefix, event, true))
            return false;
    }
    return true;
}

static bool copy_value(struct cmap_value *copy, const struct cmap_value *value)
{
    void *bytes;

    *copy = (struct cmap_value){.type = value->type, .size = value->size};
    if (value->size == 0)
        return true;
    bytes = malloc(value->size);
    if (bytes == NULL)
        return false;
    memcpy(bytes, value->bytes, value->size);
    copy->bytes = bytes;
    return true;
}

static bool add_change(struct cmap_changes *changes, const char *name, enum cmap_track event,
                       const struct cmap_value *new_value, const struct cmap_value *old_value)
{
    struct cmap_change change = {.event = event, .name = strdup(name)};

    if (changes->count == changes->capacity) {
        size_t capacity = changes->capacity == 0 ? 8 : changes->capacity * 2;
        struct cmap_change *larger = reallocarray(changes->items, capacity, sizeof(*larger));
        if (larger == NULL)
            goto fail;
        changes->items = larger;
        changes->capacity = capacity;
    }
    if (change.name == NULL || !copy_value(&change.new_value, new_value) ||
        !copy_value(&change.old_value, old_value))
        goto fail;
    changes->items[changes->count++] = change;
    return true;
fail:
    change_fini(&change);
    return false;
}

enum cs_error cmap_changes_record(const struct cmap_store *store, struct cmap_changes *changes,
                                  const char *name, enum cmap_track event, struct cmap_value new_value,
                                  struct cmap_value old_value)
{
    size_t notice_count;

    if (changes == NULL || store->tracked.count == 0)
        return CS_ERROR_OK;
    notice_count = changes->notice_count;
    if (!collect_notices(store, changes, name, event) ||
        (changes->notice_count > notice_count && !add_change(changes, name, event, &new_value, &old_value))) {
        changes->notice_count = notice_count;
        return CS_ERROR_NO_MEMORY;
    }
    return CS_ERROR_OK;
}
