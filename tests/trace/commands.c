/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/trace/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/trace/devices.h"
#include "tests/trace/words.h"

#define DEFAULT_HEARTBEAT_MS 8000

/* cluster NAME ALGORITHM TIE-BREAKER [H=ms] [lease=ms/ms] */
static bool run_cluster(struct world *world, struct script_line *line)
{
    struct world_cluster *cluster = &world->clusters[world->cluster_count];
    uint32_t present = 0;

    if (line->word_count < 4 || world->cluster_count == WORLD_CLUSTERS_MAX) {
        return false;
    }
    world->cluster_count++;
    snprintf(cluster->name, sizeof(cluster->name), "%s", line->words[1]);
    cluster->init.heartbeat_ms = DEFAULT_HEARTBEAT_MS;
    cluster->init.supported_messages = (struct wire_bytes){NULL, 1};
    cluster->init.supported_options = (struct wire_bytes){NULL, 1};
    for (unsigned i = 4; i < line->word_count; i++) {
        if (!read_init_word(line->words[i], &cluster->init, &present)) {
            return false;
        }
    }
    cluster->has_lease = (present & WIRE_HAS_LEASE) != 0;
    return read_algorithm(line->words[2], &cluster->init.algorithm) &&
           read_tie_breaker(line->words[3], &cluster->init.tie_breaker);
}

/* settings KEY=VALUE...; before the first connection */
static bool run_settings(struct world *world, struct script_line *line)
{
    struct arbiter_settings *settings = &world->settings;

    for (unsigned i = 1; i < line->word_count; i++) {
        const char *value;

        if ((value = value_of(line->words[i], "tls")) != NULL) {
            settings->tls = strcmp(value, "req") == 0  ? WIRE_TLS_REQUIRED
                            : strcmp(value, "on") == 0 ? WIRE_TLS_SUPPORTED
                                                       : WIRE_TLS_UNSUPPORTED;
        } else if ((value = value_of(line->words[i], "client_cert")) != NULL) {
            settings->client_cert_required = strcmp(value, "on") == 0;
        } else if ((value = value_of(line->words[i], "strict")) != NULL) {
            settings->strict = strcmp(value, "on") == 0;
        } else if ((value = value_of(line->words[i], "kap")) != NULL) {
            settings->keep_active_partition = strcmp(value, "on") == 0;
        } else if ((value = value_of(line->words[i], "dpd")) != NULL) {
            settings->dpd_enabled = strcmp(value, "on") == 0;
        } else if ((value = value_of(line->words[i], "clients_max")) != NULL) {
            settings->clients_max = (uint32_t)strtoul(value, NULL, 10);
        } else if ((value = value_of(line->words[i], "nodes_max")) != NULL) {
            settings->nodes_per_cluster_max = (uint32_t)strtoul(value, NULL, 10);
        } else {
            return false;
        }
    }
    return true;
}

static struct world_conn *node_conn(struct world *world, uint32_t node_id)
{
    char label[WORLD_LABEL_SIZE];

    snprintf(label, sizeof(label), "n%" PRIu32, node_id);
    return world_conn(world, label);
}

static void join_silently(struct world *world, uint32_t node_id, const char *config,
                          const struct script_line *line)
{
    char on[] = "on";
    char *words[] = {on};
    struct act act = {.world = world, .conn = node_conn(world, node_id), .words = words, .verb_rest = config};

    do_joins(&act);
    if (strcmp(line->words[line->word_count - 1], "kap") == 0) {
        act.word_count = 1;
        do_kap(&act);
    }
    do_config(&act);
}

/* together {1,2}@1.8 [pass|fail] [kap]: all nodes join, report one membership and get their ACK, unseen */
static bool run_together(struct world *world, struct script_line *line)
{
    static struct wire_node_list list; /* too large for the stack */
    char nodes[64];
    const char *rest;
    bool good = true;

    snprintf(nodes, sizeof(nodes), "%.*s", (int)strcspn(line->words[1], "@"), line->words[1]);
    if (!read_nodes(nodes, &list, &rest)) {
        return false;
    }
    world->quiet = true;
    for (uint32_t i = 0; i < list.node_count; i++) {
        join_silently(world, list.nodes[i].node_id, nodes, line);
    }
    for (uint32_t i = 0; i < list.node_count; i++) {
        struct act act = {.world = world,
                          .conn = node_conn(world, list.nodes[i].node_id),
                          .words = line->words + 2,
                          .verb_rest = line->words[1]};

        act.word_count = line->word_count > 2 && strcmp(line->words[2], "kap") != 0;
        good = good && do_membership(&act);
    }
    world->quiet = false;
    for (uint32_t i = 0; i < list.node_count && good; i++) {
        const struct world_conn *conn = node_conn(world, list.nodes[i].node_id);

        good = conn->vote == WIRE_VOTE_ACK || conn->cluster->init.algorithm == WIRE_ALGORITHM_TEST;
    }
    return good;
}

static bool run_time(struct world *world, struct script_line *line)
{
    uint64_t duration_ms;

    if (line->word_count != 2 || !read_duration(line->words[1], &duration_ms)) {
        return false;
    }
    world->timed = true;
    world_pass_time(world, duration_ms);
    world->timed = false;
    return true;
}

static bool read_persist_result(const char *text, enum arbiter_persist_result *result)
{
    static const char *const names[] = {"done", "volatile", "failed"};

    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *result = (enum arbiter_persist_result)i;
            return true;
        }
    }
    return false;
}

/* records manual | done | volatile | failed: what becomes of grant records from now on */
static bool run_records(struct world *world, struct script_line *line)
{
    world->manual_record = line->word_count == 2 && strcmp(line->words[1], "manual") == 0;
    return world->manual_record ||
           (line->word_count == 2 && read_persist_result(line->words[1], &world->persist_result));
}

/* persisted done | volatile | failed: the answer to the record shown last */
static bool run_persisted(struct world *world, struct script_line *line)
{
    enum arbiter_persist_result result;

    if (line->word_count != 2 || !read_persist_result(line->words[1], &result)) {
        return false;
    }
    world_persisted(world, result);
    return true;
}

/* written: the record shown last is in place, and the arbiter dies before it learns of it */
static bool run_written(struct world *world, struct script_line *line)
{
    (void)line;
    world_put_record(world);
    return true;
}

/* restart kept | lost */
static bool run_restart(struct world *world, struct script_line *line)
{
    bool lost = line->word_count == 2 && strcmp(line->words[1], "lost") == 0;

    world_restart(world, lost ? WORLD_RECORDS_LOST : WORLD_RECORDS_KEPT);
    return lost || (line->word_count == 2 && strcmp(line->words[1], "kept") == 0);
}

/* The rest of the command behind its first word, and behind a cluster's name followed by a colon. */
static const char *argument_text(struct world *world, struct script_line *line,
                                 const struct cluster **cluster)
{
    const struct world_cluster *named = &world->clusters[0];
    const char *text = line->command + strlen(line->words[0]);

    *cluster = world_arbiter_cluster(world, named);
    return text + strspn(text, " ");
}

/* why TEXT: the reason of the verdict in force, in full */
static bool run_why(struct world *world, struct script_line *line)
{
    const struct cluster *cluster;
    const char *text = argument_text(world, line, &cluster);

    if (cluster != NULL && strcmp(cluster->verdict.reason, text) == 0) {
        return true;
    }
    printf("# the reason is: %s\n", cluster != NULL ? cluster->verdict.reason : "(no cluster)");
    return false;
}

/* waiting TEXT: what is waited for contains TEXT; "waiting nothing" */
static bool run_waiting(struct world *world, struct script_line *line)
{
    const struct cluster *cluster;
    const char *text = argument_text(world, line, &cluster);
    const char *waiting = cluster != NULL ? cluster->waiting_for : "";

    if (strcmp(text, "nothing") == 0 ? waiting[0] == '\0' : strstr(waiting, text) != NULL) {
        return true;
    }
    printf("# waited for is: %s\n", waiting);
    return false;
}

/* holders 1 2: exactly these nodes may be casting an ACK */
static bool run_holders(struct world *world, struct script_line *line)
{
    const struct cluster *cluster;
    const char *text = argument_text(world, line, &cluster);
    char holders[128] = "";

    for (const struct member *m = cluster != NULL ? cluster->members : NULL; m != NULL; m = m->next) {
        size_t used = strlen(holders);
        if (m->grant != GRANT_NONE) {
            snprintf(holders + used, sizeof(holders) - used, "%s%" PRIu32, used > 0 ? " " : "", m->node_id);
        }
    }
    if (strcmp(holders, strcmp(text, "nobody") == 0 ? "" : text) == 0) {
        return true;
    }
    printf("# holders are: %s\n", holders);
    return false;
}

static const struct {
    const char *name;
    bool (*run)(struct world *world, struct script_line *line);
} commands[] = {
    {"cluster", run_cluster}, {"settings", run_settings}, {"together", run_together},
    {"time", run_time},       {"records", run_records},   {"persisted", run_persisted},
    {"written", run_written}, {"restart", run_restart},   {"why", run_why},
    {"waiting", run_waiting}, {"holders", run_holders},
};

bool run_command(struct world *world, struct script_line *line)
{
    const char *word = line->words[0];

    if (word[strlen(word) - 1] == ':') {
        return run_device(world, line);
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(word, commands[i].name) == 0) {
            return commands[i].run(world, line);
        }
    }
    return false;
}
