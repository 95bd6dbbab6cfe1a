/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole nodes: what comes out when ring, synchronisation and services work together. What each of them does by itself is
 * shown by its own tests.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/services/ipc_wire.h"
#include "core/services/quorum.h"
#include "core/services/votequorum.h"
#include "tests/unit/stack_cluster.h"

#define TOTEM "token: 1000\n"
#define DEVICE "device {\nmodel: net\nvotes: 1\nnet {\nhost: h\n}\n}\n"
#define RING_EVENT_QUORUM 6   /* of libquorum, model 1 */
#define RING_EVENT_NODELIST 7
#define POLL_SIZE (296 - IPC_REQUEST_SIZE)
#define REGISTER_SIZE (272 - IPC_REQUEST_SIZE)

static struct stack_cluster cluster;

static int set_up(void **state)
{
    (void)state;
    stack_cluster_init(&cluster);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stack_cluster_fini(&cluster);
    return 0;
}

static void start_all(uint32_t count, const char *quorum)
{
    const char *config = stack_cluster_config(count, TOTEM, quorum);

    for (uint32_t id = 1; id <= count; id++)
        stack_cluster_start(&cluster, id, config);
    for (uint32_t id = 1; id <= count; id++)
        stack_cluster_run_until_ready(&cluster, id);
    stack_cluster_run_ms(&cluster, 500);
}

static uint32_t members(uint32_t id)
{
    struct totem_status status;

    stack_get_ring(cluster.hosts[id].stack, &status);
    return status.members->count;
}

static void expect_members(uint32_t id, uint32_t count)
{
    struct totem_status status;

    stack_get_ring(cluster.hosts[id].stack, &status);
    assert_int_equal(status.state, TOTEM_OPERATIONAL);
    assert_int_equal(status.members->count, count);
    assert_false(status.synchronising);
}

static bool quorate(uint32_t id)
{
    return stack_is_quorate(cluster.hosts[id].stack);
}

/* ---- one node -------------------------------------------------------------------------------------------- */

static void a_lone_node_is_ready_and_not_quorate(void **state)
{
    (void)state;
    stack_cluster_start(&cluster, 1, stack_cluster_config(2, TOTEM, ""));
    stack_cluster_run_until_ready(&cluster, 1);
    expect_members(1, 1);
    assert_false(quorate(1));
}

static void nobody_is_let_in_before_it_is_ready(void **state)
{
    const struct stack *stack;

    (void)state;
    stack_cluster_start(&cluster, 1, stack_cluster_config(2, TOTEM, ""));
    stack = cluster.hosts[1].stack;
    if (!cluster.hosts[1].ready)
        assert_int_equal(stack_admits(stack, SERVICE_CMAP, 0, 0), STACK_NOT_YET);
    stack_cluster_run_until_ready(&cluster, 1);
    assert_int_equal(stack_admits(stack, SERVICE_CMAP, 0, 0), STACK_ADMIT);
    assert_int_equal(stack_admits(stack, SERVICE_CMAP, 1000, 1000), STACK_REFUSE);
    assert_int_equal(stack_admits(stack, (enum service_id)4, 0, 0), STACK_NOT_LOADED);
}

static void requests_that_are_none_are_answered(void **state)
{
    uint64_t conn;

    (void)state;
    start_all(1, "");
    conn = stack_cluster_connect(&cluster, 1, SERVICE_QUORUM);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, 99, NULL, 0), CS_ERROR_INVALID_PARAM);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, UINT32_MAX, NULL, 0), CS_ERROR_INVALID_PARAM);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, QUORUM_GET_QUORATE, NULL, 0), CS_ERROR_OK);
    stack_cluster_disconnect(&cluster, 1, conn);
    assert_null(stack_cluster_request(&cluster, 1, conn, QUORUM_GET_QUORATE, NULL, 0));
}

/* ---- memberships ------------------------------------------------------------------------------------------- */

static void nodes_form_one_quorate_ring(void **state)
{
    (void)state;
    start_all(3, "");
    for (uint32_t id = 1; id <= 3; id++) {
        expect_members(id, 3);
        assert_true(quorate(id));
    }
}

static void the_nodelist_comes_before_the_verdict(void **state)
{
    uint8_t flags[8] = {QUORUM_TRACK_CHANGES};
    uint8_t model[8] = {1};
    size_t nodelist = 0, verdict = 0;
    uint64_t conn;

    (void)state;
    start_all(3, "");
    conn = stack_cluster_connect(&cluster, 1, SERVICE_QUORUM);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, QUORUM_MODEL_GET_TYPE, model, sizeof(model)), CS_ERROR_OK);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, QUORUM_TRACK_START, flags, sizeof(flags)), CS_ERROR_OK);
    stack_cluster_kill(&cluster, 3);
    stack_cluster_run_ms(&cluster, 4000);
    expect_members(1, 2);
    for (size_t i = 0; i < cluster.hosts[1].message_count; i++) {
        const struct stack_message *message = &cluster.hosts[1].messages[i];

        if (message->conn != conn || !message->is_event)
            continue;
        if (stack_message_u32(message, 0) == RING_EVENT_NODELIST && stack_message_u32(message, 40) == 2)
            nodelist = i;
        if (stack_message_u32(message, 0) == RING_EVENT_QUORUM && stack_message_u32(message, 48) == 2)
            verdict = i;
    }
    assert_true(nodelist > 0 && verdict > nodelist);
    assert_true(quorate(1));
}

static void who_leaves_in_order_is_not_waited_for(void **state)
{
    (void)state;
    start_all(3, "");
    stack_cluster_step(&cluster, 2, &(struct stack_event){.type = STACK_EV_SHUTDOWN});
    stack_cluster_run_ms(&cluster, 300);
    assert_true(cluster.hosts[2].left);
    stack_cluster_run_ms(&cluster, 300);
    expect_members(1, 2);
    expect_members(3, 2);
}

static void a_node_that_hears_nobody_still_leaves(void **state)
{
    (void)state;
    start_all(2, "");
    stack_cluster_cut(&cluster, 1);
    stack_cluster_run_ms(&cluster, 100);
    stack_cluster_step(&cluster, 1, &(struct stack_event){.type = STACK_EV_SHUTDOWN});
    stack_cluster_run_ms(&cluster, 5000);
    assert_true(cluster.hosts[1].left);
}

static void halves_meet_again(void **state)
{
    (void)state;
    start_all(4, "");
    stack_cluster_cut(&cluster, 3);
    stack_cluster_run_ms(&cluster, 5000);
    for (uint32_t id = 1; id <= 4; id++) {
        expect_members(id, 2);
        assert_false(quorate(id));
    }
    stack_cluster_cut(&cluster, 0);
    stack_cluster_run_ms(&cluster, 2000);
    for (uint32_t id = 1; id <= 4; id++) {
        expect_members(id, 4);
        assert_true(quorate(id));
    }
}

/* ---- the device ---------------------------------------------------------------------------------------------- */

static void register_device(uint32_t id, uint64_t conn)
{
    uint8_t body[REGISTER_SIZE] = "Qdevice";

    (void)stack_cluster_ask(&cluster, id, conn, VOTEQUORUM_REGISTER, body, sizeof(body));
    stack_cluster_run_ms(&cluster, 50);
}

static uint32_t poll_device(uint32_t id, uint64_t conn, bool casts)
{
    uint8_t body[POLL_SIZE] = "Qdevice";
    struct totem_status status;

    stack_get_ring(cluster.hosts[id].stack, &status);
    ipc_put_u32(body, 272 - IPC_REQUEST_SIZE, casts);
    ipc_put_u32(body, 280 - IPC_REQUEST_SIZE, status.ring.rep);
    ipc_put_u64(body, 288 - IPC_REQUEST_SIZE, status.ring.seq);
    return stack_cluster_ask(&cluster, id, conn, VOTEQUORUM_POLL, body, sizeof(body));
}

/* The bar of a cut LAN: once the device has answered for the new ring, its vote counts at once, not when the token's
 * hold time has passed. */
static void a_vote_settles_a_cut_at_once(void **state)
{
    uint64_t conn[3];
    uint64_t polled_us;

    (void)state;
    start_all(2, DEVICE);
    for (uint32_t id = 1; id <= 2; id++) {
        conn[id] = stack_cluster_connect(&cluster, id, SERVICE_VOTEQUORUM);
        register_device(id, conn[id]);
        assert_int_equal(poll_device(id, conn[id], true), CS_ERROR_OK);
    }
    stack_cluster_run_ms(&cluster, 500);
    stack_cluster_cut(&cluster, 1);
    /* The ring is there, and its synchronisation waits for the device. */
    for (int i = 0; i < 4000 && !(members(1) == 1 && members(2) == 1); i++)
        stack_cluster_run_ms(&cluster, 1);
    stack_cluster_run_ms(&cluster, 20);
    assert_int_equal(stack_flow(cluster.hosts[1].stack, SERVICE_CMAP), STACK_FLOW_OFF);
    polled_us = cluster.now_us;
    assert_int_equal(poll_device(1, conn[1], true), CS_ERROR_OK);
    assert_int_equal(poll_device(2, conn[2], false), CS_ERROR_OK);
    while (stack_flow(cluster.hosts[1].stack, SERVICE_CMAP) == STACK_FLOW_OFF) {
        stack_cluster_run_ms(&cluster, 1);
        assert_true(cluster.now_us < polled_us + 2000);
    }
    expect_members(1, 1);
    assert_true(quorate(1));
    expect_members(2, 1);
    assert_false(quorate(2));
}

/* ---- keys ---------------------------------------------------------------------------------------------------- */

static void set_key(uint32_t id, uint64_t conn, const char *name, enum cmap_type type, const void *value, size_t size)
{
    uint8_t body[296 - IPC_REQUEST_SIZE + 64] = {0};

    ipc_put_u16(body, 0, (uint16_t)strlen(name));
    memcpy(body + 8, name, strlen(name));
    ipc_put_u64(body, 280 - IPC_REQUEST_SIZE, size);
    body[288 - IPC_REQUEST_SIZE] = (uint8_t)type;
    memcpy(body + 296 - IPC_REQUEST_SIZE, value, size);
    assert_int_equal(stack_cluster_ask(&cluster, id, conn, 0, body, 296 - IPC_REQUEST_SIZE + size), CS_ERROR_OK);
}

static void expect_key(uint32_t id, const char *name, enum cmap_type type, uint64_t expected)
{
    uint64_t number;

    assert_true(cmap_store_number(stack_keys(cluster.hosts[id].stack), name, type, &number));
    assert_int_equal(number, expected);
}

static void members_have_addresses(void **state)
{
    (void)state;
    start_all(2, "");
    assert_string_equal(cmap_store_text(stack_keys(cluster.hosts[1].stack), "runtime.members.2.ip"), "r(0) ip(10.4.0.2) ");
}

/* The u64 of a name in the map that the client has chosen. */
static uint64_t got(uint32_t id, uint64_t conn, const char *name)
{
    uint8_t body[288 - IPC_REQUEST_SIZE] = {0};
    const struct stack_message *answer;

    ipc_put_u16(body, 0, (uint16_t)strlen(name));
    memcpy(body + 8, name, strlen(name));
    ipc_put_u64(body, 280 - IPC_REQUEST_SIZE, 8);
    answer = stack_cluster_request(&cluster, id, conn, 2, body, sizeof(body));
    assert_non_null(answer);
    assert_int_equal(stack_message_u32(answer, 16), CS_ERROR_OK);
    return ipc_get_u64(answer->bytes, 40);
}

static void the_ring_is_counted(void **state)
{
    uint32_t map = 1;
    uint64_t conn;

    (void)state;
    start_all(2, "");
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CMAP);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, 9, &map, sizeof(map)), CS_ERROR_OK);
    assert_true(got(1, conn, "stats.srp.mcast_tx") > 0);
    assert_true(got(1, conn, "stats.srp.orf_token_rx") > 0);
    assert_true(got(1, conn, "stats.srp.operational_entered") >= 1);
    set_key(1, conn, "stats.clear.knet", CMAP_U32, &map, sizeof(map));
    assert_true(got(1, conn, "stats.srp.mcast_tx") > 0);
    set_key(1, conn, "stats.clear.totem", CMAP_U32, &map, sizeof(map));
    assert_int_equal(got(1, conn, "stats.srp.mcast_tx"), 0);
    assert_int_equal(got(1, conn, "stats.srp.operational_entered"), 0);
}

static void sleep_ms(uint32_t ms, uint64_t wall_ms)
{
    cluster.now_us += ms * 1000;
    stack_cluster_step(&cluster, 1, &(struct stack_event){.type = STACK_EV_TIME, .wall_ms = wall_ms});
}

/* stats.schedmiss.N.*: 0: there is none. */
static uint64_t end_of_sleep(unsigned index)
{
    char name[64];
    struct cmap_value value;
    uint64_t wall_ms = 0;

    (void)snprintf(name, sizeof(name), "stats.schedmiss.%u.timestamp", index);
    if (cmap_store_get(stack_statistics(cluster.hosts[1].stack), name, &value) == CS_ERROR_OK) {
        assert_int_equal(value.type, CMAP_U64);
        assert_int_equal(value.size, sizeof(wall_ms));
        memcpy(&wall_ms, value.bytes, sizeof(wall_ms));
    }
    return wall_ms;
}

static float sleep_shown(unsigned index)
{
    char name[64];
    struct cmap_value value;
    float delay_ms;

    (void)snprintf(name, sizeof(name), "stats.schedmiss.%u.delay", index);
    assert_int_equal(cmap_store_get(stack_statistics(cluster.hosts[1].stack), name, &value), CS_ERROR_OK);
    assert_int_equal(value.type, CMAP_FLOAT);
    assert_int_equal(value.size, sizeof(delay_ms));
    memcpy(&delay_ms, value.bytes, sizeof(delay_ms));
    return delay_ms;
}

static void who_was_not_scheduled_for_long_says_so(void **state)
{
    static const char note[] = "Corosync main process was not scheduled (@1795385160987) for 900.0000 ms (threshold is 800.0000 ms)";
    uint32_t any = 1;
    uint64_t conn;

    (void)state;
    start_all(1, "");
    stack_cluster_run_ms(&cluster, 5000);
    sleep_ms(0, 1);
    sleep_ms(800, 2);
    assert_int_equal(end_of_sleep(0), 0);
    sleep_ms(900, 1795385160987);
    assert_non_null(strstr(cluster.hosts[1].notes, note));
    assert_int_equal(end_of_sleep(0), 1795385160987);
    assert_float_equal(sleep_shown(0), 900, 0.1);
    for (uint32_t i = 1; i <= 11; i++)
        sleep_ms(1000 + i, i);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(end_of_sleep(i), 11 - i);
        assert_float_equal(sleep_shown(i), (float)(1011 - i), 0.1);
    }
    assert_int_equal(end_of_sleep(10), 0);
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CMAP);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, 9, &any, sizeof(any)), CS_ERROR_OK);
    set_key(1, conn, "stats.clear.totem", CMAP_U32, &any, sizeof(any));
    assert_int_equal(end_of_sleep(0), 11);
    set_key(1, conn, "stats.clear.schedmiss", CMAP_U32, &any, sizeof(any));
    assert_int_equal(end_of_sleep(0), 0);
    sleep_ms(1000, 99);
    assert_int_equal(end_of_sleep(0), 99);
    assert_int_equal(end_of_sleep(1), 0);
}

/* An idle node is not woken more often than its timeouts demand: what shorter ones demand counts at once. */
static void a_shorter_token_makes_nobody_a_sleeper(void **state)
{
    uint32_t token = 10000;
    uint64_t conn;

    (void)state;
    start_all(1, "");
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CMAP);
    set_key(1, conn, "totem.token", CMAP_U32, &token, sizeof(token));
    stack_cluster_disconnect(&cluster, 1, conn);
    stack_cluster_run_ms(&cluster, 20000);
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CMAP);
    token = 1000;
    set_key(1, conn, "totem.token", CMAP_U32, &token, sizeof(token));
    stack_cluster_disconnect(&cluster, 1, conn);
    stack_cluster_run_ms(&cluster, 20000);
    assert_int_equal(end_of_sleep(0), 0);
    assert_null(strstr(cluster.hosts[1].notes, "not scheduled"));
}

/* corosync-blackbox sets this key and then shows the file it finds. */
static void who_wants_the_black_box_is_told_that_there_is_none(void **state)
{
    uint64_t conn;

    (void)state;
    start_all(1, "");
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CMAP);
    set_key(1, conn, "runtime.blackbox.dump_state", CMAP_TEXT, "1", 1);
    assert_null(strstr(cluster.hosts[1].notes, "black box"));
    set_key(1, conn, "runtime.blackbox.dump_flight_data", CMAP_TEXT, "1", 1);
    assert_non_null(strstr(cluster.hosts[1].notes, "There is no black box to write"));
}

static void timers_follow_keys(void **state)
{
    uint32_t token = 2000;
    struct totem_status status;
    uint64_t conn;

    (void)state;
    start_all(2, "");
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CMAP);
    set_key(1, conn, "totem.token", CMAP_U32, &token, sizeof(token));
    stack_get_ring(cluster.hosts[1].stack, &status);
    assert_int_equal(status.settings->token_ms, 2000);
    expect_key(1, "runtime.config.totem.token", CMAP_U32, 2000);
    token = 1; /* cannot be */
    set_key(1, conn, "totem.token", CMAP_U32, &token, sizeof(token));
    stack_get_ring(cluster.hosts[1].stack, &status);
    assert_int_equal(status.settings->token_ms, 2000);
    assert_non_null(strstr(cluster.hosts[1].notes, "the ring keeps its settings"));
}

static void votes_follow_keys(void **state)
{
    uint32_t expected = 5;
    uint64_t conn;

    (void)state;
    start_all(2, "");
    assert_true(quorate(1));
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CMAP);
    set_key(1, conn, "quorum.expected_votes", CMAP_U32, &expected, sizeof(expected));
    stack_cluster_run_ms(&cluster, 100);
    assert_false(quorate(1));
    assert_false(quorate(2));
}

/* Whoever tracks the key is told of the 1 and then of the 0; the packaged daemon crashes. */
static void waiting_is_cancelled_under_a_tracker(void **state)
{
    const char *key = "quorum.cancel_wait_for_all";
    uint8_t track[296 - IPC_REQUEST_SIZE] = {0};
    uint8_t one = 1;
    uint64_t conn;

    (void)state;
    stack_cluster_start(&cluster, 1, stack_cluster_config(1, TOTEM, "wait_for_all: 1\nexpected_votes: 1\n"));
    stack_cluster_run_until_ready(&cluster, 1);
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CMAP);
    ipc_put_u16(track, 0, (uint16_t)strlen(key));
    memcpy(track + 8, key, strlen(key));
    ipc_put_u32(track, 280 - IPC_REQUEST_SIZE, CMAP_ON_ADD | CMAP_ON_MODIFY);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, 7, track, sizeof(track)), CS_ERROR_OK);
    set_key(1, conn, key, CMAP_U8, &one, 1);
    stack_cluster_run_ms(&cluster, 10);
    expect_key(1, key, CMAP_U8, 0);
    assert_int_equal(stack_cluster_event_count(&cluster, 1, conn, 9), 2);
    assert_true(quorate(1));
}

/* The key is one of the configuration, which is read again before: what clients had set is forgotten. */
static void expected_votes_set_at_run_time_end_when_waiting_is_cancelled(void **state)
{
    const char *config = stack_cluster_config(3, TOTEM, "wait_for_all: 1\n");
    uint8_t votes[4] = {0};
    uint8_t one = 1;

    (void)state;
    for (uint32_t id = 1; id <= 2; id++)
        stack_cluster_start(&cluster, id, config);
    stack_cluster_run_until_ready(&cluster, 2);
    stack_cluster_run_ms(&cluster, 500);
    expect_members(1, 2);
    ipc_put_u32(votes, 0, 4);
    assert_int_equal(stack_cluster_ask(&cluster, 1, stack_cluster_connect(&cluster, 1, SERVICE_VOTEQUORUM),
                                       VOTEQUORUM_SET_EXPECTED, votes, sizeof(votes)),
                     CS_ERROR_OK);
    stack_cluster_run_ms(&cluster, 100);
    set_key(2, stack_cluster_connect(&cluster, 2, SERVICE_CMAP), "quorum.cancel_wait_for_all", CMAP_U8, &one, 1);
    stack_cluster_run_ms(&cluster, 100);
    expect_key(2, "runtime.votequorum.atb_type", CMAP_U32, VOTEQUORUM_TIE_BREAKER_NONE);
    assert_true(quorate(1));
    assert_true(quorate(2));
}

static void a_membership_can_be_forced(void **state)
{
    struct totem_status before, after;
    uint64_t conn;

    (void)state;
    start_all(2, "");
    conn = stack_cluster_connect(&cluster, 2, SERVICE_CMAP);
    stack_get_ring(cluster.hosts[2].stack, &before);
    set_key(2, conn, "runtime.force_gather", CMAP_TEXT, "yes", 3);
    assert_string_equal(cmap_store_text(stack_keys(cluster.hosts[2].stack), "runtime.force_gather"), "no");
    stack_cluster_run_ms(&cluster, 500);
    stack_get_ring(cluster.hosts[2].stack, &after);
    assert_true(after.ring.seq > before.ring.seq);
    expect_members(2, 2);
}

static void counters_are_fresh(void **state)
{
    uint8_t get[288 - IPC_REQUEST_SIZE] = {0};
    const char *key = "runtime.services.votequorum.0.rx";
    const struct stack_message *answer;
    uint64_t conn;

    (void)state;
    start_all(2, "");
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CMAP);
    ipc_put_u16(get, 0, (uint16_t)strlen(key));
    memcpy(get + 8, key, strlen(key));
    ipc_put_u64(get, 280 - IPC_REQUEST_SIZE, 8);
    answer = stack_cluster_request(&cluster, 1, conn, 2, get, sizeof(get));
    assert_non_null(answer);
    assert_int_equal(stack_message_u32(answer, 16), CS_ERROR_OK);
    assert_true(ipc_get_u64(answer->bytes, 40) >= 4);
}

/* ---- reload ---------------------------------------------------------------------------------------------------- */

static void a_reload_is_ordered_everywhere_and_takes_effect(void **state)
{
    uint64_t conn;

    (void)state;
    start_all(2, "");
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CFG);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, 7, NULL, 0), 0); /* answered when it is done */
    stack_cluster_run_ms(&cluster, 100);
    for (uint32_t id = 1; id <= 2; id++) {
        assert_int_equal(cluster.hosts[id].reloads, 1);
        stack_cluster_reload(&cluster, id, stack_cluster_config(2, "token: 1500\n", "expected_votes: 2\n"));
        expect_key(id, "runtime.config.totem.token", CMAP_U32, 1500);
        expect_key(id, "config.reload_in_progress", CMAP_U8, 0);
        expect_key(id, "config.reload_status", CMAP_I32, CS_ERROR_OK);
    }
    assert_int_equal(stack_message_u32(&cluster.hosts[1].messages[cluster.hosts[1].message_count - 1], 16), CS_ERROR_OK);
    assert_true(quorate(1));
}

static void a_reload_takes_back_what_clients_have_set(void **state)
{
    uint32_t expected = 5, token = 2000;
    struct totem_status status;
    uint64_t conn;

    (void)state;
    start_all(2, "");
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CMAP);
    set_key(1, conn, "quorum.expected_votes", CMAP_U32, &expected, sizeof(expected));
    set_key(1, conn, "totem.token", CMAP_U32, &token, sizeof(token));
    stack_cluster_run_ms(&cluster, 100);
    assert_false(quorate(1));
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CFG);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, 7, NULL, 0), 0);
    stack_cluster_run_ms(&cluster, 100);
    for (uint32_t id = 1; id <= 2; id++)
        stack_cluster_reload(&cluster, id, stack_cluster_config(2, "", ""));
    stack_cluster_run_ms(&cluster, 100);
    stack_get_ring(cluster.hosts[1].stack, &status);
    assert_int_not_equal(status.settings->token_ms, 2000);
    assert_true(quorate(1));
}

static void a_reload_that_fails_says_so(void **state)
{
    uint64_t conn;

    (void)state;
    start_all(1, "");
    conn = stack_cluster_connect(&cluster, 1, SERVICE_CFG);
    assert_int_equal(stack_cluster_ask(&cluster, 1, conn, 7, NULL, 0), 0);
    assert_int_equal(cluster.hosts[1].reloads, 1);
    stack_cluster_step(&cluster, 1, &(struct stack_event){.type = STACK_EV_RELOADED});
    expect_key(1, "config.reload_status", CMAP_I32, CS_ERROR_INVALID_PARAM);
    expect_key(1, "config.totemconfig_reload_in_progress", CMAP_U8, 0);
    assert_int_equal(stack_message_u32(&cluster.hosts[1].messages[cluster.hosts[1].message_count - 1], 16),
                     CS_ERROR_INVALID_PARAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lone_node_is_ready_and_not_quorate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_let_in_before_it_is_ready, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_that_are_none_are_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nodes_form_one_quorate_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_nodelist_comes_before_the_verdict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_in_order_is_not_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_node_that_hears_nobody_still_leaves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(halves_meet_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_vote_settles_a_cut_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members_have_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_ring_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_was_not_scheduled_for_long_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_shorter_token_makes_nobody_a_sleeper, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_wants_the_black_box_is_told_that_there_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timers_follow_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(votes_follow_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waiting_is_cancelled_under_a_tracker, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expected_votes_set_at_run_time_end_when_waiting_is_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_membership_can_be_forced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counters_are_fresh, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_is_ordered_everywhere_and_takes_effect, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_takes_back_what_clients_have_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_that_fails_says_so, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
