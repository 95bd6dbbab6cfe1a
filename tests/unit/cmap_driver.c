/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/unit/cmap_driver.h"

struct cmap_store keys;
struct cmap_service *service;
struct service_driver driver;

static enum q_err step(void *stepped, const struct service_event *event, struct outbox *out)
{
    return cmap_service_step(stepped, event, out);
}

int set_up_cmap(void **state)
{
    (void)state;
    cmap_store_init(&keys);
    service = cmap_service_new(ME, &keys);
    assert_non_null(service);
    driver_init(&driver, service, step);
    driver_connect(&driver, B); /* the later one first */
    driver_connect(&driver, A);
    assert_int_equal(driver.out.count, 0);
    return 0;
}

int tear_down_cmap(void **state)
{
    (void)state;
    driver_fini(&driver);
    cmap_service_free(service);
    cmap_store_fini(&keys);
    return 0;
}

void send_track(uint64_t conn, const char *name, uint32_t bits, uint64_t cookie)
{
    request_begin(&driver, TRACK, 296);
    request_name(&driver, 16, name);
    request_u32(&driver, 280, bits);
    request_u64(&driver, 288, cookie);
    request_send(&driver, conn);
}
