/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/what_if.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- one case ---- */

static void fill_partition(const struct what_if_cluster *cluster, const struct what_if_partition *from,
                           uint32_t ids[WHAT_IF_NODES_MAX], struct view_partition *to)
{
    memset(to, 0, sizeof(*to));
    to->members.ids = ids;
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        if ((from->nodes >> i & 1) == 0)
            continue;
        ids[to->members.count++] = cluster->node_ids[i];
        to->pass += cluster->heuristics[i] == WIRE_HEURISTICS_PASS;
        to->fail += cluster->heuristics[i] == WIRE_HEURISTICS_FAIL;
    }
    to->reporting = to->members.count;
    to->lowest_reporting = ids[0];
    to->highest_reporting = ids[to->members.count - 1];
}

/* Asks the arbiter's logic. Partitions that do not reach it are as good as absent to it. */
static void ask_arbiter(const struct what_if_cluster *cluster, struct what_if_case *c)
{
    struct node_set config = {.ids = (uint32_t *)cluster->node_ids, .count = cluster->node_count};
    uint32_t ids[WHAT_IF_PARTITIONS_MAX][WHAT_IF_NODES_MAX];
    struct view_partition partitions[WHAT_IF_PARTITIONS_MAX];
    struct what_if_partition *reaching[WHAT_IF_PARTITIONS_MAX];
    struct view view = {.algorithm = cluster->algorithm,
                        .tie_breaker = cluster->tie_breaker,
                        .config = &config,
                        .partitions = partitions};
    struct verdict verdict;

    for (uint32_t i = 0; i < c->partition_count; i++) {
        size_t n = view.partition_count;

        if (c->partitions[i].state != WHAT_IF_REACHES)
            continue;
        reaching[n] = &c->partitions[i];
        fill_partition(cluster, reaching[n], ids[n], &partitions[n]);
        partitions[n].ring.seq = n + 1;
        view.partition_count++;
    }
    if (view.partition_count == 0)
        return;
    verdict_decide(&view, &verdict);
    memcpy(c->reason, verdict.reason, sizeof(c->reason));
    if (verdict.winner != VERDICT_NOBODY)
        reaching[verdict.winner]->has_vote = true;
}

static void work_out(const struct what_if_cluster *cluster, uint32_t quorum, struct what_if_case *c)
{
    ask_arbiter(cluster, c);
    for (uint32_t i = 0; i < c->partition_count; i++) {
        struct what_if_partition *partition = &c->partitions[i];

        if (partition->state == WHAT_IF_DOWN)
            continue;
        partition->votes = partition->has_vote ? cluster->device_votes : 0;
        for (uint32_t node = 0; node < cluster->node_count; node++)
            partition->votes += (partition->nodes >> node & 1) != 0 ? cluster->votes[node] : 0;
        partition->quorate = partition->votes >= quorum;
    }
}

/* ---- which cases are alike ---- */

static int compare_features(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* One number per partition: state, nodes, votes, heuristics, and whether the arbiter's vote falls to it. */
static uint64_t partition_features(const struct what_if_cluster *cluster, const struct what_if_partition *partition)
{
    uint64_t nodes = 0;
    uint64_t votes = 0;
    uint64_t pass = 0;
    uint64_t fail = 0;

    for (uint32_t node = 0; node < cluster->node_count; node++) {
        if ((partition->nodes >> node & 1) == 0)
            continue;
        nodes++;
        votes += cluster->votes[node];
        pass += cluster->heuristics[node] == WIRE_HEURISTICS_PASS;
        fail += cluster->heuristics[node] == WIRE_HEURISTICS_FAIL;
    }
    return (uint64_t)partition->state << 56 | (uint64_t)partition->has_vote << 55 | nodes << 50 |
           pass << 45 | fail << 40 | votes;
}

static void describe(const struct what_if_cluster *cluster, struct what_if_case *c)
{
    memset(c->features, 0, sizeof(c->features));
    for (uint32_t i = 0; i < c->partition_count; i++)
        c->features[i] = partition_features(cluster, &c->partitions[i]);
    qsort(c->features, c->partition_count, sizeof(c->features[0]), compare_features);
}

/* The case in the table that this one is like; NULL if it is new. */
static struct what_if_case *find_like(struct what_if_table *table, const struct what_if_case *c)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (table->cases[i].partition_count == c->partition_count &&
            memcmp(table->cases[i].features, c->features, sizeof(c->features)) == 0)
            return &table->cases[i];
    return NULL;
}

/* ---- enumeration ---- */

static enum q_err add_case(const struct what_if_cluster *cluster, bool every, struct what_if_table *table,
                           const struct what_if_case *how)
{
    struct what_if_case c = *how;
    struct what_if_case *like;

    work_out(cluster, table->quorum, &c);
    describe(cluster, &c);
    like = every ? NULL : find_like(table, &c);
    if (like != NULL) {
        like->like++;
        return Q_OK;
    }
    if (table->count == table->capacity) {
        uint32_t capacity = table->capacity > 0 ? 2 * table->capacity : 64;
        struct what_if_case *cases = realloc(table->cases, capacity * sizeof(*cases));

        if (cases == NULL)
            return Q_ERR_NO_MEMORY;
        table->cases = cases;
        table->capacity = capacity;
    }
    table->cases[table->count++] = c;
    return Q_OK;
}

/* All states of the partitions of one split, unless everything is down. */
static enum q_err add_states(const struct what_if_cluster *cluster, bool every, struct what_if_table *table,
                             struct what_if_case *c)
{
    uint32_t combinations = 1;

    for (uint32_t i = 0; i < c->partition_count; i++)
        combinations *= 3;
    for (uint32_t combination = 0; combination + 1 < combinations; combination++) {
        uint32_t rest = combination;
        uint32_t down = 0;
        enum q_err err;

        for (uint32_t i = c->partition_count; i-- > 0; rest /= 3) {
            c->partitions[i].state = (enum what_if_state)(rest % 3);
            down += c->partitions[i].state == WHAT_IF_DOWN;
        }
        if (down > 1) /* two groups that are down are one group that is down */
            continue;
        err = add_case(cluster, every, table, c);
        if (err != Q_OK)
            return err;
    }
    return Q_OK;
}

/* Puts node `node` and all after it into the partitions there are, or into a new one. */
static enum q_err place(const struct what_if_cluster *cluster, bool every, struct what_if_table *table,
                        struct what_if_case *c, uint32_t node, uint32_t wanted)
{
    enum q_err err = Q_OK;

    if (node == cluster->node_count)
        return c->partition_count == wanted ? add_states(cluster, every, table, c) : Q_OK;
    for (uint32_t i = 0; i <= c->partition_count && i < wanted && err == Q_OK; i++) {
        bool fresh = i == c->partition_count;

        c->partitions[i].nodes = (fresh ? 0 : c->partitions[i].nodes) | 1u << node;
        c->partition_count += fresh;
        err = place(cluster, every, table, c, node + 1, wanted);
        c->partition_count -= fresh;
        c->partitions[i].nodes &= ~(1u << node);
    }
    return err;
}

enum q_err what_if_enumerate(const struct what_if_cluster *cluster, bool every, struct what_if_table *table)
{
    uint32_t votes = cluster->device_votes;

    assert(cluster->node_count >= 1 && cluster->node_count <= WHAT_IF_NODES_MAX);
    assert(cluster->partitions_max >= 1 && cluster->partitions_max <= WHAT_IF_PARTITIONS_MAX);
    memset(table, 0, sizeof(*table));
    for (uint32_t i = 0; i < cluster->node_count; i++)
        votes += cluster->votes[i];
    table->expected_votes = votes;
    table->quorum = votes / 2 + 1;
    for (uint32_t wanted = 1; wanted <= cluster->partitions_max && wanted <= cluster->node_count; wanted++) {
        struct what_if_case c = {.like = 1};
        enum q_err err = place(cluster, every, table, &c, 0, wanted);

        if (err != Q_OK)
            return err;
    }
    return Q_OK;
}

void what_if_table_fini(struct what_if_table *table)
{
    free(table->cases);
    memset(table, 0, sizeof(*table));
}
