/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The service cmap as its clients see it, request by request at the offsets of spec/corosync-ipc.md section 4: what they
 * read, change, walk and track, in the map of keys and in that of statistics; and requests cut off at every length.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/ipc_wire.h"
#include "tests/unit/cmap_driver.h"

/* ---- requests ---- */

static void send_set(uint64_t conn, const char *name, uint8_t type, const void *bytes, size_t size)
{
    request_begin(&driver, SET, 296 + size);
    request_name(&driver, 16, name);
    request_u64(&driver, 280, size);
    request_u8(&driver, 288, type);
    request_bytes(&driver, 296, bytes, size);
    request_send(&driver, conn);
}

static void set_text(uint64_t conn, const char *name, const char *text)
{
    send_set(conn, name, CMAP_TEXT, text, strlen(text));
    (void)out_answer(&driver, conn, 0, 24, CS_ERROR_OK);
}

static void send_delete(uint64_t conn, const char *name)
{
    request_begin(&driver, DELETE, 280);
    request_name(&driver, 16, name);
    request_send(&driver, conn);
}

static void send_get(uint64_t conn, const char *name, uint64_t room)
{
    request_begin(&driver, GET, 288);
    request_name(&driver, 16, name);
    request_u64(&driver, 280, room);
    request_send(&driver, conn);
}

static void send_adjust(uint64_t conn, const char *name, int32_t by)
{
    request_begin(&driver, ADJUST, 288);
    request_name(&driver, 16, name);
    request_u32(&driver, 280, (uint32_t)by);
    request_send(&driver, conn);
}

static uint64_t iterate(uint64_t conn, const char *prefix)
{
    request_begin(&driver, ITERATE, 280);
    request_name(&driver, 16, prefix);
    request_send(&driver, conn);
    return ipc_get_u64(out_answer(&driver, conn, 4, 32, CS_ERROR_OK), 24);
}

static void send_handle(uint64_t conn, int32_t id, uint64_t handle)
{
    request_begin(&driver, id, 24);
    request_u64(&driver, 16, handle);
    request_send(&driver, conn);
}

static uint64_t track(uint64_t conn, const char *name, uint32_t bits, uint64_t cookie)
{
    send_track(conn, name, bits, cookie);
    return ipc_get_u64(out_answer(&driver, conn, 7, 32, CS_ERROR_OK), 24);
}

static void set_map(uint64_t conn, uint32_t map, enum cs_error error)
{
    request_begin(&driver, SET_MAP, 24);
    request_u32(&driver, 16, map);
    request_send(&driver, conn);
    (void)out_answer(&driver, conn, 10, 24, error);
}

static void is_zero(const uint8_t *bytes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        assert_int_equal(bytes[i], 0);
}

/* The n-th event: of this client's tracker, about that key. Values as text, NULL: none. */
static const uint8_t *event_is(size_t n, uint64_t conn, uint64_t cookie, uint32_t event, const char *name)
{
    const struct outbox_item *item = out_item(&driver, OUTBOX_EVENT, n);
    const uint8_t *bytes = out_bytes(&driver, item);
    size_t length = strlen(name);
    uint64_t new_size, old_size;

    assert_int_equal(item->conn, conn);
    assert_int_equal(ipc_get_u32(bytes, 0), 9);
    assert_int_equal(ipc_get_u32(bytes, 8), item->head_size);
    assert_int_equal(ipc_get_u32(bytes, 16), CS_ERROR_OK);
    assert_int_equal(ipc_get_u64(bytes, 24), cookie);
    assert_int_equal(ipc_get_u16(bytes, 32), length);
    assert_memory_equal(bytes + 40, name, length);
    is_zero(bytes, 40 + length, 296);
    assert_int_equal(ipc_get_u32(bytes, 296), event);
    new_size = ipc_get_u64(bytes, 320);
    old_size = ipc_get_u64(bytes, 328);
    assert_int_equal(item->head_size, 336 + new_size + old_size);
    if (event == CMAP_ON_ADD)
        assert_true(old_size == 0 && ipc_get_u8(bytes, 312) == 0);
    if (event == CMAP_ON_DELETE)
        assert_true(new_size == 0 && ipc_get_u8(bytes, 304) == 0);
    return bytes;
}

/* ---- values ---- */

static void a_value_is_set_read_and_deleted(void **state)
{
    const uint8_t *bytes;

    (void)state;
    set_text(A, "own.key", "abc");
    assert_string_equal(cmap_store_text(&keys, "own.key"), "abc");
    assert_string_equal(out_text(&driver, out_task(&driver, 0, OUTBOX_KEY_CHANGED)), "own.key");
    assert_int_equal(driver.out.count, 2);

    send_get(B, "own.key", 0);
    bytes = out_answer(&driver, B, 2, 40, CS_ERROR_OK);
    assert_int_equal(ipc_get_u64(bytes, 24), 4);
    assert_int_equal(bytes[32], CMAP_TEXT);
    is_zero(bytes, 33, 40);
    send_get(B, "own.key", 16);
    bytes = out_answer(&driver, B, 2, 56, CS_ERROR_OK);
    assert_int_equal(ipc_get_u64(bytes, 24), 4);
    assert_string_equal((const char *)bytes + 40, "abc");
    is_zero(bytes, 43, 56);
    send_get(B, "own.key", 3);
    is_zero(out_answer(&driver, B, 2, 40, CS_ERROR_INVALID_PARAM), 24, 40);

    send_delete(B, "own.key");
    (void)out_answer(&driver, B, 1, 24, CS_ERROR_OK);
    (void)out_task(&driver, 0, OUTBOX_KEY_CHANGED);
    send_get(B, "own.key", 16);
    is_zero(out_answer(&driver, B, 2, 40, CS_ERROR_NOT_EXIST), 24, 40);
    send_delete(B, "own.key");
    (void)out_answer(&driver, B, 1, 24, CS_ERROR_NOT_EXIST);
    assert_int_equal(driver.out.count, 1);
}

static void room_without_end_is_not_filled(void **state)
{
    (void)state;
    set_text(A, "own.key", "abc");
    send_get(A, "own.key", UINT64_MAX);
    (void)out_answer(&driver, A, 2, 40 + 16385, CS_ERROR_OK);
}

static void what_must_not_be_set(void **state)
{
    static uint8_t large[CMAP_VALUE_MAX + 1];
    char name[257];
    uint32_t number = 5;

    (void)state;
    send_set(A, "totem.version", CMAP_U32, &number, sizeof(number));
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_ACCESS);
    send_set(A, "nodelist.node.0.nodeid", CMAP_U32, &number, sizeof(number));
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_ACCESS);
    send_set(A, "own.key", CMAP_U32, &number, 3);
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_INVALID_PARAM);
    send_set(A, "own.key", 77, NULL, 0);
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_INVALID_PARAM);
    send_set(A, "own.key", 0, NULL, 0);
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_INVALID_PARAM);
    send_set(A, "own.key", CMAP_BINARY, large, sizeof(large));
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_INVALID_PARAM);
    send_set(A, "ab", CMAP_U32, &number, sizeof(number));
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_NAME_TOO_LONG);
    send_set(A, "", CMAP_U32, &number, sizeof(number));
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_NAME_TOO_LONG);
    send_set(A, "a b c", CMAP_U32, &number, sizeof(number));
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_NAME_TOO_LONG);
    assert_int_equal(keys.items.count, 0);
    send_delete(A, "runtime.config.totem.token");
    (void)out_answer(&driver, A, 1, 24, CS_ERROR_ACCESS);
    send_adjust(A, "system.any", 1);
    (void)out_answer(&driver, A, 3, 24, CS_ERROR_ACCESS);

    memset(name, 'n', 256); /* as many as its field has room for: one too many */
    name[256] = '\0';
    send_set(A, name, CMAP_BINARY, large, CMAP_VALUE_MAX);
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_NAME_TOO_LONG);
    send_get(A, name, 8);
    (void)out_answer(&driver, A, 2, 40, CS_ERROR_NOT_EXIST);
    send_track(A, name, 7, 1);
    (void)out_answer(&driver, A, 7, 32, CS_ERROR_NAME_TOO_LONG);
    (void)iterate(A, name);
    name[255] = '\0';
    send_set(A, name, CMAP_BINARY, large, CMAP_VALUE_MAX);
    (void)out_answer(&driver, A, 0, 24, CS_ERROR_OK);
    assert_non_null(name_tree_find(&keys.items, name));
}

static void a_terminator_in_a_name_is_refused(void **state)
{
    (void)state;
    set_text(A, "abc", "1");
    request_begin(&driver, GET, 288);
    request_name(&driver, 16, "abc");
    request_u64(&driver, 280, 16);
    request_bytes(&driver, 16, "\004\000", 2); /* its length takes the terminator in */
    request_send(&driver, A);
    is_zero(out_answer(&driver, A, 2, 40, CS_ERROR_INVALID_PARAM), 24, 40);
}

static void integers_are_counted_up_and_down(void **state)
{
    uint8_t number = 255;

    (void)state;
    send_set(A, "own.key", CMAP_U8, &number, 1);
    send_adjust(A, "own.key", 1);
    (void)out_answer(&driver, A, 3, 24, CS_ERROR_OK);
    (void)out_task(&driver, 0, OUTBOX_KEY_CHANGED);
    send_get(A, "own.key", 16);
    assert_int_equal(out_answer(&driver, A, 2, 56, CS_ERROR_OK)[40], 0);
    send_adjust(A, "own.key", -1);
    send_get(A, "own.key", 16);
    assert_int_equal(out_answer(&driver, A, 2, 56, CS_ERROR_OK)[40], 255);
    send_adjust(A, "no.key", 1);
    (void)out_answer(&driver, A, 3, 24, CS_ERROR_NOT_EXIST);
    set_text(A, "own.text", "1");
    send_adjust(A, "own.text", 1);
    (void)out_answer(&driver, A, 3, 24, CS_ERROR_INVALID_PARAM);
}

/* ---- walking ---- */

static void keys_are_walked_in_order(void **state)
{
    const uint8_t *bytes;
    uint64_t handle, other;

    (void)state;
    set_text(A, "own.b", "1");
    set_text(A, "own.a", "22");
    set_text(A, "zzz", "");
    handle = iterate(A, "own.");
    send_handle(A, NEXT, handle);
    bytes = out_answer(&driver, A, 5, 304, CS_ERROR_OK);
    assert_int_equal(ipc_get_u16(bytes, 24), 5);
    assert_string_equal((const char *)bytes + 32, "own.a");
    is_zero(bytes, 37, 288);
    assert_int_equal(ipc_get_u64(bytes, 288), 3);
    assert_int_equal(bytes[296], CMAP_TEXT);
    send_delete(A, "own.a");
    send_handle(A, NEXT, handle);
    assert_string_equal((const char *)out_answer(&driver, A, 5, 304, CS_ERROR_OK) + 32, "own.b");
    for (int i = 0; i < 2; i++) {
        send_handle(A, NEXT, handle);
        is_zero(out_answer(&driver, A, 5, 304, CS_ERROR_NO_SECTIONS), 24, 304);
    }

    other = iterate(B, "");
    assert_int_not_equal(other, handle);
    send_handle(B, NEXT, handle);
    (void)out_answer(&driver, B, 5, 304, CS_ERROR_BAD_HANDLE);
    send_handle(B, ITERATE_END, handle);
    (void)out_answer(&driver, B, 6, 24, CS_ERROR_BAD_HANDLE);
    send_handle(B, TRACK_END, other);
    (void)out_answer(&driver, B, 8, 32, CS_ERROR_BAD_HANDLE);
    send_handle(A, ITERATE_END, handle);
    (void)out_answer(&driver, A, 6, 24, CS_ERROR_OK);
    send_handle(A, ITERATE_END, handle);
    (void)out_answer(&driver, A, 6, 24, CS_ERROR_BAD_HANDLE);
}

/* ---- tracking ---- */

static void changes_are_told_before_the_answer(void **state)
{
    const uint8_t *bytes;

    (void)state;
    (void)track(A, "own.", CMAP_ON_ADD | CMAP_ON_MODIFY | CMAP_ON_DELETE | CMAP_ON_PREFIX, 100);
    (void)track(B, "own.key", CMAP_ON_MODIFY, 200);

    set_text(A, "own.key", "abc");
    assert_int_equal(out_count(&driver, OUTBOX_EVENT), 1);
    bytes = event_is(0, A, 100, CMAP_ON_ADD, "own.key");
    assert_string_equal((const char *)bytes + 336, "abc");
    assert_int_equal(bytes[304], CMAP_TEXT);

    set_text(A, "own.key", "d");
    assert_int_equal(driver.out.items[0].type, OUTBOX_EVENT);
    assert_int_equal(driver.out.items[1].type, OUTBOX_EVENT);
    assert_int_equal(driver.out.items[2].type, OUTBOX_ANSWER);
    assert_int_equal(driver.out.items[3].type, OUTBOX_TASK);
    assert_int_equal(driver.out.count, 4);
    bytes = event_is(0, B, 200, CMAP_ON_MODIFY, "own.key");
    assert_string_equal((const char *)bytes + 336, "d");
    assert_string_equal((const char *)bytes + 338, "abc");
    assert_int_equal(bytes[312], CMAP_TEXT);
    (void)event_is(1, A, 100, CMAP_ON_MODIFY, "own.key");

    set_text(A, "own.key", "d"); /* nothing new */
    assert_int_equal(driver.out.count, 1);

    send_delete(B, "own.key");
    bytes = event_is(0, A, 100, CMAP_ON_DELETE, "own.key");
    assert_string_equal((const char *)bytes + 336, "d");
    assert_int_equal(out_count(&driver, OUTBOX_EVENT), 1);
}

static void a_tracker_ends_with_its_cookie(void **state)
{
    uint64_t handle = track(A, "own.key", CMAP_ON_ADD, 77);

    (void)state;
    send_handle(B, TRACK_END, handle);
    assert_int_equal(ipc_get_u64(out_answer(&driver, B, 8, 32, CS_ERROR_BAD_HANDLE), 24), 0);
    send_handle(A, TRACK_END, handle);
    assert_int_equal(ipc_get_u64(out_answer(&driver, A, 8, 32, CS_ERROR_OK), 24), 77);
    send_handle(A, TRACK_END, handle);
    (void)out_answer(&driver, A, 8, 32, CS_ERROR_BAD_HANDLE);
    set_text(A, "own.key", "d");
    assert_int_equal(out_count(&driver, OUTBOX_EVENT), 0);
    send_track(A, "own.key", 16, 1);
    is_zero(out_answer(&driver, A, 7, 32, CS_ERROR_INVALID_PARAM), 24, 32);
}

static void who_has_gone_is_told_nothing(void **state)
{
    (void)state;
    (void)track(A, "", CMAP_ON_ADD | CMAP_ON_PREFIX, 1);
    (void)iterate(A, "");
    driver_gone(&driver, A);
    set_text(B, "own.key", "d");
    assert_int_equal(out_count(&driver, OUTBOX_EVENT), 0);
    driver_connect(&driver, 13);
    set_text(13, "own.key", "e");
    assert_int_equal(out_count(&driver, OUTBOX_EVENT), 0);
}

/* What the daemon does is told to clients, not to itself. */
static void changes_of_the_daemon_are_told(void **state)
{
    struct cmap_changes changes;

    (void)state;
    cmap_changes_init(&changes);
    (void)track(A, "runtime.", CMAP_ON_ADD | CMAP_ON_PREFIX, 9);
    assert_int_equal(cmap_store_set_text(&keys, "runtime.config.x", "1", &changes), CS_ERROR_OK);
    assert_int_equal(cmap_store_set_text(&keys, "totem.token", "1", &changes), CS_ERROR_OK);
    outbox_reset(&driver.out);
    cmap_service_tell(service, &changes, &driver.out);
    assert_int_equal(changes.count, 0);
    (void)event_is(0, A, 9, CMAP_ON_ADD, "runtime.config.x");
    assert_int_equal(driver.out.count, 1);
    cmap_changes_fini(&changes);
}

/* ---- statistics ---- */

static void statistic(const char *name, uint64_t value)
{
    assert_int_equal(cmap_store_set_number(cmap_service_statistics(service), name, CMAP_U64, value, NULL),
                     CS_ERROR_OK);
}

static void statistics_are_a_map_of_their_own(void **state)
{
    const uint8_t *bytes;
    uint64_t handle;

    (void)state;
    assert_false(cmap_service_wants_statistics(service, A));
    assert_false(cmap_service_wants_statistics(service, 99));
    set_text(A, "own.key", "1");
    set_map(A, 2, CS_ERROR_NOT_EXIST);
    set_map(A, UINT32_MAX, CS_ERROR_NOT_EXIST);
    set_map(A, 1, CS_ERROR_OK);
    assert_true(cmap_service_wants_statistics(service, A));
    assert_false(cmap_service_wants_statistics(service, B));
    statistic("stats.srp.mcast_tx", 5);
    send_get(A, "stats.srp.mcast_tx", 16);
    bytes = out_answer(&driver, A, 2, 56, CS_ERROR_OK);
    assert_int_equal(ipc_get_u64(bytes, 40), 5);
    send_get(A, "own.key", 16);
    (void)out_answer(&driver, A, 2, 40, CS_ERROR_NOT_EXIST);
    send_get(B, "stats.srp.mcast_tx", 16);
    (void)out_answer(&driver, B, 2, 40, CS_ERROR_NOT_EXIST);

    handle = iterate(A, "");
    set_map(A, 0, CS_ERROR_BUSY);
    set_map(A, 2, CS_ERROR_BUSY);
    send_handle(A, NEXT, handle);
    assert_string_equal((const char *)out_answer(&driver, A, 5, 304, CS_ERROR_OK) + 32, "stats.srp.mcast_tx");
    send_handle(A, ITERATE_END, handle);
    set_map(A, 0, CS_ERROR_OK);
    (void)track(A, "own.key", 7, 1);
    set_map(A, 1, CS_ERROR_BUSY);
}

static void statistics_can_only_be_cleared(void **state)
{
    static const struct {
        const char *name, *what;
        enum cs_error set, other;
    } cases[] = {
        {"stats.clear.knet", "knet", CS_ERROR_OK, CS_ERROR_NOT_SUPPORTED},
        {"stats.clear.ipc", "ipc", CS_ERROR_OK, CS_ERROR_NOT_SUPPORTED},
        {"stats.clear.totem", "totem", CS_ERROR_OK, CS_ERROR_NOT_SUPPORTED},
        {"stats.clear.schedmiss", "schedmiss", CS_ERROR_OK, CS_ERROR_NOT_SUPPORTED},
        {"stats.clear.allofthem", "all", CS_ERROR_OK, CS_ERROR_NOT_SUPPORTED},
        {"stats.clear.foo", NULL, CS_ERROR_NOT_SUPPORTED, CS_ERROR_NOT_SUPPORTED},
        {"stats.clear.", NULL, CS_ERROR_NOT_SUPPORTED, CS_ERROR_NOT_SUPPORTED},
        {"stats.clear", NULL, CS_ERROR_ACCESS, CS_ERROR_ACCESS},
        {"foo.bar", NULL, CS_ERROR_ACCESS, CS_ERROR_ACCESS},
    };

    (void)state;
    set_map(A, 1, CS_ERROR_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        send_set(A, cases[i].name, CMAP_U32, "abcd", 4);
        (void)out_answer(&driver, A, 0, 24, cases[i].set);
        if (cases[i].what != NULL)
            assert_string_equal(out_text(&driver, out_task(&driver, 0, OUTBOX_CLEAR_STATS)), cases[i].what);
        else
            assert_int_equal(driver.out.count, 1);
        send_delete(A, cases[i].name);
        (void)out_answer(&driver, A, 1, 24, cases[i].other);
        assert_int_equal(driver.out.count, 1);
        send_adjust(A, cases[i].name, 1);
        (void)out_answer(&driver, A, 3, 24, cases[i].other);
        assert_int_equal(driver.out.count, 1);
    }
    assert_int_equal(keys.items.count, 0);
}

static void statistics_are_sampled_for_trackers(void **state)
{
    uint64_t exact, prefix;

    (void)state;
    statistic("stats.srp.a", 1);
    statistic("stats.srp.b", 1);
    set_map(A, 1, CS_ERROR_OK);
    set_map(B, 1, CS_ERROR_OK);
    assert_int_equal(cmap_service_deadline_ms(service), SERVICE_NEVER);
    send_track(A, "stats.", CMAP_ON_PREFIX | CMAP_ON_ADD, 1);
    (void)out_answer(&driver, A, 7, 32, CS_ERROR_NOT_SUPPORTED);
    assert_int_equal(cmap_service_deadline_ms(service), SERVICE_NEVER);
    exact = track(A, "stats.srp.a", CMAP_ON_MODIFY, 1);
    assert_int_equal(cmap_service_deadline_ms(service), 2500);
    prefix = track(B, "stats.", CMAP_ON_PREFIX | CMAP_ON_ADD | CMAP_ON_DELETE | CMAP_ON_MODIFY, 2);

    statistic("stats.srp.a", 2);
    driver_time(&driver, 2499);
    assert_int_equal(driver.out.count, 0);
    driver_time(&driver, 2500);
    assert_int_equal(driver.out.count, 1); /* changes of a whole family are not told */
    assert_int_equal(ipc_get_u64(event_is(0, A, 1, CMAP_ON_MODIFY, "stats.srp.a"), 336), 2);
    assert_int_equal(cmap_service_deadline_ms(service), 4000);

    statistic("stats.srp.c", 3);
    assert_int_equal(cmap_store_delete(cmap_service_statistics(service), "stats.srp.b", NULL), CS_ERROR_OK);
    driver_time(&driver, 4100);
    assert_int_equal(driver.out.count, 2);
    (void)event_is(0, B, 2, CMAP_ON_DELETE, "stats.srp.b");
    (void)event_is(1, B, 2, CMAP_ON_ADD, "stats.srp.c");

    send_handle(A, TRACK_END, exact);
    assert_int_equal(cmap_service_deadline_ms(service), 5600);
    send_handle(B, TRACK_END, prefix);
    assert_int_equal(ipc_get_u64(out_answer(&driver, B, 8, 32, CS_ERROR_OK), 24), 2);
    assert_int_equal(cmap_service_deadline_ms(service), SERVICE_NEVER);
    (void)track(A, "stats.srp.a", CMAP_ON_MODIFY, 1);
    driver_gone(&driver, A);
    assert_int_equal(cmap_service_deadline_ms(service), SERVICE_NEVER);
    driver_time(&driver, 9000);
    assert_int_equal(driver.out.count, 0);
}

static void clients_of_statistics_are_seen_soon(void **state)
{
    (void)state;
    cmap_service_hasten(service);
    assert_int_equal(cmap_service_deadline_ms(service), SERVICE_NEVER);
    set_map(A, 1, CS_ERROR_OK);
    (void)track(A, "stats.", CMAP_ON_PREFIX | CMAP_ON_ADD | CMAP_ON_DELETE, 2);
    cmap_service_hasten(service);
    assert_int_equal(cmap_service_deadline_ms(service), 1020);
    statistic("stats.ipcs.a", 3);
    driver_time(&driver, 1500);
    (void)event_is(0, A, 2, CMAP_ON_ADD, "stats.ipcs.a");
    assert_int_equal(cmap_service_deadline_ms(service), 3000);
    driver_time(&driver, 2000);
    cmap_service_hasten(service);
    assert_int_equal(cmap_service_deadline_ms(service), 1520); /* at once */
    driver_time(&driver, 2001);
    assert_int_equal(cmap_service_deadline_ms(service), 3501);
}

/* ---- what is no request ---- */

static void requests_cut_off_are_invalid(void **state)
{
    static const struct {
        size_t whole, answer;
        int32_t answer_id;
    } requests[] = {{296, 24, 0}, {280, 24, 1}, {288, 40, 2}, {284, 24, 3}, {280, 32, 4},
                    {24, 304, 5}, {24, 24, 6},  {296, 32, 7}, {24, 32, 8},  {20, 24, 10}};

    (void)state;
    for (int32_t id = 0; id < 10; id++) {
        for (size_t size = 16; size < requests[id].whole; size++) {
            request_begin(&driver, id, size);
            request_send(&driver, A);
            (void)out_answer(&driver, A, requests[id].answer_id, requests[id].answer, CS_ERROR_INVALID_PARAM);
            assert_int_equal(driver.out.count, 1);
        }
        /* It claims more than has arrived, or less than it needs. */
        request_begin(&driver, id, 400);
        request_send_part(&driver, A, 399);
        (void)out_answer(&driver, A, requests[id].answer_id, requests[id].answer, CS_ERROR_INVALID_PARAM);
        request_u32(&driver, 8, 16);
        request_send(&driver, A);
        (void)out_answer(&driver, A, requests[id].answer_id, requests[id].answer, CS_ERROR_INVALID_PARAM);
        request_u32(&driver, 8, UINT32_MAX);
        request_send(&driver, A);
        (void)out_answer(&driver, A, requests[id].answer_id, requests[id].answer, CS_ERROR_INVALID_PARAM);
    }
    for (int32_t id = -1; id < 20; id += 11) {
        request_begin(&driver, id, 400);
        request_send(&driver, A);
        (void)out_answer(&driver, A, 0, 24, CS_ERROR_INVALID_PARAM);
    }
}

static void a_value_longer_than_its_request_is_invalid(void **state)
{
    (void)state;
    for (uint64_t size = 11; size != 0; size *= 3) {
        request_begin(&driver, SET, 296 + 10);
        request_name(&driver, 16, "own.key");
        request_u64(&driver, 280, size);
        request_u8(&driver, 288, CMAP_BINARY);
        request_send(&driver, A);
        (void)out_answer(&driver, A, 0, 24, CS_ERROR_INVALID_PARAM);
        if (size > UINT64_MAX / 3)
            break;
    }
    assert_int_equal(keys.items.count, 0);
}

static void handles_have_an_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CMAP_HANDLES_PER_CLIENT_MAX; i++)
        (void)iterate(A, "");
    send_track(A, "own.key", 1, 1);
    (void)out_answer(&driver, A, 7, 32, CS_ERROR_NO_RESOURCES);
    (void)iterate(B, "");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up_cmap, tear_down_cmap)
    const struct CMUnitTest tests[] = {
        TEST(a_value_is_set_read_and_deleted),
        TEST(room_without_end_is_not_filled),
        TEST(what_must_not_be_set),
        TEST(a_terminator_in_a_name_is_refused),
        TEST(integers_are_counted_up_and_down),
        TEST(keys_are_walked_in_order),
        TEST(changes_are_told_before_the_answer),
        TEST(a_tracker_ends_with_its_cookie),
        TEST(who_has_gone_is_told_nothing),
        TEST(changes_of_the_daemon_are_told),
        TEST(statistics_are_a_map_of_their_own),
        TEST(statistics_can_only_be_cleared),
        TEST(statistics_are_sampled_for_trackers),
        TEST(clients_of_statistics_are_seen_soon),
        TEST(requests_cut_off_are_invalid),
        TEST(a_value_longer_than_its_request_is_invalid),
        TEST(handles_have_an_end),
    };

    return cmocka_run_group_tests_name("cmap_service", tests, NULL, NULL);
}
