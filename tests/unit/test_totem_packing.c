/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/totem/machine.h"

#define MESSAGES_MAX 4096

static struct packing packing;
static struct datagram_queue queue;
static struct assembly_table table;
static uint8_t message[TOTEM_MESSAGE_MAX];
static size_t delivered_sizes[MESSAGES_MAX];
static size_t delivered_count;
static bool delivered_right;

static int set_up(void **state)
{
    (void)state;
    assert_true(packing_init(&packing, TOTEM_NETMTU_UDP));
    delivered_count = 0;
    delivered_right = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    packing_fini(&packing);
    datagram_queue_fini(&queue);
    assembly_table_fini(&table);
    return 0;
}

/* Every byte tells the message's size and its place in it. */
static void add(size_t size)
{
    for (size_t i = 0; i < size; i++)
        message[i] = (uint8_t)(size * 7 + i + (i >> 8));
    assert_true(packing_add(&packing, &queue, &(struct totem_part){message, size}, 1));
}

static void on_message(void *context, uint32_t sender, struct datagram *holder, const uint8_t *bytes, size_t size)
{
    (void)context;
    assert_int_equal(sender, 7);
    assert_true(bytes >= holder->bytes && bytes + size <= holder->bytes + holder->size);
    for (size_t i = 0; i < size; i++)
        delivered_right = delivered_right && bytes[i] == (uint8_t)(size * 7 + i + (i >> 8));
    assert_true(delivered_count < MESSAGES_MAX);
    delivered_sizes[delivered_count++] = size;
}

static struct totem_frame frame_of(const struct datagram *datagram)
{
    struct totem_frame frame;

    assert_true(totem_frame_decode(datagram->bytes + TOTEM_MCAST_SIZE, datagram->size - TOTEM_MCAST_SIZE, TOTEM_ORDER_OURS,
                                   &frame));
    return frame;
}

/* Takes the next frame from the queue, checks what the packaged daemon would see, and gives it to the receiver or loses it. */
static void pass_frame(uint8_t fragmented, uint8_t continuation, uint16_t items, bool lose)
{
    struct datagram *datagram = datagram_queue_pop(&queue);
    struct totem_frame frame;

    assert_non_null(datagram);
    frame = frame_of(datagram);
    assert_int_equal(frame.fragmented, fragmented);
    assert_int_equal(frame.continuation, continuation);
    assert_int_equal(frame.item_count, items);
    if (!lose)
        assert_true(assembly_add(&table, 7, &frame, datagram, on_message, NULL));
    datagram_unref(datagram);
}

static void small_messages_share_a_frame(void **state)
{
    (void)state;
    add(341);
    add(40);
    assert_int_equal(queue.count, 0);
    assert_true(packing_flush(&packing, &queue));
    assert_true(packing_flush(&packing, &queue));
    assert_int_equal(queue.count, 1);
    pass_frame(0, 0, 2, false);
    assert_int_equal(delivered_count, 2);
    assert_int_equal(delivered_sizes[0], 341);
    assert_true(delivered_right);
}

/* spec/totem-wire.md section 13, example 10: a downlist of 1573 bytes goes in frames of 1400 and 173. */
static void a_downlist_is_cut_as_the_packaged_daemon_cuts_it(void **state)
{
    struct totem_frame frame;

    (void)state;
    add(1573);
    assert_int_equal(queue.count, 1);
    assert_int_equal(queue.items[queue.first]->size, 1455);
    frame = frame_of(queue.items[queue.first]);
    assert_int_equal(totem_frame_item_size(&frame, 0), 1400);
    assert_true(packing_flush(&packing, &queue));
    pass_frame(1, 0, 1, false);
    assert_int_equal(delivered_count, 0);
    pass_frame(0, 1, 1, false);
    assert_int_equal(delivered_count, 1);
    assert_int_equal(delivered_sizes[0], 1573);
    assert_true(delivered_right);
}

static void a_frame_ends_one_message_and_begins_the_next(void **state)
{
    (void)state;
    add(3000);
    add(2000);
    assert_true(packing_flush(&packing, &queue));
    pass_frame(1, 0, 1, false);
    pass_frame(2, 1, 1, false);
    pass_frame(1, 2, 2, false);
    pass_frame(0, 1, 1, false);
    assert_int_equal(delivered_count, 2);
    assert_true(delivered_right);
}

static void exactly_full_frames_leave_at_once(void **state)
{
    (void)state;
    add(1400);
    assert_int_equal(queue.count, 1);
    pass_frame(0, 0, 1, false);
    add(1401);
    assert_true(packing_flush(&packing, &queue));
    pass_frame(1, 0, 1, false);
    pass_frame(0, 1, 1, false);
    assert_int_equal(delivered_count, 2);
    assert_true(delivered_right);
}

static void the_largest_message_passes_with_its_numbers_wrapping(void **state)
{
    struct datagram *datagram;
    uint8_t last = 0;

    (void)state;
    assert_true(packing_has_room(&packing, &queue, TOTEM_MESSAGE_MAX));
    add(TOTEM_MESSAGE_MAX);
    assert_true(packing_flush(&packing, &queue));
    assert_true(queue.count > 2 * UINT8_MAX);
    while ((datagram = datagram_queue_pop(&queue)) != NULL) {
        struct totem_frame frame = frame_of(datagram);

        assert_int_equal(frame.continuation, last);
        last = frame.fragmented;
        assert_true(last != 0 || queue.count == 0);
        assert_true(assembly_add(&table, 7, &frame, datagram, on_message, NULL));
        datagram_unref(datagram);
    }
    assert_int_equal(delivered_count, 1);
    assert_int_equal(delivered_sizes[0], TOTEM_MESSAGE_MAX);
    assert_true(delivered_right);
}

static void all_sizes_around_the_frame_pass_in_all_company(void **state)
{
    struct datagram *datagram;
    size_t count = 0;

    (void)state;
    for (size_t size = 1; size < 3000; size += size > 1380 && size < 1420 ? 1 : 17) {
        add(size);
        count++;
        if (count % 5 == 0)
            assert_true(packing_flush(&packing, &queue));
    }
    assert_true(packing_flush(&packing, &queue));
    while ((datagram = datagram_queue_pop(&queue)) != NULL) {
        struct totem_frame frame = frame_of(datagram);

        assert_true(datagram->size <= TOTEM_NETMTU_UDP - TOTEM_MCAST_SIZE);
        assert_true(assembly_add(&table, 7, &frame, datagram, on_message, NULL));
        datagram_unref(datagram);
    }
    assert_int_equal(delivered_count, count);
    assert_true(delivered_right);
}

static void only_what_lost_its_beginning_is_dropped(void **state)
{
    (void)state;
    add(3000);
    add(100);
    add(2000);
    add(50);
    assert_true(packing_flush(&packing, &queue));
    pass_frame(1, 0, 1, true);
    pass_frame(2, 1, 1, false);
    pass_frame(1, 2, 3, false);
    assert_int_equal(delivered_count, 1);
    assert_int_equal(delivered_sizes[0], 100);
    pass_frame(0, 1, 2, false);
    assert_int_equal(delivered_count, 3);
    assert_int_equal(delivered_sizes[1], 2000);
    assert_int_equal(delivered_sizes[2], 50);
    assert_true(delivered_right);
}

/* Said while the services synchronised, between the pieces of what the change of the ring has cut in two. */
static void whole_messages_between_the_pieces_of_another_do_no_harm(void **state)
{
    struct totem_frame frame;
    struct datagram *between = datagram_new(64);

    (void)state;
    assert_non_null(between);
    add(2000);
    assert_true(packing_flush(&packing, &queue));
    pass_frame(1, 0, 1, false);
    memset(between->bytes, 0, 64);
    totem_frame_encode_header(between->bytes, 0, 0, 1);
    totem_put_u16(between->bytes + TOTEM_FRAME_SIZE, 3, TOTEM_ORDER_OURS);
    assert_true(totem_frame_decode(between->bytes, TOTEM_FRAME_SIZE + TOTEM_FRAME_ITEM_SIZE + 3, TOTEM_ORDER_OURS, &frame));
    assert_true(assembly_add(&table, 7, &frame, between, on_message, NULL));
    assert_int_equal(delivered_count, 1);
    assert_int_equal(delivered_sizes[0], 3);
    pass_frame(0, 1, 1, false);
    assert_int_equal(delivered_count, 2);
    assert_int_equal(delivered_sizes[1], 2000);
    datagram_unref(between);
}

static void a_sender_that_begins_anew_is_understood(void **state)
{
    struct totem_nodes left;

    (void)state;
    add(3000);
    assert_true(packing_flush(&packing, &queue));
    pass_frame(1, 0, 1, false);
    datagram_queue_clear(&queue);
    add(80);
    packing.continuation = 0;
    assert_true(packing_flush(&packing, &queue));
    pass_frame(0, 0, 1, false);
    assert_int_equal(delivered_count, 1);

    add(3000);
    assert_true(packing_flush(&packing, &queue));
    pass_frame(1, 0, 1, false);
    totem_nodes_set_one(&left, 7);
    assembly_forget(&table, &left);
    pass_frame(2, 1, 1, false);
    pass_frame(0, 2, 1, false);
    assert_int_equal(delivered_count, 1);
}

static void a_full_queue_says_so_before(void **state)
{
    size_t taken = 0;

    (void)state;
    while (packing_has_room(&packing, &queue, 1400)) {
        add(1400);
        taken++;
    }
    assert_true(queue.count <= packing.queue_max);
    assert_int_equal(packing.queue_max, 2974);
    assert_in_range(taken, 2970, 2974);
    assert_false(packing_has_room(&packing, &queue, TOTEM_MESSAGE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(small_messages_share_a_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_downlist_is_cut_as_the_packaged_daemon_cuts_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_frame_ends_one_message_and_begins_the_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exactly_full_frames_leave_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_largest_message_passes_with_its_numbers_wrapping, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_sizes_around_the_frame_pass_in_all_company, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_lost_its_beginning_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whole_messages_between_the_pieces_of_another_do_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sender_that_begins_anew_is_understood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_says_so_before, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("totem_packing", tests, NULL, NULL);
}
