/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * --watch: on a terminal the present state stays at the bottom while decisions scroll away above it; into a file or
 * pipe only the decisions are printed, a line each. Polls the daemon, and waits for one that is not there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/text.h"
#include "qnetd/tool.h"

/* More clusters than this are not listed on the screen: nobody reads them, and asking would cost the arbiter. */
#define CLUSTERS_SHOWN_MAX 100
#define DECISIONS_AT_START 10

struct screen {
    bool is_terminal;
    int columns;
    int rows;
    int drawn; /* lines of the block at the bottom */
};

static void measure(struct screen *screen)
{
    struct winsize size;

    screen->columns = 80;
    screen->rows = 24;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        screen->columns = size.ws_col;
        screen->rows = size.ws_row;
    }
}

static void erase(struct screen *screen)
{
    if (screen->drawn > 0)
        printf("\033[%dA\r\033[J", screen->drawn);
    screen->drawn = 0;
}

/* Draws whole lines, as many as fit. */
static void draw(struct screen *screen, const struct q_buf *text)
{
    const char *at = (const char *)q_buf_bytes(text);
    const char *end = at + text->size;

    while (at < end && screen->drawn < screen->rows - 1) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        int length = (int)((newline == NULL ? end : newline) - at);

        printf("%.*s\n", length < screen->columns ? length : screen->columns - 1, at);
        screen->drawn++;
        at += length + 1;
    }
}

static void put_node(struct q_buf *out, json_t *node)
{
    json_t *membership = json_object_get(node, "membership"), *id;
    size_t index;

    text_append(out, "    node %" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(node, "node_id")));
    text_append(out, "  %-4s", tool_string(node, "effective_vote"));
    if (!json_is_true(json_object_get(node, "connected"))) {
        text_append(out, "  gone, its vote may last until %s\n", tool_string(node, "ghost_until"));
        return;
    }
    text_append(out, "  sees ");
    if (json_array_size(membership) == 0)
        text_append(out, "(not reported)");
    json_array_foreach(membership, index, id)
    {
        text_append(out, "%s%" JSON_INTEGER_FORMAT, index == 0 ? "" : ",", json_integer_value(id));
    }
    text_append(out, "  ring %s", tool_string(json_object_get(node, "ring"), "text"));
    if (strcmp(tool_string(json_object_get(node, "heuristics"), "latest"), "undefined") != 0)
        text_append(out, "  heuristics %s", tool_string(json_object_get(node, "heuristics"), "latest"));
    text_append(out, "  %s%s\n", tool_string(node, "address"),
                json_is_true(json_object_get(node, "tls")) ? "" : " (plain text)");
}

static void put_cluster(struct q_buf *out, json_t *cluster)
{
    json_t *node;
    size_t index;

    text_append(out, "Cluster \"%s\" (%s, %s)", tool_string(cluster, "name"),
                tool_string(cluster, "algorithm"), tool_string(cluster, "phase"));
    if (tool_string(cluster, "waiting_for")[0] != '\0')
        text_append(out, " waiting: %s", tool_string(cluster, "waiting_for"));
    else if (tool_string(cluster, "reason")[0] != '\0')
        text_append(out, " %s", tool_string(cluster, "reason"));
    text_append(out, "\n");
    json_array_foreach(json_object_get(cluster, "nodes"), index, node)
    {
        put_node(out, node);
    }
}

static void put_status(struct q_buf *out, json_t *status)
{
    json_t *warning;
    size_t index;

    text_append(out, "--- %s  clients %" JSON_INTEGER_FORMAT "  clusters %" JSON_INTEGER_FORMAT "  TLS %s\n",
                tool_string(status, "time"), json_integer_value(json_object_get(status, "clients")),
                json_integer_value(json_object_get(status, "clusters")),
                tool_string(json_object_get(status, "tls"), "mode"));
    json_array_foreach(json_object_get(status, "warnings"), index, warning)
    {
        text_append(out, "Warning: %s\n", json_string_value(warning));
    }
}

/* What the bottom of the screen says now. */
static void compose(const struct qnetd_tool_options *options, json_t *status, struct q_buf *out)
{
    enum tool_exit ignored;
    json_t *list, *cluster;
    size_t index;

    put_status(out, status);
    if (options->cluster == NULL &&
        json_integer_value(json_object_get(status, "clusters")) > CLUSTERS_SHOWN_MAX) {
        text_append(out, "(more than %d clusters: choose one with -c)\n", CLUSTERS_SHOWN_MAX);
        return;
    }
    list = tool_ask_list(options, true, &ignored);
    json_array_foreach(json_object_get(list, "clusters"), index, cluster)
    {
        put_cluster(out, cluster);
    }
    json_decref(list);
}

static void pause_for(uint64_t milliseconds)
{
    struct timespec pause = {.tv_sec = (time_t)(milliseconds / 1000),
                             .tv_nsec = (long)(milliseconds % 1000) * 1000000};

    nanosleep(&pause, NULL);
}

struct watch {
    struct screen screen;
    json_int_t since;
    char started[64]; /* of the daemon that `since` counts for */
    bool lost;
};

static void on_daemon_gone(struct watch *watch)
{
    if (!watch->lost)
        fprintf(stderr, TOOL_PROGRAM ": The arbiter does not answer; waiting for it\n");
    watch->lost = true;
}

static void refresh(const struct qnetd_tool_options *options, struct watch *watch, json_t *status)
{
    char words[64];
    enum tool_exit ignored;
    json_t *decisions;
    struct q_buf block;

    /* After a restart numbers begin anew. */
    if (strcmp(watch->started, tool_string(status, "started")) != 0) {
        if (watch->started[0] != '\0')
            watch->since = 0;
        snprintf(watch->started, sizeof(watch->started), "%s", tool_string(status, "started"));
    }
    snprintf(words, sizeof(words), "decisions since %" JSON_INTEGER_FORMAT " json", watch->since);
    decisions = tool_ask_json(options, words, true, true, &ignored);
    q_buf_init(&block);
    if (watch->screen.is_terminal) {
        compose(options, status, &block);
        measure(&watch->screen);
        erase(&watch->screen);
    }
    if (decisions != NULL)
        tool_print_decisions(options, decisions, &watch->since);
    json_decref(decisions);
    if (watch->screen.is_terminal && !block.failed)
        draw(&watch->screen, &block);
    fflush(stdout);
    q_buf_fini(&block);
}

enum tool_exit tool_run_watch(const struct qnetd_tool_options *options)
{
    struct watch watch = {.screen = {.is_terminal = isatty(STDOUT_FILENO) == 1 && !options->common.json}};
    enum tool_exit result;
    /* A daemon that cannot do it, or is not there, is an error at first; later it is waited for. */
    json_t *status = tool_ask_json(options, "status json", false, false, &result);
    json_int_t newest;

    if (status == NULL)
        return result;
    newest = json_integer_value(json_object_get(status, "newest_decision"));
    watch.since = newest > DECISIONS_AT_START ? newest - DECISIONS_AT_START : 0;
    while (!ferror(stdout)) {
        if (status != NULL) {
            watch.lost = false;
            refresh(options, &watch, status);
            json_decref(status);
        } else {
            on_daemon_gone(&watch);
        }
        pause_for(options->common.watch_interval_ms);
        status = tool_ask_json(options, "status json", false, true, &result);
    }
    json_decref(status);
    return TOOL_EXIT_OK;
}
