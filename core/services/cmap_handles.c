/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cmap_store_internal.h"

/* ---- the table of handles ---- */

/* A handle's number is its slot + 1 in the low half and a generation in the high half, so that none is ever 0. */

static bool grow_table(struct cmap_store *store)
{
    uint32_t count = store->slot_count == 0 ? 16 : store->slot_count * 2;
    struct cmap_slot *larger = reallocarray(store->slots, count, sizeof(*larger));

    if (larger == NULL)
        return false;
    for (uint32_t i = store->slot_count; i < count; i++)
        larger[i] = (struct cmap_slot){.next_free = i + 1};
    store->slots = larger;
    store->slot_count = count;
    return true;
}

/* A handle of the client in the table; NULL: CS_ERROR_NO_MEMORY. */
static struct cmap_handle *handle_add(struct cmap_store *store, struct cmap_client *client,
                                      enum cmap_handle_kind kind)
{
    struct cmap_handle *handle;
    uint32_t slot;

    if (store->free_slot == store->slot_count && !grow_table(store))
        return NULL;
    handle = calloc(1, sizeof(*handle));
    if (handle == NULL)
        return NULL;
    slot = store->free_slot;
    store->free_slot = store->slots[slot].next_free;
    store->slots[slot].handle = handle;
    store->handle_count++;
    handle->kind = kind;
    handle->number = (uint64_t)++store->generation << 32 | (slot + 1);
    handle->client = client;
    handle->client_next = client->handles;
    if (client->handles != NULL)
        client->handles->client_previous = handle;
    client->handles = handle;
    return handle;
}

static void handle_free(struct cmap_store *store, struct cmap_handle *handle)
{
    uint32_t slot = (uint32_t)handle->number - 1;

    assert(store->slots[slot].handle == handle);
    store->slots[slot] = (struct cmap_slot){.next_free = store->free_slot};
    store->free_slot = slot;
    store->handle_count--;
    if (handle->client_previous == NULL)
        handle->client->handles = handle->client_next;
    else
        handle->client_previous->client_next = handle->client_next;
    if (handle->client_next != NULL)
        handle->client_next->client_previous = handle->client_previous;
    free(handle->prefix);
    free(handle);
}

static struct cmap_handle *handle_find(const struct cmap_store *store, const struct cmap_client *client,
                                       uint64_t number, enum cmap_handle_kind kind)
{
    uint32_t slot = (uint32_t)number - 1;
    struct cmap_handle *handle;

    if (slot >= store->slot_count)
        return NULL;
    handle = store->slots[slot].handle;
    if (handle == NULL || handle->number != number || handle->client != client || handle->kind != kind)
        return NULL;
    return handle;
}

static bool client_is_full(const struct cmap_client *client)
{
    return client->iterator_count + client->tracker_count >= CMAP_HANDLES_PER_CLIENT_MAX;
}

/* ---- iterators ---- */

static void iterator_free(struct cmap_store *store, struct cmap_handle *iterator)
{
    iterator->client->iterator_count--;
    handle_free(store, iterator);
}

enum cs_error cmap_iterator_add(struct cmap_store *store, struct cmap_client *client, const char *prefix,
                                uint64_t *handle)
{
    struct cmap_handle *iterator;

    if (client_is_full(client))
        return CS_ERROR_NO_RESOURCES;
    iterator = handle_add(store, client, CMAP_HANDLE_ITERATOR);
    if (iterator == NULL)
        return CS_ERROR_NO_MEMORY;
    client->iterator_count++;
    iterator->prefix = strdup(prefix);
    if (iterator->prefix == NULL) {
        iterator_free(store, iterator);
        return CS_ERROR_NO_MEMORY;
    }
    *handle = iterator->number;
    return CS_ERROR_OK;
}

enum cs_error cmap_iterator_next(struct cmap_store *store, struct cmap_client *client, uint64_t handle,
                                 const char **name, struct cmap_value *value)
{
    struct cmap_handle *iterator = handle_find(store, client, handle, CMAP_HANDLE_ITERATOR);
    const char *next;

    if (iterator == NULL)
        return CS_ERROR_BAD_HANDLE;
    next = cmap_store_next(store, iterator->prefix, iterator->last, value);
    if (next == NULL)
        return CS_ERROR_NO_SECTIONS;
    memcpy(iterator->last, next, strlen(next) + 1);
    *name = iterator->last;
    return CS_ERROR_OK;
}

enum cs_error cmap_iterator_remove(struct cmap_store *store, struct cmap_client *client, uint64_t handle)
{
    struct cmap_handle *iterator = handle_find(store, client, handle, CMAP_HANDLE_ITERATOR);

    if (iterator == NULL)
        return CS_ERROR_BAD_HANDLE;
    iterator_free(store, iterator);
    return CS_ERROR_OK;
}

/* ---- trackers ---- */

static struct cmap_tracked *tracked_get(struct cmap_store *store, const char *name)
{
    struct cmap_tracked *tracked = (struct cmap_tracked *)name_tree_find(&store->tracked, name);
    size_t length = strlen(name);

    if (tracked != NULL)
        return tracked;
    tracked = calloc(1, sizeof(*tracked) + length + 1);
    if (tracked == NULL)
        return NULL;
    memcpy(tracked->name, name, length + 1);
    tracked->node.name = tracked->name;
    name_tree_add(&store->tracked, &tracked->node);
    store->tracked_by_length[length]++;
    return tracked;
}

static void tracker_free(struct cmap_store *store, struct cmap_handle *tracker)
{
    struct cmap_tracked *tracked = tracker->tracked;

    if (tracker->tracked_previous == NULL)
        tracked->first = tracker->tracked_next;
    else
        tracker->tracked_previous->tracked_next = tracker->tracked_next;
    if (tracker->tracked_next == NULL)
        tracked->last = tracker->tracked_previous;
    else
        tracker->tracked_next->tracked_previous = tracker->tracked_previous;
    if (tracked->first == NULL) {
        store->tracked_by_length[strlen(tracked->name)]--;
        name_tree_remove(&store->tracked, &tracked->node);
        free(tracked);
    }
    tracker->client->tracker_count--;
    handle_free(store, tracker);
}

enum cs_error cmap_tracker_add(struct cmap_store *store, struct cmap_client *client, const char *name,
                               uint32_t bits, uint64_t cookie, uint64_t *handle)
{
    const uint32_t known = CMAP_ON_DELETE | CMAP_ON_MODIFY | CMAP_ON_ADD | CMAP_ON_PREFIX;
    struct cmap_handle *tracker;

    assert(strlen(name) <= CMAP_NAME_MAX);
    if ((bits & ~known) != 0)
        return CS_ERROR_INVALID_PARAM;
    if (client_is_full(client))
        return CS_ERROR_NO_RESOURCES;
    tracker = handle_add(store, client, CMAP_HANDLE_TRACKER);
    if (tracker == NULL)
        return CS_ERROR_NO_MEMORY;
    tracker->tracked = tracked_get(store, name);
    if (tracker->tracked == NULL) {
        handle_free(store, tracker);
        return CS_ERROR_NO_MEMORY;
    }
    client->tracker_count++;
    tracker->bits = bits;
    tracker->cookie = cookie;
    tracker->tracked_previous = tracker->tracked->last;
    if (tracker->tracked->last == NULL)
        tracker->tracked->first = tracker;
    else
        tracker->tracked->last->tracked_next = tracker;
    tracker->tracked->last = tracker;
    *handle = tracker->number;
    return CS_ERROR_OK;
}

enum cs_error cmap_tracker_remove(struct cmap_store *store, struct cmap_client *client, uint64_t handle,
                                  uint64_t *cookie)
{
    struct cmap_handle *tracker = handle_find(store, client, handle, CMAP_HANDLE_TRACKER);

    if (tracker == NULL)
        return CS_ERROR_BAD_HANDLE;
    *cookie = tracker->cookie;
    tracker_free(store, tracker);
    return CS_ERROR_OK;
}

/* ---- clients ---- */

void cmap_client_init(struct cmap_client *client, uint64_t id)
{
    *client = (struct cmap_client){.id = id};
}

void cmap_client_fini(struct cmap_store *store, struct cmap_client *client)
{
    while (client->handles != NULL) {
        if (client->handles->kind == CMAP_HANDLE_ITERATOR)
            iterator_free(store, client->handles);
        else
            tracker_free(store, client->handles);
    }
    assert(client->iterator_count == 0 && client->tracker_count == 0);
}
