/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Things kept under unique names in byte order: the balanced tree below the cmap store. Pure. A node is embedded in the
 * thing it names; whoever owns the thing owns its name, which must not change while the node is in a tree. Finding,
 * stepping, adding and removing take logarithmic time. There is no state between steps, so that a walk over
 * name_tree_after() survives any change of the tree, the removal of the current thing included.
 */
#ifndef QUORATE_CORE_SERVICES_NAME_TREE_H
#define QUORATE_CORE_SERVICES_NAME_TREE_H

#include <stddef.h>

struct name_node {
    struct name_node *left, *right;
    const char *name; /* terminated */
    int height;
};

struct name_tree {
    struct name_node *root; /* all zero: empty */
    size_t count;
};

/* NULL: there is none. */
struct name_node *name_tree_find(const struct name_tree *tree, const char *name);
/* The first whose name is at or after `name`; the first that is after it. NULL: there is none. */
struct name_node *name_tree_from(const struct name_tree *tree, const char *name);
struct name_node *name_tree_after(const struct name_tree *tree, const char *name);

/* Nothing of that name may be in the tree. */
void name_tree_add(struct name_tree *tree, struct name_node *node);
/* The node must be in the tree. */
void name_tree_remove(struct name_tree *tree, struct name_node *node);

#endif
