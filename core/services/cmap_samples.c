/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core/services/cmap_machine.h"

/* Makes the copy what the statistics are. The two are walked side by side, for both are in the order of names. */
static enum cs_error take_sample(struct cmap_service *service, struct cmap_changes *changes)
{
    char name[CMAP_NAME_MAX + 1] = "", gone[CMAP_NAME_MAX + 1] = "";
    enum cs_error error = CS_ERROR_OK;
    struct cmap_value value, now;
    const char *next;

    while ((next = cmap_store_next(&service->sampled, "", gone, &value)) != NULL) {
        memcpy(gone, next, strlen(next) + 1);
        if (cmap_store_get(&service->statistics, gone, &now) != CS_ERROR_OK)
            error = cmap_store_delete(&service->sampled, gone, changes);
        if (error != CS_ERROR_OK)
            return error;
    }
    while ((next = cmap_store_next(&service->statistics, "", name, &now)) != NULL) {
        memcpy(name, next, strlen(next) + 1);
        error = cmap_store_set(&service->sampled, name, now, changes);
        if (error != CS_ERROR_OK)
            return error;
    }
    return CS_ERROR_OK;
}

static void forget_sample(struct cmap_service *service)
{
    cmap_store_fini(&service->sampled);
    cmap_store_init(&service->sampled);
    service->sample_at_ms = SERVICE_NEVER;
}

void cmap_sample_tidy(struct cmap_service *service)
{
    if (service->sample_at_ms != SERVICE_NEVER && service->sampled.handle_count == 0)
        forget_sample(service);
}

enum cs_error cmap_sample_tracker_add(struct cmap_service *service, struct cmap_connection *connection,
                                      uint64_t now_ms, const char *name, uint32_t bits, uint64_t cookie,
                                      uint64_t *handle)
{
    enum cs_error error;

    if ((bits & CMAP_ON_PREFIX) != 0) {
        /* Whole families are told of by what comes and goes, not by each of their numbers. */
        if ((bits & CMAP_ON_ADD) == 0 || (bits & CMAP_ON_DELETE) == 0)
            return CS_ERROR_NOT_SUPPORTED;
        bits &= ~(uint32_t)CMAP_ON_MODIFY;
    }
    if (service->sample_at_ms == SERVICE_NEVER) {
        error = take_sample(service, NULL);
        if (error != CS_ERROR_OK) {
            forget_sample(service);
            return error;
        }
        service->sampled_at_ms = now_ms;
        service->sample_at_ms = now_ms + CMAP_SAMPLE_INTERVAL_MS;
    }
    error = cmap_tracker_add(&service->sampled, &connection->sampled, name, bits, cookie, handle);
    cmap_sample_tidy(service);
    return error;
}

enum cs_error cmap_sample_tracker_remove(struct cmap_service *service, struct cmap_connection *connection,
                                         uint64_t handle, uint64_t *cookie)
{
    enum cs_error error = cmap_tracker_remove(&service->sampled, &connection->sampled, handle, cookie);

    cmap_sample_tidy(service);
    return error;
}

enum cs_error cmap_sample(struct cmap_service *service, uint64_t now_ms, struct outbox *out)
{
    enum cs_error error;

    if (now_ms < service->sample_at_ms)
        return CS_ERROR_OK;
    service->sampled_at_ms = now_ms;
    service->sample_at_ms = now_ms + CMAP_SAMPLE_INTERVAL_MS;
    error = take_sample(service, &service->changes);
    cmap_service_send_events(service, &service->changes, out);
    cmap_changes_reset(&service->changes);
    return error;
}

void cmap_service_hasten(struct cmap_service *service)
{
    uint64_t soon_ms = service->sampled_at_ms + CMAP_SAMPLE_DISTANCE_MS;

    if (service->sample_at_ms != SERVICE_NEVER && service->sample_at_ms > soon_ms)
        service->sample_at_ms = soon_ms;
}
