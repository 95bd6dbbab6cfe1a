/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command lines of corosync-qnetd-tool and corosync-qdevice-tool: what both take, to which each adds its own. A tool's own
 * structure begins with struct tool_options, or is that. Used by the tools only.
 */
#ifndef QUORATE_COMMON_CONTROL_TOOL_OPTIONS_H
#define QUORATE_COMMON_CONTROL_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/program_options.h"

/* The key of the option that says what to do; those from TOOL_OPERATION_END on are each tool's own. */
enum {
    TOOL_NOTHING = 0,
    TOOL_STATUS = 's',
    TOOL_SHUTDOWN = 'H',
    TOOL_WATCH = PROGRAM_OPTION_LONG,
    TOOL_HELP,
    TOOL_FORMAT,
    TOOL_TIMEOUT,
    TOOL_OPERATION_END
};

struct tool_options {
    int operation; /* TOOL_..., or the key of an option of the tool's own */
    bool verbose;
    bool json;
    const char *socket_path;
    uint64_t timeout_ms;
    uint64_t watch_interval_ms;
};

struct tool_program {
    const char *name;
    const char *usage; /* for -h, and for what it does not understand */
    const char *help;  /* for --help */
    const struct program_option *own;
    size_t own_count;
};

/*
 * Reads the command line into `options`, which have their defaults but for the times. False: the program ends with *status, and
 * all has been said.
 */
bool tool_options_read(const struct tool_program *program, struct tool_options *options, int argc, char **argv,
                       int *status);

/* --format=text|json into a bool, which tells of json; `expected` is what else is said. */
extern const char *const tool_formats[];
#define TOOL_FORMAT_EXPECTED "is neither text nor json"

#endif
