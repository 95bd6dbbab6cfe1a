/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of cmap, cfg and the like share: requests as client libraries make them, with rubbish for padding, on the
 * heap so that reading beyond the end is found; and what stands in the outbox after a step, item by item. The outbox and
 * the request belong to the driver and are good until the next step.
 */
#ifndef QUORATE_TESTS_UNIT_SERVICE_DRIVER_H
#define QUORATE_TESTS_UNIT_SERVICE_DRIVER_H

#include "core/services/outbox.h"
#include "core/services/service.h"

#define DRIVER_REQUEST_MAX 20000

struct service_driver {
    enum q_err (*step)(void *service, const struct service_event *event, struct outbox *out);
    void *service;
    uint64_t now_ms;
    struct outbox out;
    uint8_t request[DRIVER_REQUEST_MAX];
    size_t request_size;
    uint8_t *sent;
};

void driver_init(struct service_driver *driver, void *service,
                 enum q_err (*step)(void *service, const struct service_event *event, struct outbox *out));
void driver_fini(struct service_driver *driver);

void driver_step(struct service_driver *driver, struct service_event event);
void driver_connect(struct service_driver *driver, uint64_t conn);
void driver_gone(struct service_driver *driver, uint64_t conn);
void driver_time(struct service_driver *driver, uint64_t now_ms);
/* From the exec header on; a copy of its own size. */
void driver_deliver(struct service_driver *driver, uint32_t sender, enum totem_order order, const void *bytes,
                    size_t size);

/* A request with its header, the rest is rubbish. */
void request_begin(struct service_driver *driver, int32_t id, size_t size);
void request_u8(struct service_driver *driver, size_t offset, uint8_t value);
void request_u32(struct service_driver *driver, size_t offset, uint32_t value);
void request_u64(struct service_driver *driver, size_t offset, uint64_t value);
void request_bytes(struct service_driver *driver, size_t offset, const void *bytes, size_t size);
/* A name256. */
void request_name(struct service_driver *driver, size_t offset, const char *name);
/* As it is, or only its first bytes. */
void request_send(struct service_driver *driver, uint64_t conn);
void request_send_part(struct service_driver *driver, uint64_t conn, size_t size);

/* The n-th item of that type; NULL: there are not so many. */
const struct outbox_item *out_item(const struct service_driver *driver, enum outbox_type type, size_t n);
size_t out_count(const struct service_driver *driver, enum outbox_type type);
const uint8_t *out_bytes(const struct service_driver *driver, const struct outbox_item *item);
/* The text of a task, note: terminated, good until the next call. */
const char *out_text(const struct service_driver *driver, const struct outbox_item *item);
/* The only answer must be this; gives its bytes. Everything a header leaves open must be zero. */
const uint8_t *out_answer(const struct service_driver *driver, uint64_t conn, int32_t id, size_t size,
                          enum cs_error error);
/* The n-th task must be this; gives the item. */
const struct outbox_item *out_task(const struct service_driver *driver, size_t n, enum outbox_task task);

#endif
