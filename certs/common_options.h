/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line options that both certificate tools have, --pem, --list, --check, --import, --convert and what belongs to them:
 * their place in a table for getopt_long, and what they set. Each tool's parser asks common_take about what it does not know
 * itself.
 */
#ifndef QUORATE_CERTS_COMMON_OPTIONS_H
#define QUORATE_CERTS_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/transfer.h"

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

/* For the tools' tables. */
#define COMMON_LONG_OPTIONS                                                                                  \
    {"help", no_argument, NULL, 'h'}, {"pem", no_argument, NULL, COMMON_PEM},                                \
        {"list", no_argument, NULL, COMMON_LIST}, {"check", no_argument, NULL, COMMON_CHECK},                \
        {"import", no_argument, NULL, COMMON_IMPORT}, {"convert", required_argument, NULL, COMMON_CONVERT},  \
        {"format", required_argument, NULL, COMMON_FORMAT}, {"port", required_argument, NULL, COMMON_PORT},  \
        {"cert", required_argument, NULL, COMMON_CERT}, {"key", required_argument, NULL, COMMON_KEY},        \
    {                                                                                                        \
        "ca", required_argument, NULL, COMMON_CA                                                             \
    }

struct common_options {
    int operation; /* what to do, of both kinds of options; 0: not said */
    bool pem;
    bool json;
    uint64_t port;    /* 0: not said */
    const char *form; /* to convert to */
    struct transfer_files files;
};

/*
 * Takes what getopt_long returned, with its argument, if it is one of these. False: it is none, or its argument cannot be; *status
 * is the exit status then, and why has been said. `argv` and its words as in getopt(3).
 */
bool common_take(struct common_options *common, int option, char **argv, int *status);

#endif
