/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cpg_machine.h"

/*
 * Names are bytes, zeros among them; those of the tree are text. Each zero and one becomes two bytes, which keeps the
 * order of the names.
 */
#define ESCAPE 1

static void make_key(struct cpg_name name, char key[CPG_KEY_SIZE])
{
    size_t at = 0;

    for (uint32_t i = 0; i < name.size; i++) {
        uint8_t byte = name.bytes[i];

        if (byte <= ESCAPE) {
            key[at++] = ESCAPE;
            byte++;
        }
        key[at++] = (char)byte;
    }
    key[at] = '\0';
}

static struct cpg_group *of_node(struct name_node *node)
{
    return node == NULL ? NULL : (struct cpg_group *)((char *)node - offsetof(struct cpg_group, node));
}

struct cpg_name cpg_group_name(const struct cpg_group *group)
{
    struct cpg_name name;

    (void)cpg_get_name(group->name, TOTEM_ORDER_OURS, &name);
    return name;
}

struct cpg_group *cpg_group_find(const struct cpg *cpg, struct cpg_name name)
{
    char key[CPG_KEY_SIZE];

    make_key(name, key);
    return of_node(name_tree_find(&cpg->groups, key));
}

struct cpg_group *cpg_group_get(struct cpg *cpg, struct cpg_name name)
{
    struct cpg_group *group = cpg_group_find(cpg, name);

    if (group != NULL)
        return group;
    group = calloc(1, sizeof(*group));
    if (group == NULL)
        return NULL;
    make_key(name, group->key);
    cpg_put_name(group->name, name);
    group->node.name = group->key;
    name_tree_add(&cpg->groups, &group->node);
    return group;
}

struct cpg_group *cpg_group_after(const struct cpg *cpg, const struct cpg_group *group)
{
    return of_node(group == NULL ? name_tree_from(&cpg->groups, "")
                                 : name_tree_after(&cpg->groups, group->key));
}

void cpg_group_tidy(struct cpg *cpg, struct cpg_group *group)
{
    if (group->member_count > 0 || group->first != NULL)
        return;
    name_tree_remove(&cpg->groups, &group->node);
    free(group->members);
    free(group);
}

/* ---- connections ------------------------------------------------------------------------------------------------ */

void cpg_group_enter(struct cpg_group *group, struct cpg_conn *conn)
{
    conn->group = group;
    conn->previous = group->last;
    conn->next = NULL;
    if (group->last != NULL)
        group->last->next = conn;
    else
        group->first = conn;
    group->last = conn;
}

void cpg_group_exit(struct cpg_group *group, struct cpg_conn *conn)
{
    assert(conn->group == group);
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        group->first = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    else
        group->last = conn->previous;
    conn->group = NULL;
    conn->previous = NULL;
    conn->next = NULL;
}

struct cpg_conn *cpg_group_conn(const struct cpg_group *group, uint32_t pid)
{
    struct cpg_conn *conn = group->first;

    while (conn != NULL && conn->pid != pid)
        conn = conn->next;
    return conn;
}

/* ---- members ------------------------------------------------------------------------------------------------------ */

struct cpg_node *cpg_node_find(struct cpg *cpg, uint32_t node_id)
{
    size_t low = 0;
    size_t high = cpg->node_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (cpg->nodes[middle].id < node_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < cpg->node_count && cpg->nodes[low].id == node_id ? &cpg->nodes[low] : NULL;
}

size_t cpg_member_from(const struct cpg_group *group, uint32_t node_id, uint32_t pid)
{
    size_t low = 0;
    size_t high = group->member_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct cpg_member *member = &group->members[middle];

        if (member->node_id < node_id || (member->node_id == node_id && member->pid < pid))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct cpg_member *cpg_member_find(const struct cpg_group *group, uint32_t node_id, uint32_t pid)
{
    size_t index = cpg_member_from(group, node_id, pid);

    if (index == group->member_count || group->members[index].node_id != node_id ||
        group->members[index].pid != pid)
        return NULL;
    return &group->members[index];
}

bool cpg_group_has_node(const struct cpg_group *group, uint32_t node_id)
{
    size_t index = cpg_member_from(group, node_id, 0);

    return index < group->member_count && group->members[index].node_id == node_id;
}

struct cpg_member *cpg_member_add(struct cpg *cpg, struct cpg_group *group, uint32_t node_id, uint32_t pid)
{
    size_t index = cpg_member_from(group, node_id, pid);
    struct cpg_node *node = cpg_node_find(cpg, node_id);
    struct cpg_member *place =
        cpg_grow(cpg, group->members, &group->member_capacity, group->member_count, sizeof(*place));

    if (place == NULL)
        return NULL;
    group->members = place;
    place += index;
    memmove(place + 1, place, (group->member_count - index) * sizeof(*place));
    *place = (struct cpg_member){.node_id = node_id, .pid = pid};
    group->member_count++;
    if (node != NULL)
        node->member_count++;
    return place;
}

void cpg_member_remove(struct cpg *cpg, struct cpg_group *group, size_t index)
{
    struct cpg_member *place = &group->members[index];
    struct cpg_node *node = cpg_node_find(cpg, place->node_id);

    assert(index < group->member_count);
    if (node != NULL)
        node->member_count--;
    group->member_count--;
    memmove(place, place + 1, (group->member_count - index) * sizeof(*place));
}
