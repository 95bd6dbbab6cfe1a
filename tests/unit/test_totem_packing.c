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

/* How the packaged daemon puts one sender's frames together (spec/totem-wire.md section 6.3), as far as whole messages go. */
struct packaged_receiver {
    size_t delivered[16];
    size_t delivered_count;
    size_t buffered;
    uint8_t last_fragment;
    bool discards;
};

static void packaged_receive(struct packaged_receiver *receiver, const struct totem_frame *frame)
{
    if (receiver->discards) {
        receiver->discards = frame->fragmented > 1;
        receiver->buffered = 0;
        return;
    }
    if (frame->continuation != receiver->last_fragment) {
        receiver->discards = true;
        return;
    }
    receiver->last_fragment = frame->fragmented;
    for (uint16_t i = 0; i < frame->item_count; i++) {
        receiver->buffered += totem_frame_item_size(frame, i);
        if (i == frame->item_count - 1 && frame->fragmented != 0)
            return;
        assert_true(receiver->delivered_count < 16);
        receiver->delivered[receiver->delivered_count++] = receiver->buffered;
        receiver->buffered = 0;
    }
}

/*
 * A message of `first_size` bytes and those of `sizes`; `sent` frames go to those who are there, and then a packaged node comes to
 * the ring, which must hear all but the first message. Who was there before hears all.
 */
static void pass_a_newcomer(size_t first_size, const size_t *sizes, size_t count, size_t sent)
{
    struct packaged_receiver newcomer = {0};
    struct datagram *datagram;

    delivered_count = 0;
    add(first_size);
    for (size_t i = 0; i < count; i++)
        add(sizes[i]);
    assert_true(packing_flush(&packing, &queue));
    for (size_t i = 0; (datagram = datagram_queue_pop(&queue)) != NULL; i++) {
        struct totem_frame frame = frame_of(datagram);

        assert_true(datagram->size <= TOTEM_NETMTU_UDP - TOTEM_MCAST_SIZE);
        assert_true(assembly_add(&table, 7, &frame, datagram, on_message, NULL));
        if (i >= sent)
            packaged_receive(&newcomer, &frame);
        datagram_unref(datagram);
        if (i == sent - 1) { /* two changes of the ring before it goes on */
            assert_true(packing_set_rest_apart(&queue));
            assert_true(packing_set_rest_apart(&queue));
        }
    }
    assert_int_equal(delivered_count, count + 1);
    assert_int_equal(delivered_sizes[0], first_size);
    assert_true(delivered_right);
    assert_int_equal(newcomer.delivered_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(delivered_sizes[i + 1], sizes[i]);
        assert_int_equal(newcomer.delivered[i], sizes[i]);
    }
}

static void packaged_newcomers_lose_only_what_began_before_they_came(void **state)
{
    static const size_t followers[] = {100, 2000, 1500, 1400, 50, 3000, 20};
    const size_t count = sizeof(followers) / sizeof(followers[0]);

    (void)state;
    for (size_t sent = 1; sent <= 3; sent++)
        for (size_t size = 1400 * sent + 2; size < 1400 * 5; size += 331)
            for (size_t n = 0; n <= count; n++)
                pass_a_newcomer(size, followers, n, sent);
}

/* The numbers of a message's frames begin again with 1 after 255. */
static void packaged_newcomers_are_not_confused_by_numbers_that_wrap(void **state)
{
    static const size_t followers[] = {1000, 2000, 1500};

    (void)state;
    for (size_t frames = 254; frames < 260; frames++)
        for (size_t sent = frames - 4; sent < frames; sent++)
            pass_a_newcomer(1400 * frames - 100, followers, 3, sent);
}

static void what_begins_with_a_message_is_left_as_it_is(void **state)
{
    (void)state;
    assert_true(packing_set_rest_apart(&queue));
    add(3000);
    add(100);
    assert_true(packing_flush(&packing, &queue));
    assert_true(packing_set_rest_apart(&queue));
    pass_frame(1, 0, 1, false);
    pass_frame(2, 1, 1, false);
    pass_frame(0, 2, 2, false);
    assert_int_equal(delivered_count, 2);
}

/* A piece of one byte is not cut, but what follows it begins with a frame. */
static void the_rest_may_be_one_byte(void **state)
{
    (void)state;
    add(1401);
    add(100);
    assert_true(packing_flush(&packing, &queue));
    pass_frame(1, 0, 1, false);
    assert_true(packing_set_rest_apart(&queue));
    pass_frame(0, 1, 1, false);
    pass_frame(0, 0, 1, false);
    assert_int_equal(delivered_count, 2);
    assert_true(delivered_right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packaged_newcomers_lose_only_what_began_before_they_came, set_up, tear_down),
        cmocka_unit_test_setup_teardown(packaged_newcomers_are_not_confused_by_numbers_that_wrap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_begins_with_a_message_is_left_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_rest_may_be_one_byte, set_up, tear_down),
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
