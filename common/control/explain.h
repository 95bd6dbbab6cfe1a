/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a tool says on stderr, and exits with, when a daemon's answer is not the one hoped for (spec/tools.md section 2.1; front
 * ends match these texts). Used by the tools only.
 */
#ifndef QUORATE_COMMON_CONTROL_EXPLAIN_H
#define QUORATE_COMMON_CONTROL_EXPLAIN_H

#include "common/control/client.h"

enum tool_exit {
    TOOL_EXIT_OK = 0,
    TOOL_EXIT_USAGE = 1,
    TOOL_EXIT_INTERNAL = 2,
    TOOL_EXIT_UNREACHABLE = 3, /* cannot connect, no answer in time, or not an answer */
    TOOL_EXIT_REFUSED = 4
};

/* `cannot_connect`: "Can't connect to qnetd socket (is QNetd running?)". */
enum tool_exit control_explain(const struct control_answer *answer, const char *program, const char *cannot_connect);

#endif
