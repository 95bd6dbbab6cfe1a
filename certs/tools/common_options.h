/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command lines of both certificate tools: the options that both have, to which each adds its own. The tool's own structure
 * begins with struct common_options.
 */
#ifndef QUORATE_CERTS_COMMON_OPTIONS_H
#define QUORATE_CERTS_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/tools/transfer.h"
#include "common/program_options.h"

/* Letters are the packaged scripts', numbers from here on these options', those from COMMON_END on each tool's own. */
enum {
    COMMON_PEM = PROGRAM_OPTION_LONG,
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
};

/*
 * Reads all options; the words behind them begin at optind, as in getopt(3). False: one is none, or its argument cannot be; *status
 * is the exit status then, and why has been said.
 */
bool tool_options_parse(struct common_options *call, const struct program_option *own, size_t own_count, int argc,
                        char **argv, int *status);

#endif
