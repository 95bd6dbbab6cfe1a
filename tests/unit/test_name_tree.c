/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tree against a plain array that is searched from front to back, over a long fixed sequence of additions and
 * removals; and that it stays balanced.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/name_tree.h"

#define THINGS 512

struct thing {
    struct name_node node;
    char name[16];
    int in_tree;
};

static struct thing things[THINGS]; /* ascending by name */
static struct name_tree tree;

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct thing *)a)->name, ((const struct thing *)b)->name);
}

static int set_up(void **state)
{
    (void)state;
    memset(&tree, 0, sizeof(tree));
    memset(things, 0, sizeof(things));
    for (int i = 0; i < THINGS; i++)
        snprintf(things[i].name, sizeof(things[i].name), "%s%d",
                 i % 3 == 0   ? "a."
                 : i % 3 == 1 ? "a"
                              : "b.",
                 i);
    qsort(things, THINGS, sizeof(things[0]), compare);
    for (int i = 0; i < THINGS; i++)
        things[i].node.name = things[i].name;
    return 0;
}

static int check_balance(const struct name_node *node)
{
    int left, right;

    if (node == NULL)
        return 0;
    left = check_balance(node->left);
    right = check_balance(node->right);
    assert_true(abs(left - right) <= 1);
    assert_int_equal(node->height, (left > right ? left : right) + 1);
    return node->height;
}

static struct name_node *expected(int from)
{
    for (int i = from; i < THINGS; i++)
        if (things[i].in_tree)
            return &things[i].node;
    return NULL;
}

static void check(void)
{
    size_t count = 0;

    check_balance(tree.root);
    for (int i = 0; i < THINGS; i++) {
        count += (size_t)things[i].in_tree;
        assert_ptr_equal(name_tree_find(&tree, things[i].name), things[i].in_tree ? &things[i].node : NULL);
        assert_ptr_equal(name_tree_from(&tree, things[i].name), expected(i));
        assert_ptr_equal(name_tree_after(&tree, things[i].name), expected(i + 1));
    }
    assert_int_equal(tree.count, count);
    assert_ptr_equal(name_tree_from(&tree, ""), expected(0));
    assert_null(name_tree_from(&tree, "c"));
    assert_null(name_tree_find(&tree, "a."));
}

static void test_against_an_array(void **state)
{
    uint32_t random = 1;

    (void)state;
    check();
    for (int step = 0; step < 4000; step++) {
        struct thing *thing;
        random = random * 1664525u + 1013904223u;
        thing = &things[(random >> 16) % THINGS];
        if (thing->in_tree)
            name_tree_remove(&tree, &thing->node);
        else
            name_tree_add(&tree, &thing->node);
        thing->in_tree = !thing->in_tree;
        if (step % 97 == 0)
            check();
    }
    check();
}

static void test_in_order_and_back(void **state)
{
    (void)state;
    for (int i = 0; i < THINGS; i++) {
        name_tree_add(&tree, &things[i].node);
        things[i].in_tree = 1;
    }
    check();
    for (struct name_node *node = name_tree_from(&tree, ""); node != NULL;
         node = name_tree_after(&tree, node->name))
        name_tree_remove(&tree, node);
    assert_int_equal(tree.count, 0);
    assert_null(tree.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_against_an_array, set_up),
        cmocka_unit_test_setup(test_in_order_and_back, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
