/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The service cfg as clients and other nodes see it, at the offsets of spec/corosync-ipc.md section 4 and totem-wire.md
 * section 8.6: nodes and links, reload, the end of a node, the vote on a shutdown, the phases of a new key; and requests
 * and messages cut off at every length.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cfg.h"
#include "core/services/ipc_wire.h"
#include "tests/unit/service_driver.h"

#define ME 2
#define PRIVATE_ID 0x1122334455667788
#define A 11 /* connections */
#define B 12
#define C 13

enum {
    RING_STATUS,
    RING_REENABLE,
    KILL,
    TRY_SHUTDOWN,
    REPLY_SHUTDOWN,
    NODE_ADDRESSES,
    LOCAL,
    RELOAD,
    REOPEN_LOGS,
    NODE_STATUS,
    TRACK_START,
    TRACK_STOP
};

static struct cfg *cfg;
static struct cmap_store keys;
static struct core_config config;
static struct core_node nodes[3];
static struct node_link_status link_nodes[3];
static struct link_status_table links;
static struct service_driver driver;

static enum q_err step(void *stepped, const struct service_event *event, struct outbox *out)
{
    return cfg_step(stepped, event, out);
}

static void make_nodes(void)
{
    memset(nodes, 0, sizeof(nodes));
    memset(link_nodes, 0, sizeof(link_nodes));
    for (uint32_t i = 0; i < 3; i++) {
        nodes[i].id = i + 1;
        nodes[i].addresses[0].family = 4;
        memcpy(nodes[i].addresses[0].bytes, (uint8_t[]){10, 0, 0, (uint8_t)(i + 1)}, 4);
        link_nodes[i].node_id = i + 1;
        link_nodes[i].reachable = i < 2;
        link_nodes[i].links[0] = (struct link_status){.exists = true,
                                                      .enabled = true,
                                                      .connected = i < 2,
                                                      .mtu = 1446,
                                                      .source = "10.0.0.2",
                                                      .destination = "10.0.0.x"};
    }
    nodes[1].addresses[2].family = 4;
    memcpy(nodes[1].addresses[2].bytes, (uint8_t[]){0, 0, 0, 9}, 4);
    nodes[2].addresses[0].family = 6;
    memset(nodes[2].addresses[0].bytes, 0xfd, 16);
    nodes[2].addresses[1].family = 4;
    link_nodes[0].links[2] = (struct link_status){.exists = true, .connected = true, .dynconnected = true};
    link_nodes[1].links[2] = (struct link_status){.exists = true, .enabled = true, .source = "0.0.0.9"};
    config = (struct core_config){.transport = CORE_TRANSPORT_KNET, .nodes = nodes, .node_count = 3};
    links = (struct link_status_table){link_nodes, 3};
}

static int setup(void **state)
{
    (void)state;
    make_nodes();
    cmap_store_init(&keys);
    cfg = cfg_new(ME, PRIVATE_ID);
    assert_non_null(cfg);
    cfg_set_view(cfg, &config, &keys, &links);
    driver_init(&driver, cfg, step);
    for (uint64_t conn = A; conn <= C; conn++)
        driver_connect(&driver, conn);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    driver_fini(&driver);
    cfg_free(cfg);
    cmap_store_fini(&keys);
    return 0;
}

static void send_plain(uint64_t conn, int32_t id)
{
    request_begin(&driver, id, 16);
    request_send(&driver, conn);
}

static void send_u32(uint64_t conn, int32_t id, uint32_t value)
{
    request_begin(&driver, id, 24);
    request_u32(&driver, 16, value);
    request_send(&driver, conn);
}

/* What the daemon's own calls of cfg_* add. */
static struct outbox *fresh(void)
{
    outbox_reset(&driver.out);
    return &driver.out;
}

/* The only message, as it goes to all nodes. */
static const uint8_t *message(uint32_t function, size_t size)
{
    const struct outbox_item *item = out_item(&driver, OUTBOX_MULTICAST, 0);
    const uint8_t *bytes = out_bytes(&driver, item);

    assert_int_equal(out_count(&driver, OUTBOX_MULTICAST), 1);
    assert_false(item->for_this_ring);
    assert_int_equal(item->head_size, size);
    assert_int_equal(ipc_get_u32(bytes, 0), 1 << 16 | function);
    assert_int_equal(ipc_get_u32(bytes, 8), size);
    return bytes;
}

static void deliver(uint32_t sender, const uint8_t *bytes, size_t size)
{
    uint8_t copy[512];

    memcpy(copy, bytes, size);
    driver_deliver(&driver, sender, TOTEM_ORDER_OURS, copy, size);
}

/* ---- nodes and links ---- */

static void this_node_is_told(void **state)
{
    (void)state;
    send_plain(A, LOCAL);
    assert_int_equal(ipc_get_u32(out_answer(&driver, A, 12, 32, CS_ERROR_OK), 24), ME);
    send_plain(A, RING_REENABLE);
    (void)out_answer(&driver, A, 1, 24, CS_ERROR_NOT_SUPPORTED);
}

static void links_are_told(void **state)
{
    const uint8_t *bytes;

    (void)state;
    send_plain(A, RING_STATUS);
    bytes = out_answer(&driver, A, 0, 10272, CS_ERROR_OK);
    assert_int_equal(ipc_get_u32(bytes, 24), 2);
    assert_string_equal((const char *)bytes + 32, "0 10.0.0.2");
    assert_string_equal((const char *)bytes + 32 + 128, "2 0.0.0.9");
    assert_string_equal((const char *)bytes + 2080, "3n1");
    assert_string_equal((const char *)bytes + 2080 + 512, "6nd");
    assert_int_equal(bytes[32 + 256], 0);
    config.transport = CORE_TRANSPORT_UDPU;
    send_plain(A, RING_STATUS);
    assert_string_equal((const char *)out_answer(&driver, A, 0, 10272, CS_ERROR_OK) + 2080, "OK");
}

static void nothing_is_known_without_a_view(void **state)
{
    (void)state;
    cfg_set_view(cfg, NULL, NULL, NULL);
    send_plain(A, RING_STATUS);
    assert_int_equal(ipc_get_u32(out_answer(&driver, A, 0, 10272, CS_ERROR_OK), 24), 0);
    send_u32(A, NODE_ADDRESSES, 0);
    (void)out_answer(&driver, A, 11, 32, CS_ERROR_NOT_EXIST);
}

static void addresses_are_told(void **state)
{
    static const uint8_t two[] = {10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                  0,  0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const uint8_t *bytes;

    (void)state;
    for (uint32_t id = 0; id <= 2; id += 2) { /* 0: this node */
        send_u32(A, NODE_ADDRESSES, id);
        bytes = out_answer(&driver, A, 11, 64, CS_ERROR_OK);
        assert_int_equal(ipc_get_u32(bytes, 24), 2);
        assert_int_equal(ipc_get_u32(bytes, 28), 2);
        assert_memory_equal(bytes + 32, two, 32);
    }
    send_u32(A, NODE_ADDRESSES, 3);
    bytes = out_answer(&driver, A, 11, 48, CS_ERROR_OK);
    assert_int_equal(ipc_get_u32(bytes, 24), 10);
    assert_int_equal(ipc_get_u32(bytes, 28), 1);
    assert_int_equal(bytes[47], 0xfd);
    send_u32(A, NODE_ADDRESSES, 4);
    bytes = out_answer(&driver, A, 11, 32, CS_ERROR_NOT_EXIST);
    assert_int_equal(ipc_get_u64(bytes, 24), 0);
}

static void send_node_status(uint32_t node_id, uint32_t version)
{
    request_begin(&driver, NODE_STATUS, 32);
    request_u32(&driver, 16, node_id);
    request_u32(&driver, 24, version);
    request_send(&driver, A);
}

static void a_node_is_told(void **state)
{
    const uint8_t *bytes;

    (void)state;
    link_nodes[0].onwire_min = 1;
    link_nodes[0].onwire_max = 3;
    link_nodes[0].onwire_version = 2;
    link_nodes[0].external = true;
    memset(link_nodes[0].links[0].destination, 'x', 256); /* no end */
    send_node_status(1, 1);
    bytes = out_answer(&driver, A, 16, 4200, CS_ERROR_OK);
    assert_int_equal(ipc_get_u32(bytes, 24), 1);
    assert_int_equal(ipc_get_u32(bytes, 28), 1);
    assert_memory_equal(bytes + 32, ((uint8_t[]){1, 0, 1, 1, 3, 2, 0, 0}), 8);
    assert_memory_equal(bytes + 40, ((uint8_t[]){1, 1, 0, 0}), 4);
    assert_int_equal(ipc_get_u32(bytes, 44), 1446);
    assert_string_equal((const char *)bytes + 48, "10.0.0.2");
    assert_int_equal(strlen((const char *)bytes + 304), 255);
    assert_int_equal(bytes[40 + 520], 0);
    assert_memory_equal(bytes + 40 + 1040, ((uint8_t[]){0, 1, 1, 0}), 4);
    send_node_status(0, 1);
    (void)out_answer(&driver, A, 16, 32, CS_ERROR_FAILED_OPERATION);
    send_node_status(9, 2);
    (void)out_answer(&driver, A, 16, 32, CS_ERROR_FAILED_OPERATION);
    send_node_status(1, 2);
    assert_int_equal(ipc_get_u64(out_answer(&driver, A, 16, 32, CS_ERROR_NOT_SUPPORTED), 24), 0);
}

static void membership_is_all_that_is_known_without_knet(void **state)
{
    (void)state;
    config.transport = CORE_TRANSPORT_UDPU;
    send_node_status(1, 1);
    assert_memory_equal(out_answer(&driver, A, 16, 4200, CS_ERROR_OK) + 32,
                        ((uint8_t[]){0, 0, 0, 0, 0, 0, 0, 0, 1, 0}), 10);
    cmap_store_set_text(&keys, "runtime.members.1.status", "joined", NULL);
    send_node_status(1, 1);
    assert_memory_equal(out_answer(&driver, A, 16, 4200, CS_ERROR_OK) + 32,
                        ((uint8_t[]){1, 0, 0, 0, 0, 0, 0, 0, 1, 1}), 10);
}

/* ---- the end of a node ---- */

static void send_kill(uint32_t node_id, const void *reason, uint16_t length)
{
    request_begin(&driver, KILL, 288);
    request_u32(&driver, 16, node_id);
    request_bytes(&driver, 24, &length, 2);
    request_bytes(&driver, 26, reason, length < 256 ? length : 256);
    request_send(&driver, A);
}

static void a_member_is_killed(void **state)
{
    uint8_t bytes[288];

    (void)state;
    send_kill(1, "because", 8);
    (void)out_answer(&driver, A, 8, 24, CS_ERROR_NOT_EXIST);
    assert_int_equal(driver.out.count, 1);
    assert_int_equal(cmap_store_set_text(&keys, "runtime.members.1.status", "left", NULL), CS_ERROR_OK);
    send_kill(1, "because", 8);
    (void)out_answer(&driver, A, 8, 24, CS_ERROR_NOT_EXIST);

    assert_int_equal(cmap_store_set_text(&keys, "runtime.members.1.status", "joined", NULL), CS_ERROR_OK);
    send_kill(1, "because", 8);
    (void)out_answer(&driver, A, 8, 24, CS_ERROR_OK);
    memcpy(bytes, message(1, 288), 288);
    assert_int_equal(ipc_get_u32(bytes, 16), 1);
    assert_int_equal(ipc_get_u16(bytes, 24), 8);
    assert_string_equal((const char *)bytes + 32, "because");
    for (size_t i = 39; i < 288; i++)
        assert_int_equal(bytes[i], 0);
    deliver(ME, bytes, 288); /* that is not us */
    assert_int_equal(driver.out.count, 0);
    ipc_put_u32(bytes, 16, ME);
    deliver(1, bytes, 288);
    assert_string_equal(out_text(&driver, out_item(&driver, OUTBOX_NOTE, 0)), "Killed by node 1 : because");
    assert_string_equal(out_text(&driver, out_task(&driver, 0, OUTBOX_DIE)), "because");
}

static void reasons_are_what_they_may_be(void **state)
{
    static uint8_t reason[256];
    uint8_t bytes[288] = {0};

    (void)state;
    assert_int_equal(cmap_store_set_text(&keys, "runtime.members.1.status", "joined", NULL), CS_ERROR_OK);
    memset(reason, 'r', sizeof(reason));
    send_kill(1, reason, 65535);
    assert_int_equal(ipc_get_u16(message(1, 288), 24), 256);
    assert_int_equal(strlen((const char *)message(1, 288) + 32), 255);
    send_kill(1, "ab\0cd", 6);
    assert_int_equal(ipc_get_u16(message(1, 288), 24), 3);
    assert_int_equal(message(1, 288)[35], 0);

    /* From a node of the other order, and not fit to be printed. */
    totem_put_u32(bytes, 1 << 16 | 1, TOTEM_BIG_ENDIAN);
    totem_put_u32(bytes + 16, ME, TOTEM_BIG_ENDIAN);
    totem_put_u16(bytes + 24, 5, TOTEM_BIG_ENDIAN);
    memcpy(bytes + 32, "a\n\x1b\xff+more", 9);
    driver_deliver(&driver, 3, TOTEM_BIG_ENDIAN, bytes, 288);
    assert_string_equal(out_text(&driver, out_task(&driver, 0, OUTBOX_DIE)), "a???+");
    memset(bytes + 24, 'x', 264);
    driver_deliver(&driver, 3, TOTEM_BIG_ENDIAN, bytes, 288);
    assert_int_equal(strlen(out_text(&driver, out_task(&driver, 0, OUTBOX_DIE))), 256);
    for (size_t size = 0; size < 288; size++) {
        driver_deliver(&driver, 3, TOTEM_BIG_ENDIAN, bytes, size);
        assert_int_equal(driver.out.count, 0);
    }
}

/* ---- shutdown ---- */

static void track(uint64_t conn)
{
    request_begin(&driver, TRACK_START, 24);
    request_send(&driver, conn);
    (void)out_answer(&driver, conn, 2, 24, CS_ERROR_OK);
}

static void asked(size_t n, uint64_t conn, uint32_t flags)
{
    const struct outbox_item *item = out_item(&driver, OUTBOX_EVENT, n);
    const uint8_t *bytes = out_bytes(&driver, item);

    assert_int_equal(item->conn, conn);
    assert_int_equal(item->head_size, 32);
    assert_int_equal(ipc_get_u32(bytes, 0), 10);
    assert_int_equal(ipc_get_u32(bytes, 8), 32);
    assert_int_equal(ipc_get_u32(bytes, 16), CS_ERROR_OK);
    assert_int_equal(ipc_get_u32(bytes, 24), flags);
    assert_int_equal(ipc_get_u32(bytes, 28), 0);
}

/* The n-th answer: of the request, to that client. */
static void answered(size_t n, uint64_t conn, int32_t id, enum cs_error error)
{
    const struct outbox_item *item = out_item(&driver, OUTBOX_ANSWER, n);
    const uint8_t *bytes = out_bytes(&driver, item);

    assert_int_equal(item->conn, conn);
    assert_int_equal(ipc_get_u32(bytes, 0), id);
    assert_int_equal(ipc_get_u32(bytes, 16), error);
}

/* The decision has fallen; our message comes back; we leave. */
static void we_leave(void)
{
    uint8_t bytes[16];

    memcpy(bytes, message(2, 16), 16);
    deliver(1, bytes, 16); /* somebody else's */
    assert_string_equal(out_text(&driver, out_item(&driver, OUTBOX_NOTE, 0)),
                        "Node 1 was shut down by sysadmin");
    assert_int_equal(driver.out.count, 1);
    deliver(ME, bytes, 16);
    (void)out_task(&driver, 0, OUTBOX_LEAVE);
    assert_int_equal(cfg_deadline_ms(cfg), SERVICE_NEVER);
    deliver(ME, bytes, 16);
    assert_int_equal(out_count(&driver, OUTBOX_TASK), 0);
}

static void alone_nobody_is_asked(void **state)
{
    (void)state;
    track(A);
    send_u32(A, TRY_SHUTDOWN, 0);
    (void)out_answer(&driver, A, 9, 24, CS_ERROR_OK);
    assert_int_equal(out_count(&driver, OUTBOX_EVENT), 0);
    we_leave();
    send_u32(B, TRY_SHUTDOWN, 0);
    (void)out_answer(&driver, B, 9, 24, CS_ERROR_OK);
    assert_int_equal(driver.out.count, 1);
}

static void at_once_nobody_is_asked(void **state)
{
    (void)state;
    track(B);
    send_u32(A, TRY_SHUTDOWN, 2);
    (void)out_answer(&driver, A, 9, 24, CS_ERROR_OK);
    assert_int_equal(out_count(&driver, OUTBOX_EVENT), 0);
    we_leave();
}

static void unknown_flags_are_invalid(void **state)
{
    (void)state;
    send_u32(A, TRY_SHUTDOWN, 3);
    (void)out_answer(&driver, A, 9, 24, CS_ERROR_INVALID_PARAM);
    assert_int_equal(driver.out.count, 1);
}

static void all_agree(void **state)
{
    (void)state;
    track(A);
    track(B);
    track(B);
    track(C);
    send_u32(A, TRY_SHUTDOWN, 0);
    asked(0, B, 0);
    asked(1, C, 0);
    assert_int_equal(driver.out.count, 2);
    assert_int_equal(cfg_deadline_ms(cfg), 6000);
    send_u32(B, TRY_SHUTDOWN, 0);
    (void)out_answer(&driver, B, 9, 24, CS_ERROR_EXIST);
    send_u32(B, REPLY_SHUTDOWN, 1);
    (void)out_answer(&driver, B, 13, 24, CS_ERROR_OK);
    send_u32(B, REPLY_SHUTDOWN, 77); /* once more, which is no second voice */
    (void)out_answer(&driver, B, 13, 24, CS_ERROR_OK);
    send_u32(A, REPLY_SHUTDOWN, 1); /* was not asked */
    (void)out_answer(&driver, A, 13, 24, CS_ERROR_OK);
    send_u32(C, REPLY_SHUTDOWN, 1);
    answered(0, A, 9, CS_ERROR_OK);
    answered(1, C, 13, CS_ERROR_OK);
    we_leave();
}

static void one_objects(void **state)
{
    (void)state;
    track(B);
    track(C);
    send_u32(A, TRY_SHUTDOWN, 0);
    send_u32(B, REPLY_SHUTDOWN, 1);
    send_u32(C, REPLY_SHUTDOWN, 0);
    answered(0, A, 9, CS_ERROR_BUSY);
    answered(1, C, 13, CS_ERROR_OK);
    assert_int_equal(driver.out.count, 2);
    assert_int_equal(cfg_deadline_ms(cfg), SERVICE_NEVER);
    send_u32(C, REPLY_SHUTDOWN, 1);
    (void)out_answer(&driver, C, 13, 24, CS_ERROR_ACCESS);
    send_u32(A, TRY_SHUTDOWN, 0); /* old replies are forgotten */
    assert_int_equal(out_count(&driver, OUTBOX_EVENT), 2);
    assert_int_equal(driver.out.count, 2);
}

static void objections_may_be_disregarded(void **state)
{
    (void)state;
    track(B);
    send_u32(A, TRY_SHUTDOWN, 1);
    asked(0, B, 1);
    send_u32(B, REPLY_SHUTDOWN, 0);
    answered(0, A, 9, CS_ERROR_OK);
    we_leave();
}

static void silence_objects(void **state)
{
    (void)state;
    assert_int_equal(cmap_store_set_number(&keys, "cfg.shutdown_timeout", CMAP_U32, 300, NULL), CS_ERROR_OK);
    track(B);
    track(C);
    send_u32(A, TRY_SHUTDOWN, 0);
    send_u32(B, REPLY_SHUTDOWN, 1);
    assert_int_equal(cfg_deadline_ms(cfg), 1300);
    driver_time(&driver, 1299);
    assert_int_equal(driver.out.count, 0);
    driver_time(&driver, 1300);
    (void)out_answer(&driver, A, 9, 24, CS_ERROR_BUSY);
    assert_int_equal(driver.out.count, 1);
    send_u32(A, TRY_SHUTDOWN, 1);
    driver_time(&driver, 1600);
    (void)out_answer(&driver, A, 9, 24, CS_ERROR_OK);
    we_leave();
}

static void who_goes_agrees(void **state)
{
    (void)state;
    track(B);
    track(C);
    send_u32(A, TRY_SHUTDOWN, 0);
    driver_gone(&driver, B);
    assert_int_equal(driver.out.count, 0);
    send_plain(C, TRACK_STOP);
    answered(0, A, 9, CS_ERROR_OK);
    answered(1, C, 3, CS_ERROR_OK);
    we_leave();
    send_plain(C, TRACK_STOP);
    (void)out_answer(&driver, C, 3, 24, CS_ERROR_OK);
}

static void who_comes_is_asked_too(void **state)
{
    (void)state;
    track(B);
    send_u32(A, TRY_SHUTDOWN, 0);
    request_begin(&driver, TRACK_START, 24);
    request_send(&driver, C);
    asked(0, C, 0);
    send_u32(B, REPLY_SHUTDOWN, 1);
    assert_int_equal(driver.out.count, 1);
    send_u32(C, REPLY_SHUTDOWN, 0);
    answered(0, A, 9, CS_ERROR_BUSY);
}

static void without_who_has_asked_it_is_off(void **state)
{
    (void)state;
    track(B);
    send_u32(A, TRY_SHUTDOWN, 0);
    driver_gone(&driver, A);
    assert_int_equal(driver.out.count, 0);
    send_u32(B, REPLY_SHUTDOWN, 1);
    (void)out_answer(&driver, B, 13, 24, CS_ERROR_ACCESS);
    assert_int_equal(cfg_deadline_ms(cfg), SERVICE_NEVER);
}

static void a_signal_asks_nobody(void **state)
{
    (void)state;
    track(B);
    send_u32(A, TRY_SHUTDOWN, 0);
    cfg_shutdown(cfg, fresh());
    (void)out_answer(&driver, A, 9, 24, CS_ERROR_OK);
    we_leave();
    cfg_shutdown(cfg, fresh());
    assert_int_equal(driver.out.count, 0);
}

static void haste_overtakes_a_vote(void **state)
{
    (void)state;
    track(B);
    send_u32(A, TRY_SHUTDOWN, 0);
    send_u32(C, TRY_SHUTDOWN, 2);
    answered(0, A, 9, CS_ERROR_OK);
    answered(1, C, 9, CS_ERROR_OK);
    we_leave();
}

/* The order to leave does not come back: there is no ring. */
static void without_a_ring_patience_ends(void **state)
{
    (void)state;
    cfg_shutdown(cfg, fresh());
    (void)message(2, 16);
    assert_int_equal(cfg_deadline_ms(cfg), 0); /* the time is not known yet */
    driver_time(&driver, 2000);
    assert_int_equal(driver.out.count, 0);
    assert_int_equal(cfg_deadline_ms(cfg), 7000);
    cfg_shutdown(cfg, fresh());
    assert_int_equal(driver.out.count, 0);
    driver_time(&driver, 7000);
    (void)out_task(&driver, 0, OUTBOX_LEAVE);
    assert_int_equal(cfg_deadline_ms(cfg), SERVICE_NEVER);
}

/* ---- reload ---- */

static void reloads_are_answered_one_by_one(void **state)
{
    uint8_t first[32], second[32];

    (void)state;
    send_plain(A, RELOAD);
    assert_int_equal(driver.out.count, 1);
    memcpy(first, message(3, 32), 32);
    assert_int_equal(ipc_get_u32(first, 16), ME);
    assert_int_equal(ipc_get_u32(first, 20), 0);
    assert_int_equal(ipc_get_u64(first, 24), PRIVATE_ID);
    send_plain(B, RELOAD);
    memcpy(second, message(3, 32), 32);
    deliver(1, first, 32); /* another node's, whatever it says */
    assert_int_equal(out_task(&driver, 0, OUTBOX_RELOAD)->number, 0);
    assert_string_equal(out_text(&driver, out_item(&driver, OUTBOX_NOTE, 0)),
                        "Config reload requested by node 1");
    deliver(ME, first, 32);
    assert_int_equal(out_task(&driver, 0, OUTBOX_RELOAD)->number, 1);
    cfg_reloaded(cfg, CS_ERROR_OK, fresh());
    assert_int_equal(driver.out.count, 0);
    deliver(ME, second, 32);
    cfg_reloaded(cfg, CS_ERROR_INVALID_PARAM, fresh());
    (void)out_answer(&driver, A, 14, 24, CS_ERROR_INVALID_PARAM);
    cfg_reloaded(cfg, CS_ERROR_OK, fresh());
    (void)out_answer(&driver, B, 14, 24, CS_ERROR_OK);
}

static void nobody_waits_for_a_reload(void **state)
{
    uint8_t bytes[32];

    (void)state;
    send_plain(A, RELOAD);
    memcpy(bytes, message(3, 32), 32);
    driver_gone(&driver, A);
    deliver(ME, bytes, 32);
    assert_int_equal(out_task(&driver, 0, OUTBOX_RELOAD)->number, 0);
    cfg_reloaded(cfg, CS_ERROR_OK, fresh());
    assert_int_equal(driver.out.count, 0);

    send_plain(B, RELOAD);
    memcpy(bytes, message(3, 32), 32);
    deliver(ME, bytes, 32);
    driver_gone(&driver, B); /* while it is carried out */
    cfg_reloaded(cfg, CS_ERROR_OK, fresh());
    assert_int_equal(driver.out.count, 0);
}

/* An order without its end, or one that we have not given, is one all the same. */
static void any_order_to_reload_counts(void **state)
{
    uint8_t bytes[32];

    (void)state;
    send_plain(A, RELOAD);
    memcpy(bytes, message(3, 32), 32);
    for (size_t size = 0; size < 32; size++) {
        deliver(ME, bytes, size);
        assert_int_equal(out_count(&driver, OUTBOX_TASK), size >= 16);
        if (size >= 16)
            cfg_reloaded(cfg, CS_ERROR_OK, fresh());
    }
    totem_put_u32(bytes, 1 << 16 | 3, TOTEM_BIG_ENDIAN);
    driver_deliver(&driver, 3, TOTEM_BIG_ENDIAN, bytes, 32);
    assert_int_equal(out_task(&driver, 0, OUTBOX_RELOAD)->number, 0);
    cfg_reloaded(cfg, CS_ERROR_OK, fresh());
    assert_int_equal(driver.out.count, 0);
}

static void logs_are_reopened(void **state)
{
    (void)state;
    send_plain(A, REOPEN_LOGS);
    (void)out_answer(&driver, A, 15, 24, CS_ERROR_OK);
    (void)out_task(&driver, 0, OUTBOX_REOPEN_LOGS);
}

/* ---- another key ---- */

static void a_new_key_has_two_phases(void **state)
{
    uint8_t first[24], second[24];

    (void)state;
    cfg_crypto_changed(cfg, fresh());
    memcpy(first, message(4, 24), 24);
    assert_int_equal(ipc_get_u32(first, 16), 1);
    deliver(1, first, 24);
    assert_int_equal(driver.out.count, 0);
    deliver(ME, first, 23);
    assert_int_equal(driver.out.count, 0);
    deliver(ME, first, 24);
    (void)out_task(&driver, 0, OUTBOX_CRYPTO_USE);
    memcpy(second, message(4, 24), 24);
    assert_int_equal(ipc_get_u32(second, 16), 2);
    deliver(3, second, 24);
    assert_int_equal(driver.out.count, 0);
    deliver(ME, first, 24); /* comes from nowhere */
    assert_int_equal(driver.out.count, 0);
    deliver(ME, second, 24);
    (void)out_task(&driver, 0, OUTBOX_CRYPTO_FORGET);
    deliver(ME, second, 24);
    assert_int_equal(driver.out.count, 0);
}

static void a_key_that_was_replaced_is_not_used(void **state)
{
    uint8_t first[24], second[24];

    (void)state;
    cfg_crypto_changed(cfg, fresh());
    memcpy(first, message(4, 24), 24);
    cfg_crypto_changed(cfg, fresh());
    deliver(ME, first, 24);
    assert_int_equal(driver.out.count, 0);
    deliver(ME, first, 24);
    (void)out_task(&driver, 0, OUTBOX_CRYPTO_USE);
    memcpy(second, message(4, 24), 24);
    cfg_crypto_changed(cfg, fresh()); /* while the former one is about to be forgotten */
    deliver(ME, second, 24);
    assert_int_equal(driver.out.count, 0);
    deliver(ME, first, 24);
    (void)out_task(&driver, 0, OUTBOX_CRYPTO_USE);
    deliver(ME, second, 24);
    (void)out_task(&driver, 0, OUTBOX_CRYPTO_FORGET);
}

/* ---- what is no request, and no message ---- */

static void requests_cut_off_are_invalid(void **state)
{
    static const struct {
        size_t whole;
        int32_t answer_id;
    } requests[] = {{16, 0},  {16, 1},  {282, 8}, {20, 9},  {20, 13}, {20, 11},
                    {16, 12}, {16, 14}, {16, 15}, {28, 16}, {17, 2},  {16, 3}};

    (void)state;
    for (int32_t id = 0; id < 12; id++) {
        for (size_t size = 16; size < requests[id].whole; size++) {
            request_begin(&driver, id, size);
            request_send(&driver, A);
            (void)out_answer(&driver, A, requests[id].answer_id, 24, CS_ERROR_INVALID_PARAM);
            assert_int_equal(driver.out.count, 1);
        }
        request_begin(&driver, id, 400);
        request_send_part(&driver, A, 399);
        (void)out_answer(&driver, A, requests[id].answer_id, 24, CS_ERROR_INVALID_PARAM);
        request_u32(&driver, 8, requests[id].whole > 16 ? 16 : 0);
        request_send(&driver, A);
        (void)out_answer(&driver, A, requests[id].answer_id, 24, CS_ERROR_INVALID_PARAM);
    }
    for (int32_t id = -1; id < 20; id += 13) {
        request_begin(&driver, id, 400);
        request_send(&driver, A);
        (void)out_answer(&driver, A, 0, 24, CS_ERROR_INVALID_PARAM);
    }
}

static void unknown_messages_do_nothing(void **state)
{
    uint8_t bytes[300] = {0};

    (void)state;
    for (uint32_t function = 0; function < 8; function++) {
        ipc_put_u32(bytes, 0, 1 << 16 | function);
        ipc_put_u32(bytes, 16, 99);
        driver_deliver(&driver, 3, TOTEM_ORDER_OURS, bytes, sizeof(bytes));
        assert_int_equal(out_count(&driver, OUTBOX_TASK), function == 3);
    }
    for (enum service_event_type type = SERVICE_EV_SYNC_INIT; type <= SERVICE_EV_SYNC_ABORT; type++) {
        driver_step(&driver, (struct service_event){.type = type});
        assert_int_equal(driver.out.count, 0);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(this_node_is_told),
        TEST(links_are_told),
        TEST(membership_is_all_that_is_known_without_knet),
        TEST(nothing_is_known_without_a_view),
        TEST(addresses_are_told),
        TEST(a_node_is_told),
        TEST(a_member_is_killed),
        TEST(reasons_are_what_they_may_be),
        TEST(alone_nobody_is_asked),
        TEST(at_once_nobody_is_asked),
        TEST(unknown_flags_are_invalid),
        TEST(all_agree),
        TEST(one_objects),
        TEST(objections_may_be_disregarded),
        TEST(silence_objects),
        TEST(who_goes_agrees),
        TEST(who_comes_is_asked_too),
        TEST(without_who_has_asked_it_is_off),
        TEST(a_signal_asks_nobody),
        TEST(haste_overtakes_a_vote),
        TEST(without_a_ring_patience_ends),
        TEST(reloads_are_answered_one_by_one),
        TEST(nobody_waits_for_a_reload),
        TEST(any_order_to_reload_counts),
        TEST(logs_are_reopened),
        TEST(a_new_key_has_two_phases),
        TEST(a_key_that_was_replaced_is_not_used),
        TEST(requests_cut_off_are_invalid),
        TEST(unknown_messages_do_nothing),
    };

    return cmocka_run_group_tests_name("cfg", tests, NULL, NULL);
}
