/* SPDX-License-Identifier: BSD-3-Clause */
/* The tool's operations that speak JSON with the daemon (docs/json.md). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/control/request.h"
#include "common/text.h"
#include "qnetd/tool.h"

#define PAGE_SIZE 200 /* clusters per answer */

const char *tool_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static json_t *parse(const struct control_answer *answer, bool quiet, enum tool_exit *status)
{
    json_t *value = NULL;

    if (answer->body.size > 0)
        value = json_loadb((const char *)q_buf_bytes(&answer->body), answer->body.size, 0, NULL);
    if (value != NULL && json_is_object(value))
        return value;
    json_decref(value);
    if (!quiet)
        fprintf(stderr,
                TOOL_PROGRAM ": This arbiter does not answer in JSON (the packaged corosync-qnetd does not); "
                             "use --format=text with -s or -l\n");
    *status = TOOL_EXIT_REFUSED;
    return NULL;
}

json_t *tool_ask_json(const struct qnetd_tool_options *options, const char *words, bool with_cluster, bool quiet,
                      enum tool_exit *status)
{
    struct control_answer answer;
    struct q_buf request;
    json_t *value = NULL;

    q_buf_init(&request);
    text_append(&request, "%s ", words);
    if (with_cluster && options->cluster != NULL) {
        text_append(&request, "cluster ");
        control_request_append_quoted(&request, options->cluster);
    }
    text_append(&request, "\n");
    *status = TOOL_EXIT_INTERNAL;
    if (request.failed) {
        fprintf(stderr, TOOL_PROGRAM ": Out of memory\n");
        return NULL;
    }
    control_ask(options->common.socket_path, (const char *)q_buf_bytes(&request), request.size, options->common.timeout_ms,
                &answer);
    *status = TOOL_EXIT_OK;
    if (answer.outcome == CONTROL_OK || (answer.outcome == CONTROL_REFUSED && answer.body.size > 15 &&
                                         memcmp(q_buf_bytes(&answer.body), "Unknown command", 15) == 0)) {
        value = parse(&answer, quiet, status);
    } else if (quiet) {
        *status = TOOL_EXIT_UNREACHABLE;
    } else {
        *status = tool_explain(&answer);
    }
    control_answer_fini(&answer);
    q_buf_fini(&request);
    return value;
}

json_t *tool_ask_list(const struct qnetd_tool_options *options, bool quiet, enum tool_exit *status)
{
    json_t *whole = NULL;
    json_int_t offset = 0;

    for (;;) {
        char words[80];
        json_t *page, *next;

        snprintf(words, sizeof(words), "list json offset %" JSON_INTEGER_FORMAT " limit %d", offset,
                 PAGE_SIZE);
        page = tool_ask_json(options, words, true, quiet, status);
        if (page == NULL) {
            json_decref(whole);
            return NULL;
        }
        next = json_object_get(page, "next");
        offset = json_integer_value(next);
        if (!json_is_integer(next))
            offset = -1;
        json_object_del(page, "next");
        if (whole == NULL) {
            whole = page;
        } else {
            json_array_extend(json_object_get(whole, "clusters"), json_object_get(page, "clusters"));
            json_decref(page);
        }
        if (offset < 0)
            return whole;
    }
}

static enum tool_exit print_value(json_t *value, enum tool_exit status)
{
    if (value == NULL)
        return status;
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(value);
    return status;
}

enum tool_exit tool_run_json(const struct qnetd_tool_options *options)
{
    enum tool_exit status;
    json_t *value = options->common.operation == TOOL_LIST
                        ? tool_ask_list(options, false, &status)
                        : tool_ask_json(options, "status json", false, false, &status);

    return print_value(value, status);
}

void tool_print_decisions(const struct qnetd_tool_options *options, json_t *answer, json_int_t *since)
{
    json_t *decision;
    size_t index;

    json_array_foreach(json_object_get(answer, "decisions"), index, decision)
    {
        json_t *node = json_object_get(decision, "node_id");

        if (options->common.json) {
            json_dumpf(decision, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
            putchar('\n');
            continue;
        }
        printf("%s cluster \"%s\"", tool_string(decision, "time"), tool_string(decision, "cluster"));
        if (json_is_integer(node))
            printf(" node %" JSON_INTEGER_FORMAT, json_integer_value(node));
        printf(": %s\n", tool_string(decision, "text"));
    }
    *since = json_integer_value(json_object_get(answer, "newest"));
    fflush(stdout);
}

enum tool_exit tool_run_decisions(const struct qnetd_tool_options *options)
{
    json_int_t since = 0;
    enum tool_exit status;
    json_t *answer = tool_ask_json(options, "decisions since 0 json", true, false, &status);

    if (answer == NULL || options->common.json)
        return print_value(answer, status);
    tool_print_decisions(options, answer, &since);
    json_decref(answer);
    return TOOL_EXIT_OK;
}
