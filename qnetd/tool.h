/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * corosync-qnetd-tool, shared by its files: what the command line asks for, the exit statuses (spec/tools.md section
 * 2.1), and the ways to ask the daemon. The program runs one operation and ends.
 */
#ifndef QUORATE_QNETD_TOOL_H
#define QUORATE_QNETD_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/control/explain.h"
#include "common/control/tool_options.h"

#define TOOL_PROGRAM "corosync-qnetd-tool"

/* Beside those that the device's tool has, too. */
enum { TOOL_LIST = 'l', TOOL_DECISIONS = TOOL_OPERATION_END, TOOL_WHAT_IF };

struct qnetd_tool_options {
    struct tool_options common;
    const char *cluster; /* NULL: all */
};

/* Says on stderr what is wrong with an answer that is not CONTROL_OK; returns the exit status for it. */
enum tool_exit tool_explain(const struct control_answer *answer);

/*
 * The answer to one request that a daemon of ours answers in JSON; NULL after an explanation on stderr, with the
 * exit status in *status. `quiet`: no explanation.
 */
json_t *tool_ask_json(const struct qnetd_tool_options *options, const char *words, bool with_cluster, bool quiet,
                      enum tool_exit *status);

/* All clusters, or the one asked for, collected page by page so that no single answer holds the arbiter up. */
json_t *tool_ask_list(const struct qnetd_tool_options *options, bool quiet, enum tool_exit *status);

/* The operations in JSON, and those that need it. */
enum tool_exit tool_run_json(const struct qnetd_tool_options *options);
enum tool_exit tool_run_decisions(const struct qnetd_tool_options *options);
enum tool_exit tool_run_watch(const struct qnetd_tool_options *options);

/* One line per decision above *since to stdout (JSON lines if asked for); moves *since on. */
void tool_print_decisions(const struct qnetd_tool_options *options, json_t *answer, json_int_t *since);

/* String member of an object, "" if there is none. */
const char *tool_string(const json_t *object, const char *key);

#endif
