/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/cmap_service.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cmap_machine.h"
#include "core/services/cmap_wire.h"
#include "core/services/ipc_wire.h"

#define MEMBER_KEY_SIZE 64

/* ---- life ---- */

struct cmap_service *cmap_service_new(uint32_t node_id, struct cmap_store *keys)
{
    struct cmap_service *service = calloc(1, sizeof(*service));
    uint64_t handle;

    if (service == NULL)
        return NULL;
    service->node_id = node_id;
    service->keys = keys;
    service->sample_at_ms = SERVICE_NEVER;
    cmap_store_init(&service->statistics);
    cmap_store_init(&service->sampled);
    cmap_changes_init(&service->changes);
    node_set_init(&service->members);
    cmap_client_init(&service->self, 0);
    if (cmap_tracker_add(keys, &service->self, "",
                         CMAP_ON_ADD | CMAP_ON_MODIFY | CMAP_ON_DELETE | CMAP_ON_PREFIX, 0,
                         &handle) != CS_ERROR_OK) {
        cmap_service_free(service);
        return NULL;
    }
    return service;
}

static void connection_free(struct cmap_service *service, struct cmap_connection *connection)
{
    cmap_client_fini(service->keys, &connection->keys);
    cmap_client_fini(&service->statistics, &connection->statistics);
    cmap_client_fini(&service->sampled, &connection->sampled);
    free(connection);
}

void cmap_service_free(struct cmap_service *service)
{
    if (service == NULL)
        return;
    for (size_t i = 0; i < service->connection_count; i++)
        connection_free(service, service->connections[i]);
    free(service->connections);
    for (size_t i = 0; i < service->node_count; i++)
        free(service->nodes[i].ip_text);
    free(service->nodes);
    cmap_client_fini(service->keys, &service->self);
    cmap_store_fini(&service->statistics);
    cmap_store_fini(&service->sampled);
    cmap_changes_fini(&service->changes);
    node_set_fini(&service->members);
    free(service);
}

struct cmap_store *cmap_service_statistics(struct cmap_service *service)
{
    return &service->statistics;
}

/* ---- connections ---- */

/* Where it is, or would be. */
static size_t connection_place(const struct cmap_service *service, uint64_t conn)
{
    size_t low = 0, high = service->connection_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (service->connections[middle]->conn < conn)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct cmap_connection *cmap_service_connection(const struct cmap_service *service, uint64_t conn)
{
    size_t place = connection_place(service, conn);

    return place < service->connection_count && service->connections[place]->conn == conn
               ? service->connections[place]
               : NULL;
}

static enum q_err connect_client(struct cmap_service *service, uint64_t conn)
{
    size_t place = connection_place(service, conn);
    struct cmap_connection *connection;

    assert(conn != 0 && cmap_service_connection(service, conn) == NULL);
    if (service->connection_count == service->connection_capacity) {
        size_t capacity = service->connection_capacity == 0 ? 16 : 2 * service->connection_capacity;
        struct cmap_connection **larger = reallocarray(service->connections, capacity, sizeof(*larger));

        if (larger == NULL)
            return Q_ERR_NO_MEMORY;
        service->connections = larger;
        service->connection_capacity = capacity;
    }
    connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return Q_ERR_NO_MEMORY;
    connection->conn = conn;
    connection->map = CMAP_MAP_KEYS;
    cmap_client_init(&connection->keys, conn);
    cmap_client_init(&connection->statistics, conn);
    cmap_client_init(&connection->sampled, conn);
    memmove(&service->connections[place + 1], &service->connections[place],
            (service->connection_count - place) * sizeof(service->connections[0]));
    service->connections[place] = connection;
    service->connection_count++;
    return Q_OK;
}

static void client_gone(struct cmap_service *service, uint64_t conn)
{
    size_t place = connection_place(service, conn);

    assert(place < service->connection_count && service->connections[place]->conn == conn);
    connection_free(service, service->connections[place]);
    service->connection_count--;
    memmove(&service->connections[place], &service->connections[place + 1],
            (service->connection_count - place) * sizeof(service->connections[0]));
    cmap_sample_tidy(service);
}

bool cmap_service_wants_statistics(const struct cmap_service *service, uint64_t conn)
{
    const struct cmap_connection *connection = cmap_service_connection(service, conn);

    if (conn == 0)
        return service->sample_at_ms != SERVICE_NEVER;
    return connection != NULL && connection->map == CMAP_MAP_STATISTICS;
}

/* ---- changes ---- */

#define EVENT_ID 9
#define EVENT_COOKIE 24
#define EVENT_NAME_LENGTH 32
#define EVENT_NAME 40
#define EVENT_EVENT 296
#define EVENT_NEW_TYPE 304
#define EVENT_OLD_TYPE 312
#define EVENT_NEW_SIZE 320
#define EVENT_OLD_SIZE 328
#define EVENT_VALUES 336

static void put_value(uint8_t *bytes, const struct cmap_value *value)
{
    if (value->size > 0)
        memcpy(bytes, value->bytes, value->size);
}

static void send_event(struct outbox *out, uint64_t conn, uint64_t cookie, const struct cmap_change *change)
{
    size_t size = EVENT_VALUES + change->new_value.size + change->old_value.size;
    size_t length = strlen(change->name);
    uint8_t *bytes;

    outbox_add(out, OUTBOX_EVENT)->conn = conn;
    bytes = outbox_head(out, size);
    ipc_put_answer(bytes, EVENT_ID, size, CS_ERROR_OK);
    ipc_put_u64(bytes, EVENT_COOKIE, cookie);
    ipc_put_u16(bytes, EVENT_NAME_LENGTH, (uint16_t)length);
    memcpy(bytes + EVENT_NAME, change->name, length);
    ipc_put_u32(bytes, EVENT_EVENT, change->event);
    ipc_put_u8(bytes, EVENT_NEW_TYPE, (uint8_t)change->new_value.type);
    ipc_put_u8(bytes, EVENT_OLD_TYPE, (uint8_t)change->old_value.type);
    ipc_put_u64(bytes, EVENT_NEW_SIZE, change->new_value.size);
    ipc_put_u64(bytes, EVENT_OLD_SIZE, change->old_value.size);
    put_value(bytes + EVENT_VALUES, &change->new_value);
    put_value(bytes + EVENT_VALUES + change->new_value.size, &change->old_value);
}

void cmap_service_send_events(struct cmap_service *service, const struct cmap_changes *changes,
                              struct outbox *out)
{
    for (size_t i = 0; i < changes->notice_count; i++) {
        const struct cmap_notice *notice = &changes->notices[i];

        if (cmap_service_connection(service, notice->client_id) != NULL)
            send_event(out, notice->client_id, notice->cookie, &changes->items[notice->change_index]);
    }
}

static void announce_version(struct cmap_service *service, enum cmap_wire_reason reason, struct outbox *out)
{
    uint8_t bytes[CMAP_WIRE_SIZE_MAX] = {0};
    uint64_t version = 0;
    bool has_version = cmap_store_number(service->keys, CMAP_VERSION_KEY, CMAP_U64, &version);
    size_t size = cmap_wire_encode(bytes, reason, has_version, version);

    outbox_add(out, OUTBOX_MULTICAST)->for_this_ring = reason == CMAP_WIRE_SYNC;
    memcpy(outbox_head(out, size), bytes, size);
}

/* Before the first ring nobody is there to hear; its synchronisation tells. */
static void announce_changes(struct cmap_service *service, const struct cmap_changes *changes,
                             struct outbox *out)
{
    bool has_changed = false;

    for (size_t i = 0; i < changes->count; i++)
        has_changed = has_changed || strcmp(changes->items[i].name, CMAP_VERSION_KEY) == 0;
    if (has_changed && service->has_ring)
        announce_version(service, CMAP_WIRE_CHANGED, out);
}

void cmap_service_tell(struct cmap_service *service, struct cmap_changes *changes, struct outbox *out)
{
    cmap_service_send_events(service, changes, out);
    announce_changes(service, changes, out);
    cmap_changes_reset(changes);
}

void cmap_service_changed_by_client(struct cmap_service *service, struct outbox *out)
{
    for (size_t i = 0; i < service->changes.count; i++)
        outbox_task(out, OUTBOX_KEY_CHANGED, 0, service->changes.items[i].name);
    announce_changes(service, &service->changes, out);
    cmap_changes_reset(&service->changes);
}

/* ---- members ---- */

static size_t node_place(const struct cmap_service *service, uint32_t node_id)
{
    size_t place = 0;

    while (place < service->node_count && service->nodes[place].node_id < node_id)
        place++;
    return place;
}

enum q_err cmap_service_set_node(struct cmap_service *service, uint32_t node_id, const char *ip_text)
{
    size_t place = node_place(service, node_id);
    char *text = strdup(ip_text);

    if (text == NULL)
        return Q_ERR_NO_MEMORY;
    if (place < service->node_count && service->nodes[place].node_id == node_id) {
        free(service->nodes[place].ip_text);
        service->nodes[place].ip_text = text;
        return Q_OK;
    }
    if (service->node_count == service->node_capacity) {
        size_t capacity = service->node_capacity == 0 ? 8 : 2 * service->node_capacity;
        struct cmap_node *larger = reallocarray(service->nodes, capacity, sizeof(*larger));

        if (larger == NULL) {
            free(text);
            return Q_ERR_NO_MEMORY;
        }
        service->nodes = larger;
        service->node_capacity = capacity;
    }
    memmove(&service->nodes[place + 1], &service->nodes[place],
            (service->node_count - place) * sizeof(service->nodes[0]));
    service->nodes[place] = (struct cmap_node){node_id, text};
    service->node_count++;
    return Q_OK;
}

static const char *ip_text_of(const struct cmap_service *service, uint32_t node_id)
{
    size_t place = node_place(service, node_id);

    return place < service->node_count && service->nodes[place].node_id == node_id
               ? service->nodes[place].ip_text
               : "";
}

static void member_key(char key[MEMBER_KEY_SIZE], uint32_t node_id, const char *what)
{
    (void)snprintf(key, MEMBER_KEY_SIZE, "runtime.members.%u.%s", node_id, what);
}

/* A map that clients have filled up loses news of members; only want of memory stops the node. */
static enum q_err kept(enum cs_error error)
{
    return error == CS_ERROR_NO_MEMORY ? Q_ERR_NO_MEMORY : Q_OK;
}

static enum q_err set_status(struct cmap_service *service, uint32_t node_id, const char *status)
{
    char key[MEMBER_KEY_SIZE];

    member_key(key, node_id, "status");
    return kept(cmap_store_set_text(service->keys, key, status, &service->changes));
}

static enum q_err member_arrived(struct cmap_service *service, uint32_t node_id)
{
    char key[MEMBER_KEY_SIZE];
    enum cs_error error;
    uint64_t count;

    member_key(key, node_id, "join_count");
    if (cmap_store_number(service->keys, key, CMAP_U32, &count)) {
        error = cmap_store_adjust(service->keys, key, 1, &service->changes);
    } else {
        member_key(key, node_id, "ip");
        error = cmap_store_set_text(service->keys, key, ip_text_of(service, node_id), &service->changes);
        if (error != CS_ERROR_NO_MEMORY) {
            member_key(key, node_id, "join_count");
            error = cmap_store_set_number(service->keys, key, CMAP_U32, 1, &service->changes);
        }
    }
    return error == CS_ERROR_NO_MEMORY ? Q_ERR_NO_MEMORY : set_status(service, node_id, "joined");
}

/* A node that has left and come back at once does both. */
static enum q_err record_members(struct cmap_service *service, const struct node_set *members,
                                 const struct node_set *transitional)
{
    struct node_set stayed;
    enum q_err err;

    node_set_init(&stayed);
    err = node_set_copy(&stayed, &service->members);
    if (err != Q_OK)
        goto out;
    node_set_intersect(&stayed, members);
    node_set_intersect(&stayed, transitional);
    for (uint32_t i = 0; i < service->members.count && err == Q_OK; i++)
        if (!node_set_has(&stayed, service->members.ids[i]) && service->members.ids[i] != service->node_id)
            err = set_status(service, service->members.ids[i], "left");
    for (uint32_t i = 0; i < members->count && err == Q_OK; i++)
        if (!node_set_has(&stayed, members->ids[i]) &&
            (members->ids[i] != service->node_id || !node_set_has(&service->members, members->ids[i])))
            err = member_arrived(service, members->ids[i]);
    if (err == Q_OK)
        err = node_set_copy(&service->members, members);
out:
    node_set_fini(&stayed);
    return err;
}

/* ---- synchronisation ---- */

static uint64_t own_version(const struct cmap_service *service)
{
    uint64_t version = 0;

    (void)cmap_store_number(service->keys, CMAP_VERSION_KEY, CMAP_U64, &version);
    return version;
}

static enum q_err on_init(struct cmap_service *service, const struct service_event *event, struct outbox *out)
{
    enum q_err err = record_members(service, event->u.init.members, event->u.init.transitional);

    service->came_along = service->has_ring && event->u.init.transitional->count > 0;
    service->has_ring = true;
    service->version_highest = own_version(service);
    cmap_service_tell(service, &service->changes, out);
    return err;
}

static enum q_err on_delivered(struct cmap_service *service, const struct service_event *event,
                               struct outbox *out)
{
    uint32_t sender = event->u.delivered.sender;
    char key[MEMBER_KEY_SIZE];
    uint64_t version;
    enum q_err err;

    if (!node_set_has(&service->members, sender) ||
        !cmap_wire_decode(event->u.delivered.bytes, event->u.delivered.size, event->u.delivered.order,
                          &version))
        return Q_OK;
    member_key(key, sender, "config_version");
    err = kept(cmap_store_set_number(service->keys, key, CMAP_U64, version, &service->changes));
    if (sender != service->node_id && version > service->version_highest)
        service->version_highest = version;
    cmap_service_tell(service, &service->changes, out);
    return err;
}

/* Once, when a node that was on its own has met others (spec/totem-protocol.md section 15.1). */
static void on_activate(struct cmap_service *service, struct outbox *out)
{
    uint64_t version = own_version(service);

    if (!service->came_along || service->version_checked || version == 0)
        return;
    service->version_checked = true;
    if (service->version_highest == version)
        return;
    outbox_note(out, SERVICE_CMAP, OUTBOX_ERROR,
                "Received config version (%llu) is different than my config version (%llu)! Exiting",
                (unsigned long long)service->version_highest, (unsigned long long)version);
    outbox_task(out, OUTBOX_LEAVE, 0, NULL);
}

/* ---- steps ---- */

static enum q_err apply(struct cmap_service *service, const struct service_event *event, struct outbox *out)
{
    switch (event->type) {
    case SERVICE_EV_SYNC_INIT:
        return on_init(service, event, out);
    case SERVICE_EV_SYNC_PROCESS:
        announce_version(service, CMAP_WIRE_SYNC, out);
        outbox_sync_done(out, SERVICE_CMAP);
        return Q_OK;
    case SERVICE_EV_SYNC_ACTIVATE:
        on_activate(service, out);
        return Q_OK;
    case SERVICE_EV_SYNC_ABORT:
        return Q_OK;
    case SERVICE_EV_DELIVERED:
        return on_delivered(service, event, out);
    case SERVICE_EV_CONNECT:
        return connect_client(service, event->u.client.conn);
    case SERVICE_EV_REQUEST:
        cmap_request(service, event, out);
        return Q_OK;
    case SERVICE_EV_GONE:
        client_gone(service, event->u.client.conn);
        return Q_OK;
    case SERVICE_EV_TIME:
        return kept(cmap_sample(service, event->now_ms, out));
    }
    return Q_OK;
}

enum q_err cmap_service_step(struct cmap_service *service, const struct service_event *event,
                             struct outbox *out)
{
    enum q_err err = apply(service, event, out);

    assert(service->changes.count == 0);
    return err == Q_OK && out->no_memory ? Q_ERR_NO_MEMORY : err;
}

uint64_t cmap_service_deadline_ms(const struct cmap_service *service)
{
    return service->sample_at_ms;
}
