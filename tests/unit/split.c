/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/split.h"

#include <assert.h>
#include <string.h>

void split_init(struct split *split, enum wire_algorithm algorithm, uint32_t node_count)
{
    assert(node_count <= SPLIT_NODES_MAX);
    memset(split, 0, sizeof(*split));
    split->algorithm = algorithm;
    split->tie_breaker.mode = WIRE_TIE_BREAKER_LOWEST;
    split->node_count = node_count;
    split->group_count = 1;
    split->reporting = (1u << node_count) - 1;
    for (uint32_t i = 0; i < node_count; i++)
        split->ids[i] = i + 1;
}

void split_parse(struct split *split, enum wire_algorithm algorithm, const char *text)
{
    split_init(split, algorithm, 0);
    for (const char *at = text; *at != '\0'; at++) {
        uint32_t node = split->node_count;

        if (*at == '|') {
            split->group_count++;
            continue;
        }
        if (*at == '*') {
            split->granted |= 1u << node;
            continue;
        }
        assert(node < SPLIT_NODES_MAX && strchr("UPFD", *at) != NULL);
        split->ids[node] = node + 1;
        split->group_of[node] = split->group_count - 1;
        split->reporting |= *at != 'D' ? 1u << node : 0;
        split->heuristics[node] = *at == 'P'   ? WIRE_HEURISTICS_PASS
                                  : *at == 'F' ? WIRE_HEURISTICS_FAIL
                                               : WIRE_HEURISTICS_UNDEFINED;
        split->node_count++;
    }
}

uint32_t split_group(const struct split *split, uint32_t group)
{
    uint32_t mask = 0;

    for (uint32_t i = 0; i < split->node_count; i++)
        mask |= split->group_of[i] == group ? 1u << i : 0;
    return mask;
}

uint32_t split_bits(uint32_t mask)
{
    uint32_t count = 0;

    for (; mask != 0; mask &= mask - 1)
        count++;
    return count;
}

/* ---- the view ---- */

static void insert(uint32_t *ids, uint32_t *count, uint32_t id)
{
    uint32_t i = (*count)++;

    for (; i > 0 && ids[i - 1] > id; i--)
        ids[i] = ids[i - 1];
    ids[i] = id;
}

static void fill(const struct split *split, uint32_t group, struct view_partition *to, uint32_t *ids)
{
    memset(to, 0, sizeof(*to));
    to->members.ids = ids;
    to->ring.node_id = group + 1;
    to->incumbent = (split_group(split, group) & split->granted) != 0;
    to->lowest_reporting = UINT32_MAX;
    for (uint32_t i = 0; i < split->node_count; i++) {
        if (split->group_of[i] != group)
            continue;
        insert(ids, &to->members.count, split->ids[i]);
        if ((split->reporting >> i & 1) == 0)
            continue;
        to->reporting++;
        to->pass += split->heuristics[i] == WIRE_HEURISTICS_PASS;
        to->fail += split->heuristics[i] == WIRE_HEURISTICS_FAIL;
        if (split->ids[i] < to->lowest_reporting)
            to->lowest_reporting = split->ids[i];
        if (split->ids[i] > to->highest_reporting)
            to->highest_reporting = split->ids[i];
    }
}

void split_to_view(const struct split *split, struct split_view *out)
{
    bool done[SPLIT_GROUPS_MAX] = {false};

    memset(out, 0, sizeof(*out));
    out->config.ids = out->config_ids;
    for (uint32_t i = 0; i < split->node_count; i++)
        insert(out->config_ids, &out->config.count, split->ids[i]);
    out->view = (struct view){.algorithm = split->algorithm,
                              .tie_breaker = split->tie_breaker,
                              .config = &out->config,
                              .keep_active_partition = split->keep_active_partition,
                              .majority_only = split->majority_only,
                              .recovering = split->recovering,
                              .partitions = out->partitions};
    for (;;) {
        size_t n = out->view.partition_count;
        uint32_t next = split->group_count;
        struct view_partition best = {.lowest_reporting = UINT32_MAX};
        uint32_t scratch[SPLIT_NODES_MAX];

        for (uint32_t group = 0; group < split->group_count; group++) {
            struct view_partition one;

            fill(split, group, &one, scratch);
            if (done[group] || one.reporting == 0 || one.lowest_reporting >= best.lowest_reporting)
                continue;
            best = one;
            next = group;
        }
        if (next == split->group_count)
            return;
        done[next] = true;
        fill(split, next, &out->partitions[n], out->ids[n]);
        out->view.partition_count++;
    }
}

uint32_t split_decide(const struct split *split, struct verdict *verdict)
{
    struct split_view view;

    split_to_view(split, &view);
    verdict_decide(&view.view, verdict);
    if (verdict->winner == VERDICT_NOBODY)
        return 0;
    return split_group(split, view.partitions[verdict->winner].ring.node_id - 1);
}

/* ---- going through them ---- */

static void each_reporting(struct split *split, void (*visit)(struct split *split))
{
    for (uint32_t mask = 1; mask < 1u << split->node_count; mask++) {
        split->reporting = mask;
        visit(split);
    }
}

static void place(struct split *split, uint32_t node, void (*visit)(struct split *split))
{
    if (node == split->node_count) {
        each_reporting(split, visit);
        return;
    }
    for (uint32_t group = 0; group <= split->group_count && group < SPLIT_GROUPS_MAX; group++) {
        uint32_t before = split->group_count;

        split->group_of[node] = group;
        if (group == before)
            split->group_count++;
        place(split, node + 1, visit);
        split->group_count = before;
    }
}

void split_each(struct split *split, void (*visit)(struct split *split))
{
    split->group_count = 0;
    place(split, 0, visit);
}

static void each_heuristics_from(struct split *split, uint32_t node, void (*visit)(struct split *split))
{
    if (node == split->node_count) {
        visit(split);
        return;
    }
    for (int value = WIRE_HEURISTICS_UNDEFINED; value <= WIRE_HEURISTICS_FAIL; value++) {
        split->heuristics[node] = (enum wire_heuristics)value;
        each_heuristics_from(split, node + 1, visit);
        if ((split->reporting >> node & 1) == 0)
            break;
    }
    split->heuristics[node] = WIRE_HEURISTICS_UNDEFINED;
}

void split_each_heuristics(struct split *split, void (*visit)(struct split *split))
{
    each_heuristics_from(split, 0, visit);
}

void split_each_tie_breaker(struct split *split, void (*visit)(struct split *split))
{
    split->tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_LOWEST, 0};
    visit(split);
    split->tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_HIGHEST, 0};
    visit(split);
    for (uint32_t i = 0; i < split->node_count; i++) {
        split->tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_NODE_ID, split->ids[i]};
        visit(split);
    }
    split->tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_NODE_ID, 99};
    visit(split);
}

void split_each_history(struct split *split, void (*visit)(struct split *split))
{
    split->keep_active_partition = false;
    split->granted = 0;
    visit(split);
    split->keep_active_partition = true;
    visit(split);
    split->granted = (1u << split->node_count) - 1;
    visit(split);
    for (uint32_t group = 0; group < split->group_count; group++) {
        split->granted = split_group(split, group);
        visit(split);
        split->granted &= ~split->granted + 1; /* one of them is enough */
        visit(split);
        split->keep_active_partition = false;
        visit(split);
        split->keep_active_partition = true;
    }
    split->granted = 0;
    split->keep_active_partition = false;
}
