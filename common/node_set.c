/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/node_set.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void node_set_init(struct node_set *set)
{
    set->ids = NULL;
    set->count = 0;
}

void node_set_fini(struct node_set *set)
{
    free(set->ids);
    node_set_init(set);
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

enum q_err node_set_assign(struct node_set *set, const uint32_t *ids, size_t count)
{
    uint32_t *copy;
    uint32_t unique = 0;

    if (count == 0) {
        node_set_fini(set);
        return Q_OK;
    }
    copy = malloc(count * sizeof(*copy));
    if (copy == NULL)
        return Q_ERR_NO_MEMORY;
    memcpy(copy, ids, count * sizeof(*copy));
    qsort(copy, count, sizeof(*copy), compare_ids);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || copy[i] != copy[unique - 1])
            copy[unique++] = copy[i];
    free(set->ids);
    set->ids = copy;
    set->count = unique;
    return Q_OK;
}

enum q_err node_set_copy(struct node_set *set, const struct node_set *from)
{
    uint32_t *copy = NULL;

    if (set == from)
        return Q_OK;
    if (from->count > 0) {
        copy = malloc(from->count * sizeof(*copy));
        if (copy == NULL)
            return Q_ERR_NO_MEMORY;
        memcpy(copy, from->ids, from->count * sizeof(*copy));
    }
    free(set->ids);
    set->ids = copy;
    set->count = from->count;
    return Q_OK;
}

/* Both are in order, so one walk along both is enough. */
enum q_err node_set_unite(struct node_set *set, const struct node_set *other)
{
    uint32_t *all;
    uint32_t i = 0, j = 0, count = 0;

    if (node_set_is_subset(other, set))
        return Q_OK;
    all = malloc(((size_t)set->count + other->count) * sizeof(*all));
    if (all == NULL)
        return Q_ERR_NO_MEMORY;
    while (i < set->count || j < other->count) {
        bool from_set = j == other->count || (i < set->count && set->ids[i] <= other->ids[j]);
        bool from_other = i == set->count || (j < other->count && other->ids[j] <= set->ids[i]);

        all[count++] = from_set ? set->ids[i] : other->ids[j];
        i += from_set;
        j += from_other;
    }
    free(set->ids);
    set->ids = all;
    set->count = count;
    return Q_OK;
}

enum q_err node_set_add(struct node_set *set, uint32_t id)
{
    struct node_set one = {.ids = &id, .count = 1};

    return node_set_has(set, id) ? Q_OK : node_set_unite(set, &one);
}

void node_set_intersect(struct node_set *set, const struct node_set *other)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < set->count; i++)
        if (node_set_has(other, set->ids[i]))
            set->ids[kept++] = set->ids[i];
    set->count = kept;
}

void node_set_move(struct node_set *set, struct node_set *from)
{
    free(set->ids);
    *set = *from;
    node_set_init(from);
}

bool node_set_has(const struct node_set *set, uint32_t id)
{
    return set->count > 0 && bsearch(&id, set->ids, set->count, sizeof(id), compare_ids) != NULL;
}

bool node_set_equal(const struct node_set *a, const struct node_set *b)
{
    return a->count == b->count && (a->count == 0 || memcmp(a->ids, b->ids, a->count * sizeof(*a->ids)) == 0);
}

bool node_set_is_subset(const struct node_set *part, const struct node_set *whole)
{
    uint32_t j = 0;

    if (node_set_equal(part, whole))
        return true;
    for (uint32_t i = 0; i < part->count; i++) {
        while (j < whole->count && whole->ids[j] < part->ids[i])
            j++;
        if (j == whole->count || whole->ids[j] != part->ids[i])
            return false;
    }
    return true;
}

bool node_set_overlap(const struct node_set *a, const struct node_set *b)
{
    uint32_t i = 0, j = 0;

    while (i < a->count && j < b->count) {
        if (a->ids[i] == b->ids[j])
            return true;
        if (a->ids[i] < b->ids[j])
            i++;
        else
            j++;
    }
    return false;
}

uint32_t node_set_lowest(const struct node_set *set)
{
    return set->count > 0 ? set->ids[0] : 0;
}

uint32_t node_set_highest(const struct node_set *set)
{
    return set->count > 0 ? set->ids[set->count - 1] : 0;
}

void node_set_text(const struct node_set *set, char *text, size_t size)
{
    size_t used = 0;

    assert(size >= sizeof("none"));
    snprintf(text, size, "none");
    for (uint32_t i = 0; i < set->count; i++) {
        char one[sizeof(",4294967295")];
        size_t length = (size_t)snprintf(one, sizeof(one), i == 0 ? "%u" : ",%u", set->ids[i]);
        bool last = i + 1 == set->count;

        if (used + length + (last ? 0 : strlen("...")) >= size) {
            snprintf(text + used, size - used, "...");
            return;
        }
        memcpy(text + used, one, length + 1);
        used += length;
    }
}
