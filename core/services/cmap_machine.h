/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the service cmap share: cmap_service.c (life, members, changes), cmap_requests.c (what clients ask),
 * cmap_samples.c (trackers of statistics). Nobody else includes it.
 *
 * A client has a struct cmap_client for each map it can have handles in: that of keys, that of statistics for iterators,
 * and `sampled`, a copy of the statistics of the last sample, for trackers.
 */
#ifndef QUORATE_CORE_SERVICES_CMAP_MACHINE_H
#define QUORATE_CORE_SERVICES_CMAP_MACHINE_H

#include "core/services/cmap_service.h"

#define CMAP_VERSION_KEY "totem.config_version"

enum cmap_map { CMAP_MAP_KEYS = 0, CMAP_MAP_STATISTICS = 1 };

struct cmap_connection {
    uint64_t conn;
    enum cmap_map map;
    struct cmap_client keys, statistics, sampled;
};

struct cmap_node {
    uint32_t node_id;
    char *ip_text;
};

struct cmap_service {
    uint32_t node_id;
    struct cmap_store *keys;
    struct cmap_store statistics;
    struct cmap_store sampled; /* empty while nobody tracks statistics */
    uint64_t sample_at_ms;     /* SERVICE_NEVER: nobody does */
    uint64_t sampled_at_ms;
    struct cmap_client self;   /* follows all keys, so that each change is recorded; its id is 0 */
    struct cmap_changes changes;

    struct cmap_connection **connections; /* ascending by conn */
    size_t connection_count, connection_capacity;

    struct cmap_node *nodes; /* ascending by id */
    size_t node_count, node_capacity;

    struct node_set members; /* those whose status is "joined" */
    bool has_ring;
    bool came_along;      /* this node had a ring before the present one */
    bool version_checked; /* once in the life of a daemon */
    uint64_t version_highest;
};

/* Tells clients of changes; the service itself is told nothing. */
void cmap_service_send_events(struct cmap_service *service, const struct cmap_changes *changes,
                              struct outbox *out);
/* Of the client: after its answer. */
void cmap_service_changed_by_client(struct cmap_service *service, struct outbox *out);

struct cmap_connection *cmap_service_connection(const struct cmap_service *service, uint64_t conn);

/* cmap_requests.c */
void cmap_request(struct cmap_service *service, const struct service_event *event, struct outbox *out);

/* cmap_samples.c: as cmap_tracker_add and _remove; and what is due. */
enum cs_error cmap_sample_tracker_add(struct cmap_service *service, struct cmap_connection *connection,
                                      uint64_t now_ms, const char *name, uint32_t bits, uint64_t cookie,
                                      uint64_t *handle);
enum cs_error cmap_sample_tracker_remove(struct cmap_service *service, struct cmap_connection *connection,
                                         uint64_t handle, uint64_t *cookie);
/* Trackers may have gone with their client. */
void cmap_sample_tidy(struct cmap_service *service);
enum cs_error cmap_sample(struct cmap_service *service, uint64_t now_ms, struct outbox *out);

#endif
