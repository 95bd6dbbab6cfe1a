/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The synchronisation: its two messages, and up to five nodes that walk through their services while every
 * node delivers at its own speed, services take their time, and memberships change in the middle.
 *
 *  S1  Services are processed one after another, by ascending ids, each by every member that has it.
 *  S2  No member activates a service before all members that have it have done with it.
 *  S3  INIT of all services comes first, ABORT only to the service at work, COMPLETE last, once.
 *  S4  A member that lacks a service answers for it: nobody waits for ever.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/services/sync.h"

/* ---- messages -------------------------------------------------------------------------------------------------- */

static void check_same(const struct sync_message *a, const struct sync_message *b)
{
    assert_int_equal(a->type, b->type);
    assert_true(totem_ring_equal(&a->ring_id, &b->ring_id));
    assert_true(a->services == b->services);
}

static void messages_are_as_packaged_nodes_send_them(void **state)
{
    /* Spec/totem-wire.md section 13, captures 8 and 9. */
    static const uint8_t start[] = {1, 0, 0, 0, 0, 0, 0, 0, 0x28, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
                                    9, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0,
                                    0, 0, 0, 0, 2, 0, 0, 0, 3,    0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t barrier[32] = {0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9};
    struct sync_message message = {
        .type = SYNC_SERVICES, .ring_id = {1, 9}, .services = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5};
    struct sync_message back;
    uint8_t bytes[SYNC_MESSAGE_SIZE_MAX];

    (void)state;
    assert_int_equal(sync_message_encode(&message, TOTEM_LITTLE_ENDIAN, bytes), 552);
    assert_memory_equal(bytes, start, sizeof(start));
    assert_int_equal(sync_message_decode(bytes, 552, TOTEM_LITTLE_ENDIAN, &back), Q_OK);
    check_same(&back, &message);
    message = (struct sync_message){.type = SYNC_BARRIER, .ring_id = {1, 9}};
    assert_int_equal(sync_message_encode(&message, TOTEM_LITTLE_ENDIAN, bytes), sizeof(barrier));
    assert_memory_equal(bytes, barrier, sizeof(barrier));
}

static void both_orders_are_read_and_damage_is_refused(void **state)
{
    static const struct sync_message samples[] = {
        {SYNC_BARRIER, {0x01020304, 0x1122334455667788}, 0},
        {SYNC_SERVICES, {UINT32_MAX, UINT64_MAX}, UINT64_MAX},
        {SYNC_SERVICES, {1, 9}, 0},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int big = 0; big < 2; big++) {
            enum totem_order order = big == 1 ? TOTEM_BIG_ENDIAN : TOTEM_LITTLE_ENDIAN;
            uint8_t bytes[SYNC_MESSAGE_SIZE_MAX];
            size_t size = sync_message_encode(&samples[i], order, bytes);
            struct sync_message back;

            assert_int_equal(sync_message_decode(bytes, size, order, &back), Q_OK);
            check_same(&back, &samples[i]);
            for (size_t cut = 0; cut < size; cut++)
                assert_int_equal(sync_message_decode(bytes, cut, order, &back), Q_ERR_INVALID);
            totem_put_u32(bytes, 2, order);
            assert_int_equal(sync_message_decode(bytes, size, order, &back), Q_ERR_NOT_FOUND);
            if (samples[i].type != SYNC_SERVICES)
                continue;
            totem_put_u32(bytes, SYNC_SERVICES, order);
            totem_put_u32(bytes + 32, 129, order);
            assert_int_equal(sync_message_decode(bytes, size, order, &back), Q_ERR_INVALID);
            totem_put_u32(bytes + 32, 128, order);
            totem_put_u32(bytes + 40 + 4 * 127, 64, order);
            assert_int_equal(sync_message_decode(bytes, size, order, &back), Q_ERR_INVALID);
            totem_put_u32(bytes + 40 + 4 * 127, 63, order);
            assert_int_equal(sync_message_decode(bytes, size, order, &back), Q_OK);
        }
}

/* ---- a ring of nodes ---------------------------------------------------------------------------------------------- */

#define NODES 5
#define LOG_MAX 512

struct entry {
    uint32_t sender;
    size_t size;
    uint8_t bytes[SYNC_MESSAGE_SIZE_MAX];
};

struct node {
    struct sync sync;
    size_t delivered; /* of the log */
    bool is_working;  /* its current service has not done yet */
    uint64_t initialised;
    uint64_t done;
    uint64_t active;
    bool complete;
    int aborts;
};

static struct node nodes[NODES + 1];
static uint32_t node_count;
static uint64_t services_of[NODES + 1];
static struct entry entries[LOG_MAX]; /* of the present ring, in the one order it delivers in */
static size_t entry_count;
static struct sync_actions actions;
static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 16) % below;
}

static uint64_t bit(uint32_t service)
{
    return UINT64_C(1) << service;
}

/* S2 */
static void check_activation(uint32_t service)
{
    for (uint32_t id = 1; id <= node_count; id++)
        if ((services_of[id] & bit(service)) != 0)
            assert_true((nodes[id].done & bit(service)) != 0);
}

static void carry_out(uint32_t id, const struct sync_action *action)
{
    struct node *node = &nodes[id];
    struct entry *entry = &entries[entry_count];

    switch (action->type) {
    case SYNC_ACT_SEND:
        assert_true(entry_count++ < LOG_MAX);
        entry->sender = id;
        entry->size = action->size;
        memcpy(entry->bytes, action->bytes, action->size);
        break;
    case SYNC_ACT_INIT:
        assert_int_equal(node->done | node->active, 0); /* S3 */
        node->initialised |= bit(action->service);
        break;
    case SYNC_ACT_PROCESS:
        assert_int_equal(node->initialised, services_of[id]);
        assert_int_equal(node->done, node->active);          /* S1: what was before is over */
        assert_true((node->active >> action->service) == 0); /* S1: ascending */
        assert_true((services_of[id] & bit(action->service)) != 0);
        node->is_working = true;
        break;
    case SYNC_ACT_ACTIVATE:
        check_activation(action->service);
        node->active |= bit(action->service);
        break;
    case SYNC_ACT_ABORT:
        assert_true((services_of[id] & bit(action->service) & ~node->active) != 0); /* S3 */
        node->aborts++;
        break;
    case SYNC_ACT_COMPLETE:
        assert_false(node->complete);
        assert_int_equal(node->active, services_of[id]);
        node->complete = true;
        break;
    case SYNC_ACT_IGNORED:
        fail();
        break;
    }
}

static void step(uint32_t id, const struct sync_event *event)
{
    assert_int_equal(sync_step(&nodes[id].sync, event, &actions), Q_OK);
    for (size_t i = 0; i < actions.count; i++)
        carry_out(id, &actions.items[i]);
}

static void deliver(uint32_t id)
{
    const struct entry *entry = &entries[nodes[id].delivered++];
    struct sync_event event = {
        .type = SYNC_EV_DELIVERED,
        .u.delivered = {entry->sender, TOTEM_LITTLE_ENDIAN, entry->bytes, entry->size}};

    step(id, &event);
}

static void finish(uint32_t id)
{
    struct sync_event event = {.type = SYNC_EV_DONE};

    nodes[id].is_working = false;
    nodes[id].done |= bit(nodes[id].sync.current);
    step(id, &event);
}

static void begin_all(uint64_t seq)
{
    static const uint32_t members[] = {1, 2, 3, 4, 5};
    struct sync_event event = {.type = SYNC_EV_BEGIN,
                               .u.begin = {{1, seq}, members, node_count, members, node_count}};

    entry_count = 0;
    for (uint32_t id = 1; id <= node_count; id++) {
        struct node *node = &nodes[id];

        node->delivered = 0;
        node->is_working = false;
        node->initialised = node->done = node->active = 0;
        node->complete = false;
    }
    for (uint32_t id = 1; id <= node_count; id++) {
        int aborts = nodes[id].aborts;
        bool worked = nodes[id].sync.state == SYNC_PROCESS || nodes[id].sync.state == SYNC_BARRIER_WAIT;
        bool ours = worked && (services_of[id] & bit(nodes[id].sync.current)) != 0;

        /* As it was when the change came: what is aborted has not been activated. */
        step(id, &event);
        assert_int_equal(nodes[id].aborts, aborts + (ours ? 1 : 0));
    }
}

/* Delivers, or lets a service be done, somewhere; false: nothing is left to do. */
static bool go_on(void)
{
    for (uint32_t tries = 0; tries < 50; tries++) {
        uint32_t id = 1 + draw(node_count);

        if (nodes[id].is_working && draw(3) == 0) {
            finish(id);
            return true;
        }
        if (nodes[id].delivered < entry_count) {
            deliver(id);
            return true;
        }
    }
    for (uint32_t id = 1; id <= node_count; id++)
        if (nodes[id].is_working || nodes[id].delivered < entry_count)
            return true;
    return false;
}

static bool all_complete(void)
{
    for (uint32_t id = 1; id <= node_count; id++)
        if (!nodes[id].complete)
            return false;
    return true;
}

static void run_seed(uint32_t seed)
{
    random_state = seed;
    node_count = 1 + draw(NODES);
    memset(nodes, 0, sizeof(nodes));
    for (uint32_t id = 1; id <= node_count; id++) {
        services_of[id] = draw(4) == 0 ? draw(256) : (bit(0) | bit(2) | bit(3) | bit(5));
        if (draw(8) == 0)
            services_of[id] |= bit(63);
        sync_init(&nodes[id].sync, TOTEM_LITTLE_ENDIAN, services_of[id]);
    }
    for (uint64_t ring = 0; ring < 4; ring++) {
        uint32_t steps = draw(40);

        begin_all(5 + 4 * ring);
        while (steps-- > 0 && go_on())
            continue;
    }
    while (go_on())
        continue;
    assert_true(all_complete()); /* S4 */
    for (uint32_t id = 1; id <= node_count; id++)
        sync_fini(&nodes[id].sync);
}

static void any_nodes_in_any_order_walk_through_the_same_services(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 5000; seed++)
        run_seed(seed);
}

/* ---- details ------------------------------------------------------------------------------------------------------- */

static void what_is_not_of_this_ring_is_not_heard(void **state)
{
    static const uint32_t members[] = {1, 2};
    static const uint32_t came_along[] = {1, 7};
    struct sync_event begin = {.type = SYNC_EV_BEGIN, .u.begin = {{1, 9}, members, 2, came_along, 2}};
    struct sync_message message = {.type = SYNC_SERVICES, .ring_id = {1, 5}, .services = 1};
    uint8_t bytes[SYNC_MESSAGE_SIZE_MAX];
    struct sync_event event = {.type = SYNC_EV_DELIVERED, .u.delivered = {2, TOTEM_BIG_ENDIAN, bytes, 552}};
    struct sync sync;

    (void)state;
    sync_init(&sync, TOTEM_LITTLE_ENDIAN, 1);
    assert_int_equal(sync_step(&sync, &begin, &actions), Q_OK);
    assert_int_equal(sync.transitional.count, 1);
    /* Another ring. */
    sync_message_encode(&message, TOTEM_BIG_ENDIAN, bytes);
    assert_int_equal(sync_step(&sync, &event, &actions), Q_OK);
    assert_int_equal(actions.count + sync.heard.count, 0);
    /* Somebody else. */
    message.ring_id.seq = 9;
    sync_message_encode(&message, TOTEM_BIG_ENDIAN, bytes);
    event.u.delivered.sender = 7;
    assert_int_equal(sync_step(&sync, &event, &actions), Q_OK);
    assert_int_equal(actions.items[0].type, SYNC_ACT_IGNORED);
    assert_int_equal(actions.items[0].node_id, 7);
    assert_int_equal(sync.heard.count, 0);
    /* The same twice, and then everybody. */
    event.u.delivered.sender = 2;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sync_step(&sync, &event, &actions), Q_OK);
        assert_int_equal(sync.state, SYNC_BUILD);
    }
    event.u.delivered.sender = 1;
    assert_int_equal(sync_step(&sync, &event, &actions), Q_OK);
    assert_int_equal(sync.state, SYNC_PROCESS);
    sync_fini(&sync);
}

static void without_any_service_it_is_complete_when_all_have_said_so(void **state)
{
    static const uint32_t members[] = {1};
    struct sync_event event = {.type = SYNC_EV_BEGIN, .u.begin = {{1, 9}, members, 1, members, 1}};
    struct sync_action sent;
    struct sync sync;

    (void)state;
    sync_init(&sync, TOTEM_LITTLE_ENDIAN, 0);
    assert_int_equal(sync_step(&sync, &event, &actions), Q_OK);
    assert_int_equal(actions.count, 1);
    sent = actions.items[0];
    event = (struct sync_event){.type = SYNC_EV_DELIVERED,
                                .u.delivered = {1, TOTEM_LITTLE_ENDIAN, sent.bytes, sent.size}};
    assert_int_equal(sync_step(&sync, &event, &actions), Q_OK);
    assert_int_equal(actions.items[0].type, SYNC_ACT_COMPLETE);
    assert_int_equal(sync.state, SYNC_IDLE);
    sync_fini(&sync);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_as_packaged_nodes_send_them),
        cmocka_unit_test(both_orders_are_read_and_damage_is_refused),
        cmocka_unit_test(any_nodes_in_any_order_walk_through_the_same_services),
        cmocka_unit_test(what_is_not_of_this_ring_is_not_heard),
        cmocka_unit_test(without_any_service_it_is_complete_when_all_have_said_so),
    };

    return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
