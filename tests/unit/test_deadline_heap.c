/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The heap of deadlines against a plain search for the earliest one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/deadline_heap.h"

#define ENTRIES 200

static struct deadline_heap heap;
static struct deadline entries[ENTRIES];

static int prepare(void **state)
{
    (void)state;
    deadline_heap_init(&heap);
    assert_int_equal(deadline_heap_reserve(&heap, ENTRIES), Q_OK);
    for (int i = 0; i < ENTRIES; i++)
        deadline_init(&entries[i], i);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    deadline_heap_fini(&heap);
    return 0;
}

/* What the heap has to answer: the earliest, of several the one that was set first. */
static struct deadline *earliest(void)
{
    struct deadline *best = NULL;

    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].index != 0 &&
            (best == NULL || entries[i].at_ms < best->at_ms ||
             (entries[i].at_ms == best->at_ms && entries[i].order < best->order)))
            best = &entries[i];
    return best;
}

static void check_places(void)
{
    for (size_t i = 0; i < heap.count; i++)
        assert_int_equal(heap.entries[i]->index, i + 1);
    assert_ptr_equal(deadline_heap_first(&heap), earliest());
}

static void nothing_set_means_no_deadline(void **state)
{
    (void)state;
    assert_null(deadline_heap_first(&heap));
    deadline_set(&heap, &entries[0], DEADLINE_NEVER);
    assert_null(deadline_heap_first(&heap));
    deadline_clear(&heap, &entries[0]);
    assert_null(deadline_heap_first(&heap));
}

static void never_takes_a_deadline_out(void **state)
{
    (void)state;
    deadline_set(&heap, &entries[0], 5);
    deadline_set(&heap, &entries[1], 9);
    deadline_set(&heap, &entries[0], DEADLINE_NEVER);
    assert_int_equal(entries[0].index, 0);
    assert_ptr_equal(deadline_heap_first(&heap), &entries[1]);
    deadline_clear(&heap, &entries[1]);
}

static void equal_deadlines_come_in_the_order_they_were_set(void **state)
{
    (void)state;
    for (int i = ENTRIES; i-- > 0;)
        deadline_set(&heap, &entries[i], 1000);
    for (int i = ENTRIES; i-- > 0;) {
        assert_ptr_equal(deadline_heap_first(&heap), &entries[i]);
        deadline_clear(&heap, &entries[i]);
    }
}

static void setting_the_same_deadline_again_changes_nothing(void **state)
{
    (void)state;
    deadline_set(&heap, &entries[0], 1000);
    deadline_set(&heap, &entries[1], 1000);
    deadline_set(&heap, &entries[0], 1000);
    assert_ptr_equal(deadline_heap_first(&heap), &entries[0]);
    deadline_clear(&heap, &entries[0]);
    deadline_clear(&heap, &entries[1]);
}

/* Thousands of sets, moves and removals, few distinct times so that ties abound. */
static void the_first_entry_is_always_the_earliest(void **state)
{
    uint32_t random = 12345;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct deadline *entry;

        random = random * 1664525u + 1013904223u;
        entry = &entries[(random >> 8) % ENTRIES];
        if ((random >> 28) < 5)
            deadline_clear(&heap, entry);
        else
            deadline_set(&heap, entry, (random >> 16) % 64);
        assert_ptr_equal(deadline_heap_first(&heap), earliest());
        if (round % 100 == 0)
            check_places();
    }
    while (deadline_heap_first(&heap) != NULL) {
        check_places();
        deadline_clear(&heap, deadline_heap_first(&heap));
    }
}

static void room_grows_with_what_is_asked_for(void **state)
{
    struct deadline_heap small;

    (void)state;
    deadline_heap_init(&small);
    for (size_t n = 1; n <= ENTRIES; n++) {
        assert_int_equal(deadline_heap_reserve(&small, n), Q_OK);
        deadline_set(&small, &entries[n - 1], n);
    }
    for (size_t n = 1; n <= ENTRIES; n++) {
        assert_ptr_equal(deadline_heap_first(&small), &entries[n - 1]);
        deadline_clear(&small, &entries[n - 1]);
    }
    deadline_heap_fini(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_means_no_deadline),
        cmocka_unit_test(never_takes_a_deadline_out),
        cmocka_unit_test(equal_deadlines_come_in_the_order_they_were_set),
        cmocka_unit_test(setting_the_same_deadline_again_changes_nothing),
        cmocka_unit_test(the_first_entry_is_always_the_earliest),
        cmocka_unit_test(room_grows_with_what_is_asked_for),
    };

    return cmocka_run_group_tests_name("deadline heap", tests, prepare, finish);
}
