/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the service cmap keeps of the cluster: members and versions of configurations as rings come and go, byte by byte as
 * in spec/totem-wire.md section 8.5; and messages of nodes that have gone mad.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cmap_wire.h"
#include "core/services/ipc_wire.h"
#include "tests/unit/cmap_driver.h"

static void event_is(size_t n, uint32_t event, const char *name)
{
    const uint8_t *bytes = out_bytes(&driver, out_item(&driver, OUTBOX_EVENT, n));

    assert_string_equal((const char *)bytes + 40, name);
    assert_int_equal(ipc_get_u32(bytes, 296), event);
}

/* ---- members ---- */

static struct node_set members, transitional;

static void ring(const uint32_t *all, size_t count, const uint32_t *stayed, size_t stayed_count)
{
    struct service_event event = {.type = SERVICE_EV_SYNC_INIT, .u.init = {{1, 4}, &members, &transitional}};

    assert_int_equal(node_set_assign(&members, all, count), Q_OK);
    assert_int_equal(node_set_assign(&transitional, stayed, stayed_count), Q_OK);
    driver_step(&driver, event);
    node_set_fini(&members);
    node_set_fini(&transitional);
}

static void sync_step(enum service_event_type type)
{
    driver_step(&driver, (struct service_event){.type = type});
}

static const char *status(const char *name)
{
    const char *text = cmap_store_text(&keys, name);

    return text == NULL ? "none" : text;
}

static uint64_t number(const char *name, enum cmap_type type)
{
    uint64_t value = 0;

    assert_true(cmap_store_number(&keys, name, type, &value));
    return value;
}

static void members_come_and_go(void **state)
{
    (void)state;
    send_track(A, "runtime.members.", CMAP_ON_ADD | CMAP_ON_MODIFY | CMAP_ON_PREFIX, 1);
    assert_int_equal(cmap_service_set_node(service, 2, "wrong"), Q_OK);
    assert_int_equal(cmap_service_set_node(service, 1, "r(0) ip(10.0.0.1) "), Q_OK);
    assert_int_equal(cmap_service_set_node(service, 2, "r(0) ip(10.0.0.2) "), Q_OK);
    ring((uint32_t[]){2}, 1, NULL, 0);
    event_is(0, CMAP_ON_ADD, "runtime.members.2.ip");
    event_is(1, CMAP_ON_ADD, "runtime.members.2.join_count");
    event_is(2, CMAP_ON_ADD, "runtime.members.2.status");
    assert_int_equal(driver.out.count, 3);
    assert_string_equal(status("runtime.members.2.ip"), "r(0) ip(10.0.0.2) ");
    assert_int_equal(number("runtime.members.2.join_count", CMAP_U32), 1);

    ring((uint32_t[]){1, 2, 3}, 3, (uint32_t[]){2}, 1);
    assert_string_equal(status("runtime.members.1.status"), "joined");
    assert_string_equal(status("runtime.members.1.ip"), "r(0) ip(10.0.0.1) ");
    assert_string_equal(status("runtime.members.3.ip"), ""); /* nobody has said */
    assert_int_equal(out_count(&driver, OUTBOX_EVENT), 6);

    ring((uint32_t[]){2, 3}, 2, (uint32_t[]){2, 3}, 2);
    assert_string_equal(status("runtime.members.1.status"), "left");
    assert_int_equal(driver.out.count, 1);

    ring((uint32_t[]){1, 2, 3}, 3, (uint32_t[]){2, 3}, 2);
    event_is(0, CMAP_ON_MODIFY, "runtime.members.1.join_count");
    event_is(1, CMAP_ON_MODIFY, "runtime.members.1.status");
    assert_int_equal(number("runtime.members.1.join_count", CMAP_U32), 2);

    /* Node 3 was away so shortly that only the ring has noticed. */
    ring((uint32_t[]){1, 2, 3}, 3, (uint32_t[]){1, 2}, 2);
    event_is(0, CMAP_ON_MODIFY, "runtime.members.3.status");
    event_is(1, CMAP_ON_MODIFY, "runtime.members.3.join_count");
    event_is(2, CMAP_ON_MODIFY, "runtime.members.3.status");
    assert_int_equal(driver.out.count, 3);
    assert_int_equal(number("runtime.members.2.join_count", CMAP_U32), 1);
}

/* ---- versions ---- */

static void set_version(uint64_t version)
{
    assert_int_equal(cmap_store_set_number(&keys, "totem.config_version", CMAP_U64, version, NULL),
                     CS_ERROR_OK);
}

/* The message as it stands in spec/totem-wire.md sections 8.5 and 13. */
static void version_message(uint8_t bytes[336], bool has_version, uint64_t version, enum totem_order order)
{
    memset(bytes, 0, 336);
    memset(bytes + 4, 0xe8, 4); /* real nodes leave rubbish there */
    memset(bytes + 12, 0x55, 4);
    totem_put_u32(bytes + 8, has_version ? 336 : 328, order);
    bytes[24] = 1;
    totem_put_u16(bytes + 48, 20, order);
    memcpy(bytes + 56, "totem.config_version", 20);
    if (has_version) {
        bytes[48 + 264] = 8;
        totem_put_u64(bytes + 48 + 272, 8, order);
        totem_put_u64(bytes + 48 + 280, version, order);
    }
}

static const uint8_t *sent_message(size_t size)
{
    const struct outbox_item *item = out_item(&driver, OUTBOX_MULTICAST, 0);

    assert_non_null(item);
    assert_int_equal(item->head_size, size);
    return out_bytes(&driver, item);
}

static void hear_version(uint32_t sender, uint64_t version)
{
    uint8_t bytes[336];

    version_message(bytes, true, version, TOTEM_LITTLE_ENDIAN);
    driver_deliver(&driver, sender, TOTEM_LITTLE_ENDIAN, bytes, sizeof(bytes));
}

static void the_version_is_announced(void **state)
{
    uint8_t expected[336];

    (void)state;
    ring((uint32_t[]){2}, 1, NULL, 0);
    sync_step(SERVICE_EV_SYNC_PROCESS);
    version_message(expected, false, 0, TOTEM_ORDER_OURS);
    memset(expected + 4, 0, 4);
    memset(expected + 12, 0, 4);
    assert_memory_equal(sent_message(328), expected, 328);
    assert_true(out_item(&driver, OUTBOX_MULTICAST, 0)->for_this_ring);
    assert_int_equal(driver.out.items[1].type, OUTBOX_SYNC_DONE);
    assert_int_equal(driver.out.items[1].service, SERVICE_CMAP);
    assert_int_equal(driver.out.count, 2);

    set_version(7);
    sync_step(SERVICE_EV_SYNC_PROCESS);
    version_message(expected, true, 7, TOTEM_ORDER_OURS);
    memset(expected + 4, 0, 4);
    memset(expected + 12, 0, 4);
    assert_memory_equal(sent_message(336), expected, 336);
}

static void a_change_of_the_version_is_announced(void **state)
{
    struct cmap_changes changes;
    uint64_t version = 8;

    (void)state;
    cmap_changes_init(&changes);
    assert_int_equal(cmap_store_set_number(&keys, "totem.config_version", CMAP_U64, 3, &changes),
                     CS_ERROR_OK);
    outbox_reset(&driver.out);
    cmap_service_tell(service, &changes, &driver.out); /* before the first ring: nobody is there */
    assert_int_equal(driver.out.count, 0);

    ring((uint32_t[]){2}, 1, NULL, 0);
    assert_int_equal(cmap_store_set_number(&keys, "totem.config_version", CMAP_U64, 4, &changes),
                     CS_ERROR_OK);
    outbox_reset(&driver.out);
    cmap_service_tell(service, &changes, &driver.out);
    assert_int_equal(sent_message(336)[16], 1);
    assert_int_equal(sent_message(336)[48 + 280], 4);
    assert_false(out_item(&driver, OUTBOX_MULTICAST, 0)->for_this_ring);

    request_begin(&driver, SET, 304);
    request_name(&driver, 16, "totem.config_version");
    request_u64(&driver, 280, sizeof(version));
    request_u8(&driver, 288, CMAP_U64);
    request_u64(&driver, 296, version);
    request_send(&driver, A);
    assert_int_equal(sent_message(336)[48 + 280], 8);
    (void)out_task(&driver, 0, OUTBOX_KEY_CHANGED);
    request_begin(&driver, DELETE, 280);
    request_name(&driver, 16, "totem.config_version");
    request_send(&driver, A);
    assert_int_equal(sent_message(328)[48 + 264], 0);
    cmap_changes_fini(&changes);
}

static void versions_of_others_are_kept(void **state)
{
    uint8_t bytes[336];

    (void)state;
    ring((uint32_t[]){1, 2, 3}, 3, NULL, 0);
    hear_version(1, 5);
    assert_int_equal(number("runtime.members.1.config_version", CMAP_U64), 5);
    version_message(bytes, true, 0x0102030405060708, TOTEM_BIG_ENDIAN);
    driver_deliver(&driver, 3, TOTEM_BIG_ENDIAN, bytes, 336);
    assert_int_equal(number("runtime.members.3.config_version", CMAP_U64), 0x0102030405060708);
    version_message(bytes, false, 0, TOTEM_LITTLE_ENDIAN);
    driver_deliver(&driver, 1, TOTEM_LITTLE_ENDIAN, bytes, 328);
    assert_int_equal(number("runtime.members.1.config_version", CMAP_U64), 0);
    hear_version(4, 5); /* not a member */
    assert_null(cmap_store_next(&keys, "runtime.members.4", "", &(struct cmap_value){0}));
}

static void a_version_of_another_type_counts_as_none(void **state)
{
    uint8_t bytes[336];

    (void)state;
    ring((uint32_t[]){1, 2}, 2, NULL, 0);
    hear_version(1, 5);
    version_message(bytes, true, 6, TOTEM_LITTLE_ENDIAN);
    bytes[48 + 264] = CMAP_I64;
    driver_deliver(&driver, 1, TOTEM_LITTLE_ENDIAN, bytes, sizeof(bytes));
    assert_int_equal(number("runtime.members.1.config_version", CMAP_U64), 0);
}

static void messages_cut_off_change_nothing(void **state)
{
    uint8_t bytes[336];

    (void)state;
    ring((uint32_t[]){1, 2}, 2, NULL, 0);
    version_message(bytes, true, 6, TOTEM_LITTLE_ENDIAN);
    for (size_t size = 16; size < sizeof(bytes); size++)
        driver_deliver(&driver, 1, TOTEM_LITTLE_ENDIAN, bytes, size);
    assert_string_equal(status("runtime.members.1.config_version"), "none");
    for (unsigned at = 16; at < sizeof(bytes); at++) { /* lengths and counts beyond all bounds */
        uint8_t was = bytes[at];

        bytes[at] = 0xff;
        driver_deliver(&driver, 1, TOTEM_LITTLE_ENDIAN, bytes, sizeof(bytes));
        bytes[at] = was;
    }
}

static void the_version_is_found_among_others(void **state)
{
    uint8_t bytes[48 + 288 + 288] = {0};
    uint64_t version = 0;

    (void)state;
    bytes[24] = 2;
    bytes[48] = 3;
    memcpy(bytes + 56, "foo", 3);
    bytes[48 + 264] = CMAP_TEXT;
    bytes[48 + 272] = 2; /* padded to 8 */
    bytes[48 + 288] = 20;
    memcpy(bytes + 48 + 288 + 8, "totem.config_version", 20);
    bytes[48 + 288 + 264] = CMAP_U64;
    bytes[48 + 288 + 272] = 8;
    bytes[48 + 288 + 280] = 9;
    assert_true(cmap_wire_decode(bytes, sizeof(bytes), TOTEM_LITTLE_ENDIAN, &version));
    assert_int_equal(version, 9);
    bytes[24] = 1;
    assert_false(cmap_wire_decode(bytes, sizeof(bytes), TOTEM_LITTLE_ENDIAN, &version));
}

/* Two nodes, each on its own before; who is older leaves. */
static void an_old_configuration_leaves(void **state)
{
    (void)state;
    set_version(3);
    ring((uint32_t[]){2}, 1, NULL, 0);
    hear_version(2, 3);
    sync_step(SERVICE_EV_SYNC_ACTIVATE);
    assert_int_equal(driver.out.count, 0);
    ring((uint32_t[]){1, 2}, 2, (uint32_t[]){2}, 1);
    hear_version(1, 4);
    hear_version(2, 3);
    sync_step(SERVICE_EV_SYNC_ACTIVATE);
    assert_string_equal(out_text(&driver, out_item(&driver, OUTBOX_NOTE, 0)),
                        "Received config version (4) is different than my config version (3)! Exiting");
    (void)out_task(&driver, 0, OUTBOX_LEAVE);
}

static void a_newer_configuration_stays(void **state)
{
    (void)state;
    set_version(5);
    ring((uint32_t[]){2}, 1, NULL, 0);
    ring((uint32_t[]){1, 2}, 2, (uint32_t[]){2}, 1);
    hear_version(1, 4);
    sync_step(SERVICE_EV_SYNC_ACTIVATE);
    assert_int_equal(driver.out.count, 0);
    ring((uint32_t[]){1, 2, 3}, 3, (uint32_t[]){1, 2}, 2); /* looked at once only */
    hear_version(3, 9);
    sync_step(SERVICE_EV_SYNC_ACTIVATE);
    sync_step(SERVICE_EV_SYNC_ABORT);
    assert_int_equal(driver.out.count, 0);
}

static void without_a_version_nobody_leaves(void **state)
{
    (void)state;
    ring((uint32_t[]){2}, 1, NULL, 0);
    ring((uint32_t[]){1, 2}, 2, (uint32_t[]){2}, 1);
    hear_version(1, 4);
    sync_step(SERVICE_EV_SYNC_ACTIVATE);
    assert_int_equal(driver.out.count, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up_cmap, tear_down_cmap)
    const struct CMUnitTest tests[] = {
        TEST(members_come_and_go),
        TEST(the_version_is_announced),
        TEST(a_change_of_the_version_is_announced),
        TEST(versions_of_others_are_kept),
        TEST(a_version_of_another_type_counts_as_none),
        TEST(messages_cut_off_change_nothing),
        TEST(the_version_is_found_among_others),
        TEST(an_old_configuration_leaves),
        TEST(a_newer_configuration_stays),
        TEST(without_a_version_nobody_leaves),
    };

    return cmocka_run_group_tests_name("cmap_members", tests, NULL, NULL);
}
