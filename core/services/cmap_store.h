/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The key/value map (spec/corosync-ipc.md section 5): typed values under names in byte order, iterators over it and
 * trackers of its changes. Pure. One per daemon; configurations that are read to be compared with it are such maps too.
 *
 * Who iterates or tracks is a struct cmap_client: one per connection, and one for each part of the core that follows
 * keys. It is embedded by its owner and leaves with cmap_client_fini before the store goes. Handles carry a generation:
 * those of a finished iterator or tracker, and those of another client, are bad handles.
 *
 * Nobody is called back. What a change means for trackers is appended to struct cmap_changes, in the order in which it
 * is to be told: each change once, with its old and new value, and a notice for each tracker it concerns. Whoever reacts
 * by changing keys again does so after that, which keeps one change after the other (and avoids the packaged daemon's
 * crash on quorum.cancel_wait_for_all, section 11 no. 1). A change that fails leaves store and changes as they were.
 *
 * All operations take logarithmic time, a change also time for each of its trackers.
 */
#ifndef QUORATE_CORE_SERVICES_CMAP_STORE_H
#define QUORATE_CORE_SERVICES_CMAP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/services/cmap_value.h"
#include "core/services/cs_error.h"
#include "core/services/name_tree.h"

/* Beyond these the answer is CS_ERROR_NO_RESOURCES; the packaged daemon grows until memory ends. */
#define CMAP_KEYS_MAX 65536
#define CMAP_BYTES_MAX (32u << 20)       /* of all names and values */
#define CMAP_HANDLES_PER_CLIENT_MAX 4096 /* iterators and trackers */

/* Bits of a tracker; an event is one of the first three. */
enum cmap_track { CMAP_ON_DELETE = 1, CMAP_ON_MODIFY = 2, CMAP_ON_ADD = 4, CMAP_ON_PREFIX = 8 };

struct cmap_change {
    enum cmap_track event;       /* DELETE, MODIFY or ADD */
    char *name;                  /* all owned by the changes */
    struct cmap_value new_value; /* CMAP_NONE: deleted */
    struct cmap_value old_value; /* CMAP_NONE: new */
};

struct cmap_notice {
    uint64_t client_id;
    uint64_t cookie;
    size_t change_index;
};

struct cmap_changes {
    struct cmap_change *items;
    size_t count, capacity;
    struct cmap_notice *notices; /* ascending by change_index */
    size_t notice_count, notice_capacity;
};

struct cmap_handle; /* an iterator or a tracker */

struct cmap_client {
    uint64_t id; /* the owner's, found again in notices */
    struct cmap_handle *handles;
    uint32_t iterator_count, tracker_count;
};

struct cmap_slot {
    struct cmap_handle *handle; /* NULL: free */
    uint32_t next_free;
};

struct cmap_store {
    struct name_tree items;
    size_t byte_count;
    bool votequorum_runs;                          /* makes some keys of quorum. read-only for clients */
    struct name_tree tracked;                      /* names that are tracked */
    uint32_t tracked_by_length[CMAP_NAME_MAX + 1]; /* how many of them have that length */
    struct cmap_slot *slots;
    uint32_t slot_count, free_slot, handle_count, generation; /* free_slot: slot_count if all are taken */
};

void cmap_changes_init(struct cmap_changes *changes);
void cmap_changes_fini(struct cmap_changes *changes);
/* Empties it for the next use. */
void cmap_changes_reset(struct cmap_changes *changes);

void cmap_store_init(struct cmap_store *store);
/* All clients must have left. */
void cmap_store_fini(struct cmap_store *store);

/* ---- for the daemon, which may change every key; changes may be NULL if nobody tracks ---- */

/*
 * Text is stored up to its terminator or its size. The same value again is no change. INVALID_PARAM, NAME_TOO_LONG (any
 * fault of a new name), NO_RESOURCES, NO_MEMORY.
 */
enum cs_error cmap_store_set(struct cmap_store *store, const char *name, struct cmap_value value,
                             struct cmap_changes *changes);
enum cs_error cmap_store_set_text(struct cmap_store *store, const char *name, const char *text,
                                  struct cmap_changes *changes);
/* The low bytes of `number` in an integer type. */
enum cs_error cmap_store_set_number(struct cmap_store *store, const char *name, enum cmap_type type,
                                    uint64_t number, struct cmap_changes *changes);
/* NOT_EXIST. */
enum cs_error cmap_store_delete(struct cmap_store *store, const char *name, struct cmap_changes *changes);
/* Adds in the width of the type, wrapping around. NOT_EXIST; INVALID_PARAM: no integer. */
enum cs_error cmap_store_adjust(struct cmap_store *store, const char *name, int32_t step,
                                struct cmap_changes *changes);

/* The view is good until the next change. NOT_EXIST. */
enum cs_error cmap_store_get(const struct cmap_store *store, const char *name, struct cmap_value *value);
/* A key of another type counts as absent. NULL, false: absent. */
const char *cmap_store_text(const struct cmap_store *store, const char *name);
bool cmap_store_number(const struct cmap_store *store, const char *name, enum cmap_type type,
                       uint64_t *number);

/*
 * Walks without a handle, also while the map changes: the first key after `after` ("": from the start) that begins with
 * `prefix`. NULL: the end. The view is good until the next change.
 */
const char *cmap_store_next(const struct cmap_store *store, const char *prefix, const char *after,
                            struct cmap_value *value);

/* ---- for clients ---- */

void cmap_client_init(struct cmap_client *client, uint64_t id);
/* Ends its iterators and trackers. */
void cmap_client_fini(struct cmap_store *store, struct cmap_client *client);

/* ACCESS for read-only keys (section 5.8), else as above. */
bool cmap_store_is_read_only(const struct cmap_store *store, const char *name);
enum cs_error cmap_client_set(struct cmap_store *store, const char *name, struct cmap_value value,
                              struct cmap_changes *changes);
enum cs_error cmap_client_delete(struct cmap_store *store, const char *name, struct cmap_changes *changes);
enum cs_error cmap_client_adjust(struct cmap_store *store, const char *name, int32_t step,
                                 struct cmap_changes *changes);
/* room: bytes the client has for the value, 0: it wants type and size only. INVALID_PARAM: too little room. */
enum cs_error cmap_client_get(const struct cmap_store *store, const char *name, uint64_t room,
                              struct cmap_value *value);

/* NO_RESOURCES, NO_MEMORY. */
enum cs_error cmap_iterator_add(struct cmap_store *store, struct cmap_client *client, const char *prefix,
                                uint64_t *handle);
/* BAD_HANDLE; NO_SECTIONS: the end, again and again. The views are good until the next change or next. */
enum cs_error cmap_iterator_next(struct cmap_store *store, struct cmap_client *client, uint64_t handle,
                                 const char **name, struct cmap_value *value);
enum cs_error cmap_iterator_remove(struct cmap_store *store, struct cmap_client *client, uint64_t handle);

/* bits of enum cmap_track; an empty name with PREFIX tracks all keys, without it none. INVALID_PARAM: another bit. */
enum cs_error cmap_tracker_add(struct cmap_store *store, struct cmap_client *client, const char *name,
                               uint32_t bits, uint64_t cookie, uint64_t *handle);
/* BAD_HANDLE. */
enum cs_error cmap_tracker_remove(struct cmap_store *store, struct cmap_client *client, uint64_t handle,
                                  uint64_t *cookie);

#endif
