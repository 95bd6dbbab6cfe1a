/* SPDX-License-Identifier: BSD-3-Clause */
/* corosync-qnetd-tool: command line, and the operations in the packaged tool's text (spec/tools.md section 2). */
#include "qnetd/tool.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/control/request.h"
#include "common/control/tool_options.h"
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

static const char *operation_word(enum tool_operation operation)
{
    switch (operation) {
    case TOOL_STATUS:
        return "status ";
    case TOOL_LIST:
        return "list ";
    case TOOL_SHUTDOWN:
        return "shutdown ";
    case TOOL_DECISIONS:
    case TOOL_WATCH:
    case TOOL_NOTHING:
        break;
    }
    return "";
}

static enum tool_exit run_text(const struct tool_options *options)
{
    struct control_answer answer;
    struct q_buf request;
    enum tool_exit status;
    const char *word = operation_word(options->operation);

    q_buf_init(&request);
    q_buf_append(&request, word, strlen(word));
    if (options->verbose)
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
    control_ask(options->socket_path, (const char *)q_buf_bytes(&request), request.size, options->timeout_ms,
                &answer);
    status = tool_explain(&answer);
    if (answer.outcome == CONTROL_OK) {
        fwrite(q_buf_bytes(&answer.body), 1, answer.body.size, stdout);
        if (options->operation == TOOL_LIST && options->cluster != NULL && options->cluster[0] != '\0' &&
            answer.body.size == 0)
            fprintf(stderr, TOOL_PROGRAM ": No node of cluster \"%s\" is connected\n", options->cluster);
    }
    control_answer_fini(&answer);
    q_buf_fini(&request);
    return status;
}

/* ---- command line ----------------------------------------------------------------------------------------- */

enum long_option { LONG_FORMAT = 256, LONG_WATCH, LONG_DECISIONS, LONG_TIMEOUT, LONG_WHAT_IF, LONG_HELP };

static const struct option long_options[] = {
    {"status", no_argument, NULL, 's'},
    {"list", no_argument, NULL, 'l'},
    {"shutdown", no_argument, NULL, 'H'},
    {"verbose", no_argument, NULL, 'v'},
    {"cluster", required_argument, NULL, 'c'},
    {"socket", required_argument, NULL, 'p'},
    {"format", required_argument, NULL, LONG_FORMAT},
    {"watch", optional_argument, NULL, LONG_WATCH},
    {"decisions", no_argument, NULL, LONG_DECISIONS},
    {"timeout", required_argument, NULL, LONG_TIMEOUT},
    {"what-if", no_argument, NULL, LONG_WHAT_IF},
    {"help", no_argument, NULL, LONG_HELP},
    {NULL, 0, NULL, 0},
};

/* False: the program ends with *status. */
static bool parse_one(int option, const char *value, struct tool_options *options, int *status)
{
    *status = TOOL_EXIT_USAGE;
    switch (option) {
    case 's':
        options->operation = TOOL_STATUS;
        return true;
    case 'l':
        options->operation = TOOL_LIST;
        return true;
    case 'H':
        options->operation = TOOL_SHUTDOWN;
        return true;
    case LONG_DECISIONS:
        options->operation = TOOL_DECISIONS;
        return true;
    case LONG_WATCH:
        options->operation = TOOL_WATCH;
        return value == NULL || tool_parse_seconds(TOOL_PROGRAM, "watch", value, &options->watch_interval_ms);
    case 'v':
        options->verbose = true;
        return true;
    case 'c':
        options->cluster = value;
        return true;
    case 'p':
        options->socket_path = value;
        return true;
    case LONG_FORMAT:
        return tool_parse_format(TOOL_PROGRAM, value, &options->json);
    case LONG_TIMEOUT:
        return tool_parse_seconds(TOOL_PROGRAM, "timeout", value, &options->timeout_ms);
    case LONG_WHAT_IF:
        fprintf(stderr, TOOL_PROGRAM ": --what-if must be the first option\n");
        return false;
    case LONG_HELP:
        fputs(help, stdout);
        *status = TOOL_EXIT_OK;
        return false;
    default: /* -h, and what getopt has complained about */
        fputs(USAGE, stdout);
        return false;
    }
}

int main(int argc, char **argv)
{
    struct tool_options options = {
        .socket_path = Q_RUNDIR "/corosync-qnetd/corosync-qnetd.sock",
        .timeout_ms = 10000,
        .watch_interval_ms = 1000,
    };
    int option, status;

    if (argc > 1 && strcmp(argv[1], "--what-if") == 0)
        return what_if_main(argc, argv);
    while ((option = getopt_long(argc, argv, "Hhlsvc:p:", long_options, NULL)) != -1) {
        if (!parse_one(option, optarg, &options, &status))
            return status;
    }
    switch (options.operation) {
    case TOOL_NOTHING:
        fputs(USAGE, stdout);
        return TOOL_EXIT_USAGE;
    case TOOL_SHUTDOWN:
        return (int)run_text(&options);
    case TOOL_STATUS:
    case TOOL_LIST:
        return (int)(options.json ? tool_run_json(&options) : run_text(&options));
    case TOOL_DECISIONS:
        return (int)tool_run_decisions(&options);
    case TOOL_WATCH:
        return (int)tool_run_watch(&options);
    }
    return TOOL_EXIT_USAGE;
}
