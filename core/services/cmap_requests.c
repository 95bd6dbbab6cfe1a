/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <string.h>

#include "core/services/cmap_machine.h"
#include "core/services/ipc_wire.h"

enum cmap_request_type {
    CMAP_SET,
    CMAP_DELETE,
    CMAP_GET,
    CMAP_ADJUST,
    CMAP_ITERATE,
    CMAP_NEXT,
    CMAP_ITERATE_END,
    CMAP_TRACK,
    CMAP_TRACK_END,
    CMAP_SET_MAP,
    CMAP_REQUEST_COUNT
};

/* A name in a request: length, then room for 256 bytes. */
#define NAME 16
#define NAME_VALUE (NAME + 8)
#define NAME_SIZE 256
#define NAME_END (NAME_VALUE + NAME_SIZE)

#define SET_SIZE 280
#define SET_TYPE 288
#define SET_VALUE 296
#define GET_ROOM 280
#define ADJUST_STEP 280
#define HANDLE 16 /* NEXT, ITERATE_END, TRACK_END */
#define TRACK_BITS 280
#define TRACK_COOKIE 288
#define SET_MAP_MAP 16

#define GET_ANSWER_SIZE 24
#define GET_ANSWER_TYPE 32
#define GET_ANSWER_VALUE 40
#define NEXT_ANSWER_NAME_LENGTH 24
#define NEXT_ANSWER_NAME 32
#define NEXT_ANSWER_SIZE 288
#define NEXT_ANSWER_TYPE 296
#define ANSWER_HANDLE 24 /* ITERATE, TRACK; TRACK_END: the cookie */

#define STORED_SIZE_MAX (CMAP_VALUE_MAX + 1) /* text that was submitted without its terminator */

static const struct {
    size_t request_size; /* up to the end of the last field; what clients send beyond it is padding */
    int32_t answer_id;
    size_t answer_size;
} messages[CMAP_REQUEST_COUNT] = {
    [CMAP_SET] = {SET_VALUE, 0, IPC_ANSWER_SIZE},
    [CMAP_DELETE] = {NAME_END, 1, IPC_ANSWER_SIZE},
    [CMAP_GET] = {GET_ROOM + 8, 2, GET_ANSWER_VALUE},
    [CMAP_ADJUST] = {ADJUST_STEP + 4, 3, IPC_ANSWER_SIZE},
    [CMAP_ITERATE] = {NAME_END, 4, 32},
    [CMAP_NEXT] = {HANDLE + 8, 5, 304},
    [CMAP_ITERATE_END] = {HANDLE + 8, 6, IPC_ANSWER_SIZE},
    [CMAP_TRACK] = {TRACK_COOKIE + 8, 7, 32},
    [CMAP_TRACK_END] = {HANDLE + 8, 8, 32},
    [CMAP_SET_MAP] = {SET_MAP_MAP + 4, 10, IPC_ANSWER_SIZE},
};

struct request {
    enum cmap_request_type type;
    struct cmap_connection *connection;
    uint64_t now_ms;
    const uint8_t *bytes;
    size_t size;
    char name[NAME_SIZE + 1]; /* of those that have one; too long if it fills its field */
};

/* The answer of a request, zeroed but for its header; `more` bytes behind its fixed part. */
static uint8_t *answer(struct outbox *out, const struct request *request, enum cs_error error, size_t more)
{
    size_t size = messages[request->type].answer_size + more;
    uint8_t *bytes;

    outbox_add(out, OUTBOX_ANSWER)->conn = request->connection->conn;
    bytes = outbox_head(out, size);
    ipc_put_answer(bytes, messages[request->type].answer_id, size, error);
    return bytes;
}

static bool is_about_keys(const struct request *request)
{
    return request->connection->map == CMAP_MAP_KEYS;
}

/* ---- changes ---- */

/* What may be set among statistics: not a value, but the order to begin anew. */
static enum cs_error clear_statistics(const char *name, struct outbox *out)
{
    static const char prefix[] = "stats.clear.";
    static const char *const what[] = {"knet", "ipc", "totem", "schedmiss", "all"};

    if (strncmp(name, prefix, strlen(prefix)) != 0)
        return CS_ERROR_ACCESS;
    name += strlen(prefix);
    for (size_t i = 0; out != NULL && i < sizeof(what) / sizeof(what[0]); i++) {
        if (strncmp(name, what[i], strlen(what[i])) == 0) {
            outbox_task(out, OUTBOX_CLEAR_STATS, 0, what[i]);
            return CS_ERROR_OK;
        }
    }
    return CS_ERROR_NOT_SUPPORTED;
}

static enum cs_error set(struct cmap_service *service, const struct request *request, struct outbox *out)
{
    uint64_t size = ipc_get_u64(request->bytes, SET_SIZE);
    struct cmap_value value = {(enum cmap_type)ipc_get_u8(request->bytes, SET_TYPE), (size_t)size,
                               request->bytes + SET_VALUE};

    if (!is_about_keys(request))
        return clear_statistics(request->name, out);
    if (cmap_store_is_read_only(service->keys, request->name))
        return CS_ERROR_ACCESS;
    if (size > CMAP_VALUE_MAX || size > request->size - SET_VALUE)
        return CS_ERROR_INVALID_PARAM;
    return cmap_client_set(service->keys, request->name, value, &service->changes);
}

static enum cs_error change(struct cmap_service *service, const struct request *request, struct outbox *out)
{
    if (request->type == CMAP_SET)
        return set(service, request, out);
    if (!is_about_keys(request))
        return clear_statistics(request->name, NULL);
    if (request->type == CMAP_DELETE)
        return cmap_client_delete(service->keys, request->name, &service->changes);
    return cmap_client_adjust(service->keys, request->name, (int32_t)ipc_get_u32(request->bytes, ADJUST_STEP),
                              &service->changes);
}

static void on_change(struct cmap_service *service, const struct request *request, struct outbox *out)
{
    enum cs_error error = change(service, request, out);

    cmap_service_send_events(service, &service->changes, out);
    (void)answer(out, request, error, 0);
    cmap_service_changed_by_client(service, out);
}

/* ---- reading ---- */

static void on_get(struct cmap_service *service, const struct request *request, struct outbox *out)
{
    const struct cmap_store *map = is_about_keys(request) ? service->keys : &service->statistics;
    uint64_t room = ipc_get_u64(request->bytes, GET_ROOM);
    struct cmap_value value;
    enum cs_error error = cmap_client_get(map, request->name, room, &value);
    uint8_t *bytes;

    if (error != CS_ERROR_OK) {
        (void)answer(out, request, error, 0);
        return;
    }
    /* Clients expect as much as they have asked for; nobody gets more zeros than could have been a value. */
    bytes = answer(out, request, error, room < STORED_SIZE_MAX ? (size_t)room : STORED_SIZE_MAX);
    ipc_put_u64(bytes, GET_ANSWER_SIZE, value.size);
    ipc_put_u8(bytes, GET_ANSWER_TYPE, (uint8_t)value.type);
    if (room > 0 && value.size > 0)
        memcpy(bytes + GET_ANSWER_VALUE, value.bytes, value.size);
}

static struct cmap_store *iterated(struct cmap_service *service, const struct request *request,
                                   struct cmap_client **client)
{
    *client = is_about_keys(request) ? &request->connection->keys : &request->connection->statistics;
    return is_about_keys(request) ? service->keys : &service->statistics;
}

static void on_iterate(struct cmap_service *service, const struct request *request, struct outbox *out)
{
    struct cmap_client *client;
    struct cmap_store *map = iterated(service, request, &client);
    uint64_t handle = 0;
    enum cs_error error = cmap_iterator_add(map, client, request->name, &handle);

    ipc_put_u64(answer(out, request, error, 0), ANSWER_HANDLE, handle);
}

static void on_next(struct cmap_service *service, const struct request *request, struct outbox *out)
{
    struct cmap_client *client;
    struct cmap_store *map = iterated(service, request, &client);
    struct cmap_value value;
    const char *name;
    enum cs_error error = cmap_iterator_next(map, client, ipc_get_u64(request->bytes, HANDLE), &name, &value);
    uint8_t *bytes = answer(out, request, error, 0);

    if (error != CS_ERROR_OK)
        return;
    ipc_put_u16(bytes, NEXT_ANSWER_NAME_LENGTH, (uint16_t)strlen(name));
    memcpy(bytes + NEXT_ANSWER_NAME, name, strlen(name));
    ipc_put_u64(bytes, NEXT_ANSWER_SIZE, value.size);
    ipc_put_u8(bytes, NEXT_ANSWER_TYPE, (uint8_t)value.type);
}

static void on_iterate_end(struct cmap_service *service, const struct request *request, struct outbox *out)
{
    struct cmap_client *client;
    struct cmap_store *map = iterated(service, request, &client);

    (void)answer(out, request, cmap_iterator_remove(map, client, ipc_get_u64(request->bytes, HANDLE)), 0);
}

/* ---- tracking ---- */

static void on_track(struct cmap_service *service, const struct request *request, struct outbox *out)
{
    uint32_t bits = ipc_get_u32(request->bytes, TRACK_BITS);
    uint64_t cookie = ipc_get_u64(request->bytes, TRACK_COOKIE);
    uint64_t handle = 0;
    enum cs_error error;

    if (strlen(request->name) > CMAP_NAME_MAX)
        error = CS_ERROR_NAME_TOO_LONG;
    else if (is_about_keys(request))
        error =
            cmap_tracker_add(service->keys, &request->connection->keys, request->name, bits, cookie, &handle);
    else
        error = cmap_sample_tracker_add(service, request->connection, request->now_ms, request->name, bits,
                                        cookie, &handle);
    ipc_put_u64(answer(out, request, error, 0), ANSWER_HANDLE, handle);
}

static void on_track_end(struct cmap_service *service, const struct request *request, struct outbox *out)
{
    uint64_t handle = ipc_get_u64(request->bytes, HANDLE);
    uint64_t cookie = 0;
    enum cs_error error;

    if (is_about_keys(request))
        error = cmap_tracker_remove(service->keys, &request->connection->keys, handle, &cookie);
    else
        error = cmap_sample_tracker_remove(service, request->connection, handle, &cookie);
    ipc_put_u64(answer(out, request, error, 0), ANSWER_HANDLE, cookie);
}

static bool has_handles(const struct cmap_connection *connection)
{
    return connection->keys.handles != NULL || connection->statistics.handles != NULL ||
           connection->sampled.handles != NULL;
}

static void on_set_map(const struct request *request, struct outbox *out)
{
    uint32_t map = ipc_get_u32(request->bytes, SET_MAP_MAP);
    enum cs_error error = CS_ERROR_OK;

    if (has_handles(request->connection))
        error = CS_ERROR_BUSY;
    else if (map != CMAP_MAP_KEYS && map != CMAP_MAP_STATISTICS)
        error = CS_ERROR_NOT_EXIST;
    else
        request->connection->map = (enum cmap_map)map;
    (void)answer(out, request, error, 0);
}

/* ---- all ---- */

static bool has_name(enum cmap_request_type type)
{
    return messages[type].request_size >= NAME_END;
}

/* As many bytes as the length says, up to all of its field; without terminators among them. */
static bool get_name(struct request *request)
{
    size_t length = ipc_get_u16(request->bytes, NAME);

    if (length > NAME_SIZE)
        length = NAME_SIZE;
    memcpy(request->name, request->bytes + NAME_VALUE, length);
    return memchr(request->name, '\0', length) == NULL;
}

/* Does it have all that it must, and not claim more than has arrived? */
static bool is_whole(struct request *request)
{
    size_t said = ipc_get_u32(request->bytes, 8);

    if (said > request->size || said < messages[request->type].request_size)
        return false;
    request->size = said;
    return !has_name(request->type) || get_name(request);
}

static void carry_out(struct cmap_service *service, const struct request *request, struct outbox *out)
{
    switch (request->type) {
    case CMAP_SET:
    case CMAP_DELETE:
    case CMAP_ADJUST:
        on_change(service, request, out);
        break;
    case CMAP_GET:
        on_get(service, request, out);
        break;
    case CMAP_ITERATE:
        on_iterate(service, request, out);
        break;
    case CMAP_NEXT:
        on_next(service, request, out);
        break;
    case CMAP_ITERATE_END:
        on_iterate_end(service, request, out);
        break;
    case CMAP_TRACK:
        on_track(service, request, out);
        break;
    case CMAP_TRACK_END:
        on_track_end(service, request, out);
        break;
    case CMAP_SET_MAP:
        on_set_map(request, out);
        break;
    case CMAP_REQUEST_COUNT:
        break;
    }
}

void cmap_request(struct cmap_service *service, const struct service_event *event, struct outbox *out)
{
    struct request request = {.connection = cmap_service_connection(service, event->u.client.conn),
                              .now_ms = event->now_ms,
                              .bytes = event->u.client.bytes,
                              .size = event->u.client.size};
    uint32_t id;

    assert(request.connection != NULL && request.size >= IPC_REQUEST_SIZE);
    id = (uint32_t)ipc_request_id(request.bytes);
    if (id >= CMAP_REQUEST_COUNT) {
        outbox_answer(out, event->u.client.conn, 0, CS_ERROR_INVALID_PARAM);
        return;
    }
    request.type = (enum cmap_request_type)id;
    if (is_whole(&request))
        carry_out(service, &request, out);
    else
        (void)answer(out, &request, CS_ERROR_INVALID_PARAM, 0);
}
