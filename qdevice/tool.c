/* SPDX-License-Identifier: BSD-3-Clause */
/* corosync-qdevice-tool: command line, and the operations in the packaged tool's text (spec/tools.md sections 1, 2.1). */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/control/explain.h"
#include "common/control/tool_options.h"
#include "common/text.h"

#define PROGRAM "corosync-qdevice-tool"
#define USAGE "usage: " PROGRAM " [-Hhsv] [-p qdevice_ipc_socket_path]\n"

static const char help[] =
    USAGE
    "       " PROGRAM " --watch[=SECONDS] [-v] [-p qdevice_ipc_socket_path]\n"
    "\n"
    "Shows and controls the running device, corosync-qdevice.\n"
    "\n"
    "  -s, --status            status of the device\n"
    "  -H, --shutdown          shut the device down\n"
    "      --watch[=SECONDS]   show the status again and again (default: every second)\n"
    "\n"
    "  -v, --verbose           more of everything, and why the node does or does not have the vote\n"
    "  -p, --socket=PATH       control socket (default: " Q_RUNDIR "/corosync-qdevice/corosync-qdevice.sock)\n"
    "      --format=text|json  json: see docs/json.md\n"
    "      --timeout=SECONDS   give up when the device does not answer (default: 10)\n"
    "  -h                      usage\n"
    "      --help              this text\n"
    "\n"
    "Exit status: 0 done, 1 wrong usage, 2 internal error, 3 the device cannot be reached or does not\n"
    "answer, 4 the device refused.\n";

/* ---- operations ---- */

/* A device that does not know JSON, the packaged one, answers in text. */
static bool is_json(const struct control_answer *answer)
{
    return answer->body.size > 0 && q_buf_bytes(&answer->body)[0] == '{';
}

static enum tool_exit ask(const struct tool_options *options, struct q_buf *body)
{
    struct control_answer answer;
    struct q_buf request;
    enum tool_exit status;

    q_buf_init(&request);
    text_append(&request, "%s %s\n", options->operation == TOOL_SHUTDOWN ? "shutdown" : "status",
                options->json ? "json " : options->verbose ? "verbose " : "");
    control_ask(options->socket_path, (const char *)q_buf_bytes(&request), request.size, options->timeout_ms, &answer);
    status = control_explain(&answer, PROGRAM, "Can't connect to QDevice socket (is QDevice running?)");
    if (status == TOOL_EXIT_OK && options->json && !is_json(&answer)) {
        fprintf(stderr, PROGRAM ": This device does not answer in JSON (the packaged corosync-qdevice does not); "
                                "use --format=text\n");
        status = TOOL_EXIT_REFUSED;
    } else if (status == TOOL_EXIT_OK) {
        q_buf_append(body, q_buf_bytes(&answer.body), answer.body.size);
    }
    control_answer_fini(&answer);
    q_buf_fini(&request);
    return status;
}

static enum tool_exit run_once(const struct tool_options *options)
{
    struct q_buf body;
    enum tool_exit status;

    q_buf_init(&body);
    status = ask(options, &body);
    if (status == TOOL_EXIT_OK && body.size > 0)
        fwrite(q_buf_bytes(&body), 1, body.size, stdout);
    q_buf_fini(&body);
    return status;
}

/* Until interrupted, or the device has gone. */
static enum tool_exit run_watch(const struct tool_options *options)
{
    bool terminal = isatty(STDOUT_FILENO) == 1;
    struct pollfd nothing = {.fd = -1};
    enum tool_exit status;

    for (;;) {
        char now[CLOCK_TEXT_SIZE];

        clock_text(clock_wall_ms(), now);
        if (terminal)
            printf("\033[H\033[2J");
        printf("%s\n\n", now);
        status = run_once(options);
        printf("\n");
        if (status != TOOL_EXIT_OK || fflush(stdout) != 0)
            return status;
        poll(&nothing, 1, (int)options->watch_interval_ms);
    }
}

/* ---- command line ---- */

int main(int argc, char **argv)
{
    static const struct tool_program program = {PROGRAM, USAGE, help, NULL, 0};
    struct tool_options options = {.socket_path = Q_RUNDIR "/corosync-qdevice/corosync-qdevice.sock"};
    int status;

    if (!tool_options_read(&program, &options, argc, argv, &status))
        return status;
    return (int)(options.operation == TOOL_WATCH ? run_watch(&options) : run_once(&options));
}
