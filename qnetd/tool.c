/* SPDX-License-Identifier: BSD-3-Clause */
/* corosync-qnetd-tool: command line, and the operations in the packaged tool's text (spec/tools.md section 2). */
#include "qnetd/tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/control/request.h"
#include "qnetd/what_if.h"

#define USAGE "usage: " TOOL_PROGRAM " [-Hhlsv] [-c cluster_name] [-p qnetd_ipc_socket_path]\n"

static const char help[] = USAGE
    "       " TOOL_PROGRAM " --decisions | --watch[=SECONDS] [-c cluster_name] [-p qnetd_ipc_socket_path]\n"
    "       " TOOL_PROGRAM " --what-if --nodes N [...]     (no daemon needed; --what-if --help)\n"
    "\n"
    "Shows and controls the running arbiter, corosync-qnetd.\n"
    "\n"
    "  -s, --status            status of the arbiter\n"
    "  -l, --list              clusters and their nodes\n"
    "  -H, --shutdown          shut the arbiter down\n"
    "      --decisions         what was decided lately, and why\n"
    "      --watch[=SECONDS]   keep the screen current and print decisions as they are made (default: 1)\n"
    "      --what-if           which half survives: prints a table for a change request\n"
    "\n"
    "  -v, --verbose           more of everything\n"
    "  -c, --cluster=NAME      only this cluster\n"
    "  -p, --socket=PATH       control socket (default: " Q_RUNDIR "/corosync-qnetd/corosync-qnetd.sock)\n"
    "      --format=text|json  json: see docs/json.md\n"
    "      --timeout=SECONDS   give up when the arbiter does not answer (default: 10)\n"
    "  -h                      usage\n"
    "      --help              this text\n"
    "\n"
    "Exit status: 0 done, 1 wrong usage, 2 internal error, 3 the arbiter cannot be reached or does not\n"
    "answer, 4 the arbiter refused.\n";

/* ---- text ------------------------------------------------------------------------------------------------- */

enum tool_exit tool_explain(const struct control_answer *answer)
{
    return control_explain(answer, TOOL_PROGRAM, "Can't connect to qnetd socket (is QNetd running?)");
}

static const char *operation_word(int operation)
{
    if (operation == TOOL_STATUS)
        return "status ";
    return operation == TOOL_LIST ? "list " : "shutdown ";
}

static enum tool_exit run_text(const struct qnetd_tool_options *options)
{
    struct control_answer answer;
    struct q_buf request;
    enum tool_exit status;
    const char *word = operation_word(options->common.operation);

    q_buf_init(&request);
    q_buf_append(&request, word, strlen(word));
    if (options->common.verbose)
        q_buf_append(&request, "verbose ", strlen("verbose "));
    if (options->cluster != NULL) {
        q_buf_append(&request, "cluster ", strlen("cluster "));
        control_request_append_quoted(&request, options->cluster);
    }
    q_buf_append(&request, "\n", 1);
    if (request.failed) {
        fprintf(stderr, TOOL_PROGRAM ": Out of memory\n");
        return TOOL_EXIT_INTERNAL;
    }
    control_ask(options->common.socket_path, (const char *)q_buf_bytes(&request), request.size, options->common.timeout_ms,
                &answer);
    status = tool_explain(&answer);
    if (answer.outcome == CONTROL_OK) {
        fwrite(q_buf_bytes(&answer.body), 1, answer.body.size, stdout);
        if (options->common.operation == TOOL_LIST && options->cluster != NULL && options->cluster[0] != '\0' &&
            answer.body.size == 0)
            fprintf(stderr, TOOL_PROGRAM ": No node of cluster \"%s\" is connected\n", options->cluster);
    }
    control_answer_fini(&answer);
    q_buf_fini(&request);
    return status;
}

/* ---- command line ----------------------------------------------------------------------------------------- */

static bool take_what_if(void *call, const char *argument, int *status)
{
    (void)call;
    (void)argument;
    (void)status;
    fprintf(stderr, TOOL_PROGRAM ": --what-if must be the first option\n");
    return false;
}

static const struct program_option own[] = {
    {TOOL_LIST, "list", .is_operation = true},
    {'c', "cluster", .has_argument = true, .text = offsetof(struct qnetd_tool_options, cluster)},
    {TOOL_DECISIONS, "decisions", .is_operation = true},
    {TOOL_WHAT_IF, "what-if", .take = take_what_if},
};

int main(int argc, char **argv)
{
    static const struct tool_program program = {TOOL_PROGRAM, USAGE, help, own, sizeof(own) / sizeof(own[0])};
    struct qnetd_tool_options options = {.common.socket_path = Q_RUNDIR "/corosync-qnetd/corosync-qnetd.sock"};
    int status;

    if (argc > 1 && strcmp(argv[1], "--what-if") == 0)
        return what_if_main(argc, argv);
    if (!tool_options_read(&program, &options.common, argc, argv, &status))
        return status;
    switch (options.common.operation) {
    case TOOL_DECISIONS:
        return (int)tool_run_decisions(&options);
    case TOOL_WATCH:
        return (int)tool_run_watch(&options);
    case TOOL_SHUTDOWN:
        return (int)run_text(&options);
    default: /* status, list */
        return (int)(options.common.json ? tool_run_json(&options) : run_text(&options));
    }
}
