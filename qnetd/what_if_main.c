/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of --what-if: options in, a Markdown table (or JSON) out, ready for a change request.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/program_options.h"
#include "qnetd/what_if.h"

#define CELL_SIZE 256
#define COLUMN_COUNT 6
#define VOTES_MAX 1000000 /* of a node or the device: sums stay far from 32 bits */

struct request {
    struct what_if_cluster cluster;
    bool every;
    bool json;
    /* What was said, as it was said. */
    const char *nodes, *algorithm, *tie_breaker, *votes, *device_votes, *pass, *fail, *partitions, *format;
};

static const char usage_text[] =
    "usage: corosync-qnetd-tool --what-if --nodes N|ID,ID,... [options]\n"
    "\n"
    "Which half survives? Lists how a cluster can fall apart and who is quorate in each case.\n"
    "Needs no daemon: it runs the code that votes.\n"
    "\n"
    "  --nodes N|ID,ID,...       number of nodes (their ids are 1 to N), or their ids; at most 16\n"
    "  --algorithm NAME          ffsplit (default), lms or 2nodelms\n"
    "  --tie-breaker WHICH       lowest (default), highest or a node id\n"
    "  --votes V,V,...           votes of the nodes, in order of their ids (default: 1 each)\n"
    "  --device-votes V          votes of the device (default: 1 for ffsplit, else all nodes' votes less one)\n"
    "  --heuristics-pass ID,...  nodes whose heuristics pass\n"
    "  --heuristics-fail ID,...  nodes whose heuristics fail\n"
    "  --partitions P            into how many groups the cluster may fall, 1 to 4 (default 2)\n"
    "  --all                     also list cases that differ only in nodes that are alike\n"
    "  --format FORMAT           markdown (default) or json\n";

/* ---- options ---- */

static int complain(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "corosync-qnetd-tool: --%s %s: %s. See corosync-qnetd-tool --what-if --help\n", option, value,
            expected);
    return 1;
}

static bool parse_number(const char *text, uint32_t minimum, uint32_t maximum, uint32_t *number)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || value < minimum || value > maximum)
        return false;
    *number = (uint32_t)value;
    return true;
}

/* Up to WHAT_IF_NODES_MAX numbers separated by commas; the count, or -1. */
static int parse_list(const char *text, uint32_t minimum, uint32_t list[WHAT_IF_NODES_MAX])
{
    int count = 0;

    while (count < WHAT_IF_NODES_MAX) {
        size_t length = strcspn(text, ",");
        char item[16];

        if (length >= sizeof(item))
            return -1;
        memcpy(item, text, length);
        item[length] = '\0';
        if (!parse_number(item, minimum, UINT32_MAX, &list[count++]))
            return -1;
        if (text[length] == '\0')
            return count;
        text += length + 1;
    }
    return -1;
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static bool parse_nodes(const char *text, struct what_if_cluster *cluster)
{
    int count;

    if (strchr(text, ',') == NULL) {
        if (!parse_number(text, 1, WHAT_IF_NODES_MAX, &cluster->node_count))
            return false;
        for (uint32_t i = 0; i < cluster->node_count; i++)
            cluster->node_ids[i] = i + 1;
        return true;
    }
    count = parse_list(text, 1, cluster->node_ids);
    if (count < 1)
        return false;
    cluster->node_count = (uint32_t)count;
    qsort(cluster->node_ids, cluster->node_count, sizeof(cluster->node_ids[0]), compare_ids);
    for (int i = 1; i < count; i++)
        if (cluster->node_ids[i] == cluster->node_ids[i - 1])
            return false;
    return true;
}

static bool parse_algorithm(const char *text, enum wire_algorithm *algorithm)
{
    for (uint32_t i = WIRE_ALGORITHM_FFSPLIT; i < WIRE_ALGORITHM_COUNT; i++)
        if (strcmp(text, wire_algorithm_name(i)) == 0) {
            *algorithm = (enum wire_algorithm)i;
            return true;
        }
    return false;
}

static bool parse_tie_breaker(const char *text, struct wire_tie_breaker *tie_breaker)
{
    tie_breaker->node_id = 0;
    tie_breaker->mode = WIRE_TIE_BREAKER_NODE_ID;
    if (strcmp(text, "lowest") == 0)
        tie_breaker->mode = WIRE_TIE_BREAKER_LOWEST;
    else if (strcmp(text, "highest") == 0)
        tie_breaker->mode = WIRE_TIE_BREAKER_HIGHEST;
    else
        return parse_number(text, 1, UINT32_MAX, &tie_breaker->node_id);
    return true;
}

static bool apply_heuristics(const char *text, struct what_if_cluster *cluster, enum wire_heuristics heuristics)
{
    uint32_t ids[WHAT_IF_NODES_MAX];
    int count = text != NULL ? parse_list(text, 1, ids) : 0;

    for (int i = 0; i < count; i++) {
        uint32_t *found = bsearch(&ids[i], cluster->node_ids, cluster->node_count, sizeof(ids[0]), compare_ids);

        if (found == NULL)
            return false;
        cluster->heuristics[found - cluster->node_ids] = heuristics;
    }
    return count >= 0;
}

static bool apply_votes(const char *text, struct what_if_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->node_count; i++)
        cluster->votes[i] = 1;
    if (text == NULL)
        return true;
    if (parse_list(text, 0, cluster->votes) != (int)cluster->node_count)
        return false;
    for (uint32_t i = 0; i < cluster->node_count; i++)
        if (cluster->votes[i] > VOTES_MAX)
            return false;
    return true;
}

static uint32_t default_device_votes(const struct what_if_cluster *cluster)
{
    uint32_t votes = 0;

    for (uint32_t i = 0; i < cluster->node_count; i++)
        votes += cluster->votes[i];
    if (cluster->algorithm == WIRE_ALGORITHM_FFSPLIT)
        return 1;
    return votes > 0 ? votes - 1 : 0;
}

#define AT(member) offsetof(struct request, member)

static const struct program_option options[] = {
    {PROGRAM_OPTION_LONG + 0, "nodes", .has_argument = true, .text = AT(nodes)},
    {PROGRAM_OPTION_LONG + 1, "algorithm", .has_argument = true, .text = AT(algorithm)},
    {PROGRAM_OPTION_LONG + 2, "tie-breaker", .has_argument = true, .text = AT(tie_breaker)},
    {PROGRAM_OPTION_LONG + 3, "votes", .has_argument = true, .text = AT(votes)},
    {PROGRAM_OPTION_LONG + 4, "device-votes", .has_argument = true, .text = AT(device_votes)},
    {PROGRAM_OPTION_LONG + 5, "heuristics-pass", .has_argument = true, .text = AT(pass)},
    {PROGRAM_OPTION_LONG + 6, "heuristics-fail", .has_argument = true, .text = AT(fail)},
    {PROGRAM_OPTION_LONG + 7, "partitions", .has_argument = true, .text = AT(partitions)},
    {PROGRAM_OPTION_LONG + 8, "all", .flag = AT(every)},
    {PROGRAM_OPTION_LONG + 9, "format", .has_argument = true, .text = AT(format)},
    {'h', "help", .ends = true},
};

/* -1: go on; otherwise the exit status. */
static int parse(int argc, char **argv, struct request *request)
{
    const struct program_options line = {.own = options, .own_count = sizeof(options) / sizeof(options[0])};
    struct what_if_cluster *cluster = &request->cluster;
    struct program_result result;
    enum program_outcome outcome = program_options_read(&line, request, argc, argv, 0, &result);

    if (outcome == PROGRAM_ENDED) {
        fputs(usage_text, stdout);
        return 0;
    }
    if (outcome != PROGRAM_READ || optind < argc || request->nodes == NULL) {
        fputs(usage_text, stderr);
        return 1;
    }
    if (!parse_nodes(request->nodes, cluster))
        return complain("nodes", request->nodes, "expected a number from 1 to 16, or up to 16 distinct node ids");
    if (request->algorithm != NULL && !parse_algorithm(request->algorithm, &cluster->algorithm))
        return complain("algorithm", request->algorithm, "expected ffsplit, lms or 2nodelms");
    if (cluster->algorithm == WIRE_ALGORITHM_2NODELMS && cluster->node_count != 2)
        return complain("algorithm", "2nodelms", "is for two nodes");
    if (request->tie_breaker != NULL && !parse_tie_breaker(request->tie_breaker, &cluster->tie_breaker))
        return complain("tie-breaker", request->tie_breaker, "expected lowest, highest or a node id");
    if (!apply_votes(request->votes, cluster))
        return complain("votes", request->votes, "expected one number per node, separated by commas");
    cluster->device_votes = default_device_votes(cluster);
    if (request->device_votes != NULL && !parse_number(request->device_votes, 0, VOTES_MAX, &cluster->device_votes))
        return complain("device-votes", request->device_votes, "expected a number");
    if (!apply_heuristics(request->pass, cluster, WIRE_HEURISTICS_PASS))
        return complain("heuristics-pass", request->pass, "expected ids of configured nodes");
    if (!apply_heuristics(request->fail, cluster, WIRE_HEURISTICS_FAIL))
        return complain("heuristics-fail", request->fail, "expected ids of configured nodes");
    if (request->partitions != NULL &&
        !parse_number(request->partitions, 1, WHAT_IF_PARTITIONS_MAX, &cluster->partitions_max))
        return complain("partitions", request->partitions, "expected a number from 1 to 4");
    request->json = request->format != NULL && strcmp(request->format, "json") == 0;
    if (request->format != NULL && !request->json && strcmp(request->format, "markdown") != 0)
        return complain("format", request->format, "expected markdown or json");
    if ((request->every || cluster->partitions_max > 2) && cluster->node_count > 10)
        return complain("nodes", request->nodes, "that many cases only fit up to 10 nodes; leave --all and --partitions out");
    return -1;
}

/* ---- the table ---- */

static void append(char *cell, const char *text)
{
    size_t used = strlen(cell);

    snprintf(cell + used, CELL_SIZE - used, "%s", text);
}

static void append_nodes(const struct what_if_cluster *cluster, uint32_t nodes, char *cell)
{
    const char *comma = "";

    for (uint32_t i = 0; i < cluster->node_count; i++) {
        char id[16];

        if ((nodes >> i & 1) == 0)
            continue;
        snprintf(id, sizeof(id), "%s%" PRIu32, comma, cluster->node_ids[i]);
        append(cell, id);
        comma = ",";
    }
}

enum { WHICH_RUN, WHICH_REACH, WHICH_VOTE, WHICH_QUORATE };

static bool is_among(const struct what_if_partition *partition, int which)
{
    switch (which) {
    case WHICH_RUN:
        return partition->state != WHAT_IF_DOWN;
    case WHICH_REACH:
        return partition->state == WHAT_IF_REACHES;
    case WHICH_VOTE:
        return partition->has_vote;
    default:
        return partition->quorate;
    }
}

static void list_partitions(const struct what_if_cluster *cluster, const struct what_if_case *c, int which,
                            const char *none, char *cell)
{
    const char *separator = "";

    cell[0] = '\0';
    for (uint32_t i = 0; i < c->partition_count; i++) {
        if (!is_among(&c->partitions[i], which))
            continue;
        append(cell, separator);
        append_nodes(cluster, c->partitions[i].nodes, cell);
        separator = " / ";
    }
    if (cell[0] == '\0')
        append(cell, none);
}

static void list_down(const struct what_if_cluster *cluster, const struct what_if_case *c, char *cell)
{
    cell[0] = '\0';
    for (uint32_t i = 0; i < c->partition_count; i++)
        if (c->partitions[i].state == WHAT_IF_DOWN)
            append_nodes(cluster, c->partitions[i].nodes, cell);
    if (cell[0] == '\0')
        append(cell, "-");
}

static void fill_row(const struct what_if_cluster *cluster, const struct what_if_case *c,
                     char cells[COLUMN_COUNT][CELL_SIZE])
{
    list_partitions(cluster, c, WHICH_RUN, "-", cells[0]);
    if (c->like > 1) {
        char like[48];

        snprintf(like, sizeof(like), " (and %u alike)", c->like - 1);
        append(cells[0], like);
    }
    list_down(cluster, c, cells[1]);
    list_partitions(cluster, c, WHICH_REACH, "nobody", cells[2]);
    list_partitions(cluster, c, WHICH_VOTE, "nobody", cells[3]);
    list_partitions(cluster, c, WHICH_QUORATE, "**nobody**", cells[4]);
    snprintf(cells[5], CELL_SIZE, "%s", c->reason[0] != '\0' ? c->reason : "-");
}

static const char *const headings[COLUMN_COUNT] = {"groups that run", "down",    "reach the arbiter",
                                                   "get its vote",    "quorate", "the arbiter's reason"};

static void print_markdown(const struct what_if_cluster *cluster, const struct what_if_table *table)
{
    char cells[COLUMN_COUNT][CELL_SIZE];
    size_t widths[COLUMN_COUNT];

    for (int column = 0; column < COLUMN_COUNT; column++)
        widths[column] = strlen(headings[column]);
    for (uint32_t i = 0; i < table->count; i++) {
        fill_row(cluster, &table->cases[i], cells);
        for (int column = 0; column < COLUMN_COUNT; column++)
            if (strlen(cells[column]) > widths[column])
                widths[column] = strlen(cells[column]);
    }
    printf("%u nodes, algorithm %s, device votes %u, expected votes %u, quorum %u\n\n", cluster->node_count,
           wire_algorithm_name(cluster->algorithm), cluster->device_votes, table->expected_votes, table->quorum);
    for (int column = 0; column < COLUMN_COUNT; column++)
        printf("| %-*s ", (int)widths[column], headings[column]);
    printf("|\n");
    for (int column = 0; column < COLUMN_COUNT; column++) {
        printf("|");
        for (size_t i = 0; i < widths[column] + 2; i++)
            putchar('-');
    }
    printf("|\n");
    for (uint32_t i = 0; i < table->count; i++) {
        fill_row(cluster, &table->cases[i], cells);
        for (int column = 0; column < COLUMN_COUNT; column++)
            printf("| %-*s ", (int)widths[column], cells[column]);
        printf("|\n");
    }
}

/* ---- JSON ---- */

static json_t *json_nodes(const struct what_if_cluster *cluster, uint32_t nodes)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < cluster->node_count; i++)
        if ((nodes >> i & 1) != 0)
            json_array_append_new(array, json_integer(cluster->node_ids[i]));
    return array;
}

static json_t *json_case(const struct what_if_cluster *cluster, const struct what_if_case *c)
{
    static const char *const states[] = {"reaches_arbiter", "cut_off", "down"};
    json_t *partitions = json_array();

    for (uint32_t i = 0; i < c->partition_count; i++) {
        const struct what_if_partition *p = &c->partitions[i];

        json_array_append_new(partitions, json_pack("{s:o, s:s, s:i, s:b, s:b}", "nodes", json_nodes(cluster, p->nodes),
                                                    "state", states[p->state], "votes", (int)p->votes, "has_vote",
                                                    p->has_vote, "quorate", p->quorate));
    }
    return json_pack("{s:o, s:i, s:s}", "partitions", partitions, "alike", (int)c->like, "reason", c->reason);
}

static int print_json(const struct what_if_cluster *cluster, const struct what_if_table *table)
{
    json_t *cases = json_array();
    json_t *root;
    int status;

    for (uint32_t i = 0; i < table->count; i++)
        json_array_append_new(cases, json_case(cluster, &table->cases[i]));
    root = json_pack("{s:s, s:o, s:i, s:i, s:i, s:o}", "algorithm", wire_algorithm_name(cluster->algorithm), "nodes",
                     json_nodes(cluster, UINT32_MAX), "device_votes", (int)cluster->device_votes, "expected_votes",
                     (int)table->expected_votes, "quorum", (int)table->quorum, "cases", cases);
    status = json_dumpf(root, stdout, JSON_INDENT(2));
    json_decref(root);
    putchar('\n');
    return status == 0 ? 0 : 2;
}

int what_if_main(int argc, char **argv)
{
    struct request request = {.cluster = {.algorithm = WIRE_ALGORITHM_FFSPLIT,
                                          .tie_breaker = {.mode = WIRE_TIE_BREAKER_LOWEST},
                                          .partitions_max = 2}};
    struct what_if_table table;
    int status = parse(argc - 1, argv + 1, &request);

    if (status >= 0)
        return status;
    if (what_if_enumerate(&request.cluster, request.every, &table) != Q_OK) {
        fprintf(stderr, "corosync-qnetd-tool: out of memory\n");
        what_if_table_fini(&table);
        return 2;
    }
    if (request.json)
        status = print_json(&request.cluster, &table);
    else
        print_markdown(&request.cluster, &table);
    what_if_table_fini(&table);
    return status >= 0 ? status : 0;
}
