/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/control/tool_options.h"

#include <stdio.h>

#include "common/control/explain.h"

#define SECONDS_EXPECTED "is not a number of seconds (0.1 to 86400)"
#define SECONDS(field) OPTION_DEF(OPTION_PERMILLE, NULL, struct tool_options, field, 100, UINT64_C(86400000))
#define AT(field) offsetof(struct tool_options, field)

const char *const tool_formats[] = {"text", "json", NULL};

static const struct option_def format = {.kind = OPTION_EITHER, .offset = AT(json), .choices = tool_formats};
static const struct option_def timeout = SECONDS(timeout_ms);
static const struct option_def watch_interval = SECONDS(watch_interval_ms);

static const struct program_option common[] = {
    {TOOL_STATUS, "status", .is_operation = true},
    {TOOL_SHUTDOWN, "shutdown", .is_operation = true},
    {'v', "verbose", .flag = AT(verbose)},
    {'p', "socket", .has_argument = true, .text = AT(socket_path)},
    {TOOL_FORMAT, "format", .has_argument = true, .value = &format, .expected = TOOL_FORMAT_EXPECTED},
    {TOOL_WATCH, "watch", .has_argument = true, .argument_is_optional = true, .is_operation = true,
     .value = &watch_interval, .expected = SECONDS_EXPECTED},
    {TOOL_TIMEOUT, "timeout", .has_argument = true, .value = &timeout, .expected = SECONDS_EXPECTED},
    {'h', .ends = true},
    {TOOL_HELP, "help", .ends = true},
};

bool tool_options_read(const struct tool_program *program, struct tool_options *options, int argc, char **argv,
                       int *status)
{
    const struct program_options line = {.own = program->own,
                                         .own_count = program->own_count,
                                         .common = common,
                                         .common_count = sizeof(common) / sizeof(common[0]),
                                         .operation = AT(operation)};
    struct program_result result;
    enum program_outcome outcome;

    options->timeout_ms = 10000;
    options->watch_interval_ms = 1000;
    outcome = program_options_read(&line, options, argc, argv, TOOL_EXIT_USAGE, &result);
    *status = TOOL_EXIT_USAGE;
    if (outcome == PROGRAM_ENDED && result.key == TOOL_HELP) {
        fputs(program->help, stdout);
        *status = TOOL_EXIT_OK;
    } else if (outcome == PROGRAM_INVALID) {
        fprintf(stderr, "%s: %s\n", program->name, result.text);
    } else if (outcome == PROGRAM_ENDED || outcome == PROGRAM_UNKNOWN ||
               (outcome == PROGRAM_READ && options->operation == TOOL_NOTHING)) {
        fputs(program->usage, stdout);
    } else {
        return outcome == PROGRAM_READ;
    }
    return false;
}
