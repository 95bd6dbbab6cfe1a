/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/name_tree.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* An AVL tree: the heights of two siblings differ by one at most. */

static int height(const struct name_node *node)
{
    return node == NULL ? 0 : node->height;
}

static void measure(struct name_node *node)
{
    int left = height(node->left);
    int right = height(node->right);

    node->height = (left > right ? left : right) + 1;
}

static struct name_node *rotate_right(struct name_node *node)
{
    struct name_node *top = node->left;

    node->left = top->right;
    top->right = node;
    measure(node);
    measure(top);
    return top;
}

static struct name_node *rotate_left(struct name_node *node)
{
    struct name_node *top = node->right;

    node->right = top->left;
    top->left = node;
    measure(node);
    measure(top);
    return top;
}

/* Makes a subtree whose children are balanced balanced itself; returns its top. */
static struct name_node *balance(struct name_node *node)
{
    int lean = height(node->left) - height(node->right);

    measure(node);
    if (lean > 1) {
        if (height(node->left->left) < height(node->left->right))
            node->left = rotate_left(node->left);
        return rotate_right(node);
    }
    if (lean < -1) {
        if (height(node->right->right) < height(node->right->left))
            node->right = rotate_right(node->right);
        return rotate_left(node);
    }
    return node;
}

struct name_node *name_tree_find(const struct name_tree *tree, const char *name)
{
    struct name_node *node = tree->root;

    while (node != NULL) {
        int order = strcmp(name, node->name);
        if (order == 0)
            return node;
        node = order < 0 ? node->left : node->right;
    }
    return NULL;
}

static struct name_node *first_beyond(const struct name_tree *tree, const char *name, bool or_at)
{
    struct name_node *best = NULL;
    struct name_node *node = tree->root;

    while (node != NULL) {
        int order = strcmp(node->name, name);
        if (order > 0 || (order == 0 && or_at)) {
            best = node;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}

struct name_node *name_tree_from(const struct name_tree *tree, const char *name)
{
    return first_beyond(tree, name, true);
}

struct name_node *name_tree_after(const struct name_tree *tree, const char *name)
{
    return first_beyond(tree, name, false);
}

static struct name_node *add(struct name_node *top, struct name_node *node)
{
    int order;

    if (top == NULL)
        return node;
    order = strcmp(node->name, top->name);
    assert(order != 0);
    if (order < 0)
        top->left = add(top->left, node);
    else
        top->right = add(top->right, node);
    return balance(top);
}

void name_tree_add(struct name_tree *tree, struct name_node *node)
{
    node->left = NULL;
    node->right = NULL;
    node->height = 1;
    tree->root = add(tree->root, node);
    tree->count++;
}

static struct name_node *take_first(struct name_node *top, struct name_node **first)
{
    if (top->left == NULL) {
        *first = top;
        return top->right;
    }
    top->left = take_first(top->left, first);
    return balance(top);
}

static struct name_node *remove_node(struct name_node *top, struct name_node *node)
{
    int order;

    assert(top != NULL);
    order = strcmp(node->name, top->name);
    if (order < 0) {
        top->left = remove_node(top->left, node);
    } else if (order > 0) {
        top->right = remove_node(top->right, node);
    } else {
        struct name_node *next;
        assert(top == node);
        if (top->right == NULL)
            return top->left;
        top->right = take_first(top->right, &next);
        next->left = top->left;
        next->right = top->right;
        /* what take_first unbalanced is one level down, and balanced already */
        return balance(next);
    }
    return balance(top);
}

void name_tree_remove(struct name_tree *tree, struct name_node *node)
{
    tree->root = remove_node(tree->root, node);
    tree->count--;
}
