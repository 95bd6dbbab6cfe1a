/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of process groups when nodes come and go. */
#include "tests/unit/cpg_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cpg_wire.h"
#include "core/services/ipc_wire.h"

#define MEMBERS(...) ((const uint32_t[]){__VA_ARGS__, 0})

static struct cluster *nodes_up(uint32_t count)
{
    struct cluster *cluster = cluster_new();

    for (uint32_t id = 1; id <= count; id++) {
        cluster_start(cluster, id);
        RING(cluster, id);
    }
    return cluster;
}

/* 1, 2 and 3 together, a process of each in the group g. */
static struct cluster *three_together(void)
{
    struct cluster *cluster = nodes_up(3);

    RING(cluster, 1, 2, 3);
    for (uint32_t id = 1; id <= 3; id++)
        cluster_join(cluster, id, 0, 10 * id, "g");
    cluster_hush(cluster);
    return cluster;
}

static void nodes_that_meet_tell_one_another_their_members(void **state)
{
    struct cluster *cluster = nodes_up(2);

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_join(cluster, 2, 0, 20, "g");
    cluster_join(cluster, 2, 1, 21, "g");
    cluster_join(cluster, 2, 2, 22, "other");
    cluster_connect(cluster, 1, 1, 11);
    cluster_hush(cluster);
    RING(cluster, 1, 2);
    SAID(cluster, 1, 0, "change: 1:10 2:20 2:21 joined 2:20/4 2:21/4\nring 1: 1 2\n");
    SAID(cluster, 2, 0, "change: 1:10 2:20 2:21 joined 1:10/4\nring 1: 1 2\n");
    SAID(cluster, 2, 2, "ring 1: 1 2\n"); /* nothing new in its group */
    SAID(cluster, 1, 1, "ring 1: 1 2\n"); /* in none */
    cluster_ask_members(cluster, 1, 1, "other");
    SAID(cluster, 1, 1, "answer 3: 1 2:22\n");
    cluster_free(cluster);
}

static void lost_nodes_leave_all_at_once(void **state)
{
    struct cluster *cluster = three_together();

    (void)state;
    cluster_join(cluster, 3, 1, 31, "g");
    cluster_hush(cluster);
    cluster_stop(cluster, 2);
    cluster_stop(cluster, 3);
    RING(cluster, 1);
    SAID(cluster, 1, 0, "change: 1:10 left 2:20/3 3:30/3 3:31/3\nring 1: 1\n");
    cluster_free(cluster);
}

static void both_halves_of_a_split_lose_and_find_one_another(void **state)
{
    struct cluster *cluster = three_together();

    (void)state;
    RING(cluster, 1, 2);
    RING(cluster, 3);
    SAID(cluster, 1, 0, "change: 1:10 2:20 left 3:30/3\nring 1: 1 2\n");
    SAID(cluster, 2, 0, "change: 1:10 2:20 left 3:30/3\nring 1: 1 2\n");
    SAID(cluster, 3, 0, "change: 3:30 left 1:10/3 2:20/3\nring 3: 3\n");
    cluster_mcast(cluster, 1, 0, "here");
    cluster_mcast(cluster, 3, 0, "there");
    cluster_deliver(cluster);
    SAID(cluster, 2, 0, "mcast 1:10 here\n");
    SAID(cluster, 3, 0, "mcast 3:30 there\n");
    cluster_hush(cluster);
    RING(cluster, 1, 2, 3);
    SAID(cluster, 1, 0, "change: 1:10 2:20 3:30 joined 3:30/4\nring 1: 1 2 3\n");
    SAID(cluster, 3, 0, "change: 1:10 2:20 3:30 joined 1:10/4 2:20/4\nring 1: 1 2 3\n");
    cluster_free(cluster);
}

static void who_comes_and_who_goes_in_one_change(void **state)
{
    struct cluster *cluster = nodes_up(4);

    (void)state;
    RING(cluster, 1, 2);
    RING(cluster, 3, 4);
    for (uint32_t id = 1; id <= 4; id++)
        cluster_join(cluster, id, 0, 10 * id, "g");
    cluster_hush(cluster);
    RING(cluster, 1, 3);
    SAID(cluster, 1, 0, "change: 1:10 left 2:20/3\nchange: 1:10 3:30 joined 3:30/4\nring 1: 1 3\n");
    SAID(cluster, 3, 0, "change: 3:30 left 4:40/3\nchange: 1:10 3:30 joined 1:10/4\nring 1: 1 3\n");
    cluster_free(cluster);
}

static void a_node_that_was_restarted_within_one_change_leaves_and_joins(void **state)
{
    struct cluster *cluster = three_together();

    (void)state;
    cluster_stop(cluster, 2);
    cluster_start(cluster, 2);
    RING(cluster, 2);
    cluster_join(cluster, 2, 0, 22, "g");
    cluster_hush(cluster);
    RING(cluster, 1, 2, 3);
    SAID(cluster, 1, 0,
         "change: 1:10 3:30 left 2:20/3\nchange: 1:10 2:22 3:30 joined 2:22/4\nring 1: 1 2 3\n");
    SAID(cluster, 3, 0,
         "change: 1:10 3:30 left 2:20/3\nchange: 1:10 2:22 3:30 joined 2:22/4\nring 1: 1 2 3\n");
    SAID(cluster, 2, 0, "change: 1:10 2:22 3:30 joined 1:10/4 3:30/4\nring 1: 1 2 3\n");
    cluster_free(cluster);
}

static void a_change_that_comes_to_nothing_is_not_told(void **state)
{
    struct cluster *cluster = three_together();

    (void)state;
    cluster_init_ring(cluster, MEMBERS(1, 2));
    cluster_process(cluster, MEMBERS(1, 2));
    cluster_abort(cluster, MEMBERS(1, 2));
    SAID(cluster, 1, 0, "");
    /* Before the others have said anything, too. */
    cluster_init_ring(cluster, MEMBERS(1, 2));
    cluster_abort(cluster, MEMBERS(1, 2));
    /* 3 is back, but has been out of the rings in between: who knows what it is now. */
    RING(cluster, 1, 2, 3);
    SAID(cluster, 1, 0,
         "change: 1:10 2:20 left 3:30/3\nchange: 1:10 2:20 3:30 joined 3:30/4\nring 1: 1 2 3\n");
    SAID(cluster, 2, 0,
         "change: 1:10 2:20 left 3:30/3\nchange: 1:10 2:20 3:30 joined 3:30/4\nring 1: 1 2 3\n");
    cluster_free(cluster);
}

static void a_node_restarted_in_a_ring_that_came_to_nothing_is_another(void **state)
{
    struct cluster *cluster = three_together();

    (void)state;
    cluster_stop(cluster, 2);
    cluster_start(cluster, 2);
    cluster_init_ring(cluster, MEMBERS(1, 2, 3));
    cluster_abort(cluster, MEMBERS(1, 2, 3));
    RING(cluster, 1, 2, 3); /* all come from that ring */
    SAID(cluster, 1, 0, "change: 1:10 3:30 left 2:20/3\nring 1: 1 2 3\n");
    SAID(cluster, 3, 0, "change: 1:10 3:30 left 2:20/3\nring 1: 1 2 3\n");
    cluster_free(cluster);
}

static void a_new_change_needs_no_abort_of_the_last(void **state)
{
    struct cluster *cluster = three_together();

    (void)state;
    cluster_init_ring(cluster, MEMBERS(1, 2));
    cluster_process(cluster, MEMBERS(1, 2));
    RING(cluster, 1, 2);
    SAID(cluster, 1, 0, "change: 1:10 2:20 left 3:30/3\nring 1: 1 2\n");
    cluster_free(cluster);
}

static void what_was_asked_before_a_change_comes_after_it(void **state)
{
    struct cluster *cluster = nodes_up(2);

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_connect(cluster, 2, 0, 20);
    cluster_ask_join(cluster, 2, 0, "g", 0);
    cluster_mcast(cluster, 2, 0, "first");
    cluster_mcast(cluster, 1, 0, "x");
    cluster_hush(cluster);
    RING(cluster, 1, 2);
    SAID(cluster, 1, 0, "ring 1: 1 2\nmcast 1:10 x\nchange: 1:10 2:20 joined 2:20/1\nmcast 2:20 first\n");
    SAID(cluster, 2, 0, "ring 1: 1 2\nchange: 1:10 2:20 joined 2:20/1\nmcast 2:20 first\n");
    cluster_free(cluster);
}

static void a_client_that_ends_during_a_change_leaves_after_it(void **state)
{
    struct cluster *cluster = three_together();

    (void)state;
    cluster_init_ring(cluster, MEMBERS(1, 2));
    cluster_gone(cluster, 2, 0);
    cluster_process(cluster, MEMBERS(1, 2));
    cluster_activate(cluster, MEMBERS(1, 2));
    SAID(cluster, 1, 0, "change: 1:10 2:20 left 3:30/3\nring 1: 1 2\nchange: 1:10 left 2:20/5\n");
    cluster_free(cluster);
}

static void a_change_of_nodes_interrupts_fragments(void **state)
{
    struct cluster *cluster = nodes_up(2);

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_join(cluster, 2, 0, 20, "g");
    cluster_fragment(cluster, 1, 0, 1, 6, "ab");
    cluster_deliver(cluster);
    cluster_fragment(cluster, 1, 0, 2, 6, "cd"); /* on its way when the others come */
    cluster_hush(cluster);
    RING(cluster, 1, 2);
    cluster_fragment(cluster, 1, 0, 3, 6, "ef");
    SAID(cluster, 1, 0, "change: 1:10 2:20 joined 2:20/4\nring 1: 1 2\npiece 1:10 2 2/6 cd\nanswer 18: 16\n");
    SAID(cluster, 2, 0,
         "change: 1:10 2:20 joined 1:10/4\nring 1: 1 2\n"); /* nothing of what it has no beginning of */
    cluster_fragment(cluster, 1, 0, 1, 4, "ab");
    cluster_fragment(cluster, 1, 0, 3, 4, "cd");
    cluster_deliver(cluster);
    SAID(cluster, 2, 0, "piece 1:10 1 2/4 ab\npiece 1:10 3 2/4 cd\n");
    cluster_free(cluster);
}

/* ---- peers that the test plays ------------------------------------------------------------------------------------ */

struct peer_message {
    uint8_t bytes[4096];
    size_t size;
    enum totem_order order;
};

static void put(struct peer_message *message, size_t offset, uint32_t value)
{
    totem_put_u32(message->bytes + offset, value, message->order);
}

/* What is not said is rubbish, as it may be with packaged nodes. */
static void begin(struct peer_message *message, uint32_t function, size_t size)
{
    memset(message->bytes, 0xEE, size);
    message->size = size;
    put(message, 0, 2u << 16 | function);
    put(message, 8, (uint32_t)size);
}

static void put_name(struct peer_message *message, size_t offset, const char *name)
{
    put(message, offset, (uint32_t)strlen(name));
    memcpy(message->bytes + offset + 8, name, strlen(name));
}

static void make_process(struct peer_message *message, uint32_t function, const char *group, uint32_t pid,
                         uint32_t reason)
{
    begin(message, function, 168);
    put_name(message, 16, group);
    put(message, 152, pid);
    put(message, 160, reason);
}

static void make_list(struct peer_message *message, const char *group, uint32_t first_pid, uint32_t count)
{
    begin(message, 2, 24 + 144 * (size_t)count);
    for (uint32_t i = 0; i < count; i++) {
        put(message, 24 + 144 * (size_t)i, first_pid + i);
        put_name(message, 32 + 144 * (size_t)i, group);
    }
}

static void make_mcast(struct peer_message *message, const char *group, uint32_t pid, const char *text)
{
    begin(message, 3, 184 + strlen(text));
    put_name(message, 16, group);
    put(message, 152, (uint32_t)strlen(text));
    put(message, 160, pid);
    memcpy(message->bytes + 184, text, strlen(text));
}

static void make_fragment(struct peer_message *message, const char *group, uint32_t pid, uint32_t type,
                          uint32_t whole, const char *text)
{
    begin(message, 6, 200 + strlen(text));
    put_name(message, 16, group);
    put(message, 152, whole);
    put(message, 160, (uint32_t)strlen(text));
    put(message, 168, pid);
    put(message, 176, type);
    memcpy(message->bytes + 200, text, strlen(text));
}

static void make_down_list(struct peer_message *message, uint32_t count)
{
    begin(message, 5, 1568);
    put(message, 16, 2);
    put(message, 24, count);
}

/* 1 is ours, 2 is played. */
static struct cluster *with_peer(enum totem_order order, struct peer_message *message)
{
    struct cluster *cluster = nodes_up(1);

    message->order = order;
    cluster->order = order;
    return cluster;
}

static void hear(struct cluster *cluster, const struct peer_message *message)
{
    /* Exactly as long, so that a sanitizer sees what is read beyond it. */
    uint8_t *copy = malloc(message->size > 0 ? message->size : 1);

    assert_non_null(copy);
    memcpy(copy, message->bytes, message->size);
    cluster_deliver_raw(cluster, 1, 2, copy, message->size);
    memset(copy, 0, message->size);
    free(copy);
}

static void meet(struct cluster *cluster, const struct peer_message *list)
{
    cluster_init_ring(cluster, MEMBERS(1, 2));
    cluster_process(cluster, MEMBERS(1, 2));
    if (list != NULL)
        hear(cluster, list);
    cluster_activate(cluster, MEMBERS(1, 2));
}

static void talk_in(enum totem_order order)
{
    struct peer_message message;
    struct cluster *cluster = with_peer(order, &message);

    cluster->order = TOTEM_ORDER_OURS;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_init_ring(cluster, MEMBERS(1, 2));
    cluster_process(cluster, MEMBERS(1, 2));
    cluster->order = order;
    make_down_list(&message, 0);
    hear(cluster, &message);
    make_list(&message, "g", 300, 2);
    hear(cluster, &message);
    cluster_activate(cluster, MEMBERS(1, 2));
    SAID(cluster, 1, 0, "change: 1:10 2:300 2:301 joined 2:300/4 2:301/4\nring 1: 1 2\n");
    make_process(&message, 0, "g", 400, 1);
    hear(cluster, &message);
    make_process(&message, 1, "g", 301, 2);
    hear(cluster, &message);
    make_mcast(&message, "g", 300, "hello");
    hear(cluster, &message);
    make_fragment(&message, "g", 300, 1, 7, "frag");
    hear(cluster, &message);
    make_fragment(&message, "g", 300, 3, 7, "ile");
    hear(cluster, &message);
    SAID(cluster, 1, 0,
         "change: 1:10 2:300 2:301 2:400 joined 2:400/1\nchange: 1:10 2:300 2:400 left 2:301/2\n"
         "mcast 2:300 hello\npiece 2:300 1 4/7 frag\npiece 2:300 3 3/7 ile\n");
    assert_string_equal(cluster_notes(cluster, 1), "");
    cluster_free(cluster);
}

static void peers_of_either_byte_order_are_understood(void **state)
{
    (void)state;
    talk_in(TOTEM_LITTLE_ENDIAN);
    talk_in(TOTEM_BIG_ENDIAN);
}

static void members_that_their_node_does_not_know_any_more_have_ended(void **state)
{
    struct peer_message message;
    struct cluster *cluster = with_peer(TOTEM_ORDER_OURS, &message);

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    make_list(&message, "g", 20, 3);
    meet(cluster, &message);
    cluster_hush(cluster);
    /* It comes along this time: so the test plays a node that was started. */
    cluster_start(cluster, 2);
    cluster->nodes[2].ring = cluster->nodes[1].ring;
    cluster_init_ring(cluster, MEMBERS(1, 2));
    cluster_stop(cluster, 2);
    cluster_process(cluster, MEMBERS(1, 2));
    make_list(&message, "g", 20, 1);
    hear(cluster, &message);
    cluster_activate(cluster, MEMBERS(1, 2));
    SAID(cluster, 1, 0, "change: 1:10 2:20 2:22 left 2:21/5\nchange: 1:10 2:20 left 2:22/5\nring 1: 1 2\n");
    cluster_free(cluster);
}

static void the_last_list_of_a_node_counts_and_only_in_its_time(void **state)
{
    struct peer_message message;
    struct cluster *cluster = with_peer(TOTEM_ORDER_OURS, &message);

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    make_list(&message, "g", 70, 1);
    hear(cluster, &message); /* of no ring */
    cluster_init_ring(cluster, MEMBERS(1, 2));
    hear(cluster, &message);
    cluster_abort(cluster, MEMBERS(1, 2));
    make_list(&message, "g", 71, 1);
    hear(cluster, &message); /* too late */
    cluster_init_ring(cluster, MEMBERS(1, 2));
    make_list(&message, "g", 72, 1);
    hear(cluster, &message);
    make_list(&message, "g", 20, 2);
    hear(cluster, &message);
    cluster_deliver_raw(cluster, 1, 3, message.bytes, message.size); /* no member */
    cluster_process(cluster, MEMBERS(1, 2));
    cluster_activate(cluster, MEMBERS(1, 2));
    SAID(cluster, 1, 0, "change: 1:10 2:20 2:21 joined 2:20/4 2:21/4\nring 1: 1 2\n");
    make_list(&message, "g", 90, 1);
    hear(cluster, &message); /* after it */
    cluster_ask_members(cluster, 1, 0, "g");
    SAID(cluster, 1, 0, "answer 3: 1 1:10 2:20 2:21\n");
    cluster_free(cluster);
}

static void our_lists_are_those_of_the_wire(void **state)
{
    struct cluster *cluster = nodes_up(1);
    struct cluster_node *node = &cluster->nodes[1];
    const uint8_t *bytes;

    (void)state;
    cluster_join(cluster, 1, 0, 10, "grpA");
    cluster_join(cluster, 1, 1, 11, "b");
    cluster_init_ring(cluster, MEMBERS(1, 2));
    node->syncing = true;
    /* So that the bus keeps them. */
    cluster_gone(cluster, 1, 1);
    assert_int_equal(node->queue_count, 1);
    {
        struct service_event event = {.type = SERVICE_EV_SYNC_PROCESS};
        struct outbox out;

        outbox_init(&out);
        assert_int_equal(cpg_step(node->cpg, &event, &out), Q_OK);
        assert_int_equal(out.count, 3);
        assert_int_equal(out.items[0].type, OUTBOX_MULTICAST);
        assert_true(out.items[0].for_this_ring && out.items[1].for_this_ring);
        assert_int_equal(out.items[0].head_size, 1568);
        bytes = outbox_head_of(&out, &out.items[0]);
        assert_int_equal(ipc_get_u32(bytes, 0), 0x20005);
        assert_int_equal(ipc_get_u32(bytes, 8), 1568);
        assert_int_equal(ipc_get_u32(bytes, 16), 1); /* members before */
        assert_int_equal(ipc_get_u32(bytes, 24), 0);
        assert_int_equal(out.items[1].head_size, 24 + 2 * 144);
        bytes = outbox_head_of(&out, &out.items[1]);
        assert_int_equal(ipc_get_u32(bytes, 0), 0x20002);
        assert_int_equal(ipc_get_u32(bytes, 8), 24 + 2 * 144);
        assert_int_equal(ipc_get_u32(bytes, 16), 0);
        assert_int_equal(ipc_get_u32(bytes, 24), 11); /* still is one */
        assert_int_equal(ipc_get_u32(bytes, 32), 1);
        assert_memory_equal(bytes + 40, "b\0\0", 3);
        assert_int_equal(ipc_get_u32(bytes, 168), 10);
        assert_memory_equal(bytes + 184, "grpA", 5);
        assert_int_equal(out.items[2].type, OUTBOX_SYNC_DONE);
        assert_int_equal(out.items[2].service, SERVICE_CPG);
        outbox_fini(&out);
    }
    cluster_free(cluster);
}

static void our_messages_are_those_of_the_wire(void **state)
{
    /* As captured from a packaged node (spec/totem-wire.md section 13 no. 11). */
    static const uint8_t captured[] = {3, 0, 2, 0, 0, 0, 0, 0, 0xcc, 0, 0,    0,    0,    0,
                                       0, 0, 4, 0, 0, 0, 0, 0, 0,    0, 0x67, 0x72, 0x70, 0x41};
    static const uint8_t captured_end[] = {0x14, 0, 0,    0,    0,    0,    0,    0,    0x8d, 0x44, 0,
                                           0,    0, 0,    0,    0,    1,    0,    0,    0,    0,    0,
                                           0,    0, 0x20, 0x39, 0x66, 0x70, 0xe8, 0x55, 0,    0};
    const struct cpg_source source = {{(const uint8_t *)"grpA", 4}, 1, 17549, 0x55e870663920};
    uint8_t bytes[CPG_MCAST_SIZE] = {0};
    struct cpg_message message;

    (void)state;
    cpg_put_mcast(bytes, &source, 20);
    if (TOTEM_ORDER_OURS == TOTEM_LITTLE_ENDIAN) {
        assert_memory_equal(bytes, captured, sizeof(captured));
        assert_memory_equal(bytes + 152, captured_end, sizeof(captured_end));
    }
    assert_int_equal(cpg_message_decode(bytes, sizeof(bytes), TOTEM_ORDER_OURS, &message), Q_ERR_INVALID);
}

static void damaged_messages_of_peers_change_nothing(void **state)
{
    struct peer_message message;
    struct cluster *cluster = with_peer(TOTEM_ORDER_OURS, &message);
    struct peer_message kinds[8];

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    make_list(&message, "g", 20, 1);
    meet(cluster, &message);
    cluster_hush(cluster);
    for (size_t i = 0; i < 8; i++)
        kinds[i].order = TOTEM_ORDER_OURS;
    make_process(&kinds[0], 0, "g", 21, 1);
    make_process(&kinds[1], 1, "g", 20, 5);
    make_list(&kinds[2], "g", 20, 2);
    make_mcast(&kinds[3], "g", 20, "hello");
    make_fragment(&kinds[4], "g", 20, 1, 5, "hello");
    make_down_list(&kinds[5], 1);
    begin(&kinds[6], 4, 1560);
    begin(&kinds[7], 7, 64);
    for (size_t i = 0; i < 8; i++) {
        message = kinds[i];
        for (message.size = 0; message.size < kinds[i].size; message.size++)
            hear(cluster, &message); /* cut off */
        for (uint32_t said = 0; said < kinds[i].size; said++) {
            message = kinds[i];
            put(&message, 8, said);
            if (i != 2 && i != 5 && i != 6)
                hear(cluster, &message);
        }
    }
    /* Inside of them. */
    message = kinds[0];
    put(&message, 16, 129);
    hear(cluster, &message);
    message = kinds[1];
    put(&message, 160, 6);
    hear(cluster, &message);
    message = kinds[3];
    put(&message, 152, 6);
    hear(cluster, &message);
    put(&message, 152, UINT32_MAX);
    hear(cluster, &message);
    message = kinds[4];
    put(&message, 160, 6);
    hear(cluster, &message);
    message = kinds[4];
    put(&message, 152, 4);
    hear(cluster, &message);
    message = kinds[4];
    put(&message, 176, 2);
    hear(cluster, &message);
    make_mcast(&message, "not in", 20, "x");
    hear(cluster, &message);
    make_process(&message, 1, "not in", 20, 5);
    hear(cluster, &message);
    make_process(&message, 1, "g", 99, 5);
    hear(cluster, &message);
    SAID(cluster, 1, 0, "");
    cluster_ask_members(cluster, 1, 0, "g");
    SAID(cluster, 1, 0, "answer 3: 1 1:10 2:20\n");
    /* One line for all of that. */
    assert_string_equal(cluster_notes(cluster, 1), "node 2: message of cpg: invalid input: ignored\n");
    cluster_free(cluster);
}

static void nobody_speaks_for_other_nodes(void **state)
{
    struct peer_message message;
    struct cluster *cluster = with_peer(TOTEM_ORDER_OURS, &message);

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    meet(cluster, NULL);
    cluster_hush(cluster);
    make_process(&message, 0, "g", 30, 1);
    cluster_deliver_raw(cluster, 1, 3, message.bytes, message.size); /* no member */
    cluster_deliver_raw(cluster, 1, 1, message.bytes, message.size); /* as if we had a process 30 */
    make_process(&message, 1, "g", 10, 5);
    cluster_deliver_raw(cluster, 1, 1, message.bytes, message.size); /* nobody has asked for it */
    SAID(cluster, 1, 0, "");
    cluster_free(cluster);
}

static void nodes_may_have_so_many_members_and_no_more(void **state)
{
    struct peer_message message;
    struct cluster *cluster = with_peer(TOTEM_ORDER_OURS, &message);

    (void)state;
    cluster_connect(cluster, 1, 0, 10);
    meet(cluster, NULL);
    cluster->unchecked = true; /* so many times it takes too long */
    for (uint32_t pid = 1; pid <= CPG_NODE_MEMBERS_MAX + 1; pid++) {
        char group[16];

        (void)snprintf(group, sizeof(group), "g%u", pid);
        make_process(&message, 0, group, pid, 1);
        cluster_deliver_raw(cluster, 1, 2, message.bytes, message.size);
    }
    cluster_hush(cluster);
    cluster_ask_members(cluster, 1, 0, "g7281");
    cluster_ask_members(cluster, 1, 0, "g7282");
    SAID(cluster, 1, 0, "answer 3: 1 2:7281\nanswer 3: 1\n");
    cluster_free(cluster);
}

static void more_members_than_libraries_have_room_for_come_in_portions(void **state)
{
    struct cluster *cluster = nodes_up(4);
    const char *said;

    (void)state;
    for (uint32_t node = 2; node <= 3; node++)
        for (uint32_t i = 0; i < 100; i++)
            cluster_join(cluster, node, i, 1 + i, "g");
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_hush(cluster);
    RING(cluster, 1, 2, 3);
    said = cluster_said(cluster, 1, 0);
    assert_non_null(strstr(said, " joined 2:1/4 "));
    assert_non_null(strstr(said, "3:28/4\nchange: 1:10 2:1 "));
    assert_non_null(strstr(said, " joined 3:29/4 "));
    assert_null(strstr(said, " 3:28 ")); /* as a member, there is room for 128 */
    RING(cluster, 1);
    said = cluster_said(cluster, 1, 0);
    assert_non_null(strstr(said, "change: 1:10 left 2:1/3 "));
    assert_non_null(strstr(said, "3:28/3\nchange: 1:10 left 3:29/3 "));
    cluster_free(cluster);
}

/* ---- anything in any order ---------------------------------------------------------------------------------------- */

#define PLAY_NODES 4
#define PLAY_CLIENTS 3
#define PLAY_STEPS 400

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Rings by chance, all nodes in one of them; some come to nothing at first. */
static void shuffle(struct cluster *cluster, uint32_t *seed)
{
    uint32_t side_of[PLAY_NODES + 1];

    for (uint32_t id = 1; id <= PLAY_NODES; id++)
        side_of[id] = next_random(seed) % 3;
    for (uint32_t side = 0; side < 3; side++) {
        uint32_t members[PLAY_NODES + 1];
        size_t count = 0;
        uint32_t how = next_random(seed) % 4;

        for (uint32_t id = 1; id <= PLAY_NODES; id++)
            if (side_of[id] == side && cluster->nodes[id].cpg != NULL)
                members[count++] = id;
        members[count] = 0;
        if (count == 0)
            continue;
        if (how == 0) {
            cluster_init_ring(cluster, members);
            cluster_abort(cluster, members);
        } else if (how == 1) {
            cluster_init_ring(cluster, members);
            cluster_process(cluster, members);
            cluster_abort(cluster, members);
        }
        cluster_ring(cluster, members);
    }
}

static void restart(struct cluster *cluster, uint32_t id)
{
    cluster_stop(cluster, id);
    cluster_start(cluster, id);
    RING(cluster, id);
}

static void act(struct cluster *cluster, uint32_t *seed, uint32_t id, uint32_t client)
{
    static const char *const groups[] = {"", "g", "h"};
    const char *group = groups[next_random(seed) % 3];

    if (cluster->nodes[id].clients[client].conn == 0) {
        cluster_connect(cluster, id, client, 100 * id + client);
        return;
    }
    switch (next_random(seed) % 6) {
    case 0:
    case 1:
        cluster_ask_join(cluster, id, client, group, next_random(seed) % 2);
        break;
    case 2:
        cluster_ask_leave(cluster, id, client);
        break;
    case 3:
        cluster_mcast(cluster, id, client, "text");
        break;
    case 4:
        cluster_fragment(cluster, id, client, 1 + next_random(seed) % 3, 6, "abc");
        break;
    default:
        cluster_gone(cluster, id, client);
        break;
    }
}

/* All nodes of a ring have the same members of all groups. */
static void compare(struct cluster *cluster)
{
    static const char *const groups[] = {"", "g", "h"};
    uint32_t last = CLUSTER_CLIENTS_MAX - 1; /* a client only for this */

    cluster_deliver(cluster);
    for (uint32_t id = 1; id <= PLAY_NODES; id++)
        cluster_connect(cluster, id, last, 9);
    for (size_t i = 0; i < 3; i++)
        for (uint32_t a = 1; a <= PLAY_NODES; a++)
            for (uint32_t b = a + 1; b <= PLAY_NODES; b++) {
                if (cluster->nodes[a].ring != cluster->nodes[b].ring)
                    continue;
                cluster_ask_members(cluster, a, last, groups[i]);
                cluster_ask_members(cluster, b, last, groups[i]);
                assert_string_equal(cluster_said(cluster, a, last), cluster_said(cluster, b, last));
            }
    for (uint32_t id = 1; id <= PLAY_NODES; id++)
        cluster_gone(cluster, id, last);
}

static void play(uint32_t seed)
{
    struct cluster *cluster = nodes_up(PLAY_NODES);

    for (int i = 0; i < PLAY_STEPS; i++) {
        uint32_t id = 1 + next_random(&seed) % PLAY_NODES;
        uint32_t what = next_random(&seed) % 40;

        if (what == 0)
            shuffle(cluster, &seed);
        else if (what == 1)
            restart(cluster, id);
        else if (what < 8)
            compare(cluster);
        else
            act(cluster, &seed, id, next_random(&seed) % PLAY_CLIENTS);
    }
    cluster_free(cluster);
}

static void all_nodes_of_a_ring_agree_whatever_happens(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 50; seed++)
        play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_that_meet_tell_one_another_their_members),
        cmocka_unit_test(lost_nodes_leave_all_at_once),
        cmocka_unit_test(both_halves_of_a_split_lose_and_find_one_another),
        cmocka_unit_test(who_comes_and_who_goes_in_one_change),
        cmocka_unit_test(a_node_that_was_restarted_within_one_change_leaves_and_joins),
        cmocka_unit_test(a_change_that_comes_to_nothing_is_not_told),
        cmocka_unit_test(a_node_restarted_in_a_ring_that_came_to_nothing_is_another),
        cmocka_unit_test(a_new_change_needs_no_abort_of_the_last),
        cmocka_unit_test(what_was_asked_before_a_change_comes_after_it),
        cmocka_unit_test(a_client_that_ends_during_a_change_leaves_after_it),
        cmocka_unit_test(a_change_of_nodes_interrupts_fragments),
        cmocka_unit_test(peers_of_either_byte_order_are_understood),
        cmocka_unit_test(members_that_their_node_does_not_know_any_more_have_ended),
        cmocka_unit_test(the_last_list_of_a_node_counts_and_only_in_its_time),
        cmocka_unit_test(our_lists_are_those_of_the_wire),
        cmocka_unit_test(our_messages_are_those_of_the_wire),
        cmocka_unit_test(damaged_messages_of_peers_change_nothing),
        cmocka_unit_test(nobody_speaks_for_other_nodes),
        cmocka_unit_test(nodes_may_have_so_many_members_and_no_more),
        cmocka_unit_test(more_members_than_libraries_have_room_for_come_in_portions),
        cmocka_unit_test(all_nodes_of_a_ring_agree_whatever_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
