/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/service_driver.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/ipc_wire.h"

void driver_init(struct service_driver *driver, void *service,
                 enum q_err (*step)(void *service, const struct service_event *event, struct outbox *out))
{
    memset(driver, 0, sizeof(*driver));
    driver->service = service;
    driver->step = step;
    driver->now_ms = 1000;
    outbox_init(&driver->out);
}

void driver_fini(struct service_driver *driver)
{
    outbox_fini(&driver->out);
    free(driver->sent);
}

void driver_step(struct service_driver *driver, struct service_event event)
{
    event.now_ms = driver->now_ms;
    outbox_reset(&driver->out);
    assert_int_equal(driver->step(driver->service, &event, &driver->out), Q_OK);
    assert_false(driver->out.no_memory);
}

void driver_connect(struct service_driver *driver, uint64_t conn)
{
    driver_step(driver,
                (struct service_event){.type = SERVICE_EV_CONNECT, .u.client = {.conn = conn, .pid = 7}});
}

void driver_gone(struct service_driver *driver, uint64_t conn)
{
    driver_step(driver, (struct service_event){.type = SERVICE_EV_GONE, .u.client.conn = conn});
}

void driver_time(struct service_driver *driver, uint64_t now_ms)
{
    driver->now_ms = now_ms;
    driver_step(driver, (struct service_event){.type = SERVICE_EV_TIME});
}

static const uint8_t *copy(struct service_driver *driver, const void *bytes, size_t size)
{
    free(driver->sent);
    driver->sent = malloc(size > 0 ? size : 1);
    assert_non_null(driver->sent);
    if (size > 0)
        memcpy(driver->sent, bytes, size);
    return driver->sent;
}

void driver_deliver(struct service_driver *driver, uint32_t sender, enum totem_order order, const void *bytes,
                    size_t size)
{
    driver_step(driver,
                (struct service_event){.type = SERVICE_EV_DELIVERED,
                                       .u.delivered = {sender, order, copy(driver, bytes, size), size}});
}

/* ---- requests ---- */

void request_begin(struct service_driver *driver, int32_t id, size_t size)
{
    assert_in_range(size, IPC_REQUEST_SIZE, DRIVER_REQUEST_MAX);
    driver->request_size = size;
    memset(driver->request, 0xa5, size);
    request_u32(driver, 0, (uint32_t)id);
    request_u32(driver, 8, (uint32_t)size);
}

void request_u8(struct service_driver *driver, size_t offset, uint8_t value)
{
    request_bytes(driver, offset, &value, sizeof(value));
}

void request_u32(struct service_driver *driver, size_t offset, uint32_t value)
{
    request_bytes(driver, offset, &value, sizeof(value));
}

void request_u64(struct service_driver *driver, size_t offset, uint64_t value)
{
    request_bytes(driver, offset, &value, sizeof(value));
}

void request_bytes(struct service_driver *driver, size_t offset, const void *bytes, size_t size)
{
    assert_true(offset + size <= driver->request_size);
    if (size > 0)
        memcpy(driver->request + offset, bytes, size);
}

void request_name(struct service_driver *driver, size_t offset, const char *name)
{
    uint16_t length = (uint16_t)strlen(name);

    assert_true(offset + 264 <= driver->request_size && length <= 256);
    memset(driver->request + offset + 8, 0, 256);
    request_bytes(driver, offset, &length, sizeof(length));
    request_bytes(driver, offset + 8, name, length);
}

void request_send(struct service_driver *driver, uint64_t conn)
{
    request_send_part(driver, conn, driver->request_size);
}

void request_send_part(struct service_driver *driver, uint64_t conn, size_t size)
{
    driver_step(driver,
                (struct service_event){
                    .type = SERVICE_EV_REQUEST,
                    .u.client = {.conn = conn, .bytes = copy(driver, driver->request, size), .size = size}});
}

/* ---- what came of it ---- */

const struct outbox_item *out_item(const struct service_driver *driver, enum outbox_type type, size_t n)
{
    for (size_t i = 0; i < driver->out.count; i++)
        if (driver->out.items[i].type == type && n-- == 0)
            return &driver->out.items[i];
    return NULL;
}

size_t out_count(const struct service_driver *driver, enum outbox_type type)
{
    size_t count = 0;

    while (out_item(driver, type, count) != NULL)
        count++;
    return count;
}

const uint8_t *out_bytes(const struct service_driver *driver, const struct outbox_item *item)
{
    assert_non_null(item);
    assert_null(item->body);
    return outbox_head_of(&driver->out, item);
}

const char *out_text(const struct service_driver *driver, const struct outbox_item *item)
{
    static char text[1024];

    assert_non_null(item);
    assert_true(item->head_size < sizeof(text));
    if (item->head_size > 0)
        memcpy(text, outbox_head_of(&driver->out, item), item->head_size);
    text[item->head_size] = '\0';
    return text;
}

const uint8_t *out_answer(const struct service_driver *driver, uint64_t conn, int32_t id, size_t size,
                          enum cs_error error)
{
    const struct outbox_item *item = out_item(driver, OUTBOX_ANSWER, 0);
    const uint8_t *bytes = out_bytes(driver, item);

    assert_int_equal(out_count(driver, OUTBOX_ANSWER), 1);
    assert_int_equal(item->conn, conn);
    assert_int_equal(item->head_size, size);
    assert_int_equal(ipc_get_u32(bytes, 0), id);
    assert_int_equal(ipc_get_u32(bytes, 4), 0);
    assert_int_equal(ipc_get_u32(bytes, 8), size);
    assert_int_equal(ipc_get_u32(bytes, 12), 0);
    assert_int_equal(ipc_get_u32(bytes, 16), error);
    assert_int_equal(ipc_get_u32(bytes, 20), 0);
    return bytes;
}

const struct outbox_item *out_task(const struct service_driver *driver, size_t n, enum outbox_task task)
{
    const struct outbox_item *item = out_item(driver, OUTBOX_TASK, n);

    assert_non_null(item);
    assert_int_equal(item->task, task);
    return item;
}
