/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients of cpg ask and are told while the membership of nodes stays as it is. */
#include "tests/unit/cpg_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/ipc_wire.h"

static struct cluster *two_nodes(void)
{
    struct cluster *cluster = cluster_new();

    cluster_start(cluster, 1);
    cluster_start(cluster, 2);
    RING(cluster, 1, 2);
    return cluster;
}

static void joins_and_leaves_are_told_to_the_group_in_one_order(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_connect(cluster, 1, 0, 10);
    cluster_connect(cluster, 2, 0, 20);
    cluster_connect(cluster, 2, 1, 21);
    cluster_ask_join(cluster, 1, 0, "g", 0);
    SAID(cluster, 1, 0, "answer 0: 1\n"); /* at once */
    cluster_ask_join(cluster, 2, 0, "g", 0);
    cluster_ask_join(cluster, 2, 1, "other", 0);
    SAID(cluster, 2, 0, "answer 0: 1\n");
    SAID(cluster, 2, 1, "answer 0: 1\n");
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "change: 1:10 joined 1:10/1\nchange: 1:10 2:20 joined 2:20/1\n");
    SAID(cluster, 2, 0, "change: 1:10 2:20 joined 2:20/1\n");
    SAID(cluster, 2, 1, "change: 2:21 joined 2:21/1\n");

    cluster_ask_leave(cluster, 1, 0);
    SAID(cluster, 1, 0, "answer 1: 1\n");
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "change: 2:20 left 1:10/2\n");
    SAID(cluster, 2, 0, "change: 2:20 left 1:10/2\n");

    cluster_gone(cluster, 2, 0);
    cluster_ask_members(cluster, 1, 0, "g");
    SAID(cluster, 1, 0, "answer 3: 1 2:20\n"); /* not before the ring says so */
    cluster_deliver(cluster);
    cluster_ask_members(cluster, 1, 0, "g");
    SAID(cluster, 1, 0, "answer 3: 1\n");
    cluster_free(cluster);
}

static void who_has_left_can_join_again(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_ask_leave(cluster, 1, 0);
    cluster_ask_join(cluster, 1, 0, "g", 0);
    SAID(cluster, 1, 0, "answer 1: 1\nanswer 0: 10\n"); /* the library tries again */
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "change: left 1:10/2\n");
    cluster_ask_join(cluster, 1, 0, "h", 0);
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "answer 0: 1\nchange: 1:10 joined 1:10/1\n");
    cluster_free(cluster);
}

static void requests_follow_the_state_of_the_connection(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_connect(cluster, 1, 0, 10);
    cluster_ask_leave(cluster, 1, 0);
    cluster_fragment(cluster, 1, 0, 1, 1, "x");
    SAID(cluster, 1, 0, "answer 1: 12\nanswer 18: 12\n");
    cluster_mcast(cluster, 1, 0, "lost");
    SAID(cluster, 1, 0, "");

    cluster_ask_join(cluster, 1, 0, "g", 0);
    cluster_ask_join(cluster, 1, 0, "g", 0);
    cluster_ask_join(cluster, 1, 0, "h", 0);
    cluster_ask_leave(cluster, 1, 0);
    SAID(cluster, 1, 0, "answer 0: 1\nanswer 0: 14\nanswer 0: 14\nanswer 1: 10\n");
    cluster_mcast(cluster, 1, 0, "early");
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "change: 1:10 joined 1:10/1\nmcast 1:10 early\n");

    cluster_ask_leave(cluster, 1, 0);
    cluster_ask_leave(cluster, 1, 0);
    cluster_fragment(cluster, 1, 0, 1, 1, "x");
    cluster_mcast(cluster, 1, 0, "late");
    SAID(cluster, 1, 0, "answer 1: 1\nanswer 1: 12\nanswer 18: 12\n");
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "change: left 1:10/2\n");
    cluster_free(cluster);
}

static void a_process_is_in_a_group_once(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_connect(cluster, 1, 1, 10);
    cluster_ask_join(cluster, 1, 1, "g", 0);
    SAID(cluster, 1, 1, "answer 0: 14\n");
    /* Not even while the first is on its way out, however it goes. */
    cluster_gone(cluster, 1, 0);
    cluster_ask_join(cluster, 1, 1, "g", 0);
    SAID(cluster, 1, 1, "answer 0: 6\n");
    cluster_deliver(cluster);
    cluster_ask_join(cluster, 1, 1, "g", 0);
    cluster_gone(cluster, 1, 1); /* before the ring has said that it is in */
    cluster_connect(cluster, 1, 0, 10);
    cluster_ask_join(cluster, 1, 0, "g", 0);
    SAID(cluster, 1, 0, "answer 0: 6\n");
    cluster_deliver(cluster);
    cluster_ask_join(cluster, 1, 0, "g", 0);
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "answer 0: 1\nchange: 1:10 joined 1:10/1\n");
    /* The same number on another node is another process. */
    cluster_connect(cluster, 2, 0, 10);
    cluster_ask_join(cluster, 2, 0, "g", 0);
    cluster_deliver(cluster);
    SAID(cluster, 2, 0, "answer 0: 1\nchange: 1:10 2:10 joined 2:10/1\n");
    cluster_free(cluster);
}

static void names_are_bytes(void **state)
{
    struct cluster *cluster = two_nodes();
    uint8_t bytes[168] = {0};

    (void)state;
    ipc_put_u32(bytes, 8, sizeof(bytes));
    ipc_put_u32(bytes, 16, 4); /* as Pacemaker does, with the terminator */
    memcpy(bytes + 24, "cib", 4);
    ipc_put_u32(bytes, 152, 10);
    cluster_connect(cluster, 1, 0, 10);
    cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "answer 0: 1\nchange: 1:10 joined 1:10/1\n");
    cluster_join(cluster, 1, 1, 11, "cib");
    SAID(cluster, 1, 0, "");

    ipc_put_u32(bytes, 16, 129);
    cluster_connect(cluster, 1, 2, 12);
    cluster_request(cluster, 1, 2, bytes, sizeof(bytes));
    SAID(cluster, 1, 2, "answer 0: 13\n");
    ipc_put_u32(bytes, 16, 128);
    memset(bytes + 24, 1, 128);
    cluster_request(cluster, 1, 2, bytes, sizeof(bytes));
    cluster_deliver(cluster);
    SAID(cluster, 1, 2, "answer 0: 1\nchange: 1:10 joined 1:10/1\n");
    cluster_free(cluster);
}

static void the_group_without_a_name_is_one_like_all_others(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_join(cluster, 1, 0, 10, "");
    cluster_join(cluster, 2, 0, 20, "");
    cluster_gone(cluster, 1, 0);
    cluster_deliver(cluster);
    SAID(cluster, 2, 0, "change: 2:20 left 1:10/5\n");
    cluster_free(cluster);
}

static void messages_go_to_the_group_in_one_order(void **state)
{
    struct cluster *cluster = two_nodes();
    static const char said[] = "mcast 1:10 a\nmcast 2:20 x\nmcast 1:10 b\nmcast 2:20 \n";

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_join(cluster, 1, 1, 11, "g");
    cluster_join(cluster, 2, 0, 20, "g");
    cluster_join(cluster, 2, 1, 21, "h");
    cluster_hush(cluster);
    cluster_mcast(cluster, 2, 0, "x");
    cluster_mcast(cluster, 1, 0, "a");
    cluster_mcast(cluster, 1, 0, "b");
    cluster_mcast(cluster, 2, 0, "");
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, said);
    SAID(cluster, 1, 1, said);
    SAID(cluster, 2, 0, said);
    SAID(cluster, 2, 1, "");
    cluster_free(cluster);
}

static void fragments_are_passed_on(void **state)
{
    struct cluster *cluster = two_nodes();
    static const char said[] =
        "piece 1:10 1 3/8 abc\npiece 1:10 2 3/8 def\nmcast 2:20 between\npiece 1:10 3 2/8 gh\n";

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_join(cluster, 2, 0, 20, "g");
    cluster_hush(cluster);
    cluster_fragment(cluster, 1, 0, 1, 8, "abc");
    cluster_fragment(cluster, 1, 0, 2, 8, "def");
    cluster_deliver(cluster);
    cluster_mcast(cluster, 2, 0, "between");
    cluster_deliver(cluster);
    cluster_fragment(cluster, 1, 0, 3, 8, "gh");
    SAID(cluster, 1, 0,
         "answer 18: 1\nanswer 18: 1\npiece 1:10 1 3/8 abc\npiece 1:10 2 3/8 def\n"
         "mcast 2:20 between\nanswer 18: 1\n");
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "piece 1:10 3 2/8 gh\n");
    SAID(cluster, 2, 0, said);
    cluster_free(cluster);
}

static void a_change_of_the_group_interrupts_fragments(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_fragment(cluster, 1, 0, 1, 6, "ab");
    cluster_deliver(cluster);
    cluster_hush(cluster);
    /* This one is on its way when the change comes. */
    cluster_connect(cluster, 2, 0, 20);
    cluster_ask_join(cluster, 2, 0, "g", 0);
    cluster_fragment(cluster, 1, 0, 2, 6, "cd");
    cluster_connect(cluster, 2, 1, 21);
    cluster_ask_join(cluster, 2, 1, "g", 0);
    cluster_deliver(cluster);
    SAID(cluster, 1, 0,
         "answer 18: 1\npiece 1:10 2 2/6 cd\nchange: 1:10 2:20 joined 2:20/1\n"
         "change: 1:10 2:20 2:21 joined 2:21/1\n");
    SAID(cluster, 2, 0,
         "answer 0: 1\nchange: 1:10 2:20 joined 2:20/1\nchange: 1:10 2:20 2:21 joined 2:21/1\n");
    cluster_fragment(cluster, 1, 0, 3, 6, "ef");
    SAID(cluster, 1, 0, "answer 18: 16\n");
    cluster_fragment(cluster, 1, 0, 3, 6, "ef");
    SAID(cluster, 1, 0, "answer 18: 16\n");
    cluster_fragment(cluster, 1, 0, 1, 4, "ab");
    cluster_fragment(cluster, 1, 0, 3, 4, "cd");
    cluster_deliver(cluster);
    SAID(cluster, 2, 0, "piece 1:10 1 2/4 ab\npiece 1:10 3 2/4 cd\n");
    cluster_free(cluster);
}

static void who_joins_within_a_message_gets_none_of_it(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_fragment(cluster, 1, 0, 1, 4, "ab");
    cluster_deliver(cluster);
    cluster_connect(cluster, 1, 1, 11);
    cluster_ask_join(cluster, 1, 1, "g", 0);
    cluster_fragment(cluster, 1, 0, 3, 4, "cd");
    cluster_hush(cluster);
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "change: 1:10 1:11 joined 1:11/1\npiece 1:10 3 2/4 cd\n");
    SAID(cluster, 1, 1, "change: 1:10 1:11 joined 1:11/1\n");
    cluster_free(cluster);
}

static void fragments_must_fit(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_fragment(cluster, 1, 0, 2, 4, "ab"); /* no first */
    cluster_fragment(cluster, 1, 0, 1, 1, "ab"); /* longer than the whole */
    cluster_fragment(cluster, 1, 0, 0, 4, "ab"); /* no such type */
    cluster_fragment(cluster, 1, 0, 4, 4, "ab");
    cluster_fragment(cluster, 1, 0, 1, 4, "ab");  /* good */
    cluster_fragment(cluster, 1, 0, 2, 5, "ab");  /* of another message */
    cluster_fragment(cluster, 1, 0, 2, 4, "abc"); /* too much */
    cluster_fragment(cluster, 1, 0, 3, 4, "a");   /* too little, and the end of it */
    cluster_fragment(cluster, 1, 0, 3, 4, "ab");
    SAID(cluster, 1, 0,
         "answer 18: 7\nanswer 18: 7\nanswer 18: 7\nanswer 18: 7\nanswer 18: 1\nanswer 18: 7\nanswer 18: 7\n"
         "answer 18: 7\nanswer 18: 7\n");
    cluster_free(cluster);
}

static void the_first_change_is_followed_by_the_ring_if_asked_for(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_connect(cluster, 1, 1, 11);
    cluster_ask_join(cluster, 1, 1, "g", 1);
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "change: 1:10 1:11 joined 1:11/1\n");
    SAID(cluster, 1, 1, "answer 0: 1\nchange: 1:10 1:11 joined 1:11/1\nring 1: 1 2\n");
    cluster_join(cluster, 2, 0, 20, "g");
    cluster_free(cluster);
}

static void after_finalize_nothing_is_said(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    cluster_join(cluster, 2, 0, 20, "g");
    cluster_hush(cluster);
    cluster_ask_header(cluster, 1, 0, 8);
    SAID(cluster, 1, 0, "answer 12: 1\n");
    cluster_mcast(cluster, 2, 0, "x");
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "");
    SAID(cluster, 2, 0, "mcast 2:20 x\n");
    cluster_gone(cluster, 1, 0);
    cluster_deliver(cluster);
    SAID(cluster, 2, 0, "change: 2:20 left 1:10/5\n");
    cluster_free(cluster);
}

static void iterations_are_snapshots(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_join(cluster, 2, 0, 20, "b");
    cluster_join(cluster, 1, 0, 10, "b");
    cluster_join(cluster, 1, 1, 11, "a");
    cluster_connect(cluster, 1, 2, 12);
    cluster_ask_join(cluster, 1, 2, "none yet", 0);
    cluster_hush(cluster);
    cluster_ask_iteration(cluster, 1, 2, 3, "");
    cluster_ask_iteration(cluster, 1, 2, 1, "");
    cluster_ask_iteration(cluster, 1, 2, 2, "b");
    cluster_ask_iteration(cluster, 1, 2, 2, "c");
    SAID(cluster, 1, 2, "answer 9: 1 1\nanswer 9: 1 2\nanswer 9: 1 3\nanswer 9: 1 4\n");
    cluster_gone(cluster, 2, 0);
    cluster_deliver(cluster);
    cluster_hush(cluster);
    for (int i = 0; i < 5; i++)
        cluster_ask_handle(cluster, 1, 2, 6, 1);
    SAID(cluster, 1, 2,
         "answer 10: 1 a 1:11\nanswer 10: 1 b 1:10\nanswer 10: 1 b 2:20\nanswer 10: 27\n"
         "answer 10: 1 a 1:11\n");
    for (int i = 0; i < 3; i++)
        cluster_ask_handle(cluster, 1, 2, 6, 2);
    SAID(cluster, 1, 2, "answer 10: 1 a 0:0\nanswer 10: 1 b 0:0\nanswer 10: 27\n");
    cluster_ask_handle(cluster, 1, 2, 6, 3);
    cluster_ask_handle(cluster, 1, 2, 6, 4);
    cluster_ask_handle(cluster, 1, 2, 7, 3);
    cluster_ask_handle(cluster, 1, 2, 7, 3);
    cluster_ask_handle(cluster, 1, 2, 6, 3);
    cluster_ask_handle(cluster, 1, 0, 6, 1); /* somebody else's */
    SAID(cluster, 1, 2, "answer 10: 1 b 1:10\nanswer 10: 27\nanswer 11: 1\nanswer 11: 2\nanswer 10: 2\n");
    SAID(cluster, 1, 0, "answer 10: 2\n");
    cluster_ask_iteration(cluster, 1, 2, 4, "");
    SAID(cluster, 1, 2, "answer 9: 7 0\n");
    for (int i = 0; i < CPG_ITERATIONS_MAX; i++)
        cluster_ask_iteration(cluster, 1, 0, 3, "");
    cluster_hush(cluster);
    cluster_ask_iteration(cluster, 1, 0, 3, "");
    SAID(cluster, 1, 0, "answer 9: 18 0\n");
    cluster_free(cluster);
}

static void questions_are_answered(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    cluster_connect(cluster, 2, 0, 20);
    cluster_ask_header(cluster, 2, 0, 4);
    cluster_ask_members(cluster, 2, 0, "nobody");
    SAID(cluster, 2, 0, "answer 7: 1 2\nanswer 3: 1\n");
    cluster_free(cluster);
}

static void shared_buffers_are_refused_and_their_files_removed(void **state)
{
    struct cluster *cluster = two_nodes();
    static const char good[] = "/dev/shm/corosync_zerocopy-a1B2c3";
    static const char *const bad[] = {"/dev/shm/corosync_zerocopy-", "/dev/shm/corosync_zerocopy-x/../y",
                                      "/etc/passwd", "/dev/shm/x"};
    uint8_t bytes[152] = {9};

    (void)state;
    cluster_connect(cluster, 1, 0, 10);
    ipc_put_u32(bytes, 8, sizeof(bytes));
    memcpy(bytes + 24, good, sizeof(good));
    cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
    SAID(cluster, 1, 0, "answer 0: 19\n");
    assert_string_equal(cluster_tasks(cluster, 1), "10 1 /dev/shm/corosync_zerocopy-a1B2c3\n");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(bytes + 24, bad[i], strlen(bad[i]) + 1);
        cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
        SAID(cluster, 1, 0, "answer 0: 19\n");
    }
    memset(bytes + 24, 'x', 128); /* without end */
    memcpy(bytes + 24, good, strlen(good));
    cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
    SAID(cluster, 1, 0, "answer 0: 19\n");
    assert_string_equal(cluster_tasks(cluster, 1), "");
    cluster_ask_handle(cluster, 1, 0, 10, 7);
    cluster_ask_handle(cluster, 1, 0, 11, 7);
    SAID(cluster, 1, 0, "answer 0: 19\nanswer 2: 19\n");
    cluster_free(cluster);
}

static void requests_that_are_too_short_are_refused(void **state)
{
    static const struct {
        uint32_t id, size, answer;
    } short_ones[] = {{0, 163, 0}, {3, 151, 3}, {5, 155, 9}, {6, 23, 10},
                      {7, 23, 11}, {9, 151, 0}, {12, 55, 18}};
    struct cluster *cluster = two_nodes();
    uint8_t bytes[256] = {0};
    char said[64];

    (void)state;
    cluster_connect(cluster, 1, 0, 10);
    for (size_t i = 0; i < sizeof(short_ones) / sizeof(short_ones[0]); i++) {
        ipc_put_u32(bytes, 0, short_ones[i].id);
        ipc_put_u32(bytes, 8, short_ones[i].size); /* it says so itself */
        cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
        ipc_put_u32(bytes, 8, sizeof(bytes)); /* more than came */
        cluster_request(cluster, 1, 0, bytes, short_ones[i].size);
        (void)snprintf(said, sizeof(said), "answer %u: 7\nanswer %u: 7\n", short_ones[i].answer,
                       short_ones[i].answer);
        SAID(cluster, 1, 0, said);
    }
    ipc_put_u32(bytes, 0, 13);
    cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
    ipc_put_u32(bytes, 0, UINT32_MAX);
    cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
    SAID(cluster, 1, 0, "answer 0: 7\nanswer 0: 7\n");
    cluster_free(cluster);
}

static void messages_that_are_shorter_than_they_say_are_dropped(void **state)
{
    struct cluster *cluster = two_nodes();
    uint8_t bytes[64] = {2};

    (void)state;
    cluster_join(cluster, 1, 0, 10, "g");
    ipc_put_u32(bytes, 8, 44);
    ipc_put_u32(bytes, 32, 5);
    cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
    ipc_put_u32(bytes, 32, UINT32_MAX);
    cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
    ipc_put_u32(bytes, 8, 39);
    cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "");
    /* One line, and the others counted in the next. */
    assert_string_equal(cluster_notes(cluster, 1),
                        "message of a client that is not as long as it says: ignored\n");
    cluster->now_ms += 10000;
    cluster_request(cluster, 1, 0, bytes, sizeof(bytes));
    assert_string_equal(cluster_notes(cluster, 1),
                        "message of a client that is cut off: ignored, and 2 others before\n");
    cluster_free(cluster);
}

static void the_largest_message_is_taken_and_a_larger_one_not(void **state)
{
    struct cluster *cluster = two_nodes();
    size_t size = 40 + CPG_PAYLOAD_MAX + 1;
    uint8_t *bytes = calloc(1, size);

    (void)state;
    assert_non_null(bytes);
    cluster_join(cluster, 1, 0, 10, "g");
    bytes[0] = 2;
    ipc_put_u32(bytes, 8, (uint32_t)size);
    ipc_put_u32(bytes, 32, CPG_PAYLOAD_MAX + 1);
    cluster_request(cluster, 1, 0, bytes, size);
    ipc_put_u32(bytes, 32, CPG_PAYLOAD_MAX);
    cluster_request(cluster, 1, 0, bytes, size);
    cluster_deliver(cluster);
    SAID(cluster, 1, 0, "mcast 1:10 (1047552 bytes)\n");
    free(bytes);
    cluster_free(cluster);
}

static void a_group_has_room_for_as_many_as_libraries_have(void **state)
{
    struct cluster *cluster = two_nodes();

    (void)state;
    for (uint32_t i = 0; i < 128; i++)
        cluster_join(cluster, 1, i, 100 + i, "g");
    cluster_connect(cluster, 2, 0, 20);
    cluster_ask_join(cluster, 2, 0, "g", 0);
    SAID(cluster, 2, 0, "answer 0: 18\n");
    cluster_gone(cluster, 1, 0);
    cluster_deliver(cluster);
    cluster_ask_join(cluster, 2, 0, "g", 0);
    SAID(cluster, 2, 0, "answer 0: 1\n");
    cluster_free(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_and_leaves_are_told_to_the_group_in_one_order),
        cmocka_unit_test(who_has_left_can_join_again),
        cmocka_unit_test(requests_follow_the_state_of_the_connection),
        cmocka_unit_test(a_process_is_in_a_group_once),
        cmocka_unit_test(names_are_bytes),
        cmocka_unit_test(the_group_without_a_name_is_one_like_all_others),
        cmocka_unit_test(messages_go_to_the_group_in_one_order),
        cmocka_unit_test(fragments_are_passed_on),
        cmocka_unit_test(a_change_of_the_group_interrupts_fragments),
        cmocka_unit_test(who_joins_within_a_message_gets_none_of_it),
        cmocka_unit_test(fragments_must_fit),
        cmocka_unit_test(the_first_change_is_followed_by_the_ring_if_asked_for),
        cmocka_unit_test(after_finalize_nothing_is_said),
        cmocka_unit_test(iterations_are_snapshots),
        cmocka_unit_test(questions_are_answered),
        cmocka_unit_test(shared_buffers_are_refused_and_their_files_removed),
        cmocka_unit_test(requests_that_are_too_short_are_refused),
        cmocka_unit_test(messages_that_are_shorter_than_they_say_are_dropped),
        cmocka_unit_test(the_largest_message_is_taken_and_a_larger_one_not),
        cmocka_unit_test(a_group_has_room_for_as_many_as_libraries_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
