/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Node sets against a bit mask, over all subsets of a few ids; and what they print.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/node_set.h"

#define IDS 6
#define MASKS (1u << IDS)

/* Among them the ends of the range: an id is a number, not an index. */
static const uint32_t id_of[IDS] = {1, 2, 7, 0x7fffffff, 0x80000000, UINT32_MAX};

static struct node_set sets[MASKS]; /* by mask of ids */

static int make_sets(void **state)
{
    (void)state;
    for (uint32_t mask = 0; mask < MASKS; mask++) {
        uint32_t ids[2 * IDS];
        size_t count = 0;

        /* Descending, and each one twice. */
        for (uint32_t i = IDS; i-- > 0;)
            for (int twice = 0; twice < 2; twice++)
                if ((mask >> i & 1) != 0)
                    ids[count++] = id_of[i];
        node_set_init(&sets[mask]);
        assert_int_equal(node_set_assign(&sets[mask], ids, count), Q_OK);
    }
    return 0;
}

static int free_sets(void **state)
{
    (void)state;
    for (uint32_t mask = 0; mask < MASKS; mask++)
        node_set_fini(&sets[mask]);
    return 0;
}

static uint32_t mask_of(const struct node_set *set)
{
    uint32_t mask = 0;

    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t bit = 0;

        assert_true(i == 0 || set->ids[i] > set->ids[i - 1]);
        while (bit < IDS && id_of[bit] != set->ids[i])
            bit++;
        assert_true(bit < IDS);
        mask |= 1u << bit;
    }
    return mask;
}

static void a_set_is_ascending_without_duplicates_however_it_was_given(void **state)
{
    (void)state;
    for (uint32_t mask = 0; mask < MASKS; mask++) {
        assert_int_equal(mask_of(&sets[mask]), mask);
        for (uint32_t i = 0; i < IDS; i++)
            assert_int_equal(node_set_has(&sets[mask], id_of[i]), mask >> i & 1);
        assert_false(node_set_has(&sets[mask], 3));
        assert_false(node_set_has(&sets[mask], 0));
    }
}

static void relations_of_two_sets_are_those_of_their_masks(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < MASKS; a++)
        for (uint32_t b = 0; b < MASKS; b++) {
            assert_int_equal(node_set_equal(&sets[a], &sets[b]), a == b);
            assert_int_equal(node_set_overlap(&sets[a], &sets[b]), (a & b) != 0);
            assert_int_equal(node_set_is_subset(&sets[a], &sets[b]), (a & ~b) == 0);
        }
}

static void union_intersection_and_copy_leave_the_other_set_alone(void **state)
{
    struct node_set set;

    (void)state;
    node_set_init(&set);
    for (uint32_t a = 0; a < MASKS; a++)
        for (uint32_t b = 0; b < MASKS; b++) {
            assert_int_equal(node_set_copy(&set, &sets[a]), Q_OK);
            assert_int_equal(node_set_unite(&set, &sets[b]), Q_OK);
            assert_int_equal(mask_of(&set), a | b);
            assert_int_equal(node_set_copy(&set, &sets[a]), Q_OK);
            node_set_intersect(&set, &sets[b]);
            assert_int_equal(mask_of(&set), a & b);
            assert_int_equal(mask_of(&sets[b]), b);
        }
    node_set_fini(&set);
}

static void adding_an_element_twice_adds_it_once(void **state)
{
    struct node_set set;

    (void)state;
    node_set_init(&set);
    for (int twice = 0; twice < 2; twice++)
        for (uint32_t i = 0; i < IDS; i++)
            assert_int_equal(node_set_add(&set, id_of[i]), Q_OK);
    assert_int_equal(mask_of(&set), MASKS - 1);
    node_set_fini(&set);
}

static void a_moved_set_has_one_owner(void **state)
{
    struct node_set from;
    struct node_set to;

    (void)state;
    node_set_init(&from);
    node_set_init(&to);
    assert_int_equal(node_set_copy(&from, &sets[5]), Q_OK);
    assert_int_equal(node_set_copy(&to, &sets[2]), Q_OK);
    node_set_move(&to, &from);
    assert_int_equal(mask_of(&to), 5);
    assert_int_equal(from.count, 0);
    assert_null(from.ids);
    node_set_fini(&to);
    node_set_fini(&from);
}

static void the_lowest_and_the_highest_are_compared_unsigned(void **state)
{
    (void)state;
    assert_int_equal(node_set_lowest(&sets[0]), 0);
    assert_int_equal(node_set_highest(&sets[0]), 0);
    assert_int_equal(node_set_lowest(&sets[1u << 3 | 1u << 4]), 0x7fffffff);
    assert_true(node_set_highest(&sets[1u << 3 | 1u << 4]) == 0x80000000);
    assert_true(node_set_highest(&sets[MASKS - 1]) == UINT32_MAX);
}

static void text_lists_the_ids_or_says_none(void **state)
{
    char text[64];

    (void)state;
    node_set_text(&sets[0], text, sizeof(text));
    assert_string_equal(text, "none");
    node_set_text(&sets[7], text, sizeof(text));
    assert_string_equal(text, "1,2,7");
    node_set_text(&sets[MASKS - 1], text, sizeof(text));
    assert_string_equal(text, "1,2,7,2147483647,2147483648,4294967295");
}

/* Whatever room there is: terminated, never past the end, whole ids only, dots if anything is missing. */
static void text_that_does_not_fit_ends_in_dots(void **state)
{
    const char *whole = "1,2,7,2147483647,2147483648,4294967295";

    (void)state;
    for (size_t size = sizeof("none"); size <= strlen(whole) + 2; size++) {
        char *text = malloc(size); /* exact, so that the sanitizer sees a byte too many */

        assert_non_null(text);
        node_set_text(&sets[MASKS - 1], text, size);
        assert_true(strlen(text) < size);
        if (size > strlen(whole)) {
            assert_string_equal(text, whole);
        } else {
            size_t kept = strlen(text) - strlen("...");

            assert_string_equal(text + kept, "...");
            assert_memory_equal(text, whole, kept);
            assert_true(kept == 0 || whole[kept] == ',');
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_is_ascending_without_duplicates_however_it_was_given),
        cmocka_unit_test(relations_of_two_sets_are_those_of_their_masks),
        cmocka_unit_test(union_intersection_and_copy_leave_the_other_set_alone),
        cmocka_unit_test(adding_an_element_twice_adds_it_once),
        cmocka_unit_test(a_moved_set_has_one_owner),
        cmocka_unit_test(the_lowest_and_the_highest_are_compared_unsigned),
        cmocka_unit_test(text_lists_the_ids_or_says_none),
        cmocka_unit_test(text_that_does_not_fit_ends_in_dots),
    };

    return cmocka_run_group_tests_name("node set", tests, make_sets, free_sets);
}
