/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The key/value map (spec/corosync-ipc.md section 5): every type with every operation, names, iteration while the map
 * changes, every combination of a tracker's bits, and the limits.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cmap_store.h"

static struct cmap_store store;
static struct cmap_changes changes;
static struct cmap_client one, other;

static int set_up(void **state)
{
    (void)state;
    cmap_store_init(&store);
    cmap_changes_init(&changes);
    cmap_client_init(&one, 1);
    cmap_client_init(&other, 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cmap_client_fini(&store, &one);
    cmap_client_fini(&store, &other);
    cmap_changes_fini(&changes);
    cmap_store_fini(&store);
    return 0;
}

static enum cs_error set(const char *name, enum cmap_type type, const void *bytes, size_t size)
{
    return cmap_client_set(&store, name, (struct cmap_value){type, size, bytes}, &changes);
}

static void set_text(const char *name, const char *text)
{
    assert_int_equal(set(name, CMAP_TEXT, text, strlen(text)), CS_ERROR_OK);
}

static void expect(const char *name, enum cmap_type type, const void *bytes, size_t size)
{
    struct cmap_value value;

    assert_int_equal(cmap_store_get(&store, name, &value), CS_ERROR_OK);
    assert_int_equal(value.type, type);
    assert_int_equal(value.size, size);
    assert_memory_equal(value.bytes, bytes, size);
}

/* ---- values ---- */

static void test_every_type_with_every_size(void **state)
{
    static const size_t expected[] = {0, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
    static char bytes[CMAP_VALUE_MAX + 2];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    for (int type = -1; type <= 20; type++)
        for (size_t size = 0; size <= CMAP_VALUE_MAX + 1; size += size < 20 ? 1 : size < 16000 ? 1000 : 1) {
            enum cs_error error = set("key", (enum cmap_type)type, bytes, size);
            bool good = type >= 1 && type <= 10    ? size == expected[type]
                        : type == 11 || type == 12 ? size <= CMAP_VALUE_MAX
                                                   : false;
            assert_int_equal(error, good ? CS_ERROR_OK : CS_ERROR_INVALID_PARAM);
            if (good && type != 11)
                expect("key", (enum cmap_type)type, bytes, size);
        }
}

static void test_text(void **state)
{
    (void)state;
    assert_int_equal(set("key", CMAP_TEXT, NULL, 0), CS_ERROR_OK);
    expect("key", CMAP_TEXT, "", 1);
    assert_int_equal(set("key", CMAP_TEXT, "", 1), CS_ERROR_OK);
    expect("key", CMAP_TEXT, "", 1);
    assert_int_equal(set("key", CMAP_TEXT, "abc", 3), CS_ERROR_OK);
    expect("key", CMAP_TEXT, "abc", 4);
    assert_int_equal(set("key", CMAP_TEXT, "abc", 4), CS_ERROR_OK);
    expect("key", CMAP_TEXT, "abc", 4);
    assert_int_equal(set("key", CMAP_TEXT, "abc\0x", 5), CS_ERROR_INVALID_PARAM);
    assert_int_equal(set("key", CMAP_TEXT, "\0x", 2), CS_ERROR_INVALID_PARAM);
    assert_int_equal(set("key", CMAP_TEXT, "abc\0\0", 5), CS_ERROR_INVALID_PARAM);
    expect("key", CMAP_TEXT, "abc", 4);
    assert_string_equal(cmap_store_text(&store, "key"), "abc");
    assert_int_equal(set("bin", CMAP_BINARY, "a\0b\0", 4), CS_ERROR_OK);
    expect("bin", CMAP_BINARY, "a\0b\0", 4);
    assert_int_equal(set("bin", CMAP_BINARY, NULL, 0), CS_ERROR_OK);
    expect("bin", CMAP_BINARY, "", 0);
    assert_null(cmap_store_text(&store, "bin"));
}

static void test_get_with_little_room(void **state)
{
    struct cmap_value value;

    (void)state;
    assert_int_equal(cmap_client_get(&store, "key", 0, &value), CS_ERROR_NOT_EXIST);
    for (int type = 1; type <= 12; type++) {
        size_t size = type < 11 ? cmap_type_size((enum cmap_type)type) : 5;
        size_t stored = size + (type == 11);
        assert_int_equal(set("key", (enum cmap_type)type, "abcdefgh", size), CS_ERROR_OK);
        for (size_t room = 0; room < 12; room++) {
            enum cs_error error = cmap_client_get(&store, "key", room, &value);
            assert_int_equal(error, room > 0 && room < stored ? CS_ERROR_INVALID_PARAM : CS_ERROR_OK);
            assert_int_equal(value.type, type);
            assert_int_equal(value.size, stored);
        }
    }
}

/* What `number` is after passing through a type of that many bytes. */
static uint64_t narrow(uint64_t number, size_t size)
{
    return size == 8 ? number : number & (((uint64_t)1 << (size * 8)) - 1);
}

static void test_adjust_of_every_type(void **state)
{
    static const int32_t steps[] = {1, -1, 0, 2, INT32_MAX, INT32_MIN, 300, -70000};
    static const uint64_t starts[] = {0,     1,         127,        128,       255,       32767,
                                      65535, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct cmap_value value;

    (void)state;
    assert_int_equal(cmap_client_adjust(&store, "key", 1, &changes), CS_ERROR_NOT_EXIST);
    for (int t = CMAP_I8; t <= CMAP_U64; t++)
        for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++)
            for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                enum cmap_type type = (enum cmap_type)t;
                uint64_t after = starts[s] + (uint64_t)(int64_t)steps[i];
                assert_int_equal(cmap_store_set_number(&store, "key", type, starts[s], NULL), CS_ERROR_OK);
                assert_int_equal(cmap_client_adjust(&store, "key", steps[i], &changes), CS_ERROR_OK);
                assert_int_equal(cmap_store_get(&store, "key", &value), CS_ERROR_OK);
                assert_int_equal(value.type, type);
                assert_int_equal(cmap_value_unsigned(&value), narrow(after, value.size));
            }
    for (int t = CMAP_FLOAT; t <= CMAP_BINARY; t++) {
        enum cmap_type type = (enum cmap_type)t;
        size_t size = t < CMAP_TEXT ? cmap_type_size(type) : 1;
        assert_int_equal(set("key", type, "12345678", size), CS_ERROR_OK);
        assert_int_equal(cmap_client_adjust(&store, "key", 1, &changes), CS_ERROR_INVALID_PARAM);
    }
}

static void test_signs(void **state)
{
    (void)state;
    for (int t = CMAP_I8; t <= CMAP_U64; t++) {
        struct cmap_number number = cmap_number((enum cmap_type)t, UINT64_MAX);
        struct cmap_value value = cmap_number_value(&number);
        bool has_sign = t % 2 == 1 || t == CMAP_U64; /* 64 bits wide there is no room for another answer */
        assert_int_equal(cmap_value_signed(&value), has_sign ? -1 : (int64_t)narrow(UINT64_MAX, value.size));
    }
}

static void test_numbers_of_another_type_are_absent(void **state)
{
    uint64_t number = 77;

    (void)state;
    assert_int_equal(cmap_store_set_number(&store, "key", CMAP_U32, 5, NULL), CS_ERROR_OK);
    assert_false(cmap_store_number(&store, "key", CMAP_I32, &number));
    assert_false(cmap_store_number(&store, "no.key", CMAP_U32, &number));
    assert_int_equal(number, 77);
    assert_true(cmap_store_number(&store, "key", CMAP_U32, &number));
    assert_int_equal(number, 5);
    assert_null(cmap_store_text(&store, "key"));
}

static void test_every_type_becomes_every_other(void **state)
{
    uint64_t handle;

    (void)state;
    assert_int_equal(cmap_tracker_add(&store, &one, "key", CMAP_ON_MODIFY, 9, &handle), CS_ERROR_OK);
    for (int from = 1; from <= 12; from++)
        for (int to = 1; to <= 12; to++) {
            size_t from_size = from < 11 ? cmap_type_size((enum cmap_type)from) : 4;
            size_t to_size = to < 11 ? cmap_type_size((enum cmap_type)to) : 4;
            assert_int_equal(set("key", (enum cmap_type)from, "abcdefgh", from_size), CS_ERROR_OK);
            cmap_changes_reset(&changes);
            assert_int_equal(set("key", (enum cmap_type)to, "abcdefgh", to_size), CS_ERROR_OK);
            assert_int_equal(changes.count, from != to);
            assert_int_equal(changes.notice_count, from != to);
            if (from == to)
                continue;
            assert_int_equal(changes.items[0].event, CMAP_ON_MODIFY);
            assert_int_equal(changes.items[0].old_value.type, from);
            assert_int_equal(changes.items[0].old_value.size, from_size + (from == 11));
            assert_memory_equal(changes.items[0].old_value.bytes, "abcdefgh", from_size);
            assert_int_equal(changes.items[0].new_value.type, to);
            assert_int_equal(changes.items[0].new_value.size, to_size + (to == 11));
            assert_memory_equal(changes.items[0].new_value.bytes, "abcdefgh", to_size);
        }
}

/* ---- names ---- */

static void test_names(void **state)
{
    char name[300];

    (void)state;
    memset(name, 'n', sizeof(name));
    for (size_t length = 0; length < 299; length++) {
        name[length] = '\0';
        assert_int_equal(set(name, CMAP_U8, "x", 1),
                         length < 3 || length > 255 ? CS_ERROR_NAME_TOO_LONG : CS_ERROR_OK);
        name[length] = 'n';
    }
    for (int c = 1; c < 256; c++) {
        const char text[] = {'a', (char)c, 'b', '\0'};
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    strchr("._-/:", c) != NULL;
        assert_int_equal(set(text, CMAP_U8, "x", 1), good ? CS_ERROR_OK : CS_ERROR_NAME_TOO_LONG);
    }
    /* the value is looked at first, the name only when the key is made */
    assert_int_equal(set("a b", CMAP_U8, "x", 2), CS_ERROR_INVALID_PARAM);
    assert_int_equal(cmap_client_delete(&store, "a b", &changes), CS_ERROR_NOT_EXIST);
    assert_int_equal(cmap_client_adjust(&store, "a b", 1, &changes), CS_ERROR_NOT_EXIST);
}

static void test_read_only(void **state)
{
    static const char *const always[] = {"internal_configuration.service.0.name",
                                         "runtime.services.cfg.0.tx",
                                         "runtime.config.totem.token",
                                         "runtime.totem.members.1.ip",
                                         "uidgid.config.uid.5",
                                         "system.sched_rr",
                                         "nodelist.local_node_pos",
                                         "nodelist.node.0.name",
                                         "totem.crypto_model",
                                         "totem.crypto_cipher",
                                         "totem.crypto_hash",
                                         "totem.keyfile",
                                         "totem.key",
                                         "totem.secauth",
                                         "totem.ip_version",
                                         "totem.rrp_mode",
                                         "totem.transport",
                                         "totem.cluster_name",
                                         "totem.netmtu",
                                         "totem.threads",
                                         "totem.version",
                                         "totem.nodeid",
                                         "totem.clear_node_high_bit",
                                         "config.reload_in_progress",
                                         "config.totemconfig_reload_in_progress"};
    static const char *const with_votequorum[] = {
        "quorum.allow_downscale",         "quorum.wait_for_all",
        "quorum.last_man_standing",       "quorum.last_man_standing_window",
        "quorum.expected_votes_tracking", "quorum.auto_tie_breaker",
        "quorum.auto_tie_breaker_node"};
    static const char *const never[] = {"quorum.expected_votes",
                                        "quorum.two_node",
                                        "totem.token",
                                        "totem.keys",
                                        "runtime.members.1.status",
                                        "uidgid.uid.5",
                                        "system",
                                        "nodelist",
                                        "own.key",
                                        "config.reload_status",
                                        "quorum.device.votes",
                                        "totem.interface.0.ttl"};

    (void)state;
    for (int votequorum = 0; votequorum < 2; votequorum++) {
        store.votequorum_runs = votequorum;
        for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
            assert_int_equal(set(always[i], CMAP_U8, "x", 1), CS_ERROR_ACCESS);
            assert_int_equal(set(always[i], CMAP_U8, "x", 99), CS_ERROR_ACCESS);
            assert_int_equal(cmap_client_delete(&store, always[i], &changes), CS_ERROR_ACCESS);
            assert_int_equal(cmap_client_adjust(&store, always[i], 1, &changes), CS_ERROR_ACCESS);
            assert_int_equal(cmap_store_set_text(&store, always[i], "the daemon may", &changes), CS_ERROR_OK);
        }
        for (size_t i = 0; i < sizeof(with_votequorum) / sizeof(with_votequorum[0]); i++)
            assert_int_equal(set(with_votequorum[i], CMAP_U8, "x", 1),
                             votequorum ? CS_ERROR_ACCESS : CS_ERROR_OK);
        for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
            assert_int_equal(set(never[i], CMAP_U8, "x", 1), CS_ERROR_OK);
    }
}

/* ---- iteration ---- */

static void expect_next(uint64_t handle, const char *name)
{
    struct cmap_value value;
    const char *next = NULL;
    enum cs_error error = cmap_iterator_next(&store, &one, handle, &next, &value);

    assert_int_equal(error, name == NULL ? CS_ERROR_NO_SECTIONS : CS_ERROR_OK);
    if (name != NULL)
        assert_string_equal(next, name);
}

static void test_iteration_by_prefix_in_byte_order(void **state)
{
    uint64_t all, ord, ord_dot, none;

    (void)state;
    set_text("ord.x", "");
    set_text("ord", "");
    set_text("order", "");
    set_text("ORD", "");
    set_text("ord:x", "");
    set_text("ord.10", "");
    set_text("ord.9", "");
    assert_int_equal(cmap_iterator_add(&store, &one, "", &all), CS_ERROR_OK);
    assert_int_equal(cmap_iterator_add(&store, &one, "ord", &ord), CS_ERROR_OK);
    assert_int_equal(cmap_iterator_add(&store, &one, "ord.", &ord_dot), CS_ERROR_OK);
    assert_int_equal(cmap_iterator_add(&store, &one, "oro", &none), CS_ERROR_OK);
    expect_next(all, "ORD");
    expect_next(all, "ord");
    expect_next(ord, "ord");
    expect_next(ord, "ord.10");
    expect_next(ord, "ord.9");
    expect_next(ord, "ord.x");
    expect_next(ord, "ord:x");
    expect_next(ord, "order");
    expect_next(ord, NULL);
    expect_next(ord, NULL);
    expect_next(ord_dot, "ord.10");
    expect_next(ord_dot, "ord.9");
    expect_next(ord_dot, "ord.x");
    expect_next(ord_dot, NULL);
    expect_next(none, NULL);
    expect_next(all, "ord.10");
}

static void test_iteration_while_keys_come_and_go(void **state)
{
    uint64_t handle;
    char name[16];

    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "key.%d", i);
        set_text(name, "");
    }
    assert_int_equal(cmap_iterator_add(&store, &one, "key.", &handle), CS_ERROR_OK);
    for (int i = 0; i < 9; i += 2) {
        snprintf(name, sizeof(name), "key.%d", i);
        expect_next(handle, name);
        assert_int_equal(cmap_client_delete(&store, name, &changes), CS_ERROR_OK);
        snprintf(name, sizeof(name), "key.%d", i + 1);
        assert_int_equal(cmap_client_delete(&store, name, &changes), CS_ERROR_OK);
    }
    expect_next(handle, NULL);
    set_text("key.9x", "");
    set_text("key.0", "");
    expect_next(handle, "key.9x");
    expect_next(handle, NULL);
}

static void test_handles_are_the_clients_own(void **state)
{
    struct cmap_value value;
    const char *name;
    uint64_t iterator, tracker, cookie;

    (void)state;
    assert_int_equal(cmap_iterator_add(&store, &one, "", &iterator), CS_ERROR_OK);
    assert_int_equal(cmap_tracker_add(&store, &one, "key", CMAP_ON_ADD, 7, &tracker), CS_ERROR_OK);
    assert_int_equal(cmap_iterator_next(&store, &other, iterator, &name, &value), CS_ERROR_BAD_HANDLE);
    assert_int_equal(cmap_iterator_remove(&store, &other, iterator), CS_ERROR_BAD_HANDLE);
    assert_int_equal(cmap_iterator_remove(&store, &one, tracker), CS_ERROR_BAD_HANDLE);
    assert_int_equal(cmap_tracker_remove(&store, &one, iterator, &cookie), CS_ERROR_BAD_HANDLE);
    assert_int_equal(cmap_tracker_remove(&store, &other, tracker, &cookie), CS_ERROR_BAD_HANDLE);
    assert_int_equal(cmap_iterator_remove(&store, &one, 0), CS_ERROR_BAD_HANDLE);
    assert_int_equal(cmap_iterator_remove(&store, &one, UINT64_MAX), CS_ERROR_BAD_HANDLE);
    assert_int_equal(cmap_iterator_remove(&store, &one, iterator), CS_ERROR_OK);
    assert_int_equal(cmap_iterator_remove(&store, &one, iterator), CS_ERROR_BAD_HANDLE);
    assert_int_equal(cmap_tracker_remove(&store, &one, tracker, &cookie), CS_ERROR_OK);
    assert_int_equal(cookie, 7);
    assert_int_equal(cmap_tracker_remove(&store, &one, tracker, &cookie), CS_ERROR_BAD_HANDLE);
    /* the slot is used again, the handle is another */
    assert_int_equal(cmap_iterator_add(&store, &one, "", &cookie), CS_ERROR_OK);
    assert_int_equal((uint32_t)cookie, (uint32_t)tracker);
    assert_int_not_equal(cookie, tracker);
}

/* ---- tracking ---- */

static void test_every_combination_of_bits(void **state)
{
    static const char *const tracked[] = {"", "key", "key.a", "key.a.b", "key.b"};
    struct {
        const char *name;
        uint32_t bits;
    } trackers[5 * 16];

    (void)state;
    for (uint32_t i = 0; i < 5 * 16; i++) {
        uint64_t handle;
        trackers[i].name = tracked[i / 16];
        trackers[i].bits = i % 16;
        assert_int_equal(
            cmap_tracker_add(&store, i % 2 ? &one : &other, trackers[i].name, trackers[i].bits, i, &handle),
            CS_ERROR_OK);
    }
    for (int event = 1; event <= 4; event *= 2) {
        bool told[5 * 16] = {false};
        size_t expected = 0;
        if (event == CMAP_ON_DELETE || event == CMAP_ON_MODIFY)
            set_text("key.a", "old");
        cmap_changes_reset(&changes);
        if (event == CMAP_ON_DELETE)
            assert_int_equal(cmap_client_delete(&store, "key.a", &changes), CS_ERROR_OK);
        else
            set_text("key.a", "new");
        if (event == CMAP_ON_MODIFY)
            assert_int_equal(cmap_store_delete(&store, "key.a", NULL), CS_ERROR_OK);
        assert_int_equal(changes.count, 1);
        assert_int_equal(changes.items[0].event, event);
        assert_string_equal(changes.items[0].name, "key.a");
        assert_int_equal(changes.items[0].new_value.type, event == CMAP_ON_DELETE ? CMAP_NONE : CMAP_TEXT);
        assert_int_equal(changes.items[0].new_value.size, event == CMAP_ON_DELETE ? 0 : 4);
        assert_int_equal(changes.items[0].old_value.type, event == CMAP_ON_ADD ? CMAP_NONE : CMAP_TEXT);
        assert_int_equal(changes.items[0].old_value.size, event == CMAP_ON_ADD ? 0 : 4);
        for (size_t i = 0; i < changes.notice_count; i++) {
            uint64_t cookie = changes.notices[i].cookie;
            assert_false(told[cookie]);
            told[cookie] = true;
            assert_int_equal(changes.notices[i].client_id, cookie % 2 ? 1 : 2);
        }
        for (size_t i = 0; i < 5 * 16; i++) {
            bool exact = strcmp(trackers[i].name, "key.a") == 0;
            bool prefix = strncmp("key.a", trackers[i].name, strlen(trackers[i].name)) == 0;
            bool matches = (trackers[i].bits & CMAP_ON_PREFIX) ? prefix : exact;
            assert_int_equal(told[i], matches && (trackers[i].bits & (uint32_t)event));
            expected += told[i];
        }
        assert_int_equal(changes.notice_count, expected);
    }
}

static void track(const char *name, uint32_t bits, uint64_t cookie)
{
    uint64_t handle;

    assert_int_equal(cmap_tracker_add(&store, &one, name, bits, cookie, &handle), CS_ERROR_OK);
}

static void test_order_of_notices(void **state)
{
    const uint32_t all = CMAP_ON_ADD | CMAP_ON_MODIFY | CMAP_ON_DELETE;

    (void)state;
    track("", all | CMAP_ON_PREFIX, 5);
    track("key", all | CMAP_ON_PREFIX, 4);
    track("key.a", all | CMAP_ON_PREFIX, 2);
    track("key.a", all, 0);
    track("key.", all | CMAP_ON_PREFIX, 3);
    track("key.a", all, 1);
    set_text("key.a", "x");
    assert_int_equal(changes.notice_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(changes.notices[i].cookie, i);
        assert_int_equal(changes.notices[i].change_index, 0);
    }
    set_text("key.b", "x");
    assert_int_equal(changes.count, 2);
    assert_int_equal(changes.notice_count, 9);
    assert_int_equal(changes.notices[6].change_index, 1);
}

static void test_what_is_no_change(void **state)
{
    uint64_t handle, cookie;

    (void)state;
    set_text("key", "x");
    assert_int_equal(changes.count, 0);
    track("key", CMAP_ON_MODIFY | CMAP_ON_DELETE, 1);
    set_text("key", "x");
    assert_int_equal(set("key", CMAP_TEXT, "x", 2), CS_ERROR_OK);
    assert_int_equal(set("key", CMAP_U16, "x", 1), CS_ERROR_INVALID_PARAM);
    set_text("keys", "x");
    assert_int_equal(changes.count, 0);
    assert_int_equal(cmap_store_set_number(&store, "key", CMAP_U8, 5, &changes), CS_ERROR_OK);
    assert_int_equal(cmap_client_adjust(&store, "key", 0, &changes), CS_ERROR_OK);
    assert_int_equal(changes.count, 1);
    assert_int_equal(cmap_tracker_add(&store, &one, "key", 16, 1, &handle), CS_ERROR_INVALID_PARAM);
    assert_int_equal(cmap_tracker_add(&store, &one, "key", 0x80000001, 1, &handle), CS_ERROR_INVALID_PARAM);
    /* who has left is told nothing */
    cmap_client_fini(&store, &one);
    set_text("key", "z");
    assert_int_equal(changes.count, 1);
    assert_int_equal(cmap_tracker_remove(&store, &one, handle, &cookie), CS_ERROR_BAD_HANDLE);
}

/* ---- limits ---- */

static void test_limit_of_keys(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < CMAP_KEYS_MAX; i++) {
        snprintf(name, sizeof(name), "key.%d", i);
        assert_int_equal(set(name, CMAP_U8, "x", 1), CS_ERROR_OK);
    }
    assert_int_equal(set("one.more", CMAP_U8, "x", 1), CS_ERROR_NO_RESOURCES);
    assert_int_equal(set("key.0", CMAP_U8, "y", 1), CS_ERROR_OK);
    assert_int_equal(cmap_client_delete(&store, "key.1", &changes), CS_ERROR_OK);
    assert_int_equal(set("one.more", CMAP_U8, "x", 1), CS_ERROR_OK);
}

static void test_limit_of_bytes(void **state)
{
    static char bytes[CMAP_VALUE_MAX];
    char name[32];
    int count = 0;

    (void)state;
    for (;; count++) {
        enum cs_error error;
        snprintf(name, sizeof(name), "key.%d", count);
        error = set(name, CMAP_BINARY, bytes, sizeof(bytes));
        if (error == CS_ERROR_NO_RESOURCES)
            break;
        assert_int_equal(error, CS_ERROR_OK);
    }
    assert_true(count >= 2000 && (size_t)count <= CMAP_BYTES_MAX / sizeof(bytes));
    assert_true(store.byte_count <= CMAP_BYTES_MAX);
    assert_int_equal(set("key.0", CMAP_U8, bytes, 1), CS_ERROR_OK);
    assert_int_equal(set("key.x", CMAP_BINARY, bytes, sizeof(bytes) / 2), CS_ERROR_OK);
}

static void test_limit_of_handles(void **state)
{
    uint64_t handle, cookie;

    (void)state;
    for (int i = 0; i < CMAP_HANDLES_PER_CLIENT_MAX; i++)
        if (i % 2)
            assert_int_equal(cmap_iterator_add(&store, &one, "", &handle), CS_ERROR_OK);
        else
            assert_int_equal(cmap_tracker_add(&store, &one, "", 15, 0, &handle), CS_ERROR_OK);
    assert_int_equal(cmap_iterator_add(&store, &one, "", &cookie), CS_ERROR_NO_RESOURCES);
    assert_int_equal(cmap_tracker_add(&store, &one, "", 15, 0, &cookie), CS_ERROR_NO_RESOURCES);
    assert_int_equal(cmap_iterator_add(&store, &other, "", &cookie), CS_ERROR_OK);
    assert_int_equal(cmap_iterator_remove(&store, &one, handle), CS_ERROR_OK);
    assert_int_equal(cmap_tracker_add(&store, &one, "", 15, 0, &cookie), CS_ERROR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_type_with_every_size),
        TEST(test_text),
        TEST(test_get_with_little_room),
        TEST(test_adjust_of_every_type),
        TEST(test_signs),
        TEST(test_numbers_of_another_type_are_absent),
        TEST(test_every_type_becomes_every_other),
        TEST(test_names),
        TEST(test_read_only),
        TEST(test_iteration_by_prefix_in_byte_order),
        TEST(test_iteration_while_keys_come_and_go),
        TEST(test_handles_are_the_clients_own),
        TEST(test_every_combination_of_bits),
        TEST(test_order_of_notices),
        TEST(test_what_is_no_change),
        TEST(test_limit_of_keys),
        TEST(test_limit_of_bytes),
        TEST(test_limit_of_handles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
