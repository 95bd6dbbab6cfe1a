/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command lines of both certificate tools: each has a table of its options, to which the ones that both have are added here, and
 * one loop reads them all. What an option does is in its row; the tool's own structure, into which it is put, begins with
 * struct common_options.
 */
#ifndef QUORATE_CERTS_COMMON_OPTIONS_H
#define QUORATE_CERTS_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/tools/transfer.h"

/* Letters are the packaged scripts', numbers from here on these options', those from COMMON_END on each tool's own. */
enum {
    COMMON_PEM = 1000,
    COMMON_LIST,
    COMMON_CHECK,
    COMMON_IMPORT,
    COMMON_CONVERT,
    COMMON_FORMAT,
    COMMON_PORT,
    COMMON_CERT,
    COMMON_KEY,
    COMMON_CA,
    COMMON_END
};

struct common_options {
    int operation; /* key of the option that says what to do; 0: none did */
    bool pem;
    bool json;
    uint64_t port;    /* 0: not said */
    const char *form; /* to convert to */
    struct transfer_files files;
    const char *program;
};

struct tool_option {
    int key;          /* the letter; or a number, for one that has a name only */
    const char *name; /* NULL: a letter only */
    bool has_argument;
    bool is_operation;
    size_t text; /* where in the tool's structure the argument goes, a const char *; 0: nowhere */
    size_t flag; /* where a bool becomes true; 0: nowhere */
    /* What is more than that; `call` is the tool's structure. False: said why; *status is the one to end with (TOOL_FAILED before). */
    bool (*take)(void *call, const char *argument, int *status);
};

/* No tool has more, its own and the common ones. */
#define TOOL_OPTIONS_MAX 64

/*
 * Reads all options; the words behind them begin at optind, as in getopt(3). False: one is none, or its argument cannot be; *status
 * is the exit status then, and why has been said.
 */
bool tool_options_parse(struct common_options *call, const struct tool_option *own, size_t own_count, int argc,
                        char **argv, int *status);

#endif
