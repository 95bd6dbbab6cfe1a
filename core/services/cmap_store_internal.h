/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the key/value map share: cmap_store.c (values), cmap_handles.c (clients, iterators, trackers) and
 * cmap_changes.c (what is told to whom). Nobody else includes it.
 */
#ifndef QUORATE_CORE_SERVICES_CMAP_STORE_INTERNAL_H
#define QUORATE_CORE_SERVICES_CMAP_STORE_INTERNAL_H

#include "core/services/cmap_store.h"

enum cmap_handle_kind { CMAP_HANDLE_ITERATOR, CMAP_HANDLE_TRACKER };

/* A name that somebody tracks, with its trackers in the order in which they came. */
struct cmap_tracked {
    struct name_node node;
    struct cmap_handle *first, *last;
    char name[];
};

struct cmap_handle {
    enum cmap_handle_kind kind;
    uint64_t number; /* what the client knows it by: generation and slot */
    struct cmap_client *client;
    struct cmap_handle *client_previous, *client_next;
    /* iterator */
    char *prefix;
    char last[CMAP_NAME_MAX + 1]; /* what was given out last; "": nothing yet */
    /* tracker */
    struct cmap_tracked *tracked;
    struct cmap_handle *tracked_previous, *tracked_next;
    uint32_t bits;
    uint64_t cookie;
};

/*
 * Appends the change and its notices if anybody tracks it. values are copied. CS_ERROR_NO_MEMORY leaves everything as it
 * was; the caller then does not make the change.
 */
enum cs_error cmap_changes_record(const struct cmap_store *store, struct cmap_changes *changes,
                                  const char *name, enum cmap_track event, struct cmap_value new_value,
                                  struct cmap_value old_value);

#endif
